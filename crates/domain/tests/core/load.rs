//! Much that is due at once: a command does only what it was asked for, a tick does a part of what is due, the worst comes first,
//! and nothing is left in the end.

use tocsin_domain::command::{Ask, Command, IntakeAsk, RespondAsk, RosterAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentEvent, IncidentWhat, NotificationWhat, Response,
    RosterEvent,
};
use tocsin_domain::id::{AlertId, IncidentId, NotificationId};
use tocsin_domain::incident::MERGED_ALERTS_MAX;
use tocsin_domain::intake::Intake;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{ATTEMPT_DEADLINE_MS, Outcome, RECEIPT_WAIT_MS};
use tocsin_domain::people::{ChannelKind, Urgency};

use crate::world::{World, raise};

/// So many make more events than one tick does.
const MANY: usize = 1_200;
/// Events of one tick: what is enough, and what the parts may add to that.
const TICK_MAX: usize = 2_100;
const HOUR: u64 = 3_600_000;

/// Carries a command out; the world looks at everything after each, which is too slow for so many.
fn quickly(world: &mut World, ask: Ask) -> Vec<Event> {
    let command = Command {
        actor: Actor::System,
        ask,
    };
    decide(&mut world.state, command, world.now, &mut world.entropy).unwrap()
}

/// Ticks until nothing is due; what each of them made.
fn tick_away(world: &mut World) -> Vec<Vec<Event>> {
    let mut ticks = Vec::new();
    while world.state.next_due().is_some_and(|due| due <= world.now) {
        let made = quickly(world, Ask::Tick);
        assert!(!made.is_empty(), "what is due gets done");
        assert!(made.len() < TICK_MAX, "{}", made.len());
        ticks.push(made);
    }
    ticks
}

/// A service of its own fails, so that no storm puts it together with others.
fn fail(world: &mut World, number: usize, severity: Severity) -> IncidentId {
    let set = RosterAsk::SetService {
        id: None,
        name: format!("Service {number}"),
        policy: None,
    };
    let set = quickly(world, Ask::Roster(set));
    let service = set.iter().find_map(|event| {
        let EventBody::Roster(RosterEvent::ServiceSet { service }) = &event.body else {
            return None;
        };
        Some(service.id)
    });
    assert!(service.is_some());
    let opened = quickly(world, raise(service, "x", severity));
    let mut about = opened.iter().filter_map(|event| event.body.incident());
    about.next().expect("an incident")
}

/// The provider takes all that is being sent, and owes a receipt for it.
fn take_all(world: &mut World) {
    let open: Vec<NotificationId> = world.sending().iter().map(|message| message.id).collect();
    for notification in open {
        let taken = Ask::AttemptFinished {
            notification,
            number: 1,
            outcome: Outcome::Accepted,
            detail: String::new(),
            retry_after_ms: None,
            reference: Some("SM1".to_owned()),
            via: None,
        };
        quickly(world, taken);
    }
}

/// The incidents of which a level was reached, in order.
fn reached(events: &[Event]) -> Vec<IncidentId> {
    let reached = events.iter().filter_map(|event| {
        let EventBody::Incident(incident) = &event.body else {
            return None;
        };
        let is_level = matches!(incident.what, IncidentWhat::LevelReached { .. });
        is_level.then_some(incident.incident)
    });
    reached.collect()
}

/// The incidents about which an attempt began, in order.
fn begun(events: &[Event]) -> Vec<IncidentId> {
    let begun = events.iter().filter_map(|event| {
        let EventBody::Notification(message) = &event.body else {
            return None;
        };
        message.what.begun().and(message.incident)
    });
    begun.collect()
}

#[test]
fn a_command_does_what_it_was_asked_for_and_the_next_tick_does_what_is_due() {
    let mut world = World::set_up();
    let asked = quickly(&mut world, raise(None, "db", Severity::Critical));
    assert_eq!(reached(&asked), []);
    assert_eq!(world.sending().len(), 0);
    assert!(world.state.next_due().unwrap() <= world.now);
    let ticks = tick_away(&mut world);
    assert_eq!(ticks.len(), 1);
    assert_eq!(world.sending().len(), 1);
}

#[test]
fn of_many_incidents_that_are_due_the_critical_ones_are_paged_for_first_and_none_is_forgotten() {
    let mut world = World::set_up();
    for number in 0..MANY {
        fail(&mut world, number, Severity::Error);
    }
    let worst: Vec<IncidentId> = (MANY..MANY + 5)
        .map(|number| fail(&mut world, number, Severity::Critical))
        .collect();
    let ticks = tick_away(&mut world);
    assert!(ticks.len() > 1);
    let first = reached(&ticks[0]);
    assert!(first[..5].iter().all(|one| worst.contains(one)));
    let first = begun(&ticks[0]);
    assert!(first[..5].iter().all(|one| worst.contains(one)));
    assert_eq!(reached(&ticks.concat()).len(), MANY + 5);
    let mut incidents = world.state.incidents.values();
    assert!(incidents.all(|incident| incident.paging.is_some()));
}

#[test]
fn many_attempts_without_an_answer_are_given_up_over_some_ticks() {
    let mut world = World::set_up();
    for number in 0..MANY {
        fail(&mut world, number, Severity::Critical);
    }
    tick_away(&mut world);
    assert_eq!(world.sending().len(), MANY);
    world.now = world.now.plus_ms(ATTEMPT_DEADLINE_MS);
    let ticks = tick_away(&mut world);
    assert!(ticks.len() > 1);
    let messages = world.state.notifications.values();
    let silent = messages.filter(|message| {
        let first = message.attempts.first();
        first.is_some_and(|first| first.outcome == Some(Outcome::TimedOut))
    });
    assert_eq!(silent.count(), MANY);
}

#[test]
fn many_alerts_that_fall_silent_do_not_hold_up_a_page() {
    let mut world = World::set_up();
    let installation = world.state.installation.as_ref().unwrap();
    let service = installation.default_service;
    let Intake {
        urgency, grouping, ..
    } = Intake::default();
    let set = IntakeAsk::SetService {
        service,
        urgency,
        grouping,
        resolve_after_ms: Some(HOUR),
    };
    quickly(&mut world, Ask::Intake(set));
    for number in 0..MANY {
        let key = format!("key-{number}");
        quickly(&mut world, raise(None, &key, Severity::Warning));
    }
    tick_away(&mut world);
    world.now = world.now.plus_ms(HOUR);
    let worst = fail(&mut world, 0, Severity::Critical);
    let ticks = tick_away(&mut world);
    assert!(ticks.len() > 1);
    assert_eq!(begun(&ticks[0]), [worst]);
    let alerts = world.state.alerts.values();
    let firing = alerts.filter(|alert| alert.is_firing());
    assert_eq!(firing.count(), 1, "all others are over");
}

#[test]
fn many_receipts_that_do_not_come_are_given_up_over_some_ticks() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    for number in 0..MANY {
        fail(&mut world, number, Severity::Critical);
    }
    tick_away(&mut world);
    assert_eq!(world.sending().len(), MANY);
    take_all(&mut world);
    assert_eq!(world.state.receipts_owed().count(), MANY);
    world.now = world.now.plus_ms(RECEIPT_WAIT_MS);
    let ticks = tick_away(&mut world);
    assert!(ticks.len() > 1);
    assert_eq!(world.state.receipts_owed().count(), 0);
    let mails = world.sending();
    let mails = mails
        .iter()
        .filter(|message| message.channel == ChannelKind::Email);
    assert_eq!(mails.count(), MANY, "another way to each");
}

#[test]
fn incidents_of_many_alerts_are_merged_up_to_a_limit() {
    let mut world = World::set_up();
    let [source, into, more] = [0, 1, 2].map(|number| fail(&mut world, number, Severity::Error));
    // As many as there is room for, beside its own and that of the other incident.
    let alerts = (2..MERGED_ALERTS_MAX).map(|_| AlertId::random(&mut world.entropy));
    let merged = Response::Merged {
        alerts: alerts.collect(),
        source: IncidentId::random(&mut world.entropy),
        number: 0,
        severity: Severity::Error,
        urgency: Urgency::High,
        pages: false,
    };
    world.state.evolve(&Event {
        position: world.state.position + 1,
        at: world.now,
        recorded_at: world.now,
        actor: Actor::System,
        cause: Cause::Request,
        body: EventBody::Incident(IncidentEvent {
            incident: source,
            what: IncidentWhat::Response(merged),
        }),
    });
    let mut merge = |source| {
        let ask = Ask::Respond(RespondAsk::Merge {
            sources: vec![source],
            into,
        });
        let command = Command {
            actor: Actor::System,
            ask,
        };
        decide(&mut world.state, command, world.now, &mut world.entropy)
    };
    assert!(merge(source).is_ok());
    let refused = merge(more).unwrap_err().to_string();
    assert!(refused.contains("20001 alerts"), "{refused}");
    let alerts = |id: IncidentId| world.state.incidents[&id].alerts.len();
    assert_eq!(alerts(into), MERGED_ALERTS_MAX);
    assert_eq!((alerts(source), alerts(more)), (0, 1));
}

#[test]
fn a_receipt_that_is_owed_is_as_urgent_as_its_incident_has_become() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    let raised = fail(&mut world, 0, Severity::Error);
    tick_away(&mut world);
    take_all(&mut world);
    let owed = world.state.receipts_owed().next();
    assert!(owed.is_some());
    world.now = world.now.plus_ms(1);
    for number in 1..MANY {
        fail(&mut world, number, Severity::Critical);
    }
    tick_away(&mut world);
    take_all(&mut world);
    let service = world.state.incidents[&raised].service;
    quickly(&mut world, raise(Some(service), "x", Severity::Critical));
    world.now = world.now.plus_ms(RECEIPT_WAIT_MS);
    let events = tick_away(&mut world).concat();
    let given_up = events.iter().find_map(|event| {
        let EventBody::Notification(message) = &event.body else {
            return None;
        };
        let is_receipt = matches!(message.what, NotificationWhat::Receipt { .. });
        is_receipt.then_some(message.notification)
    });
    assert_eq!(given_up, owed, "it has waited for longest");
}
