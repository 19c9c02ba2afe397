//! The mail servers that pages go out by: their settings and how they are. Passwords go into the vault. Accounts at other
//! providers are in [`account`].

pub(crate) mod account;
mod buttons;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::people;
use utoipa::ToSchema;

use super::body::Json as Body;
use super::people::{Planned, tested};
use super::problem::Problem;
use crate::access::who::Caller;
use crate::app::App;
use crate::delivery::mail::{self, Encryption, MailSettings};
use crate::delivery::place::Place;
use crate::doctor::{MailState, forget_mail_state, mail_state};

/// Characters of a host, a sender or a name at most.
const TEXT_CHARS_MAX: usize = 254;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailTls {
    /// Not at all.
    None,
    /// After the greeting, or nothing is sent.
    StartTls,
    /// From the start.
    Tls,
}

/// How a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChannelState {
    /// It answers.
    Ok,
    /// It does not.
    Failing,
    /// Nobody knows.
    Unknown,
}

/// The mail server; the password is never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EmailChannel {
    /// Its place, from 1: each takes over where those before it fail.
    place: u32,
    configured: bool,
    host: Option<String>,
    port: Option<u16>,
    from: Option<String>,
    tls: Option<MailTls>,
    username: Option<String>,
    /// Whether a password is kept.
    has_password: bool,
    state: ChannelState,
    detail: Option<String>,
}

/// The channels.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Channels {
    email: EmailChannel,
    /// The accounts at providers, each once, whether set up or not.
    accounts: Vec<account::ProviderAccount>,
    /// Mail servers that take over where those before them fail, of those places that are set up.
    further_email: Vec<EmailChannel>,
    /// Accounts that take over where those before them fail, of those places that are set up.
    further_accounts: Vec<account::ProviderAccount>,
}

/// The place after the first that somebody asked for, of those that there may be.
fn further_place(places: &[Place], text: &str) -> Result<Place, Problem> {
    let mut further = places.iter().skip(1);
    let found = further.find(|place| place.number().to_string() == text);
    found
        .copied()
        .ok_or_else(|| Problem::not_found(&format!("place {text}")))
}

async fn email(app: &App, place: Place) -> Result<EmailChannel, Problem> {
    let read = app.blocking(move |parts| mail::kept(parts.accounts.as_ref(), place));
    let settings = read.await?;
    let (state, detail) = match mail_state(app, place).await {
        MailState::Unset => (ChannelState::Unknown, None),
        MailState::Reachable => (ChannelState::Ok, None),
        MailState::Failing(why) => (ChannelState::Failing, Some(why)),
    };
    Ok(EmailChannel {
        place: place.number(),
        configured: settings.is_some(),
        port: settings.as_ref().map(|one| one.port),
        tls: settings.as_ref().map(|one| match one.tls {
            Encryption::None => MailTls::None,
            Encryption::StartTls => MailTls::StartTls,
            Encryption::Tls => MailTls::Tls,
        }),
        has_password: settings.as_ref().is_some_and(|one| one.password.is_some()),
        username: settings.as_ref().and_then(|one| one.username.clone()),
        from: settings.as_ref().map(|one| one.from.clone()),
        host: settings.map(|one| one.host),
        state,
        detail,
    })
}

/// How pages go out
#[utoipa::path(get, path = "/api/tocsin/v1/channels", tag = "settings", responses((status = 200, body = Channels)))]
pub(crate) async fn channels(State(app): State<App>) -> Result<Json<Channels>, Problem> {
    let (first, second, third) = tokio::join!(
        email(&app, Place::First),
        email(&app, Place::Second),
        email(&app, Place::Third),
    );
    let mut further_email = vec![second?, third?];
    further_email.retain(|one| one.configured);
    Ok(Json(Channels {
        email: first?,
        accounts: account::all(&app).await?,
        further_email,
        further_accounts: account::further(&app).await?,
    }))
}

/// The mail server to use.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailRequest {
    #[schema(min_length = 1, max_length = 254)]
    host: String,
    #[schema(minimum = 1, maximum = 65535)]
    port: u16,
    /// The sender's address, with or without a name.
    #[schema(min_length = 1, max_length = 254)]
    from: String,
    tls: MailTls,
    #[schema(max_length = 254)]
    username: Option<String>,
    /// Kept as it is when not given, as long as host and username stay the same.
    #[schema(value_type = Option<String>)]
    password: Option<SecretString>,
}

fn violations(request: &MailRequest) -> Vec<String> {
    let mut reasons = Vec::new();
    let plain = |text: &str| {
        !text.is_empty()
            && text.chars().count() <= TEXT_CHARS_MAX
            && !text.chars().any(|symbol| symbol.is_control())
    };
    if !plain(&request.host)
        || request
            .host
            .contains(|symbol: char| symbol.is_whitespace() || "/@?#".contains(symbol))
    {
        reasons.push("host: a name or an address, without port".to_owned());
    }
    if request.port == 0 {
        reasons.push("port: 1 to 65535".to_owned());
    }
    if !plain(&request.from) || request.from.parse::<lettre::message::Mailbox>().is_err() {
        reasons.push("from: a mail address such as tocsin@example.org".to_owned());
    }
    if request
        .username
        .as_ref()
        .is_some_and(|name| !name.is_empty() && !plain(name))
    {
        reasons.push(format!(
            "username: at most {TEXT_CHARS_MAX} characters on one line"
        ));
    }
    let password = request
        .password
        .as_ref()
        .is_some_and(|password| !password.expose_secret().is_empty());
    if password && request.tls == MailTls::None {
        reasons.push(
            "tls: a password is sent over an encrypted connection only; choose starttls or tls"
                .to_owned(),
        );
    }
    reasons
}

/// Set the mail server
#[utoipa::path(put, path = "/api/tocsin/v1/channels/email", tag = "settings", request_body = MailRequest,
    responses((status = 200, body = EmailChannel), (status = 400)))]
pub(crate) async fn set_email(
    State(app): State<App>,
    Body(request): Body<MailRequest>,
) -> Result<Json<EmailChannel>, Problem> {
    set(&app, Place::First, request).await
}

/// Set a mail server that takes over
///
/// The second or third mail server: it takes over where those before it fail.
#[utoipa::path(put, path = "/api/tocsin/v1/channels/email/{place}", tag = "settings",
    params(("place" = u32, Path, description = "2 or 3")), request_body = MailRequest,
    responses((status = 200, body = EmailChannel), (status = 400), (status = 404)))]
pub(crate) async fn set_further_email(
    State(app): State<App>,
    Path(place): Path<String>,
    Body(request): Body<MailRequest>,
) -> Result<Json<EmailChannel>, Problem> {
    set(&app, further_place(&Place::ALL, &place)?, request).await
}

/// Remove a mail server that takes over
#[utoipa::path(delete, path = "/api/tocsin/v1/channels/email/{place}", tag = "settings",
    params(("place" = u32, Path, description = "2 or 3")), responses((status = 204), (status = 404)))]
pub(crate) async fn remove_further_email(
    State(app): State<App>,
    Path(place): Path<String>,
) -> Result<StatusCode, Problem> {
    let place = further_place(&Place::ALL, &place)?;
    app.blocking(move |parts| {
        let accounts = parts.accounts.as_ref();
        let before = mail::kept(accounts, place)?;
        mail::keep(accounts, place, None)?;
        let gone = before.and_then(|known| known.password);
        parts.vault.remove(gone.as_slice())
    })
    .await?;
    forget(&app, place).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What was said of the server at this place was said of another.
async fn forget(app: &App, place: Place) {
    forget_mail_state(app, place).await;
    app.tally
        .forget_account(people::ChannelKind::Email, place.number());
}

async fn set(app: &App, place: Place, request: MailRequest) -> Result<Json<EmailChannel>, Problem> {
    let reasons = violations(&request);
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let read = app.blocking(move |parts| mail::kept(parts.accounts.as_ref(), place));
    let before = read.await?;
    let username = request.username.filter(|name| !name.is_empty());
    let new_password = request
        .password
        .filter(|password| !password.expose_secret().is_empty());
    let old_row = before.as_ref().and_then(|settings| settings.password);
    let same = before
        .as_ref()
        .is_some_and(|known| known.host == request.host && known.username == username);
    let kept = old_row.filter(|_| same && new_password.is_none() && request.tls != MailTls::None);
    let mut settings = MailSettings {
        host: request.host,
        port: request.port,
        from: request.from,
        tls: match request.tls {
            MailTls::None => Encryption::None,
            MailTls::StartTls => Encryption::StartTls,
            MailTls::Tls => Encryption::Tls,
        },
        username,
        password: kept,
    };
    app.blocking(move |parts| {
        if let Some(password) = new_password {
            settings.password = Some(parts.vault.put(&password, None)?);
        }
        mail::keep(parts.accounts.as_ref(), place, Some(&settings))?;
        // The old password is of no use any more.
        let gone = old_row.filter(|row| settings.password != Some(*row));
        parts.vault.remove(gone.as_slice())
    })
    .await?;
    forget(app, place).await;
    Ok(Json(email(app, place).await?))
}

/// Send oneself a test mail
#[utoipa::path(post, path = "/api/tocsin/v1/channels/email/test", tag = "settings",
    responses((status = 202, body = Planned), (status = 409), (status = 429)))]
pub(crate) async fn test_email(
    State(app): State<App>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    let user = caller.person()?;
    let method = app.read(|state| {
        let methods = &state.users.get(&user)?.contact_methods;
        let mut methods = methods.iter();
        methods
            .find(|method| method.kind == people::ChannelKind::Email)
            .cloned()
    });
    let method = method.ok_or_else(|| {
        Problem::conflict("you have no mail address among your contact methods: add one")
    })?;
    let planned = tested(&app, &caller.actor, user, &method).await?;
    Ok((StatusCode::ACCEPTED, Json(planned)))
}
