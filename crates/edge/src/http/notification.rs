//! One message to one person, with its attempts: what the API shows of it. Addresses are not known here.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use tocsin_domain::page::{self, Delivery, Purpose};
use tocsin_domain::state;
use utoipa::ToSchema;

use super::problem::Problem;
use super::shape::{ChannelKind, Instant, Named, named_user};
use crate::app::App;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MessagePurpose {
    /// Wakes somebody.
    Page,
    /// Tells of what wakes nobody.
    Notice,
    /// Asks somebody to help whoever has it.
    Request,
    /// Tells that it is over.
    Resolved,
    /// Tells a system that keeps the incident too that somebody took it.
    Acknowledged,
    /// Sent on request.
    Test,
    /// Word about duty.
    Word,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PageState {
    /// Not tried yet.
    Planned,
    /// Told together with others, by a message to the same address.
    Together,
    /// An attempt is under way.
    Sending,
    /// Tried without success, and will be again.
    Retrying,
    /// The provider took it.
    Delivered,
    /// Given up.
    Failed,
    /// No longer needed.
    Cancelled,
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptOutcome {
    /// The provider took it.
    Accepted,
    /// It may work later.
    Failed,
    /// It will not work by this way.
    Refused,
    /// No answer in time.
    TimedOut,
    /// Tocsin ended before the answer.
    Unanswered,
}

impl From<page::Outcome> for AttemptOutcome {
    fn from(outcome: page::Outcome) -> Self {
        match outcome {
            page::Outcome::Accepted => Self::Accepted,
            page::Outcome::Failed => Self::Failed,
            page::Outcome::Refused => Self::Refused,
            page::Outcome::TimedOut => Self::TimedOut,
            page::Outcome::Unanswered => Self::Unanswered,
        }
    }
}

/// One try.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Attempt {
    /// From 1.
    number: u32,
    started_at: Instant,
    finished_at: Option<Instant>,
    outcome: Option<AttemptOutcome>,
    /// Whether nothing was sent: it got no place in time, its provider had asked to be left alone, or nobody wanted it any more.
    not_sent: bool,
    /// The provider's words, or what went wrong.
    detail: String,
    /// What became of it after the provider took it, where the provider tells.
    receipt: Option<Receipt>,
    /// By which account it went, where its channel may have several (mail, texts, calls).
    via: Option<AttemptVia>,
}

/// One of the accounts of a channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AttemptVia {
    /// Its place among them, from 1.
    place: u32,
    /// The host of its provider.
    name: String,
}

/// What became of a message after the provider took it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    state: ReceiptState,
    at: Instant,
    /// The provider's words, or what went wrong.
    detail: String,
}

/// Where a message ended after the provider took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReceiptState {
    /// The provider, who owes word, gave none.
    Unknown,
    /// It came to the device.
    Delivered,
    /// A person saw it.
    Read,
    /// It did not come to the device.
    Failed,
}

impl From<page::Fate> for ReceiptState {
    fn from(fate: page::Fate) -> Self {
        match fate {
            page::Fate::Unknown => Self::Unknown,
            page::Fate::Delivered => Self::Delivered,
            page::Fate::Read => Self::Read,
            page::Fate::Failed => Self::Failed,
        }
    }
}

/// One message to one person by one contact method.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Notification {
    pub(crate) id: String,
    pub(crate) user: Named,
    pub(crate) channel: ChannelKind,
    /// What its owner calls the contact method.
    pub(crate) label: String,
    /// The level of the policy, from 1; null for whom the incident was given to, for the list of last resort and for tests.
    pub(crate) level: Option<usize>,
    pub(crate) purpose: MessagePurpose,
    pub(crate) state: PageState,
    /// When the next attempt is due, or when the last one was.
    pub(crate) due_at: Instant,
    pub(crate) attempts: Vec<Attempt>,
    /// Why this person by this way.
    pub(crate) why: String,
}

/// Where a message stands.
pub(crate) fn page_state(message: &page::Notification) -> PageState {
    match message.state {
        Delivery::Due { .. } if message.attempts.is_empty() => PageState::Planned,
        Delivery::Due { .. } => PageState::Retrying,
        Delivery::Together { .. } => PageState::Together,
        Delivery::Sending { .. } => PageState::Sending,
        Delivery::Delivered { .. } => PageState::Delivered,
        Delivery::Failed { .. } => PageState::Failed,
        Delivery::Cancelled { .. } => PageState::Cancelled,
    }
}

/// What the API shows of a message.
pub(crate) fn shown(state: &state::State, message: &page::Notification) -> Notification {
    let user = state.users.get(&message.user);
    let method = user.and_then(|user| user.contact_method(message.contact_method));
    let due_at = match message.state {
        Delivery::Due { at } => at,
        Delivery::Together { .. }
        | Delivery::Sending { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => message
            .attempts
            .last()
            .map_or(message.planned_at, |attempt| attempt.started_at),
    };
    Notification {
        id: message.id.to_string(),
        user: named_user(state, message.user),
        channel: message.channel.into(),
        label: method.map_or_else(|| "removed".to_owned(), |method| method.label.clone()),
        level: message.level.map(|level| level + 1),
        purpose: match message.purpose {
            Purpose::Page(_) => MessagePurpose::Page,
            Purpose::Request(_) => MessagePurpose::Request,
            Purpose::Resolved(_) => MessagePurpose::Resolved,
            Purpose::Acknowledged(_) => MessagePurpose::Acknowledged,
            Purpose::Notice(_) => MessagePurpose::Notice,
            Purpose::Test => MessagePurpose::Test,
            Purpose::Word(_) => MessagePurpose::Word,
        },
        state: page_state(message),
        due_at: Instant(due_at),
        attempts: message.attempts.iter().map(attempt).collect(),
        why: message.why.clone(),
    }
}

fn attempt(attempt: &page::Attempt) -> Attempt {
    Attempt {
        number: attempt.number,
        started_at: Instant(attempt.started_at),
        finished_at: attempt.finished_at.map(Instant),
        outcome: attempt.outcome.map(Into::into),
        not_sent: attempt.not_tried,
        detail: attempt.detail.clone(),
        receipt: attempt.receipt.as_ref().map(|receipt| Receipt {
            state: receipt.fate.into(),
            at: Instant(receipt.at),
            detail: receipt.detail.clone(),
        }),
        via: attempt.via.as_ref().map(|via| AttemptVia {
            place: via.place,
            name: via.name.clone(),
        }),
    }
}

/// State of a message, for example of a test page
#[utoipa::path(get, path = "/api/tocsin/v1/notifications/{id}", tag = "oncall",
    params(("id" = String, Path)), responses((status = 200, body = Notification), (status = 404)))]
pub(crate) async fn get_notification(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Notification>, Problem> {
    let found = id
        .parse()
        .ok()
        .and_then(|id| app.read(|state| state.notifications.get(&id).map(|one| shown(state, one))));
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found(&format!("message {id}")))
}
