//! What is over and is reopened by hand.

use tocsin_domain::alert::Alert;
use tocsin_domain::command::RespondAsk;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;

use crate::responding::crashed;
use crate::world::World;

const MINUTE: u64 = 60_000;

#[test]
fn what_a_person_reopens_is_paged_from_the_first_level_on_until_a_person_ends_it() {
    let (mut world, incident, _) = crashed();
    assert!(
        world
            .refused(RespondAsk::Reopen { incident })
            .contains("open already")
    );
    world.acknowledge();
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.incident().status, Status::Resolved);
    let (before, title) = (world.paged().len(), world.incident().title.clone());
    world.respond(RespondAsk::Reopen { incident });
    let reopened = world.incident();
    assert_eq!(
        (reopened.id, reopened.status, &reopened.title),
        (incident, Status::Triggered, &title)
    );
    assert_eq!(reopened.acknowledged, None);
    let said = |alert: &&Alert| alert.summary == "reopened by a person";
    let said = world.state.alerts.values().find(said).unwrap();
    assert!(!said.joined, "the incident was over");
    assert_eq!(world.paged()[before..], ["Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(6 * MINUTE);
    assert_eq!(world.paged().last().map(String::as_str), Some("Bea"));
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn what_came_back_often_is_paged_for_all_the_same_when_a_person_reopens_it() {
    let (mut world, incident, _) = crashed();
    world.acknowledge();
    world.recover("apache-down");
    world.wait_ms(MINUTE);
    for _ in 0..8 {
        let before = world.paged().len();
        world.respond(RespondAsk::Reopen { incident });
        assert!(world.paged().len() > before);
        world.answer_all(Outcome::Accepted);
        let note = None;
        world.respond(RespondAsk::Resolve { incident, note });
        world.answer_all(Outcome::Accepted);
        world.wait_ms(20 * MINUTE);
    }
}

#[test]
fn what_ended_in_another_incident_is_not_reopened() {
    let mut world = World::set_up();
    world.trigger("one", Severity::Critical);
    let source = world.incident().id;
    world.trigger("two", Severity::Critical);
    let into = world.incident().id;
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    let reopen = RespondAsk::Reopen { incident: source };
    assert!(world.refused(reopen).contains("was merged into"));
}
