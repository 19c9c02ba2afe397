//! Webhook subscriptions against receivers on loopback: what is told, in which order, signed how, and what becomes of a receiver
//! that does not take it.

mod changed;
mod later;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, NotificationWhat, RosterEvent};
use tocsin_domain::page::{Purpose, Word};
use tocsin_domain::webhook::WebhookEvent;
use tocsin_edge::ports::Accounts;
use tocsin_edge::webhooks::{Patience, Webhooks};
use tocsin_wire::pagerduty::webhook_v3::signature;

use crate::fakes::START;
use crate::pagerduty::{ada, owned, read, refused, service};
use crate::providers::{Gate, Provider, Reply, Request};
use crate::world::World;

const PATH: &str = "/webhook_subscriptions";

/// As patient as in production with a receiver, and quick with all else.
fn quick() -> Patience {
    Patience {
        look: Duration::from_millis(5),
        attempt: Duration::from_secs(30),
        retry_first: Duration::from_millis(5),
        retry_max: Duration::from_millis(20),
    }
}

fn start(world: &World) -> Webhooks {
    Webhooks::start(world.app.clone(), quick()).unwrap()
}

fn ok() -> Reply {
    Reply::json(200, "{}")
}

/// The body of a subscription to all incidents.
fn asked(url: &str, events: &[&str]) -> Value {
    json!({"webhook_subscription": {
        "type": "webhook_subscription",
        "description": "to the chat",
        "events": events,
        "filter": {"type": "account_reference"},
        "delivery_method": {
            "type": "http_delivery_method", "url": url,
            "custom_headers": [{"name": "X-Room", "value": "ops"}],
        },
    }})
}

/// Makes a subscription, and gives it as it was shown.
async fn subscribe(world: &World, body: Value) -> Value {
    let made = ada(world, ("POST", PATH), Some(body)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    made.json()["webhook_subscription"].clone()
}

/// Makes a subscription to what is opened and resolved, and gives its id.
pub(crate) async fn subscribed(world: &World, url: &str) -> String {
    let events = ["incident.triggered", "incident.resolved"];
    let made = subscribe(world, asked(url, &events)).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn ping(world: &World, id: &str) {
    let answer = ada(world, ("POST", &format!("{PATH}/{id}/ping")), None).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
}

/// What a request tells: the kind of the event, and the title of the incident.
fn told(request: &Request) -> (String, String) {
    let event = &request.json()["event"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&event["event_type"]), text(&event["data"]["title"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_an_incident_is_told_in_order_and_signed() {
    let world = World::new();
    let receiver = Provider::always(ok());
    let events = [
        "incident.triggered",
        "incident.acknowledged",
        "incident.annotated",
        "incident.resolved",
    ];
    let made = subscribe(&world, asked(&receiver.url(), &events)).await;
    let webhooks = start(&world);
    let incident = world.raise("web").await;
    for (step, body) in [
        ("acknowledge", json!({})),
        ("notes", json!({"text": "disks"})),
        ("resolve", json!({})),
    ] {
        let answer = world
            .post(&format!("/incidents/{incident}/{step}"), body)
            .await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    let secret = made["delivery_method"]["secret"].as_str().unwrap();
    let mut ids = Vec::new();
    for (kind, status) in [
        ("incident.triggered", "triggered"),
        ("incident.acknowledged", "acknowledged"),
        ("incident.annotated", ""),
        ("incident.resolved", "resolved"),
    ] {
        let request = receiver.next();
        let event = request.json()["event"].clone();
        assert_eq!(event["event_type"], kind, "{event}");
        assert_eq!(event["resource_type"], "incident");
        assert!(event["occurred_at"].is_string());
        if status.is_empty() {
            assert_eq!(event["data"]["content"], "disks");
            assert_eq!(event["data"]["incident"]["id"], incident.as_str());
        } else {
            assert_eq!(event["data"]["id"], incident.as_str());
            assert_eq!(event["data"]["status"], status);
            assert_eq!(event["data"]["service"]["type"], "service_reference");
        }
        let expected = signature(secret.as_bytes(), &request.body);
        assert_eq!(request.header("x-pagerduty-signature"), expected);
        assert_eq!(
            request.header("x-webhook-id"),
            event["id"].as_str().unwrap()
        );
        assert_eq!(
            request.header("x-webhook-subscription"),
            made["id"].as_str().unwrap()
        );
        assert_eq!(request.header("user-agent"), "PagerDuty-Webhook/V3.0");
        assert_eq!(request.header("x-room"), "ops");
        ids.push(request.header("x-webhook-id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_does_not_take_is_sent_again_before_what_comes_after_it_of_the_same_incident()
 {
    let world = World::new();
    let count = AtomicUsize::new(0);
    let receiver = Provider::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(500, ""),
        1 => Reply::json(429, ""),
        _ => ok(),
    });
    subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    let incident = world.raise("web").await;
    let path = format!("/incidents/{incident}/resolve");
    let resolved = world.post(&path, json!({})).await;
    assert!(resolved.status.is_success(), "{}", resolved.text());
    let requests: Vec<Request> = (0..4).map(|_| receiver.next()).collect();
    let kinds: Vec<String> = requests.iter().map(|request| told(request).0).collect();
    let triggered = "incident.triggered".to_owned();
    assert_eq!(
        kinds[..3],
        [triggered.clone(), triggered.clone(), triggered]
    );
    assert_eq!(kinds[3], "incident.resolved");
    let id = |index: usize| requests[index].header("x-webhook-id");
    assert_eq!(id(0), id(2), "it is the same event");
    assert_ne!(id(2), id(3));
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let world = World::new();
    let (hangs, answers) = (Provider::always(Reply::Hang), Provider::always(ok()));
    subscribed(&world, &hangs.url()).await;
    subscribed(&world, &answers.url()).await;
    let webhooks = start(&world);
    world.raise("web").await;
    assert_eq!(told(&hangs.next()).1, "web is down");
    world.raise("db").await;
    assert_eq!(told(&answers.next()).1, "web is down");
    assert_eq!(told(&answers.next()).1, "db is down");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_keeps_refusing_is_left_alone_and_administrators_hear_of_it() {
    let world = World::new();
    let refuses = Arc::new(AtomicBool::new(true));
    let script = Arc::clone(&refuses);
    let receiver = Provider::start(move |_| {
        if script.load(Ordering::SeqCst) {
            Reply::json(410, "gone")
        } else {
            ok()
        }
    });
    let id = subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    for key in ["a", "b", "c", "d"] {
        world.raise(key).await;
    }
    let why = world.committed.wait_for(|events| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Roster(RosterEvent::Webhook(WebhookEvent::WebhookDisabled {
                why, ..
            })) => Some(why.clone()),
            _ => None,
        })
    });
    assert_eq!(why, "HTTP 410");
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
    for title in ["a is down", "b is down", "c is down"] {
        assert_eq!(told(&receiver.next()).1, title);
    }
    let path = format!("{PATH}/{id}");
    let method = |shown: Value| shown["webhook_subscription"]["delivery_method"].clone();
    let shown = method(read(&world, &path).await);
    assert_eq!(shown["temporarily_disabled"], true, "{shown}");
    let answer = ada(&world, ("POST", &format!("{path}/ping")), None).await;
    refused(&answer, 400, 2001);
    refuses.store(false, Ordering::SeqCst);
    let enabled = ada(&world, ("POST", &format!("{path}/enable")), None).await;
    assert_eq!(enabled.status, StatusCode::OK, "{}", enabled.text());
    assert_eq!(method(enabled.json())["temporarily_disabled"], false);
    assert_eq!(told(&receiver.next()).1, "d is down", "it has waited");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_start_it_goes_on_with_what_was_not_taken() {
    let world = World::new();
    let hangs = Arc::new(AtomicBool::new(false));
    let script = Arc::clone(&hangs);
    let receiver = Provider::start(move |_| {
        if script.load(Ordering::SeqCst) {
            Reply::Hang
        } else {
            ok()
        }
    });
    subscribed(&world, &receiver.url()).await;
    let webhooks = start(&world);
    world.raise("a").await;
    assert_eq!(told(&receiver.next()).1, "a is down");
    hangs.store(true, Ordering::SeqCst);
    world.raise("b").await;
    let cut_off = receiver.next();
    assert_eq!(told(&cut_off).1, "b is down");
    webhooks.stop();
    hangs.store(false, Ordering::SeqCst);
    world.raise("c").await;
    let webhooks = start(&world);
    let again = receiver.next();
    assert_eq!(told(&again).1, "b is down");
    assert_eq!(again.header("x-webhook-id"), cut_off.header("x-webhook-id"));
    assert_eq!(told(&receiver.next()).1, "c is down");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_is_told() {
    let world = World::new();
    let receiver = Provider::always(ok());
    let other = json!({"name": "shop", "escalation_policy_id": null});
    let other = world.post("/services", other).await.json();
    let mut body = asked(&receiver.url(), &["incident.triggered"]);
    body["webhook_subscription"]["filter"] =
        json!({"type": "service_reference", "id": other["id"]});
    let made = subscribe(&world, body).await;
    let id = made["id"].as_str().unwrap();
    let webhooks = start(&world);
    world.raise("web").await;
    ping(&world, id).await;
    assert_eq!(told(&receiver.next()).0, "pagey.ping");
    let path = format!("{PATH}/{id}");
    let filter = json!({"webhook_subscription": {"filter": service(&world), "active": false}});
    let changed = ada(&world, ("PUT", &path), Some(filter)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    world.raise("db").await;
    let on = json!({"webhook_subscription": {"active": true}});
    let changed = ada(&world, ("PUT", &path), Some(on)).await;
    assert_eq!(changed.json()["webhook_subscription"]["active"], true);
    world.raise("disk").await;
    assert_eq!(
        told(&receiver.next()).1,
        "disk is down",
        "what happened while it was off is not told"
    );
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_to_a_team_is_told_what_happens_to_that_team_s_and_nothing_else() {
    let world = World::new();
    let receiver = Provider::always(ok());
    let web = owned::web(&world).await;
    let mut body = asked(&receiver.url(), &["incident.triggered"]);
    body["webhook_subscription"]["filter"] = web.clone();
    let made = subscribe(&world, body).await;
    let shop = owned::service_of(&world, &web).await;
    let webhooks = start(&world);
    for (title, of) in [("Everybody's", &service(&world)), ("Web's", &shop)] {
        owned::opened(&world, title, of).await;
    }
    assert_eq!(told(&receiver.next()).1, "Web's");
    ping(&world, made["id"].as_str().unwrap()).await;
    assert_eq!(told(&receiver.next()).0, "pagey.ping");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_wanted_costs_no_write() {
    let world = World::new();
    let receiver = Provider::always(ok());
    let made = subscribe(&world, asked(&receiver.url(), &["incident.resolved"])).await;
    for key in ["a", "b", "c", "d"] {
        world.raise(key).await;
    }
    ping(&world, made["id"].as_str().unwrap()).await;
    let webhooks = start(&world);
    assert_eq!(told(&receiver.next()).0, "pagey.ping");
    webhooks.stop();
    let kept = world.doors.settings_kept.lock().unwrap();
    let kept = kept.iter().filter(|name| *name == "webhook_progress");
    assert!(kept.count() <= 1, "it is kept once that the ping was taken");
}

#[tokio::test]
async fn nothing_is_told_while_it_cannot_be_read_how_far_it_had_come() {
    let world = World::new();
    let unreadable = &world.doors.settings_unreadable;
    unreadable.store(true, Ordering::SeqCst);
    assert!(Webhooks::start(world.app.clone(), quick()).is_err());
    unreadable.store(false, Ordering::SeqCst);
    start(&world).stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_is_not_told_again_when_it_is_not_understood_how_far_it_had_come() {
    let world = World::new();
    let receiver = Provider::always(ok());
    subscribed(&world, &receiver.url()).await;
    world.raise("a").await;
    world.doors.set_setting("webhook_progress", "{").unwrap();
    let webhooks = start(&world);
    world.raise("b").await;
    assert_eq!(told(&receiver.next()).1, "b is down");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_two_days_is_not_told_after_a_start() {
    let world = World::new();
    let receiver = Provider::always(ok());
    subscribe(&world, asked(&receiver.url(), &["incident.triggered"])).await;
    world.raise("old").await;
    *world.clock.0.lock().unwrap() = START.plus_ms(48 * 3_600_000);
    world.raise("new").await;
    let webhooks = start(&world);
    assert_eq!(told(&receiver.next()).1, "new is down");
    webhooks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_holds_up_no_other_subscription() {
    let world = World::new();
    let (first, second) = (Provider::always(ok()), Provider::always(ok()));
    subscribed(&world, &first.url()).await;
    let webhooks = start(&world);
    let gate = Gate::default();
    *world.doors.settings_held.lock().unwrap() = Some(gate.clone());
    world.raise("web").await;
    assert_eq!(told(&first.next()).1, "web is down");
    gate.reached();
    let id = subscribed(&world, &second.url()).await;
    ping(&world, &id).await;
    assert_eq!(told(&second.next()).0, "pagey.ping");
    gate.open();
    webhooks.stop();
}

#[tokio::test]
async fn a_secret_is_shown_once_and_what_is_not_shown_is_kept() {
    let world = World::new();
    let before = world.vault.count();
    let made = subscribe(
        &world,
        asked("https://example.org/hook", &["incident.triggered"]),
    )
    .await;
    let secret = made["delivery_method"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(secret.len(), 64);
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let shown = read(&world, &path).await["webhook_subscription"].clone();
    assert!(shown["delivery_method"]["secret"].is_null(), "{shown}");
    let header = json!([{"name": "X-Room", "value": "-- redacted --"}]);
    assert_eq!(shown["delivery_method"]["custom_headers"], header);
    // A client that changes one thing sends all of what it was shown back.
    let mut back = shown.clone();
    back["delivery_method"]["url"] = json!("https://example.org/other");
    let body = json!({ "webhook_subscription": back });
    let changed = ada(&world, ("PUT", &path), Some(body)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let kept = format!(
        r#"{{"url":"https://example.org/other","headers":[["X-Room","ops"]],"secret":"{secret}"}}"#
    );
    assert!(world.vault.knows(&kept));
    assert_eq!(world.vault.count(), before + 1, "the row before is gone");
    let listed = read(&world, PATH).await;
    assert_eq!(listed["webhook_subscriptions"].as_array().unwrap().len(), 1);
    let native = world.get("/webhook-subscriptions").await.json();
    assert_eq!(native["items"][0]["url"], "https://example.org/other");
    assert!(!native.to_string().contains(&secret));
    let removed = ada(&world, ("DELETE", &path), None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(world.vault.count(), before);
    refused(&ada(&world, ("GET", &path), None).await, 404, 2100);
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_with_its_reason() {
    let world = World::new();
    let good = "https://example.org/hook";
    let with = |url: &str, events: &[&str]| asked(url, events);
    for (body, reason) in [
        (with(good, &["service.created"]), "events[0]"),
        (with(good, &[]), "events"),
        (
            with("http://10.0.0.1/hook", &["incident.triggered"]),
            "delivery_method.url",
        ),
        (
            with("ftp://example.org", &["incident.triggered"]),
            "delivery_method.url",
        ),
        (
            json!({"webhook_subscription": {"events": ["incident.triggered"]}}),
            "delivery_method.url",
        ),
    ] {
        let answer = ada(&world, ("POST", PATH), Some(body)).await;
        let told = refused(&answer, 400, 2001);
        assert!(told.contains(reason), "{told}");
    }
    let mut unknown = with(good, &["incident.triggered"]);
    unknown["webhook_subscription"]["filter"] =
        json!({"type": "team_reference", "id": "QAAAAAAAAAAAAA"});
    let answer = ada(&world, ("POST", PATH), Some(unknown)).await;
    assert!(refused(&answer, 400, 5001).contains("filter"));
}
