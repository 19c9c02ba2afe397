//! Webhook subscriptions by the native API: their secrets, and what they may say.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::id::WebhookId;
use tocsin_edge::ports::Vault;

use super::{NOTHING, asked, id_of, read, refused, status};
use crate::world::{Answered, BASE, World};

const PATH: &str = "/webhook-subscriptions";

fn to(url: &str) -> Value {
    json!({"description": "to the chat", "url": url, "events": ["incident.triggered"],
        "headers": [{"name": "X-Room", "value": "ops"}]})
}

#[tokio::test]
async fn a_secret_is_shown_to_whoever_has_it_made_and_a_row_goes_with_its_subscription() {
    let world = World::new();
    let rows = world.vault.count();
    let made = world.post(PATH, to("https://example.org/hook")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let mut made = made.json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 64);
    let redacted = json!([{"name": "X-Room", "value": "-- redacted --"}]);
    assert_eq!(made["headers"], redacted);
    assert_eq!(
        (&made["scope"], &made["active"]),
        (&json!("account"), &json!(true))
    );
    let path = format!("{PATH}/{}", id_of(&made));
    made.as_object_mut().unwrap().remove("secret");
    assert_eq!(read(&world, &path).await, made);
    assert_eq!(read(&world, PATH).await["items"], json!([made]));
    // What was shown is sent back with another address: value and secret stay.
    let mut other = to("https://example.org/other");
    other["headers"] = redacted;
    let other = asked(&world, ("PUT", &path), other).await;
    assert_eq!(other.get("secret"), None);
    let kept = |headers: &str| {
        format!(r#"{{"url":"https://example.org/other","headers":{headers},"secret":"{secret}"}}"#)
    };
    assert!(world.vault.knows(&kept(r#"[["X-Room","ops"]]"#)));
    let mut silent = to("https://example.org/other");
    silent["headers"] = Value::Null;
    asked(&world, ("PUT", &path), silent).await;
    assert!(world.vault.knows(&kept(r#"[["X-Room","ops"]]"#)));
    // To nobody else: whoever changes the address could read what is shown to nobody.
    for host in [
        "https://elsewhere.example.org/other",
        "https://example.org:8443/other",
    ] {
        for headers in [
            Value::Null,
            json!([{"name": "X-Room", "value": "-- redacted --"}]),
        ] {
            let mut elsewhere = to(host);
            elsewhere["headers"] = headers;
            let why = (StatusCode::BAD_REQUEST, "headers: say their values again");
            refused(&world, ("PUT", &path), Some(elsewhere), why).await;
        }
    }
    assert!(world.vault.knows(&kept(r#"[["X-Room","ops"]]"#)));
    let mut bare = to("https://example.org/other");
    bare["headers"] = json!([]);
    asked(&world, ("PUT", &path), bare).await;
    assert!(world.vault.knows(&kept("[]")));
    assert_eq!(world.vault.count(), rows + 1, "rows before are gone");
    assert_eq!(
        status(&world, ("DELETE", &path)).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.vault.count(), rows);
    let gone = (StatusCode::NOT_FOUND, "there is no webhook subscription");
    refused(&world, ("GET", &path), None, gone).await;
    refused(&world, ("DELETE", &path), None, gone).await;
    let body = Some(to("https://example.org/hook"));
    refused(&world, ("PUT", &path), body, gone).await;
    for step in ["enable", "test"] {
        let path = format!("{path}/{step}");
        refused(&world, ("POST", &path), None, gone).await;
    }
}

/// Subscribes with a key for repetitions.
async fn with_key(world: &World, token: &str, key: &str) -> Answered {
    let request = Request::post(format!("{BASE}{PATH}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header("idempotency-key", key);
    let body = Body::from(to("https://example.org/hook").to_string());
    world.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn whoever_repeats_a_subscription_gets_the_same_one_with_its_secret() {
    let world = World::new();
    let first = with_key(&world, &world.admin, "one").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let again = with_key(&world, &world.admin, "one").await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.json(), first.json());
    let other = with_key(&world, &world.bobs, "one").await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    let listed = read(&world, PATH).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_subscription_without_its_row_is_given_another_secret_which_is_shown() {
    let world = World::new();
    let made = asked(&world, ("POST", PATH), to("https://example.org/hook")).await;
    let id: WebhookId = id_of(&made).parse().unwrap();
    let row = world
        .engine
        .read(|state| state.webhooks[&id].webhook.delivery);
    world.vault.remove(&[row]).unwrap();
    let path = format!("{PATH}/{id}");
    let shown = read(&world, &path).await;
    assert_eq!(
        (&shown["url"], &shown["headers"]),
        (&Value::Null, &json!([]))
    );
    let set = asked(&world, ("PUT", &path), to("https://example.org/hook")).await;
    assert_eq!(set["secret"].as_str().unwrap().len(), 64);
    assert_ne!(set["secret"], made["secret"]);
}

#[tokio::test]
async fn a_subscription_is_told_of_a_service_or_a_team_and_switched_off_and_tried() {
    let world = World::new();
    let service = read(&world, "/services").await["items"][0].clone();
    let team = read(&world, "/teams").await["items"][0].clone();
    for (scope, id) in [("service", &service["id"]), ("team", &team["id"])] {
        let mut body = to("https://example.org/hook");
        body["scope"] = json!(scope);
        body["scope_id"] = id.clone();
        body["active"] = json!(false);
        let made = asked(&world, ("POST", PATH), body.clone()).await;
        assert_eq!((&made["scope"], &made["scope_id"]), (&json!(scope), id));
        let path = format!("{PATH}/{}", id_of(&made));
        let test = format!("{path}/test");
        let off = (StatusCode::CONFLICT, "not served at present");
        refused(&world, ("POST", &test), None, off).await;
        body["active"] = json!(true);
        asked(&world, ("PUT", &path), body).await;
        assert_eq!(status(&world, ("POST", &test)).await, StatusCode::ACCEPTED);
        let enable = format!("{path}/enable");
        let enabled = world.call("POST", &enable, &world.admin, None).await;
        assert_eq!(enabled.status, StatusCode::OK, "{}", enabled.text());
        assert_eq!(enabled.json()["active"], true);
    }
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_with_every_reason_and_leaves_no_row() {
    let world = World::new();
    let rows = world.vault.count();
    let with = |name: &str, value: Value| {
        let mut body = to("https://example.org/hook");
        body[name] = value;
        body
    };
    let header = |name: &str, value: &str| with("headers", json!([{"name": name, "value": value}]));
    let scoped = |scope: &str, id: Value| {
        let mut body = with("scope", json!(scope));
        body["scope_id"] = id;
        body
    };
    for (body, reason) in [
        (with("url", json!("http://10.0.0.1/hook")), "url"),
        (with("url", json!("ftp://example.org")), "url"),
        (with("url", Value::Null), "text"),
        (with("events", json!([])), "events: 1 to"),
        (with("events", json!(["service.created"])), "events[0]"),
        (with("events", json!(vec!["x"; 101])), "events: 1 to"),
        (header("Host", "x"), "headers[0].name"),
        (header("", "x"), "headers[0].name"),
        (header("X-Webhook-Id", "x"), "headers[0].name"),
        (header("X-A", "a\r\nb: c"), "headers[0].value"),
        (header("X-A", &"x".repeat(1_025)), "headers[0].value"),
        (
            with(
                "headers",
                json!(vec![json!({"name": "X-A", "value": "x"}); 21]),
            ),
            "headers: at most 20",
        ),
        (scoped("service", Value::Null), "scope_id"),
        (scoped("service", json!(NOTHING)), "scope_id"),
        (scoped("team", json!("x")), "scope_id"),
        (scoped("account", json!(NOTHING)), "scope_id"),
        (with("description", json!("x".repeat(1_025))), "description"),
    ] {
        let wrong = (StatusCode::BAD_REQUEST, reason);
        refused(&world, ("POST", PATH), Some(body), wrong).await;
    }
    let mut body = with("url", json!("ftp://example.org"));
    body["events"] = json!(["service.created"]);
    let refused = world.post(PATH, body).await.json();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2);
    assert_eq!(world.vault.count(), rows);
    for _ in 0..20 {
        asked(&world, ("POST", PATH), to("https://example.org/hook")).await;
    }
    let full = world.post(PATH, to("https://example.org/hook")).await;
    assert_eq!(full.status, StatusCode::CONFLICT, "{}", full.text());
    assert_eq!(world.vault.count(), rows + 20);
}
