//! What a provider of texts and calls asks and tells: taken with its signature alone, harmless when repeated, never moving a page
//! back.

pub(crate) mod calls;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use proptest::prelude::*;
use serde_json::json;
use tocsin_domain::page::BURST_MAX;
use tocsin_wire::twilio::signature;

use crate::answer::{bob_takes, comes_back};
use crate::buttons::loopback;
use crate::providers::{Provider, Reply, Request as Sent};
use crate::world::{Answered, World, trigger};

const TOKEN: &str = "twilio-auth-token-of-the-test";
const PHONE: &str = "+33123456789";
pub(crate) const BASE: &str = "http://tocsin.example";

async fn set_account(world: &World, base_url: &str) {
    let body = json!({"base_url": base_url, "account_id": "AC0123456789abcdef0123456789abcdef",
        "from": "+15005550006", "token": TOKEN});
    let path = "/channels/accounts/twilio";
    let set = world.call("PUT", path, &world.admin, Some(body)).await;
    assert!(set.status.is_success(), "{}", set.text());
}

/// Ada is reached by calls or texts, which go by this provider.
async fn reachable(kind: &str) -> (World, Provider) {
    let provider = Provider::always(Reply::json(
        201,
        r#"{"sid":"CA0123456789abcdef0123456789abcdef","status":"queued"}"#,
    ));
    let world = World::new();
    set_account(&world, &provider.url()).await;
    world.reach(world.ada, kind, PHONE, None).await;
    (world, provider)
}

/// Ada was called or texted; what the provider was sent.
async fn reached(kind: &str) -> (World, String, Sent) {
    let (world, provider) = reachable(kind).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    let sent = provider.next();
    (world, incident, sent)
}

fn base64(bytes: &[u8]) -> String {
    let text = tocsin_wire::base64url::encode(bytes)
        .replace('-', "+")
        .replace('_', "/");
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    text + &padding
}

pub(crate) async fn post(
    world: &World,
    url: &str,
    fields: &[(&str, &str)],
    token: &str,
) -> Answered {
    let path = url.strip_prefix(BASE).unwrap();
    post_signed(world, path, url, fields, token).await
}

/// With a signature over this address.
async fn post_signed(
    world: &World,
    path: &str,
    url: &str,
    fields: &[(&str, &str)],
    token: &str,
) -> Answered {
    let owned: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let signed = base64(&signature::sign(token.as_bytes(), url, &owned));
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signed);
    world.send(request.body(Body::from(form)).unwrap()).await
}

async fn status(world: &World, incident: &str) -> String {
    let shown = world.get(&format!("/incidents/{incident}")).await.json();
    shown["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_from_a_known_number_acknowledges_and_a_strangers_does_not() {
    let (world, incident, _) = reached("sms").await;
    let url = format!("{BASE}/twilio/sms");
    let reply = async |from: &str, text: &str| {
        let answer = post(&world, &url, &[("From", from), ("Body", text)], TOKEN).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    assert!(!reply("+33999999999", "ack 1").await.contains("Message"));
    assert!(reply(PHONE, "hello").await.contains("Not understood."));
    assert!(
        reply(PHONE, "ack 7")
            .await
            .contains("no such open incident")
    );
    assert_eq!(status(&world, &incident).await, "triggered");
    assert!(
        reply(PHONE, "4")
            .await
            .contains("Incident 1 (web is down) is acknowledged.")
    );
    assert!(
        reply(PHONE, "ack 1")
            .await
            .contains("Incident 1 is acknowledged.")
    );
    assert_eq!(status(&world, &incident).await, "acknowledged");
    assert!(
        reply(PHONE, "resolve #1")
            .await
            .contains("Incident 1 is resolved.")
    );
    assert_eq!(status(&world, &incident).await, "resolved");
}

/// Ada's reply, with the id that the provider gave it.
async fn replied(world: &World, id: &str, text: &str) -> String {
    let id = format!("SM0123456789abcdef0123456789abc{id}");
    let fields = [("MessageSid", id.as_str()), ("From", PHONE), ("Body", text)];
    let answer = post(world, &format!("{BASE}/twilio/sms"), &fields, TOKEN).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_the_provider_repeats_does_nothing_more_and_is_answered_the_same() {
    let (world, first, _) = reached("sms").await;
    let said = replied(&world, "001", "resolve").await;
    assert!(
        said.contains("Incident 1 (web is down) is resolved."),
        "{said}"
    );
    assert_eq!(status(&world, &first).await, "resolved");
    let second = world.raise("db").await;
    assert_eq!(replied(&world, "001", "resolve").await, said);
    assert_eq!(status(&world, &second).await, "triggered");
    let third = world.raise("dns").await;
    let said = replied(&world, "002", "ack").await;
    assert!(
        said.contains("Incident 3 (dns is down) is acknowledged."),
        "{said}"
    );
    let (again, too) = tokio::join!(replied(&world, "002", "ack"), replied(&world, "002", "ack"));
    assert_eq!([&again, &too], [&said, &said]);
    assert_eq!(status(&world, &third).await, "acknowledged");
    assert_eq!(status(&world, &second).await, "triggered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_repeated_after_a_restart_does_nothing_more() {
    let (before, _, _) = reached("sms").await;
    let said = replied(&before, "001", "resolve").await;
    assert!(
        said.contains("Incident 1 (web is down) is resolved."),
        "{said}"
    );
    let kept = before.doors.once.lock().unwrap().clone();
    let (after, incident, _) = reached("sms").await;
    *after.doors.once.lock().unwrap() = kept;
    assert_eq!(replied(&after, "001", "resolve").await, said);
    assert_eq!(status(&after, &incident).await, "triggered");
    // It ended while it was answering.
    for (_, answer) in after.doors.once.lock().unwrap().values_mut() {
        *answer = None;
    }
    let (again, incident, _) = reached("sms").await;
    *again.doors.once.lock().unwrap() = after.doors.once.lock().unwrap().clone();
    let said = replied(&again, "001", "resolve").await;
    assert!(said.contains("It is not known"), "{said}");
    assert_eq!(status(&again, &incident).await, "triggered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_without_a_number_takes_what_nobody_has_and_resolves_only_what_it_can_mean() {
    let (world, first, _) = reached("sms").await;
    let second = world.raise("db").await;
    let said = replied(&world, "001", "resolve").await;
    assert!(said.contains("which one? Open are 2, 1."), "{said}");
    for incident in [&first, &second] {
        assert_eq!(status(&world, incident).await, "triggered");
    }
    let (web, db) = ("1 (web is down)", "2 (db is down)");
    for (id, name) in [("002", db), ("003", web), ("004", db)] {
        let said = replied(&world, id, "ack").await;
        let expected = format!("Incident {name} is acknowledged.");
        assert!(said.contains(&expected), "{said}");
    }
    for incident in [&first, &second] {
        assert_eq!(status(&world, incident).await, "acknowledged");
    }
    replied(&world, "005", "resolve 2").await;
    let said = replied(&world, "006", "resolve").await;
    assert!(
        said.contains("Incident 1 (web is down) is resolved."),
        "{said}"
    );
    let said = replied(&world, "007", "resolve").await;
    assert!(said.contains("no such open incident"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_without_a_number_leaves_alone_what_no_message_was_sent_about() {
    let (world, _provider) = reachable("sms").await;
    for n in 0..BURST_MAX {
        world.raise(&format!("k{n}")).await;
    }
    let mut event = trigger("later");
    // What is critical is told at once, and alone.
    event["payload"]["severity"] = json!("error");
    event["payload"]["summary"] = json!("x".repeat(1_000));
    let answer = world.enqueue(&event).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let later = (BURST_MAX + 1).to_string();
    for n in (0..BURST_MAX).rev() {
        let said = replied(&world, &format!("{n:03}"), "ack").await;
        let expected = format!("Incident {} (k{n} is down) is acknowledged.", n + 1);
        assert!(said.contains(&expected), "{said}");
        assert_eq!(status(&world, &later).await, "triggered");
    }
    let said = replied(&world, "100", &format!("ack {later}")).await;
    assert!(said.contains("Incident 9 is acknowledged."), "{said}");
    let said = replied(&world, "101", "ack").await;
    assert!(said.contains(&format!("Incident {BURST_MAX} (k")), "{said}");
}

/// Bob alone is paged from now on.
async fn bob_is_paged(world: &World) {
    let (hook, key) = ("http://127.0.0.1:9/hook", Some("a-signing-key-of-the-test"));
    world.reach(world.bob, "webhook", hook, key).await;
    let target = json!({"kind": "user", "id": world.bob.to_string()});
    let levels = json!([{"delay_minutes": 5, "targets": [target]}]);
    let body = json!({"name": "Policy", "repeat": 0, "levels": levels});
    let policies = world.get("/escalation-policies").await.json();
    let policy = policies["items"][0]["id"].as_str().unwrap();
    let path = format!("/escalation-policies/{policy}");
    let set = world.call("PUT", &path, &world.admin, Some(body)).await;
    assert!(set.status.is_success(), "{}", set.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_of_who_was_told_only_before_a_failure_came_back_does_nothing_and_says_so() {
    let (world, incident, _) = reached("sms").await;
    bob_is_paged(&world).await;
    comes_back(&world, &incident).await;
    for (id, text) in [("001", "ack 1"), ("002", "ack"), ("003", "resolve")] {
        let said = replied(&world, id, text).await;
        assert!(said.contains("incident 1 was over and came back"), "{said}");
        assert_eq!(status(&world, &incident).await, "triggered", "{text}");
    }
    let given = json!({"people": [world.ada.to_string()]});
    let path = format!("/incidents/{incident}/reassign");
    assert!(world.post(&path, given).await.status.is_success());
    let said = replied(&world, "004", "ack").await;
    let expected = "Incident 1 (web is down) is acknowledged.";
    assert!(said.contains(expected), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_of_who_is_paged_for_what_came_back_counts_whichever_message_it_follows() {
    for (text, name) in [("ack 1", "1"), ("4", "1 (web is down)")] {
        let (world, incident, _) = reached("sms").await;
        comes_back(&world, &incident).await;
        let said = replied(&world, "001", text).await;
        let expected = format!("Incident {name} is acknowledged.");
        assert!(said.contains(&expected), "{said}");
        assert_eq!(status(&world, &incident).await, "acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_about_what_somebody_else_has_says_who() {
    let (world, incident, _) = reached("sms").await;
    bob_takes(&world, &incident).await;
    let said = replied(&world, "001", "ack 1").await;
    assert!(said.contains("Incident 1: Bob has it already."), "{said}");
}

#[tokio::test]
async fn a_request_is_taken_whether_its_address_was_signed_with_the_port_or_without_it() {
    let provider = Provider::always(Reply::json(200, ""));
    for (public_url, signed, expected) in [
        ("https://a.example:8443", "https://a.example:8443", 200_u16),
        ("https://a.example:8443", "https://a.example", 200),
        ("https://a.example:8443", "https://a.example:443", 401),
        ("https://a.example:8443", "https://b.example:8443", 401),
        ("https://a.example", "https://a.example", 200),
        ("https://a.example", "https://a.example:443", 200),
        ("https://a.example", "http://a.example", 401),
    ] {
        let world = World::with(|settings| settings.public_url = public_url.to_owned());
        set_account(&world, &provider.url()).await;
        let (path, fields) = ("/twilio/sms", [("From", PHONE), ("Body", "ack 1")]);
        let url = format!("{signed}{path}");
        let answer = post_signed(&world, path, &url, &fields, TOKEN).await;
        assert_eq!(answer.status, expected, "{public_url} {signed}");
    }
}

/// What the API shows of the receipt of the first page.
async fn receipt(world: &World) -> Option<String> {
    let id = world.engine.read(|state| {
        let messages = state.messages_of.values().next().unwrap();
        messages[0].to_string()
    });
    let shown = world.get(&format!("/notifications/{id}")).await.json();
    shown["attempts"][0]["receipt"]["state"]
        .as_str()
        .map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_shown_and_a_call_that_failed_is_a_way_that_failed() {
    let (world, _, sent) = reached("voice").await;
    let url = sent.field("StatusCallback").unwrap();
    assert_eq!(receipt(&world).await, None);
    for word in ["initiated", "ringing"] {
        assert_eq!(
            post(&world, &url, &[("CallStatus", word)], TOKEN)
                .await
                .status,
            204
        );
    }
    assert_eq!(receipt(&world).await, None);
    for _ in 0..2 {
        let told = post(&world, &url, &[("CallStatus", "no-answer")], TOKEN).await;
        assert_eq!(told.status, 204, "{}", told.text());
    }
    assert_eq!(receipt(&world).await.as_deref(), Some("failed"));
    let late = post(&world, &url, &[("CallStatus", "completed")], TOKEN).await;
    assert_eq!(late.status, 204);
    assert_eq!(receipt(&world).await.as_deref(), Some("failed"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Reports of a delivered text, in any order and any of them twice.
    #[test]
    fn reports_in_any_order_end_the_same(
        words in Just(vec!["queued", "sent", "delivered", "read", "sent", "delivered", "queued"]).prop_flat_map(|all| {
            Just(all).prop_shuffle()
        })
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (world, _, sent) = tokio::spawn(reached("sms")).await.unwrap();
            let url = sent.field("StatusCallback").unwrap();
            for word in &words {
                let told = post(&world, &url, &[("MessageStatus", word)], TOKEN).await;
                assert_eq!(told.status, 204);
            }
            assert_eq!(receipt(&world).await.as_deref(), Some("read"));
        });
    }
}
