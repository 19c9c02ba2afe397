//! What providers are asked about messages that they took: when one of them hangs, and after Tocsin was gone for a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_domain::event::{Event, EventBody, NotificationWhat};
use tocsin_domain::people::ChannelKind;
use tocsin_edge::delivery::Delivery;
use tocsin_edge::delivery::pace::Wait;
use tocsin_edge::delivery::queue::Queue;

use crate::buttons::{PUSHOVER_TOKEN, PUSHOVER_USER, RECEIPT, acknowledged, loopback, set_account};
use crate::pace::HandPace;
use crate::providers::{Provider, Reply};
use crate::world::World;

const PHONE: &str = "+33123456789";
/// What has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pushover, which took an emergency.
fn taken() -> Reply {
    let body = json!({"status": 1, "request": "r", "receipt": RECEIPT});
    Reply::json(200, &body.to_string())
}

fn pushover_account(provider: &Provider) -> Value {
    json!({"base_url": provider.url(), "token": PUSHOVER_TOKEN})
}

/// Whether both messages were taken.
fn both_taken(events: &[Event]) -> Option<()> {
    let ended = events.iter().filter(|event| match &event.body {
        EventBody::Notification(about) => {
            matches!(about.what, NotificationWhat::AttemptFinished { .. })
        }
        _ => false,
    });
    (ended.count() >= 2).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_hangs_keeps_nobody_waiting_for_what_another_knows() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (question, is_asked) = mpsc::channel();
    let twilio = Provider::start({
        let asked = Arc::clone(&asked);
        move |request| {
            if request.method == "GET" {
                asked.fetch_add(1, Ordering::SeqCst);
                question.send(()).unwrap();
                return Reply::Hang;
            }
            Reply::json(201, r#"{"sid":"SM0123456789abcdef","status":"queued"}"#)
        }
    });
    let is_asked = Mutex::new(is_asked);
    let pushover = Provider::start(move |request| {
        if request.method != "GET" {
            return taken();
        }
        // Not before the other hangs.
        is_asked.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        let told = json!({"status": 1, "acknowledged": 1, "last_delivered_at": 0, "expired": 0});
        Reply::json(200, &told.to_string())
    });
    let world = World::new();
    let account = json!({"base_url": twilio.url(), "account_id": "AC0123456789abcdef0123456789abcdef",
        "from": "+15005550006", "token": "t"});
    set_account(&world, "twilio", account).await;
    set_account(&world, "pushover", pushover_account(&pushover)).await;
    let mut rules = Vec::new();
    for (kind, address) in [("sms", PHONE), ("pushover", PUSHOVER_USER)] {
        let method = world.reach(world.ada, kind, address, None).await;
        rules.push(json!({"urgency": "high", "delay_minutes": 0, "contact_method_id": method}));
    }
    let path = format!("/users/{}/notification-rules", world.ada);
    let both = Some(Value::Array(rules));
    let set = world.call("PUT", &path, &world.admin, both).await;
    assert!(set.status.is_success(), "{}", set.text());
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    // There is nothing to ask in the first rounds.
    let every = pace.begun(Wait::Receipts("twilio"));
    pace.begun(Wait::Receipts("pushover"));
    world.raise("web").await;
    tokio::task::block_in_place(|| world.committed.wait_for(both_taken));
    // The time stands still from here on: no wait for the one that hangs ends.
    pace.advance(every);
    let expected = world.ada_by(ChannelKind::Pushover);
    assert_eq!(
        tokio::task::block_in_place(|| acknowledged(&world)),
        expected
    );
    let asked = asked.load(Ordering::SeqCst);
    delivery.stop();
    assert_eq!(asked, 1, "the first question was still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_while_tocsin_was_gone_stops_to_ring_after_the_next_start() {
    let pushover = Provider::start(|request| {
        if request.path == "/1/messages.json" {
            taken()
        } else {
            Reply::json(
                200,
                r#"{"status":1,"acknowledged":0,"last_delivered_at":0,"expired":0}"#,
            )
        }
    });
    let world = World::new();
    set_account(&world, "pushover", pushover_account(&pushover)).await;
    let kind = "pushover";
    world.reach(world.ada, kind, PUSHOVER_USER, None).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    let path = format!("/incidents/{incident}/resolve");
    let answer = world.post(&path, json!({})).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let wait = Duration::from_secs(10);
    let often = Duration::from_millis(20);
    let needs = world.needs(loopback());
    let delivery = Delivery::start_asking(Queue::default(), needs, wait, often).unwrap();
    let quiet = format!("/1/receipts/{RECEIPT}/cancel.json");
    while tokio::task::block_in_place(|| pushover.next()).path != quiet {}
    delivery.stop();
}
