//! What is said of an integration beside its name: where its mail goes, and whose sender it is for.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::integration;
use crate::pagerduty::roster::{changed, id_of};
use crate::pagerduty::{ada, read, refused, service};
use crate::world::World;

#[tokio::test]
async fn the_address_of_mail_is_written_back_and_no_other_is_chosen() {
    let world = World::new();
    let kind = "generic_email_inbound_integration";
    let (path, made) = integration(&world, json!({"type": kind, "name": "Mail"})).await;
    let own = json!({"integration": {"name": "Post", "type": kind,
        "integration_email": made["integration_email"], "email_filter_mode": "all-email", "email_filters": []}});
    let set = changed(&world, &path, own).await["integration"].clone();
    assert_eq!(set["name"], "Post");
    assert_eq!(set["integration_email"], made["integration_email"]);
    let chosen = json!({"integration": {"name": "Mail", "type": kind, "integration_email": "shop@alerts.example"}});
    let list = format!("/services/{}/integrations", id_of(&service(&world)));
    for call in [("PUT", &path), ("POST", &list)] {
        let call = (call.0, call.1.as_str());
        let answer = ada(&world, call, Some(chosen.clone())).await;
        let told = refused(&answer, 400, 2001);
        assert!(told.contains("integration.integration_email"), "{told}");
    }
}

#[tokio::test]
async fn terraform_finds_a_product_by_its_name_and_gets_a_key_for_its_events() {
    let world = World::new();
    let found = read(&world, "/vendors?query=Datadog").await["vendors"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found[0]["name"], "Datadog");
    // As its provider writes an integration by its vendor.
    let vendor = json!({"id": found[0]["id"], "type": "vendor"});
    let body = json!({"type": "service_integration", "name": "Datadog", "vendor": vendor});
    let (path, made) = integration(&world, body).await;
    assert_eq!(made["type"], "events_api_v2_inbound_integration");
    let shown = read(&world, &path).await["integration"].clone();
    assert_eq!(shown["vendor"]["id"], found[0]["id"]);
    let renamed =
        json!({"integration": {"type": shown["type"], "name": "Graphs", "vendor": vendor}});
    let renamed = changed(&world, &path, renamed).await["integration"].clone();
    assert_eq!(renamed["vendor"]["id"], found[0]["id"]);
    let event = json!({"routing_key": made["integration_key"], "event_action": "trigger", "dedup_key": "k",
        "payload": {"summary": "Down", "source": "probe", "severity": "critical"}});
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    for foreign in ["Amazon%20CloudWatch", "Pingdom"] {
        let none = read(&world, &format!("/vendors?query={foreign}")).await;
        assert_eq!(none["vendors"], Value::Array(Vec::new()), "{foreign}");
    }
}
