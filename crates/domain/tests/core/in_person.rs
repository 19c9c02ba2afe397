//! Levels of which each must acknowledge, while policies and teams change and people press buttons.

use crate::escalation::{each, one_of_two_is_missing, people, set_web, take};
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::event::Response;
use tocsin_domain::incident::Status;
use tocsin_domain::page::{Level, Outcome, Recipient};

const MINUTE: u64 = 60_000;

#[test]
fn whoever_leaves_a_team_must_still_acknowledge_where_a_level_that_was_moved_names_them() {
    let mut world =
        one_of_two_is_missing(|world, users| vec![Recipient::Team(set_web(world, users.to_vec()))]);
    let (ada, bea, cy) = (world.ada(), world.user("Bea"), world.user("Cy"));
    let web = set_web(&mut world, vec![bea, cy]);
    // The level is the second one now, and names Cy otherwise too.
    let mut moved = each(&[cy]);
    moved.targets.push(Recipient::Team(web));
    let first = Level::of(MINUTE, people(&[ada]));
    world.set_default_policy(vec![first, moved], None);
    set_web(&mut world, vec![bea]);
    assert_eq!(world.incident().status, Status::Triggered);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged()[2..], ["Ada"], "who is new comes first");
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    assert_eq!(world.paged()[2..], ["Ada", "Cy"], "it goes on");
    take(&mut world, cy);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn whoever_acknowledged_for_their_part_is_not_rung_again_by_an_escalation_by_hand() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (ada, bea, cy) = (world.ada(), world.user("Bea"), world.user("Cy"));
    let next = Level::of(5 * MINUTE, people(&[bea, ada]));
    world.set_default_policy(vec![each(&[bea, cy]), next], None);
    let incident = world.incident().id;
    world.respond(RespondAsk::Escalate { incident });
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada"]);
    assert_eq!(world.incident().status, Status::Triggered);
    take(&mut world, cy);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn what_all_acknowledged_and_is_escalated_by_hand_rings_none_of_them_and_one_of_them_can_take_it() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (ada, bea, cy) = (world.ada(), world.user("Bea"), world.user("Cy"));
    take(&mut world, cy);
    let policy = world.state.installation.as_ref().unwrap().default_policy;
    let levels = vec![each(&[bea, cy]), Level::of(MINUTE, people(&[ada]))];
    world.set_policy(Some(policy), 1, levels, None);
    let incident = world.incident().id;
    world.respond(RespondAsk::Escalate { incident });
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    assert_eq!(world.paged(), ["Bea", "Cy", "Ada", "Ada"], "round 2");
    take(&mut world, bea);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn whoever_acknowledges_again_what_was_escalated_by_hand_has_done_so_when_the_others_are_removed() {
    let mut world = one_of_two_is_missing(|_, users| people(&users));
    let (incident, bea, cy) = (world.incident().id, world.user("Bea"), world.user("Cy"));
    world.respond(RespondAsk::Escalate { incident });
    take(&mut world, bea);
    assert_eq!(world.incident().status, Status::Triggered);
    world.ask(Ask::People(PeopleAsk::Remove { user: cy }));
    let by = world.incident().acknowledged.map(|(by, _)| by);
    assert_eq!(by, Some(Some(bea)));
}

#[test]
fn an_escalation_by_hand_of_an_old_journal_spares_nobody() {
    let old = r#"{"response":"escalated_by_hand"}"#;
    let spared = Vec::new();
    let read: Response = serde_json::from_str(old).unwrap();
    assert_eq!(read, Response::EscalatedByHand { spared });
}
