//! Random walks: whatever people, providers and monitors do in whatever order, nothing urgent is forgotten.

use crate::world::World;
use proptest::prelude::*;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk, TeamAsk, WatchAsk};
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::{Assigned, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Fate, Level, Outcome, Recipient};
use tocsin_domain::people::{ChannelKind, Urgency};

const MINUTE: u64 = 60_000;

/// What can befall an incident from outside.
#[derive(Clone, Debug)]
enum Step {
    Fire(usize),
    Recover(usize),
    Trigger(u8, Severity),
    Answer(u8),
    /// Providers tell what became of all that they took.
    Tell(Fate),
    Wait(u64),
    Restart,
    /// The clock shows an earlier time than before.
    SetBack(u64),
    Remove(u8),
    DropMethods(u8),
    Mute(u64),
    Unmute,
    Team(u8),
    /// Somebody (of three) does something about one of the open incidents.
    Respond(u8, u8, Doing),
}

#[derive(Clone, Debug)]
enum Doing {
    Acknowledge,
    Resolve,
    Snooze(u64),
    CancelSnooze,
    GiveTo(u8),
    GiveToPolicy,
    Escalate,
    AskForHelp(u8),
    Answer(bool),
    MergeInto(u8),
    SetUrgency(bool),
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        4 => Just(Doing::Acknowledge),
        1 => Just(Doing::Resolve),
        2 => (1_000..3_000_000_u64).prop_map(Doing::Snooze),
        1 => Just(Doing::CancelSnooze),
        1 => (0..3_u8).prop_map(Doing::GiveTo),
        1 => Just(Doing::GiveToPolicy),
        1 => Just(Doing::Escalate),
        1 => (0..3_u8).prop_map(Doing::AskForHelp),
        1 => any::<bool>().prop_map(Doing::Answer),
        2 => (0..4_u8).prop_map(Doing::MergeInto),
        1 => any::<bool>().prop_map(Doing::SetUrgency),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Delivered), Just(Fate::Read), Just(Fate::Failed),]
}

fn step() -> impl Strategy<Value = Step> {
    let severity = prop_oneof![
        3 => Just(Severity::Critical),
        1 => Just(Severity::Warning),
    ];
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Fire),
        3 => (0..4_usize).prop_map(Step::Recover),
        2 => (0..3_u8, severity).prop_map(|(key, severity)| Step::Trigger(key, severity)),
        4 => (0..7_u8).prop_map(Step::Answer),
        3 => fate().prop_map(Step::Tell),
        4 => (0..1_200_000_u64).prop_map(Step::Wait),
        3 => (0..30_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => (1..4_000_000_u64).prop_map(Step::SetBack),
        1 => (1..3_u8).prop_map(Step::Remove),
        1 => (1..3_u8).prop_map(Step::DropMethods),
        1 => (1..3_000_000_u64).prop_map(Step::Mute),
        1 => Just(Step::Unmute),
        1 => (0..8_u8).prop_map(Step::Team),
        8 => (0..4_u8, 0..3_u8, doing()).prop_map(|(which, who, what)| Step::Respond(which, who, what)),
    ]
}

const SLUGS: [&str; 4] = [
    "apache-down",
    "apache-orphaned",
    "apache-5xx",
    "apache-config-broken",
];
const NAMES: [&str; 3] = ["Ada", "Bea", "Cy"];

/// One of the three, unless they were removed.
fn person(world: &World, index: u8) -> Option<UserId> {
    let name = NAMES[usize::from(index)];
    let mut users = world.state.users.values();
    users.find(|user| user.name == name).map(|user| user.id)
}

/// One of the open incidents.
fn open(world: &World, index: u8) -> Option<IncidentId> {
    let open = &world.state.open_incidents;
    let index = usize::from(index).checked_rem(open.len())?;
    open.iter().nth(index).copied()
}

fn apply(world: &mut World, step: &Step) {
    match step {
        Step::Fire(index) => drop(world.fire(SLUGS[*index], &[*index])),
        Step::Recover(index) => drop(world.recover(SLUGS[*index])),
        Step::Trigger(key, severity) => drop(world.trigger(&format!("key-{key}"), *severity)),
        Step::Answer(which) => {
            let name = Some("SM1");
            let answers = [
                (Outcome::Accepted, None, name),
                (Outcome::Failed, None, None),
                (Outcome::Refused, None, None),
                (Outcome::TimedOut, None, None),
                (Outcome::Unanswered, None, None),
                (Outcome::Accepted, None, None),
                (Outcome::Failed, Some(30_000), None),
            ];
            let (outcome, retry_after_ms, name) = answers[usize::from(*which)];
            world.answer_all_with(outcome, retry_after_ms, name);
        }
        Step::Tell(fate) => tell(world, *fate),
        Step::Wait(ms) => world.wait_ms(*ms),
        Step::Restart => drop(world.ask(Ask::Recover)),
        Step::SetBack(by_ms) => {
            world.now = world.now.minus_ms(*by_ms);
            world.ask(Ask::ClockSetBack { by_ms: *by_ms });
        }
        Step::Mute(ms) => world.mute(*ms),
        Step::Unmute => {
            let target = world.target();
            world.ask(Ask::Watch(WatchAsk::Unmute(target)));
        }
        Step::Remove(who) => {
            if let Some(user) = person(world, *who) {
                world.ask(Ask::People(PeopleAsk::Remove { user }));
            }
        }
        Step::DropMethods(who) => drop_methods(world, *who),
        Step::Team(members) => {
            let id = world.state.installation.as_ref().map(|all| all.team);
            let wanted = (0..3).filter(|bit| members & (1 << bit) != 0);
            let members = wanted.filter_map(|index| person(world, index)).collect();
            let name = "The team".to_owned();
            world.ask(Ask::Team(TeamAsk::Set { id, name, members }));
        }
        Step::Respond(which, who, what) => {
            if let (Some(incident), Some(by)) = (open(world, *which), person(world, *who)) {
                respond(world, incident, by, what);
            }
        }
    }
}

/// News of every message that has a name at its provider.
fn tell(world: &mut World, fate: Fate) {
    let named = world.state.notifications.values().filter_map(|message| {
        let last = message.attempts.last()?;
        last.reference.as_ref()?;
        Some((message.id, last.number))
    });
    for (notification, number) in named.collect::<Vec<_>>() {
        world.ask(Ask::ReceiptCame {
            notification,
            number,
            fate,
            detail: String::new(),
        });
    }
}

fn drop_methods(world: &mut World, who: u8) {
    let Some(user) = person(world, who) else {
        return;
    };
    let methods = world.state.users[&user].contact_methods.clone();
    for method in methods.iter().map(|method| method.id) {
        world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
    }
}

/// Any of it may be refused; that must leave no trace, which `decide` itself asserts.
fn respond(world: &mut World, incident: IncidentId, by: UserId, what: &Doing) {
    let ask = match what {
        Doing::Acknowledge => RespondAsk::Acknowledge { incident, by },
        Doing::Resolve => RespondAsk::Resolve {
            incident,
            note: None,
        },
        Doing::Snooze(for_ms) => RespondAsk::Snooze {
            incident,
            by,
            for_ms: *for_ms,
        },
        Doing::CancelSnooze => RespondAsk::CancelSnooze { incident },
        Doing::GiveTo(whom) => RespondAsk::Reassign {
            incident,
            to: Assigned::People(person(world, *whom).into_iter().chain([by]).collect()),
        },
        Doing::GiveToPolicy => RespondAsk::Reassign {
            incident,
            to: Assigned::Policy(*world.state.policies.keys().next().unwrap()),
        },
        Doing::Escalate => RespondAsk::Escalate { incident },
        Doing::AskForHelp(whom) => RespondAsk::RequestResponders {
            incident,
            people: person(world, *whom).into_iter().collect(),
            policy: None,
            message: "please".to_owned(),
        },
        Doing::Answer(accept) => RespondAsk::AnswerRequest {
            incident,
            by,
            accept: *accept,
        },
        Doing::MergeInto(other) => RespondAsk::Merge {
            sources: vec![incident],
            into: open(world, *other).unwrap(),
        },
        Doing::SetUrgency(high) => RespondAsk::SetUrgency {
            incident,
            urgency: if *high { Urgency::High } else { Urgency::Low },
        },
    };
    let _ = world.try_ask(Ask::Respond(ask));
}

/// Invariant 2 of the design: what is urgent and nobody has taken has a next time, and that time is still to come.
fn nothing_is_forgotten(world: &World) {
    let to_come = |at| at > world.now;
    for id in world.state.open_incidents.iter() {
        let incident = &world.state.incidents[id];
        let urgent = incident.urgency == Urgency::High && world.state.burns(incident);
        if let Some(until) = incident.snoozed_until {
            let heals = incident.healthy_since.is_some();
            assert!(heals || to_come(until), "{incident:?}");
        } else if incident.status == Status::Acknowledged {
            let ends = incident.acknowledgement_ends_at;
            let wakes_nobody = incident.urgency == Urgency::Low && incident.firing > 0;
            let ends_some_time = urgent || wakes_nobody;
            assert!(!ends_some_time || ends.is_none_or(to_come), "{incident:?}");
            assert!(incident.acknowledged.is_some(), "{incident:?}");
        } else if urgent {
            let held = incident.hold.as_ref().map(|hold| hold.until);
            let quiet = incident.suppressed.as_ref().map(|(_, until)| *until);
            let paging = incident.paging.as_ref();
            let next = paging.and_then(|paging| paging.next_at);
            let next = held.or(quiet).or(next);
            assert!(next.is_some_and(to_come), "{incident:?}");
            assert!(world.state.next_due().is_some_and(to_come));
        }
        assert_eq!(incident.merged_into, None, "{incident:?}");
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
        let incident = message.purpose.page();
        let incident = incident.map(|id| &world.state.incidents[&id]);
        let is_withdrawn = incident.is_some_and(|incident| incident.has_withdrawn(message));
        assert!(!(is_withdrawn && message.state.is_planned()), "{message:?}");
    }
}

/// Three people, and a policy with one of the options of levels on each: one in turn, everybody of the team in person.
fn walkers(timeout: bool) -> World {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    let text = world.add_way(bea, ChannelKind::Sms);
    let (call, mirror) = (
        world.add_way(cy, ChannelKind::Voice),
        world.add_way(cy, ChannelKind::PagerDuty),
    );
    world.set_rules(bea, &[(0, text)]);
    world.set_rules(cy, &[(0, call), (MINUTE, mirror)]);
    let in_turn = vec![Recipient::User(bea), Recipient::User(cy)];
    let team = world.state.installation.as_ref().unwrap().team;
    let levels = vec![
        Level {
            round_robin: true,
            ..Level::of(5 * MINUTE, in_turn)
        },
        Level {
            each_must_acknowledge: true,
            ..Level::of(5 * MINUTE, vec![Recipient::Team(team)])
        },
    ];
    world.set_default_policy(levels, timeout.then_some(10 * MINUTE));
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_happens_no_urgent_incident_is_forgotten(timeout: bool, steps in prop::collection::vec(step(), 1..60)) {
        let mut world = walkers(timeout);
        for step in &steps {
            apply(&mut world, step);
            nothing_is_forgotten(&world);
        }
        let journal = world.journal.clone();
        prop_assert!(journal.iter().enumerate().all(|(index, event)| event.position == index as u64 + 1));
        let mut again = tocsin_domain::state::State::default();
        for event in &journal {
            let written = serde_json::to_string(&event.body).unwrap();
            let body = serde_json::from_str(&written).unwrap();
            again.evolve(&tocsin_domain::event::Event { body, ..event.clone() });
        }
        prop_assert_eq!(&again, &world.state);
    }

    #[test]
    fn the_same_inputs_give_the_same_events(steps in prop::collection::vec(step(), 1..40)) {
        let run = || {
            let mut world = walkers(true);
            steps.iter().for_each(|step| apply(&mut world, step));
            world.journal
        };
        prop_assert_eq!(run(), run());
    }
}
