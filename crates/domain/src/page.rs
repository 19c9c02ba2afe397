//! Escalation policies, and notifications: one message to one person by one contact method, with its attempts.

mod policy;

use serde::{Deserialize, Serialize};

pub use policy::{Level, Policy, Recipient, WholePolicy};

use crate::id::{
    ContactMethodId, IncidentId, NotificationId, ScheduleId, SwapId, UserId, WebhookId,
};
use crate::people::ChannelKind;
use crate::time::Timestamp;

/// Attempts of one notification before the next channel is used.
pub const ATTEMPTS_MAX: u32 = 3;
/// Attempts that are put off because a provider asked for it; those, and others that got no place, are no part of
/// [`ATTEMPTS_MAX`], so often. Those that nobody wanted any more never are.
pub const PUT_OFF_MAX: u32 = 2;
/// Wait before the second and the third attempt.
pub const RETRY_AFTER_MS: [u64; 2] = [1_000, 4_000];
/// A system that keeps an incident rings on until it is told otherwise: these are the waits before further attempts of that
/// news, then [`MIRROR_RETRY_EVERY_MS`].
pub const MIRROR_RETRY_AFTER_MS: [u64; 5] = [1_000, 4_000, 30_000, 120_000, 600_000];
/// The longest wait between two such attempts: 30 minutes.
pub const MIRROR_RETRY_EVERY_MS: u64 = 1_800_000;
/// For how long it is tried: a day.
pub const MIRROR_RETRY_FOR_MS: u64 = 86_400_000;
/// An attempt without an answer for this long counts as timed out (the sender itself gives up after 15 s).
pub const ATTEMPT_DEADLINE_MS: u64 = 20_000;
/// A provider that asks for a longer wait than this is not waited for: the next way is used instead.
pub const RETRY_WAIT_MS_MAX: u64 = 60_000;
/// A message whose provider owes a receipt counts as lost without one for this long.
pub const RECEIPT_WAIT_MS: u64 = 60_000;
/// Messages about incidents that one person gets one by one within [`BURST_WINDOW_MS`]; what is not critical and comes beyond
/// that is told together.
pub const BURST_MAX: usize = 8;
/// The time in which messages to one person are counted: 10 minutes.
pub const BURST_WINDOW_MS: u64 = 600_000;
/// What is told together is told no sooner than this after the last message to the same person: 3 minutes, so that it comes
/// before a usual level is over.
pub const TOGETHER_EVERY_MS: u64 = 180_000;
/// What wakes nobody is gathered for this long before it is told: 15 minutes.
pub const QUIET_EVERY_MS: u64 = 900_000;
/// After so many attempts in a row that failed or got no answer, a provider is left alone for [`PROVIDER_REST_MS`].
pub const PROVIDER_FAILURES_MAX: u32 = 5;
/// How long a provider is left alone; then one message tries it before the others do.
pub const PROVIDER_REST_MS: u64 = 30_000;
/// Levels of a policy at most.
pub const LEVELS_MAX: usize = 20;
/// Repeats of a policy at most.
pub const REPEAT_MAX: u32 = 9;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "incident", rename_all = "snake_case")]
pub enum Purpose {
    /// Wakes somebody.
    Page(IncidentId),
    /// Tells somebody about what wakes nobody, together with what else of that kind comes within [`QUIET_EVERY_MS`].
    Notice(IncidentId),
    /// Asks somebody to help whoever has it.
    Request(IncidentId),
    /// Tells somebody who was paged that it is over.
    Resolved(IncidentId),
    /// Tells a system that keeps the incident too that somebody took it.
    Acknowledged(IncidentId),
    /// Sent on request, to see that it arrives; carries the proof code of an unproved method.
    Test,
    /// Word about duty, which can wait.
    Word(Word),
}

/// What somebody is told without being paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Word {
    /// Duty has passed to them.
    HandOff {
        /// In which schedule.
        schedule: ScheduleId,
    },
    /// What becomes of a swap of theirs.
    Swap {
        /// In which schedule.
        schedule: ScheduleId,
        /// Which.
        swap: SwapId,
        /// Whether it is offered to them, and theirs to answer.
        offered: bool,
    },
    /// Something will keep pages from somebody.
    Findings,
    /// An incident is theirs, which they had acknowledged beside somebody who was removed.
    PassedOn {
        /// Which.
        incident: IncidentId,
    },
    /// The address of one of their ways is gone for ever.
    WayGone {
        /// Which.
        method: ContactMethodId,
    },
    /// A subscription is left alone, because its receiver kept refusing, or its receiver has taken nothing for long.
    Webhook {
        /// Which.
        webhook: WebhookId,
    },
}

impl Purpose {
    /// The incident that it wakes somebody for, if it does.
    #[must_use]
    pub const fn page(self) -> Option<IncidentId> {
        match self {
            Self::Page(id) => Some(id),
            Self::Notice(_)
            | Self::Request(_)
            | Self::Resolved(_)
            | Self::Acknowledged(_)
            | Self::Test
            | Self::Word(_) => None,
        }
    }

    /// The incident for which somebody has to be reached by it: who is woken, or asked to help.
    #[must_use]
    pub const fn reaches(self) -> Option<IncidentId> {
        match self {
            Self::Page(id) | Self::Request(id) => Some(id),
            Self::Notice(_)
            | Self::Resolved(_)
            | Self::Acknowledged(_)
            | Self::Test
            | Self::Word(_) => None,
        }
    }

    /// The incident it is about.
    #[must_use]
    pub const fn incident(self) -> Option<IncidentId> {
        match self {
            Self::Page(id)
            | Self::Notice(id)
            | Self::Request(id)
            | Self::Resolved(id)
            | Self::Acknowledged(id) => Some(id),
            Self::Test | Self::Word(_) => None,
        }
    }
}

/// One message to one person by one contact method. Its id is the idempotency key of every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// What it is for.
    pub purpose: Purpose,
    /// To whom.
    pub user: UserId,
    /// By which contact method.
    pub contact_method: ContactMethodId,
    /// Its transport.
    pub channel: ChannelKind,
    /// The level of the policy, counted from 0; none for whom an incident was given to, for the fallback list and for tests.
    pub level: Option<usize>,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// Why this person by this way, for a person.
    pub why: String,
    /// Where it stands.
    pub state: Delivery,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// Position of the last event about it: the cause of its next attempt.
    pub last_event: u64,
    /// The word that was lost, and that it tells by another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<NotificationId>,
    /// Position of the event that planned it, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_event: Option<u64>,
}

impl Notification {
    /// Attempts that ended without being made although they were wanted: no provider has heard of them.
    #[must_use]
    pub fn not_made(&self) -> u32 {
        self.how_many(|attempt| attempt.not_tried && !attempt.moot)
    }

    /// Attempts that were not made since nobody wanted them any more.
    #[must_use]
    pub fn moot(&self) -> u32 {
        self.how_many(|attempt| attempt.moot)
    }

    fn how_many(&self, are_so: fn(&Attempt) -> bool) -> u32 {
        let those = self.attempts.iter().filter(|attempt| are_so(attempt));
        u32::try_from(those.count()).unwrap_or(u32::MAX)
    }

    /// Whether it tells a system that keeps an incident too that somebody took it, or that it is over.
    #[must_use]
    pub const fn tells_a_mirror(&self) -> bool {
        let is_news = match self.purpose {
            Purpose::Acknowledged(_) | Purpose::Resolved(_) => true,
            Purpose::Page(_)
            | Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Test
            | Purpose::Word(_) => false,
        };
        is_news && self.channel.mirrors_incidents()
    }

    /// Since when the provider owes a receipt for it, if it does.
    #[must_use]
    pub fn receipt_owed_since(&self) -> Option<Timestamp> {
        let Delivery::Delivered { at } = self.state else {
            return None;
        };
        let last = self.attempts.last()?;
        let owed = self.channel.owes_a_receipt() && last.reference.is_some();
        (owed && last.receipt.is_none()).then_some(at)
    }
}

/// Where a notification stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Delivery {
    /// The next attempt is due then.
    Due {
        /// When.
        at: Timestamp,
    },
    /// It is told together with others, by that message.
    Together {
        /// The message that tells it.
        by: NotificationId,
    },
    /// An attempt is under way.
    Sending {
        /// Since when.
        since: Timestamp,
    },
    /// The provider accepted it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It was given up.
    Failed {
        /// When.
        at: Timestamp,
    },
    /// It is no longer needed.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why.
        why: String,
    },
}

impl Delivery {
    /// Whether it is still to be sent, or told with others, and no attempt is under way.
    #[must_use]
    pub const fn is_planned(&self) -> bool {
        match self {
            Self::Due { .. } | Self::Together { .. } => true,
            Self::Sending { .. }
            | Self::Delivered { .. }
            | Self::Failed { .. }
            | Self::Cancelled { .. } => false,
        }
    }
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub finished_at: Option<Timestamp>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// The provider's words, or what went wrong; at most 500 characters.
    pub detail: String,
    /// What the provider calls the message, where it can be asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What became of it after the provider took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Whether nothing was sent, because it got no place in time, its provider had asked to be left alone, or nobody wanted it any
    /// more: no provider has heard of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_tried: bool,
    /// Whether nothing was sent because nobody wanted it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moot: bool,
    /// By which account of its channel it went, where it may have several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Box<Via>>,
}

/// One of the accounts of a channel: those after the first take over where it fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// Its place among them, from 1.
    pub place: u32,
    /// What it is called: the host of its provider.
    pub name: String,
    /// Whether another account is left for what this one is not known to have taken: the next attempt goes by that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// The places of those that the same attempt had tried before it, each of which did not take it for certain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<u32>,
}

impl Attempt {
    /// One that begins.
    #[must_use]
    pub const fn begun(number: u32, started_at: Timestamp) -> Self {
        Self {
            number,
            started_at,
            finished_at: None,
            outcome: None,
            detail: String::new(),
            reference: None,
            receipt: None,
            not_tried: false,
            moot: false,
            via: None,
        }
    }

    /// Whether it left the message to another account of its channel.
    #[must_use]
    pub fn is_left_to_another(&self) -> bool {
        self.via.as_ref().is_some_and(|via| via.elsewhere)
    }

    /// Whether it is known to have been lost after the provider took it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        let receipt = self.receipt.as_ref();
        receipt.is_some_and(|receipt| receipt.fate.is_loss())
    }
}

/// What became of a message after the provider took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When it was known.
    pub at: Timestamp,
    /// What.
    pub fate: Fate,
    /// The provider's words, or what went wrong; at most 500 characters.
    pub detail: String,
}

/// Where a message ended after the provider took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The provider said nothing within [`RECEIPT_WAIT_MS`].
    Unknown,
    /// It came to the device.
    Delivered,
    /// A person saw it.
    Read,
    /// It did not come to the device.
    Failed,
}

impl Fate {
    /// Whether this news says more than what is known. Reports come late, repeated and in any order; none takes back what a
    /// better one said.
    #[must_use]
    pub const fn follows(self, known: Option<Self>) -> bool {
        match (known, self) {
            (None, _) => true,
            (Some(Self::Unknown), Self::Delivered | Self::Read | Self::Failed) => true,
            (Some(Self::Delivered), Self::Read) => true,
            (Some(Self::Unknown), Self::Unknown)
            | (Some(Self::Delivered), Self::Unknown | Self::Delivered | Self::Failed)
            | (Some(Self::Read | Self::Failed), _) => false,
        }
    }

    /// Whether the message is to be counted as lost.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        match self {
            Self::Unknown | Self::Failed => true,
            Self::Delivered | Self::Read => false,
        }
    }

    /// The word used in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took it.
    Accepted,
    /// It may work later.
    Failed,
    /// It will not work by this way.
    Refused,
    /// No answer within the deadline.
    TimedOut,
    /// Tocsin ended before the answer; the message may have arrived.
    Unanswered,
}

impl Outcome {
    /// Whether the message may have arrived although nobody said that it was taken.
    #[must_use]
    pub const fn is_unsure(self) -> bool {
        match self {
            Self::TimedOut | Self::Unanswered => true,
            Self::Accepted | Self::Failed | Self::Refused => false,
        }
    }
}
