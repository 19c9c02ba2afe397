//! Buttons in Slack and Telegram, and what providers tell when they are asked: against fakes that also repeat, lie and close.

mod of_before;
mod repeated;

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_domain::event::{Actor, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::page::{Fate, Outcome};
use tocsin_domain::people::ChannelKind;
use tocsin_edge::delivery::egress::Egress;
use tocsin_edge::delivery::pace::Wait;
use tokio_tungstenite::tungstenite::{Message, accept};

use crate::channels::{answer_link, page};
use crate::pace::HandPace;
use crate::providers::{Provider, Reply};
use crate::world::World;

const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub(crate) const MEMBER: &str = "U024BE7LH";
pub(crate) const PUSHOVER_USER: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
pub(crate) const PUSHOVER_TOKEN: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";
pub(crate) const RECEIPT: &str = "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy";
const PHONE: &str = "+33123456789";

pub(crate) fn loopback() -> Egress {
    Egress::new(vec!["127.0.0.0/8".parse().unwrap()])
}

pub(crate) async fn set_account(world: &World, provider: &str, body: Value) {
    let path = format!("/channels/accounts/{provider}");
    let answer = world.call("PUT", &path, &world.admin, Some(body)).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

/// Waits until somebody acknowledged, and gives who.
pub(crate) fn acknowledged(world: &World) -> Actor {
    world.committed.wait_for(|events| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Incident(about) => match about.what {
                IncidentWhat::Acknowledged { .. } => Some(event.actor.clone()),
                _ => None,
            },
            _ => None,
        })
    })
}

/// Waits for what became of a message.
pub(crate) fn fate(world: &World) -> Fate {
    world.committed.wait_for(|events| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Notification(message) => match message.what {
                NotificationWhat::Receipt { fate, .. } => Some(fate),
                _ => None,
            },
            _ => None,
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_in_telegram_acknowledges_for_its_owner_alone() {
    let message = Arc::new(Mutex::new(None::<String>));
    let polls = Arc::new(AtomicUsize::new(0));
    let provider = Provider::start({
        let (message, polls) = (Arc::clone(&message), Arc::clone(&polls));
        move |request| {
            if request.path.ends_with("/sendMessage") {
                let keys = &request.json()["reply_markup"]["inline_keyboard"][0];
                let data = keys[0]["callback_data"].as_str().unwrap().to_owned();
                *message.lock().unwrap() = Some(data);
            }
            let pressed = message.lock().unwrap().clone();
            let (true, Some(data)) = (request.path.ends_with("/getUpdates"), pressed) else {
                return Reply::json(200, r#"{"ok":true,"result":[]}"#);
            };
            // First a stranger, then the owner, twice.
            let person = match polls.fetch_add(1, Ordering::SeqCst) {
                0 => 666,
                1 | 2 => 42,
                _ => return Reply::Hang,
            };
            let update = json!({"ok": true, "result": [{"update_id": 7, "callback_query":
                {"id": "q", "from": {"id": person}, "data": data}}]});
            Reply::json(200, &update.to_string())
        }
    });
    let world = World::new();
    set_account(
        &world,
        "telegram",
        json!({"base_url": provider.url(), "token": BOT_TOKEN}),
    )
    .await;
    world.reach(world.ada, "telegram", "42", None).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    world.raise("web").await;
    let expected = world.ada_by(ChannelKind::Telegram);
    assert_eq!(
        tokio::task::block_in_place(|| acknowledged(&world)),
        expected
    );
    let mut words = Vec::new();
    while words.len() < 3 {
        let request = tokio::task::block_in_place(|| provider.next());
        if request.path.ends_with("/answerCallbackQuery") {
            words.push(request.json()["text"].as_str().unwrap().to_owned());
        }
    }
    delivery.stop();
    // Nobody waits until they are said, so they come in any order.
    let said = |part: &str| words.iter().filter(|word| word.contains(part)).count();
    let counts = (said("somebody else"), said("You have it"));
    assert_eq!(counts, (1, 2), "{words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_to_strangers_keep_no_press_waiting() {
    let world = World::new();
    world.reach(world.ada, "telegram", "42", None).await;
    world.raise("web").await;
    let message = world
        .engine
        .read(|state| state.notifications.keys().next().unwrap().to_string());
    let (said, polls) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let provider = Provider::start({
        let said = Arc::clone(&said);
        move |request| {
            if request.path.ends_with("/answerCallbackQuery") {
                said.fetch_add(1, Ordering::SeqCst);
                return Reply::Hang;
            }
            if !request.path.ends_with("/getUpdates") {
                return Reply::json(200, r#"{"ok":true,"result":{}}"#);
            }
            if polls.fetch_add(1, Ordering::SeqCst) > 0 {
                return Reply::Hang;
            }
            // More strangers than are spoken to at once, and the owner last.
            let people = (600..620).chain([42]).enumerate();
            let updates: Vec<Value> = people
                .map(|(number, person)| {
                    json!({"update_id": number, "callback_query": {"id": "q",
                        "from": {"id": person}, "data": format!("ack:{message}")}})
                })
                .collect();
            Reply::json(200, &json!({"ok": true, "result": updates}).to_string())
        }
    });
    let account = json!({"base_url": provider.url(), "token": BOT_TOKEN});
    set_account(&world, "telegram", account).await;
    // Words that are never taken are waited for until the test has time pass, which it does not.
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    let by = tokio::task::block_in_place(|| acknowledged(&world));
    delivery.stop();
    let expected = world.ada_by(ChannelKind::Telegram);
    assert_eq!(by, expected);
    assert!(said.load(Ordering::SeqCst) <= 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_answers_at_once_with_nothing_new_is_not_asked_in_a_circle() {
    for nothing_new in ["[]", r#"[{"update_id":7}]"#] {
        let polls = Arc::new(AtomicUsize::new(0));
        let provider = Provider::start({
            let polls = Arc::clone(&polls);
            move |request| {
                if request.path.ends_with("/getUpdates") {
                    polls.fetch_add(1, Ordering::SeqCst);
                }
                Reply::json(200, &format!(r#"{{"ok":true,"result":{nothing_new}}}"#))
            }
        });
        let world = World::new();
        let account = json!({"base_url": provider.url(), "token": BOT_TOKEN});
        set_account(&world, "telegram", account).await;
        world.reach(world.ada, "telegram", "42", None).await;
        let pace = HandPace::new();
        let delivery = world.deliver_at(loopback(), &pace);
        // What repeats itself was new once.
        let at_once = usize::from(nothing_new != "[]");
        for round in 1..=4 {
            let wait = pace.begun(Wait::Listen("telegram"));
            assert_eq!(wait, Duration::from_secs(1), "{nothing_new}");
            let polls = polls.load(Ordering::SeqCst);
            assert_eq!(polls, at_once + round, "{nothing_new}");
            pace.advance(wait);
        }
        delivery.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_to_a_group_or_a_channel_of_telegram_has_no_link_that_answers_and_no_button() {
    for (chat, has_link) in [
        ("42", true),
        ("-42", false),
        ("-1001234567890", false),
        ("@web_alerts", false),
    ] {
        let provider = Provider::always(Reply::json(200, r#"{"ok":true,"result":{}}"#));
        let (world, outcome, detail) = page(&provider, "telegram", chat).await;
        assert_eq!(outcome, Outcome::Accepted, "{detail}");
        let sent = provider.next().json();
        assert_eq!(sent["chat_id"], chat);
        let found = sent.to_string().contains(&answer_link(&world));
        assert_eq!(found, has_link, "{sent}");
        let has_button = sent.to_string().contains("callback_data");
        assert_eq!(has_button, has_link, "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_to_a_group_of_pushover_has_no_link_that_answers() {
    for (key, has_link) in [
        (PUSHOVER_USER, true),
        ("gznej3rKEVAvPUxu9vvNnqpmZpokzF", false),
    ] {
        let reply = json!({"status": 1, "request": "r", "receipt": RECEIPT}).to_string();
        let provider = Provider::always(Reply::json(200, &reply));
        let (world, outcome, detail) = page(&provider, "pushover", key).await;
        assert_eq!(outcome, Outcome::Accepted, "{detail}");
        let url = provider.next().field("url").unwrap();
        let found = url.starts_with(&answer_link(&world));
        assert_eq!(found, has_link, "{url}");
        assert!(has_link || url.contains("/ui/incidents/"), "{url}");
    }
}

/// A socket of Slack: for each connection, what it sends; what it is sent comes out of the receiver.
fn sockets(scripts: Vec<Vec<Value>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/link", listener.local_addr().unwrap());
    let (sender, said) = channel();
    std::thread::spawn(move || {
        for script in scripts {
            let (connection, _) = listener.accept().unwrap();
            let mut socket = accept(connection).unwrap();
            for frame in script {
                socket.send(Message::text(frame.to_string())).unwrap();
            }
            while let Ok(message) = socket.read() {
                if let Message::Text(text) = message {
                    // The test may have ended.
                    let _ = sender.send(text.to_string());
                }
            }
        }
    });
    (url, said)
}

pub(crate) fn press(member: &str, message: &str) -> Value {
    json!({"type": "interactive", "envelope_id": format!("e-{member}"), "payload": {"type": "block_actions",
        "user": {"id": member}, "actions": [{"action_id": "tocsin_acknowledge", "value": message}]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_in_slack_acknowledges_and_the_socket_is_opened_anew() {
    let world = World::new();
    world.reach(world.ada, "slack", MEMBER, None).await;
    world.raise("web").await;
    let message = world
        .engine
        .read(|state| state.notifications.keys().next().unwrap().to_string());
    let (url, said) = sockets(vec![
        vec![
            json!({"type": "hello"}),
            json!({"type": "disconnect", "reason": "refresh_requested"}),
        ],
        vec![
            json!({"type": "hello"}),
            json!({"type": "events_api", "envelope_id": "e-other", "payload": {}}),
            press("U999999999", &message),
            press(MEMBER, "QAAAAAAAAAAAAA"),
            press(MEMBER, &message),
            press(MEMBER, &message),
        ],
    ]);
    let opened = json!({"ok": true, "url": url}).to_string();
    let provider = Provider::start(move |request| {
        if request.path == "/api/apps.connections.open" {
            assert_eq!(request.header("authorization"), "Bearer xapp-of-the-test");
            Reply::json(200, &opened)
        } else {
            Reply::json(200, r#"{"ok":true}"#)
        }
    });
    let account = json!({"base_url": provider.url(), "token": "xoxb-of-the-test", "listener_token": "xapp-of-the-test"});
    set_account(&world, "slack", account).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let expected = world.ada_by(ChannelKind::Slack);
    assert_eq!(
        tokio::task::block_in_place(|| acknowledged(&world)),
        expected
    );
    let words: Vec<Value> = (0..5)
        .map(|_| {
            tokio::task::block_in_place(|| said.recv_timeout(Duration::from_secs(30)).unwrap())
        })
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    delivery.stop();
    let envelopes: Vec<_> = words
        .iter()
        .map(|word| word["envelope_id"].as_str().unwrap())
        .collect();
    let mine = format!("e-{MEMBER}");
    assert_eq!(envelopes, ["e-other", "e-U999999999", &mine, &mine, &mine]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_left_when_its_account_is_removed() {
    let world = World::new();
    world.reach(world.ada, "slack", MEMBER, None).await;
    let other = json!({"type": "events_api", "envelope_id": "e-other", "payload": {}});
    let (url, said) = sockets(vec![vec![other]]);
    let opened = json!({"ok": true, "url": url}).to_string();
    let provider = Provider::always(Reply::json(200, &opened));
    let account = json!({"base_url": provider.url(), "token": "xoxb-of-the-test", "listener_token": "xapp-of-the-test"});
    set_account(&world, "slack", account).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    let heard = || said.recv_timeout(Duration::from_secs(30));
    assert!(tokio::task::block_in_place(heard).is_ok());
    let path = "/channels/accounts/slack";
    let gone = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(gone.status, 204);
    pace.advance(pace.begun(Wait::Look("slack")));
    // The fake ends with its only socket.
    let end = tokio::task::block_in_place(heard);
    delivery.stop();
    assert_eq!(end, Err(RecvTimeoutError::Disconnected));
}

/// Pages Ada by a provider that answers questions about what it took with `told`.
async fn asked(
    kind: &str,
    address: &str,
    account: Value,
    taken: String,
    told: String,
) -> (World, Provider) {
    let provider = Provider::start(move |request| {
        if request.method == "GET" {
            Reply::json(200, &told)
        } else {
            Reply::json(200, &taken)
        }
    });
    let world = World::new();
    let mut account = account;
    account["base_url"] = json!(provider.url());
    let name = if kind == "pushover" { kind } else { "twilio" };
    set_account(&world, name, account).await;
    world.reach(world.ada, kind, address, None).await;
    (world, provider)
}

fn twilio() -> Value {
    json!({"account_id": "AC0123456789abcdef0123456789abcdef", "from": "+15005550006", "token": "t"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_reach_us_is_asked_what_became_of_a_text() {
    for (status, expected) in [
        ("delivered", Fate::Delivered),
        ("undelivered", Fate::Failed),
    ] {
        let taken = r#"{"sid":"SM0123456789abcdef","status":"queued"}"#.to_owned();
        let told =
            json!({"sid": "SM0123456789abcdef", "status": status, "error_code": null}).to_string();
        let (world, _provider) = asked("sms", PHONE, twilio(), taken, told).await;
        let delivery = world.deliver(loopback(), Duration::from_secs(10));
        world.raise("web").await;
        assert_eq!(tokio::task::block_in_place(|| fate(&world)), expected);
        delivery.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_in_pushover_is_one() {
    let taken = format!(r#"{{"status":1,"request":"r","receipt":"{RECEIPT}"}}"#);
    let told =
        r#"{"status":1,"acknowledged":1,"last_delivered_at":1424305379,"expired":0}"#.to_owned();
    let account = json!({"token": PUSHOVER_TOKEN});
    let (world, _provider) = asked("pushover", PUSHOVER_USER, account, taken, told).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    world.raise("web").await;
    let expected = world.ada_by(ChannelKind::Pushover);
    assert_eq!(
        tokio::task::block_in_place(|| acknowledged(&world)),
        expected
    );
    assert_eq!(tokio::task::block_in_place(|| fate(&world)), Fate::Read);
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_took_stops_to_ring_in_pushover() {
    let taken = format!(r#"{{"status":1,"request":"r","receipt":"{RECEIPT}"}}"#);
    let told = r#"{"status":1,"acknowledged":0,"last_delivered_at":0,"expired":0}"#.to_owned();
    let account = json!({"token": PUSHOVER_TOKEN});
    let (world, provider) = asked("pushover", PUSHOVER_USER, account, taken, told).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    let path = format!("/incidents/{incident}/acknowledge");
    assert!(world.post(&path, json!({})).await.status.is_success());
    let quiet = format!("/1/receipts/{RECEIPT}/cancel.json");
    loop {
        let request = tokio::task::block_in_place(|| provider.next());
        if request.path == quiet {
            assert_eq!(request.field("token").as_deref(), Some(PUSHOVER_TOKEN));
            break;
        }
    }
    delivery.stop();
}
