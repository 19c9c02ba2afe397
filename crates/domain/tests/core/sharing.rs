//! Two states that were folded from the same events hold their incidents, alerts and messages once.

use tocsin_domain::command::Ask;
use tocsin_domain::id::NotificationId;
use tocsin_domain::incident::STORM_INCIDENTS;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{BURST_MAX, Fate, Outcome, TOGETHER_EVERY_MS};
use tocsin_domain::people::ChannelKind;
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
    let mut follower = State::default();
    follower.keep_up_with(&world.journal, world.state.touched(&world.journal));
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

/// A state that is told of what happened to a world since it was told last.
#[derive(Default)]
struct Follower {
    state: State,
    known: usize,
}

impl Follower {
    fn keep_up_with(&mut self, world: &World) {
        let news = &world.journal[self.known..];
        self.state.keep_up_with(news, world.state.touched(news));
        self.known = world.journal.len();
        assert_eq!(self.state, world.state);
    }
}

#[test]
fn an_incident_is_not_copied_for_each_alert_that_joins_it_and_is_shared_again_when_more_is_said_of_it()
 {
    let mut world = World::set_up();
    let mut follower = Follower::default();
    let mut follow = |world: &World| {
        follower.keep_up_with(world);
        let newest = world.incident().id;
        follower
            .state
            .incidents
            .is_shared(&newest, &world.state.incidents)
    };
    for number in 0..STORM_INCIDENTS {
        world.trigger(&format!("key-{number}"), Severity::Warning);
    }
    assert!(follow(&world), "each has an incident of its own");
    world.trigger("more", Severity::Warning);
    assert_eq!(world.incident().alerts.len(), 2);
    assert!(!follow(&world), "the next one would copy it");
    world.trigger("still more", Severity::Warning);
    assert!(!follow(&world));
    world.acknowledge();
    assert!(follow(&world));
}

#[test]
fn what_a_message_told_along_is_shared_with_what_became_of_it() {
    let mut world = World::set_up();
    let ada = world.ada();
    let text = world.add_way(ada, ChannelKind::Sms);
    world.set_rules(ada, &[(0, text)]);
    for number in 0..BURST_MAX + 2 {
        world.trigger(&format!("key-{number}"), Severity::Error);
        world.answer_all(Outcome::Accepted);
    }
    world.wait_ms(TOGETHER_EVERY_MS);
    let notification = world.sending()[0].id;
    let along = world.state.told_along(notification);
    let along: Vec<NotificationId> = along.map(|message| message.id).collect();
    assert_eq!(along.len(), 1);
    let mut follower = Follower::default();
    let mut follow = |world: &World| {
        follower.keep_up_with(world);
        let (own, other) = (&follower.state.notifications, &world.state.notifications);
        assert!(own.is_shared(&along[0], other));
    };
    follow(&world);
    world.answer_all_with(Outcome::Accepted, None, Some("SM1"));
    follow(&world);
    world.ask(Ask::ReceiptCame {
        notification,
        number: 1,
        fate: Fate::Failed,
        detail: String::new(),
    });
    follow(&world);
}
