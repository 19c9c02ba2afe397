//! What can be asked about changes that others tell of, and about subscriptions to what happens to incidents.

use std::collections::BTreeSet;

use crate::change::{ChangeImage, ChangeLink};
use crate::id::{IntegrationId, SecretId, ServiceId, WebhookId};
use crate::time::Timestamp;
use crate::webhook::{WebhookKind, WebhookScope};

/// A change to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeAsk {
    /// What was changed; the default service when none.
    pub service: Option<ServiceId>,
    /// By whose key it is told.
    pub integration: Option<IntegrationId>,
    /// When it was made; now when none.
    pub at: Option<Timestamp>,
    /// What it is.
    pub summary: String,
    /// Where it comes from.
    pub source: Option<String>,
    /// Anything else, as the text of a JSON object.
    pub details: Option<String>,
    /// Where more of it is found; addresses of the web.
    pub links: Vec<ChangeLink>,
    /// What is to be seen of it; their addresses are ones of the web too.
    pub images: Vec<ChangeImage>,
}

/// Work on subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookAsk {
    /// Add or replace one; `None` as id adds.
    Set {
        /// Which, or a new one.
        id: Option<WebhookId>,
        /// What it is for.
        description: String,
        /// Vault row of where it goes, with which headers and by which secret it is signed; as it stands when none.
        delivery: Option<SecretId>,
        /// What is told.
        events: BTreeSet<WebhookKind>,
        /// Of which incidents.
        scope: WebhookScope,
        /// Whether anything is sent.
        active: bool,
    },
    /// Remove one.
    Remove(WebhookId),
    /// Leave it alone no longer.
    Enable(WebhookId),
    /// Send something, in its turn, to see whether it arrives.
    Ping(WebhookId),
    /// Its receiver keeps refusing: leave it alone for a while, and tell the administrators.
    Disable {
        /// Which.
        webhook: WebhookId,
        /// What its receiver said last, or what went wrong.
        why: String,
    },
    /// Its receiver has taken nothing for long: tell the administrators.
    Unanswered {
        /// Which.
        webhook: WebhookId,
        /// Since when every attempt has failed.
        since: Timestamp,
        /// What its receiver said last, or what went wrong.
        why: String,
    },
    /// Its receiver takes something again.
    Answered(WebhookId),
}
