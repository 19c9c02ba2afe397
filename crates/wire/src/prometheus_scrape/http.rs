//! How a job's requests are made, from what stands in the file: credentials, headers, encryption. It opens no file.

use std::collections::BTreeMap;

use serde_saphyr::{Location, Spanned};

use super::config::{Auth, HeaderSource, HttpClient, Ignored, Secret, SecretSource, TlsClient};
use super::document::{AuthorizationText, BasicAuthText, HeaderText, JobText, TlsText};
use super::resolve::{Fault, note};

/// Headers that belong to the connection, to the negotiation or to the credentials.
const RESERVED_HEADERS: [&str; 21] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "www-authenticate",
    "x-prometheus-scrape-timeout-seconds",
];

/// Reads everything about the requests of a job that stands at `place`.
pub(super) fn http_of(
    text: &mut JobText,
    place: Location,
    owner: &str,
    ignored: &mut Vec<Ignored>,
) -> Result<HttpClient, Fault> {
    let auth = auth_of(text, place)?;
    let headers = match text.http_headers.take() {
        None => BTreeMap::new(),
        Some(given) => headers_of(given)?,
    };
    let tls = match text.tls_config.take() {
        None => TlsClient::default(),
        Some(given) => {
            let why = "TLS 1.2 and 1.3 are spoken";
            note(
                ignored,
                owner,
                "tls_config: min_version",
                &given.value.min_version,
                why,
            );
            note(
                ignored,
                owner,
                "tls_config: max_version",
                &given.value.max_version,
                why,
            );
            tls_of(given)?
        }
    };
    Ok(HttpClient {
        auth,
        headers,
        tls,
        follow_redirects: text.follow_redirects.unwrap_or(true),
    })
}

fn auth_of(text: &mut JobText, place: Location) -> Result<Auth, Fault> {
    let basic = text.basic_auth.take();
    let authorization = text.authorization.take();
    let token = one_of(
        text.bearer_token.take(),
        text.bearer_token_file.take(),
        "bearer_token",
        place,
    )?;
    let ways = [basic.is_some(), authorization.is_some(), token.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        let what = "of basic_auth, authorization and bearer_token(_file) one is used at most";
        return Err(Fault::at(place, what));
    }
    if let Some(basic) = basic {
        return basic_of(basic);
    }
    if let Some(authorization) = authorization {
        return authorization_of(authorization);
    }
    Ok(token.map_or(Auth::None, |credentials| Auth::Credentials {
        kind: "Bearer".to_owned(),
        credentials,
    }))
}

fn basic_of(given: Spanned<BasicAuthText>) -> Result<Auth, Fault> {
    let (place, text) = (given.referenced, given.value);
    let given_name = text.username.map(Secret::from);
    let username = one_of(given_name, text.username_file, "username", place)?;
    let password = one_of(text.password, text.password_file, "password", place)?;
    let empty = || SecretSource::Given(Secret::from(String::new()));
    Ok(Auth::Basic {
        username: username.unwrap_or_else(empty),
        password: password.unwrap_or_else(empty),
    })
}

fn authorization_of(given: Spanned<AuthorizationText>) -> Result<Auth, Fault> {
    let (place, text) = (given.referenced, given.value);
    let kind = text.kind.unwrap_or_default().trim().to_owned();
    if kind.eq_ignore_ascii_case("basic") {
        let what = "authorization takes no type Basic; use basic_auth";
        return Err(Fault::at(place, what));
    }
    let credentials = one_of(
        text.credentials,
        text.credentials_file,
        "credentials",
        place,
    )?;
    Ok(
        credentials.map_or(Auth::None, |credentials| Auth::Credentials {
            kind: if kind.is_empty() {
                "Bearer".to_owned()
            } else {
                kind
            },
            credentials,
        }),
    )
}

/// A secret that stands in the file, or in another one; not both.
fn one_of(
    given: Option<Secret>,
    file: Option<String>,
    key: &str,
    place: Location,
) -> Result<Option<SecretSource>, Fault> {
    let given = given.filter(|secret| !secret.expose().is_empty());
    match (given, file.filter(|file| !file.is_empty())) {
        (Some(_), Some(_)) => Err(Fault::at(
            place,
            format!("of {key} and {key}_file one is used at most"),
        )),
        (Some(secret), None) => Ok(Some(SecretSource::Given(secret))),
        (None, Some(file)) => Ok(Some(SecretSource::File(file))),
        (None, None) => Ok(None),
    }
}

fn headers_of(
    given: Spanned<BTreeMap<String, HeaderText>>,
) -> Result<BTreeMap<String, Vec<HeaderSource>>, Fault> {
    let mut headers = BTreeMap::new();
    for (name, text) in given.value {
        if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let what = format!("the header {name:?} is set by Tocsin itself");
            return Err(Fault::at(given.referenced, what));
        }
        let values = text.values.unwrap_or_default();
        let secrets = text.secrets.unwrap_or_default();
        let files = text.files.unwrap_or_default();
        let secret = |source| HeaderSource::Secret(source);
        let all = values.into_iter().map(HeaderSource::Plain);
        let all = all.chain(secrets.into_iter().map(SecretSource::Given).map(secret));
        let all = all.chain(files.into_iter().map(SecretSource::File).map(secret));
        headers.insert(name, all.collect());
    }
    Ok(headers)
}

fn tls_of(given: Spanned<TlsText>) -> Result<TlsClient, Fault> {
    let (place, text) = (given.referenced, given.value);
    if text.ca.is_some() && text.ca_file.is_some() {
        return Err(Fault::at(place, "of ca and ca_file one is used at most"));
    }
    let cert = one_of(text.cert, text.cert_file, "cert", place)?;
    let key = one_of(text.key, text.key_file, "key", place)?;
    let own = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let what = "tls_config has one of cert and key; expected both or neither";
            return Err(Fault::at(place, what));
        }
    };
    Ok(TlsClient {
        ca_file: text.ca_file.filter(|file| !file.is_empty()),
        ca: text.ca,
        own,
        server_name: text.server_name.filter(|name| !name.is_empty()),
        insecure_skip_verify: text.insecure_skip_verify.unwrap_or_default(),
    })
}
