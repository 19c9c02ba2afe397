//! What a simulation says is what the core does.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use proptest::prelude::*;
use tocsin_domain::command::{AlertAsk, Ask, IntakeAsk, PeopleAsk, Refusal, RosterAsk, WatchAsk};
use tocsin_domain::event::{EventBody, NotificationWhat};
use tocsin_domain::id::{ServiceId, TargetId, UserId};
use tocsin_domain::intake::When;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{Layer, Span, Turn, TurnUnit};
use tocsin_domain::page::{Level, Outcome, Recipient};
use tocsin_domain::people::Urgency;
use tocsin_domain::simulate::{End, QuietTarget, Simulation, Wanted, What, simulate};
use tocsin_domain::target::Quiet;
use tocsin_domain::time::Timestamp;

use crate::world::{START, Seeded, World, identity};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn default_service(world: &World) -> ServiceId {
    world.state.installation.as_ref().unwrap().default_service
}

fn wanted(world: &World, at: Timestamp) -> Wanted {
    Wanted {
        service: default_service(world),
        target: None,
        at,
        urgency: Urgency::High,
    }
}

/// Minutes after the failure, and who is contacted then.
fn contacts(world: &World, played: &Simulation) -> Vec<(u64, String)> {
    let contacts = played.steps.iter().filter_map(|step| match &step.what {
        What::Contact(contact) => {
            let name = world.state.users[&contact.user].name.clone();
            Some((step.after_ms / MINUTE, name))
        }
        _ => None,
    });
    contacts.collect()
}

fn named(all: &[(u64, &str)]) -> Vec<(u64, String)> {
    all.iter()
        .map(|(after, name)| (*after, (*name).to_owned()))
        .collect()
}

#[test]
fn levels_are_walked_through_and_then_the_list_of_last_resort_is_reached_twice() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(1, &[(5 * MINUTE, &[bea]), (10 * MINUTE, &[ada])]);
    let played = simulate(&world.state, &wanted(&world, world.now)).unwrap();
    assert_eq!(
        contacts(&world, &played),
        named(&[
            (0, "Bea"),
            (5, "Ada"),
            (15, "Bea"),
            (20, "Ada"),
            (30, "Ada"),
            (45, "Ada")
        ])
    );
    assert_eq!(played.end, End::Repeats);
}

#[test]
fn a_level_of_nobody_is_passed_over_and_said_why() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let schedule = *world.state.schedules.keys().next().unwrap();
    let layer = Layer {
        until: Some(world.now),
        ..Layer::rotation(
            world.now.minus_ms(DAY),
            Turn {
                every: 1,
                unit: TurnUnit::Days,
            },
            vec![bea],
        )
    };
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: Some(schedule),
        name: "Empty".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![layer],
    }));
    let policy = world.state.installation.as_ref().unwrap().default_policy;
    let level = |target| Level {
        delay_ms: 5 * MINUTE,
        targets: vec![target],
        round_robin: false,
        each_must_acknowledge: false,
    };
    world.ask(Ask::Roster(RosterAsk::SetPolicy {
        id: Some(policy),
        name: "Policy".to_owned(),
        levels: vec![
            level(Recipient::Schedule(schedule)),
            level(Recipient::User(ada)),
        ],
        repeat: 0,
        acknowledgement_timeout_ms: None,
    }));
    let played = simulate(&world.state, &wanted(&world, world.now)).unwrap();
    let What::Level { level, skipped, .. } = &played.steps[0].what else {
        panic!("{:?}", played.steps);
    };
    assert_eq!(*level, 1);
    assert!(
        skipped[0].contains("nobody is on call in \"Empty\""),
        "{skipped:?}"
    );
}

#[test]
fn a_policy_of_whose_levels_everybody_was_removed_is_said_to_page_nobody() {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    world.set_levels(0, &[(5 * MINUTE, &[bea])]);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    let played = simulate(&world.state, &wanted(&world, world.now)).unwrap();
    let What::Fallback { why, .. } = &played.steps[0].what else {
        panic!("{:?}", played.steps);
    };
    assert!(why[0].contains("whoever it named was removed"), "{why:?}");
    assert!(why[1].contains("no level of \"Policy\""), "{why:?}");
}

#[test]
fn a_message_belongs_to_the_round_that_planned_it() {
    let mut world = World::set_up();
    let (rae, sam) = (world.add_user("Rae"), world.add_user("Sam"));
    let mail = world.state.users[&rae].contact_methods[0].id;
    let hook = world.add_webhook(rae);
    let later = MINUTE * 3 / 4;
    world.set_rules(rae, &[(0, mail), (later, hook)]);
    let level = Level {
        round_robin: true,
        ..Level::of(MINUTE / 2, vec![Recipient::User(rae), Recipient::User(sam)])
    };
    let policy = world.state.installation.as_ref().unwrap().default_policy;
    world.set_policy(Some(policy), 1, vec![level], None);
    let played = simulate(&world.state, &wanted(&world, world.now)).unwrap();
    let contacts = played.steps.iter().filter_map(|step| match &step.what {
        What::Contact(contact) if contact.level.is_some() => {
            Some((step.after_ms, contact.user, contact.round))
        }
        _ => None,
    });
    let expected = [(0, rae, 0), (MINUTE / 2, sam, 1), (later, rae, 0)];
    assert_eq!(contacts.collect::<Vec<_>>(), expected);
}

#[test]
fn a_future_time_is_played_through_with_who_is_on_call_then() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let schedule = *world.state.schedules.keys().next().unwrap();
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: Some(schedule),
        name: "Primary".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer::rotation(world.now, turn, vec![ada, bea])],
    }));
    let first = |at| {
        let played = simulate(&world.state, &wanted(&world, at)).unwrap();
        contacts(&world, &played)[0].1.clone()
    };
    assert_eq!(first(world.now), "Ada");
    assert_eq!(first(world.now.plus_ms(8 * DAY)), "Bea");
    assert_eq!(first(world.now.plus_ms(15 * DAY)), "Ada");
}

#[test]
fn what_is_not_urgent_contacts_nobody() {
    let world = World::set_up();
    let wanted = Wanted {
        urgency: Urgency::Low,
        ..wanted(&world, world.now)
    };
    let played = simulate(&world.state, &wanted).unwrap();
    assert_eq!(contacts(&world, &played), []);
    assert_eq!(played.end, End::Nothing);
}

/// A service of two watched servers, of which the first by id is muted for half an hour.
fn half_muted() -> (World, [TargetId; 2], Wanted) {
    let mut world = World::with_apache();
    world.ask(Ask::Watch(WatchAsk::Seen(identity("webserver-02"))));
    let all: Vec<TargetId> = world.state.targets.keys().copied().collect();
    let both = [all[0], all[1]];
    let service = world.state.targets[&both[0]].service;
    // A person may not move one yet; what decides knows targets that share a service.
    let second = world.state.targets.get_mut(&both[1]).unwrap();
    second.service = service;
    world.ask(Ask::Watch(WatchAsk::Mute {
        target: both[0],
        until: world.now.plus_ms(30 * MINUTE),
        reason: "known".to_owned(),
    }));
    let wanted = Wanted {
        service,
        ..wanted(&world, world.now)
    };
    (world, both, wanted)
}

#[test]
fn the_mute_of_a_watched_server_counts_for_its_own_alerts_alone() {
    let (world, [muted, other], wanted) = half_muted();
    let first_minute = |target| {
        let wanted = Wanted { target, ..wanted };
        let played = simulate(&world.state, &wanted).unwrap();
        contacts(&world, &played)[0].0
    };
    assert_eq!(first_minute(Some(muted)), 30);
    assert_eq!(first_minute(Some(other)), 0);
    assert_eq!(first_minute(None), 0);
    let own = Wanted {
        target: Some(muted),
        ..wanted
    };
    let played = simulate(&world.state, &own).unwrap();
    assert!(matches!(
        &played.steps[0].what,
        What::Suppressed { until_ms, .. } if *until_ms == 30 * MINUTE
    ));
    assert_eq!(played.quiet, []);
}

#[test]
fn what_a_simulation_says_of_a_service_is_what_an_alert_from_outside_does() {
    let (mut world, _, wanted) = half_muted();
    let played = simulate(&world.state, &wanted).unwrap();
    let said = contacts(&world, &played)[0].clone();
    world.ask(Ask::Alert(AlertAsk::Trigger {
        service: Some(wanted.service),
        integration: None,
        dedup_key: Some("disk".to_owned()),
        severity: Severity::Critical,
        title: "disk is full".to_owned(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    }));
    assert_eq!(said, (0, "Ada".to_owned()));
    assert_eq!(world.incident().suppressed, None);
    assert_eq!(world.pages()[0].0, "Ada");
}

#[test]
fn targets_of_which_nobody_is_paged_are_named_beside_a_service_that_pages() {
    let (mut world, [muted, _], wanted) = half_muted();
    let quiet = |world: &World, at| {
        let played = simulate(&world.state, &Wanted { at, ..wanted }).unwrap();
        played.quiet
    };
    let expected = QuietTarget {
        target: muted,
        quiet: Quiet {
            why: "the target is muted".to_owned(),
            until: world.now.plus_ms(30 * MINUTE),
        },
    };
    assert_eq!(quiet(&world, world.now), [expected]);
    assert_eq!(quiet(&world, world.now.plus_ms(30 * MINUTE)), []);
    // Of what the whole service is quiet for, no target is named by itself.
    let span = Span::new(world.now, world.now.plus_ms(60 * MINUTE));
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: None,
        reason: "move".to_owned(),
        services: vec![wanted.service],
        targets: Vec::new(),
        when: When::Once { span },
        matchers: None,
    }));
    assert_eq!(quiet(&world, world.now), []);
}

#[test]
fn a_target_that_is_not_of_the_service_is_refused() {
    let mut world = World::with_apache();
    let strange = Wanted {
        target: Some(world.target()),
        ..wanted(&world, world.now)
    };
    let gone = Wanted {
        target: Some(TargetId::random(&mut world.entropy)),
        ..strange
    };
    for wanted in [strange, gone] {
        assert!(matches!(
            simulate(&world.state, &wanted),
            Err(Refusal::NotFound { .. })
        ));
    }
}

#[test]
fn a_simulation_changes_nothing_and_does_not_see_what_fails_now() {
    let mut world = World::set_up();
    world.trigger("disk", Severity::Critical);
    let before = world.state.clone();
    let first = simulate(&world.state, &wanted(&world, world.now)).unwrap();
    assert_eq!(world.state, before);
    assert_eq!(contacts(&world, &first)[0], (0, "Ada".to_owned()));
    assert_eq!(
        simulate(&world.state, &wanted(&world, world.now)),
        Ok(first)
    );
}

#[test]
fn a_service_that_is_not_there_is_refused() {
    let world = World::set_up();
    let wanted = Wanted {
        service: ServiceId::random(&mut Seeded(99)),
        ..wanted(&world, world.now)
    };
    assert!(matches!(
        simulate(&world.state, &wanted),
        Err(Refusal::NotFound { .. })
    ));
}

#[test]
fn the_largest_policy_stays_within_bounds() {
    let mut world = World::set_up();
    let people: Vec<UserId> = (0..10)
        .map(|index| world.add_user(&format!("Person {index}")))
        .collect();
    let levels: Vec<(u64, &[UserId])> = vec![(1_000, people.as_slice()); 20];
    world.set_levels(9, &levels);
    let played = simulate(&world.state, &wanted(&world, world.now)).unwrap();
    assert_eq!(played.end, End::TooMuch);
    assert!(played.steps.len() < 1_000, "{}", played.steps.len());
}

/// Who the core itself contacts when an alert comes and every provider takes every message.
fn really_contacted(world: &mut World, until_ms: u64) -> Vec<(u64, String)> {
    let begin = world.now;
    let known = world.journal.len();
    world.trigger("disk", Severity::Critical);
    loop {
        world.answer_all(Outcome::Accepted);
        if world.now.ms_since(begin) >= until_ms {
            break;
        }
        world.wait_ms(MINUTE);
    }
    let started = world.journal[known..].iter().filter_map(|event| {
        let EventBody::Notification(message) = &event.body else {
            return None;
        };
        matches!(message.what, NotificationWhat::AttemptStarted { .. })
            .then_some((event.at, message.notification))
    });
    started
        .map(|(at, id)| {
            let user = world.state.notifications[&id].user;
            (
                at.ms_since(begin) / MINUTE,
                world.state.users[&user].name.clone(),
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_simulation_says_what_the_core_does(
        levels in prop::collection::vec((1_u64..20, prop::collection::vec(0_usize..3, 1..3)), 1..4),
        repeat in 0_u32..3,
        hours in 0_u64..500,
    ) {
        let mut world = World::set_up();
        let people = [world.ada(), world.add_user("Bea"), world.add_user("Cid")];
        let levels: Vec<(u64, Vec<UserId>)> = levels
            .into_iter()
            .map(|(minutes, who)| (minutes * MINUTE, who.into_iter().map(|one| people[one]).collect()))
            .collect();
        let levels: Vec<(u64, &[UserId])> = levels.iter().map(|(delay, who)| (*delay, who.as_slice())).collect();
        world.set_levels(repeat, &levels);
        let at = START.plus_ms(hours * 60 * MINUTE);
        let played = simulate(&world.state, &wanted(&world, at)).unwrap();
        let mut said = contacts(&world, &played);
        world.wait_ms(at.ms_since(world.now));
        let last = said.last().unwrap().0;
        let mut done = really_contacted(&mut world, last * MINUTE);
        // At one instant any order is as good.
        said.sort();
        done.sort();
        prop_assert_eq!(said, done);
    }
}
