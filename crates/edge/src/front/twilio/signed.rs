//! Whether a request comes from the provider of an account of ours: by its signature, and by the link that was told to that account
//! alone. What is asked for is not known here.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tocsin_wire::twilio::signature;

use super::Fields;
use crate::access::base64;
use crate::app::App;
use crate::delivery::account::{self, Provider};
use crate::delivery::place::Place;
use crate::http::body;
use crate::links::{Bound, Use};

/// Bytes of a form at most.
const FORM_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of a signature at most.
const SIGNATURE_BYTES_MAX: usize = 64;

/// What a link was signed for, and to which account it was told.
pub(super) type Told = (Bound, Use, Place);

/// The address that was asked for, as the provider signed it, and the fields; nothing that is not signed is looked at. It must be
/// signed with the token of the account that the link was told to; of any account of ours where none was.
pub(super) async fn genuine(
    app: &App,
    uri: &Uri,
    request: Request,
    told: &Result<Told, StatusCode>,
) -> Result<(String, Fields), StatusCode> {
    let (parts, form) = request.into_parts();
    let form = body::read(&parts.headers, form, FORM_BYTES_MAX).await;
    let form = form.map_err(|problem| problem.status())?;
    let signature = signature_in(&parts.headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let fields: Fields = form_urlencoded::parse(&form).into_owned().collect();
    let tokens = tokens(app, told.as_ref().ok().map(|(_, _, place)| *place)).await?;
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let public_url = app.settings.public_url.as_str();
    let addresses: Vec<String> = bases(public_url)
        .iter()
        .map(|base| format!("{base}{path}"))
        .collect();
    let mut is_genuine = false;
    // All are compared, so that the time that it takes does not tell which of them matched.
    for token in &tokens {
        let token = token.expose_secret().as_bytes();
        for url in &addresses {
            is_genuine |= signature::is_genuine(token, url, &fields, &signature);
        }
    }
    if is_genuine {
        Ok((format!("{public_url}{path}"), fields))
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

/// The token of the account at this place, or of every account of ours.
async fn tokens(app: &App, place: Option<Place>) -> Result<Vec<SecretString>, StatusCode> {
    let opened = app.blocking(|parts| {
        let (accounts, vault) = (parts.accounts.as_ref(), parts.vault.as_ref());
        account::open_all(accounts, vault, Provider::Twilio)
    });
    let opened = opened.await.map_err(|problem| problem.status())?;
    let theirs = opened.into_iter();
    let theirs = theirs.filter(|(known, _)| place.is_none_or(|place| place == *known));
    Ok(theirs.filter_map(|(_, opened)| opened.secret).collect())
}

/// What a signed address may begin with: Twilio signs now with the port, now without it.
fn bases(public_url: &str) -> Vec<String> {
    let mut all = vec![public_url.to_owned()];
    if let Ok(url) = Url::parse(public_url)
        && let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default())
    {
        let without = format!("{}://{host}", url.scheme());
        all.push(format!("{without}:{port}"));
        all.push(without);
    }
    all
}

fn signature_in(headers: &HeaderMap) -> Option<Vec<u8>> {
    let text = headers.get(signature::HEADER)?.to_str().ok()?;
    base64::decode(text, SIGNATURE_BYTES_MAX)
}

/// What the link was signed for, if it is good, and to which account it was told: each was told another.
pub(super) async fn checked(
    app: &App,
    token: &str,
    usage: fn(u32, Place) -> Use,
) -> Result<Told, StatusCode> {
    let now = app.now();
    let key = app.link_key().await.map_err(|problem| problem.status())?;
    let found = app.read(|state| {
        Place::ALL.into_iter().find_map(|place| {
            let known = key.check(token, |number| usage(number, place), state, now);
            known.ok().map(|(bound, usage)| (bound, usage, place))
        })
    });
    found.ok_or(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_signed_with_its_port_and_without_it() {
        let check = |public_url: &str, host: &str, port: u16| {
            let (with, without) = (format!("{host}:{port}"), host.to_owned());
            assert_eq!(bases(public_url), [public_url.to_owned(), with, without]);
        };
        check("https://a.example", "https://a.example", 443);
        check("http://a.example", "http://a.example", 80);
        check("https://a.example:443", "https://a.example", 443);
        check("https://a.example:8443", "https://a.example", 8443);
        check("http://[::1]:8700", "http://[::1]", 8700);
    }
}
