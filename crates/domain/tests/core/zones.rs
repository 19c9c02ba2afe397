//! Hand-offs in every zone over fifty years equal those that Python's zoneinfo gives, an implementation of its own.
//!
//! Both sides must read the same rules, or a difference would only tell the age of a database: Python is pointed to
//! `DATABASE`, and each of our zones must equal the file there. Every zone is compared that one of the two knows, but for those that are
//! named here; names for the same rules are calculated once. Without python3, its zones or enough of them the tests fail: a comparison
//! that did not take place proves nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the reference is another program, and a test says how much it compared"
)]

use std::collections::{BTreeMap, BTreeSet};
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
/// Files of the database that are no zone to Python.
const UNKNOWN_TO_PYTHON: [&str; 1] = ["posixrules"];
/// Zones that are compared at least, in these areas, and in all together: 597. With `Factory`, and with `localtime` where the machine
/// has one, they were 599 in 2026; others may come.
const ABOUT_THE_POLES: usize = 79;
const AMERICAS: usize = 169;
const ASIA: usize = 99;
const ELSEWHERE: usize = 250;
const _: () = assert!(ABOUT_THE_POLES + AMERICAS + ASIA + ELSEWHERE >= 597);
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

/// Compares the zones of these areas, which are the first parts of their names: all that there are, and so many at least.
#[track_caller]
fn check(least: usize, is_wanted: impl Fn(&str) -> bool) {
    let is_wanted = |name: &String| is_wanted(name.split('/').next().unwrap_or_default());
    let ours = jiff::tz::db().available();
    let ours: BTreeSet<String> = ours.map(|name| name.as_str().to_owned()).collect();
    let ours: BTreeSet<String> = ours.into_iter().filter(is_wanted).collect();
    let theirs: BTreeSet<String> = known_to_python().into_iter().filter(is_wanted).collect();
    let unknown = ours.difference(&theirs).map(String::as_str);
    let unknown: Vec<&str> = unknown
        .filter(|name| !UNKNOWN_TO_PYTHON.contains(name))
        .collect();
    assert!(
        unknown.is_empty(),
        "Python does not know these zones: {unknown:?}"
    );
    let missing: Vec<&String> = theirs.difference(&ours).collect();
    assert!(
        missing.is_empty(),
        "we do not know these zones: {missing:?}"
    );

    let zones = by_rules(theirs);
    let compared: usize = zones.iter().map(Vec::len).sum();
    let names: Vec<&str> = zones.iter().map(|names| names[0].as_str()).collect();
    let mut reference = start_reference(&PLANS, &names);
    let mut answers = BufReader::new(reference.stdout.take().unwrap());
    let (mut hand_offs, mut differences) = (0, Vec::new());
    for name in names {
        for plan in PLANS {
            let Some(expected) = read_answer(&mut answers) else {
                panic!("the reference failed: {}", reference.wait().unwrap());
            };
            hand_offs += expected.len();
            differences.extend(difference(name, plan, &expected));
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

/// The names of zones in the database that Python knows. It may have others of its own, which are not looked at.
fn known_to_python() -> Vec<String> {
    let output = start_reference(&[], &[]).wait_with_output().unwrap();
    assert_ne!(
        output.status.code(),
        Some(NO_ZONES),
        "python3 has no zoneinfo (3.9 or newer has it) or no zones under {DATABASE}: install tzdata"
    );
    assert!(output.status.success(), "{}", output.status);
    let names = String::from_utf8(output.stdout).unwrap();
    let names = names.lines().map(str::to_owned);
    names.filter(|name| file_of(name).is_ok()).collect()
}

fn file_of(name: &str) -> std::io::Result<Vec<u8>> {
    std::fs::read(format!("{DATABASE}/{name}"))
}

/// These zones, those of the same rules together. Each must have for us the rules that stand in the database.
fn by_rules(names: BTreeSet<String>) -> Vec<Vec<String>> {
    let mut by_rules: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for name in names {
        let (zone, rules) = (TimeZone::get(&name).unwrap(), file_of(&name).unwrap());
        let is_the_same =
            zone == TimeZone::UTC || TimeZone::tzif(&name, &rules).is_ok_and(|there| there == zone);
        assert!(is_the_same, "{DATABASE} has other rules for {name}");
        by_rules.entry(rules).or_default().push(name);
    }
    by_rules.into_values().collect()
}

fn start_reference(plans: &[(u32, &str)], names: &[&str]) -> Child {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/zones.py");
    let mut child = Command::new("python3")
        .arg(script)
        .args(plans.iter().map(|(days, time)| format!("{days}@{time}")))
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
