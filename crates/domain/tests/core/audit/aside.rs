//! What is left alone after panics, and what could not be decided.

use std::collections::BTreeSet;

use tocsin_domain::audit::{About, Finding, FindingKind, leaves_an_incident_alone};
use tocsin_domain::command::{Ask, HeartbeatAsk, IntakeAsk};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::monitor::Severity;
use tocsin_domain::state::{PANICS_MAX, Subject};

use super::{MINUTE, check, paged};
use crate::world::World;

/// A job calls in every hour.
fn add_heartbeat(world: &mut World, name: &str) {
    world.ask(Ask::Intake(IntakeAsk::Heartbeat(HeartbeatAsk::Set {
        id: None,
        name: name.to_owned(),
        service: None,
        every_ms: 60 * MINUTE,
        grace_ms: MINUTE,
        severity: Severity::Error,
        token_hash: Some(name.to_owned()),
    })));
}

#[test]
fn an_incident_that_is_left_alone_is_found_as_such_until_it_is_over() {
    let mut world = paged();
    let incident = world.incident().id;
    let subject = Subject::Incident(incident);
    // For a while it may still do better.
    world.state.set_aside(subject, PANICS_MAX - 1);
    assert!(!leaves_an_incident_alone(&world.state));
    check(&world.found_after(0), &[]);
    world.state.set_aside(subject, PANICS_MAX);
    assert!(leaves_an_incident_alone(&world.state));
    let left = [(
        FindingKind::SetAside,
        "incident #1 is left alone by a fault of Tocsin itself",
    )];
    let found = world.found_after(0);
    check(&found, &left);
    assert_eq!(found[0].about, About::Incident(incident));
    // That it is late by then is no news.
    check(&world.found_after(6 * MINUTE), &left);
    world.break_by(IncidentWhat::Resolved {
        why: "somebody did".to_owned(),
    });
    assert!(!leaves_an_incident_alone(&world.state));
    check(&world.found_after(0), &[]);
}

#[test]
fn what_is_left_alone_is_not_due_until_it_is_taken_back() {
    let mut world = paged();
    let subject = Subject::Incident(world.incident().id);
    let due = world.state.next_due();
    assert!(due.is_some());
    world.state.set_aside(subject, 1);
    assert_ne!(world.state.next_due(), due);
    world.state.take_back(subject);
    assert_eq!(world.state.next_due(), due);
}

#[test]
fn a_command_that_could_not_be_decided_is_told_for_a_quarter_of_an_hour() {
    let mut world = paged();
    world.state.note_broken("alert", world.now);
    let undecided = [(FindingKind::Undecided, "alert was asked at")];
    check(&world.found_after(0), &undecided);
    world.wait_ms(4 * MINUTE);
    check(&world.found_after(0), &undecided);
    world.state.note_broken("alert", world.now);
    check(
        &world.found_after(0),
        &[(FindingKind::Undecided, "2 since the start")],
    );
}

#[test]
fn each_thing_that_is_left_alone_is_told_as_one_of_its_own() {
    let mut world = paged();
    for name in ["backup", "report"] {
        add_heartbeat(&mut world, name);
    }
    let incident = world.incident().id;
    let alerts = world.state.alerts.keys().copied().map(Subject::Alert);
    let heartbeats = world.state.pulses.keys().copied().map(Subject::Heartbeat);
    let mut aside: Vec<Subject> = alerts.chain(heartbeats).collect();
    aside.push(Subject::Incident(incident));
    assert_eq!(aside.len(), 4);
    for subject in &aside {
        world.state.set_aside(*subject, PANICS_MAX);
    }
    let found = world.found_after(0);
    let keys: BTreeSet<_> = found.iter().map(Finding::key).collect();
    assert_eq!(keys.len(), aside.len(), "{found:?}");
}

#[test]
fn what_could_not_be_decided_is_told_before_what_is_left_alone() {
    let mut world = paged();
    let subject = Subject::Incident(world.incident().id);
    world.state.set_aside(subject, PANICS_MAX);
    world.state.note_broken("alert", world.now);
    let both = [
        (FindingKind::Undecided, "pages nobody"),
        (FindingKind::SetAside, "incident #1 is left alone"),
    ];
    check(&world.found_after(0), &both);
}
