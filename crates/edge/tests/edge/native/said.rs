//! What is said of an incident by the native API: another title, how it stands, that one of its alerts is over, to whom one that is
//! declared goes.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_edge::webhooks::{Patience, Webhooks};

use super::{NOTHING, asked, id_of, read, refused};
use crate::providers::{Provider, Reply};
use crate::world::World;

#[tokio::test]
async fn an_incident_is_called_something_else_also_when_it_is_over() {
    let world = World::new();
    world.raise("web").await;
    let title = |title: &str| json!({ "title": title });
    let path = "/incidents/1/title";
    let set = asked(&world, ("PUT", path), title("The shop is closed")).await;
    assert_eq!(set["title"], "The shop is closed");
    asked(&world, ("POST", "/incidents/1/resolve"), json!({})).await;
    let set = asked(&world, ("PUT", path), title("The shop was closed")).await;
    assert_eq!(set["title"], "The shop was closed");
    for wrong in [title(" "), title(&"x".repeat(1_025)), json!({})] {
        let told = (StatusCode::BAD_REQUEST, "title");
        refused(&world, ("PUT", path), Some(wrong), told).await;
    }
    let missing = (StatusCode::NOT_FOUND, "there is no incident");
    let body = Some(title("x"));
    refused(&world, ("PUT", "/incidents/2/title"), body, missing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_an_incident_stands_is_noted_and_told_to_who_subscribed_to_it() {
    let world = World::new();
    let receiver = Provider::always(Reply::json(200, "{}"));
    let body = json!({"url": receiver.url(), "events": ["incident.status_update_published"]});
    asked(&world, ("POST", "/webhook-subscriptions"), body).await;
    let patience = Patience {
        look: Duration::from_millis(5),
        attempt: Duration::from_secs(30),
        retry_first: Duration::from_millis(5),
        retry_max: Duration::from_millis(20),
    };
    let webhooks = Webhooks::start(world.app.clone(), patience).unwrap();
    world.raise("web").await;
    // Whoever writes so in a note tells it to nobody else.
    let note = json!({"text": "Status update: A fix is not in sight"});
    let noted = world.call("POST", "/incidents/1/notes", &world.bobs, Some(note));
    let noted = noted.await;
    assert_eq!(noted.status, StatusCode::CREATED, "{}", noted.text());
    let path = "/incidents/1/status-updates";
    let update = json!({"message": " A fix is under way "});
    let noted = world.call("POST", path, &world.bobs, Some(update)).await;
    assert_eq!(noted.status, StatusCode::CREATED, "{}", noted.text());
    assert_eq!(noted.json()["actor"]["name"], "Bob");
    let told = noted.text();
    assert!(told.contains("Status update: A fix is under way"), "{told}");
    let event = receiver.next().json()["event"].clone();
    assert_eq!(event["event_type"], "incident.status_update_published");
    assert_eq!(event["data"]["message"], "A fix is under way");
    webhooks.stop();
    let long = "x".repeat(3_901);
    for wrong in ["", "\u{200b}", long.as_str()] {
        let told = (StatusCode::BAD_REQUEST, "message");
        let body = Some(json!({"message": wrong}));
        refused(&world, ("POST", path), body, told).await;
    }
    let most = json!({"message": "x".repeat(3_900)});
    asked(&world, ("POST", path), most).await;
}

#[tokio::test]
async fn one_alert_of_an_incident_is_ended_and_the_incident_goes_on_with_the_others() {
    let world = World::new();
    let incident = world.raise("web").await;
    let other = world.raise("db").await;
    let sources = json!({ "sources": [other] });
    let merge = format!("/incidents/{incident}/merge");
    asked(&world, ("POST", &merge), sources).await;
    let path = format!("/incidents/{incident}");
    let alerts = read(&world, &path).await["alerts"].clone();
    assert_eq!(alerts.as_array().unwrap().len(), 2);
    let end = |alert: &Value| format!("{path}/alerts/{}/resolve", id_of(alert));
    let first = end(&alerts[0]);
    for _ in 0..2 {
        let ended = world.call("POST", &first, &world.responder, None).await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
        assert_eq!(ended.json()["status"], "recovered");
    }
    assert_eq!(read(&world, &path).await["status"], "triggered");
    asked(&world, ("POST", &end(&alerts[1])), json!({})).await;
    assert_eq!(read(&world, &path).await["status"], "resolved");
    let missing = (StatusCode::NOT_FOUND, "there is no alert");
    for id in [NOTHING, "x"] {
        let path = format!("{path}/alerts/{id}/resolve");
        refused(&world, ("POST", &path), None, missing).await;
    }
    let elsewhere = format!("/incidents/2/alerts/{NOTHING}/resolve");
    refused(&world, ("POST", &elsewhere), None, missing).await;
}

#[tokio::test]
async fn an_alert_that_is_known_by_its_labels_is_ended_and_one_that_tocsin_sees_is_not() {
    let world = World::new();
    let fires = Request::post("/alertmanager/api/v2/alerts")
        .header(header::AUTHORIZATION, format!("Bearer {}", world.responder))
        .header(header::CONTENT_TYPE, "application/json");
    let alerts = json!([{"labels": {"alertname": "Down"}}]);
    let fires = fires.body(Body::from(alerts.to_string())).unwrap();
    let taken = world.send(fires).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let alert = read(&world, "/incidents/1").await["alerts"][0].clone();
    let path = format!("/incidents/1/alerts/{}/resolve", id_of(&alert));
    let ended = asked(&world, ("POST", &path), json!({})).await;
    assert_eq!(ended["status"], "recovered");
    world.apache_is_found();
    world.apache_dies();
    let seen = read(&world, "/incidents/2").await["alerts"][0].clone();
    let path = format!("/incidents/2/alerts/{}/resolve", id_of(&seen));
    let told = (StatusCode::CONFLICT, "Tocsin sees it failing");
    refused(&world, ("POST", &path), None, told).await;
}

#[tokio::test]
async fn what_is_declared_goes_to_whom_it_is_for_under_its_key_and_with_its_priority() {
    let world = World::new();
    let address = "https://127.0.0.1/topic";
    world.reach(world.bob, "ntfy", address, None).await;
    let priority = read(&world, "/priorities").await["names"][0].clone();
    let body = json!({"title": "Odd prices", "people": [world.bob.to_string()], "priority": priority, "key": "prices"});
    let made = asked(&world, ("POST", "/incidents"), body.clone()).await;
    assert_eq!(made["assigned_to"][0]["name"], "Bob");
    assert_eq!(made["priority"], priority);
    let again = (StatusCode::CONFLICT, "");
    refused(&world, ("POST", "/incidents"), Some(body), again).await;
    let policy = read(&world, "/escalation-policies").await["items"][0].clone();
    let body = json!({"title": "Odd prices", "policy_id": policy["id"]});
    let made = asked(&world, ("POST", "/incidents"), body).await;
    assert_eq!(made["assigned_to"], json!([]));
    for (field, value) in [
        ("people", json!(["x"])),
        ("policy_id", json!("x")),
        ("priority", json!("no such priority")),
    ] {
        let mut body = json!({"title": "Odd prices"});
        body[field] = value;
        let wrong = (StatusCode::BAD_REQUEST, field);
        refused(&world, ("POST", "/incidents"), Some(body), wrong).await;
    }
    let both = json!({"title": "Odd prices", "people": [world.bob.to_string()], "policy_id": policy["id"]});
    let wrong = (StatusCode::BAD_REQUEST, "either people or a policy_id");
    refused(&world, ("POST", "/incidents"), Some(both), wrong).await;
}
