//! Services that go: which may, and what goes with them.

use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::GroupBy;
use tocsin_domain::intake::UrgencyBy;
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
