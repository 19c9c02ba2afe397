//! When what is set up was made and last changed, as those are told who ask. It decides nothing.

use std::collections::BTreeMap;

use crate::id::{IntegrationId, ScheduleId, ServiceId};
use crate::time::Timestamp;

/// When something was made and last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was changed last, or made.
    pub changed_at: Timestamp,
}

/// When something happened, and where that stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// The position of the event.
    pub position: u64,
}

/// How often something has changed, and when it did last: whoever keeps a copy knows by it which of two is the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// How often it has changed since it was made.
    pub number: u32,
    /// When it was changed last, or made.
    pub at: Timestamp,
}

/// What is known of when things were made. Of those that are gone, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// When the installation was set up.
    pub set_up: Option<Moment>,
    /// When the rules of the installation became what they are; none as long as they were never set.
    pub rules: Option<Moment>,
    /// Services.
    pub services: BTreeMap<ServiceId, Dated>,
    /// Integrations.
    pub integrations: BTreeMap<IntegrationId, Dated>,
    /// Schedules, with what those are called who stand in them.
    pub schedules: BTreeMap<ScheduleId, Revision>,
}

/// Notes that one of these was set: made, where it was not known.
pub(super) fn note<K: Ord>(known: &mut BTreeMap<K, Dated>, id: K, at: Timestamp) {
    let fresh = Dated {
        made_at: at,
        changed_at: at,
    };
    known
        .entry(id)
        .and_modify(|dated| dated.changed_at = at)
        .or_insert(fresh);
}

/// Notes that a schedule is not what it was, or is new.
pub(super) fn revise(known: &mut BTreeMap<ScheduleId, Revision>, id: ScheduleId, at: Timestamp) {
    let made = Revision { number: 0, at };
    known
        .entry(id)
        .and_modify(|known| {
            known.number = known.number.saturating_add(1);
            known.at = at;
        })
        .or_insert(made);
}
