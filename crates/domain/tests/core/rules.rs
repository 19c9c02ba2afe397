//! Alerts of rules: one incident per rule and service, told once, over when the rule says so.

use crate::world::{World, sample};
use tocsin_domain::alert::AlertSource;
use tocsin_domain::command::{AlertAsk, Ask, RespondAsk, RuleFired};
use tocsin_domain::event::{Actor, Cause, EventBody};
use tocsin_domain::id::TargetId;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;

fn fired(world: &World, key: &str) -> RuleFired {
    RuleFired {
        group: "web".to_owned(),
        rule: "Down".to_owned(),
        service: None,
        target: None,
        dedup_key: key.to_owned(),
        severity: Severity::Critical,
        title: format!("{key} is down"),
        summary: String::new(),
        details: vec![("instance".to_owned(), key.to_owned())],
        at: world.now,
        evidence: vec![sample(world.now)],
    }
}

fn fire(world: &mut World, key: &str) {
    let fired = fired(world, key);
    world.ask(Ask::Alert(AlertAsk::RuleFired(Box::new(fired))));
}

fn resolve(world: &mut World, key: &str) {
    let at = world.now;
    world.ask(Ask::Alert(AlertAsk::RuleResolved {
        dedup_key: key.to_owned(),
        at,
        evidence: Vec::new(),
        gone: false,
    }));
}

#[test]
fn a_firing_rule_opens_an_incident_that_leads_back_to_the_sample_and_pages() {
    let mut world = World::set_up();
    let ask = fired(&world, "a");
    let events = world.ask(Ask::Alert(AlertAsk::RuleFired(Box::new(ask))));
    let by = Actor::Rule {
        group: "web".to_owned(),
        rule: "Down".to_owned(),
    };
    let opened = events
        .iter()
        .find(|event| matches!(event.body, EventBody::Alert(_)))
        .unwrap();
    assert_eq!(opened.actor, by);
    assert!(matches!(opened.cause, Cause::Sample { .. }));
    assert_eq!(world.pages().len(), 1);
    let alert = world.state.alerts.values().next().unwrap();
    assert!(matches!(alert.source, AlertSource::Rule { .. }));
}

#[test]
fn what_is_said_again_changes_nothing() {
    let mut world = World::set_up();
    fire(&mut world, "a");
    let before = world.state.position;
    fire(&mut world, "a");
    assert_eq!(world.state.position, before);
    resolve(&mut world, "unknown");
    assert_eq!(world.state.position, before);
}

#[test]
fn alerts_of_one_rule_are_one_incident_that_ends_after_the_last() {
    let mut world = World::set_up();
    fire(&mut world, "a");
    fire(&mut world, "b");
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().alerts.len(), 2);
    resolve(&mut world, "a");
    world.wait_ms(60_000);
    assert_ne!(world.incident().status, Status::Resolved);
    resolve(&mut world, "b");
    world.wait_ms(14_000);
    assert_ne!(world.incident().status, Status::Resolved);
    world.wait_ms(2_000);
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn a_relapse_soon_after_is_the_same_incident() {
    let mut world = World::set_up();
    fire(&mut world, "a");
    resolve(&mut world, "a");
    world.wait_ms(60_000);
    assert_eq!(world.incident().status, Status::Resolved);
    fire(&mut world, "a");
    assert_eq!(world.state.incidents.len(), 1);
    assert_ne!(world.incident().status, Status::Resolved);
}

#[test]
fn an_alert_about_a_watched_server_joins_its_incident() {
    let mut world = World::with_apache();
    world.crash();
    let target: TargetId = world.target();
    let mut ask = fired(&world, "a");
    ask.target = Some(target);
    world.ask(Ask::Alert(AlertAsk::RuleFired(Box::new(ask))));
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().alerts.len(), 2);
}

#[test]
fn a_person_cannot_talk_a_rule_into_health() {
    let mut world = World::set_up();
    fire(&mut world, "a");
    let incident = world.incident().id;
    let ask = Ask::Respond(RespondAsk::Resolve {
        incident,
        note: None,
    });
    let refusal = world.try_ask(ask).unwrap_err().to_string();
    assert!(refusal.contains("acknowledge it"), "{refusal}");
}
