//! Changing a password: one's own by a session and with the one in use, another person's by an administrator.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tocsin_domain::id::UserId;
use utoipa::ToSchema;

use super::body::Json as Body;
use super::problem::Problem;
use super::session::{PASSWORD_CHARS_MAX, password_fault, start_try};
use crate::access::who::{Caller, Peer, Via};
use crate::app::App;

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordRequest {
    /// At least 12 characters.
    #[schema(value_type = String, min_length = 12, max_length = 256)]
    password: SecretString,
    /// The one in use, when one changes one's own.
    #[schema(value_type = Option<String>)]
    current_password: Option<SecretString>,
}

/// Set a password
///
/// One's own only in a browser's session, with the one in use if there is one; an administrator sets others' without. All
/// sessions of the person end; they sign in again.
#[utoipa::path(put, path = "/api/tocsin/v1/users/{id}/password", tag = "access", params(("id" = String, Path)),
    request_body = PasswordRequest, responses((status = 204), (status = 400), (status = 403), (status = 404),
    (status = 429)))]
pub(crate) async fn set_password(
    State(app): State<App>,
    caller: Caller,
    peer: Peer,
    headers: HeaderMap,
    Path(id): Path<String>,
    Body(request): Body<PasswordRequest>,
) -> Result<StatusCode, Problem> {
    let user = id
        .parse::<UserId>()
        .ok()
        .filter(|user| app.read(|state| state.users.contains_key(user)));
    let user = user.ok_or_else(|| Problem::not_found("such person"))?;
    if let Some(fault) = password_fault(&request.password) {
        return Err(Problem::invalid(vec![fault]));
    }
    if caller.user == Some(user) {
        prove_own(
            &app,
            &caller,
            user,
            request.current_password,
            (peer, &headers),
        )
        .await?;
    }
    app.with_password(move |parts| parts.accounts.set_password(user, &request.password))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who found a token, or a browser left open, must not get hold of the person's account for good.
async fn prove_own(
    app: &App,
    caller: &Caller,
    user: UserId,
    current: Option<SecretString>,
    (peer, headers): (Peer, &HeaderMap),
) -> Result<(), Problem> {
    match caller.via {
        Via::Session => {}
        Via::Token(_) | Via::Open => {
            return Err(Problem::forbidden(
                "one's own password is changed in the browser, not by a token",
            ));
        }
    }
    if !app
        .blocking(move |parts| parts.accounts.has_password(user))
        .await?
    {
        return Ok(());
    }
    let wrong = || Problem::bad("current_password: not the password in use; nothing was changed");
    let current = current
        .filter(|text| text.expose_secret().chars().count() <= PASSWORD_CHARS_MAX)
        .ok_or_else(wrong)?;
    let account = format!("password {user}");
    let ip = start_try(app, &account, peer, headers)?;
    if !app
        .with_password(move |parts| parts.accounts.password_matches(Some(user), &current))
        .await?
    {
        return Err(wrong());
    }
    app.inner().logins.succeeded(&account, ip);
    Ok(())
}
