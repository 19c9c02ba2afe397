//! Where the events are by which something that is set up changed, in memory: they are few among very many others, and are listed from
//! the newest on.

use std::collections::HashMap;

use tocsin_domain::changed::{Changed, ChangedKind};
use tocsin_domain::time::Timestamp;

/// A change: its position, and when it was recorded.
type Made = (u64, Timestamp);

/// Every change up to an event that its owner knows, of all things and of each.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    all: Vec<Made>,
    of: HashMap<ChangedKind, HashMap<Box<str>, Vec<Made>>>,
}

impl Changes {
    /// Notes a change, which comes after all that are known.
    pub(crate) fn note(&mut self, position: u64, at: Timestamp, changed: &Changed<'_>) {
        let made = (position, at);
        self.all.push(made);
        let of_kind = self.of.entry(changed.kind).or_default();
        match of_kind.get_mut(changed.id) {
            Some(known) => known.push(made),
            None => {
                of_kind.insert(changed.id.into(), vec![made]);
            }
        }
    }

    /// Positions of the newest changes before `before`, the newest first, `limit` at most: of one thing, or of all. Where `until` is
    /// given, those that were recorded then or later are left out, as far as they stand after all others.
    pub(crate) fn newest(
        &self,
        of: Option<(ChangedKind, &str)>,
        before: u64,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Vec<u64> {
        let own = |(kind, id): (ChangedKind, &str)| Some(self.of.get(&kind)?.get(id)?.as_slice());
        let known = match of {
            None => self.all.as_slice(),
            Some(one) => own(one).unwrap_or_default(),
        };
        let known = &known[..known.partition_point(|(position, _)| *position < before)];
        let end = until.map_or(known.len(), |until| {
            known.partition_point(|(_, at)| *at < until)
        });
        let known = known[..end].iter().rev().take(limit);
        known.map(|(position, _)| *position).collect()
    }
}
