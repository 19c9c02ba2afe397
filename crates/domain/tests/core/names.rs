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
    for ask in naming(&mut world, "\u{5e2}\u{5d3}\u{5d4} 1") {
        world.ask(ask);
    }
}
