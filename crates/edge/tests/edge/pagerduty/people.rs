//! People of PagerDuty's REST API, also as Terraform's provider knows them: by their license, and by an address that is taken.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::event::Actor;
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};

use super::roster::{changed, gone, id_of, made};
use super::{ada, ask, read, refused};
use crate::fakes::START;
use crate::world::{World, add_person};

/// A token of the installation, as Terraform has one.
pub(super) fn installations_token(world: &World, role: Role) -> String {
    let token = NewToken {
        name: "Terraform".to_owned(),
        role,
        user: None,
        made_by: None,
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    world.doors.add_token(token, START).unwrap().1
}

/// Who did what was recorded last.
pub(super) fn last_actor(world: &World) -> Actor {
    let events = world.journal.events.lock().unwrap();
    events.last().unwrap().actor.clone()
}

/// The name of a token that did something by itself.
pub(super) fn token_in(actor: Actor) -> Option<String> {
    if let Actor::Token { name, .. } = actor {
        name
    } else {
        None
    }
}

#[tokio::test]
async fn a_token_of_nobody_adds_people_by_itself_or_in_the_name_of_whoever_may() {
    let world = World::new();
    let key = installations_token(&world, Role::Admin);
    let add = async |name: &str, from: Option<&str>| {
        let mail = format!("{name}@example.org");
        let body = json!({"user": {"name": name, "email": mail, "role": "user"}});
        ask(&world, ("POST", "/users"), &key, from, Some(body)).await
    };
    let alone = add("Cy", None).await;
    assert_eq!(alone.status, StatusCode::CREATED, "{}", alone.text());
    let by = token_in(last_actor(&world));
    assert_eq!(by.as_deref(), Some("Terraform"));
    refused(&add("Dan", Some("nobody@example.org")).await, 400, 1008);
    refused(&add("Dan", Some("bob@example.org")).await, 403, 2010);
    let as_ada = add("Dan", Some("ada@example.org")).await;
    assert_eq!(as_ada.status, StatusCode::CREATED, "{}", as_ada.text());
    assert_eq!(last_actor(&world).person(), Some(world.ada));
}

#[tokio::test]
async fn everybody_has_the_one_license() {
    let world = World::new();
    let path = format!("/users/{}/license", world.bob);
    let own = read(&world, &path).await["license"].clone();
    assert_eq!(own["type"], "license");
    assert_eq!(id_of(&own), "PTOCSIN");
    assert_eq!(
        (&own["name"], &own["summary"]),
        (&json!("Tocsin"), &json!("Tocsin"))
    );
    assert_eq!(own["role_group"], "FullUser");
    for name in ["allocations_available", "self", "html_url"] {
        assert_eq!(own.get(name), Some(&Value::Null), "{name}");
    }
    let people = read(&world, "/users?total=true").await;
    assert_eq!(own["current_value"], people["total"]);
    let roles = own["valid_roles"].as_array().unwrap();
    for person in people["users"].as_array().unwrap() {
        assert!(roles.contains(&person["role"]), "{person}");
    }
    assert_eq!(
        read(&world, "/licenses").await,
        json!({ "licenses": [own] })
    );
    let under = format!("/pagerduty{path}");
    let seen = ask(&world, ("GET", &under), &world.viewer, None, None).await;
    assert_eq!(seen.json()["license"], own);
    for nobody in ["/users/QAAAAAAAAAAAAA/license", "/users/PXPGF42/license"] {
        refused(&ada(&world, ("GET", nobody), None).await, 404, 2100);
    }
    let told = ada(&world, ("GET", "/license_allocations"), None).await;
    assert!(refused(&told, 404, 2100).contains("/licenses"));
}

#[tokio::test]
async fn a_person_is_given_the_license_that_is_read_and_no_other() {
    let world = World::new();
    let with = |id: &str| {
        let license = json!({"id": id, "type": "license_reference"});
        json!({"user": {"name": "Cy", "email": "cy@example.org", "role": "user", "license": license}})
    };
    let other = ada(&world, ("POST", "/users"), Some(with("PXPGF42"))).await;
    assert!(refused(&other, 400, 5001).contains("user.license"));
    let own = read(&world, "/licenses").await["licenses"][0].clone();
    let cy = made(&world, "/users", with(&id_of(&own))).await["user"].clone();
    let path = format!("/users/{}", id_of(&cy));
    let other = ada(&world, ("PUT", &path), Some(with("PXPGF42"))).await;
    refused(&other, 400, 5001);
    changed(&world, &path, with(&id_of(&own))).await;
}

#[tokio::test]
async fn an_address_that_somebody_has_is_told_in_the_words_that_clients_look_for() {
    let world = World::new();
    for mail in ["bob@example.org", "Bob@Example.org"] {
        let new = json!({"user": {"name": "Robert", "email": mail}});
        let taken = ada(&world, ("POST", "/users"), Some(new)).await;
        let told = refused(&taken, 400, 2001);
        assert_eq!(told, r#"["Email has already been taken"]"#, "{mail}");
    }
    let new = json!({"name": "Robert", "email": "bob@example.org", "role": "responder"});
    let native = world.post("/users", new).await;
    assert_eq!(native.status, StatusCode::CONFLICT);
    let detail = native.json()["detail"].clone();
    assert_eq!(detail, "somebody has this address already");
}

#[tokio::test]
async fn what_was_given_to_whoever_was_removed_since_is_theirs_no_more() {
    let world = World::new();
    let hook = "http://127.0.0.1:9/hook";
    let key = Some("a-signing-key-of-bob");
    world.reach(world.bob, "webhook", hook, key).await;
    let bob = world.bob.to_string();
    let incident = world.raise("web").await;
    let path = format!("/incidents/{incident}");
    let given = json!({ "people": [bob] });
    let given = world.post(&format!("{path}/reassign"), given).await;
    assert!(given.status.is_success(), "{}", given.text());
    let has_it = |shown: &Value| {
        let assignments = shown["assignments"].as_array().unwrap().iter();
        let mut people = assignments.map(|one| id_of(&one["assignee"]));
        people.any(|id| id == bob)
    };
    let shown = read(&world, &path).await["incident"].clone();
    assert_eq!(shown["assigned_via"], "direct_assignment");
    assert!(has_it(&shown), "{shown}");
    gone(&world, &format!("/users/{bob}")).await;
    let shown = read(&world, &path).await["incident"].clone();
    assert_eq!(shown["assigned_via"], "escalation_policy");
    assert!(!has_it(&shown), "{shown}");
}

#[tokio::test]
async fn people_are_listed_read_and_changed() {
    let world = World::new();
    let list = read(&world, "/users?query=bob").await;
    assert_eq!(list["users"][0]["id"], world.bob.to_string());
    assert_eq!(list["users"][0]["email"], "bob@example.org");
    let path = format!("/users/{}", world.bob);
    assert_eq!(
        list["users"][0]["contact_methods"][0]["type"],
        "email_contact_method_reference"
    );
    let whole = read(
        &world,
        &format!("{path}?include[]=contact_methods&include[]=notification_rules"),
    )
    .await;
    assert_eq!(
        whole["user"]["contact_methods"][0]["type"],
        "email_contact_method"
    );
    let methods = read(&world, &format!("{path}/contact_methods")).await;
    let method = id_of(&methods["contact_methods"][0]);
    let one = read(&world, &format!("{path}/contact_methods/{method}")).await;
    assert_eq!(
        one["contact_method"]["address"], "bob@example.org",
        "an administrator may write it"
    );
    assert!(
        read(&world, &format!("{path}/notification_rules")).await["notification_rules"].is_array()
    );
    let me = ask(&world, ("GET", "/users/me"), &world.bobs, None, None)
        .await
        .json();
    assert_eq!(me["user"]["id"], world.bob.to_string());
    let nobody = ask(&world, ("GET", "/users/me"), &world.viewer, None, None).await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST);
    assert!(
        nobody.json()["error"]
            .as_str()
            .unwrap()
            .contains("account-level access token")
    );
    let new = json!({"user": {"name": "Cy", "email": "cy@example.org", "role": "user"}});
    let cy = made(&world, "/users", new.clone()).await["user"].clone();
    refused(&ada(&world, ("POST", "/users"), Some(new)).await, 400, 2001);
    let path = format!("/users/{}", id_of(&cy));
    let viewer = changed(
        &world,
        &path,
        json!({"user": {"name": "Cyd", "role": "read_only_user"}}),
    )
    .await;
    assert_eq!(
        (&viewer["user"]["name"], &viewer["user"]["role"]),
        (&json!("Cyd"), &json!("read_only_user"))
    );
    let moved = json!({"user": {"email": "else@example.org"}});
    refused(&ada(&world, ("PUT", &path), Some(moved)).await, 400, 2001);
    gone(&world, &path).await;
}

#[tokio::test]
async fn addresses_are_read_of_the_people_of_a_page_alone() {
    let world = World::new();
    let reads = async |path: &str| {
        let before = world.vault.reads();
        let page = read(&world, path).await;
        (
            page["users"][0]["name"].clone(),
            world.vault.reads() - before,
        )
    };
    let path = "/users?limit=1&include[]=contact_methods";
    let (name, before) = reads(path).await;
    assert_eq!(name, "Ada");
    for (name, mail) in [("Mia", "m@example.org"), ("Ned", "n@example.org")] {
        add_person(
            &world.engine,
            world.vault.as_ref(),
            name,
            mail,
            Role::Responder,
        );
    }
    assert_eq!(reads(path).await, (json!("Ada"), before));
    let (name, _) = reads("/users?limit=1&query=n@EXAMPLE").await;
    assert_eq!(name, "Ned", "a part of an address finds them too");
    let (name, _) = reads("/users?limit=1&sort_by=name:desc").await;
    assert_eq!(name, "Ned");
}

#[tokio::test]
async fn a_responder_adds_nobody_whoever_they_name() {
    let world = World::new();
    let new =
        || Some(json!({"user": {"name": "Eve", "email": "eve@example.org", "role": "admin"}}));
    let call = ("POST", "/users");
    let answer = ask(
        &world,
        call,
        &world.responder,
        Some("ada@example.org"),
        new(),
    )
    .await;
    refused(&answer, 403, 2010);
    let account = installations_token(&world, Role::Admin);
    let as_bob = ask(&world, call, &account, Some("bob@example.org"), new()).await;
    refused(&as_bob, 403, 2010);
    let as_ada = ask(&world, call, &account, Some("ada@example.org"), new()).await;
    assert_eq!(as_ada.status, StatusCode::CREATED, "{}", as_ada.text());
}
