//! When things were made and changed, and by whom, as PagerDuty's clients are told: some of them read nothing that leaves it out.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::time::Timestamp;

use super::roster::{changed, id_of, made, user};
use super::{ada, ask, declared, read, refused, service};
use crate::fakes::START;
use crate::world::{ROUTING_KEY, World};

/// An instant as it is told.
fn told(at: Timestamp) -> String {
    at.to_rfc3339().replacen(".000Z", "Z", 1)
}

/// Lets the clock show so many minutes after the start.
fn shows(world: &World, minutes: u64) -> String {
    let now = START.plus_ms(minutes * 60_000);
    *world.clock.0.lock().unwrap() = now;
    told(now)
}

/// The only service of that name.
async fn named(world: &World, name: &str) -> Value {
    let list = read(world, &format!("/services?query={name}")).await;
    list["services"][0].clone()
}

#[tokio::test]
async fn a_service_says_when_it_was_made_changed_and_had_its_newest_incident() {
    let world = World::new();
    let first = named(&world, "First").await;
    assert_eq!(first["created_at"], told(START));
    assert_eq!(first["last_incident_timestamp"], Value::Null);
    let made_at = shows(&world, 1);
    let policy = first["escalation_policy"].clone();
    let body = json!({"service": {"name": "Shop", "escalation_policy": policy}});
    let shop = made(&world, "/services", body).await["service"].clone();
    assert_eq!(shop["created_at"], made_at);
    assert_eq!(shop["updated_at"], made_at);
    let changed_at = shows(&world, 2);
    let path = format!("/services/{}", id_of(&shop));
    let body = json!({"service": {"description": "Sells"}});
    changed(&world, &path, body).await;
    world.raise("web").await;
    let opened_at = shows(&world, 3);
    world.raise("db").await;
    shows(&world, 4);
    let shop = named(&world, "Shop").await;
    assert_eq!(shop["created_at"], made_at);
    assert_eq!(shop["updated_at"], changed_at);
    assert_eq!(shop["last_incident_timestamp"], Value::Null);
    let first = named(&world, "First").await;
    assert_eq!(first["last_incident_timestamp"], opened_at);
}

#[tokio::test]
async fn an_integration_says_when_it_was_made_and_changed() {
    let world = World::new();
    let made_at = shows(&world, 1);
    let path = format!("/services/{}/integrations", id_of(&service(&world)));
    let body =
        json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "Probe"}});
    let probe = made(&world, &path, body).await["integration"].clone();
    assert_eq!(probe["created_at"], made_at);
    let changed_at = shows(&world, 2);
    let path = format!("{path}/{}", id_of(&probe));
    let body = json!({"integration": {"type": probe["type"], "name": "Other"}});
    let other = changed(&world, &path, body).await["integration"].clone();
    assert_eq!(other["created_at"], made_at);
    assert_eq!(other["updated_at"], changed_at);
}

#[tokio::test]
async fn a_router_says_since_when_it_is_what_it_is() {
    let world = World::new();
    let all = read(&world, "/event_orchestrations").await["orchestrations"].clone();
    assert_eq!(all[0]["created_at"], told(START));
    assert_eq!(all[0]["updated_at"], told(START));
    let path = format!("/event_orchestrations/{}/router", id_of(&all[0]));
    let before = read(&world, &path).await["orchestration_path"].clone();
    assert!(before["version"].is_string(), "{before}");
    let changed_at = shows(&world, 1);
    let rule = json!({"label": "Carts", "actions": {"route_to": service(&world)["id"]},
        "conditions": [{"expression": "event.summary matches part 'cart'"}]});
    let body = json!({"orchestration_path": {"type": "router",
        "sets": [{"id": "start", "rules": [rule]}],
        "catch_all": {"actions": {"route_to": "unrouted"}}}});
    let after = changed(&world, &path, body).await["orchestration_path"].clone();
    assert_eq!(after["created_at"], told(START));
    assert_eq!(after["updated_at"], changed_at);
    assert_ne!(after["version"], before["version"]);
}

#[tokio::test]
async fn planned_work_says_who_planned_it_and_where_it_is_shown() {
    let world = World::new();
    let body = json!({"maintenance_window": {"type": "maintenance_window", "description": "Disks",
        "start_time": told(START.plus_ms(60_000)), "end_time": told(START.plus_ms(120_000)),
        "services": [service(&world)]}});
    let window = made(&world, "/maintenance_windows", body).await["maintenance_window"].clone();
    assert_eq!(window["created_by"]["id"], world.ada.to_string());
    assert_eq!(
        window["html_url"],
        "http://tocsin.example/ui/targets/maintenance"
    );
    // Whoever changes it has not made it.
    let path = format!("/maintenance_windows/{}", id_of(&window));
    let body = json!({"maintenance_window": {"description": "Newer disks"}});
    let answer = ask(&world, ("PUT", &path), &world.bobs, None, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let window = read(&world, &path).await["maintenance_window"].clone();
    assert_eq!(window["created_by"]["id"], world.ada.to_string());
    let windows = world.get("/maintenance-windows").await.json();
    assert_eq!(windows["items"][0]["created_by"], "Ada");
}

#[tokio::test]
async fn an_incident_says_when_its_status_changed_last_also_where_nobody_has_it_any_more() {
    let world = World::new();
    let shown_as = async |id: &str, status: &str, at: &str| {
        let path = format!("/incidents/{id}");
        let shown = read(&world, &path).await["incident"].clone();
        assert_eq!(shown["status"], status);
        assert_eq!(shown["last_status_change_at"], at, "{status}");
        assert_eq!(shown["updated_at"], at, "{status}");
        let created_at = told(START);
        assert_eq!(shown["created_at"], created_at.as_str(), "{status}");
    };
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}");
    shows(&world, 1);
    shown_as(&id, "triggered", &told(START)).await;
    for (minute, status) in [(2, "acknowledged"), (3, "resolved"), (4, "triggered")] {
        let at = shows(&world, minute);
        let body = json!({"incident": {"type": "incident", "status": status}});
        changed(&world, &path, body).await;
        shown_as(&id, status, &at).await;
    }
    shows(&world, 5);
    shown_as(&id, "triggered", &told(START.plus_ms(240_000))).await;
}

#[tokio::test]
async fn who_resolved_an_incident_is_told_where_a_person_did() {
    let world = World::new();
    let body = json!({"incident": {"type": "incident", "status": "resolved"}});
    let path = format!("/incidents/{}", id_of(&declared(&world, "Down").await));
    let over = changed(&world, &path, body.clone()).await["incident"].clone();
    assert_eq!(over["last_status_change_by"]["id"], world.ada.to_string());
    let id = world.raise("web").await;
    let event = json!({"routing_key": ROUTING_KEY, "event_action": "resolve",
        "dedup_key": "web"});
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let over = read(&world, &format!("/incidents/{id}")).await["incident"].clone();
    assert_eq!(over["status"], "resolved");
    assert_eq!(over["last_status_change_by"]["type"], "service_reference");
}

#[tokio::test]
async fn the_log_entries_of_a_person_are_those_that_name_them() {
    let world = World::new();
    world.raise("web").await;
    let path = format!("/incidents/{}", id_of(&declared(&world, "Down").await));
    let body = json!({"incident": {"type": "incident", "status": "acknowledged"}});
    changed(&world, &path, body).await;
    let of = async |id: &str| {
        let list = read(&world, &format!("/users/{id}/log_entries")).await;
        let entries = list["log_entries"].as_array().unwrap().clone();
        let kinds = entries.iter().map(|one| one["type"].clone());
        kinds.collect::<Vec<Value>>()
    };
    let adas = of(&world.ada.to_string()).await;
    assert_eq!(adas[0], "acknowledge_log_entry");
    assert!(adas.contains(&json!("trigger_log_entry")), "{adas:?}");
    let bobs = of(user(&world)["id"].as_str().unwrap()).await;
    assert!(bobs.is_empty(), "{bobs:?}");
    let nobody = "/users/PXPGF42/log_entries";
    let answer = ada(&world, ("GET", nobody), None).await;
    refused(&answer, 404, 2100);
}
