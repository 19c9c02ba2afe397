//! The gate in front of every route: finds out who calls and whether they may, before the handler runs. It does not know
//! what the handler does.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tocsin_domain::event::Actor;
use tocsin_domain::id::UserId;
use tocsin_domain::people::{Role, Scopes, TokenBounds};

use super::base64;
use super::cookie;
use super::origin;
use super::token_limit::{self, Empty, Left};
use super::who::{Caller, Front, Via, Who};
use crate::app::App;
use crate::front::{alertmanager, opsgenie, pagerduty, prometheus};
use crate::http::problem::Problem;
use crate::ports::ApiToken;

/// Length of an API token; PagerDuty's command line sends nothing else as a token.
pub(crate) const TOKEN_CHARS: usize = 20;
/// Bytes of a user's name and a password of HTTP Basic at most.
const BASIC_BYTES_MAX: usize = 512;

/// Lets a request through to its handler, or answers for it.
pub(crate) async fn gate(
    State((app, who, needed)): State<(App, Who, Option<Scopes>)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match admit(&app, (who, needed), &mut parts).await {
        Ok(caller) => {
            let left = match take_one(&app, who, &parts, caller.as_ref()) {
                Ok(left) => left,
                Err(empty) => return empty.refusal(|problem| refused(who, problem)),
            };
            let counted = match (who, &caller) {
                (Who::Token(Front::PagerDutyRest, _), Some(caller)) => {
                    Some(pagerduty::Counted::take(&app, caller))
                }
                (_, _) => None,
            };
            let unread = unreadable(who, &mut parts).await;
            if let Some(caller) = caller {
                parts.extensions.insert(caller);
            }
            let request = Request::from_parts(parts, body);
            let answer = async move {
                match unread {
                    Some(problem) => refused(who, problem),
                    None => next.run(request).await,
                }
            };
            let mut answer = match counted {
                Some(counted) => counted.around(answer).await,
                None => answer.await,
            };
            if let Some(left) = left {
                left.tell(&mut answer);
            }
            answer
        }
        Err(problem) => refused(who, problem),
    }
}

/// Counts a request against the limit of its token, where it has one.
fn take_one(
    app: &App,
    who: Who,
    parts: &Parts,
    caller: Option<&Caller>,
) -> Result<Option<Left>, Empty> {
    let counted = |caller| token_limit::counted(who, parts.uri.path(), caller);
    let Some((token, own)) = caller.and_then(counted) else {
        return Ok(None);
    };
    app.inner()
        .token_limit
        .take(token, own, app.now())
        .map(Some)
}

/// A refusal in the words of whom the caller believes to speak to.
fn refused(who: Who, problem: Problem) -> Response {
    match who {
        Who::Token(Front::Prometheus, _) => prometheus::refused_at_the_gate(&problem),
        Who::Token(Front::Alertmanager, _) => alertmanager::refused_at_the_gate(&problem),
        Who::Token(Front::PagerDutyRest, _) => pagerduty::refused(problem),
        Who::Key(Front::Opsgenie) | Who::Token(Front::Opsgenie, _) => {
            opsgenie::refused_at_the_gate(&problem)
        }
        Who::Token(
            Front::PagerDutyEvents
            | Front::Heartbeats
            | Front::AnswerLink
            | Front::Twilio
            | Front::Webhook
            | Front::Canary,
            _,
        )
        | Who::Public
        | Who::Key(_)
        | Who::Session
        | Who::Role(_)
        | Who::SelfOr(_) => problem.into_response(),
    }
}

async fn admit(
    app: &App,
    (who, needed): (Who, Option<Scopes>),
    parts: &mut Parts,
) -> Result<Option<Caller>, Problem> {
    match who {
        Who::Key(_) => return Ok(None),
        Who::Public => {
            // Nobody may sign a browser in (as somebody else) from another site.
            if !parts.method.is_safe()
                && origin::is_foreign(&parts.headers, &app.settings.public_url)
            {
                return Err(cross_site());
            }
            return Ok(None);
        }
        Who::Token(front, role) => {
            let caller = front_caller(app, (front, role), needed, parts).await?;
            return Ok(Some(caller));
        }
        Who::Session | Who::Role(_) | Who::SelfOr(_) => {}
    }
    let caller = caller_of(app, &parts.headers, &parts.method, peer(parts)).await?;
    let path_user = match who {
        Who::SelfOr(_) => user_in_path(parts).await,
        Who::Public | Who::Key(_) | Who::Token(..) | Who::Session | Who::Role(_) => None,
    };
    caller.may(who, path_user)?;
    caller.reach(needed)?;
    Ok(Some(caller))
}

async fn user_in_path(parts: &mut Parts) -> Option<UserId> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    params
        .iter()
        .find(|(name, _)| *name == "id")
        .and_then(|(_, value)| value.parse().ok())
}

/// Why nobody can read what the path names. PagerDuty's front tells it itself.
async fn unreadable(who: Who, parts: &mut Parts) -> Option<Problem> {
    let tells_itself = matches!(who, Who::Token(Front::PagerDutyRest, _));
    if tells_itself || !parts.uri.path().contains('%') {
        return None;
    }
    let error = RawPathParams::from_request_parts(parts, &()).await.err()?;
    // A path that names nothing has nothing to read either.
    let is_theirs = error.status().is_client_error();
    is_theirs.then(|| Problem::bad(format!("the path cannot be read: {}", error.body_text())))
}

pub(crate) fn peer(parts: &Parts) -> Option<SocketAddr> {
    peer_in(&parts.extensions)
}

/// The address that a request came from; none when it came by no socket.
pub(crate) fn peer_in(extensions: &Extensions) -> Option<SocketAddr> {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map(|info| info.0)
}

fn cross_site() -> Problem {
    Problem::forbidden("another site made your browser send this; nothing was done")
}

/// Who calls, by a token or a session.
pub(crate) async fn caller_of(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    peer: Option<SocketAddr>,
) -> Result<Caller, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return by_token(app, headers, |value| token_in(value).map(str::to_owned)).await;
    }
    let https = app.settings.is_https();
    if let Some(cookie) = cookie::read(headers, https) {
        return by_session(app, headers, method, cookie).await;
    }
    let is_open =
        app.settings.insecure_no_auth && method.is_safe() && origin::is_local(headers, peer);
    if is_open {
        return Ok(open(Role::Viewer));
    }
    Err(Problem::unauthenticated(
        "sign in, or send an API token: Authorization: Bearer TOKEN",
    ))
}

/// Who calls a foreign front with a token of at least this role, whose scopes, where it has some, hold what is needed.
pub(crate) async fn front_caller(
    app: &App,
    (front, role): (Front, Role),
    needed: Option<Scopes>,
    parts: &Parts,
) -> Result<Caller, Problem> {
    let caller = by_front_token(app, front, role, parts).await?;
    caller.may(Who::Token(front, role), None)?;
    caller.reach(needed)?;
    Ok(caller)
}

/// Who calls a foreign front. Where authentication is switched off, writing is open too: that is what is to be measured.
async fn by_front_token(
    app: &App,
    front: Front,
    role: Role,
    parts: &Parts,
) -> Result<Caller, Problem> {
    if let (Front::Prometheus, Some(problem)) = (front, prometheus::meant_for_another(parts)) {
        return Err(problem);
    }
    let headers = &parts.headers;
    if headers.contains_key(header::AUTHORIZATION) {
        return by_token(app, headers, front_token_in).await;
    }
    if app.settings.insecure_no_auth && origin::is_local(headers, peer(parts)) {
        return Ok(open(role));
    }
    Err(Problem::unauthenticated(
        "send an API token: as Authorization: Bearer TOKEN, or as the password of HTTP Basic",
    ))
}

/// A caller of whom nothing is known.
fn open(role: Role) -> Caller {
    Caller {
        actor: Actor::System,
        role,
        user: None,
        via: Via::Open,
        in_full: false,
        bounds: TokenBounds::default(),
        until: None,
    }
}

async fn by_token(
    app: &App,
    headers: &HeaderMap,
    token_in: impl Fn(&str) -> Option<String>,
) -> Result<Caller, Problem> {
    let refused =
        || Problem::unauthenticated("this API token is not known, was revoked or has expired");
    let found = shown_token(app, headers, token_in).await?;
    let found = found.ok_or_else(refused)?;
    let Some(user) = found.user else {
        return Ok(Caller {
            actor: Actor::Token {
                token: found.id,
                name: Some(found.name),
            },
            role: found.role,
            user: None,
            via: Via::Token(found.id),
            in_full: false,
            bounds: found.bounds,
            until: found.expires_at,
        });
    };
    // A token can do no more than its owner, as of now.
    let owner = app
        .read(|state| state.users.get(&user).map(|user| user.role))
        .ok_or_else(refused)?;
    Ok(Caller {
        actor: Actor::Person { user },
        role: found.role.min(owner),
        user: Some(user),
        via: Via::Token(found.id),
        in_full: found.role >= owner && found.bounds.scopes.is_none(),
        bounds: found.bounds,
        until: found.expires_at,
    })
}

/// The living token that a request shows, whatever it may do; none where it shows no such one.
pub(crate) async fn token_of(app: &App, headers: &HeaderMap) -> Result<Option<ApiToken>, Problem> {
    shown_token(app, headers, |value| token_in(value).map(str::to_owned)).await
}

async fn shown_token(
    app: &App,
    headers: &HeaderMap,
    token_in: impl Fn(&str) -> Option<String>,
) -> Result<Option<ApiToken>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(token_in) {
        Some(token) => living_token(app, token).await,
        None => Ok(None),
    }
}

/// The token of this text, as of a few seconds ago at most.
async fn living_token(app: &App, text: String) -> Result<Option<ApiToken>, Problem> {
    let now = app.now();
    let known = &app.inner().known_tokens;
    let look_up = match known.find(&text, now) {
        Ok(token) => return Ok(Some(token)),
        Err(look_up) => look_up,
    };
    let found = app
        .blocking(move |parts| parts.accounts.token(&text, now))
        .await?;
    if let Some(token) = &found {
        known.remember(look_up, token, now);
    }
    Ok(found)
}

/// The token in `Bearer TOKEN` or `Token token=TOKEN` (with or without quotes, and with blanks after the sign, which a client
/// sends whose key was pasted with one).
fn token_in(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        rest
    } else if scheme.eq_ignore_ascii_case("token") {
        rest.strip_prefix("token=")?.trim_start().trim_matches('"')
    } else {
        return None;
    };
    is_token(token).then_some(token)
}

fn is_token(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_+/=-".contains(&byte);
    text.len() == TOKEN_CHARS && text.bytes().all(good)
}

/// The same, or the password in `Basic BASE64` (RFC 7617), whatever the user's name.
fn front_token_in(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return token_in(value).map(str::to_owned);
    }
    password_in(rest).filter(|password| is_token(password))
}

fn password_in(basic: &str) -> Option<String> {
    let pair = String::from_utf8(base64::decode(basic.trim(), BASIC_BYTES_MAX)?).ok()?;
    let (_, password) = pair.split_once(':')?;
    Some(password.to_owned())
}

/// The text in `Bearer TEXT`, or the password in `Basic BASE64`, which may be a key of any kind; none when there is no such one.
pub(crate) fn front_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Some(rest.trim().to_owned())
    } else if scheme.eq_ignore_ascii_case("basic") {
        password_in(rest)
    } else {
        None
    }
}

async fn by_session(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    cookie: String,
) -> Result<Caller, Problem> {
    if !method.is_safe() {
        let foreign = origin::is_foreign(headers, &app.settings.public_url);
        if foreign || !origin::says_where_from(headers) {
            return Err(cross_site());
        }
        if !cookie::csrf_matches(headers, &cookie) {
            return Err(Problem::forbidden(
                "the X-CSRF-Token header does not fit this session; load the page again",
            ));
        }
    }
    let now = app.now();
    let user = app
        .blocking(move |parts| parts.accounts.session(&cookie, now))
        .await?;
    let known = user
        .and_then(|user| app.read(|state| state.users.get(&user).map(|found| (user, found.role))));
    let (user, role) =
        known.ok_or_else(|| Problem::unauthenticated("this session is over; sign in again"))?;
    Ok(Caller {
        actor: Actor::Person { user },
        role,
        user: Some(user),
        via: Via::Session,
        in_full: true,
        bounds: TokenBounds::default(),
        until: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<&str>) {
        assert_eq!(token_in(value), expected, "{value}");
    }

    #[test]
    fn a_token_is_read_in_the_forms_that_clients_send() {
        let token = "abcdEFGH01234567+/_-";
        check(&format!("Bearer {token}"), Some(token));
        check(&format!("bearer  {token} "), Some(token));
        check(&format!("Token token={token}"), Some(token));
        check(&format!("Token token=\"{token}\""), Some(token));
        check(&format!("Token token= {token}"), Some(token));
        check(&format!("Token token=  \"{token}\" "), Some(token));
        check("Token token= ", None);
        check(&format!("Basic {token}"), None);
        check(&format!("Bearer {token}x"), None);
        check("Bearer ", None);
        check("Bearer", None);
        check("", None);
        check("Token token=", None);
    }

    #[test]
    fn a_front_takes_the_token_as_the_password_of_any_user_too() {
        let token = "abcdEFGH01234567+/_-";
        let check = |value: &str, expected: Option<&str>| {
            assert_eq!(front_token_in(value).as_deref(), expected, "{value}");
        };
        check(&format!("Bearer {token}"), Some(token));
        // "grafana:" and the token.
        check(
            "Basic Z3JhZmFuYTphYmNkRUZHSDAxMjM0NTY3Ky9fLQ==",
            Some(token),
        );
        // No user's name.
        check("basic OmFiY2RFRkdIMDEyMzQ1NjcrL18t", Some(token));
        check("Basic Z3JhZmFuYTpzaG9ydA==", None);
        check("Basic Z3JhZmFuYQ==", None);
        check("Basic !", None);
        check("Digest x", None);
    }
}
