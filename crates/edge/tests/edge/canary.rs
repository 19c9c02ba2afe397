//! The canary goes the way of an alert and of its page, from the listener to a sink and back, without a trace; and wherever that
//! way is broken, it is missed by the name of the stage that it does not reach.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tocsin_edge::auditor::Auditor;
use tocsin_edge::canary::Post;
use tocsin_edge::delivery::egress::Egress;
use tocsin_edge::delivery::pace::{Pace, RealTime, Wait};
use tocsin_edge::delivery::{Delivery, Needs};
use tocsin_edge::ports::Vault;
use tocsin_edge::tls::Tls;
use tocsin_edge::vigil::Stage;
use tocsin_engine::NotDurable;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::auditor::{audit, auditor_by, bodies, ready, wait_until, world_with_webhook};
use crate::fakes::START;
use crate::world::{Answered, World};

/// Longer than any attempt takes here.
const ATTEMPT_WAIT: Duration = Duration::from_secs(10);

/// A listener, which ends with this.
struct Listener {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Serves a world.
fn serve(world: &World, tls: Tls) -> Listener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = world.app.clone();
    std::thread::spawn(move || {
        let stopped = async move {
            // A test that has ended stops it too.
            let _ = stopped.await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let served = runtime.block_on(tocsin_edge::serve(listener, app, &tls, 8, stopped));
        served.unwrap();
    });
    Listener {
        address,
        _stop: stop,
    }
}

/// An auditor that knows by now that Tocsin is set up, whose canary comes in there.
fn auditor_at(world: &World, listener: &Listener) -> Auditor {
    let mut auditor = auditor_by(world, Post::new(listener.address, false).unwrap());
    audit(&mut auditor);
    auditor
}

/// A world with all that the canary needs but delivery.
fn served() -> (World, Listener, Auditor) {
    let world = World::new();
    let listener = serve(&world, Tls::Off);
    let auditor = auditor_at(&world, &listener);
    (world, listener, auditor)
}

/// The stage that the canary has not reached.
fn missing(world: &World) -> Option<Stage> {
    world.vigil.canary_away().map(|away| away.missing)
}

/// The stage at which it is lost, and why.
fn lost(world: &World) -> (Stage, String) {
    wait_until(|| world.vigil.canary_is_lost());
    let away = world.vigil.canary_away().unwrap();
    (away.missing, away.why.unwrap())
}

/// Time that does something else whenever an attempt begins.
struct Interrupted(Box<dyn Fn() + Send + Sync>);

impl Pace for Interrupted {
    fn now(&self) -> Instant {
        RealTime.now()
    }

    fn until(&self, at: Instant, what: Wait) -> BoxFuture<'static, ()> {
        if what == Wait::Attempt {
            self.0();
        }
        RealTime.until(at, what)
    }
}

/// Starts delivery, which is interrupted so at the begin of an attempt.
fn deliver_interrupted(world: &World, by: impl Fn() + Send + Sync + 'static) -> Delivery {
    let needs = Needs {
        pace: Arc::new(Interrupted(Box::new(by))),
        ..world.needs(Egress::new(Vec::new()))
    };
    Delivery::start_with(world.queue.clone(), needs, ATTEMPT_WAIT).unwrap()
}

fn disk_full() -> Option<NotDurable> {
    Some(NotDurable {
        why: "the disk is full".to_owned(),
        disk_full: true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_server_has_no_finding_and_its_canary_leaves_no_trace() {
    let (world, requests) = world_with_webhook().await;
    let delivery = world.deliver(Egress::new(Vec::new()), ATTEMPT_WAIT);
    let listener = serve(&world, Tls::Off);
    let mut auditor = auditor_by(&world, Post::new(listener.address, false).unwrap());
    assert!(!auditor.send_canary(), "nobody knows yet that it is set up");
    assert_eq!(audit(&mut auditor), []);
    let (events, position) = (
        world.journal.events.lock().unwrap().len(),
        world.engine.read(|state| state.position),
    );
    assert!(auditor.send_canary());
    wait_until(|| world.vigil.seen().canary_at.is_some());
    assert_eq!(audit(&mut auditor), []);
    assert_eq!(world.journal.events.lock().unwrap().len(), events);
    assert_eq!(world.engine.read(|state| state.position), position);
    assert_eq!(world.get("/incidents").await.json()["items"], json!([]));
    assert!(world.tally.attempts().is_empty(), "it is no message");
    let (status, readiness) = ready(&world).await;
    assert_eq!(status, StatusCode::OK, "{readiness}");
    assert_eq!(readiness["canary_at"], START.to_rfc3339());
    assert!(readiness["canary_age_ms"].is_u64(), "{readiness}");
    assert_eq!(readiness["audited_at"], START.to_rfc3339());
    let request =
        Request::get("/metrics").header("authorization", format!("Bearer {}", world.viewer));
    let metrics = world
        .send(request.body(Body::empty()).unwrap())
        .await
        .text();
    let stages = Stage::ALL.map(|stage| {
        let word = stage.word();
        format!("tocsin_canary_seconds{{stage=\"{word}\"}}")
    });
    let lines = [
        "tocsin_canary_passed_total 1",
        "tocsin_audit_looks_total 2",
        "tocsin_audit_findings{kind=\"any\"} 0",
    ];
    for line in stages.iter().map(String::as_str).chain(lines) {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(bodies(&requests).is_empty(), "nobody was told anything");
    delivery.stop();
    // The clock is set an hour forward: that makes nothing an hour old.
    *world.clock.0.lock().unwrap() = START.plus_ms(3_600_000);
    let (_, readiness) = ready(&world).await;
    let age = readiness["audit_age_ms"].as_u64();
    assert!(age.is_some_and(|age| age < 3_600_000), "{readiness}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_not_let_in_is_missed_as_not_posted() {
    let (world, other) = (World::new(), World::new());
    // It has another key.
    let listener = serve(&other, Tls::Off);
    let auditor = auditor_at(&world, &listener);
    assert!(auditor.send_canary());
    assert_eq!(lost(&world), (Stage::Posted, "HTTP 401".to_owned()));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let mut auditor = auditor_by(&world, Post::new(address, false).unwrap());
    audit(&mut auditor);
    assert!(auditor.send_canary());
    assert_eq!(lost(&world).0, Stage::Posted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_the_engine_does_not_take_is_missed_as_not_decided() {
    let (mut world, _listener, auditor) = served();
    world.end_engine();
    assert!(auditor.send_canary());
    let (stage, why) = lost(&world);
    assert_eq!(stage, Stage::Decided);
    assert!(why.contains("stopping"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_the_journal_refuses_is_missed_as_not_written() {
    let (world, _listener, auditor) = served();
    let delivery = world.deliver(Egress::new(Vec::new()), ATTEMPT_WAIT);
    *world.journal.refusal.lock().unwrap() = disk_full();
    assert!(auditor.send_canary());
    assert_eq!(
        lost(&world),
        (Stage::Written, "the disk is full".to_owned())
    );
    *world.journal.refusal.lock().unwrap() = None;
    assert!(auditor.send_canary());
    wait_until(|| world.vigil.canary_away().is_none());
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_journal_hangs_is_missed_as_not_written_until_it_goes_on() {
    let (world, _listener, auditor) = served();
    let delivery = world.deliver(Egress::new(Vec::new()), ATTEMPT_WAIT);
    let hold = world.journal.hold.lock().unwrap();
    assert!(auditor.send_canary());
    wait_until(|| missing(&world) == Some(Stage::Written));
    drop(hold);
    wait_until(|| world.vigil.canary_away().is_none());
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_nobody_takes_out_of_its_lane_is_missed_as_not_dispatched() {
    let (world, _listener, auditor) = served();
    assert!(auditor.send_canary());
    wait_until(|| missing(&world) == Some(Stage::Dispatched));
    wait_until(|| world.queue.waiting() == 1);
    let delivery = world.deliver(Egress::new(Vec::new()), ATTEMPT_WAIT);
    wait_until(|| world.vigil.canary_away().is_none());
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_attempt_ends_in_a_fault_is_missed_as_not_sent() {
    let (world, _listener, auditor) = served();
    let delivery = deliver_interrupted(&world, || panic!("a fault of the test"));
    assert!(auditor.send_canary());
    wait_until(|| missing(&world) == Some(Stage::Sent));
    assert!(!delivery.has_ended());
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_the_vault_has_no_address_for_is_missed_as_not_sent() {
    let (world, _listener, auditor) = served();
    let delivery = world.deliver(Egress::new(Vec::new()), ATTEMPT_WAIT);
    let ada = world.ada;
    let address = world
        .engine
        .read(|state| state.users[&ada].contact_methods[0].address);
    world.vault.remove(&[address]).unwrap();
    assert!(auditor.send_canary());
    let (stage, why) = lost(&world);
    assert_eq!(
        (stage, why.as_str()),
        (Stage::Sent, "the address was removed")
    );
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_end_is_not_written_is_missed_by_its_outcome_until_it_is() {
    let (world, _listener, auditor) = served();
    let refusal = Arc::clone(&world.journal.refusal);
    let delivery = deliver_interrupted(&world, move || *refusal.lock().unwrap() = disk_full());
    assert!(auditor.send_canary());
    wait_until(|| missing(&world) == Some(Stage::Outcome));
    assert_eq!(world.vigil.seen().canary_at, None);
    *world.journal.refusal.lock().unwrap() = None;
    wait_until(|| world.vigil.canary_away().is_none());
    assert_eq!(world.vigil.seen().canary_at, Some(START));
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_is_let_in_by_tls_whatever_name_its_certificate_has() {
    let (world, data) = (World::new(), tempfile::tempdir().unwrap());
    let listener = serve(
        &world,
        Tls::SelfSigned {
            data_dir: data.path().to_owned(),
            names: vec!["tocsin.example".to_owned()],
        },
    );
    let mut auditor = auditor_by(&world, Post::new(listener.address, true).unwrap());
    audit(&mut auditor);
    assert!(auditor.send_canary());
    wait_until(|| missing(&world) == Some(Stage::Dispatched));
}

async fn post(world: &World, key: &str, body: &Value) -> Answered {
    let request = Request::post("/canary")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json");
    let body = Body::from(body.to_string());
    world.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn nothing_but_the_canary_that_is_awaited_is_let_in_and_that_once() {
    let world = World::new();
    let key = world.vigil.canary_key().unwrap().expose_secret();
    let run = world.vigil.canary_sent();
    let (right, wrong) = (json!({"run": run}), json!({"run": run + 1}));
    let check = async |key: &str, body: &Value, expected| {
        let answer = post(&world, key, body).await;
        assert_eq!(answer.status, expected, "{body}: {}", answer.text());
    };
    check(&world.admin, &right, StatusCode::UNAUTHORIZED).await;
    check(&key[1..], &right, StatusCode::UNAUTHORIZED).await;
    check(key, &json!({}), StatusCode::BAD_REQUEST).await;
    let more = json!({"run": run, "title": "disk"});
    check(key, &more, StatusCode::BAD_REQUEST).await;
    check(key, &wrong, StatusCode::CONFLICT).await;
    check(key, &right, StatusCode::ACCEPTED).await;
    check(key, &right, StatusCode::CONFLICT).await;
    assert_eq!(missing(&world), Some(Stage::Dispatched));
    assert!(world.engine.read(|state| state.incidents.is_empty()));
}
