//! When what is set up was made and last changed, as those are told who ask. It decides nothing.

use std::collections::BTreeMap;

use crate::id::{IntegrationId, ServiceId};
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
