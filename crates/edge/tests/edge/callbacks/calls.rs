//! Calls: what is spoken to who picks up goes along with the call, and a key that is pressed is taken with the provider's signature.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use tocsin_domain::page::{BURST_MAX, TOGETHER_EVERY_MS};

use super::{BASE, PHONE, TOKEN, post, reachable, reached, replied, status};
use crate::answer::{bob_takes, comes_back, wait_for_outcomes};
use crate::buttons::loopback;
use crate::fakes::START;
use crate::providers::{Provider, Request as Sent};
use crate::world::{World, trigger};

/// Characters of the words that go along with a call at most, as Twilio has it.
const TWIML_CHARS_MAX: usize = 4_000;

/// A call at the phone that rings: what is spoken, and where a key that is pressed goes to.
pub(crate) struct Call {
    pub(crate) said: String,
    pub(crate) action: Option<String>,
}

impl Call {
    /// The call that was asked for, at a provider that wants the words or an address to fetch them from, and not both.
    pub(crate) fn made(asked: &Sent) -> Self {
        let (words, address) = (asked.field("Twiml"), asked.field("Url"));
        assert_ne!(words.is_some(), address.is_some(), "one of both");
        // As whoever is behind a VPN, we are not to be reached.
        let words = words.expect("the words go along with the call");
        assert!(words.chars().count() <= TWIML_CHARS_MAX, "{words}");
        Self::played(&words)
    }

    /// What the provider makes of TwiML.
    fn played(twiml: &str) -> Self {
        let said = twiml.split("<Say>").skip(1);
        let said = said.map(|rest| plain(rest.split("</Say>").next().unwrap()));
        let action = twiml.split_once(" action=\"");
        let action = action.map(|(_, rest)| plain(rest.split('"').next().unwrap()));
        Self {
            said: said.collect::<Vec<_>>().join(" "),
            action,
        }
    }

    /// What is spoken once this was pressed, told by the provider with this token.
    pub(crate) async fn press(&self, world: &World, key: &str, token: &str) -> Self {
        let action = self.action.as_deref().expect("keys are listened for");
        let fields = [("CallSid", "CA1"), ("Digits", key)];
        let answer = post(world, action, &fields, token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/xml; charset=utf-8"
        );
        Self::played(&answer.text())
    }
}

/// Text as it stands in XML.
fn plain(text: &str) -> String {
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
    ];
    let mut text = text.to_owned();
    for (written, meant) in marks.into_iter().chain([("&amp;", "&")]) {
        text = text.replace(written, meant);
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_says_what_fails_and_a_key_acknowledges() {
    let (world, incident, sent) = reached("voice").await;
    let call = Call::made(&sent);
    assert!(
        call.said.contains("page 1. web is down, on host."),
        "{}",
        call.said
    );
    let wrong = call.press(&world, "5", TOKEN).await;
    let expected =
        "This key means nothing. This is Tocsin with page 1. web is down, on host. Press 4";
    assert!(wrong.said.starts_with(expected), "{}", wrong.said);
    assert_eq!(wrong.action, call.action);
    assert_eq!(status(&world, &incident).await, "triggered");
    for _ in 0..2 {
        let pressed = wrong.press(&world, "4", TOKEN).await;
        let said = pressed.said;
        assert!(said.contains("Incident 1 is acknowledged."), "{said}");
        assert_eq!(pressed.action, None);
    }
    assert_eq!(status(&world, &incident).await, "acknowledged");
    let over = call.press(&world, "6", TOKEN).await.said;
    assert!(over.contains("Incident 1 is resolved."), "{over}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_without_the_signature_of_the_provider() {
    let (world, incident, sent) = reached("voice").await;
    let url = Call::made(&sent).action.unwrap();
    let forged = post(&world, &url, &[("Digits", "4")], "another token").await;
    assert_eq!(forged.status, 401);
    let unsigned = Request::post(url.strip_prefix(BASE).unwrap())
        .body(Body::from("Digits=4"))
        .unwrap();
    assert_eq!(world.send(unsigned).await.status, 401);
    let other = url.replace("/voice/", "/status/");
    assert_eq!(
        post(&world, &other, &[("CallStatus", "failed")], TOKEN)
            .await
            .status,
        404
    );
    let sms = post(
        &world,
        &format!("{BASE}/twilio/sms"),
        &[("From", PHONE), ("Body", "ack 1")],
        "x",
    )
    .await;
    assert_eq!(sms.status, 401);
    assert_eq!(status(&world, &incident).await, "triggered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_a_call_of_before_a_failure_came_back_does_nothing_and_says_so() {
    let (world, incident, sent) = reached("voice").await;
    let call = Call::made(&sent);
    comes_back(&world, &incident).await;
    for key in ["4", "6"] {
        let said = call.press(&world, key, TOKEN).await.said;
        assert!(said.contains("came back since"), "{said}");
        assert_eq!(status(&world, &incident).await, "triggered", "{key}");
    }
    // Whoever presses another key hears of what came back.
    let anew = call.press(&world, "5", TOKEN).await;
    let said = anew.press(&world, "4", TOKEN).await.said;
    assert!(said.contains("Incident 1 is acknowledged."), "{said}");
}

/// What is said to whoever presses a key that means nothing, and whether keys are offered.
async fn told(world: &World, call: &Call) -> (String, bool) {
    // As when nothing but the key is pressed that ends what is entered.
    let told = call.press(world, "", TOKEN).await;
    (told.said, told.action.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_says_who_has_it_and_that_it_is_over_when_that_is_so() {
    let (world, incident, sent) = reached("voice").await;
    let call = Call::made(&sent);
    bob_takes(&world, &incident).await;
    let about = "This is Tocsin. Incident 1: web is down.";
    let expected = (format!("{about} Bob has it."), false);
    assert_eq!(told(&world, &call).await, expected);
    let path = format!("/incidents/{incident}/resolve");
    let done = world.post(&path, json!({})).await;
    assert!(done.status.is_success(), "{}", done.text());
    let expected = (format!("{about} It is over."), false);
    assert_eq!(told(&world, &call).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_about_what_is_worked_on_says_so_and_a_key_still_takes_it() {
    let (world, incident, sent) = reached("voice").await;
    let call = Call::made(&sent);
    let shown = world.get(&format!("/incidents/{incident}")).await.json();
    let planned = json!({"reason": "disks", "service_ids": [shown["service"]["id"]],
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    let made = world.post("/maintenance-windows", planned).await;
    assert!(made.status.is_success(), "{}", made.text());
    let (said, is_asked) = told(&world, &call).await;
    let expected = "This is Tocsin. Incident 1: web is down. It is quiet for another 60 minutes: maintenance: disks. Press 4";
    assert!(said.starts_with(expected) && is_asked, "{said}");
    call.press(&world, "4", TOKEN).await;
    assert_eq!(status(&world, &incident).await, "acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_about_what_is_healthy_for_a_moment_says_so_and_a_key_still_takes_it() {
    let (world, provider) = reachable("voice").await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    world.apache_is_found();
    world.apache_dies();
    tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    let call = Call::made(&provider.next());
    world.apache_recovers();
    let (said, is_asked) = told(&world, &call).await;
    let expected = "It is healthy at this moment and still open. Press 4";
    assert!(said.contains(expected) && is_asked, "{said}");
    let said = call.press(&world, "4", TOKEN).await.said;
    assert!(said.contains("Incident 1 is acknowledged."), "{said}");
    let (said, is_asked) = told(&world, &call).await;
    assert!(said.ends_with("You have it.") && !is_asked, "{said}");
}

/// The next call that a provider is asked for: it is asked too what became of those before.
fn next_call(provider: &Provider) -> Sent {
    tokio::task::block_in_place(|| {
        loop {
            let sent = provider.next();
            if sent.field("Twiml").is_some() {
                return sent;
            }
        }
    })
}

/// Ada got so many calls that two further incidents, with long titles, were told by one: these, and that call.
async fn two_by_one_call() -> (World, [String; 2], Call) {
    let (world, provider) = reachable("voice").await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    for n in 0..BURST_MAX {
        world.raise(&format!("k{n}")).await;
        let sent = next_call(&provider);
        tokio::task::block_in_place(|| wait_for_outcomes(&world, n + 1));
        let url = sent.field("StatusCallback").unwrap();
        let told = post(&world, &url, &[("CallStatus", "completed")], TOKEN).await;
        assert_eq!(told.status, 204, "{}", told.text());
    }
    let mut told = Vec::new();
    for key in ["first", "second"] {
        let mut event = trigger(key);
        // What is critical is told alone.
        event["payload"]["severity"] = json!("error");
        event["payload"]["summary"] = json!(format!("{key} {}", "x".repeat(1_000)));
        let answer = world.enqueue(&event).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let list = world.get("/incidents?limit=1").await.json();
        told.push(list["items"][0]["id"].as_str().unwrap().to_owned());
    }
    *world.clock.0.lock().unwrap() = START.plus_ms(TOGETHER_EVERY_MS);
    let call = Call::made(&next_call(&provider));
    tokio::task::block_in_place(|| wait_for_outcomes(&world, BURST_MAX + 1));
    delivery.stop();
    (world, told.try_into().unwrap(), call)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_about_several_incidents_takes_all_of_them_and_resolves_none() {
    let (world, told, call) = two_by_one_call().await;
    let expected = "(and 1 more incident), on host. Press 4 to acknowledge all of it.";
    assert!(call.said.contains(expected), "{}", call.said);
    let anew = call.press(&world, "6", TOKEN).await;
    let why = "This call is about several incidents: resolve them one by one in Tocsin. ";
    let about = "This is Tocsin with page 9. first x";
    assert!(
        anew.said.starts_with(&format!("{why}{about}")),
        "{}",
        anew.said
    );
    assert!(anew.said.contains(expected), "{}", anew.said);
    assert_eq!(anew.action, call.action);
    for incident in &told {
        assert_eq!(status(&world, incident).await, "triggered");
    }
    let taken = anew.press(&world, "4", TOKEN).await;
    assert!(taken.said.contains("You have all of it."), "{}", taken.said);
    assert_eq!(taken.action, None);
    for incident in &told {
        assert_eq!(status(&world, incident).await, "acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_without_a_number_counts_for_what_was_told_along() {
    let (world, told, _) = two_by_one_call().await;
    let said = replied(&world, "001", "ack").await;
    let expected = format!(
        "Incident 10 (second {}...) is acknowledged.",
        "x".repeat(93)
    );
    assert!(said.contains(&expected), "{said}");
    assert_eq!(status(&world, &told[1]).await, "acknowledged");
    assert_eq!(status(&world, &told[0]).await, "triggered");
}
