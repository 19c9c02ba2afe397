//! Jobs that must call in: missed calls, failures, restarts; compared with a reference that looks at the calls alone.

use proptest::prelude::*;

use super::{HOUR, MINUTE};
use crate::world::World;
use tocsin_domain::alert::AlertSource;
use tocsin_domain::command::{Ask, HeartbeatAsk, IntakeAsk};
use tocsin_domain::event::{AlertEvent, EventBody, IntakeEvent, RosterEvent};
use tocsin_domain::id::HeartbeatId;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::CALLS_APART_MS;
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

fn heartbeat(world: &mut World, ask: HeartbeatAsk) {
    world.ask(Ask::Intake(IntakeAsk::Heartbeat(ask)));
}

fn with_job(every_ms: u64, grace_ms: u64) -> (World, HeartbeatId) {
    let mut world = World::set_up();
    let ask = HeartbeatAsk::Set {
        id: None,
        name: "backup".to_owned(),
        service: None,
        every_ms,
        grace_ms,
        severity: Severity::Error,
        token_hash: Some("00".to_owned()),
    };
    heartbeat(&mut world, ask);
    let id = *world.state.pulses.keys().next().unwrap();
    (world, id)
}

fn call(world: &mut World, id: HeartbeatId) {
    let at = world.now;
    heartbeat(world, HeartbeatAsk::Called { heartbeat: id, at });
}

/// When alerts of the job opened.
fn missed(world: &World) -> Vec<Timestamp> {
    let opened = world.journal.iter().filter_map(|event| match &event.body {
        EventBody::Alert(AlertEvent::Opened { alert })
            if matches!(alert.source, AlertSource::Heartbeat { .. }) =>
        {
            Some(event.at)
        }
        EventBody::Alert(_)
        | EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    opened.collect()
}

#[test]
fn a_missed_call_pages_and_the_next_call_ends_it() {
    let (mut world, id) = with_job(HOUR, 5 * MINUTE);
    call(&mut world, id);
    world.wait_ms(HOUR + 5 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.incident().title, "backup has not called in time");
    world.wait_ms(10 * HOUR);
    call(&mut world, id);
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    assert_eq!(world.state.incidents.len(), 1, "one silence is one alert");
}

#[test]
fn a_job_that_never_called_is_not_missed() {
    let (mut world, _) = with_job(HOUR, MINUTE);
    world.wait_ms(100 * HOUR);
    assert!(world.state.incidents.is_empty());
}

#[test]
fn a_job_that_says_that_it_failed_pages_at_once() {
    let (mut world, id) = with_job(HOUR, MINUTE);
    call(&mut world, id);
    let message = "no space\u{7} left".to_owned();
    let failed = HeartbeatAsk::Failed {
        heartbeat: id,
        message,
    };
    heartbeat(&mut world, failed);
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.alert(id.as_str()).summary, "no space  left");
    call(&mut world, id);
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn a_job_that_has_begun_late_gets_the_grace_to_finish_and_no_more_by_beginning_again() {
    let (mut world, id) = with_job(HOUR, 10 * MINUTE);
    call(&mut world, id);
    world.wait_ms(HOUR + 8 * MINUTE);
    let at = world.now;
    let started = HeartbeatAsk::Started { heartbeat: id, at };
    heartbeat(&mut world, started);
    world.wait_ms(9 * MINUTE);
    let at = world.now;
    let started = HeartbeatAsk::Started { heartbeat: id, at };
    heartbeat(&mut world, started);
    assert_eq!(world.pages(), []);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_call_that_was_expected_while_tocsin_was_away_is_waited_for_once_more_and_only_once() {
    let (mut world, id) = with_job(HOUR, 5 * MINUTE);
    call(&mut world, id);
    // Nothing runs for two hours: time passes without a tick.
    world.now = world.now.plus_ms(2 * HOUR);
    world.ask(Ask::Recover);
    assert_eq!(missed(&world), []);
    world.wait_ms(30 * MINUTE);
    world.ask(Ask::Recover);
    world.wait_ms(35 * MINUTE - 1);
    assert_eq!(missed(&world), []);
    world.wait_ms(1);
    assert_eq!(missed(&world), [world.now]);
}

/// What was decided at a start may not be kept, and a job that calls then is not answered.
#[test]
fn a_call_that_was_expected_while_nothing_could_be_kept_is_waited_for_once_more() {
    let (mut world, id) = with_job(HOUR, 5 * MINUTE);
    call(&mut world, id);
    // Nothing can be kept for two hours: time passes without a tick.
    world.now = world.now.plus_ms(2 * HOUR);
    world.ask(Ask::Resume);
    world.wait_ms(65 * MINUTE - 1);
    assert_eq!(missed(&world), []);
    world.wait_ms(1);
    assert_eq!(missed(&world), [world.now]);
}

#[test]
fn a_call_that_is_expected_long_after_a_start_is_not_waited_for_any_longer() {
    let (mut world, id) = with_job(HOUR, MINUTE);
    call(&mut world, id);
    world.wait_ms(10 * MINUTE);
    world.ask(Ask::Recover);
    world.wait_ms(51 * MINUTE);
    assert_eq!(missed(&world), [world.now]);
}

#[test]
fn a_heartbeat_that_is_removed_or_moved_takes_its_alert_along() {
    let (mut world, id) = with_job(HOUR, MINUTE);
    call(&mut world, id);
    world.wait_ms(2 * HOUR);
    let service = world.add_service("Backups");
    let moved = HeartbeatAsk::Set {
        id: Some(id),
        name: "backup".to_owned(),
        service: Some(service),
        every_ms: HOUR,
        grace_ms: MINUTE,
        severity: Severity::Error,
        token_hash: None,
    };
    let first = world.incident().id;
    heartbeat(&mut world, moved.clone());
    let at = world.now;
    assert_eq!(missed(&world), [at.minus_ms(HOUR - MINUTE), at]);
    assert_eq!(world.incident().service, service);
    assert_eq!(world.state.incidents[&first].firing, 0);
    world.wait_ms(HOUR + MINUTE);
    let other = world.state.firing.values().next().unwrap();
    assert_eq!(
        world.state.alerts[other].title,
        "backup has not called in time"
    );
    // Set once more as it is, it is the same alert.
    heartbeat(&mut world, moved);
    assert_eq!(missed(&world).len(), 2);
    assert_eq!(world.state.incidents[&first].status, Status::Resolved);
    heartbeat(&mut world, HeartbeatAsk::Remove(id));
    world.wait_ms(10 * HOUR);
    assert!(world.state.open_incidents.is_empty());
    assert_eq!(missed(&world).len(), 2);
}

#[test]
fn a_job_that_is_moved_after_it_said_that_it_failed_fails_on_the_other_service_until_it_calls() {
    let (mut world, id) = with_job(24 * HOUR, MINUTE);
    call(&mut world, id);
    world.wait_ms(MINUTE);
    let message = "no space left".to_owned();
    let failed = HeartbeatAsk::Failed {
        heartbeat: id,
        message,
    };
    heartbeat(&mut world, failed);
    let service = world.add_service("Backups");
    let pages = world.pages().len();
    heartbeat(
        &mut world,
        HeartbeatAsk::Set {
            id: Some(id),
            name: "backup".to_owned(),
            service: Some(service),
            every_ms: 24 * HOUR,
            grace_ms: MINUTE,
            severity: Severity::Error,
            token_hash: None,
        },
    );
    let alert = *world.state.firing.values().next().unwrap();
    let alert = &world.state.alerts[&alert];
    assert_eq!(
        (alert.service, alert.summary.as_str()),
        (service, "no space left")
    );
    assert!(world.pages().len() > pages, "whoever has that service now");
    call(&mut world, id);
    assert!(world.state.firing.is_empty());
}

/// Writes a call down as the shell does: unless it says no more than the one before.
fn calls_as_the_shell(world: &mut World, id: HeartbeatId) {
    let pulse = &world.state.pulses[&id];
    let fires = world.state.fires(&pulse.alert_key()).is_some();
    if fires || !pulse.is_said(world.now) {
        call(world, id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn alarms_are_those_that_the_calls_alone_say(
        every_s in 30_u64..400,
        grace_s in 1_u64..60,
        gaps_s in prop::collection::vec(0_u64..500, 1..25),
    ) {
        let (mut world, id) = with_job(every_s * 1_000, grace_s * 1_000);
        let limit_ms = (every_s + grace_s) * 1_000;
        let mut expected = Vec::new();
        let mut last = None;
        for gap in &gaps_s {
            let at = world.now.plus_ms(gap * 1_000);
            if let Some(last) = last
                && at.ms_since(last) >= limit_ms
            {
                expected.push(last.plus_ms(limit_ms));
            }
            world.wait_ms(gap * 1_000);
            calls_as_the_shell(&mut world, id);
            last = Some(at);
        }
        prop_assert_eq!(missed(&world), expected);
        let calls = world.journal.iter().filter(|event| {
            let called = RosterEvent::Intake(IntakeEvent::HeartbeatCalled { heartbeat: id });
            event.body == EventBody::Roster(called)
        });
        let total_ms = world.now.ms_since(crate::world::START);
        let alarms = missed(&world).len();
        prop_assert!(calls.count() as u64 <= total_ms / CALLS_APART_MS + 1 + alarms as u64);
    }
}
