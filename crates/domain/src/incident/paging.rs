//! Where the escalation of an incident stands.

use serde::{Deserialize, Serialize};

use crate::id::{PolicyId, UserId};
use crate::page::Recipient;
use crate::time::Timestamp;

/// Where the escalation of an incident stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// The policy it follows.
    pub policy: Option<PolicyId>,
    /// The level that was paged last, counted from 0.
    pub level: usize,
    /// How often the policy has been walked through before.
    pub round: u32,
    /// When the next level is paged, unless somebody acknowledges.
    pub next_at: Option<Timestamp>,
    /// Whether the policy is through and the fallback list is being paged.
    pub exhausted: bool,
    /// Who was paged at the last level.
    pub recipients: Vec<UserId>,
    /// When that level was reached.
    #[serde(default)]
    pub reached_at: Timestamp,
    /// How far the fallback list was widened in this round: 0 is the list itself.
    #[serde(default)]
    pub circle: usize,
    /// Whether it is the same level that is paged again at `next_at`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// On a level that pages one target in turn: whose turn it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
    /// Who must each acknowledge, of the levels so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each_of: Vec<UserId>,
    /// Who of them did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each_done: Vec<UserId>,
    /// Who of them did before it was escalated by hand: they are left in peace, and have not taken what was escalated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each_before: Vec<UserId>,
    /// Whether another policy, or a changed one, is followed since the first of these levels was reached: its levels may have
    /// other places now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub policy_changed: bool,
    /// Where it goes on, if the policy was changed since the last level was reached, whose place says nothing any more: behind where
    /// that level stands now, or before it where somebody new is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_on_at: Option<usize>,
    /// Where the level that was reached stands then, if it is there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_at: Option<usize>,
    /// Whom the levels that were reached in this round named before the policy was changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named_before: Vec<Recipient>,
}

impl Paging {
    /// The level that is paged when nobody answers on the one that was reached.
    #[must_use]
    pub fn next_level(&self) -> usize {
        self.goes_on_at
            .unwrap_or_else(|| self.level.saturating_add(1))
    }

    /// Whether this person did their part, where each must.
    #[must_use]
    pub fn has_done(&self, user: UserId) -> bool {
        self.each_done.contains(&user) || self.each_before.contains(&user)
    }
}
