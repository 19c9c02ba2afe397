//! What an explanation says of when a message went: waits, news that comes late, people who were removed.

use serde_json::json;
use tocsin_domain::command::{AlertAsk, Ask, PeopleAsk};
use tocsin_domain::id::UserId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Delivery, Outcome, Purpose, TOGETHER_EVERY_MS};

use crate::explanation::{check, steps};
use crate::fakes::START;
use crate::post::KEY;
use crate::world::World;

impl World {
    /// What is being sent comes to this end.
    pub(crate) fn answers(&self, outcome: Outcome) {
        let sending = self.engine.read(|state| {
            let all = state.notifications.values();
            let sending = all.filter(|one| matches!(one.state, Delivery::Sending { .. }));
            let attempts = sending.filter_map(|one| Some((one.id, one.attempts.last()?.number)));
            attempts.collect::<Vec<_>>()
        });
        for (notification, number) in sending {
            self.does(Ask::AttemptFinished {
                notification,
                number,
                outcome,
                detail: "as the provider says".to_owned(),
                retry_after_ms: None,
                reference: None,
                via: None,
            });
        }
    }
}

#[tokio::test]
async fn a_message_that_waits_to_be_told_with_others_says_until_when_and_why() {
    let world = World::new();
    for number in 0..BURST_MAX + 2 {
        world.fails(&format!("disk {number}"), Severity::Error);
        world.answers(Outcome::Accepted);
    }
    let until = START.plus_ms(TOGETHER_EVERY_MS);
    let explained = async |number: usize| {
        let path = format!("/incidents/{number}/explanation");
        world.get(&path).await.json()
    };
    let next = format!("The next attempt is due at {until}.");
    let put_off = format!("it was put off until {until}, because this person got many messages");
    check(
        &explained(BURST_MAX + 1).await,
        &[
            ("message", "Ada was paged at"),
            ("message", ", 180 s after they were chosen."),
            ("wait", put_off.as_str()),
            ("attempt", next.as_str()),
        ],
    );
    let along = explained(BURST_MAX + 2).await;
    check(&along, &[("attempt", "It is told together with others")]);
    let at_once = |one: &(String, String)| one.1.contains(", at once");
    assert!(!steps(&along).iter().any(at_once), "{along:#}");
    *world.clock.0.lock().unwrap() = until;
    world.does(Ask::Tick);
    world.answers(Outcome::Accepted);
    check(
        &explained(BURST_MAX + 1).await,
        &[
            ("wait", put_off.as_str()),
            ("attempt", "the provider took it"),
        ],
    );
    let told = explained(BURST_MAX + 2).await;
    check(&told, &[("wait", "it was put with others")]);
}

#[tokio::test]
async fn word_that_it_is_over_says_that_the_page_was_taken_only_then() {
    let world = World::new();
    world.trigger(Severity::Critical);
    let service = world
        .engine
        .read(|state| state.installation.as_ref().unwrap().default_service);
    world.does(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: "disk".to_owned(),
    }));
    world.answers(Outcome::Accepted);
    let end = world.engine.read(|state| {
        let mut all = state.notifications.values();
        let end = all.find(|one| matches!(one.purpose, Purpose::Resolved(_)));
        end.unwrap().id
    });
    let path = format!("/notifications/{end}/explanation");
    check(
        &world.get(&path).await.json(),
        &[
            ("message", "they were paged for it"),
            ("attempt", "The provider took a message before at"),
            ("rung", "Level 1 of"),
        ],
    );
}

#[tokio::test]
async fn who_is_paged_because_somebody_was_removed_is_told_that_and_so_is_the_timeline() {
    let world = World::new();
    world
        .reach(world.bob, "webhook", "http://127.0.0.1:9/hook", Some(KEY))
        .await;
    let level = |user: UserId| json!({"delay_minutes": 5, "targets": [{"kind": "user", "id": user.to_string()}]});
    world
        .set_levels(json!([level(world.bob), level(world.ada)]))
        .await;
    world.trigger(Severity::Critical);
    world.answers(Outcome::Accepted);
    let user = world.bob;
    world.does(Ask::People(PeopleAsk::Remove { user }));
    let page = world.engine.read(|state| {
        let mut all = state.notifications.values();
        let to_ada = all.find(|one| one.user == world.ada && one.purpose.page().is_some());
        to_ada.unwrap().id
    });
    let path = format!("/notifications/{page}/explanation");
    check(
        &world.get(&path).await.json(),
        &[
            ("message", "Ada was paged at"),
            ("rung", "was reached"),
            ("skipped", "Bob, who was paged for it, was removed."),
            ("alert", "began to fail at"),
        ],
    );
    let timeline = world.get("/incidents/1/timeline").await.text();
    assert!(
        timeline.contains("Bob, who was paged for it, was removed"),
        "{timeline}"
    );
}
