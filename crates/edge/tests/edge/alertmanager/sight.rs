//! What Alertmanager's API shows of much: windows of many long names, alerts beside the state.

use axum::http::StatusCode;
use serde_json::json;

use super::{get, post};
use crate::fakes::START;
use crate::world::World;

#[tokio::test]
async fn planned_work_of_many_long_names_is_shown_by_all_of_them_and_by_nothing_more() {
    let world = World::new();
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for letter in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let name = letter.repeat(180);
        let service = json!({"name": name, "escalation_policy_id": null});
        let made = world.post("/services", service).await;
        ids.push(made.json()["id"].clone());
        names.push(name);
    }
    let planned = json!({"reason": "disks", "service_ids": ids,
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    let made = world.post("/maintenance-windows", planned).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let shown = get(&world, "/silences").await[0].clone();
    let matcher = &shown["matchers"][0];
    assert_eq!(matcher["name"], "tocsin_service");
    let pattern = matcher["value"].as_str().unwrap();
    let mut alternatives: Vec<&str> = pattern.split('|').collect();
    alternatives.sort_unstable();
    assert_eq!(alternatives, names);
    // A copy of it is refused; it silences nothing else.
    let mut copy = shown.clone();
    copy.as_object_mut().unwrap().remove("id");
    let refused = post(&world, "/silences", copy).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text().contains("more than 1024 bytes"),
        "{}",
        refused.text()
    );
    assert_eq!(get(&world, "/silences").await.as_array().unwrap().len(), 1);
}
