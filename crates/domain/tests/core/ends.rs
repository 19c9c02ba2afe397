//! What is said of how incidents and alerts end: seen healthy, said to be over, or closed, and by whom.

use tocsin_domain::command::{
    AlertAsk, Ask, Command, HeartbeatAsk, IntakeAsk, RespondAsk, WatchAsk,
};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, AlertEvent, Event, EventBody, IncidentWhat};
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;

use crate::world::World;

/// Ada asks for something herself.
fn by_ada(world: &mut World, ask: Ask) {
    let actor = Actor::Person { user: world.ada() };
    let command = Command { actor, ask };
    let events = decide(&mut world.state, command, world.now, &mut world.entropy).unwrap();
    world.journal.extend(events);
}

/// Why alerts were closed, in order; nothing for each that recovered.
fn closed(world: &World) -> Vec<Option<String>> {
    let ends = world.journal.iter().filter_map(|event| {
        let EventBody::Alert(AlertEvent::Recovered { closed, .. }) = &event.body else {
            return None;
        };
        Some(closed.clone())
    });
    ends.collect()
}

fn end(world: &World) -> (&Event, &str) {
    let mut events = world.journal.iter().rev();
    let found = events.find_map(|event| {
        let Some(IncidentWhat::Resolved { why }) = event.body.incident_part() else {
            return None;
        };
        Some((event, why.as_str()))
    });
    found.unwrap()
}

fn healthy(world: &World) -> usize {
    world.count(|what| matches!(what, IncidentWhat::Recovered { closed: None }))
}

#[test]
fn what_a_person_ends_was_ended_by_that_person_and_seen_healthy_by_nobody() {
    let mut world = World::set_up();
    world.trigger("db", Severity::Critical);
    let (incident, note) = (world.incident().id, None);
    by_ada(
        &mut world,
        Ask::Respond(RespondAsk::Resolve { incident, note }),
    );
    assert_eq!(world.incident().status, Status::Resolved);
    let (event, why) = end(&world);
    assert_eq!(why, "a person resolved it");
    assert_eq!(event.actor, Actor::Person { user: world.ada() });
    assert!(event.is_resolved_by_hand());
    let told = "a person resolved the incident".to_owned();
    assert_eq!(closed(&world), [Some(told)]);
    let all = world.count(|what| matches!(what, IncidentWhat::Recovered { .. }));
    assert_eq!(all, 0, "nobody saw it healthy");
    world.check_replay();
}

#[test]
fn what_its_sender_ends_recovered() {
    let mut world = World::set_up();
    world.trigger("db", Severity::Critical);
    let service = world.state.installation.as_ref().unwrap().default_service;
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: "db".to_owned(),
    }));
    let (event, why) = end(&world);
    assert_eq!(why, "whoever raised it says that it is over");
    assert!(!event.is_resolved_by_hand());
    assert_eq!((closed(&world), healthy(&world)), (vec![None], 1));
}

#[test]
fn what_is_watched_no_longer_says_why_it_ended() {
    let ends = |change: fn(&World) -> WatchAsk, why: &str| {
        let mut world = World::with_apache();
        world.crash();
        let ask = change(&world);
        world.ask(Ask::Watch(ask));
        world.wait_ms(15_000);
        assert_eq!(closed(&world), [Some(why.to_owned())]);
        assert_eq!(healthy(&world), 0);
        assert!(end(&world).1.ends_with(why), "{:?}", end(&world));
    };
    ends(
        |world| WatchAsk::SwitchMonitor {
            monitor: world.monitor("apache-down"),
            enabled: false,
        },
        "its monitor was switched off",
    );
    ends(
        |world| WatchAsk::Remove(world.target()),
        "its target was removed",
    );
}

/// Of two failures of a server, one is watched no longer.
fn closed_beside_what_fails() -> World {
    let mut world = World::with_apache();
    world.crash();
    world.fire("apache-5xx", &[]);
    let monitor = world.monitor("apache-down");
    let enabled = false;
    world.ask(Ask::Watch(WatchAsk::SwitchMonitor { monitor, enabled }));
    world
}

#[test]
fn what_was_closed_beside_what_recovered_is_not_said_to_have_been_healthy() {
    let mut world = closed_beside_what_fails();
    world.recover("apache-5xx");
    world.wait_ms(15_000);
    assert_eq!(healthy(&world), 0);
    assert!(end(&world).1.contains("not all were seen healthy"));
}

#[test]
fn what_was_closed_before_a_merge_is_told_when_the_rest_is_over() {
    let mut world = closed_beside_what_fails();
    let sources = vec![world.incident().id];
    world.trigger("shop", Severity::Critical);
    let into = world.incident().id;
    world.respond(RespondAsk::Merge { sources, into });
    world.recover("apache-5xx");
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service: world.state.installation.as_ref().unwrap().default_service,
        integration: None,
        dedup_key: "shop".to_owned(),
    }));
    assert_eq!(healthy(&world), 0);
    let why = end(&world).1;
    assert!(why.contains("not all were said to be over"), "{why}");
}

#[test]
fn the_alert_of_a_removed_heartbeat_says_so() {
    let mut world = World::set_up();
    let token_hash = Some("00".to_owned());
    world.ask(Ask::Intake(IntakeAsk::Heartbeat(HeartbeatAsk::Set {
        id: None,
        name: "Backup".to_owned(),
        service: None,
        every_ms: 60_000,
        grace_ms: 60_000,
        severity: Severity::Error,
        token_hash,
    })));
    let id = *world.state.pulses.keys().next().unwrap();
    let failed = HeartbeatAsk::Failed {
        heartbeat: id,
        message: "no space".to_owned(),
    };
    for ask in [failed, HeartbeatAsk::Remove(id)] {
        world.ask(Ask::Intake(IntakeAsk::Heartbeat(ask)));
    }
    assert_eq!(
        closed(&world),
        [Some("its heartbeat was removed".to_owned())]
    );
}

#[test]
fn a_reopening_is_somebodys_and_no_return_of_the_failure() {
    let mut world = World::set_up();
    world.trigger("db", Severity::Critical);
    let (incident, note) = (world.incident().id, None);
    world.respond(RespondAsk::Resolve { incident, note });
    by_ada(&mut world, Ask::Respond(RespondAsk::Reopen { incident }));
    let reopened = world
        .journal
        .iter()
        .find(|event| event.is_reopened_by_hand());
    assert_eq!(reopened.unwrap().actor, Actor::Person { user: world.ada() });
    assert_eq!(world.incident().relapses, 0);
}

#[test]
fn records_from_before_ends_had_reasons_still_read() {
    let read: IncidentWhat = serde_json::from_str(r#"{"kind":"recovered"}"#).unwrap();
    assert_eq!(read, IncidentWhat::Recovered { closed: None });
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(written, r#"{"kind":"recovered"}"#);
}
