//! Presses that Slack tells twice, since it does not know that the first word of them came.

use std::time::Duration;

use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, IncidentWhat};

use super::{MEMBER, loopback, press, set_account, sockets};
use crate::providers::{Provider, Reply};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_comes_twice_acknowledges_once_and_is_taken_both_times() {
    let world = World::new();
    world.reach(world.ada, "slack", MEMBER, None).await;
    world.raise("web").await;
    let message = world
        .engine
        .read(|state| state.notifications.keys().next().unwrap().to_string());
    let (url, said) = sockets(vec![vec![
        json!({"type": "hello"}),
        press(MEMBER, &message),
        press(MEMBER, &message),
        // It is taken once those before it are worked off.
        json!({"type": "events_api", "envelope_id": "e-last", "payload": {}}),
    ]]);
    let opened = json!({"ok": true, "url": url}).to_string();
    let provider = Provider::always(Reply::json(200, &opened));
    let account = json!({"base_url": provider.url(), "token": "xoxb-of-the-test", "listener_token": "xapp-of-the-test"});
    set_account(&world, "slack", account).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let envelope = || {
        let text = said.recv_timeout(Duration::from_secs(30)).unwrap();
        let word: Value = serde_json::from_str(&text).unwrap();
        word["envelope_id"].as_str().unwrap().to_owned()
    };
    let envelopes = tokio::task::block_in_place(|| [envelope(), envelope(), envelope()]);
    delivery.stop();
    let mine = format!("e-{MEMBER}");
    assert_eq!(envelopes, [mine.as_str(), mine.as_str(), "e-last"]);
    let events = world.journal.events.lock().unwrap();
    let taken = events.iter().filter(|event| match &event.body {
        EventBody::Incident(about) => matches!(about.what, IncidentWhat::Acknowledged { .. }),
        _ => false,
    });
    assert_eq!(taken.count(), 1);
}
