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
use tocsin_domain::state::REMOVED_POLICIES_MAX;

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

#[test]
fn of_policies_that_are_removed_the_newest_names_are_known_and_those_of_open_incidents() {
    let (mut world, bea) = paged();
    let removed = |world: &mut World| {
        let id = policy(world, bea);
        world.ask(Ask::Roster(RosterAsk::RemovePolicy(id)));
        id
    };
    let given = policy(&mut world, bea);
    let incident = world.incident().id;
    let to = Assigned::Policy(given);
    world.respond(RespondAsk::Reassign { incident, to });
    world.answer_all(Outcome::Accepted);
    world.ask(Ask::Roster(RosterAsk::RemovePolicy(given)));
    let others: Vec<PolicyId> = (0..REMOVED_POLICIES_MAX)
        .map(|_| removed(&mut world))
        .collect();
    let name_of = |world: &World, policy: PolicyId| {
        let name = world.state.removed_policies.name_of(policy);
        name.map(str::to_owned)
    };
    let known = Some("Policy".to_owned());
    assert_eq!(world.state.removed_policies.len(), REMOVED_POLICIES_MAX);
    assert_eq!(name_of(&world, given), known);
    assert_eq!(name_of(&world, others[0]), None);
    assert_eq!(name_of(&world, others[1]), known);
    // Nothing speaks of it once the incident is over.
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    assert!(world.state.open_incidents.is_empty());
    removed(&mut world);
    assert_eq!(name_of(&world, given), None);
    assert_eq!(name_of(&world, others[1]), known);
    assert_eq!(world.state.removed_policies.len(), REMOVED_POLICIES_MAX);
    world.check_replay();
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

/// Ada is paged on the first of two levels, Bea stands on the second, and nobody but Cy is on the list of last resort.
fn on_first_of_two() -> (World, [UserId; 4]) {
    let (mut world, bea) = paged();
    let (ada, dan) = (world.ada(), world.add_user("Dan"));
    world.set_levels(0, &[(5 * MINUTE, &[ada]), (5 * MINUTE, &[bea])]);
    let cy = world.user("Cy");
    (world, [ada, bea, cy, dan])
}

/// Each level has its time, and each page arrives.
fn walk(world: &mut World, levels: usize) -> Vec<String> {
    for _ in 0..levels {
        world.wait_ms(5 * MINUTE);
        world.answer_all(Outcome::Accepted);
    }
    world.paged()
}

#[test]
fn whoever_moves_up_since_the_level_before_them_is_removed_is_not_passed_over() {
    let (mut world, [_, bea, _, dan]) = on_first_of_two();
    world.set_levels(0, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[dan])]);
    assert_eq!(walk(&mut world, 3), ["Ada", "Bea", "Dan", "Cy"]);
}

#[test]
fn whoever_is_put_before_the_level_that_was_reached_is_paged_next() {
    let (mut world, [ada, bea, _, dan]) = on_first_of_two();
    let levels: [(u64, &[UserId]); 3] = [
        (5 * MINUTE, &[dan]),
        (5 * MINUTE, &[ada]),
        (5 * MINUTE, &[bea]),
    ];
    world.set_levels(0, &levels);
    assert_eq!(walk(&mut world, 4), ["Ada", "Dan", "Ada", "Bea", "Cy"]);
}

#[test]
fn whoever_is_the_only_one_left_of_a_policy_is_paged_when_a_snooze_ends() {
    let (mut world, [_, bea, _, dan]) = on_first_of_two();
    assert_eq!(walk(&mut world, 1), ["Ada", "Bea"]);
    let incident = world.incident().id;
    world.respond(RespondAsk::Snooze {
        incident,
        by: bea,
        for_ms: 60 * MINUTE,
    });
    world.set_levels(0, &[(5 * MINUTE, &[dan])]);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea", "Dan"]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(walk(&mut world, 1), ["Ada", "Bea", "Dan", "Cy"]);
}

#[test]
fn whoever_is_left_of_the_level_that_was_reached_is_paged_again_when_a_snooze_ends() {
    let (mut world, [_, bea, ..]) = on_first_of_two();
    assert_eq!(walk(&mut world, 1), ["Ada", "Bea"]);
    let incident = world.incident().id;
    world.respond(RespondAsk::Snooze {
        incident,
        by: bea,
        for_ms: 60 * MINUTE,
    });
    world.set_levels(0, &[(5 * MINUTE, &[bea])]);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea", "Bea"]);
}

#[test]
fn a_level_that_names_fewer_than_before_is_not_gone_through_again() {
    let (mut world, [ada, bea, _, dan]) = on_first_of_two();
    world.set_levels(0, &[(5 * MINUTE, &[ada, dan]), (5 * MINUTE, &[bea])]);
    assert_eq!(walk(&mut world, 1), ["Ada", "Ada", "Dan"]);
    assert_eq!(walk(&mut world, 1), ["Ada", "Ada", "Dan", "Bea"]);
    world.set_levels(0, &[(5 * MINUTE, &[dan]), (5 * MINUTE, &[bea])]);
    assert_eq!(walk(&mut world, 1), ["Ada", "Ada", "Dan", "Bea", "Cy"]);
}

#[test]
fn a_level_that_is_added_once_the_policy_was_walked_through_is_paged_before_the_last_resort_again()
{
    let (mut world, [ada, bea, _, dan]) = on_first_of_two();
    assert_eq!(walk(&mut world, 2), ["Ada", "Bea", "Cy"]);
    let levels: [(u64, &[UserId]); 3] = [
        (5 * MINUTE, &[ada]),
        (5 * MINUTE, &[bea]),
        (5 * MINUTE, &[dan]),
    ];
    world.set_levels(0, &levels);
    world.wait_ms(15 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea", "Cy", "Dan"]);
}

#[test]
fn a_level_whose_people_stay_is_paged_again_when_a_snooze_ends_whatever_else_is_changed() {
    let (mut world, [ada, bea, _, dan]) = on_first_of_two();
    let incident = world.incident().id;
    world.respond(RespondAsk::Snooze {
        incident,
        by: ada,
        for_ms: 60 * MINUTE,
    });
    let levels: [(u64, &[UserId]); 3] = [
        (10 * MINUTE, &[ada]),
        (5 * MINUTE, &[bea]),
        (5 * MINUTE, &[dan]),
    ];
    world.set_levels(0, &levels);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    let paged = walk(&mut world, 3);
    assert_eq!(paged, ["Ada", "Ada", "Bea", "Dan", "Cy"]);
}

#[test]
fn whoever_stands_on_several_levels_is_paged_on_each_when_only_a_time_is_changed() {
    let (mut world, [ada, bea, ..]) = on_first_of_two();
    let levels = |last: u64| -> [(u64, Vec<UserId>); 3] {
        [
            (5 * MINUTE, vec![ada]),
            (5 * MINUTE, vec![ada]),
            (last, vec![bea]),
        ]
    };
    let set = |world: &mut World, last: u64| {
        let levels = levels(last);
        let levels: Vec<(u64, &[UserId])> = levels
            .iter()
            .map(|(delay, users)| (*delay, users.as_slice()))
            .collect();
        world.set_levels(0, &levels);
    };
    set(&mut world, 5 * MINUTE);
    set(&mut world, 6 * MINUTE);
    assert_eq!(walk(&mut world, 2), ["Ada", "Ada", "Bea"]);
}

#[test]
fn whoever_joins_a_level_in_turn_waits_for_their_turn() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let policy = world.state.installation.as_ref().unwrap().default_policy;
    let set = |world: &mut World, users: &[UserId]| {
        let targets = users.iter().map(|user| Recipient::User(*user)).collect();
        let mut first = Level::of(5 * MINUTE, targets);
        first.round_robin = true;
        let second = Level::of(5 * MINUTE, vec![Recipient::User(cy)]);
        world.set_policy(Some(policy), 0, vec![first, second], None);
    };
    set(&mut world, &[ada, bea]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    let dan = world.add_user("Dan");
    set(&mut world, &[ada, bea, dan]);
    assert_eq!(walk(&mut world, 1), ["Ada", "Cy"]);
}
