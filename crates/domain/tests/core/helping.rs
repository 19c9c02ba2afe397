//! Requests for help by a policy, beside those by name, and of somebody who got many messages.

use crate::responding::{ask_for_help, asked, asked_by_policy, crashed, requests, said_to_go_on};
use crate::storms::services;
use crate::world::{World, raise};
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::event::{IncidentWhat, Response};
use tocsin_domain::id::{ServiceId, UserId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Level, Outcome, Purpose, Recipient};

const MINUTE: u64 = 60_000;

#[test]
fn the_way_of_a_policy_goes_on_from_whoever_is_asked_again_by_name() {
    let (mut world, [bea, dan]) = asked_by_policy(&[]);
    let incident = world.incident().id;
    world.respond(ask_for_help(incident, vec![bea]));
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, dan]);
    assert_eq!(said_to_go_on(&world), 1);
    let mut responders = world.incident().responders.iter();
    let last = responders.find(|one| one.user == dan).unwrap();
    assert_eq!(last.message, "please", "as the policy was to ask");
    assert_eq!(last.level.map(|(_, level)| level), Some(1));
}

#[test]
fn the_way_of_a_policy_ends_with_whoever_knew_of_it_and_is_asked_again_by_name_in_vain() {
    let (mut world, [bea, _]) = asked_by_policy(&[]);
    let incident = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    world.respond(ask_for_help(incident, vec![bea]));
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea]);
    assert_eq!(said_to_go_on(&world), 0);
}

#[test]
fn the_way_of_a_policy_ends_with_an_answer_also_of_somebody_who_is_asked_again_by_name() {
    let (mut world, [bea, _]) = asked_by_policy(&["Cy"]);
    let incident = world.incident().id;
    world.respond(RespondAsk::AnswerRequest {
        incident,
        by: bea,
        accept: false,
    });
    world.respond(ask_for_help(incident, vec![bea]));
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [world.user("Cy"), bea]);
    assert_eq!(said_to_go_on(&world), 0);
}

#[test]
fn whoever_cannot_be_paged_is_not_said_to_be_asked() {
    let (mut world, incident, [_, bea, cy]) = crashed();
    let level = |user| Level::of(5 * MINUTE, vec![Recipient::User(user)]);
    let policy = Some(world.set_policy(None, 0, vec![level(bea), level(cy)], None));
    let ask = |world: &mut World, gone: UserId| {
        let method = world.state.users[&gone].contact_methods[0].id;
        let gone = PeopleAsk::RemoveContactMethod { user: gone, method };
        world.ask(Ask::People(gone));
        RespondAsk::RequestResponders {
            incident,
            people: vec![bea],
            policy,
            message: "please".to_owned(),
        }
    };
    let asks = ask(&mut world, bea);
    world.respond(asks);
    let (by_name, by_level) = (
        "Bea has no verified contact method",
        "level 1 of \"Policy\": Bea has no verified contact method",
    );
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::Response(Response::RespondersRequested { skipped, .. })
            if skipped == &[by_name, by_level])
    };
    assert_eq!(world.count(said), 1);
    let pages = world.state.notifications.values();
    let asked = pages.filter(|page| page.purpose == Purpose::Request(incident));
    let told: Vec<&str> = asked.map(|page| page.why.as_str()).collect();
    let is_told = |why: &&str| why.starts_with("asked to help as level 2 of \"Policy\"; ");
    assert!(told.len() == 1 && told.iter().all(is_told), "{told:?}");
    let asks = ask(&mut world, cy);
    let why = world.refused(asks);
    let of_cy = "level 2 of \"Policy\": Cy has no verified contact method";
    let expected = format!("nobody of those can be paged: {by_name}; {by_level}; {of_cy}");
    assert!(why.ends_with(&expected), "{why}");
}

/// Help was asked for by a policy, and then by another, each of which names Bea first: then Dan, or these.
fn asked_by_two_policies(then: &[&str]) -> (World, [UserId; 2]) {
    let (mut world, [bea, dan]) = asked_by_policy(&[]);
    let incident = world.incident().id;
    let mut levels = vec![Level::of(5 * MINUTE, vec![Recipient::User(bea)])];
    for name in then {
        let next = Recipient::User(world.user(name));
        levels.push(Level::of(5 * MINUTE, vec![next]));
    }
    let policy = Some(world.set_policy(None, 0, levels, None));
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: Vec::new(),
        policy,
        message: "please, too".to_owned(),
    });
    (world, [bea, dan])
}

#[test]
fn the_ways_of_two_policies_both_go_on_from_whoever_was_asked_by_both() {
    let (mut world, [bea, dan]) = asked_by_two_policies(&["Cy"]);
    let cy = world.user("Cy");
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, dan, cy]);
    let responders = world.incident().responders.iter();
    let messages: Vec<&str> = responders.map(|one| one.message.as_str()).collect();
    assert_eq!(messages, ["please, too", "please", "please, too"]);
    assert_eq!(said_to_go_on(&world), 2);
}

#[test]
fn whoever_was_asked_by_one_policy_already_counts_for_the_next_level_of_the_other() {
    let (mut world, [bea, dan]) = asked_by_two_policies(&["Dan", "Cy"]);
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, dan], "Dan is asked once");
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, dan, world.user("Cy")]);
}

#[test]
fn the_way_of_a_policy_ends_with_whoever_knew_of_it_and_is_asked_by_another_in_vain() {
    let (mut world, [bea, dan]) = asked_by_policy(&[]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    let levels = [bea, world.user("Cy")].map(|user| vec![Recipient::User(user)]);
    let levels = levels.map(|targets| Level::of(5 * MINUTE, targets));
    let policy = Some(world.set_policy(None, 0, levels.to_vec(), None));
    let incident = world.incident().id;
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: Vec::new(),
        policy,
        message: "please, too".to_owned(),
    });
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, world.user("Cy")]);
    assert!(!asked(&world).contains(&dan));
}

/// Help is asked for of somebody by name, and by a policy of which each level names one person.
fn ask_by_name_and_policy(world: &mut World, name: UserId, levels: &[UserId]) {
    let level = |user: &UserId| Level::of(5 * MINUTE, vec![Recipient::User(*user)]);
    let levels = levels.iter().map(level).collect();
    let policy = Some(world.set_policy(None, 0, levels, None));
    let incident = world.incident().id;
    world.acknowledge();
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: vec![name],
        policy,
        message: "please".to_owned(),
    });
}

#[test]
fn whoever_is_named_and_on_the_first_level_of_the_policy_counts_for_it() {
    let (mut world, _, [_, bea, cy]) = crashed();
    ask_by_name_and_policy(&mut world, bea, &[bea, cy]);
    assert_eq!(asked(&world), [bea]);
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, cy]);
    assert_eq!(requests(&world).len(), 2, "nobody is asked twice");
}

#[test]
fn whoever_was_named_counts_for_the_next_level_of_the_policy_until_no_way_to_them_works() {
    for outcome in [Outcome::Accepted, Outcome::Refused] {
        let (mut world, _, [_, bea, cy]) = crashed();
        let dan = world.add_user("Dan");
        ask_by_name_and_policy(&mut world, cy, &[bea, cy, dan]);
        let sent = world.sending().into_iter();
        let sent: Vec<_> = sent.map(|one| (one.user, one.id)).collect();
        let to = |user: UserId| sent.iter().find(|(to, _)| *to == user).unwrap().1;
        world.answer(to(bea), Outcome::Refused);
        assert_eq!(asked(&world), [cy, bea], "Cy was asked already");
        assert_eq!(said_to_go_on(&world), 1);
        world.answer(to(cy), outcome);
        let mut expected = vec![cy, bea];
        expected.extend((outcome == Outcome::Refused).then_some(dan));
        assert_eq!(asked(&world), expected, "{outcome:?}");
        assert_eq!(requests(&world).len(), expected.len(), "{outcome:?}");
    }
}

#[test]
fn a_level_does_not_fail_while_somebody_who_was_named_before_knows_of_it() {
    let (mut world, _, [_, bea, cy]) = crashed();
    let (dan, eve) = (world.add_user("Dan"), world.add_user("Eve"));
    let level = |users: &[UserId]| {
        let users = users.iter().copied().map(Recipient::User);
        Level::of(5 * MINUTE, users.collect())
    };
    let levels = vec![level(&[bea]), level(&[cy, dan]), level(&[eve])];
    let policy = Some(world.set_policy(None, 0, levels, None));
    let incident = world.incident().id;
    world.acknowledge();
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: vec![cy],
        policy,
        message: "please".to_owned(),
    });
    let answer = |world: &mut World, user: UserId, outcome: Outcome| {
        let mut sent = world.sending().into_iter();
        let message = sent.find(|one| one.user == user).unwrap().id;
        world.answer(message, outcome);
    };
    answer(&mut world, cy, Outcome::Accepted);
    world.wait_ms(MINUTE);
    answer(&mut world, bea, Outcome::Refused);
    assert_eq!(asked(&world), [cy, bea, dan]);
    answer(&mut world, dan, Outcome::Refused);
    assert_eq!(
        asked(&world),
        [cy, bea, dan],
        "Cy is of the level and knows"
    );
    assert_eq!(said_to_go_on(&world), 1);
}

/// Bea got so many pages that more are told together. She is asked to help with one more incident, which Ada has.
fn asked_to_help_after_many(severity: Severity) -> (World, ServiceId, Purpose) {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    world.set_levels(0, &[(5 * MINUTE, &[bea])]);
    let services = services(&mut world, BURST_MAX + 1);
    for service in &services[..BURST_MAX] {
        world.ask(raise(Some(*service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    let last = services[BURST_MAX];
    world.ask(raise(Some(last), "x", severity));
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    let incident = world.incident().id;
    world.respond(ask_for_help(incident, vec![bea]));
    (world, last, Purpose::Request(incident))
}

fn sent_now(world: &World) -> Vec<Purpose> {
    let sending = world.sending().into_iter();
    sending.map(|message| message.purpose).collect()
}

#[test]
fn help_with_something_critical_is_asked_for_at_once_however_many_messages_there_were() {
    let (world, _, request) = asked_to_help_after_many(Severity::Critical);
    assert_eq!(sent_now(&world), [request]);
    let (world, ..) = asked_to_help_after_many(Severity::Error);
    assert_eq!(sent_now(&world), []);
}

#[test]
fn help_with_what_becomes_critical_is_not_asked_for_with_others_any_more() {
    let (mut world, service, request) = asked_to_help_after_many(Severity::Error);
    world.ask(raise(Some(service), "x", Severity::Critical));
    assert!(sent_now(&world).contains(&request));
}
