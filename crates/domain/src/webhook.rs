//! Subscriptions to what happens to incidents: which events go where, and whether they do at present. Nothing is sent here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{SecretId, ServiceId, TeamId, WebhookId};
use crate::time::Timestamp;

/// Subscriptions at most.
pub const WEBHOOKS_MAX: usize = 20;
/// Characters of a description at most.
pub const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// A subscription whose receiver keeps refusing is left alone for so long.
pub const DISABLED_MS: u64 = 24 * 3_600_000;

/// What can happen that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WebhookKind {
    /// An incident was opened.
    #[serde(rename = "incident.triggered")]
    Triggered,
    /// Somebody has it.
    #[serde(rename = "incident.acknowledged")]
    Acknowledged,
    /// Nobody has it any more.
    #[serde(rename = "incident.unacknowledged")]
    Unacknowledged,
    /// The next level is paged.
    #[serde(rename = "incident.escalated")]
    Escalated,
    /// It was given to other people.
    #[serde(rename = "incident.reassigned")]
    Reassigned,
    /// It was given to another escalation policy.
    #[serde(rename = "incident.delegated")]
    Delegated,
    /// It is over.
    #[serde(rename = "incident.resolved")]
    Resolved,
    /// It was over, and is not.
    #[serde(rename = "incident.reopened")]
    Reopened,
    /// Something was noted.
    #[serde(rename = "incident.annotated")]
    Annotated,
    /// How important it is was said.
    #[serde(rename = "incident.priority_updated")]
    PriorityUpdated,
    /// Somebody was asked to help.
    #[serde(rename = "incident.responder.added")]
    ResponderAdded,
    /// Who was asked to help answered.
    #[serde(rename = "incident.responder.replied")]
    ResponderReplied,
    /// It was told how it stands.
    #[serde(rename = "incident.status_update_published")]
    StatusUpdatePublished,
}

impl WebhookKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Triggered,
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Escalated,
        Self::Reassigned,
        Self::Delegated,
        Self::Resolved,
        Self::Reopened,
        Self::Annotated,
        Self::PriorityUpdated,
        Self::ResponderAdded,
        Self::ResponderReplied,
        Self::StatusUpdatePublished,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Triggered => "incident.triggered",
            Self::Acknowledged => "incident.acknowledged",
            Self::Unacknowledged => "incident.unacknowledged",
            Self::Escalated => "incident.escalated",
            Self::Reassigned => "incident.reassigned",
            Self::Delegated => "incident.delegated",
            Self::Resolved => "incident.resolved",
            Self::Reopened => "incident.reopened",
            Self::Annotated => "incident.annotated",
            Self::PriorityUpdated => "incident.priority_updated",
            Self::ResponderAdded => "incident.responder.added",
            Self::ResponderReplied => "incident.responder.replied",
            Self::StatusUpdatePublished => "incident.status_update_published",
        }
    }

    /// What this word stands for.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.word() == word)
    }
}

/// Of which incidents is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum WebhookScope {
    /// All.
    Account,
    /// Those of a service.
    Service(ServiceId),
    /// Those of a team.
    Team(TeamId),
}

/// A subscription, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// What it is for; may be empty.
    pub description: String,
    /// Vault row of where it goes, with which headers and by which secret it is signed.
    pub delivery: SecretId,
    /// What is told.
    pub events: BTreeSet<WebhookKind>,
    /// Of which incidents.
    pub scope: WebhookScope,
    /// Whether anything is sent.
    pub active: bool,
}

/// A subscription, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// As it was asked for.
    pub webhook: Webhook,
    /// The place in the journal after which events are told: where it was made, or switched on again.
    pub since: u64,
    /// Until when it is left alone, if it is; may be past.
    pub disabled_until: Option<Timestamp>,
    /// The place in the journal of the last ping; 0 when there was none.
    pub pinged_at: u64,
    /// Since when its receiver has taken nothing, if that is long enough that administrators were told.
    pub unanswered_since: Option<Timestamp>,
}

impl Subscribed {
    /// Whether it is left alone for now, because its receiver kept refusing.
    #[must_use]
    pub fn is_disabled(&self, now: Timestamp) -> bool {
        self.disabled_until.is_some_and(|until| now < until)
    }
}

/// What happened to subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum WebhookEvent {
    /// A subscription was made or changed.
    WebhookSet {
        /// The whole of it.
        webhook: Webhook,
    },
    /// A subscription was removed.
    WebhookRemoved {
        /// Which.
        webhook: WebhookId,
    },
    /// Its receiver kept refusing: it is left alone for a while.
    WebhookDisabled {
        /// Which.
        webhook: WebhookId,
        /// Until when.
        until: Timestamp,
        /// What its receiver said last, or what went wrong.
        why: String,
    },
    /// Its receiver has taken nothing for long.
    WebhookUnanswered {
        /// Which.
        webhook: WebhookId,
        /// Since when.
        since: Timestamp,
        /// What its receiver said last, or what went wrong.
        why: String,
    },
    /// Its receiver takes something again.
    WebhookAnswered {
        /// Which.
        webhook: WebhookId,
    },
    /// It is not left alone any more.
    WebhookEnabled {
        /// Which.
        webhook: WebhookId,
    },
    /// Somebody wants to see whether something arrives.
    WebhookPinged {
        /// Which.
        webhook: WebhookId,
    },
}

impl WebhookEvent {
    /// The subscription it is about.
    #[must_use]
    pub const fn webhook(&self) -> WebhookId {
        match self {
            Self::WebhookSet { webhook } => webhook.id,
            Self::WebhookRemoved { webhook }
            | Self::WebhookDisabled { webhook, .. }
            | Self::WebhookUnanswered { webhook, .. }
            | Self::WebhookAnswered { webhook }
            | Self::WebhookEnabled { webhook }
            | Self::WebhookPinged { webhook } => *webhook,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_called_in_the_journal_as_it_is_told() {
        for kind in WebhookKind::ALL {
            let written = serde_json::to_string(&kind).unwrap();
            assert_eq!(written, format!("{:?}", kind.word()));
            assert_eq!(WebhookKind::of_word(kind.word()), Some(kind));
        }
        assert_eq!(WebhookKind::of_word("service.created"), None);
    }
}
