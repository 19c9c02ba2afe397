//! Files that wait for their turn while the journal keeps nothing of somebody else's change.

use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{BOB, apply, events, files, plan};
use crate::pagerduty::service;
use crate::providers::Gate;
use crate::world::{Answered, BASE, World};

/// What files are answered that come when a change has its turn and does not end, how long they waited, and whether events or rows
/// of the vault came of them. That change is carried out afterwards.
async fn while_held(world: &World, path: &str, change: Value) -> (Answered, Duration, bool) {
    let fingerprint = plan(world, &files(BOB)).await["fingerprint"].clone();
    let wanted = json!({"files": files(BOB), "fingerprint": fingerprint});
    let disk = Gate::default();
    *world.journal.held.lock().unwrap() = Some(disk.clone());
    let changed = world.call_at("POST", path, &world.admin, Some(change));
    let applied = async {
        let decided = disk.clone();
        let decided = tokio::task::spawn_blocking(move || decided.reached());
        decided.await.unwrap();
        let before = (events(world), world.vault.count());
        // From here on nobody but the files has anything to do, so the time goes on to when they wait no longer.
        tokio::time::pause();
        let came = Instant::now();
        let answer = world.post("/code/apply", wanted).await;
        let waited = came.elapsed();
        tokio::time::resume();
        let left = (events(world), world.vault.count()) != before;
        disk.open();
        (answer, waited, left)
    };
    let (changed, applied) = tokio::join!(changed, applied);
    assert_eq!(changed.status, StatusCode::CREATED, "{}", changed.text());
    applied
}

#[tokio::test]
async fn files_wait_for_each_turn_as_long_as_others_do_and_then_change_nothing() {
    // Whoever has the turn waits for the journal for longer than the files wait for them.
    let world = World::with(|settings| settings.answer_wait = Duration::from_secs(3_600));
    let of = service(&world)["id"].as_str().unwrap().to_owned();
    let kind = "events_api_v2_inbound_integration";
    for (path, change) in [
        (
            format!("{BASE}/webhook-subscriptions"),
            json!({"url": "https://example.org/hook", "events": ["incident.triggered"]}),
        ),
        // Its key is kept.
        (
            format!("/pagerduty/services/{of}/integrations"),
            json!({"integration": {"type": kind, "name": "Probe"}}),
        ),
        (
            format!("{BASE}/teams"),
            json!({"name": "Web", "members": []}),
        ),
    ] {
        let (refused, waited, left) = while_held(&world, &path, change).await;
        let told = refused.text();
        let expected = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(refused.status, expected, "{path}: {told}");
        assert!(told.contains("too many changes wait for each other: nothing was kept"));
        assert_eq!(refused.headers[header::RETRY_AFTER], "1");
        assert_eq!(waited.as_secs(), 30, "{path}");
        assert!(!left, "{path}");
    }
    // Nothing that was made for them keeps anybody's address.
    apply(&world, &files(BOB)).await;
}
