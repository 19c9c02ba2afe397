//! Names of people, services, policies and teams: what would make one read as another is refused.

use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk, TeamAsk};
use tocsin_domain::id::SecretId;
use tocsin_domain::page::{Level, Recipient};
use tocsin_domain::people::Role;

use crate::world::World;

/// What gives this name to something.
fn naming(world: &mut World, name: &str) -> Vec<Ask> {
    let ada = world.ada();
    let person = PeopleAsk::Add {
        name: name.to_owned(),
        email: SecretId::random(&mut world.entropy),
        pending_code: SecretId::random(&mut world.entropy),
        role: Role::Responder,
        about: None,
    };
    let service = RosterAsk::SetService {
        id: None,
        name: name.to_owned(),
        policy: None,
    };
    let policy = RosterAsk::SetPolicy {
        id: None,
        name: name.to_owned(),
        levels: vec![Level::of(60_000, vec![Recipient::User(ada)])],
        repeat: 0,
        acknowledgement_timeout_ms: None,
    };
    let team = TeamAsk::Set {
        id: None,
        name: name.to_owned(),
        members: vec![ada],
    };
    vec![
        Ask::People(person),
        Ask::Roster(service),
        Ask::Roster(policy),
        Ask::Team(team),
    ]
}

#[test]
fn a_name_that_turns_the_direction_of_text_is_refused_and_one_in_any_script_is_taken() {
    let mut world = World::set_up();
    for turn in ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
        for ask in naming(&mut world, &format!("web{turn}1")) {
            let refusal = world.try_ask(ask).expect_err("it is refused").to_string();
            assert!(refusal.contains("direction of text"), "{refusal}");
        }
    }
    for name in ["\u{202e}", "\u{2066}web"] {
        for ask in naming(&mut world, name) {
            assert!(world.try_ask(ask).is_err(), "{name:?}");
        }
    }
    for ask in naming(&mut world, "\u{5e2}\u{5d3}\u{5d4} 1") {
        world.ask(ask);
    }
}

#[test]
fn a_name_of_which_nothing_can_be_seen_is_refused_and_what_cannot_be_seen_around_it_is_left_out() {
    let mut world = World::set_up();
    for blank in ["\u{200b}", "\u{feff} \u{2060}", "\u{e0041}", "\u{3164}"] {
        for ask in naming(&mut world, blank) {
            let refusal = world.try_ask(ask).expect_err("it is refused").to_string();
            assert!(refusal.contains("must not be empty"), "{refusal}");
        }
    }
    for ask in naming(&mut world, "\u{feff}web\u{200b}") {
        world.ask(ask);
    }
    let mut people = world.state.users.values();
    assert!(people.any(|user| user.name == "web"));
    let mut services = world.state.services.values();
    assert!(services.any(|service| service.name == "web"));
}
