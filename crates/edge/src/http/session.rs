//! Signing in and out, the first administrator, API tokens. Passwords and tokens are compared elsewhere.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::command::Ask;
use tocsin_domain::event::{Actor, EventBody, PeopleEvent};
use tocsin_domain::id::UserId;
use utoipa::ToSchema;

use super::address;
use super::body::Json as Body;
use super::disclosed::Disclosed;
use super::problem::Problem;
use super::shape::Role;
use crate::access::cookie;
use crate::access::origin::client_ip;
use crate::access::who::{Caller, Peer};
use crate::app::App;
use crate::secret;

/// The shortest password (NIST SP 800-63B asks for 8 at least; without a second factor longer is better).
const PASSWORD_CHARS_MIN: usize = 12;
/// The longest, so that hashing stays bounded.
pub(super) const PASSWORD_CHARS_MAX: usize = 256;
/// One-time tokens longer than this are not ours.
const TOKEN_CHARS_MAX: usize = 200;

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionUser {
    id: String,
    name: String,
    role: Role,
    email: String,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    user: SessionUser,
    /// Goes into the header `X-CSRF-Token` of every request that changes something.
    #[schema(value_type = String)]
    csrf_token: Disclosed,
    setup_needed: bool,
    /// Whether they have a password: changing it needs the one they have.
    has_password: bool,
}

/// Whether the first administrator is still to be made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupState {
    setup_needed: bool,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetupRequest {
    /// From the one-time link that `tocsin serve` prints.
    #[schema(value_type = String)]
    setup_token: SecretString,
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// At least 12 characters.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    password: SecretString,
    /// IANA zone of the first schedule; UTC when not given.
    time_zone: Option<String>,
}

/// By password, or by a one-time link.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SignInRequest {
    /// By a one-time link.
    Link {
        /// From the link.
        #[schema(value_type = String)]
        login_token: SecretString,
    },
    /// By password.
    Password {
        email: String,
        #[schema(value_type = String)]
        password: SecretString,
    },
}

/// Is the first administrator still to be made?
#[utoipa::path(get, path = "/api/tocsin/v1/setup", tag = "access", responses((status = 200, body = SetupState)))]
pub(crate) async fn setup_state(State(app): State<App>) -> Json<SetupState> {
    Json(SetupState {
        setup_needed: app.read(|state| state.installation.is_none()),
    })
}

/// Make the first administrator
#[utoipa::path(post, path = "/api/tocsin/v1/setup", tag = "access", request_body = SetupRequest,
    responses((status = 201, body = Session), (status = 400), (status = 401), (status = 409)))]
pub(crate) async fn set_up(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    Body(request): Body<SetupRequest>,
) -> Result<Response, Problem> {
    if app.read(|state| state.installation.is_some()) {
        return Err(Problem::conflict(
            "this installation is set up already: sign in instead; if nobody can, restart Tocsin and open the link that it prints",
        ));
    }
    start_try(&app, "setup", peer, &headers)?;
    let now = app.now();
    let token = request.setup_token.clone();
    let fits = token.expose_secret().len() <= TOKEN_CHARS_MAX
        && app
            .blocking(move |parts| {
                parts
                    .accounts
                    .setup_token_matches(token.expose_secret(), now)
            })
            .await?;
    if !fits {
        return Err(Problem::unauthenticated(
            "the setup link is not the one that `tocsin serve` printed last",
        ));
    }
    let email = check_new_person(&request.email, &request.password)?;
    // On a task of its own: a client that hangs up would else leave half of it, an address that nobody has or somebody without
    // a password, and who comes next is told that it is done already.
    let maker = app.clone();
    let work = tokio::spawn(async move { make_to_the_end(&maker, request, email).await });
    let user = work
        .await
        .map_err(|_| Problem::internal("the administrator was not made to the end"))??;
    begin(&app, user, StatusCode::CREATED).await
}

/// Why a password is not good enough, if it is not.
pub(super) fn password_fault(password: &SecretString) -> Option<String> {
    let chars = password.expose_secret().chars().count();
    let fits = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars);
    (!fits).then(|| format!("password: {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"))
}

fn check_new_person(email: &str, password: &SecretString) -> Result<SecretString, Problem> {
    let mut reasons: Vec<String> = password_fault(password).into_iter().collect();
    match address::mail(email) {
        Ok(email) if reasons.is_empty() => return Ok(email),
        Ok(_) => {}
        Err(reason) => reasons.push(format!("email: {reason}")),
    }
    Err(Problem::invalid(reasons))
}

async fn make_to_the_end(
    app: &App,
    request: SetupRequest,
    email: SecretString,
) -> Result<UserId, Problem> {
    let user = make_first(app, &request, email).await?;
    let password = request.password;
    app.with_password(move |parts| parts.accounts.set_password(user, &password))
        .await?;
    app.blocking(|parts| parts.accounts.finish_setup()).await?;
    Ok(user)
}

async fn make_first(
    app: &App,
    request: &SetupRequest,
    email: SecretString,
) -> Result<UserId, Problem> {
    // The first integration's key is shown to nobody: an administrator makes further ones.
    let key =
        secret::letters(32).map_err(|_| Problem::internal("the system gives no random bytes"))?;
    let row = app
        .blocking(move |parts| parts.vault.put_sign_in(&email))
        .await?
        .ok_or_else(|| Problem::conflict("this installation is being set up by another request"))?;
    let ask = Ask::SetUp {
        name: request.name.clone(),
        email: row,
        time_zone: request
            .time_zone
            .clone()
            .unwrap_or_else(|| "UTC".to_owned()),
        key_hash: secret::key_hash(&key),
    };
    let outcome = app.ask(&Actor::System, ask).await;
    let done = match outcome {
        Ok(done) => done,
        Err(problem) if !problem.outcome_known() => return Err(problem),
        Err(problem) => {
            app.blocking(move |parts| parts.vault.remove(&[row]))
                .await?;
            return Err(problem);
        }
    };
    let added = done.events().iter().find_map(|event| match &event.body {
        EventBody::People(PeopleEvent::UserAdded { user }) => Some(user.id),
        EventBody::People(_)
        | EventBody::Installation(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    added.ok_or_else(|| Problem::internal("the administrator was made but not found"))
}

/// Sign in
#[utoipa::path(post, path = "/api/tocsin/v1/session", tag = "access", request_body = SignInRequest,
    responses((status = 200, body = Session), (status = 401), (status = 429)))]
pub(crate) async fn sign_in(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    Body(request): Body<SignInRequest>,
) -> Result<Response, Problem> {
    let user = match request {
        SignInRequest::Link { login_token } => by_link(&app, login_token, peer, &headers).await?,
        SignInRequest::Password { email, password } => {
            by_password(&app, email, password, peer, &headers).await?
        }
    };
    begin(&app, user, StatusCode::OK).await
}

pub(super) fn start_try(
    app: &App,
    account: &str,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<Option<IpAddr>, Problem> {
    let ip = client_ip(headers, peer.0, app.settings.behind_proxy);
    let wait = |seconds| Problem::too_many("too many tries; wait, then try again", seconds);
    app.inner()
        .logins
        .start(account, ip, app.now())
        .map_err(wait)?;
    Ok(ip)
}

async fn by_link(
    app: &App,
    token: SecretString,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<UserId, Problem> {
    let account = "login link";
    let ip = start_try(app, account, peer, headers)?;
    let now = app.now();
    let refused = || {
        Problem::unauthenticated(
            "this link was used or is too old; ask an administrator for another",
        )
    };
    if token.expose_secret().len() > TOKEN_CHARS_MAX {
        return Err(refused());
    }
    let user = app
        .blocking(move |parts| parts.accounts.redeem_login(token.expose_secret(), now))
        .await?;
    let user = user
        .filter(|user| app.read(|state| state.users.contains_key(user)))
        .ok_or_else(refused)?;
    app.inner().logins.succeeded(account, ip);
    Ok(user)
}

async fn by_password(
    app: &App,
    email: String,
    password: SecretString,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<UserId, Problem> {
    let refused = || Problem::unauthenticated("the address or the password is wrong");
    let too_long = email.len() > address::MAIL_CHARS_MAX
        || password.expose_secret().chars().count() > PASSWORD_CHARS_MAX;
    if too_long || email.is_empty() || password.expose_secret().is_empty() {
        return Err(refused());
    }
    let ip = start_try(app, &email, peer, headers)?;
    let wanted = email.clone();
    let found = app.with_password(move |parts| {
        let row = parts.vault.find_sign_in(&wanted)?;
        let user = parts.engine.read(|state| {
            let mut users = state.users.values();
            users
                .find(|user| row == Some(user.email))
                .map(|user| user.id)
        });
        let matches = parts.accounts.password_matches(user, &password)?;
        Ok(user.filter(|_| matches))
    });
    let user = found.await?.ok_or_else(refused)?;
    app.inner().logins.succeeded(&email, ip);
    Ok(user)
}

async fn begin(app: &App, user: UserId, status: StatusCode) -> Result<Response, Problem> {
    let now = app.now();
    let value = app
        .blocking(move |parts| parts.accounts.begin_session(user, now))
        .await?;
    let session = session_of(app, user, &value).await?;
    let cookie = cookie::give(&value, app.settings.is_https());
    let cookie =
        cookie.ok_or_else(|| Problem::internal("the session's cookie cannot be written"))?;
    Ok((status, [(header::SET_COOKIE, cookie)], Json(session)).into_response())
}

async fn session_of(app: &App, user: UserId, cookie_value: &str) -> Result<Session, Problem> {
    let known = app.read(|state| {
        state
            .users
            .get(&user)
            .map(|one| (one.name.clone(), one.role, one.email))
    });
    let (name, role, row) =
        known.ok_or_else(|| Problem::unauthenticated("this person was removed"))?;
    let (email, has_password) = app
        .blocking(move |parts| Ok((parts.vault.get(row)?, parts.accounts.has_password(user)?)))
        .await?;
    let email = email
        .map(|email| email.expose_secret().to_owned())
        .unwrap_or_default();
    Ok(Session {
        user: SessionUser {
            id: user.to_string(),
            name,
            role: role.into(),
            email,
        },
        csrf_token: cookie::csrf_of(cookie_value).into(),
        setup_needed: false,
        has_password,
    })
}

/// Who is signed in?
#[utoipa::path(get, path = "/api/tocsin/v1/session", tag = "access",
    responses((status = 200, body = Session), (status = 401)))]
pub(crate) async fn get_session(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Json<Session>, Problem> {
    let value = cookie::read(&headers, app.settings.is_https()).unwrap_or_default();
    session_of(&app, caller.person()?, &value).await.map(Json)
}

/// Sign out
#[utoipa::path(delete, path = "/api/tocsin/v1/session", tag = "access", responses((status = 204), (status = 401)))]
pub(crate) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let https = app.settings.is_https();
    if let Some(value) = cookie::read(&headers, https) {
        app.blocking(move |parts| parts.accounts.end_session(&value))
            .await?;
    }
    let cookie = cookie::take_back(https)
        .ok_or_else(|| Problem::internal("the cookie cannot be written"))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
