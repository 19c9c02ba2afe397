//! How far back log entries are looked for: block by block, from the newest that can be of the span, and no further than one answer
//! may. It knows no kind of entry.

use std::ops::ControlFlow;

use tocsin_domain::event::Event;
use tocsin_domain::id::IncidentId;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::{Cut, Paging, Refusal, time};

use super::log_shape::Wanted;
use crate::ports::{EventLog, StorageError};

/// Events that are read at once.
const BLOCK: usize = 1_000;
/// Events that are looked at for one answer at most.
const EVENTS_MAX: usize = 200_000;

/// Which events are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// Those of one incident alone.
    incident: Option<IncidentId>,
    /// The newest there is.
    end: u64,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// How far the clock was set back, all times together: of two events, the later may say so much earlier a time.
    set_back_ms: u64,
    block: usize,
    events_max: usize,
}

impl Walk {
    /// Over what is there now.
    pub(super) fn new(state: &State, incident: Option<IncidentId>, wanted: &Wanted) -> Self {
        Self {
            incident,
            end: state.position,
            since: wanted.since,
            until: wanted.until,
            set_back_ms: state.clock.set_back_ms,
            block: BLOCK,
            events_max: EVENTS_MAX,
        }
    }

    /// Shows the events of the span to `see`, the newest block first, until it has seen enough; a block may hold others at its ends.
    /// Where there are older ones that were not looked at, because they are too many, gives when the newest of those was recorded at
    /// the latest.
    pub(super) fn each_block(
        &self,
        log: &dyn EventLog,
        mut see: impl FnMut(&[Event]) -> ControlFlow<()>,
    ) -> Result<Option<Timestamp>, StorageError> {
        let mut blocks = self.later_blocks(log)?;
        let (mut newest, mut looked) = (self.end, 0);
        loop {
            blocks += 1;
            let begin = self.before(log, blocks)?;
            let mut events = match self.incident {
                None => log.after(begin, self.block)?,
                Some(incident) => log.of_incident(incident, begin, self.block)?,
            };
            // What comes meanwhile moves the blocks of an incident: nothing is seen twice.
            events.retain(|event| event.position <= newest);
            if see(&events).is_break() || begin == 0 {
                return Ok(None);
            }
            looked += events.len();
            let Some(oldest) = events.first() else {
                continue;
            };
            newest = oldest.position.saturating_sub(1);
            let latest = oldest.recorded_at.plus_ms(self.set_back_ms);
            if self.since.is_some_and(|since| latest < since) {
                return Ok(None);
            }
            if looked >= self.events_max {
                return Ok(Some(latest));
            }
        }
    }

    /// How many blocks, the newest first, hold nothing but what came after the span.
    fn later_blocks(&self, log: &dyn EventLog) -> Result<usize, StorageError> {
        let Some(until) = self.until else {
            return Ok(0);
        };
        let later = until.plus_ms(self.set_back_ms);
        let are_later = |blocks: usize| -> Result<bool, StorageError> {
            let position = self.before(log, blocks)?;
            let event = log.at(position)?;
            Ok(event.is_some_and(|event| event.recorded_at >= later))
        };
        let (mut known, mut step) = (0, 1);
        while are_later(known + step)? {
            known += step;
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if are_later(known + step)? {
                known += step;
            }
        }
        Ok(known)
    }

    /// The position after which the newest so many blocks are; 0 where that is all.
    fn before(&self, log: &dyn EventLog, blocks: usize) -> Result<u64, StorageError> {
        let count = blocks.saturating_mul(self.block);
        match self.incident {
            None => Ok(self.end.saturating_sub(count as u64)),
            Some(incident) => log.before_newest(incident, count),
        }
    }
}

/// The entries of a page, gathered while the list is walked through.
#[derive(Debug)]
pub(super) struct Found<T> {
    paging: Paging,
    items: Vec<T>,
    met: usize,
}

impl<T> Found<T> {
    /// Nothing yet.
    pub(super) const fn new(paging: Paging) -> Self {
        Self {
            paging,
            items: Vec::new(),
            met: 0,
        }
    }

    /// The next entry of the list. One more than the page tells whether there are more; all are met where they are to be counted.
    pub(super) fn meet(&mut self, one: T) -> ControlFlow<()> {
        let reach = self.paging.offset + self.paging.limit;
        if (self.paging.offset..reach).contains(&self.met) {
            self.items.push(one);
        }
        self.met += 1;
        if self.paging.counted || self.met <= reach {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// The page. Where not all was looked at there is more behind it, and a page of which nothing was found is refused: whoever
    /// pages is told so, and how to go on, in the place of an end that is none. So is the first page: by an offset nobody comes to what
    /// is older, so that an empty page with more behind it would have clients walk on for nothing.
    pub(super) fn cut(self, stopped_at: Option<Timestamp>) -> Result<Cut<T>, Refusal> {
        let reach = self.paging.offset + self.paging.limit;
        if let Some(at) = stopped_at {
            // As it is written it has no fraction of a second.
            let until = time::written(at.plus_ms(1_000));
            if self.paging.counted {
                return Err(Refusal::bad(format!(
                    "'total' is not known: the span holds more than {EVENTS_MAX} events; narrow it by 'since' and 'until', or leave 'total' out"
                )));
            }
            if self.items.is_empty() && self.paging.offset == 0 {
                return Err(Refusal::bad(format!(
                    "nothing of what is asked for is among the {EVENTS_MAX} events that one answer looks at, here back to {until}: ask for what is older by 'until={until}'"
                )));
            }
            if self.items.is_empty() {
                return Err(Refusal::bad(format!(
                    "'offset' is beyond what one answer looks at, {EVENTS_MAX} events, here back to {until}: ask for what is older by 'until={until}' with an 'offset' of 0"
                )));
            }
        }
        Ok(Cut {
            items: self.items,
            more: stopped_at.is_some() || self.met > reach,
            total: self.met,
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
