//! The ways to reach one person: added, proved by a code, tried, removed; and when to use which.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tocsin_domain::command::{Ask, PeopleAsk};
use tocsin_domain::event::{Actor, EventBody, NotificationWhat};
use tocsin_domain::id::{ContactMethodId, NotificationId, UserId};
use tocsin_domain::people;
use tocsin_engine::handle::Done;
use tocsin_wire::webhook::SECRET_BYTES_MIN;
use utoipa::ToSchema;

use super::{
    ContactMethod, User, ask_or_forget, code, missing_person, person, rows_of_method, shown,
};
use crate::access::who::Caller;
use crate::app::App;
use crate::delivery::set_up;
use crate::http::address;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;
use crate::http::roster;
use crate::http::shape::{ChannelKind, Id, Urgency};
use crate::secret;

/// Characters of a secret at most.
const SECRET_CHARS_MAX: usize = 200;
/// Length of a signing key that is made here: 190 random bits.
const SECRET_CHARS: usize = 32;

/// A way to reach a person, to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactMethodRequest {
    kind: ChannelKind,
    #[schema(min_length = 1, max_length = 100)]
    label: String,
    /// A mail address, an https URL, the URL of an ntfy topic; for Slack the URL of an incoming webhook or a member's id, for
    /// Telegram a chat's number, for Pushover a user key, for calls and texts a phone number in the international form, for
    /// web push the JSON of the browser's subscription, for PagerDuty a routing key.
    #[schema(min_length = 1, max_length = 2000)]
    address: String,
    /// For a webhook the signing key (made here when none is given); for ntfy an access token.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    secret: Option<SecretString>,
}

/// A contact method that was just added.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedContactMethod {
    #[serde(flatten)]
    method: ContactMethod,
    /// The signing key of a webhook, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<String>,
}

fn signing_key(request: &ContactMethodRequest) -> Result<Option<SecretString>, Problem> {
    let given = request
        .secret
        .as_ref()
        .filter(|secret| !secret.expose_secret().is_empty());
    let printable = |secret: &SecretString| {
        secret
            .expose_secret()
            .bytes()
            .all(|byte| byte.is_ascii_graphic())
    };
    match (request.kind, given) {
        (ChannelKind::Ntfy, None) => Ok(None),
        (ChannelKind::Webhook | ChannelKind::Ntfy, Some(secret))
            if secret.expose_secret().len() > SECRET_CHARS_MAX || !printable(secret) =>
        {
            Err(Problem::bad(format!(
                "secret: at most {SECRET_CHARS_MAX} printable ASCII characters without spaces"
            )))
        }
        (ChannelKind::Webhook, Some(secret)) if secret.expose_secret().len() < SECRET_BYTES_MIN => {
            Err(Problem::bad(format!(
                "secret: at least {SECRET_BYTES_MIN} characters"
            )))
        }
        (ChannelKind::Webhook | ChannelKind::Ntfy, Some(secret)) => Ok(Some(secret.clone())),
        (ChannelKind::Webhook, None) => {
            let made = secret::letters(SECRET_CHARS);
            Ok(Some(
                made.map_err(|_| Problem::internal("the system gives no random bytes"))?
                    .into(),
            ))
        }
        (
            ChannelKind::Email
            | ChannelKind::Slack
            | ChannelKind::Telegram
            | ChannelKind::Pushover
            | ChannelKind::Sms
            | ChannelKind::Voice
            | ChannelKind::WebPush
            | ChannelKind::PagerDuty,
            given,
        ) => match given {
            None => Ok(None),
            Some(_) => Err(Problem::bad(
                "secret: only a webhook and an ntfy topic have one; accounts at providers are under /channels",
            )),
        },
    }
}

/// Add a way to reach a person
///
/// It is paged only after its owner has confirmed the code that a test page brings.
#[utoipa::path(post, path = "/api/tocsin/v1/users/{id}/contact-methods", tag = "people", params(("id" = String, Path)),
    request_body = ContactMethodRequest, responses((status = 201, body = AddedContactMethod), (status = 400), (status = 404)))]
pub(crate) async fn add_contact_method(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ContactMethodRequest>,
) -> Result<impl IntoResponse, Problem> {
    let user = person(&id)?;
    let address = address::of(request.kind, &request.address);
    let address = address.map_err(|reason| Problem::bad(format!("address: {reason}")))?;
    let key = signing_key(&request)?;
    let shown_key = key
        .as_ref()
        .filter(|_| request.kind == ChannelKind::Webhook);
    let webhook_secret = shown_key.map(|key| key.expose_secret().to_owned());
    let called = (request.kind, request.label);
    let (own, actor) = (app.clone(), caller.actor.clone());
    let work = async move { method_added(&own, &actor, user, called, address, key).await };
    // Others add a way only where it is not there yet, by what they read in their turn.
    let added = App::in_turn(&app.inner().roster_changes, work).await?;
    let method = shown_method(&app, &caller, user, added).await?;
    Ok((
        StatusCode::CREATED,
        Json(AddedContactMethod {
            method,
            webhook_secret,
        }),
    ))
}

/// Adds a way to reach a person for whoever has the turn of the roster, in whatever words it was asked for. Its owner has not
/// proved it.
pub(crate) async fn method_added(
    app: &App,
    actor: &Actor,
    user: UserId,
    (kind, label): (ChannelKind, String),
    address: SecretString,
    key: Option<SecretString>,
) -> Result<ContactMethodId, Problem> {
    let code = code()?;
    let rows = app.blocking(move |parts| {
        let address = parts.vault.put(&address, Some(user))?;
        let code = parts.vault.put(&code, Some(user))?;
        let key = key
            .map(|key| parts.vault.put(&key, Some(user)))
            .transpose()?;
        Ok((address, code, key))
    });
    let (address, pending_code, signing_key) = rows.await?;
    let ask = PeopleAsk::AddContactMethod {
        user,
        kind: kind.into(),
        label,
        address,
        signing_key,
        pending_code,
    };
    let all: Vec<_> = [Some(address), Some(pending_code), signing_key]
        .into_iter()
        .flatten()
        .collect();
    ask_or_forget(app, actor, ask, &all).await?;
    let added = app.read(|state| {
        let methods = &state.users.get(&user)?.contact_methods;
        methods
            .iter()
            .find(|method| method.address == address)
            .map(|method| method.id)
    });
    added.ok_or_else(|| Problem::internal("the contact method was added but not found"))
}

async fn shown_method(
    app: &App,
    caller: &Caller,
    user: UserId,
    method: ContactMethodId,
) -> Result<ContactMethod, Problem> {
    let id = method.to_string();
    let user = shown(app, caller, user).await?;
    user.contact_methods
        .into_iter()
        .find(|method| method.id == id)
        .ok_or_else(|| missing_method(&id))
}

fn missing_method(id: &str) -> Problem {
    Problem::not_found(&format!("contact method {id} of that person"))
}

/// The contact method that a path names.
fn named(app: &App, user: &str, method: &str) -> Result<(UserId, people::ContactMethod), Problem> {
    let id = person(user)?;
    let wanted: ContactMethodId = method.parse().map_err(|_| missing_method(method))?;
    app.read(|state| match state.users.get(&id) {
        None => Err(missing_person(user)),
        Some(user) => user
            .contact_method(wanted)
            .cloned()
            .ok_or_else(|| missing_method(method)),
    })
    .map(|method| (id, method))
}

/// What changes of a way to reach a person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactMethodChange {
    label: String,
}

/// Call a way to reach a person something else; its kind and its address stay
#[utoipa::path(patch, path = "/api/tocsin/v1/users/{id}/contact-methods/{method_id}", tag = "people",
    params(("id" = String, Path), ("method_id" = String, Path)), request_body = ContactMethodChange,
    responses((status = 200, body = ContactMethod), (status = 400), (status = 404)))]
pub(crate) async fn change_contact_method(
    State(app): State<App>,
    caller: Caller,
    Path((id, method_id)): Path<(String, String)>,
    Body(change): Body<ContactMethodChange>,
) -> Result<Json<ContactMethod>, Problem> {
    let (user, method) = named(&app, &id, &method_id)?;
    method_renamed(&app, &caller.actor, (user, method.id), change.label).await?;
    shown_method(&app, &caller, user, method.id).await.map(Json)
}

/// Calls a way to reach a person something else, whoever asks for it in whatever words.
pub(crate) async fn method_renamed(
    app: &App,
    actor: &Actor,
    (user, method): (UserId, ContactMethodId),
    label: String,
) -> Result<(), Problem> {
    let ask = PeopleAsk::RenameContactMethod {
        user,
        method,
        label,
    };
    app.ask(actor, Ask::People(ask)).await.map(|_| ())
}

/// Remove a way to reach a person
#[utoipa::path(delete, path = "/api/tocsin/v1/users/{id}/contact-methods/{method_id}", tag = "people",
    params(("id" = String, Path), ("method_id" = String, Path)), responses((status = 204), (status = 404)))]
pub(crate) async fn remove_contact_method(
    State(app): State<App>,
    caller: Caller,
    Path((id, method_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (user, method) = named(&app, &id, &method_id)?;
    method_removed(&app, &caller.actor, user, &method).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a way to reach a person with its secrets, whoever asks for it in whatever words.
pub(crate) async fn method_removed(
    app: &App,
    actor: &Actor,
    user: UserId,
    method: &people::ContactMethod,
) -> Result<(), Problem> {
    let ask = PeopleAsk::RemoveContactMethod {
        user,
        method: method.id,
    };
    app.ask(actor, Ask::People(ask)).await?;
    // The address one signs in with stays, also when it is no longer paged.
    let email = app.read(|state| state.users.get(&user).map(|user| user.email));
    let rows: Vec<_> = rows_of_method(method)
        .filter(|row| Some(*row) != email)
        .collect();
    app.blocking(move |parts| parts.vault.remove(&rows)).await
}

/// A message that was planned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Planned {
    /// Ask for its state under `/notifications/{id}`.
    notification_id: String,
}

impl Planned {
    /// The message that a decision planned.
    pub(crate) fn in_outcome(done: &Done) -> Result<Self, Problem> {
        let planned = planned_in(done)
            .ok_or_else(|| Problem::internal("the message was planned but not found"))?;
        Ok(Self {
            notification_id: planned.to_string(),
        })
    }
}

fn planned_in(done: &Done) -> Option<NotificationId> {
    done.events().iter().find_map(|event| match &event.body {
        EventBody::Notification(event) => match event.what {
            NotificationWhat::Planned { .. } => Some(event.notification),
            NotificationWhat::Advanced { .. }
            | NotificationWhat::Gathers { .. }
            | NotificationWhat::ToldTogether { .. }
            | NotificationWhat::Postponed { .. }
            | NotificationWhat::AttemptStarted { .. }
            | NotificationWhat::AttemptFinished { .. }
            | NotificationWhat::Receipt { .. }
            | NotificationWhat::Cancelled { .. } => None,
        },
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Input(_) => None,
    })
}

/// Send a test page
///
/// One to an unconfirmed contact method carries the code that confirms it. By a channel that is not set up, and to an address that is
/// gone, nothing is sent: 409 says what is missing, and who sets it up.
#[utoipa::path(post, path = "/api/tocsin/v1/users/{id}/contact-methods/{method_id}/test", tag = "people",
    params(("id" = String, Path), ("method_id" = String, Path)),
    responses((status = 202, body = Planned), (status = 404), (status = 409), (status = 429)))]
pub(crate) async fn test_contact_method(
    State(app): State<App>,
    caller: Caller,
    Path((id, method_id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let (user, method) = named(&app, &id, &method_id)?;
    let planned = tested(&app, &caller.actor, user, &method).await?;
    Ok((StatusCode::ACCEPTED, Json(planned)))
}

/// Has a test page sent, unless it is known that it could not be.
pub(crate) async fn tested(
    app: &App,
    actor: &Actor,
    user: UserId,
    method: &people::ContactMethod,
) -> Result<Planned, Problem> {
    let (channel, row) = (method.kind, method.address);
    let missing = app.blocking(move |parts| {
        let address = parts.vault.get(row)?;
        let address = address.unwrap_or_else(|| SecretString::from(""));
        set_up::missing(parts.accounts.as_ref(), channel, &address)
    });
    if let Some(missing) = missing.await? {
        return Err(Problem::conflict(format!(
            "no {missing} is set up, so no test page was sent; an administrator sets one up under Settings, or by `tocsin channel`"
        )));
    }
    limit_tries(app, "test", method.id)?;
    let method = method.id;
    let ask = Ask::People(PeopleAsk::TestPage { user, method });
    let done = app.ask(actor, ask).await?;
    Planned::in_outcome(&done)
}

/// A million codes are guessed in no time unless tries are few; and nobody is to be flooded with test pages.
fn limit_tries(app: &App, what: &str, method: ContactMethodId) -> Result<(), Problem> {
    let wait = |seconds| Problem::too_many("too many tries; wait, then try again", seconds);
    let tries = &app.inner().logins;
    tries
        .start_alone(&format!("{what} {method}"), app.now())
        .map_err(wait)
}

/// The code of a test page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeRequest {
    /// Six digits.
    #[schema(value_type = String)]
    code: SecretString,
}

/// Confirm a contact method by the code of its test page
#[utoipa::path(post, path = "/api/tocsin/v1/users/{id}/contact-methods/{method_id}/verify", tag = "people",
    params(("id" = String, Path), ("method_id" = String, Path)), request_body = CodeRequest,
    responses((status = 200, body = ContactMethod), (status = 400), (status = 404), (status = 429)))]
pub(crate) async fn verify_contact_method(
    State(app): State<App>,
    caller: Caller,
    Path((id, method_id)): Path<(String, String)>,
    Body(request): Body<CodeRequest>,
) -> Result<Json<ContactMethod>, Problem> {
    let (user, method) = named(&app, &id, &method_id)?;
    if method.gone_at.is_some() {
        return Err(Problem::conflict(
            "the address of this contact method is gone for ever: remove it, and add the way anew",
        ));
    }
    if let Some(row) = method.pending_code {
        limit_tries(&app, "verify", method.id)?;
        let expected = app.blocking(move |parts| parts.vault.get(row)).await?;
        let given = request.code.expose_secret().trim().as_bytes();
        let fits =
            expected.is_some_and(|code| bool::from(code.expose_secret().as_bytes().ct_eq(given)));
        if !fits {
            return Err(Problem::bad(
                "code: not the one of the test page; send another test page to see it again",
            ));
        }
        app.ask(
            &caller.actor,
            Ask::People(PeopleAsk::VerifyContactMethod {
                user,
                method: method.id,
            }),
        )
        .await?;
        for what in ["verify", "test"] {
            let tries = &app.inner().logins;
            tries.succeeded(&format!("{what} {}", method.id), None);
        }
        app.blocking(move |parts| parts.vault.remove(&[row]))
            .await?;
    }
    shown_method(&app, &caller, user, method.id).await.map(Json)
}

/// When to use which way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleRequest {
    urgency: Urgency,
    /// At most 1440.
    #[schema(maximum = 1440)]
    delay_minutes: u64,
    #[schema(value_type = Id)]
    contact_method_id: String,
}

/// Replace a person's notification rules
#[utoipa::path(put, path = "/api/tocsin/v1/users/{id}/notification-rules", tag = "people", params(("id" = String, Path)),
    request_body = Vec<RuleRequest>, responses((status = 200, body = User), (status = 400), (status = 404)))]
pub(crate) async fn set_rules(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<Vec<RuleRequest>>,
) -> Result<Json<User>, Problem> {
    let user = person(&id)?;
    let mut rules = Vec::new();
    let mut reasons = Vec::new();
    for (index, rule) in request.into_iter().enumerate() {
        match rule.contact_method_id.parse() {
            Ok(method) => rules.push((
                rule.urgency.into(),
                rule.delay_minutes.saturating_mul(60_000),
                method,
            )),
            Err(_) => reasons.push(format!("[{index}].contact_method_id: not an id")),
        }
    }
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let ask = Ask::People(PeopleAsk::SetRules { user, rules });
    roster::asked(&app, &caller.actor, ask).await?;
    shown(&app, &caller, user).await.map(Json)
}
