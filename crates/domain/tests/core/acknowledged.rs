//! How long an acknowledgement holds, where a service says it itself, and whose it is when others acknowledge too.

use tocsin_domain::command::{AlertAsk, Ask, Refusal, RespondAsk, RosterAsk};
use tocsin_domain::id::UserId;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Recipient};
use tocsin_domain::service::{Hold, Service, WholeService};

use crate::escalation::{each, take};
use crate::world::{World, raise};

const MINUTE: u64 = 60_000;

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
        grouping_label: None,
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

/// Something is down for which Ada is paged; an acknowledgement holds for ten minutes.
fn down() -> (World, [UserId; 2]) {
    let mut world = World::set_up();
    let people = [world.ada(), world.add_user("Bea")];
    let level = Level::of(5 * MINUTE, vec![Recipient::User(people[0])]);
    world.set_default_policy(vec![level], Some(10 * MINUTE));
    world.ask(raise(None, "down", Severity::Critical));
    (world, people)
}

/// The sender of the alert says that somebody works on it.
fn acknowledge_there(world: &mut World) {
    let service = world.state.installation.as_ref().unwrap().default_service;
    world.ask(Ask::Alert(AlertAsk::AcknowledgeByKey {
        service,
        integration: None,
        dedup_key: "down".to_owned(),
    }));
}

#[test]
fn whoever_acknowledges_what_somebody_has_puts_off_its_end_and_takes_it_from_nobody() {
    let (mut world, [ada, bea]) = down();
    let incident = world.incident().id;
    take(&mut world, ada);
    let first = Some((Some(ada), world.now));
    for again in [Some(bea), None, Some(ada)] {
        world.wait_ms(6 * MINUTE);
        match again {
            Some(by) => drop(world.respond(RespondAsk::Acknowledge { incident, by })),
            None => acknowledge_there(&mut world),
        }
        let known = world.incident();
        assert_eq!(known.acknowledged, first, "{again:?}");
        let ends_at = Some(world.now.plus_ms(10 * MINUTE));
        assert_eq!(known.acknowledgement_ends_at, ends_at, "{again:?}");
    }
    world.wait_ms(10 * MINUTE - 1);
    assert_eq!(world.incident().status, Status::Acknowledged);
    world.wait_ms(1);
    assert_eq!(world.incident().status, Status::Triggered);
    take(&mut world, bea);
    let by = world.incident().acknowledged.map(|(by, _)| by);
    assert_eq!(by, Some(Some(bea)), "nobody had it any more");
}

#[test]
fn what_a_foreign_system_acknowledged_is_the_first_persons_who_does() {
    let (mut world, [ada, bea]) = down();
    acknowledge_there(&mut world);
    assert_eq!(world.incident().acknowledged, Some((None, world.now)));
    for by in [bea, ada] {
        take(&mut world, by);
        let known = world.incident().acknowledged.map(|(by, _)| by);
        assert_eq!(known, Some(Some(bea)));
    }
}

#[test]
fn where_each_must_acknowledge_what_somebody_else_took_each_still_does_their_part() {
    let mut world = World::set_up();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![each(&[bea, cy])], Some(10 * MINUTE));
    world.ask(raise(None, "down", Severity::Critical));
    take(&mut world, ada);
    take(&mut world, bea);
    let known = world.incident();
    assert_eq!(known.acknowledged.map(|(by, _)| by), Some(Some(ada)));
    assert!(known.spares(bea) && !known.spares(cy), "{known:?}");
}
