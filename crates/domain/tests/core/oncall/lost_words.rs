//! Word that is lost by one way: it goes by the next, and what nobody was told of is told later.

use tocsin_domain::ahead::Roster;
use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk};
use tocsin_domain::event::{Actor, Cause, Event, EventBody, NotificationWhat, RosterEvent};
use tocsin_domain::id::UserId;
use tocsin_domain::oncall::{Layer, Span, SwapSide, Turn, TurnUnit};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::page::{Delivery, Notification, Outcome};
use tocsin_domain::people::{ChannelKind, Role, SetUp};

use super::ahead::everything;
use super::notices::{days, look, look_ahead, look_ahead_by, oncall};
use crate::world::{START, World};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// Ada has mail and a webhook, and a schedule has nobody.
fn with_a_finding() -> World {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_webhook(ada);
    leave_empty(&mut world, "One");
    world
}

fn leave_empty(world: &mut World, name: &str) {
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Days,
    };
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id: None,
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![Layer::rotation(START, turn, Vec::new())],
    }));
}

fn remove_mail(world: &mut World, user: UserId) {
    let method = world.state.users[&user].contact_methods[0].id;
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
}

/// To whom words were ever to go, and by which channel, in order.
fn words(world: &World) -> Vec<(String, ChannelKind)> {
    let planned = world.journal.iter().filter_map(|event| {
        let EventBody::Notification(message) = &event.body else {
            return None;
        };
        let NotificationWhat::Planned { message } = &message.what else {
            return None;
        };
        let name = world.state.users[&message.user].name.clone();
        Some((name, message.channel))
    });
    planned.collect()
}

/// The channels of Ada's words, in order.
fn channels(world: &World) -> Vec<ChannelKind> {
    let all = words(world).into_iter();
    all.filter(|(name, _)| name == "Ada")
        .map(|(_, channel)| channel)
        .collect()
}

/// How often administrators were told of findings.
fn times_told(world: &World) -> usize {
    let is_it = |event: &&Event| {
        let EventBody::Roster(RosterEvent::Oncall { what }) = &event.body else {
            return false;
        };
        matches!(what, OncallEvent::FindingsTold { .. })
    };
    world.journal.iter().filter(is_it).count()
}

#[test]
fn word_goes_by_a_channel_that_is_set_up_before_mail_that_is_not() {
    let mut world = with_a_finding();
    let set_up = SetUp::from_iter([ChannelKind::Webhook, ChannelKind::Ntfy]);
    assert_eq!(look_ahead_by(&mut world, set_up), ["Ada"]);
    assert_eq!(channels(&world), [ChannelKind::Webhook]);
    world.answer_all(Outcome::Accepted);
    // So does word of other things, until something else is seen to be set up.
    let (_, _, cyd) = days(&mut world);
    world.add_webhook(cyd);
    look(&mut world);
    world.wait_ms(DAY);
    look(&mut world);
    let to_cyd = |channel| ("Cyd".to_owned(), channel);
    assert_eq!(words(&world).pop(), Some(to_cyd(ChannelKind::Webhook)));
    world.answer_all(Outcome::Accepted);
    look_ahead(&mut world);
    world.wait_ms(2 * DAY);
    look(&mut world);
    assert_eq!(words(&world).len(), 2, "Cyd has duty as before");
    world.wait_ms(DAY);
    look(&mut world);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(DAY);
    look(&mut world);
    assert_eq!(words(&world).pop(), Some(to_cyd(ChannelKind::Email)));
    world.check_replay();
}

#[test]
fn findings_that_are_refused_go_by_the_next_way_and_are_told_once_they_come() {
    let mut world = with_a_finding();
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    assert!(world.state.duty.has_news(), "nobody has it yet");
    assert_eq!(look_ahead(&mut world), [""; 0], "it is under way");
    world.answer_all(Outcome::Refused);
    assert_eq!(channels(&world), [ChannelKind::Email, ChannelKind::Webhook]);
    assert!(world.state.duty.has_news());
    assert_eq!(look_ahead(&mut world), [""; 0], "it is under way again");
    assert_eq!(times_told(&world), 0);
    world.answer_all(Outcome::Accepted);
    assert!(!world.state.duty.has_news());
    assert_eq!(times_told(&world), 1);
    for _ in 0..3 {
        world.wait_ms(DAY);
        assert_eq!(look_ahead(&mut world), [""; 0]);
    }
    world.check_replay();
}

#[test]
fn a_mail_server_that_is_down_for_three_attempts_keeps_no_finding_from_anybody() {
    let mut world = with_a_finding();
    look_ahead(&mut world);
    for wait_ms in [1_000, 4_000] {
        world.answer_all(Outcome::Failed);
        world.wait_ms(wait_ms);
        assert_eq!(channels(&world), [ChannelKind::Email], "it is tried again");
    }
    world.answer_all(Outcome::Failed);
    assert_eq!(channels(&world), [ChannelKind::Email, ChannelKind::Webhook]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(
        (times_told(&world), world.state.duty.has_news()),
        (1, false)
    );
}

#[test]
fn what_appears_while_word_is_under_way_is_told_a_day_later() {
    let mut world = with_a_finding();
    look_ahead(&mut world);
    leave_empty(&mut world, "Two");
    assert_eq!(look_ahead(&mut world), [""; 0]);
    world.answer_all(Outcome::Accepted);
    assert!(world.state.duty.has_news(), "the word did not hold it");
    world.wait_ms(DAY);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    assert!(!world.state.duty.has_news());
}

#[test]
fn findings_that_reach_nobody_are_tried_again_after_a_day() {
    let mut world = with_a_finding();
    look_ahead(&mut world);
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Refused);
    assert_eq!(words(&world).len(), 2);
    assert!(world.sending().is_empty(), "no way is left");
    for _ in 0..23 {
        world.wait_ms(HOUR);
        assert_eq!(look_ahead(&mut world), [""; 0]);
    }
    world.wait_ms(HOUR);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    world.answer_all(Outcome::Accepted);
    assert_eq!((times_told(&world), words(&world).len()), (1, 3));
    world.check_replay();
}

#[test]
fn findings_that_reached_nobody_are_told_as_soon_as_there_is_another_way() {
    let mut world = with_a_finding();
    let only_webhook = || SetUp::from_iter([ChannelKind::Webhook]);
    look_ahead_by(&mut world, only_webhook());
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Refused);
    assert_eq!(channels(&world), [ChannelKind::Webhook, ChannelKind::Email]);
    assert_eq!(look_ahead_by(&mut world, only_webhook()), [""; 0]);
    // A mail server is set up.
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    assert_eq!(channels(&world).pop(), Some(ChannelKind::Email));
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Refused);
    assert_eq!(look_ahead(&mut world), [""; 0]);
    // Ada proves a further way.
    let ada = world.ada();
    world.add_way(ada, ChannelKind::Ntfy);
    assert_eq!(look_ahead(&mut world), ["Ada"]);
    assert_eq!(channels(&world).pop(), Some(ChannelKind::Ntfy));
    world.answer_all(Outcome::Accepted);
    assert!(!world.state.duty.has_news());
    world.check_replay();
}

#[test]
fn of_several_administrators_the_first_who_is_reached_counts() {
    let mut world = with_a_finding();
    let bea = world.add_user("Bea");
    world.ask(Ask::People(PeopleAsk::Change {
        user: bea,
        name: None,
        role: Some(Role::Admin),
        about: None,
    }));
    look_ahead(&mut world);
    let mut under_way = world.sending().into_iter();
    let to_bea = under_way.find(|word| word.user == bea).unwrap().id;
    world.answer(to_bea, Outcome::Refused);
    assert_eq!(times_told(&world), 0);
    assert_eq!(words(&world).len(), 2, "Bea has no other way");
    world.answer_all(Outcome::Accepted);
    assert_eq!(times_told(&world), 1);
    world.wait_ms(DAY);
    assert_eq!(look_ahead(&mut world), [""; 0]);
    leave_empty(&mut world, "Two");
    let mut told = look_ahead(&mut world);
    told.sort();
    assert_eq!(told, ["Ada", "Bea"]);
    world.answer_all(Outcome::Accepted);
    assert_eq!(times_told(&world), 2, "once, though both have it");
}

#[test]
fn a_hand_off_goes_by_each_way_in_turn_and_by_none_twice() {
    let mut world = World::set_up();
    let (_, _, cyd) = days(&mut world);
    world.add_webhook(cyd);
    world.add_way(cyd, ChannelKind::Voice);
    world.add_way(cyd, ChannelKind::Ntfy);
    look(&mut world);
    world.wait_ms(DAY);
    let told = look(&mut world);
    for _ in 0..5 {
        world.answer_all(Outcome::Refused);
    }
    let channels: Vec<ChannelKind> = words(&world).into_iter().map(|(_, by)| by).collect();
    let expected = [ChannelKind::Email, ChannelKind::Webhook, ChannelKind::Ntfy];
    assert_eq!(channels, expected, "nobody is called for it");
    let mut all = world.state.notifications.values();
    assert!(all.all(|word| word.why == told[0].1));
    world.check_replay();
}

#[test]
fn a_lost_hand_off_that_is_no_longer_true_goes_no_further() {
    let mut world = World::set_up();
    let (schedule, bea, cyd) = days(&mut world);
    world.add_webhook(cyd);
    look(&mut world);
    world.wait_ms(DAY);
    look(&mut world);
    let span = Span::new(world.now, world.now.plus_ms(HOUR));
    let ask = ChangeAsk::AddOverride { user: bea, span };
    oncall(&mut world, OncallAsk::Change { schedule, ask });
    world.answer_all(Outcome::Refused);
    assert_eq!(words(&world).len(), 1);
}

#[test]
fn word_of_a_swap_goes_another_way_when_its_own_is_removed() {
    let mut world = World::set_up();
    let (schedule, bea, cyd) = days(&mut world);
    world.add_webhook(cyd);
    let day = |user, day: u64| SwapSide {
        user,
        span: Span::new(START.plus_ms(day * DAY), START.plus_ms((day + 1) * DAY)),
    };
    let ask = ChangeAsk::ProposeSwap {
        one: day(bea, 2),
        other: day(cyd, 3),
        by: Some(bea),
    };
    oncall(&mut world, OncallAsk::Change { schedule, ask });
    world.answer_all(Outcome::Failed);
    remove_mail(&mut world, cyd);
    let words = words(&world);
    assert_eq!(
        words.last(),
        Some(&("Cyd".to_owned(), ChannelKind::Webhook))
    );
    assert_eq!(words.len(), 2);
    let mut all = world.state.notifications.values();
    let is_over = |state: &Delivery| matches!(state, Delivery::Cancelled { .. });
    assert!(all.any(|word| is_over(&word.state) && word.channel == ChannelKind::Email));
}

/// Folds what was noticed, as it stands in a journal.
fn notice(world: &mut World, what: OncallEvent) {
    let event = Event {
        position: world.state.position + 1,
        at: world.now,
        recorded_at: world.now,
        actor: Actor::System,
        cause: Cause::Due { at: world.now },
        body: EventBody::Roster(RosterEvent::Oncall { what }),
    };
    world.state.evolve(&event);
}

#[test]
fn in_a_journal_of_old_findings_are_told_when_their_word_was_planned() {
    let mut world = with_a_finding();
    let roster = Roster::of(&world.state, &everything());
    let finding = roster.findings(START).remove(0);
    let keys = vec![finding.key.clone()];
    notice(&mut world, OncallEvent::FindingAppeared { finding });
    notice(&mut world, OncallEvent::FindingsTold { keys });
    assert!(!world.state.duty.has_news());
    assert_eq!(look_ahead(&mut world), [""; 0]);
    // A message of old names none that it goes instead of.
    leave_empty(&mut world, "Two");
    world.wait_ms(DAY);
    look_ahead(&mut world);
    let word = serde_json::to_value(world.sending()[0]).unwrap();
    assert_eq!(word.get("instead_of"), None);
    let read = serde_json::from_value::<Notification>(word);
    assert_eq!(read.unwrap().instead_of, None);
}
