//! Since when an incident stands where it stands: it never goes back.

use tocsin_domain::command::RespondAsk;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Outcome, Recipient};

use crate::responding::crashed;
use crate::world::World;

const MINUTE: u64 = 60_000;

/// The newest incident stands there, and for so long by now.
#[track_caller]
fn check(world: &World, status: Status, for_ms: u64) {
    let incident = world.incident();
    assert_eq!(incident.status, status);
    assert_eq!(incident.status_set_at, world.now.minus_ms(for_ms));
}

#[test]
fn an_acknowledgement_that_ran_out_changed_the_status_when_it_ran_out() {
    let mut world = World::set_up();
    let ada = world.ada();
    let level = Level::of(5 * MINUTE, vec![Recipient::User(ada)]);
    world.set_default_policy(vec![level], Some(30 * MINUTE));
    world.trigger("down", Severity::Critical);
    check(&world, Status::Triggered, 0);
    world.wait_ms(4 * MINUTE);
    check(&world, Status::Triggered, 4 * MINUTE);
    world.acknowledge();
    world.wait_ms(MINUTE);
    check(&world, Status::Acknowledged, MINUTE);
    // It holds for longer then, and was taken when it was.
    world.acknowledge();
    let taken_at = world.incident().acknowledged.map(|(_, at)| at);
    assert_eq!(taken_at, Some(world.now.minus_ms(MINUTE)));
    check(&world, Status::Acknowledged, MINUTE);
    world.wait_ms(30 * MINUTE - 1);
    check(&world, Status::Acknowledged, 31 * MINUTE - 1);
    world.wait_ms(MINUTE + 1);
    check(&world, Status::Triggered, MINUTE);
}

#[test]
fn a_snooze_that_ended_changed_the_status_when_it_ended_and_a_level_changes_none() {
    let (mut world, incident, [by, ..]) = crashed();
    let for_ms = 10 * MINUTE;
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    world.wait_ms(10 * MINUTE - 1);
    check(&world, Status::Acknowledged, 10 * MINUTE - 1);
    world.wait_ms(1);
    check(&world, Status::Triggered, 0);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada", "Bea"]);
    check(&world, Status::Triggered, 5 * MINUTE);
}

#[test]
fn what_is_over_and_is_reopened_changed_its_status_when_it_was() {
    let (mut world, incident, _) = crashed();
    world.wait_ms(MINUTE);
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    let over = world.incident();
    assert_eq!(Some(over.status_set_at), over.resolved_at);
    world.respond(RespondAsk::Reopen { incident });
    check(&world, Status::Triggered, 0);
    world.wait_ms(3 * MINUTE);
    let note = Some("slow disk".to_owned());
    world.respond(RespondAsk::Resolve { incident, note });
    check(&world, Status::Resolved, 0);
}
