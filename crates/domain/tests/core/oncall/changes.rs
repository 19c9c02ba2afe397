//! What is changed by hand: overrides, temporary shifts, swaps.

use tocsin_domain::id::{OverrideId, SwapId, TemporaryId};
use tocsin_domain::oncall::{
    By, Override, Schedule, Span, Swap, SwapSide, Temporary, Turn, TurnUnit,
};

use super::{check, instant, lines, person, schedule, span};
use crate::world::Seeded;

/// Persons 0, 1 and 2 by the day, from the midnight of 2024-05-06 in UTC on.
fn days() -> Schedule {
    schedule("UTC", "2024-05-06T00:00:00Z", 1, TurnUnit::Days, 3)
}

fn overridden(seed: u64, user: usize, span: Span) -> Override {
    Override {
        id: OverrideId::random(&mut Seeded(seed)),
        user: person(user),
        span,
    }
}

fn swap(seed: u64, one: (usize, Span), other: (usize, Span)) -> Swap {
    let side = |(user, span)| SwapSide {
        user: person(user),
        span,
    };
    Swap {
        id: SwapId::random(&mut Seeded(seed)),
        one: side(one),
        other: side(other),
    }
}

fn day(day: u32) -> Span {
    Span::of_days(instant(&format!("2024-05-{day:02}T00:00:00Z")), 1)
}

fn days_from_6(count: u32) -> Span {
    Span::of_days(instant("2024-05-06T00:00:00Z"), count)
}

#[test]
fn an_override_is_over_everything_and_a_later_one_over_an_earlier_one() {
    let mut rota = days();
    rota.overrides = vec![
        overridden(1, 3, span("2024-05-06T10:00:00Z", "2024-05-07T10:00:00Z")),
        overridden(2, 4, span("2024-05-06T20:00:00Z", "2024-05-06T22:00:00Z")),
    ];
    check(
        &rota,
        days_from_6(2),
        &[
            "0 05-06 00:00 05-06 10:00",
            "3 05-06 10:00 05-06 20:00",
            "4 05-06 20:00 05-06 22:00",
            "3 05-06 22:00 05-07 10:00",
            "1 05-07 10:00 05-08 00:00",
        ],
    );
}

#[test]
fn a_temporary_shift_is_in_place_of_the_layers() {
    let fixed = |members: &[usize], turn| Temporary {
        id: TemporaryId::random(&mut Seeded(3)),
        span: span("2024-05-06T12:00:00Z", "2024-05-08T12:00:00Z"),
        members: super::people(members),
        turn,
    };
    let mut rota = days();
    rota.temporary = vec![fixed(&[4], None)];
    check(
        &rota,
        days_from_6(3),
        &[
            "0 05-06 00:00 05-06 12:00",
            "4 05-06 12:00 05-08 12:00",
            "2 05-08 12:00 05-09 00:00",
        ],
    );
    let turn = Turn {
        every: 20,
        unit: TurnUnit::Hours,
    };
    rota.temporary = vec![fixed(&[3, 4], Some(turn))];
    check(
        &rota,
        days_from_6(3),
        &[
            "0 05-06 00:00 05-06 12:00",
            "3 05-06 12:00 05-07 08:00",
            "4 05-07 08:00 05-08 04:00",
            "3 05-08 04:00 05-08 12:00",
            "2 05-08 12:00 05-09 00:00",
        ],
    );
}

#[test]
fn a_swap_exchanges_what_two_people_have() {
    let mut rota = days();
    rota.swaps = vec![swap(5, (0, day(6)), (2, day(8)))];
    check(
        &rota,
        days_from_6(3),
        &[
            "2 05-06 00:00 05-07 00:00",
            "1 05-07 00:00 05-08 00:00",
            "0 05-08 00:00 05-09 00:00",
        ],
    );
    let shift = rota.shift_at(instant("2024-05-08T12:00:00Z")).unwrap();
    assert_eq!(shift.by, By::Swap(rota.swaps[0].id));
}

#[test]
fn a_swap_follows_the_rotation_when_that_changes() {
    let mut rota = days();
    rota.swaps = vec![swap(5, (0, days_from_6(1)), (2, days_from_6(4)))];
    // Person 0 comes a few hours later, person 2 has two days instead of one.
    rota.layers[0].start = instant("2024-05-06T06:00:00Z");
    rota.layers[0].members = super::people(&[0, 2, 2]);
    check(
        &rota,
        days_from_6(4),
        &[
            "- 05-06 00:00 05-06 06:00",
            "2 05-06 06:00 05-07 00:00",
            "0 05-07 00:00 05-07 06:00",
            "0 05-07 06:00 05-08 06:00",
            "0 05-08 06:00 05-09 06:00",
            "0 05-09 06:00 05-10 00:00",
        ],
    );
}

#[test]
fn a_swap_is_void_when_the_rotation_leaves_one_of_them_nothing_to_give() {
    let mut rota = days();
    rota.swaps = vec![swap(5, (0, day(6)), (2, day(8)))];
    assert!(!rota.swap_standings()[0].is_void());
    rota.layers[0].members = super::people(&[0, 1]);
    let standing = rota.swap_standings()[0];
    assert!(standing.is_void());
    assert_eq!((standing.one_us, standing.other_us), (86_400_000_000, 0));
    check(
        &rota,
        days_from_6(3),
        &[
            "0 05-06 00:00 05-07 00:00",
            "1 05-07 00:00 05-08 00:00",
            "0 05-08 00:00 05-09 00:00",
        ],
    );
}

#[test]
fn what_was_got_by_a_swap_can_be_swapped_on() {
    let mut rota = days();
    // 2 gets the 6th from 0, and hands it on to 1 for the 7th.
    rota.swaps = vec![
        swap(5, (0, day(6)), (2, day(8))),
        swap(6, (2, day(6)), (1, day(7))),
    ];
    check(
        &rota,
        days_from_6(3),
        &[
            "1 05-06 00:00 05-07 00:00",
            "2 05-07 00:00 05-08 00:00",
            "0 05-08 00:00 05-09 00:00",
        ],
    );
    // One day alone tells the same, although what decides it lies elsewhere.
    assert_eq!(
        lines(&rota.render(day(7)).unwrap()),
        ["2 05-07 00:00 05-08 00:00"]
    );
    // Without the first swap the second one has nothing to hand on.
    rota.layers[0].members = super::people(&[0, 1, 3]);
    let void: Vec<bool> = rota
        .swap_standings()
        .into_iter()
        .map(|standing| standing.is_void())
        .collect();
    assert_eq!(void, [true, true]);
}

#[test]
fn a_swap_of_two_spans_that_overlap_knows_the_whole_of_each_shift() {
    let mut rota = days();
    let (long, short) = (
        days_from_6(3),
        span("2024-05-06T12:00:00Z", "2024-05-09T00:00:00Z"),
    );
    rota.swaps = vec![swap(5, (2, short), (0, long))];
    let shift = rota.shift_at(instant("2024-05-06T18:00:00Z")).unwrap();
    assert_eq!((shift.user, shift.span()), (person(2), day(6)));
}

#[test]
fn an_override_within_a_swap_wins_and_does_not_make_it_void() {
    let mut rota = days();
    rota.swaps = vec![swap(5, (0, day(6)), (2, day(8)))];
    rota.overrides = vec![overridden(1, 4, day(8))];
    check(
        &rota,
        days_from_6(3),
        &[
            "2 05-06 00:00 05-07 00:00",
            "1 05-07 00:00 05-08 00:00",
            "4 05-08 00:00 05-09 00:00",
        ],
    );
}
