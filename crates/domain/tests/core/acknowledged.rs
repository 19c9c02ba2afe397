//! How long an acknowledgement holds, where a service says it itself.

use tocsin_domain::command::{Ask, Refusal, RosterAsk};
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Recipient};
use tocsin_domain::service::{Hold, Service, WholeService};

use crate::world::{World, raise};

/// The default service, which holds acknowledgements so long.
fn holds(world: &World, acknowledgement: Option<Hold>) -> WholeService {
    let service = world.state.installation.as_ref().unwrap().default_service;
    let known = &world.state.services[&service];
    WholeService {
        id: Some(service),
        name: Some(known.name.clone()),
        policy: Some(known.policy),
        description: Some("What it is".to_owned()),
        acknowledgement: Some(acknowledgement),
        urgency: Some(UrgencyBy::Severity),
        grouping: Some(GroupBy::Nothing),
        resolve_after_ms: Some(None),
    }
}

fn set(world: &mut World, whole: WholeService) -> Result<(), Refusal> {
    let ask = RosterAsk::SetWholeService(Box::new(whole));
    world.try_ask(Ask::Roster(ask)).map(drop)
}

#[test]
fn an_acknowledgement_ends_when_the_service_says_so_and_not_when_its_policy_does() {
    for (hold, after) in [
        (None, Status::Triggered),
        (Some(Hold::ForMs(1_800_000)), Status::Acknowledged),
        (Some(Hold::Always), Status::Acknowledged),
    ] {
        let mut world = World::set_up();
        let ada = world.ada();
        let level = Level::of(300_000, vec![Recipient::User(ada)]);
        world.set_default_policy(vec![level], Some(600_000));
        let whole = holds(&world, hold);
        set(&mut world, whole).unwrap();
        world.ask(raise(None, "down", Severity::Critical));
        world.acknowledge();
        world.wait_ms(700_000);
        assert_eq!(world.incident().status, after, "{hold:?}");
        world.wait_ms(1_200_000);
        let holds_on = hold == Some(Hold::Always);
        let is_acknowledged = world.incident().status == Status::Acknowledged;
        assert_eq!(is_acknowledged, holds_on, "{hold:?}");
    }
}

#[test]
fn a_service_is_set_as_a_whole_or_not_at_all() {
    let mut world = World::set_up();
    let before = world.state.services.clone();
    let wrong = [
        WholeService {
            resolve_after_ms: Some(Some(60_000)),
            ..holds(&world, None)
        },
        WholeService {
            description: Some("x".repeat(1_025)),
            ..holds(&world, None)
        },
        holds(&world, Some(Hold::ForMs(1_000))),
    ];
    for whole in wrong {
        let whole = WholeService {
            name: Some("Other".to_owned()),
            ..whole
        };
        set(&mut world, whole.clone()).unwrap_err();
        set(&mut world, WholeService { id: None, ..whole }).unwrap_err();
    }
    assert_eq!(world.state.services, before);
}

#[test]
fn a_service_of_an_old_journal_follows_its_policy() {
    let world = World::set_up();
    let known = world.state.services.values().next().unwrap();
    let mut text = serde_json::to_value(known).unwrap();
    let fields = text.as_object_mut().unwrap();
    fields.remove("description");
    fields.remove("acknowledgement");
    assert_eq!(&serde_json::from_value::<Service>(text).unwrap(), known);
}
