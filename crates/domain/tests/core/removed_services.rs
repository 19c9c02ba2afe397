//! Services that go: which may, and what goes with them.

use tocsin_domain::command::{AlertAsk, Ask, AskedRule, IntakeAsk, RespondAsk, RosterAsk};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{Action, Condition, GroupBy, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::service::{IntegrationKind, WholeService};

use crate::world::{World, raise};

fn add(world: &mut World) -> ServiceId {
    let whole = WholeService {
        id: None,
        name: "Shop".to_owned(),
        policy: None,
        description: String::new(),
        acknowledgement: None,
        urgency: UrgencyBy::High,
        grouping: GroupBy::Nothing,
        resolve_after_ms: None,
    };
    let events = world.ask(Ask::Roster(RosterAsk::SetWholeService(Box::new(whole))));
    let made = events.iter().find_map(|event| {
        let EventBody::Roster(RosterEvent::ServiceSet { service }) = &event.body else {
            return None;
        };
        Some(service.id)
    });
    let made = made.unwrap();
    world.ask(Ask::Roster(RosterAsk::AddIntegration {
        service: made,
        name: "Probe".to_owned(),
        key_hash: "aa".to_owned(),
        key_row: None,
        kind: IntegrationKind::EventsV2,
    }));
    made
}

fn remove(world: &mut World, service: ServiceId) -> Result<(), String> {
    let ask = Ask::Roster(RosterAsk::RemoveService(service));
    let done = world.try_ask(ask).map_err(|refusal| refusal.to_string());
    done.map(drop)
}

#[test]
fn a_service_goes_with_its_integrations_and_with_nothing_else() {
    let mut world = World::set_up();
    let before = (
        world.state.services.clone(),
        world.state.integrations.clone(),
    );
    let shop = add(&mut world);
    remove(&mut world, shop).unwrap();
    assert_eq!(world.state.services, before.0);
    assert_eq!(world.state.integrations, before.1);
    assert!(remove(&mut world, shop).is_err(), "it is gone");
}

#[test]
fn a_service_on_which_something_fails_stays() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    world.ask(raise(Some(shop), "down", Severity::Critical));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("open incidents"), "{why}");
    assert!(world.state.services.contains_key(&shop));
}

/// Rules of the installation that send all that comes to another service, or none.
fn send_all_to(world: &mut World, service: Option<ServiceId>) {
    let rules = service.into_iter().map(|service| AskedRule {
        id: None,
        name: "everything".to_owned(),
        when: Condition::All { of: Vec::new() },
        then: vec![Action::Route { service }],
        go_on: false,
    });
    let rules = rules.collect();
    world.ask(Ask::Intake(IntakeAsk::SetRules {
        service: None,
        rules,
    }));
}

#[test]
fn a_service_stays_to_which_an_alert_was_sent_that_a_rule_gave_to_another() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    let first = world.state.installation.as_ref().unwrap().default_service;
    send_all_to(&mut world, Some(first));
    world.ask(raise(Some(shop), "down", Severity::Critical));
    send_all_to(&mut world, None);
    let incident = world.incident();
    assert_eq!(incident.service, first);
    let alert = &world.state.alerts[&incident.alerts[0]];
    assert_eq!((alert.service, alert.sent_to), (first, Some(shop)));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("came to it"), "{why}");
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service: shop,
        integration: None,
        dedup_key: "down".to_owned(),
    }));
    assert!(world.state.open_incidents.is_empty());
    remove(&mut world, shop).unwrap();
}

#[test]
fn a_service_stays_whose_alerts_are_part_of_an_open_incident_of_another() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    world.ask(raise(Some(shop), "down", Severity::Critical));
    let source = world.incident().id;
    world.trigger("db", Severity::Critical);
    let into = world.incident().id;
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service: shop,
        integration: None,
        dedup_key: "down".to_owned(),
    }));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("another service"), "{why}");
    world.respond(RespondAsk::Resolve {
        incident: into,
        note: None,
    });
    remove(&mut world, shop).unwrap();
}

#[test]
fn a_service_that_a_rule_sends_alerts_to_stays_as_long_as_the_rule() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    send_all_to(&mut world, Some(shop));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("a rule sends"), "{why}");
    send_all_to(&mut world, None);
    remove(&mut world, shop).unwrap();
}

#[test]
fn the_first_service_and_those_of_watched_servers_stay() {
    let mut world = World::with_apache();
    let first = world.state.installation.as_ref().unwrap().default_service;
    let watched = world.state.targets[&world.target()].service;
    for (service, word) in [(first, "name no service"), (watched, "watched")] {
        let why = remove(&mut world, service).unwrap_err();
        assert!(why.contains(word), "{why}");
    }
}
