//! Changes that others tell of, and subscriptions to what happens to incidents: what the core keeps of them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use std::collections::BTreeSet;

use tocsin_domain::change::{CHANGES_MAX, RELATED_MS};
use tocsin_domain::command::{Ask, ChangeAsk, WebhookAsk};
use tocsin_domain::event::{Event, EventBody, RosterEvent};
use tocsin_domain::id::{SecretId, WebhookId};
use tocsin_domain::page::{Purpose, Word};
use tocsin_domain::time::Timestamp;
use tocsin_domain::webhook::{WEBHOOKS_MAX, WebhookEvent, WebhookKind, WebhookScope};

use crate::world::{START, World};

fn change(summary: &str, at: Option<Timestamp>) -> Ask {
    Ask::Change(ChangeAsk {
        service: None,
        integration: None,
        at,
        summary: summary.to_owned(),
        source: None,
        details: None,
        links: Vec::new(),
        images: Vec::new(),
    })
}

fn summaries(world: &World) -> Vec<String> {
    let all = world.state.changes.newest_first();
    all.map(|(_, change)| change.summary.clone()).collect()
}

#[test]
fn the_first_change_is_forgotten_when_there_are_too_many() {
    let mut world = World::set_up();
    for index in 0..=CHANGES_MAX {
        world.ask(change(&index.to_string(), None));
    }
    let known = summaries(&world);
    assert_eq!(known.len(), CHANGES_MAX);
    assert_eq!(known.first(), Some(&CHANGES_MAX.to_string()));
    assert_eq!(known.last().map(String::as_str), Some("1"));
}

#[test]
fn a_change_of_tomorrow_was_made_now_and_an_old_one_has_to_do_with_nothing() {
    let mut world = World::set_up();
    world.ask(change("tomorrow", Some(START.plus_ms(86_400_000))));
    world.ask(change("old", Some(START.minus_ms(RELATED_MS + 1))));
    world.ask(change("before", Some(START.minus_ms(RELATED_MS))));
    let default = world.state.installation.as_ref().unwrap().default_service;
    let related = world.state.changes.before(default, START);
    let related: Vec<&str> = related
        .iter()
        .map(|(_, change)| change.summary.as_str())
        .collect();
    assert_eq!(related, ["tomorrow", "before"]);
    assert!(world.try_ask(change(" ", None)).is_err());
}

/// Adds a subscription, or changes one.
fn set(world: &mut World, id: Option<WebhookId>, active: bool) -> Ask {
    Ask::Webhook(WebhookAsk::Set {
        id,
        description: String::new(),
        delivery: Some(SecretId::random(&mut world.entropy)),
        events: BTreeSet::from([WebhookKind::Triggered]),
        scope: WebhookScope::Account,
        active,
    })
}

fn added(world: &mut World) -> WebhookId {
    let ask = set(world, None, true);
    let events = world.ask(ask);
    let made = events.iter().find_map(|event| match &event.body {
        EventBody::Roster(RosterEvent::Webhook(WebhookEvent::WebhookSet { webhook })) => {
            Some(webhook.id)
        }
        _ => None,
    });
    made.unwrap()
}

#[test]
fn a_subscription_that_is_switched_on_again_begins_there() {
    let mut world = World::set_up();
    let id = added(&mut world);
    let since = |world: &World| world.state.webhooks[&id].since;
    let made_at = since(&world);
    assert_eq!(made_at, world.state.position);
    let ask = set(&mut world, Some(id), true);
    world.ask(ask);
    assert_eq!(since(&world), made_at, "it was on all the time");
    let ask = set(&mut world, Some(id), false);
    world.ask(ask);
    let ask = set(&mut world, Some(id), true);
    world.ask(ask);
    assert_eq!(since(&world), world.state.position);
}

#[test]
fn a_subscription_goes_where_it_went_when_nothing_else_is_said() {
    let mut world = World::set_up();
    let id = added(&mut world);
    let before = world.state.webhooks[&id].webhook.delivery;
    let described = |id: Option<WebhookId>| {
        Ask::Webhook(WebhookAsk::Set {
            id,
            description: "to the chat".to_owned(),
            delivery: None,
            events: BTreeSet::from([WebhookKind::Triggered]),
            scope: WebhookScope::Account,
            active: true,
        })
    };
    world.ask(described(Some(id)));
    let known = &world.state.webhooks[&id].webhook;
    assert_eq!(known.description, "to the chat");
    assert_eq!(known.delivery, before);
    assert!(
        world.try_ask(described(None)).is_err(),
        "a new one goes nowhere yet"
    );
}

#[test]
fn administrators_hear_once_of_a_subscription_that_is_left_alone() {
    let mut world = World::set_up();
    let id = added(&mut world);
    let disable = || {
        Ask::Webhook(WebhookAsk::Disable {
            webhook: id,
            why: "HTTP 410".to_owned(),
        })
    };
    world.ask(disable());
    assert!(world.state.webhooks[&id].is_disabled(world.now));
    let words = |world: &World| {
        let all = world.state.notifications.values();
        all.filter(|message| message.purpose == Purpose::Word(Word::Webhook { webhook: id }))
            .count()
    };
    assert_eq!(words(&world), 1);
    let again = world.ask(disable());
    let is_roster = |event: &Event| matches!(event.body, EventBody::Roster(_));
    assert!(!again.iter().any(is_roster), "it is left alone already");
    assert!(world.try_ask(Ask::Webhook(WebhookAsk::Ping(id))).is_err());
    world.ask(Ask::Webhook(WebhookAsk::Enable(id)));
    assert!(!world.state.webhooks[&id].is_disabled(world.now));
    world.ask(Ask::Webhook(WebhookAsk::Ping(id)));
    assert_eq!(words(&world), 1);
}

#[test]
fn administrators_hear_once_of_a_receiver_that_takes_nothing_until_it_does() {
    let mut world = World::set_up();
    let id = added(&mut world);
    let unanswered = || {
        Ask::Webhook(WebhookAsk::Unanswered {
            webhook: id,
            since: START,
            why: "HTTP 500".to_owned(),
        })
    };
    let words = |world: &World| {
        let all = world.state.notifications.values();
        all.filter(|message| message.purpose == Purpose::Word(Word::Webhook { webhook: id }))
            .count()
    };
    world.ask(unanswered());
    assert_eq!(world.state.webhooks[&id].unanswered_since, Some(START));
    assert!(world.try_ask(Ask::Webhook(WebhookAsk::Ping(id))).is_ok());
    assert_eq!(words(&world), 1);
    world.ask(unanswered());
    assert_eq!(words(&world), 1, "they know it");
    world.ask(Ask::Webhook(WebhookAsk::Answered(id)));
    assert_eq!(world.state.webhooks[&id].unanswered_since, None);
    world.ask(unanswered());
    assert_eq!(world.state.webhooks[&id].unanswered_since, Some(START));
    let elsewhere = set(&mut world, Some(id), true);
    world.ask(elsewhere);
    assert_eq!(world.state.webhooks[&id].unanswered_since, None);
}

#[test]
fn there_are_so_many_subscriptions_and_no_more() {
    let mut world = World::set_up();
    let first = added(&mut world);
    for _ in 1..WEBHOOKS_MAX {
        added(&mut world);
    }
    let ask = set(&mut world, None, true);
    assert!(world.try_ask(ask).is_err());
    world.ask(Ask::Webhook(WebhookAsk::Remove(first)));
    added(&mut world);
    assert_eq!(world.state.webhooks.len(), WEBHOOKS_MAX);
}
