//! The slow calculation agrees with the one that pages.

use super::*;
use crate::random::Random;
use tocsin_domain::id::{ScheduleId, SwapId, TeamId};
use tocsin_domain::oncall::{Hours, Swap, SwapSide, Turn};

fn schedule(zone: &str, start: &str, every: u32, unit: TurnUnit) -> Schedule {
    let random = &mut Random::new(1);
    let members = (0..3).map(|_| UserId::random(random)).collect();
    let start = Timestamp::parse_rfc3339(start).unwrap();
    let layer = Layer::rotation(start, Turn { every, unit }, members);
    Schedule::of_layers(
        ScheduleId::random(random),
        TeamId::random(random),
        "S".to_owned(),
        zone.to_owned(),
        vec![layer],
    )
}

/// The same of work that comes again.
#[test]
fn it_agrees_with_the_one_that_plans_work() {
    let cases = [
        ("Europe/Paris", "2024-10-20T02:30", 1, RepeatUnit::Days),
        ("America/New_York", "2024-03-05T02:00", 2, RepeatUnit::Days),
        (
            "Australia/Lord_Howe",
            "2024-04-01T01:45",
            1,
            RepeatUnit::Weeks,
        ),
    ];
    for (zone, first, every, unit) in cases {
        let work = Repeating {
            time_zone: zone.to_owned(),
            first: first.parse().unwrap(),
            minutes: 90,
            every,
            unit,
            until: None,
        };
        let begin = Timestamp::parse_rfc3339(&format!("{first}:00Z")).unwrap();
        let within = Span::new(begin.minus_ms(86_400_000), begin.plus_ms(20 * 86_400_000));
        let found = occurrences(&work, within).unwrap();
        assert!(found.len() > 2, "{found:?}");
        for span in found {
            for at in [
                span.from,
                Timestamp::from_micros(span.until.as_micros() - 1),
            ] {
                assert_eq!(work.around(at), Some(span), "{zone} {at}");
            }
            for at in [
                Timestamp::from_micros(span.from.as_micros() - 1),
                span.until,
            ] {
                assert_eq!(work.around(at), None, "{zone} {at}");
            }
        }
    }
}

/// And of support hours.
#[test]
fn it_agrees_with_the_one_that_knows_support_hours() {
    let cases = [
        ("Europe/Paris", "2024-10-25T00:00:00Z", 2, 3),
        ("Europe/Paris", "2024-03-29T00:00:00Z", 2, 7),
        ("Australia/Lord_Howe", "2024-04-04T00:00:00Z", 22, 2),
        ("Africa/Cairo", "2024-04-24T00:00:00Z", 0, 9),
    ];
    for (zone, start, from, until) in cases {
        let at_half = |hour| TimeOfDay::at(hour, 30).unwrap();
        let (from, until) = (at_half(from), at_half(until));
        let hours = Hours {
            time_zone: zone.to_owned(),
            windows: vec![Restriction::Daily { from, until }],
        };
        let start = Timestamp::parse_rfc3339(start).unwrap();
        for at in (0..600).map(|count| start.plus_ms(count * 600_000)) {
            let found = is_within(zone, &hours.windows, at);
            assert_eq!(found, Ok(hours.around(at).is_some()), "{zone} {at}");
        }
    }
}

/// And of exchanges, one that holds, one of what was exchanged, and one of which somebody has nothing to give.
#[test]
fn it_agrees_with_the_one_that_exchanges_shifts() {
    let mut schedule = schedule("Europe/Paris", "2024-10-20T00:30:00Z", 12, TurnUnit::Hours);
    let begin = Timestamp::parse_rfc3339("2024-10-25T00:30:00Z").unwrap();
    let members = schedule.layers[0].members.clone();
    let turn = |number: u64| {
        let from = begin.plus_ms(number * 43_200_000);
        Span::new(from, from.plus_ms(43_200_000))
    };
    let has = |schedule: &Schedule, number| {
        let shift = schedule.shift_at(turn(number).from.plus_ms(1));
        shift.unwrap().user
    };
    let random = &mut Random::new(2);
    for (one, other) in [(1, 2), (2, 3), (0, 4)] {
        let side = |number| SwapSide {
            user: has(&schedule, number),
            span: turn(number),
        };
        let mut swap = Swap {
            id: SwapId::random(random),
            one: side(one),
            other: side(other),
        };
        if other == 4 {
            let mut others = members.iter().filter(|user| **user != swap.other.user);
            swap.other.user = *others.find(|user| **user != swap.one.user).unwrap();
        }
        schedule.swaps.push(swap);
    }
    let found = holding(&schedule).unwrap();
    let standings = schedule.swap_standings().into_iter();
    let wanted: Vec<bool> = standings.map(|one| !one.is_void()).collect();
    assert_eq!(found, wanted);
    assert_eq!(found[2..], [false]);
    for minute in (0..4_320).step_by(10) {
        let at = begin.plus_ms(minute * 60_000);
        let paged = schedule.shift_at(at).map(|shift| shift.user);
        assert_eq!(on_call(&schedule, &found, at), Ok(paged), "{at}");
    }
}

/// Both calculations agree around every change of clocks, to the microsecond.
#[test]
fn it_agrees_with_the_one_that_pages() {
    let cases = [
        ("Europe/Paris", "2024-10-20T00:30:00Z"),
        ("America/New_York", "2024-10-28T05:30:00Z"),
        ("Australia/Lord_Howe", "2024-03-30T15:15:00Z"),
        ("Europe/Paris", "2024-03-25T01:30:00Z"),
    ];
    for (zone, start) in cases {
        for (every, unit) in [(1, TurnUnit::Days), (5, TurnUnit::Hours)] {
            let schedule = schedule(zone, start, every, unit);
            let mut at = Timestamp::parse_rfc3339(start).unwrap();
            for _ in 0..90 {
                let Some(next) = next_hand_off(&schedule, at) else {
                    panic!("{zone} has no hand-off after {at}");
                };
                for around in [next.as_micros() - 1, next.as_micros(), at.as_micros() + 77] {
                    let around = Timestamp::from_micros(around);
                    let paged = schedule.shift_at(around).map(|shift| shift.user);
                    let found = on_call(&schedule, &[], around);
                    assert_eq!(found, Ok(paged), "{zone} {around}");
                }
                at = next;
            }
        }
    }
}
