//! What a provider asks for and tells later: waits, receipts that come late, twice, in any order, or never.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use proptest::prelude::*;
use tocsin_domain::command::Ask;
use tocsin_domain::event::{EventBody, NotificationWhat};
use tocsin_domain::id::{ContactMethodId, NotificationId};
use tocsin_domain::page::{Delivery, Fate, Outcome, Purpose};
use tocsin_domain::people::ChannelKind;

use crate::world::World;

const MINUTE: u64 = 60_000;

/// Ada is called at once, and texted after an hour.
fn called_then_texted() -> World {
    let mut world = World::with_apache();
    let ada = world.ada();
    let call = world.add_way(ada, ChannelKind::Voice);
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, call), (60 * MINUTE, text)]);
    world.crash();
    world
}

fn channels(world: &World) -> Vec<ChannelKind> {
    world
        .pages()
        .into_iter()
        .map(|(_, channel, _)| channel)
        .collect()
}

fn first_page(world: &World) -> NotificationId {
    let incident = world.incident().id;
    world.state.messages_of[&incident][0]
}

fn receipt(world: &mut World, fate: Fate) {
    let notification = first_page(world);
    world.ask(Ask::ReceiptCame {
        notification,
        number: 1,
        fate,
        detail: "as the provider says".to_owned(),
    });
}

#[test]
fn a_provider_that_limits_is_tried_again_in_its_time_and_the_other_way_is_used_now() {
    let mut world = called_then_texted();
    world.answer_all_with(Outcome::Failed, Some(30_000), None);
    assert_eq!(channels(&world), [ChannelKind::Voice, ChannelKind::Sms]);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(29_999);
    assert_eq!(channels(&world).len(), 2);
    world.wait_ms(1);
    assert_eq!(
        channels(&world),
        [ChannelKind::Voice, ChannelKind::Sms, ChannelKind::Voice]
    );
}

#[test]
fn a_provider_that_asks_for_too_long_a_wait_is_given_up() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(30 * MINUTE, &[ada]), (30 * MINUTE, &[bea])]);
    world.crash();
    world.answer_all_with(Outcome::Failed, Some(60_001), None);
    let names: Vec<String> = world.pages().into_iter().map(|page| page.0).collect();
    assert_eq!(names, ["Ada", "Bea"]);
}

#[test]
fn a_short_wait_of_the_only_way_pages_nobody_else() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    world.set_levels(0, &[(30 * MINUTE, &[ada]), (30 * MINUTE, &[bea])]);
    world.crash();
    world.answer_all_with(Outcome::Failed, Some(10_000), None);
    world.wait_ms(10_000);
    let names: Vec<String> = world.pages().into_iter().map(|page| page.0).collect();
    assert_eq!(names, ["Ada", "Ada"]);
}

#[test]
fn a_call_that_nobody_picked_up_counts_as_a_way_that_failed() {
    let mut world = called_then_texted();
    world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
    receipt(&mut world, Fate::Failed);
    assert_eq!(channels(&world), [ChannelKind::Voice, ChannelKind::Sms]);
    let page = &world.state.notifications[&first_page(&world)];
    assert!(matches!(page.state, Delivery::Failed { .. }), "{page:?}");
}

#[test]
fn a_provider_that_takes_a_call_and_tells_nothing_is_not_believed_after_a_minute() {
    let mut world = called_then_texted();
    world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
    world.wait_ms(MINUTE - 1);
    assert_eq!(channels(&world), [ChannelKind::Voice]);
    world.wait_ms(1);
    assert_eq!(channels(&world), [ChannelKind::Voice, ChannelKind::Sms]);
    // What is told late is written down all the same.
    receipt(&mut world, Fate::Delivered);
    let page = &world.state.notifications[&first_page(&world)];
    assert!(matches!(page.state, Delivery::Delivered { .. }), "{page:?}");
}

#[test]
fn whoever_was_reached_is_not_called_again() {
    let mut world = called_then_texted();
    world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
    receipt(&mut world, Fate::Delivered);
    world.wait_ms(4 * MINUTE);
    assert_eq!(channels(&world), [ChannelKind::Voice]);
    receipt(&mut world, Fate::Failed);
    assert_eq!(channels(&world), [ChannelKind::Voice]);
}

#[test]
fn word_that_a_page_was_lost_may_come_before_word_that_it_was_taken() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let call = world.add_way(ada, ChannelKind::Voice);
    world.set_rules(ada, &[(0, call)]);
    world.set_levels(0, &[(30 * MINUTE, &[ada]), (30 * MINUTE, &[bea])]);
    world.crash();
    receipt(&mut world, Fate::Failed);
    assert_eq!(
        channels(&world),
        [ChannelKind::Voice],
        "it is still under way"
    );
    world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
    // Whatever else reaches Ada is used before anybody else is woken.
    assert_eq!(channels(&world), [ChannelKind::Voice, ChannelKind::Email]);
    world.answer_all(Outcome::Refused);
    let names: Vec<String> = world.pages().into_iter().map(|page| page.0).collect();
    assert_eq!(names, ["Ada", "Ada", "Bea"]);
}

#[test]
fn a_receipt_of_what_was_taken_by_somebody_pages_nobody() {
    let mut world = called_then_texted();
    world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
    world.acknowledge();
    receipt(&mut world, Fate::Failed);
    world.wait_ms(5 * MINUTE);
    assert_eq!(channels(&world), [ChannelKind::Voice]);
}

#[test]
fn nobody_is_called_to_be_told_that_it_is_over() {
    let mut world = called_then_texted();
    world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
    receipt(&mut world, Fate::Delivered);
    world.recover("apache-down");
    world.wait_ms(MINUTE);
    assert!(!world.incident().is_open());
    assert!(world.sending().is_empty());
}

#[test]
fn a_receipt_of_an_attempt_that_never_was_is_refused() {
    let mut world = called_then_texted();
    let notification = first_page(&world);
    let ask = Ask::ReceiptCame {
        notification,
        number: 2,
        fate: Fate::Read,
        detail: String::new(),
    };
    assert!(world.try_ask(ask).is_err());
}

#[test]
fn a_system_that_keeps_the_incident_too_learns_that_it_was_taken() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let mirror: ContactMethodId = world.add_way(ada, ChannelKind::PagerDuty);
    world.set_rules(ada, &[(0, mirror)]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.acknowledge();
    let incident = world.incident().id;
    let sending: Vec<Purpose> = world.sending().iter().map(|one| one.purpose).collect();
    assert_eq!(sending, [Purpose::Acknowledged(incident)]);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Unknown),
        Just(Fate::Delivered),
        Just(Fate::Read),
        Just(Fate::Failed),
    ]
}

proptest! {
    /// Reports in any order and number: what is known only ever grows, and repeating all of them changes nothing.
    #[test]
    fn receipts_never_move_a_page_back(fates in proptest::collection::vec(fate(), 0..8)) {
        let mut world = called_then_texted();
        world.answer_all_with(Outcome::Accepted, None, Some("CA1"));
        for fate in &fates {
            receipt(&mut world, *fate);
        }
        let known: Vec<Fate> = world
            .journal
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::Notification(message) => match message.what {
                    NotificationWhat::Receipt { fate, .. } => Some(fate),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        for pair in known.windows(2) {
            prop_assert!(pair[1].follows(Some(pair[0])), "{:?}", known);
        }
        let state = world.state.notifications[&first_page(&world)].state.clone();
        for fate in &fates {
            // An unknown fate is no report of a provider.
            if *fate != Fate::Unknown && known.contains(fate) {
                receipt(&mut world, *fate);
            }
        }
        prop_assert_eq!(&world.state.notifications[&first_page(&world)].state, &state);
    }
}

#[test]
fn a_receipt_that_is_lost_after_the_next_level_was_reached_repeats_no_page_that_arrived() {
    let mut world = World::with_apache();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let email = world.state.users[&ada].contact_methods[0].id;
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, email), (0, text)]);
    world.set_levels(0, &[(MINUTE / 2, &[ada]), (30 * MINUTE, &[bea])]);
    world.crash();
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    world.wait_ms(MINUTE / 2);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    assert_eq!(world.paged(), ["Ada", "Ada", "Bea"]);
}

#[test]
fn a_provider_that_is_silent_for_a_whole_attempt_keeps_nobody_waiting() {
    let mut world = called_then_texted();
    world.answer_all(Outcome::TimedOut);
    assert_eq!(channels(&world), [ChannelKind::Voice, ChannelKind::Sms]);
    // It is tried again all the same.
    world.wait_ms(1_000);
    let tried = channels(&world).into_iter();
    assert_eq!(tried.filter(|one| *one == ChannelKind::Voice).count(), 2);
}

/// Ada is called by a hook at once, and texted after an hour; she has mail too, which no rule names.
fn hooked_then_texted() -> World {
    let mut world = World::with_apache();
    let ada = world.ada();
    let hook = world.add_webhook(ada);
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, hook), (60 * MINUTE, text)]);
    world.crash();
    world
}

#[test]
fn a_way_that_fails_on_and_on_calls_up_no_third_one_once_the_second_took_the_page() {
    for (outcome, wait_ms) in [(Outcome::Failed, Some(2_000)), (Outcome::TimedOut, None)] {
        let mut world = hooked_then_texted();
        world.answer_all_with(outcome, wait_ms, None);
        world.answer_all(Outcome::Accepted);
        for wait_for_ms in [2_000, 4_000] {
            world.wait_ms(wait_for_ms);
            world.answer_all_with(outcome, wait_ms, None);
        }
        let hook = ChannelKind::Webhook;
        let expected = [hook, ChannelKind::Sms, hook, hook];
        assert_eq!(channels(&world), expected, "{outcome:?}");
    }
}

#[test]
fn a_way_that_fails_on_calls_up_the_third_one_when_the_second_lost_the_page() {
    let mut world = hooked_then_texted();
    world.answer_all_with(Outcome::Failed, Some(30_000), None);
    let text = world.sending()[0].id;
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    world.ask(Ask::ReceiptCame {
        notification: text,
        number: 1,
        fate: Fate::Failed,
        detail: String::new(),
    });
    // The hook is tried sooner than it asked for, and fails again.
    world.answer_all_with(Outcome::Failed, Some(30_000), None);
    let hook = ChannelKind::Webhook;
    let expected = [hook, ChannelKind::Sms, hook, ChannelKind::Email];
    assert_eq!(channels(&world), expected);
}

#[test]
fn a_later_step_that_fails_calls_up_the_next_way_although_an_earlier_one_took_the_page() {
    let mut world = World::with_apache();
    let ada = world.ada();
    let mail = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, mail), (2 * MINUTE, hook)]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    // Nobody has reacted to the mail: that is what the later step is for.
    world.wait_ms(2 * MINUTE);
    world.answer_all(Outcome::Refused);
    let expected = [ChannelKind::Email, ChannelKind::Webhook, ChannelKind::Sms];
    assert_eq!(channels(&world), expected);
}
