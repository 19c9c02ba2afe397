//! Any schedule, around any change of clocks, equals the slow calculation minute by minute.

use std::ops::Range;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tocsin_domain::id::{OverrideId, SwapId, TemporaryId};
use tocsin_domain::oncall::{
    Entry, HandOff, Layer, Override, Restriction, Schedule, Span, Swap, SwapSide, Temporary,
    TimeOfDay, Turn, TurnUnit, WeekTime, Weekday,
};

use super::reference::{Minutes, at_minute};
use super::{instant, of_layers, people, person};
use crate::world::Seeded;

/// Zones, each with an instant at which something is odd there.
pub(super) const ODD: [(&str, &str); 14] = [
    ("UTC", "2024-02-29T00:00:00Z"),
    ("Europe/Paris", "2024-03-31T01:00:00Z"),
    ("Europe/Paris", "2024-10-27T01:00:00Z"),
    ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
    ("Australia/Lord_Howe", "2024-10-05T15:30:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Africa/Cairo", "2024-04-25T22:00:00Z"),
    ("America/Havana", "2024-11-03T05:00:00Z"),
    ("America/New_York", "2024-11-03T06:00:00Z"),
    ("Antarctica/Troll", "2024-10-27T01:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("Africa/Casablanca", "2024-03-10T02:00:00Z"),
    ("Antarctica/Troll", "2024-03-31T01:00:00Z"),
    ("Pacific/Kwajalein", "1993-08-21T12:00:00Z"),
];

/// The minutes that are looked at, around the odd one; everything that is changed by hand lies within.
const AROUND: i64 = 5 * 1_440;
const WINDOW: i64 = 2 * AROUND;
/// The part of them that is rendered.
const RANGE: Range<i64> = AROUND - 1_900..AROUND + 2_300;
/// The part in which clocks may repeat what they showed, or have just skipped something.
const CLOSE: Range<i64> = AROUND - 20..AROUND + 70;

fn time_of_day() -> impl Strategy<Value = TimeOfDay> {
    (0_u32..48).prop_map(|half| TimeOfDay::at(half / 2, half % 2 * 30).unwrap())
}

fn week_time() -> impl Strategy<Value = WeekTime> {
    (select(Weekday::ALL.to_vec()), time_of_day())
        .prop_map(|(weekday, time)| WeekTime { weekday, time })
}

fn restriction() -> impl Strategy<Value = Restriction> {
    let daily = (time_of_day(), time_of_day())
        .prop_filter("no window", |(from, until)| from != until)
        .prop_map(|(from, until)| Restriction::Daily { from, until });
    let weekly = (week_time(), week_time())
        .prop_filter("no window", |(from, until)| from != until)
        .prop_map(|(from, until)| Restriction::Weekly { from, until });
    prop_oneof![3 => daily, 1 => weekly]
}

fn turn() -> impl Strategy<Value = Turn> {
    let turn = |every, unit| Turn { every, unit };
    prop_oneof![
        4 => (1_u32..4).prop_map(move |every| turn(every, TurnUnit::Hours)),
        3 => (4_u32..40).prop_map(move |every| turn(every, TurnUnit::Hours)),
        3 => (1_u32..4).prop_map(move |every| turn(every, TurnUnit::Days)),
        1 => (1_u32..3).prop_map(move |every| turn(every, TurnUnit::Weeks)),
    ]
}

/// Minutes, often of whole half hours, as the clocks change.
fn minutes(range: Range<i64>) -> impl Strategy<Value = i64> {
    (range, any::<bool>())
        .prop_map(|(minutes, is_round)| minutes - if is_round { minutes % 30 } else { 0 })
}

/// A layer around minute `odd`; its numbers are minutes.
fn layer(odd: i64) -> impl Strategy<Value = Layer> {
    let zones: Vec<&str> = ODD.iter().map(|(zone, _)| *zone).collect();
    (
        minutes(-30_000..3_000),
        option::weighted(0.3, 1_i64..40_000),
        option::weighted(0.3, select(zones)),
        option::weighted(0.5, minutes(-9_000..9_000)),
        turn(),
        prop_oneof![1 => Just(Vec::new()), 9 => vec(0_usize..4, 2..5)],
        prop_oneof![1 => Just(Vec::new()), 1 => vec(restriction(), 1..4)],
    )
        .prop_map(
            move |(start, length, zone, hand_off, turn, members, restrictions)| {
                let start = odd + start;
                // A civil time is written as an instant in UTC is, without its end.
                let civil = |minute| at_minute(minute).to_rfc3339()[..16].parse().unwrap();
                Layer {
                    until: length.map(|length| at_minute(start + length)),
                    time_zone: zone.map(str::to_owned),
                    hand_off: hand_off.map(|minute| civil(odd + minute)),
                    restrictions,
                    ..Layer::rotation(at_minute(start), turn, people(&members))
                }
            },
        )
}

/// A span within the window around minute `odd`.
fn span(odd: i64) -> impl Strategy<Value = Span> {
    (0_i64..WINDOW - 1, 1_i64..4_000).prop_map(move |(from, length)| {
        let first = odd - AROUND;
        let until = (from + length).min(WINDOW);
        Span::new(at_minute(first + from), at_minute(first + until))
    })
}

/// A minute of the range, often a close one.
fn minute() -> impl Strategy<Value = i64> {
    prop_oneof![RANGE, CLOSE]
}

/// Part of the range, often with an end that is close.
fn part() -> impl Strategy<Value = Range<i64>> {
    let ordered = (minute(), minute()).prop_map(|(one, other)| one.min(other)..one.max(other) + 1);
    prop_oneof![Just(RANGE), ordered]
}

type Changes = (
    Vec<(Span, Vec<usize>, Turn)>,
    Vec<(usize, Span, usize, Span)>,
    Vec<(usize, Span)>,
);

fn changes(odd: i64) -> impl Strategy<Value = Changes> {
    (
        vec((span(odd), vec(0_usize..4, 1..4), turn()), 0..3),
        vec((0_usize..4, span(odd), 1_usize..4, span(odd)), 0..4),
        vec((0_usize..4, span(odd)), 0..4),
    )
}

fn changed(mut schedule: Schedule, (temporary, swaps, overrides): Changes) -> Schedule {
    let entropy = &mut Seeded(99);
    for (span, members, turn) in temporary {
        schedule.temporary.push(Temporary {
            id: TemporaryId::random(entropy),
            span,
            turn: (members.len() > 1).then_some(turn),
            members: people(&members),
        });
    }
    for (one, one_span, further, other_span) in swaps {
        let side = |user: usize, span| SwapSide {
            user: person(user % 4),
            span,
        };
        schedule.swaps.push(Swap {
            id: SwapId::random(entropy),
            one: side(one, one_span),
            other: side(one + further, other_span),
        });
    }
    for (user, span) in overrides {
        schedule.overrides.push(Override {
            id: OverrideId::random(entropy),
            user: person(user),
            span,
        });
    }
    schedule
}

/// A schedule, and the minute that is odd in its zone.
pub(super) fn any_schedule() -> impl Strategy<Value = (Schedule, i64)> {
    select(ODD.to_vec()).prop_flat_map(|(zone, at)| {
        let odd = instant(at).as_millis() / 60_000;
        (
            vec(layer(odd), 0..4),
            prop_oneof![Just(Changes::default()), changes(odd)],
        )
            .prop_map(move |(layers, changes)| (changed(of_layers(zone, layers), changes), odd))
    })
}

/// What changes hands between `entries`, and from what is just before them.
fn hand_offs_of(before: &Entry, entries: &[Entry]) -> Vec<HandOff> {
    let mut last = before.user();
    let mut found = Vec::new();
    for entry in entries {
        if entry.user() != last {
            found.push(HandOff {
                at: entry.span().from,
                from: last,
                to: entry.user(),
            });
            last = entry.user();
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn the_final_schedule_equals_the_calculation_by_the_minute((schedule, odd) in any_schedule(), part in part()) {
        prop_assert_eq!(schedule.violations(), Vec::<String>::new());
        let first = odd - AROUND;
        let minutes = Minutes::of(&schedule, first, WINDOW);
        let (from, until) = (first + part.start, first + part.end);
        let range = Span::new(at_minute(from), at_minute(until));
        let expected = minutes.entries(from, until);
        prop_assert_eq!(&schedule.render(range).unwrap(), &expected);

        let before = minutes.entries(from - 1, from);
        prop_assert_eq!(schedule.hand_offs(range).unwrap(), hand_offs_of(&before[0], &expected));
        let gaps = expected.iter().filter(|entry| entry.user().is_none()).map(Entry::span);
        prop_assert_eq!(schedule.gaps(range).unwrap(), gaps.collect::<Vec<_>>());
        let given: Vec<(i64, i64)> = schedule
            .swap_standings()
            .iter()
            .map(|one| (one.one_us / 60_000_000, one.other_us / 60_000_000))
            .collect();
        prop_assert_eq!(given, minutes.given);
    }

    #[test]
    fn each_instant_knows_the_whole_of_its_shift_and_what_comes_then(
        (schedule, odd) in any_schedule(),
        asked in vec(minute(), 8),
    ) {
        let first = odd - AROUND;
        let minutes = Minutes::of(&schedule, first, WINDOW);
        let all = minutes.entries(first, first + WINDOW);
        // What touches the ends of the window may go on outside of it.
        let inner = all.get(1..all.len() - 1).unwrap_or_default();
        for minute in asked {
            let at = at_minute(first + minute);
            let Some(place) = inner.iter().position(|entry| entry.span().contains(at)) else {
                continue;
            };
            let expected = inner[place];
            let duty = schedule.duty_at(at);
            match expected {
                Entry::Shift(shift) => prop_assert_eq!(duty.shift, Some(shift)),
                Entry::Gap(_) => prop_assert_eq!(duty.shift, None),
            }
            prop_assert_eq!(duty.shift, schedule.shift_at(at));
            let before = inner[..place].iter().rev().find(|entry| entry.user() != expected.user());
            if let Some(before) = before {
                prop_assert_eq!(schedule.duty_since(at), Some(before.span().until));
            }
            let Some(change) = inner[place..].iter().find(|entry| entry.user() != expected.user()) else {
                continue;
            };
            prop_assert_eq!(duty.until, Some(change.span().from));
            let next = inner[place..]
                .iter()
                .find(|entry| entry.user().is_some() && entry.span().from >= change.span().from);
            if let Some(Entry::Shift(next)) = next {
                prop_assert_eq!(duty.next, Some(*next));
            }
        }
    }

    #[test]
    fn a_range_shows_the_same_as_its_parts((schedule, odd) in any_schedule(), cut in minute()) {
        let first = odd - AROUND;
        let at = |minute| at_minute(first + minute);
        prop_assume!(cut > RANGE.start);
        let whole = schedule.render(Span::new(at(RANGE.start), at(RANGE.end))).unwrap();
        let mut parts = schedule.render(Span::new(at(RANGE.start), at(cut))).unwrap();
        parts.extend(schedule.render(Span::new(at(cut), at(RANGE.end))).unwrap());
        let users = |entries: &[Entry]| {
            let mut changes: Vec<_> = entries.iter().map(|one| (one.span().from, one.user())).collect();
            changes.dedup_by_key(|(_, user)| *user);
            changes
        };
        prop_assert_eq!(users(&parts), users(&whole));
    }
}
