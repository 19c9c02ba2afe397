//! What people do beyond taking an incident: snooze, give away, escalate, ask for help, say how important it is.

use crate::world::World;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk, TeamAsk, WatchAsk};
use tocsin_domain::event::{IncidentWhat, Response};
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::{Assigned, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Level, Outcome, Purpose, Recipient};
use tocsin_domain::people::{ChannelKind, Urgency};

const MINUTE: u64 = 60_000;

/// A crash for which Ada was paged, and Bea and Cy, who are on no level but the second.
pub(crate) fn crashed() -> (World, IncidentId, [UserId; 3]) {
    let mut world = World::with_apache();
    let people = [world.ada(), world.add_user("Bea"), world.add_user("Cy")];
    let [ada, bea, _] = people;
    world.set_levels(0, &[(5 * MINUTE, &[ada]), (5 * MINUTE, &[bea])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    let incident = world.incident().id;
    (world, incident, people)
}

fn snooze(incident: IncidentId, by: UserId, for_ms: u64) -> RespondAsk {
    RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    }
}

#[test]
fn a_snoozed_incident_pages_nobody_until_the_end_and_then_the_same_level_again() {
    let (mut world, incident, [ada, ..]) = crashed();
    world.respond(snooze(incident, ada, 60 * MINUTE));
    assert_eq!(world.incident().status, Status::Acknowledged);
    world.wait_ms(60 * MINUTE - 1);
    assert_eq!(world.paged(), ["Ada"]);
    world.wait_ms(1);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada", "Bea"]);
}

#[test]
fn a_snooze_that_is_taken_back_leaves_the_incident_acknowledged() {
    let (mut world, incident, [ada, ..]) = crashed();
    assert!(
        world
            .refused(RespondAsk::CancelSnooze { incident })
            .contains("not snoozed")
    );
    world.respond(snooze(incident, ada, MINUTE));
    world.respond(RespondAsk::CancelSnooze { incident });
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada"]);
    assert_eq!(world.incident().status, Status::Acknowledged);
}

#[test]
fn a_snooze_lasts_from_a_second_to_seven_days() {
    let (mut world, incident, [ada, ..]) = crashed();
    for wrong in [0, 999, 604_800_001] {
        let told = world.refused(snooze(incident, ada, wrong));
        assert_eq!(told, "a snooze lasts 1 second to 7 days");
    }
    world.respond(snooze(incident, ada, 604_800_000));
}

#[test]
fn what_recovers_while_it_is_snoozed_resolves_and_pages_nobody() {
    let (mut world, incident, [ada, ..]) = crashed();
    world.respond(snooze(incident, ada, 60 * MINUTE));
    world.recover("apache-down");
    world.wait_ms(120 * MINUTE);
    assert_eq!(world.incident().status, Status::Resolved);
    assert_eq!(world.paged(), ["Ada"]);
    assert!(
        world
            .refused(snooze(incident, ada, MINUTE))
            .contains("resolved already")
    );
}

#[test]
fn something_worse_ends_a_snooze() {
    let mut world = World::with_apache();
    world.trigger("slow", Severity::Error);
    world.answer_all(Outcome::Accepted);
    let (incident, ada) = (world.incident().id, world.ada());
    world.respond(snooze(incident, ada, 60 * MINUTE));
    world.trigger("slow", Severity::Critical);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
}

#[test]
fn whom_an_incident_is_given_to_is_paged_now_and_again_and_then_the_last_resort() {
    let (mut world, incident, [_, _, cy]) = crashed();
    world.acknowledge();
    let to = Assigned::People(vec![cy]);
    world.respond(RespondAsk::Reassign { incident, to });
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.paged(), ["Ada", "Cy"]);
    let level_of = |user: UserId| {
        let mut pages = world.state.notifications.values();
        let page = pages.find(|one| one.user == user && one.purpose == Purpose::Page(incident));
        page.unwrap().level
    };
    assert_eq!(level_of(cy), None, "who was given it is on no level");
    assert_eq!(level_of(world.ada()), Some(0));
    for _ in 0..3 {
        world.answer_all(Outcome::Accepted);
        world.wait_ms(5 * MINUTE);
    }
    assert_eq!(world.paged(), ["Ada", "Cy", "Cy", "Cy", "Ada"]);
}

#[test]
fn an_incident_given_to_another_policy_is_paged_from_its_first_level_on() {
    let (mut world, incident, [_, bea, cy]) = crashed();
    let level = |user| Level::of(5 * MINUTE, vec![Recipient::User(user)]);
    let other = world.set_policy(None, 0, vec![level(cy), level(bea)], None);
    let to = Assigned::Policy(other);
    world.respond(RespondAsk::Reassign { incident, to });
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Cy", "Bea"]);
}

#[test]
fn an_incident_is_not_given_to_people_of_whom_none_can_be_paged() {
    let (mut world, incident, [_, bea, _]) = crashed();
    let method = world.state.users[&bea].contact_methods[0].id;
    let gone = PeopleAsk::RemoveContactMethod { user: bea, method };
    world.ask(Ask::People(gone));
    let to = Assigned::People(vec![bea]);
    let why = world.refused(RespondAsk::Reassign { incident, to });
    assert!(why.contains("Bea has no verified contact method"), "{why}");
    let to = Assigned::People(Vec::new());
    assert!(
        world
            .refused(RespondAsk::Reassign { incident, to })
            .contains("people")
    );
}

#[test]
fn an_escalation_by_hand_pages_the_next_level_now_also_when_it_was_acknowledged() {
    let (mut world, incident, _) = crashed();
    world.acknowledge();
    world.respond(RespondAsk::Escalate { incident });
    assert_eq!(world.paged(), ["Ada", "Bea"]);
    assert_eq!(world.incident().status, Status::Triggered);
    world.answer_all(Outcome::Accepted);
    world.respond(RespondAsk::Escalate { incident });
    assert_eq!(world.paged(), ["Ada", "Bea", "Ada"], "the last resort");
}

#[test]
fn an_escalation_by_hand_is_refused_where_it_would_page_nobody() {
    let (mut world, incident, _) = crashed();
    let target = world.target();
    world.mute(60 * MINUTE);
    let why = world.refused(RespondAsk::Escalate { incident });
    assert!(why.contains("muted"), "{why}");
    world.ask(Ask::Watch(WatchAsk::Unmute(target)));
    let urgency = Urgency::Low;
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    let why = world.refused(RespondAsk::Escalate { incident });
    assert!(why.contains("urgency is low"), "{why}");
}

pub(crate) fn requests(world: &World) -> Vec<(UserId, bool)> {
    let sent = world.state.notifications.values();
    let sent = sent.filter(|message| matches!(message.purpose, Purpose::Request(_)));
    sent.map(|message| (message.user, !message.attempts.is_empty()))
        .collect()
}

pub(crate) fn ask_for_help(incident: IncidentId, people: Vec<UserId>) -> RespondAsk {
    RespondAsk::RequestResponders {
        incident,
        people,
        policy: None,
        message: "the database looks full".to_owned(),
    }
}

#[test]
fn who_is_asked_to_help_is_paged_although_somebody_has_it_and_their_answer_is_kept() {
    let (mut world, incident, [_, bea, cy]) = crashed();
    world.acknowledge();
    world.respond(ask_for_help(incident, vec![bea, cy]));
    let mut sent = requests(&world);
    sent.sort();
    let mut expected = [(bea, true), (cy, true)];
    expected.sort();
    assert_eq!(sent, expected);
    assert_eq!(world.incident().status, Status::Acknowledged);
    for (by, accept) in [(bea, true), (cy, false)] {
        world.respond(RespondAsk::AnswerRequest {
            incident,
            by,
            accept,
        });
    }
    let answers = world.incident().responders.iter();
    let answers: Vec<_> = answers
        .map(|one| (one.user, one.answer.map(|(come, _)| come)))
        .collect();
    assert_eq!(answers, [(bea, Some(true)), (cy, Some(false))]);
}

#[test]
fn an_answer_takes_back_what_was_still_planned_for_that_person() {
    let (mut world, incident, [_, bea, _]) = crashed();
    let hook = world.add_webhook(bea);
    let email = world.state.users[&bea].contact_methods[0].id;
    world.set_rules(bea, &[(0, email), (5 * MINUTE, hook)]);
    world.acknowledge();
    world.respond(ask_for_help(incident, vec![bea]));
    world.respond(RespondAsk::AnswerRequest {
        incident,
        by: bea,
        accept: true,
    });
    world.answer_all(Outcome::Failed);
    world.wait_ms(60 * MINUTE);
    // Messages are in the order of their ids, which say nothing of when they were planned.
    let mut planned = requests(&world);
    planned.sort_unstable();
    assert_eq!(planned, [(bea, false), (bea, true)]);
    let sent = world.state.notifications.values();
    let tries: usize = sent
        .filter(|message| matches!(message.purpose, Purpose::Request(_)))
        .map(|message| message.attempts.len())
        .sum();
    assert_eq!(
        tries, 1,
        "a failed attempt is not repeated after the answer"
    );
}

/// How often the timeline says that Bea does not know that she was asked.
fn said_not_to_know(world: &World) -> usize {
    world.count(|what| {
        matches!(what, IncidentWhat::NoteAdded { text, .. }
            if text.starts_with("Bea was asked to help, and none of the ways to them works"))
    })
}

#[test]
fn a_request_for_help_that_fails_goes_by_every_other_way_and_then_the_timeline_says_so() {
    let (mut world, incident, [_, bea, _]) = crashed();
    let email = world.state.users[&bea].contact_methods[0].id;
    let hook = world.add_webhook(bea);
    let push = world.add_way(bea, ChannelKind::Ntfy);
    world.set_rules(bea, &[(0, email)]);
    world.acknowledge();
    world.respond(ask_for_help(incident, vec![bea]));
    for way in [email, hook, push] {
        let sending: Vec<_> = world
            .sending()
            .iter()
            .map(|one| one.contact_method)
            .collect();
        assert_eq!(sending, [way]);
        assert_eq!(said_not_to_know(&world), 0);
        world.answer_all(Outcome::Refused);
    }
    world.wait_ms(60 * MINUTE);
    assert_eq!(requests(&world).len(), 3);
    assert_eq!(said_not_to_know(&world), 1);
    assert_eq!(world.paged(), ["Ada"]);
}

#[test]
fn a_request_for_help_whose_way_is_limited_or_removed_goes_by_another_way_at_once() {
    for is_removed in [false, true] {
        let (mut world, incident, [_, bea, _]) = crashed();
        let email = world.state.users[&bea].contact_methods[0].id;
        let hook = world.add_webhook(bea);
        world.set_rules(bea, &[(0, email)]);
        world.acknowledge();
        world.respond(ask_for_help(incident, vec![bea]));
        if is_removed {
            world.answer_all(Outcome::Failed);
            let (user, method) = (bea, email);
            world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
        } else {
            world.answer_all_with(Outcome::Failed, Some(30_000), None);
        }
        let sending: Vec<_> = world
            .sending()
            .iter()
            .map(|one| one.contact_method)
            .collect();
        assert_eq!(sending, [hook], "{is_removed}");
        world.answer_all(Outcome::Accepted);
        assert_eq!(said_not_to_know(&world), 0);
    }
}

#[test]
fn whoever_is_asked_to_help_again_is_asked_by_every_way_again() {
    let (mut world, incident, [_, bea, _]) = crashed();
    world.add_spare_way(bea, ChannelKind::Webhook);
    world.acknowledge();
    for _ in 0..2 {
        world.respond(ask_for_help(incident, vec![bea]));
        world.answer_all(Outcome::Refused);
        world.answer_all(Outcome::Refused);
        world.wait_ms(MINUTE);
    }
    assert_eq!(requests(&world).len(), 4);
    assert_eq!(said_not_to_know(&world), 2);
}

#[test]
fn whoever_was_asked_to_help_and_acknowledges_comes() {
    let (mut world, incident, [_, bea, _]) = crashed();
    world.acknowledge();
    world.respond(ask_for_help(incident, vec![bea]));
    world.respond(RespondAsk::Acknowledge { incident, by: bea });
    let answered = |what: &IncidentWhat| {
        matches!(
            what,
            IncidentWhat::Response(Response::ResponderAnswered { accepted: true, .. })
        )
    };
    assert_eq!(world.count(answered), 1);
}

#[test]
fn a_request_for_help_by_a_policy_goes_to_its_first_level_that_names_somebody() {
    let (mut world, incident, [_, bea, cy]) = crashed();
    let level = |user| Level::of(5 * MINUTE, vec![Recipient::User(user)]);
    let policy = Some(world.set_policy(None, 0, vec![level(bea), level(cy)], None));
    let method = world.state.users[&bea].contact_methods[0].id;
    let gone = PeopleAsk::RemoveContactMethod { user: bea, method };
    world.ask(Ask::People(gone));
    let message = "please".to_owned();
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: Vec::new(),
        policy,
        message,
    });
    assert_eq!(requests(&world), [(cy, true)]);
    let why = world.refused(ask_for_help(incident, vec![bea]));
    assert!(why.contains("Bea has no verified contact method"), "{why}");
}

/// Help was asked for by a policy: of Bea and these others at first, then of Dan.
pub(crate) fn asked_by_policy(with: &[&str]) -> (World, [UserId; 2]) {
    let (mut world, incident, [_, bea, _]) = crashed();
    let dan = world.add_user("Dan");
    let mut first = vec![Recipient::User(bea)];
    first.extend(with.iter().map(|name| Recipient::User(world.user(name))));
    let levels = vec![
        Level::of(5 * MINUTE, first),
        Level::of(5 * MINUTE, vec![Recipient::User(dan), Recipient::User(bea)]),
    ];
    let policy = Some(world.set_policy(None, 0, levels, None));
    world.acknowledge();
    world.respond(RespondAsk::RequestResponders {
        incident,
        people: Vec::new(),
        policy,
        message: "please".to_owned(),
    });
    (world, [bea, dan])
}

pub(crate) fn asked(world: &World) -> Vec<UserId> {
    let responders = world.incident().responders.iter();
    responders.map(|one| one.user).collect()
}

/// How often the timeline says that nobody of a level could be asked.
pub(crate) fn said_to_go_on(world: &World) -> usize {
    world.count(|what| {
        matches!(what, IncidentWhat::NoteAdded { text, .. }
            if text.starts_with("nobody of level ") && text.contains("could be reached"))
    })
}

#[test]
fn a_request_for_help_by_a_policy_goes_on_to_its_next_level_when_nobody_can_be_reached() {
    let (mut world, [bea, dan]) = asked_by_policy(&[]);
    assert_eq!(asked(&world), [bea]);
    world.answer_all(Outcome::Refused);
    assert_eq!(asked(&world), [bea, dan]);
    assert_eq!(said_to_go_on(&world), 1);
    let open: Vec<UserId> = world.sending().iter().map(|one| one.user).collect();
    assert_eq!(open, [dan], "and Bea is not asked again");
    world.answer_all(Outcome::Refused);
    world.wait_ms(60 * MINUTE);
    assert_eq!(asked(&world), [bea, dan]);
    assert_eq!(said_to_go_on(&world), 2, "there is no further level");
}

#[test]
fn a_request_for_help_by_a_policy_stays_where_somebody_of_its_level_knows_of_it() {
    let (mut world, [bea, _]) = asked_by_policy(&["Cy"]);
    let cy = world.user("Cy");
    let sent: Vec<_> = world.sending().iter().map(|one| one.id).collect();
    assert_eq!(sent.len(), 2);
    world.answer(sent[0], Outcome::Accepted);
    world.answer(sent[1], Outcome::Refused);
    world.wait_ms(60 * MINUTE);
    assert_eq!(asked(&world), [bea, cy]);
    assert_eq!(said_to_go_on(&world), 0);
}

#[test]
fn a_request_for_help_by_a_policy_goes_on_when_whoever_knew_of_it_is_removed() {
    let (mut world, [bea, dan]) = asked_by_policy(&[]);
    world.answer_all(Outcome::Accepted);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    assert_eq!(asked(&world), [bea, dan]);
    assert_eq!(said_to_go_on(&world), 1);
}

#[test]
fn whoever_was_not_asked_to_help_cannot_answer() {
    let (mut world, incident, [_, bea, _]) = crashed();
    let why = world.refused(RespondAsk::AnswerRequest {
        incident,
        by: bea,
        accept: true,
    });
    assert!(why.contains("not asked"), "{why}");
}

#[test]
fn an_incident_said_to_be_urgent_pages_until_what_fails_is_over() {
    let mut world = World::with_apache();
    world.trigger("disk", Severity::Warning);
    let incident = world.incident().id;
    world.wait_ms(60 * MINUTE);
    assert!(world.paged().is_empty());
    let urgency = Urgency::High;
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    assert_eq!(world.paged(), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada"], "the escalation goes on");
}

#[test]
fn an_incident_said_not_to_be_urgent_pages_nobody_any_more() {
    let (mut world, incident, _) = crashed();
    let urgency = Urgency::Low;
    world.respond(RespondAsk::SetUrgency { incident, urgency });
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.paged(), ["Ada"]);
    assert_eq!(world.incident().status, Status::Triggered);
}

#[test]
fn a_priority_is_one_of_the_installations_names() {
    let (mut world, incident, _) = crashed();
    let set = |name: &str| RespondAsk::SetPriority {
        incident,
        priority: Some(name.to_owned()),
    };
    world.respond(set("P2"));
    assert_eq!(world.incident().priority.as_deref(), Some("P2"));
    assert!(
        world
            .refused(set("SEV1"))
            .contains("one of P1, P2, P3, P4, P5")
    );
    let names = vec!["SEV1".to_owned(), "SEV2".to_owned()];
    world.ask(Ask::Team(TeamAsk::SetPriorities { names }));
    world.respond(set("SEV1"));
    let priority = None;
    world.respond(RespondAsk::SetPriority { incident, priority });
    assert_eq!(world.incident().priority, None);
}
