//! Tags: put on people, teams and policies, taken away, and gone with what had them.

use tocsin_domain::command::{Ask, PeopleAsk, Refusal, TagAsk, TeamAsk};
use tocsin_domain::event::{EventBody, RosterEvent, TagEvent};
use tocsin_domain::tag::{TAGS_MAX, TAGS_OF_ONE_MAX, Tagged};

use crate::world::World;

fn tag(ask: TagAsk) -> Ask {
    Ask::Team(TeamAsk::Tag(ask))
}

fn change(world: &mut World, on: Tagged, add: &[&str], remove: &[&str]) -> Result<usize, Refusal> {
    let owned = |labels: &[&str]| {
        let each = labels.iter().map(|label| (*label).to_owned());
        each.collect::<Vec<String>>()
    };
    let (add, remove) = (owned(add), owned(remove));
    let events = world.try_ask(tag(TagAsk::Change { on, add, remove }))?;
    let is_tag = |body: &EventBody| matches!(body, EventBody::Roster(RosterEvent::Tag(_)));
    Ok(events.iter().filter(|event| is_tag(&event.body)).count())
}

fn tags_of(world: &World, on: Tagged) -> Vec<String> {
    world.state.tags_of(on).map(str::to_owned).collect()
}

#[test]
fn tags_come_and_go_and_what_changes_nothing_is_no_event() {
    let mut world = World::set_up();
    let ada = Tagged::User(world.ada());
    assert_eq!(change(&mut world, ada, &["west", "database"], &[]), Ok(1));
    assert_eq!(tags_of(&world, ada), ["database", "west"]);
    assert_eq!(change(&mut world, ada, &["west"], &[]), Ok(0));
    assert_eq!(change(&mut world, ada, &["east"], &["west"]), Ok(1));
    assert_eq!(tags_of(&world, ada), ["database", "east"]);
    assert!(
        world.state.tags["west"].is_empty(),
        "a tag that nothing has stays"
    );
    assert!(change(&mut world, ada, &[], &["north"]).is_err());
    let label = "west".to_owned();
    world.ask(tag(TagAsk::Remove { label }));
    assert!(!world.state.tags.contains_key("west"));
    let label = "east".to_owned();
    assert!(world.try_ask(tag(TagAsk::Add { label })).is_err());
}

#[test]
fn what_is_gone_has_no_tags() {
    let mut world = World::set_up();
    let bob = world.add_user("Bob");
    change(&mut world, Tagged::User(bob), &["west"], &[]).unwrap();
    world.ask(Ask::People(PeopleAsk::Remove { user: bob }));
    assert!(world.state.tags["west"].is_empty());
    assert!(change(&mut world, Tagged::User(bob), &["west"], &[]).is_err());
}

#[test]
fn there_are_only_so_many_tags() {
    let mut world = World::set_up();
    let ada = Tagged::User(world.ada());
    let many: Vec<String> = (0..=TAGS_OF_ONE_MAX).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(change(&mut world, ada, &many, &[]).is_err());
    for n in 0..TAGS_MAX {
        let label = format!("tag {n}");
        world.ask(tag(TagAsk::Add { label }));
    }
    assert!(change(&mut world, ada, &["one more"], &[]).is_err());
    assert_eq!(change(&mut world, ada, &["tag 7"], &[]), Ok(1));
}

#[test]
fn an_event_about_tags_is_read_as_it_was_written() {
    let world = World::set_up();
    let on = Tagged::User(world.ada());
    let (add, remove) = (vec!["west".to_owned()], Vec::new());
    let event = EventBody::Roster(RosterEvent::Tag(TagEvent::Changed { on, add, remove }));
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<EventBody>(&text).unwrap(), event);
}
