//! Receivers that take nothing for a while: what waits for what, and what does not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tocsin_domain::event::{EventBody, NotificationWhat, RosterEvent};
use tocsin_domain::page::{Purpose, Word};
use tocsin_domain::webhook::WebhookEvent;
use tocsin_edge::webhooks::{Patience, Webhooks};

use super::{PATH, ok, ping, quick, start, subscribed, told};
use crate::fakes::START;
use crate::pagerduty::ada;
use crate::providers::{Provider, Reply};
use crate::world::World;

/// Waits for longer than a test does before something is tried again.
fn start_patiently(world: &World) -> Webhooks {
    let hour = Duration::from_secs(3_600);
    let patience = Patience {
        retry_first: hour,
        retry_max: hour,
        ..quick()
    };
    Webhooks::start(world.app.clone(), patience).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_tried_at_once_after_a_start_too() {
    let world = World::new();
    let fails = Provider::always(Reply::json(500, ""));
    let (second, third) = (
        Provider::always(Reply::json(503, "")),
        Provider::always(ok()),
    );
    let id = subscribed(&world, &fails.url()).await;
    let path = format!("{PATH}/{id}");
    let to = |url: String| {
        let headers = json!([{"name": "X-Room", "value": "ops"}]);
        let method = json!({"type": "http_delivery_method", "url": url, "custom_headers": headers});
        Some(json!({"webhook_subscription": {"delivery_method": method}}))
    };
    let webhooks = start_patiently(&world);
    world.raise("web").await;
    assert_eq!(told(&fails.next()).1, "web is down");
    let changed = ada(&world, ("PUT", &path), to(second.url())).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(told(&second.next()).1, "web is down");
    webhooks.stop();
    let changed = ada(&world, ("PUT", &path), to(third.url())).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let webhooks = start_patiently(&world);
    assert_eq!(told(&third.next()).1, "web is down");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_waits_for_no_pause() {
    let world = World::new();
    let fails = AtomicBool::new(true);
    let receiver = Provider::start(move |_| {
        if fails.swap(false, Ordering::SeqCst) {
            Reply::json(500, "")
        } else {
            ok()
        }
    });
    let id = subscribed(&world, &receiver.url()).await;
    let webhooks = start_patiently(&world);
    world.raise("web").await;
    assert_eq!(told(&receiver.next()).1, "web is down");
    ping(&world, &id).await;
    let mut kinds = [told(&receiver.next()).0, told(&receiver.next()).0];
    kinds.sort();
    assert_eq!(kinds, ["incident.triggered", "pagey.ping"]);
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_of_which_something_is_not_taken_holds_up_no_other_and_keeps_its_order() {
    let world = World::new();
    let fails = Arc::new(AtomicBool::new(true));
    let script = Arc::clone(&fails);
    let receiver = Provider::start(move |request| {
        let is_web = told(request).1 == "web is down";
        if is_web && script.load(Ordering::SeqCst) {
            Reply::json(500, "")
        } else {
            ok()
        }
    });
    subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    let web = world.raise("web").await;
    assert_eq!(told(&receiver.next()).1, "web is down");
    let comes = |title: &str| {
        // What is not taken is sent again meanwhile.
        let mut requests = (0..1_000).map(|_| told(&receiver.next()));
        assert!(requests.any(|told| told.1 == title), "{title} waits");
    };
    world.raise("db").await;
    comes("db is down");
    let path = format!("/incidents/{web}/resolve");
    let resolved = world.post(&path, json!({})).await;
    assert!(resolved.status.is_success(), "{}", resolved.text());
    world.raise("disk").await;
    comes("disk is down");
    webhooks.stop();
    let webhooks = start(&world);
    fails.store(false, Ordering::SeqCst);
    let mut kinds: Vec<String> = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "incident.resolved") {
        let (kind, title) = told(&receiver.next());
        if title == "web is down" {
            kinds.push(kind);
        }
    }
    let before = &kinds[..kinds.len() - 1];
    assert!(!before.is_empty(), "it was triggered first");
    assert!(before.iter().all(|kind| kind == "incident.triggered"));
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_hear_of_a_receiver_that_takes_nothing_for_an_hour() {
    let world = World::new();
    let fails = Arc::new(AtomicBool::new(true));
    let script = Arc::clone(&fails);
    let receiver = Provider::start(move |_| {
        if script.load(Ordering::SeqCst) {
            Reply::json(500, "")
        } else {
            ok()
        }
    });
    subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    world.raise("web").await;
    // The first has failed when it is sent again.
    receiver.next();
    receiver.next();
    *world.clock.0.lock().unwrap() = START.plus_ms(3_600_000);
    let person = world.committed.wait_for(|events| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Notification(about) => match &about.what {
                NotificationWhat::Planned { message } => match message.purpose {
                    Purpose::Word(Word::Webhook { .. }) => Some(message.user),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
    });
    assert_eq!(person, world.ada);
    fails.store(false, Ordering::SeqCst);
    world.committed.wait_for(|events| {
        let mut bodies = events.iter().map(|event| &event.body);
        let answered = bodies.any(|body| {
            matches!(
                body,
                EventBody::Roster(RosterEvent::Webhook(WebhookEvent::WebhookAnswered { .. }))
            )
        });
        answered.then_some(())
    });
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn since_when_a_receiver_takes_nothing_is_known_after_a_start() {
    let world = World::new();
    let receiver = Provider::always(Reply::json(500, ""));
    subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    world.raise("web").await;
    // The first has failed when it is sent again.
    receiver.next();
    receiver.next();
    webhooks.stop();
    *world.clock.0.lock().unwrap() = START.plus_ms(3_600_000);
    let webhooks = start(&world);
    let since = world.committed.wait_for(|events| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Roster(RosterEvent::Webhook(WebhookEvent::WebhookUnanswered {
                since,
                ..
            })) => Some(*since),
            _ => None,
        })
    });
    assert_eq!(since, START);
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_takes_nothing_for_two_days_is_left_alone() {
    let world = World::new();
    let receiver = Provider::always(Reply::json(500, ""));
    subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    for key in ["a", "b", "c"] {
        world.raise(key).await;
    }
    // What is sent again has failed before.
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    while sent.len() < 3 || sent.values().any(|count| *count < 2) {
        *sent.entry(told(&receiver.next()).1).or_default() += 1;
    }
    *world.clock.0.lock().unwrap() = START.plus_ms(48 * 3_600_000);
    let why = world.committed.wait_for(|events| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Roster(RosterEvent::Webhook(WebhookEvent::WebhookDisabled {
                why, ..
            })) => Some(why.clone()),
            _ => None,
        })
    });
    assert_eq!(why, "HTTP 500");
    webhooks.stop();
}
