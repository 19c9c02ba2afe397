//! What was merged of several incidents: each alert of it waits, and is quiet, for its own reason.

use tocsin_domain::command::{Ask, IntakeAsk, RespondAsk};
use tocsin_domain::id::IncidentId;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{GroupBy, Loudness};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Urgency;

use super::pauses::paused;
use super::pauses_and_work::{UNTIL_EIGHT, support};
use super::settings::{evening, support_in};
use super::windows::{once, plan};
use super::{HOUR, MINUTE, is_paged_after};
use crate::world::World;

fn merge(world: &mut World, source: IncidentId, into: IncidentId) {
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
}

/// What was opened by a critical alert of the default service under this key.
fn opened(world: &mut World, key: &str) -> IncidentId {
    world.trigger(key, Severity::Critical);
    world.incident().id
}

/// Two that wait 10 and 30 minutes, one merged into the other.
fn merged_of_two_that_wait(turned: bool) -> World {
    let mut world = paused(&[("alpha", 10 * MINUTE), ("beta", 30 * MINUTE)]);
    let (alpha, beta) = (opened(&mut world, "alpha"), opened(&mut world, "beta"));
    let (source, into) = if turned { (alpha, beta) } else { (beta, alpha) };
    merge(&mut world, source, into);
    assert_eq!(world.pages(), []);
    world
}

#[test]
fn of_two_that_wait_and_are_merged_the_first_that_would_have_been_paged_for_is() {
    for turned in [false, true] {
        let mut world = merged_of_two_that_wait(turned);
        is_paged_after(&mut world, 10 * MINUTE);
    }
}

#[test]
fn where_that_one_is_over_by_then_the_other_waits_as_long_as_it_would_have() {
    for turned in [false, true] {
        let mut world = merged_of_two_that_wait(turned);
        let service = world.default_service();
        world.wait_ms(5 * MINUTE);
        world.resolve_key(service, "alpha");
        is_paged_after(&mut world, 25 * MINUTE);
    }
}

#[test]
fn what_somebody_has_and_waits_goes_on_waiting_in_what_wakes_nobody_and_nobody_has() {
    let mut world = paused(&[("beta", HOUR)]);
    world.trigger("calm", Severity::Warning);
    let into = world.incident().id;
    let source = opened(&mut world, "beta");
    world.acknowledge();
    merge(&mut world, source, into);
    is_paged_after(&mut world, HOUR);
}

#[test]
fn work_that_was_ended_beside_what_waits_is_no_reason_for_what_that_is_merged_into() {
    let mut world = paused(&[("alpha", 10 * MINUTE)]);
    let (service, when) = (world.default_service(), once(&world, 0, HOUR));
    let window = plan(&mut world, vec![service], when);
    let alpha = opened(&mut world, "alpha");
    world.ask(Ask::Intake(IntakeAsk::EndWindow(window)));
    let beta = opened(&mut world, "beta");
    let urgency = Urgency::Low;
    world.respond(RespondAsk::SetUrgency {
        incident: beta,
        urgency,
    });
    merge(&mut world, alpha, beta);
    let merged = &world.state.incidents[&beta];
    assert_eq!(merged.suppressed, None);
    let held_until = merged.hold.as_ref().map(|hold| hold.until);
    assert_eq!(held_until, Some(world.now.plus_ms(10 * MINUTE)));
}

#[test]
fn what_waits_and_is_merged_into_what_is_over_for_now_goes_on_waiting() {
    let mut world = paused(&[("alpha", 10 * MINUTE)]);
    let ada = world.ada();
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    let mail = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, mail), (5 * MINUTE, hook)]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.fire("apache-config-broken", &[]);
    world.recover("apache-down");
    world.wait_ms(6 * MINUTE);
    let into = world.incident().id;
    let source = opened(&mut world, "alpha");
    merge(&mut world, source, into);
    assert_eq!(world.pages().len(), 1);
    is_paged_after(&mut world, 10 * MINUTE);
}

#[test]
fn work_on_one_service_keeps_nothing_of_another_quiet_that_was_merged_with_it() {
    let mut world = World::set_up();
    let (service, shop) = (world.default_service(), world.add_service("Shop"));
    let when = once(&world, 0, HOUR);
    plan(&mut world, vec![service], when);
    let into = opened(&mut world, "disk");
    world.trigger_with(Some(shop), "till", Severity::Critical, &[]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.pages().len(), 1);
    let source = world.incident().id;
    merge(&mut world, source, into);
    assert_eq!(world.pages().len(), 2);
    world.answer_all(Outcome::Accepted);
    world.resolve_key(shop, "till");
    is_paged_after(&mut world, HOUR);
}

#[test]
fn what_somebody_had_is_paged_for_when_it_is_merged_into_what_is_quiet() {
    let mut world = World::set_up();
    let (service, shop) = (world.default_service(), world.add_service("Shop"));
    let when = once(&world, 0, 8 * HOUR);
    plan(&mut world, vec![service], when);
    let into = opened(&mut world, "disk");
    world.trigger_with(Some(shop), "till", Severity::Critical, &[]);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    let source = world.incident().id;
    merge(&mut world, source, into);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn work_on_the_service_of_what_was_merged_covers_its_alerts_until_it_ends() {
    let mut world = World::set_up();
    let (service, shop) = (world.default_service(), world.add_service("Shop"));
    let when = once(&world, 0, 8 * HOUR);
    let window = plan(&mut world, vec![shop], when);
    let into = opened(&mut world, "disk");
    world.answer_all(Outcome::Accepted);
    world.trigger_with(Some(shop), "till", Severity::Critical, &[]);
    let source = world.incident().id;
    merge(&mut world, source, into);
    world.resolve_key(service, "disk");
    world.wait_ms(HOUR);
    assert_eq!(world.pages().len(), 1);
    world.ask(Ask::Intake(IntakeAsk::EndWindow(window)));
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn of_two_that_are_quiet_and_merged_the_first_that_is_no_longer_is_paged_for() {
    for turned in [false, true] {
        let mut world = World::set_up();
        let (service, shop) = (world.default_service(), world.add_service("Shop"));
        for (service, ms) in [(service, 2 * HOUR), (shop, HOUR)] {
            let when = once(&world, 0, ms);
            plan(&mut world, vec![service], when);
        }
        let disk = opened(&mut world, "disk");
        world.trigger_with(Some(shop), "till", Severity::Critical, &[]);
        let till = world.incident().id;
        let (source, into) = if turned { (disk, till) } else { (till, disk) };
        merge(&mut world, source, into);
        assert!(world.state.incidents[&into].suppressed.is_some());
        is_paged_after(&mut world, HOUR);
    }
}

#[test]
fn what_is_quiet_is_not_lost_in_a_warning_that_somebody_has() {
    let mut world = World::set_up();
    world.trigger("slow", Severity::Warning);
    world.acknowledge();
    let (service, into) = (world.default_service(), world.incident().id);
    let when = once(&world, 0, HOUR);
    plan(&mut world, vec![service], when);
    let source = opened(&mut world, "disk");
    merge(&mut world, source, into);
    assert_eq!(world.state.incidents[&into].status, Status::Triggered);
    is_paged_after(&mut world, HOUR);
}

#[test]
fn what_a_person_said_is_urgent_is_so_in_what_it_is_merged_into() {
    let mut world = World::set_up();
    world.trigger("one", Severity::Warning);
    let into = world.incident().id;
    world.trigger("two", Severity::Warning);
    let (incident, urgency) = (world.incident().id, Urgency::High);
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.pages().len(), 1);
    merge(&mut world, incident, into);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn what_was_merged_is_raised_when_the_support_hours_of_its_own_service_begin() {
    let mut world = World::set_up();
    let shop = world.add_service("Shop");
    world.ask(Ask::Intake(IntakeAsk::SetService {
        service: shop,
        urgency: support(Loudness::Low),
        grouping: GroupBy::Nothing,
        resolve_after_ms: None,
    }));
    world.wait_ms(UNTIL_EIGHT);
    world.trigger("slow", Severity::Warning);
    let into = world.incident().id;
    world.trigger_with(Some(shop), "till", Severity::Critical, &[]);
    let source = world.incident().id;
    merge(&mut world, source, into);
    is_paged_after(&mut world, HOUR);
}

#[test]
fn what_was_merged_waits_for_no_other_support_hours_than_those_of_its_own_service() {
    let mut world = World::set_up();
    let (ada, shop) = (world.ada(), world.add_service("Shop"));
    world.take_in(support(Loudness::Low), GroupBy::Nothing, None);
    world.ask(Ask::Intake(IntakeAsk::SetService {
        service: shop,
        urgency: support_in(evening()),
        grouping: GroupBy::Nothing,
        resolve_after_ms: None,
    }));
    world.trigger("slow", Severity::Warning);
    let into = world.incident().id;
    world.respond(RespondAsk::Snooze {
        incident: into,
        by: ada,
        for_ms: UNTIL_EIGHT + 12 * HOUR,
    });
    world.trigger_with(Some(shop), "till", Severity::Warning, &[]);
    world.acknowledge();
    let source = world.incident().id;
    // On Monday at 20:00 the hours of the one have passed; those of the other have begun and last.
    world.wait_ms(UNTIL_EIGHT + 13 * HOUR);
    assert!(world.state.incidents[&into].hours_passed_at.is_some());
    assert_eq!(world.pages(), []);
    merge(&mut world, source, into);
    assert_eq!(world.pages().len(), 1);
}
