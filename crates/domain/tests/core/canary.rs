//! The canary is decided, planned and answered for as a page is, and nothing of it is known where pages are.

use tocsin_domain::command::{Ask, IntakeAsk, PeopleAsk, Refusal};
use tocsin_domain::intake::When;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::page::{Attempt, Outcome, Purpose};
use tocsin_domain::simulate::Canary;

use crate::world::World;

const MINUTE: u64 = 60_000;

fn declared(world: &World, run: u64) -> Canary {
    Canary::declare(&world.state, run, world.now).ok().unwrap()
}

/// The person whose page it is.
fn paged(canary: &Canary) -> String {
    let state = canary.state();
    let message = &state.notifications[&canary.message()];
    assert!(matches!(message.purpose, Purpose::Page(_)));
    assert_eq!(message.attempts.last().unwrap().number, canary.number());
    state.users[&message.user].name.clone()
}

fn finished(canary: &Canary, number: u32, outcome: Outcome) -> Ask {
    Ask::AttemptFinished {
        notification: canary.message(),
        number,
        outcome,
        detail: "HTTP 204".to_owned(),
        retry_after_ms: None,
        reference: None,
        via: None,
    }
}

#[test]
fn a_canary_is_a_page_under_way_on_a_copy_and_changes_nothing_else() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Critical);
    let before = world.state.clone();
    let canary = declared(&world, 1);
    assert_eq!(paged(&canary), "Bea");
    assert_eq!(canary.state().incidents.len(), 1, "what fails is not seen");
    assert_eq!(world.state, before);
    assert!(!before.notifications.contains_key(&canary.message()));
    assert_ne!(declared(&world, 2).message(), canary.message());
}

#[test]
fn the_end_of_its_attempt_is_taken_in_once_and_no_other() {
    let world = World::set_up();
    let mut canary = declared(&world, 1);
    let end = |number| finished(&canary, number, Outcome::Accepted);
    let (own, other) = (end(1), end(2));
    let refused = canary.ended(other, world.now);
    assert!(matches!(refused, Err(Refusal::Conflict { .. })));
    let told = Ok((Outcome::Accepted, "HTTP 204".to_owned()));
    assert_eq!(canary.ended(own.clone(), world.now), told);
    let message = &canary.state().notifications[&canary.message()];
    let last: &Attempt = message.attempts.last().unwrap();
    assert_eq!(last.outcome, Some(Outcome::Accepted));
    assert_eq!(canary.ended(own, world.now), told, "it may be said again");
}

#[test]
fn neither_planned_work_nor_a_rule_that_waits_keeps_a_canary_back() {
    let mut world = World::set_up();
    let ada = world.ada();
    let service = world.state.installation.as_ref().unwrap().default_service;
    let week = Span::new(world.now, world.now.plus_ms(7 * 24 * 60 * MINUTE));
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: None,
        reason: "new disks".to_owned(),
        services: vec![service],
        targets: Vec::new(),
        when: When::Once { span: week },
        matchers: None,
    }));
    let mail = world.state.users[&ada].contact_methods[0].id;
    world.set_rules(ada, &[(10 * MINUTE, mail)]);
    assert_eq!(paged(&declared(&world, 1)), "Ada");
}

#[test]
fn a_canary_that_would_page_nobody_is_refused() {
    let mut world = World::set_up();
    let user = world.ada();
    let method = world.state.users[&user].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
    let refused = Canary::declare(&world.state, 1, world.now).err();
    assert!(matches!(refused, Some(Refusal::Conflict { .. })));
}
