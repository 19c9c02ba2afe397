//! API tokens: listed, made, revoked. The text of one is shown once.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::id::{TokenId, UserId};
use tocsin_domain::people::{self, TOKEN_NAME_CHARS_MAX, TokenBounds};
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::disclosed::Disclosed;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::{Instant, Named, Role, Scope, named_user};
use crate::access::who::Caller;
use crate::app::App;
use crate::ports::{ApiToken as Stored, NewToken};
use crate::watched::heard;

/// Tokens of the installation at most.
const TOKENS_MAX: usize = 1_000;
/// Scopes in a request at most: as many as there are.
const SCOPES_MAX: usize = people::Scope::ALL.len();

/// A token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiToken {
    id: String,
    name: String,
    /// What it may do at most.
    role: Role,
    /// What it may do that in; null for everything.
    scopes: Option<Vec<Scope>>,
    /// How many requests it may send within a minute.
    requests_per_minute: u32,
    /// Whose it is; null for one of the installation.
    user_id: Option<String>,
    /// Who made it; null where that is not known.
    made_by: Option<Named>,
    created_at: Instant,
    expires_at: Option<Instant>,
    /// When it was last used, to the minute; null when it was not yet.
    last_used_at: Option<Instant>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    token_row: ApiToken,
    /// Shown once.
    #[schema(value_type = String)]
    token: Disclosed,
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do, which stays: at most one's own role.
    role: Role,
    /// What it may do that in, which stays; everything when it is left out. By a token with scopes, none but of those.
    #[schema(min_items = 1, max_items = 5)]
    scopes: Option<Vec<Scope>>,
    /// How many requests it may send within a minute, which stays; as many as any token when it is left out. A token with such
    /// a limit of its own makes none.
    #[schema(minimum = 1, maximum = 12000)]
    requests_per_minute: Option<u32>,
    /// Whose it is: one's own, or the installation's, which administrators alone make.
    #[serde(default)]
    owner: TokenOwner,
    /// When it stops to work; never when it is left out. By a token that stops, no later than that one.
    expires_at: Option<Instant>,
}

/// Whose a token is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenOwner {
    /// Whoever makes it: it acts as them, can never do more than they may do, and goes when they go.
    #[default]
    Me,
    /// Nobody: it acts by its own name with its own role, and stays until an administrator revokes it.
    Installation,
}

/// What is shown of a token; `app` tells how many requests any may send.
fn shown(token: Stored, app: &App, state: &state::State) -> ApiToken {
    let TokenBounds {
        scopes,
        requests_per_minute,
    } = token.bounds;
    ApiToken {
        id: token.id.to_string(),
        name: token.name,
        role: token.role.into(),
        scopes: scopes.map(|scopes| scopes.each().map(Scope::from).collect()),
        requests_per_minute: app.inner().token_limit.of(requests_per_minute),
        user_id: token.user.map(|user| user.to_string()),
        made_by: token.made_by.map(|user| named_user(state, user)),
        created_at: Instant(token.created_at),
        expires_at: token.expires_at.map(Instant),
        last_used_at: token.last_used.map(Instant),
    }
}

/// Whether the caller may see and revoke it: an administrator all, others their own.
fn is_theirs(caller: &Caller, token: &Stored) -> bool {
    caller.role == people::Role::Admin || (caller.user.is_some() && token.user == caller.user)
}

/// Tokens: an administrator's list has all, another's their own
#[utoipa::path(get, path = "/api/tocsin/v1/api-tokens", tag = "access", params(PageQuery),
    responses((status = 200, body = Page<ApiToken>)))]
pub(crate) async fn list_tokens(
    State(app): State<App>,
    caller: Caller,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<ApiToken>>, Problem> {
    let all = app.blocking(|parts| parts.accounts.tokens()).await?;
    let theirs = all.into_iter().filter(|token| is_theirs(&caller, token));
    let theirs: Vec<ApiToken> =
        app.read(|state| theirs.map(|token| shown(token, &app, state)).collect());
    page.cut(theirs, |token: &ApiToken| token.id.as_str())
        .map(Json)
}

/// Whose a new token is, and who makes it: a person, also by a token of theirs; one of the installation makes none, so that it ends when
/// it is revoked. One that outlives who makes it is made by an administrator in a session, or by a token that was itself made to
/// administrate: a smaller token of an administrator makes none. The list tells who made each.
fn owner_and_maker(
    caller: &Caller,
    owner: TokenOwner,
) -> Result<(Option<UserId>, UserId), Problem> {
    let maker = caller.person()?;
    match owner {
        TokenOwner::Me => Ok((Some(maker), maker)),
        TokenOwner::Installation if caller.role == people::Role::Admin => Ok((None, maker)),
        TokenOwner::Installation => Err(Problem::forbidden(
            "a token of the installation is made by an administrator: in a session, or by a token with that role",
        )),
    }
}

/// What is asked for beside a role, and why it cannot be.
fn bounds_of(app: &App, request: &TokenRequest, reasons: &mut Vec<String>) -> TokenBounds {
    let scopes = request.scopes.as_deref();
    if scopes.is_some_and(<[Scope]>::is_empty) {
        reasons.push("scopes: one at least; leave it out for everything".to_owned());
    }
    if scopes.is_some_and(|scopes| scopes.len() > SCOPES_MAX) {
        reasons.push(format!("scopes: {SCOPES_MAX} at most"));
    }
    let most = app.inner().token_limit.of(None);
    let rate = request.requests_per_minute;
    if rate.is_some_and(|rate| !(1..=most).contains(&rate)) {
        reasons.push(format!("requests_per_minute: 1 to {most}"));
    }
    let scopes = scopes.map(|scopes| scopes.iter().copied().map(people::Scope::from).collect());
    TokenBounds {
        scopes,
        requests_per_minute: rate,
    }
}

/// Whether the caller makes a token that can do so much for so long. One with a limit of its own makes none, since each would have a
/// limit besides.
fn may_make(
    caller: &Caller,
    role: people::Role,
    bounds: TokenBounds,
    expires_at: Option<Timestamp>,
) -> Result<(), Problem> {
    if caller.bounds.requests_per_minute.is_some() {
        return Err(Problem::forbidden(
            "a token with requests_per_minute of its own makes no tokens: each could send as many besides",
        ));
    }
    if role > caller.role || !bounds.are_within(caller.bounds) {
        return Err(Problem::forbidden(
            "a token can do no more than who makes it",
        ));
    }
    if let Some(until) = caller.until
        && expires_at.is_none_or(|at| at > until)
    {
        let until = until.to_rfc3339();
        return Err(Problem::forbidden(format!(
            "a token ends no later than the token that makes it: give expires_at, {until} at the latest"
        )));
    }
    Ok(())
}

/// Make a token, which acts as the person who makes it, or of the installation, which belongs to nobody
#[utoipa::path(post, path = "/api/tocsin/v1/api-tokens", tag = "access", request_body = TokenRequest,
    responses((status = 201, body = MadeToken), (status = 400), (status = 403)))]
pub(crate) async fn add_token(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<TokenRequest>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.now();
    let role: people::Role = request.role.into();
    let name = request.name.trim().to_owned();
    let mut reasons = Vec::new();
    if name.is_empty()
        || name.chars().count() > TOKEN_NAME_CHARS_MAX
        || name.chars().any(char::is_control)
    {
        reasons.push(format!(
            "name: 1 to {TOKEN_NAME_CHARS_MAX} characters on one line"
        ));
    }
    if request.expires_at.is_some_and(|at| at.0 <= now) {
        reasons.push("expires_at: must lie ahead".to_owned());
    }
    let bounds = bounds_of(&app, &request, &mut reasons);
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let expires_at = request.expires_at.map(|at| at.0);
    may_make(&caller, role, bounds, expires_at)?;
    let (user, maker) = owner_and_maker(&caller, request.owner)?;
    let new = NewToken {
        name,
        role,
        user,
        made_by: Some(maker),
        expires_at,
        bounds,
    };
    let made = app.blocking(move |parts| {
        if parts.accounts.tokens()?.len() >= TOKENS_MAX {
            return Ok(None);
        }
        parts.accounts.add_token(new, now).map(Some)
    });
    let Some((row, token)) = made.await? else {
        return Err(Problem::conflict(format!(
            "there are {TOKENS_MAX} tokens already: revoke one first"
        )));
    };
    Ok((
        StatusCode::CREATED,
        Json(MadeToken {
            token_row: app.read(|state| shown(row, &app, state)),
            token: token.into(),
        }),
    ))
}

/// Revoke a token
#[utoipa::path(delete, path = "/api/tocsin/v1/api-tokens/{token_id}", tag = "access", params(("token_id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn revoke_token(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found("such token");
    let id: TokenId = id.parse().map_err(|_| missing())?;
    let all = app.blocking(|parts| parts.accounts.tokens()).await?;
    all.iter()
        .find(|token| token.id == id && is_theirs(&caller, token))
        .ok_or_else(missing)?;
    app.blocking(move |parts| parts.accounts.revoke_token(id))
        .await?;
    app.inner().known_tokens.forget_all();
    heard::forget_revoked(&app).await;
    Ok(StatusCode::NO_CONTENT)
}
