//! Alerts that make one incident by time or by content.

use super::windows::{once, plan};
use super::{HOUR, MINUTE, is_paged_after, rule, title_contains};
use crate::world::World;
use tocsin_domain::command::RespondAsk;
use tocsin_domain::id::IncidentId;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{Action, Field, GroupBy, INCIDENTS_PER_GROUP_MAX, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;

fn by_time(rolling: bool) -> GroupBy {
    GroupBy::Time {
        within_ms: 10 * MINUTE,
        rolling,
    }
}

fn grouped(grouping: GroupBy) -> World {
    let mut world = World::set_up();
    world.take_in(UrgencyBy::Severity, grouping, None);
    world
}

#[test]
fn alerts_within_a_span_make_one_incident_and_one_page() {
    let mut world = grouped(by_time(false));
    world.trigger("a", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(9 * MINUTE);
    world.trigger("b", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    world.wait_ms(2 * MINUTE);
    world.trigger("c", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
}

#[test]
fn a_rolling_span_begins_anew_with_each_alert() {
    let mut world = grouped(by_time(true));
    for key in ["a", "b", "c", "d"] {
        world.trigger(key, Severity::Error);
        world.wait_ms(9 * MINUTE);
    }
    assert_eq!(world.state.incidents.len(), 1);
    world.wait_ms(2 * MINUTE);
    world.trigger("e", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
}

#[test]
fn alerts_with_the_same_values_make_one_incident_as_long_as_it_is_open() {
    let fields = vec![Field::Component, Field::Detail("region".to_owned())];
    let mut world = grouped(GroupBy::Content { fields });
    let service = world.default_service();
    let mut fail = |key: &str, component: &str, region: &str| {
        let details = [("Component", component), ("region", region)];
        world.trigger_with(None, key, Severity::Error, &details);
        world.state.incidents.len()
    };
    assert_eq!(fail("a", "disk", "eu"), 1);
    assert_eq!(fail("b", "disk", "eu"), 1);
    assert_eq!(fail("c", "disk", "us"), 2);
    assert_eq!(fail("d", "diskeu", ""), 3, "values do not run together");
    world.resolve_key(service, "a");
    world.resolve_key(service, "b");
    let details = [("Component", "disk"), ("region", "eu")];
    world.trigger_with(None, "e", Severity::Error, &details);
    assert_eq!(world.state.incidents.len(), 4);
}

#[test]
fn alerts_are_grouped_by_a_detail_of_their_own_where_a_field_is_called_so_too() {
    let fields = vec![Field::Detail("Class".to_owned())];
    let mut world = grouped(GroupBy::Content { fields });
    let mut fail = |key: &str, class: &str, own: &str| {
        let details = [("Class", class), ("details.Class", own)];
        world.trigger_with(None, key, Severity::Error, &details);
        world.state.incidents.len()
    };
    assert_eq!(fail("a", "io", "red"), 1);
    assert_eq!(fail("b", "cpu", "red"), 1);
    assert_eq!(fail("c", "io", "blue"), 2);
}

#[test]
fn a_critical_alert_that_joins_a_lesser_incident_raises_it_and_pages() {
    let mut world = grouped(by_time(false));
    world.trigger("a", Severity::Warning);
    world.trigger("b", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
    world.answer_all(Outcome::Accepted);
    world.trigger("c", Severity::Critical);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 2);
    assert_eq!(world.incident().title, "c fails");
}

/// A critical alert that a rule keeps from waking anybody.
fn with_a_calm_critical(grouping: GroupBy) -> World {
    let mut world = grouped(grouping);
    let suppress = vec![Action::Suppress];
    world.set_rules_of(None, vec![rule("r", title_contains("calm"), suppress)]);
    world.trigger("calm", Severity::Critical);
    assert_eq!(world.pages(), []);
    world
}

#[test]
fn what_is_critical_and_wakes_nobody_does_not_hide_what_is_critical_and_urgent() {
    let mut world = with_a_calm_critical(by_time(false));
    world.trigger("a", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.incident().severity, Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.trigger("b", Severity::Critical);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 2, "Ada was paged for something lesser");
    assert_eq!(world.incident().title, "b fails");
    assert_eq!(world.incident().severity, Severity::Critical);
}

#[test]
fn nor_does_it_when_it_is_merged_into_what_was_paged_for() {
    let mut world = with_a_calm_critical(GroupBy::Nothing);
    let source = world.incident().id;
    world.trigger("a", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    let (into, sources) = (world.incident().id, vec![source]);
    world.respond(RespondAsk::Merge { sources, into });
    assert_eq!(world.pages().len(), 1);
    world.trigger("a", Severity::Critical);
    assert_eq!(world.pages().len(), 2);
    assert_eq!(world.state.incidents[&into].severity, Severity::Critical);
}

#[test]
fn a_pause_of_one_alert_does_not_hold_back_another() {
    let mut world = grouped(by_time(false));
    let pause = Action::Pause { ms: 5 * MINUTE };
    world.set_rules_of(None, vec![rule("r", title_contains("blip"), vec![pause])]);
    world.trigger("blip", Severity::Error);
    assert_eq!(world.pages(), []);
    world.trigger("disk", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn an_urgent_alert_does_not_join_what_was_paged_for_and_is_over() {
    let mut world = grouped(by_time(false));
    let service = world.default_service();
    world.trigger("w", Severity::Warning);
    world.trigger("a", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.resolve_key(service, "a");
    world.wait_ms(MINUTE);
    world.trigger("b", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn an_incident_takes_a_thousand_alerts_and_then_another_is_opened() {
    let mut world = grouped(by_time(false));
    for number in 0..1_001 {
        world.trigger(&format!("k{number}"), Severity::Warning);
    }
    let mut sizes: Vec<usize> = world
        .state
        .incidents
        .values()
        .map(|incident| incident.alerts.len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1_000]);
}

#[test]
fn what_comes_for_the_group_of_a_merged_incident_joins_the_other() {
    let fields = vec![Field::Component];
    let mut world = grouped(GroupBy::Content { fields });
    let fail = |world: &mut World, key: &str, component: &str| {
        world.trigger_with(None, key, Severity::Error, &[("Component", component)]);
        world.incident().id
    };
    let into = fail(&mut world, "a", "disk");
    let source = fail(&mut world, "b", "memory");
    world.respond(RespondAsk::Merge {
        sources: vec![source],
        into,
    });
    fail(&mut world, "c", "memory");
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.state.incidents[&into].alerts.len(), 3);
}

/// Alerts with these words in their titles wait so long whether they are over by then.
fn paused(world: &mut World, pauses: &[(&str, u64)]) {
    let rules = pauses.iter().map(|(word, ms)| {
        let pause = Action::Pause { ms: *ms };
        rule(word, title_contains(word), vec![pause])
    });
    world.set_rules_of(None, rules.collect());
}

#[test]
fn what_waits_and_joins_what_waits_is_paged_for_when_its_own_wait_is_over() {
    let mut world = grouped(by_time(false));
    paused(&mut world, &[("blip", 5 * MINUTE)]);
    let service = world.default_service();
    world.trigger("blip one", Severity::Error);
    world.wait_ms(MINUTE);
    world.trigger("blip two", Severity::Error);
    world.resolve_key(service, "blip one");
    world.wait_ms(4 * MINUTE);
    assert_eq!(world.pages(), [], "the first was over in time");
    world.wait_ms(MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_waits_less_long_than_what_it_joins_is_paged_for_in_its_time() {
    let mut world = grouped(by_time(false));
    paused(&mut world, &[("slow", 5 * MINUTE), ("quick", MINUTE)]);
    let service = world.default_service();
    world.trigger("slow", Severity::Error);
    world.trigger("quick one", Severity::Error);
    world.resolve_key(service, "quick one");
    world.wait_ms(2 * MINUTE);
    assert_eq!(world.pages(), [], "it was over in time");
    world.trigger("quick two", Severity::Error);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_is_critical_and_waits_holds_back_nothing_of_what_is_paged_for_already() {
    let mut world = grouped(by_time(false));
    paused(&mut world, &[("blip", 5 * MINUTE)]);
    world.trigger("disk", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.trigger("blip", Severity::Critical);
    assert_eq!(world.incident().hold, None);
    assert_eq!(world.pages().len(), 2);
}

/// By content, with a field that no alert of these tests has.
fn all_together() -> GroupBy {
    let fields = vec![Field::Component];
    GroupBy::Content { fields }
}

fn snooze(world: &mut World, incident: IncidentId, for_ms: u64) {
    let by = world.ada();
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
}

/// A disk fails, and Ada has it.
fn with_a_disk_that_ada_has(grouping: GroupBy) -> World {
    let mut world = grouped(grouping);
    world.trigger("disk", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    assert_eq!(world.pages().len(), 1);
    world
}

#[test]
fn what_pages_does_not_join_what_somebody_has_and_opens_the_incident_that_others_join() {
    for grouping in [by_time(false), by_time(true), all_together()] {
        for is_snoozed in [false, true] {
            let mut world = with_a_disk_that_ada_has(grouping.clone());
            let first = world.incident().id;
            if is_snoozed {
                snooze(&mut world, first, HOUR);
            }
            world.wait_ms(4 * MINUTE);
            world.trigger("raid", Severity::Error);
            assert_eq!(world.state.incidents.len(), 2, "{grouping:?}");
            assert_eq!(world.pages().len(), 2, "{grouping:?}");
            assert_eq!(world.state.incidents[&first].alerts.len(), 1);
            world.trigger("fan", Severity::Error);
            world.trigger("load", Severity::Warning);
            assert_eq!(world.state.incidents.len(), 2);
            assert_eq!(world.incident().alerts.len(), 3);
        }
    }
}

#[test]
fn what_is_worse_has_an_incident_of_its_own_too_beside_what_somebody_has() {
    let mut world = with_a_disk_that_ada_has(by_time(false));
    let first = world.incident().clone();
    world.trigger("raid", Severity::Critical);
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.pages().len(), 2);
    let known = &world.state.incidents[&first.id];
    assert_eq!(known.status, Status::Acknowledged);
    assert_eq!(known.title, "disk fails");
}

#[test]
fn what_wakes_nobody_joins_what_somebody_has() {
    let mut world = with_a_disk_that_ada_has(all_together());
    world.trigger("load", Severity::Warning);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().status, Status::Acknowledged);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_gets_worse_until_it_pages_is_heard_beside_what_somebody_has() {
    let mut world = with_a_disk_that_ada_has(all_together());
    world.trigger("load", Severity::Warning);
    world.trigger("load", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn what_others_joined_is_heard_too_when_it_pages_by_now_and_somebody_has_those() {
    let mut world = grouped(all_together());
    world.trigger("load", Severity::Warning);
    world.trigger("disk", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world.trigger("load", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn what_waits_or_is_covered_does_not_join_what_somebody_has_and_is_paged_for_in_its_time() {
    let mut world = with_a_disk_that_ada_has(by_time(false));
    paused(&mut world, &[("blip", 5 * MINUTE)]);
    world.trigger("blip", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
    is_paged_after(&mut world, 5 * MINUTE);
    let mut world = with_a_disk_that_ada_has(by_time(false));
    let (service, when) = (world.default_service(), once(&world, 0, HOUR));
    plan(&mut world, vec![service], when);
    world.trigger("raid", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
    is_paged_after(&mut world, HOUR);
}

#[test]
fn the_same_that_is_said_again_or_is_known_by_its_labels_stays_in_what_somebody_has() {
    let mut world = with_a_disk_that_ada_has(all_together());
    world.trigger("disk", Severity::Error);
    assert_eq!(world.state.incidents.len(), 1);
    let mut world = grouped(all_together());
    world.fires("disk", &[]);
    world.fires("raid", &[]);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    let pages = world.pages().len();
    for _ in 0..2 {
        world.wait_ms(MINUTE);
        world.is_over("disk");
        // Each of two senders says so.
        world.fires("disk", &[]);
        world.fires("disk", &[]);
        world.fires("raid", &[]);
    }
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), pages);
}

#[test]
fn what_pages_joins_the_newer_incident_of_its_group_also_after_something_came_into_the_older_one() {
    let mut world = grouped(all_together());
    world.fires("disk", &[]);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    let first = world.incident().id;
    world.trigger("raid", Severity::Error);
    world.is_over("disk");
    world.fires("disk", &[]);
    assert_eq!(world.state.incidents[&first].alerts.len(), 2);
    world.trigger("fan", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.incident().alerts.len(), 2);
}

#[test]
fn what_pages_joins_the_older_incident_of_its_group_when_that_is_the_one_that_nobody_has() {
    let mut world = with_a_disk_that_ada_has(all_together());
    let first = world.incident().id;
    snooze(&mut world, first, 5 * MINUTE);
    world.trigger("raid", Severity::Error);
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.state.incidents[&first].status, Status::Triggered);
    world.trigger("fan", Severity::Error);
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.state.incidents[&first].alerts.len(), 2);
}

#[test]
fn when_the_newer_incident_of_a_group_is_over_what_wakes_nobody_joins_the_older_one() {
    let mut world = with_a_disk_that_ada_has(all_together());
    let (service, first) = (world.default_service(), world.incident().id);
    world.trigger("raid", Severity::Error);
    world.resolve_key(service, "raid");
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    world.trigger("load", Severity::Warning);
    assert_eq!(world.state.incidents.len(), 2);
    assert_eq!(world.state.incidents[&first].alerts.len(), 2);
}

#[test]
fn of_the_incidents_of_a_group_the_newest_are_remembered() {
    let mut world = grouped(all_together());
    for number in 0..=INCIDENTS_PER_GROUP_MAX {
        world.trigger(&format!("disk-{number}"), Severity::Error);
        world.acknowledge();
        // What comes as fast as that is put together otherwise.
        world.wait_ms(10 * MINUTE);
    }
    assert_eq!(world.state.incidents.len(), INCIDENTS_PER_GROUP_MAX + 1);
    let known: Vec<usize> = world.state.open_of_group.values().map(Vec::len).collect();
    assert_eq!(known, [INCIDENTS_PER_GROUP_MAX]);
}
