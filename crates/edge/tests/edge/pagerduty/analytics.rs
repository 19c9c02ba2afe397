//! Analytics of PagerDuty's REST API, computed from what is recorded.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, id_of, made, user};
use super::{ada, ask, declared, read, refused};
use crate::fakes::START;
use crate::world::World;

async fn asked(world: &World, path: &str, body: Value) -> Value {
    let path = format!("/analytics/{path}");
    let answer = ask(world, ("POST", &path), &world.viewer, None, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

fn at(world: &World, seconds: u64) {
    *world.clock.0.lock().unwrap() = START.plus_ms(seconds * 1_000);
}

async fn set(world: &World, incident: &Value, status: &str) {
    let path = format!("/incidents/{}", id_of(incident));
    changed(world, &path, json!({"incident": {"status": status}})).await;
}

/// Two incidents: acknowledged after 60 and 120 seconds, over after 600 and 300; and one that is open.
async fn history(world: &World) -> Vec<Value> {
    let mut all = Vec::new();
    for (begin, taken, over) in [(0, 60, 600), (1_000, 1_120, 1_300)] {
        at(world, begin);
        let one = declared(world, &format!("Down {begin}")).await;
        at(world, taken);
        set(world, &one, "acknowledged").await;
        at(world, over);
        set(world, &one, "resolved").await;
        all.push(one);
    }
    at(world, 2_000);
    all.push(declared(world, "Down again").await);
    all
}

#[tokio::test]
async fn means_and_counts_are_those_of_the_incidents() {
    let world = World::new();
    let incidents = history(&world).await;
    let all = asked(&world, "metrics/incidents/all", json!({"filters": {}})).await;
    let row = &all["data"][0];
    assert_eq!(row["total_incident_count"], 3);
    assert_eq!(row["total_incidents_acknowledged"], 2);
    assert_eq!(row["mean_seconds_to_first_ack"], 90);
    assert_eq!(row["mean_seconds_to_resolve"], 450);
    assert_eq!(row["up_time_pct"], Value::Null);
    let by_service = asked(&world, "metrics/incidents/services", json!({})).await;
    let service = &incidents[0]["service"]["id"];
    assert_eq!(&by_service["data"][0]["service_id"], service);
    let by_team = asked(
        &world,
        "metrics/incidents/teams",
        json!({"aggregate_unit": "day"}),
    )
    .await;
    assert_eq!(by_team["data"][0]["range_start"], "2026-11-23T00:00:00Z");
    let later = START.plus_ms(1_500_000).to_rfc3339();
    let later = json!({"filters": {"created_at_start": later}});
    let later = asked(&world, "metrics/incidents/all", later).await;
    assert_eq!(later["data"][0]["total_incident_count"], 1);
    assert_eq!(later["data"][0]["mean_seconds_to_resolve"], Value::Null);
    let none = json!({"filters": {"service_ids": ["QAAAAAAAAAAAAA"]}});
    let none = asked(&world, "metrics/incidents/all", none).await;
    assert_eq!(none["data"][0]["total_incident_count"], 0);
    let wrong = Some(json!({"filters": {"urgency": "loud"}}));
    let call = ("POST", "/analytics/metrics/incidents/all");
    refused(&ada(&world, call, wrong).await, 400, 2001);
}

#[tokio::test]
async fn incidents_are_measured_by_the_policy_that_they_follow_and_all_together() {
    let world = World::new();
    let incidents = history(&world).await;
    let rule = json!({"escalation_delay_in_minutes": 30, "targets": [user(&world)]});
    let night = json!({"escalation_policy": {"name": "Night", "escalation_rules": [rule]}});
    let night = made(&world, "/escalation_policies", night).await["escalation_policy"].clone();
    let path = format!("/incidents/{}", id_of(&incidents[2]));
    let reference = json!({"id": night["id"], "type": "escalation_policy_reference"});
    let given = json!({"incident": {"escalation_policy": reference}});
    changed(&world, &path, given).await;
    let by = json!({"order_by": "total_incident_count", "order": "desc"});
    let told = asked(&world, "metrics/incidents/escalation_policies", by).await;
    let counts = told["data"].as_array().unwrap().iter().map(|row| {
        let name = row["escalation_policy_name"].as_str().unwrap();
        (name == "Night", row["total_incident_count"].clone())
    });
    let counts: Vec<(bool, Value)> = counts.collect();
    assert_eq!(counts, [(false, json!(2)), (true, json!(1))]);
    assert_eq!(told["data"][1]["escalation_policy_id"], night["id"]);
    let of_night = json!({"filters": {"escalation_policy_ids": [night["id"]]}});
    for path in ["services/all", "teams/all", "escalation_policies/all"] {
        let path = format!("metrics/incidents/{path}");
        let all = asked(&world, &path, json!({})).await["data"].clone();
        assert_eq!(all.as_array().unwrap().len(), 1, "{path}");
        assert_eq!(all[0]["total_incident_count"], 3, "{path}");
        for name in ["service_id", "team_id", "escalation_policy_id"] {
            assert_eq!(all[0].get(name), None, "{path}");
        }
        let some = asked(&world, &path, of_night.clone()).await["data"].clone();
        assert_eq!(some[0]["total_incident_count"], 1, "{path}");
    }
}

#[tokio::test]
async fn rows_stand_in_the_order_that_is_asked_for() {
    let world = World::new();
    history(&world).await;
    let body = json!({"order_by": "team_name", "order": "asc"});
    let told = asked(&world, "metrics/incidents/services", body).await;
    assert_eq!(
        (&told["order_by"], &told["order"]),
        (&json!("team_name"), &json!("asc"))
    );
    let lasted = async |order: &str| {
        let body = json!({"order_by": "seconds_to_resolve", "order": order});
        let told = asked(&world, "raw/incidents", body).await;
        assert_eq!(told["order_by"], "seconds_to_resolve");
        let rows = told["data"].as_array().unwrap().iter();
        let lasted = rows.map(|row| row["seconds_to_resolve"].as_u64());
        lasted.collect::<Vec<_>>()
    };
    // What is open has no length, and stands last.
    assert_eq!(lasted("asc").await, [Some(300), Some(600), None]);
    assert_eq!(lasted("desc").await, [Some(600), Some(300), None]);
    let wrong = Some(json!({"order_by": "title"}));
    let call = ("POST", "/analytics/metrics/incidents/all");
    refused(&ada(&world, call, wrong).await, 400, 2001);
}

#[tokio::test]
async fn the_first_acknowledgement_counts_whatever_became_of_it() {
    let world = World::new();
    at(&world, 0);
    let one = declared(&world, "Down").await;
    at(&world, 60);
    set(&world, &one, "acknowledged").await;
    at(&world, 120);
    let path = format!("/incidents/{}/snooze", id_of(&one));
    let body = json!({"duration": 3_600});
    let snoozed = ask(&world, ("POST", &path), &world.bobs, None, Some(body)).await;
    assert_eq!(snoozed.status, StatusCode::CREATED, "{}", snoozed.text());
    at(&world, 600);
    set(&world, &one, "resolved").await;
    let row = read(&world, &format!("/analytics/raw/incidents/{}", id_of(&one))).await;
    assert_eq!(row["seconds_to_first_ack"], 60);
    assert_eq!(row["seconds_to_engage"], 60);
    assert_eq!(row["engaged_user_count"], 2);
}

#[tokio::test]
async fn raw_incidents_are_listed_page_by_page() {
    let world = World::new();
    let incidents = history(&world).await;
    let body = json!({"limit": 2, "order": "asc"});
    let first = asked(&world, "raw/incidents", body).await;
    assert_eq!(first["data"][0]["id"], incidents[0]["id"]);
    assert_eq!(first["data"][0]["seconds_to_first_ack"], 60);
    assert_eq!(first["data"][0]["seconds_to_resolve"], 600);
    assert_eq!(first["data"][0]["engaged_seconds"], 540);
    assert_eq!(
        first["data"][0]["joined_user_ids"],
        json!([world.ada.to_string()])
    );
    assert_eq!(
        (&first["more"], &first["last"]),
        (&json!(true), &incidents[1]["id"])
    );
    let body = json!({"limit": 2, "order": "asc", "starting_after": first["last"]});
    let second = asked(&world, "raw/incidents", body).await;
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    assert_eq!(second["data"][0]["resolved_at"], Value::Null);
    assert_eq!(second["more"], false);
    // Back again, until there is nothing before it.
    let mut page = second;
    for expected in [vec![&incidents[0], &incidents[1]], Vec::new()] {
        let before = page["first"].clone();
        let body = json!({"limit": 2, "order": "asc", "ending_before": before});
        page = asked(&world, "raw/incidents", body).await;
        let told = page["data"].as_array().unwrap().iter();
        let told: Vec<String> = told.map(id_of).collect();
        let expected: Vec<String> = expected.into_iter().map(id_of).collect();
        assert_eq!((told, &page["more"]), (expected, &json!(false)));
    }
    let path = format!("/analytics/raw/incidents/{}", id_of(&incidents[1]));
    let one = read(&world, &path).await;
    assert_eq!(one["seconds_to_resolve"], 300);
    let unknown = "/analytics/raw/incidents/QAAAAAAAAAAAAA";
    refused(&ada(&world, ("GET", unknown), None).await, 404, 2100);
    let wrong = Some(json!({"starting_after": "QAAAAAAAAAAAAA"}));
    let call = ("POST", "/analytics/raw/incidents");
    refused(&ada(&world, call, wrong).await, 400, 2001);
}
