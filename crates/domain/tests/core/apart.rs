//! Parts of the state by themselves: a few incidents with what bears on them, and what is set up without what fails.

use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::decide::first_refused;
use tocsin_domain::event::Actor;
use tocsin_domain::id::IncidentId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;

use crate::due_reference;
use crate::world::World;

/// A world with so many critical incidents, in the order in which they were opened.
fn failing(count: usize) -> (World, Vec<IncidentId>) {
    let mut world = World::set_up();
    let open = |number: usize| {
        world.trigger(&format!("key-{number}"), Severity::Critical);
        world.incident().id
    };
    let opened = (0..count).map(open).collect();
    (world, opened)
}

#[test]
fn an_incident_by_itself_has_what_belongs_to_it_and_nothing_of_others_is_copied() {
    let (mut world, opened) = failing(3);
    world.answer_all(Outcome::Failed);
    let state = world.state.about([opened[1]]);
    assert_eq!(state.incidents.keys().collect::<Vec<_>>(), [&opened[1]]);
    assert!(
        state
            .incidents
            .is_shared(&opened[1], &world.state.incidents)
    );
    let alerts: Vec<_> = state.alerts.keys().copied().collect();
    assert_eq!(alerts, *world.state.incidents[&opened[1]].alerts);
    let messages: Vec<_> = state.notifications.keys().copied().collect();
    let mut expected = world.state.messages_of[&opened[1]].clone();
    expected.sort();
    assert_eq!(messages, expected);
    assert_eq!(state.active_notifications.len(), messages.len());
    assert_eq!(state.open_incidents.len(), 1);
    assert_eq!(state.firing.len(), 1);
    assert_eq!(state.next_due(), world.state.next_due());
    due_reference::check(&state);
}

#[test]
fn what_is_owed_about_an_incident_is_owed_where_it_is_by_itself() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    world.trigger("db", Severity::Critical);
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    assert_eq!(world.state.receipts_owed().count(), 1);
    let state = world.state.about([world.incident().id]);
    assert!(state.receipts_owed().eq(world.state.receipts_owed()));
    due_reference::check(&state);
}

#[test]
fn what_is_asked_about_a_few_incidents_is_refused_as_if_all_were_there() {
    let (mut world, opened) = failing(4);
    let (sources, into) = (vec![opened[2]], opened[3]);
    world.respond(RespondAsk::Merge { sources, into });
    let by = world.ada();
    let acknowledge = |incident| RespondAsk::Acknowledge { incident, by };
    let resolve = |incident| RespondAsk::Resolve {
        incident,
        note: None,
    };
    let [first, second, merged, last] = opened[..] else {
        panic!("four");
    };
    let check = |asked: &[RespondAsk], about: &[IncidentId], expected: Option<usize>| {
        let asks: Vec<Ask> = asked.iter().cloned().map(Ask::Respond).collect();
        let told = |state| first_refused(state, &Actor::System, &asks, world.now);
        let found = told(world.state.about(about.iter().copied()));
        assert_eq!(found.as_ref().map(|(place, _)| *place), expected);
        assert_eq!(found, told(world.state.clone()), "{asked:?}");
        let state = world.state.about(about.iter().copied());
        assert!(state.incidents.len() < world.state.incidents.len());
        due_reference::check(&state);
    };
    check(&[acknowledge(first), resolve(first)], &[first], None);
    let twice = [resolve(first), acknowledge(second), resolve(first)];
    check(&twice, &[first, second], Some(2));
    let escalate = RespondAsk::Escalate { incident: second };
    check(&[escalate, resolve(second)], &[second], None);
    let reopen = RespondAsk::Reopen { incident: first };
    check(&[resolve(first), reopen.clone()], &[first], None);
    check(&[reopen, resolve(first)], &[first], Some(0));
    // Why what was merged cannot be escalated names what it goes on in.
    let escalate = RespondAsk::Escalate { incident: merged };
    check(&[resolve(last), escalate], &[merged], Some(1));
}

#[test]
fn what_is_set_up_is_told_without_what_fails() {
    let (world, _) = failing(2);
    let state = world.state.set_up_alone();
    assert!(state.incidents.is_empty() && state.alerts.is_empty());
    assert!(state.notifications.is_empty() && state.firing.is_empty());
    assert_eq!(state.users, world.state.users);
    assert_eq!(state.pulses, world.state.pulses);
    assert_eq!(state.next_due(), None);
}
