//! The lives of incidents, read from their beginning on, as far as is well for one answer. It knows no kind of event.

use std::ops::ControlFlow;

use tocsin_domain::event::Event;
use tocsin_domain::id::IncidentId;

use crate::ports::{EventLog, StorageError};

/// Events that are looked at for one answer at most.
const EVENTS_MAX: usize = 20_000;
/// Events that are read at once.
const BLOCK: usize = 500;

/// How much one answer may still look at, of all incidents together.
#[derive(Debug)]
pub(super) struct Lives {
    left: usize,
    block: usize,
}

impl Lives {
    /// Of an answer that has looked at nothing yet.
    pub(super) const fn new() -> Self {
        Self {
            left: EVENTS_MAX,
            block: BLOCK,
        }
    }

    /// Whether no more is looked at.
    pub(super) const fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Shows the events of an incident behind a position to `hear`, the oldest first, until it has heard enough, there are no more,
    /// or no more is looked at.
    pub(super) fn walk(
        &mut self,
        log: &dyn EventLog,
        incident: IncidentId,
        mut after: u64,
        mut hear: impl FnMut(&Event) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        while !self.is_over() {
            let limit = self.block.min(self.left);
            let events = log.of_incident(incident, after, limit)?;
            self.left -= events.len();
            for event in &events {
                after = event.position;
                if hear(event).is_break() {
                    return Ok(());
                }
            }
            if events.len() < limit {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::log_walk::tests::log;
    use super::*;

    /// The positions behind one that are shown until `last` was.
    fn heard(lives: &mut Lives, after: u64, last: u64) -> Vec<u64> {
        let log = log(1..=100);
        let mut heard = Vec::new();
        let hear = |event: &Event| {
            heard.push(event.position);
            if event.position == last {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let incident = "QAAAAAAAAAAAAA".parse().unwrap();
        lives.walk(&log, incident, after, hear).unwrap();
        heard
    }

    #[test]
    fn a_life_is_walked_through_until_enough_was_heard_or_it_ends() {
        let mut lives = Lives::new();
        lives.block = 10;
        let between = |first: u64, last: u64| (first..=last).collect::<Vec<u64>>();
        assert_eq!(heard(&mut lives, 0, 25), between(1, 25));
        assert_eq!(heard(&mut lives, 70, 1_000), between(71, 100));
        assert!(!lives.is_over());
    }

    #[test]
    fn all_lives_of_an_answer_have_one_limit() {
        let mut lives = Lives {
            left: 45,
            block: 10,
        };
        assert_eq!(heard(&mut lives, 0, 10).len(), 10);
        assert_eq!(heard(&mut lives, 50, 1_000).len(), 35);
        assert!(lives.is_over());
        assert!(heard(&mut lives, 0, 1_000).is_empty());
    }
}
