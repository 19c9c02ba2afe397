//! Integrations of every kind: what of one can change, what is refused, and that those of earlier releases are read.

use tocsin_domain::command::{Ask, Refusal, RosterAsk};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_domain::id::IntegrationId;
use tocsin_domain::service::{Integration, IntegrationKind};

use crate::world::World;

fn webhook(mapping: &str) -> IntegrationKind {
    IntegrationKind::Webhook {
        mapping: mapping.to_owned(),
    }
}

fn add(world: &mut World, kind: IntegrationKind) -> Result<Integration, Refusal> {
    let service = world.state.installation.as_ref().unwrap().default_service;
    let ask = RosterAsk::AddIntegration {
        service,
        name: "Checks".to_owned(),
        key_hash: "aa".to_owned(),
        key_row: None,
        vendor: None,
        kind,
    };
    let events = world.try_ask(Ask::Roster(ask))?;
    let body = &events[0].body;
    let EventBody::Roster(RosterEvent::IntegrationAdded { integration }) = body else {
        panic!("{body:?}");
    };
    Ok(integration.clone())
}

fn change(
    world: &mut World,
    integration: IntegrationId,
    kind: IntegrationKind,
) -> Result<(), Refusal> {
    let ask = RosterAsk::ChangeIntegration {
        integration,
        name: " Other checks ".to_owned(),
        vendor: Some("PRO19CT".to_owned()),
        kind,
    };
    world.try_ask(Ask::Roster(ask)).map(drop)
}

#[test]
fn a_changed_integration_keeps_its_key_and_its_service() {
    let mut world = World::set_up();
    let made = add(&mut world, webhook("{}")).unwrap();
    change(&mut world, made.id, webhook("{\"title\":\"t\"}")).unwrap();
    let expected = Integration {
        name: "Other checks".to_owned(),
        vendor: Some("PRO19CT".to_owned()),
        kind: webhook("{\"title\":\"t\"}"),
        ..made.clone()
    };
    assert_eq!(world.state.integrations[&made.id], expected);
}

#[test]
fn an_integration_never_speaks_otherwise_than_it_was_made_for() {
    let mut world = World::set_up();
    let made = add(&mut world, IntegrationKind::Grafana).unwrap();
    let refused = change(&mut world, made.id, webhook("{}"));
    assert!(
        matches!(refused, Err(Refusal::Conflict { .. })),
        "{refused:?}"
    );
    let nobody = IntegrationId::random(&mut world.entropy);
    let refused = change(&mut world, nobody, webhook("{}"));
    assert!(
        matches!(refused, Err(Refusal::NotFound { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_mapping_has_a_limit() {
    let mut world = World::set_up();
    let large = webhook(&"x".repeat(32 * 1_024 + 1));
    assert!(matches!(
        add(&mut world, large),
        Err(Refusal::Invalid { .. })
    ));
}

#[test]
fn an_integration_of_an_earlier_release_takes_events() {
    let written = r#"{"kind":"integration_added","integration":{"id":"QABCDEFGHIJKLM","service":"QABCDEFGHIJKLN",
        "name":"Events API v2","key_hash":"aa"}}"#;
    let event: RosterEvent = serde_json::from_str(written).unwrap();
    let RosterEvent::IntegrationAdded { integration } = event else {
        panic!("{event:?}");
    };
    assert_eq!(integration.kind, IntegrationKind::EventsV2);
    assert_eq!(integration.vendor, None);
    for kind in [
        IntegrationKind::Grafana,
        webhook("{}"),
        IntegrationKind::Email { mapping: None },
    ] {
        let event = RosterEvent::IntegrationChanged {
            integration: Integration {
                kind,
                ..integration.clone()
            },
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<RosterEvent>(&text).unwrap(), event);
    }
}
