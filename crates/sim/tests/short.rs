//! A short run of everything that the simulator does; the long one is `cargo xtask sim`.

use std::time::Duration;

use tocsin_domain::bugs::{self, Bug};
use tocsin_sim::{FAULTS, Fault, Goal, Plan, Tally, campaign, hunt, run};

#[test]
fn some_worlds_of_faults_end_well_and_give_the_same_events_again() {
    let result = campaign(Goal {
        days: 12,
        crashes: 30,
        seed: 1_000,
        days_each: 3,
        twice_every: 2,
        is_told: false,
        goes_on: false,
    });
    assert_eq!(result.failures, []);
    let tally = result.tally;
    assert!(tally.incidents > 200 && tally.run_twice > 0, "{tally:?}");
}

#[test]
fn another_seed_gives_other_events() {
    let world = |seed| {
        run(Plan {
            seed,
            days: 1,
            trace: false,
        })
        .fingerprint
    };
    assert_eq!(world(1), world(1));
    assert_ne!(world(1), world(2));
}

#[test]
fn a_long_run_lacks_each_fault_that_was_played_too_seldom_and_incidents_that_were_not_opened() {
    let mut tally = Tally::default();
    assert_eq!(tally.lacks_of_a_long_run().len(), FAULTS.len() + 1);
    for _ in 0..1_000 {
        FAULTS.iter().for_each(|fault| tally.note(*fault));
    }
    tally.incidents = 200_000;
    assert_eq!(tally.lacks_of_a_long_run(), Vec::<String>::new());
    let mut without = Tally::default();
    let played = FAULTS.iter().filter(|fault| **fault != Fault::Storm);
    for fault in played {
        (0..1_000).for_each(|_| without.note(*fault));
    }
    without.incidents = 199_999;
    assert_eq!(
        without.lacks_of_a_long_run(),
        ["Storm 0 times of 1000", "199999 incidents of 200000"]
    );
}

#[test]
fn bugs_that_are_let_loose_are_caught() {
    const { assert!(bugs::EXIST, "this test is built with the switches") };
    for bug in [
        Bug::InFlightAtRestartIsFailed,
        Bug::OneHourHoleInShifts,
        Bug::AlertsOnlyInMemory,
        Bug::RepeatUnderNewKey,
        Bug::LateOutcomeCountedTwice,
        Bug::NextDueIgnoresMessages,
        Bug::EffectsBeforeCommit,
        Bug::MissedCallForgottenUnderWork,
        Bug::RulesFollowedToTheEnd,
        Bug::GroupForgetsItsIncident,
        Bug::GroupHidesInWhatIsTaken,
        Bug::TakenStaysWithWhoIsGone,
        Bug::OldEndEndsWhatBeganSince,
        Bug::TakenFromStillPaged,
        Bug::TurnMovesBack,
        Bug::NextAccountForgotten,
        Bug::UntriedForgotten,
    ] {
        let catch = hunt(bug, 1, 2, Duration::from_secs(60));
        assert!(catch.caught.is_some(), "{catch:?}");
    }
}
