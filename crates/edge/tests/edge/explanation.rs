//! "Why was I paged?" and "why was nobody paged?", by the API.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::alert::{EvidenceSample, Onset};
use tocsin_domain::command::{AlertAsk, Ask, Command, RespondAsk, RosterAsk, WatchAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{MonitorId, TargetId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{Layer, Turn, TurnUnit};
use tocsin_domain::people::Urgency;
use tocsin_domain::target::TargetIdentity;

use crate::fakes::START;
use crate::post::{KEY, OK, loopback, start};
use crate::world::World;

pub(crate) const MINUTE: u64 = 60_000;

impl World {
    pub(crate) fn does(&self, ask: Ask) {
        let actor = Actor::System;
        self.engine.ask_and_wait(Command { actor, ask }).unwrap();
    }

    pub(crate) fn trigger(&self, severity: Severity) {
        self.fails("disk", severity);
    }

    pub(crate) fn fails(&self, key: &str, severity: Severity) {
        self.does(Ask::Alert(AlertAsk::Trigger {
            service: None,
            integration: None,
            dedup_key: Some(key.to_owned()),
            severity,
            title: "disk is full".to_owned(),
            summary: String::new(),
            details: Vec::new(),
            sent_details: None,
            at: None,
        }));
    }

    /// A watched server.
    pub(crate) fn apache_is_found(&self) {
        self.does(Ask::Watch(WatchAsk::Seen(TargetIdentity {
            binary: "/usr/sbin/apache2".to_owned(),
            config_path: "/etc/apache2/apache2.conf".to_owned(),
            name: "webserver-01".to_owned(),
            listen: Vec::new(),
            pid_file: String::new(),
            access_logs: Vec::new(),
            error_logs: Vec::new(),
            config_files: Vec::new(),
            status_url: None,
            probe_url: String::new(),
        })));
    }

    /// The stock monitor of the watched server fires, with the sample that proves it.
    pub(crate) fn apache_dies(&self) {
        let (target, monitor) = self.apache_is_judged();
        let sample = EvidenceSample {
            series: "apache_parent_up{target=\"webserver-01\"}".to_owned(),
            at: START,
            value: 0.0,
        };
        self.does(Ask::Alert(AlertAsk::MonitorFired {
            monitor,
            target,
            at: START,
            wording: String::new(),
            evidence: vec![sample.clone()],
            onset: Some(Onset {
                at: START,
                uncertainty_ms: 12,
                evidence: sample,
            }),
            holds: Vec::new(),
        }));
    }

    /// The stock monitor of the watched server sees it well.
    pub(crate) fn apache_recovers(&self) {
        let (target, monitor) = self.apache_is_judged();
        self.does(Ask::Alert(AlertAsk::MonitorRecovered {
            monitor,
            target,
            at: START,
            evidence: Vec::new(),
        }));
    }

    /// The watched server, and the stock monitor that sees it down.
    fn apache_is_judged(&self) -> (TargetId, MonitorId) {
        self.engine.read(|state| {
            let mut monitors = state.monitors.values();
            let down = monitors.find(|one| one.slug == "apache-down").unwrap();
            (*state.targets.keys().next().unwrap(), down.id)
        })
    }

    pub(crate) async fn set_levels(&self, levels: Value) {
        self.set_policy(levels, 0).await;
    }

    /// Levels that are walked through again so many times.
    pub(crate) async fn set_policy(&self, levels: Value, repeat: u32) {
        let policies = self.get("/escalation-policies").await.json();
        let id = policies["items"][0]["id"].as_str().unwrap().to_owned();
        let body = json!({"name": "Web", "repeat": repeat, "levels": levels});
        let path = format!("/escalation-policies/{id}");
        let set = self.call("PUT", &path, &self.admin, Some(body)).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    }
}

/// The steps of an explanation: kind and text.
pub(crate) fn steps(explanation: &Value) -> Vec<(String, String)> {
    let steps = explanation["steps"].as_array().unwrap().iter();
    let text = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    steps
        .map(|step| (text(step, "kind"), text(step, "text")))
        .collect()
}

/// Each expected step is there, in this order, others between them.
#[track_caller]
pub(crate) fn check(explanation: &Value, expected: &[(&str, &str)]) {
    let steps = steps(explanation);
    let mut rest = steps.iter();
    for (kind, words) in expected {
        let found = rest.any(|step| step.0 == *kind && step.1.contains(words));
        assert!(found, "{kind}: {words} in {steps:#?}");
    }
}

async fn first_page(world: &World) -> String {
    let detail = world.get("/incidents/1").await.json();
    detail["pages"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_explained_back_to_the_sample() {
    let (server, _requests) = start(OK);
    let world = World::new();
    let address = format!("http://{server}/hook");
    world.reach(world.ada, "webhook", &address, Some(KEY)).await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    world.apache_is_found();
    world.apache_dies();
    tokio::task::block_in_place(|| world.first_outcome());
    let page = first_page(&world).await;
    let explained = world
        .get(&format!("/notifications/{page}/explanation"))
        .await;
    assert_eq!(explained.status, StatusCode::OK, "{}", explained.text());
    let explained = explained.json();
    assert_eq!(explained["incident"]["number"], 1);
    assert_eq!(explained["notification"]["id"], page.as_str());
    check(
        &explained,
        &[
            (
                "message",
                "Ada was paged at 2026-11-23T07:00:00.000Z: level 1 of",
            ),
            ("message", "by webhook (Phone), at once"),
            (
                "attempt",
                "Attempt 1 at 2026-11-23T07:00:00.000Z: the provider took it",
            ),
            ("schedule", "Ada was on call by the schedule"),
            ("rung", "Level 1 of"),
            ("incident", "Incident #1 was opened"),
            ("alert", "began to fail at"),
            ("judge", "The monitor “"),
            ("sample", "or up to 12 ms earlier"),
            (
                "sample",
                "The sample: apache_parent_up{target=\"webserver-01\"} was 0 at 2026-11-23T07:00:00.000Z.",
            ),
        ],
    );
    assert_eq!(
        world.get("/incidents/1/explanation").await.json(),
        explained
    );
    delivery.stop();
}

#[tokio::test]
async fn a_level_that_was_passed_over_is_said_with_why() {
    let world = World::new();
    let schedule = world
        .engine
        .read(|state| *state.schedules.keys().next().unwrap());
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Days,
    };
    world.does(Ask::Roster(RosterAsk::SetSchedule {
        id: Some(schedule),
        name: "Empty".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer {
            until: Some(START),
            ..Layer::rotation(START.minus_ms(24 * 60 * MINUTE), turn, vec![world.ada])
        }],
    }));
    let target = |kind: &str, id: String| json!([{"kind": kind, "id": id}]);
    let levels = json!([
        {"delay_minutes": 5, "targets": target("schedule", schedule.to_string())},
        {"delay_minutes": 5, "targets": target("user", world.bob.to_string())},
        {"delay_minutes": 5, "targets": target("user", world.ada.to_string())},
    ]);
    world.set_levels(levels).await;
    world.trigger(Severity::Critical);
    let page = first_page(&world).await;
    let explained = world
        .get(&format!("/notifications/{page}/explanation"))
        .await
        .json();
    check(
        &explained,
        &[
            ("rung", "Level 3 of “Web” was reached"),
            (
                "skipped",
                "level 1 of \"Web\": nobody is on call in \"Empty\"",
            ),
            (
                "skipped",
                "level 2 of \"Web\": Bob has no verified contact method",
            ),
            ("judge", "The API, or a person, said so."),
            ("request", "That was asked for at"),
        ],
    );
}

#[tokio::test]
async fn the_list_of_last_resort_says_why_it_was_reached() {
    let world = World::new();
    let bob =
        json!([{"delay_minutes": 5, "targets": [{"kind": "user", "id": world.bob.to_string()}]}]);
    world.set_levels(bob).await;
    world.trigger(Severity::Critical);
    let explained = world.get("/incidents/1/explanation").await.json();
    check(
        &explained,
        &[
            ("message", "the fallback list"),
            ("rung", "The list of last resort was reached"),
            ("skipped", "Bob has no verified contact method"),
            (
                "skipped",
                "no level of \"Web\" names anybody who can be paged",
            ),
        ],
    );
}

#[tokio::test]
async fn an_incident_that_paged_nobody_says_why() {
    let world = World::new();
    world.trigger(Severity::Warning);
    let explained = world.get("/incidents/1/explanation").await.json();
    assert_eq!(explained["notification"], Value::Null);
    check(
        &explained,
        &[
            ("nobody", "it is not urgent: warning pages nobody"),
            ("incident", "Incident #1 was opened"),
        ],
    );
    let muted = World::new();
    muted.apache_is_found();
    let target = muted
        .engine
        .read(|state| *state.targets.keys().next().unwrap());
    muted.does(Ask::Watch(WatchAsk::Mute {
        target,
        until: START.plus_ms(120 * MINUTE),
        reason: "known".to_owned(),
    }));
    muted.apache_dies();
    let explained = muted.get("/incidents/1/explanation").await.json();
    check(
        &explained,
        &[
            (
                "nobody",
                "Nobody is paged before 2026-11-23T09:00:00.000Z: the target is muted",
            ),
            ("quiet", "pages were held back until"),
            ("incident", "Incident #1 was opened"),
        ],
    );
}

/// Sets rules of the installation, of which `then` is what the only one does.
pub(crate) async fn set_rule(world: &World, name: &str, then: Value) {
    let body = json!({"rules": [{"name": name, "when": {}, "then": [then]}]});
    let path = "/alert-rules";
    let set = world.call("PUT", path, &world.admin, Some(body)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
}

async fn set_intake(world: &World, urgency: Value, grouping: Value) {
    let services = world.get("/services").await.json();
    let service = services["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/services/{service}/intake");
    let body = json!({"urgency": urgency, "grouping": grouping, "resolve_after_minutes": null});
    let set = world.call("PUT", &path, &world.admin, Some(body)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
}

/// An incident paged nobody, because it is not urgent: for this reason, and for no other.
pub(crate) async fn check_not_urgent(world: &World, incident: u64, expected: &str) {
    let path = format!("/incidents/{incident}/explanation");
    let explained = world.get(&path).await.json();
    let first = steps(&explained)[0].clone();
    let expected = format!("Nobody was paged, because it is not urgent: {expected}.");
    assert_eq!(first, ("nobody".to_owned(), expected));
}

#[tokio::test]
async fn something_critical_that_paged_nobody_names_the_rule_that_suppressed_it() {
    let expected = "the rule \"nightly jobs\" suppresses it";
    let world = World::new();
    set_rule(&world, "nightly jobs", json!({"do": "suppress"})).await;
    world.trigger(Severity::Critical);
    check_not_urgent(&world, 1, expected).await;
    // The same of what joins a warning, which was not urgent before.
    let world = World::new();
    let together = json!({"by": "time", "minutes": 10, "rolling": false});
    set_intake(&world, json!({"by": "severity"}), together).await;
    world.fails("cpu", Severity::Warning);
    check_not_urgent(&world, 1, "warning pages nobody").await;
    set_rule(&world, "nightly jobs", json!({"do": "suppress"})).await;
    world.trigger(Severity::Critical);
    check_not_urgent(&world, 1, expected).await;
}

#[tokio::test]
async fn something_critical_that_paged_nobody_names_the_setting_of_its_service() {
    let hours = json!({"time_zone": "Europe/Paris",
        "windows": [{"days": ["monday"], "from": "09:00", "until": "17:00"}]});
    let support = json!({"by": "support_hours", "during": "high", "outside": "low",
        "raise": false, "hours": hours});
    for (urgency, expected) in [
        (support, "the service is outside of its support hours"),
        (
            json!({"by": "low"}),
            "alerts of this service are never urgent",
        ),
    ] {
        let world = World::new();
        set_intake(&world, urgency, json!({"by": "nothing"})).await;
        world.trigger(Severity::Critical);
        check_not_urgent(&world, 1, expected).await;
    }
}

#[tokio::test]
async fn something_critical_that_paged_nobody_names_the_person_who_said_so() {
    let world = World::new();
    let pause = json!({"do": "pause", "seconds": 60});
    set_rule(&world, "wait", pause).await;
    world.trigger(Severity::Critical);
    let incident = world
        .engine
        .read(|state| *state.incidents.keys().next().unwrap());
    let urgency = Urgency::Low;
    let low = Command {
        actor: Actor::Person { user: world.ada },
        ask: Ask::Respond(RespondAsk::SetUrgency { incident, urgency }),
    };
    world.engine.ask_and_wait(low).unwrap();
    check_not_urgent(&world, 1, "Ada set its urgency to low").await;
}

#[tokio::test]
async fn a_test_page_and_what_is_not_there_are_explained_too() {
    let world = World::new();
    world.set_up_mail().await;
    let ada = world.ada;
    let method = world
        .engine
        .read(|state| state.users[&ada].contact_methods[0].id);
    let path = format!("/users/{ada}/contact-methods/{method}/test");
    let sent = world.post(&path, json!({})).await.json();
    let page = sent["notification_id"].as_str().unwrap();
    let explained = world
        .get(&format!("/notifications/{page}/explanation"))
        .await
        .json();
    assert_eq!(explained["incident"], Value::Null);
    check(&explained, &[("message", "Ada was sent a test page")]);
    for path in [
        "/notifications/QAAAAAAAAAAAAA/explanation",
        "/incidents/7/explanation",
    ] {
        assert_eq!(
            world.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_was_on_call_is_told_as_it_was_decided_also_after_the_schedule_was_changed() {
    let world = World::new();
    let schedule = world
        .engine
        .read(|state| *state.schedules.keys().next().unwrap());
    let target = json!([{"kind": "schedule", "id": schedule.to_string()}]);
    world
        .set_levels(json!([{"delay_minutes": 5, "targets": target}]))
        .await;
    world.trigger(Severity::Critical);
    let step = async || {
        let explained = world.get("/incidents/1/explanation").await.json();
        let steps = explained["steps"].as_array().unwrap().clone();
        let step = steps.into_iter().find(|step| step["kind"] == "schedule");
        step.expect("a schedule is told")["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = step().await;
    assert!(before.contains("their turn in the rotation"), "{before}");
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Days,
    };
    world.does(Ask::Roster(RosterAsk::SetSchedule {
        id: Some(schedule),
        name: "Other".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![
            Layer::rotation(START.minus_ms(24 * 60 * MINUTE), turn, vec![world.bob]),
            Layer::rotation(START.minus_ms(24 * 60 * MINUTE), turn, vec![world.ada]),
        ],
    }));
    let after = step().await;
    assert!(
        after.starts_with("Ada was on call by the schedule “"),
        "{after}"
    );
    assert!(!after.contains("Other"), "its name of then: {after}");
    assert!(after.contains("was changed since"), "{after}");
}
