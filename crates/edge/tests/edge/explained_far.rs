//! What an explanation says of a page that came late: after many levels, or after much else that happened to its incident.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, Command, RespondAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::IncidentId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Urgency;

use crate::explanation::{MINUTE, check, check_not_urgent, set_rule, steps};
use crate::fakes::START;
use crate::world::World;

impl World {
    /// So many minutes after the start what is due is done, and what is sent comes.
    fn at_minute(&self, minute: u64) {
        *self.clock.0.lock().unwrap() = START.plus_ms(minute * MINUTE);
        self.does(Ask::Tick);
        self.answers(Outcome::Accepted);
    }

    /// Why the page was sent that was planned last.
    async fn newest_explained(&self) -> Value {
        let page = self.engine.read(|state| {
            let pages = state.notifications.values();
            let pages = pages.filter(|one| one.purpose.page().is_some());
            pages.max_by_key(|one| one.planned_at).unwrap().id
        });
        let path = format!("/notifications/{page}/explanation");
        self.get(&path).await.json()
    }

    /// More happens to the only incident than is looked through of one.
    fn much_happens(&self) -> IncidentId {
        let incident = self
            .engine
            .read(|state| *state.incidents.keys().next().unwrap());
        for number in 0..2_000 {
            let text = format!("look {number}");
            self.does(Ask::Respond(RespondAsk::noted(incident, text)));
        }
        incident
    }

    /// Levels that page Ada.
    fn levels(&self, count: usize, delay_minutes: u64) -> Value {
        let ada = json!([{"kind": "user", "id": self.ada.to_string()}]);
        let level = json!({"delay_minutes": delay_minutes, "targets": ada});
        Value::Array(vec![level; count])
    }
}

/// How the incident of a server that died began.
const BEGIN: [(&str, &str); 4] = [
    (
        "rung",
        "Level 1 of “Web” was reached at 2026-11-23T07:00:00.000Z; paged: Ada.",
    ),
    ("incident", "Incident #1 was opened"),
    ("alert", "began to fail at"),
    (
        "sample",
        "The sample: apache_parent_up{target=\"webserver-01\"} was 0 at 2026-11-23T07:00:00.000Z.",
    ),
];

#[tokio::test]
async fn a_page_after_sixty_levels_is_explained_back_to_the_sample() {
    let world = World::new();
    world.set_policy(world.levels(20, 1), 2).await;
    world.apache_is_found();
    world.apache_dies();
    (0..60).for_each(|minute| world.at_minute(minute));
    let explained = world.newest_explained().await;
    let told = [
        (
            "rung",
            "Level 20 of “Web” was reached at 2026-11-23T07:59:00.000Z, in round 3; paged: Ada.",
        ),
        (
            "rung",
            "Before that, from 2026-11-23T07:01:00.000Z to 2026-11-23T07:58:00.000Z: levels 2 to 20 of “Web” in round 1, \
             all of it in round 2 and levels 1 to 19 in round 3. Nobody acknowledged.",
        ),
    ];
    check(&explained, &[&told[..], &BEGIN[..]].concat());
    assert!(steps(&explained).len() < 20, "{explained:#}");
    // The list of last resort is paged every 15 minutes.
    (0..10).for_each(|quarter| world.at_minute(60 + 15 * quarter));
    let explained = world.newest_explained().await;
    let told = [
        (
            "rung",
            "The list of last resort was reached at 2026-11-23T10:15:00.000Z; paged: Ada.",
        ),
        (
            "rung",
            "all of it in round 2, levels 1 to 20 in round 3 and the list of last resort 9 times. Nobody acknowledged.",
        ),
    ];
    check(&explained, &[&told[..], &BEGIN[..]].concat());
    assert!(steps(&explained).len() < 20, "{explained:#}");
}

#[tokio::test]
async fn a_page_is_explained_although_thousands_of_things_had_happened_to_its_incident() {
    let world = World::new();
    world.set_policy(world.levels(2, 5), 0).await;
    world.trigger(Severity::Critical);
    world.answers(Outcome::Accepted);
    world.much_happens();
    world.at_minute(5);
    check(
        &world.newest_explained().await,
        &[
            ("message", "Ada was paged at 2026-11-23T07:05:00.000Z"),
            ("message", ", at once."),
            ("attempt", "the provider took it"),
            (
                "rung",
                "Level 2 of “Web” was reached at 2026-11-23T07:05:00.000Z",
            ),
            (
                "rung",
                "Level 1 of “Web” was reached at 2026-11-23T07:00:00.000Z",
            ),
            ("incident", "Incident #1 was opened"),
            ("alert", "began to fail at"),
            ("request", "That was asked for at"),
        ],
    );
}

#[tokio::test]
async fn why_nobody_was_paged_is_told_by_the_newest_of_thousands_of_things() {
    let world = World::new();
    set_rule(&world, "wait", json!({"do": "pause", "seconds": 60})).await;
    world.trigger(Severity::Critical);
    let incident = world.much_happens();
    let urgency = Urgency::Low;
    let low = Command {
        actor: Actor::Person { user: world.ada },
        ask: Ask::Respond(RespondAsk::SetUrgency { incident, urgency }),
    };
    world.engine.ask_and_wait(low).unwrap();
    check_not_urgent(&world, 1, "Ada set its urgency to low").await;
}
