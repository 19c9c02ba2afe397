//! Levels whose people must each acknowledge in person, teams on levels, and acknowledgements that hold for a time.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use crate::world::World;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk, TeamAsk};
use tocsin_domain::event::{Cause, EventBody, IncidentWhat, Response};
use tocsin_domain::id::{TeamId, UserId};
use tocsin_domain::incident::{Assigned, Status};
use tocsin_domain::page::{Level, Outcome, Recipient};

const MINUTE: u64 = 60_000;

pub(crate) fn people(users: &[UserId]) -> Vec<Recipient> {
    users.iter().map(|user| Recipient::User(*user)).collect()
}

pub(crate) fn each(users: &[UserId]) -> Level {
    Level {
        each_must_acknowledge: true,
        ..Level::of(5 * MINUTE, people(users))
    }
}

pub(crate) fn take(world: &mut World, by: UserId) {
    let incident = world.incident().id;
    world.respond(RespondAsk::Acknowledge { incident, by });
}

/// Ada took the crash; her acknowledgement holds for 30 minutes.
fn taken_for_half_an_hour() -> (World, UserId) {
    let mut world = World::with_apache();
    let ada = world.ada();
    let levels = vec![Level::of(5 * MINUTE, people(&[ada]))];
    world.set_default_policy(levels, Some(30 * MINUTE));
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, ada);
    (world, ada)
}

fn first_team(world: &World) -> TeamId {
    world.state.installation.as_ref().unwrap().team
}

#[test]
fn where_each_must_acknowledge_one_acknowledgement_ends_only_that_persons_pages() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let hook = world.add_webhook(bea);
    let email = world.state.users[&bea].contact_methods[0].id;
    world.set_rules(bea, &[(0, email), (2 * MINUTE, hook)]);
    let hook = world.add_webhook(cy);
    let email = world.state.users[&cy].contact_methods[0].id;
    world.set_rules(cy, &[(0, email), (2 * MINUTE, hook)]);
    world.set_default_policy(
        vec![each(&[bea, cy]), Level::of(MINUTE, people(&[ada]))],
        None,
    );
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    assert_eq!(world.incident().status, Status::Triggered);
    world.wait_ms(2 * MINUTE);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    assert_eq!(world.paged(), ["Bea", "Cy", "Cy"]);
    take(&mut world, cy);
    assert_eq!(world.incident().status, Status::Acknowledged);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged().len(), 3);
}

#[test]
fn where_one_of_each_is_missing_the_escalation_goes_on_and_the_next_level_can_take_it() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(
        vec![each(&[bea, cy]), Level::of(MINUTE, people(&[ada]))],
        None,
    );
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada"]);
    take(&mut world, ada);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn the_second_walk_of_a_policy_leaves_whoever_acknowledged_in_peace() {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![each(&[bea, cy])], None);
    let id = world.state.installation.as_ref().unwrap().default_policy;
    world.set_policy(Some(id), 1, vec![each(&[bea, cy])], None);
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    world.wait_ms(5 * MINUTE);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.paged(), ["Bea", "Cy", "Cy"]);
    let spared = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::LevelReached { round: 1, skipped, .. }
            if skipped.iter().any(|why| why.contains("Bea has acknowledged already")))
    };
    assert_eq!(world.count(spared), 1);
    world.wait_ms(5 * MINUTE);
    assert_eq!(
        world.paged().last().map(String::as_str),
        Some("Ada"),
        "last resort"
    );
    let ada = world.ada();
    take(&mut world, ada);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn everybody_of_a_team_is_paged_and_whoever_is_added_belongs_to_the_first_team() {
    let mut world = World::with_apache();
    world.add_user("Bea");
    let team = first_team(&world);
    assert_eq!(world.state.teams[&team].members.len(), 2);
    world.set_default_policy(vec![Level::of(MINUTE, vec![Recipient::Team(team)])], None);
    world.crash();
    let mut paged = world.paged();
    paged.sort();
    assert_eq!(paged, ["Ada", "Bea"]);
}

#[test]
fn a_team_that_a_policy_pages_and_the_first_team_cannot_be_removed() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let (name, members) = ("Web".to_owned(), vec![ada, ada]);
    let id = None;
    world.ask(Ask::Team(TeamAsk::Set { id, name, members }));
    let team = |world: &World| {
        world
            .state
            .teams
            .values()
            .find(|team| team.name == "Web")
            .cloned()
    };
    let web = team(&world).unwrap();
    assert_eq!(web.members, [ada]);
    world.set_default_policy(vec![Level::of(MINUTE, vec![Recipient::Team(web.id)])], None);
    assert!(world.try_ask(Ask::Team(TeamAsk::Remove(web.id))).is_err());
    world.set_default_policy(vec![Level::of(MINUTE, people(&[ada]))], None);
    world.ask(Ask::Team(TeamAsk::Remove(web.id)));
    assert_eq!(team(&world), None);
    let first = first_team(&world);
    assert!(world.try_ask(Ask::Team(TeamAsk::Remove(first))).is_err());
}

#[test]
fn what_still_fails_when_an_acknowledgement_ends_is_triggered_and_its_level_paged_again() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let levels = vec![
        Level::of(5 * MINUTE, people(&[ada])),
        Level::of(5 * MINUTE, people(&[bea])),
    ];
    world.set_default_policy(levels, Some(30 * MINUTE));
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    world.wait_ms(30 * MINUTE - 1);
    assert_eq!(world.paged(), ["Ada", "Bea"]);
    world.wait_ms(1);
    assert_eq!(world.paged(), ["Ada", "Bea", "Bea"]);
    assert_eq!(world.incident().status, Status::Triggered);
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::Response(Response::AcknowledgementEnded { why, .. })
            if why == "it was acknowledged 30 minutes ago and still fails")
    };
    assert_eq!(world.count(said), 1);
    // "Why was I paged?" leads on from the end of the acknowledgement to the level that was reached before.
    let ended = world.journal.iter().find(|event| match &event.body {
        EventBody::Incident(about) => said(&about.what),
        _ => false,
    });
    let Some(Cause::Event { position }) = ended.map(|event| event.cause.clone()) else {
        panic!("{ended:?}");
    };
    let before = world
        .journal
        .iter()
        .find(|event| event.position == position);
    let EventBody::Incident(before) = &before.unwrap().body else {
        panic!("{before:?}");
    };
    let level = matches!(before.what, IncidentWhat::LevelReached { level: 1, .. });
    assert!(level, "{before:?}");
}

#[test]
fn an_acknowledgement_that_ends_late_says_how_long_ago_it_was() {
    let (mut world, _) = taken_for_half_an_hour();
    // The clock is set forward beyond its end, or nothing ran until then.
    world.now = world.now.plus_ms(126 * MINUTE);
    world.ask(Ask::Tick);
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::Response(Response::AcknowledgementEnded { why, .. })
            if why == "it was acknowledged 126 minutes ago and still fails")
    };
    assert_eq!(world.count(said), 1);
}

#[test]
fn acknowledging_again_begins_the_time_anew() {
    let (mut world, ada) = taken_for_half_an_hour();
    world.wait_ms(20 * MINUTE);
    take(&mut world, ada);
    world.wait_ms(29 * MINUTE);
    assert_eq!(world.paged().len(), 1);
    world.wait_ms(MINUTE);
    assert_eq!(world.paged().len(), 2);
}

#[test]
fn an_acknowledgement_of_what_has_recovered_does_not_end_in_a_page() {
    let (mut world, _) = taken_for_half_an_hour();
    world.wait_ms(29 * MINUTE);
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged().len(), 1);
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn where_each_must_acknowledge_a_page_that_is_refused_is_not_made_up_for_by_whoever_has_done_their_part()
 {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(
        vec![each(&[bea, cy]), Level::of(MINUTE, people(&[ada]))],
        None,
    );
    world.crash();
    let sent: Vec<_> = world
        .sending()
        .iter()
        .map(|one| (one.id, one.user))
        .collect();
    let finish = |world: &mut World, whose: UserId, outcome: Outcome| {
        let (notification, _) = *sent.iter().find(|(_, user)| *user == whose).unwrap();
        world.answer(notification, outcome);
    };
    finish(&mut world, bea, Outcome::Accepted);
    take(&mut world, bea);
    finish(&mut world, cy, Outcome::Refused);
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada"]);
}

/// Bea and Cy must each acknowledge, Bea has; Ada is on the next level.
pub(crate) fn one_of_two_is_missing(
    targets: impl Fn(&mut World, [UserId; 2]) -> Vec<Recipient>,
) -> World {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let first = Level {
        each_must_acknowledge: true,
        ..Level::of(5 * MINUTE, targets(&mut world, [bea, cy]))
    };
    world.set_default_policy(vec![first, Level::of(MINUTE, people(&[ada]))], None);
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    assert_eq!(world.incident().status, Status::Triggered);
    world
}

/// Sets who belongs to the team "Web"; its id.
pub(crate) fn set_web(world: &mut World, members: Vec<UserId>) -> TeamId {
    let web = |world: &World| {
        let mut teams = world.state.teams.values();
        teams.find(|team| team.name == "Web").map(|team| team.id)
    };
    let (id, name) = (web(world), "Web".to_owned());
    world.ask(Ask::Team(TeamAsk::Set { id, name, members }));
    web(world).unwrap()
}

#[test]
fn where_each_must_acknowledge_whoever_is_removed_need_not() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (bea, cy) = (world.user("Bea"), world.user("Cy"));
    world.ask(Ask::People(PeopleAsk::Remove { user: cy }));
    assert_eq!(world.incident().status, Status::Acknowledged);
    assert_eq!(
        world.incident().acknowledged.map(|(by, _)| by),
        Some(Some(bea))
    );
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged().len(), 2, "nobody else is paged");
    world.check_replay();
}

#[test]
fn where_each_of_a_team_must_acknowledge_whoever_leaves_it_need_not() {
    let mut world =
        one_of_two_is_missing(|world, users| vec![Recipient::Team(set_web(world, users.to_vec()))]);
    let bea = world.user("Bea");
    set_web(&mut world, vec![bea]);
    assert_eq!(world.incident().status, Status::Acknowledged);
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::NoteAdded { text, .. }
            if text.starts_with("everybody who is left"))
    };
    assert_eq!(world.count(said), 1);
}

#[test]
fn whoever_leaves_a_team_and_is_named_otherwise_must_still_acknowledge() {
    let mut world = one_of_two_is_missing(|world, users| {
        let web = Recipient::Team(set_web(world, users.to_vec()));
        vec![web, Recipient::User(users[1])]
    });
    let (bea, cy) = (world.user("Bea"), world.user("Cy"));
    set_web(&mut world, vec![bea]);
    assert_eq!(world.incident().status, Status::Triggered);
    take(&mut world, cy);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

/// Bea and Cy of a team must each acknowledge, and Bea has; a schedule is named too, on the same level or on the next.
fn one_of_a_team_is_missing(is_same_level: bool) -> World {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    let web = Recipient::Team(set_web(&mut world, vec![bea, cy]));
    let schedule = Recipient::Schedule(*world.state.schedules.keys().next().unwrap());
    let mut first = Level::of(5 * MINUTE, vec![web]);
    first.each_must_acknowledge = true;
    let mut levels = vec![first];
    if is_same_level {
        levels[0].targets.push(schedule);
    } else {
        levels.push(Level {
            each_must_acknowledge: true,
            ..Level::of(MINUTE, vec![schedule])
        });
    }
    world.set_default_policy(levels, None);
    world.crash();
    world.answer_all(Outcome::Accepted);
    take(&mut world, bea);
    world
}

#[test]
fn a_schedule_of_a_level_that_was_not_reached_keeps_nobody_who_left_the_team() {
    let mut world = one_of_a_team_is_missing(false);
    let bea = world.user("Bea");
    set_web(&mut world, vec![bea]);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn who_left_the_team_may_have_been_named_by_the_schedule_of_the_same_level() {
    let mut world = one_of_a_team_is_missing(true);
    let (ada, bea) = (world.ada(), world.user("Bea"));
    take(&mut world, ada);
    set_web(&mut world, vec![bea]);
    assert_eq!(world.incident().status, Status::Triggered);
}

#[test]
fn whoever_is_taken_off_the_policy_need_not_acknowledge_any_more() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (ada, bea, cy) = (world.ada(), world.user("Bea"), world.user("Cy"));
    // Named on another of its levels now, Cy still must.
    let moved = vec![Level::of(MINUTE, people(&[ada])), each(&[bea, cy])];
    world.set_default_policy(moved, None);
    assert_eq!(world.incident().status, Status::Triggered);
    world.set_default_policy(vec![each(&[bea])], None);
    assert_eq!(
        world.incident().acknowledged.map(|(by, _)| by),
        Some(Some(bea))
    );
}

#[test]
fn where_each_need_not_acknowledge_any_more_whoever_has_done_so_has_taken_it() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (bea, cy) = (world.user("Bea"), world.user("Cy"));
    let one_is_enough = Level::of(5 * MINUTE, people(&[bea, cy]));
    world.set_default_policy(vec![one_is_enough], None);
    assert_eq!(
        world.incident().acknowledged.map(|(by, _)| by),
        Some(Some(bea))
    );
}

#[test]
fn what_each_must_acknowledge_and_is_given_to_somebody_is_theirs_alone() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (incident, ada) = (world.incident().id, world.ada());
    let to = Assigned::People(vec![ada]);
    world.respond(RespondAsk::Reassign { incident, to });
    take(&mut world, ada);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn where_each_must_acknowledge_and_it_is_escalated_by_hand_nobody_takes_it_by_being_removed() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (incident, cy) = (world.incident().id, world.user("Cy"));
    take(&mut world, cy);
    assert_eq!(world.incident().status, Status::Acknowledged);
    world.respond(RespondAsk::Escalate { incident });
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada"]);
    world.ask(Ask::People(PeopleAsk::Remove { user: cy }));
    assert_eq!(world.incident().status, Status::Triggered);
}
