//! Rules: which of them hold, in which order, and what they do.

use super::{MINUTE, office, rule, title_contains};
use crate::world::World;
use tocsin_domain::command::{Ask, AskedRule, IntakeAsk};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{Action, Condition, Field, Incoming, Test};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;

fn field(field: Field, test: Test) -> Condition {
    Condition::Field { field, test }
}

#[test]
fn conditions_ask_fields_of_the_alert() {
    let mut world = World::set_up();
    let service = world.default_service();
    let details = [
        ("Component".to_owned(), "disk".to_owned()),
        ("region".to_owned(), String::new()),
        ("details.Source".to_owned(), "pump 7".to_owned()),
    ];
    let holds = |world: &World, when: Condition| {
        let incoming = Incoming {
            service,
            integration: None,
            severity: Severity::Error,
            title: "The DISK is full",
            summary: "on db-7.example",
            details: &details,
            is_own: false,
        };
        let mut state = world.state.clone();
        let mut world = World {
            state: std::mem::take(&mut state),
            now: world.now,
            entropy: crate::world::Seeded(3),
            journal: Vec::new(),
        };
        world.set_rules_of(None, vec![rule("r", when, vec![Action::Suppress])]);
        !world
            .state
            .judge(incoming, world.now)
            .judged
            .rules
            .is_empty()
    };
    let text = |text: &str| text.to_owned();
    for (expected, when) in [
        (true, field(Field::Title, Test::Contains(text("disk")))),
        (true, field(Field::Title, Test::StartsWith(text("the ")))),
        (false, field(Field::Title, Test::StartsWith(text("disk")))),
        (true, field(Field::Source, Test::Matches(text("db-?.*")))),
        (true, field(Field::Component, Test::Equals(text("Disk")))),
        (true, field(Field::Severity, Test::Equals(text("error")))),
        (
            true,
            field(Field::Service, Test::Equals(text("first service"))),
        ),
        (
            true,
            field(Field::Service, Test::Equals(service.to_string())),
        ),
        (false, field(Field::Integration, Test::Exists)),
        (false, field(Field::Detail(text("region")), Test::Exists)),
        // Kept apart from the field that its sender's form calls so.
        (
            true,
            field(Field::Detail(text("Source")), Test::Equals(text("pump 7"))),
        ),
        (false, field(Field::Class, Test::Exists)),
        (true, Condition::All { of: Vec::new() }),
        (false, Condition::Any { of: Vec::new() }),
        (false, Condition::Hours { hours: office() }),
        (
            true,
            Condition::Not {
                of: Box::new(Condition::Hours { hours: office() }),
            },
        ),
    ] {
        assert_eq!(holds(&world, when.clone()), expected, "{when:?}");
    }
    world.wait_ms(0);
}

#[test]
fn a_detail_is_told_from_the_field_that_is_called_so_and_from_what_is_within_details() {
    let kept = [
        ("Class", "io"),
        ("details.Class", "own"),
        ("host", "web1"),
        ("details.host", "within"),
    ];
    let details = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let check = |asked: Field, expected: &str| {
        let mut world = World::set_up();
        let when = field(asked, Test::Equals(expected.to_owned()));
        let suppress = rule("r", when.clone(), vec![Action::Suppress]);
        world.set_rules_of(None, vec![suppress]);
        let incoming = Incoming {
            service: world.default_service(),
            integration: None,
            severity: Severity::Critical,
            title: "Slow disk",
            summary: "on db-7.example",
            details: &details,
            is_own: false,
        };
        let ruling = world.state.judge(incoming, world.now);
        assert!(ruling.judged.suppressed.is_some(), "{when:?}");
    };
    check(Field::Class, "io");
    check(Field::Detail("Class".to_owned()), "own");
    check(Field::Detail("class".to_owned()), "own");
    check(Field::Detail("host".to_owned()), "web1");
    check(Field::Detail("details.host".to_owned()), "within");
}

#[test]
fn the_summary_is_what_its_sender_calls_so_and_what_is_told_beside_it() {
    let world = World::set_up();
    let check = |text: &str, expected: bool| {
        let contains = || field(Field::Summary, Test::Contains(text.to_owned()));
        let not = Condition::Not {
            of: Box::new(contains()),
        };
        for (when, expected) in [(contains(), expected), (not, !expected)] {
            let mut world = World {
                state: world.state.clone(),
                now: world.now,
                entropy: crate::world::Seeded(3),
                journal: Vec::new(),
            };
            let suppress = rule("r", when.clone(), vec![Action::Suppress]);
            world.set_rules_of(None, vec![suppress]);
            let details = [("Summary".to_owned(), "since noon".to_owned())];
            let incoming = Incoming {
                service: world.default_service(),
                integration: None,
                severity: Severity::Critical,
                title: "Transient failure",
                summary: "on db-7.example",
                details: &details,
                is_own: false,
            };
            let ruling = world.state.judge(incoming, world.now);
            let is_suppressed = ruling.judged.suppressed.is_some();
            assert_eq!(is_suppressed, expected, "{when:?}");
        }
    };
    check("transient", true);
    check("db-7", true);
    check("noon", true);
    check("lasting", false);
}

#[test]
fn a_summary_exists_only_where_more_is_told_than_the_title() {
    let mut world = World::set_up();
    let exists = field(Field::Summary, Test::Exists);
    let suppress = rule("r", exists, vec![Action::Suppress]);
    world.set_rules_of(None, vec![suppress]);
    for (summary, expected) in [("", false), ("on db-7", true)] {
        let incoming = Incoming {
            service: world.default_service(),
            integration: None,
            severity: Severity::Critical,
            title: "It fails",
            summary,
            details: &[],
            is_own: false,
        };
        let ruling = world.state.judge(incoming, world.now);
        assert_eq!(ruling.judged.suppressed.is_some(), expected, "{summary:?}");
    }
}

#[test]
fn a_suppressed_alert_is_kept_and_shown_and_pages_nobody() {
    let mut world = World::set_up();
    let name = "noise of the night";
    world.set_rules_of(
        None,
        vec![rule(name, title_contains("disk"), vec![Action::Suppress])],
    );
    world.trigger("disk", Severity::Critical);
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.pages(), []);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.incident().urgency, Urgency::Low);
    let alert = world.alert("disk");
    assert_eq!(alert.severity, Severity::Critical);
    assert_eq!(alert.judged.as_ref().unwrap().rules[0].name, name);
    assert!(alert.suppressed().unwrap().contains(name));
}

#[test]
fn what_is_no_longer_suppressed_when_it_is_said_again_pages() {
    let mut world = World::set_up();
    let suppress = rule("r", title_contains("disk"), vec![Action::Suppress]);
    world.set_rules_of(None, vec![suppress]);
    world.trigger("disk", Severity::Critical);
    world.set_rules_of(None, Vec::new());
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.alert("disk").suppressed(), None);
}

#[test]
fn an_alert_that_is_sent_on_is_found_again_by_whoever_raised_it() {
    let mut world = World::set_up();
    let (first, second) = (world.default_service(), world.add_service("Disks"));
    let route = Action::Route { service: second };
    world.set_rules_of(None, vec![rule("r", title_contains("disk"), vec![route])]);
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.incident().service, second);
    world.set_rules_of(None, Vec::new());
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.alert("disk").repeats, 1, "it is the same alert");
    world.resolve_key(first, "disk");
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn rules_go_on_only_when_they_say_so_and_those_of_the_service_come_last() {
    let mut world = World::set_up();
    let service = world.default_service();
    let severity = |severity| vec![Action::SetSeverity { severity }];
    let always = || Condition::All { of: Vec::new() };
    let go_on = |one: AskedRule| AskedRule { go_on: true, ..one };
    let is_warning = field(Field::Severity, Test::Equals("warning".to_owned()));
    world.set_rules_of(
        None,
        vec![
            go_on(rule("first", always(), severity(Severity::Warning))),
            rule("second", is_warning, severity(Severity::Error)),
            rule("never", always(), severity(Severity::Info)),
        ],
    );
    let note = Action::Note {
        text: "see the wiki".to_owned(),
    };
    let priority = Action::SetPriority {
        priority: "P1".to_owned(),
    };
    let of_service = rule("third", always(), vec![note, priority]);
    world.set_rules_of(Some(service), vec![of_service]);
    world.trigger("disk", Severity::Info);
    let alert = world.alert("disk");
    assert_eq!(alert.severity, Severity::Error);
    let judged = alert.judged.as_ref().unwrap();
    let names: Vec<&str> = judged.rules.iter().map(|hit| hit.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert_eq!(judged.priority.as_deref(), Some("P1"));
    assert_eq!(
        world.count(|what| matches!(what, IncidentWhat::NoteAdded { .. })),
        1
    );
    assert_eq!(world.pages().len(), 1, "it is an error by now");
}

#[test]
fn a_dropped_event_is_counted_and_one_of_our_own_is_only_suppressed() {
    let mut world = World::with_apache();
    let always = Condition::All { of: Vec::new() };
    world.set_rules_of(None, vec![rule("all of it", always, vec![Action::Drop])]);
    world.trigger("disk", Severity::Critical);
    world.trigger("disk", Severity::Critical);
    assert!(world.state.incidents.is_empty());
    let rule = world.state.rules[0].id;
    assert_eq!(world.state.dropped[&rule], 2);
    world.crash();
    assert_eq!(world.incident().urgency, Urgency::Low);
    assert_eq!(world.pages(), []);
}

#[test]
fn a_pause_pages_only_for_what_lasts_longer() {
    let mut world = World::set_up();
    let service = world.default_service();
    let pause = Action::Pause { ms: 2 * MINUTE };
    world.set_rules_of(None, vec![rule("r", title_contains("blip"), vec![pause])]);
    world.trigger("blip", Severity::Critical);
    world.wait_ms(MINUTE);
    world.resolve_key(service, "blip");
    world.wait_ms(10 * MINUTE);
    assert_eq!(world.pages(), []);
    world.trigger("blip", Severity::Critical);
    world.wait_ms(2 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn rules_that_cannot_be_used_are_refused_with_every_reason() {
    let mut world = World::set_up();
    let service = world.default_service();
    let deep = (0..8).fold(Condition::All { of: Vec::new() }, |inner, _| {
        Condition::Not {
            of: Box::new(inner),
        }
    });
    let route = Action::Route { service };
    let bad = [
        rule("deep", deep, vec![Action::Suppress]),
        rule("idle", title_contains("x"), Vec::new()),
        rule("route", title_contains("x"), vec![route]),
        rule("empty", title_contains(""), vec![Action::Pause { ms: 1 }]),
    ];
    for one in bad {
        let ask = IntakeAsk::SetRules {
            service: Some(service),
            rules: vec![one.clone()],
        };
        let refused = world.try_ask(Ask::Intake(ask));
        assert!(refused.is_err(), "{one:?}");
    }
    let many = vec![rule("r", title_contains("x"), vec![Action::Suppress]); 101];
    let ask = IntakeAsk::SetRules {
        service: None,
        rules: many,
    };
    assert!(world.try_ask(Ask::Intake(ask)).is_err());
}
