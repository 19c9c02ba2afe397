//! What is said of policies, schedules, teams and people: it comes with them in one event, stays by other changes, and decides
//! nothing.

use tocsin_domain::command::{Ask, PeopleAsk, Refusal, RosterAsk, TeamAsk};
use tocsin_domain::id::SecretId;
use tocsin_domain::oncall::{Layer, Turn, TurnUnit, WholeSchedule};
use tocsin_domain::page::{Level, Recipient, WholePolicy};
use tocsin_domain::people::{About, Role};
use tocsin_domain::team::WholeTeam;

use crate::world::World;

/// How many events something comes with.
fn events_of(world: &mut World, ask: Ask) -> Result<usize, Refusal> {
    Ok(world.try_ask(ask)?.len())
}

fn policy(world: &World, description: &str) -> Ask {
    let level = Level::of(300_000, vec![Recipient::User(world.ada())]);
    Ask::Roster(RosterAsk::SetWholePolicy(Box::new(WholePolicy {
        id: None,
        name: "Night".to_owned(),
        levels: vec![level],
        repeat: 0,
        acknowledgement_timeout_ms: None,
        description: Some(description.to_owned()),
        given_to: None,
        level_numbers: None,
    })))
}

fn schedule(world: &World, description: &str, names: &[&str]) -> Ask {
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    Ask::Roster(RosterAsk::SetWholeSchedule(Box::new(WholeSchedule {
        id: None,
        name: "Rota".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        layers: vec![Layer::rotation(world.now, turn, vec![world.ada()])],
        description: Some(description.to_owned()),
        layer_names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        given_to: None,
        layer_numbers: None,
    })))
}

fn team(description: &str) -> Ask {
    Ask::Team(TeamAsk::SetWhole(Box::new(WholeTeam {
        id: None,
        name: "Web".to_owned(),
        members: None,
        description: Some(description.to_owned()),
    })))
}

fn person(world: &mut World, about: About) -> Ask {
    Ask::People(PeopleAsk::Add {
        name: "Cy".to_owned(),
        email: SecretId::random(&mut world.entropy),
        pending_code: SecretId::random(&mut world.entropy),
        role: Role::Viewer,
        about: Some(about),
    })
}

fn cook() -> About {
    About {
        job_title: "Cook".to_owned(),
        ..About::default()
    }
}

#[test]
fn what_is_said_of_something_comes_with_it_in_one_event() {
    let mut world = World::set_up();
    let asks = [
        policy(&world, "At night"),
        schedule(&world, "At night", &["Nights"]),
        team("At night"),
        person(&mut world, cook()),
    ];
    for ask in asks {
        assert_eq!(events_of(&mut world, ask.clone()), Ok(1), "{ask:?}");
    }
    let state = &world.state;
    let said = |text: &&String| *text == "At night";
    let policies = state.policies.values().map(|one| &one.description);
    let schedules = state.schedules.values().map(|one| &one.description);
    let teams = state.teams.values().map(|one| &one.description);
    let all = policies.chain(schedules).chain(teams);
    assert_eq!(all.filter(said).count(), 3);
    let mut rotas = state.schedules.values();
    assert!(rotas.any(|one| one.layer_names == ["Nights"]));
    let cy = world.user("Cy");
    assert_eq!(world.state.users[&cy].about, cook());
}

#[test]
fn what_is_too_long_to_be_said_of_something_keeps_it_from_coming() {
    let mut world = World::set_up();
    let long = "x".repeat(1_025);
    let about = About {
        description: long.clone(),
        ..About::default()
    };
    let before = world.state.clone();
    let asks = [
        policy(&world, &long),
        schedule(&world, &long, &[]),
        schedule(&world, "", &[&long]),
        schedule(&world, "", &["Days", "Nights"]),
        team(&long),
        person(&mut world, about),
    ];
    for ask in asks {
        let refused = world.try_ask(ask.clone());
        assert!(
            matches!(refused, Err(Refusal::Invalid { .. })),
            "{ask:?}: {refused:?}"
        );
    }
    assert_eq!(world.state, before);
}

#[test]
fn what_is_said_of_a_policy_stays_when_its_levels_change() {
    let mut world = World::set_up();
    let asked = policy(&world, "At night");
    world.ask(asked);
    let mut all = world.state.policies.values();
    let night = all.find(|one| one.name == "Night").unwrap().id;
    let level = Level::of(300_000, vec![Recipient::User(world.ada())]);
    world.set_policy(Some(night), 1, vec![level], None);
    assert_eq!(world.state.policies[&night].description, "At night");
}

#[test]
fn what_is_said_of_a_person_stays_when_they_are_called_otherwise_and_is_no_event_twice() {
    let mut world = World::set_up();
    let user = world.ada();
    let change = |name: Option<&str>, about: Option<About>| {
        Ask::People(PeopleAsk::Change {
            user,
            name: name.map(str::to_owned),
            role: None,
            about,
        })
    };
    for (asked, count) in [
        (change(None, Some(cook())), 1),
        (change(None, Some(cook())), 0),
        (change(Some("Ada L."), None), 1),
    ] {
        assert_eq!(events_of(&mut world, asked), Ok(count));
    }
    assert_eq!(world.state.users[&user].about, cook());
    assert_eq!(world.state.users[&user].name, "Ada L.");
}
