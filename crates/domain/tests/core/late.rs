//! Pages that come, or may have, before or after it is over: whoever reads of it hears that it is, once.

use tocsin_domain::command::{AlertAsk, Ask, PeopleAsk, RespondAsk};
use tocsin_domain::id::{IncidentId, NotificationId, ServiceId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{
    BURST_MAX, Delivery, Fate, Notification, Outcome, Purpose, TOGETHER_EVERY_MS,
};
use tocsin_domain::people::ChannelKind;

use crate::responding::ask_for_help;
use crate::storms::services;
use crate::world::{World, raise};

const MINUTE: u64 = 60_000;
const MAYBE: &str = "they may have been paged for it";

/// Whoever said that a key of a service fails says that it does not.
fn end(world: &mut World, service: Option<ServiceId>, key: &str) {
    let installation = world.state.installation.as_ref().unwrap();
    let service = service.unwrap_or(installation.default_service);
    world.ask(Ask::Alert(AlertAsk::ResolveByKey {
        service,
        integration: None,
        dedup_key: key.to_owned(),
    }));
}

/// A page was under way for most of a second when what it is about was over.
fn over_on_the_way(mut world: World) -> (World, IncidentId, NotificationId) {
    world.trigger("db", Severity::Critical);
    let incident = world.incident().id;
    world.wait_ms(800);
    end(&mut world, None, "db");
    let [page] = world.sending()[..] else {
        panic!("{:?}", world.sending());
    };
    let page = page.id;
    assert!(!world.incident().is_open());
    assert!(told(&world, incident).is_empty());
    (world, incident, page)
}

/// The first attempt of a page ended so before anything was over.
fn answered(mut world: World, outcome: Outcome) -> (World, IncidentId, NotificationId) {
    world.trigger("db", Severity::Critical);
    let incident = world.incident().id;
    let [page] = world.sending()[..] else {
        panic!("{:?}", world.sending());
    };
    let page = page.id;
    world.answer(page, outcome);
    (world, incident, page)
}

/// A provider says what became of the first attempt of a message.
fn receipt(world: &mut World, notification: NotificationId, fate: Fate) {
    world.ask(Ask::ReceiptCame {
        notification,
        number: 1,
        fate,
        detail: String::new(),
    });
}

/// Messages that an incident is over.
fn told(world: &World, incident: IncidentId) -> Vec<&Notification> {
    let about = world.state.messages_about(incident);
    about
        .filter(|one| one.purpose == Purpose::Resolved(incident))
        .collect()
}

#[test]
fn who_is_paged_only_when_it_is_over_is_told_that_by_the_same_way_once() {
    let (mut world, incident, page) = over_on_the_way(World::set_up());
    world.wait_ms(2_000);
    world.answer(page, Outcome::Accepted);
    let paged = world.state.notifications[&page].clone();
    let ends = told(&world, incident);
    let ways: Vec<_> = ends
        .iter()
        .map(|one| (one.user, one.contact_method, one.why.as_str()))
        .collect();
    let expected = (paged.user, paged.contact_method, "they were paged for it");
    assert_eq!(ways, [expected]);
    assert!(matches!(ends[0].state, Delivery::Sending { .. }));
    world.answer_all(Outcome::Accepted);
    world.wait_ms(60 * MINUTE);
    assert_eq!(told(&world, incident).len(), 1);
    world.check_replay();
}

#[test]
fn who_may_have_been_paged_when_it_was_over_is_told_that_and_who_was_not_is_not() {
    let cases = [
        (Outcome::TimedOut, 1),
        (Outcome::Unanswered, 1),
        (Outcome::Failed, 0),
        (Outcome::Refused, 0),
    ];
    for (outcome, expected) in cases {
        let (mut world, incident, page) = over_on_the_way(World::set_up());
        world.answer(page, outcome);
        assert_eq!(told(&world, incident).len(), expected, "{outcome:?}");
    }
    let (mut world, incident, _) = over_on_the_way(World::set_up());
    world.wait_ms(20_000);
    let ends = told(&world, incident);
    assert_eq!(ends.len(), 1, "no answer came in time");
    assert_eq!(ends[0].why, MAYBE);
    let (mut world, incident, _) = over_on_the_way(World::set_up());
    world.ask(Ask::Recover);
    assert_eq!(told(&world, incident).len(), 1, "Tocsin ended meanwhile");
}

#[test]
fn who_is_paged_when_it_was_reopened_is_told_the_end_when_it_comes() {
    let (mut world, incident, page) = over_on_the_way(World::set_up());
    world.respond(RespondAsk::Reopen { incident });
    world.answer(page, Outcome::Accepted);
    assert!(told(&world, incident).is_empty(), "it goes on");
    world.wait_ms(1_000);
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    assert_eq!(told(&world, incident).len(), 1);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(60 * MINUTE);
    assert_eq!(told(&world, incident).len(), 1);
}

#[test]
fn what_was_reopened_and_ended_again_is_told_once_to_who_is_paged_then() {
    let (mut world, incident, page) = over_on_the_way(World::set_up());
    world.respond(RespondAsk::Reopen { incident });
    let note = None;
    world.respond(RespondAsk::Resolve { incident, note });
    assert!(told(&world, incident).is_empty());
    world.answer(page, Outcome::Accepted);
    assert_eq!(told(&world, incident).len(), 1);
}

#[test]
fn nobody_who_was_removed_is_told_the_end_nor_by_a_way_that_was() {
    let paging_bea = || {
        let mut world = World::set_up();
        let bea = world.add_user("Bea");
        world.add_way(bea, ChannelKind::Ntfy);
        let mail = world.state.users[&bea].contact_methods[0].id;
        world.set_rules(bea, &[(0, mail)]);
        world.set_levels(0, &[(5 * MINUTE, &[bea])]);
        over_on_the_way(world)
    };
    let (mut world, incident, page) = paging_bea();
    let user = world.user("Bea");
    world.ask(Ask::People(PeopleAsk::Remove { user }));
    world.answer(page, Outcome::Accepted);
    assert!(told(&world, incident).is_empty());
    let (mut world, incident, page) = paging_bea();
    let user = world.user("Bea");
    let method = world.state.notifications[&page].contact_method;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
    world.answer(page, Outcome::Accepted);
    assert!(told(&world, incident).is_empty());
}

#[test]
fn nobody_is_called_when_it_is_over_and_another_system_ends_it_once() {
    for (channel, expected) in [(ChannelKind::Voice, 0), (ChannelKind::PagerDuty, 1)] {
        let mut world = World::set_up();
        let ada = world.ada();
        let way = world.add_way(ada, channel);
        world.set_rules(ada, &[(0, way)]);
        let (mut world, incident, page) = over_on_the_way(world);
        world.answer(page, Outcome::Accepted);
        assert_eq!(told(&world, incident).len(), expected, "{channel:?}");
    }
}

#[test]
fn who_is_paged_late_for_what_was_merged_is_told_when_the_other_is_over() {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    world.trigger("one", Severity::Critical);
    let into = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.set_levels(0, &[(5 * MINUTE, &[bea])]);
    world.trigger("two", Severity::Critical);
    let source = world.incident().id;
    let page = world.sending()[0].id;
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    end(&mut world, None, "one");
    end(&mut world, None, "two");
    let to_bea = |world: &World| {
        let ends = told(world, into);
        ends.iter().filter(|one| one.user == bea).count()
    };
    assert_eq!(to_bea(&world), 0);
    world.answer(page, Outcome::Accepted);
    assert_eq!(to_bea(&world), 1);
    assert!(told(&world, source).is_empty());
}

#[test]
fn who_was_told_the_end_of_an_incident_is_told_that_of_what_is_merged_into_it_since() {
    let mut world = World::set_up();
    world.trigger("one", Severity::Critical);
    let into = world.incident().id;
    world.answer_all(Outcome::Accepted);
    world.trigger("two", Severity::Critical);
    let source = world.incident().id;
    world.answer_all(Outcome::Accepted);
    end(&mut world, None, "one");
    assert_eq!(told(&world, into).len(), 1);
    world.answer_all(Outcome::Accepted);
    world.respond(RespondAsk::Reopen { incident: into });
    let sources = vec![source];
    world.respond(RespondAsk::Merge { sources, into });
    let note = None;
    world.respond(RespondAsk::Resolve {
        incident: into,
        note,
    });
    assert_eq!(told(&world, into).len(), 2);
}

#[test]
fn who_is_asked_to_help_only_when_it_is_over_is_told_that() {
    let mut world = World::set_up();
    let bea = world.add_user("Bea");
    world.trigger("db", Severity::Critical);
    world.answer_all(Outcome::Accepted);
    let incident = world.incident().id;
    world.respond(ask_for_help(incident, vec![bea]));
    let request = world.sending()[0].id;
    end(&mut world, None, "db");
    world.answer(request, Outcome::Accepted);
    let ends = told(&world, incident);
    assert_eq!(ends.iter().filter(|one| one.user == bea).count(), 1);
}

#[test]
fn who_reads_along_of_what_was_over_on_the_way_is_told_that_and_of_nothing_else() {
    let mut world = World::set_up();
    let services = services(&mut world, BURST_MAX + 3);
    for service in &services {
        world.ask(raise(Some(*service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS);
    let carrier = world.sending()[0].id;
    let along: Vec<IncidentId> = world
        .state
        .told_along(carrier)
        .filter_map(|one| one.purpose.page())
        .collect();
    assert_eq!(along.len(), 2);
    let service = world.state.incidents[&along[0]].service;
    end(&mut world, Some(service), "x");
    assert!(told(&world, along[0]).is_empty());
    world.answer(carrier, Outcome::Accepted);
    assert_eq!(told(&world, along[0]).len(), 1);
    assert!(told(&world, along[1]).is_empty());
}

#[test]
fn who_was_to_read_along_of_what_was_over_before_is_not_told_that() {
    let mut world = World::set_up();
    let services = services(&mut world, BURST_MAX + 3);
    for service in &services {
        world.ask(raise(Some(*service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    let together = world.state.notifications.values();
    let together = together.filter(|one| matches!(one.state, Delivery::Together { .. }));
    let along: Vec<IncidentId> = together.filter_map(|one| one.purpose.page()).collect();
    let service = world.state.incidents[&along[0]].service;
    world.wait_ms(MINUTE);
    end(&mut world, Some(service), "x");
    world.wait_ms(TOGETHER_EVERY_MS - MINUTE);
    world.answer_all(Outcome::Accepted);
    assert!(told(&world, along[0]).is_empty());
}

#[test]
fn who_may_have_been_paged_before_it_was_over_is_told_that_and_who_was_not_is_not() {
    let cases = [
        (Outcome::TimedOut, vec![MAYBE]),
        (Outcome::Unanswered, vec![MAYBE]),
        (Outcome::Failed, vec![]),
        (Outcome::Refused, vec![]),
    ];
    for (outcome, expected) in cases {
        let (mut world, incident, _) = answered(World::set_up(), outcome);
        end(&mut world, None, "db");
        // What is repeated at once is under way.
        world.answer_all(Outcome::Failed);
        let whys = |world: &World| -> Vec<String> {
            let ends = told(world, incident);
            ends.iter().map(|one| one.why.clone()).collect()
        };
        assert_eq!(whys(&world), expected, "{outcome:?}");
        world.wait_ms(60 * MINUTE);
        assert_eq!(whys(&world), expected, "{outcome:?}");
    }
}

#[test]
fn who_may_have_been_paged_for_what_others_took_is_told_when_it_is_over() {
    let (mut world, incident, _) = answered(World::set_up(), Outcome::TimedOut);
    world.acknowledge();
    world.wait_ms(MINUTE);
    assert!(told(&world, incident).is_empty());
    end(&mut world, None, "db");
    assert_eq!(told(&world, incident).len(), 1);
}

#[test]
fn who_may_have_been_paged_and_is_paged_again_when_it_is_over_is_told_once() {
    for (outcome, why) in [
        (Outcome::Accepted, "they were paged for it"),
        (Outcome::Refused, MAYBE),
    ] {
        let (mut world, incident, page) = answered(World::set_up(), Outcome::TimedOut);
        world.wait_ms(1_000);
        end(&mut world, None, "db");
        assert!(told(&world, incident).is_empty(), "the repeat is under way");
        world.answer(page, outcome);
        let ends = told(&world, incident);
        assert_eq!(ends.len(), 1, "{outcome:?}");
        assert_eq!(ends[0].why, why);
        receipt(&mut world, page, Fate::Delivered);
        world.wait_ms(60 * MINUTE);
        assert_eq!(told(&world, incident).len(), 1, "{outcome:?}");
    }
}

#[test]
fn who_is_known_to_have_been_paged_only_when_it_is_over_is_told_that_once() {
    let (mut world, incident, page) = answered(World::set_up(), Outcome::Failed);
    end(&mut world, None, "db");
    assert!(told(&world, incident).is_empty());
    receipt(&mut world, page, Fate::Delivered);
    let ends = told(&world, incident);
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].why, "they were paged for it");
    receipt(&mut world, page, Fate::Read);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(60 * MINUTE);
    assert_eq!(told(&world, incident).len(), 1);
    world.check_replay();
}

#[test]
fn who_was_told_that_it_is_over_is_not_told_again_when_a_receipt_comes() {
    let (mut world, incident, page) = answered(World::set_up(), Outcome::TimedOut);
    end(&mut world, None, "db");
    assert_eq!(told(&world, incident).len(), 1);
    receipt(&mut world, page, Fate::Delivered);
    assert_eq!(told(&world, incident).len(), 1);
}

#[test]
fn a_receipt_before_the_answer_leaves_the_news_to_the_answer() {
    for outcome in [Outcome::Accepted, Outcome::Failed] {
        let (mut world, incident, page) = over_on_the_way(World::set_up());
        receipt(&mut world, page, Fate::Delivered);
        assert!(told(&world, incident).is_empty());
        world.answer(page, outcome);
        assert_eq!(told(&world, incident).len(), 1, "{outcome:?}");
    }
}

#[test]
fn a_text_that_was_lost_is_not_followed_by_the_end_and_one_of_which_nobody_knows_is() {
    let cases = [
        (Outcome::Accepted, Some(Fate::Failed), 0),
        (Outcome::Accepted, Some(Fate::Unknown), 1),
        (Outcome::TimedOut, Some(Fate::Failed), 0),
        (Outcome::TimedOut, None, 1),
    ];
    for (outcome, fate, expected) in cases {
        let mut world = World::set_up();
        let ada = world.ada();
        let text = world.add_way(ada, ChannelKind::Sms);
        world.set_rules(ada, &[(0, text)]);
        let (mut world, incident, page) = answered(world, outcome);
        if let Some(fate) = fate {
            receipt(&mut world, page, fate);
        }
        end(&mut world, None, "db");
        let ends = told(&world, incident);
        let by_text = ends.iter().filter(|one| one.contact_method == text);
        let whys: Vec<&str> = by_text.map(|one| one.why.as_str()).collect();
        assert_eq!(whys, vec![MAYBE; expected], "{outcome:?} {fate:?}");
    }
}

#[test]
fn who_may_have_read_along_of_what_is_over_since_is_told_that_and_of_nothing_else() {
    let mut world = World::set_up();
    let services = services(&mut world, BURST_MAX + 3);
    for service in &services {
        world.ask(raise(Some(*service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS);
    let carrier = world.sending()[0].id;
    let along: Vec<IncidentId> = world
        .state
        .told_along(carrier)
        .filter_map(|one| one.purpose.page())
        .collect();
    world.answer(carrier, Outcome::TimedOut);
    let service = world.state.incidents[&along[0]].service;
    end(&mut world, Some(service), "x");
    let ends = told(&world, along[0]);
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].why, MAYBE);
    assert!(told(&world, along[1]).is_empty());
}
