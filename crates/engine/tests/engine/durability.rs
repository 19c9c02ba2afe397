//! What survives a kill, and what a full disk does.

use tocsin_domain::command::{AlertAsk, Ask};
use tocsin_domain::monitor::Severity;
use tocsin_engine::{AskError, Effect};

use crate::fakes::{Rig, Samples};

const DOWN: Samples<'_> = &[
    ("apache_parent_up", &[], 0.0),
    ("apache_exit_clean", &[], 0.0),
    ("apache_listener_refused", &[], 1.0),
];
const UP: Samples<'_> = &[
    ("apache_parent_up", &[], 1.0),
    ("apache_listener_refused", &[], 0.0),
];

fn trigger(key: &str) -> Ask {
    Ask::Alert(AlertAsk::Trigger {
        service: None,
        integration: None,
        dedup_key: Some(key.to_owned()),
        severity: Severity::Critical,
        title: key.to_owned(),
        summary: String::new(),
        details: Vec::new(),
        at: None,
    })
}

#[test]
fn a_sample_that_was_stored_but_not_judged_before_a_kill_pages_after_the_start() {
    let mut rig = Rig::new();
    rig.pass_ms(1_000);
    rig.arrive(UP);
    rig.pass_ms(6_000);
    rig.arrive(UP);
    rig.pass_ms(100);
    rig.store_only(DOWN);
    rig.now = rig.now.plus_ms(100);
    let rig = rig.killed_and_started_again();
    assert_eq!(rig.titles().len(), 1);
    assert_eq!(rig.sends(), 1);
}

#[test]
fn a_failure_that_came_and_went_between_store_and_kill_is_recorded_too() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.pass_ms(6_000);
    rig.arrive(UP);
    rig.now = rig.now.plus_ms(1_000);
    rig.store_only(DOWN);
    rig.now = rig.now.plus_ms(1_000);
    rig.store_only(UP);
    let rig = rig.killed_and_started_again();
    assert_eq!(rig.titles().len(), 1, "its transition is not lost");
}

#[test]
fn an_attempt_under_way_at_a_kill_is_made_again_after_the_start() {
    let mut rig = Rig::new();
    rig.ask(trigger("db-1")).unwrap();
    assert_eq!(rig.sends(), 1);
    let first = rig.effects.0.lock().unwrap()[0].clone();
    let rig = rig.killed_and_started_again();
    let again = rig.effects.0.lock().unwrap()[0].clone();
    let (
        Effect::Send {
            notification: before,
            number: 1,
        },
        Effect::Send {
            notification: after,
            number: 2,
        },
    ) = (first, again)
    else {
        panic!("the same message, its second attempt");
    };
    assert_eq!(before, after);
}

#[test]
fn a_full_disk_refuses_the_command_keeps_nothing_and_sends_nothing() {
    let mut rig = Rig::new();
    rig.journal.0.lock().unwrap().full = true;
    let answer = rig.ask(trigger("db-1"));
    assert!(matches!(answer, Err(AskError::NotDurable(failure)) if failure.disk_full));
    assert_eq!(rig.sends(), 0);
    assert_eq!(rig.titles(), Vec::<String>::new());
    rig.journal.0.lock().unwrap().full = false;
    rig.ask(trigger("db-1")).unwrap();
    assert_eq!(rig.titles(), ["db-1"]);
    let positions: Vec<u64> = rig
        .journal
        .0
        .lock()
        .unwrap()
        .events
        .iter()
        .map(|event| event.position)
        .collect();
    assert!(
        positions.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "no gap: {positions:?}"
    );
}

#[test]
fn what_a_full_disk_kept_from_being_detected_is_detected_when_there_is_space() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.journal.0.lock().unwrap().full = true;
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    assert_eq!(rig.sends(), 0);
    rig.journal.0.lock().unwrap().full = false;
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    assert_eq!(rig.sends(), 1);
}
