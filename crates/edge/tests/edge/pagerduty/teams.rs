//! Members of teams in PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{id_of, made};
use super::{ada, read, refused};
use crate::world::World;

async fn web(world: &World) -> String {
    let body = json!({"team": {"type": "team", "name": "Web"}});
    let web = made(world, "/teams", body).await;
    format!("/teams/{}", id_of(&web["team"]))
}

async fn put(world: &World, path: &str, body: Option<Value>) {
    let put = ada(world, ("PUT", path), body).await;
    assert_eq!(put.status, StatusCode::NO_CONTENT, "{}", put.text());
}

#[tokio::test]
async fn two_people_who_are_put_into_a_team_at_once_are_both_in_it() {
    let world = World::new();
    let path = web(&world).await;
    let of = |user: String| format!("{path}/users/{user}");
    let (one, other) = (of(world.ada.to_string()), of(world.bob.to_string()));
    tokio::join!(put(&world, &one, None), put(&world, &other, None));
    let members = read(&world, &format!("{path}/members")).await;
    let mut found: Vec<&str> = members["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["user"]["id"].as_str().unwrap())
        .collect();
    let mut both = [world.ada.to_string(), world.bob.to_string()];
    found.sort_unstable();
    both.sort_unstable();
    assert_eq!(found, both);
}

#[tokio::test]
async fn the_role_of_a_member_reads_back_as_it_was_written() {
    let world = World::new();
    let path = web(&world).await;
    let bob = format!("{path}/users/{}", world.bob);
    let role =
        async || read(&world, &format!("{path}/members")).await["members"][0]["role"].clone();
    put(&world, &bob, Some(json!({"role": "manager"}))).await;
    assert_eq!(role().await, "manager");
    put(&world, &bob, None).await;
    assert_eq!(role().await, "manager");
    put(&world, &bob, Some(json!({"role": "responder"}))).await;
    assert_eq!(role().await, "responder");
    let wrong = ada(&world, ("PUT", &bob), Some(json!({"role": "owner"}))).await;
    refused(&wrong, 400, 2001);
}
