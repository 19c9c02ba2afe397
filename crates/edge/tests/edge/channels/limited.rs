//! Providers that say "too many".

use tocsin_domain::event::{EventBody, NotificationWhat};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;

use super::{PHONE, PUSHOVER_USER, ROUTING_KEY, page, page_in};
use crate::fakes::START;
use crate::post::KEY;
use crate::providers::{Provider, Reply};
use crate::world::World;

/// When the message is tried again, by the first attempt that ended.
pub(crate) fn retry_at(world: &World) -> Option<Timestamp> {
    let events = world.journal.events.lock().unwrap();
    events.iter().find_map(|event| match &event.body {
        EventBody::Notification(message) => match message.what {
            NotificationWhat::AttemptFinished { retry_at, .. } => retry_at,
            _ => None,
        },
        _ => None,
    })
}

/// It failed, and is tried again as late as the provider asked.
#[track_caller]
fn waits_half_a_minute(world: &World, (outcome, detail): (Outcome, String), kind: &str) {
    assert_eq!(outcome, Outcome::Failed, "{kind}: {detail}");
    let wait_ms = retry_at(world).unwrap().ms_since(START);
    assert_eq!(wait_ms, 30_000, "{kind}: {detail}");
}

/// An answer that asks for half a minute.
fn limits(body: &str) -> Reply {
    Reply::Answer(429, "retry-after: 30\r\n", body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_limits_is_left_alone_for_as_long_as_it_asks() {
    let telegram = r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":30}}"#;
    let twilio = r#"{"code":20429,"message":"Too Many Requests"}"#;
    let pushover = r#"{"status":0,"errors":["too many messages"]}"#;
    for (kind, address, reply) in [
        ("telegram", "42", Reply::json(429, telegram)),
        ("slack", "U024BE7LH", limits("")),
        ("sms", PHONE, limits(twilio)),
        ("voice", PHONE, limits(twilio)),
        ("pushover", PUSHOVER_USER, limits(pushover)),
        ("pagerduty", ROUTING_KEY, limits("")),
    ] {
        let provider = Provider::always(reply);
        let (world, outcome, detail) = page(&provider, kind, address).await;
        waits_half_a_minute(&world, (outcome, detail), kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_ones_own_that_limits_is_left_alone_for_as_long_as_it_asks() {
    let ntfy = r#"{"code":42901,"http":429,"error":"limit reached"}"#;
    for (kind, secret, reply) in [
        ("ntfy", None, limits(ntfy)),
        ("webhook", Some(KEY), limits("slow down")),
        ("slack", None, limits("rate_limited")),
    ] {
        let provider = Provider::always(reply);
        let world = World::new();
        let address = format!("{}/of-the-test", provider.url());
        world.reach(world.ada, kind, &address, secret).await;
        let ended = page_in(&world, |_| {}).await;
        waits_half_a_minute(&world, ended, kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_names_the_time_is_left_alone_until_then_by_its_own_clock() {
    let headers =
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:07 GMT\r\n";
    let provider = Provider::always(Reply::Answer(429, headers, String::new()));
    let (world, outcome, detail) = page(&provider, "slack", "U024BE7LH").await;
    waits_half_a_minute(&world, (outcome, detail), "slack");
}
