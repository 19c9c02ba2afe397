//! Mutes and maintenance: they hold back what is planned already, and can be made shorter; the fallback list widens.

use crate::world::World;
use tocsin_domain::command::{Ask, WatchAsk};
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;

const MINUTE: u64 = 60_000;

fn mail_at_once_and_webhook_after_five_minutes() -> World {
    let mut world = World::with_apache();
    let ada = world.ada();
    let email = world.state.users[&ada].contact_methods[0].id;
    let hook = world.add_webhook(ada);
    world.set_rules(ada, &[(0, email), (5 * MINUTE, hook)]);
    world
}

#[test]
fn a_mute_holds_back_what_was_planned_before() {
    let mut world = mail_at_once_and_webhook_after_five_minutes();
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.wait_ms(MINUTE);
    world.mute(60 * MINUTE);
    world.wait_ms(59 * MINUTE);
    assert_eq!(world.pages().len(), 1);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages().len(), 2, "it still fails when the mute ends");
}

#[test]
fn a_maintenance_window_that_begins_holds_back_what_was_planned_before() {
    let mut world = mail_at_once_and_webhook_after_five_minutes();
    let (target, from) = (world.target(), world.now.plus_ms(2 * MINUTE));
    world.ask(Ask::Watch(WatchAsk::PlanMaintenance {
        target,
        from,
        until: from.plus_ms(20 * MINUTE),
        reason: "disk swap".to_owned(),
    }));
    world.crash();
    world.answer_all(Outcome::Accepted);
    world.wait_ms(21 * MINUTE);
    assert_eq!(world.pages(), [("Ada".to_owned(), ChannelKind::Email, 1)]);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages().len(), 2);
}

#[test]
fn a_mute_can_be_made_shorter_and_longer() {
    let mut world = World::with_apache();
    world.mute(8 * 60 * MINUTE);
    world.crash();
    world.mute(10 * MINUTE);
    world.wait_ms(5 * MINUTE);
    world.mute(10 * MINUTE);
    world.wait_ms(10 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn an_unmute_pages_nobody_for_what_somebody_works_on() {
    let mut world = World::with_apache();
    world.mute(60 * MINUTE);
    world.crash();
    world.acknowledge();
    let target = world.target();
    world.ask(Ask::Watch(WatchAsk::Unmute(target)));
    world.wait_ms(60 * MINUTE);
    assert_eq!(world.pages(), []);
}

#[test]
fn when_the_fallback_list_cannot_be_delivered_to_everybody_who_can_be_reached_is_paged_at_once() {
    let mut world = World::with_apache();
    let ada = world.ada();
    world.add_user("Bea");
    world.set_levels(0, &[(5 * MINUTE, &[ada])]);
    world.crash();
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Refused);
    let names: Vec<String> = world.pages().into_iter().map(|page| page.0).collect();
    assert_eq!(names, ["Ada", "Ada", "Bea"], "level, list, everybody");
    world.answer_all(Outcome::Refused);
    assert_eq!(world.pages().len(), 3, "all were asked in this round");
    world.wait_ms(15 * MINUTE);
    assert_eq!(
        world.pages().len(),
        4,
        "the next round begins with the list"
    );
    world.answer_all(Outcome::Refused);
    world.answer_all(Outcome::Accepted);
    assert_eq!(world.pages().len(), 5);
}
