//! The key that browsers know us by: it is there from the start on, and looking at it writes nothing.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::world::World;

async fn shown(world: &World) -> Value {
    let answer = world.get("/channels").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let channels = answer.json();
    let accounts = channels["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|one| one["provider"] == "web_push");
    found.unwrap()["public_key"].clone()
}

#[tokio::test]
async fn looking_at_the_channels_keeps_nothing() {
    let world = World::new();
    let kept = world.vault.count();
    // Not even this could be kept.
    world.doors.disk_full.store(true, Ordering::SeqCst);
    let key = shown(&world).await;
    assert!(key.is_string(), "{key}");
    assert_eq!(shown(&world).await, key);
    assert_eq!(world.vault.count(), kept);
}
