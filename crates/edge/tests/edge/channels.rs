//! Pages by Slack, Telegram, Pushover, text, call and PagerDuty, against fakes that take them, refuse them, limit them,
//! hang or lie.

mod foreign;
pub(crate) mod limited;
mod put_off;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_domain::page::Outcome;
use tocsin_edge::delivery::pace::Pace;
use tocsin_edge::delivery::{Delivery, Needs};

use crate::buttons::{loopback, set_account};
use crate::callbacks::calls::Call;
use crate::pace::HandPace;
use crate::providers::{NTFY_OK, Provider, Reply, Request};
use crate::world::World;

const PUSHOVER_USER: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
const PUSHOVER_TOKEN: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";
const RECEIPT: &str = "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy";
const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const AUTH_TOKEN: &str = "twilio-auth-token-of-the-test";
const ROUTING_KEY: &str = "E0123456789ABCDEFGHIJabcdefghij0";
const CHAT: &str = "4217711742";
const PHONE: &str = "+33123456789";

/// The account at a provider, at this address.
fn account(provider: &str, base_url: &str) -> Value {
    match provider {
        "twilio" => {
            json!({"base_url": base_url, "account_id": ACCOUNT, "from": "+15005550006", "token": AUTH_TOKEN})
        }
        "telegram" => json!({"base_url": base_url, "token": BOT_TOKEN}),
        "pushover" => json!({"base_url": base_url, "token": PUSHOVER_TOKEN}),
        "slack" => json!({"base_url": base_url, "token": "xoxb-of-the-test"}),
        _ => json!({"base_url": base_url}),
    }
}

/// Pages Ada by one channel and gives how the first attempt ended.
pub(crate) async fn page(
    provider: &Provider,
    kind: &str,
    address: &str,
) -> (World, Outcome, String) {
    let world = reached_by(provider, kind, address).await;
    let (outcome, detail) = page_in(&world, |_| {}).await;
    (world, outcome, detail)
}

/// Pages Ada and gives how the first attempt ended. The time is what is done with it `meanwhile`.
async fn page_in(world: &World, meanwhile: impl FnOnce(&HandPace)) -> (Outcome, String) {
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    world.raise("web").await;
    meanwhile(&pace);
    let ended = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    ended
}

/// A world in which Ada is reached by one channel.
pub(crate) async fn reached_by(provider: &Provider, kind: &str, address: &str) -> World {
    let world = World::new();
    let name = if ["sms", "voice"].contains(&kind) {
        "twilio"
    } else {
        kind
    };
    if name != "web_push" {
        set_account(&world, name, account(name, &provider.url())).await;
    }
    world.reach(world.ada, kind, address, None).await;
    world
}

async fn accepted(reply: Reply, kind: &str, address: &str) -> (World, Request) {
    let provider = Provider::always(reply);
    let (world, outcome, detail) = page(&provider, kind, address).await;
    assert_eq!(outcome, Outcome::Accepted, "{detail}");
    (world, provider.next())
}

fn message_id(world: &World) -> String {
    world
        .engine
        .read(|state| state.notifications.keys().next().unwrap().to_string())
}

/// The link in a message by which its receiver answers.
pub(crate) fn answer_link(world: &World) -> String {
    format!("http://tocsin.example/a/{}.", message_id(world))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_to_a_member_of_slack_with_links() {
    let (world, request) = accepted(Reply::json(200, r#"{"ok":true}"#), "slack", "U024BE7LH").await;
    assert_eq!(request.path, "/api/chat.postMessage");
    assert_eq!(request.header("authorization"), "Bearer xoxb-of-the-test");
    let body = request.json();
    assert_eq!(body["channel"], "U024BE7LH");
    let link = body["blocks"][2]["elements"][0]["url"].as_str().unwrap();
    assert!(link.starts_with(&answer_link(&world)), "{link}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_to_an_incoming_webhook_of_slack() {
    let provider = Provider::always(Reply::json(200, "ok"));
    let hook = format!("{}/services/T0/B0/SECRETHOOK", provider.url());
    let (_, outcome, _) = page(&provider, "slack", &hook).await;
    assert_eq!(outcome, Outcome::Accepted);
    let request = provider.next();
    assert_eq!(request.path, "/services/T0/B0/SECRETHOOK");
    let body = request.json();
    assert_eq!(body["text"], "[Page #1] web is down");
    // Everybody in the channel reads it.
    let sent = body.to_string();
    assert!(!sent.contains("/a/") && sent.contains("/ui/incidents/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_to_a_chat_of_telegram_with_a_button() {
    let (world, request) = accepted(
        Reply::json(200, r#"{"ok":true,"result":{}}"#),
        "telegram",
        "42",
    )
    .await;
    assert_eq!(request.path, format!("/bot{BOT_TOKEN}/sendMessage"));
    let body = request.json();
    let key = &body["reply_markup"]["inline_keyboard"][0][0];
    assert_eq!(key["callback_data"], format!("ack:{}", message_id(&world)));
    assert_eq!(body["chat_id"], "42");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_pushover_rings_until_it_is_acknowledged() {
    let reply = format!(r#"{{"status":1,"request":"r","receipt":"{RECEIPT}"}}"#);
    let (world, request) = accepted(Reply::json(200, &reply), "pushover", PUSHOVER_USER).await;
    assert_eq!(request.path, "/1/messages.json");
    assert_eq!(request.field("token").as_deref(), Some(PUSHOVER_TOKEN));
    assert_eq!(request.field("user").as_deref(), Some(PUSHOVER_USER));
    assert_eq!(request.field("priority").as_deref(), Some("2"));
    let kept = world.engine.read(|state| {
        let message = state.notifications.values().next().unwrap();
        message.attempts[0].reference.clone()
    });
    assert_eq!(kept.as_deref(), Some(RECEIPT));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_text_says_where_to_answer_and_to_report() {
    let reply = r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#;
    let (world, request) = accepted(Reply::json(201, reply), "sms", "+33 1 23 45 67 89").await;
    assert_eq!(
        request.path,
        format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    );
    assert!(
        request
            .header("authorization")
            .starts_with("Basic QUMwMTIz")
    );
    assert_eq!(request.field("To").as_deref(), Some(PHONE));
    assert_eq!(request.field("From").as_deref(), Some("+15005550006"));
    let text = request.field("Body").unwrap();
    assert!(
        text.contains("ack 1") && text.contains(&answer_link(&world)),
        "{text}"
    );
    let status = request.field("StatusCallback").unwrap();
    let expected = format!(
        "http://tocsin.example/twilio/status/{}.1.",
        message_id(&world)
    );
    assert!(status.starts_with(&expected), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_call_brings_its_words_and_listens_for_keys_where_we_can_be_told_of_them() {
    let reply = r#"{"sid":"CA0123456789abcdef0123456789abcdef","status":"queued"}"#;
    for (public_url, is_heard) in [
        ("http://tocsin.example", true),
        ("http://127.0.0.1:8700", false),
    ] {
        let provider = Provider::always(Reply::json(201, reply));
        let world = reached_by(&provider, "voice", PHONE).await;
        let pace: Arc<dyn Pace> = HandPace::new();
        let needs = Needs {
            public_url: public_url.to_owned(),
            pace,
            ..world.needs(loopback())
        };
        let delivery = Delivery::start(world.queue.clone(), needs).unwrap();
        world.raise("web").await;
        let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
        delivery.stop();
        assert_eq!(outcome, Outcome::Accepted, "{detail}");
        let request = provider.next();
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json");
        assert_eq!(request.path, path);
        assert_eq!(request.field("Timeout").as_deref(), Some("30"));
        let call = Call::made(&request);
        assert!(call.said.contains("page 1. web is down"), "{}", call.said);
        assert_eq!(call.said.contains("Press 4"), is_heard, "{}", call.said);
        let expected = format!("{public_url}/twilio/voice/{}.", message_id(&world));
        let keys_go_there = call.action.is_some_and(|url| url.starts_with(&expected));
        assert_eq!(keys_go_there, is_heard);
        assert_eq!(request.field("StatusCallback").is_some(), is_heard);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_forwarded_to_pagerduty_and_so_is_its_end() {
    let provider = Provider::always(Reply::json(202, r#"{"status":"success"}"#));
    let world = World::new();
    set_account(&world, "pagerduty", account("pagerduty", &provider.url())).await;
    world.reach(world.ada, "pagerduty", ROUTING_KEY, None).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    let mut seen = vec![provider.next().json()];
    for (path, body) in [("acknowledge", json!({})), ("resolve", json!({}))] {
        let answer = world
            .post(&format!("/incidents/{incident}/{path}"), body)
            .await;
        assert!(answer.status.is_success(), "{}", answer.text());
        seen.push(provider.next().json());
    }
    delivery.stop();
    let actions: Vec<_> = seen
        .iter()
        .map(|event| event["event_action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["trigger", "acknowledge", "resolve"]);
    for event in seen {
        assert_eq!(event["dedup_key"], format!("tocsin-{incident}"));
        assert_eq!(event["routing_key"], ROUTING_KEY);
    }
}

pub(crate) const EVERY: [(&str, &str); 6] = [
    ("slack", "U024BE7LH"),
    ("telegram", CHAT),
    ("pushover", PUSHOVER_USER),
    ("sms", PHONE),
    ("voice", PHONE),
    ("pagerduty", ROUTING_KEY),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_hangs_or_refuses_is_told_apart() {
    for (kind, address) in EVERY {
        for (reply, expected) in [
            (Reply::json(500, "oops"), Outcome::Failed),
            (Reply::json(403, "no"), Outcome::Refused),
            (Reply::Hang, Outcome::TimedOut),
        ] {
            let provider = Provider::always(reply.clone());
            let meanwhile = |pace: &HandPace| {
                if expected == Outcome::TimedOut {
                    tokio::task::block_in_place(|| provider.next());
                    pace.attempt_runs_out();
                }
            };
            let world = reached_by(&provider, kind, address).await;
            let (outcome, detail) = page_in(&world, meanwhile).await;
            assert_eq!(outcome, expected, "{kind} {reply:?}: {detail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_a_provider_is_told_in_its_words() {
    for (kind, address, status, said, expected) in [
        (
            "slack",
            "U024BE7LH",
            200,
            r#"{"ok":false,"error":"channel_not_found"}"#,
            "channel_not_found",
        ),
        (
            "telegram",
            "42",
            403,
            r#"{"ok":false,"error_code":403,"description":"bot was blocked by the user"}"#,
            "blocked by the user",
        ),
        (
            "pushover",
            PUSHOVER_USER,
            400,
            r#"{"status":0,"errors":["user key is invalid"]}"#,
            "user key is invalid",
        ),
        (
            "sms",
            PHONE,
            400,
            r#"{"code":21211,"message":"not a valid phone number","status":400}"#,
            "error 21211: not a valid",
        ),
        (
            "pagerduty",
            ROUTING_KEY,
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":[]}"#,
            "Event object is invalid",
        ),
    ] {
        let provider = Provider::always(Reply::json(status, said));
        let (_, outcome, detail) = page(&provider, kind, address).await;
        assert_eq!(outcome, Outcome::Refused, "{kind}: {detail}");
        assert!(detail.contains(expected), "{kind}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_an_account_is_journalled_or_shown() {
    let said = format!(
        "{BOT_TOKEN} {AUTH_TOKEN} {PUSHOVER_TOKEN} xoxb-of-the-test {PHONE} {CHAT} {PUSHOVER_USER} {ROUTING_KEY} U024BE7LH"
    );
    for (kind, address) in EVERY {
        let provider = Provider::start({
            let said = said.clone();
            move |request| {
                let echo = String::from_utf8_lossy(&request.body).into_owned();
                let words = json!({"ok": false, "status": 0, "code": 1, "error": said, "message": said,
                    "description": said, "errors": [said, echo]});
                Reply::json(400, &words.to_string())
            }
        });
        let (world, _, detail) = page(&provider, kind, address).await;
        let journal = format!("{:?}", world.journal.events.lock().unwrap());
        let shown = world.get("/channels").await.text();
        for secret in [BOT_TOKEN, AUTH_TOKEN, PUSHOVER_TOKEN, "xoxb-of-the-test"] {
            // What a stranger may say is not ours to hide.
            let told = journal.contains(secret) || shown.contains(secret);
            assert!(
                !(world.vault.knows(secret) && told),
                "{kind} {secret}: {detail}"
            );
        }
        let address = address.trim_start_matches('+');
        assert!(!journal.contains(address), "{kind}: {detail}");
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_right_is_refused() {
    let world = World::new();
    for (provider, body) in [
        (
            "twilio",
            json!({"account_id": "a/../b", "from": "+15005550006", "token": "x"}),
        ),
        (
            "twilio",
            json!({"account_id": ACCOUNT, "from": "", "token": "x"}),
        ),
        (
            "twilio",
            json!({"account_id": ACCOUNT, "from": "+15005550006"}),
        ),
        (
            "twilio",
            json!({"account_id": ACCOUNT, "from": "+15005550006", "token": "a b"}),
        ),
        ("telegram", json!({"token": "110201543:short"})),
        ("pushover", json!({"token": "short"})),
        ("slack", json!({"token": "xoxp-user"})),
        (
            "slack",
            json!({"token": "xoxb-1", "listener_token": "xoxb-2"}),
        ),
        ("pagerduty", json!({"base_url": "file:///etc/passwd"})),
        ("pagerduty", json!({"token": "x"})),
        ("web_push", json!({"from": "javascript:alert(1)"})),
        ("telegram", json!({"bot_token": BOT_TOKEN})),
    ] {
        let path = format!("/channels/accounts/{provider}");
        let answer = world
            .call("PUT", &path, &world.admin, Some(body.clone()))
            .await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    let unknown = world
        .call(
            "PUT",
            "/channels/accounts/nobody",
            &world.admin,
            Some(json!({})),
        )
        .await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn an_account_is_kept_shown_and_removed_and_its_token_goes_nowhere_else() {
    let world = World::new();
    let body = account("twilio", "https://sms.example.org/");
    let path = "/channels/accounts/twilio";
    let refused = world
        .call("PUT", path, &world.responder, Some(body.clone()))
        .await;
    assert_eq!(refused.status, 403);
    let set = world
        .call("PUT", path, &world.admin, Some(body))
        .await
        .json();
    assert_eq!(set["base_url"], "https://sms.example.org");
    assert_eq!(
        (set["configured"].as_bool(), set["has_token"].as_bool()),
        (Some(true), Some(true))
    );
    let kept = world.vault.count();
    // The token stays for the same place and account, and goes to no other.
    let same =
        json!({"base_url": "https://sms.example.org", "account_id": ACCOUNT, "from": "Tocsin"});
    let again = world.call("PUT", path, &world.admin, Some(same)).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(world.vault.count(), kept);
    let other =
        json!({"base_url": "https://thief.example.org", "account_id": ACCOUNT, "from": "Tocsin"});
    let moved = world.call("PUT", path, &world.admin, Some(other)).await;
    assert_eq!(moved.status, 400, "{}", moved.text());
    let gone = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(world.vault.count(), kept - 1);
    let key = world
        .call("DELETE", "/channels/accounts/web_push", &world.admin, None)
        .await;
    assert_eq!(key.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_the_page_says_what_to_set_up() {
    let world = World::new();
    world.reach(world.ada, "sms", PHONE, None).await;
    let (outcome, detail) = page_in(&world, |_| {}).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(
        detail.starts_with("no Twilio account is set up"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_sent_also_when_no_link_can_be_signed() {
    let provider = Provider::always(Reply::json(200, NTFY_OK));
    let world = World::new();
    let topic = format!("{}/my-topic", provider.url());
    world.reach(world.ada, "ntfy", &topic, None).await;
    world.doors.disk_full.store(true, Ordering::SeqCst);
    let (outcome, detail) = page_in(&world, |_| {}).await;
    assert_eq!(outcome, Outcome::Accepted, "{detail}");
    assert!(!provider.next().json().to_string().contains("/a/"));
}
