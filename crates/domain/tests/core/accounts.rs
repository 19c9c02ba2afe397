//! Channels of several accounts: what one of them is not known to have taken goes by the next, before another way is used.

use tocsin_domain::command::Ask;
use tocsin_domain::event::NotificationWhat;
use tocsin_domain::id::NotificationId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Attempt, Delivery, Outcome, PROVIDER_FAILURES_MAX, Via};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;

use crate::world::World;

const MINUTE: u64 = 60_000;

/// Ada is texted at once, and gets a push after an hour.
fn texted() -> World {
    let mut world = World::with_apache();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    let push = world.add_way(ada, ChannelKind::Ntfy);
    world.set_rules(ada, &[(0, text), (60 * MINUTE, push)]);
    world.crash();
    world
}

fn texts(world: &World) -> Vec<NotificationId> {
    let sending = world.sending().into_iter();
    let texts = sending.filter(|message| message.channel == ChannelKind::Sms);
    texts.map(|message| message.id).collect()
}

/// Every text that is being sent ends so by this account; `elsewhere`: another one is left for it.
fn ends(world: &mut World, place: u32, outcome: Outcome, elsewhere: bool) {
    ends_asking(world, (place, elsewhere), outcome, None);
}

fn ends_asking(
    world: &mut World,
    (place, elsewhere): (u32, bool),
    outcome: Outcome,
    retry_after_ms: Option<u64>,
) {
    for notification in texts(world) {
        let attempts = &world.state.notifications[&notification].attempts;
        let number = attempts.last().unwrap().number;
        world.ask(Ask::AttemptFinished {
            notification,
            number,
            outcome,
            detail: String::new(),
            retry_after_ms,
            reference: None,
            via: Some(Box::new(Via {
                place,
                name: format!("sms{place}.example"),
                elsewhere,
                passed: Vec::new(),
            })),
        });
    }
}

/// What was begun, in order.
fn begun(world: &World) -> Vec<(ChannelKind, u32)> {
    let pages = world.pages().into_iter();
    pages
        .map(|(_, channel, number)| (channel, number))
        .collect()
}

const TEXT: ChannelKind = ChannelKind::Sms;
const PUSH: ChannelKind = ChannelKind::Ntfy;

#[test]
fn a_text_that_one_account_does_not_answer_goes_by_the_next_at_once_and_no_other_way_is_used() {
    let mut world = texted();
    let id = texts(&world)[0];
    ends(&mut world, 1, Outcome::TimedOut, true);
    assert_eq!(begun(&world), [(TEXT, 1), (TEXT, 2)]);
    ends(&mut world, 2, Outcome::Accepted, false);
    assert_eq!(begun(&world), [(TEXT, 1), (TEXT, 2)]);
    let message = &world.state.notifications[&id];
    assert_eq!(message.state, Delivery::Delivered { at: world.now });
    let via = |attempt: &Attempt| attempt.via.as_ref().unwrap().name.clone();
    let names: Vec<String> = message.attempts.iter().map(via).collect();
    assert_eq!(names, ["sms1.example", "sms2.example"]);
}

#[test]
fn once_no_account_is_left_the_other_way_is_used_at_once_however_the_last_one_ended() {
    for outcome in [Outcome::Failed, Outcome::Refused, Outcome::TimedOut] {
        let mut world = texted();
        ends(&mut world, 1, Outcome::TimedOut, true);
        ends(&mut world, 2, outcome, false);
        let tried = [(TEXT, 1), (TEXT, 2), (PUSH, 1)];
        assert_eq!(begun(&world), tried, "{outcome:?}");
        world.wait_ms(4_000);
        let again = begun(&world).contains(&(TEXT, 3));
        assert_eq!(again, outcome != Outcome::Refused, "{outcome:?}");
    }
}

#[test]
fn three_accounts_that_hang_are_each_tried_once() {
    let mut world = texted();
    ends(&mut world, 1, Outcome::TimedOut, true);
    ends(&mut world, 2, Outcome::TimedOut, true);
    assert_eq!(begun(&world), [(TEXT, 1), (TEXT, 2), (TEXT, 3)]);
    ends(&mut world, 3, Outcome::TimedOut, false);
    let tried = [(TEXT, 1), (TEXT, 2), (TEXT, 3), (PUSH, 1)];
    assert_eq!(begun(&world), tried);
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    assert_eq!(begun(&world), tried);
}

#[test]
fn what_one_account_did_not_take_waits_for_no_time_that_it_asks_for() {
    for (outcome, asked_ms) in [
        (Outcome::Failed, Some(30_000)),
        (Outcome::Failed, None),
        (Outcome::Refused, None),
    ] {
        let mut world = texted();
        ends_asking(&mut world, (1, true), outcome, asked_ms);
        assert_eq!(begun(&world), [(TEXT, 1), (TEXT, 2)], "{outcome:?}");
    }
}

#[test]
fn a_restart_while_the_next_account_is_tried_uses_the_other_way_beside_it() {
    let mut world = texted();
    ends(&mut world, 1, Outcome::TimedOut, true);
    world.ask(Ask::Recover);
    let mut tried = begun(&world);
    tried.sort_unstable();
    assert_eq!(tried, [(PUSH, 1), (TEXT, 1), (TEXT, 2), (TEXT, 3)]);
}

#[test]
fn a_channel_rests_only_when_none_of_its_accounts_takes_anything() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    for number in 0..PROVIDER_FAILURES_MAX {
        world.trigger(&format!("key-{number}"), Severity::Critical);
    }
    let rests = |world: &World| {
        let until = world.state.provider_rests(Provider::Phone, None, world.now);
        until.is_some()
    };
    ends(&mut world, 1, Outcome::TimedOut, true);
    assert!(!rests(&world), "the other account was not tried yet");
    ends(&mut world, 2, Outcome::Failed, false);
    assert!(rests(&world));
}

#[test]
fn an_attempt_of_an_old_journal_is_read_as_one_of_no_account_that_is_known() {
    let old = r#"{"kind":"attempt_finished","number":1,"outcome":"accepted","detail":"","retry_at":null}"#;
    let read: NotificationWhat = serde_json::from_str(old).unwrap();
    assert!(matches!(
        read,
        NotificationWhat::AttemptFinished { via: None, .. }
    ));
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
