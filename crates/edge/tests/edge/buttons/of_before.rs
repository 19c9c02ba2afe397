//! Buttons of before a failure came back, or before somebody else took it: a press says so.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tocsin_domain::event::{EventBody, IncidentWhat};

use super::{BOT_TOKEN, loopback, set_account};
use crate::answer::{bob_takes, comes_back};
use crate::providers::{Provider, Reply, Request};
use crate::world::World;

/// The button of a message to somebody in Telegram, if it is one and has one.
fn button_of(request: &Request) -> Option<String> {
    if !request.path.ends_with("/sendMessage") {
        return None;
    }
    let data = &request.json()["reply_markup"]["inline_keyboard"][0][0]["callback_data"];
    data.as_str().map(str::to_owned)
}

/// Ada is reached by a bot; each of its buttons is pressed once, in the order they came, from when it is set.
async fn pressed_when_set() -> (World, Provider, Arc<AtomicBool>) {
    let is_set = Arc::new(AtomicBool::new(false));
    let (buttons, polls) = (Mutex::new(Vec::<String>::new()), AtomicUsize::new(0));
    let provider = Provider::start({
        let is_set = Arc::clone(&is_set);
        move |request| {
            buttons.lock().unwrap().extend(button_of(request));
            if !request.path.ends_with("/getUpdates") || !is_set.load(Ordering::SeqCst) {
                return Reply::json(200, r#"{"ok":true,"result":[]}"#);
            }
            let poll = polls.fetch_add(1, Ordering::SeqCst);
            let Some(data) = buttons.lock().unwrap().get(poll).cloned() else {
                return Reply::Hang;
            };
            let update = json!({"ok": true, "result": [{"update_id": poll + 1, "callback_query":
                {"id": "q", "from": {"id": 42}, "data": data}}]});
            Reply::json(200, &update.to_string())
        }
    });
    let world = World::new();
    let account = json!({"base_url": provider.url(), "token": BOT_TOKEN});
    set_account(&world, "telegram", account).await;
    world.reach(world.ada, "telegram", "42", None).await;
    (world, provider, is_set)
}

/// What so many presses were answered.
fn answers(provider: &Provider, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    while words.len() < count {
        let request = tokio::task::block_in_place(|| provider.next());
        if request.path.ends_with("/answerCallbackQuery") {
            words.push(request.json()["text"].as_str().unwrap().to_owned());
        }
    }
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_of_before_a_failure_came_back_does_nothing_and_one_of_now_acknowledges() {
    let (world, provider, is_set) = pressed_when_set().await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    comes_back(&world, &incident).await;
    let mut buttons = 0;
    while buttons < 2 {
        let request = tokio::task::block_in_place(|| provider.next());
        buttons += usize::from(button_of(&request).is_some());
    }
    is_set.store(true, Ordering::SeqCst);
    let words = answers(&provider, 2);
    delivery.stop();
    let said = |part: &str| words.iter().filter(|word| word.contains(part)).count();
    let counts = (said("came back since"), said("You have it"));
    assert_eq!(counts, (1, 1), "{words:?}");
    let events = world.journal.events.lock().unwrap();
    let taken = events.iter().filter(|event| match &event.body {
        EventBody::Incident(about) => matches!(about.what, IncidentWhat::Acknowledged { .. }),
        _ => false,
    });
    assert_eq!(taken.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_says_who_has_it_already() {
    let (world, provider, is_set) = pressed_when_set().await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| world.first_outcome());
    bob_takes(&world, &incident).await;
    is_set.store(true, Ordering::SeqCst);
    let words = answers(&provider, 1);
    delivery.stop();
    let says = "Bob has it already. You are known to have acknowledged it too.";
    assert_eq!(words, [says]);
}
