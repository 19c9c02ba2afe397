//! What a person said of an incident stands until something worse is said.

use tocsin_domain::command::RespondAsk;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Urgency;

use crate::world::World;

const MINUTE: u64 = 60_000;
const CHANGE_RUNNING: usize = 2;

/// Ada says that the newest incident is not urgent, and gives it a name.
fn calm(world: &mut World) {
    let incident = world.incident().id;
    let urgency = Urgency::Low;
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    name(world);
}

fn name(world: &mut World) {
    let incident = world.incident().id;
    let title = "A known thing".to_owned();
    world.respond(RespondAsk::SetTitle { incident, title });
}

fn is_calm(world: &World) -> bool {
    let incident = world.incident();
    incident.urgency == Urgency::Low && incident.title == "A known thing"
}

#[test]
fn what_was_said_not_to_be_urgent_stays_so_until_it_is_said_to_be_worse() {
    let mut world = World::set_up();
    world.trigger("disk", Severity::Error);
    world.answer_all(Outcome::Accepted);
    calm(&mut world);
    for severity in [Severity::Error, Severity::Warning] {
        world.trigger("disk", severity);
        world.wait_ms(60 * MINUTE);
        assert!(is_calm(&world), "{severity:?}");
        assert_eq!(world.pages().len(), 1);
    }
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.incident().title, "disk fails");
    assert_eq!(world.pages().len(), 2);
    world.check_replay();
}

#[test]
fn what_was_said_not_to_be_urgent_stays_so_when_it_is_back_before_it_was_over() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    calm(&mut world);
    for _ in 0..2 {
        world.recover("apache-down");
        world.wait_ms(5_000);
        world.crash();
        assert!(is_calm(&world));
    }
    assert_eq!(world.pages().len(), 1);
    world.fire("apache-5xx", &[]);
    assert_eq!(world.incident().urgency, Urgency::High);
    assert_eq!(world.pages().len(), 2, "that is another failure");
}

#[test]
fn what_is_back_after_it_was_over_is_as_urgent_as_at_first() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    calm(&mut world);
    world.recover("apache-down");
    world.wait_ms(MINUTE);
    world.crash();
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().urgency, Urgency::High);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn nor_does_a_warning_that_kept_it_open_hide_what_was_over() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    calm(&mut world);
    world.fire("apache-config-broken", &[]);
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    world.crash();
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().urgency, Urgency::High);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn a_name_stays_when_what_waits_to_be_paged_for_is_back_before_it_was_over() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[CHANGE_RUNNING]);
    name(&mut world);
    world.recover("apache-down");
    world.wait_ms(5_000);
    world.fire("apache-down", &[CHANGE_RUNNING]);
    assert_eq!(world.incident().title, "A known thing");
    assert_eq!(world.state.incidents.len(), 1);
    world.recover("apache-down");
    world.wait_ms(5_000);
    world.fire("apache-5xx", &[]);
    assert_ne!(world.incident().title, "A known thing", "it is another one");
}
