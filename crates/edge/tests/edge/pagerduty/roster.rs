//! Services, policies, people, teams and windows of PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::Role;

use super::{ada, ask, read, refused, service};
use crate::fakes::START;
use crate::world::{World, add_person};

pub(super) async fn made(world: &World, path: &str, body: Value) -> Value {
    let answer = ada(world, ("POST", path), Some(body)).await;
    assert_eq!(
        answer.status,
        StatusCode::CREATED,
        "{path}: {}",
        answer.text()
    );
    answer.json()
}

pub(super) async fn changed(world: &World, path: &str, body: Value) -> Value {
    let answer = ada(world, ("PUT", path), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

pub(super) async fn gone(world: &World, path: &str) {
    let answer = ada(world, ("DELETE", path), None).await;
    assert_eq!(
        answer.status,
        StatusCode::NO_CONTENT,
        "{path}: {}",
        answer.text()
    );
    refused(&ada(world, ("GET", path), None).await, 404, 2100);
}

pub(super) fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

pub(super) fn user(world: &World) -> Value {
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
    let told = refused(&answer, 400, 5001);
    assert!(told.contains("escalation_rules[0].targets"), "{told}");
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
    let told = refused(&ada(&world, ("DELETE", &path), None).await, 400, 2001);
    assert!(told.contains("open incidents"), "{told}");
    let listed = read(
        &world,
        "/services?include[]=integrations&include[]=escalation_policies&total=true",
    )
    .await;
    assert_eq!(listed["total"], 2);
}

#[tokio::test]
async fn a_page_of_services_tells_of_each_how_it_stands() {
    let world = World::new();
    let night = policy(&world).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let policy = json!({"id": night["id"], "type": "escalation_policy_reference"});
        let body =
            json!({"service": {"type": "service", "name": name, "escalation_policy": policy}});
        ids.push(id_of(&made(&world, "/services", body).await["service"]));
    }
    for (id, urgency) in [(&ids[0], "low"), (&ids[1], "low"), (&ids[1], "high")] {
        let service = json!({"id": id, "type": "service_reference"});
        let body = json!({"incident": {"type": "incident", "title": "x", "urgency": urgency, "service": service}});
        made(&world, "/incidents", body).await;
    }
    let standings = async |path: &str| {
        let page = read(&world, path).await;
        let shown = page["services"].as_array().unwrap().iter();
        let shown = shown.map(|one| format!("{}: {}", one["name"], one["status"]));
        (shown.collect::<Vec<_>>().join(", "), page["more"].clone())
    };
    let (page, more) = standings("/services?limit=2").await;
    assert_eq!(page, r#""a": "warning", "b": "critical""#);
    assert_eq!(more, true);
    let (page, _) = standings("/services?limit=1&offset=2").await;
    assert_eq!(page, r#""c": "active""#);
    let (page, more) = standings("/services?query=B").await;
    assert_eq!(page, r#""b": "critical""#);
    assert_eq!(more, false);
    let listed = read(&world, "/incidents?include[]=services&urgencies[]=high").await;
    assert_eq!(listed["incidents"][0]["service"]["status"], "critical");
}

#[tokio::test]
async fn people_are_listed_read_and_changed() {
    let world = World::new();
    let list = read(&world, "/users?query=bob").await;
    assert_eq!(list["users"][0]["id"], world.bob.to_string());
    assert_eq!(list["users"][0]["email"], "bob@example.org");
    let path = format!("/users/{}", world.bob);
    assert_eq!(
        list["users"][0]["contact_methods"][0]["type"],
        "email_contact_method_reference"
    );
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
    assert_eq!(
        one["contact_method"]["address"], "bob@example.org",
        "an administrator may write it"
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
async fn addresses_are_read_of_the_people_of_a_page_alone() {
    let world = World::new();
    let reads = async |path: &str| {
        let before = world.vault.reads();
        let page = read(&world, path).await;
        (
            page["users"][0]["name"].clone(),
            world.vault.reads() - before,
        )
    };
    let path = "/users?limit=1&include[]=contact_methods";
    let (name, before) = reads(path).await;
    assert_eq!(name, "Ada");
    for (name, mail) in [("Mia", "m@example.org"), ("Ned", "n@example.org")] {
        add_person(
            &world.engine,
            world.vault.as_ref(),
            name,
            mail,
            Role::Responder,
        );
    }
    assert_eq!(reads(path).await, (json!("Ada"), before));
    let (name, _) = reads("/users?limit=1&query=n@EXAMPLE").await;
    assert_eq!(name, "Ned", "a part of an address finds them too");
    let (name, _) = reads("/users?limit=1&sort_by=name:desc").await;
    assert_eq!(name, "Ned");
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
    let account = world.token(Role::Admin, None);
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
    let over = ada(&world, ("DELETE", &path), None).await;
    refused(&over, 405, 2001);
    assert_eq!(over.headers["allow"], "GET,HEAD,PUT");
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
    refused(
        &ada(&world, ("GET", "/vendors/PZQ6AUS"), None).await,
        404,
        2100,
    );
}

#[tokio::test]
async fn a_vendor_is_a_way_to_speak_and_an_integration_of_it_speaks_so() {
    let world = World::new();
    let vendors = read(&world, "/vendors?query=grafana").await;
    let vendor = vendors["vendors"][0].clone();
    let one = read(&world, &format!("/vendors/{}", id_of(&vendor))).await;
    assert_eq!(one["vendor"], vendor);
    let path = format!("/services/{}/integrations", id_of(&service(&world)));
    let reference = json!({"id": vendor["id"], "type": "vendor_reference"});
    let body = json!({"integration": {"name": "Boards", "vendor": reference}});
    let made = made(&world, &path, body).await["integration"].clone();
    assert_eq!(made["type"], "event_transformer_api_inbound_integration");
    assert_eq!(made["vendor"]["id"], vendor["id"]);
    let again = read(&world, &format!("{path}/{}", id_of(&made))).await;
    assert_eq!(again["integration"]["vendor"]["id"], vendor["id"]);
    let mail =
        json!({"integration": {"type": "generic_email_inbound_integration", "name": "Mail"}});
    let mail = ada(&world, ("POST", &path), Some(mail)).await.json();
    let address = mail["integration"]["integration_email"].as_str().unwrap();
    assert!(address.ends_with("@alerts.example"), "{address}");
    let of = |id: Value| json!({"vendor": {"id": id, "type": "vendor_reference"}});
    let webhook = vendor_called(&world, "webhook").await;
    for (wrong, code) in [
        (
            json!({"type": "aws_cloudwatch_inbound_integration", "name": "CloudWatch"}),
            2001,
        ),
        (of(json!("PAM4FGS")), 5001),
        (of(webhook), 2001),
    ] {
        let body = json!({ "integration": wrong });
        refused(&ada(&world, ("POST", &path), Some(body)).await, 400, code);
    }
}

/// The id of the vendor of JSON, whose mapping this API cannot say.
async fn vendor_called(world: &World, word: &str) -> Value {
    let all = read(world, &format!("/vendors?query=json%20{word}")).await;
    all["vendors"][0]["id"].clone()
}

#[tokio::test]
async fn what_tocsin_has_not_is_told_with_the_reason() {
    let world = World::new();
    for (call, word) in [
        (
            ("GET", "/business_services/priority_thresholds"),
            "every urgent incident",
        ),
        (
            ("GET", "/business_services/QAAAAAAAAAAAAA/subscribers"),
            "nobody subscribes",
        ),
        (
            ("POST", "/business_services/QAAAAAAAAAAAAA/unsubscribe"),
            "nobody subscribes",
        ),
        (("GET", "/pagerduty/extensions"), "extensions"),
        (("POST", "/response_plays"), "response plays"),
        (("GET", "/log_entries/QAAAAAAAAAAAAA/channel"), "log entry"),
        (
            ("GET", "/schedules/QAAAAAAAAAAAAA/audit/records"),
            "own API",
        ),
        (
            (
                "GET",
                "/users/QAAAAAAAAAAAAA/oncall_handoff_notification_rules",
            ),
            "duty next",
        ),
        (
            ("GET", "/event_orchestrations/QAAAAAAAAAAAAA/unrouted"),
            "stays with",
        ),
    ] {
        let told = refused(&ada(&world, call, None).await, 404, 2100);
        assert!(told.contains(word), "{call:?}: {told}");
    }
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
