//! The auditor finds each broken promise, and nothing where none is broken.

mod aside;
mod taken;

use tocsin_domain::audit::{
    About, CanaryAway, CanaryStage, Commits, EngineSeen, Finding, FindingKind, Observations,
    WatchersAway, audit, audit_surroundings,
};
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentEvent, IncidentWhat, NotificationEvent,
    NotificationWhat,
};
use tocsin_domain::id::ContactMethodId;
use tocsin_domain::incident::Hold;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Outcome};
use tocsin_domain::people::{ChannelKind, SetUp, Urgency};

use crate::world::World;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

impl World {
    /// Something happened to the newest incident that the core would never let happen.
    fn break_by(&mut self, what: IncidentWhat) {
        let event = Event {
            position: self.state.position + 1,
            at: self.now,
            recorded_at: self.now,
            actor: Actor::System,
            cause: Cause::Request,
            body: EventBody::Incident(IncidentEvent {
                incident: self.incident().id,
                what,
            }),
        };
        self.state.evolve(&event);
    }

    /// What the auditor would find, had nothing been done for so long.
    fn found_after(&self, ms: u64) -> Vec<Finding> {
        audit(&self.state, self.now.plus_ms(ms), &Observations::default())
    }
}

#[track_caller]
fn check(found: &[Finding], expected: &[(FindingKind, &str)]) {
    let kinds: Vec<FindingKind> = found.iter().map(|one| one.kind).collect();
    let wanted: Vec<FindingKind> = expected.iter().map(|one| one.0).collect();
    assert_eq!(kinds, wanted, "{found:?}");
    for (one, (_, words)) in found.iter().zip(expected) {
        assert!(one.what.contains(words), "{}", one.what);
    }
}

/// An incident whose only page arrived a moment ago.
fn paged() -> World {
    let mut world = World::set_up();
    let ada = world.ada();
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    world
}

#[test]
fn a_sound_escalation_gives_no_finding_for_days() {
    let mut world = paged();
    for _ in 0..200 {
        world.wait_ms(17 * MINUTE);
        check(&world.found_after(0), &[]);
        world.answer_all(Outcome::Failed);
        check(&world.found_after(0), &[]);
    }
}

#[test]
fn an_escalation_that_was_due_and_did_not_happen_is_found_after_a_grace() {
    let world = paged();
    check(&world.found_after(5 * MINUTE + 10 * SECOND), &[]);
    let found = world.found_after(5 * MINUTE + 11 * SECOND);
    check(
        &found,
        &[(FindingKind::Overdue, "incident #1 was to be escalated at")],
    );
    assert_eq!(found[0].about, About::Incident(world.incident().id));
}

#[test]
fn a_text_whose_provider_owes_word_for_too_long_is_found() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    world.set_levels(0, &[(30 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Critical);
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    check(&world.found_after(MINUTE + 10 * SECOND), &[]);
    let late = [(FindingKind::MessageOverdue, "never said what became of it")];
    check(&world.found_after(MINUTE + 11 * SECOND), &late);
    world.wait_ms(MINUTE);
    check(&world.found_after(10 * SECOND), &[]);
}

#[test]
fn an_urgent_incident_for_which_nothing_is_planned_is_found() {
    let mut world = paged();
    world.wait_ms(MINUTE);
    world.break_by(IncidentWhat::Relapsed {
        reopened: true,
        pages: true,
        urgent: true,
        afresh: false,
        failing: None,
        by_hand: false,
    });
    check(
        &world.found_after(0),
        &[(FindingKind::Forgotten, "nothing is planned for it")],
    );
}

#[test]
fn what_is_forgotten_is_found_also_after_the_clock_was_set_back() {
    let mut world = paged();
    world.wait_ms(MINUTE);
    let by_ms = 60 * MINUTE;
    world.now = world.now.minus_ms(by_ms);
    world.ask(Ask::ClockSetBack { by_ms });
    world.break_by(IncidentWhat::Relapsed {
        reopened: true,
        pages: true,
        urgent: true,
        afresh: false,
        failing: None,
        by_hand: false,
    });
    let forgotten = [(FindingKind::Forgotten, "nothing is planned for it")];
    check(&world.found_after(0), &forgotten);
}

#[test]
fn a_level_that_waits_for_longer_than_a_day_is_found() {
    let mut world = paged();
    world.break_by(IncidentWhat::LevelReached {
        policy: None,
        level: 0,
        round: 0,
        recipients: vec![world.ada()],
        skipped: Vec::new(),
        next_at: world.now.plus_ms(25 * 60 * MINUTE),
        turn: None,
        each: false,
    });
    check(
        &world.found_after(0),
        &[(FindingKind::TooLate, "pages nobody further before")],
    );
}

#[test]
fn a_list_of_last_resort_that_is_not_paged_every_15_minutes_is_found() {
    let mut world = paged();
    let fallback = |world: &World, minutes: u64| IncidentWhat::FallbackReached {
        recipients: vec![world.ada()],
        why: Vec::new(),
        next_at: world.now.plus_ms(minutes * MINUTE),
        circle: 0,
    };
    world.break_by(fallback(&world, 15));
    check(&world.found_after(0), &[]);
    world.break_by(fallback(&world, 16));
    check(&world.found_after(0), &[(FindingKind::FallbackLate, "")]);
}

#[test]
fn an_incident_that_pages_nobody_is_found() {
    let mut world = paged();
    world.break_by(IncidentWhat::FallbackReached {
        recipients: Vec::new(),
        why: Vec::new(),
        next_at: world.now.plus_ms(15 * MINUTE),
        circle: 0,
    });
    check(
        &world.found_after(0),
        &[(FindingKind::NobodyReached, "can be reached")],
    );
}

#[test]
fn an_incident_that_pages_by_channels_that_are_not_set_up_is_found_at_the_last_resort() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Critical);
    let found = |world: &World, set_up: &[ChannelKind]| {
        let seen = Observations {
            set_up: Some(set_up.iter().copied().collect()),
            ..Observations::default()
        };
        audit(&world.state, world.now, &seen)
    };
    check(&found(&world, &[ChannelKind::Ntfy]), &[]);
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Refused);
    check(&world.found_after(0), &[]);
    check(&found(&world, &[ChannelKind::Email]), &[]);
    let deaf = [(FindingKind::NobodyReached, "by a channel that is set up")];
    check(&found(&world, &[ChannelKind::Ntfy]), &deaf);
    // Whoever else can be reached is paged in the end.
    let bea = world.add_user("Bea");
    world.add_way(bea, ChannelKind::Ntfy);
    check(&found(&world, &[ChannelKind::Ntfy]), &[]);
}

#[test]
fn a_way_whose_channel_is_set_up_for_others_alone_is_no_way_to_be_heard_by() {
    let mut world = World::set_up();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let member = world.add_way(ada, ChannelKind::Slack);
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: ada,
        method: mail,
    }));
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Critical);
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Refused);
    let found = |world: &World, by_address: &[ContactMethodId]| {
        let set_up = SetUp {
            by_address: by_address.iter().copied().collect(),
            ..SetUp::default()
        };
        let seen = Observations {
            set_up: Some(set_up),
            ..Observations::default()
        };
        audit(&world.state, world.now, &seen)
    };
    let deaf = [(FindingKind::NobodyReached, "by a channel that is set up")];
    check(&found(&world, &[]), &deaf);
    check(&found(&world, &[member]), &[]);
    // Somebody's webhook of the same channel needs less than the member.
    let bea = world.add_user("Bea");
    let hook = world.add_way(bea, ChannelKind::Slack);
    check(&found(&world, &[hook]), &[]);
}

#[test]
fn an_attempt_without_an_outcome_is_found_and_does_not_count_as_under_way() {
    let mut world = World::set_up();
    world.trigger("disk", Severity::Critical);
    check(&world.found_after(30 * SECOND), &[]);
    let found = world.found_after(31 * SECOND);
    check(&found, &[(FindingKind::AttemptStuck, "got no outcome")]);
    assert!(matches!(found[0].about, About::Message(_)));
}

#[test]
fn a_message_that_was_due_long_ago_is_found() {
    let mut world = World::set_up();
    let ada = world.ada();
    let email = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, email), (2 * MINUTE, hook)]);
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    check(&world.found_after(2 * MINUTE), &[]);
    check(
        &world.found_after(3 * MINUTE),
        &[(FindingKind::MessageOverdue, "was not sent")],
    );
}

#[test]
fn a_message_that_is_told_by_one_that_is_over_is_found() {
    let mut world = paged();
    world.trigger("cpu", Severity::Critical);
    let (over, others): (Vec<_>, Vec<_>) = world
        .state
        .notifications
        .values()
        .map(|one| (one.id, one.purpose.incident(), one.state.clone()))
        .partition(|(_, _, state)| matches!(state, Delivery::Delivered { .. }));
    let (by, (notification, incident, _)) = (over[0].0, others[0].clone());
    let event = Event {
        body: EventBody::Notification(NotificationEvent {
            notification,
            incident,
            what: NotificationWhat::ToldTogether { by },
        }),
        ..world.journal.last().unwrap().clone()
    };
    world.state.evolve(&event);
    check(
        &world.found_after(0),
        &[(FindingKind::MessageOverdue, "by another that is over")],
    );
}

#[test]
fn a_mute_that_ended_without_a_page_is_found() {
    let mut world = World::with_apache();
    world.mute(10 * MINUTE);
    world.crash();
    check(&world.found_after(10 * MINUTE), &[]);
    check(
        &world.found_after(11 * MINUTE),
        &[(FindingKind::Overdue, "was to be paged again at")],
    );
}

#[test]
fn a_page_that_was_held_for_too_long_is_found() {
    let mut world = World::with_apache();
    world.fire("apache-down", &[0]);
    assert!(world.incident().hold.is_some());
    check(&world.found_after(10 * SECOND), &[]);
    check(
        &world.found_after(5 * MINUTE),
        &[(FindingKind::Overdue, "was to wait no longer than until")],
    );
}

#[test]
fn a_page_that_was_held_for_too_long_beside_something_quiet_is_found() {
    let mut world = World::with_apache();
    world.mute(60 * MINUTE);
    world.crash();
    let until = world.now.plus_ms(2 * MINUTE);
    world.break_by(IncidentWhat::PageHeld {
        hold: Hold {
            until,
            until_clear: false,
            why: "it may be over by then".to_owned(),
        },
    });
    assert!(world.incident().suppressed.is_some());
    check(&world.found_after(2 * MINUTE), &[]);
    check(
        &world.found_after(5 * MINUTE),
        &[(FindingKind::Overdue, "was to wait no longer than until")],
    );
}

#[test]
fn what_is_taken_over_or_not_urgent_is_no_finding() {
    let mut taken = paged();
    taken.acknowledge();
    check(&taken.found_after(60 * MINUTE), &[]);
    let mut low = World::set_up();
    low.trigger("disk", Severity::Warning);
    check(&low.found_after(60 * MINUTE), &[]);
    let mut over = World::with_apache();
    over.crash();
    over.answer_all(Outcome::Accepted);
    over.recover("apache-down");
    check(&over.found_after(60 * MINUTE), &[]);
}

#[test]
fn a_storm_of_broken_incidents_is_told_by_its_first_hundred() {
    let mut world = World::set_up();
    for index in 0..120 {
        world.trigger(&format!("disk {index}"), Severity::Critical);
        world.now = world.now.plus_ms(MINUTE);
    }
    // Nobody answers, and nothing is done for a day.
    let found = world.found_after(24 * 60 * MINUTE);
    assert_eq!(found.len(), 100);
}

#[test]
fn every_part_that_stands_still_is_found() {
    let well = Observations::default();
    check(&audit_surroundings(&well), &[]);
    let with = |change: fn(&mut Observations)| {
        let mut seen = Observations::default();
        change(&mut seen);
        audit_surroundings(&seen)
    };
    let silent = EngineSeen::Silent { waited_ms: 5_000 };
    let seen = Observations {
        engine: silent,
        ..Observations::default()
    };
    check(
        &audit_surroundings(&seen),
        &[(FindingKind::EngineSilent, "within 5 s")],
    );
    check(
        &with(|seen| seen.engine = EngineSeen::Stopped),
        &[(FindingKind::EngineStopped, "has ended")],
    );
    check(
        &with(|seen| seen.engine = EngineSeen::Locked { waited_ms: 5_000 }),
        &[(FindingKind::StateLocked, "holds on to the state")],
    );
    let fail = |for_ms| Observations {
        commits: Commits::Fail {
            for_ms,
            why: "the disk is full".to_owned(),
        },
        ..Observations::default()
    };
    check(&audit_surroundings(&fail(30_000)), &[]);
    check(
        &audit_surroundings(&fail(30_001)),
        &[(FindingKind::JournalFails, "the disk is full")],
    );
    check(
        &with(|seen| seen.unpublished = Some(7)),
        &[(FindingKind::StateBehind, "event 7")],
    );
    check(&with(|seen| seen.delivery_quiet_ms = 20_000), &[]);
    check(
        &with(|seen| seen.delivery_quiet_ms = 20_001),
        &[(FindingKind::DeliverySilent, "no message leaves")],
    );
    check(
        &with(|seen| seen.waiting_ms = 30_001),
        &[(FindingKind::DeliveryBehind, "waits for 30 s")],
    );
}

#[test]
fn a_canary_that_is_away_for_a_minute_is_found_by_the_stage_that_it_did_not_reach() {
    for missing in CanaryStage::ALL {
        let found = |for_ms| {
            let away = CanaryAway {
                for_ms,
                missing,
                why: Some("the disk is full".to_owned()),
            };
            audit_surroundings(&Observations {
                canary_away: Some(away),
                ..Observations::default()
            })
        };
        check(&found(60_000), &[]);
        let late = found(60_001);
        check(
            &late,
            &[(FindingKind::CanaryLate, "an alert would not either")],
        );
        let told = &late[0].what;
        assert!(told.contains(missing.word()), "{told}");
        assert!(told.ends_with("(the disk is full)"), "{told}");
    }
}

#[test]
fn watchers_that_have_stopped_to_ask_are_found_and_keep_no_page_back() {
    let found = audit_surroundings(&Observations {
        watchers_away: Some(WatchersAway {
            names: vec!["eye".to_owned(), "ear".to_owned()],
            for_ms: 360_000,
        }),
        ..Observations::default()
    });
    let told = "\"eye\", \"ear\" asked last 6 min ago";
    check(&found, &[(FindingKind::Unwatched, told)]);
    assert!(!FindingKind::Unwatched.stops_pages() && FindingKind::CanaryLate.stops_pages());
}

#[test]
fn one_broken_thing_is_the_same_in_two_looks() {
    let world = paged();
    let (first, second) = (world.found_after(6 * MINUTE), world.found_after(7 * MINUTE));
    assert_eq!(first[0].key(), second[0].key());
}

#[test]
fn what_a_person_made_urgent_is_looked_at_as_urgent() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.trigger("disk", Severity::Warning);
    let incident = world.incident().id;
    world.respond(RespondAsk::SetUrgency {
        incident,
        urgency: Urgency::High,
    });
    world.answer_all(Outcome::Accepted);
    assert!(!world.found_after(24 * 60 * MINUTE).is_empty());
}
