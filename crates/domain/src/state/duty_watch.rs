//! What was noticed and told about duty and about findings, so that each is told once. It notices nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::ahead::Finding;
use crate::id::{ContactMethodId, ScheduleId, UserId};
use crate::page::Delivery;
use crate::people::SetUp;
use crate::time::Timestamp;

/// Findings are told to administrators once within this time at most, and a way by which word of them was lost is tried again
/// after it.
const TELL_EVERY_MS: u64 = 24 * 3_600_000;

/// What was noticed and told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DutyWatch {
    /// Who was last seen to have duty, by schedule; `None`: nobody.
    pub seen: BTreeMap<ScheduleId, Option<UserId>>,
    /// People who want no word when duty passes to them.
    pub unwanted: BTreeSet<UserId>,
    /// Findings that stand, by their keys: as they were found first, or as they were when word of any was planned last.
    pub findings: BTreeMap<String, Finding>,
    /// Position of the event by which each of them appeared.
    pub appeared: BTreeMap<String, u64>,
    /// Keys of those that were told.
    pub told: BTreeSet<String>,
    /// When findings were told last.
    pub told_at: Option<Timestamp>,
    /// Ways by which word of findings was lost lately, and when.
    pub lost_by: BTreeMap<ContactMethodId, Timestamp>,
    /// The channels that are set up, as they were seen last; `None`: nobody has looked yet.
    pub set_up: Option<SetUp>,
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
        self.news_at().is_some()
    }

    /// Position of the event by which the newest finding appeared that stands and was not told.
    pub(crate) fn news_at(&self) -> Option<u64> {
        let appeared = self.appeared.iter();
        let untold = appeared.filter(|(key, _)| !self.told.contains(*key));
        untold.map(|(_, position)| *position).max()
    }

    /// Keys of the findings that stand and stood at that position of the journal.
    pub(crate) fn stood_at(&self, position: u64) -> Vec<String> {
        let appeared = self.appeared.iter();
        let stood = appeared.filter(|(_, appeared)| **appeared <= position);
        stood.map(|(key, _)| key.clone()).collect()
    }

    /// Whether findings may be told again.
    pub(crate) fn may_tell(&self, now: Timestamp) -> bool {
        let told_at = self.told_at;
        told_at.is_none_or(|at| now.ms_since(at) >= TELL_EVERY_MS)
    }

    /// Whether word of findings was lost by this way, so lately that it is not tried for them alone.
    pub(crate) fn was_lost_by(&self, method: ContactMethodId, now: Timestamp) -> bool {
        let lost_at = self.lost_by.get(&method);
        lost_at.is_some_and(|at| now.ms_since(*at) < TELL_EVERY_MS)
    }

    /// Notes where word of findings by this way stands.
    pub(super) fn note_word(&mut self, method: ContactMethodId, state: &Delivery) {
        match state {
            Delivery::Failed { at } => {
                let now = *at;
                self.lost_by
                    .retain(|_, at| now.ms_since(*at) < TELL_EVERY_MS);
                self.lost_by.insert(method, now);
            }
            Delivery::Delivered { .. } => {
                self.lost_by.remove(&method);
            }
            Delivery::Due { .. }
            | Delivery::Together { .. }
            | Delivery::Sending { .. }
            | Delivery::Cancelled { .. } => {}
        }
    }
}
