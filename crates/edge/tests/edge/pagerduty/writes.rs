//! What clients of PagerDuty do about incidents: open, take, end, merge, snooze.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{ada, ask, declared, read, refused, service};
use crate::world::{Answered, World};

pub(super) async fn put(world: &World, id: &str, incident: Value) -> Answered {
    let body = json!({ "incident": incident });
    ada(world, ("PUT", &format!("/incidents/{id}")), Some(body)).await
}

fn id_of(incident: &Value) -> String {
    incident["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_incident_is_opened_with_all_that_was_said() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let priorities = world
        .engine
        .read(|state| state.installation.as_ref().unwrap().priorities.clone());
    let priority = tocsin_wire::pagerduty::rest::id::of_name(&priorities[0]);
    let body = json!({"incident": {
        "type": "incident",
        "title": "The shop is closed",
        "service": service(&world),
        "priority": {"id": priority, "type": "priority_reference"},
        "incident_key": "shop",
        "body": {"type": "incident_body", "details": "since noon"},
        "assignments": [{"assignee": {"id": world.bob.to_string(), "type": "user_reference"}}],
    }});
    let answer = ada(&world, ("POST", "/incidents"), Some(body.clone())).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let made = answer.json()["incident"].clone();
    assert_eq!(made["priority"]["name"], priorities[0]);
    let listed = read(&world, "/priorities").await;
    assert_eq!(made["priority"], listed["priorities"][0]);
    for one in listed["priorities"].as_array().unwrap() {
        let color = one["color"].as_str().unwrap();
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(color.len() == 6 && color.bytes().all(is_hex), "{one}");
    }
    assert_eq!(made["incident_key"], "shop");
    let said = json!({"type": "incident_body", "details": "since noon"});
    assert_eq!(made["body"], said);
    let path = format!("/incidents/{}?include[]=body", id_of(&made));
    assert_eq!(read(&world, &path).await["incident"]["body"], said);
    assert_eq!(made["assigned_via"], "direct_assignment");
    assert_eq!(
        made["assignments"][0]["assignee"]["id"],
        world.bob.to_string()
    );
    let again = ada(&world, ("POST", "/incidents"), Some(body)).await;
    assert!(refused(&again, 400, 2001).contains("has this key already"));
    let wrong = json!({"incident": {"title": "x", "service": {"id": "PXPGF42", "type": "service_reference"}}});
    let answer = ada(&world, ("POST", "/incidents"), Some(wrong)).await;
    assert!(
        refused(&answer, 400, 5001).contains("'incident.service' is invalid: service not found")
    );
    let nothing = ada(
        &world,
        ("POST", "/incidents"),
        Some(json!({"incident": {}})),
    )
    .await;
    assert!(refused(&nothing, 400, 2001).contains("title"));
}

#[tokio::test]
async fn what_was_not_written_of_an_incident_is_null_and_people_read_who_declared_it() {
    let world = World::new();
    let made = declared(&world, "Down").await;
    let none = json!({"type": "incident_body", "details": null});
    assert_eq!(made["body"], none);
    let path = format!("/incidents/{}", id_of(&made));
    let shown = read(&world, &format!("{path}?include[]=body")).await;
    assert_eq!(shown["incident"]["body"], none);
    let alerts = read(&world, &format!("{path}/alerts")).await;
    let said = &alerts["alerts"][0]["body"]["cef_details"]["description"];
    assert_eq!(said, "Down");
    let native = world.get("/incidents/1").await.json();
    assert_eq!(native["alerts"][0]["summary"], "declared by a person");
}

#[tokio::test]
async fn an_incident_is_taken_renamed_and_ended() {
    let world = World::new();
    let id = world.raise("web").await;
    let taken = put(
        &world,
        &id,
        json!({"type": "incident_reference", "status": "acknowledged"}),
    )
    .await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let taken = taken.json()["incident"].clone();
    assert_eq!(taken["status"], "acknowledged");
    assert_eq!(
        taken["acknowledgements"][0]["acknowledger"]["id"],
        world.ada.to_string()
    );
    let changed = json!({"title": "Nobody can log in", "urgency": "low"});
    let changed = put(&world, &id, changed).await.json()["incident"].clone();
    assert_eq!(
        (&changed["title"], &changed["urgency"]),
        (&json!("Nobody can log in"), &json!("low"))
    );
    let ended = json!({"status": "resolved", "resolution": "restarted"});
    let ended = put(&world, &id, ended).await.json()["incident"].clone();
    assert_eq!(ended["status"], "resolved");
    assert_eq!(ended["assignments"], json!([]));
    assert!(ended["resolved_at"].is_string());
    let notes = read(&world, &format!("/incidents/{id}/notes")).await;
    assert_eq!(notes["notes"][0]["content"], "restarted");
    refused(
        &put(&world, &id, json!({"status": "acknowledged"})).await,
        400,
        1001,
    );
    refused(
        &put(&world, &id, json!({"status": "resolved"})).await,
        400,
        1001,
    );
    refused(
        &put(&world, &id, json!({"status": "closed"})).await,
        400,
        2001,
    );
    let again = put(&world, &id, json!({"status": "triggered"})).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text());
    let again = again.json()["incident"].clone();
    assert_eq!(
        (&again["status"], &again["resolved_at"]),
        (&json!("triggered"), &Value::Null),
        "it is reopened"
    );
    let taken = put(&world, &id, json!({"status": "acknowledged"})).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let back = put(&world, &id, json!({"status": "triggered"})).await;
    assert!(refused(&back, 400, 2001).contains("escalation_level"));
}

#[tokio::test]
async fn a_priority_is_set_and_taken_back() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let named = put(
        &world,
        &id,
        json!({"priority": {"id": "P1", "type": "priority_reference"}}),
    )
    .await;
    assert_eq!(
        named.json()["incident"]["priority"]["name"],
        "P1",
        "{}",
        named.text()
    );
    let back = put(&world, &id, json!({"priority": null})).await.json();
    assert_eq!(back["incident"]["priority"], Value::Null);
    let unknown = put(&world, &id, json!({"priority": {"id": "PZZZZZZ"}})).await;
    assert!(
        refused(&unknown, 400, 5001).contains("'incident.priority' is invalid: priority not found")
    );
}

#[tokio::test]
async fn several_are_changed_at_once() {
    let world = World::new();
    let ids = [
        id_of(&declared(&world, "one").await),
        id_of(&declared(&world, "two").await),
    ];
    let of = |status: &str| {
        let each = ids
            .iter()
            .map(|id| json!({"id": id, "type": "incident_reference", "status": status}));
        Some(json!({"incidents": each.collect::<Vec<_>>()}))
    };
    let taken = ada(&world, ("PUT", "/incidents"), of("acknowledged")).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let statuses = taken.json()["incidents"].clone();
    assert_eq!(
        (&statuses[0]["status"], &statuses[1]["status"]),
        (&json!("acknowledged"), &json!("acknowledged"))
    );
    ada(&world, ("PUT", "/incidents"), of("resolved")).await;
    refused(
        &ada(&world, ("PUT", "/incidents"), of("resolved")).await,
        400,
        1001,
    );
    let many = vec![json!({"id": ids[0], "status": "resolved"}); 251];
    let many = ada(
        &world,
        ("PUT", "/incidents"),
        Some(json!({"incidents": many})),
    )
    .await;
    refused(&many, 413, 2001);
    let unknown = json!({"incidents": [{"id": "QAAAAAAAAAAAAA", "status": "resolved"}]});
    let told = refused(
        &ada(&world, ("PUT", "/incidents"), Some(unknown)).await,
        400,
        5001,
    );
    assert!(told.contains("incidents[0].id"), "{told}");
}

#[tokio::test]
async fn incidents_are_merged() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let (into, source) = (
        id_of(&declared(&world, "one").await),
        id_of(&declared(&world, "two").await),
    );
    let body = || Some(json!({"source_incidents": [{"id": source, "type": "incident_reference"}]}));
    let before = read(&world, &format!("/incidents/{source}")).await;
    let help = json!({
        "requester_id": world.ada.to_string(), "message": "Please help",
        "responder_request_targets": [{"responder_request_target": {"id": world.bob.to_string(), "type": "user_reference"}}],
    });
    let asks = format!("/incidents/{source}/responder_requests");
    let asks = ada(&world, ("POST", &asks), Some(help)).await;
    assert_eq!(asks.status, StatusCode::OK, "{}", asks.text());
    let path = format!("/incidents/{into}/merge");
    let merged = ada(&world, ("PUT", &path), body()).await;
    assert_eq!(merged.status, StatusCode::OK, "{}", merged.text());
    assert_eq!(merged.json()["incident"]["alert_counts"]["all"], 2);
    let asked = merged.json()["incident"]["incidents_responders"][0].clone();
    assert_eq!(asked["user"]["id"], world.bob.to_string());
    assert_eq!(asked["requester"]["id"], world.ada.to_string());
    let ended = read(&world, &format!("/incidents/{source}")).await;
    let key = &ended["incident"]["incident_key"];
    assert!(key.is_string(), "{key}");
    assert_eq!(key, &before["incident"]["incident_key"]);
    assert_eq!(ended["incident"]["resolve_reason"]["incident"]["id"], into);
    let again = ada(&world, ("PUT", &path), body()).await;
    assert!(refused(&again, 400, 1001).contains("was merged into"));
}

#[tokio::test]
async fn what_only_an_open_incident_takes_is_refused_with_the_number_for_what_is_over() {
    let world = World::new();
    let over = id_of(&declared(&world, "over").await);
    let open = id_of(&declared(&world, "open").await);
    put(&world, &over, json!({"status": "resolved"})).await;
    let ada_id = world.ada.to_string();
    let source = |id: &str| json!({"source_incidents": [{"id": id, "type": "incident_reference"}]});
    let given = json!({"assignments": [{"assignee": {"id": ada_id, "type": "user_reference"}}]});
    let help = json!({"requester_id": ada_id, "message": "Please help",
        "responder_request_targets": [{"responder_request_target": {"id": ada_id, "type": "user_reference"}}]});
    for (method, path, body) in [
        (
            "POST",
            format!("/incidents/{over}/snooze"),
            json!({"duration": 60}),
        ),
        (
            "POST",
            format!("/incidents/{over}/responder_requests"),
            help,
        ),
        ("PUT", format!("/incidents/{over}/merge"), source(&open)),
        ("PUT", format!("/incidents/{open}/merge"), source(&over)),
        (
            "PUT",
            format!("/incidents/{over}"),
            json!({"incident": given}),
        ),
        (
            "PUT",
            format!("/incidents/{over}"),
            json!({"incident": {"urgency": "low"}}),
        ),
    ] {
        let told = refused(&ada(&world, (method, &path), Some(body)).await, 400, 1001);
        let why = "incident 1 is resolved already";
        assert!(told.contains(why), "{method} {path}: {told}");
    }
    let told = put(&world, &over, json!({"title": "It was the disk"})).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text());
    let long = json!({"duration": 604_801});
    let path = format!("/incidents/{open}/snooze");
    refused(&ada(&world, ("POST", &path), Some(long)).await, 400, 2001);
}

#[tokio::test]
async fn an_incident_is_snoozed() {
    let world = World::new();
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}/snooze");
    let snoozed = ada(&world, ("POST", &path), Some(json!({"duration": 3600}))).await;
    assert_eq!(snoozed.status, StatusCode::CREATED, "{}", snoozed.text());
    let snoozed = snoozed.json()["incident"].clone();
    assert_eq!(snoozed["status"], "acknowledged");
    assert_eq!(snoozed["pending_actions"][0]["type"], "unacknowledge");
    for body in [
        json!({}),
        json!({"duration": 0}),
        json!({"duration": 604_801}),
    ] {
        let answer = ada(&world, ("POST", &path), Some(body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_viewer_changes_nothing() {
    let world = World::new();
    let id = world.raise("web").await;
    let writes = [
        ("PUT", format!("/incidents/{id}")),
        ("PUT", "/incidents".to_owned()),
        ("POST", format!("/incidents/{id}/notes")),
        ("POST", format!("/pagerduty/incidents/{id}/snooze")),
        ("PUT", format!("/incidents/{id}/merge")),
        ("PUT", format!("/incidents/{id}/alerts")),
    ];
    for (method, path) in writes {
        let answer = ask(
            &world,
            (method, &path),
            &world.viewer,
            Some("ada@example.org"),
            Some(json!({})),
        )
        .await;
        refused(&answer, 403, 2010);
    }
}

#[tokio::test]
async fn of_several_incidents_none_is_changed_when_one_cannot_be() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let low = json!({"incident": {
        "type": "incident", "title": "Slow", "urgency": "low", "service": service(&world),
    }});
    let low = ada(&world, ("POST", "/incidents"), Some(low)).await.json()["incident"].clone();
    let body = json!({"incidents": [
        {"id": id, "type": "incident_reference", "status": "acknowledged"},
        {"id": low["id"], "type": "incident_reference", "escalation_level": 1},
    ]});
    let refused_all = ada(&world, ("PUT", "/incidents"), Some(body)).await;
    let why = refused(&refused_all, 400, 2001);
    assert!(
        why.contains("urgency is low") && why.contains("incident 2"),
        "{why}"
    );
    let first = read(&world, &format!("/incidents/{id}")).await;
    assert_eq!(first["incident"]["status"], "triggered");
}

#[tokio::test]
async fn changed_incidents_are_shown_with_what_is_included() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let body =
        json!({"incidents": [{"id": id, "type": "incident_reference", "status": "acknowledged"}]});
    let path = "/incidents?include[]=services&include[]=acknowledgers";
    let shown = ada(&world, ("PUT", path), Some(body)).await.json()["incidents"][0].clone();
    assert_eq!(shown["service"]["type"], "service");
    assert_eq!(shown["acknowledgements"][0]["acknowledger"]["type"], "user");
}
