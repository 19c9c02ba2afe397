//! Asking people for help with an incident, and what clients of PagerDuty are told of it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::Role;

use super::roster::made;
use super::{ada, ask, read, refused};
use crate::world::{Answered, World, add_person};

#[tokio::test]
async fn help_is_asked_for_and_how_it_stands_is_told() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let id = world.raise("web").await;
    let body = json!({
        "requester_id": world.ada.to_string(),
        "message": "Please help",
        "responder_request_targets": [{"responder_request_target": {"id": world.bob.to_string(), "type": "user_reference"}}],
    });
    let path = format!("/incidents/{id}/responder_requests");
    let asked = ada(&world, ("POST", &path), Some(body)).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    let request = asked.json()["responder_request"].clone();
    assert_eq!(request["requester"]["id"], world.ada.to_string());
    let shown = read(&world, &format!("/incidents/{id}")).await;
    assert_eq!(
        shown["incident"]["incidents_responders"][0]["state"],
        "pending"
    );
    let path = format!("/incidents/{id}/status_updates");
    let told = ada(
        &world,
        ("POST", &path),
        Some(json!({"subject": "Till", "message": "A fix is under way"})),
    )
    .await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text());
    let notes = read(&world, &format!("/incidents/{id}/notes")).await;
    assert_eq!(
        notes["notes"][0]["content"],
        "Status update: Till\nA fix is under way"
    );
}

/// What is answered to whoever asks these to help with an incident. Bob is reached by a way that is proved, Cal by none, and the
/// policy Night pages Cal.
async fn helped_by(targets: &[&str]) -> (World, String, Answered) {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let id = world.raise("web").await;
    let (engine, vault) = (&world.engine, world.vault.as_ref());
    let cal = add_person(engine, vault, "Cal", "cal@example.org", Role::Responder);
    let cal = json!({"id": cal.to_string(), "type": "user_reference"});
    let night = json!({"escalation_policy": {
        "type": "escalation_policy", "name": "Night",
        "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [cal]}],
    }});
    let night = made(&world, "/escalation_policies", night).await;
    let night =
        json!({"id": night["escalation_policy"]["id"], "type": "escalation_policy_reference"});
    let targets = targets.iter().map(|named| {
        let target = match *named {
            "Bob" => json!({"id": world.bob.to_string(), "type": "user_reference"}),
            "Cal" => cal.clone(),
            _ => night.clone(),
        };
        json!({ "responder_request_target": target })
    });
    let body = json!({
        "message": "Please help",
        "responder_request_targets": targets.collect::<Vec<_>>(),
    });
    let path = format!("/incidents/{id}/responder_requests");
    let answer = ada(&world, ("POST", &path), Some(body)).await;
    (world, id, answer)
}

#[tokio::test]
async fn who_could_not_be_asked_for_help_is_not_told_as_asked() {
    let (world, id, asked) = helped_by(&["Cal", "Bob", "Night"]).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    let request = asked.json()["responder_request"].clone();
    let targets = request["responder_request_targets"].as_array().unwrap();
    let asked: Vec<usize> = targets
        .iter()
        .map(|one| &one["responder_request_target"]["incidents_responders"])
        .map(|asked| asked.as_array().unwrap().len())
        .collect();
    assert_eq!(asked, [0, 1, 0], "{request}");
    let skipped = request["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 2, "{request}");
    for why in skipped {
        let why = why.as_str().unwrap();
        assert!(why.contains("Cal has no verified contact method"), "{why}");
    }
    let shown = read(&world, &format!("/incidents/{id}")).await;
    let responders = shown["incident"]["incidents_responders"].as_array();
    let responders = responders.unwrap().iter();
    let responders: Vec<&Value> = responders.map(|one| &one["user"]["id"]).collect();
    assert_eq!(responders, [&json!(world.bob.to_string())]);
    let timeline = world.get(&format!("/incidents/{id}/timeline")).await.text();
    let told = timeline.contains("Cal has no verified contact method");
    assert!(told, "{timeline}");

    let (_, _, all) = helped_by(&["Bob"]).await;
    assert!(all.json()["responder_request"]["skipped"].is_null());
    let (_, _, nobody) = helped_by(&["Cal"]).await;
    let why = refused(&nobody, 400, 2001);
    assert!(
        why.contains("nobody of those can be paged: Cal has no"),
        "{why}"
    );
}

#[tokio::test]
async fn help_is_asked_for_in_no_other_name_than_that_of_who_asks() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let path = format!("/incidents/{}/responder_requests", world.raise("web").await);
    let request = async |token: &str, from: Option<&str>, requester: &str| {
        let body = json!({
            "requester_id": requester, "message": "Please help",
            "responder_request_targets": [
                {"responder_request_target": {"id": world.bob.to_string(), "type": "user_reference"}}
            ],
        });
        ask(&world, ("POST", &path), token, from, Some(body)).await
    };
    let (hers, his) = (world.ada.to_string(), world.bob.to_string());
    let (shared, from) = (world.responder.as_str(), Some("bob@example.org"));
    let bobs = world.bobs.as_str();
    for (token, from, requester) in [
        (bobs, None, hers.as_str()),
        // A token of a person speaks for that person, whatever the header says.
        (world.admin.as_str(), from, his.as_str()),
        (shared, from, hers.as_str()),
    ] {
        let answer = request(token, from, requester).await;
        let why = refused(&answer, 400, 2001);
        assert!(why.contains("'requester_id' is invalid"), "{why}");
    }
    for (token, from) in [(bobs, None), (shared, from)] {
        let answer = request(token, from, his.as_str()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let told = answer.json()["responder_request"].clone();
        assert_eq!(told["requester"]["id"], his);
    }
}
