//! What clients of PagerDuty do about the levels of incidents: give them away, escalate them, begin anew.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, IncidentEvent, IncidentWhat};
use tocsin_domain::id::UserId;

use super::roster::changed;
use super::writes::put;
use super::{read, refused};
use crate::world::{Answered, World};

#[tokio::test]
async fn an_incident_is_given_away_and_escalated_level_by_level() {
    let (world, id) = raised_on_three_levels().await;
    let far = put(&world, &id, json!({"escalation_level": 3})).await;
    assert!(refused(&far, 400, 2001).contains("the next one is 2"));
    let beyond = put(&world, &id, json!({"escalation_level": 7})).await;
    assert!(refused(&beyond, 400, 2001).contains("the levels of its policy are 1 to 3"));
    let same = put(&world, &id, json!({"escalation_level": 1})).await;
    assert_eq!(same.status, StatusCode::OK, "{}", same.text());
    let next = put(&world, &id, json!({"escalation_level": 2})).await;
    assert_eq!(next.status, StatusCode::OK, "{}", next.text());
    let bob = json!([{"assignee": {"id": world.bob.to_string(), "type": "user_reference"}}]);
    let given = put(&world, &id, json!({"assignments": bob})).await;
    assert_eq!(
        given.json()["incident"]["assignments"][0]["assignee"]["id"],
        world.bob.to_string()
    );
    let nobody = json!([{"assignee": {"id": "QAAAAAAAAAAAAA", "type": "user_reference"}}]);
    refused(
        &put(&world, &id, json!({"assignments": nobody})).await,
        400,
        5001,
    );
}

/// A world in which Ada was paged, Bob is next, and then Ada again, with the incident.
async fn raised_on_three_levels() -> (World, String) {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    three_levels(&world).await;
    let id = world.raise("web").await;
    (world, id)
}

/// The policy of the installation pages Ada, then Bob, then Ada.
async fn three_levels(world: &World) {
    pages_one_by_one(world, &[world.ada, world.bob, world.ada]).await;
}

/// The policy of the installation has a level for each of these people.
async fn pages_one_by_one(world: &World, people: &[UserId]) {
    let policy = world.engine.read(|state| {
        let installation = state.installation.as_ref().unwrap();
        installation.default_policy
    });
    let rules = people.iter().map(|user| {
        let target = json!({"id": user.to_string(), "type": "user_reference"});
        json!({"escalation_delay_in_minutes": 30, "targets": [target]})
    });
    let rules: Vec<Value> = rules.collect();
    let body = json!({"escalation_policy": { "escalation_rules": rules }});
    changed(world, &format!("/escalation_policies/{policy}"), body).await;
}

#[tokio::test]
async fn a_refused_level_is_told_with_the_levels_that_there_are_and_with_no_other() {
    let (world, id) = raised_on_three_levels().await;
    for level in [2, 3] {
        let next = put(&world, &id, json!({ "escalation_level": level })).await;
        assert_eq!(next.status, StatusCode::OK, "{}", next.text());
    }
    let told = async |level: u64, levels: &str| {
        let answer = put(&world, &id, json!({ "escalation_level": level })).await;
        let told = refused(&answer, 400, 2001);
        assert!(told.contains(levels), "{told}");
        assert!(!told.contains('4'), "there is no such level: {told}");
    };
    for level in [0, 2, 4] {
        told(level, "the levels of its policy are 1 to 3").await;
    }
    pages_one_by_one(&world, &[world.ada]).await;
    for level in [3, 4] {
        told(level, "the only level of its policy is 1").await;
    }
}

#[tokio::test]
async fn the_first_level_is_paged_again_after_others_where_somebody_can_be_paged() {
    let (world, id) = raised_on_three_levels().await;
    let (ada_id, bob_id) = (world.ada.to_string(), world.bob.to_string());
    let at_level = async |level: u64, user: &str| {
        let answer = put(&world, &id, json!({ "escalation_level": level })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let incident = answer.json()["incident"].clone();
        assert_eq!(incident["status"], "triggered", "{incident}");
        assert_eq!(incident["assignments"][0]["assignee"]["id"], user);
    };
    at_level(2, &bob_id).await;
    at_level(3, &ada_id).await;
    at_level(1, &ada_id).await;
    at_level(2, &bob_id).await;
    put(&world, &id, json!({"status": "acknowledged"})).await;
    at_level(1, &ada_id).await;
    at_level(2, &bob_id).await;
    let low = json!({"urgency": "low", "escalation_level": 1});
    let low = put(&world, &id, low).await;
    assert!(refused(&low, 400, 2001).contains("urgency is low"));
}

#[tokio::test]
async fn the_first_level_begins_anew_beside_an_urgency_that_is_as_it_was() {
    let (world, id) = raised_on_three_levels().await;
    for is_taken in [false, true] {
        let next = put(&world, &id, json!({"escalation_level": 2})).await;
        assert_eq!(next.status, StatusCode::OK, "{}", next.text());
        if is_taken {
            put(&world, &id, json!({"status": "acknowledged"})).await;
        }
        let first = json!({"urgency": "high", "escalation_level": 1});
        let first = put(&world, &id, first).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text());
        let incident = first.json()["incident"].clone();
        assert_eq!(incident["status"], "triggered", "{incident}");
        assert_eq!(incident["urgency"], "high", "{incident}");
        let assignee = &incident["assignments"][0]["assignee"];
        assert_eq!(assignee["id"], world.ada.to_string());
    }
    let events = world.journal.events.lock().unwrap();
    let levels = events.iter().filter_map(|event| match &event.body {
        EventBody::Incident(IncidentEvent {
            what: IncidentWhat::LevelReached { level, .. },
            ..
        }) => Some(*level),
        _ => None,
    });
    assert_eq!(levels.collect::<Vec<_>>(), [0, 1, 0, 1, 0]);
}

#[tokio::test]
async fn a_level_that_is_asked_for_is_paged_or_refused_with_its_reason() {
    let (world, id) = raised_on_three_levels().await;
    let assigned = |answer: &Answered| {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let incident = answer.json()["incident"].clone();
        assert_eq!(incident["status"], "triggered", "{incident}");
        incident["assignments"][0]["assignee"]["id"].clone()
    };
    let (ada_id, bob_id) = (world.ada.to_string(), world.bob.to_string());
    put(&world, &id, json!({"status": "acknowledged"})).await;
    let same = put(&world, &id, json!({"escalation_level": 1})).await;
    assert!(refused(&same, 400, 2001).contains("somebody has it"));
    let next = json!({"status": "triggered", "escalation_level": 2});
    assert_eq!(assigned(&put(&world, &id, next).await), bob_id.as_str());
    put(&world, &id, json!({"status": "resolved"})).await;
    let over = put(&world, &id, json!({"escalation_level": 1})).await;
    refused(&over, 400, 1001);
    let far = json!({"status": "triggered", "escalation_level": 2});
    let far = put(&world, &id, far).await;
    assert!(refused(&far, 400, 2001).contains("level 1 is paged first"));
    let still = read(&world, &format!("/incidents/{id}")).await;
    assert_eq!(still["incident"]["status"], "resolved");
    let first = json!({"status": "triggered", "escalation_level": 1});
    assert_eq!(assigned(&put(&world, &id, first).await), ada_id.as_str());
    let bob = json!([{"assignee": {"id": bob_id, "type": "user_reference"}}]);
    let both = json!({"assignments": bob, "escalation_level": 1});
    let both = put(&world, &id, both).await;
    assert!(refused(&both, 400, 2001).contains("stand on no level"));
    let given = put(&world, &id, json!({"assignments": bob})).await;
    assert_eq!(assigned(&given), bob_id.as_str());
    let back = put(&world, &id, json!({"escalation_level": 1})).await;
    assert_eq!(assigned(&back), ada_id.as_str());
}
