//! Incidents that people declare: for whom, under which key, and what they are called.

use crate::responding::crashed;
use crate::world::World;
use tocsin_domain::command::{AlertAsk, Ask, Declared, IntakeAsk, PeopleAsk, RespondAsk};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::id::UserId;
use tocsin_domain::incident::{Assigned, Status};
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Purpose};
use tocsin_domain::people::Urgency;

fn declare(title: &str, more: Declared) -> RespondAsk {
    RespondAsk::Declare {
        title: title.to_owned(),
        service: None,
        urgency: Urgency::High,
        more: Box::new(more),
    }
}

#[test]
fn an_incident_that_is_declared_for_somebody_pages_nobody_else() {
    let mut world = World::set_up();
    let bob = world.add_user("Bob");
    let more = Declared {
        to: Some(Assigned::People(vec![bob])),
        priority: Some("P1".to_owned()),
        summary: Some("since noon".to_owned()),
        key: None,
    };
    world.respond(declare("The shop is closed", more));
    assert_eq!(world.paged(), ["Bob"]);
    assert_eq!(world.incident().priority.as_deref(), Some("P1"));
    let reached = world.count(|what| matches!(what, IncidentWhat::LevelReached { .. }));
    assert_eq!(reached, 1, "nobody was chosen before they were");
    let nobody = Declared {
        priority: Some("SEV9".to_owned()),
        ..Declared::default()
    };
    assert!(world.refused(declare("x", nobody)).contains("priority"));
}

/// Who will hear of what wakes nobody, and as which level.
fn told(world: &World) -> Vec<(UserId, Option<usize>)> {
    let messages = world.state.notifications.values();
    let told = messages.filter(|one| {
        let is_planned = matches!(one.state, Delivery::Due { .. });
        is_planned && matches!(one.purpose, Purpose::Notice(_))
    });
    told.map(|one| (one.user, one.level)).collect()
}

#[test]
fn of_what_wakes_nobody_only_whom_it_was_given_to_hears() {
    let mut world = World::set_up();
    let (ada, bob) = (world.ada(), world.add_user("Bob"));
    for user in [ada, bob] {
        let mail = world.state.users[&user].contact_methods[0].id;
        let rules = vec![(Urgency::High, 0, mail), (Urgency::Low, 0, mail)];
        world.ask(Ask::People(PeopleAsk::SetRules { user, rules }));
    }
    let more = Declared {
        to: Some(Assigned::People(vec![bob])),
        ..Declared::default()
    };
    world.respond(RespondAsk::Declare {
        title: "The disk is getting full".to_owned(),
        service: None,
        urgency: Urgency::Low,
        more: Box::new(more),
    });
    assert_eq!(told(&world), [(bob, None)]);
    let incident = world.incident().id;
    let to = Assigned::People(vec![ada]);
    world.respond(RespondAsk::Reassign { incident, to });
    assert_eq!(told(&world), [(ada, None)], "and Bob no longer");
    let policy = world.state.installation.as_ref().unwrap().default_policy;
    let to = Assigned::Policy(policy);
    world.respond(RespondAsk::Reassign { incident, to });
    assert_eq!(told(&world), [(ada, Some(0))]);
    assert_eq!(world.pages(), []);
}

#[test]
fn a_key_is_that_of_one_open_incident_of_its_service() {
    let mut world = World::set_up();
    let keyed = || {
        let key = Some("shop".to_owned());
        declare(
            "The shop is closed",
            Declared {
                key,
                ..Declared::default()
            },
        )
    };
    world.respond(keyed());
    let first = world.incident().id;
    assert!(world.refused(keyed()).contains("has this key already"));
    let (incident, note) = (first, None);
    world.respond(RespondAsk::Resolve { incident, note });
    world.respond(keyed());
    assert_eq!(world.state.incidents.len(), 2);
}

#[test]
fn a_key_is_no_other_incidents_that_an_event_opened_also_when_what_opened_it_is_over() {
    let mut world = World::set_up();
    let service = world.state.installation.as_ref().unwrap().default_service;
    let of_key = |key: &str| {
        let more = Declared {
            key: Some(key.to_owned()),
            ..Declared::default()
        };
        declare("The shop is closed", more)
    };
    let said = |key: &str| AlertAsk::Trigger {
        service: None,
        integration: Some("QAAAAAAAAAAAAB".parse().unwrap()),
        dedup_key: Some(key.to_owned()),
        severity: Severity::Critical,
        title: format!("{key} fails"),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    };
    let over = |key: &str| AlertAsk::ResolveByKey {
        service,
        integration: Some("QAAAAAAAAAAAAB".parse().unwrap()),
        dedup_key: key.to_owned(),
    };
    world.ask(Ask::Intake(IntakeAsk::SetService {
        service,
        urgency: UrgencyBy::Severity,
        grouping: GroupBy::Time {
            within_ms: 600_000,
            rolling: false,
        },
        resolve_after_ms: None,
    }));
    world.ask(Ask::Alert(said("shop")));
    world.ask(Ask::Alert(said("till")));
    assert_eq!(world.state.incidents.len(), 1);
    assert!(world.refused(of_key("shop")).contains("has this key"));
    world.ask(Ask::Alert(over("shop")));
    assert_eq!(world.incident().status, Status::Triggered);
    assert!(world.refused(of_key("shop")).contains("has this key"));
    world.ask(Ask::Alert(over("till")));
    assert_eq!(world.incident().status, Status::Resolved);
    world.respond(of_key("shop"));
    assert_eq!(world.state.incidents.len(), 2);
}

#[test]
fn an_incident_can_be_called_something_else_also_when_it_is_over() {
    let (mut world, incident, _) = crashed();
    let called = |title: &str| RespondAsk::SetTitle {
        incident,
        title: title.to_owned(),
    };
    world.respond(called("Nobody can log in"));
    assert_eq!(world.incident().title, "Nobody can log in");
    assert!(world.refused(called(" ")).contains("must not be empty"));
    assert!(
        world
            .refused(called(&"x".repeat(1_025)))
            .contains("at most 1024")
    );
}
