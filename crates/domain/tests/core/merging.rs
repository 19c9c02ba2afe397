//! Making one incident of several.

use crate::responding::ask_for_help;
use crate::storms::services;
use crate::world::{World, raise};
use tocsin_domain::command::{AlertAsk, Ask, RespondAsk};
use tocsin_domain::event::{IncidentWhat, Response};
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Delivery, Outcome, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::state::State;

const MINUTE: u64 = 60_000;

/// Two incidents that Ada was paged for.
fn two() -> (World, IncidentId, IncidentId) {
    let mut world = World::with_apache();
    world.trigger("one", Severity::Error);
    let one = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.trigger("two", Severity::Critical);
    let two = world.incident().id;
    world.answer_all(Outcome::Accepted);
    (world, one, two)
}

fn merge(source: IncidentId, into: IncidentId) -> RespondAsk {
    RespondAsk::Merge {
        sources: vec![source],
        into,
    }
}

fn get(world: &World, id: IncidentId) -> &Incident {
    &world.state.incidents[&id]
}

fn recover(world: &mut World, key: &str) {
    let service = world.incident().service;
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: key.to_owned(),
    }));
}

#[test]
fn a_merged_incident_is_over_and_its_alerts_count_in_the_other() {
    let (mut world, one, two) = two();
    world.respond(merge(two, one));
    assert_eq!(get(&world, two).status, Status::Resolved);
    assert_eq!(get(&world, two).merged_into, Some(one));
    let why = |what: &IncidentWhat| matches!(what, IncidentWhat::Resolved { why } if why == "merged into #1");
    assert_eq!(world.count(why), 1);
    assert_eq!(get(&world, one).severity, Severity::Critical);
    assert_eq!(get(&world, one).alerts.len(), 2);
    recover(&mut world, "one");
    assert!(get(&world, one).is_open(), "what joined it still fails");
    recover(&mut world, "two");
    assert_eq!(get(&world, one).status, Status::Resolved);
}

#[test]
fn pages_of_a_merged_incident_end_and_nobody_is_told_that_it_is_over() {
    let (mut world, one, two) = two();
    world.respond(merge(two, one));
    world.wait_ms(4 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
    let told = world.state.notifications.values();
    assert_eq!(
        told.filter(|message| message.purpose == Purpose::Resolved(two))
            .count(),
        0
    );
    world.wait_ms(2 * MINUTE);
    let about_two = world.state.messages_about(two).count();
    assert_eq!(about_two, 1, "only the first page");
    let about_one = world.state.messages_about(one);
    assert!(
        about_one
            .filter(|page| matches!(page.state, Delivery::Sending { .. }))
            .count()
            > 0
    );
}

#[test]
fn whoever_was_paged_for_a_merged_incident_is_told_when_the_other_is_over() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.trigger("one", Severity::Critical);
    let one = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.set_levels(0, &[(5 * MINUTE, &[bea])]);
    world.trigger("two", Severity::Critical);
    let two = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.respond(merge(two, one));
    recover(&mut world, "one");
    recover(&mut world, "two");
    let told = world.state.notifications.values();
    let told = told.filter(|message| message.purpose == Purpose::Resolved(one));
    assert_eq!(told.count(), 2);
}

#[test]
fn an_incident_is_not_merged_into_itself_nor_with_what_is_over() {
    let (mut world, one, two) = two();
    assert!(world.refused(merge(one, one)).contains("itself"));
    let sources = Vec::new();
    assert!(
        world
            .refused(RespondAsk::Merge { sources, into: one })
            .contains("sources")
    );
    world.respond(merge(two, one));
    assert!(
        world
            .refused(merge(two, one))
            .contains("was merged into #1")
    );
    assert!(
        world
            .refused(merge(one, two))
            .contains("was merged into #1")
    );
    recover(&mut world, "one");
    recover(&mut world, "two");
    world.trigger("three", Severity::Critical);
    let three = world.incident().id;
    assert!(
        world
            .refused(merge(three, one))
            .contains("resolved already")
    );
}

#[test]
fn what_comes_anew_from_the_target_of_a_merged_incident_joins_the_other() {
    let mut world = World::with_apache();
    world.trigger("one", Severity::Critical);
    let one = world.incident().id;
    world.crash();
    let two = world.incident().id;
    world.respond(merge(two, one));
    world.fire("apache-5xx", &[]);
    assert_eq!(get(&world, one).alerts.len(), 3);
    assert_eq!(world.state.incidents.values().count(), 2);
}

#[test]
fn a_quiet_incident_pages_when_an_urgent_one_is_merged_into_it() {
    let mut world = World::with_apache();
    world.trigger("disk", Severity::Warning);
    let quiet = world.incident().id;
    let by = world.ada();
    world.respond(RespondAsk::Acknowledge {
        incident: quiet,
        by,
    });
    world.crash();
    let loud = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.respond(merge(loud, quiet));
    assert_eq!(get(&world, quiet).status, Status::Triggered);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
    let anew = |what: &IncidentWhat| {
        matches!(
            what,
            IncidentWhat::Response(Response::Merged { pages: true, .. })
        )
    };
    assert_eq!(world.count(anew), 1);
}

#[test]
fn whoever_has_an_urgent_incident_has_what_is_merged_into_it_too() {
    let (mut world, one, two) = two();
    let by = world.ada();
    world.respond(RespondAsk::Acknowledge { incident: one, by });
    world.respond(merge(two, one));
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
    assert_eq!(get(&world, one).status, Status::Acknowledged);
}

#[test]
fn a_muted_target_does_not_quieten_what_was_merged_with_it() {
    let mut world = World::with_apache();
    world.crash();
    let crash = world.incident().id;
    world.mute(60 * MINUTE);
    world.answer_all(Outcome::Accepted);
    world.trigger("other", Severity::Critical);
    let other = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.respond(merge(other, crash));
    assert_eq!(world.paged().len(), 3);
    recover(&mut world, "other");
    world.answer_all(Outcome::Accepted);
    world.wait_ms(59 * MINUTE);
    assert_eq!(world.paged().len(), 3, "what is left is muted");
    world.wait_ms(MINUTE);
    assert_eq!(world.paged().len(), 4, "the mute is over");
}

#[test]
fn what_a_person_said_is_urgent_waits_for_no_mute_of_only_a_part_of_it() {
    let all = |is_swapped: bool| {
        let mut world = World::with_apache();
        world.mute(60 * MINUTE);
        world.crash();
        let crash = world.incident().id;
        for urgency in [Urgency::Low, Urgency::High] {
            let incident = crash;
            world.respond(RespondAsk::SetUrgency { incident, urgency });
        }
        world.trigger("disk", Severity::Warning);
        let disk = world.incident().id;
        assert!(
            world.paged().is_empty(),
            "one is muted, the other not urgent"
        );
        let (source, into) = if is_swapped {
            (disk, crash)
        } else {
            (crash, disk)
        };
        world.respond(merge(source, into));
        world.paged()
    };
    assert_eq!([all(false), all(true)], [["Ada"], ["Ada"]]);
}

#[test]
fn who_was_asked_to_help_with_a_merged_incident_is_asked_about_the_other() {
    let (mut world, one, two) = two();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    let mail = world.state.users[&bea].contact_methods[0].id;
    world.set_rules(bea, &[(2 * MINUTE, mail)]);
    world.respond(ask_for_help(two, vec![bea, cy]));
    let asker = get(&world, two).responders[0].asked_by.clone();
    assert!(asker.is_some());
    let declines = RespondAsk::AnswerRequest {
        incident: two,
        by: cy,
        accept: false,
    };
    world.respond(declines);
    world.wait_ms(MINUTE);
    world.respond(merge(two, one));
    world.wait_ms(2 * MINUTE);
    let sending = world.sending().into_iter();
    let about_one = sending.filter(|message| message.purpose == Purpose::Request(one));
    let asked: Vec<UserId> = about_one.map(|message| message.user).collect();
    assert_eq!(asked, [bea], "who has declined is not asked again");
    let responders = &get(&world, one).responders;
    assert_eq!(responders[0].message, "the database looks full");
    assert_eq!(responders[0].asked_by, asker, "whoever merges asks nobody");
    world.respond(RespondAsk::AnswerRequest {
        incident: one,
        by: bea,
        accept: true,
    });
    assert!(get(&world, one).responders[0].answer.is_some());
}

#[test]
fn what_becomes_critical_by_a_merge_is_not_told_with_others_any_more() {
    let mut world = World::set_up();
    let services = services(&mut world, BURST_MAX + 2);
    for service in &services[..BURST_MAX] {
        world.ask(raise(Some(*service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    world.ask(raise(Some(services[BURST_MAX]), "x", Severity::Error));
    let lesser = world.incident().id;
    assert_eq!(world.sending().len(), 0, "it waits for others");
    let last = services[BURST_MAX + 1];
    world.ask(raise(Some(last), "x", Severity::Critical));
    let critical = world.incident().id;
    assert_eq!(world.sending()[0].purpose, Purpose::Page(critical));
    world.answer_all(Outcome::Failed);
    world.respond(merge(critical, lesser));
    let sending = world.sending().into_iter();
    let sending: Vec<Purpose> = sending.map(|message| message.purpose).collect();
    assert_eq!(sending, [Purpose::Page(lesser)]);
}

#[test]
fn states_share_what_a_merge_touched() {
    let (mut world, one, two) = two();
    let alert = get(&world, two).alerts[0];
    let mut follower = State::default();
    world
        .journal
        .iter()
        .for_each(|event| follower.evolve(event));
    let events = world.respond(merge(two, one));
    follower.keep_up_with(&events, world.state.touched(&events));
    assert!(follower.incidents.is_shared(&one, &world.state.incidents));
    assert!(follower.incidents.is_shared(&two, &world.state.incidents));
    assert!(follower.alerts.is_shared(&alert, &world.state.alerts));
    assert_eq!(follower, world.state);
}
