//! Providers that say "too many".

use tocsin_domain::event::{EventBody, NotificationWhat};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;

use super::{PHONE, ROUTING_KEY, page};
use crate::providers::{Provider, Reply};
use crate::world::World;

/// When the message is tried again, by the first attempt that ended.
fn retry_at(world: &World) -> Option<Timestamp> {
    let events = world.journal.events.lock().unwrap();
    events.iter().find_map(|event| match &event.body {
        EventBody::Notification(message) => match message.what {
            NotificationWhat::AttemptFinished { retry_at, .. } => retry_at,
            _ => None,
        },
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_limits_is_left_alone_for_as_long_as_it_asks() {
    let telegram = r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":30}}"#;
    for (kind, address, reply) in [
        ("telegram", "42", Reply::json(429, telegram)),
        (
            "slack",
            "U024BE7LH",
            Reply::Answer(429, "retry-after: 30\r\n", String::new()),
        ),
        (
            "sms",
            PHONE,
            Reply::Answer(
                429,
                "retry-after: 30\r\n",
                r#"{"code":20429,"message":"Too Many Requests"}"#.to_owned(),
            ),
        ),
        (
            "pagerduty",
            ROUTING_KEY,
            Reply::Answer(429, "retry-after: 30\r\n", String::new()),
        ),
    ] {
        let provider = Provider::always(reply);
        let (world, outcome, detail) = page(&provider, kind, address).await;
        assert_eq!(outcome, Outcome::Failed, "{kind}: {detail}");
        let wait_ms = retry_at(&world).unwrap().ms_since(crate::fakes::START);
        assert_eq!(wait_ms, 30_000, "{kind}: {detail}");
    }
}
