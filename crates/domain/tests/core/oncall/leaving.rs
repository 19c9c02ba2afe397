//! Who leaves a rotation: whoever has the running turn keeps it, and the order of the others stays.

use proptest::prelude::*;
use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk};
use tocsin_domain::id::{TemporaryId, UserId};
use tocsin_domain::oncall::{Layer, Schedule, Span, Temporary, Turn, TurnUnit};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;

use super::properties::any_schedule;
use super::reference::{Minutes, at_minute};
use super::{instant, layer, lines, of_layers, people, person, span};
use crate::world::{Seeded, World};

const DAY: u64 = 86_400_000;

/// People by the week from Monday 2024-05-06 on; somebody leaves in the fifth week. Who has the weeks from that one on?
#[track_caller]
fn check(members: &[usize], gone: usize, expected: &[usize]) {
    let weekly = layer("2024-05-06T00:00:00Z", 1, TurnUnit::Weeks, members);
    let mut rota = of_layers("UTC", vec![weekly]);
    rota.forget(person(gone), instant("2024-06-06T12:00:00Z"));
    let weeks = (0..expected.len()).map(|week| {
        let at = instant("2024-06-06T12:00:00Z").plus_ms(week as u64 * 7 * DAY);
        rota.shift_at(at).unwrap().user
    });
    assert_eq!(weeks.collect::<Vec<_>>(), people(expected));
}

#[test]
fn whoever_has_the_running_turn_keeps_it_and_the_others_follow_as_before() {
    // The fifth turn of three is 1's.
    check(&[0, 1, 2], 2, &[1, 0, 1, 0]);
    check(&[0, 1, 2], 0, &[1, 2, 1, 2]);
    // The fifth turn of four is 0's.
    check(&[0, 1, 2, 3], 2, &[0, 1, 3, 0, 1, 3]);
    check(&[0, 1, 2, 3], 3, &[0, 1, 2, 0]);
    check(&[0, 1, 2, 3], 7, &[0, 1, 2, 3]);
}

#[test]
fn the_running_turn_of_whoever_leaves_is_the_next_ones() {
    check(&[0, 1, 2], 1, &[2, 0, 2, 0]);
    check(&[0, 1, 2, 3], 0, &[1, 2, 3, 1]);
    check(&[0, 1], 0, &[1, 1]);
}

#[test]
fn who_is_there_several_times_keeps_all_of_their_turns() {
    // The fifth turn of five is the last one's.
    check(&[0, 1, 0, 2, 3], 0, &[3, 1, 2, 3, 1, 2]);
    check(&[0, 1, 0, 2, 3], 1, &[3, 0, 0, 2, 3, 0]);
    check(&[0, 1, 0, 2, 1], 1, &[0, 0, 2, 0, 0, 2]);
}

/// Three people by the day, in a layer that is changed.
fn daily(change: impl Fn(&mut Layer)) -> Schedule {
    let mut daily = layer("2024-05-06T00:00:00Z", 1, TurnUnit::Days, &[0, 1, 2]);
    change(&mut daily);
    of_layers("UTC", vec![daily])
}

#[test]
fn a_layer_that_has_not_begun_begins_with_whoever_would_have() {
    let mut rota = daily(|_| ());
    rota.forget(person(1), instant("2024-05-01T10:00:00Z"));
    assert_eq!(rota.layers[0].members, people(&[0, 2]));
    // The one who takes over at the anchor, four days before, is not the one who has the first turn.
    let mut rota = daily(|layer| layer.hand_off = Some("2024-05-02T00:00".parse().unwrap()));
    let first = span("2024-05-06T00:00:00Z", "2024-05-09T00:00:00Z");
    let days = |rota: &Schedule| lines(&rota.render(first).unwrap());
    assert!(days(&rota)[0].starts_with("1 "), "{:?}", days(&rota));
    rota.forget(person(0), instant("2024-05-01T10:00:00Z"));
    let expected = [
        "1 05-06 00:00 05-07 00:00",
        "2 05-07 00:00 05-08 00:00",
        "1 05-08 00:00 05-09 00:00",
    ];
    assert_eq!(days(&rota), expected);
}

#[test]
fn a_layer_that_is_over_or_was_never_drawn_is_only_shortened() {
    let at = instant("2024-05-10T10:00:00Z");
    let mut over = daily(|layer| layer.until = Some(instant("2024-05-08T00:00:00Z")));
    let mut unknown = daily(|layer| layer.time_zone = Some("Nowhere/Land".to_owned()));
    for rota in [&mut over, &mut unknown] {
        rota.forget(person(2), at);
        assert_eq!(rota.layers[0].members, people(&[0, 1]));
        rota.forget(person(1), at);
        rota.forget(person(0), at);
        assert_eq!(rota.layers[0].members, people(&[]));
    }
}

#[test]
fn turns_of_a_temporary_shift_stay_too() {
    let holidays = span("2024-05-06T00:00:00Z", "2024-05-16T00:00:00Z");
    let mut rota = of_layers("UTC", Vec::new());
    rota.temporary.push(Temporary {
        id: TemporaryId::random(&mut Seeded(1)),
        span: holidays,
        members: people(&[0, 1, 2]),
        turn: Some(Turn {
            every: 1,
            unit: TurnUnit::Days,
        }),
    });
    let at = instant("2024-05-10T10:00:00Z");
    rota.forget(person(2), at);
    let left = Span::new(at, instant("2024-05-13T00:00:00Z"));
    let expected = [
        "1 05-10 10:00 05-11 00:00",
        "0 05-11 00:00 05-12 00:00",
        "1 05-12 00:00 05-13 00:00",
    ];
    assert_eq!(lines(&rota.render(left).unwrap()), expected);
}

#[test]
fn when_a_person_is_removed_duty_stays_with_whoever_has_it() {
    let mut world = World::set_up();
    let (ada, bea, cyd) = (world.ada(), world.add_user("Bea"), world.add_user("Cyd"));
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    let (id, name, time_zone) = (None, "Weeks".to_owned(), "UTC".to_owned());
    let layers = vec![Layer::rotation(world.now, turn, vec![ada, bea, cyd])];
    world.ask(Ask::Roster(RosterAsk::SetSchedule {
        id,
        name,
        time_zone,
        layers,
    }));
    world.wait_ms(30 * DAY);
    let on_call = |state: &State, at: Timestamp| {
        let mut schedules = state.schedules.values();
        let weeks = schedules.find(|one| one.name == "Weeks").unwrap();
        [0, 7, 14].map(|days| weeks.shift_at(at.plus_ms(days * DAY)).unwrap().user)
    };
    assert_eq!(on_call(&world.state, world.now), [bea, cyd, ada]);
    world.ask(Ask::People(PeopleAsk::Remove { user: cyd }));
    assert_eq!(on_call(&world.state, world.now), [bea, ada, bea]);
    world.check_replay();
}

/// The turn of a rotation that runs in a minute, or its first one before that, by the slow calculation; `None` when it is over. Windows
/// play no role: turns pass outside of them too.
fn slow_turn(zone: &str, mut layer: Layer, minute: i64) -> Option<i64> {
    layer.restrictions.clear();
    let first = layer.start.as_micros() / 60_000_000;
    let minute = minute.max(first);
    let minutes = Minutes::of(&of_layers(zone, vec![layer]), minute, 1);
    minutes.cells[0].map(|cell| cell.turn())
}

fn at_turn(members: &[UserId], turn: i64) -> UserId {
    let count = i64::try_from(members.len()).unwrap();
    members[usize::try_from(turn.rem_euclid(count)).unwrap()]
}

/// Whoever is left has the turns from this one on in the order of before.
fn keep_their_turns(before: &[UserId], after: &[UserId], gone: UserId, turn: i64) {
    let as_before = (turn..).map(|turn| at_turn(before, turn));
    let expected = as_before.filter(|user| *user != gone).take(20);
    let found = (turn..).map(|turn| at_turn(after, turn)).take(20);
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn of_any_rotation_the_running_turn_and_the_order_stay(
        (schedule, odd) in any_schedule(),
        gone in 0_usize..4,
        minute in -9_000_i64..9_000,
    ) {
        let (gone, minute) = (person(gone), odd + minute);
        let mut changed = schedule.clone();
        changed.forget(gone, at_minute(minute));
        prop_assert!(!changed.people().contains(&gone));
        for (before, after) in schedule.layers.iter().zip(&changed.layers) {
            let zone = before.time_zone.as_ref().unwrap_or(&schedule.time_zone);
            let turn = slow_turn(zone, before.clone(), minute);
            if !after.members.is_empty() {
                // Of what is over, or has nobody, the order alone stays.
                keep_their_turns(&before.members, &after.members, gone, turn.unwrap_or(0));
            }
        }
        for before in &schedule.temporary {
            let mut all = changed.temporary.iter();
            let (Some(after), Some(turn)) = (all.find(|fixed| fixed.id == before.id), before.turn) else {
                continue;
            };
            let layer = Layer {
                until: Some(before.span.until),
                ..Layer::rotation(before.span.from, turn, before.members.clone())
            };
            let turn = slow_turn(&schedule.time_zone, layer, minute);
            keep_their_turns(&before.members, &after.members, gone, turn.unwrap_or(0));
        }
    }
}
