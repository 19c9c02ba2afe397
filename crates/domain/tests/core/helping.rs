//! Requests for help by a policy, beside those by name.

use crate::responding::{ask_for_help, asked, asked_by_policy, said_to_go_on};
use tocsin_domain::command::RespondAsk;
use tocsin_domain::page::Outcome;

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
