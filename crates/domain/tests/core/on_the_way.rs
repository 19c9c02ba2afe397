//! Messages that are on their way to somebody who is removed: they are not told as called off, and end as what becomes of them.

use tocsin_domain::command::{Ask, PeopleAsk};
use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentWhat, NotificationEvent, NotificationWhat, Response,
};
use tocsin_domain::id::{NotificationId, UserId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Delivery, Level, Outcome, Recipient, TOGETHER_EVERY_MS};

use crate::responding::{ask_for_help, crashed};
use crate::storms::services;
use crate::world::{World, raise};

const MINUTE: u64 = 60_000;

fn remove(world: &mut World, user: UserId) {
    world.ask(Ask::People(PeopleAsk::Remove { user }));
}

/// The messages that were called off.
fn called_off(world: &World) -> Vec<NotificationId> {
    let mut called_off = Vec::new();
    for event in &world.journal {
        if let EventBody::Notification(about) = &event.body
            && matches!(about.what, NotificationWhat::Cancelled { .. })
        {
            called_off.push(about.notification);
        }
    }
    called_off
}

/// A message on its way is called off, as it was in journals of old when its person was removed.
pub(crate) fn take_back_as_of_old(world: &mut World, notification: NotificationId) {
    let message = &world.state.notifications[&notification];
    let about = NotificationEvent {
        notification,
        incident: message.purpose.incident(),
        what: NotificationWhat::Cancelled {
            why: "the person was removed".to_owned(),
        },
    };
    let event = Event {
        position: world.state.position + 1,
        at: world.now,
        recorded_at: world.now,
        actor: Actor::System,
        cause: Cause::Request,
        body: EventBody::Notification(about),
    };
    world.state.evolve(&event);
}

/// Bea is paged by a webhook, which is on its way, and by mail after a minute; Cy comes after her.
fn ringing() -> (World, UserId, NotificationId) {
    let mut world = World::set_up();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    let mail = world.state.users[&bea].contact_methods[0].id;
    let hook = world.add_webhook(bea);
    world.set_rules(bea, &[(0, hook), (MINUTE, mail)]);
    world.set_levels(0, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[cy])]);
    world.trigger("down", Severity::Critical);
    let page = world.sending()[0].id;
    (world, bea, page)
}

#[test]
fn what_is_planned_for_whoever_is_removed_is_called_off_and_what_is_on_its_way_is_not() {
    let (mut world, bea, page) = ringing();
    remove(&mut world, bea);
    let taken_back = called_off(&world);
    assert!(
        taken_back.len() == 1 && !taken_back.contains(&page),
        "{taken_back:?}"
    );
    let is_sending = |message: &Delivery| matches!(message, Delivery::Sending { .. });
    assert!(is_sending(&world.state.notifications[&page].state));
    assert_eq!(world.paged(), ["somebody removed", "Cy"], "nobody waits");
    // The provider never answers, and Tocsin is started anew.
    world.ask(Ask::Recover);
    let known = &world.state.notifications[&page];
    assert_eq!(known.attempts.len(), 1);
    assert!(matches!(known.state, Delivery::Failed { .. }), "{known:?}");
}

#[test]
fn what_is_on_its_way_to_whoever_is_removed_reaches_nobody_of_a_level() {
    let mut world = World::set_up();
    let [bea, cy, dan] = ["Bea", "Cy", "Dan"].map(|name| world.add_user(name));
    world.set_levels(0, &[(5 * MINUTE, &[bea, cy]), (5 * MINUTE, &[dan])]);
    world.trigger("down", Severity::Critical);
    let to_cy = world.sending().into_iter().find(|page| page.user == cy);
    let to_cy = to_cy.map(|page| page.id).unwrap();
    world.answer(to_cy, Outcome::Refused);
    assert_eq!(world.paged().len(), 2, "Bea may still be reached");
    remove(&mut world, bea);
    assert_eq!(world.paged().last().map(String::as_str), Some("Dan"));
}

#[test]
fn what_a_message_on_its_way_tells_along_shares_its_fate_when_its_person_is_removed() {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    world.set_default_policy(
        vec![Level::of(10 * MINUTE, vec![Recipient::User(bea)])],
        None,
    );
    for service in services(&mut world, BURST_MAX + 2) {
        world.ask(raise(Some(service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS);
    let carrier = world.sending()[0].id;
    let along = world.state.told_along(carrier).map(|one| one.id);
    let along: Vec<NotificationId> = along.collect();
    assert_eq!(along.len(), 1);
    remove(&mut world, bea);
    assert!(called_off(&world).is_empty());
    world.answer(carrier, Outcome::Accepted);
    for id in along.iter().chain([&carrier]) {
        let known = &world.state.notifications[id];
        assert!(
            matches!(known.state, Delivery::Delivered { .. }),
            "{known:?}"
        );
    }
}

#[test]
fn a_request_for_help_on_its_way_to_whoever_is_removed_asks_nobody_else_when_it_fails() {
    let (mut world, incident, [_, bea, _]) = crashed();
    world.acknowledge();
    world.respond(ask_for_help(incident, vec![bea]));
    let request = world.sending()[0].id;
    remove(&mut world, bea);
    assert!(called_off(&world).is_empty());
    world.answer(request, Outcome::Failed);
    world.wait_ms(MINUTE);
    assert_eq!(world.state.notifications[&request].attempts.len(), 1);
    let asked = |what: &IncidentWhat| {
        matches!(
            what,
            IncidentWhat::Response(Response::RespondersRequested { .. })
        )
    };
    assert_eq!(world.count(asked), 1);
}

#[test]
fn what_was_called_off_on_its_way_in_an_old_journal_is_not_tried_again() {
    for outcome in [Outcome::Accepted, Outcome::Failed] {
        let (mut world, bea, page) = ringing();
        take_back_as_of_old(&mut world, page);
        remove(&mut world, bea);
        world.answer(page, outcome);
        world.wait_ms(MINUTE);
        let known = &world.state.notifications[&page];
        assert_eq!(known.attempts.len(), 1);
        let has_come = matches!(known.state, Delivery::Delivered { .. });
        let is_called_off = matches!(known.state, Delivery::Cancelled { .. });
        let is_taken = outcome == Outcome::Accepted;
        assert_eq!((has_come, is_called_off), (is_taken, !is_taken));
    }
}
