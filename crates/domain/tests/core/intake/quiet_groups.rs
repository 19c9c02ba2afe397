//! Incidents of many alerts that are silenced, and what becomes of the silence when each is said again.

use tocsin_domain::event::EventBody;
use tocsin_domain::intake::{GroupBy, LabelTest, UrgencyBy};

use super::silences::matcher;
use super::{HOUR, MINUTE};
use crate::world::World;

/// All alerts of the service make one incident, and those that say `a="b"` are silenced for an hour.
fn silenced() -> World {
    let mut world = World::set_up();
    let by_time = GroupBy::Time {
        within_ms: HOUR,
        rolling: false,
    };
    world.take_in(UrgencyBy::Severity, by_time, None);
    let asked = world.asked(vec![matcher("a", LabelTest::Equals, "b")], 0, HOUR);
    world.silence(asked);
    world
}

#[test]
fn alerts_that_are_said_again_leave_the_silence_of_their_incident_as_it_is() {
    let mut world = silenced();
    let keys: Vec<String> = (0..10).map(|number| format!("disk-{number}")).collect();
    for key in &keys {
        world.fires(key, &[("a", "b")]);
    }
    let held = world.incident().suppressed.clone();
    assert!(held.is_some());
    for _ in 0..3 {
        world.wait_ms(MINUTE);
        for key in &keys {
            let before = world.journal.len();
            world.fires(key, &[("a", "b")]);
            let since = &world.journal[before..];
            assert!(matches!(since, [event] if matches!(event.body, EventBody::Alert(_))));
        }
        let quiet = world.state.quiet_at(world.incident(), world.now);
        assert_eq!(quiet.map(|quiet| (quiet.why, quiet.until)), held);
        assert_eq!(world.incident().suppressed, held);
    }
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages(), []);
}

#[test]
fn one_of_many_that_is_said_again_with_other_labels_ends_the_silence_of_all() {
    let mut world = silenced();
    for key in ["one", "two", "three"] {
        world.fires(key, &[("a", "b")]);
    }
    world.fires("two", &[("a", "c")]);
    assert_eq!(world.incident().suppressed, None);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_is_silenced_for_longer_than_others_of_its_incident_does_not_keep_them_quiet() {
    let mut world = silenced();
    let asked = world.asked(vec![matcher("c", LabelTest::Equals, "d")], 0, HOUR - MINUTE);
    world.silence(asked);
    let both = [("long", ("a", "b")), ("short", ("c", "d"))];
    for (key, label) in both {
        world.fires(key, &[label]);
    }
    let ends_at = world.now.plus_ms(HOUR - MINUTE);
    while world.now < ends_at {
        for (key, label) in both {
            world.fires(key, &[label]);
        }
        let until = world.incident().suppressed.as_ref().map(|held| held.1);
        assert_eq!(until, Some(ends_at));
        world.wait_ms(MINUTE);
    }
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
}
