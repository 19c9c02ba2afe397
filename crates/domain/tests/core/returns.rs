//! A failure that comes back: as something else, as something lesser or worse, and while a message about it was under way.

use crate::given::hears_quietly;
use crate::world::World;
use tocsin_domain::command::RespondAsk;
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::{ChannelKind, Urgency};

const MINUTE: u64 = 60_000;

fn crashed_and_resolved() -> World {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world.recover("apache-down");
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    world.answer_all(Outcome::Accepted);
    world
}

#[test]
fn a_warning_after_a_resolved_crash_pages_nobody_and_is_what_the_incident_is_about() {
    let mut world = crashed_and_resolved();
    world.fire("apache-config-broken", &[]);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
    let incident = world.incident();
    assert_eq!(incident.status, Status::Triggered);
    assert_eq!(
        (incident.severity, incident.urgency),
        (Severity::Warning, Urgency::Low)
    );
    assert!(!incident.title.contains("down"), "{}", incident.title);
    world.recover("apache-config-broken");
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    assert_eq!(
        world.sending().len(),
        0,
        "nobody was paged, so nobody is told"
    );
}

#[test]
fn another_failure_after_a_resolved_crash_is_paged_by_its_own_name_and_onset() {
    let mut world = crashed_and_resolved();
    world.wait_ms(4 * MINUTE);
    world.fire("apache-5xx", &[]);
    assert_eq!(world.pages().len(), 2);
    let incident = world.incident();
    assert!(!incident.title.contains("down"), "{}", incident.title);
    assert_eq!(incident.onset.as_ref().unwrap().at, world.now);
}

#[test]
fn while_only_a_warning_fires_on_nobody_is_paged_for_the_crash_that_is_over() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(5 * MINUTE, &[ada]), (5 * MINUTE, &[bea])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.fire("apache-config-broken", &[]);
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.pages().len(), 1);
    world.crash();
    assert_eq!(world.pages().len(), 2, "it is paged for anew");
    assert_eq!(
        world
            .incident()
            .paging
            .as_ref()
            .map(|paging| (paging.level, paging.round)),
        Some((0, 0))
    );
}

#[test]
fn a_crash_after_an_acknowledged_one_pages_although_a_warning_kept_the_incident_open() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    world.fire("apache-config-broken", &[]);
    world.recover("apache-down");
    world.wait_ms(10_000);
    world.crash();
    assert_eq!(world.pages().len(), 1, "back within 15 s: still in hand");
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    world.crash();
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn warnings_that_come_and_go_do_not_hide_a_crash() {
    let mut world = crashed_and_resolved();
    for _ in 0..6 {
        world.fire("apache-config-broken", &[]);
        world.recover("apache-config-broken");
        world.wait_ms(MINUTE);
    }
    assert_eq!(world.pages().len(), 1);
    world.crash();
    assert_eq!(world.pages().len(), 2);
}

fn flap(world: &mut World, slug: &str) {
    for _ in 0..6 {
        world.fire(slug, &[]);
        world.answer_all(Outcome::Accepted);
        world.recover(slug);
        world.wait_ms(MINUTE);
    }
}

#[test]
fn flapping_does_not_hide_something_worse_whether_it_joins_or_reopens() {
    for joins in [false, true] {
        let mut world = World::with_apache();
        let monitor = world.monitor("apache-5xx");
        world.state.monitors.get_mut(&monitor).unwrap().severity = Severity::Error;
        flap(&mut world, "apache-5xx");
        let before = world.pages().len();
        if joins {
            world.fire("apache-5xx", &[]);
            assert!(world.incident().flapping);
        }
        world.crash();
        assert_eq!(world.incident().severity, Severity::Critical);
        assert_eq!(world.pages().len(), before + 1, "joins: {joins}");
        assert_eq!(world.incident().suppressed, None);
    }
}

#[test]
fn what_flaps_is_not_paged_by_way_of_something_lesser_nor_by_a_short_spell_of_health() {
    let mut world = World::with_apache();
    flap(&mut world, "apache-down");
    let before = world.pages().len();
    world.fire("apache-5xx", &[]);
    world.crash();
    assert_eq!(world.pages().len(), before);
    world.recover("apache-5xx");
    world.recover("apache-down");
    world.wait_ms(5_000);
    world.crash();
    assert_eq!(world.pages().len(), before);
    world.wait_ms(10 * MINUTE);
    assert_eq!(world.pages().len(), before + 1, "it stays down");
}

#[test]
fn a_page_that_is_given_up_in_a_short_spell_of_health_is_planned_anew_when_the_failure_returns() {
    for outcome in [Outcome::Failed, Outcome::TimedOut, Outcome::Refused] {
        let mut world = World::with_apache();
        world.crash();
        world.wait_ms(10_000);
        world.recover("apache-down");
        world.wait_ms(5_000);
        world.answer_all(outcome);
        world.wait_ms(3_000);
        assert_eq!(world.pages().len(), 1, "nobody is paged for what is well");
        world.crash();
        assert_eq!(world.pages().len(), 2, "{outcome:?}");
        assert_eq!(world.state.incidents.len(), 1);
    }
}

#[test]
fn a_delayed_rule_that_falls_due_in_a_short_spell_of_health_is_used_when_the_failure_returns() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let email = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, email), (MINUTE, hook)]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE - 5_000);
    world.recover("apache-down");
    world.wait_ms(10_000);
    assert_eq!(world.pages().len(), 1);
    world.crash();
    assert_eq!(
        world.pages().last(),
        Some(&("Ada".to_owned(), ChannelKind::Webhook, 1))
    );
}

#[test]
fn a_return_after_a_page_arrived_pages_nobody_twice() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    for _ in 0..5 {
        world.recover("apache-down");
        world.wait_ms(10_000);
        world.crash();
    }
    assert_eq!(world.pages().len(), 1);
    assert_eq!(
        world.count(|what| matches!(what, IncidentWhat::LevelReached { .. })),
        1
    );
}

#[test]
fn returns_are_forgotten_after_ten_stable_minutes_although_something_lesser_kept_the_incident_open()
{
    let mut world = World::with_apache();
    world.fire("apache-config-broken", &[]);
    let come_and_go = |world: &mut World, stable_ms: u64| {
        for _ in 0..6 {
            world.crash();
            world.answer_all(Outcome::Accepted);
            world.recover("apache-down");
            world.wait_ms(stable_ms);
        }
    };
    come_and_go(&mut world, 24 * 60 * MINUTE);
    assert_eq!(world.pages().len(), 6, "each is paged for");
    assert_eq!(world.incident().relapses, 5, "and was a return");
    come_and_go(&mut world, MINUTE);
    // The failure that is counted afresh and three returns; the fourth and the fifth are recorded, not paged.
    assert_eq!(world.pages().len(), 6 + 4);
    assert_eq!(world.state.incidents.len(), 1);
    let suppressed = |what: &IncidentWhat| matches!(what, IncidentWhat::PageSuppressed { .. });
    assert_eq!(world.count(suppressed), 2);
}

#[test]
fn records_of_older_versions_still_read() {
    let old = r#"{"kind":"relapsed","reopened":true,"pages":true}"#;
    let read: IncidentWhat = serde_json::from_str(old).unwrap();
    assert_eq!(
        read,
        IncidentWhat::Relapsed {
            reopened: true,
            pages: true,
            urgent: true,
            afresh: false,
            failing: None,
            by_hand: false
        }
    );
    for old in [
        r#"{"kind":"page_suppressed","why":"x","until":"2024-08-18T03:00:00Z"}"#,
        r#"{"kind":"fallback_reached","recipients":[],"why":[],"next_at":"2024-08-18T03:00:00Z"}"#,
    ] {
        // Instants are kept as numbers or as text; the form of today is taken from a fresh record.
        let now = serde_json::to_string(&crate::world::START).unwrap();
        let old = old.replace("\"2024-08-18T03:00:00Z\"", &now);
        serde_json::from_str::<IncidentWhat>(&old).unwrap();
    }
}

/// The pages about an incident in the order they were planned: whether each is of before it came back.
fn pages_of_before(world: &World, incident: IncidentId) -> Vec<bool> {
    let messages = world.state.messages_about(incident);
    let pages = messages.filter(|message| message.purpose.page().is_some());
    pages
        .map(|page| world.state.is_of_before(page, 0))
        .collect()
}

#[test]
fn a_page_of_before_a_failure_came_back_is_told_from_one_of_now() {
    let mut world = crashed_and_resolved();
    let incident = world.incident().id;
    assert_eq!(pages_of_before(&world, incident), [false]);
    let before = world.state.position;
    world.crash();
    assert_eq!(pages_of_before(&world, incident), [true, false]);
    assert!(world.state.came_back_since(incident, before));
    // Whoever has read since that it came back answers what fails now.
    let now = world.state.position;
    let first = world.state.messages_about(incident).next().unwrap();
    assert!(world.state.is_of_before(first, before));
    assert!(!world.state.is_of_before(first, now));
    let alone = world.state.about([incident]);
    assert!(alone.is_of_before(first, 0));
}

#[test]
fn a_page_that_was_being_sent_when_the_failure_came_back_is_one_of_now() {
    let mut world = World::with_apache();
    world.crash();
    world.recover("apache-down");
    world.wait_ms(16_000);
    assert_eq!(world.incident().status, Status::Resolved);
    world.crash();
    let incident = world.incident().id;
    assert_eq!(
        pages_of_before(&world, incident),
        [false],
        "no other is planned"
    );
    world.answer_all(Outcome::Accepted);
    world.recover("apache-down");
    world.wait_ms(16_000);
    world.crash();
    assert_eq!(pages_of_before(&world, incident), [true, false]);
}

#[test]
fn a_failure_that_is_back_within_its_time_leaves_its_pages_of_now() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.recover("apache-down");
    world.wait_ms(5_000);
    world.crash();
    let incident = world.incident().id;
    assert_eq!(pages_of_before(&world, incident), [false]);
}

#[test]
fn what_an_incident_was_merged_into_comes_back_for_it_too_but_not_before_the_merge() {
    let mut world = World::set_up();
    let over_and_back = |world: &mut World, incident: IncidentId| {
        let note = None;
        world.respond(RespondAsk::Resolve { incident, note });
        world.respond(RespondAsk::Reopen { incident });
        world.answer_all(Outcome::Accepted);
    };
    world.trigger("one", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    let into = world.incident().id;
    world.trigger("two", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    let source = world.incident().id;
    over_and_back(&mut world, into);
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    assert_eq!(pages_of_before(&world, source), [false]);
    over_and_back(&mut world, into);
    assert_eq!(pages_of_before(&world, source), [true]);
}

#[test]
fn a_call_for_help_that_is_not_answered_is_one_of_now_when_the_failure_comes_back() {
    let mut world = World::set_up();
    world.trigger("down", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    let incident = world.incident().id;
    let people = vec![world.add_user("Bea"), world.add_user("Cy")];
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: people.clone(),
        policy: None,
        message: "please".to_owned(),
    });
    world.answer_all(Outcome::Accepted);
    let answer = RespondAsk::AnswerRequest {
        incident,
        by: people[1],
        accept: true,
    };
    world.respond(answer);
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    world.respond(RespondAsk::Reopen { incident });
    assert!(world.incident().awaits(people[0]));
    let asked = |user: UserId| {
        let mut messages = world.state.messages_about(incident);
        messages.find(|one| one.user == user).unwrap()
    };
    assert!(!world.state.is_of_before(asked(people[0]), 0));
    assert!(
        world.state.is_of_before(asked(people[1]), 0),
        "it is answered"
    );
    assert!(
        world.state.is_of_before(asked(world.ada()), 0),
        "it was a page"
    );
}

#[test]
fn a_notice_is_an_answer_to_what_came_back_and_wakes_nobody() {
    let mut world = World::set_up();
    hears_quietly(&mut world);
    world.trigger("slow", Severity::Warning);
    world.wait_ms(20 * MINUTE);
    world.answer_all(Outcome::Accepted);
    let incident = world.incident().id;
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    world.respond(RespondAsk::Reopen { incident });
    assert!(world.state.came_back_since(incident, 0));
    let mut told = world.state.messages_about(incident);
    let notice = told.next().unwrap();
    assert!(!world.state.is_of_before(notice, 0));
}
