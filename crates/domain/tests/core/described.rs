//! What is said of policies and people: it stays by other changes, and decides nothing.

use tocsin_domain::command::{Ask, Described, PeopleAsk, RosterAsk};
use tocsin_domain::event::{EventBody, PeopleEvent, RosterEvent};
use tocsin_domain::page::{Level, Recipient};
use tocsin_domain::people::About;

use crate::world::World;

fn describe(world: &mut World, said: Described) -> Result<usize, String> {
    let ask = Ask::Roster(RosterAsk::Describe(Box::new(said)));
    let events = world.try_ask(ask).map_err(|refusal| refusal.to_string())?;
    let is_told = |body: &EventBody| {
        matches!(
            body,
            EventBody::Roster(RosterEvent::PolicySet { .. })
                | EventBody::People(PeopleEvent::UserChanged { .. })
        )
    };
    Ok(events.iter().filter(|event| is_told(&event.body)).count())
}

#[test]
fn what_is_said_of_a_policy_stays_when_its_levels_change_and_is_no_event_twice() {
    let mut world = World::set_up();
    let ada = world.ada();
    let level = || vec![Level::of(300_000, vec![Recipient::User(ada)])];
    let policy = world.set_policy(None, 0, level(), None);
    let said = |description: &str| Described::Policy {
        policy,
        description: description.to_owned(),
    };
    assert_eq!(describe(&mut world, said("At night")), Ok(1));
    assert_eq!(describe(&mut world, said("At night")), Ok(0));
    world.set_policy(Some(policy), 1, level(), None);
    assert_eq!(world.state.policies[&policy].description, "At night");
    assert!(describe(&mut world, said(&"x".repeat(1_025))).is_err());
}

#[test]
fn what_is_said_of_a_person_stays_when_they_are_called_otherwise() {
    let mut world = World::set_up();
    let user = world.ada();
    let about = About {
        job_title: "Cook".to_owned(),
        ..About::default()
    };
    let said = || Described::User {
        user,
        about: about.clone(),
    };
    assert_eq!(describe(&mut world, said()), Ok(1));
    assert_eq!(describe(&mut world, said()), Ok(0));
    let (name, role) = (Some("Ada L.".to_owned()), None);
    world.ask(Ask::People(PeopleAsk::Change { user, name, role }));
    assert_eq!(world.state.users[&user].about, about);
    assert_eq!(world.state.users[&user].name, "Ada L.");
}
