//! Places of delivery: what is not a request under way holds none, and one host does not hold all.

use std::time::Duration;

use serde_json::json;
use tocsin_domain::id::UserId;
use tocsin_engine::NotDurable;

use crate::buttons::loopback;
use crate::pace::HandPace;
use crate::providers::{NTFY_OK, Provider, Reply};
use crate::world::World;

/// More than one address has places for.
const PAGES: usize = 6;
/// More than a channel has places for.
const TOPICS: usize = 34;

/// Asks for a test page to a further topic of somebody.
async fn test_page(world: &World, owner: UserId, topic: &str) {
    let methods = format!("/users/{owner}/contact-methods");
    let body = json!({"kind": "ntfy", "label": "Phone", "address": topic});
    let added = world.post(&methods, body).await;
    let id = added.json()["id"].as_str().unwrap().to_owned();
    let asked = world.post(&format!("{methods}/{id}/test"), json!({})).await;
    assert!(asked.status.is_success(), "{}", asked.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_cannot_be_kept_yet_holds_no_place() {
    let provider = Provider::always(Reply::json(200, NTFY_OK));
    let world = World::new();
    let topic = format!("{}/topic", provider.url());
    world.reach(world.ada, "ntfy", &topic, None).await;
    for number in 0..PAGES {
        world.raise(&format!("web-{number}")).await;
    }
    *world.journal.refusal.lock().unwrap() = Some(NotDurable {
        why: "no space left".to_owned(),
        disk_full: true,
    });
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    for _ in 0..PAGES {
        tokio::task::block_in_place(|| provider.next());
    }
    delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_of_one_host_that_nobody_knew_leave_places_to_another() {
    let (hangs, answers) = (
        Provider::always(Reply::Hang),
        Provider::always(Reply::json(200, NTFY_OK)),
    );
    let world = World::new();
    // Nobody has as many by themselves.
    for (number, owner) in (0..TOPICS).zip([world.ada, world.bob].into_iter().cycle()) {
        let topic = format!("{}/topic-{number}", hangs.url());
        test_page(&world, owner, &topic).await;
    }
    test_page(&world, world.ada, &format!("{}/topic", answers.url())).await;
    // The time stands still: whatever hangs, hangs.
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    tokio::task::block_in_place(|| answers.next());
    delivery.stop();
}
