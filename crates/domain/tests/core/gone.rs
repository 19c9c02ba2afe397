//! Ways whose address is gone for ever, as whoever carries their messages says: nothing goes there, and nobody counts on them.

use tocsin_domain::ahead::{FindingKind, Roster};
use tocsin_domain::command::{Ask, PeopleAsk, Refusal};
use tocsin_domain::id::{ContactMethodId, NotificationId, UserId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Notification, Outcome, Purpose, Word};
use tocsin_domain::people::{ChannelKind, ContactMethod, SetUp};

use crate::world::World;

const MINUTE: u64 = 60_000;
const PUSH: ChannelKind = ChannelKind::WebPush;
const MAIL: ChannelKind = ChannelKind::Email;

/// A server that is watched; Ada is reached by mail and by a push, which her rules use after that long.
fn pushed(delay_ms: u64) -> (World, ContactMethodId) {
    let mut world = World::with_apache();
    let ada = world.ada();
    let push = world.add_way(ada, PUSH);
    world.set_rules(ada, &[(delay_ms, push)]);
    (world, push)
}

fn method(world: &World, user: UserId, id: ContactMethodId) -> ContactMethod {
    let known = world.state.users[&user].contact_method(id);
    known.unwrap().clone()
}

/// The message that is being sent by this way.
fn under_way(world: &World, method: ContactMethodId) -> NotificationId {
    let sending = world.sending().into_iter();
    let mut by_it = sending.filter(|message| message.contact_method == method);
    by_it.next().unwrap().id
}

/// What is being sent by this way is answered: the address is gone.
fn goes(world: &mut World, method: ContactMethodId) {
    let notification = under_way(world, method);
    let attempts = &world.state.notifications[&notification].attempts;
    let number = attempts.last().unwrap().number;
    world.ask(Ask::WayGone {
        notification,
        number,
    });
    world.answer(notification, Outcome::Refused);
}

/// A test page goes by this way, and its address is gone.
fn goes_at_a_test(world: &mut World, user: UserId, method: ContactMethodId) {
    world.ask(Ask::People(PeopleAsk::TestPage { user, method }));
    goes(world, method);
}

fn ways(world: &World) -> Vec<ChannelKind> {
    world.pages().into_iter().map(|page| page.1).collect()
}

fn words(world: &World, method: ContactMethodId) -> Vec<Notification> {
    let all = world.state.notifications.values();
    let about = Purpose::Word(Word::WayGone { method });
    all.filter(|message| message.purpose == about)
        .cloned()
        .collect()
}

#[test]
fn a_way_that_is_gone_is_not_used_any_more_and_its_owner_is_told_by_another() {
    let (mut world, push) = pushed(0);
    let ada = world.ada();
    world.crash();
    let page = under_way(&world, push);
    goes(&mut world, push);
    assert_eq!(ways(&world), [PUSH, MAIL]);
    let gone = method(&world, ada, push);
    assert_eq!((gone.verified_at, gone.gone_at), (None, Some(world.now)));
    assert!(matches!(
        world.state.notifications[&page].state,
        Delivery::Failed { .. }
    ));
    let told = words(&world, push);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].user, told[0].channel), (ada, MAIL));
    let why = "The push to a browser \"hook\" reaches you no more";
    assert_eq!(told[0].why, why);
    world.answer_all(Outcome::Accepted);
    // Whatever fails next goes by what is left at once, although no rule names it.
    world.trigger("disk", Severity::Critical);
    assert_eq!(ways(&world), [PUSH, MAIL, MAIL]);
    world.check_replay();
}

#[test]
fn what_was_planned_for_a_way_that_is_gone_goes_by_another_at_once() {
    let (mut world, push) = pushed(5 * MINUTE);
    let ada = world.ada();
    for key in ["disk", "web"] {
        world.trigger(key, Severity::Critical);
    }
    assert_eq!(ways(&world), []);
    goes_at_a_test(&mut world, ada, push);
    assert_eq!(ways(&world), [MAIL, MAIL]);
    let all = world.state.notifications.values();
    let whys = all.filter_map(|message| match &message.state {
        Delivery::Cancelled { why, .. } => Some(why.as_str()),
        Delivery::Due { .. }
        | Delivery::Together { .. }
        | Delivery::Sending { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. } => None,
    });
    let whys: Vec<&str> = whys.collect();
    assert_eq!(whys, ["the address of the contact method is gone"; 2]);
}

#[test]
fn an_attempt_that_only_failed_is_not_repeated_once_the_way_is_gone() {
    let (mut world, push) = pushed(0);
    let ada = world.ada();
    world.crash();
    let page = under_way(&world, push);
    world.answer(page, Outcome::Failed);
    goes_at_a_test(&mut world, ada, push);
    assert_eq!(ways(&world), [PUSH, MAIL]);
    world.wait_ms(MINUTE);
    assert!(!ways(&world)[2..].contains(&PUSH));
}

#[test]
fn whoever_has_only_ways_that_are_gone_is_found_to_be_unreachable() {
    let mut world = World::set_up();
    let bob = world.add_user("Bob");
    let mail = world.state.users[&bob].contact_methods[0].id;
    let push = world.add_way(bob, PUSH);
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod {
        user: bob,
        method: mail,
    }));
    world.set_levels(0, &[(10 * MINUTE, &[bob])]);
    let is_found = |world: &World| {
        let everything: SetUp = ChannelKind::ALL.into_iter().collect();
        let found = Roster::of(&world.state, &everything).findings(world.now);
        let kind = FindingKind::Unreachable { user: bob };
        found.iter().any(|finding| finding.kind == kind)
    };
    assert!(!is_found(&world));
    goes_at_a_test(&mut world, bob, push);
    assert!(is_found(&world));
    // There is no way left to tell him by.
    assert_eq!(words(&world, push), []);
    // Whoever is next is paged at once.
    world.trigger("disk", Severity::Critical);
    assert_eq!(world.pages()[0].0, "Ada");
}

#[test]
fn a_way_that_is_gone_is_neither_tried_nor_proved_again_and_is_told_once() {
    let (mut world, push) = pushed(0);
    let user = world.ada();
    world.crash();
    let notification = under_way(&world, push);
    let gone = |number| Ask::WayGone {
        notification,
        number,
    };
    let unknown = world.try_ask(gone(2));
    assert!(matches!(unknown, Err(Refusal::NotFound { .. })));
    world.ask(gone(1));
    assert_eq!(world.ask(gone(1)), []);
    assert_eq!(words(&world, push).len(), 1);
    let method = push;
    for ask in [
        PeopleAsk::TestPage { user, method },
        PeopleAsk::VerifyContactMethod { user, method },
    ] {
        let refused = world.try_ask(Ask::People(ask));
        assert!(matches!(refused, Err(Refusal::Conflict { .. })));
    }
    world.ask(Ask::People(PeopleAsk::RemoveContactMethod { user, method }));
    assert_eq!(world.ask(gone(1)), []);
}

#[test]
fn a_contact_method_of_an_old_journal_is_read_as_one_that_is_not_gone() {
    let (world, push) = pushed(0);
    let known = method(&world, world.ada(), push);
    let written = serde_json::to_string(&known).unwrap();
    assert!(!written.contains("gone"), "{written}");
    assert_eq!(
        serde_json::from_str::<ContactMethod>(&written).unwrap(),
        known
    );
}
