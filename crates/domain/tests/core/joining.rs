//! What joins an incident in a storm: somebody hears of it.

use tocsin_domain::command::{AlertAsk, Ask, RespondAsk};
use tocsin_domain::id::{IncidentId, ServiceId};
use tocsin_domain::incident::{Assigned, STORM_INCIDENTS, STORM_INCIDENTS_CRITICAL};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;

use crate::world::{World, raise};

const MINUTE: u64 = 60_000;

fn trigger(world: &mut World, service: ServiceId, key: &str) {
    world.ask(raise(Some(service), key, Severity::Critical));
}

/// A watched server, and critical alerts of its service: Ada was paged for each.
fn storm(alerts: usize) -> (World, ServiceId) {
    let mut world = World::with_apache();
    let service = world.state.targets[&world.target()].service;
    for number in 0..alerts {
        trigger(&mut world, service, &format!("db{number}"));
        world.answer_all(Outcome::Accepted);
    }
    assert_eq!(world.state.incidents.len(), alerts);
    (world, service)
}

fn open(world: &World) -> Vec<IncidentId> {
    world.state.open_incidents.iter().copied().collect()
}

/// Ada takes all that is open.
fn take_all(world: &mut World) {
    let by = world.ada();
    for incident in open(world) {
        world.respond(RespondAsk::Acknowledge { incident, by });
    }
}

/// A further critical alert has an incident of its own, and Ada is paged for it.
#[track_caller]
fn is_paged_for(world: &mut World, service: ServiceId) {
    let (incidents, pages) = (world.state.incidents.len(), world.pages().len());
    trigger(world, service, "login");
    assert_eq!(world.state.incidents.len(), incidents + 1);
    assert_eq!(world.incident().title, "login fails");
    assert_eq!(world.pages().len(), pages + 1);
}

#[test]
fn what_is_critical_joins_only_what_nobody_has_taken_and_is_paged_for_else() {
    let (mut world, service) = storm(STORM_INCIDENTS_CRITICAL);
    trigger(&mut world, service, "joins");
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS_CRITICAL);
    take_all(&mut world);
    is_paged_for(&mut world, service);
    trigger(&mut world, service, "joins too");
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS_CRITICAL + 1);
    assert_eq!(world.incident().alerts.len(), 2);
}

#[test]
fn an_alert_says_that_it_joined_what_was_open() {
    let (mut world, service) = storm(STORM_INCIDENTS_CRITICAL);
    trigger(&mut world, service, "joins");
    let alerts = world.state.alerts.values();
    let joined: Vec<&str> = alerts
        .filter(|alert| alert.joined)
        .map(|alert| alert.dedup_key.as_str())
        .collect();
    assert_eq!(joined, ["joins"]);
}

#[test]
fn what_is_critical_does_not_join_what_is_snoozed() {
    let (mut world, service) = storm(STORM_INCIDENTS_CRITICAL);
    let (by, for_ms) = (world.ada(), 60 * MINUTE);
    for incident in open(&world) {
        world.respond(RespondAsk::Snooze {
            incident,
            by,
            for_ms,
        });
    }
    is_paged_for(&mut world, service);
}

#[test]
fn what_is_critical_does_not_join_the_incident_of_a_muted_server() {
    let (mut world, service) = storm(STORM_INCIDENTS_CRITICAL - 1);
    take_all(&mut world);
    world.mute(60 * MINUTE);
    world.crash();
    assert!(world.incident().suppressed.is_some());
    is_paged_for(&mut world, service);
}

#[test]
fn what_is_critical_does_not_join_what_is_quiet_for_the_sake_of_something_merged_into_it() {
    let (mut world, service) = storm(STORM_INCIDENTS_CRITICAL - 2);
    take_all(&mut world);
    trigger(&mut world, service, "disk");
    let into = world.incident().id;
    world.crash();
    world.answer_all(Outcome::Accepted);
    let sources = vec![world.incident().id];
    world.respond(RespondAsk::Merge { sources, into });
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: "disk".to_owned(),
    }));
    world.mute(60 * MINUTE);
    world.respond(RespondAsk::Reassign {
        incident: into,
        to: Assigned::People(vec![world.ada()]),
    });
    assert!(world.state.incidents[&into].suppressed.is_some());
    is_paged_for(&mut world, service);
}

#[test]
fn what_was_put_with_something_taken_as_a_warning_and_becomes_critical_is_paged_for() {
    let mut world = World::set_up();
    for number in 0..STORM_INCIDENTS {
        world.trigger(&format!("db{number}"), Severity::Error);
        world.answer_all(Outcome::Accepted);
    }
    let last = format!("db{}", STORM_INCIDENTS - 1);
    world.trigger(&last, Severity::Critical);
    world.answer_all(Outcome::Accepted);
    take_all(&mut world);
    world.trigger("disk", Severity::Warning);
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS);
    let pages = world.pages().len();
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.incident().title, "disk fails");
    assert_eq!(world.pages().len(), pages + 1);
}
