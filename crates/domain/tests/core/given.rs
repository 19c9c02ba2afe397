//! Incidents that are given away: of what was under way to others nothing follows, and where all to whom one was given are gone, it
//! follows a policy again.

use crate::nobody::told_why;
use crate::responding::{ask_for_help, crashed};
use crate::world::World;
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::event::{IncidentWhat, Response};
use tocsin_domain::id::{IncidentId, NotificationId, UserId};
use tocsin_domain::incident::{Assigned, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Fate, Level, Outcome, Purpose, Recipient};
use tocsin_domain::people::{ChannelKind, Urgency};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60_000;

/// A crash for which Ada is being paged at this moment by mail; a webhook of hers is used when that fails. Bea and Cy are on no level,
/// and Cy is the last resort.
fn ringing() -> (World, IncidentId, [UserId; 3]) {
    let mut world = World::with_apache();
    let people = [world.ada(), world.add_user("Bea"), world.add_user("Cy")];
    let [ada, _, cy] = people;
    world.add_spare_way(ada, ChannelKind::Webhook);
    let fallback = PeopleAsk::SetFallback { users: vec![cy] };
    world.ask(Ask::People(fallback));
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.crash();
    assert_eq!(world.paged(), ["Ada"]);
    let incident = world.incident().id;
    (world, incident, people)
}

fn give(world: &mut World, incident: IncidentId, to: &[UserId]) {
    let to = Assigned::People(to.to_vec());
    world.respond(RespondAsk::Reassign { incident, to });
}

/// Gives it to a policy of which each level has one person, for five seconds.
fn give_to_levels(world: &mut World, incident: IncidentId, people: &[UserId]) {
    let levels = people.iter();
    let levels = levels.map(|user| Level::of(5 * SECOND, vec![Recipient::User(*user)]));
    let policy = world.set_policy(None, 0, levels.collect(), None);
    let to = Assigned::Policy(policy);
    world.respond(RespondAsk::Reassign { incident, to });
}

/// The message that is being sent to this person.
fn sent_to(world: &World, user: UserId) -> NotificationId {
    let mut sending = world.sending().into_iter();
    sending.find(|message| message.user == user).unwrap().id
}

fn remove(world: &mut World, user: UserId) {
    world.ask(Ask::People(PeopleAsk::Remove { user }));
}

#[test]
fn a_page_under_way_to_whoever_had_it_before_is_not_repeated_nor_sent_another_way() {
    for outcome in [
        Outcome::Failed,
        Outcome::Refused,
        Outcome::TimedOut,
        Outcome::Unanswered,
    ] {
        let (mut world, incident, [ada, bea, _]) = ringing();
        let page = sent_to(&world, ada);
        give(&mut world, incident, &[bea]);
        world.answer(page, outcome);
        world.answer_all(Outcome::Accepted);
        world.wait_ms(MINUTE);
        assert_eq!(world.paged(), ["Ada", "Bea"], "{outcome:?}");
        let state = &world.state.notifications[&page].state;
        assert!(matches!(state, Delivery::Failed { .. }), "{state:?}");
    }
}

#[test]
fn a_page_under_way_when_tocsin_ended_is_not_repeated_for_whoever_had_it_before() {
    let (mut world, incident, [_, bea, _]) = ringing();
    give(&mut world, incident, &[bea]);
    world.ask(Ask::Recover);
    assert_eq!(world.paged(), ["Ada", "Bea", "Bea"]);
}

#[test]
fn a_page_that_whoever_had_it_before_has_lost_after_all_is_sent_no_other_way() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    world.crash();
    let page = sent_to(&world, ada);
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    let incident = world.incident().id;
    give(&mut world, incident, &[bea]);
    world.answer_all(Outcome::Accepted);
    world.ask(Ask::ReceiptCame {
        notification: page,
        number: 1,
        fate: Fate::Failed,
        detail: String::new(),
    });
    world.wait_ms(MINUTE);
    assert_eq!(world.paged(), ["Ada", "Bea"]);
}

#[test]
fn a_page_under_way_to_whoever_had_it_before_keeps_nobody_of_the_next_level_waiting() {
    let (mut world, incident, [_, bea, cy]) = ringing();
    give_to_levels(&mut world, incident, &[bea, cy]);
    let page = sent_to(&world, bea);
    world.answer(page, Outcome::Refused);
    assert_eq!(world.paged(), ["Ada", "Bea", "Cy"]);
}

#[test]
fn whoever_is_named_again_goes_on_being_paged_also_once_the_next_level_is() {
    for (outcome, wait_ms) in [(Outcome::Failed, SECOND), (Outcome::Refused, 0)] {
        let (mut world, incident, [ada, bea, _]) = ringing();
        let page = sent_to(&world, ada);
        give_to_levels(&mut world, incident, &[ada, bea]);
        assert_eq!(world.paged(), ["Ada"], "that page is still under way");
        world.wait_ms(5 * SECOND);
        assert_eq!(world.paged(), ["Ada", "Bea"]);
        world.answer(page, outcome);
        world.wait_ms(wait_ms);
        assert_eq!(world.paged(), ["Ada", "Bea", "Ada"], "{outcome:?}");
    }
}

#[test]
fn an_escalation_takes_back_no_page_of_the_levels_before_since_it_was_given_away() {
    let (mut world, incident, [_, bea, cy]) = ringing();
    give_to_levels(&mut world, incident, &[bea, cy]);
    let page = sent_to(&world, bea);
    world.wait_ms(5 * SECOND);
    world.answer(page, Outcome::Failed);
    world.wait_ms(SECOND);
    assert_eq!(world.paged(), ["Ada", "Bea", "Cy", "Bea"]);
}

#[test]
fn who_was_asked_to_help_is_asked_on_when_it_is_given_away() {
    let (mut world, incident, [_, bea, cy]) = crashed();
    world.acknowledge();
    world.respond(ask_for_help(incident, vec![bea]));
    let request = sent_to(&world, bea);
    give(&mut world, incident, &[cy]);
    world.answer(request, Outcome::Failed);
    world.wait_ms(SECOND);
    assert_eq!(world.state.notifications[&request].attempts.len(), 2);
}

/// How often people were chosen because all to whom it was given are gone.
fn told_to_be_gone(world: &World) -> usize {
    let gone = "everybody it was given to was removed";
    world.count(|what| told_why(what).iter().any(|why| why == gone))
}

/// A crash that was given to Cy, whom a page has reached, and who was removed then; Ada and Bea are on the levels of its policy.
fn left() -> (World, IncidentId) {
    let (mut world, incident, [_, _, cy]) = crashed();
    give(&mut world, incident, &[cy]);
    world.answer_all(Outcome::Accepted);
    remove(&mut world, cy);
    (world, incident)
}

#[test]
fn what_was_given_to_people_who_are_all_gone_follows_the_policy_from_its_first_level_on() {
    let (mut world, _) = left();
    let gone = "somebody removed";
    assert_eq!(world.paged(), ["Ada", gone, "Ada"]);
    assert_eq!(told_to_be_gone(&world), 1);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged(), ["Ada", gone, "Ada", "Bea"]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(5 * MINUTE);
    let last_resort = |what: &IncidentWhat| matches!(what, IncidentWhat::FallbackReached { .. });
    assert_eq!(world.count(last_resort), 1);
    assert_eq!(told_to_be_gone(&world), 1, "nobody needs to be told again");
}

#[test]
fn what_was_given_to_people_of_whom_one_is_there_is_theirs() {
    let (mut world, incident, [_, bea, cy]) = crashed();
    give(&mut world, incident, &[bea, cy]);
    world.answer_all(Outcome::Accepted);
    remove(&mut world, cy);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged().last().unwrap(), "Bea");
    assert_eq!(told_to_be_gone(&world), 0);
}

#[test]
fn people_who_are_gone_once_the_last_resort_is_paged_leave_it_to_the_policy_too() {
    let (mut world, incident, [_, _, cy]) = crashed();
    give(&mut world, incident, &[cy]);
    for _ in 0..3 {
        world.answer_all(Outcome::Accepted);
        world.wait_ms(5 * MINUTE);
    }
    world.answer_all(Outcome::Accepted);
    assert!(world.incident().paging.as_ref().unwrap().exhausted);
    remove(&mut world, cy);
    world.wait_ms(15 * MINUTE);
    world.answer_all(Outcome::Accepted);
    assert_eq!(told_to_be_gone(&world), 1);
    world.wait_ms(5 * MINUTE);
    assert_eq!(world.paged().last().unwrap(), "Bea");
}

#[test]
fn an_escalation_by_hand_goes_on_from_the_level_that_people_who_are_gone_left_it_at() {
    let (mut world, incident) = left();
    world.answer_all(Outcome::Accepted);
    world.respond(RespondAsk::Escalate { incident });
    assert_eq!(world.paged().last().unwrap(), "Bea");
}

/// Whom messages tell that are to go about what wakes nobody, and as which level.
fn to_be_told(world: &World) -> Vec<(UserId, Option<usize>)> {
    let messages = world.state.notifications.values();
    let notices = messages.filter(|one| {
        matches!(one.purpose, Purpose::Notice(_)) && matches!(one.state, Delivery::Due { .. })
    });
    notices.map(|one| (one.user, one.level)).collect()
}

/// How many messages about what wakes nobody were ever begun.
fn told(world: &World) -> usize {
    let messages = world.state.notifications.values();
    let notices = messages.filter(|one| matches!(one.purpose, Purpose::Notice(_)));
    notices.filter(|one| !one.attempts.is_empty()).count()
}

/// Ada has mail at once for what wakes nobody too.
pub(crate) fn hears_quietly(world: &mut World) -> UserId {
    let user = world.ada();
    let mail = world.state.users[&user].contact_methods[0].id;
    let rules = vec![(Urgency::High, 0, mail), (Urgency::Low, 0, mail)];
    world.ask(Ask::People(PeopleAsk::SetRules { user, rules }));
    user
}

fn snooze(world: &mut World, by: UserId, for_ms: u64) {
    let incident = world.incident().id;
    world.respond(RespondAsk::Snooze {
        incident,
        by,
        for_ms,
    });
}

#[test]
fn what_wakes_nobody_is_told_anew_when_its_snooze_ends() {
    let mut world = World::set_up();
    let ada = hears_quietly(&mut world);
    world.trigger("disk", Severity::Warning);
    world.wait_ms(5 * MINUTE);
    snooze(&mut world, ada, 30 * MINUTE);
    world.wait_ms(30 * MINUTE - 1);
    assert_eq!(to_be_told(&world), [], "it would have been told meanwhile");
    world.wait_ms(1);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(to_be_told(&world), [(ada, Some(0))]);
    world.wait_ms(15 * MINUTE);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(60 * MINUTE);
    assert_eq!(told(&world), 1);
    assert_eq!(world.pages(), []);
}

#[test]
fn what_wakes_nobody_is_told_once_when_its_snooze_ends_before_it_was_told() {
    let mut world = World::set_up();
    let ada = hears_quietly(&mut world);
    world.trigger("disk", Severity::Warning);
    world.wait_ms(5 * MINUTE);
    snooze(&mut world, ada, 5 * MINUTE);
    world.wait_ms(5 * MINUTE);
    assert_eq!(to_be_told(&world), [(ada, Some(0))]);
    world.wait_ms(5 * MINUTE);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(60 * MINUTE);
    assert_eq!(told(&world), 1);
}

#[test]
fn what_wakes_nobody_and_is_quiet_when_its_snooze_ends_is_told_when_that_is_over() {
    for muted_ms in [10 * MINUTE, 60 * MINUTE] {
        let mut world = World::with_apache();
        let ada = hears_quietly(&mut world);
        world.mute(muted_ms);
        world.fire("apache-config-broken", &[]);
        assert_eq!(world.incident().urgency, Urgency::Low);
        snooze(&mut world, ada, 30 * MINUTE);
        world.wait_ms(30 * MINUTE);
        let is_quiet = muted_ms > 30 * MINUTE;
        assert_eq!(to_be_told(&world).is_empty(), is_quiet, "{muted_ms}");
        world.wait_ms(45 * MINUTE);
        world.answer_all(Outcome::Accepted);
        world.wait_ms(60 * MINUTE);
        assert_eq!(told(&world), 1, "{muted_ms}");
    }
}

#[test]
fn what_wakes_nobody_is_told_anew_when_its_acknowledgement_runs_out_as_long_as_it_fails() {
    for fails in [true, false] {
        let mut world = World::with_apache();
        let ada = hears_quietly(&mut world);
        let level = Level::of(5 * MINUTE, vec![Recipient::User(ada)]);
        world.set_default_policy(vec![level], Some(30 * MINUTE));
        world.fire("apache-config-broken", &[]);
        assert_eq!(world.incident().urgency, Urgency::Low);
        world.acknowledge();
        world.wait_ms(20 * MINUTE);
        world.acknowledge();
        world.wait_ms(30 * MINUTE - 1);
        assert_eq!(world.incident().status, Status::Acknowledged);
        assert_eq!(to_be_told(&world), []);
        if !fails {
            world.recover("apache-config-broken");
        }
        world.wait_ms(1);
        let ended = |what: &IncidentWhat| {
            matches!(what, IncidentWhat::Response(Response::AcknowledgementEnded { why, .. })
                if why == "it was acknowledged 50 minutes ago and still fails")
        };
        assert_eq!(world.count(ended), usize::from(fails));
        let told: &[(UserId, Option<usize>)] = if fails { &[(ada, Some(0))] } else { &[] };
        assert_eq!(to_be_told(&world), told);
        assert_eq!(world.pages(), []);
    }
}

#[test]
fn what_wakes_nobody_and_is_quiet_when_its_acknowledgement_runs_out_is_told_when_that_is_over() {
    let mut world = World::with_apache();
    let ada = hears_quietly(&mut world);
    let level = Level::of(5 * MINUTE, vec![Recipient::User(ada)]);
    world.set_default_policy(vec![level], Some(30 * MINUTE));
    world.mute(60 * MINUTE);
    world.fire("apache-config-broken", &[]);
    world.acknowledge();
    world.wait_ms(30 * MINUTE);
    assert_eq!(world.incident().status, Status::Triggered);
    assert_eq!(to_be_told(&world), []);
    world.wait_ms(30 * MINUTE);
    assert_eq!(to_be_told(&world), [(ada, Some(0))]);
}

#[test]
fn what_wakes_nobody_and_somebody_had_who_is_removed_is_told_anew() {
    for is_given in [false, true] {
        let mut world = World::set_up();
        let ada = hears_quietly(&mut world);
        let bob = world.add_user("Bob");
        world.trigger("disk", Severity::Warning);
        let incident = world.incident().id;
        if is_given {
            give(&mut world, incident, &[bob]);
        }
        world.respond(RespondAsk::Acknowledge { incident, by: bob });
        world.wait_ms(20 * MINUTE);
        assert_eq!(to_be_told(&world), []);
        remove(&mut world, bob);
        let ended = |what: &IncidentWhat| {
            matches!(
                what,
                IncidentWhat::Response(Response::AcknowledgementEnded { .. })
            )
        };
        assert_eq!(world.count(ended), 1);
        assert_eq!(to_be_told(&world), [(ada, Some(0))], "{is_given}");
    }
}
