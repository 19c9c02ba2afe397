//! Tags by the native API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{NOTHING, asked, id_of, read, refused, status};
use crate::world::World;

fn labels(shown: &Value) -> Vec<&str> {
    let tags = shown["tags"].as_array().unwrap().iter();
    tags.map(|tag| tag["label"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn tags_are_put_on_things_find_them_and_go() {
    let world = World::new();
    let made = world.post("/tags", json!({"label": " West "})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let west = made.json();
    assert_eq!(west["label"], "West", "without blanks around it");
    let path = format!("/tags/{}", id_of(&west));
    assert_eq!(read(&world, &path).await, west);
    let team = read(&world, "/teams").await["items"][0].clone();
    let policy = read(&world, "/escalation-policies").await["items"][0].clone();
    for path in [
        format!("/users/{}/tags", world.bob),
        format!("/teams/{}/tags", id_of(&team)),
        format!("/escalation-policies/{}/tags", id_of(&policy)),
    ] {
        let change = json!({"add": ["West", "Database"]});
        let has = asked(&world, ("PATCH", &path), change).await;
        assert_eq!(labels(&has), ["Database", "West"], "{path}");
        assert_eq!(read(&world, &path).await, has);
    }
    let found = read(&world, &format!("{path}/tagged")).await;
    let found = found["items"].as_array().unwrap();
    let kinds: Vec<&str> = found
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["user", "team", "escalation_policy"]);
    assert_eq!(found[0]["name"], "Bob");
    let of_bob = format!("/users/{}/tags", world.bob);
    let left = asked(&world, ("PATCH", &of_bob), json!({"remove": ["West"]})).await;
    assert_eq!(labels(&left), ["Database"]);
    let listed = read(&world, "/tags?limit=1").await;
    assert_eq!(listed["items"][0]["label"], "Database");
    let cursor = listed["next_cursor"].as_str().unwrap();
    let rest = read(&world, &format!("/tags?cursor={cursor}")).await;
    assert_eq!(rest["items"], json!([west]));
    assert_eq!(
        status(&world, ("DELETE", &path)).await,
        StatusCode::NO_CONTENT
    );
    let gone = (StatusCode::NOT_FOUND, "there is no tag");
    refused(&world, ("GET", &path), None, gone).await;
    refused(&world, ("DELETE", &path), None, gone).await;
    let of_team = read(&world, &format!("/teams/{}/tags", id_of(&team))).await;
    assert_eq!(labels(&of_team), ["Database"]);
}

#[tokio::test]
async fn what_cannot_be_tagged_or_is_no_tag_is_refused() {
    let world = World::new();
    asked(&world, ("POST", "/tags"), json!({"label": "West"})).await;
    let of_bob = format!("/users/{}/tags", world.bob);
    let many = vec!["x"; 101];
    let more: Vec<String> = (0..51).map(|number| format!("tag {number}")).collect();
    for (call, body, status, reason) in [
        (
            ("POST", "/tags"),
            json!({"label": "West"}),
            StatusCode::CONFLICT,
            "already",
        ),
        (
            ("POST", "/tags"),
            json!({"label": " "}),
            StatusCode::BAD_REQUEST,
            "label",
        ),
        (
            ("POST", "/tags"),
            json!({"label": "x".repeat(192)}),
            StatusCode::BAD_REQUEST,
            "label",
        ),
        (
            ("PATCH", of_bob.as_str()),
            json!({"remove": ["East"]}),
            StatusCode::NOT_FOUND,
            "there is no tag",
        ),
        (
            ("PATCH", of_bob.as_str()),
            json!({"add": many}),
            StatusCode::BAD_REQUEST,
            "add: at most 100",
        ),
        (
            ("PATCH", of_bob.as_str()),
            json!({"add": more}),
            StatusCode::BAD_REQUEST,
            "at most 50 tags",
        ),
    ] {
        refused(&world, call, Some(body), (status, reason)).await;
    }
    for (list, noun) in [
        ("/users", "person"),
        ("/teams", "team"),
        ("/escalation-policies", "escalation policy"),
    ] {
        let path = format!("{list}/{NOTHING}/tags");
        let missing = (StatusCode::NOT_FOUND, noun);
        refused(&world, ("GET", &path), None, missing).await;
        let body = Some(json!({"add": ["West"]}));
        refused(&world, ("PATCH", &path), body, missing).await;
    }
    assert_eq!(labels(&read(&world, &of_bob).await), [""; 0]);
}
