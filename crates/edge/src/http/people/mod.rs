//! People and the ways to reach them. An address goes into the vault at once and comes out as a hint.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, PeopleAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{SecretId, UserId};
use tocsin_domain::page::{self, Delivery};
use tocsin_domain::people;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::address;
use super::body::{Json as Body, Params};
use super::notification::{PageState, page_state};
use super::oncall::on_call_users;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::{ChannelKind, Instant, Role, Urgency};
use super::underway;
use crate::access::who::Caller;
use crate::app::{App, Parts};
use crate::ports::StorageError;
use crate::secret;

/// How the last message by a contact method went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LastResult {
    at: Instant,
    state: PageState,
    detail: String,
}

/// A way to reach a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ContactMethod {
    pub(crate) id: String,
    pub(crate) kind: ChannelKind,
    pub(crate) label: String,
    /// Enough of the address to recognise it.
    pub(crate) address_hint: String,
    /// Whether its owner proved to receive there; without that it is never paged.
    pub(crate) verified: bool,
    /// Whether whoever carries its messages said that its address is gone for ever: nothing is sent there any more, and it cannot be
    /// confirmed again.
    pub(crate) gone: bool,
    /// Whether the mail server or the account that its address needs is set up; without that nothing can be sent by it. A member of
    /// Slack needs the app, an incoming webhook nothing; a call needs an account with a number.
    pub(crate) set_up: bool,
    pub(crate) last_result: Option<LastResult>,
}

/// When to use which way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NotificationRule {
    id: String,
    urgency: Urgency,
    delay_minutes: u64,
    contact_method_id: String,
}

/// A person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The address they sign in with; to others a hint.
    pub(crate) email: String,
    pub(crate) contact_methods: Vec<ContactMethod>,
    pub(crate) notification_rules: Vec<NotificationRule>,
    pub(crate) on_call: bool,
    /// Whether at least one contact method is confirmed and set up.
    pub(crate) reachable: bool,
    /// Why no page would reach them, as it is said after their name; null when one would.
    pub(crate) reach_problem: Option<String>,
}

/// A person with vault rows where addresses will stand.
struct Draft {
    user: User,
    email: SecretId,
    addresses: Vec<SecretId>,
}

fn draft(
    state: &state::State,
    user: &people::User,
    set_up: &people::SetUp,
    now: Timestamp,
) -> Draft {
    let reach = user.reach(set_up);
    let methods = user.contact_methods.iter().map(|method| ContactMethod {
        id: method.id.to_string(),
        kind: method.kind.into(),
        label: method.label.clone(),
        address_hint: String::new(),
        verified: method.verified_at.is_some(),
        gone: method.gone_at.is_some(),
        set_up: set_up.carries(method),
        last_result: last_result(state, method),
    });
    let rules = user.rules.iter().map(|rule| NotificationRule {
        id: rule.id.to_string(),
        urgency: rule.urgency.into(),
        delay_minutes: rule.delay_ms / 60_000,
        contact_method_id: rule.contact_method.to_string(),
    });
    Draft {
        user: User {
            id: user.id.to_string(),
            name: user.name.clone(),
            role: user.role.into(),
            email: String::new(),
            contact_methods: methods.collect(),
            notification_rules: rules.collect(),
            on_call: on_call_users(state, now).contains(&user.id),
            reachable: reach.is_reached(),
            reach_problem: reach.problem(),
        },
        email: user.email,
        addresses: user
            .contact_methods
            .iter()
            .map(|method| method.address)
            .collect(),
    }
}

fn last_result(state: &state::State, method: &people::ContactMethod) -> Option<LastResult> {
    let of_method = state
        .notifications
        .values()
        .filter(|message| message.contact_method == method.id);
    let finished = |message: &page::Notification| match message.state {
        Delivery::Due { at } | Delivery::Delivered { at } | Delivery::Failed { at } => Some(at),
        Delivery::Sending { since } => Some(since),
        Delivery::Together { .. } | Delivery::Cancelled { .. } => None,
    };
    let (at, last) = of_method
        .filter_map(|message| Some((finished(message)?, message)))
        .max_by_key(|(at, _)| *at)?;
    let detail = last
        .attempts
        .last()
        .map(|attempt| attempt.detail.clone())
        .unwrap_or_default();
    Some(LastResult {
        at: Instant(at),
        state: page_state(last),
        detail,
    })
}

/// Puts addresses into drafts: one's own, and all to an administrator; a hint to others.
fn fill(parts: &Parts, drafts: Vec<Draft>, caller: &Caller) -> Result<Vec<User>, StorageError> {
    let mut users = Vec::new();
    for mut draft in drafts {
        let open = caller.role == people::Role::Admin
            || caller.user.map(|user| user.to_string()) == Some(draft.user.id.clone());
        let email = read(parts, draft.email)?;
        draft.user.email = if open {
            email
        } else {
            address::hint(ChannelKind::Email, &email)
        };
        for (method, row) in draft.user.contact_methods.iter_mut().zip(draft.addresses) {
            method.address_hint = address::hint(method.kind, &read(parts, row)?);
        }
        users.push(draft.user);
    }
    Ok(users)
}

fn read(parts: &Parts, row: SecretId) -> Result<String, StorageError> {
    Ok(parts
        .vault
        .get(row)?
        .map(|secret| secret.expose_secret().to_owned())
        .unwrap_or_default())
}

async fn shown(app: &App, caller: &Caller, id: UserId) -> Result<User, Problem> {
    let now = app.now();
    let set_up = app.what_is_set_up().await?;
    let draft = app.read(|state| {
        let user = state.users.get(&id);
        user.map(|user| draft(state, user, &set_up, now))
    });
    let draft = draft.ok_or_else(|| missing_person(&id.to_string()))?;
    let caller = caller.clone();
    let users = app
        .blocking(move |parts| fill(parts, vec![draft], &caller))
        .await?;
    users
        .into_iter()
        .next()
        .ok_or_else(|| missing_person(&id.to_string()))
}

fn missing_person(id: &str) -> Problem {
    Problem::not_found(&format!("person {id}"))
}

fn person(id: &str) -> Result<UserId, Problem> {
    id.parse().map_err(|_| missing_person(id))
}

/// Oneself
#[utoipa::path(get, path = "/api/tocsin/v1/me", tag = "people", responses((status = 200, body = User), (status = 403)))]
pub(crate) async fn me(State(app): State<App>, caller: Caller) -> Result<Json<User>, Problem> {
    shown(&app, &caller, caller.person()?).await.map(Json)
}

/// People
#[utoipa::path(get, path = "/api/tocsin/v1/users", tag = "people", params(PageQuery),
    responses((status = 200, body = Page<User>)))]
pub(crate) async fn list_users(
    State(app): State<App>,
    caller: Caller,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<User>>, Problem> {
    let now = app.now();
    let set_up = app.what_is_set_up().await?;
    let mut drafts: Vec<Draft> = app.read(|state| {
        state
            .users
            .values()
            .map(|user| draft(state, user, &set_up, now))
            .collect()
    });
    drafts.sort_by(|one, other| {
        (&one.user.name, &one.user.id).cmp(&(&other.user.name, &other.user.id))
    });
    let page = page.cut(drafts, |draft| draft.user.id.as_str())?;
    let items = app
        .blocking(move |parts| fill(parts, page.items, &caller))
        .await?;
    Ok(Json(Page {
        items,
        next_cursor: page.next_cursor,
    }))
}

/// One person
#[utoipa::path(get, path = "/api/tocsin/v1/users/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = User), (status = 404)))]
pub(crate) async fn get_user(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<User>, Problem> {
    shown(&app, &caller, person(&id)?).await.map(Json)
}

/// A person to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRequest {
    #[schema(min_length = 1, max_length = 200)]
    pub(crate) name: String,
    /// Becomes their first contact method, unconfirmed.
    #[schema(min_length = 3, max_length = 254)]
    pub(crate) email: String,
    pub(crate) role: Role,
}

/// Add a person
#[utoipa::path(post, path = "/api/tocsin/v1/users", tag = "people", request_body = UserRequest,
    responses((status = 201, body = User), (status = 400), (status = 409)))]
pub(crate) async fn add_user(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<UserRequest>,
) -> Result<impl IntoResponse, Problem> {
    caller.may_give(request.role.into())?;
    let added = added(&app, &caller.actor, request, None).await?;
    shown(&app, &caller, added)
        .await
        .map(|user| (StatusCode::CREATED, Json(user)))
}

/// Why nobody was added.
#[derive(Debug)]
pub(crate) enum NotAdded {
    /// Somebody signs in with this address already.
    AddressTaken,
    /// Anything else.
    Else(Problem),
}

impl From<Problem> for NotAdded {
    fn from(problem: Problem) -> Self {
        Self::Else(problem)
    }
}

impl From<NotAdded> for Problem {
    fn from(why: NotAdded) -> Self {
        match why {
            NotAdded::AddressTaken => Self::conflict("somebody has this address already"),
            NotAdded::Else(problem) => problem,
        }
    }
}

/// Adds a person with what is said of them, whoever asks for it in whatever words.
pub(crate) async fn added(
    app: &App,
    actor: &Actor,
    request: UserRequest,
    about: Option<people::About>,
) -> Result<UserId, NotAdded> {
    // On a task of its own: a client that hangs up would else leave the row of the address, which blocks it for everybody.
    let (app, actor) = (app.clone(), actor.clone());
    let work = underway::to_the_end(async move { add(&app, &actor, request, about).await });
    let unfinished = || Problem::internal("the person was not added to the end");
    work.await.ok_or_else(unfinished)?
}

async fn add(
    app: &App,
    actor: &Actor,
    request: UserRequest,
    about: Option<people::About>,
) -> Result<UserId, NotAdded> {
    let email =
        address::mail(&request.email).map_err(|reason| Problem::bad(format!("email: {reason}")))?;
    let code = code()?;
    let rows = app
        .blocking(move |parts| {
            let Some(email) = parts.vault.put_sign_in(&email)? else {
                return Ok(None);
            };
            match parts.vault.put(&code, None) {
                Ok(code) => Ok(Some([email, code])),
                Err(error) => {
                    parts.vault.remove(&[email])?;
                    Err(error)
                }
            }
        })
        .await?
        .ok_or(NotAdded::AddressTaken)?;
    let ask = PeopleAsk::Add {
        name: request.name,
        email: rows[0],
        pending_code: rows[1],
        role: request.role.into(),
        about,
    };
    let before = app.read(|state| state.users.keys().copied().collect::<Vec<_>>());
    ask_or_forget(app, actor, ask, &rows).await?;
    let added = app.read(|state| {
        let found = state
            .users
            .values()
            .find(|user| user.email == rows[0] && !before.contains(&user.id));
        found.map(|user| user.id)
    });
    let lost = || Problem::internal("the person was added but not found");
    Ok(added.ok_or_else(lost)?)
}

fn code() -> Result<secrecy::SecretString, Problem> {
    let digits =
        secret::digits().map_err(|_| Problem::internal("the system gives no random bytes"))?;
    Ok(digits.into())
}

/// Asks the core; when nothing was kept, the vault rows made for it go again. While that is not certain they stay: what was
/// committed needs them, and the next start removes what belongs to nobody.
async fn ask_or_forget(
    app: &App,
    actor: &Actor,
    ask: PeopleAsk,
    rows: &[SecretId],
) -> Result<(), Problem> {
    match app.ask(actor, Ask::People(ask)).await {
        Ok(_) => Ok(()),
        Err(problem) if !problem.outcome_known() => Err(problem),
        Err(problem) => {
            let rows = rows.to_vec();
            app.blocking(move |parts| parts.vault.remove(&rows)).await?;
            Err(problem)
        }
    }
}

/// What changes of a person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    role: Option<Role>,
}

/// Change a person's name or role
#[utoipa::path(patch, path = "/api/tocsin/v1/users/{id}", tag = "people", params(("id" = String, Path)),
    request_body = UserChange, responses((status = 200, body = User), (status = 404), (status = 409)))]
pub(crate) async fn change_user(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<UserChange>,
) -> Result<Json<User>, Problem> {
    let user = person(&id)?;
    let role: Option<people::Role> = change.role.map(Into::into);
    // Whoever writes back what was read gives nobody a role.
    let known = app.read(|state| state.users.get(&user).map(|known| known.role));
    if let Some(role) = role.filter(|role| Some(*role) != known) {
        caller.may_give(role)?;
    }
    let ask = PeopleAsk::Change {
        user,
        name: change.name,
        role,
        about: None,
    };
    app.ask(&caller.actor, Ask::People(ask)).await?;
    shown(&app, &caller, user).await.map(Json)
}

/// Remove a person, with their addresses, sessions and tokens
#[utoipa::path(delete, path = "/api/tocsin/v1/users/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_user(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    removed(&app, &caller.actor, person(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a person with all that is kept of them, whoever asks for it in whatever words.
pub(crate) async fn removed(app: &App, actor: &Actor, user: UserId) -> Result<(), Problem> {
    let rows = app
        .read(|state| state.users.get(&user).map(rows_of))
        .unwrap_or_default();
    app.ask(actor, Ask::People(PeopleAsk::Remove { user }))
        .await?;
    app.blocking(move |parts| {
        parts.vault.remove(&rows)?;
        parts.accounts.forget_user(user)
    })
    .await
}

pub(crate) fn rows_of(user: &people::User) -> Vec<SecretId> {
    let methods = user.contact_methods.iter().flat_map(rows_of_method);
    let mut rows: Vec<SecretId> = methods.chain([user.email]).collect();
    rows.dedup();
    rows
}

fn rows_of_method(method: &people::ContactMethod) -> impl Iterator<Item = SecretId> {
    [
        Some(method.address),
        method.signing_key,
        method.pending_code,
    ]
    .into_iter()
    .flatten()
}

mod contact;
pub(crate) use contact::*;
