//! Two states that were folded from the same events hold their incidents, alerts and messages once.

use tocsin_domain::state::State;

use crate::world::World;

#[test]
fn states_of_the_same_events_share_what_the_events_touched_and_a_change_of_one_leaves_the_other() {
    let mut world = World::with_apache();
    world.crash();
    let mut follower = State::default();
    for event in &world.journal {
        follower.evolve(event);
    }
    let incident = world.incident().id;
    let alert = world.incident().alerts[0];
    let message = *world.state.notifications.keys().next().unwrap();
    assert!(
        !follower
            .incidents
            .is_shared(&incident, &world.state.incidents)
    );
    follower.hold(world.state.touched(&world.journal));
    assert!(
        follower
            .incidents
            .is_shared(&incident, &world.state.incidents)
    );
    assert!(follower.alerts.is_shared(&alert, &world.state.alerts));
    assert!(
        follower
            .notifications
            .is_shared(&message, &world.state.notifications)
    );
    assert_eq!(follower, world.state);

    let before = follower.clone();
    world.acknowledge();
    assert_eq!(follower, before);
    assert_ne!(
        follower.incidents[&incident],
        world.state.incidents[&incident]
    );
}
