//! Members of teams in PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, gone, id_of, made};
use super::{ada, read, refused, service};
use crate::code::{apply, files};
use crate::fakes::START;
use crate::world::World;

async fn web(world: &World) -> String {
    let body = json!({"team": {"type": "team", "name": "Web"}});
    let web = made(world, "/teams", body).await;
    format!("/teams/{}", id_of(&web["team"]))
}

/// Has what happens to incidents of a team sent somewhere.
async fn subscribe(world: &World, team: &str) {
    let team = team.rsplit('/').next().unwrap();
    let body = json!({"webhook_subscription": {
        "type": "webhook_subscription", "events": ["incident.triggered"],
        "filter": {"id": team, "type": "team_reference"},
        "delivery_method": {"type": "http_delivery_method", "url": "https://example.org/hook"},
    }});
    let answer = ada(world, ("POST", "/webhook_subscriptions"), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
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

#[tokio::test]
async fn a_team_that_is_to_be_private_is_refused() {
    let world = World::new();
    let path = web(&world).await;
    let with = |role: Value| json!({"team": {"name": "Shop", "default_role": role}});
    for call in [("POST", "/teams"), ("PUT", path.as_str())] {
        let answer = ada(&world, call, Some(with(json!("none")))).await;
        let told = refused(&answer, 400, 2001);
        assert!(told.contains("'team.default_role'"), "{told}");
    }
    let read_back = read(&world, &path).await["team"].clone();
    assert_eq!(read_back["name"], "Web", "nothing of it was kept");
    let written = changed(&world, &path, json!({ "team": read_back })).await;
    assert_eq!(written["team"]["default_role"], "manager");
    changed(&world, &path, with(Value::Null)).await;
}

#[tokio::test]
async fn lists_of_one_team_show_nothing_of_another() {
    let world = World::new();
    let path = web(&world).await;
    let other = path.rsplit('/').next().unwrap().to_owned();
    world.raise("web").await;
    let at = |minutes: u64| START.plus_ms(minutes * 60_000).to_rfc3339();
    let body = json!({"maintenance_window": {
        "type": "maintenance_window", "description": "New disks",
        "start_time": at(60), "end_time": at(120), "services": [service(&world)],
    }});
    made(&world, "/maintenance_windows", body).await;
    let own = read(&world, "/services").await["services"][0]["teams"][0]["id"].clone();
    let own = own.as_str().unwrap().to_owned();
    for name in ["log_entries", "maintenance_windows"] {
        let of = async |team: &str| {
            let path = format!("/{name}?team_ids[]={team}");
            read(&world, &path).await[name].as_array().unwrap().len()
        };
        assert_eq!(of(&other).await, 0, "{name}");
        assert!(of(&own).await > 0, "{name}");
    }
}

#[tokio::test]
async fn subscriptions_to_a_team_go_with_it_and_leave_nothing_in_the_vault() {
    let world = World::new();
    let rows = world.vault.count();
    for way in ["as PagerDuty's clients do it", "natively", "by files"] {
        let path = web(&world).await;
        subscribe(&world, &path).await;
        assert_eq!(world.vault.count(), rows + 1, "{way}");
        match way {
            "by files" => {
                apply(&world, &files("[manage]\nremove = [\"teams\"]\n")).await;
            }
            "natively" => {
                let removed = world.call("DELETE", &path, &world.admin, None).await;
                assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text());
            }
            _ => gone(&world, &path).await,
        }
        let listed = read(&world, "/webhook_subscriptions").await;
        assert_eq!(listed["webhook_subscriptions"], json!([]), "{way}");
        assert_eq!(world.vault.count(), rows, "{way}");
    }
}
