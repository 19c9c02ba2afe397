//! Audit records of PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};

use super::roster::{changed, gone, id_of, made};
use super::{ada, ask, read, refused};
use crate::fakes::START;
use crate::world::World;

/// A team that comes, is renamed and goes, by Ada.
async fn team_comes_and_goes(world: &World) -> String {
    let team = json!({"team": {"type": "team", "name": "Web"}});
    let made = made(world, "/teams", team).await;
    let id = id_of(&made["team"]);
    let path = format!("/teams/{id}");
    let team = json!({"team": {"type": "team", "name": "Shop"}});
    changed(world, &path, team).await;
    gone(world, &path).await;
    id
}

/// What each record of a page says: the action, and what was changed by it.
fn told(page: &Value) -> Vec<String> {
    let records = page["records"].as_array().unwrap().iter();
    let told = records.map(|record| {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let name = word(&record["root_resource"]["summary"]);
        format!("{} {name}", word(&record["action"]))
    });
    told.collect()
}

#[tokio::test]
async fn a_record_tells_what_was_done_to_what_and_by_whom() {
    let world = World::new();
    let id = team_comes_and_goes(&world).await;
    let page = read(&world, "/audit/records?limit=3").await;
    assert_eq!(told(&page), ["delete Shop", "update Shop", "create Web"]);
    assert_eq!(page["limit"], 3);
    let record = &page["records"][0];
    assert_eq!(record["root_resource"]["id"], json!(id));
    assert_eq!(record["root_resource"]["type"], "team_reference");
    assert_eq!(record["details"]["resource"], record["root_resource"]);
    assert_eq!(record["details"]["fields"][0]["name"], "team_removed");
    assert_eq!(record["actors"][0]["id"], world.ada.to_string());
    assert_eq!(record["actors"][0]["type"], "user_reference");
    assert_eq!(record["method"]["type"], "other");
    let none = json!({"request_id": null, "remote_address": null});
    assert_eq!(record["execution_context"], none);
    assert_eq!(record["execution_time"], "2026-11-23T07:00:00Z");

    let cursor = page["next_cursor"].as_str().unwrap();
    let path = format!("/audit/records?limit=100&cursor={cursor}");
    let older = read(&world, &path).await;
    assert_eq!(told(&older)[0], "create Bob");
    assert_eq!(older["records"][0]["actors"][0]["type"], "app_reference");
    assert_eq!(older["next_cursor"], Value::Null);

    let own = read(&world, &format!("/teams/{id}/audit/records")).await;
    assert_eq!(own["records"], page["records"]);
    let path = format!("/users/{}/audit/records", world.bob);
    assert_eq!(told(&read(&world, &path).await), ["create Bob"]);
    for nothing in ["/teams/QAAAAAAAAAAAAA", "/users/nobody"] {
        let path = format!("{nothing}/audit/records");
        refused(&ada(&world, ("GET", &path), None).await, 404, 2100);
    }
}

#[tokio::test]
async fn records_are_filtered_as_there() {
    let world = World::new();
    team_comes_and_goes(&world).await;
    let new = NewToken {
        name: "Deploy".to_owned(),
        role: Role::Admin,
        user: None,
        made_by: Some(world.ada),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let (token, text) = world.doors.add_token(new, START).unwrap();
    let team = json!({"team": {"type": "team", "name": "Night"}});
    let made = ask(&world, ("POST", "/teams"), &text, None, Some(team)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let all_of = async |query: &str| told(&read(&world, &format!("/audit/records?{query}")).await);

    let key = format!("actor_type=api_key_reference&actor_id={}", token.id);
    for query in [key.as_str(), "method_type=api_token"] {
        assert_eq!(all_of(query).await, ["create Night"], "{query}");
    }
    let teams = all_of("root_resource_types[]=teams&actions[]=create&actions[]=delete").await;
    assert_eq!(teams, ["create Night", "delete Shop", "create Web"]);
    let ada = format!("actor_type=user_reference&actor_id={}", world.ada);
    assert_eq!(all_of(&ada).await.len(), 3);
    let before = "since=2026-11-22T00:00:00Z&until=2026-11-23T00:00:00Z";
    assert_eq!(all_of(before).await, [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_asked_of_records_is_refused() {
    let world = World::new();
    for wrong in [
        "actor_id=QAAAAAAAAAAAAA",
        "actor_type=team_reference",
        "method_type=api_token&method_truncated_token=3xyz",
        "root_resource_types[]=incidents",
        "actions[]=read",
        "cursor=x",
        "limit=0",
        "since=2026-11-23T09:00:00Z&until=2026-11-23T08:00:00Z",
        "since=2026-10-01T00:00:00Z&until=2026-11-02T00:00:00Z",
    ] {
        let path = format!("/audit/records?{wrong}");
        refused(&ada(&world, ("GET", &path), None).await, 400, 2001);
    }
    let bobs = ask(&world, ("GET", "/audit/records"), &world.bobs, None, None).await;
    refused(&bobs, 403, 2010);
}
