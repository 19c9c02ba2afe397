//! Members of teams in PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{id_of, made};
use super::{ada, read};
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
