//! Levels of which each must acknowledge, while policies and teams change and people press buttons.

use crate::escalation::{each, one_of_two_is_missing, people, set_web, take};
use tocsin_domain::incident::Status;
use tocsin_domain::page::{Level, Recipient};

const MINUTE: u64 = 60_000;

#[test]
fn whoever_leaves_a_team_must_still_acknowledge_where_a_level_that_was_moved_names_them() {
    let mut world =
        one_of_two_is_missing(|world, users| vec![Recipient::Team(set_web(world, users.to_vec()))]);
    let (ada, bea, cy) = (world.ada(), world.user("Bea"), world.user("Cy"));
    let web = set_web(&mut world, vec![bea, cy]);
    // The level is the second one now, and names Cy otherwise too.
    let mut moved = each(&[cy]);
    moved.targets.push(Recipient::Team(web));
    let first = Level::of(MINUTE, people(&[ada]));
    world.set_default_policy(vec![first, moved], None);
    set_web(&mut world, vec![bea]);
    assert_eq!(world.incident().status, Status::Triggered);
    world.wait_ms(5 * MINUTE);
    let paged = world.paged();
    assert_eq!((paged.len(), paged[2].as_str()), (3, "Cy"), "it goes on");
    take(&mut world, cy);
    assert_eq!(world.incident().status, Status::Acknowledged);
}
