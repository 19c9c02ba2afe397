//! Who is paged, by which way, and what happens when a way, a person or a level fails.

use crate::world::World;
use proptest::prelude::*;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk, RosterAsk, WatchAsk};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{Layer, Turn, TurnUnit};
use tocsin_domain::page::{Delivery, Outcome};
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
        let open: Vec<_> = mails
            .map(|mail| (mail.id, mail.attempts.last().unwrap().number))
            .collect();
        for (notification, number) in open {
            world.ask(Ask::AttemptFinished {
                notification,
                number,
                outcome,
                detail: String::new(),
            });
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

/// What can befall an incident from outside.
#[derive(Clone, Debug)]
enum Step {
    Fire(usize),
    Recover(usize),
    Trigger(u8),
    Answer(u8),
    Acknowledge,
    Resolve,
    Wait(u64),
    Restart,
    RemoveBea,
    Mute(u64),
    Unmute,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Fire),
        3 => (0..4_usize).prop_map(Step::Recover),
        1 => (0..3_u8).prop_map(Step::Trigger),
        4 => (0..5_u8).prop_map(Step::Answer),
        1 => Just(Step::Acknowledge),
        1 => Just(Step::Resolve),
        4 => (0..1_200_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => Just(Step::RemoveBea),
        1 => (1..3_000_000_u64).prop_map(Step::Mute),
        1 => Just(Step::Unmute),
        3 => (0..30_000_u64).prop_map(Step::Wait),
    ]
}

const SLUGS: [&str; 4] = [
    "apache-down",
    "apache-orphaned",
    "apache-5xx",
    "apache-config-broken",
];

fn apply(world: &mut World, step: &Step) {
    match step {
        Step::Fire(index) => drop(world.fire(SLUGS[*index], &[*index])),
        Step::Recover(index) => drop(world.recover(SLUGS[*index])),
        Step::Trigger(key) => drop(world.trigger(&format!("key-{key}"), Severity::Critical)),
        Step::Answer(which) => {
            let outcomes = [
                Outcome::Accepted,
                Outcome::Failed,
                Outcome::Refused,
                Outcome::TimedOut,
                Outcome::Unanswered,
            ];
            world.answer_all(outcomes[usize::from(*which)]);
        }
        Step::Acknowledge => {
            let (open, by) = (world.state.open_incidents.first().copied(), world.ada());
            if let Some(incident) = open {
                world.ask(Ask::Respond(RespondAsk::Acknowledge { incident, by }));
            }
        }
        Step::Resolve => {
            if let Some(incident) = world.state.open_incidents.first().copied() {
                // May be refused while a monitor sees it failing.
                let _ = world.try_ask(Ask::Respond(RespondAsk::Resolve {
                    incident,
                    note: None,
                }));
            }
        }
        Step::Wait(ms) => world.wait_ms(*ms),
        Step::Restart => drop(world.ask(Ask::Recover)),
        Step::Mute(ms) => {
            let (target, until) = (world.target(), world.now.plus_ms(*ms));
            let reason = "known".to_owned();
            world.ask(Ask::Watch(WatchAsk::Mute {
                target,
                until,
                reason,
            }));
        }
        Step::Unmute => {
            let target = world.target();
            world.ask(Ask::Watch(WatchAsk::Unmute(target)));
        }
        Step::RemoveBea => {
            if let Some(bea) = world
                .state
                .users
                .values()
                .find(|user| user.name == "Bea")
                .map(|user| user.id)
            {
                world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
            }
        }
    }
}

/// Invariant 2 of the design: what nobody has taken has a next due time or an attempt in flight.
fn nothing_is_forgotten(world: &World) {
    for id in &world.state.open_incidents {
        let incident = &world.state.incidents[id];
        let waits = incident.status == Status::Triggered && incident.urgency == Urgency::High;
        if waits && (world.state.burns(incident) || incident.healthy_since.is_some()) {
            assert!(world.state.next_due().is_some(), "{incident:?}");
            let has_next = incident.healthy_since.is_some()
                || incident.hold.is_some()
                || incident.suppressed.is_some()
                || incident
                    .paging
                    .as_ref()
                    .is_some_and(|paging| paging.next_at.is_some());
            assert!(has_next, "{incident:?}");
        }
    }
    for message in world.state.notifications.values() {
        let active = matches!(
            message.state,
            Delivery::Due { .. } | Delivery::Together { .. } | Delivery::Sending { .. }
        );
        assert_eq!(
            active,
            world.state.active_notifications.contains(&message.id)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_no_urgent_incident_is_forgotten(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::with_apache();
        let (ada, bea) = (world.ada(), world.add_user("Bea"));
        world.set_levels(1, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[ada])]);
        for step in &steps {
            apply(&mut world, step);
            nothing_is_forgotten(&world);
        }
        let journal = world.journal.clone();
        prop_assert!(journal.iter().enumerate().all(|(index, event)| event.position == index as u64 + 1));
        let mut again = tocsin_domain::state::State::default();
        journal.iter().for_each(|event| again.evolve(event));
        prop_assert_eq!(&again, &world.state);
    }

    #[test]
    fn the_same_inputs_give_the_same_events(steps in prop::collection::vec(step(), 1..40)) {
        let run = || {
            let mut world = World::with_apache();
            world.add_user("Bea");
            steps.iter().for_each(|step| apply(&mut world, step));
            world.journal
        };
        prop_assert_eq!(run(), run());
    }
}
