//! "Who would be paged?", by the API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, WatchAsk};

use crate::explanation::MINUTE;
use crate::fakes::START;
use crate::world::World;

#[tokio::test]
async fn a_simulation_tells_who_would_be_contacted_and_keeps_nothing() {
    let world = World::new();
    let service = world
        .engine
        .read(|state| state.installation.as_ref().unwrap().default_service);
    let before = world.engine.read(|state| state.position);
    let path = format!("/services/{service}/simulation");
    let played = world.get(&path).await;
    assert_eq!(played.status, StatusCode::OK, "{}", played.text());
    let played = played.json();
    assert_eq!(played["end"], "repeats");
    assert_eq!(played["at"], START.to_rfc3339());
    let steps = played["steps"].as_array().unwrap();
    assert_eq!(
        (steps[0]["kind"].as_str(), steps[0]["level"].as_u64()),
        (Some("level"), Some(1))
    );
    assert_eq!(steps[1]["kind"], "contact");
    assert_eq!(steps[1]["user"]["name"], "Ada");
    assert_eq!(steps[1]["channel"], "email");
    assert_eq!(steps[1]["after_ms"], 0);
    assert_eq!(
        steps.iter().filter(|one| one["kind"] == "fallback").count(),
        2
    );
    let low = world
        .get(&format!("{path}?urgency=low&at=2027-01-01T00:00:00Z"))
        .await
        .json();
    assert_eq!(
        (&low["end"], &low["steps"]),
        (&json!("nothing"), &json!([]))
    );
    assert_eq!(world.engine.read(|state| state.position), before);
    for (path, status) in [
        (
            format!("{path}?at=2040-01-01T00:00:00Z"),
            StatusCode::BAD_REQUEST,
        ),
        (format!("{path}?at=yesterday"), StatusCode::BAD_REQUEST),
        (format!("{path}?urgency=loud"), StatusCode::BAD_REQUEST),
        (
            "/services/QAAAAAAAAAAAAA/simulation".to_owned(),
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(world.get(&path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_mute_counts_in_a_simulation_of_its_target_alone_and_is_named_in_one_of_the_service() {
    let world = World::new();
    world.apache_is_found();
    let (target, service) = world.engine.read(|state| {
        let target = state.targets.values().next().unwrap();
        (target.id, target.service)
    });
    let until = START.plus_ms(120 * MINUTE);
    world.does(Ask::Watch(WatchAsk::Mute {
        target,
        until,
        reason: "known".to_owned(),
    }));
    let path = format!("/services/{service}/simulation");
    let of_service = world.get(&path).await.json();
    assert_eq!(of_service["target"], Value::Null);
    assert_eq!(of_service["steps"][0]["kind"], "level");
    let named = json!({"id": target.to_string(), "name": "webserver-01"});
    let quiet =
        json!([{"target": &named, "why": "the target is muted", "until": until.to_rfc3339()}]);
    assert_eq!(of_service["quiet_targets"], quiet);
    let of_target = world.get(&format!("{path}?target={target}")).await.json();
    assert_eq!(of_target["target"], named);
    assert_eq!(of_target["steps"][0]["kind"], "suppressed");
    assert_eq!(of_target["steps"][0]["until"], until.to_rfc3339());
    assert_eq!(of_target["quiet_targets"], json!([]));
    let default = world
        .engine
        .read(|state| state.installation.as_ref().unwrap().default_service);
    for path in [
        format!("/services/{default}/simulation?target={target}"),
        format!("{path}?target=QAAAAAAAAAAAAA"),
        format!("{path}?target=web"),
    ] {
        assert_eq!(
            world.get(&path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}
