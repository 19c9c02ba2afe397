//! A random walk of alerts, rules, settings, windows and answers: nothing urgent is ever lost, or hidden in what somebody has taken,
//! and no incident holds alerts of two services, unless a person has merged it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{HOUR, MINUTE, office, rule, title_contains};
use crate::world::World;
use tocsin_domain::command::{Ask, IntakeAsk, RespondAsk};
use tocsin_domain::event::{AlertEvent, EventBody};
use tocsin_domain::id::IncidentId;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{Action, Field, GroupBy, Loudness, SupportHours, UrgencyBy, When};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Urgency;

#[derive(Clone, Debug)]
enum Step {
    Trigger(usize, usize, Severity),
    Resolve(usize, usize),
    Crash,
    Recover,
    Wait(u64),
    Answer(Outcome),
    Acknowledge,
    /// Somebody has one of the open incidents for so long.
    Snooze(usize, u64),
    /// One of the open incidents is merged into another.
    Merge(usize, usize),
    /// The clock shows an earlier time than before.
    SetBack(u64),
    Settings(usize, usize, usize, bool),
    Rules(Vec<usize>),
    Window(usize, u64, u64),
    EndWindows,
}

fn step() -> impl Strategy<Value = Step> {
    let severity = prop_oneof![
        Just(Severity::Info),
        Just(Severity::Warning),
        Just(Severity::Error),
        Just(Severity::Critical)
    ];
    let outcome = prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Failed),
        Just(Outcome::Refused)
    ];
    prop_oneof![
        6 => (0..2_usize, 0..4_usize, severity).prop_map(|(s, k, bad)| Step::Trigger(s, k, bad)),
        3 => (0..2_usize, 0..4_usize).prop_map(|(s, k)| Step::Resolve(s, k)),
        1 => Just(Step::Crash),
        1 => Just(Step::Recover),
        4 => (0..40_u64 * MINUTE).prop_map(Step::Wait),
        1 => (0..12_u64 * HOUR).prop_map(Step::Wait),
        3 => outcome.prop_map(Step::Answer),
        1 => Just(Step::Acknowledge),
        1 => (0..4_usize, 1_000..2 * HOUR).prop_map(|(which, ms)| Step::Snooze(which, ms)),
        2 => (0..4_usize, 0..4_usize).prop_map(|(one, other)| Step::Merge(one, other)),
        1 => (1..2 * HOUR).prop_map(Step::SetBack),
        2 => (0..2_usize, 0..5_usize, 0..4_usize, any::<bool>())
            .prop_map(|(s, u, g, r)| Step::Settings(s, u, g, r)),
        1 => prop::collection::vec(0..7_usize, 0..4).prop_map(Step::Rules),
        1 => (0..2_usize, 0..HOUR, 1..3 * HOUR).prop_map(|(s, f, l)| Step::Window(s, f, l)),
        1 => Just(Step::EndWindows),
    ]
}

fn urgency(which: usize, raise: bool) -> UrgencyBy {
    let support = |during, outside| {
        UrgencyBy::SupportHours(Box::new(SupportHours {
            hours: office(),
            during,
            outside,
            raise,
        }))
    };
    match which {
        0 => UrgencyBy::Severity,
        1 => UrgencyBy::High,
        2 => UrgencyBy::Low,
        3 => support(Loudness::High, Loudness::Low),
        _ => support(Loudness::Severity, Loudness::Low),
    }
}

fn grouping(which: usize) -> GroupBy {
    match which {
        0 => GroupBy::Nothing,
        1 | 2 => GroupBy::Time {
            within_ms: 20 * MINUTE,
            rolling: which == 2,
        },
        _ => GroupBy::Content {
            fields: vec![Field::Component],
        },
    }
}

/// One of the open incidents.
fn open(world: &World, index: usize) -> Option<IncidentId> {
    let open = &world.state.open_incidents;
    let index = index.checked_rem(open.len())?;
    open.iter().nth(index).copied()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each thing that can befall"
)]
fn take(world: &mut World, step: Step) {
    let first = world.default_service();
    let second = *world
        .state
        .services
        .keys()
        .find(|id| world.state.services[id].name == "Disks")
        .unwrap();
    let services = [first, second];
    match step {
        Step::Trigger(service, key, severity) => {
            let component = ["disk", "net"][key % 2];
            let key = ["a", "b", "c", "d"][key];
            let details = [("Component", component)];
            world.trigger_with(Some(services[service]), key, severity, &details);
        }
        Step::Resolve(service, key) => {
            world.resolve_key(services[service], ["a", "b", "c", "d"][key]);
        }
        Step::Crash => drop(world.crash()),
        Step::Recover => drop(world.recover("apache-down")),
        Step::Wait(ms) => world.wait_ms(ms),
        Step::Answer(outcome) => world.answer_all(outcome),
        Step::Acknowledge => {
            let by = world.ada();
            let first = world.state.open_incidents.iter().next().copied();
            if let Some(incident) = first {
                world.ask(Ask::Respond(RespondAsk::Acknowledge { incident, by }));
            }
        }
        Step::Snooze(which, for_ms) => {
            let by = world.ada();
            if let Some(incident) = open(world, which) {
                world.respond(RespondAsk::Snooze {
                    incident,
                    by,
                    for_ms,
                });
            }
        }
        Step::Merge(one, other) => {
            let both = open(world, one).zip(open(world, other));
            if let Some((source, into)) = both.filter(|(source, into)| source != into) {
                let sources = vec![source];
                world.respond(RespondAsk::Merge { sources, into });
            }
        }
        Step::SetBack(by_ms) => {
            world.now = world.now.minus_ms(by_ms);
            world.ask(Ask::ClockSetBack { by_ms });
        }
        Step::Settings(service, by, group, raise) => {
            world.ask(Ask::Intake(IntakeAsk::SetService {
                service: services[service],
                urgency: urgency(by, raise),
                grouping: grouping(group),
                resolve_after_ms: raise.then_some(5 * HOUR),
            }));
        }
        Step::Rules(which) => {
            let rules = which.into_iter().map(|one| {
                let action = match one {
                    0 => Action::Suppress,
                    1 => Action::Pause { ms: 5 * MINUTE },
                    2 => Action::Route { service: second },
                    3 => Action::SetSeverity {
                        severity: Severity::Critical,
                    },
                    4 => Action::SetSeverity {
                        severity: Severity::Info,
                    },
                    5 => Action::Drop,
                    _ => Action::Note {
                        text: "look".to_owned(),
                    },
                };
                let mut rule = rule("r", title_contains(["a", "b"][one % 2]), vec![action]);
                rule.go_on = true;
                rule
            });
            let rules = rules.collect();
            world.set_rules_of(None, rules);
        }
        Step::Window(service, from_ms, length_ms) => {
            let from = world.now.plus_ms(from_ms);
            world.ask(Ask::Intake(IntakeAsk::SetWindow {
                id: None,
                reason: "work".to_owned(),
                services: vec![services[service]],
                targets: Vec::new(),
                when: When::Once {
                    span: Span::new(from, from.plus_ms(length_ms)),
                },
                matchers: None,
            }));
        }
        Step::EndWindows => {
            for window in world.state.windows.keys().copied().collect::<Vec<_>>() {
                world.ask(Ask::Intake(IntakeAsk::RemoveWindow(window)));
            }
        }
    }
}

/// Whatever is urgent and fails is taken by somebody, waits for a stated reason until a stated end, or is paged for.
fn nothing_is_lost(world: &World) {
    for alert in world.state.alerts.values() {
        let incident = &world.state.incidents[&alert.incident];
        let is_one = incident.merged.is_empty();
        assert!(!is_one || alert.service == incident.service, "{incident:?}");
        if !alert.is_firing() {
            continue;
        }
        assert!(incident.is_open(), "{incident:?}");
        if alert.urgency() == Urgency::Low || incident.status == Status::Acknowledged {
            continue;
        }
        assert_eq!(incident.urgency, Urgency::High, "{incident:?}");
        let held = incident.hold.as_ref();
        let held = held.is_some_and(|hold| hold.until > world.now && !hold.why.is_empty());
        let quiet = incident.suppressed.as_ref();
        let quiet = quiet.is_some_and(|(why, until)| *until > world.now && !why.is_empty());
        let paged = incident.paging.as_ref();
        let paged = paged.is_some_and(|paging| paging.next_at > Some(world.now));
        assert!(held || quiet || paged, "{incident:?}");
    }
}

/// The incidents that somebody has.
fn taken(world: &World) -> BTreeSet<IncidentId> {
    let open = world.state.open_incidents.iter();
    let taken = open.filter(|id| world.state.incidents[*id].status == Status::Acknowledged);
    taken.copied().collect()
}

/// Whoever had an incident before this step took what failed in it by then: what pages and came since has one that nobody had. Only
/// what is about a watched server joins what is taken, since that is the incident of its server.
fn nothing_is_hidden(world: &World, step: usize, taken: &BTreeSet<IncidentId>) {
    for event in &world.journal[step..] {
        let EventBody::Alert(AlertEvent::Opened { alert }) = &event.body else {
            continue;
        };
        let may_join = alert.urgency() == Urgency::Low || alert.target.is_some();
        let is_hidden = !may_join && taken.contains(&alert.incident);
        assert!(!is_hidden, "{alert:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_burning_urgent_alert_is_never_lost(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::with_apache();
        world.add_service("Disks");
        for step in steps {
            let (before, taken) = (world.journal.len(), taken(&world));
            take(&mut world, step);
            nothing_is_lost(&world);
            nothing_is_hidden(&world, before, &taken);
        }
        let mut again = tocsin_domain::state::State::default();
        for event in &world.journal {
            again.evolve(event);
        }
        prop_assert_eq!(again, world.state);
    }
}
