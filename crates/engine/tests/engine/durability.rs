//! What survives a kill, and what a full disk does.

use std::sync::Arc;

use tocsin_domain::command::{
    AlertAsk, Ask, Command, HeartbeatAsk, IntakeAsk, Labelled, RespondAsk,
};
use tocsin_domain::event::Actor;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::state::State;
use tocsin_engine::{AskError, Effect};

use crate::fakes::{DOWN, Fault, Rig, START, Still, UP, trigger};

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
    rig.break_journal(Fault::Full);
    let answer = rig.ask(trigger("db-1"));
    assert!(matches!(answer, Err(AskError::NotDurable(failure)) if failure.disk_full));
    assert_eq!(rig.sends(), 0);
    assert_eq!(rig.titles(), Vec::<String>::new());
    rig.break_journal(Fault::None);
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
    rig.break_journal(Fault::Full);
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    assert_eq!(rig.sends(), 0);
    rig.break_journal(Fault::None);
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    assert_eq!(rig.sends(), 1);
}

/// The journal's positions, each once and without a gap, and the state that everybody sees is their fold.
fn nothing_is_lost_or_doubled(rig: &Rig) {
    let events = rig.journal.0.lock().unwrap().events.clone();
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    let expected: Vec<u64> = (1..=positions.len() as u64).collect();
    assert_eq!(positions, expected);
    let mut folded = State::default();
    events.iter().for_each(|event| folded.evolve(event));
    assert!(rig.read(|state| *state == folded));
}

#[test]
fn a_commit_that_was_kept_although_an_error_was_told_is_a_success() {
    let mut rig = Rig::new();
    rig.break_journal(Fault::LandsThenFails);
    rig.ask(trigger("db-1")).unwrap();
    assert_eq!(rig.titles(), ["db-1"]);
    assert_eq!(rig.sends(), 1);
    nothing_is_lost_or_doubled(&rig);
    rig.ask(trigger("db-2")).unwrap();
    assert_eq!(rig.titles(), ["db-1", "db-2"]);
    nothing_is_lost_or_doubled(&rig);
}

#[test]
fn a_commit_of_unknown_fate_is_taken_up_once_the_journal_can_be_read_and_detection_goes_on() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.pass_ms(1_000);
    rig.break_journal(Fault::LandsThenGone);
    rig.arrive(DOWN);
    assert_eq!(rig.titles(), Vec::<String>::new(), "nobody can know it yet");
    assert!(rig.ask(trigger("db-1")).is_err());
    rig.break_journal(Fault::None);
    rig.pass_ms(2_000);
    assert_eq!(rig.titles().len(), 1);
    assert_eq!(rig.sends(), 1, "paged once");
    nothing_is_lost_or_doubled(&rig);
    rig.pass_ms(1_000);
    rig.arrive(UP);
    rig.pass_ms(15_000);
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
    nothing_is_lost_or_doubled(&rig);
}

#[test]
fn a_journal_that_is_ahead_of_the_state_is_read_before_anything_else_is_decided() {
    let mut rig = Rig::new();
    rig.break_journal(Fault::LandsThenGone);
    assert!(rig.ask(trigger("db-1")).is_err());
    rig.break_journal(Fault::None);
    rig.ask(trigger("db-1")).unwrap();
    assert_eq!(rig.titles(), ["db-1"], "not a second incident");
    assert_eq!(rig.sends(), 1);
    nothing_is_lost_or_doubled(&rig);
}

#[test]
fn commits_that_fail_are_tried_again_ever_more_slowly_and_what_arrives_meanwhile_is_judged() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.break_journal(Fault::Full);
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    let tries = || rig.journal.0.lock().unwrap().tries;
    let before = tries();
    let mut steps = 0;
    while rig.now < START.plus_ms(61_000) {
        let due = rig.core.next_due().unwrap();
        assert!(due > rig.now, "something overdue would spin");
        rig.now = due;
        rig.core.step(Vec::new(), Vec::new(), due);
        steps += 1;
    }
    let tries = rig.journal.0.lock().unwrap().tries - before;
    assert!(steps < 40 && tries <= steps, "{steps} steps, {tries} tries");

    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.break_journal(Fault::Full);
    assert!(rig.ask(trigger("db-1")).is_err());
    rig.break_journal(Fault::None);
    rig.pass_ms(10);
    rig.arrive(DOWN);
    rig.pass_ms(10);
    rig.arrive(UP);
    rig.pass_ms(100);
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 is down: its parent process ended without a word"],
        "it came and went while commits failed"
    );
}

#[test]
fn a_journal_that_takes_commits_again_is_noticed_with_nothing_to_do() {
    let mut rig = Rig::new();
    rig.break_journal(Fault::Full);
    assert!(rig.ask(trigger("db-1")).is_err());
    let soon = rig.core.next_due().unwrap();
    assert!(soon.ms_since(rig.now) <= 2_000);
    rig.break_journal(Fault::None);
    let before = rig.journal.0.lock().unwrap().tries;
    rig.pass_ms(2_000);
    assert_eq!(rig.journal.0.lock().unwrap().tries, before + 1);
    rig.pass_ms(2_000);
    assert_eq!(rig.journal.0.lock().unwrap().tries, before + 1);
}

#[test]
fn the_thread_answers_a_knock_and_ends_with_the_reason_when_another_server_took_over() {
    let Rig {
        core, journal, now, ..
    } = Rig::new();
    let (engine, thread) = tocsin_engine::start(core, Arc::new(Still(now)));
    let (sender, receiver) = std::sync::mpsc::channel();
    engine.knock(move || sender.send(()).unwrap()).unwrap();
    receiver.recv().unwrap();
    journal.0.lock().unwrap().fault = Fault::TakenOver;
    let command = Command {
        actor: Actor::System,
        ask: trigger("db-1"),
    };
    assert!(matches!(
        engine.ask_and_wait(command),
        Err(AskError::NotDurable(_))
    ));
    let ended = thread.join().unwrap();
    assert_eq!(ended.unwrap_err().why, "another server");
    assert_eq!(engine.knock(|| ()), Err(AskError::Stopped));
}

#[test]
fn evidence_is_asked_for_once_when_a_start_resolves_an_incident() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    rig.pass_ms(1_000);
    rig.arrive(UP);
    rig.now = rig.now.plus_ms(60_000);
    let rig = rig.killed_and_started_again();
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
    let freezes = |rig: &Rig| {
        let noted = rig.effects.0.lock().unwrap();
        let freezes = noted
            .iter()
            .filter(|effect| matches!(effect, Effect::Freeze { .. }));
        freezes.count()
    };
    assert_eq!(freezes(&rig), 1);
    let rig = rig.killed_and_started_again();
    assert_eq!(
        freezes(&rig),
        1,
        "nothing was frozen, so it is asked for again"
    );
}

#[test]
fn a_clock_that_was_set_back_does_not_blind_the_monitors() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.now = START.minus_ms(7_200_000);
    rig.pass_ms(1_000);
    rig.arrive(UP);
    rig.pass_ms(1_000);
    rig.arrive(DOWN);
    assert_eq!(rig.titles().len(), 1);
    assert_eq!(rig.sends(), 1);
    let noted = rig.journal.0.lock().unwrap().notes[tocsin_engine::core::EVALUATED_TO].clone();
    assert_eq!(noted, rig.now.as_millis().to_string());
}

#[test]
fn a_late_arrival_is_no_clock_that_was_set_back() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.pass_ms(120_000);
    rig.arrive(UP);
    rig.now = rig.now.minus_ms(90_000);
    let late = rig.store_only(DOWN);
    rig.now = rig.now.plus_ms(90_100);
    let now = rig.now;
    rig.core.step(Vec::new(), vec![late], now);
    assert_eq!(rig.titles(), Vec::<String>::new(), "it was up later");
}

/// An alert fires that is said again every minute or so.
fn with_labelled() -> Rig {
    let mut rig = Rig::new();
    let labelled = Labelled {
        service: None,
        integration: None,
        dedup_key: "a".to_owned(),
        severity: Severity::Critical,
        title: "it fails".to_owned(),
        summary: String::new(),
        details: Vec::new(),
        starts_at: rig.now,
        ends_at: rig.now.plus_ms(240_000),
    };
    let ask = Ask::Alert(AlertAsk::Labelled(Box::new(labelled)));
    rig.ask(ask).unwrap();
    rig
}

fn firing(rig: &Rig) -> usize {
    rig.read(|state| state.firing.len())
}

#[test]
fn an_alert_that_may_have_been_said_again_in_vain_is_over_no_sooner_than_it_can_have_been_again() {
    for restart in [false, true] {
        let mut rig = with_labelled();
        if restart {
            rig.now = rig.now.plus_ms(600_000);
            rig = rig.killed_and_started_again();
        } else {
            rig.break_journal(Fault::Full);
            rig.pass_ms(600_000);
            rig.pass_ms(5_000);
            rig.break_journal(Fault::None);
            rig.pass_ms(5_000);
        }
        rig.watch_ms(299_999);
        assert_eq!(firing(&rig), 1, "after a restart: {restart}");
        rig.pass_ms(1);
        assert_eq!(firing(&rig), 0, "after a restart: {restart}");
    }
}

#[test]
fn a_process_that_was_held_up_does_not_take_what_it_did_not_hear_for_silence() {
    let mut rig = with_labelled();
    let (incident, by) = rig.read(|state| {
        let incident = *state.incidents.keys().next().unwrap();
        (incident, *state.users.keys().next().unwrap())
    });
    let taken = RespondAsk::Acknowledge { incident, by };
    rig.ask(Ask::Respond(taken)).unwrap();
    // The machine is suspended for ten minutes.
    rig.pass_ms(600_000);
    rig.watch_ms(299_999);
    assert_eq!(firing(&rig), 1, "its sender has had no time to say it");
    assert_eq!(rig.incidents()[0].status, Status::Acknowledged);
    rig.watch_ms(1);
    assert_eq!(firing(&rig), 0);
}

#[test]
fn a_call_that_a_job_may_have_made_while_the_process_was_held_up_is_waited_for_once_more() {
    for is_held_up in [false, true] {
        let mut rig = Rig::new();
        let ask = |ask| Ask::Intake(IntakeAsk::Heartbeat(ask));
        rig.ask(ask(HeartbeatAsk::Set {
            id: None,
            name: "backup".to_owned(),
            service: None,
            every_ms: 600_000,
            grace_ms: 60_000,
            severity: Severity::Error,
            token_hash: Some("00".to_owned()),
        }))
        .unwrap();
        let heartbeat = rig.read(|state| *state.pulses.keys().next().unwrap());
        let at = rig.now;
        rig.ask(ask(HeartbeatAsk::Called { heartbeat, at }))
            .unwrap();
        if is_held_up {
            rig.pass_ms(660_000);
        } else {
            rig.watch_ms(660_000);
        }
        assert_eq!(firing(&rig), usize::from(!is_held_up));
        rig.watch_ms(660_000);
        assert_eq!(firing(&rig), 1, "it is missed then");
    }
}
