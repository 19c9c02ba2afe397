//! Whose turn it is: civil boundaries, no hole, no overlap.

use proptest::prelude::*;
use tocsin_domain::oncall::{Schedule, TurnUnit};
use tocsin_domain::time::Timestamp;

use super::{instant, schedule};

fn check_turn(schedule: &Schedule, at: &str, index: usize, until: &str) {
    let shift = schedule.shift_at(instant(at)).unwrap();
    assert_eq!(shift.user, schedule.layers[0].members[index], "at {at}");
    assert_eq!(shift.until.to_rfc3339(), until, "at {at}");
}

#[test]
fn a_daily_hand_off_keeps_its_civil_time_when_the_clocks_change() {
    // Clocks in Paris go from 02:00 to 03:00 on 2024-03-31.
    let rota = schedule(
        "Europe/Paris",
        "2024-03-29T09:00:00+01:00",
        1,
        TurnUnit::Days,
        3,
    );
    check_turn(&rota, "2024-03-30T08:00:00Z", 1, "2024-03-31T07:00:00.000Z");
    check_turn(&rota, "2024-03-31T06:59:59Z", 1, "2024-03-31T07:00:00.000Z");
    check_turn(&rota, "2024-03-31T07:00:00Z", 2, "2024-04-01T07:00:00.000Z");
}

#[test]
fn a_hand_off_in_the_skipped_hour_happens_when_the_clocks_jump() {
    let rota = schedule(
        "Europe/Paris",
        "2024-03-30T02:30:00+01:00",
        1,
        TurnUnit::Days,
        2,
    );
    check_turn(&rota, "2024-03-31T00:59:59Z", 0, "2024-03-31T01:00:00.000Z");
    check_turn(&rota, "2024-03-31T01:00:00Z", 1, "2024-04-01T00:30:00.000Z");
}

#[test]
fn a_repeated_hour_belongs_to_the_turn_that_began_in_its_first_pass() {
    // Clocks in Paris go from 03:00 back to 02:00 on 2024-10-27, at 01:00 UTC.
    let at = |time| {
        let start = format!("2024-10-26T{time}:00+02:00");
        schedule("Europe/Paris", &start, 1, TurnUnit::Days, 2)
    };
    let within = at("02:30");
    check_turn(
        &within,
        "2024-10-27T00:29:59Z",
        0,
        "2024-10-27T00:30:00.000Z",
    );
    check_turn(
        &within,
        "2024-10-27T01:15:00Z",
        1,
        "2024-10-28T01:30:00.000Z",
    );
    let after = at("03:00");
    check_turn(
        &after,
        "2024-10-27T01:15:00Z",
        0,
        "2024-10-27T02:00:00.000Z",
    );
    check_turn(
        &after,
        "2024-10-27T02:00:00Z",
        1,
        "2024-10-28T02:00:00.000Z",
    );
}

#[test]
fn turns_within_a_day_that_a_zone_skipped_keep_their_order() {
    // Samoa had no 2011-12-30.
    let rota = schedule(
        "Pacific/Apia",
        "2011-10-28T20:00:00Z",
        14,
        TurnUnit::Hours,
        1,
    );
    let mut at = instant("2011-12-28T00:00:00Z");
    for _ in 0..12 {
        let shift = rota.shift_at(at).unwrap();
        assert!(shift.from <= at && at < shift.until, "{shift:?}");
        assert_eq!(rota.shift_at(shift.until).unwrap().from, shift.until);
        at = shift.until;
    }
}

#[test]
fn nobody_is_on_call_before_the_start_or_without_members() {
    let rota = schedule("UTC", "2024-01-01T00:00:00Z", 1, TurnUnit::Weeks, 1);
    assert_eq!(rota.shift_at(instant("2023-12-31T23:59:59Z")), None);
    let empty = schedule("UTC", "2024-01-01T00:00:00Z", 1, TurnUnit::Weeks, 0);
    assert_eq!(empty.shift_at(instant("2024-06-01T00:00:00Z")), None);
}

fn unit() -> impl Strategy<Value = TurnUnit> {
    prop_oneof![
        Just(TurnUnit::Hours),
        Just(TurnUnit::Days),
        Just(TurnUnit::Weeks)
    ]
}

proptest! {
    #[test]
    fn shifts_follow_each_other_without_hole_or_overlap(
        zone in prop::sample::select(vec![
            "UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
            "America/Sao_Paulo", "Africa/Casablanca",
        ]),
        start_s in 1_300_000_000_i64..1_700_000_000,
        after_s in 0_i64..100_000_000,
        every in 1_u32..15,
        unit in unit(),
        members in 1_usize..5,
    ) {
        let start = Timestamp::from_millis(start_s * 1_000).to_rfc3339();
        let rota = schedule(zone, &start, every, unit, members);
        let mut at = Timestamp::from_millis((start_s + after_s) * 1_000);
        for _ in 0..20 {
            let shift = rota.shift_at(at).unwrap();
            prop_assert!(shift.from <= at && at < shift.until, "{shift:?} at {at}");
            let last = Timestamp::from_micros(shift.until.as_micros() - 1);
            prop_assert_eq!(rota.shift_at(last), Some(shift));
            let next = rota.shift_at(shift.until).unwrap();
            prop_assert_eq!(next.from, shift.until);
            at = shift.until;
        }
    }
}
