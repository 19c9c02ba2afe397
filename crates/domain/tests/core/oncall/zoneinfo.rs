//! Schedules of layers, restrictions and overrides equal what a program in Python makes of them with its zoneinfo: neither that
//! program nor its zones share anything with what is tested.

#![expect(clippy::disallowed_types, reason = "the reference is another program")]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tocsin_domain::id::{Entropy, OverrideId, UserId};
use tocsin_domain::oncall::{
    Layer, Override, Restriction, Schedule, Span, TimeOfDay, Turn, TurnUnit, WeekTime, Weekday,
};
use tocsin_domain::time::Timestamp;

use super::properties::ODD;
use super::{instant, of_layers, people, person};
use crate::world::Seeded;
use crate::zones::DATABASE;

/// Schedules that are compared.
const SCHEDULES: usize = 300;
/// Parts of each, besides all of it.
const PARTS: usize = 8;
/// People there are.
const PEOPLE: i64 = 4;
/// All is counted in quarters of an hour, as every clock here changes by whole ones.
const DAY: i64 = 96;
const WEEK: i64 = 7 * DAY;
/// What is looked at around the moment at which the clocks change.
const AROUND: i64 = 5 * DAY;

/// Numbers that are the same in each run.
struct Dice(Seeded);

impl Dice {
    /// From `least` on, less than `limit`.
    fn within(&mut self, least: i64, limit: i64) -> i64 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        least + i64::from(u32::from_be_bytes(bytes)) % (limit - least)
    }

    /// True once in so many times.
    fn is_one_of(&mut self, times: i64) -> bool {
        self.within(0, times) == 0
    }

    fn zone(&mut self) -> (&'static str, &'static str) {
        let count = i64::try_from(ODD.len()).unwrap();
        ODD[usize::try_from(self.within(0, count)).unwrap()]
    }

    fn person(&mut self) -> usize {
        usize::try_from(self.within(0, PEOPLE)).unwrap()
    }

    /// Two different places of a period.
    fn two_of(&mut self, period: i64) -> (i64, i64) {
        let from = self.within(0, period);
        (from, (from + self.within(1, period)) % period)
    }
}

fn at(quarter: i64) -> Timestamp {
    Timestamp::from_micros(quarter * 900_000_000)
}

fn quarter_of(at: Timestamp) -> i64 {
    assert_eq!(at.as_micros() % 900_000_000, 0, "{at}");
    at.as_micros() / 900_000_000
}

fn time_of_day(quarter: i64) -> TimeOfDay {
    let part = |number: i64| u32::try_from(number).unwrap();
    TimeOfDay::at(part(quarter / 4), part(quarter % 4 * 15)).unwrap()
}

fn week_time(quarter: i64) -> WeekTime {
    WeekTime {
        weekday: Weekday::ALL[usize::try_from(quarter / DAY).unwrap()],
        time: time_of_day(quarter % DAY),
    }
}

/// A window, as we and as the reference are told of it.
fn any_window(dice: &mut Dice) -> (Restriction, Value) {
    if dice.is_one_of(3) {
        let (from, until) = dice.two_of(WEEK);
        let window = Restriction::Weekly {
            from: week_time(from),
            until: week_time(until),
        };
        return (window, json!([WEEK, from, until]));
    }
    let (from, until) = dice.two_of(DAY);
    let window = Restriction::Daily {
        from: time_of_day(from),
        until: time_of_day(until),
    };
    (window, json!([DAY, from, until]))
}

/// Turns of days, of weeks or of any number of hours.
fn any_turn(dice: &mut Dice) -> (Turn, i64) {
    let (unit, length, limit) = match dice.within(0, 3) {
        0 => (TurnUnit::Days, DAY, 4),
        1 => (TurnUnit::Weeks, WEEK, 3),
        _ => (TurnUnit::Hours, 4, 60),
    };
    let every = dice.within(1, limit);
    let turn = Turn {
        every: u32::try_from(every).unwrap(),
        unit,
    };
    (turn, every * length)
}

/// A layer in the days around a moment, as both are told of it.
fn any_layer(dice: &mut Dice, odd: i64) -> (Layer, Value) {
    let start = odd + dice.within(-2_000, 200);
    let until = dice.is_one_of(3).then(|| start + dice.within(1, 2_700));
    let zone = dice.is_one_of(3).then(|| dice.zone().0);
    let hand_off = dice
        .is_one_of(2)
        .then(|| odd + dice.within(-6 * DAY, 6 * DAY));
    let (turn, length) = any_turn(dice);
    let members: Vec<usize> = (0..dice.within(1, 5)).map(|_| dice.person()).collect();
    let windows = if dice.is_one_of(2) {
        0
    } else {
        dice.within(1, 4)
    };
    let (restrictions, windows): (Vec<Restriction>, Vec<Value>) =
        (0..windows).map(|_| any_window(dice)).unzip();
    let told = json!({
        "start": start,
        "until": until,
        "zone": zone,
        "hand_off": hand_off,
        "turn": length,
        "members": members,
        "windows": windows,
    });
    // A civil time is written as an instant in UTC is, without its end.
    let civil = |quarter| at(quarter).to_rfc3339()[..16].parse().unwrap();
    let layer = Layer {
        until: until.map(at),
        time_zone: zone.map(str::to_owned),
        hand_off: hand_off.map(civil),
        restrictions,
        ..Layer::rotation(at(start), turn, people(&members))
    };
    (layer, told)
}

/// A schedule around a change of clocks, as both are told of it, and the ranges that are asked for.
fn any_schedule(dice: &mut Dice) -> (Schedule, Value, Vec<(i64, i64)>) {
    let (zone, odd) = dice.zone();
    let odd = quarter_of(instant(odd));
    let (layers, told_layers): (Vec<Layer>, Vec<Value>) =
        (0..dice.within(1, 4)).map(|_| any_layer(dice, odd)).unzip();
    let mut schedule = of_layers(zone, layers);
    let mut told_overrides = Vec::new();
    for _ in 0..dice.within(0, 4) {
        let from = odd + dice.within(-AROUND, AROUND);
        let (until, user) = (from + dice.within(1, 2 * DAY), dice.person());
        schedule.overrides.push(Override {
            id: OverrideId::random(&mut dice.0),
            user: person(user),
            span: Span::new(at(from), at(until)),
        });
        told_overrides.push((from, until, user));
    }
    let mut ranges = vec![(odd - AROUND, odd + AROUND)];
    for _ in 0..PARTS {
        let from = odd + dice.within(-AROUND, AROUND);
        ranges.push((from, dice.within(from, odd + AROUND) + 1));
    }
    let told = json!({
        "zone": zone,
        "layers": told_layers,
        "overrides": told_overrides,
        "ranges": ranges,
    });
    (schedule, told, ranges)
}

/// Who (by place, -1 for nobody) is on call from when until when.
type Shifts = Vec<(i64, i64, i64)>;

/// What the reference says of each schedule, for each of its ranges.
fn ask_reference(told: &[String]) -> Vec<Vec<Shifts>> {
    let mut reference = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schedules.py"))
        .env("PYTHONTZPATH", DATABASE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed: it is the reference");
    // It reads all before it answers; should it end at once, that is seen by how it ended.
    let mut told_to = reference.stdin.take().unwrap();
    let _ = told_to.write_all(told.join("\n").as_bytes());
    drop(told_to);
    let output = reference.wait_with_output().unwrap();
    let status = output.status;
    assert!(
        status.success(),
        "the reference failed, {status}: it needs Python 3.9 or newer and zones under {DATABASE}"
    );
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers = answers.lines();
    answers
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What we say of a range.
fn shifts(schedule: &Schedule, everybody: &[UserId], (from, until): (i64, i64)) -> Shifts {
    let place_of = |user| everybody.iter().position(|one| *one == user).unwrap();
    let mut all = Shifts::new();
    let entries = schedule.render(Span::new(at(from), at(until))).unwrap();
    for entry in entries {
        let place = entry.user().map(place_of);
        let who = place.map_or(-1, |place| i64::try_from(place).unwrap());
        let (from, until) = (
            quarter_of(entry.span().from),
            quarter_of(entry.span().until),
        );
        match all.last_mut() {
            // Another turn of the same person.
            Some(last) if last.0 == who && last.2 == from => last.2 = until,
            Some(_) | None => all.push((who, from, until)),
        }
    }
    all
}

#[test]
fn layers_restrictions_and_overrides_around_changes_of_clocks_equal_the_reference() {
    let dice = &mut Dice(Seeded(2_024));
    let asked: Vec<_> = (0..SCHEDULES).map(|_| any_schedule(dice)).collect();
    let told: Vec<String> = asked.iter().map(|(_, told, _)| told.to_string()).collect();
    let expected = ask_reference(&told);
    assert_eq!(expected.len(), SCHEDULES);
    let everybody = people(&[0, 1, 2, 3]);
    let mut changes = 0;
    for ((schedule, told, ranges), expected) in asked.iter().zip(&expected) {
        assert_eq!(schedule.violations(), Vec::<String>::new(), "{told}");
        assert_eq!(expected.len(), ranges.len());
        for (range, expected) in ranges.iter().zip(expected) {
            let found = shifts(schedule, &everybody, *range);
            assert_eq!(&found, expected, "{range:?} of {told}");
            changes += expected.len() - 1;
        }
    }
    assert!(changes > 10 * SCHEDULES, "only {changes} changes of people");
}
