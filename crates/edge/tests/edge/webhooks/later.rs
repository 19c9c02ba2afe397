//! Receivers that take nothing for a while: what waits for what, and what does not.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tocsin_edge::webhooks::{Patience, Webhooks};

use super::{PATH, ok, quick, subscribed, told};
use crate::pagerduty::ada;
use crate::providers::{Provider, Reply};
use crate::world::World;

/// Waits for longer than a test does before something is tried again.
fn start_patiently(world: &World) -> Webhooks {
    let hour = Duration::from_secs(3_600);
    let patience = Patience {
        retry_first: hour,
        retry_max: hour,
        ..quick()
    };
    Webhooks::start(world.app.clone(), patience).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_tried_at_once_after_a_start_too() {
    let world = World::new();
    let fails = Provider::always(Reply::json(500, ""));
    let (second, third) = (
        Provider::always(Reply::json(503, "")),
        Provider::always(ok()),
    );
    let id = subscribed(&world, &fails.url()).await;
    let path = format!("{PATH}/{id}");
    let to = |url: String| {
        let method = json!({"type": "http_delivery_method", "url": url});
        Some(json!({"webhook_subscription": {"delivery_method": method}}))
    };
    let webhooks = start_patiently(&world);
    world.raise("web").await;
    assert_eq!(told(&fails.next()).1, "web is down");
    let changed = ada(&world, ("PUT", &path), to(second.url())).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(told(&second.next()).1, "web is down");
    webhooks.stop();
    let changed = ada(&world, ("PUT", &path), to(third.url())).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let webhooks = start_patiently(&world);
    assert_eq!(told(&third.next()).1, "web is down");
    webhooks.stop();
}
