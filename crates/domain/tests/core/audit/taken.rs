//! What somebody has for longer than was said.

use tocsin_domain::audit::FindingKind;
use tocsin_domain::command::{AlertAsk, Ask, RespondAsk};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Outcome, Recipient};

use super::{MINUTE, SECOND, check, paged};
use crate::world::World;

#[test]
fn a_snooze_that_should_have_ended_is_found_after_a_grace() {
    let mut world = paged();
    let (incident, by, for_ms) = (world.incident().id, world.ada(), 60 * MINUTE);
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    check(&world.found_after(for_ms + 10 * SECOND), &[]);
    let late = [(FindingKind::Overdue, "incident #1 was snoozed until")];
    check(&world.found_after(for_ms + 11 * SECOND), &late);
    world.wait_ms(for_ms);
    check(&world.found_after(0), &[]);
}

/// Something fails that Ada has for half an hour.
fn taken(severity: Severity) -> World {
    let mut world = World::set_up();
    let level = Level::of(5 * MINUTE, vec![Recipient::User(world.ada())]);
    world.set_default_policy(vec![level], Some(30 * MINUTE));
    world.trigger("disk", severity);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world
}

#[test]
fn an_acknowledgement_that_should_have_ended_is_found_after_a_grace() {
    let mut world = taken(Severity::Critical);
    check(&world.found_after(30 * MINUTE + 10 * SECOND), &[]);
    let late = [(FindingKind::Overdue, "incident #1 was acknowledged until")];
    check(&world.found_after(30 * MINUTE + 11 * SECOND), &late);
    world.wait_ms(30 * MINUTE);
    check(&world.found_after(0), &[]);
}

#[test]
fn a_snooze_counts_as_long_as_it_lasts_and_not_the_acknowledgement_before_it() {
    let mut world = taken(Severity::Critical);
    let (incident, by, for_ms) = (world.incident().id, world.ada(), 60 * MINUTE);
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    check(&world.found_after(for_ms), &[]);
    world.respond(RespondAsk::CancelSnooze { incident });
    let late = [(FindingKind::Overdue, "incident #1 was acknowledged until")];
    check(&world.found_after(for_ms), &late);
}

#[test]
fn what_wakes_nobody_or_fails_no_more_is_not_taken_for_too_long() {
    let low = taken(Severity::Warning);
    check(&low.found_after(60 * MINUTE), &[]);
    let mut over = taken(Severity::Critical);
    let installation = over.state.installation.as_ref().unwrap();
    over.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service: installation.default_service,
        integration: None,
        dedup_key: "disk".to_owned(),
    }));
    over.answer_all(Outcome::Accepted);
    check(&over.found_after(60 * MINUTE), &[]);
}
