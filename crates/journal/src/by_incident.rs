//! Where the events of each incident are, and those by which something that is set up changed, in memory. In the file it would be an
//! index of which every commit touches a page for each incident, which in a storm is most of what is written.

use std::collections::HashMap;

use tocsin_domain::changed::{Changed, ChangedKind};
use tocsin_domain::event::Event;
use tocsin_domain::id::IncidentId;
use tocsin_domain::time::Timestamp;

use crate::changes::Changes;

/// Positions by incident and of changes, of every event up to one of them; it grows by 8 bytes for each event of an incident, and by 32
/// for each change.
#[derive(Debug, Default)]
pub(crate) struct ByIncident {
    known_to: u64,
    /// Nothing was committed that is not known here.
    is_whole: bool,
    positions: HashMap<IncidentId, Vec<u64>>,
    changes: Changes,
}

impl ByIncident {
    /// Position of the last event that is known here.
    pub(crate) const fn known_to(&self) -> u64 {
        self.known_to
    }

    /// Whether every event that was committed is known here.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The file holds nothing after `position`, by a look at it that began when this was the last that is known.
    pub(crate) fn nothing_after(&mut self, position: u64) {
        self.is_whole |= self.known_to == position;
    }

    /// Notes events; those that do not continue what is known are found in the file when they are asked for.
    pub(crate) fn note_events(&mut self, events: &[Event]) {
        for event in events {
            self.note_event(event);
        }
    }

    /// The same of one event.
    pub(crate) fn note_event(&mut self, event: &Event) {
        let changed = event.body.changed();
        let changed = changed.as_ref().map(|changed| (event.recorded_at, changed));
        self.note(event.position, event.body.incident(), changed);
    }

    /// Notes the event at `position`, if it is the next one: the incident it is of, and when it changed what.
    pub(crate) fn note(
        &mut self,
        position: u64,
        incident: Option<IncidentId>,
        changed: Option<(Timestamp, &Changed<'_>)>,
    ) {
        if position != self.known_to + 1 {
            self.is_whole &= position <= self.known_to;
            return;
        }
        self.known_to = position;
        if let Some(incident) = incident {
            self.positions.entry(incident).or_default().push(position);
        }
        if let Some((at, changed)) = changed {
            self.changes.note(position, at, changed);
        }
    }

    /// Positions of changes, as [`Changes::newest`] gives them.
    pub(crate) fn newest_changes(
        &self,
        of: Option<(ChangedKind, &str)>,
        before: u64,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Vec<u64> {
        self.changes.newest(of, before, until, limit)
    }

    /// At most `limit` positions after `after` of events of an incident, in order.
    pub(crate) fn of(&self, incident: IncidentId, after: u64, limit: usize) -> Vec<u64> {
        let all = self.positions.get(&incident).map_or(&[][..], Vec::as_slice);
        let first = all.partition_point(|position| *position <= after);
        all[first..].iter().copied().take(limit).collect()
    }

    /// The position after which the newest `count` events of an incident are; 0 when there are no more of it.
    pub(crate) fn before_newest(&self, incident: IncidentId, count: usize) -> u64 {
        let all = self.positions.get(&incident);
        let older = all.and_then(|all| all.iter().rev().nth(count));
        older.copied().unwrap_or(0)
    }
}
