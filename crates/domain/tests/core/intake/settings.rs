//! Urgency by service and by support hours; alerts that end when nothing is heard of them.

use super::{HOUR, MINUTE, is_paged_after, office, rule, title_contains};
use crate::world::World;
use tocsin_domain::command::{AlertAsk, Ask, Refusal, RespondAsk, RosterAsk};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{Action, GroupBy, Loudness, SupportHours, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Hours;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Urgency;
use tocsin_domain::service::{Hold, WholeService};
use tocsin_domain::simulate::Canary;

/// From the beginning of the world, a Sunday, until Monday at 09:00 in Paris.
const UNTIL_MONDAY: u64 = 28 * HOUR;

fn support(raise: bool) -> UrgencyBy {
    UrgencyBy::SupportHours(Box::new(SupportHours {
        hours: office(),
        during: Loudness::High,
        outside: Loudness::Low,
        raise,
    }))
}

/// Of a service that raises what is open when they begin.
pub(super) fn support_in(hours: Hours) -> UrgencyBy {
    UrgencyBy::SupportHours(Box::new(SupportHours {
        hours,
        during: Loudness::High,
        outside: Loudness::Low,
        raise: true,
    }))
}

/// Mondays, 19:00 to 23:00 in Paris.
pub(super) fn evening() -> Hours {
    let at = |time: &str| serde_json::json!({"weekday": "monday", "time": time});
    let window = serde_json::json!({"kind": "weekly", "from": at("19:00"), "until": at("23:00")});
    let hours = serde_json::json!({"time_zone": "Europe/Paris", "windows": [window]});
    serde_json::from_value(hours).unwrap()
}

#[test]
fn a_service_may_page_for_everything_or_for_nothing() {
    let mut world = World::set_up();
    world.take_in(UrgencyBy::High, GroupBy::Nothing, None);
    world.trigger("info", Severity::Info);
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.alert("info").urgency(), Urgency::High);
    world.take_in(UrgencyBy::Low, GroupBy::Nothing, None);
    world.trigger("critical", Severity::Critical);
    world.wait_ms(HOUR);
    assert_eq!(world.incident().urgency, Urgency::Low);
    let of_second = world.state.messages_about(world.incident().id);
    assert_eq!(of_second.count(), 0);
}

#[test]
fn what_is_not_said_of_a_service_stays_as_it_is_when_that_is_decided() {
    let mut world = World::set_up();
    let id = world.state.installation.as_ref().unwrap().default_service;
    let set = |world: &mut World, whole: WholeService| -> Result<(), Refusal> {
        let ask = RosterAsk::SetWholeService(Box::new(whole));
        world.try_ask(Ask::Roster(ask)).map(drop)
    };
    let whole = WholeService {
        id: Some(id),
        description: Some("What it is".to_owned()),
        acknowledgement: Some(Some(Hold::Always)),
        ..WholeService::default()
    };
    set(&mut world, whole).unwrap();
    world.take_in(support(true), GroupBy::Nothing, Some(HOUR));
    let mut expected = world.state.services[&id].clone();
    let called = WholeService {
        id: Some(id),
        name: Some("Shop".to_owned()),
        ..WholeService::default()
    };
    set(&mut world, called).unwrap();
    expected.name = "Shop".to_owned();
    assert_eq!(world.state.services[&id], expected);
    let never = WholeService {
        id: Some(id),
        acknowledgement: Some(None),
        resolve_after_ms: Some(None),
        ..WholeService::default()
    };
    set(&mut world, never).unwrap();
    expected.acknowledgement = None;
    expected.intake.resolve_after_ms = None;
    assert_eq!(world.state.services[&id], expected);
    set(&mut world, WholeService::default()).unwrap_err();
}

#[test]
fn an_urgent_warning_of_a_monitor_that_comes_back_is_paged_anew() {
    let mut world = World::with_apache();
    let target = world.target();
    let service = world.state.targets[&target].service;
    world.ask(Ask::Intake(tocsin_domain::command::IntakeAsk::SetService {
        service,
        urgency: UrgencyBy::High,
        grouping: GroupBy::Nothing,
        resolve_after_ms: None,
    }));
    let mut monitors = world.state.monitors.values();
    let slug = monitors
        .find(|one| one.severity == Severity::Warning)
        .unwrap()
        .slug
        .clone();
    world.fire(&slug, &[]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.pages().len(), 1);
    world.recover(&slug);
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    world.fire(&slug, &[]);
    assert_eq!(world.incident().relapses, 1);
    assert_eq!(world.incident().urgency, Urgency::High);
    let reached = |what: &IncidentWhat| matches!(what, IncidentWhat::LevelReached { .. });
    assert_eq!(world.count(reached), 2);
}

#[test]
fn outside_of_support_hours_nobody_is_woken_and_the_timeline_says_why() {
    let mut world = World::set_up();
    world.take_in(support(false), GroupBy::Nothing, None);
    world.trigger("disk", Severity::Critical);
    world.wait_ms(UNTIL_MONDAY + HOUR);
    assert_eq!(world.pages(), []);
    let told = |what: &IncidentWhat| matches!(what, IncidentWhat::UrgencySet { why, .. } if why.contains("outside"));
    assert_eq!(world.count(told), 1);
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.pages().len(), 1, "said again within the hours");
}

#[test]
fn what_is_open_when_support_hours_begin_is_raised_and_paged() {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    world.trigger("disk", Severity::Warning);
    world.wait_ms(UNTIL_MONDAY - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.alert("disk").urgency(), Urgency::High);
    assert_eq!(world.incident().burning, 1);
}

#[test]
fn what_began_before_support_hours_and_is_told_of_after_them_waits_for_the_next_ones() {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    // It is Monday at 19:00, and has failed since 08:00.
    world.wait_ms(UNTIL_MONDAY + 10 * HOUR);
    world.ask(Ask::Alert(AlertAsk::Trigger {
        service: None,
        integration: None,
        dedup_key: Some("disk".to_owned()),
        severity: Severity::Warning,
        title: "disk fails".to_owned(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: Some(world.now.minus_ms(11 * HOUR)),
    }));
    world.wait_ms(14 * HOUR - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1, "it is Tuesday at 09:00");
}

#[test]
fn support_hours_that_begin_again_after_the_clock_was_set_back_raise_what_is_open() {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    world.wait_ms(UNTIL_MONDAY + 11 * HOUR);
    world.trigger("disk", Severity::Warning);
    let by_ms = 12 * HOUR;
    world.now = world.now.minus_ms(by_ms);
    world.ask(Ask::ClockSetBack { by_ms });
    world.wait_ms(HOUR);
    assert_eq!(world.pages().len(), 1, "it is Monday at 09:00");
}

#[test]
fn what_somebody_has_taken_is_not_raised() {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    world.trigger("disk", Severity::Critical);
    world.acknowledge();
    world.wait_ms(UNTIL_MONDAY + 24 * HOUR);
    assert_eq!(world.pages(), []);
}

/// A warning that somebody has for so long, of a service that raises what is open.
fn snoozed(for_ms: u64) -> World {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    world.trigger("disk", Severity::Warning);
    let (incident, by) = (world.incident().id, world.ada());
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    world.wait_ms(for_ms - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.incident().status, Status::Triggered);
    world
}

fn waits_for_the_next_hours(what: &IncidentWhat) -> bool {
    matches!(
        what,
        IncidentWhat::UrgencySet {
            hours_passed: true,
            ..
        }
    )
}

#[test]
fn what_somebody_had_when_support_hours_began_is_raised_while_they_last() {
    let world = snoozed(UNTIL_MONDAY + 3 * HOUR);
    assert_eq!(world.pages().len(), 1, "it is Monday at noon");
    assert_eq!(world.count(waits_for_the_next_hours), 0);
}

#[test]
fn what_somebody_had_throughout_support_hours_is_raised_when_they_begin_again() {
    let mut world = snoozed(UNTIL_MONDAY + 11 * HOUR);
    assert_eq!(world.pages(), [], "it is Monday at 20:00");
    assert_eq!(world.incident().urgency, Urgency::Low);
    is_paged_after(&mut world, 13 * HOUR);
    assert_eq!(world.count(waits_for_the_next_hours), 1);
    world.check_replay();
}

#[test]
fn support_hours_that_passed_before_it_was_over_count_no_longer_once_the_clock_was_set_back() {
    let mut world = snoozed(UNTIL_MONDAY + 11 * HOUR);
    let incident = world.incident().id;
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    world.now = world.now.minus_ms(24 * HOUR);
    world.ask(Ask::ClockSetBack { by_ms: 24 * HOUR });
    world.respond(RespondAsk::Reopen { incident });
    // It is Sunday at 20:00 again.
    is_paged_after(&mut world, 13 * HOUR);
}

#[test]
fn nobody_is_woken_for_support_hours_that_passed_while_nothing_ran() {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    world.trigger("disk", Severity::Warning);
    world.now = world.now.plus_ms(UNTIL_MONDAY + 11 * HOUR);
    world.ask(Ask::Recover);
    assert_eq!(world.pages(), []);
    is_paged_after(&mut world, 13 * HOUR);
}

#[test]
fn support_hours_that_are_set_at_night_raise_what_is_open_when_they_begin() {
    let mut world = World::set_up();
    world.take_in(UrgencyBy::Low, GroupBy::Nothing, None);
    world.trigger("disk", Severity::Critical);
    world.wait_ms(UNTIL_MONDAY + 11 * HOUR);
    world.take_in(support(true), GroupBy::Nothing, None);
    is_paged_after(&mut world, 13 * HOUR);
}

#[test]
fn what_waits_for_the_next_support_hours_is_raised_at_once_when_they_are_set_to_be_now() {
    let mut world = snoozed(UNTIL_MONDAY + 11 * HOUR);
    world.take_in(support_in(evening()), GroupBy::Nothing, None);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn when_support_hours_begin_is_known_of_an_incident_by_itself() {
    let mut world = World::set_up();
    world.take_in(support(true), GroupBy::Nothing, None);
    world.trigger("disk", Severity::Warning);
    let alone = world.state.about([world.incident().id]);
    crate::due_reference::check(&alone);
    assert_eq!(alone.next_due(), world.state.next_due());
}

#[test]
fn support_hours_that_are_set_later_raise_what_is_open() {
    let mut world = World::set_up();
    world.take_in(UrgencyBy::Low, GroupBy::Nothing, None);
    world.trigger("disk", Severity::Critical);
    world.take_in(support(true), GroupBy::Nothing, None);
    world.wait_ms(UNTIL_MONDAY);
    assert_eq!(world.pages().len(), 1);
}

fn declare(world: &mut World, urgency: Urgency) {
    world.ask(Ask::Respond(RespondAsk::Declare {
        title: "The shop is closed".to_owned(),
        service: None,
        urgency,
        more: Box::default(),
    }));
}

#[test]
fn what_somebody_declared_or_made_less_urgent_is_raised_when_support_hours_begin() {
    let mut declared = World::set_up();
    declared.take_in(support(true), GroupBy::Nothing, None);
    declare(&mut declared, Urgency::Low);
    let mut lowered = World::set_up();
    lowered.take_in(support(true), GroupBy::Nothing, None);
    lowered.trigger("disk", Severity::Warning);
    let incident = lowered.incident().id;
    for urgency in [Urgency::High, Urgency::Low] {
        lowered.respond(RespondAsk::SetUrgency { incident, urgency });
        lowered.answer_all(Outcome::Accepted);
    }
    for mut world in [declared, lowered] {
        assert_eq!(world.incident().urgency, Urgency::Low);
        is_paged_after(&mut world, UNTIL_MONDAY);
        assert_eq!(world.incident().urgency, Urgency::High);
    }
}

#[test]
fn a_person_who_declares_an_incident_is_heard_at_any_hour() {
    let mut world = World::set_up();
    world.take_in(support(false), GroupBy::Nothing, None);
    declare(&mut world, Urgency::High);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn an_alert_of_which_nothing_is_heard_is_over_after_a_while() {
    let mut world = World::set_up();
    world.take_in(UrgencyBy::Severity, GroupBy::Nothing, Some(4 * HOUR));
    world.trigger("disk", Severity::Warning);
    world.wait_ms(3 * HOUR);
    world.trigger("disk", Severity::Warning);
    world.wait_ms(4 * HOUR - 1);
    assert_eq!(world.incident().status, Status::Triggered);
    world.wait_ms(1);
    assert_eq!(world.incident().status, Status::Resolved);
    let told = |what: &IncidentWhat| matches!(what, IncidentWhat::Resolved { why } if why.contains("nothing was heard"));
    assert_eq!(world.count(told), 1);
}

#[test]
fn what_a_monitor_sees_does_not_end_by_silence() {
    let mut world = World::with_apache();
    let service = world.state.targets[&world.target()].service;
    world.ask(Ask::Intake(tocsin_domain::command::IntakeAsk::SetService {
        service,
        urgency: UrgencyBy::Severity,
        grouping: GroupBy::Nothing,
        resolve_after_ms: Some(HOUR),
    }));
    world.crash();
    world.acknowledge();
    world.wait_ms(5 * HOUR);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn a_canary_pages_whatever_a_service_and_its_rules_make_of_failures_at_this_hour() {
    for urgency in [UrgencyBy::Severity, UrgencyBy::Low, support(false)] {
        let mut world = World::set_up();
        world.take_in(urgency, GroupBy::Nothing, None);
        let suppress = rule("r", title_contains("canary"), vec![Action::Suppress]);
        world.set_rules_of(None, vec![suppress]);
        let canary = Canary::declare(&world.state, 1, world.now);
        assert!(canary.is_ok());
    }
}
