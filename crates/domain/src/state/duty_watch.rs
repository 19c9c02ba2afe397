//! What was noticed and told about duty and about findings, so that each is told once. It notices nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::ahead::Finding;
use crate::id::{ScheduleId, UserId};
use crate::time::Timestamp;

/// What was noticed and told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DutyWatch {
    /// Who was last seen to have duty, by schedule; `None`: nobody.
    pub seen: BTreeMap<ScheduleId, Option<UserId>>,
    /// People who want no word when duty passes to them.
    pub unwanted: BTreeSet<UserId>,
    /// Findings that stand, by their keys.
    pub findings: BTreeMap<String, Finding>,
    /// Keys of those that were told.
    pub told: BTreeSet<String>,
    /// When findings were told last.
    pub told_at: Option<Timestamp>,
}

impl DutyWatch {
    /// Findings that stand, what is nearest first.
    #[must_use]
    pub fn standing(&self) -> Vec<&Finding> {
        let mut standing: Vec<&Finding> = self.findings.values().collect();
        standing.sort_by(|one, other| (one.since, &one.key).cmp(&(other.since, &other.key)));
        standing
    }

    /// Whether a finding stands that was not told.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.findings.keys().any(|key| !self.told.contains(key))
    }
}
