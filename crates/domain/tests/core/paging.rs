//! Who is paged, by which way, and what happens when a way, a person or a level fails.

use crate::world::World;
use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk};
use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentWhat, NotificationEvent, NotificationWhat,
};
use tocsin_domain::id::NotificationId;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{Layer, Turn, TurnUnit};
use tocsin_domain::page::{Notification, Outcome};
use tocsin_domain::people::{ChannelKind, Urgency};

const MINUTE: u64 = 60_000;

fn names(world: &World) -> Vec<String> {
    world.pages().into_iter().map(|(name, _, _)| name).collect()
}

#[test]
fn nobody_answers_so_the_next_level_then_again_then_the_fallback_list_every_fifteen_minutes() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(1, &[(5 * MINUTE, &[ada]), (5 * MINUTE, &[bea])]);
    world.crash();
    for _ in 0..60 {
        world.answer_all(Outcome::Accepted);
        world.wait_ms(MINUTE);
    }
    world.answer_all(Outcome::Accepted);
    assert_eq!(
        names(&world),
        ["Ada", "Bea", "Ada", "Bea", "Ada", "Ada", "Ada"]
    );
    assert_eq!(
        world.count(|what| matches!(what, IncidentWhat::FallbackReached { .. })),
        3
    );
}

#[test]
fn a_message_knows_where_it_was_planned() {
    let mut world = World::set_up();
    world.trigger("disk", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    let mut messages = world.state.notifications.values();
    let message = messages.next().unwrap();
    let mut journal = world.journal.iter();
    let planned = journal.find(|event| Some(event.position) == message.planned_event);
    let is_planned = |event: &Event| {
        matches!(&event.body, EventBody::Notification(about)
            if about.notification == message.id
                && matches!(about.what, NotificationWhat::Planned { .. }))
    };
    assert!(planned.is_some_and(is_planned), "{planned:?}");
}

#[test]
fn a_clock_that_was_set_back_does_not_hold_up_a_first_page() {
    let mut world = World::set_up();
    world.trigger("checkout", Severity::Info);
    world.now = world.now.minus_ms(60 * MINUTE);
    world.trigger("checkout", Severity::Critical);
    assert_eq!(names(&world), ["Ada"]);
}

#[test]
fn a_way_by_which_a_page_is_still_under_way_is_no_other_way() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let hook = world.add_webhook(ada);
    let email = world.state.users[&ada].contact_methods[0].id;
    world.set_rules(ada, &[(0, email), (0, hook)]);
    world.set_levels(0, &[(MINUTE, &[ada]), (MINUTE, &[ada])]);
    world.crash();
    let answer_mail = |world: &mut World, outcome| {
        let mails = world.sending().into_iter();
        let mails = mails.filter(|message| message.contact_method == email);
        let open: Vec<_> = mails.map(|mail| mail.id).collect();
        for notification in open {
            world.answer(notification, outcome);
        }
    };
    answer_mail(&mut world, Outcome::Accepted);
    // The hook hangs: its third attempt is under way when the second level is reached.
    world.wait_ms(MINUTE);
    answer_mail(&mut world, Outcome::Refused);
    let by_hook = world.state.notifications.values();
    let by_hook = by_hook.filter(|message| message.contact_method == hook);
    assert_eq!(by_hook.count(), 1);
}

#[test]
fn an_acknowledgement_stops_escalation_and_takes_back_what_was_planned() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let email = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, email), (2 * MINUTE, hook)]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    world.acknowledge();
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.pages(), [("Ada".to_owned(), ChannelKind::Email, 1)]);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn a_failing_provider_is_retried_and_then_the_next_channel_is_used_at_once() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let email = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, email), (60 * MINUTE, hook)]);
    world.crash();
    for _ in 0..3 {
        world.answer_all(Outcome::Failed);
        world.wait_ms(5_000);
    }
    let expected = [
        ("Ada".to_owned(), ChannelKind::Email, 1),
        ("Ada".to_owned(), ChannelKind::Email, 2),
        ("Ada".to_owned(), ChannelKind::Email, 3),
        ("Ada".to_owned(), ChannelKind::Webhook, 1),
    ];
    assert_eq!(world.pages(), expected);
}

#[test]
fn when_no_way_to_a_person_works_the_next_person_is_paged_at_once() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(30 * MINUTE, &[ada]), (30 * MINUTE, &[bea])]);
    world.crash();
    world.answer_all(Outcome::Refused);
    assert_eq!(names(&world), ["Ada", "Bea"]);
}

#[test]
fn a_level_that_nobody_can_be_reached_on_is_passed_over_whatever_is_planned_for_those_before() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let email = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, email), (30 * MINUTE, hook)]);
    world.set_levels(
        0,
        &[
            (5 * MINUTE, &[ada]),
            (30 * MINUTE, &[bea]),
            (30 * MINUTE, &[cy]),
        ],
    );
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    world.answer_all(Outcome::Refused);
    assert_eq!(names(&world), ["Ada", "Bea", "Cy"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(24 * MINUTE);
    assert_eq!(names(&world), ["Ada", "Bea", "Cy"], "Cy was reached");
    // Ada's later step is taken all the same, and where it fails, nobody is paged in her place.
    world.wait_ms(MINUTE);
    world.answer_all(Outcome::Refused);
    assert_eq!(names(&world), ["Ada", "Bea", "Cy", "Ada"]);
}

#[test]
fn a_page_under_way_to_a_level_before_is_no_page_to_the_present_one() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    world.set_levels(
        0,
        &[
            (10_000, &[ada]),
            (30 * MINUTE, &[bea]),
            (30 * MINUTE, &[cy]),
        ],
    );
    world.crash();
    let first = world.sending()[0].id;
    world.wait_ms(10_000);
    let mut sending = world.sending().into_iter();
    let second = sending.find(|one| one.user == bea).unwrap().id;
    world.answer(second, Outcome::Refused);
    assert_eq!(names(&world), ["Ada", "Bea", "Cy"]);
    // Nor is it one when it comes.
    world.answer(first, Outcome::Accepted);
    world.answer_all(Outcome::Refused);
    let last_resort = |what: &IncidentWhat| matches!(what, IncidentWhat::FallbackReached { .. });
    assert_eq!(world.count(last_resort), 1);
}

#[test]
fn a_provider_that_never_answers_is_given_up_after_the_deadline_and_tried_again() {
    let mut world = World::with_apache();
    world.crash();
    world.wait_ms(22_000);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn an_empty_schedule_and_an_unreachable_person_are_passed_over_with_the_reason() {
    let mut world = World::with_apache();
    let bea = world.add_user("Bea");
    let method = world.state.users[&bea].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: bea,
        method,
    }));
    let start = world.now;
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: None,
        name: "Nobody".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer::rotation(
            start,
            Turn {
                every: 1,
                unit: TurnUnit::Days,
            },
            Vec::new(),
        )],
    }));
    let ada = world.ada();
    world.set_levels(0, &[(MINUTE, &[bea]), (MINUTE, &[ada])]);
    world.crash();
    assert_eq!(names(&world), ["Ada"]);
    let skipped = world.count(|what| {
        matches!(what, IncidentWhat::LevelReached { skipped, .. } if skipped.iter().any(|why| why.contains("Bea")))
    });
    assert_eq!(skipped, 1);
}

#[test]
fn when_the_whole_policy_pages_nobody_the_fallback_list_is_paged_at_once() {
    let mut world = World::with_apache();
    let bea = world.add_user("Bea");
    world.set_levels(3, &[(MINUTE, &[bea])]);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    world.crash();
    assert_eq!(names(&world), ["Ada"]);
    assert_eq!(
        world.count(|what| matches!(what, IncidentWhat::FallbackReached { .. })),
        1
    );
}

#[test]
fn an_attempt_under_way_when_tocsin_ended_is_repeated_once_under_the_same_key() {
    let mut world = World::with_apache();
    world.crash();
    let before = world.sending()[0].id;
    world.ask(Ask::Recover);
    let sending = world.sending();
    assert_eq!(sending.len(), 1);
    assert_eq!(sending[0].id, before);
    assert_eq!(sending[0].attempts.len(), 2);
    assert_eq!(sending[0].attempts[0].outcome, Some(Outcome::Unanswered));
}

#[test]
fn what_is_resolved_or_healthy_is_never_paged_again() {
    let mut world = World::with_apache();
    world.crash();
    world.answer_all(Outcome::Failed);
    world.recover("apache-down");
    world.wait_ms(60 * MINUTE);
    assert_eq!(
        world.pages().len(),
        1,
        "the retry was taken back when it recovered"
    );
}

#[test]
fn a_test_page_goes_to_an_unproved_method_and_a_page_does_not() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let hook = world.add_webhook(ada);
    world.ask(Ask::People(PeopleAsk::TestPage {
        user: ada,
        method: hook,
    }));
    assert_eq!(world.sending().len(), 1);
    assert_eq!(world.pages(), []);
}

#[test]
fn a_way_that_two_rules_name_is_used_once_by_the_earlier_of_them() {
    for (urgency, severity) in [
        (Urgency::High, Severity::Critical),
        (Urgency::Low, Severity::Warning),
    ] {
        let mut world = World::set_up();
        let user = world.ada();
        let mail = world.state.users[&user].contact_methods[0].id;
        let rules = [120_000, 0, 0].map(|delay_ms| (urgency, delay_ms, mail));
        let rules = rules.to_vec();
        world.ask(Ask::People(PeopleAsk::SetRules { user, rules }));
        world.set_levels(0, &[(3_600_000, &[user])]);
        world.trigger("x", severity);
        let planned = world.state.notifications.values();
        let due: Vec<_> = planned.map(|one| one.planned_at).collect();
        assert_eq!(due, [world.now], "{urgency:?}");
        world.answer_all(Outcome::Accepted);
        world.wait_ms(1_800_000);
        assert_eq!(world.state.notifications.len(), 1, "{urgency:?}");
        let sent = world.state.notifications.values().next().unwrap();
        assert!(!sent.attempts.is_empty(), "{urgency:?}");
    }
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "assertions are off")]
#[should_panic(expected = "nothing was done about it")]
fn what_is_due_and_stays_so_is_found_where_assertions_are_on() {
    let mut world = World::set_up();
    world.trigger("disk", Severity::Critical);
    // The core never makes one: it is being sent, and no attempt of it was begun.
    let message = Notification {
        id: NotificationId::random(&mut world.entropy),
        attempts: Vec::new(),
        ..world.sending()[0].clone()
    };
    let event = Event {
        position: world.state.position + 1,
        at: world.now,
        recorded_at: world.now,
        actor: Actor::System,
        cause: Cause::Request,
        body: EventBody::Notification(NotificationEvent {
            notification: message.id,
            incident: message.purpose.incident(),
            what: NotificationWhat::Planned { message },
        }),
    };
    world.state.evolve(&event);
    world.wait_ms(MINUTE);
}
