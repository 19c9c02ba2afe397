//! What people do about an incident beyond taking it, and how that ends.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::id::{AlertId, IncidentId, PolicyId, UserId};
use crate::incident::Assigned;
use crate::monitor::Severity;
use crate::people::{ChannelKind, Urgency};
use crate::time::Timestamp;

/// A level of a policy that was asked to help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLevel {
    /// Which, counted from 0.
    pub index: usize,
    /// Whom it names that was asked, now or before.
    pub people: Vec<UserId>,
}

/// Something that was done about an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
pub enum Response {
    /// One of those who must each acknowledge did so; the others are still paged.
    PartlyAcknowledged {
        /// Who.
        by: UserId,
        /// Who has not yet.
        missing: Vec<UserId>,
    },
    /// The acknowledgement counts no longer: the incident is triggered again.
    AcknowledgementEnded {
        /// Whose it was.
        by: Option<UserId>,
        /// Why.
        why: String,
    },
    /// It stays acknowledged, and is somebody else's who had acknowledged it too.
    PassedOn {
        /// Whose it was.
        from: UserId,
        /// Whose it is.
        to: UserId,
        /// By which channel they had acknowledged it, where it was the answer to a message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<ChannelKind>,
        /// Why it is not theirs any more who had it.
        why: String,
    },
    /// Somebody has it and is left in peace until then.
    Snoozed {
        /// Who.
        by: UserId,
        /// Until when.
        until: Timestamp,
    },
    /// The snooze is over: the incident is triggered again.
    SnoozeEnded,
    /// The snooze was taken back; the incident stays acknowledged.
    SnoozeCancelled {
        /// When the acknowledgement counts no longer, if the policy says so.
        ends_at: Option<Timestamp>,
    },
    /// It was given to somebody else.
    Reassigned {
        /// To whom.
        to: Assigned,
    },
    /// A person wants the next level to be paged now.
    EscalatedByHand {
        /// Who has acknowledged for their part, where each must: they are left in peace.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        spared: Vec<UserId>,
    },
    /// Further people were asked to help.
    RespondersRequested {
        /// Who; nobody when the level names only who was asked already.
        people: Vec<UserId>,
        /// By way of this policy, some of them.
        policy: Option<PolicyId>,
        /// What they are asked.
        message: String,
        /// Who or what was passed over, and why.
        skipped: Vec<String>,
        /// The level of that policy.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<AskedLevel>,
        /// Who asks them, where that is not whoever brought it about: they were asked about what is part of this by now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked_by: Option<Box<Actor>>,
    },
    /// Somebody who was asked to help answered.
    ResponderAnswered {
        /// Who.
        user: UserId,
        /// Whether they come.
        accepted: bool,
    },
    /// Another incident ended in this one: its alerts are here now.
    Merged {
        /// Which.
        source: IncidentId,
        /// Its number.
        number: u64,
        /// Its alerts.
        alerts: Vec<AlertId>,
        /// The severity now.
        severity: Severity,
        /// The urgency now.
        urgency: Urgency,
        /// Whether it is paged for anew, because it was quieter than what joined it.
        pages: bool,
    },
    /// This incident ended in another.
    MergedInto {
        /// Which.
        into: IncidentId,
        /// Its number.
        number: u64,
    },
    /// How important it is was said.
    PrioritySet {
        /// The name; none when it was taken back.
        priority: Option<String>,
    },
    /// How loudly it asks was said.
    UrgencySet {
        /// How loudly.
        urgency: Urgency,
    },
    /// What it is about was said in other words.
    TitleSet {
        /// The words.
        title: String,
    },
}

impl Response {
    /// The word for its kind.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::PartlyAcknowledged { .. } => "partly_acknowledged",
            Self::AcknowledgementEnded { .. } => "acknowledgement_ended",
            Self::PassedOn { .. } => "passed_on",
            Self::Snoozed { .. } => "snoozed",
            Self::SnoozeEnded => "snooze_ended",
            Self::SnoozeCancelled { .. } => "snooze_cancelled",
            Self::Reassigned { .. } => "reassigned",
            Self::EscalatedByHand { .. } => "escalated_by_hand",
            Self::RespondersRequested { .. } => "responders_requested",
            Self::ResponderAnswered { .. } => "responder_answered",
            Self::Merged { .. } => "merged",
            Self::MergedInto { .. } => "merged_into",
            Self::PrioritySet { .. } => "priority_set",
            Self::UrgencySet { .. } => "urgency_set",
            Self::TitleSet { .. } => "title_set",
        }
    }

    /// Whether the next page, if there is one, follows from this.
    #[must_use]
    pub const fn bears_on_paging(&self) -> bool {
        match self {
            Self::AcknowledgementEnded { .. }
            | Self::SnoozeEnded
            | Self::Reassigned { .. }
            | Self::EscalatedByHand { .. }
            | Self::Merged { .. }
            | Self::UrgencySet { .. } => true,
            Self::PartlyAcknowledged { .. }
            | Self::PassedOn { .. }
            | Self::Snoozed { .. }
            | Self::SnoozeCancelled { .. }
            | Self::RespondersRequested { .. }
            | Self::ResponderAnswered { .. }
            | Self::MergedInto { .. }
            | Self::PrioritySet { .. }
            | Self::TitleSet { .. } => false,
        }
    }
}
