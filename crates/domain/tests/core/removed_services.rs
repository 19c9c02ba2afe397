//! Services that go: which may, and what goes with them.

use std::collections::BTreeSet;

use tocsin_domain::business::{AnyService, Dependency};
use tocsin_domain::command::{
    AlertAsk, Ask, AskedRule, BusinessAsk, IntakeAsk, RespondAsk, RosterAsk, WebhookAsk,
};
use tocsin_domain::event::{Event, EventBody, RosterEvent};
use tocsin_domain::id::{MaintenanceId, SecretId, ServiceId};
use tocsin_domain::incident::Status;
use tocsin_domain::intake::{Action, Condition, UrgencyBy, When};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::people::Urgency;
use tocsin_domain::service::{IntegrationKind, WholeService};
use tocsin_domain::state::State;
use tocsin_domain::webhook::{WebhookKind, WebhookScope};

use crate::world::{START, World, raise};

fn add(world: &mut World) -> ServiceId {
    let whole = WholeService {
        name: Some("Shop".to_owned()),
        urgency: Some(UrgencyBy::High),
        ..WholeService::default()
    };
    let events = world.ask(Ask::Roster(RosterAsk::SetWholeService(Box::new(whole))));
    let made = events.iter().find_map(|event| {
        let EventBody::Roster(RosterEvent::ServiceSet { service }) = &event.body else {
            return None;
        };
        Some(service.id)
    });
    let made = made.unwrap();
    world.ask(Ask::Roster(RosterAsk::AddIntegration {
        service: made,
        name: "Probe".to_owned(),
        key_hash: "aa".to_owned(),
        key_row: None,
        vendor: None,
        kind: IntegrationKind::EventsV2,
    }));
    made
}

fn remove(world: &mut World, service: ServiceId) -> Result<(), String> {
    let ask = Ask::Roster(RosterAsk::RemoveService(service));
    let done = world.try_ask(ask).map_err(|refusal| refusal.to_string());
    done.map(drop)
}

/// Work of an hour on these services, which is under way.
fn work(world: &mut World, services: &[ServiceId]) -> MaintenanceId {
    let before: BTreeSet<MaintenanceId> = world.state.windows.keys().copied().collect();
    let span = Span::new(START, START.plus_ms(3_600_000));
    world.ask(Ask::Intake(IntakeAsk::SetWindow {
        id: None,
        reason: "new disks".to_owned(),
        services: services.to_vec(),
        targets: Vec::new(),
        when: When::Once { span },
        matchers: None,
    }));
    let mut all = world.state.windows.keys();
    *all.find(|id| !before.contains(*id)).unwrap()
}

pub(crate) fn subscribe(world: &mut World, scope: WebhookScope) {
    let delivery = Some(SecretId::random(&mut world.entropy));
    world.ask(Ask::Webhook(WebhookAsk::Set {
        id: None,
        description: String::new(),
        delivery,
        events: BTreeSet::from([WebhookKind::Triggered]),
        scope,
        active: true,
    }));
}

/// A new business service that needs these.
fn needed(world: &mut World, by: &str, services: &[ServiceId]) {
    let set = BusinessAsk::Set {
        id: None,
        name: by.to_owned(),
        description: String::new(),
        point_of_contact: String::new(),
        team: None,
    };
    world.ask(Ask::Roster(RosterAsk::Business(set)));
    let mut all = world.state.business.services.values();
    let business = all.find(|one| one.name == by).unwrap().id;
    let needs = services.iter().map(|service| Dependency {
        dependent: AnyService::Business(business),
        supporting: AnyService::Technical(*service),
    });
    let ask = BusinessAsk::Associate(needs.collect());
    world.ask(Ask::Roster(RosterAsk::Business(ask)));
}

/// What is left that names a service, besides what failed on it.
fn naming(state: &State, service: ServiceId) -> usize {
    let windows = state.windows.values();
    let windows = windows.filter(|window| window.services.contains(&service));
    let webhooks = state.webhooks.values();
    let scope = WebhookScope::Service(service);
    let webhooks = webhooks.filter(|known| known.webhook.scope == scope);
    let dependencies = state.business.naming(AnyService::Technical(service));
    windows.count() + webhooks.count() + dependencies.len()
}

/// A shop on which work is done alone and together with the first service, of which a subscription tells and which something needs.
fn named_everywhere(world: &mut World) -> (ServiceId, [MaintenanceId; 2]) {
    let first = world.state.installation.as_ref().unwrap().default_service;
    let shop = add(world);
    let alone = work(world, &[shop]);
    let together = work(world, &[first, shop]);
    subscribe(world, WebhookScope::Service(shop));
    subscribe(world, WebhookScope::Account);
    needed(world, "Checkout", &[first, shop]);
    assert_eq!(naming(&world.state, shop), 4);
    (shop, [alone, together])
}

fn is_removal(event: &Event) -> bool {
    let body = &event.body;
    matches!(body, EventBody::Roster(RosterEvent::ServiceRemoved { .. }))
}

#[test]
fn what_is_about_a_service_alone_goes_with_it_and_what_is_about_more_goes_on_without_it() {
    let mut world = World::set_up();
    let first = world.state.installation.as_ref().unwrap().default_service;
    let (shop, [alone, together]) = named_everywhere(&mut world);
    remove(&mut world, shop).unwrap();
    assert_eq!(naming(&world.state, shop), 0);
    assert!(!world.state.windows.contains_key(&alone));
    let left = &world.state.windows[&together];
    assert_eq!(left.services, [first]);
    assert!(left.around(world.now).is_some(), "it is still under way");
    let scopes = world.state.webhooks.values().map(|one| one.webhook.scope);
    assert_eq!(scopes.collect::<Vec<_>>(), [WebhookScope::Account]);
    let needs = world.state.business.naming(AnyService::Technical(first));
    assert_eq!(needs.len(), 1, "the first one is needed as before");
    // Each of it is told, before it is told that the service is gone.
    let last = world.journal.iter().rposition(is_removal).unwrap();
    assert_eq!(last + 1, world.journal.len());
    let mut folded = State::default();
    world.journal.iter().for_each(|event| folded.evolve(event));
    assert_eq!(folded.windows, world.state.windows);
    assert_eq!(folded.webhooks, world.state.webhooks);
    assert_eq!(folded.business, world.state.business);
}

#[test]
fn a_journal_that_tells_of_the_removal_alone_names_the_service_no_more_either() {
    let mut world = World::set_up();
    let (shop, _) = named_everywhere(&mut world);
    let before = world.journal.len();
    remove(&mut world, shop).unwrap();
    let mut folded = State::default();
    let (kept, removal) = world.journal.split_at(before);
    let alone = removal.iter().filter(|event| is_removal(event));
    kept.iter()
        .chain(alone)
        .for_each(|event| folded.evolve(event));
    assert_eq!(naming(&folded, shop), 0);
    assert_eq!(folded.windows, world.state.windows);
    assert_eq!(folded.business, world.state.business);
}

#[test]
fn what_is_over_of_a_removed_service_is_not_reopened() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    world.respond(RespondAsk::Declare {
        title: "The shop is closed".to_owned(),
        service: Some(shop),
        urgency: Urgency::High,
        more: Box::default(),
    });
    let incident = world.incident().id;
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    remove(&mut world, shop).unwrap();
    let why = world.refused(RespondAsk::Reopen { incident });
    assert!(why.contains("its service was removed"), "{why}");
    assert_eq!(world.incident().status, Status::Resolved);
}

#[test]
fn a_service_goes_with_its_integrations_and_with_nothing_else() {
    let mut world = World::set_up();
    let before = (
        world.state.services.clone(),
        world.state.integrations.clone(),
    );
    let shop = add(&mut world);
    remove(&mut world, shop).unwrap();
    assert_eq!(world.state.services, before.0);
    assert_eq!(world.state.integrations, before.1);
    assert!(remove(&mut world, shop).is_err(), "it is gone");
}

#[test]
fn a_service_on_which_something_fails_stays() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    world.ask(raise(Some(shop), "down", Severity::Critical));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("open incidents"), "{why}");
    assert!(world.state.services.contains_key(&shop));
}

/// Rules of the installation that send all that comes to another service, or none.
fn send_all_to(world: &mut World, service: Option<ServiceId>) {
    let rules = service.into_iter().map(|service| AskedRule {
        id: None,
        name: "everything".to_owned(),
        when: Condition::All { of: Vec::new() },
        then: vec![Action::Route { service }],
        go_on: false,
    });
    let rules = rules.collect();
    world.ask(Ask::Intake(IntakeAsk::SetRules {
        service: None,
        rules,
    }));
}

#[test]
fn a_service_stays_to_which_an_alert_was_sent_that_a_rule_gave_to_another() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    let first = world.state.installation.as_ref().unwrap().default_service;
    send_all_to(&mut world, Some(first));
    world.ask(raise(Some(shop), "down", Severity::Critical));
    send_all_to(&mut world, None);
    let incident = world.incident();
    assert_eq!(incident.service, first);
    let alert = &world.state.alerts[&incident.alerts[0]];
    assert_eq!((alert.service, alert.sent_to), (first, Some(shop)));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("came to it"), "{why}");
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service: shop,
        integration: None,
        dedup_key: "down".to_owned(),
    }));
    assert!(world.state.open_incidents.is_empty());
    remove(&mut world, shop).unwrap();
}

#[test]
fn a_service_stays_whose_alerts_are_part_of_an_open_incident_of_another() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    world.ask(raise(Some(shop), "down", Severity::Critical));
    let source = world.incident().id;
    world.trigger("db", Severity::Critical);
    let into = world.incident().id;
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service: shop,
        integration: None,
        dedup_key: "down".to_owned(),
    }));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("another service"), "{why}");
    world.respond(RespondAsk::Resolve {
        incident: into,
        note: None,
    });
    remove(&mut world, shop).unwrap();
}

#[test]
fn a_service_that_a_rule_sends_alerts_to_stays_as_long_as_the_rule() {
    let mut world = World::set_up();
    let shop = add(&mut world);
    send_all_to(&mut world, Some(shop));
    let why = remove(&mut world, shop).unwrap_err();
    assert!(why.contains("a rule sends"), "{why}");
    send_all_to(&mut world, None);
    remove(&mut world, shop).unwrap();
}

#[test]
fn the_first_service_and_those_of_watched_servers_stay() {
    let mut world = World::with_apache();
    let first = world.state.installation.as_ref().unwrap().default_service;
    let watched = world.state.targets[&world.target()].service;
    for (service, word) in [(first, "name no service"), (watched, "watched")] {
        let why = remove(&mut world, service).unwrap_err();
        assert!(why.contains(word), "{why}");
    }
}
