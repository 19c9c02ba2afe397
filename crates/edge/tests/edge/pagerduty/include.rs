//! `include[]` of PagerDuty's REST API: what is named is shown wholly.

use serde_json::{Value, json};

use super::roster::{changed, id_of, made, user};
use super::{ada, declared, read, service};
use crate::fakes::START;
use crate::world::World;

/// A policy that pages Bob, with a service that follows it.
async fn policy(world: &World) -> Value {
    let body = json!({"escalation_policy": {
        "type": "escalation_policy", "name": "Night",
        "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [user(world)]}],
    }});
    let night = made(world, "/escalation_policies", body).await["escalation_policy"].clone();
    let follows = json!({"service": {
        "type": "service", "name": "Shop",
        "escalation_policy": {"id": night["id"], "type": "escalation_policy_reference"},
    }});
    made(world, "/services", follows).await;
    night
}

#[tokio::test]
async fn a_policy_shows_its_services_its_team_and_its_targets() {
    let world = World::new();
    let night = policy(&world).await;
    let query = "include[]=services&include[]=teams&include[]=targets";
    let one = read(
        &world,
        &format!("/escalation_policies/{}?{query}", id_of(&night)),
    )
    .await;
    let list = read(&world, &format!("/escalation_policies?query=night&{query}")).await;
    for shown in [&one["escalation_policy"], &list["escalation_policies"][0]] {
        assert_eq!(shown["services"][0]["type"], "service");
        assert_eq!(shown["services"][0]["name"], "Shop");
        assert_eq!(shown["teams"][0]["type"], "team");
        let target = &shown["escalation_rules"][0]["targets"][0];
        assert_eq!(
            (&target["type"], &target["email"]),
            (&json!("user"), &json!("bob@example.org"))
        );
    }
    let plain = read(&world, &format!("/escalation_policies/{}", id_of(&night))).await;
    let plain = &plain["escalation_policy"];
    assert_eq!(plain["services"][0]["type"], "service_reference");
}

#[tokio::test]
async fn schedules_are_listed_with_their_layers_and_people_with_their_teams() {
    let world = World::new();
    let body = json!({"schedule": {
        "type": "schedule", "name": "Primary", "time_zone": "Europe/Paris",
        "schedule_layers": [{
            "name": "Everybody", "start": "2026-01-05T09:00:00+01:00",
            "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
            "rotation_turn_length_seconds": 604_800, "users": [{"user": user(&world)}],
        }],
    }});
    made(&world, "/schedules", body).await;
    let list = read(&world, "/schedules?query=primary&include[]=schedule_layers").await;
    let layers = &list["schedules"][0]["schedule_layers"];
    assert_eq!(layers[0]["rotation_turn_length_seconds"], 604_800);
    let list = read(&world, "/schedules?query=primary").await;
    assert_eq!(list["schedules"][0].get("schedule_layers"), None);
    for path in ["/users", "/users/me"] {
        let shown = read(&world, &format!("{path}?include[]=teams")).await;
        let who = shown.get("user").unwrap_or(&shown["users"][0]);
        assert_eq!(who["teams"][0]["type"], "team", "{path}");
    }
}

#[tokio::test]
async fn windows_and_log_entries_show_services_and_teams() {
    let world = World::new();
    let at = |minutes: u64| START.plus_ms(minutes * 60_000).to_rfc3339();
    let body = json!({"maintenance_window": {
        "type": "maintenance_window", "description": "New disks",
        "start_time": at(60), "end_time": at(120), "services": [service(&world)],
    }});
    made(&world, "/maintenance_windows", body).await;
    let query = "include[]=services&include[]=teams";
    let list = read(&world, &format!("/maintenance_windows?{query}")).await;
    let window = &list["maintenance_windows"][0];
    assert_eq!(window["services"][0]["type"], "service");
    assert_eq!(window["teams"][0]["type"], "team");
    world.raise("web").await;
    let list = read(&world, &format!("/log_entries?{query}")).await;
    let entry = &list["log_entries"][0];
    assert_eq!(entry["service"]["type"], "service");
    assert_eq!(entry["teams"][0]["type"], "team");
}

#[tokio::test]
async fn an_incident_shows_who_changed_it_and_the_entry_by_which_it_began() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let path = format!("/incidents/{id}");
    let taken = json!({"incident": {"type": "incident", "status": "acknowledged"}});
    changed(&world, &path, taken).await;
    let plain = read(&world, &path).await["incident"].clone();
    let first = &plain["first_trigger_log_entry"];
    assert_eq!(first["type"], "trigger_log_entry_reference");
    let entry = read(&world, &format!("/log_entries/{}", id_of(first))).await;
    assert_eq!(entry["log_entry"]["type"], "trigger_log_entry");
    let query = "include[]=agents&include[]=first_trigger_log_entries";
    let whole = read(&world, &format!("{path}?{query}")).await["incident"].clone();
    assert_eq!(whole["last_status_change_by"]["type"], "user");
    assert_eq!(whole["first_trigger_log_entry"], entry["log_entry"]);
}

#[tokio::test]
async fn a_request_for_help_is_told_with_its_incident() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let path = format!("/incidents/{}", id_of(&declared(&world, "Down").await));
    let body = json!({
        "requester_id": world.ada.to_string(), "message": "Please come",
        "responder_request_targets": [{"responder_request_target": user(&world)}],
    });
    let asked = ada(
        &world,
        ("POST", &format!("{path}/responder_requests")),
        Some(body),
    )
    .await;
    assert!(asked.status.is_success(), "{}", asked.text());
    let requests = read(&world, &path).await["incident"]["responder_requests"].clone();
    assert_eq!(requests[0]["message"], "Please come");
    let target = &requests[0]["responder_request_targets"][0]["responder_request_target"];
    assert_eq!(target["id"], world.bob.to_string());
}
