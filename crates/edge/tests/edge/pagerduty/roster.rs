//! Services, policies, schedules, people, teams and windows of PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::Role;
use tocsin_edge::ports::{Accounts, NewToken};

use super::{ada, ask, read, refused, service};
use crate::fakes::START;
use crate::world::{World, add_person};

async fn made(world: &World, path: &str, body: Value) -> Value {
    let answer = ada(world, ("POST", path), Some(body)).await;
    assert_eq!(
        answer.status,
        StatusCode::CREATED,
        "{path}: {}",
        answer.text()
    );
    answer.json()
}

async fn changed(world: &World, path: &str, body: Value) -> Value {
    let answer = ada(world, ("PUT", path), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

async fn gone(world: &World, path: &str) {
    let answer = ada(world, ("DELETE", path), None).await;
    assert_eq!(
        answer.status,
        StatusCode::NO_CONTENT,
        "{path}: {}",
        answer.text()
    );
    refused(&ada(world, ("GET", path), None).await, 404, 2100);
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn user(world: &World) -> Value {
    json!({"id": world.bob.to_string(), "type": "user_reference"})
}

/// A policy that pages Bob.
async fn policy(world: &World) -> Value {
    let body = json!({"escalation_policy": {
        "type": "escalation_policy", "name": "Night", "num_loops": 2,
        "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [user(world)]}],
    }});
    made(world, "/escalation_policies", body).await["escalation_policy"].clone()
}

#[tokio::test]
async fn a_policy_is_added_changed_and_removed() {
    let world = World::new();
    let night = policy(&world).await;
    assert_eq!(
        (&night["num_loops"], &night["type"]),
        (&json!(2), &json!("escalation_policy"))
    );
    assert_eq!(
        night["escalation_rules"][0]["escalation_delay_in_minutes"],
        30
    );
    assert_eq!(
        night["escalation_rules"][0]["targets"][0]["id"],
        world.bob.to_string()
    );
    let path = format!("/escalation_policies/{}", id_of(&night));
    let renamed = json!({"escalation_policy": {"name": "Later"}});
    let renamed = changed(&world, &path, renamed).await["escalation_policy"].clone();
    assert_eq!(
        (&renamed["name"], &renamed["num_loops"]),
        (&json!("Later"), &json!(2))
    );
    let found = read(&world, "/escalation_policies?query=LATER").await;
    assert_eq!(found["escalation_policies"][0]["id"], night["id"]);
    gone(&world, &path).await;
    let nobody = json!({"escalation_policy": {"name": "x", "escalation_rules": [
        {"escalation_delay_in_minutes": 5, "targets": [{"id": "PXPGF42", "type": "user_reference"}]}]}});
    let answer = ada(&world, ("POST", "/escalation_policies"), Some(nobody)).await;
    refused(&answer, 400, 2001);
}

#[tokio::test]
async fn a_service_is_added_and_its_key_is_good_for_events() {
    let world = World::new();
    let night = policy(&world).await;
    let body = json!({"service": {
        "type": "service", "name": "Shop", "description": "Managed by Terraform", "auto_resolve_timeout": 14_400,
        "escalation_policy": {"id": night["id"], "type": "escalation_policy_reference"},
        "incident_urgency_rule": {"type": "constant", "urgency": "high"},
    }});
    let shop = made(&world, "/services", body).await["service"].clone();
    assert_eq!(shop["auto_resolve_timeout"], 14_400);
    assert_eq!(shop["incident_urgency_rule"]["urgency"], "high");
    assert_eq!(shop["escalation_policy"]["id"], night["id"]);
    let path = format!("/services/{}", id_of(&shop));
    let body =
        json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "Probe"}});
    let integration =
        made(&world, &format!("{path}/integrations"), body).await["integration"].clone();
    let key = integration["integration_key"].as_str().unwrap();
    assert_eq!(key.len(), 32);
    let event = json!({"routing_key": key, "event_action": "trigger", "dedup_key": "k",
        "payload": {"summary": "Down", "source": "probe", "severity": "info"}});
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let open = read(
        &world,
        &format!("/incidents?service_ids[]={}", id_of(&shop)),
    )
    .await;
    assert_eq!(
        open["incidents"][0]["urgency"], "high",
        "as the service says"
    );
    assert_eq!(read(&world, &path).await["service"]["status"], "critical");
    let one = format!("{path}/integrations/{}", id_of(&integration));
    assert_eq!(
        read(&world, &one).await["integration"]["integration_key"],
        Value::Null
    );
    let other = format!(
        "/services/{}/integrations/{}",
        id_of(&service(&world)),
        id_of(&integration)
    );
    refused(&ada(&world, ("GET", &other), None).await, 404, 2100);
    gone(&world, &one).await;
    let renamed = json!({"service": {"name": "Store", "auto_resolve_timeout": null}});
    let renamed = changed(&world, &path, renamed).await["service"].clone();
    assert_eq!(
        (&renamed["name"], &renamed["auto_resolve_timeout"]),
        (&json!("Store"), &Value::Null)
    );
    refused(&ada(&world, ("DELETE", &path), None).await, 402, 2014);
    let listed = read(
        &world,
        "/services?include[]=integrations&include[]=escalation_policies&total=true",
    )
    .await;
    assert_eq!(listed["total"], 2);
}

fn weekly(world: &World) -> Value {
    json!({"schedule": {
        "type": "schedule", "name": "Primary", "time_zone": "Europe/Paris",
        "schedule_layers": [
            {
                "name": "Everybody", "start": "2026-01-05T09:00:00+01:00", "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
                "rotation_turn_length_seconds": 604_800, "users": [{"user": user(world)}],
            },
            {
                "name": "Nights", "start": "2026-01-05T09:00:00+01:00", "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
                "rotation_turn_length_seconds": 86_400,
                "users": [{"user": {"id": world.ada.to_string(), "type": "user_reference"}}],
                "restrictions": [{"type": "daily_restriction", "start_time_of_day": "22:00:00", "duration_seconds": 28_800}],
            },
        ],
    }})
}

#[tokio::test]
async fn a_schedule_is_added_read_over_a_span_and_changed() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let path = format!("/schedules/{}", id_of(&primary));
    let plain = read(&world, &path).await["schedule"].clone();
    assert_eq!(
        plain["final_schedule"]["rendered_schedule_entries"],
        json!([])
    );
    // The layer that wins stands first.
    let nights = plain["schedule_layers"][0].clone();
    assert_eq!(nights["rotation_turn_length_seconds"], 86_400);
    assert_eq!(nights["rotation_virtual_start"], "2026-01-05T08:00:00Z");
    assert_eq!(nights["restrictions"][0]["start_time_of_day"], "22:00:00");
    assert_eq!(nights["restrictions"][0]["duration_seconds"], 28_800);
    let span = "since=2026-12-01T12:00:00%2B0100&until=2026-12-02T12:00:00%2B0100";
    let day = read(&world, &format!("{path}?{span}")).await["schedule"].clone();
    let entries = day["final_schedule"]["rendered_schedule_entries"]
        .as_array()
        .unwrap()
        .clone();
    let who: Vec<&Value> = entries.iter().map(|one| &one["user"]["id"]).collect();
    let (ada_id, bob_id) = (json!(world.ada.to_string()), json!(world.bob.to_string()));
    assert_eq!(who, [&bob_id, &ada_id, &bob_id]);
    assert_eq!(entries[1]["start"], "2026-12-01T21:00:00Z");
    assert_eq!(day["final_schedule"]["rendered_coverage_percentage"], 100.0);
    let users = read(&world, &format!("{path}/users?{span}")).await;
    assert_eq!(users["users"].as_array().unwrap().len(), 2);
    let renamed = changed(&world, &path, json!({"schedule": {"name": "First"}})).await;
    assert_eq!(
        renamed["schedule"]["schedule_layers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    for wrong in [
        "since=2026-12-01",
        "since=2026-12-02&until=2026-12-01",
        "since=2020-01-01&until=2026-01-01",
    ] {
        let answer = ada(&world, ("GET", &format!("{path}?{wrong}")), None).await;
        refused(&answer, 400, 2001);
    }
    let mut broken = weekly(&world);
    broken["schedule"]["time_zone"] = json!("Mars/Olympus");
    refused(
        &ada(&world, ("POST", "/schedules"), Some(broken)).await,
        400,
        2001,
    );
    gone(&world, &path).await;
}

#[tokio::test]
async fn overrides_are_added_listed_and_taken_back() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let path = format!("/schedules/{}/overrides", id_of(&primary));
    let begin = START.plus_ms(3_600_000).to_rfc3339();
    let end = START.plus_ms(7_200_000).to_rfc3339();
    let good = json!({"start": begin, "end": end, "user": user(&world)});
    let bad = json!({"start": end, "end": begin, "user": user(&world)});
    let answers = made(&world, &path, json!({"overrides": [good, bad]})).await;
    assert_eq!(
        (&answers[0]["status"], &answers[1]["status"]),
        (&json!(201), &json!(400))
    );
    let one = ask(
        &world,
        ("POST", &path),
        &world.bobs,
        None,
        Some(json!({"override": good})),
    )
    .await;
    assert_eq!(one.status, StatusCode::CREATED, "{}", one.text());
    let since = START.to_rfc3339();
    let until = START.plus_ms(86_400_000).to_rfc3339();
    let listed = read(&world, &format!("{path}?since={since}&until={until}")).await;
    assert!(!listed["overrides"].as_array().unwrap().is_empty());
    refused(&ada(&world, ("GET", &path), None).await, 400, 2003);
    let id = one.json()["override"]["id"].as_str().unwrap().to_owned();
    let removed = ada(&world, ("DELETE", &format!("{path}/{id}")), None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text());
    refused(
        &ada(&world, ("DELETE", &format!("{path}/{id}")), None).await,
        404,
        2100,
    );
}

#[tokio::test]
async fn who_is_on_call_is_told_level_by_level() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let rule = |target: Value| json!({"escalation_delay_in_minutes": 5, "targets": [target]});
    let by_schedule = rule(json!({"id": primary["id"], "type": "schedule_reference"}));
    let body = json!({"escalation_policy": {"name": "Both", "escalation_rules": [by_schedule, rule(user(&world))]}});
    let both = made(&world, "/escalation_policies", body).await["escalation_policy"].clone();
    let list = read(
        &world,
        &format!("/oncalls?escalation_policy_ids[]={}", id_of(&both)),
    )
    .await;
    let oncalls = list["oncalls"].as_array().unwrap();
    assert_eq!(oncalls.len(), 2);
    assert_eq!(oncalls[0]["escalation_level"], 1);
    assert_eq!(oncalls[0]["schedule"]["id"], primary["id"]);
    assert!(oncalls[0]["start"].is_string() && oncalls[0]["end"].is_string());
    assert_eq!(
        (&oncalls[1]["start"], &oncalls[1]["schedule"]),
        (&Value::Null, &Value::Null)
    );
    let of_schedule = read(
        &world,
        &format!(
            "/oncalls?schedule_ids[]={}&include[]=users",
            id_of(&primary)
        ),
    )
    .await;
    assert_eq!(of_schedule["oncalls"][0]["user"]["type"], "user");
    let nobody = read(&world, "/oncalls?user_ids[]=QAAAAAAAAAAAAA").await;
    assert_eq!(nobody["oncalls"], json!([]));
    refused(
        &ada(
            &world,
            ("GET", "/oncalls?since=2026-01-01&until=2027-01-01"),
            None,
        )
        .await,
        400,
        2001,
    );
}

#[tokio::test]
async fn people_are_listed_read_and_changed() {
    let world = World::new();
    let list = read(&world, "/users?query=bob").await;
    assert_eq!(list["users"][0]["id"], world.bob.to_string());
    assert_eq!(list["users"][0]["email"], "bob@example.org");
    let path = format!("/users/{}", world.bob);
    let whole = read(
        &world,
        &format!("{path}?include[]=contact_methods&include[]=notification_rules"),
    )
    .await;
    assert_eq!(
        whole["user"]["contact_methods"][0]["type"],
        "email_contact_method"
    );
    let methods = read(&world, &format!("{path}/contact_methods")).await;
    let method = id_of(&methods["contact_methods"][0]);
    let one = read(&world, &format!("{path}/contact_methods/{method}")).await;
    assert_ne!(
        one["contact_method"]["address"], "bob@example.org",
        "addresses are hints"
    );
    assert!(
        read(&world, &format!("{path}/notification_rules")).await["notification_rules"].is_array()
    );
    let me = ask(&world, ("GET", "/users/me"), &world.bobs, None, None)
        .await
        .json();
    assert_eq!(me["user"]["id"], world.bob.to_string());
    let nobody = ask(&world, ("GET", "/users/me"), &world.viewer, None, None).await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST);
    assert!(
        nobody.json()["error"]
            .as_str()
            .unwrap()
            .contains("account-level access token")
    );
    let new = json!({"user": {"name": "Cy", "email": "cy@example.org", "role": "user"}});
    let cy = made(&world, "/users", new.clone()).await["user"].clone();
    refused(&ada(&world, ("POST", "/users"), Some(new)).await, 400, 2001);
    let path = format!("/users/{}", id_of(&cy));
    let viewer = changed(
        &world,
        &path,
        json!({"user": {"name": "Cyd", "role": "read_only_user"}}),
    )
    .await;
    assert_eq!(
        (&viewer["user"]["name"], &viewer["user"]["role"]),
        (&json!("Cyd"), &json!("read_only_user"))
    );
    let moved = json!({"user": {"email": "else@example.org"}});
    refused(&ada(&world, ("PUT", &path), Some(moved)).await, 400, 2001);
    gone(&world, &path).await;
}

#[tokio::test]
async fn a_responder_adds_nobody_whoever_they_name() {
    let world = World::new();
    let new =
        || Some(json!({"user": {"name": "Eve", "email": "eve@example.org", "role": "admin"}}));
    let call = ("POST", "/users");
    let answer = ask(
        &world,
        call,
        &world.responder,
        Some("ada@example.org"),
        new(),
    )
    .await;
    refused(&answer, 403, 2010);
    let token = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: None,
        expires_at: None,
    };
    let (_, account) = world.doors.add_token(token, START).unwrap();
    refused(&ask(&world, call, &account, None, new()).await, 400, 2016);
    let as_bob = ask(&world, call, &account, Some("bob@example.org"), new()).await;
    refused(&as_bob, 403, 2010);
    let as_ada = ask(&world, call, &account, Some("ada@example.org"), new()).await;
    assert_eq!(as_ada.status, StatusCode::CREATED, "{}", as_ada.text());
}

#[tokio::test]
async fn teams_have_members_who_come_and_go() {
    let world = World::new();
    let web = made(
        &world,
        "/teams",
        json!({"team": {"type": "team", "name": "Web"}}),
    )
    .await["team"]
        .clone();
    let path = format!("/teams/{}", id_of(&web));
    let bob = format!("{path}/users/{}", world.bob);
    for _ in 0..2 {
        let put = ada(&world, ("PUT", &bob), Some(json!({"role": "manager"}))).await;
        assert_eq!(put.status, StatusCode::NO_CONTENT, "{}", put.text());
    }
    let members = read(&world, &format!("{path}/members")).await;
    assert_eq!(members["members"].as_array().unwrap().len(), 1);
    let of_team = read(&world, &format!("/users?team_ids[]={}", id_of(&web))).await;
    assert_eq!(of_team["users"][0]["id"], world.bob.to_string());
    let out = ada(&world, ("DELETE", &bob), None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let stranger = format!("{path}/users/QAAAAAAAAAAAAA");
    refused(&ada(&world, ("PUT", &stranger), None).await, 404, 2100);
    let renamed = changed(&world, &path, json!({"team": {"name": "Front"}})).await;
    assert_eq!(renamed["team"]["name"], "Front");
    gone(&world, &path).await;
}

#[tokio::test]
async fn work_is_planned_ended_and_kept() {
    let world = World::new();
    let at = |minutes: u64| START.plus_ms(minutes * 60_000).to_rfc3339();
    let body = |from: u64, until: u64| {
        json!({"maintenance_window": {
            "type": "maintenance_window", "description": "New disks", "start_time": at(from), "end_time": at(until),
            "services": [service(&world)],
        }})
    };
    let later =
        made(&world, "/maintenance_windows", body(60, 120)).await["maintenance_window"].clone();
    let path = format!("/maintenance_windows/{}", id_of(&later));
    let longer = json!({"maintenance_window": {"end_time": at(180)}});
    let longer = changed(&world, &path, longer).await["maintenance_window"].clone();
    assert_eq!(
        (&longer["description"], &longer["start_time"]),
        (&later["description"], &later["start_time"])
    );
    let listed = read(&world, "/maintenance_windows?filter=future").await;
    assert_eq!(listed["maintenance_windows"].as_array().unwrap().len(), 1);
    assert_eq!(
        read(&world, "/maintenance_windows?filter=ongoing").await["maintenance_windows"],
        json!([])
    );
    *world.clock.0.lock().unwrap() = START.plus_ms(90 * 60_000);
    let ended = ada(&world, ("DELETE", &path), None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.text());
    assert!(read(&world, &path).await["maintenance_window"]["end_time"].is_string());
    *world.clock.0.lock().unwrap() = START.plus_ms(300 * 60_000);
    refused(&ada(&world, ("DELETE", &path), None).await, 405, 2001);
    let next =
        made(&world, "/maintenance_windows", body(400, 500)).await["maintenance_window"].clone();
    gone(&world, &format!("/maintenance_windows/{}", id_of(&next))).await;
}

#[tokio::test]
async fn small_things_are_answered() {
    let world = World::new();
    let abilities = read(&world, "/abilities").await;
    assert!(
        abilities["abilities"]
            .as_array()
            .unwrap()
            .contains(&json!("teams"))
    );
    let teams = ada(&world, ("GET", "/abilities/teams"), None).await;
    assert_eq!(teams.status, StatusCode::NO_CONTENT);
    refused(
        &ada(&world, ("GET", "/abilities/sso"), None).await,
        402,
        2014,
    );
    let priorities = read(&world, "/priorities").await;
    assert_eq!(priorities["priorities"][0]["name"], "P1");
    assert_eq!(read(&world, "/vendors").await["vendors"], json!([]));
    assert_eq!(read(&world, "/tags").await["tags"], json!([]));
    refused(
        &ada(&world, ("GET", "/vendors/PZQ6AUS"), None).await,
        404,
        2100,
    );
    refused(
        &ada(&world, ("GET", "/business_services"), None).await,
        404,
        2100,
    );
}

#[tokio::test]
async fn log_entries_tell_what_happened_newest_first() {
    let world = World::new();
    let id = world.raise("web").await;
    let take = json!({"incident": {"status": "acknowledged"}});
    changed(&world, &format!("/incidents/{id}"), take).await;
    let note = json!({"note": {"content": "Looking"}});
    ada(
        &world,
        ("POST", &format!("/incidents/{id}/notes")),
        Some(note),
    )
    .await;
    let list = read(&world, &format!("/incidents/{id}/log_entries")).await;
    let entries = list["log_entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries
        .iter()
        .map(|one| one["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[0], "annotate_log_entry");
    assert_eq!(kinds[1], "acknowledge_log_entry");
    assert_eq!(kinds.last(), Some(&"trigger_log_entry"));
    assert!(kinds.contains(&"assign_log_entry"), "{kinds:?}");
    assert_eq!(entries[1]["agent"]["id"], world.ada.to_string());
    let one = read(&world, &format!("/log_entries/{}", id_of(&entries[1]))).await;
    assert_eq!(one["log_entry"]["type"], "acknowledge_log_entry");
    let all = read(&world, "/log_entries?limit=2&include[]=incidents").await;
    assert_eq!(all["log_entries"][0]["incident"]["type"], "incident");
    assert_eq!(all["more"], true);
    let overview = read(&world, "/log_entries?is_overview=true").await;
    assert_eq!(overview["log_entries"][0]["type"], "acknowledge_log_entry");
    refused(
        &ada(&world, ("GET", "/log_entries/PAAAAAAAAAAAAA"), None).await,
        404,
        2100,
    );
    assert_eq!(
        read(&world, "/log_entries?since=2100-01-01").await["log_entries"],
        json!([])
    );
}

#[tokio::test]
async fn notifications_need_a_span() {
    let world = World::new();
    refused(
        &ada(&world, ("GET", "/notifications"), None).await,
        400,
        2003,
    );
    let empty = read(&world, "/notifications?since=2026-01-01&until=2026-02-01").await;
    assert_eq!(empty["notifications"], json!([]));
    let long = "/notifications?since=2024-01-01&until=2026-02-01";
    refused(&ada(&world, ("GET", long), None).await, 400, 2001);
}

#[tokio::test]
async fn nobody_below_an_administrator_changes_the_roster() {
    let world = World::new();
    add_person(
        &world.engine,
        world.vault.as_ref(),
        "Eve",
        "eve@example.org",
        Role::Viewer,
    );
    for (method, path) in [
        ("POST", "/services"),
        ("POST", "/escalation_policies"),
        ("POST", "/schedules"),
        ("POST", "/teams"),
        (
            "PUT",
            "/pagerduty/teams/QAAAAAAAAAAAAA/users/QAAAAAAAAAAAAA",
        ),
        ("DELETE", "/users/QAAAAAAAAAAAAA"),
    ] {
        let answer = ask(&world, (method, path), &world.bobs, None, Some(json!({}))).await;
        refused(&answer, 403, 2010);
    }
}
