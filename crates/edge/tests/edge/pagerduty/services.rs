//! Services as Terraform's provider of PagerDuty keeps them: what it writes, reads back and takes away.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, gone, id_of, made};
use super::{ada, ask, read, refused, service};
use crate::world::World;

/// A new integration of the default service, as its path.
async fn integration(world: &World, body: Value) -> (String, Value) {
    let path = format!("/services/{}/integrations", id_of(&service(world)));
    let made = made(world, &path, json!({ "integration": body })).await["integration"].clone();
    (format!("{path}/{}", id_of(&made)), made)
}

#[tokio::test]
async fn an_administrator_reads_the_key_of_an_integration_again_and_nobody_else_does() {
    let world = World::new();
    let body = json!({"type": "events_api_v2_inbound_integration", "name": "Probe"});
    let (path, made) = integration(&world, body).await;
    let key = made["integration_key"].as_str().unwrap();
    let again = read(&world, &path).await;
    assert_eq!(again["integration"]["integration_key"], key);
    for token in [&world.viewer, &world.responder, &world.bobs] {
        let answer = ask(&world, ("GET", &path), token, None, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let shown = answer.json();
        assert_eq!(shown["integration"]["integration_key"], Value::Null);
    }
    assert!(world.vault.knows(key));
    gone(&world, &path).await;
    assert!(!world.vault.knows(key), "a dead key is not kept");
}

#[tokio::test]
async fn the_address_of_a_mail_integration_is_read_again() {
    let world = World::new();
    let body = json!({"type": "generic_email_inbound_integration", "name": "Mail"});
    let (path, made) = integration(&world, body).await;
    let again = read(&world, &path).await;
    assert!(made["integration_email"].is_string(), "{made}");
    assert_eq!(
        again["integration"]["integration_email"],
        made["integration_email"]
    );
}

#[tokio::test]
async fn an_integration_is_called_otherwise_and_keeps_its_key() {
    let world = World::new();
    let body = json!({"type": "events_api_v2_inbound_integration", "name": "Probe"});
    let (path, made) = integration(&world, body).await;
    let body = json!({"integration": {"type": made["type"], "name": "Other probe"}});
    let renamed = changed(&world, &path, body).await["integration"].clone();
    assert_eq!(renamed["name"], "Other probe");
    assert_eq!(renamed["integration_key"], made["integration_key"]);
    let other = json!({"integration": {"type": "generic_email_inbound_integration"}});
    refused(&ada(&world, ("PUT", &path), Some(other)).await, 400, 2001);
}

#[tokio::test]
async fn a_key_that_is_removed_by_the_native_api_is_not_kept_either() {
    let world = World::new();
    let body = json!({"type": "events_api_v2_inbound_integration", "name": "Probe"});
    let (path, made) = integration(&world, body).await;
    let key = made["integration_key"].as_str().unwrap();
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(!world.vault.knows(key));
}
