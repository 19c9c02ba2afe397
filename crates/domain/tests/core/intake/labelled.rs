//! Alerts that are known by their labels, as Alertmanager has them.

use super::{HOUR, MINUTE};
use crate::world::World;
use tocsin_domain::command::{AlertAsk, Ask, Labelled, RosterAsk};
use tocsin_domain::id::IntegrationId;
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::service::IntegrationKind;

/// Whoever sends alerts says so again within this time.
const HOLDS_MS: u64 = 4 * MINUTE;

impl World {
    pub(super) fn labelled(&self, key: &str, labels: &[(&str, &str)], for_ms: u64) -> Labelled {
        let labels = labels.iter();
        Labelled {
            service: None,
            integration: None,
            dedup_key: key.to_owned(),
            severity: Severity::Critical,
            title: format!("{key} fails"),
            summary: String::new(),
            details: labels
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            starts_at: self.now,
            ends_at: self.now.plus_ms(for_ms),
        }
    }

    fn say(&mut self, labelled: Labelled) {
        self.ask(Ask::Alert(AlertAsk::Labelled(Box::new(labelled))));
    }

    pub(super) fn fires(&mut self, key: &str, labels: &[(&str, &str)]) {
        let labelled = self.labelled(key, labels, HOLDS_MS);
        self.say(labelled);
    }

    pub(super) fn is_over(&mut self, key: &str) {
        let labelled = self.labelled(key, &[], 0);
        self.say(labelled);
    }
}

#[test]
fn an_alert_of_two_senders_opens_one_incident_and_pages_once() {
    let mut world = World::set_up();
    for _ in 0..2 {
        world.fires("a", &[("job", "web")]);
    }
    world.wait_ms(MINUTE);
    for _ in 0..2 {
        world.fires("a", &[("job", "web")]);
    }
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.alert("a").repeats, 3);
    let pages = world.pages().len();
    // One of them knows that it is over, and the other not yet.
    world.is_over("a");
    world.fires("a", &[("job", "web")]);
    world.is_over("a");
    world.wait_ms(15_000);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.incident().status, Status::Resolved);
    assert_eq!(world.pages().len(), pages, "nobody is paged anew");
}

/// What was said to hold for so long is said to be over, which is told with it.
fn over_after(holds_ms: u64) -> (World, Labelled) {
    let mut world = World::set_up();
    let first = world.labelled("a", &[], holds_ms);
    world.say(first.clone());
    world.wait_ms(100_000);
    let over = Labelled {
        ends_at: world.now,
        ..first
    };
    world.say(over.clone());
    (world, over)
}

#[test]
fn an_end_from_before_an_alert_began_anew_does_not_end_it() {
    let (mut world, over) = over_after(5 * MINUTE);
    world.wait_ms(200_000);
    world.fires("a", &[]);
    let events = world.journal.len();
    // One sender fires anew; the other, which has not seen that, repeats what was over before.
    world.say(over.clone());
    assert_eq!(world.journal.len(), events, "that is no news");
    world.wait_ms(MINUTE);
    world.fires("a", &[]);
    world.say(over.clone());
    assert!(world.alert("a").is_firing());
    // An end of which no begin is said is one of what fails now, also by a clock that is behind.
    world.say(Labelled {
        starts_at: over.ends_at,
        ..over
    });
    assert!(!world.alert("a").is_firing());
}

#[test]
fn the_second_of_two_senders_ends_an_earlier_failure_at_its_own_time_and_nothing_else() {
    // Also where that was so long ago that what fires anew is another incident.
    for wait_ms in [MINUTE, 13 * MINUTE] {
        let (mut world, over) = over_after(HOLDS_MS);
        world.wait_ms(wait_ms);
        world.fires("a", &[]);
        let events = world.journal.len();
        world.say(Labelled {
            starts_at: over.starts_at.plus_ms(7_000),
            ends_at: over.ends_at.plus_ms(9_000),
            ..over
        });
        assert_eq!(world.journal.len(), events);
        assert!(world.alert("a").is_firing());
    }
}

#[test]
fn an_end_is_heard_when_the_clock_was_set_back_since_the_alert_began() {
    let mut world = World::set_up();
    world.fires("a", &[]);
    world.now = world.now.minus_ms(HOUR);
    world.ask(Ask::ClockSetBack { by_ms: HOUR });
    world.wait_ms(MINUTE);
    let over = Labelled {
        starts_at: world.now.minus_ms(MINUTE),
        ends_at: world.now,
        ..world.labelled("a", &[], 0)
    };
    world.say(over);
    assert!(!world.alert("a").is_firing());
}

#[test]
fn an_alert_that_is_not_said_again_is_over_at_its_end() {
    let mut world = World::set_up();
    world.fires("a", &[]);
    world.wait_ms(HOLDS_MS - 1);
    world.fires("a", &[]);
    world.wait_ms(HOLDS_MS - 1);
    assert!(world.alert("a").is_firing(), "it was said again");
    world.wait_ms(1);
    assert!(!world.alert("a").is_firing());
    world.wait_ms(15_000);
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn an_alert_whose_end_passed_while_nobody_listened_holds_until_it_can_have_been_said_again() {
    for ask in [Ask::Recover, Ask::Resume] {
        for again in [false, true] {
            let mut world = World::set_up();
            world.fires("a", &[]);
            // Nothing runs for ten minutes: time passes without a tick.
            world.now = world.now.plus_ms(10 * MINUTE);
            world.ask(ask.clone());
            assert!(world.alert("a").is_firing());
            world.wait_ms(5 * MINUTE - 1);
            if again {
                world.fires("a", &[]);
                world.wait_ms(HOLDS_MS - 1);
            }
            assert!(world.alert("a").is_firing(), "{ask:?}");
            world.wait_ms(1);
            assert!(!world.alert("a").is_firing(), "{ask:?}");
            assert_eq!(world.state.incidents.len(), 1);
            world.check_replay();
        }
    }
}

#[test]
fn an_alert_that_holds_for_longer_than_that_after_a_start_is_over_at_its_end() {
    let mut world = World::set_up();
    let labelled = world.labelled("a", &[], HOUR);
    world.say(labelled);
    world.wait_ms(30 * MINUTE);
    world.ask(Ask::Recover);
    world.wait_ms(30 * MINUTE - 1);
    assert!(world.alert("a").is_firing());
    world.wait_ms(1);
    assert!(!world.alert("a").is_firing());
}

#[test]
fn an_alert_that_comes_back_soon_goes_on_in_its_incident() {
    let mut world = World::set_up();
    world.fires("a", &[]);
    world.is_over("a");
    world.wait_ms(MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    world.fires("a", &[]);
    world.fires("b", &[]);
    assert_eq!(
        world.state.incidents.len(),
        2,
        "other labels are another incident"
    );
    assert_eq!(world.incident().alerts.len(), 1);
    assert_eq!(world.incident().title, "b fails");
}

#[test]
fn word_of_an_end_that_nobody_waits_for_is_taken_and_writes_nothing() {
    let mut world = World::set_up();
    let before = world.journal.len();
    world.is_over("a");
    assert_eq!(world.journal.len(), before, "it was never known");
    world.fires("a", &[]);
    world.is_over("a");
    let before = world.journal.len();
    for _ in 0..15 {
        world.is_over("a");
    }
    assert_eq!(world.journal.len(), before, "it is over already");
}

#[test]
fn what_is_said_anew_replaces_what_was_said() {
    let mut world = World::set_up();
    world.fires("a", &[("job", "web"), ("annotation value", "1")]);
    world.fires("a", &[("job", "web"), ("annotation value", "2")]);
    assert_eq!(world.alert("a").details[1].1, "2");
}

#[test]
fn an_integration_sends_alerts_to_the_service_that_its_label_names() {
    let mut world = World::set_up();
    let shop = world.add_service("Shop");
    let first = world.default_service();
    world.ask(Ask::Roster(RosterAsk::AddIntegration {
        service: first,
        name: "Prometheus".to_owned(),
        key_hash: "01".to_owned(),
        key_row: None,
        vendor: None,
        kind: IntegrationKind::Alertmanager {
            service_label: Some("team".to_owned()),
        },
    }));
    let mut integrations = world.state.integrations.values();
    let integration = integrations
        .find(|one| one.name == "Prometheus")
        .unwrap()
        .id;
    let cases = [
        ("a", "Shop", shop),
        ("b", shop.as_str(), shop),
        ("c", "nobody", first),
    ];
    for (key, team, expected) in cases {
        let mut labelled = world.labelled(key, &[("team", team)], HOLDS_MS);
        labelled.integration = Some(integration);
        world.say(labelled.clone());
        assert_eq!(world.alert(key).service, expected, "{team}");
        labelled.ends_at = world.now;
        world.say(labelled);
        assert!(!world.alert(key).is_firing());
    }
    // An integration that is removed meanwhile names nothing.
    let mut labelled = world.labelled("d", &[("team", "Shop")], HOLDS_MS);
    labelled.integration = Some("QAAAAAAAAAAAAA".parse::<IntegrationId>().unwrap());
    world.say(labelled);
    assert_eq!(world.alert("d").service, first);
}

#[test]
fn an_alert_whose_labels_name_no_service_belongs_to_the_one_of_its_integration() {
    for service_label in [None, Some("team".to_owned())] {
        let mut world = World::set_up();
        let (shop, till) = (world.add_service("Shop"), world.add_service("Till"));
        world.ask(Ask::Roster(RosterAsk::AddIntegration {
            service: shop,
            name: "Prometheus".to_owned(),
            key_hash: "01".to_owned(),
            key_row: None,
            vendor: None,
            kind: IntegrationKind::Alertmanager {
                service_label: service_label.clone(),
            },
        }));
        let mut integrations = world.state.integrations.values();
        let integration = integrations
            .find(|one| one.name == "Prometheus")
            .unwrap()
            .id;
        let by_label = if service_label.is_some() { till } else { shop };
        let cases = [
            ("a", "nobody", None, shop),
            ("b", "Till", None, by_label),
            ("c", "nobody", Some(till), till),
        ];
        for (key, team, service, expected) in cases {
            let mut labelled = world.labelled(key, &[("team", team)], HOLDS_MS);
            labelled.integration = Some(integration);
            labelled.service = service;
            world.say(labelled.clone());
            assert_eq!(world.alert(key).service, expected, "{key}");
            labelled.ends_at = world.now;
            world.say(labelled);
            assert!(!world.alert(key).is_firing(), "{key}");
        }
    }
}
