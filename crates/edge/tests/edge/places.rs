//! Places of delivery: what is not a request under way holds none.

use std::time::Duration;

use tocsin_engine::NotDurable;

use crate::buttons::loopback;
use crate::providers::{Provider, Reply};
use crate::world::World;

/// More than one address has places for.
const PAGES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_cannot_be_kept_yet_holds_no_place() {
    let provider = Provider::always(Reply::json(200, ""));
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
