//! Whose an incident is when whoever had it is removed: the next one's who had acknowledged it too, as long as there is one.

use tocsin_domain::command::{AlertAsk, Ask, PeopleAsk, RespondAsk};
use tocsin_domain::event::{EventBody, IncidentWhat, InputEvent, Response};
use tocsin_domain::id::UserId;
use tocsin_domain::incident::{Acknowledger, Assigned, Engaged, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{ATTEMPTS_MAX, Level, Outcome, Purpose, Recipient, Word};

use crate::escalation::{each, take};
use crate::responding::ask_for_help;
use crate::world::{World, raise};

const MINUTE: u64 = 60_000;

/// Something is down of which Ada has got a page, and three others; an acknowledgement holds for that long.
fn down(holds_ms: Option<u64>) -> (World, [UserId; 3]) {
    let mut world = World::set_up();
    let others = ["Bea", "Cy", "Dan"].map(|name| world.add_user(name));
    let level = Level::of(5 * MINUTE, vec![Recipient::User(world.ada())]);
    world.set_default_policy(vec![level], holds_ms);
    world.ask(raise(None, "down", Severity::Critical));
    world.answer_all(Outcome::Accepted);
    (world, others)
}

fn remove(world: &mut World, user: UserId) {
    world.ask(Ask::People(PeopleAsk::Remove { user }));
}

/// Who has the newest incident.
fn holder(world: &World) -> Option<UserId> {
    world.incident().holder().map(|holder| holder.user)
}

/// Whose an incident became, and why.
fn passed_on(world: &World) -> Vec<(UserId, String)> {
    let whats = world.journal.iter().filter_map(|event| match &event.body {
        EventBody::Incident(about) => Some(&about.what),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    let mut passed = Vec::new();
    for what in whats {
        if let IncidentWhat::Response(Response::PassedOn { to, why, .. }) = what {
            passed.push((*to, why.clone()));
        }
    }
    passed
}

/// Who was sent word that the incident is theirs.
fn told_that_it_is_theirs(world: &World) -> Vec<UserId> {
    let messages = world.state.notifications.values();
    let words =
        messages.filter(|message| matches!(message.purpose, Purpose::Word(Word::PassedOn { .. })));
    words.map(|message| message.user).collect()
}

#[test]
fn what_somebody_had_who_is_removed_is_the_next_ones_who_acknowledged_too_as_long_as_one_is_left() {
    for holds_ms in [None, Some(10 * MINUTE)] {
        let (mut world, [bea, cy, dan]) = down(holds_ms);
        for user in [bea, cy, dan] {
            take(&mut world, user);
            world.wait_ms(MINUTE);
        }
        let ends_at = world.incident().acknowledgement_ends_at;
        assert_eq!(ends_at.is_some(), holds_ms.is_some());
        remove(&mut world, cy);
        assert_eq!(holder(&world), Some(bea), "it was not Cy's");
        remove(&mut world, bea);
        let known = world.incident();
        let taken_at = world.now.minus_ms(MINUTE);
        assert_eq!(known.status, Status::Acknowledged);
        assert_eq!(known.acknowledged, Some((Some(dan), taken_at)));
        assert_eq!(known.acknowledgement_ends_at, ends_at);
        assert_eq!(passed_on(&world), [(dan, "Bea was removed".to_owned())]);
        assert_eq!(told_that_it_is_theirs(&world), [dan]);
        assert_eq!(world.paged(), ["Ada"]);
        remove(&mut world, dan);
        assert_eq!(world.incident().status, Status::Triggered);
        assert_eq!(world.paged(), ["Ada", "Ada"]);
        world.check_replay();
    }
}

#[test]
fn what_is_passed_on_is_paged_again_when_its_time_or_its_snooze_is_over() {
    let (mut world, [bea, cy, _]) = down(Some(10 * MINUTE));
    take(&mut world, bea);
    take(&mut world, cy);
    remove(&mut world, bea);
    world.wait_ms(10 * MINUTE);
    assert_eq!(world.incident().status, Status::Triggered);
    let (mut world, [bea, cy, _]) = down(None);
    let incident = world.incident().id;
    take(&mut world, bea);
    world.respond(RespondAsk::Snooze {
        incident,
        by: cy,
        for_ms: 10 * MINUTE,
    });
    remove(&mut world, cy);
    assert_eq!(holder(&world), Some(bea), "it was Bea's before it was Cy's");
    world.answer_all(Outcome::Accepted);
    world.wait_ms(10 * MINUTE - 1);
    assert_eq!(world.incident().status, Status::Acknowledged);
    world.wait_ms(1);
    assert_eq!(world.incident().status, Status::Triggered);
}

#[test]
fn where_each_must_acknowledge_whoever_did_their_part_has_what_the_last_one_had() {
    let mut world = World::set_up();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_default_policy(vec![each(&[bea, cy])], None);
    world.ask(raise(None, "down", Severity::Critical));
    take(&mut world, bea);
    take(&mut world, cy);
    assert_eq!(holder(&world), Some(cy));
    remove(&mut world, cy);
    assert_eq!(holder(&world), Some(bea));
}

/// What Bea and Cy had is Bea's alone after this, when she acknowledges it anew.
fn check_forgotten(ends: impl Fn(&mut World)) {
    let (mut world, [bea, cy, _]) = down(Some(10 * MINUTE));
    take(&mut world, bea);
    take(&mut world, cy);
    ends(&mut world);
    assert_eq!(world.incident().status, Status::Triggered);
    take(&mut world, bea);
    remove(&mut world, bea);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(passed_on(&world), []);
}

#[test]
fn an_acknowledgement_of_before_it_was_nobodys_counts_for_nobody() {
    check_forgotten(|world| world.wait_ms(10 * MINUTE));
    check_forgotten(|world| {
        let incident = world.incident().id;
        world.respond(RespondAsk::Escalate { incident });
    });
    check_forgotten(|world| {
        let (incident, ada) = (world.incident().id, world.ada());
        let to = Assigned::People(vec![ada]);
        world.respond(RespondAsk::Reassign { incident, to });
    });
    check_forgotten(|world| {
        let incident = world.incident().id;
        let note = None;
        world.respond(RespondAsk::Resolve { incident, note });
        world.respond(RespondAsk::Reopen { incident });
    });
    check_forgotten(|world| {
        let (incident, by) = (world.incident().id, world.user("Cy"));
        let for_ms = MINUTE;
        world.respond(RespondAsk::Snooze {
            incident,
            by,
            for_ms,
        });
        world.wait_ms(MINUTE);
    });
}

#[test]
fn what_passed_on_to_somebody_to_whom_no_word_comes_is_nobodys_again() {
    let (mut world, [bea, cy, _]) = down(None);
    take(&mut world, bea);
    take(&mut world, cy);
    remove(&mut world, bea);
    assert_eq!(holder(&world), Some(cy));
    for _ in 0..ATTEMPTS_MAX {
        world.answer_all(Outcome::Failed);
        world.wait_ms(MINUTE);
    }
    assert_eq!(world.incident().status, Status::Triggered);
}

#[test]
fn whoever_snoozed_what_passed_on_to_them_knows_that_it_is_theirs() {
    let (mut world, [bea, cy, _]) = down(None);
    take(&mut world, bea);
    take(&mut world, cy);
    world.wait_ms(MINUTE);
    remove(&mut world, bea);
    world.wait_ms(1);
    let incident = world.incident().id;
    world.respond(RespondAsk::Snooze {
        incident,
        by: cy,
        for_ms: 60 * MINUTE,
    });
    for _ in 0..ATTEMPTS_MAX {
        world.answer_all(Outcome::Failed);
        world.wait_ms(MINUTE);
    }
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn whoever_cannot_be_told_that_it_is_theirs_does_not_get_it() {
    let (mut world, [bea, cy, dan]) = down(None);
    for user in [bea, cy, dan] {
        take(&mut world, user);
    }
    let ways = world.state.users[&cy].contact_methods.iter();
    for method in ways.map(|way| way.id).collect::<Vec<_>>() {
        world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
            user: cy,
            method,
        }));
    }
    remove(&mut world, bea);
    assert_eq!(holder(&world), Some(dan));
}

#[test]
fn whoever_acknowledged_too_and_declines_to_help_since_does_not_get_it() {
    let (mut world, [bea, cy, _]) = down(None);
    let incident = world.incident().id;
    take(&mut world, bea);
    world.respond(ask_for_help(incident, vec![cy]));
    take(&mut world, cy);
    assert_eq!(world.incident().acknowledged_too().count(), 1);
    world.respond(RespondAsk::AnswerRequest {
        incident,
        by: cy,
        accept: false,
    });
    remove(&mut world, bea);
    assert_eq!(world.incident().status, Status::Triggered);
}

#[test]
fn what_a_person_has_is_not_passed_on_to_a_foreign_system_that_acknowledged_too() {
    let (mut world, [bea, ..]) = down(None);
    let service = world.state.installation.as_ref().unwrap().default_service;
    world.ask(Ask::Alert(AlertAsk::AcknowledgeByKey {
        service,
        integration: None,
        dedup_key: "down".to_owned(),
    }));
    take(&mut world, bea);
    assert_eq!(holder(&world), Some(bea));
    remove(&mut world, bea);
    assert_eq!(world.incident().status, Status::Triggered);
}

#[test]
fn whoever_acknowledges_once_more_what_holds_for_ever_changes_nothing() {
    let (mut world, [bea, cy, _]) = down(None);
    take(&mut world, bea);
    take(&mut world, cy);
    let incident = world.incident().id;
    for by in [bea, cy] {
        let told = world.respond(RespondAsk::Acknowledge { incident, by });
        let told: Vec<EventBody> = told.into_iter().map(|event| event.body).collect();
        let ignored = matches!(&told[..], [EventBody::Input(InputEvent::Ignored { .. })]);
        assert!(ignored, "{told:?}");
    }
    let too: Vec<&Acknowledger> = world.incident().acknowledged_too().collect();
    assert_eq!(too.len(), 1);
    assert_eq!((too[0].user, too[0].through), (cy, None));
}

#[test]
fn who_worked_on_an_incident_of_an_old_record_acknowledged_it_alone() {
    let old = r#"{"acknowledged_at":null,"people":[]}"#;
    let read: Engaged = serde_json::from_str(old).unwrap();
    assert_eq!(read, Engaged::default());
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
