//! Pages by webhook and ntfy, against a small server; and every way to make Tocsin send where it must not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tocsin_domain::command::{Ask, Command, RosterAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::oncall_command::OncallAsk;
use tocsin_domain::page::Outcome;
use tocsin_edge::delivery::egress::{Egress, Lookup};
use tocsin_wire::webhook::{SignedHeaders, verify};

use crate::fakes::START;
use crate::pace::HandPace;
use crate::providers::{Gate, NTFY_OK, Request, receive};
use crate::world::World;

pub(crate) const KEY: &str = "a-signing-key-of-the-test";

/// A server on loopback that answers each request with `answer`, or never when it is empty.
pub(crate) fn start(answer: &'static str) -> (SocketAddr, Receiver<Request>) {
    listen(answer, answer.is_empty())
}

/// A server that says no more than `answer` and keeps the connection.
fn start_and_hold(answer: &'static str) -> (SocketAddr, Receiver<Request>) {
    listen(answer, true)
}

fn listen(answer: &'static str, hold: bool) -> (SocketAddr, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            if let Some(received) = receive(&connection) {
                // The test may have ended.
                let _ = sender.send(received);
            }
            let _ = connection.write_all(answer.as_bytes());
            if hold {
                // Holds the connection open until the client gives up.
                let _ = connection.read(&mut [0]);
            }
        }
    });
    (address, requests)
}

pub(crate) const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nfine\n";

pub(crate) fn loopback() -> Egress {
    Egress::new(vec!["127.0.0.0/8".parse().unwrap()])
}

/// Pages Ada by one way and gives how the first attempt ended. The time stands still.
async fn page_to(kind: &str, address: &str, egress: Egress) -> (World, Outcome, String) {
    page_while(kind, address, egress, |_| {}).await
}

/// The same, with what is done `meanwhile`.
async fn page_while(
    kind: &str,
    address: &str,
    egress: Egress,
    meanwhile: impl FnOnce(&HandPace),
) -> (World, Outcome, String) {
    let world = World::new();
    world
        .reach(world.ada, kind, address, (kind == "webhook").then_some(KEY))
        .await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(egress, &pace);
    world.raise("web").await;
    meanwhile(&pace);
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    (world, outcome, detail)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_and_carries_its_key() {
    let (server, requests) = start(OK);
    let (world, outcome, detail) =
        page_to("webhook", &format!("http://{server}/hook"), loopback()).await;
    assert_eq!((outcome, detail.as_str()), (Outcome::Accepted, "HTTP 200"));
    let received = requests.recv().unwrap();
    let signed = SignedHeaders {
        timestamp: received.header("x-tocsin-timestamp"),
        signature: received.header("x-tocsin-signature"),
    };
    verify(KEY.as_bytes(), &signed, &received.body, START, 300).unwrap();
    let message = world
        .engine
        .read(|state| state.notifications.keys().next().unwrap().to_string());
    assert_eq!(received.header("x-tocsin-id"), message);
    let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(
        (body["title"].as_str(), body["kind"].as_str()),
        (Some("web is down"), Some("page"))
    );
}

/// Lets the core look who has duty.
fn look(world: &World) {
    let ask = Ask::Roster(RosterAsk::Oncall(OncallAsk::NoticeHandOffs));
    let actor = Actor::System;
    let done = world.engine.ask_and_wait(Command { actor, ask });
    done.map(|_| ()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gets_duty_is_told_until_when_and_nobody_is_paged() {
    let (server, requests) = start(OK);
    let world = World::new();
    let address = format!("http://{server}/hook");
    world.reach(world.bob, "webhook", &address, Some(KEY)).await;
    look(&world);
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let schedules = world.get("/schedules").await.json();
    let id = schedules["items"][0]["id"].as_str().unwrap().to_owned();
    let until = START.plus_ms(3_600_000).to_rfc3339();
    let body = serde_json::json!({"user_id": world.bob.to_string(), "until": until});
    world
        .post(&format!("/schedules/{id}/overrides"), body)
        .await;
    look(&world);
    let (outcome, _) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!(outcome, Outcome::Accepted);
    let body: serde_json::Value = serde_json::from_slice(&requests.recv().unwrap().body).unwrap();
    assert_eq!(body["kind"], "handoff");
    let title = body["title"].as_str().unwrap();
    assert!(
        title.starts_with("You are on call for \"First schedule\" until "),
        "{title}"
    );
    look(&world);
    assert!(requests.try_recv().is_err());
}

/// A server whose every answer has this status and these words.
fn start_saying(status: &str, said: &str) -> (SocketAddr, Receiver<Request>) {
    let length = said.len();
    let answer =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{said}");
    start(Box::leak(answer.into_boxed_str()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_than_ntfy_answers_is_no_publication() {
    for (status, said) in [
        ("200 OK", "<html>Welcome to the hotel's network</html>"),
        ("200 OK", r#"{"id":""}"#),
        ("202 Accepted", NTFY_OK),
        ("204 No Content", ""),
    ] {
        let (server, _requests) = start_saying(status, said);
        let topic = format!("http://{server}/my-topic");
        let (_, outcome, detail) = page_to("ntfy", &topic, loopback()).await;
        assert_eq!(outcome, Outcome::Failed, "{status} {said}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_published_to_an_ntfy_topic() {
    let (server, requests) = start_saying("200 OK", NTFY_OK);
    let (_, outcome, _) = page_to("ntfy", &format!("http://{server}/my-topic"), loopback()).await;
    assert_eq!(outcome, Outcome::Accepted);
    let received = requests.recv().unwrap();
    assert!(
        received.head.starts_with("POST / HTTP/1.1"),
        "{}",
        received.head
    );
    let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(
        (body["topic"].as_str(), body["priority"].as_u64()),
        (Some("my-topic"), Some(5))
    );
}

async fn check(answer: &'static str, expected: Outcome) {
    let (server, requests) = start(answer);
    let meanwhile = |pace: &HandPace| {
        if answer.is_empty() {
            tokio::task::block_in_place(|| requests.recv().unwrap());
            pace.attempt_runs_out();
        }
    };
    let hook = format!("http://{server}/hook");
    let (_, outcome, detail) = page_while("webhook", &hook, loopback(), meanwhile).await;
    assert_eq!(outcome, expected, "{answer}: {detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_answers_decides_whether_it_is_tried_again() {
    check(
        "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        Outcome::Failed,
    )
    .await;
    check(
        "HTTP/1.1 429 Slow\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        Outcome::Failed,
    )
    .await;
    check(
        "HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        Outcome::Refused,
    )
    .await;
    check("not http at all\r\n\r\n", Outcome::Failed).await;
    check("", Outcome::TimedOut).await;
    // It speaks HTTP, however badly: it may have taken the request.
    check("HTTP/1.1 nothing\r\n\r\n", Outcome::TimedOut).await;
    check("HTTP/1.1 200 OK\r\nno header\r\n\r\n", Outcome::TimedOut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_broke_off_after_it_was_sent_is_not_said_to_have_failed() {
    // It reads the request and closes the connection.
    let (server, requests) = listen("", false);
    let hook = format!("http://{server}/hook");
    let (_, outcome, detail) = page_to("webhook", &hook, loopback()).await;
    assert_eq!(outcome, Outcome::TimedOut, "{detail}");
    assert!(detail.contains("it may have been taken"), "{detail}");
    assert_eq!(requests.recv().unwrap().path, "/hook");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_sent_has_failed() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let hook = format!("http://{address}/hook");
    let (_, outcome, detail) = page_to("webhook", &hook, loopback()).await;
    assert_eq!(outcome, Outcome::Failed, "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_an_answer_also_when_the_words_never_end() {
    for (answer, expected) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
            Outcome::Accepted,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
            Outcome::Accepted,
        ),
        (
            "HTTP/1.1 403 No\r\ncontent-length: 9\r\n\r\nno",
            Outcome::Refused,
        ),
    ] {
        let (server, _requests) = start_and_hold(answer);
        let world = World::new();
        let address = format!("http://{server}/hook");
        world.reach(world.ada, "webhook", &address, Some(KEY)).await;
        let delivery = world.deliver(loopback(), Duration::from_secs(10));
        world.raise("web").await;
        let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
        delivery.stop();
        assert_eq!(outcome, expected, "{answer}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_repeats_of_its_secret_address_is_not_journalled() {
    let said = r#"{"topic":"qx7-topic","error":"Cannot POST /T0/SECRETPATH?key=k-123456"}"#;
    for (kind, path) in [
        ("ntfy", "qx7-topic"),
        ("webhook", "T0/SECRETPATH?key=k-123456"),
    ] {
        for status in ["200 OK", "404 Not Found", "500 Oops"] {
            let (server, _requests) = start_saying(status, said);
            let (world, _, detail) =
                page_to(kind, &format!("http://{server}/{path}"), loopback()).await;
            let journal = format!("{:?}", world.journal.events.lock().unwrap());
            let hidden = if kind == "ntfy" {
                ["qx7-topic", "qx7-topic"]
            } else {
                ["SECRETPATH", "k-123456"]
            };
            for hidden in hidden {
                assert!(!journal.contains(hidden), "{kind} {status}: {detail}");
            }
        }
    }
}

/// Why nothing is sent for what somebody has.
const TAKEN: &str = "meanwhile the incident was taken, silenced or over";

/// The only page is told as called off for that reason, and not as one that failed.
async fn is_called_off(world: &World, why: &str) {
    let detail = world.get("/incidents/1").await.json();
    assert_eq!(detail["pages"][0]["state"], "cancelled", "{detail}");
    let id = detail["id"].as_str().unwrap();
    let path = format!("/incidents/{id}/timeline");
    let timeline = world.get(&path).await.text();
    assert!(timeline.contains("Not sent to Ada"), "{timeline}");
    assert!(timeline.contains(why), "{timeline}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_what_was_taken_meanwhile() {
    let (server, requests) = start(OK);
    let world = World::new();
    let address = format!("http://{server}/hook");
    world.reach(world.ada, "webhook", &address, Some(KEY)).await;
    let incident = world.raise("web").await;
    let taken = world
        .post(
            &format!("/incidents/{incident}/acknowledge"),
            serde_json::json!({}),
        )
        .await;
    assert!(taken.status.is_success(), "{}", taken.text());
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!((outcome, detail.as_str()), (Outcome::Failed, TAKEN));
    assert!(requests.try_recv().is_err());
    is_called_off(&world, TAKEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_what_was_taken_while_its_address_was_read() {
    let (server, requests) = start(OK);
    let world = World::new();
    let address = format!("http://{server}/hook");
    world.reach(world.ada, "webhook", &address, Some(KEY)).await;
    let gate = Gate::default();
    *world.vault.reads_held.lock().unwrap() = Some(gate.clone());
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| gate.reached());
    let path = format!("/incidents/{incident}/acknowledge");
    let taken = world.post(&path, serde_json::json!({})).await;
    assert!(taken.status.is_success(), "{}", taken.text());
    gate.open();
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!((outcome, detail.as_str()), (Outcome::Failed, TAKEN));
    assert!(requests.try_recv().is_err());
    is_called_off(&world, TAKEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let (inside, requests) = start(OK);
    let answer = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let (server, _) = start(Box::leak(answer.into_boxed_str()));
    let (_, outcome, detail) =
        page_to("webhook", &format!("http://{server}/hook"), loopback()).await;
    assert_eq!(
        (outcome, detail.contains("redirects are not followed")),
        (Outcome::Refused, true),
        "{detail}"
    );
    assert!(requests.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_in_any_disguise_are_refused() {
    for address in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://localhost/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "http://93.184.216.34/",
    ] {
        let (_, outcome, detail) = page_to("webhook", address, Egress::new(Vec::new())).await;
        assert_eq!(outcome, Outcome::Refused, "{address}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_addresses_are_refused_whatever_is_allowed() {
    let all = || Egress::new(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
    for address in [
        "http://169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
    ] {
        let (_, outcome, detail) = page_to("webhook", address, all()).await;
        assert_eq!(
            (outcome, detail.contains("metadata")),
            (Outcome::Refused, true),
            "{address}: {detail}"
        );
    }
}

/// A name that is public when it is checked and private when it is connected to.
struct Rebinding(AtomicUsize);

impl Lookup for Rebinding {
    fn lookup(&self, _: String, port: u16) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first {
            [93, 184, 216, 34]
        } else {
            [127, 0, 0, 1]
        };
        Box::pin(async move { Ok(vec![SocketAddr::from((address, port))]) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_its_mind_is_not_connected_to() {
    let (server, requests) = start(OK);
    let egress = Egress::with_lookup(Vec::new(), Arc::new(Rebinding(AtomicUsize::new(0))));
    let (_, outcome, detail) = page_to(
        "webhook",
        &format!("https://rebind.example:{}/", server.port()),
        egress,
    )
    .await;
    assert_ne!(outcome, Outcome::Accepted, "{detail}");
    assert!(
        detail.contains("127.0.0.1 is not a public address"),
        "{detail}"
    );
    assert!(requests.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_what_was_resolved_meanwhile() {
    let (server, requests) = start(OK);
    let world = World::new();
    world
        .reach(
            world.ada,
            "webhook",
            &format!("http://{server}/hook"),
            Some(KEY),
        )
        .await;
    let incident = world.raise("web").await;
    let resolved = world
        .post(
            &format!("/incidents/{incident}/resolve"),
            serde_json::json!({}),
        )
        .await;
    assert!(resolved.status.is_success());
    // The attempt that was begun before is answered; the page itself is cancelled or what is sent says that it is over.
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    drop(delivery);
    let kinds: Vec<String> = requests
        .try_iter()
        .map(|received| {
            let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
            body["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(!kinds.contains(&"page".to_owned()), "{kinds:?}");
}
