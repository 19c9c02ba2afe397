//! Who belongs to a team: changes that are asked for at the same time do not undo each other.

use tocsin_domain::command::{Ask, TeamAsk};
use tocsin_domain::id::TeamId;
use tocsin_domain::team::Team;

use crate::world::World;

fn web(world: &mut World) -> TeamId {
    world.ask(Ask::Team(TeamAsk::Set {
        id: None,
        name: "Web".to_owned(),
        members: Vec::new(),
    }));
    let mut teams = world.state.teams.values();
    teams.find(|team| team.name == "Web").unwrap().id
}

fn known(world: &World, team: TeamId) -> Team {
    world.state.teams.get(&team).unwrap().clone()
}

#[test]
fn people_who_are_put_into_a_team_one_by_one_are_all_in_it_and_a_new_name_keeps_them() {
    let mut world = World::set_up();
    let (ada, bob) = (world.ada(), world.add_user("Bob"));
    let team = web(&mut world);
    for user in [ada, bob, ada] {
        world.ask(Ask::Team(TeamAsk::AddMember { team, user }));
    }
    let name = "Front".to_owned();
    world.ask(Ask::Team(TeamAsk::Rename { team, name }));
    let front = known(&world, team);
    assert_eq!(
        (front.name.as_str(), front.members),
        ("Front", vec![ada, bob])
    );
    for _ in 0..2 {
        world.ask(Ask::Team(TeamAsk::RemoveMember { team, user: ada }));
    }
    assert_eq!(known(&world, team).members, [bob]);
}

#[test]
fn nobody_is_put_into_a_team_that_is_gone_and_no_stranger_into_any() {
    let mut world = World::set_up();
    let bob = world.add_user("Bob");
    let team = web(&mut world);
    world.ask(Ask::Team(TeamAsk::Remove(team)));
    let into = |user| Ask::Team(TeamAsk::AddMember { team, user });
    assert!(world.try_ask(into(bob)).is_err());
    let out = Ask::Team(TeamAsk::RemoveMember { team, user: bob });
    assert!(world.try_ask(out).is_err());
    let name = "Front".to_owned();
    assert!(
        world
            .try_ask(Ask::Team(TeamAsk::Rename { team, name }))
            .is_err()
    );
}
