//! Buttons that nobody hears: that is told, and messages carry a link instead until they are heard again.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_edge::delivery::pace::Wait;
use tokio_tungstenite::tungstenite::{Message, accept};

use crate::buttons::{MEMBER, loopback, set_account};
use crate::pace::HandPace;
use crate::providers::{Provider, Reply, Request};
use crate::world::World;

const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

/// Time goes on for longer than it takes to open what was closed.
fn half_a_minute_later(world: &World, pace: &HandPace) {
    {
        let mut now = world.clock.0.lock().unwrap();
        *now = now.plus_ms(30_000);
    }
    pace.advance(Duration::from_secs(30));
}

/// Whether the buttons of an account are heard, as the API says; and why they are not.
async fn told(world: &World, provider: &str) -> (Value, String) {
    let channels = world.get("/channels").await.json();
    let mut accounts = channels["accounts"].as_array().unwrap().iter();
    let account = accounts.find(|one| one["provider"] == provider).unwrap();
    let buttons = &account["buttons"];
    let why = buttons["detail"].as_str().unwrap_or_default().to_owned();
    (buttons["heard"].clone(), why)
}

/// The doctor's word about the buttons of a provider.
async fn check(world: &World, provider: &str) -> Option<Value> {
    let doctor = world.get("/doctor").await.json();
    let mut checks = doctor["checks"].as_array().unwrap().iter();
    let name = format!("{provider} buttons");
    checks.find(|check| check["name"] == name.as_str()).cloned()
}

/// The next message that goes out, once something has failed.
async fn paged(world: &World, provider: &Provider, key: &str, path: &str) -> Request {
    world.raise(key).await;
    loop {
        let request = tokio::task::block_in_place(|| provider.next());
        if request.path.ends_with(path) {
            return request;
        }
    }
}

/// Whether a message has a button, and a link that does the same.
fn has(request: &Request, button: &str) -> (bool, bool) {
    let sent = request.json().to_string();
    let has_link = sent.contains("http://tocsin.example/a/") && sent.contains("Acknowledge…");
    (sent.contains(button), has_link)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_an_app_of_slack_that_is_not_let_in_has_a_link_instead_of_the_button() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/link", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            // The test may have ended.
            let Ok(mut socket) = accept(connection.unwrap()) else {
                return;
            };
            let hello = json!({"type": "hello"}).to_string();
            let _ = socket.send(Message::text(hello));
            let _ = socket.read();
        }
    });
    let is_right = Arc::new(AtomicBool::new(false));
    let provider = Provider::start({
        let is_right = Arc::clone(&is_right);
        move |request| {
            let opens = request.path.ends_with("/apps.connections.open");
            let told = if opens && !is_right.load(Ordering::SeqCst) {
                json!({"ok": false, "error": "invalid_auth"})
            } else {
                json!({"ok": true, "url": url})
            };
            Reply::json(200, &told.to_string())
        }
    });
    let world = World::new();
    world.reach(world.ada, "slack", MEMBER, None).await;
    let account = json!({"base_url": provider.url(), "token": "xoxb-of-the-test", "listener_token": "xapp-of-the-test"});
    set_account(&world, "slack", account).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    pace.begun(Wait::Listen("slack"));
    assert_eq!(told(&world, "slack").await.0, Value::Null);
    let page = paged(&world, &provider, "web", "/chat.postMessage").await;
    let button = "tocsin_acknowledge";
    assert!(has(&page, button).0, "it may be opened yet");
    // The attempt is over before its time is.
    tokio::task::block_in_place(|| world.first_outcome());
    half_a_minute_later(&world, &pace);
    let wait = pace.begun(Wait::Listen("slack"));
    let (heard, why) = told(&world, "slack").await;
    assert_eq!(heard, false);
    assert!(why.contains("invalid_auth"), "{why}");
    let doctor = check(&world, "slack").await.unwrap();
    assert_eq!(doctor["state"], "warn", "{doctor}");
    let page = paged(&world, &provider, "db", "/chat.postMessage").await;
    assert_eq!(has(&page, button), (false, true));
    is_right.store(true, Ordering::SeqCst);
    pace.advance(wait);
    // The socket says that it is open, and then it is listened to.
    for _ in 0..2 {
        pace.begun(Wait::Socket);
    }
    assert_eq!(told(&world, "slack").await, (json!(true), String::new()));
    assert_eq!(check(&world, "slack").await.unwrap()["state"], "ok");
    let page = paged(&world, &provider, "mail", "/chat.postMessage").await;
    assert!(has(&page, button).0);
    let path = "/channels/accounts/slack";
    let gone = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(told(&world, "slack").await.0, Value::Null);
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_a_bot_that_another_program_listens_to_has_a_link_instead_of_the_button() {
    let provider = Provider::start(|request| {
        if !request.path.ends_with("/getUpdates") {
            return Reply::json(200, r#"{"ok":true,"result":{}}"#);
        }
        let words = format!("Conflict: terminated by other getUpdates request of {BOT_TOKEN}");
        let conflict = json!({"ok": false, "error_code": 409, "description": words});
        Reply::json(409, &conflict.to_string())
    });
    let world = World::new();
    let account = json!({"base_url": provider.url(), "token": BOT_TOKEN});
    set_account(&world, "telegram", account).await;
    world.reach(world.ada, "telegram", "42", None).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    let left_alone = || {
        let wait = pace.begun(Wait::Listen("telegram"));
        pace.advance(wait);
        wait.as_secs()
    };
    assert_eq!(left_alone(), 1);
    // It is asked again, and answers the same.
    assert_eq!(pace.begun(Wait::Listen("telegram")).as_secs(), 2);
    half_a_minute_later(&world, &pace);
    let (heard, why) = told(&world, "telegram").await;
    assert_eq!(heard, false);
    let expected = "HTTP 409 Conflict: terminated by other getUpdates request of …";
    assert_eq!(why, expected, "without the token");
    let doctor = check(&world, "telegram").await.unwrap();
    assert_eq!(doctor["state"], "warn", "{doctor}");
    let page = paged(&world, &provider, "web", "/sendMessage").await;
    assert_eq!(has(&page, "callback_data"), (false, true));
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_answers_is_heard() {
    let provider = Provider::always(Reply::json(200, r#"{"ok":true,"result":[]}"#));
    let world = World::new();
    let account = json!({"base_url": provider.url(), "token": BOT_TOKEN});
    set_account(&world, "telegram", account).await;
    world.reach(world.ada, "telegram", "42", None).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    assert_eq!(pace.begun(Wait::Listen("telegram")), Duration::from_secs(1));
    half_a_minute_later(&world, &pace);
    assert_eq!(told(&world, "telegram").await, (json!(true), String::new()));
    assert_eq!(check(&world, "telegram").await.unwrap()["state"], "ok");
    let page = paged(&world, &provider, "web", "/sendMessage").await;
    assert!(has(&page, "callback_data").0);
    delivery.stop();
}
