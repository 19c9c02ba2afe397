//! Systems that keep an incident too: each of ours is one of theirs, is taken when ours is, and ends when ours does.

use tocsin_domain::command::{AlertAsk, Ask, RespondAsk};
use tocsin_domain::id::IncidentId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Delivery, Outcome, Purpose};
use tocsin_domain::people::ChannelKind;

use crate::world::World;

const MINUTE: u64 = 60_000;

/// Ada is paged by PagerDuty alone.
fn mirrored() -> World {
    let mut world = World::with_apache();
    let ada = world.ada();
    let mirror = world.add_way(ada, ChannelKind::PagerDuty);
    world.set_rules(ada, &[(0, mirror)]);
    world
}

/// An incident of this key that PagerDuty has.
fn opened(world: &mut World, key: &str) -> IncidentId {
    world.trigger(key, Severity::Critical);
    world.answer_all(Outcome::Accepted);
    world.incident().id
}

fn recover(world: &mut World, key: &str) {
    let service = world.incident().service;
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: key.to_owned(),
    }));
}

fn merge(world: &mut World, source: IncidentId, into: IncidentId) {
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
}

fn sending(world: &World) -> Vec<Purpose> {
    world.sending().iter().map(|one| one.purpose).collect()
}

#[test]
fn what_was_merged_is_taken_and_ended_there_with_what_it_went_into() {
    let mut world = mirrored();
    let one = opened(&mut world, "one");
    let two = opened(&mut world, "two");
    merge(&mut world, two, one);
    assert!(
        sending(&world).is_empty(),
        "it goes on, so it rings there too"
    );
    let by = world.ada();
    world.respond(RespondAsk::Acknowledge { incident: one, by });
    let mut news = sending(&world);
    news.sort_by_key(|purpose| *purpose != Purpose::Acknowledged(one));
    assert_eq!(
        news,
        [Purpose::Acknowledged(one), Purpose::Acknowledged(two)]
    );
    world.answer_all(Outcome::Accepted);
    recover(&mut world, "one");
    recover(&mut world, "two");
    let mut news = sending(&world);
    news.sort_by_key(|purpose| *purpose != Purpose::Resolved(one));
    assert_eq!(news, [Purpose::Resolved(one), Purpose::Resolved(two)]);
}

#[test]
fn what_is_merged_into_something_taken_is_taken_there() {
    let mut world = mirrored();
    let one = opened(&mut world, "one");
    let by = world.ada();
    world.respond(RespondAsk::Acknowledge { incident: one, by });
    world.answer_all(Outcome::Accepted);
    let two = opened(&mut world, "two");
    merge(&mut world, two, one);
    assert_eq!(sending(&world), [Purpose::Acknowledged(two)]);
}

#[test]
fn a_snooze_takes_it_there_too() {
    let mut world = mirrored();
    let one = opened(&mut world, "one");
    let (incident, by, for_ms) = (one, world.ada(), 60 * MINUTE);
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
    assert_eq!(sending(&world), [Purpose::Acknowledged(one)]);
}

#[test]
fn what_opens_there_after_it_was_taken_or_ended_here_is_taken_or_ended_there() {
    for ends in [false, true] {
        let mut world = mirrored();
        world.trigger("one", Severity::Critical);
        let one = world.incident().id;
        let by = world.ada();
        if ends {
            recover(&mut world, "one");
        } else {
            world.respond(RespondAsk::Acknowledge { incident: one, by });
        }
        assert_eq!(
            sending(&world),
            [Purpose::Page(one)],
            "it is still under way"
        );
        world.answer_all(Outcome::Accepted);
        let expected = if ends {
            Purpose::Resolved(one)
        } else {
            Purpose::Acknowledged(one)
        };
        assert_eq!(sending(&world), [expected]);
    }
}

#[test]
fn an_end_that_is_no_longer_true_is_not_tried_again_there() {
    let mut world = mirrored();
    world.crash();
    world.answer_all(Outcome::Accepted);
    let one = world.incident().id;
    world.recover("apache-down");
    world.wait_ms(15_000);
    assert_eq!(sending(&world), [Purpose::Resolved(one)]);
    world.answer_all(Outcome::Failed);
    // It is back before the repeat: an end that comes late would silence it there.
    world.crash();
    assert!(world.state.incidents[&one].is_open());
    world.answer_all(Outcome::Accepted);
    world.wait_ms(10_000);
    let late = world.state.messages_about(one);
    let late: Vec<_> = late
        .filter(|message| message.purpose == Purpose::Resolved(one))
        .map(|message| &message.state)
        .collect();
    assert!(matches!(late[..], [Delivery::Cancelled { .. }]), "{late:?}");
}

#[test]
fn in_a_burst_each_incident_is_told_of_there_alone() {
    let mut world = mirrored();
    let keys: Vec<String> = (0..BURST_MAX + 5).map(|n| format!("key-{n}")).collect();
    for key in &keys {
        world.trigger(key, Severity::Error);
        world.answer_all(Outcome::Accepted);
    }
    let delivered = world.state.notifications.values();
    let delivered = delivered.filter(|one| matches!(one.state, Delivery::Delivered { .. }));
    assert_eq!(delivered.count(), world.state.incidents.len());
}

#[test]
fn nobody_is_called_and_no_incident_opened_elsewhere_for_word_about_duty() {
    for kind in ChannelKind::ALL {
        let expected = kind != ChannelKind::Voice && kind != ChannelKind::PagerDuty;
        assert_eq!(kind.carries_words(), expected, "{kind:?}");
    }
}
