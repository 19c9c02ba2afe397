//! Opsgenie-style requests over the real router.

mod crowded;
mod read_back;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::monitor::Severity;

use crate::mapped::integration;
use crate::world::{Answered, ROUTING_KEY, World};

async fn post(world: &World, path: &str, key: &str, body: &str) -> Answered {
    let request = Request::post(path).header(header::AUTHORIZATION, format!("GenieKey {key}"));
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn put(world: &World, path: &str, key: &str, body: &str) -> Answered {
    let request = Request::put(path).header(header::AUTHORIZATION, format!("GenieKey {key}"));
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn get(world: &World, path: &str, key: &str) -> Answered {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("GenieKey {key}"));
    world.send(request.body(Body::empty()).unwrap()).await
}

/// What is accepted, by the id that it is answered with.
async fn accepted(world: &World, path: &str, key: &str, body: Value) -> String {
    let answer = post(world, path, key, &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()["requestId"].as_str().unwrap().to_owned()
}

/// The id of a request that made an alert.
pub(crate) async fn requested(world: &World, key: &str) -> String {
    accepted(world, "/v2/alerts", key, json!({"message": "Disk full"})).await
}

/// What became of a request.
async fn became(world: &World, key: &str, request: &str) -> Value {
    let answer = get(world, &format!("/v2/alerts/requests/{request}"), key).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json();
    assert!(told["took"].is_number() && told["requestId"].is_string());
    told["data"].clone()
}

async fn status_of_first(world: &World) -> Value {
    world.get("/incidents?limit=1").await.json()["items"][0]["status"].clone()
}

#[tokio::test]
async fn an_alert_is_made_acknowledged_and_closed_by_its_alias() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = r#"{"message": "Disk full", "alias": "db/1", "priority": "P1", "tags": ["a"]}"#;
    let answer = post(&world, "/v2/alerts", key, body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(answer.json()["result"], "Request will be processed");
    assert_eq!(answer.json()["requestId"].as_str().unwrap().len(), 36);
    assert!(answer.json()["took"].is_number());
    assert_eq!(status_of_first(&world).await, "triggered");
    let step = "/opsgenie/v2/alerts/db%2F1/acknowledge?identifierType=alias";
    let answer = post(&world, step, key, "").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(status_of_first(&world).await, "acknowledged");
    let step = "/v2/alerts/db%2F1/close?identifierType=alias";
    let answer = post(&world, step, key, r#"{"user": "me", "note": "done"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(status_of_first(&world).await, "resolved");
}

/// What Alertmanager sends with `update_alerts`: each time all of it, and at last the end.
#[tokio::test]
async fn an_alert_is_said_otherwise_and_ends_all_the_same() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let by_alias = |field: &str| format!("/v2/alerts/db1/{field}?identifierType=alias");
    let updates = [
        ("message", json!({"message": "Disk nearly full"})),
        ("description", json!({"description": "of db1"})),
        ("priority", json!({"priority": "P1"})),
    ];
    for _ in 0..2 {
        let body = json!({"message": "Disk full", "alias": "db1", "priority": "P4"});
        let answer = post(&world, "/v2/alerts", key, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        for (field, body) in &updates {
            let answer = put(&world, &by_alias(field), key, &body.to_string()).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
            assert_eq!(answer.json()["result"], "Request will be processed");
        }
    }
    let items = world.get("/incidents").await.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1, "{items}");
    let severity = world.engine.read(|state| {
        let mut alerts = state.alerts.values();
        alerts.next().map(|alert| alert.severity)
    });
    assert_eq!(severity, Some(Severity::Critical));
    let timeline = world.get("/incidents/1/timeline").await.text();
    for said in ["Disk nearly full", "of db1"] {
        assert!(timeline.contains(said), "{timeline}");
    }
    let path = "/v2/alerts/db1?identifierType=alias";
    let data = get(&world, path, key).await.json()["data"].clone();
    let said = ["message", "description", "priority", "count"].map(|name| data[name].clone());
    let expected = [
        json!("Disk nearly full"),
        json!("of db1"),
        json!("P1"),
        json!(2),
    ];
    assert_eq!(said, expected, "no update counts as said again");
    assert_eq!(items[0]["title"], "Disk nearly full");
    let lower = json!({"priority": "P5"}).to_string();
    let answer = put(&world, &by_alias("priority"), key, &lower).await;
    let request = answer.json()["requestId"].as_str().unwrap().to_owned();
    assert_eq!(became(&world, key, &request).await["success"], false);
    let answer = post(&world, &by_alias("close"), key, "").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    for (field, body) in &updates {
        let answer = put(&world, &by_alias(field), key, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    }
    assert_eq!(status_of_first(&world).await, "resolved");
    for (path, body, status) in [
        (by_alias("message"), "{}", 422),
        // Alertmanager leaves an empty one away.
        (by_alias("description"), "{}", 202),
        (by_alias("priority"), r#"{"priority": "P9"}"#, 422),
        (by_alias("message"), "{", 400),
        (by_alias("tags"), "{}", 405),
    ] {
        let answer = put(&world, &path, key, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {}", answer.text());
        assert!(answer.json()["requestId"].is_string());
    }
}

/// Zabbix asks after each request, and takes no answer for a failure.
#[tokio::test]
async fn what_became_of_a_request_is_told_to_whoever_sent_it() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = || json!({"message": "Disk full", "alias": "db1"});
    let first = accepted(&world, "/v2/alerts", key, body()).await;
    let told = became(&world, key, &first).await;
    assert_eq!(told["isSuccess"], true);
    assert_eq!(
        (&told["action"], &told["status"], &told["alias"]),
        (&json!("Create"), &json!("Created alert"), &json!("db1"))
    );
    let alert = told["alertId"].as_str().unwrap().to_owned();
    let again = accepted(&world, "/v2/alerts", key, body()).await;
    let told = became(&world, key, &again).await;
    assert_eq!(
        (&told["alertId"], &told["success"]),
        (&json!(alert), &json!(true))
    );
    assert_ne!(told["status"], "Created alert");
    let by_alias = |step: &str| format!("/v2/alerts/db1/{step}?identifierType=alias");
    for (step, body, status) in [
        ("acknowledge", json!({}), "Acknowledged alert"),
        ("acknowledge", json!({}), "Acknowledged alert"),
        ("notes", json!({"note": "on it"}), "Added note"),
        ("close", json!({}), "Closed alert"),
    ] {
        let request = accepted(&world, &by_alias(step), key, body).await;
        let told = became(&world, key, &request).await;
        assert_eq!(told["status"], status);
        assert_eq!(told["alertId"], alert, "{step}");
    }
    let late = accepted(&world, &by_alias("close"), key, json!({})).await;
    assert_eq!(became(&world, key, &late).await["success"], false);
    let other = integration(&world, "opsgenie", None).await;
    let others = other["routing_key"].as_str().unwrap();
    let path = format!("/opsgenie/v2/alerts/requests/{first}");
    for (key, status) in [(key, 200), (others, 404), ("nonsense", 401)] {
        assert_eq!(get(&world, &path, key).await.status.as_u16(), status);
    }
}

/// apprise keeps the id of the request by which it made an alert, and closes that.
#[tokio::test]
async fn an_alert_is_named_by_its_id_or_by_that_of_its_request_and_no_later_one_is_meant() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = || json!({"message": "Disk full", "alias": "db1"});
    let first = accepted(&world, "/v2/alerts", key, body()).await;
    let close = format!("/v2/alerts/{first}/close?identifierType=id");
    accepted(&world, &close, key, json!({})).await;
    assert_eq!(status_of_first(&world).await, "resolved");
    let second = accepted(&world, "/v2/alerts", key, body()).await;
    let late = accepted(&world, &close, key, json!({})).await;
    assert_eq!(became(&world, key, &late).await["success"], false);
    assert_eq!(status_of_first(&world).await, "triggered", "it is another");
    let alert = became(&world, key, &second).await["alertId"].clone();
    let close = format!("/v2/alerts/{}/close", alert.as_str().unwrap());
    let other = integration(&world, "opsgenie", None).await;
    let others = other["routing_key"].as_str().unwrap();
    let refused = post(&world, &close, others, "{}").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());
    accepted(&world, &close, key, json!({})).await;
    assert_eq!(status_of_first(&world).await, "resolved");
}

#[tokio::test]
async fn what_is_noted_about_an_alert_stands_in_its_incident() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = json!({"message": "Disk full", "alias": "db1"});
    let request = accepted(&world, "/v2/alerts", key, body).await;
    let note = json!({"note": "disks are ordered", "user": "Zabbix"});
    let by_alias = |step: &str| format!("/v2/alerts/db1/{step}?identifierType=alias");
    accepted(&world, &by_alias("notes"), key, note).await;
    accepted(&world, &by_alias("close"), key, json!({})).await;
    let by_id = format!("/v2/alerts/{request}/notes");
    accepted(&world, &by_id, key, json!({"note": "disks came"})).await;
    let expected = ["Zabbix: disks are ordered", "disks came"];
    assert_eq!(noted(&world).await, expected);
    let empty = post(&world, &by_alias("notes"), key, "{}").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// What is noted in the first incident, in the order of the letters.
async fn noted(world: &World) -> Vec<String> {
    let notes = crate::pagerduty::read(world, "/incidents/1/notes").await["notes"].clone();
    let notes = notes.as_array().unwrap().iter();
    let mut notes: Vec<String> = notes
        .map(|note| note["content"].as_str().unwrap().to_owned())
        .collect();
    notes.sort_unstable();
    notes
}

#[tokio::test]
async fn what_is_said_by_whoever_acknowledges_or_closes_stands_in_the_incident() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = json!({"message": "Disk full", "alias": "db1"});
    let request = accepted(&world, "/v2/alerts", key, body).await;
    let by_alias = |step: &str| format!("/v2/alerts/db1/{step}?identifierType=alias");
    let wrong = post(&world, &by_alias("close"), key, r#"{"note": 5}"#).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(status_of_first(&world).await, "triggered");
    let anna = json!({"user": "Anna"});
    accepted(&world, &by_alias("acknowledge"), key, anna).await;
    assert_eq!(status_of_first(&world).await, "acknowledged");
    let came = json!({"user": "Anna", "note": "disks came"});
    let closed = accepted(&world, &by_alias("close"), key, came).await;
    assert_eq!(status_of_first(&world).await, "resolved");
    assert_eq!(became(&world, key, &closed).await["success"], true);
    // What is over is closed no more, and what is said of it is kept.
    let late = json!({"note": "one was broken"});
    let by_id = format!("/v2/alerts/{request}/close");
    let late = accepted(&world, &by_id, key, late).await;
    assert_eq!(became(&world, key, &late).await["success"], false);
    let expected = ["Acknowledged by Anna", "Anna: disks came", "one was broken"];
    assert_eq!(noted(&world).await, expected);
}

#[tokio::test]
async fn an_id_that_64_bits_do_not_hold_is_shown_as_it_was_sent() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = r#"{"message": "Disk full", "details": {"id": 12345678901234567890123}}"#;
    let answer = post(&world, "/v2/alerts", key, body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let shown = world.get("/incidents/1").await.json();
    let details = json!([{"name": "id", "value": "12345678901234567890123"}]);
    assert_eq!(shown["alerts"][0]["details"], details);
}

#[tokio::test]
async fn a_rule_sends_an_alert_to_the_service_of_its_responders_whom_people_see() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let databases = json!({"name": "Databases", "escalation_policy_id": null});
    let databases = world.post("/services", databases).await.json();
    let rules = json!({"rules": [{"name": "databases", "when": {"field": "details.Responders", "op": "contains", "text": "team DBA"},
        "then": [{"do": "route", "service_id": databases["id"]}]}]});
    let path = "/alert-rules";
    let set = world.call("PUT", path, &world.admin, Some(rules)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let key = made["routing_key"].as_str().unwrap();
    let dba =
        json!([{"type": "team", "name": "DBA"}, {"type": "user", "username": "ann@example.org"}]);
    let noc = json!([{"type": "team", "name": "NOC"}]);
    let own = json!({"Responders": "team DBA"});
    for (number, body, name, told) in [
        (
            1,
            json!({"message": "Disk full", "responders": dba}),
            "Databases",
            json!([{"name": "Responders", "value": "team DBA, user ann@example.org"}]),
        ),
        (
            2,
            json!({"message": "Link down", "responders": noc}),
            "First service",
            json!([{"name": "Responders", "value": "team NOC"}]),
        ),
        (
            3,
            json!({"message": "A property", "details": own}),
            "Databases",
            json!([{"name": "details.Responders", "value": "team DBA"}]),
        ),
    ] {
        accepted(&world, "/v2/alerts", key, body).await;
        let path = format!("/incidents/{number}");
        let incident = crate::pagerduty::read(&world, &path).await["incident"].clone();
        assert_eq!(incident["service"]["summary"], name);
        let shown = world.get(&path).await.json();
        assert_eq!(shown["alerts"][0]["details"], told);
    }
}

#[tokio::test]
async fn refusals_are_in_opsgenies_form_and_nothing_is_made_up() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let check = async |path: &str, key: &str, body: &str, status: u16, part: &str| {
        let answer = post(&world, path, key, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {}", answer.text());
        assert!(answer.json()["message"].is_string() && answer.json()["requestId"].is_string());
        assert!(answer.text().contains(part), "{}", answer.text());
    };
    let good = r#"{"message": "m"}"#;
    check(
        "/v2/alerts",
        "nonsense",
        good,
        401,
        "Could not authenticate",
    )
    .await;
    check(
        "/v2/alerts",
        ROUTING_KEY,
        good,
        401,
        "Could not authenticate",
    )
    .await;
    check("/v2/alerts", key, "{", 400, "not valid JSON").await;
    check("/v2/alerts", key, "{}", 422, "Message can not be empty.").await;
    check("/v2/alerts/a/close", key, "{}", 404, "No alert").await;
    check(
        "/v2/alerts/a/close?identifierType=tiny",
        key,
        "{}",
        422,
        "identifierType",
    )
    .await;
    check(
        "/v2/alerts/a/snooze?identifierType=alias",
        key,
        "{}",
        405,
        "close, acknowledge and notes",
    )
    .await;
    for path in ["/v2/heartbeats", "/v2/schedules/x/on-calls", "/v1/services"] {
        check(path, key, "{}", 404, "").await;
    }
    let items = world.get("/incidents").await.json()["items"].clone();
    assert_eq!(items, json!([]));
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_opsgenies_form() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    for (method, path) in [
        ("GET", "/v2/alerts/%ff?identifierType=alias"),
        ("GET", "/v2/alerts/requests/%ff"),
        ("POST", "/v2/alerts/%ff/close?identifierType=alias"),
        ("PUT", "/opsgenie/v2/alerts/db1%fe/message"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("GenieKey {key}"));
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
        let told = answer.json();
        let why = told["message"].as_str().unwrap();
        assert!(why.starts_with("the path cannot be read: "), "{why}");
        assert!(told["took"].is_number(), "{told}");
        let id = told["requestId"].as_str().unwrap();
        assert_eq!(answer.headers["x-request-id"], id, "{path}");
    }
}

#[tokio::test]
async fn alerts_without_an_alias_are_each_their_own() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    for _ in 0..2 {
        let answer = post(&world, "/v2/alerts", key, r#"{"message": "same"}"#).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    }
    let items = world.get("/incidents").await.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_costs_no_alert() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = r#"{"message": "Disk full", "alias": "db/1"}"#;
    for (path, body, status) in [
        ("/v2/alerts/", body, "triggered"),
        (
            "/v2/alerts/db%2F1/close/?identifierType=alias",
            "",
            "resolved",
        ),
        ("/opsgenie/v2/alerts/", body, "triggered"),
    ] {
        let answer = post(&world, path, key, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        assert_eq!(status_of_first(&world).await, status, "{path}");
    }
    let answer = post(&world, "/v2/alerts/", "nonsense", body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn questions_are_refused_in_opsgenies_form_and_no_alert_is_said_to_be_missing() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let not_allowed = StatusCode::METHOD_NOT_ALLOWED;
    for (path, status, allowed) in [
        ("/v2/alerts", not_allowed, Some("POST")),
        ("/v2/alerts?query=status%3Aopen", not_allowed, Some("POST")),
        ("/v2/alerts/saved-searches", not_allowed, Some("")),
        ("/v2/alerts/requests/a", StatusCode::NOT_FOUND, None),
        ("/v2/alerts/a/notes", not_allowed, Some("POST,PUT")),
        ("/opsgenie/v2/alerts", not_allowed, Some("POST")),
        ("/opsgenie/v2/alerts/count", not_allowed, Some("")),
        ("/opsgenie/v2/users", StatusCode::NOT_FOUND, None),
        ("/v2/users", StatusCode::NOT_FOUND, None),
        ("/v2/teams/a/members", StatusCode::NOT_FOUND, None),
    ] {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("GenieKey {key}"));
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{path} {}", answer.text());
        let told = answer.headers.get(header::ALLOW);
        let told = told.map(|methods| methods.to_str().unwrap());
        assert_eq!(told, allowed, "{path}");
        let told = answer.json();
        assert!(told["message"].is_string() && told["took"].is_number());
        assert_eq!(told["requestId"].as_str().unwrap().len(), 36, "{told}");
    }
}
