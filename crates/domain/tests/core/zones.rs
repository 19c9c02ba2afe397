//! Hand-offs in every zone over fifty years equal those that Python's zoneinfo gives, an implementation of its own.
//!
//! Both sides must read the same rules, or a difference would only tell the age of a database: Python is pointed to
//! `DATABASE`, and a zone is compared when ours equals the file there. Names for the same rules are calculated once. Without python3,
//! its zones or enough of them the tests fail: a comparison that did not take place proves nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the reference is another program, and a test says how much it compared"
)]

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use jiff::tz::TimeZone;
use tocsin_domain::id::{Entropy, ScheduleId, TeamId, UserId};
use tocsin_domain::oncall::{Layer, Schedule, Span, Turn, TurnUnit};
use tocsin_domain::time::Timestamp;

/// The zone database of the system, which is the first that jiff looks for.
pub(crate) const DATABASE: &str = "/usr/share/zoneinfo";
/// Every so many days at a time of day, from 1990-01-01, a Monday, on.
const PLANS: [(u32, &str); 6] = [
    (1, "00:00"),
    (1, "02:30"),
    (7, "00:00"),
    (7, "01:00"),
    (7, "02:30"),
    (7, "23:30"),
];
/// Members of each rotation: with three, a turn that the clocks skip shows.
const MEMBERS: usize = 3;
/// Zones that are compared at least, in these areas, and in all together: 590 of some 600. Others may come and go.
const ABOUT_THE_POLES: usize = 77;
const AMERICAS: usize = 167;
const ASIA: usize = 98;
const ELSEWHERE: usize = 248;
const _: () = assert!(ABOUT_THE_POLES + AMERICAS + ASIA + ELSEWHERE >= 590);
/// What the reference ends with when it has no zones.
const NO_ZONES: i32 = 3;

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0 += 1;
        buffer.fill(self.0);
    }
}

// Four tests, so that each is short also on a busy machine.

#[test]
fn hand_offs_over_fifty_years_equal_the_reference_in_africa_and_around_the_poles() {
    let areas = ["Africa", "Antarctica", "Arctic", "Atlantic"];
    check(ABOUT_THE_POLES, |area| areas.contains(&area));
}

#[test]
fn hand_offs_over_fifty_years_equal_the_reference_in_the_americas() {
    check(AMERICAS, |area| area == "America");
}

#[test]
fn hand_offs_over_fifty_years_equal_the_reference_in_asia() {
    check(ASIA, |area| area == "Asia");
}

#[test]
fn hand_offs_over_fifty_years_equal_the_reference_in_all_other_zones() {
    let elsewhere = [
        "Africa",
        "Antarctica",
        "Arctic",
        "Atlantic",
        "America",
        "Asia",
    ];
    check(ELSEWHERE, |area| !elsewhere.contains(&area));
}

/// Compares the zones of these areas, which are the first parts of their names: so many at least.
#[track_caller]
fn check(least: usize, is_wanted: impl Fn(&str) -> bool) {
    let zones = zones(is_wanted);
    let names: Vec<&str> = zones.iter().map(|names| names[0].as_str()).collect();
    let mut reference = start_reference(&names);
    let mut answers = BufReader::new(reference.stdout.take().unwrap());
    let (mut compared, mut hand_offs, mut differences) = (0, 0, Vec::new());
    for names in &zones {
        for (index, plan) in PLANS.into_iter().enumerate() {
            let Some(expected) = read_answer(&mut answers) else {
                let status = reference.wait().unwrap();
                assert_ne!(
                    status.code(),
                    Some(NO_ZONES),
                    "python3 has no zoneinfo (3.9 or newer has it) or no zones under {DATABASE}: install tzdata"
                );
                panic!("the reference failed: {status}");
            };
            // Python does not know the name.
            if expected.is_empty() {
                continue;
            }
            compared += if index == 0 { names.len() } else { 0 };
            hand_offs += expected.len();
            differences.extend(difference(&names[0], plan, &expected));
        }
    }
    assert!(reference.wait().unwrap().success());
    eprintln!("{compared} zones, {hand_offs} hand-offs");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(
        compared >= least,
        "only {compared} zones were compared and not {least}: install tzdata, and tzdata-legacy where the old names are apart"
    );
}

/// The names that jiff knows with the rules of the database, those for the same rules together.
fn zones(is_wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let mut by_rules: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for name in jiff::tz::db().available() {
        let name = name.as_str();
        if !is_wanted(name.split('/').next().unwrap_or_default()) {
            continue;
        }
        let zone = TimeZone::get(name).unwrap();
        let same = std::fs::read(format!("{DATABASE}/{name}"))
            .ok()
            .filter(|rules| {
                zone == TimeZone::UTC
                    || TimeZone::tzif(name, rules).is_ok_and(|there| there == zone)
            });
        match same {
            Some(rules) => by_rules.entry(rules).or_default().push(name.to_owned()),
            None => others.push(name.to_owned()),
        }
    }
    if !others.is_empty() {
        eprintln!("not compared, since {DATABASE} has other rules or none: {others:?}");
    }
    by_rules.into_values().collect()
}

fn start_reference(names: &[&str]) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zones.py");
    let mut child = Command::new("python3")
        .arg(script)
        .args(PLANS.map(|(days, time)| format!("{days}@{time}")))
        .env("PYTHONTZPATH", DATABASE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed: it is the reference");
    // It reads all names before it answers; should it end at once, its answers are missing, which is seen there.
    let mut names_to = child.stdin.take().unwrap();
    let _ = names_to.write_all(names.join("\n").as_bytes());
    child
}

/// The next hand-offs, in seconds since 1970; `None` when the reference ended.
fn read_answer(answers: &mut BufReader<ChildStdout>) -> Option<Vec<i64>> {
    let mut word = [0; 8];
    answers.read_exact(&mut word).ok()?;
    let count = usize::try_from(i64::from_ne_bytes(word)).unwrap();
    let mut bytes = vec![0; count * 8];
    answers.read_exact(&mut bytes).ok()?;
    let words = bytes.chunks_exact(8);
    Some(
        words
            .map(|word| i64::from_ne_bytes(word.try_into().unwrap()))
            .collect(),
    )
}

/// The first hand-off that differs from the reference, in words.
fn difference(zone: &str, plan: (u32, &str), expected: &[i64]) -> Option<String> {
    let (first, last) = (second(expected[0]), second(*expected.last()?));
    let rota = rota(zone, plan, first);
    let members = &rota.layers[0].members;
    // Turns that the clocks skip begin and end at the same instant: the last one that begins there has it.
    let mut wanted = expected
        .iter()
        .enumerate()
        .filter(|(turn, at)| expected.get(turn + 1) != Some(at));
    let mut from = first;
    while from <= last {
        let range = Span::of_days(from, 400);
        for found in rota.hand_offs(range).unwrap() {
            if found.at > last {
                break;
            }
            let (turn, at) = wanted.next()?;
            if found.at != second(*at) || found.to != Some(members[turn % MEMBERS]) {
                return Some(format!(
                    "{zone} {plan:?}: turn {turn} begins at {}, not {}",
                    second(*at),
                    found.at
                ));
            }
        }
        from = range.until;
    }
    let (turn, _) = wanted.next()?;
    Some(format!("{zone} {plan:?}: there is no turn {turn}"))
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// A rotation of three people by a plan, that began a week before `first`.
fn rota(zone: &str, (days, time): (u32, &str), first: Timestamp) -> Schedule {
    let entropy = &mut Counting(0);
    let turn = Turn {
        every: days,
        unit: TurnUnit::Days,
    };
    let members = (0..MEMBERS).map(|_| UserId::random(entropy)).collect();
    let mut layer = Layer::rotation(first.minus_ms(7 * 86_400_000), turn, members);
    layer.hand_off = Some(format!("1990-01-01T{time}").parse().unwrap());
    if days == 7 {
        layer.every = 1;
        layer.unit = TurnUnit::Weeks;
    }
    Schedule::of_layers(
        ScheduleId::random(entropy),
        TeamId::random(entropy),
        "Rota".to_owned(),
        zone.to_owned(),
        vec![layer],
    )
}
