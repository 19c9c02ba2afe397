//! Systems that keep an incident too: each of ours is one of theirs, is taken when ours is, and ends when ours does.

use tocsin_domain::command::{AlertAsk, Ask, Command, PeopleAsk, RespondAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, Event, EventBody, IncidentWhat};
use tocsin_domain::id::IncidentId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Delivery, Notification, Outcome, Purpose};
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

/// What PagerDuty was to be told of an incident after its opening.
fn news(world: &World, incident: IncidentId) -> Vec<&Notification> {
    let about = world.state.messages_about(incident);
    about.filter(|message| message.tells_a_mirror()).collect()
}

/// How often the timeline says that PagerDuty does not know that it is over.
fn said_to_be_missing(world: &World) -> usize {
    world.count(|what| {
        matches!(what, IncidentWhat::NoteAdded { text, .. }
            if text.starts_with("pagerduty of Ada could not be told that it is over"))
    })
}

#[test]
fn what_may_have_opened_there_although_nobody_knows_is_taken_and_ended_there() {
    let cases = [
        (Outcome::TimedOut, 1),
        (Outcome::Failed, 1),
        (Outcome::Refused, 0),
    ];
    for (outcome, expected) in cases {
        let mut world = mirrored();
        world.trigger("one", Severity::Critical);
        let one = world.incident().id;
        world.answer_all(outcome);
        let by = world.ada();
        world.respond(RespondAsk::Acknowledge { incident: one, by });
        let told = news(&world, one);
        let taken = told.iter().map(|message| message.purpose);
        assert_eq!(
            taken.collect::<Vec<_>>(),
            vec![Purpose::Acknowledged(one); expected],
            "{outcome:?}"
        );
        recover(&mut world, "one");
        let told = news(&world, one);
        let ended = told
            .iter()
            .filter(|message| message.purpose == Purpose::Resolved(one));
        assert_eq!(ended.count(), expected, "{outcome:?}");
    }
}

#[test]
fn what_was_never_sent_there_is_neither_taken_nor_ended_there() {
    let mut world = mirrored();
    world.trigger("one", Severity::Critical);
    let (one, notification) = (world.incident().id, world.sending()[0].id);
    world.ask(Ask::NotTried {
        notification,
        number: 1,
        detail: "not tried".to_owned(),
        retry_after_ms: None,
        moot: false,
    });
    let by = world.ada();
    world.respond(RespondAsk::Acknowledge { incident: one, by });
    recover(&mut world, "one");
    let told = news(&world, one);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn what_was_under_way_there_and_got_no_answer_is_ended_there() {
    let mut world = mirrored();
    world.trigger("one", Severity::Critical);
    let one = world.incident().id;
    recover(&mut world, "one");
    assert!(news(&world, one).is_empty(), "its outcome is waited for");
    world.wait_ms(20_000);
    let told = news(&world, one);
    let told: Vec<Purpose> = told.iter().map(|message| message.purpose).collect();
    assert_eq!(told, [Purpose::Resolved(one)]);
}

#[test]
fn an_end_that_does_not_get_through_is_tried_on_for_a_day_and_then_the_timeline_says_so() {
    let mut world = mirrored();
    let one = opened(&mut world, "one");
    recover(&mut world, "one");
    for _ in 0..100 {
        world.answer_all(Outcome::Failed);
        world.wait_ms(30 * MINUTE);
    }
    let told = news(&world, one);
    assert_eq!(told.len(), 1);
    let attempts = &told[0].attempts;
    assert!((40..60).contains(&attempts.len()), "{}", attempts.len());
    let last = attempts.last().unwrap().started_at;
    let hours = last.ms_since(told[0].planned_at) / (60 * MINUTE);
    assert_eq!(hours, 23);
    assert!(matches!(told[0].state, Delivery::Failed { .. }));
    assert_eq!(said_to_be_missing(&world), 1);
}

#[test]
fn an_end_that_gets_through_late_is_said_by_nobody_to_be_missing() {
    let mut world = mirrored();
    let one = opened(&mut world, "one");
    recover(&mut world, "one");
    for wait_ms in [1_000, 4_000, 30_000, 120_000] {
        world.answer_all(Outcome::Failed);
        world.wait_ms(wait_ms);
    }
    world.answer_all(Outcome::Accepted);
    world.wait_ms(48 * 60 * MINUTE);
    let told = news(&world, one);
    assert!(matches!(told[0].state, Delivery::Delivered { .. }));
    assert_eq!((told.len(), told[0].attempts.len()), (1, 5));
    assert_eq!(said_to_be_missing(&world), 0);
}

#[test]
fn where_the_way_there_was_removed_the_timeline_says_that_the_end_is_missing() {
    let mut world = mirrored();
    opened(&mut world, "one");
    let removal = removal_of_the_way(&world);
    world.ask(removal);
    recover(&mut world, "one");
    assert_eq!(said_to_be_missing(&world), 1);
    // While it is tried on, it may also be that the way is removed: whoever does that has not said so.
    let mut world = mirrored();
    opened(&mut world, "one");
    recover(&mut world, "one");
    world.answer_all(Outcome::Failed);
    let (user, ask) = (world.ada(), removal_of_the_way(&world));
    let actor = Actor::Person { user };
    let command = Command { actor, ask };
    let events = decide(&mut world.state, command, world.now, &mut world.entropy).unwrap();
    let said = events.iter().find(|event| is_note(event)).unwrap();
    assert_eq!(said.actor, Actor::System);
}

fn removal_of_the_way(world: &World) -> Ask {
    let user = world.ada();
    let methods = &world.state.users[&user].contact_methods;
    let method = methods.last().unwrap().id;
    Ask::People(PeopleAsk::RemoveContactMethod { user, method })
}

fn is_note(event: &Event) -> bool {
    let EventBody::Incident(incident) = &event.body else {
        return false;
    };
    matches!(incident.what, IncidentWhat::NoteAdded { .. })
}
