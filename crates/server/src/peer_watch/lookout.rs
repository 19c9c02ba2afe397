//! Takes in one answer of the peer after the other, and says what is to be told to whom. Pure: it asks and sends nothing, and is told
//! what time it is.

use std::time::Duration;

use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;

use super::failing::Failing;
use super::judge::{Judge, Reading};
use super::outage::{Due, Outage, Patience};

/// When an answer came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// How long the watcher has run.
    pub(crate) ran: Duration,
    /// What the clock says, which may be set.
    pub(crate) now: Timestamp,
}

/// What an answer means.
#[derive(Debug)]
pub(crate) struct Found {
    /// What is wrong with the peer, if anything is.
    pub(crate) wrong: Option<String>,
    /// What is to be told now.
    pub(crate) due: Option<Due>,
}

/// What is known of the peer.
pub(crate) struct Lookout {
    judge: Judge,
    failing: Failing,
    outage: Outage,
}

impl Lookout {
    /// One that goes on with what was known before a restart.
    pub(crate) fn new(outage: Outage) -> Self {
        Self {
            judge: Judge::default(),
            failing: Failing::default(),
            outage,
        }
    }

    /// Takes in an answer.
    pub(crate) fn take_in(
        &mut self,
        reading: &Reading,
        moment: Moment,
        patience: Patience,
        places: &[String],
    ) -> Found {
        let wrong = self.judge.trouble(reading, moment.ran);
        let fails_ms = Duration::from_millis(patience.fails_ms);
        let fails_for = self.failing.seen(wrong.is_none(), moment.ran, fails_ms);
        let due = self.outage.seen(fails_for, moment.now, patience, places);
        Found { wrong, due }
    }

    /// Takes in what became of what was due: of each place its outcome, in the same order.
    pub(crate) fn went(
        &mut self,
        due: &Due,
        outcomes: &[Outcome],
        now: Timestamp,
        places: &[String],
    ) {
        self.outage.went(due, outcomes, now, places);
    }

    /// What is to be remembered over a restart.
    pub(crate) const fn outage(&self) -> &Outage {
        &self.outage
    }
}

#[cfg(test)]
mod tests;
