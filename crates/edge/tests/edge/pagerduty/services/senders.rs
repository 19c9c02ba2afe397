//! What is said of an integration beside its name: where its mail goes, and whose sender it is for.

use serde_json::json;

use super::integration;
use crate::pagerduty::roster::{changed, id_of};
use crate::pagerduty::{ada, refused, service};
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
