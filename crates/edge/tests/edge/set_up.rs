//! What is not set up reaches nobody: that is said wherever it is told who can be reached, test pages say so at once, and pages
//! go on by what is.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::page::Outcome;

use crate::buttons::{loopback, set_account};
use crate::pace::HandPace;
use crate::providers::{NTFY_OK, Provider, Reply};
use crate::world::World;

const PHONE: &str = "+33123456789";
const MEMBER: &str = "U024BE7LH";
const HOOK: &str = "https://hooks.slack.example/services/x";
/// What is wrong with Ada, whose only way is her mail address.
const BY_MAIL: &str = "can be reached by mail only, and no mail server is set up";

fn twilio() -> Value {
    json!({
        "account_id": "AC0123456789abcdef0123456789abcdef",
        "from": "+15005550006",
        "token": "twilio-auth-token-of-the-test",
    })
}

async fn person(world: &World, name: &str) -> Value {
    let users = world.get("/users").await.json();
    let mut users = users["items"].as_array().unwrap().iter();
    users.find(|user| user["name"] == name).unwrap().clone()
}

/// A check of the doctor.
async fn check(world: &World, name: &str) -> Value {
    let diagnosis = world.get("/doctor").await.json();
    let mut checks = diagnosis["checks"].as_array().unwrap().iter();
    checks.find(|check| check["name"] == name).unwrap().clone()
}

/// What will be wrong, in words.
async fn findings(world: &World) -> Vec<String> {
    let found = world.get("/oncall/findings").await.json();
    let items = found["items"].as_array().unwrap().iter();
    let texts = items.map(|one| one["text"].as_str().unwrap().to_owned());
    texts.collect()
}

#[tokio::test]
async fn whoever_is_reached_by_mail_alone_is_reached_once_a_mail_server_is_set_up() {
    let world = World::new();
    let ada = person(&world, "Ada").await;
    assert_eq!(
        (&ada["reachable"], &ada["reach_problem"]),
        (&json!(false), &json!(BY_MAIL))
    );
    let mail = &ada["contact_methods"][0];
    assert_eq!(
        (&mail["verified"], &mail["set_up"]),
        (&json!(true), &json!(false))
    );
    let on_call = world.get("/oncall").await.json();
    assert_eq!(on_call["items"][0]["problem"], BY_MAIL);
    let told = format!("Ada {BY_MAIL}");
    let found = findings(&world).await;
    assert_eq!(
        found.iter().filter(|text| text.ends_with(BY_MAIL)).count(),
        2,
        "her turn, and the list of last resort: {found:?}"
    );
    for name in ["on call", "last resort"] {
        let check = check(&world, name).await;
        assert_eq!(check["state"], "warn", "{check}");
        assert!(
            check["detail"].as_str().unwrap().ends_with(&told),
            "{check}"
        );
    }
    world.set_up_mail().await;
    let ada = person(&world, "Ada").await;
    assert_eq!(
        (&ada["reachable"], &ada["reach_problem"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(ada["contact_methods"][0]["set_up"], true);
    let on_call = world.get("/oncall").await.json();
    assert_eq!(on_call["items"][0]["problem"], Value::Null);
    assert_eq!(findings(&world).await, [""; 0]);
    for name in ["on call", "last resort"] {
        assert_eq!(check(&world, name).await["state"], "ok", "{name}");
    }
}

#[tokio::test]
async fn whoever_is_reached_by_texts_alone_is_reached_while_there_is_an_account() {
    let world = World::new();
    world.reach(world.bob, "sms", PHONE, None).await;
    let problem = "can be reached by text message only, and no Twilio account is set up";
    assert_eq!(person(&world, "Bob").await["reach_problem"], problem);
    set_account(&world, "twilio", twilio()).await;
    assert_eq!(person(&world, "Bob").await["reachable"], true);
    let path = "/channels/accounts/twilio";
    let gone = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(person(&world, "Bob").await["reachable"], false);
}

#[tokio::test]
async fn a_member_of_slack_is_reached_while_there_is_an_app() {
    let world = World::new();
    world.reach(world.ada, "slack", MEMBER, None).await;
    let problem = "can be reached by mail and Slack only, and none of these is set up: mail server, Slack app";
    let path = "/channels/accounts/slack";
    let is_deaf = async |why: &str| {
        let ada = person(&world, "Ada").await;
        assert_eq!(ada["reach_problem"], problem, "{why}");
        assert_eq!(ada["contact_methods"][1]["set_up"], false, "{why}");
        let on_call = world.get("/oncall").await.json();
        assert_eq!(on_call["items"][0]["problem"], problem, "{why}");
        let found = findings(&world).await;
        assert!(found.iter().any(|text| text.ends_with(problem)), "{why}");
        let channels = world.get("/channels").await.json();
        let mut accounts = channels["accounts"].as_array().unwrap().iter();
        let slack = accounts.find(|one| one["provider"] == "slack").unwrap();
        assert_eq!(slack["configured"], false, "{why}");
        assert_eq!(check(&world, "last resort").await["state"], "warn", "{why}");
    };
    is_deaf("before there is an app").await;
    set_account(&world, "slack", json!({"token": "xoxb-of-the-test"})).await;
    let ada = person(&world, "Ada").await;
    assert_eq!(ada["reachable"], true);
    assert_eq!(ada["contact_methods"][1]["set_up"], true);
    assert_eq!(findings(&world).await, [""; 0]);
    let gone = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    is_deaf("after it was removed").await;
    // An incoming webhook of Slack needs none.
    world.reach(world.ada, "slack", HOOK, None).await;
    let ada = person(&world, "Ada").await;
    assert_eq!(ada["reachable"], true);
    let methods = &ada["contact_methods"];
    assert_eq!(
        (&methods[1]["set_up"], &methods[2]["set_up"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(findings(&world).await, [""; 0]);
}

#[tokio::test]
async fn whoever_is_called_is_reached_by_an_account_that_has_a_number() {
    let world = World::new();
    world.reach(world.bob, "voice", PHONE, None).await;
    let mut by_name = twilio();
    by_name["from"] = json!("Tocsin");
    set_account(&world, "twilio", by_name).await;
    let problem = "can be reached by call only, and no Twilio account with a number is set up";
    assert_eq!(person(&world, "Bob").await["reach_problem"], problem);
    set_account(&world, "twilio", twilio()).await;
    assert_eq!(person(&world, "Bob").await["reachable"], true);
}

/// Has a test page sent to a further way of Bob.
async fn try_way(world: &World, kind: &str, address: &str) -> (StatusCode, String) {
    let path = format!("/users/{}/contact-methods", world.bob);
    let body = json!({"kind": kind, "label": "New", "address": address});
    let added = world.post(&path, body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    let id = added.json()["id"].as_str().unwrap().to_owned();
    let tried = world.post(&format!("{path}/{id}/test"), json!({})).await;
    (tried.status, tried.text())
}

#[tokio::test]
async fn a_test_page_by_what_is_not_set_up_says_at_once_what_is_missing_and_who_sets_it_up() {
    let world = World::new();
    let user = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
    for (kind, address, missing) in [
        ("email", "bob@example.org", "no mail server is set up"),
        ("sms", PHONE, "no Twilio account is set up"),
        ("voice", PHONE, "no Twilio account with a number is set up"),
        ("telegram", "4217711742", "no Telegram bot is set up"),
        ("pushover", user, "no Pushover application is set up"),
        ("slack", MEMBER, "no Slack app is set up"),
    ] {
        let (status, text) = try_way(&world, kind, address).await;
        assert_eq!(status, StatusCode::CONFLICT, "{kind}: {text}");
        assert!(text.contains(missing), "{kind}: {text}");
        assert!(text.contains("an administrator sets one up"), "{text}");
    }
    let own = world.post("/channels/email/test", json!({})).await;
    assert_eq!(own.status, StatusCode::CONFLICT, "{}", own.text());
    let planned = |world: &World| world.engine.read(|state| state.notifications.len());
    assert_eq!(planned(&world), 0);
    // A webhook of Slack needs no app.
    let topic = "https://ntfy.example.org/topic";
    for (kind, address) in [("slack", HOOK), ("ntfy", topic)] {
        let (status, text) = try_way(&world, kind, address).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{kind}: {text}");
    }
    world.set_up_mail().await;
    let own = world.post("/channels/email/test", json!({})).await;
    assert_eq!(own.status, StatusCode::ACCEPTED, "{}", own.text());
    assert_eq!(planned(&world), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_a_channel_that_is_not_set_up_goes_on_by_the_next_way_at_once() {
    let provider = Provider::always(Reply::json(200, NTFY_OK));
    let world = World::new();
    let text = world.reach(world.ada, "sms", PHONE, None).await;
    let topic = format!("{}/topic", provider.url());
    let push = world.reach(world.ada, "ntfy", &topic, None).await;
    let step = |minutes: u64, method: &str| json!({"urgency": "high", "delay_minutes": minutes, "contact_method_id": method});
    let path = format!("/users/{}/notification-rules", world.ada);
    let rules = json!([step(0, &text), step(60, &push)]);
    let set = world.call("PUT", &path, &world.admin, Some(rules)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    // No clock goes on: whatever waits for its time, waits.
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    world.raise("web").await;
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    assert_eq!(outcome, Outcome::Refused);
    assert!(detail.contains("no Twilio account is set up"), "{detail}");
    tokio::task::block_in_place(|| provider.next());
    delivery.stop();
}
