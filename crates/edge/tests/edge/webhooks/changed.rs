//! Webhook subscriptions that are changed by several at once, by somebody who hangs up, and without their row of the vault.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::id::WebhookId;
use tocsin_edge::ports::Vault;

use super::{PATH, asked, subscribe};
use crate::pagerduty::{ada, read};
use crate::providers::Gate;
use crate::world::World;

fn changing(what: Value) -> Value {
    json!({ "webhook_subscription": what })
}

fn to(url: &str) -> Value {
    changing(json!({"delivery_method": {"type": "http_delivery_method", "url": url}}))
}

/// Makes a subscription, and gives its path.
async fn made(world: &World) -> String {
    let body = asked("https://example.org/hook", &["incident.triggered"]);
    let made = subscribe(world, body).await;
    format!("{PATH}/{}", made["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_changes_at_once_are_both_carried_out() {
    let world = World::new();
    let before = world.vault.count();
    let path = made(&world).await;
    let (has_come, go_on) = world.vault.hold_next();
    let first = ada(
        &world,
        ("PUT", &path),
        Some(to("https://example.org/other")),
    );
    let described = changing(json!({"description": "to all"}));
    let second = async {
        has_come.await.unwrap();
        let change = ada(&world, ("PUT", &path), Some(described));
        let (changed, ()) = tokio::join!(change, async { go_on.send(()).unwrap() });
        changed
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    assert_eq!(second.status, StatusCode::OK, "{}", second.text());
    let shown = read(&world, &path).await["webhook_subscription"].clone();
    assert_eq!(shown["description"], "to all");
    assert_eq!(shown["delivery_method"]["url"], "https://example.org/other");
    assert_eq!(world.vault.count(), before + 1, "the row before is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_changed_to_the_end_when_the_client_hangs_up() {
    let world = World::new();
    let path = made(&world).await;
    let (has_come, go_on) = world.vault.hold_next();
    tokio::select! {
        answer = ada(&world, ("PUT", &path), Some(to("https://example.org/other"))) =>
            panic!("it is held up: {}", answer.text()),
        came = has_come => came.unwrap(),
    }
    go_on.send(()).unwrap();
    // Whoever changes it next does so after that.
    let described = changing(json!({"description": "to all"}));
    let changed = ada(&world, ("PUT", &path), Some(described)).await;
    let shown = changed.json()["webhook_subscription"].clone();
    assert_eq!(shown["delivery_method"]["url"], "https://example.org/other");
}

#[tokio::test]
async fn a_description_that_is_empty_is_taken_back() {
    let world = World::new();
    let path = made(&world).await;
    for empty in [json!(""), Value::Null] {
        for (what, expected) in [
            (json!({"description": "to all"}), "to all"),
            (json!({"active": true}), "to all"),
            (json!({"description": empty}), ""),
        ] {
            let changed = ada(&world, ("PUT", &path), Some(changing(what))).await;
            assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
            let shown = read(&world, &path).await["webhook_subscription"].clone();
            assert_eq!(shown["description"], expected, "{empty}");
        }
    }
}

#[tokio::test]
async fn a_subscription_without_its_row_is_listed_and_can_be_given_another() {
    let world = World::new();
    let path = made(&world).await;
    made(&world).await;
    let id: WebhookId = path.rsplit('/').next().unwrap().parse().unwrap();
    let row = world
        .engine
        .read(|state| state.webhooks[&id].webhook.delivery);
    world.vault.remove(&[row]).unwrap();
    let listed = read(&world, PATH).await;
    assert_eq!(listed["webhook_subscriptions"].as_array().unwrap().len(), 2);
    for (word, count) in [
        ("account", 2),
        ("account_reference", 2),
        ("team_reference", 0),
    ] {
        let listed = read(&world, &format!("{PATH}?filter_type={word}")).await;
        let listed = listed["webhook_subscriptions"].as_array().unwrap().len();
        assert_eq!(listed, count, "{word}");
    }
    let shown = read(&world, &path).await["webhook_subscription"].clone();
    assert!(shown["delivery_method"]["url"].is_null(), "{shown}");
    let url = "https://example.org/other";
    let changed = ada(&world, ("PUT", &path), Some(to(url))).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let method = changed.json()["webhook_subscription"]["delivery_method"].clone();
    assert_eq!(method["url"], url);
    assert_eq!(method["secret"].as_str().unwrap().len(), 64, "it is new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_changed_while_its_service_goes_by_files_leaves_no_row_behind() {
    let world = World::new();
    let shop = world.post("/services", json!({"name": "Shop"})).await;
    let rows = world.vault.count();
    let mut body = asked("https://example.org/hook", &["incident.triggered"]);
    let filter = json!({"type": "service_reference", "id": shop.json()["id"]});
    body["webhook_subscription"]["filter"] = filter;
    let made = subscribe(&world, body).await;
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let text = "[manage]\nremove = [\"services\"]\n\n[[users]]\nemail = \"carol@example.org\"\nname = \"Carol\"\nrole = \"viewer\"\n";
    let mut files = json!({"files": [{"name": "all.toml", "text": text}]});
    let planned = world.post("/code/plan", files.clone()).await;
    assert_eq!(planned.status, StatusCode::OK, "{}", planned.text());
    files["fingerprint"] = planned.json()["fingerprint"].clone();
    let disk = Gate::default();
    *world.journal.held.lock().unwrap() = Some(disk.clone());
    let change = ada(
        &world,
        ("PUT", &path),
        Some(to("https://example.org/other")),
    );
    let goes = async {
        // The change is decided then, and nobody who looks sees it.
        let decided = disk.clone();
        let decided = tokio::task::spawn_blocking(move || decided.reached());
        decided.await.unwrap();
        let apply = world.post("/code/apply", files);
        let go_on = async {
            // Both rows of Carol are kept before anything is made true; those of the subscription are two.
            while world.vault.count() < rows + 4 {
                tokio::task::yield_now().await;
            }
            // Whoever waits for no turn has looked by then where the subscription goes.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            disk.open();
        };
        tokio::join!(apply, go_on).0
    };
    let (changed, applied) = tokio::join!(change, goes);
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.text());
    assert_eq!(world.vault.count(), rows + 2, "only Carol has rows");
}
