//! The list of last resort: who is on it can be changed, and it is never empty.

use tocsin_domain::command::{Ask, PeopleAsk, Refusal};
use tocsin_domain::id::{SecretId, UserId};
use tocsin_domain::page::Outcome;
use tocsin_domain::people::Role;

use crate::world::World;

const MINUTE: u64 = 60_000;

fn list(world: &World) -> Vec<UserId> {
    let installation = world.state.installation.as_ref();
    installation.expect("set up").fallback.clone()
}

fn set(world: &mut World, users: &[UserId]) -> Result<(), Refusal> {
    let users = users.to_vec();
    let ask = PeopleAsk::SetFallback { users };
    world.try_ask(Ask::People(ask)).map(|_| ())
}

fn make_admin(world: &mut World, user: UserId) {
    let role = Some(Role::Admin);
    let name = None;
    world.ask(Ask::People(PeopleAsk::Change {
        user,
        name,
        role,
        about: None,
    }));
}

#[test]
fn the_first_administrator_can_be_removed_once_somebody_else_is_the_last_resort() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    make_admin(&mut world, bea);
    let remove = || Ask::People(PeopleAsk::Remove { user: ada });
    let refused = world.try_ask(remove()).unwrap_err().to_string();
    assert!(
        refused.contains("tocsin oncall fallback --set"),
        "{refused}"
    );
    assert_eq!(set(&mut world, &[ada, bea]), Ok(()));
    assert!(world.try_ask(remove()).is_ok());
    assert_eq!(list(&world), [bea]);
}

#[test]
fn the_last_resort_is_one_to_fifty_known_people_each_once() {
    let mut world = World::set_up();
    let (ada, bea) = (world.ada(), world.add_user("Bea"));
    let refused = set(&mut world, &[]);
    assert!(
        matches!(refused, Err(Refusal::Invalid { .. })),
        "{refused:?}"
    );
    let nobody = UserId::random(&mut world.entropy);
    let refused = set(&mut world, &[bea, nobody]);
    assert!(
        matches!(refused, Err(Refusal::NotFound { .. })),
        "{refused:?}"
    );
    assert_eq!(list(&world), [ada], "nothing was changed");
    assert_eq!(set(&mut world, &[bea, ada, bea]), Ok(()));
    assert_eq!(list(&world), [bea, ada]);
    let mut many = Vec::new();
    for number in 0..51 {
        let (email, pending_code) = (
            SecretId::random(&mut world.entropy),
            SecretId::random(&mut world.entropy),
        );
        let (name, role) = (format!("Person {number}"), Role::Viewer);
        world.ask(Ask::People(PeopleAsk::Add {
            name: name.clone(),
            email,
            pending_code,
            role,
            about: None,
        }));
        many.push(world.user(&name));
    }
    assert_eq!(set(&mut world, &many[1..]), Ok(()));
    let refused = set(&mut world, &many);
    assert!(
        matches!(refused, Err(Refusal::Invalid { .. })),
        "{refused:?}"
    );
}

#[test]
fn when_a_policy_is_through_whoever_is_the_last_resort_by_then_is_paged() {
    let mut world = World::with_apache();
    let (bea, cy) = (world.add_user("Bea"), world.add_user("Cy"));
    world.set_levels(0, &[(MINUTE, &[bea])]);
    world.crash();
    world.answer_all(Outcome::Accepted);
    assert_eq!(set(&mut world, &[cy]), Ok(()));
    world.wait_ms(MINUTE);
    assert_eq!(world.paged(), ["Bea", "Cy"]);
}
