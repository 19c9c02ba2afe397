//! Levels that page one of their targets in turn: whose turn it is, and when it passes on.

use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::id::UserId;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Outcome};

use crate::escalation::{people, take};
use crate::world::World;

const MINUTE: u64 = 60_000;

fn in_turn(users: &[UserId]) -> Level {
    Level {
        round_robin: true,
        ..Level::of(5 * MINUTE, people(users))
    }
}

/// Bea, Cy and Ada in turn. Bea and then Cy had an incident each and took it; Bea's acknowledgement ends within 2 ms.
fn two_are_taken() -> World {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![in_turn(&[bea, cy, ada])], Some(10 * MINUTE));
    for (key, by) in [("one", bea), ("two", cy)] {
        fails(&mut world, key);
        take(&mut world, by);
        world.wait_ms(5 * MINUTE - 1);
    }
    assert_eq!(world.paged(), ["Bea", "Cy"]);
    world
}

/// There is another incident, and its page arrives.
fn fails(world: &mut World, key: &str) {
    world.trigger(key, Severity::Critical);
    world.answer_all(Outcome::Accepted);
}

/// Bea's acknowledgement ends, and the page that follows arrives.
fn first_is_paged_again(world: &mut World) {
    world.wait_ms(2);
    world.answer_all(Outcome::Accepted);
}

fn cannot_be_reached(world: &mut World, user: UserId) {
    let method = world.state.users[&user].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
}

#[test]
fn a_level_in_turn_pages_the_next_of_its_targets_for_each_incident() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![in_turn(&[bea, cy, ada])], None);
    for key in ["one", "two", "three", "four"] {
        world.trigger(key, Severity::Critical);
        world.answer_all(Outcome::Accepted);
    }
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada", "Bea"]);
}

#[test]
fn whose_turn_it_is_passes_over_whoever_cannot_be_reached() {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![in_turn(&[bea, cy])], None);
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: bea,
        method: world.state.users[&bea].contact_methods[0].id,
    }));
    world.trigger("one", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    world.trigger("two", Severity::Critical);
    assert_eq!(world.paged(), ["Cy", "Cy"]);
}

#[test]
fn an_incident_that_comes_back_to_a_level_in_the_same_round_is_the_same_persons() {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![in_turn(&[bea, cy])], Some(10 * MINUTE));
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    world.wait_ms(10 * MINUTE);
    assert_eq!(world.paged(), ["Bea", "Bea"]);
}

#[test]
fn an_incident_that_is_paged_again_takes_no_turn_from_those_after_it() {
    let mut world = two_are_taken();
    first_is_paged_again(&mut world);
    for key in ["three", "four"] {
        fails(&mut world, key);
    }
    assert_eq!(world.paged(), ["Bea", "Cy", "Bea", "Ada", "Bea"]);
}

#[test]
fn nor_does_one_that_is_paged_again_after_a_snooze() {
    let mut world = two_are_taken();
    let (by, second) = (world.user("Bea"), world.incident().id);
    let first = world.state.incidents.keys().find(|id| **id != second);
    let (incident, for_ms) = (*first.unwrap(), MINUTE);
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    world.wait_ms(MINUTE);
    world.answer_all(Outcome::Accepted);
    fails(&mut world, "three");
    assert_eq!(world.paged(), ["Bea", "Cy", "Bea", "Ada"]);
}

#[test]
fn who_steps_in_for_somebody_who_cannot_be_reached_any_more_has_no_second_turn_for_it() {
    let mut world = two_are_taken();
    let bea = world.user("Bea");
    cannot_be_reached(&mut world, bea);
    first_is_paged_again(&mut world);
    // Cy had a turn since, and the next one is still Ada's.
    fails(&mut world, "three");
    assert_eq!(world.paged(), ["Bea", "Cy", "Cy", "Ada"]);
}

#[test]
fn who_steps_in_and_would_have_been_next_has_had_their_turn() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![in_turn(&[bea, cy, ada])], Some(10 * MINUTE));
    fails(&mut world, "one");
    take(&mut world, bea);
    cannot_be_reached(&mut world, bea);
    world.wait_ms(10 * MINUTE);
    world.answer_all(Outcome::Accepted);
    fails(&mut world, "two");
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada"]);
}

#[test]
fn what_is_reopened_begins_anew_with_whoever_is_next() {
    let mut world = two_are_taken();
    let incident = world.incident().id;
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    world.respond(RespondAsk::Reopen { incident });
    assert_eq!(world.incident().status, Status::Triggered);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada"]);
}
