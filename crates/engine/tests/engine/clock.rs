//! A clock that is set back, in the middle of a run, while nothing can be made durable, and between two runs.

use tocsin_domain::command::{AlertAsk, Ask};
use tocsin_domain::monitor::Severity;

use crate::fakes::{Fault, Rig};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// A critical alert that was paged for; the level after it is due in five minutes.
fn paged() -> Rig {
    let mut rig = Rig::new();
    let ask = Ask::Alert(AlertAsk::Trigger {
        service: None,
        integration: None,
        dedup_key: None,
        severity: Severity::Critical,
        title: "it fails".to_owned(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    });
    rig.ask(ask).unwrap();
    rig
}

impl Rig {
    fn remaining_ms(&self) -> u64 {
        let next = self.incidents()[0]
            .paging
            .as_ref()
            .and_then(|paging| paging.next_at);
        next.expect("the next level is due some time")
            .ms_since(self.now)
    }

    fn set_back(&mut self, by_ms: u64) {
        self.now = self.now.minus_ms(by_ms);
    }
}

#[test]
fn what_waits_waits_no_longer_than_before() {
    let mut rig = paged();
    let delay = rig.remaining_ms();
    rig.pass_ms(MINUTE);
    rig.set_back(HOUR);
    rig.pass_ms(1_000);
    assert_eq!(rig.remaining_ms(), delay - MINUTE, "a second is lost");
    rig.pass_ms(1_000);
    assert_eq!(rig.remaining_ms(), delay - MINUTE - 1_000);
}

#[test]
fn a_set_back_whose_commit_fails_is_told_once_as_soon_as_one_does_not() {
    for fault in [Fault::Full, Fault::Gone] {
        let mut rig = paged();
        let delay = rig.remaining_ms();
        rig.break_journal(fault);
        rig.set_back(HOUR);
        rig.pass_ms(0);
        rig.pass_ms(5_000);
        assert_eq!(
            rig.remaining_ms(),
            delay + HOUR - 5_000,
            "nothing is kept yet"
        );
        rig.break_journal(Fault::None);
        rig.pass_ms(5_000);
        rig.pass_ms(5_000);
        assert_eq!(rig.remaining_ms(), delay - 15_000);
    }
}

#[test]
fn a_clock_that_was_set_back_while_nothing_ran_is_noticed_at_the_start() {
    let mut rig = paged();
    let delay = rig.remaining_ms();
    rig.set_back(HOUR);
    let mut rig = rig.killed_and_started_again();
    assert_eq!(rig.remaining_ms(), delay);
    rig.pass_ms(MINUTE);
    let rig = rig.killed_and_started_again();
    assert_eq!(rig.remaining_ms(), delay - MINUTE, "it is not told again");
}
