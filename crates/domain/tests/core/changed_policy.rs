//! An incident whose policy is another one while people are being paged for it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use crate::world::World;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk, RosterAsk};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::id::{PolicyId, UserId};
use tocsin_domain::incident::Assigned;
use tocsin_domain::page::{Level, Outcome, Recipient};

const MINUTE: u64 = 60_000;

fn policy(world: &mut World, user: UserId) -> PolicyId {
    let level = Level::of(5 * MINUTE, vec![Recipient::User(user)]);
    world.set_policy(None, 0, vec![level], None)
}

/// The service of the newest incident follows this policy from now on.
fn follow(world: &mut World, policy: PolicyId) {
    let id = world.incident().service;
    let name = world.state.services[&id].name.clone();
    world.ask(Ask::Roster(RosterAsk::SetService {
        id: Some(id),
        name,
        policy: Some(policy),
    }));
}

/// Ada is paged by a policy of her own, and nobody but Cy is on the list of last resort.
fn paged() -> (World, UserId) {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let fallback = PeopleAsk::SetFallback { users: vec![cy] };
    world.ask(Ask::People(fallback));
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.paged(), ["Ada"]);
    (world, bea)
}

#[test]
fn another_policy_is_entered_at_its_first_level() {
    let (mut world, bea) = paged();
    let other = policy(&mut world, bea);
    follow(&mut world, other);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea", "Cy"]);
}

#[test]
fn another_policy_is_entered_also_once_the_one_before_was_walked_through() {
    let (mut world, bea) = paged();
    world.wait_ms(5 * MINUTE);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.paged(), ["Ada", "Cy"]);
    let other = policy(&mut world, bea);
    follow(&mut world, other);
    world.wait_ms(15 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Cy", "Bea"]);
}

#[test]
fn the_policy_of_the_service_is_entered_at_its_first_level_when_the_one_it_was_given_to_is_removed()
{
    let (mut world, bea) = paged();
    let other = policy(&mut world, bea);
    let incident = world.incident().id;
    let to = Assigned::Policy(other);
    world.respond(RespondAsk::Reassign { incident, to });
    world.answer_all(Outcome::Accepted);
    world.ask(Ask::Roster(RosterAsk::RemovePolicy(other)));
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea", "Ada"]);
    let why = "the policy \"Policy\", which it was given to, was removed";
    assert_eq!(told(&world, why), 1);
    // Of the levels after it nobody needs to be told that again.
    world.answer_all(Outcome::Accepted);
    world.wait_ms(60 * MINUTE);
    assert_eq!(told(&world, why), 1);
}

/// How many levels, or rounds of the list of last resort, were reached for this reason among others.
fn told(world: &World, why: &str) -> usize {
    world.count(|what| match what {
        IncidentWhat::LevelReached { skipped: all, .. }
        | IncidentWhat::FallbackReached { why: all, .. } => all.iter().any(|one| one == why),
        _ => false,
    })
}

#[test]
fn what_is_triggered_again_after_another_policy_is_followed_pages_its_first_level() {
    let (mut world, bea) = paged();
    let (incident, by) = (world.incident().id, world.ada());
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms: 60 * MINUTE,
    });
    let other = policy(&mut world, bea);
    follow(&mut world, other);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea"]);
}
