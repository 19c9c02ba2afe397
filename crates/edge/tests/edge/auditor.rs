//! The auditor on a running engine: it finds a part that stands still, and tells administrators past it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tocsin_domain::audit::{Finding, FindingKind};
use tocsin_domain::command::{AlertAsk, Ask, Command};
use tocsin_domain::event::Actor;
use tocsin_domain::monitor::Severity;
use tocsin_edge::auditor::{Auditor, Needs, Patience};
use tocsin_edge::canary::Post;
use tocsin_edge::delivery::direct::{Direct, ways_to_administrators, ways_to_last_resort};

use crate::buttons::set_account;
use crate::fakes::START;
use crate::post::{KEY, OK, loopback, start};
use crate::providers;
use crate::world::World;

/// What has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(30);
/// For what cannot come at all.
const AT_ONCE: Duration = Duration::from_millis(10);

/// Something happens in the end.
pub(crate) fn wait_until(mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "it never happened");
        std::thread::yield_now();
    }
}

/// A world whose administrator has a webhook, and what comes there.
pub(crate) async fn world_with_webhook() -> (World, Receiver<providers::Request>) {
    let (server, requests) = start(OK);
    let world = World::new();
    let address = format!("http://{server}/hook");
    world.reach(world.ada, "webhook", &address, Some(KEY)).await;
    (world, requests)
}

/// One whose canary nobody lets in.
fn auditor(world: &World) -> Auditor {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    auditor_by(world, Post::new(nowhere, false).unwrap())
}

/// One whose canary comes in there.
pub(crate) fn auditor_by(world: &World, post: Post) -> Auditor {
    let needs = Needs {
        engine: world.engine.clone(),
        clock: Arc::clone(&world.clock) as _,
        events: Arc::new(world.journal.clone()),
        health: Arc::new(world.journal.clone()),
        queue: world.queue.clone(),
        tally: Arc::clone(&world.tally),
        vigil: Arc::clone(&world.vigil),
        direct: Direct::start(world.needs(loopback())).unwrap(),
        post,
        public_url: "http://tocsin.example".to_owned(),
    };
    let patience = Patience {
        answer: PATIENCE,
        state: PATIENCE,
        again: Duration::ZERO,
        ..Patience::default()
    };
    Auditor::new(needs, patience)
}

/// Work of the auditor, which blocks.
pub(crate) fn audit(auditor: &mut Auditor) -> Vec<FindingKind> {
    let found = tokio::task::block_in_place(|| auditor.audit(&mut |_| {}));
    found.iter().map(|one: &Finding| one.kind).collect()
}

/// The bodies that came to the webhook.
pub(crate) fn bodies(requests: &Receiver<providers::Request>) -> Vec<Value> {
    let all = requests.try_iter();
    all.map(|one| serde_json::from_slice(&one.body).unwrap())
        .collect()
}

fn alert() -> Command {
    Command {
        actor: Actor::System,
        ask: Ask::Alert(AlertAsk::Trigger {
            service: None,
            integration: None,
            dedup_key: None,
            severity: Severity::Critical,
            title: "disk".to_owned(),
            summary: String::new(),
            details: Vec::new(),
            sent_details: None,
            at: None,
        }),
    }
}

pub(crate) async fn ready(world: &World) -> (StatusCode, Value) {
    let answer = world
        .send(Request::get("/readyz").body(Body::empty()).unwrap())
        .await;
    (answer.status, answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedged_engine_is_found_and_administrators_are_told_once() {
    let (world, requests) = world_with_webhook().await;
    let mut auditor = auditor(&world);
    assert_eq!(audit(&mut auditor), []);
    let hold = world.journal.hold.lock().unwrap();
    world.engine.ask(alert(), |_| {}).unwrap();
    auditor.patience.answer = AT_ONCE;
    assert_eq!(audit(&mut auditor), [FindingKind::EngineSilent]);
    assert_eq!(audit(&mut auditor), [FindingKind::EngineSilent]);
    let told = bodies(&requests);
    assert_eq!(told.len(), 1, "a reminder comes after 15 minutes only");
    let title = told[0]["title"].as_str().unwrap();
    assert!(title.contains("the engine did not answer"), "{title}");
    drop(hold);
    wait_until(|| world.engine.read(|state| !state.incidents.is_empty()));
    auditor.patience.answer = PATIENCE;
    assert_eq!(audit(&mut auditor), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_a_wedged_engine_misses_is_found_in_the_state() {
    let (world, requests) = world_with_webhook().await;
    let mut auditor = auditor(&world);
    world.raise("web").await;
    assert_eq!(audit(&mut auditor), []);
    let hold = world.journal.hold.lock().unwrap();
    world.engine.ask(alert(), |_| {}).unwrap();
    // Its attempt has no outcome, and the engine is not there to notice.
    *world.clock.0.lock().unwrap() = START.plus_ms(3_600_000);
    auditor.patience.answer = AT_ONCE;
    let found = audit(&mut auditor);
    for kind in [
        FindingKind::EngineSilent,
        FindingKind::AttemptStuck,
        FindingKind::Overdue,
    ] {
        assert!(found.contains(&kind), "{found:?}");
    }
    let told = bodies(&requests);
    assert_eq!(told.len(), 1, "one message tells all of it");
    assert!(told[0]["title"].as_str().unwrap().contains("(and 2 more)"));
    drop(hold);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_has_ended_is_found_and_the_server_is_not_ready() {
    let (mut world, requests) = world_with_webhook().await;
    let mut auditor = auditor(&world);
    assert_eq!(audit(&mut auditor), []);
    world.end_engine();
    assert_eq!(audit(&mut auditor), [FindingKind::EngineStopped]);
    assert_eq!(bodies(&requests).len(), 1);
    let (status, readiness) = ready(&world).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let reasons = readiness["reasons"].as_array().unwrap();
    assert!(reasons.contains(&json!("audit")), "{readiness}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_the_engine_keeps_to_itself_is_found() {
    let (world, requests) = world_with_webhook().await;
    let mut auditor = auditor(&world);
    assert_eq!(audit(&mut auditor), []);
    let (release, released) = channel::<()>();
    let (entered, inside) = channel::<()>();
    let engine = world.engine.clone();
    let reader = std::thread::spawn(move || {
        engine.read(|_| {
            entered.send(()).unwrap();
            released.recv().unwrap();
        });
    });
    inside.recv().unwrap();
    // The engine waits for the reader, and every later reader for the engine.
    world.engine.ask(alert(), |_| {}).unwrap();
    auditor.patience.answer = AT_ONCE;
    auditor.patience.state = AT_ONCE;
    let mut found = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while found != [FindingKind::StateLocked] {
        assert!(Instant::now() < deadline, "{found:?}");
        found = audit(&mut auditor);
    }
    let told = bodies(&requests);
    let title = |one: &Value| one["title"].as_str().unwrap().to_owned();
    assert!(
        told.iter()
            .any(|one| title(one).contains("holds on to the state")),
        "{told:?}"
    );
    release.send(()).unwrap();
    reader.join().unwrap();
    auditor.patience.answer = PATIENCE;
    auditor.patience.state = PATIENCE;
    wait_until(|| audit(&mut auditor).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_holds_beyond_the_state_is_found() {
    let (world, requests) = world_with_webhook().await;
    let mut auditor = auditor(&world);
    assert_eq!(audit(&mut auditor), []);
    let mut event = world.journal.events.lock().unwrap().last().unwrap().clone();
    event.position += 1;
    world.journal.events.lock().unwrap().push(event);
    wait_until(|| audit(&mut auditor) == [FindingKind::StateBehind]);
    assert_eq!(bodies(&requests).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_reached_nobody_is_sent_again_after_a_minute_under_its_id() {
    let (server, requests) =
        start("HTTP/1.1 503 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let mut world = World::new();
    let address = format!("http://{server}/hook");
    world.reach(world.ada, "webhook", &address, Some(KEY)).await;
    let mut auditor = auditor(&world);
    assert_eq!(audit(&mut auditor), []);
    world.end_engine();
    audit(&mut auditor);
    let first = bodies(&requests);
    assert_eq!(first.len(), 1);
    audit(&mut auditor);
    assert!(bodies(&requests).is_empty(), "it waits");
    *world.clock.0.lock().unwrap() = START.plus_ms(60_000);
    auditor.patience.retry = Duration::ZERO;
    audit(&mut auditor);
    let again = bodies(&requests);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["id"], first[0]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_fails_is_sent_the_same_message_again_and_one_that_took_it_is_not() {
    let (mut world, took) = world_with_webhook().await;
    let (server, failed) =
        start("HTTP/1.1 503 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let address = format!("http://{server}/hook");
    world.reach(world.ada, "webhook", &address, Some(KEY)).await;
    let mut auditor = auditor(&world);
    auditor.patience.retry = Duration::ZERO;
    assert_eq!(audit(&mut auditor), []);
    world.end_engine();
    audit(&mut auditor);
    audit(&mut auditor);
    let tries = bodies(&failed);
    assert_eq!(tries.len(), 2, "{tries:?}");
    assert_eq!(tries[0]["id"], tries[1]["id"]);
    assert_eq!(bodies(&took).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_of_which_nobody_hears_by_what_is_set_up_is_found_until_something_is() {
    let world = World::new();
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let mut auditor = auditor(&world);
    world.raise("web").await;
    wait_until(|| audit(&mut auditor) == [FindingKind::NobodyReached]);
    world.set_up_mail().await;
    wait_until(|| audit(&mut auditor).is_empty());
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_slack_hears_nothing_while_there_is_no_app() {
    let world = World::new();
    world.reach(world.ada, "slack", "U024BE7LH", None).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let mut auditor = auditor(&world);
    world.raise("web").await;
    wait_until(|| audit(&mut auditor) == [FindingKind::NobodyReached]);
    let app = json!({"base_url": "http://127.0.0.1:1", "token": "xoxb-of-the-test"});
    set_account(&world, "slack", app).await;
    wait_until(|| audit(&mut auditor).is_empty());
    delivery.stop();
}

#[tokio::test]
async fn the_list_of_last_resort_is_told_past_the_engine_too_where_nobody_else_is_paged() {
    let world = World::new();
    let topic = "https://ntfy.example.org/topic";
    for user in [world.ada, world.bob] {
        world.reach(user, "ntfy", topic, None).await;
    }
    let list = json!({"users": [world.bob.to_string()]});
    let set = world
        .call("PUT", "/fallback", &world.admin, Some(list))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    world.engine.read(|state| {
        let told = ways_to_administrators(state, None);
        assert!(told.iter().all(|way| way.name == "Ada"), "{told:?}");
        let told = ways_to_last_resort(state, None);
        for name in ["Ada", "Bob"] {
            assert!(told.iter().any(|way| way.name == name), "{told:?}");
        }
    });
}
