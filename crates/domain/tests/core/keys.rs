//! Keys from outside: one alert per sender and key, found again however the key is written, and no way to a monitor's alert.

use crate::world::World;
use tocsin_domain::alert::{SENT_DETAILS_BYTES_MAX, SentDetails};
use tocsin_domain::command::{AlertAsk, Ask, IntakeAsk, RespondAsk, Restated, SaidOf};
use tocsin_domain::event::{AlertEvent, Event, EventBody, IncidentWhat, InputEvent};
use tocsin_domain::id::{IntegrationId, ServiceId};
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;
use tocsin_domain::state::{State, monitor_key};

fn default_service(world: &World) -> ServiceId {
    world.state.installation.as_ref().unwrap().default_service
}

fn resolve(world: &mut World, integration: Option<IntegrationId>, service: ServiceId, key: &str) {
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration,
        dedup_key: key.to_owned(),
    }));
}

fn trigger(integration: Option<IntegrationId>, key: &str) -> AlertAsk {
    AlertAsk::Trigger {
        service: None,
        integration,
        dedup_key: Some(key.to_owned()),
        severity: Severity::Critical,
        title: "it fails".to_owned(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    }
}

#[test]
fn a_key_is_found_again_whatever_surrounds_it() {
    for (raised, resolved) in [
        ("db1\n", "db1\n"),
        ("db1", " db1"),
        ("db\u{1b}1", "db\u{1b}1"),
    ] {
        let mut world = World::set_up();
        let service = default_service(&world);
        world.ask(Ask::Alert(trigger(None, raised)));
        resolve(&mut world, None, service, resolved);
        assert_eq!(world.incident().status, Status::Resolved, "{raised:?}");
    }
}

#[test]
fn the_same_key_of_two_integrations_is_two_alerts() {
    let mut world = World::set_up();
    let (one, two) = (
        IntegrationId::random(&mut world.entropy),
        IntegrationId::random(&mut world.entropy),
    );
    world.ask(Ask::Alert(trigger(Some(one), "disk")));
    world.ask(Ask::Alert(trigger(Some(two), "disk")));
    world.ask(Ask::Alert(trigger(Some(two), "disk")));
    assert_eq!(world.state.open_incidents.len(), 2);
    let service = default_service(&world);
    resolve(&mut world, Some(two), service, "disk");
    assert_eq!(world.state.open_incidents.len(), 1);
    let left = world.state.firing.values().next().unwrap();
    assert_eq!(
        world.state.alerts[left].source.sender(),
        tocsin_domain::alert::Sender::Integration(one)
    );
}

#[test]
fn what_is_said_again_without_details_keeps_those_that_were_told() {
    let mut world = World::set_up();
    let integration = IntegrationId::random(&mut world.entropy);
    for by in [None, Some(integration)] {
        let mut told = Vec::new();
        for value in ["1", "", "2"] {
            let mut ask = trigger(by, "disk");
            if let (AlertAsk::Trigger { details, .. }, false) = (&mut ask, value.is_empty()) {
                details.push(("full".to_owned(), value.to_owned()));
            }
            world.ask(Ask::Alert(ask));
            let alert = world.incident().alerts[0];
            told.push(world.state.alerts[&alert].details[0].1.clone());
        }
        assert_eq!(told, ["1", "1", "2"], "{by:?}");
    }
}

/// Says that the disk is so full, and gives what of it is kept as it was sent.
fn say(world: &mut World, full: Option<&str>, json: Option<&str>) -> Option<String> {
    let mut ask = trigger(None, "disk");
    if let AlertAsk::Trigger {
        details,
        sent_details,
        ..
    } = &mut ask
    {
        details.extend(full.map(|full| ("full".to_owned(), full.to_owned())));
        *sent_details = json.and_then(|json| SentDetails::kept(json.to_owned()));
    }
    world.ask(Ask::Alert(ask));
    let alert = world.incident().alerts[0];
    let kept = world.state.alerts[&alert].sent_details.as_deref();
    kept.map(|kept| kept.json().to_owned())
}

#[test]
fn details_as_they_were_sent_are_those_that_were_told_last() {
    let mut world = World::set_up();
    let (number, text) = (r#"{"full":1}"#, r#"{"full":[1]}"#);
    for (full, json, expected) in [
        (Some("1"), Some(number), Some(number)),
        // Who tells none takes back none.
        (None, None, Some(number)),
        (Some("1"), Some(number), Some(number)),
        // They have the same names and texts.
        (Some("1"), Some(text), Some(text)),
        (Some("1"), None, None),
        (Some("1"), Some(number), Some(number)),
        // Nothing of them has a text, so that none are told.
        (None, Some(r#"{"full":{}}"#), Some(number)),
        (Some("2"), Some(number), Some(number)),
    ] {
        assert_eq!(say(&mut world, full, json).as_deref(), expected);
        world.check_replay();
    }
    let told = restate(&mut world, "disk", Restated::Title("it burns".to_owned()));
    let untold = matches!(
        &told[0],
        EventBody::Alert(AlertEvent::Repeated {
            details: None,
            sent_details: None,
            ..
        })
    );
    assert!(untold, "{told:?}");
    let alert = world.state.alerts.values().next().unwrap();
    let kept = alert.sent_details.as_deref().map(SentDetails::json);
    assert_eq!(kept, Some(number));
    let long = "x".repeat(SENT_DETAILS_BYTES_MAX + 1);
    assert_eq!(SentDetails::kept(long), None);
}

#[test]
fn a_severity_that_rises_takes_back_no_details_as_they_were_sent() {
    let mut world = World::set_up();
    let mut ask = trigger(None, "disk");
    if let AlertAsk::Trigger {
        severity,
        details,
        sent_details,
        ..
    } = &mut ask
    {
        *severity = Severity::Warning;
        details.push(("full".to_owned(), "1".to_owned()));
        *sent_details = SentDetails::kept(r#"{"full":1}"#.to_owned());
    }
    world.ask(Ask::Alert(ask));
    restate(&mut world, "disk", Restated::Severity(Severity::Critical));
    let alert = world.state.alerts.values().next().unwrap();
    assert_eq!(alert.severity, Severity::Critical);
    let kept = alert.sent_details.as_deref().map(SentDetails::json);
    assert_eq!(kept, Some(r#"{"full":1}"#));
}

#[test]
fn the_journal_holds_details_as_they_were_sent_only_where_there_are_any() {
    let mut world = World::set_up();
    say(&mut world, Some("1"), None);
    say(&mut world, Some("2"), None);
    let written = |world: &World| -> Vec<String> {
        let events = world.journal.iter();
        events
            .map(|event| serde_json::to_string(event).unwrap())
            .collect()
    };
    let plain = written(&world).concat();
    assert!(!plain.contains("sent_details"), "{plain}");
    say(&mut world, Some("3"), Some(r#"{"full":3}"#));
    let mut folded = State::default();
    for line in written(&world) {
        folded.evolve(&serde_json::from_str::<Event>(&line).unwrap());
    }
    assert_eq!(folded, world.state);
    let alert = folded.alerts.values().next().unwrap();
    let kept = alert.sent_details.as_deref().map(SentDetails::json);
    assert_eq!(kept, Some(r#"{"full":3}"#));
}

#[test]
fn no_key_from_outside_ends_what_a_monitor_sees() {
    let mut world = World::with_apache();
    world.crash();
    let (target, monitor) = (world.target(), world.monitor("apache-down"));
    let service = world.state.targets[&target].service;
    let integration = IntegrationId::random(&mut world.entropy);
    for sender in [None, Some(integration)] {
        resolve(&mut world, sender, service, &monitor_key(monitor, target));
    }
    assert!(world.state.firing_of(monitor, target).is_some());
}

#[test]
fn a_second_acknowledgement_is_recorded_as_one_that_changed_nothing() {
    let mut world = World::with_apache();
    world.crash();
    world.acknowledge();
    let events = world.acknowledge();
    assert!(matches!(&events[..], [event] if matches!(event.body, EventBody::Input(_))));
    assert_eq!(world.incident().status, Status::Acknowledged);
}

fn restate(world: &mut World, key: &str, said: Restated) -> Vec<EventBody> {
    let of = SaidOf {
        service: default_service(world),
        integration: None,
        dedup_key: key.to_owned(),
    };
    let ask = AlertAsk::RestateByKey(of, said);
    let events = world.ask(Ask::Alert(ask)).into_iter();
    events.map(|event| event.body).collect()
}

#[test]
fn what_is_said_otherwise_of_an_alert_that_fires_is_what_it_says_from_then_on() {
    let mut world = World::set_up();
    world.ask(Ask::Alert(AlertAsk::Trigger {
        service: None,
        integration: None,
        dedup_key: Some("disk".to_owned()),
        severity: Severity::Warning,
        title: "it fails".to_owned(),
        summary: String::new(),
        details: vec![("host".to_owned(), "db1".to_owned())],
        sent_details: None,
        at: None,
    }));
    let told = restate(&mut world, "disk", Restated::Title("it burns".to_owned()));
    let again = matches!(&told[0], EventBody::Alert(AlertEvent::Repeated { summary, details: None, .. })
        if summary == "it burns");
    assert!(again, "{told:?}");
    assert_eq!(world.state.open_incidents.len(), 1);
    let summary = "of db1, since noon".to_owned();
    let told = restate(&mut world, "disk", Restated::Summary(summary));
    let again = matches!(&told[..], [EventBody::Alert(AlertEvent::Repeated { summary, .. })]
        if summary == "of db1, since noon");
    assert!(again, "{told:?}");
    let severity = |world: &World| world.state.alerts.values().next().unwrap().severity;
    restate(&mut world, "disk", Restated::Severity(Severity::Critical));
    assert_eq!(severity(&world), Severity::Critical);
    let told = restate(&mut world, "disk", Restated::Severity(Severity::Info));
    let ignored = matches!(&told[..], [EventBody::Input(InputEvent::Ignored { .. })]);
    assert!(ignored, "{told:?}");
    assert_eq!(
        severity(&world),
        Severity::Critical,
        "as when it is repeated"
    );
    let alert = world.state.alerts.values().next().unwrap().clone();
    assert_eq!(alert.details.len(), 1);
    let said = (alert.title.as_str(), alert.summary.as_str());
    assert_eq!(said, ("it burns", "of db1, since noon"));
    assert_eq!(alert.repeats, 0, "nothing was said again");
    assert_eq!(world.incident().title, "it burns");
    for same in [
        Restated::Title("it burns".to_owned()),
        Restated::Summary("of db1, since noon".to_owned()),
        Restated::Summary(" ".to_owned()),
    ] {
        assert_eq!(restate(&mut world, "disk", same), Vec::new());
    }
}

#[test]
fn an_incident_that_is_called_otherwise_than_its_alert_keeps_its_title() {
    let mut world = World::set_up();
    world.ask(Ask::Alert(trigger(None, "disk")));
    let incident = world.incident().id;
    world.ask(Ask::Respond(RespondAsk::SetTitle {
        incident,
        title: "Nobody can buy".to_owned(),
    }));
    restate(&mut world, "disk", Restated::Title("it burns".to_owned()));
    assert_eq!(world.incident().title, "Nobody can buy");
    let alert = world.state.alerts.values().next().unwrap();
    assert_eq!(alert.title, "it burns");
}

#[test]
fn another_wording_of_what_a_rule_made_quiet_pages_nobody() {
    let mut world = World::set_up();
    let service = default_service(&world);
    world.ask(Ask::Intake(IntakeAsk::SetService {
        service,
        urgency: UrgencyBy::Low,
        grouping: GroupBy::Nothing,
        resolve_after_ms: None,
    }));
    world.ask(Ask::Alert(trigger(None, "disk")));
    restate(&mut world, "disk", Restated::Title("it burns".to_owned()));
    assert!(world.paged().is_empty());
    assert_eq!(world.incident().urgency, Urgency::Low);
}

#[test]
fn what_is_over_is_not_raised_by_what_is_said_otherwise_of_it() {
    let mut world = World::set_up();
    world.ask(Ask::Alert(trigger(None, "disk")));
    let service = default_service(&world);
    resolve(&mut world, None, service, "disk");
    let told = restate(&mut world, "disk", Restated::Title("it burns".to_owned()));
    let ignored = matches!(&told[..], [EventBody::Input(InputEvent::Ignored { .. })]);
    assert!(ignored, "{told:?}");
    assert!(world.state.open_incidents.is_empty());
}

#[test]
fn a_note_by_a_key_stands_in_the_incident_of_what_fails_under_it() {
    let mut world = World::set_up();
    world.ask(Ask::Alert(trigger(None, "disk")));
    let service = default_service(&world);
    let note = |world: &mut World, key: &str| {
        let of = SaidOf {
            service,
            integration: None,
            dedup_key: key.to_owned(),
        };
        let ask = AlertAsk::NoteByKey(of, "disks are ordered".to_owned());
        world.ask(Ask::Alert(ask));
        world.count(
            |what| matches!(what, IncidentWhat::NoteAdded { text, .. } if text == "disks are ordered"),
        )
    };
    assert_eq!(note(&mut world, "tape"), 0);
    assert_eq!(note(&mut world, "disk"), 1);
}
