//! Work that the files planned and somebody ended early, in the plan of the same files and when they are applied again.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{apply, events, files, plan};
use crate::fakes::START;
use crate::world::World;

fn work(hours: u64) -> Value {
    let (from, until) = (START.to_rfc3339(), START.plus_ms(hours * 3_600_000));
    files(&format!(
        "[[maintenance_windows]]\nreason = \"disks\"\nservices = [\"First service\"]\nfrom = {from}\nuntil = {}\n",
        until.to_rfc3339()
    ))
}

#[tokio::test]
async fn what_somebody_ended_is_not_silenced_again_by_files_that_have_not_changed() {
    let world = World::new();
    apply(&world, &work(8)).await;
    let list = world.get("/maintenance-windows").await.json();
    let id = list["items"][0]["id"].as_str().unwrap();
    let end = format!("/maintenance-windows/{id}/end");
    let ended = world.post(&end, json!({})).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    let before = events(&world);
    let planned = plan(&world, &work(8)).await;
    assert_eq!(planned["changes"], json!([]));
    assert!(!planned["kept"].to_string().contains("disks"), "{planned}");
    let applied = apply(&world, &work(8)).await;
    assert_eq!(applied["changes"], json!([]));
    assert_eq!(events(&world), before);

    let longer = plan(&world, &work(9)).await;
    assert_eq!(longer["changes"][0]["change"], "added", "{longer}");
    assert_eq!(longer["changes"][0]["name"], "disks");
    apply(&world, &work(9)).await;
    let list = world.get("/maintenance-windows").await.json();
    let list = list["items"].as_array().unwrap();
    let active = list.iter().filter(|one| one["active"] == true);
    assert_eq!((list.len(), active.count()), (2, 1), "{list:?}");
}
