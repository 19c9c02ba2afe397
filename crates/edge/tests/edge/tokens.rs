//! Tokens by the API: whose they are, who made them, who sees and revokes them, and what those that belong to nobody do.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};

use crate::fakes::START;
use crate::pagerduty::{ask, read, refused};
use crate::world::{World, add_person};

/// Asks for a token of the installation.
fn of_the_installation(role: &str) -> Value {
    json!({"name": "Terraform", "role": role, "owner": "installation"})
}

/// What is told of one that Ada makes, its text included.
async fn made_by_ada(world: &World, role: &str) -> Value {
    let made = world.post("/api-tokens", of_the_installation(role)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What the list of whoever has the token `by` shows of one.
async fn listed(world: &World, by: &str, id: &Value) -> Option<Value> {
    let list = world.call("GET", "/api-tokens", by, None).await.json();
    let all = list["items"].as_array().unwrap();
    all.iter().find(|token| token["id"] == *id).cloned()
}

/// The newest log entry of a kind, as PagerDuty's clients read it.
async fn entry(world: &World, incident: &str, kind: &str) -> Value {
    let list = read(world, &format!("/incidents/{incident}/log_entries")).await;
    let entries = list["log_entries"].as_array().unwrap();
    let found = entries.iter().find(|one| one["type"] == kind);
    found.unwrap().clone()
}

#[tokio::test]
async fn people_who_are_administrators_make_tokens_of_the_installation_and_nobody_else() {
    let world = World::new();
    let made = made_by_ada(&world, "admin").await;
    assert_eq!(made["user_id"], Value::Null);
    assert_eq!(made["made_by"]["name"], "Ada");
    let key = text(&made["token"]);
    for (by, owner, why) in [
        (&world.bobs, "installation", "made by an administrator"),
        (&world.responder, "installation", "this needs a person"),
        (&world.responder, "me", "this needs a person"),
        (&key, "installation", "this needs a person"),
        (&key, "me", "this needs a person"),
    ] {
        let body = json!({"name": "t", "role": "responder", "owner": owner});
        let answer = world.call("POST", "/api-tokens", by, Some(body)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{owner}");
        assert!(answer.text().contains(why), "{}", answer.text());
    }
    let body = json!({"name": "mine", "role": "responder"});
    let own = world
        .call("POST", "/api-tokens", &world.bobs, Some(body))
        .await
        .json();
    assert_eq!(own["user_id"], world.bob.to_string());
    assert_eq!(own["made_by"]["name"], "Bob");
}

#[tokio::test]
async fn a_token_of_the_installation_outlives_its_maker_and_every_administrator_revokes_it() {
    let world = World::new();
    let (engine, vault) = (&world.engine, world.vault.as_ref());
    let eve = add_person(engine, vault, "Eve", "eve@example.org", Role::Admin);
    let eves = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: Some(eve),
        made_by: Some(eve),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let eves = world.doors.add_token(eves, START).unwrap().1;
    let body = of_the_installation("responder");
    let made = world.call("POST", "/api-tokens", &eves, Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    let (key, path) = (
        text(&made["token"]),
        format!("/api-tokens/{}", text(&made["id"])),
    );
    let status = async |method: &str, path: &str, by: &str| {
        let answer = world.call(method, path, by, None).await;
        answer.status
    };

    assert!(listed(&world, &world.bobs, &made["id"]).await.is_none());
    let by_bob = status("DELETE", &path, &world.bobs).await;
    assert_eq!(by_bob, StatusCode::NOT_FOUND);

    let gone = status("DELETE", &format!("/users/{eve}"), &world.admin).await;
    assert_eq!(gone, StatusCode::NO_CONTENT);
    let of_eve = status("GET", "/incidents", &eves).await;
    assert_eq!(of_eve, StatusCode::UNAUTHORIZED);
    assert_eq!(status("GET", "/incidents", &key).await, StatusCode::OK);
    let shown = listed(&world, &world.admin, &made["id"]).await.unwrap();
    let maker = json!({"id": eve.to_string(), "name": "a removed person"});
    assert_eq!(shown["made_by"], maker);

    let by_ada = status("DELETE", &path, &world.admin).await;
    assert_eq!(by_ada, StatusCode::NO_CONTENT);
    let after = status("GET", "/incidents", &key).await;
    assert_eq!(after, StatusCode::UNAUTHORIZED);
}

/// Gives Bob another role.
async fn bob_is(world: &World, role: &str) {
    let path = format!("/users/{}", world.bob);
    let body = Some(json!({ "role": role }));
    let set = world.call("PATCH", &path, &world.admin, body).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
}

#[tokio::test]
async fn a_smaller_token_of_an_administrator_makes_no_larger_one_and_none_of_the_installation() {
    let world = World::new();
    let make = async |by: &str, owner: &str, role: &str| {
        let body = json!({"name": "t", "role": role, "owner": owner});
        let answer = world.call("POST", "/api-tokens", by, Some(body)).await;
        (answer.status, answer.text())
    };
    // His token stays a responder's.
    bob_is(&world, "admin").await;
    for (owner, role, why) in [
        ("installation", "responder", "made by an administrator"),
        ("installation", "admin", "no more than who makes it"),
        ("me", "admin", "no more than who makes it"),
    ] {
        let (status, told) = make(&world.bobs, owner, role).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{owner} {role}");
        assert!(told.contains(why), "{told}");
    }
    let (status, told) = make(&world.bobs, "me", "responder").await;
    assert_eq!(status, StatusCode::CREATED, "{told}");

    let his = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: Some(world.bob),
        made_by: Some(world.bob),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let his = world.doors.add_token(his, START).unwrap().1;
    let body = of_the_installation("admin");
    let made = world.call("POST", "/api-tokens", &his, Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    bob_is(&world, "responder").await;
    let (status, told) = make(&his, "installation", "viewer").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
    let key = text(&made["token"]);
    let stays = world.call("GET", "/api-tokens", &key, None).await;
    assert_eq!(stays.status, StatusCode::OK, "{}", stays.text());
    let shown = listed(&world, &world.admin, &made["id"]).await.unwrap();
    assert_eq!(shown["made_by"]["name"], "Bob");
}

#[tokio::test]
async fn a_token_that_ends_makes_none_that_ends_later_or_never() {
    let world = World::new();
    let end = START.plus_ms(3_600_000);
    let hers = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: Some(world.ada),
        made_by: Some(world.ada),
        expires_at: Some(end),
        bounds: TokenBounds::default(),
    };
    let hers = world.doors.add_token(hers, START).unwrap().1;
    let before = world.doors.tokens().unwrap().len();
    let make = async |owner: &str, expires_at: Option<String>| {
        let body = json!({"name": "t", "role": "admin", "owner": owner, "expires_at": expires_at});
        world.call("POST", "/api-tokens", &hers, Some(body)).await
    };
    for owner in ["me", "installation"] {
        for later in [None, Some(end.plus_ms(1).to_rfc3339())] {
            let refused = make(owner, later.clone()).await;
            let told = refused.text();
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{owner} {later:?}");
            let why = format!("give expires_at, {} at the latest", end.to_rfc3339());
            assert!(told.contains(&why), "{told}");
        }
    }
    assert_eq!(world.doors.tokens().unwrap().len(), before);
    for owner in ["me", "installation"] {
        for at in [START.plus_ms(60_000), end] {
            let made = make(owner, Some(at.to_rfc3339())).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
            assert_eq!(made.json()["expires_at"], at.to_rfc3339());
        }
    }
}

#[tokio::test]
async fn a_name_of_a_token_that_is_too_long_is_refused_with_the_limit_before_anything_is_kept() {
    let world = World::new();
    let before = world.doors.tokens().unwrap().len();
    let named = async |name: String| {
        let body = json!({"name": name, "role": "viewer"});
        world.post("/api-tokens", body).await
    };
    let refused = named("警".repeat(101)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let why = "name: 1 to 100 characters on one line";
    assert!(refused.text().contains(why), "{}", refused.text());
    assert_eq!(world.doors.tokens().unwrap().len(), before);
    // What is counted are letters, however many bytes each has.
    let made = named("警".repeat(100)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn when_a_token_was_last_used_is_shown() {
    let world = World::new();
    let made = made_by_ada(&world, "viewer").await;
    let before = listed(&world, &world.admin, &made["id"]).await.unwrap();
    assert_eq!(before["last_used_at"], Value::Null);
    let used = world
        .call("GET", "/incidents", &text(&made["token"]), None)
        .await;
    assert_eq!(used.status, StatusCode::OK);
    let after = listed(&world, &world.admin, &made["id"]).await.unwrap();
    assert_eq!(after["last_used_at"], START.to_string());
}

#[tokio::test]
async fn a_token_of_the_installation_is_told_by_its_name_and_refused_what_needs_a_person() {
    let world = World::new();
    let key = text(&made_by_ada(&world, "responder").await["token"]);
    let id = world.raise("web").await;
    let by_key = async |what: &str| {
        let path = format!("/incidents/{id}/{what}");
        world.call("POST", &path, &key, Some(json!({}))).await
    };
    let taken = by_key("acknowledge").await;
    assert_eq!(taken.status, StatusCode::FORBIDDEN);
    assert!(
        taken.text().contains("this needs a person"),
        "{}",
        taken.text()
    );
    let ended = by_key("resolve").await;
    assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
    let timeline = world.get(&format!("/incidents/{id}/timeline")).await.text();
    assert!(
        timeline.contains("Resolved by token “Terraform”"),
        "{timeline}"
    );
    let resolved = entry(&world, &id, "resolve_log_entry").await;
    assert_eq!(resolved["agent"]["type"], "api_key_reference");
    assert_eq!(resolved["agent"]["summary"], "Terraform");
}

#[tokio::test]
async fn a_shared_key_of_pagerdutys_clients_acts_as_whoever_each_request_names() {
    let world = World::new();
    let key = text(&made_by_ada(&world, "responder").await["token"]);
    let me = ask(&world, ("GET", "/users/me"), &key, None, None).await;
    assert_eq!(me.status, StatusCode::BAD_REQUEST);
    let told = text(&me.json()["error"]);
    assert!(told.contains("account-level access token"), "{told}");

    let id = world.raise("web").await;
    let path = format!("/incidents/{id}");
    let take = async |from: Option<&str>| {
        let body = json!({"incident": {"type": "incident", "status": "acknowledged"}});
        ask(&world, ("PUT", &path), &key, from, Some(body)).await
    };
    refused(&take(None).await, 400, 2016);
    refused(&take(Some("nobody@example.org")).await, 400, 1008);
    let taken = take(Some("bob@example.org")).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let bob = world.bob.to_string();
    let taken = taken.json();
    let acknowledgement = &taken["incident"]["acknowledgements"][0];
    assert_eq!(acknowledgement["acknowledger"]["id"], bob);
    let acknowledged = entry(&world, &id, "acknowledge_log_entry").await;
    assert_eq!(acknowledged["agent"]["id"], bob);
    let timeline = world.get(&format!("/incidents/{id}/timeline")).await.text();
    assert!(timeline.contains("Bob by token “Terraform”"), "{timeline}");
}
