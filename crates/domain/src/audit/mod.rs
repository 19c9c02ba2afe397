//! The auditor's judgement: whether everybody who must be paged will be, read from the state and from what was seen of the
//! running parts. It must not use what decides about pages: a fault there is what it looks for.

mod aside;
mod state;
mod surroundings;

use crate::id::{AlertId, HeartbeatId, IncidentId, NotificationId};
use crate::state::State;
use crate::time::Timestamp;

pub use surroundings::{CanaryAway, CanaryStage, Commits, EngineSeen, Observations, WatchersAway};

/// What is due may be late by this much before it counts as forgotten.
pub const GRACE_MS: u64 = 10_000;
/// Findings of one look at most; further ones would say the same.
pub const FINDINGS_MAX: usize = 100;

/// What kind of promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// An urgent incident that nobody has taken, for which nothing is planned.
    Forgotten,
    /// The next page of an incident was due and was not sent, or somebody has it for longer than was said.
    Overdue,
    /// The next page of an incident is planned for a time that is too far away.
    TooLate,
    /// The policy is exhausted, and the list of last resort is not paged every 15 minutes.
    FallbackLate,
    /// An urgent incident pages nobody, because nobody can be reached.
    NobodyReached,
    /// An attempt got no outcome within its deadline.
    AttemptStuck,
    /// A message was due and was not sent.
    MessageOverdue,
    /// The engine does not answer.
    EngineSilent,
    /// The engine has ended.
    EngineStopped,
    /// The state cannot be read: the engine keeps it to itself.
    StateLocked,
    /// The journal holds what the state does not show.
    StateBehind,
    /// Nothing can be made durable.
    JournalFails,
    /// Delivery does not go round.
    DeliverySilent,
    /// Messages wait too long for their turn to be sent.
    DeliveryBehind,
    /// The canary did not come through.
    CanaryLate,
    /// The watchers on other machines do not ask any more.
    Unwatched,
    /// Something is left alone, because what is due for it ends in a fault of Tocsin itself.
    SetAside,
    /// What was asked could not be decided, by a fault of Tocsin itself.
    Undecided,
}

impl FindingKind {
    /// The word used in metrics and in the log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Forgotten => "forgotten",
            Self::Overdue => "overdue",
            Self::TooLate => "too_late",
            Self::FallbackLate => "fallback_late",
            Self::NobodyReached => "nobody_reached",
            Self::AttemptStuck => "attempt_stuck",
            Self::MessageOverdue => "message_overdue",
            Self::EngineSilent => "engine_silent",
            Self::EngineStopped => "engine_stopped",
            Self::StateLocked => "state_locked",
            Self::StateBehind => "state_behind",
            Self::JournalFails => "journal_fails",
            Self::DeliverySilent => "delivery_silent",
            Self::DeliveryBehind => "delivery_behind",
            Self::CanaryLate => "canary_late",
            Self::Unwatched => "unwatched",
            Self::SetAside => "set_aside",
            Self::Undecided => "undecided",
        }
    }

    /// Whether a page may not arrive because of it.
    #[must_use]
    pub const fn stops_pages(self) -> bool {
        !matches!(self, Self::Unwatched)
    }
}

/// What a finding is about; two looks that find the same have found one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// Tocsin itself.
    Tocsin,
    /// An incident.
    Incident(IncidentId),
    /// A message.
    Message(NotificationId),
    /// An alert.
    Alert(AlertId),
    /// A heartbeat.
    Heartbeat(HeartbeatId),
}

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Which promise.
    pub kind: FindingKind,
    /// About what.
    pub about: About,
    /// What is wrong, for a person.
    pub what: String,
}

impl Finding {
    /// The same in two looks when it is one thing, whatever the words.
    #[must_use]
    pub const fn key(&self) -> (FindingKind, About) {
        (self.kind, self.about)
    }
}

/// Everything that is broken at `now`: in the state, and in what was seen of the running parts.
#[must_use]
pub fn audit(state: &State, now: Timestamp, seen: &Observations) -> Vec<Finding> {
    let mut findings = audit_surroundings(seen);
    findings.extend(aside::findings(state, now));
    findings.extend(state::findings(state, now, seen.set_up.as_ref()));
    findings.truncate(FINDINGS_MAX);
    findings
}

/// What is broken in the running parts, for when the state itself cannot be read.
#[must_use]
pub fn audit_surroundings(seen: &Observations) -> Vec<Finding> {
    surroundings::findings(seen)
}

/// Whether there is an incident for which nobody is paged any more, because it is left alone.
#[must_use]
pub fn leaves_an_incident_alone(state: &State) -> bool {
    aside::incidents(state).next().is_some()
}
