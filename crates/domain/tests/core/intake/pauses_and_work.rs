//! What waits, is silenced or is taken, when one of these ends while another lasts, or when the clock is set back.

use tocsin_domain::command::{Ask, IntakeAsk, RespondAsk, WatchAsk};
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{Action, GroupBy, Loudness, SupportHours, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Outcome, Recipient};
use tocsin_domain::people::Urgency;

use super::pauses::{paused, waits_beside_a_silence};
use super::windows::{once, plan, work_on_target};
use super::{HOUR, MINUTE, is_paged_after, office, rule, title_contains};
use crate::world::World;

/// From the beginning of the world, a Sunday, until Monday at 08:00 in Paris, an hour before the support hours.
pub(super) const UNTIL_EIGHT: u64 = 27 * HOUR;

fn set_back(world: &mut World, by_ms: u64) {
    world.now = world.now.minus_ms(by_ms);
    world.ask(Ask::ClockSetBack { by_ms });
}

#[test]
fn what_waits_under_planned_work_is_paged_for_when_the_later_of_both_is_over() {
    for (pause, work) in [(10 * MINUTE, HOUR), (HOUR, 10 * MINUTE)] {
        let mut world = paused(&[("alpha", pause)]);
        let (service, when) = (world.default_service(), once(&world, 0, work));
        plan(&mut world, vec![service], when);
        world.trigger("alpha", Severity::Critical);
        is_paged_after(&mut world, HOUR);
    }
}

#[test]
fn work_that_is_ended_early_pages_for_what_it_covered_beside_something_that_waits() {
    let mut world = waits_beside_a_silence(30 * MINUTE);
    let silence = *world.state.windows.keys().next().unwrap();
    world.wait_ms(MINUTE);
    assert_eq!(world.pages(), []);
    world.ask(Ask::Intake(IntakeAsk::ExpireWindow(silence)));
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_is_said_again_with_labels_that_nothing_covers_is_paged_for_beside_something_that_waits() {
    let mut world = waits_beside_a_silence(30 * MINUTE);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages(), []);
    world.fires("beta", &[("a", "c")]);
    assert_eq!(world.pages().len(), 1);
}

/// A disk fails under work that was to last 8 hours, somebody takes it for half an hour, and the work is ended meanwhile.
fn taken_while_work_ended(is_snoozed: bool) -> World {
    let mut world = World::set_up();
    let ada = world.ada();
    let level = Level::of(5 * MINUTE, vec![Recipient::User(ada)]);
    world.set_default_policy(vec![level], Some(30 * MINUTE));
    let (service, when) = (world.default_service(), once(&world, 0, 8 * HOUR));
    let window = plan(&mut world, vec![service], when);
    world.trigger("disk", Severity::Critical);
    assert!(world.incident().suppressed.is_some());
    if is_snoozed {
        let (incident, by, for_ms) = (world.incident().id, ada, 30 * MINUTE);
        world.respond(RespondAsk::Snooze {
            incident,
            by,
            for_ms,
        });
    } else {
        world.acknowledge();
    }
    world.ask(Ask::Intake(IntakeAsk::EndWindow(window)));
    assert_eq!(world.incident().status, Status::Acknowledged);
    world
}

#[test]
fn what_was_taken_when_the_work_on_it_ended_is_paged_for_once_nobody_has_it() {
    for is_snoozed in [false, true] {
        let mut world = taken_while_work_ended(is_snoozed);
        is_paged_after(&mut world, 30 * MINUTE);
    }
}

#[test]
fn what_was_snoozed_while_it_waited_waits_as_long_as_it_would_have() {
    let mut world = paused(&[("alpha", HOUR)]);
    world.trigger("alpha", Severity::Critical);
    let (incident, by, for_ms) = (world.incident().id, world.ada(), 10 * MINUTE);
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    is_paged_after(&mut world, HOUR);
}

#[test]
fn what_is_said_to_be_urgent_after_the_work_on_it_has_ended_is_paged_for() {
    let mut world = World::set_up();
    let (service, when) = (world.default_service(), once(&world, 0, 8 * HOUR));
    let window = plan(&mut world, vec![service], when);
    world.trigger("disk", Severity::Warning);
    assert!(world.incident().suppressed.is_some());
    world.ask(Ask::Intake(IntakeAsk::EndWindow(window)));
    let (incident, urgency) = (world.incident().id, Urgency::High);
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    assert_eq!(world.pages().len(), 1);
}

pub(super) fn support(outside: Loudness) -> UrgencyBy {
    UrgencyBy::SupportHours(Box::new(SupportHours {
        hours: office(),
        during: Loudness::High,
        outside,
        raise: true,
    }))
}

#[test]
fn what_waits_when_support_hours_begin_is_paged_for_when_its_wait_is_over() {
    let mut world = paused(&[("disk", HOUR)]);
    world.take_in(support(Loudness::Low), GroupBy::Nothing, None);
    world.wait_ms(UNTIL_EIGHT + 30 * MINUTE);
    world.trigger("disk", Severity::Warning);
    is_paged_after(&mut world, HOUR);
}

#[test]
fn what_support_hours_raise_does_not_wait_for_what_it_joined() {
    let mut world = World::set_up();
    let by_time = GroupBy::Time {
        within_ms: HOUR,
        rolling: false,
    };
    world.take_in(support(Loudness::Severity), by_time, None);
    let pause = Action::Pause { ms: HOUR };
    world.set_rules_of(None, vec![rule("r", title_contains("alpha"), vec![pause])]);
    world.wait_ms(UNTIL_EIGHT + 30 * MINUTE);
    world.trigger("alpha", Severity::Critical);
    world.trigger("disk", Severity::Warning);
    assert_eq!(world.state.incidents.len(), 1);
    is_paged_after(&mut world, 30 * MINUTE);
}

#[test]
fn by_a_clock_that_was_set_back_before_planned_work_nothing_is_quiet() {
    let mut world = World::set_up();
    let (service, when) = (world.default_service(), once(&world, HOUR, 3 * HOUR));
    plan(&mut world, vec![service], when);
    world.wait_ms(90 * MINUTE);
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.pages(), []);
    set_back(&mut world, HOUR);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn nor_does_anything_wait_for_the_end_of_a_silence_that_has_not_begun_by_it() {
    let mut world = waits_beside_a_silence(30 * MINUTE);
    assert_eq!(world.pages(), []);
    set_back(&mut world, 10 * MINUTE);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_a_clock_that_was_set_back_leaves_quiet_stays_so_until_the_time_of_the_day() {
    let mut world = World::set_up();
    let (service, when) = (world.default_service(), once(&world, 0, HOUR));
    plan(&mut world, vec![service], when);
    world.wait_ms(30 * MINUTE);
    world.trigger("disk", Severity::Critical);
    set_back(&mut world, 10 * MINUTE);
    is_paged_after(&mut world, 40 * MINUTE);
}

#[test]
fn a_quiet_target_that_is_removed_keeps_nothing_quiet_that_a_person_reopened() {
    let mute = |world: &mut World| world.mute(24 * HOUR);
    let work = |world: &mut World| {
        work_on_target(world, &[]);
    };
    for be_quiet in [mute as fn(&mut World), work] {
        let mut world = World::with_apache();
        world.crash();
        world.answer_all(Outcome::Accepted);
        world.acknowledge();
        world.recover("apache-down");
        world.wait_ms(MINUTE);
        let (incident, target) = (world.incident().id, world.target());
        be_quiet(&mut world);
        world.respond(RespondAsk::Reopen { incident });
        assert_eq!(world.pages().len(), 1);
        world.ask(Ask::Watch(WatchAsk::Remove(target)));
        assert_eq!(world.pages().len(), 2);
    }
}
