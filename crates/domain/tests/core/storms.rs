//! Storms of alerts and dead providers: nobody is buried, nothing critical waits, nothing is lost.

use std::collections::BTreeMap;

use tocsin_domain::command::{Ask, Command, PeopleAsk, RespondAsk, RosterAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, Event, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::id::{NotificationId, ServiceId};
use tocsin_domain::incident::STORM_INCIDENTS;
use tocsin_domain::intake::ALERTS_PER_INCIDENT_MAX;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{
    BURST_MAX, Delivery, Fate, Notification, Outcome, PROVIDER_FAILURES_MAX, PROVIDER_REST_MS,
    Purpose, QUIET_EVERY_MS, TOGETHER_EVERY_MS,
};
use tocsin_domain::people::{ChannelKind, Urgency};
use tocsin_domain::state::Provider;

use crate::world::{World, raise};

fn trigger(
    world: &mut World,
    service: Option<ServiceId>,
    key: &str,
    severity: Severity,
) -> Vec<Event> {
    world.ask(raise(service, key, severity))
}

/// Services of their own, so that no storm puts their alerts together.
pub(crate) fn services(world: &mut World, count: usize) -> Vec<ServiceId> {
    for n in 0..count {
        world.ask(Ask::Roster(RosterAsk::SetService {
            id: None,
            name: format!("Service {n}"),
            policy: None,
        }));
    }
    let named = world.state.services.values();
    named
        .filter(|service| service.name.starts_with("Service "))
        .map(|service| service.id)
        .collect()
}

fn answer_all(world: &mut World, outcome: Outcome) {
    answer(world, ChannelKind::Email, outcome);
}

fn answer(world: &mut World, channel: ChannelKind, outcome: Outcome) {
    let open: Vec<NotificationId> = world
        .sending()
        .iter()
        .filter(|message| message.channel == channel)
        .map(|message| message.id)
        .collect();
    for notification in open {
        world.answer(notification, outcome);
    }
}

#[test]
fn in_a_storm_alerts_of_one_service_join_the_newest_incident_with_room() {
    let mut world = World::set_up();
    let alerts = STORM_INCIDENTS * ALERTS_PER_INCIDENT_MAX + 5;
    for n in 0..alerts {
        // The world looks at everything after each command, which is too slow for so many.
        let command = Command {
            actor: Actor::System,
            ask: raise(None, &format!("db{n}"), Severity::Error),
        };
        decide(&mut world.state, command, world.now, &mut world.entropy).unwrap();
    }
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS + 1);
    let sizes: Vec<usize> = world
        .state
        .incidents
        .values()
        .map(|one| one.alerts.len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), alerts, "none is lost");
    assert!(sizes.iter().all(|size| *size <= ALERTS_PER_INCIDENT_MAX));
    let joined = world
        .state
        .alerts
        .values()
        .filter(|alert| alert.grouped.is_some());
    assert_eq!(joined.count(), alerts - STORM_INCIDENTS - 1);
}

#[test]
fn a_critical_alert_in_a_storm_of_lesser_ones_has_an_incident_of_its_own_and_is_sent_at_once() {
    let mut world = World::set_up();
    for n in 0..200 {
        trigger(&mut world, None, &format!("db{n}"), Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    let events = trigger(&mut world, None, "login", Severity::Critical);
    assert_eq!(world.incident().alerts.len(), 1);
    let started = |event: &&Event| matches!(&event.body, EventBody::Notification(what) if matches!(what.what, NotificationWhat::AttemptStarted { .. }));
    assert_eq!(events.iter().filter(started).count(), 1);
}

#[test]
fn a_storm_ends_after_its_time_and_what_comes_then_has_an_incident_of_its_own() {
    let mut world = World::set_up();
    for n in 0..20 {
        trigger(&mut world, None, &format!("db{n}"), Severity::Error);
    }
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS);
    world.wait_ms(300_000);
    trigger(&mut world, None, "later", Severity::Error);
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS + 1);
}

#[test]
fn beyond_a_burst_pages_are_told_together_and_each_counts_as_delivered_with_the_one_that_tells_it()
{
    let mut world = World::set_up();
    let services = services(&mut world, 40);
    for service in &services {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    let state_of = |world: &World| {
        let mut count = BTreeMap::new();
        for message in world.state.notifications.values() {
            let name = match message.state {
                Delivery::Due { .. } => "due",
                Delivery::Together { .. } => "together",
                Delivery::Sending { .. } => "sending",
                Delivery::Delivered { .. } => "delivered",
                Delivery::Failed { .. } => "failed",
                Delivery::Cancelled { .. } => "cancelled",
            };
            *count.entry(name).or_insert(0) += 1;
        }
        count
    };
    assert_eq!(
        state_of(&world),
        [("delivered", BURST_MAX), ("due", 1), ("together", 31)].into()
    );
    world.wait_ms(TOGETHER_EVERY_MS - 1);
    assert_eq!(world.sending().len(), 0);
    world.wait_ms(1);
    assert_eq!(world.sending().len(), 1);
    let carrier = world.sending()[0].id;
    assert_eq!(world.state.told_along(carrier).count(), 31);
    answer_all(&mut world, Outcome::Accepted);
    assert_eq!(state_of(&world).get("delivered"), Some(&40));
    assert!(world.sending().is_empty());
}

#[test]
fn when_the_message_that_tells_others_is_not_needed_any_more_they_are_told_all_the_same() {
    let mut world = World::set_up();
    let services = services(&mut world, 12);
    for service in &services {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    let waits = |message: &&Notification| matches!(message.state, Delivery::Due { .. });
    let purpose = world
        .state
        .notifications
        .values()
        .find(waits)
        .unwrap()
        .purpose;
    let (Purpose::Page(incident), by) = (purpose, world.ada()) else {
        panic!("{purpose:?}");
    };
    world.ask(Ask::Respond(RespondAsk::Acknowledge { incident, by }));
    world.wait_ms(TOGETHER_EVERY_MS);
    assert_eq!(world.sending().len(), 1);
    let carrier = world.sending()[0];
    assert_ne!(carrier.purpose, Purpose::Page(incident));
    assert_eq!(world.state.told_along(carrier.id).count(), 2);
}

#[test]
fn what_is_told_together_fails_together_and_each_of_it_goes_another_way() {
    let mut world = World::set_up();
    let services = services(&mut world, 12);
    for service in &services {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS - 1);
    let before = world.journal.len();
    world.wait_ms(1);
    answer_all(&mut world, Outcome::Refused);
    let escalated = world.journal[before..].iter().filter(|event| {
        matches!(&event.body, EventBody::Incident(what) if matches!(what.what, IncidentWhat::FallbackReached { .. } | IncidentWhat::LevelReached { .. }))
    });
    let failed: Vec<_> = world
        .state
        .notifications
        .values()
        .filter(|message| matches!(message.state, Delivery::Failed { .. }))
        .collect();
    assert_eq!(failed.len(), 4);
    assert_eq!(escalated.count(), 4, "the next person is asked for each");
}

#[test]
fn an_incident_that_becomes_critical_is_not_told_with_others_any_more() {
    let mut world = World::set_up();
    let services = services(&mut world, 12);
    for service in &services {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    assert_eq!(world.sending().len(), 0);
    trigger(&mut world, Some(services[11]), "x", Severity::Critical);
    assert_eq!(world.sending().len(), 1);
}

#[test]
fn a_provider_that_keeps_failing_is_left_alone_while_there_is_another_way() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_spare_way(ada, ChannelKind::Ntfy);
    let services = services(&mut world, 6);
    // Mail fails until it counts as dead.
    let mut failures = 0;
    for service in &services[..2] {
        trigger(&mut world, Some(*service), "x", Severity::Critical);
        for wait_ms in [0, 1_000, 4_000] {
            world.wait_ms(wait_ms);
            let mails = sent_by(&world, ChannelKind::Email).len();
            failures += u32::try_from(mails).unwrap();
            answer(&mut world, ChannelKind::Email, Outcome::Failed);
            answer(&mut world, ChannelKind::Ntfy, Outcome::Accepted);
        }
    }
    assert!(failures >= PROVIDER_FAILURES_MAX);
    for service in &services[3..] {
        trigger(&mut world, Some(*service), "x", Severity::Critical);
        assert_eq!(sent_by(&world, ChannelKind::Email), []);
        assert_eq!(
            sent_by(&world, ChannelKind::Ntfy).len(),
            1,
            "by the other way at once"
        );
        answer(&mut world, ChannelKind::Ntfy, Outcome::Accepted);
    }
    world.wait_ms(30_000);
    let tries = sent_by(&world, ChannelKind::Email);
    assert_eq!(tries.len(), 1, "one tries it again");
    answer(&mut world, ChannelKind::Email, Outcome::Accepted);
    world.wait_ms(30_000);
    assert_eq!(
        sent_by(&world, ChannelKind::Email).len(),
        2,
        "its success frees the others"
    );
}

#[test]
fn a_clock_that_was_set_back_does_not_make_what_is_told_together_wait_longer() {
    let mut world = World::set_up();
    let services = services(&mut world, BURST_MAX + 1);
    for service in &services[..BURST_MAX] {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    world.now = world.now.minus_ms(3_600_000);
    trigger(&mut world, Some(services[BURST_MAX]), "x", Severity::Error);
    world.wait_ms(TOGETHER_EVERY_MS);
    assert_eq!(world.sending().len(), 1);
}

#[test]
fn a_clock_that_was_set_back_does_not_make_a_provider_rest_longer() {
    let mut world = World::set_up();
    let services = services(&mut world, 3);
    for service in &services[..2] {
        trigger(&mut world, Some(*service), "x", Severity::Critical);
        for wait_ms in [0, 1_000, 4_000] {
            world.wait_ms(wait_ms);
            answer_all(&mut world, Outcome::Failed);
        }
    }
    let mail = Provider::Channel(ChannelKind::Email);
    let rests = |world: &World| world.state.provider_rests(mail, None, world.now);
    assert!(rests(&world).is_some());
    world.now = world.now.minus_ms(3_600_000);
    let at_most = world.now.plus_ms(PROVIDER_REST_MS);
    assert!(rests(&world).is_none_or(|until| until <= at_most));
}

fn sent_by(world: &World, channel: ChannelKind) -> Vec<NotificationId> {
    let sending = world.sending().into_iter();
    sending
        .filter(|message| message.channel == channel)
        .map(|message| message.id)
        .collect()
}

#[test]
fn what_wakes_nobody_is_told_together_to_those_who_have_rules_for_it() {
    let mut world = World::set_up();
    trigger(&mut world, None, "before", Severity::Warning);
    assert_eq!(world.state.notifications.len(), 0, "nobody asked for it");
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let rules = vec![(Urgency::High, 0, mail), (Urgency::Low, 60_000, mail)];
    world.ask(Ask::People(PeopleAsk::SetRules { user: ada, rules }));
    for key in ["a", "b", "c", "d"] {
        trigger(&mut world, None, key, Severity::Warning);
        world.wait_ms(30_000);
    }
    let by = ada;
    let first = world
        .state
        .incidents
        .values()
        .find(|one| one.title == "a fails")
        .unwrap()
        .id;
    world.ask(Ask::Respond(RespondAsk::Acknowledge {
        incident: first,
        by,
    }));
    world.wait_ms(60_000 + QUIET_EVERY_MS - 120_001);
    assert_eq!(world.sending().len(), 0);
    world.wait_ms(1);
    let sending = world.sending();
    assert_eq!(sending.len(), 1);
    let along = world.state.told_along(sending[0].id).count();
    assert_eq!(along, 3, "the one that was taken only tells of the others");
    answer_all(&mut world, Outcome::Accepted);
    world.wait_ms(3_600_000);
    assert_eq!(world.sending().len(), 0, "once");
}

#[test]
fn what_a_text_told_along_is_lost_with_it_and_each_of_it_goes_another_way() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    let services = services(&mut world, BURST_MAX + 3);
    for service in &services {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer(&mut world, ChannelKind::Sms, Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS);
    let carrier = world.sending()[0].id;
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    assert_eq!(world.state.told_along(carrier).count(), 0);
    assert_eq!(world.state.told_with(carrier).count(), 2);
    world.ask(Ask::ReceiptCame {
        notification: carrier,
        number: 1,
        fate: Fate::Failed,
        detail: String::new(),
    });
    let is_lost = |message: &Notification| matches!(message.state, Delivery::Failed { .. });
    assert!(world.state.told_with(carrier).all(is_lost));
    let mail = sent_by(&world, ChannelKind::Email);
    assert_eq!(mail.len(), 1, "by one mail, at once: it has waited already");
    assert_eq!(world.state.told_along(mail[0]).count(), 2, "all three");
}

/// Four pages to Ada wait to be told by one mail, two minutes and 40 seconds long by now. She has another way.
fn gathered_by_mail() -> (World, Vec<ServiceId>) {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_spare_way(ada, ChannelKind::Ntfy);
    let services = services(&mut world, BURST_MAX + 7);
    for service in &services[..BURST_MAX + 4] {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS - 20_000);
    assert_eq!(world.sending().len(), 0);
    (world, services[BURST_MAX + 4..].to_vec())
}

/// Ada got so many messages that the next are told together; then something fails of which nobody is told for this long.
fn buried(delay_ms: u64) -> (World, Vec<ServiceId>) {
    let mut world = World::set_up();
    let ada = world.ada();
    let services = services(&mut world, BURST_MAX + 3);
    for service in &services[..BURST_MAX] {
        trigger(&mut world, Some(*service), "x", Severity::Error);
        answer_all(&mut world, Outcome::Accepted);
    }
    world.set_levels(0, &[(delay_ms, &[ada]), (delay_ms, &[ada])]);
    assert_eq!(world.sending().len(), 0);
    (world, services[BURST_MAX..].to_vec())
}

#[test]
fn what_is_told_together_is_told_before_the_next_level_is_paged() {
    for (delay_ms, expected_ms) in [
        (6_000, 4_000),
        (60_000, 40_000),
        (900_000, TOGETHER_EVERY_MS),
    ] {
        let (mut world, services) = buried(delay_ms);
        trigger(&mut world, Some(services[0]), "x", Severity::Error);
        world.wait_ms(expected_ms - 1);
        assert_eq!(world.sending().len(), 0, "{delay_ms}");
        world.wait_ms(1);
        assert_eq!(world.sending().len(), 1, "{delay_ms}");
    }
}

#[test]
fn what_cannot_wait_for_what_gathers_already_gathers_itself_and_neither_waits_twice() {
    let (mut world, services) = buried(900_000);
    trigger(&mut world, Some(services[0]), "x", Severity::Error);
    let ada = world.ada();
    world.set_levels(0, &[(6_000, &[ada])]);
    trigger(&mut world, Some(services[1]), "x", Severity::Error);
    trigger(&mut world, Some(services[2]), "x", Severity::Error);
    world.wait_ms(4_000);
    let sooner = world.sending();
    assert_eq!(sooner.len(), 1);
    assert_eq!(world.state.told_along(sooner[0].id).count(), 1);
    answer_all(&mut world, Outcome::Accepted);
    world.wait_ms(TOGETHER_EVERY_MS - 4_000);
    assert_eq!(world.sending().len(), 1, "the first");
}

#[test]
fn what_was_told_together_goes_another_way_at_once_when_its_provider_rests() {
    let (mut world, others) = gathered_by_mail();
    for service in &others[..2] {
        trigger(&mut world, Some(*service), "x", Severity::Critical);
        for wait_ms in [0, 1_000, 4_000] {
            world.wait_ms(wait_ms);
            answer(&mut world, ChannelKind::Email, Outcome::Failed);
            answer(&mut world, ChannelKind::Ntfy, Outcome::Accepted);
        }
    }
    world.wait_ms(10_000);
    assert_eq!(sent_by(&world, ChannelKind::Email), []);
    let push = sent_by(&world, ChannelKind::Ntfy);
    assert_eq!(push.len(), 1, "by one push");
    assert_eq!(world.state.told_along(push[0]).count(), 3, "all four");
    answer(&mut world, ChannelKind::Ntfy, Outcome::Accepted);
    // What comes now does not wait with what waits for the mail server.
    trigger(&mut world, Some(others[2]), "x", Severity::Error);
    let mut about = world.state.messages_about(world.incident().id);
    assert!(about.any(|message| message.channel == ChannelKind::Ntfy));
}

#[test]
fn what_was_told_together_goes_another_way_at_once_when_its_provider_asks_for_a_wait() {
    let (mut world, _) = gathered_by_mail();
    world.wait_ms(20_000);
    assert_eq!(sent_by(&world, ChannelKind::Email).len(), 1);
    world.answer_all_with(Outcome::Failed, Some(30_000), None);
    let push = sent_by(&world, ChannelKind::Ntfy);
    assert_eq!(push.len(), 1, "by one push");
    assert_eq!(world.state.told_along(push[0]).count(), 3, "all four");
    answer(&mut world, ChannelKind::Ntfy, Outcome::Accepted);
    world.wait_ms(30_000);
    let mail = sent_by(&world, ChannelKind::Email);
    assert_eq!(mail.len(), 1, "and by mail in its time");
}

#[test]
fn texts_and_calls_are_carried_by_one_provider_and_browsers_and_slack_hooks_each_by_their_own() {
    let mut world = World::set_up();
    let ada = world.ada();
    let ways = [
        ChannelKind::Sms,
        ChannelKind::Voice,
        ChannelKind::WebPush,
        ChannelKind::WebPush,
        ChannelKind::Slack,
        ChannelKind::Slack,
    ];
    let of = |kind| Provider::of(world.add_way(ada, kind), kind);
    let [
        text,
        call,
        one_browser,
        other_browser,
        one_slack,
        other_slack,
    ] = ways.map(of);
    assert_eq!(text, call);
    assert_ne!(one_browser, other_browser);
    assert_ne!(one_slack, other_slack);
}
