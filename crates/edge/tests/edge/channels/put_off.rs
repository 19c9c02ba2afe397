//! Messages by whoever asked to be left alone: they are not sent to it, go another way at once where there is one, and come after
//! the wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tocsin_domain::event::{EventBody, NotificationWhat};
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_domain::time::Timestamp;

use super::{CHAT, account};
use crate::buttons::{loopback, set_account};
use crate::fakes::START;
use crate::pace::HandPace;
use crate::providers::{NTFY_OK, Provider, Reply};
use crate::world::{World, trigger};

/// How an attempt ended: its outcome, in which words, whether nothing was sent, and when it is tried again.
type End = (Outcome, String, bool, Option<Timestamp>);

/// A bot that says "too many" to the first message and takes the others, and how many it was sent.
fn limits_once(seconds: u64) -> (Provider, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let provider = Provider::start({
        let sent = Arc::clone(&sent);
        move |request| {
            if !request.path.ends_with("/sendMessage") {
                return Reply::json(200, r#"{"ok":true,"result":[]}"#);
            }
            if sent.fetch_add(1, Ordering::SeqCst) > 0 {
                return Reply::json(200, r#"{"ok":true,"result":{}}"#);
            }
            let limit = json!({"ok": false, "error_code": 429, "description": "Too Many Requests",
                "parameters": {"retry_after": seconds}});
            Reply::json(429, &limit.to_string())
        }
    });
    (provider, sent)
}

/// A world in which Ada is reached by that bot, and by no other way.
async fn reached_by(provider: &Provider) -> (World, String) {
    let world = World::new();
    set_account(&world, "telegram", account("telegram", &provider.url())).await;
    let chat = world.reach(world.ada, "telegram", CHAT, None).await;
    let person = format!("/users/{}", world.ada);
    let known = world.get(&person).await.json();
    let ways = known["contact_methods"].as_array().unwrap().iter();
    for way in ways.filter(|way| way["id"] != chat) {
        let path = format!("{person}/contact-methods/{}", way["id"].as_str().unwrap());
        let removed = world.call("DELETE", &path, &world.admin, None).await;
        assert!(removed.status.is_success(), "{}", removed.text());
    }
    (world, chat)
}

/// How so many attempts by the bot ended, in order.
fn ended(world: &World, count: usize) -> Vec<End> {
    tokio::task::block_in_place(|| {
        world.committed.wait_for(|events| {
            let mut by_bot = BTreeSet::new();
            let mut ended = Vec::new();
            for event in events {
                let EventBody::Notification(about) = &event.body else {
                    continue;
                };
                match &about.what {
                    NotificationWhat::Planned { message }
                        if message.channel == ChannelKind::Telegram =>
                    {
                        by_bot.insert(about.notification);
                    }
                    NotificationWhat::AttemptFinished {
                        outcome,
                        detail,
                        not_tried,
                        retry_at,
                        ..
                    } if by_bot.contains(&about.notification) => {
                        ended.push((*outcome, detail.clone(), *not_tried, *retry_at));
                    }
                    _ => {}
                }
            }
            (ended.len() >= count).then_some(ended)
        })
    })
}

/// Something fails that wakes somebody, and is not critical.
async fn raise(world: &World, key: &str) {
    let mut event = trigger(key);
    event["payload"]["severity"] = json!("error");
    let answer = world.enqueue(&event).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
}

fn put_off(until: &str, retry_at: Timestamp) -> End {
    let detail = format!("its provider asked to wait until {until} UTC");
    (Outcome::Failed, detail, true, Some(retry_at))
}

/// The clock of the core goes on by so much.
fn clock_goes_on(world: &World, by_ms: u64) {
    let mut now = world.clock.0.lock().unwrap();
    *now = now.plus_ms(by_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_provider_rests_nothing_is_sent_to_it_and_everything_after_that() {
    let (provider, sent) = limits_once(30);
    let (world, _) = reached_by(&provider).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    raise(&world, "web").await;
    assert_eq!(ended(&world, 1)[0].0, Outcome::Failed);
    raise(&world, "db").await;
    let second = ended(&world, 2).pop();
    assert_eq!(second, Some(put_off("07:00:30", START.plus_ms(30_000))));
    assert_eq!(sent.load(Ordering::SeqCst), 1, "the second was not sent");
    pace.advance(Duration::from_secs(30));
    clock_goes_on(&world, 30_000);
    for (outcome, detail, not_tried, _) in &ended(&world, 4)[2..] {
        assert_eq!(
            (*outcome, *not_tried),
            (Outcome::Accepted, false),
            "{detail}"
        );
    }
    delivery.stop();
    assert_eq!(sent.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_another_way_is_reached_by_it_at_once_while_a_provider_rests() {
    let (provider, sent) = limits_once(30);
    let (world, chat) = reached_by(&provider).await;
    let push = Provider::always(Reply::json(200, NTFY_OK));
    let topic = format!("{}/topic", push.url());
    let topic = world.reach(world.ada, "ntfy", &topic, None).await;
    let step = |minutes: u64, method: &str| json!({"urgency": "high", "delay_minutes": minutes, "contact_method_id": method});
    let rules = json!([step(0, &chat), step(60, &topic)]);
    let path = format!("/users/{}/notification-rules", world.ada);
    let set = world.call("PUT", &path, &world.admin, Some(rules)).await;
    assert!(set.status.is_success(), "{}", set.text());
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    for (count, key) in [(1, "web"), (2, "db")] {
        raise(&world, key).await;
        ended(&world, count);
        let pushed = tokio::task::block_in_place(|| push.next()).json();
        assert!(pushed.to_string().contains(key), "{pushed}");
    }
    delivery.stop();
    assert_eq!(sent.load(Ordering::SeqCst), 1, "the second was not sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_critical_is_not_put_off() {
    let (provider, sent) = limits_once(30);
    let (world, _) = reached_by(&provider).await;
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    raise(&world, "web").await;
    assert_eq!(ended(&world, 1)[0].0, Outcome::Failed);
    world.raise("db").await;
    let second = ended(&world, 2).pop().unwrap();
    assert_eq!(second.0, Outcome::Accepted, "{}", second.1);
    delivery.stop();
    assert_eq!(sent.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_put_off_twice_and_then_made_in_any_case() {
    let (provider, sent) = limits_once(60);
    let (world, _) = reached_by(&provider).await;
    // The time that the provider asked for does not go by, while that of the core does.
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    raise(&world, "web").await;
    ended(&world, 1);
    raise(&world, "db").await;
    for (count, until) in [(2, "07:01:00"), (4, "07:02:00")] {
        let last = ended(&world, count).pop().unwrap();
        let in_a_minute = world.clock.0.lock().unwrap().plus_ms(60_000);
        assert_eq!(last, put_off(until, in_a_minute));
        clock_goes_on(&world, 60_000);
    }
    // The second message was put off twice, the first one once: its first attempt was made.
    let in_a_minute = world.clock.0.lock().unwrap().plus_ms(60_000);
    let third = &ended(&world, 6)[4..];
    let is_taken = |end: &&End| end.0 == Outcome::Accepted;
    assert_eq!(third.iter().filter(is_taken).count(), 1, "{third:?}");
    assert!(
        third.contains(&put_off("07:03:00", in_a_minute)),
        "{third:?}"
    );
    clock_goes_on(&world, 60_000);
    let last = ended(&world, 7).pop().unwrap();
    assert_eq!(last.0, Outcome::Accepted, "{}", last.1);
    delivery.stop();
    assert_eq!(sent.load(Ordering::SeqCst), 3);
}
