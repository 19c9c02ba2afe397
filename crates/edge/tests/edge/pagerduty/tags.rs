//! Tags of PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{gone, id_of, made};
use super::{ada, read, refused};
use crate::world::World;

async fn change(world: &World, path: &str, body: Value) {
    let path = format!("{path}/change_tags");
    let answer = ada(world, ("POST", &path), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

async fn labels(world: &World, path: &str) -> Vec<String> {
    let shown = read(world, &format!("{path}/tags")).await;
    let tags = shown["tags"].as_array().unwrap().iter();
    tags.map(|tag| tag["label"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn tags_are_put_on_things_and_find_them() {
    let world = World::new();
    let body = json!({"tag": {"type": "tag", "label": "West"}});
    let west = made(&world, "/tags", body.clone()).await["tag"].clone();
    assert_eq!(
        (&west["type"], &west["label"]),
        (&json!("tag"), &json!("West"))
    );
    refused(&ada(&world, ("POST", "/tags"), Some(body)).await, 400, 2001);
    let bob = format!("/users/{}", world.bob);
    let add = json!({"add": [{"type": "tag_reference", "id": west["id"]}, {"type": "tag", "label": "Database"}]});
    change(&world, &bob, add).await;
    assert_eq!(labels(&world, &bob).await, ["Database", "West"]);
    let path = format!("/tags/{}", id_of(&west));
    let found = read(&world, &format!("{path}/users")).await;
    assert_eq!(found["users"][0]["id"], world.bob.to_string());
    assert_eq!(
        read(&world, &format!("{path}/teams")).await["teams"],
        json!([])
    );
    let named = read(&world, "/tags?query=data&total=true").await;
    assert_eq!(
        (&named["total"], &named["tags"][0]["label"]),
        (&json!(1), &json!("Database"))
    );
    change(
        &world,
        &bob,
        json!({"remove": [{"type": "tag_reference", "id": west["id"]}]}),
    )
    .await;
    assert_eq!(labels(&world, &bob).await, ["Database"]);
    gone(&world, &path).await;
}

#[tokio::test]
async fn teams_and_policies_have_tags_too() {
    let world = World::new();
    let add = || json!({"add": [{"type": "tag", "label": "West"}]});
    let team = read(&world, "/teams").await["teams"][0].clone();
    let policy = read(&world, "/escalation_policies").await["escalation_policies"][0].clone();
    for path in [
        format!("/teams/{}", id_of(&team)),
        format!("/escalation_policies/{}", id_of(&policy)),
    ] {
        change(&world, &path, add()).await;
        assert_eq!(labels(&world, &path).await, ["West"]);
    }
    for path in ["/users", "/teams", "/escalation_policies"] {
        let path = format!("{path}/QAAAAAAAAAAAAA/change_tags");
        refused(&ada(&world, ("POST", &path), Some(add())).await, 404, 2100);
    }
    let unknown = json!({"remove": [{"type": "tag_reference", "id": "PAAAAAAAAAAAAA"}]});
    let path = format!("/users/{}/change_tags", world.bob);
    refused(
        &ada(&world, ("POST", &path), Some(unknown)).await,
        400,
        5001,
    );
}
