//! Incidents of many alerts that are silenced, and what becomes of the silence when each is said again.

use tocsin_domain::command::{AlertAsk, Ask, Command, IntakeAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, EventBody};
use tocsin_domain::incident::STORM_INCIDENTS_CRITICAL;
use tocsin_domain::intake::{Action, GroupBy, LabelTest, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Outcome;

use super::silences::matcher;
use super::{HOUR, MINUTE, rule, title_contains};
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

#[test]
fn what_is_silenced_and_worse_takes_over_no_incident_that_is_not_quiet() {
    for is_taken in [false, true] {
        let mut world = silenced();
        world.trigger("disk", Severity::Error);
        world.answer_all(Outcome::Accepted);
        if is_taken {
            world.acknowledge();
        }
        let (before, pages) = (world.incident().clone(), world.pages().len());
        let labelled = world.labelled("worse", &[("a", "b")], 2 * HOUR);
        world.ask(Ask::Alert(AlertAsk::Labelled(Box::new(labelled))));
        assert_eq!(world.pages().len(), pages);
        let known = &world.state.incidents[&before.id];
        assert_eq!((known.status, &known.title), (before.status, &before.title));
        assert!(world.incident().suppressed.is_some());
        world.wait_ms(HOUR);
        let own = world.incident();
        assert_eq!(own.title, "worse fails");
        assert!(own.paging.is_some(), "when the silence ends");
    }
}

/// Each alert has an incident of its own until they storm in, and those that say `a="b"` are silenced for three minutes.
fn silenced_apart() -> World {
    let mut world = World::set_up();
    let matchers = vec![matcher("a", LabelTest::Equals, "b")];
    let asked = world.asked(matchers, 0, 3 * MINUTE);
    world.silence(asked);
    world
}

/// For how many incidents somebody was paged.
fn paged_for(world: &World) -> usize {
    let known = world.state.incidents.values();
    known.filter(|incident| incident.paging.is_some()).count()
}

#[test]
fn a_storm_under_a_silence_makes_no_more_incidents_than_another_and_pages_for_no_more_at_its_end() {
    let mut world = silenced_apart();
    for number in 0..STORM_INCIDENTS_CRITICAL + 30 {
        world.fires(&format!("disk-{number}"), &[("a", "b")]);
    }
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS_CRITICAL);
    assert_eq!(world.incident().alerts.len(), 31);
    assert_eq!(paged_for(&world), 0);
    world.wait_ms(3 * MINUTE);
    assert_eq!(paged_for(&world), STORM_INCIDENTS_CRITICAL);
}

#[test]
fn of_a_storm_that_a_silence_covers_in_part_the_rest_is_paged_for_at_once_and_hidden_in_nothing_quiet()
 {
    let mut world = silenced_apart();
    for number in 0..2 * STORM_INCIDENTS_CRITICAL {
        world.fires(&format!("quiet-{number}"), &[("a", "b")]);
        world.fires(&format!("loud-{number}"), &[("a", "c")]);
    }
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS_CRITICAL);
    for incident in world.state.incidents.values() {
        let is_quiet = incident.suppressed.is_some();
        assert_eq!(incident.paging.is_none(), is_quiet, "{incident:?}");
        let kind = if is_quiet { "quiet-" } else { "loud-" };
        let mut alerts = incident.alerts.iter().map(|id| &world.state.alerts[id]);
        assert!(alerts.all(|alert| alert.dedup_key.starts_with(kind)));
    }
    assert_eq!(paged_for(&world), STORM_INCIDENTS_CRITICAL / 2);
    world.wait_ms(3 * MINUTE);
    assert_eq!(paged_for(&world), STORM_INCIDENTS_CRITICAL);
}

/// An alert of a step that holds more of them: what is due is done after all of them.
fn fires_in_a_step(world: &mut World, key: &str, label: (&str, &str)) {
    let labelled = world.labelled(key, &[label], 10 * MINUTE);
    let command = Command {
        actor: Actor::System,
        ask: Ask::Alert(AlertAsk::Labelled(Box::new(labelled))),
    };
    decide(&mut world.state, command, world.now, &mut world.entropy).unwrap();
}

#[test]
fn what_no_silence_covers_is_not_put_with_what_one_covers_before_anybody_was_chosen() {
    let mut world = silenced_apart();
    for number in 0..=STORM_INCIDENTS_CRITICAL {
        fires_in_a_step(&mut world, &format!("disk-{number}"), ("a", "b"));
    }
    fires_in_a_step(&mut world, "login", ("a", "c"));
    fires_in_a_step(&mut world, "disk", ("a", "b"));
    world.ask(Ask::Tick);
    let of_login = world.incident();
    assert_eq!(of_login.title, "login fails");
    assert_eq!(of_login.alerts.len(), 1);
    assert_eq!(world.state.incidents.len(), STORM_INCIDENTS_CRITICAL + 1);
    assert_eq!(paged_for(&world), 1);
}

/// All alerts make one incident; what says `a="b"` is silenced, and what blips waits two minutes whether it is over by then.
fn silenced_where_blips_wait() -> World {
    let mut world = silenced();
    let pause = Action::Pause { ms: 2 * MINUTE };
    world.set_rules_of(None, vec![rule("r", title_contains("blip"), vec![pause])]);
    world
}

#[test]
fn what_waits_and_joins_what_is_silenced_before_anybody_was_chosen_goes_on_waiting() {
    let mut world = silenced_where_blips_wait();
    fires_in_a_step(&mut world, "disk", ("a", "b"));
    fires_in_a_step(&mut world, "blip", ("a", "c"));
    world.ask(Ask::Tick);
    assert_eq!(world.state.incidents.len(), 1);
    world.wait_ms(2 * MINUTE - 1);
    assert_eq!(world.pages(), []);
    world.wait_ms(1);
    assert_eq!(world.pages().len(), 1);
}

/// One that is silenced and one that waits are of one incident.
fn silenced_with_a_pause() -> World {
    let mut world = silenced_where_blips_wait();
    world.fires("disk", &[("a", "b")]);
    world.fires("blip", &[("a", "c")]);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages(), []);
    world
}

#[test]
fn what_waits_and_joins_what_is_silenced_is_paged_for_when_its_own_wait_is_over() {
    let mut world = silenced_with_a_pause();
    for _ in 0..2 {
        assert_eq!(world.pages(), []);
        world.wait_ms(MINUTE);
        // It waits no longer for being said again.
        world.fires("disk", &[("a", "b")]);
        world.fires("blip", &[("a", "c")]);
    }
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_waits_and_is_over_in_time_leaves_the_silence_of_what_it_joined_as_it_was() {
    let mut world = silenced_with_a_pause();
    let held = world.incident().suppressed.clone();
    assert!(held.is_some());
    world.wait_ms(MINUTE);
    world.is_over("blip");
    world.wait_ms(MINUTE);
    assert_eq!(world.pages(), []);
    assert_eq!(world.incident().hold, None);
    assert_eq!(world.incident().suppressed, held);
}

#[test]
fn what_joins_beside_that_and_does_not_wait_is_paged_for_at_once() {
    let mut world = silenced_with_a_pause();
    world.fires("login", &[("a", "c")]);
    assert_eq!(world.state.incidents.len(), 1);
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_was_silenced_does_not_wait_for_what_joined_it() {
    let mut world = silenced_with_a_pause();
    let silence = *world.state.windows.keys().next().unwrap();
    world.wait_ms(MINUTE);
    world.ask(Ask::Intake(IntakeAsk::ExpireWindow(silence)));
    assert_eq!(world.pages().len(), 1);
}

#[test]
fn what_waits_is_not_paged_for_because_the_silence_of_what_it_joined_ends() {
    let mut world = silenced_with_a_pause();
    let silence = *world.state.windows.keys().next().unwrap();
    world.wait_ms(MINUTE);
    world.is_over("disk");
    world.ask(Ask::Intake(IntakeAsk::ExpireWindow(silence)));
    assert_eq!(world.pages(), []);
    world.wait_ms(MINUTE);
    assert_eq!(world.pages().len(), 1);
}
