//! One failure is one incident: how it opens, waits, pages, is raised, relapses and ends.

use crate::world::World;
use tocsin_domain::command::{Ask, Refusal, RespondAsk, WatchAsk};
use tocsin_domain::event::{Cause, EventBody, IncidentWhat};
use tocsin_domain::id::IncidentId;
use tocsin_domain::incident::{STORM_INCIDENTS_CRITICAL, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Outcome, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;

const SUPERVISED: usize = 0;
const CLEAN_STOP: usize = 1;
const CHANGE_RUNNING: usize = 2;

#[test]
fn a_crash_opens_one_incident_and_pages_in_the_same_decision() {
    let mut world = World::with_apache();
    world.crash();
    assert_eq!(world.incident().number, 1);
    assert_eq!(world.incident().title, "Apache on webserver-01 is down");
    assert_eq!(world.pages(), [("Ada".to_owned(), ChannelKind::Email, 1)]);
}

#[test]
fn a_second_condition_of_the_same_target_joins_and_pages_nobody_anew() {
    let mut world = World::with_apache();
    world.crash();
    world.fire("apache-5xx", &[]);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().alerts.len(), 2);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_warning_pages_nobody_and_does_not_hide_a_crash_even_when_acknowledged() {
    let mut world = World::with_apache();
    world.fire("apache-config-broken", &[]);
    world.wait_ms(3_600_000);
    assert_eq!(world.pages(), []);
    world.acknowledge();
    world.crash();
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.incident().title, "Apache on webserver-01 is down");
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_clean_stop_waits_two_seconds_and_says_why() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CLEAN_STOP]);
    assert!(world.incident().hold.is_some());
    world.wait_ms(1_999);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_restart_within_the_hold_is_an_incident_without_a_page() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CLEAN_STOP]);
    world.wait_ms(900);
    world.recover("apache-down");
    world.wait_ms(60_000);
    assert_eq!(world.incident().status, Status::Resolved);
    assert_eq!(world.pages(), []);
}

#[test]
fn a_crash_loop_under_a_supervisor_pages_at_the_third_relapse() {
    let mut world = World::with_apache();
    for crash in 0..4 {
        world.fire("apache-down", &[SUPERVISED]);
        world.wait_ms(200);
        world.recover("apache-down");
        world.wait_ms(3_000);
        let paged = usize::from(crash >= 3);
        assert_eq!(world.pages().len(), paged, "after crash {crash}");
    }
    assert_eq!(world.state.incidents.len(), 1);
}

#[test]
fn a_running_upgrade_holds_the_page_until_it_is_done() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CLEAN_STOP, CHANGE_RUNNING]);
    world.wait_ms(10_000);
    assert_eq!(world.pages(), []);
    let incident = world.incident().id;
    world.ask(Ask::Alert(tocsin_domain::command::AlertAsk::HoldCleared {
        incident,
    }));
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_waits_less_long_than_another_failure_of_its_server_shares_that_wait() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CHANGE_RUNNING]);
    world.fire("apache-refusing", &[CLEAN_STOP]);
    world.wait_ms(59_999);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn an_upgrade_that_never_ends_holds_the_page_for_a_minute_at_most() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CHANGE_RUNNING]);
    world.wait_ms(59_999);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn it_resolves_after_fifteen_seconds_of_health_and_tells_who_was_paged() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world.wait_ms(5_000);
    world.recover("apache-down");
    world.wait_ms(14_999);
    assert_eq!(world.incident().status, Status::Acknowledged);
    world.wait_ms(1);
    assert_eq!(world.incident().status, Status::Resolved);
    let told = world.sending();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].purpose, Purpose::Resolved(world.incident().id));
}

#[test]
fn a_relapse_within_ten_minutes_reopens_the_same_incident_and_pages() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world.recover("apache-down");
    world.wait_ms(300_000);
    assert_eq!(world.incident().status, Status::Resolved);
    world.crash();
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn after_ten_stable_minutes_it_is_a_new_incident() {
    let mut world = World::with_apache();
    world.crash();
    world.recover("apache-down");
    world.wait_ms(15_000 + 600_000);
    world.crash();
    assert_eq!(world.incident().number, 2);
}

#[test]
fn flapping_pages_once_from_the_third_relapse_on_and_again_after_it_stays_down() {
    let mut world = World::with_apache();
    for _ in 0..6 {
        world.crash();
        world.answer_all(Outcome::Accepted);
        world.recover("apache-down");
        world.wait_ms(60_000);
    }
    // The failure itself and three relapses; the fourth and the fifth are recorded, not paged.
    assert_eq!(world.pages().len(), 4);
    assert_eq!(
        world.count(|what| matches!(what, IncidentWhat::PageSuppressed { .. })),
        2
    );
    world.crash();
    world.wait_ms(599_000);
    assert_eq!(world.pages().len(), 4);
    world.wait_ms(1_000);
    assert_eq!(
        world.pages().len(),
        5,
        "still down after ten minutes: it is no flapping any more"
    );
}

#[test]
fn a_muted_target_pages_nobody_until_the_mute_ends_or_is_taken_back() {
    for lift in [false, true] {
        let mut world = World::with_apache();
        let (target, until) = (world.target(), world.now.plus_ms(600_000));
        world.ask(Ask::Watch(WatchAsk::Mute {
            target,
            until,
            reason: "known".to_owned(),
        }));
        world.crash();
        world.wait_ms(599_999);
        assert_eq!(world.pages(), []);
        if lift {
            world.ask(Ask::Watch(WatchAsk::Unmute(target)));
        } else {
            world.wait_ms(1);
        }
        assert_eq!(world.pages().len(), 1, "lifted: {lift}");
    }
}

#[test]
fn maintenance_begins_and_ends_as_planned() {
    let mut world = World::with_apache();
    let (target, from) = (world.target(), world.now.plus_ms(60_000));
    let until = from.plus_ms(60_000);
    world.ask(Ask::Watch(WatchAsk::PlanMaintenance {
        target,
        from,
        until,
        reason: "disk swap".to_owned(),
    }));
    world.wait_ms(60_000);
    world.crash();
    assert_eq!(world.pages(), []);
    world.wait_ms(60_000);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn a_person_cannot_resolve_what_a_monitor_still_sees_failing() {
    let mut world = World::with_apache();
    world.crash();
    let incident = world.incident().id;
    let refused = world.try_ask(Ask::Respond(RespondAsk::Resolve {
        incident,
        note: None,
    }));
    assert!(matches!(refused, Err(Refusal::Conflict { why }) if why.contains("still fails")));
}

#[test]
fn switching_a_monitor_off_ends_its_alerts() {
    let mut world = World::with_apache();
    world.crash();
    let monitor = world.monitor("apache-down");
    world.ask(Ask::Watch(WatchAsk::SwitchMonitor {
        monitor,
        enabled: false,
    }));
    world.wait_ms(15_000);
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn a_key_from_outside_is_one_alert_while_open_and_resolves_at_once() {
    let mut world = World::set_up();
    world.trigger("db-1", Severity::Critical);
    world.trigger("db-1", Severity::Critical);
    world.trigger("db-2", Severity::Warning);
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.pages().len(), 1);
    let service = world.state.installation.as_ref().unwrap().default_service;
    let ask = tocsin_domain::command::AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: "db-1".to_owned(),
    };
    world.ask(Ask::Alert(ask.clone()));
    assert_eq!(world.state.open_incidents.len(), 1);
    let ignored = world.ask(Ask::Alert(ask));
    assert!(
        matches!(&ignored[0].body, EventBody::Input(_)),
        "a resolve without a match is recorded"
    );
}

#[test]
fn a_worse_repeat_raises_the_incident_and_pages() {
    let mut world = World::set_up();
    world.trigger("db-1", Severity::Warning);
    assert_eq!(world.pages(), []);
    world.trigger("db-1", Severity::Critical);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn following_causes_back_from_a_page_leads_to_the_sample() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CLEAN_STOP]);
    world.wait_ms(2_000);
    let is_attempt = |event: &&tocsin_domain::event::Event| {
        matches!(&event.body, EventBody::Notification(message)
            if matches!(message.what, tocsin_domain::event::NotificationWhat::AttemptStarted { .. }))
    };
    let mut event = world.journal.iter().find(is_attempt).unwrap();
    let mut steps = 0;
    while let Cause::Event { position } = event.cause {
        event = world
            .journal
            .iter()
            .find(|one| one.position == position)
            .unwrap();
        steps += 1;
    }
    assert!(
        matches!(&event.cause, Cause::Sample { .. }),
        "{:?}",
        event.cause
    );
    assert!(steps >= 3, "attempt, plan, level, hold: {steps}");
}

#[test]
fn the_journal_folds_to_the_same_state_and_survives_json() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Failed);
    world.wait_ms(2_000_000);
    world.recover("apache-down");
    world.wait_ms(20_000);
    let mut again = State::default();
    for event in &world.journal {
        let text = serde_json::to_string(event).unwrap();
        let read = serde_json::from_str(&text).unwrap();
        assert_eq!(event, &read, "{text}");
        again.evolve(&read);
    }
    assert_eq!(again, world.state);
}

#[test]
fn in_a_storm_what_pages_joins_no_incident_that_somebody_has_taken() {
    let mut world = World::set_up();
    for number in 0..STORM_INCIDENTS_CRITICAL {
        world.trigger(&format!("db{number}"), Severity::Critical);
        world.answer_all(Outcome::Accepted);
    }
    world.trigger("queue", Severity::Critical);
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS_CRITICAL);
    let by = world.ada();
    let open = world.state.open_incidents.iter().copied();
    for incident in open.collect::<Vec<IncidentId>>() {
        world.respond(RespondAsk::Acknowledge { incident, by });
    }
    let before = world.pages().len();
    world.trigger("login", Severity::Critical);
    world.trigger("cart", Severity::Critical);
    assert_eq!(world.pages().len(), before + 1, "one page for both");
    assert_eq!(world.incident().title, "login fails");
    assert_eq!(world.incident().alerts.len(), 2);
}
