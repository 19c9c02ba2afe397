//! Attempts that were not made since nobody wanted them any more: their provider was not asked, nobody is reached otherwise, and what is
//! wanted again is sent.

use tocsin_domain::command::{Ask, PeopleAsk, RespondAsk};
use tocsin_domain::event::NotificationWhat;
use tocsin_domain::id::NotificationId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{
    BURST_MAX, Delivery, Level, Outcome, PROVIDER_FAILURES_MAX, PROVIDER_REST_MS, Recipient,
    TOGETHER_EVERY_MS,
};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;

use crate::storms::services;
use crate::untried::sent_by;
use crate::world::{World, raise};

const MINUTE: u64 = 60_000;

fn is_moot(world: &mut World, (notification, number): (NotificationId, u32)) {
    world.ask(Ask::NotTried {
        notification,
        number,
        detail: "nobody wants it".to_owned(),
        retry_after_ms: None,
        moot: true,
    });
}

fn is_cancelled(world: &World, page: NotificationId) -> bool {
    let known = &world.state.notifications[&page];
    matches!(known.state, Delivery::Cancelled { .. })
}

#[test]
fn a_page_for_what_is_well_for_a_moment_goes_no_other_way_and_is_sent_once_that_fails_again() {
    let mut world = World::with_apache();
    let ada = world.ada();
    world.add_spare_way(ada, ChannelKind::Ntfy);
    world.crash();
    let page = sent_by(&world, ChannelKind::Email)[0];
    world.recover("apache-down");
    is_moot(&mut world, page);
    world.wait_ms(5_000);
    assert_eq!(world.sending().len(), 0);
    world.crash();
    assert_eq!(sent_by(&world, ChannelKind::Email), [(page.0, 2)]);
    assert_eq!(world.sending().len(), 1, "no other way was used");
    world.answer(page.0, Outcome::Accepted);
}

#[test]
fn a_page_that_is_wanted_all_the_same_is_sent_a_second_later_and_as_often_as_any() {
    let mut world = World::set_up();
    world.trigger("a", Severity::Critical);
    let (page, _) = sent_by(&world, ChannelKind::Email)[0];
    for number in 1..=4 {
        assert_eq!(sent_by(&world, ChannelKind::Email), [(page, number)]);
        is_moot(&mut world, (page, number));
        world.wait_ms(999);
        assert_eq!(sent_by(&world, ChannelKind::Email), []);
        world.wait_ms(1);
    }
    for (number, wait_ms) in [(5, 1_000), (6, 4_000), (7, MINUTE)] {
        assert_eq!(sent_by(&world, ChannelKind::Email), [(page, number)]);
        world.answer(page, Outcome::Failed);
        world.wait_ms(wait_ms);
    }
    let known = &world.state.notifications[&page];
    assert!(matches!(known.state, Delivery::Failed { .. }), "{known:?}");
}

#[test]
fn a_page_for_what_was_taken_is_called_off_and_says_nothing_about_its_provider() {
    let mut world = World::set_up();
    let ada = world.ada();
    for number in 0..PROVIDER_FAILURES_MAX {
        world.trigger(&format!("key-{number}"), Severity::Critical);
    }
    world.answer_all(Outcome::Failed);
    let open: Vec<_> = world.state.open_incidents.iter().copied().collect();
    for incident in open {
        let by = ada;
        world.respond(RespondAsk::Acknowledge { incident, by });
    }
    world.wait_ms(PROVIDER_REST_MS);
    world.add_spare_way(ada, ChannelKind::Ntfy);
    world.trigger("first", Severity::Critical);
    let page = sent_by(&world, ChannelKind::Email)[0];
    world.acknowledge();
    is_moot(&mut world, page);
    assert!(is_cancelled(&world, page.0));
    assert_eq!(world.sending().len(), 0);
    // The next one tries the provider, which has not said a word since it failed.
    world.trigger("second", Severity::Critical);
    let (second, _) = sent_by(&world, ChannelKind::Email)[0];
    world.answer(second, Outcome::Failed);
    let mail = Provider::Channel(ChannelKind::Email);
    let rests = world.state.provider_rests(mail, None, world.now);
    assert!(rests.is_some());
}

#[test]
fn a_page_whose_way_was_removed_on_its_way_goes_another_one() {
    let mut world = World::set_up();
    let ada = world.ada();
    let topic = world.add_way(ada, ChannelKind::Ntfy);
    world.set_rules(ada, &[(0, topic)]);
    world.trigger("a", Severity::Critical);
    let page = sent_by(&world, ChannelKind::Ntfy)[0];
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: ada,
        method: topic,
    }));
    assert_eq!(world.sending().len(), 1, "its outcome tells");
    is_moot(&mut world, page);
    assert!(is_cancelled(&world, page.0));
    assert_eq!(sent_by(&world, ChannelKind::Email).len(), 1);
}

#[test]
fn a_page_to_whoever_was_removed_is_called_off_and_nobody_else_is_paged_for_that() {
    let mut world = World::set_up();
    let [bea, cy] = ["Bea", "Cy"].map(|name| world.add_user(name));
    world.set_levels(0, &[(5 * MINUTE, &[bea]), (5 * MINUTE, &[cy])]);
    world.trigger("a", Severity::Critical);
    let page = sent_by(&world, ChannelKind::Email)[0];
    world.ask(Ask::People(PeopleAsk::Remove { user: bea }));
    let paged = world.paged();
    is_moot(&mut world, page);
    assert!(is_cancelled(&world, page.0));
    assert_eq!(world.paged(), paged);
}

#[test]
fn what_it_would_have_told_along_is_told_on_its_own() {
    let mut world = World::set_up();
    let to_ada = vec![Recipient::User(world.ada())];
    world.set_default_policy(vec![Level::of(10 * MINUTE, to_ada)], None);
    for service in services(&mut world, BURST_MAX + 2) {
        world.ask(raise(Some(service), "x", Severity::Error));
        world.answer_all(Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS);
    let carrier = sent_by(&world, ChannelKind::Email)[0];
    let along = world.state.told_along(carrier.0).map(|one| one.id);
    let along: Vec<NotificationId> = along.collect();
    assert_eq!(along.len(), 1);
    is_moot(&mut world, carrier);
    assert_eq!(world.state.told_along(carrier.0).count(), 0);
    world.wait_ms(1_000);
    let sent = sent_by(&world, ChannelKind::Email);
    assert!(sent.contains(&(carrier.0, 2)), "{sent:?}");
    world.answer(carrier.0, Outcome::Accepted);
    world.wait_ms(TOGETHER_EVERY_MS);
    let known = &world.state.notifications[&along[0]];
    assert!(!known.attempts.is_empty(), "{known:?}");
}

#[test]
fn in_an_old_journal_no_attempt_is_moot() {
    let old = r#"{"kind":"attempt_finished","number":1,"outcome":"failed","detail":"x","retry_at":null,"not_tried":true}"#;
    let read: NotificationWhat = serde_json::from_str(old).unwrap();
    let is_moot = |what: &NotificationWhat| {
        matches!(what, NotificationWhat::AttemptFinished { moot: true, .. })
    };
    assert!(!is_moot(&read));
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
