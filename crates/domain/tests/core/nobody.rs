//! Levels that name nobody who can be paged: somebody else is paged each time, and the event says why.

use crate::world::World;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk, RosterAsk, TeamAsk};
use tocsin_domain::event::{EventBody, IncidentWhat, NotificationWhat, Response, RosterEvent};
use tocsin_domain::id::{ScheduleId, UserId};
use tocsin_domain::incident::Status;
use tocsin_domain::oncall::{Layer, Turn, TurnUnit};
use tocsin_domain::page::{Delivery, Level, Outcome, Recipient};
use tocsin_domain::people::ChannelKind;

const MINUTE: u64 = 60_000;

fn schedule(world: &mut World, name: &str, members: Vec<UserId>) -> ScheduleId {
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    let ask = RosterAsk::SetSchedule {
        id: None,
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer::rotation(world.now, turn, members)],
    };
    let events = world.ask(Ask::Roster(ask));
    let set = events.iter().find_map(|event| match &event.body {
        EventBody::Roster(RosterEvent::ScheduleSet { schedule }) => Some(schedule.id),
        EventBody::Roster(_)
        | EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    set.unwrap()
}

fn drop_methods(world: &mut World, user: UserId) {
    let method = world.state.users[&user].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
}

/// A first level that names nobody by this recipient: who is paged instead, and what is said of it.
fn check(world: &mut World, first: Recipient, paged: &[&str], said: &str) {
    let second = world.add_user("Second");
    let levels = vec![
        Level::of(5 * MINUTE, vec![first]),
        Level::of(5 * MINUTE, vec![Recipient::User(second)]),
    ];
    world.set_default_policy(levels, None);
    world.crash();
    assert_eq!(world.paged(), paged);
    let tells = |what: &IncidentWhat| told_why(what).iter().any(|why| why.contains(said));
    assert_eq!(world.count(tells), 1, "{said}");
}

#[test]
fn an_empty_schedule_is_passed_over() {
    let mut world = World::with_apache();
    let empty = schedule(&mut world, "Nights", Vec::new());
    let said = "level 1 of \"Policy\": nobody is on call in \"Nights\"";
    check(&mut world, Recipient::Schedule(empty), &["Second"], said);
}

#[test]
fn a_person_without_a_proved_contact_method_is_passed_over() {
    let mut world = World::with_apache();
    let bea = world.add_user("Bea");
    drop_methods(&mut world, bea);
    let said = "level 1 of \"Policy\": Bea has no verified contact method";
    check(&mut world, Recipient::User(bea), &["Second"], said);
}

#[test]
fn a_person_on_call_without_a_proved_contact_method_is_passed_over() {
    let mut world = World::with_apache();
    let bea = world.add_user("Bea");
    let nights = schedule(&mut world, "Nights", vec![bea]);
    drop_methods(&mut world, bea);
    let said = "on call by \"Nights\": Bea has no verified contact method";
    check(&mut world, Recipient::Schedule(nights), &["Second"], said);
}

#[test]
fn a_person_who_was_removed_while_on_call_is_passed_over() {
    let mut world = World::with_apache();
    let bea = world.add_user("Bea");
    let nights = schedule(&mut world, "Nights", vec![bea]);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    let said = "nobody is on call in \"Nights\"";
    check(&mut world, Recipient::Schedule(nights), &["Second"], said);
}

#[test]
fn a_team_of_nobody_is_passed_over() {
    let mut world = World::with_apache();
    let team = world.state.installation.as_ref().unwrap().team;
    world.add_user("Bea");
    let (id, name) = (Some(team), "Web".to_owned());
    let members = Vec::new();
    world.ask(Ask::Team(TeamAsk::Set { id, name, members }));
    // Whoever is added belongs to the first team, so the team is emptied after the second person came.
    let second = world.add_user("Second");
    let (name, members) = ("Web".to_owned(), Vec::new());
    world.ask(Ask::Team(TeamAsk::Set { id, name, members }));
    let levels = vec![
        Level::of(5 * MINUTE, vec![Recipient::Team(team)]),
        Level::of(5 * MINUTE, vec![Recipient::User(second)]),
    ];
    world.set_default_policy(levels, None);
    world.crash();
    assert_eq!(world.paged(), ["Second"]);
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::LevelReached { skipped, .. }
            if skipped == &["level 1 of \"Policy\": nobody belongs to the team \"Web\""])
    };
    assert_eq!(world.count(said), 1);
}

#[test]
fn when_no_level_names_anybody_the_last_resort_is_paged_and_the_event_names_every_reason() {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_levels(3, &[(MINUTE, &[bea]), (MINUTE, &[cy])]);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    drop_methods(&mut world, cy);
    world.crash();
    assert_eq!(world.paged(), ["Ada"]);
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::FallbackReached { why, .. }
            if why.iter().any(|why| why.contains("Cy has no verified contact method")))
    };
    assert_eq!(world.count(said), 1);
}

const EMPTY: &str =
    "level 1 of \"Policy\": nobody is left on it, because whoever it named was removed";

#[test]
fn a_level_whose_only_person_was_removed_is_passed_over_and_said_to_be_empty() {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_levels(0, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[cy])]);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    world.crash();
    assert_eq!(world.paged(), ["Cy"]);
    let said = |what: &IncidentWhat| matches!(what, IncidentWhat::LevelReached { skipped, .. } if skipped == &[EMPTY]);
    assert_eq!(world.count(said), 1);
}

#[test]
fn a_level_that_was_left_empty_may_be_written_back_and_none_is_made_so() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let nobody: &[UserId] = &[];
    let policy = |world: &World| {
        let installation = world.state.installation.as_ref().unwrap();
        world.state.policies[&installation.default_policy].clone()
    };
    let set = |world: &mut World, targets: &[&[UserId]]| {
        let known = policy(world);
        let level = |users: &&[UserId]| {
            let targets = users.iter().map(|user| Recipient::User(*user));
            Level::of(MINUTE, targets.collect())
        };
        world.try_ask(Ask::Roster(RosterAsk::SetPolicy {
            id: Some(known.id),
            name: known.name,
            levels: targets.iter().map(level).collect(),
            repeat: 0,
            acknowledgement_timeout_ms: None,
        }))
    };
    let refusal = set(&mut world, &[&[ada], nobody]).unwrap_err();
    assert_eq!(refusal.to_string(), "levels[1].targets: 1 to 10");
    set(&mut world, &[&[bea], &[cy]]).unwrap();
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    // As it is, beside another change, at another place.
    let kept: [&[&[UserId]]; 3] = [
        &[nobody, &[cy]],
        &[nobody, &[ada]],
        &[&[ada], nobody, &[cy]],
    ];
    for levels in kept {
        set(&mut world, levels).unwrap();
        let known = policy(&world).levels;
        let empty = known.iter().filter(|level| level.targets.is_empty());
        assert_eq!((known.len(), empty.count()), (levels.len(), 1));
    }
    let refusal = set(&mut world, &[&[ada], nobody, nobody]).unwrap_err();
    assert_eq!(refusal.to_string(), "levels[2].targets: 1 to 10");
    set(&mut world, &[&[ada], &[cy]]).unwrap();
    assert!(set(&mut world, &[&[ada], nobody]).is_err(), "it was filled");
}

/// How often the list of last resort was reached, and how often because nobody had acknowledged.
fn last_resorts(world: &World) -> (usize, usize) {
    let all = |what: &IncidentWhat| matches!(what, IncidentWhat::FallbackReached { .. });
    let unanswered = "nobody acknowledged on any level of \"Policy\"".to_owned();
    let said = |what: &IncidentWhat| matches!(what, IncidentWhat::FallbackReached { why, .. } if why.contains(&unanswered));
    (world.count(all), world.count(said))
}

#[test]
fn nobody_is_said_not_to_have_acknowledged_where_no_level_paged_anybody() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(2, &[(MINUTE, &[bea])]);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    world.crash();
    let why = [
        EMPTY,
        "no level of \"Policy\" names anybody who can be paged",
    ];
    let said = |what: &IncidentWhat| matches!(what, IncidentWhat::FallbackReached { why: told, .. } if told == &why);
    assert_eq!(world.count(said), 1);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(15 * MINUTE);
    assert_eq!(last_resorts(&world), (2, 0));
    let mut world = World::with_apache();
    world.set_levels(0, &[(MINUTE, &[ada])]);
    world.crash();
    for wait_ms in [MINUTE, 15 * MINUTE] {
        world.answer_all(Outcome::Accepted);
        world.wait_ms(wait_ms);
    }
    assert_eq!(last_resorts(&world), (2, 2));
}

#[test]
fn when_the_only_person_who_was_paged_is_removed_somebody_else_is_paged_at_once() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(1_000 * MINUTE, &[bea]), (MINUTE, &[ada])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    assert_eq!(world.paged(), ["somebody removed", "Ada"]);
    assert_eq!(said_to_be_removed(&world, "Bea"), 1);
}

/// How often somebody was paged because this person, who had been paged, was removed.
fn said_to_be_removed(world: &World, name: &str) -> usize {
    let removed = format!("{name}, who was paged for it, was removed");
    world.count(|what| {
        matches!(what, IncidentWhat::LevelReached { skipped: why, .. } | IncidentWhat::FallbackReached { why, .. }
            if why.contains(&removed))
    })
}

#[test]
fn when_the_only_person_of_the_last_resort_who_was_paged_is_removed_that_is_said_too() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let users = vec![ada, bea];
    world.ask(Ask::People(PeopleAsk::SetFallback { users }));
    drop_methods(&mut world, ada);
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.paged(), ["Bea"]);
    world.add_webhook(ada);
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    assert_eq!(world.paged(), ["somebody removed", "Ada"]);
    assert_eq!(said_to_be_removed(&world, "Bea"), 1);
}

#[test]
fn what_a_removed_person_had_taken_is_triggered_again() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(MINUTE, &[ada])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    let incident = world.incident().id;
    world.respond(RespondAsk::Acknowledge { incident, by: bea });
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(world.paged(), ["Ada", "Ada"]);
    let said = |what: &IncidentWhat| {
        matches!(what, IncidentWhat::Response(Response::AcknowledgementEnded { why, .. })
            if why == "the person who acknowledged it was removed")
    };
    assert_eq!(world.count(said), 1);
}

/// Why messages were taken back, and why others were planned or sent earlier.
fn reasons(world: &World) -> Vec<String> {
    let messages = world.journal.iter().filter_map(|event| match &event.body {
        EventBody::Notification(message) => Some(&message.what),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Input(_) => None,
    });
    let said = messages.filter_map(|what| match what {
        NotificationWhat::Cancelled { why } | NotificationWhat::Advanced { why, .. } => {
            Some(why.clone())
        }
        NotificationWhat::Planned { message } => Some(message.why.clone()),
        NotificationWhat::Gathers { .. }
        | NotificationWhat::ToldTogether { .. }
        | NotificationWhat::Postponed { .. }
        | NotificationWhat::AttemptStarted { .. }
        | NotificationWhat::AttemptFinished { .. }
        | NotificationWhat::Receipt { .. } => None,
    });
    said.collect()
}

#[test]
fn a_page_whose_only_way_is_removed_before_it_is_sent_goes_to_the_next_person_at_once() {
    let mut world = World::with_apache();
    let (bob, cyd) = (world.add_user("Bob"), world.add_user("Cyd"));
    let mail = world.state.users[&bob].contact_methods[0].id;
    world.set_rules(bob, &[(2 * MINUTE, mail)]);
    world.set_levels(0, &[(10 * MINUTE, &[bob]), (10 * MINUTE, &[cyd])]);
    world.crash();
    assert_eq!(world.paged(), [""; 0]);
    drop_methods(&mut world, bob);
    assert_eq!(world.paged(), ["Cyd"], "nobody waits for what cannot come");
    assert!(reasons(&world).contains(&"the contact method was removed".to_owned()));
}

#[test]
fn a_page_whose_way_is_removed_goes_by_the_next_way_of_the_same_person_at_once() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, hook), (5 * MINUTE, mail)]);
    world.crash();
    world.answer_all(Outcome::Failed);
    let remove = |world: &mut World, method| {
        world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
            user: ada,
            method,
        }));
    };
    remove(&mut world, hook);
    let ways: Vec<ChannelKind> = world.pages().into_iter().map(|(_, way, _)| way).collect();
    assert_eq!(ways, [ChannelKind::Webhook, ChannelKind::Email]);
    let why = "another way to reach this person was removed";
    assert!(reasons(&world).iter().any(|reason| reason == why));
    // A way that is removed while a page is being sent by it is given up when its outcome is known.
    world.answer_all(Outcome::Accepted);
    let mut world = World::with_apache();
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, hook)]);
    world.crash();
    remove(&mut world, hook);
    world.answer_all(Outcome::Failed);
    world.wait_ms(1_000);
    let ways: Vec<ChannelKind> = world.pages().into_iter().map(|(_, way, _)| way).collect();
    assert_eq!(ways, [ChannelKind::Webhook, ChannelKind::Email]);
}

#[test]
fn a_later_step_whose_way_is_removed_changes_nothing_else_while_an_earlier_one_is_on_its_way() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, mail), (5 * MINUTE, hook)]);
    world.crash();
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: ada,
        method: hook,
    }));
    assert_eq!(world.pages().len(), 1);
    assert_eq!(world.incident().paging.as_ref().unwrap().level, 0);
}

#[test]
fn emptied_rules_take_no_page_back() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    world.set_rules(ada, &[(2 * MINUTE, mail)]);
    world.crash();
    world.set_rules(ada, &[]);
    world.wait_ms(2 * MINUTE);
    assert_eq!(world.paged(), ["Ada"]);
}

#[test]
fn a_removed_person_whose_page_was_the_last_hope_of_a_level_is_not_waited_for() {
    let mut world = World::with_apache();
    let (bob, cyd, dan) = (
        world.add_user("Bob"),
        world.add_user("Cyd"),
        world.add_user("Dan"),
    );
    world.set_levels(0, &[(10 * MINUTE, &[bob, cyd]), (10 * MINUTE, &[dan])]);
    world.crash();
    // Bob's page arrives, Cyd's does not.
    let messages: Vec<_> = world
        .sending()
        .iter()
        .map(|message| (message.id, message.user))
        .collect();
    for (notification, user) in messages {
        let outcome = if user == bob {
            Outcome::Accepted
        } else {
            Outcome::Refused
        };
        world.answer(notification, outcome);
    }
    assert_eq!(world.incident().paging.as_ref().unwrap().level, 0);
    world.ask(Ask::People(PeopleAsk::Remove { user: bob }));
    assert_eq!(world.paged().last().unwrap(), "Dan");
    assert_eq!(said_to_be_removed(&world, "Bob"), 1);
}

#[test]
fn an_attempt_that_ends_after_its_person_was_removed_is_on_record_and_nothing_follows_from_it() {
    for outcome in [Outcome::Accepted, Outcome::Failed, Outcome::TimedOut] {
        let mut world = World::with_apache();
        let (bob, cyd) = (world.add_user("Bob"), world.add_user("Cyd"));
        world.set_levels(0, &[(30 * MINUTE, &[bob]), (30 * MINUTE, &[cyd])]);
        world.crash();
        let notification = world.sending()[0].id;
        world.ask(Ask::People(PeopleAsk::Remove { user: bob }));
        let taken_back = "the person was removed".to_owned();
        assert!(!reasons(&world).contains(&taken_back), "it is on its way");
        world.answer(notification, outcome);
        let message = &world.state.notifications[&notification];
        let last = message.attempts.last();
        assert_eq!(last.unwrap().outcome, Some(outcome));
        assert_eq!(message.attempts.len(), 1);
        let is_taken = matches!(message.state, Delivery::Delivered { .. });
        assert_eq!(is_taken, outcome == Outcome::Accepted);
        assert!(is_taken || matches!(message.state, Delivery::Failed { .. }));
        assert_eq!(world.paged().last().unwrap(), "Cyd", "{outcome:?}");
        assert_eq!(world.paged().len(), 2, "{outcome:?}");
    }
}

#[test]
fn a_removed_person_changes_the_schedules_and_policies_that_named_them_and_no_others() {
    let mut world = World::with_apache();
    let (ada, bea, cy) = (world.ada(), world.add_user("Bea"), world.add_user("Cy"));
    let nights = schedule(&mut world, "Nights", vec![bea, cy]);
    let days = schedule(&mut world, "Days", vec![cy]);
    world.set_levels(0, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[cy])]);
    let policy = world.state.installation.as_ref().unwrap().default_policy;
    let others = vec![Level::of(5 * MINUTE, vec![Recipient::User(ada)])];
    let other = world.set_policy(None, 0, others, None);
    let before = world.state.clone();
    let removed = world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    let position = removed.last().unwrap().position;
    let after = &world.state;
    assert_eq!(after.schedule_changes[&nights], position);
    assert_eq!(after.policy_changes[&policy], position);
    assert_eq!(
        after.schedule_changes[&days],
        before.schedule_changes[&days]
    );
    assert_eq!(after.policy_changes[&other], before.policy_changes[&other]);
}

/// Why others were passed over, as the level or the last resort that was reached tells it.
pub(crate) fn told_why(what: &IncidentWhat) -> &[String] {
    match what {
        IncidentWhat::LevelReached { skipped: why, .. }
        | IncidentWhat::FallbackReached { why, .. } => why,
        IncidentWhat::Opened { .. }
        | IncidentWhat::Raised { .. }
        | IncidentWhat::UrgencySet { .. }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Relapsed { .. }
        | IncidentWhat::Resolved { .. }
        | IncidentWhat::EvidenceFrozen { .. }
        | IncidentWhat::Response(_) => &[],
    }
}
