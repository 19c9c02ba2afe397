//! Emergencies of Pushover, when the engine can keep nothing and when Pushover takes no cancel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tocsin_domain::page::Fate;
use tocsin_domain::people::ChannelKind;
use tocsin_edge::delivery::Delivery;
use tocsin_edge::delivery::pace::Wait;
use tocsin_engine::NotDurable;
use tocsin_wire::pushover::EXPIRE_S;

use crate::answer::comes_back;
use crate::buttons::{
    PUSHOVER_TOKEN, PUSHOVER_USER, RECEIPT, acknowledged, fate, loopback, set_account,
};
use crate::pace::HandPace;
use crate::providers::{Provider, Reply, Request};
use crate::world::World;

/// Pushover's next round; Twilio has rounds of its own.
const NEXT: Wait = Wait::Receipts("pushover");

/// A message that was taken; only an emergency has a receipt.
fn taken(request: &Request) -> Reply {
    let mut body = json!({"status": 1, "request": "r"});
    if request.field("priority").as_deref() == Some("2") {
        body["receipt"] = json!(RECEIPT);
    }
    Reply::json(200, &body.to_string())
}

/// What became of an emergency. It rings no more once it is acknowledged.
fn told(acknowledged: bool) -> Reply {
    let flag = u8::from(acknowledged);
    let body = json!({"status": 1, "acknowledged": flag, "last_delivered_at": 0, "expired": flag});
    Reply::json(200, &body.to_string())
}

/// Pushover that takes an emergency of which nobody has heard yet, and its cancels as it is told: how, by how many came before. Also
/// counts them.
fn cancelling(
    answer: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Provider, Arc<AtomicUsize>) {
    let cancels = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&cancels);
    let provider = Provider::start(move |request| {
        if request.method == "GET" {
            told(false)
        } else if request.path.ends_with("/cancel.json") {
            answer(counted.fetch_add(1, Ordering::SeqCst))
        } else {
            taken(request)
        }
    });
    (provider, cancels)
}

/// Ada is paged by Pushover, which takes it, and acknowledges in Tocsin.
async fn acknowledge_elsewhere(world: &World) {
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    let path = format!("/incidents/{incident}/acknowledge");
    let answer = world.post(&path, json!({})).await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

async fn reached_by(provider: &Provider) -> World {
    let world = World::new();
    let account = json!({"base_url": provider.url(), "token": PUSHOVER_TOKEN});
    set_account(&world, "pushover", account).await;
    world
        .reach(world.ada, "pushover", PUSHOVER_USER, None)
        .await;
    world
}

/// Delivery whose rounds of questions the test begins.
struct Rounds {
    delivery: Delivery,
    pace: Arc<HandPace>,
    every: Duration,
}

impl Rounds {
    /// Starts delivery, which begins with a round.
    fn start(world: &World) -> Self {
        let pace = HandPace::new();
        let delivery = world.deliver_at(loopback(), &pace);
        let every = pace.begun(NEXT);
        Self {
            delivery,
            pace,
            every,
        }
    }

    fn begin_another(&self) {
        self.pace.advance(self.every);
    }

    /// Has everything asked that is to be asked now.
    fn another(&self) {
        self.begin_another();
        self.pace.begun(NEXT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_cannot_be_kept_is_asked_for_again() {
    let is_pressed = Arc::new(AtomicBool::new(false));
    let told_so = Arc::new(AtomicUsize::new(0));
    let provider = Provider::start({
        let (is_pressed, told_so) = (Arc::clone(&is_pressed), Arc::clone(&told_so));
        move |request| {
            if request.method != "GET" {
                return taken(request);
            }
            let is_pressed = is_pressed.load(Ordering::SeqCst);
            if is_pressed {
                told_so.fetch_add(1, Ordering::SeqCst);
            }
            told(is_pressed)
        }
    });
    let world = reached_by(&provider).await;
    let rounds = Rounds::start(&world);
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    *world.journal.refusal.lock().unwrap() = Some(NotDurable {
        why: "no space left".to_owned(),
        disk_full: true,
    });
    is_pressed.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        rounds.another();
    }
    assert_eq!(told_so.load(Ordering::SeqCst), 2);
    let shown = world.get(&format!("/incidents/{incident}")).await.json();
    assert_eq!(shown["status"], "triggered");
    *world.journal.refusal.lock().unwrap() = None;
    rounds.begin_another();
    let by = tokio::task::block_in_place(|| acknowledged(&world));
    let expected = world.ada_by(ChannelKind::Pushover);
    assert_eq!(by, expected);
    assert_eq!(tokio::task::block_in_place(|| fate(&world)), Fate::Read);
    rounds.delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_is_not_taken_is_sent_again_until_it_is() {
    let (provider, cancels) = cancelling(|before| match before {
        0 => Reply::json(429, r#"{"status":0}"#),
        1 => Reply::json(500, "oops"),
        _ => Reply::json(200, r#"{"status":1}"#),
    });
    let world = reached_by(&provider).await;
    let rounds = Rounds::start(&world);
    acknowledge_elsewhere(&world).await;
    // It is taken in the third round, and there is nothing more to ask after it.
    for sent in [1, 2, 3, 3, 3] {
        rounds.another();
        assert_eq!(cancels.load(Ordering::SeqCst), sent);
    }
    rounds.delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rings_no_more_by_itself_is_not_cancelled_for_ever() {
    let (provider, cancels) = cancelling(|_| Reply::json(500, "oops"));
    let world = reached_by(&provider).await;
    let rounds = Rounds::start(&world);
    acknowledge_elsewhere(&world).await;
    for sent in [1, 2] {
        rounds.another();
        assert_eq!(cancels.load(Ordering::SeqCst), sent);
    }
    {
        let mut now = world.clock.0.lock().unwrap();
        *now = now.plus_ms(u64::from(EXPIRE_S) * 1_000);
    }
    rounds.another();
    rounds.another();
    assert_eq!(cancels.load(Ordering::SeqCst), 2);
    rounds.delivery.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_rings_by_a_message_of_its_own_and_not_by_the_one_of_before() {
    let (provider, cancels) = cancelling(|_| Reply::json(200, r#"{"status":1}"#));
    let world = reached_by(&provider).await;
    let rounds = Rounds::start(&world);
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    comes_back(&world, &incident).await;
    for _ in 0..3 {
        rounds.another();
        assert_eq!(cancels.load(Ordering::SeqCst), 1);
    }
    rounds.delivery.stop();
}
