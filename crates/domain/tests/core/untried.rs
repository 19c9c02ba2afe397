//! Attempts that were not made, for want of a place, because their provider asked for a wait, or since they were taken back: nobody
//! waits for them, and they say nothing about their provider. What was moot is looked at elsewhere.

use tocsin_domain::audit::{Observations, audit};
use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Outcome, PROVIDER_FAILURES_MAX, PROVIDER_REST_MS};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;

use crate::on_the_way::take_back_as_of_old;
use crate::world::World;

pub(crate) fn sent_by(world: &World, channel: ChannelKind) -> Vec<(NotificationId, u32)> {
    let sending = world.sending().into_iter();
    let theirs = sending.filter(|message| message.channel == channel);
    theirs
        .filter_map(|message| Some((message.id, message.attempts.last()?.number)))
        .collect()
}

fn is_not_tried(world: &mut World, notification: NotificationId, number: u32) {
    is_put_off(world, (notification, number), None);
}

fn is_put_off(
    world: &mut World,
    (notification, number): (NotificationId, u32),
    retry_after_ms: Option<u64>,
) {
    world.ask(Ask::NotTried {
        notification,
        number,
        detail: "not tried".to_owned(),
        retry_after_ms,
        moot: false,
    });
}

#[test]
fn a_page_that_was_not_tried_goes_another_way_at_once_and_says_nothing_about_its_provider() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_spare_way(ada, ChannelKind::Ntfy);
    let mut untried = 0;
    for key in ["a", "b"] {
        world.trigger(key, Severity::Critical);
        for wait_ms in [0, 1_000, 4_000] {
            world.wait_ms(wait_ms);
            for (notification, number) in sent_by(&world, ChannelKind::Email) {
                untried += 1;
                is_not_tried(&mut world, notification, number);
            }
            for (notification, _) in sent_by(&world, ChannelKind::Ntfy) {
                assert_eq!(wait_ms, 0, "the other way is used at once");
                world.answer(notification, Outcome::Accepted);
            }
        }
        let mut all = world.state.notifications.values();
        assert!(all.any(|message| message.channel == ChannelKind::Ntfy));
    }
    assert!(untried > PROVIDER_FAILURES_MAX, "{untried}");
    let mail = Provider::Channel(ChannelKind::Email);
    assert_eq!(world.state.provider_rests(mail, None, world.now), None);
}

#[test]
fn a_page_that_is_put_off_goes_another_way_at_once_and_this_way_right_after_the_wait() {
    let mut world = World::set_up();
    let ada = world.ada();
    world.add_spare_way(ada, ChannelKind::Ntfy);
    world.trigger("a", Severity::Critical);
    let (mail, number) = sent_by(&world, ChannelKind::Email)[0];
    is_put_off(&mut world, (mail, number), Some(30_000));
    let other = sent_by(&world, ChannelKind::Ntfy);
    assert_eq!(other.len(), 1, "the other way is used at once");
    world.answer(other[0].0, Outcome::Accepted);
    world.wait_ms(29_999);
    assert_eq!(sent_by(&world, ChannelKind::Email), []);
    world.wait_ms(1);
    assert_eq!(sent_by(&world, ChannelKind::Email), [(mail, 2)]);
}

#[test]
fn the_only_way_to_somebody_is_tried_right_after_the_wait_and_the_auditor_finds_nothing_wrong() {
    let mut world = World::set_up();
    let failures = usize::try_from(PROVIDER_FAILURES_MAX).unwrap();
    for number in 0..failures {
        world.trigger(&format!("key-{number}"), Severity::Critical);
    }
    let first = sent_by(&world, ChannelKind::Email);
    for (number, wait_ms) in [(1, 60_000), (2, 45_000)] {
        let sent = sent_by(&world, ChannelKind::Email);
        assert_eq!(sent.len(), failures);
        for attempt in sent {
            assert_eq!(attempt.1, number);
            is_put_off(&mut world, attempt, Some(wait_ms));
        }
        for _ in 0..wait_ms / 5_000 {
            assert_eq!(sent_by(&world, ChannelKind::Email), []);
            let found = audit(&world.state, world.now, &Observations::default());
            assert!(found.is_empty(), "{found:?}");
            world.wait_ms(5_000);
        }
    }
    let last: Vec<_> = first.iter().map(|(page, _)| (*page, 3)).collect();
    assert_eq!(sent_by(&world, ChannelKind::Email), last);
    let mail = Provider::Channel(ChannelKind::Email);
    assert_eq!(world.state.provider_rests(mail, None, world.now), None);
}

#[test]
fn an_attempt_that_was_not_made_ends_no_trial_of_its_provider_by_another_message() {
    let mut world = World::set_up();
    let by = world.ada();
    for number in 0..PROVIDER_FAILURES_MAX {
        world.trigger(&format!("key-{number}"), Severity::Critical);
    }
    world.answer_all(Outcome::Failed);
    let mail = Provider::Channel(ChannelKind::Email);
    let rests = |world: &World| world.state.provider_rests(mail, None, world.now).is_some();
    assert!(rests(&world));
    let open: Vec<IncidentId> = world.state.open_incidents.iter().copied().collect();
    for incident in open {
        world.respond(RespondAsk::Acknowledge { incident, by });
    }
    world.wait_ms(PROVIDER_REST_MS);
    assert!(!rests(&world), "it is tried again");
    world.trigger("first", Severity::Critical);
    let (first, number) = sent_by(&world, ChannelKind::Email)[0];
    // Ada has no other way, so that this one is sent beside it.
    world.trigger("second", Severity::Critical);
    is_not_tried(&mut world, first, number);
    assert!(rests(&world), "the second one is still trying it");
    world.answer_all(Outcome::Accepted);
    assert!(!rests(&world));
}

/// A provider that rested is tried by a message to Bea, who is removed; or, as in journals of old, that message is taken back.
fn check_trial(is_of_old: bool) {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let topic = world.add_way(ada, ChannelKind::Ntfy);
    world.set_rules(ada, &[(0, topic)]);
    world.set_levels(0, &[(300_000, &[ada, bea])]);
    for number in 0..PROVIDER_FAILURES_MAX {
        world.trigger(&format!("key-{number}"), Severity::Critical);
    }
    for (channel, outcome) in [
        (ChannelKind::Ntfy, Outcome::Accepted),
        (ChannelKind::Email, Outcome::Failed),
    ] {
        for (notification, _) in sent_by(&world, channel) {
            world.answer(notification, outcome);
        }
    }
    let open: Vec<IncidentId> = world.state.open_incidents.iter().copied().collect();
    for incident in open {
        world.respond(RespondAsk::Acknowledge { incident, by: ada });
    }
    world.wait_ms(PROVIDER_REST_MS);
    let mail = Provider::Channel(ChannelKind::Email);
    let rests = |world: &World| world.state.provider_rests(mail, None, world.now).is_some();
    assert!(!rests(&world), "it is tried again");
    world.trigger("next", Severity::Critical);
    let trials = sent_by(&world, ChannelKind::Email);
    assert_eq!(trials.len(), 1);
    assert!(rests(&world), "others wait for what becomes of it");
    if is_of_old {
        take_back_as_of_old(&mut world, trials[0].0);
        assert_eq!(sent_by(&world, ChannelKind::Email), []);
    } else {
        world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
        assert_eq!(sent_by(&world, ChannelKind::Email), trials);
        assert!(rests(&world), "it is on its way");
        world.answer(trials[0].0, Outcome::Accepted);
    }
    assert!(!rests(&world));
}

#[test]
fn a_trial_of_a_provider_by_a_message_to_whoever_is_removed_ends_as_any_other() {
    check_trial(false);
}

#[test]
fn a_trial_of_a_provider_that_was_taken_back_in_an_old_journal_keeps_no_other_message_from_it() {
    check_trial(true);
}
