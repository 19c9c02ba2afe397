//! The command line of the simulator: many worlds, one world as it happens, or the hunt for seeded bugs. It decides nothing.

use std::process::ExitCode;
use std::time::Duration;

use tocsin_domain::bugs;
use tocsin_sim::{Goal, Plan, Tally, campaign, hunt_all, run, screen};

/// How the simulator is called.
const USAGE: &str = "tocsin-sim [--days N] [--crashes M] [--seed S] [--world-days D]
           [--go-on]   also after a world that failed
           [--trace]   the world of seed S alone, everything that happens in it printed
           [--bugs]    every seeded bug, until it is caught";
/// From so many days on a run is a long one: it fails when it played too little, since it then says too little, or took too long.
const LONG_DAYS: u64 = 10_000;
/// What a long run may take for each so many days that were asked for.
const LONG_TIME_S: u64 = 300;
/// A bug that lives longer than this gets away.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked for.
struct Options {
    days: u64,
    crashes: u64,
    seed: u64,
    days_each: u32,
    goes_on: bool,
    is_traced: bool,
    is_hunt: bool,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        screen::line(USAGE);
        return ExitCode::FAILURE;
    };
    let is_well = if options.is_hunt {
        hunt_bugs(&options)
    } else if options.is_traced {
        trace(&options)
    } else {
        simulate(&options)
    };
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options() -> Option<Options> {
    let mut options = Options {
        days: 1_000,
        crashes: 0,
        seed: 1,
        days_each: 20,
        goes_on: false,
        is_traced: false,
        is_hunt: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--days" => options.days = words.next()?.parse().ok()?,
            "--crashes" => options.crashes = words.next()?.parse().ok()?,
            "--seed" => options.seed = words.next()?.parse().ok()?,
            "--world-days" => options.days_each = words.next()?.parse().ok()?,
            "--go-on" => options.goes_on = true,
            "--trace" => options.is_traced = true,
            "--bugs" => options.is_hunt = true,
            _ => return None,
        }
    }
    Some(options)
}

fn simulate(options: &Options) -> bool {
    let result = campaign(Goal {
        days: options.days,
        crashes: options.crashes,
        seed: options.seed,
        days_each: options.days_each,
        twice_every: 20,
        is_told: true,
        goes_on: options.goes_on,
    });
    show(options, &result);
    if !result.failures.is_empty() {
        return false;
    }
    let tally = &result.tally;
    let allowed = time_allowed(options.days);
    let of = allowed.map(|allowed| format!(" of {} s allowed", allowed.as_secs()));
    screen::line(format!(
        "{} days, {} crashes, {} incidents ({} urgent) in {:.1} s{}: 0 unpaged criticals, 0 attempts after a resolve, at most one repeat per crash or unanswered attempt, 0 differences at replay",
        tally.days,
        tally.crashes(),
        tally.incidents,
        tally.urgent,
        result.took.as_secs_f64(),
        of.unwrap_or_default()
    ));
    let wrong = wrong_with_a_long_run(options.days, tally, result.took);
    for what in &wrong {
        screen::line(format!("FAILED: {what}"));
    }
    wrong.is_empty()
}

/// What was played, and which worlds failed.
fn show(options: &Options, result: &tocsin_sim::Result) {
    let tally = &result.tally;
    screen::line(format!(
        "\nFaults, and how often each was played:\n{}",
        tally.table()
    ));
    screen::line(format!(
        "{} worlds from seed {} on ({} of them twice, to the same events), {} replays, {} events, {} attempts, {} pages accepted, {} accepted again",
        tally.worlds,
        options.seed,
        tally.run_twice,
        tally.replays,
        tally.events,
        tally.attempts,
        tally.pages,
        tally.repeats
    ));
    screen::line(format!(
        "campaign hash {:016x} of the events of the worlds of seeds {}..={}, by tocsin-sim {}",
        result.hash.value,
        options.seed,
        result.hash.last_seed,
        env!("CARGO_PKG_VERSION")
    ));
    for (seed, violation) in &result.failures {
        screen::line(format!(
            "seed {seed} FAILED: {violation}\n  see it happen: cargo xtask sim --seed {seed} --world-days {} --trace",
            options.days_each
        ));
    }
    if let Some((seed, _)) = result.failures.first() {
        let count = result.failures.len();
        screen::line(format!(
            "{count} worlds FAILED, among them that of seed {seed}"
        ));
    }
}

/// How long a run over so many days may take; as long as it likes unless it is a long one.
fn time_allowed(days: u64) -> Option<Duration> {
    let seconds = u128::from(days) * u128::from(LONG_TIME_S) / u128::from(LONG_DAYS);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    (days >= LONG_DAYS).then_some(Duration::from_secs(seconds))
}

/// What a long run must have played and has not, and whether it took too long.
fn wrong_with_a_long_run(days: u64, tally: &Tally, took: Duration) -> Vec<String> {
    let Some(allowed) = time_allowed(days) else {
        return Vec::new();
    };
    let lacks = tally.lacks_of_a_long_run();
    let lacks = (!lacks.is_empty()).then(|| format!("too little was played: {}", lacks.join(", ")));
    let late = (took > allowed).then(|| {
        format!(
            "it took {:.1} s, and {days} days may take {} s at most",
            took.as_secs_f64(),
            allowed.as_secs()
        )
    });
    lacks.into_iter().chain(late).collect()
}

fn trace(options: &Options) -> bool {
    let verdict = run(Plan {
        seed: options.seed,
        days: options.days_each,
        trace: true,
    });
    match verdict.violation {
        Some(violation) => {
            screen::line(format!("seed {} FAILED: {violation}", options.seed));
            false
        }
        None => {
            screen::line(format!("seed {}: all is well", options.seed));
            true
        }
    }
}

fn hunt_bugs(options: &Options) -> bool {
    if !bugs::EXIST {
        screen::line("this build has no seeded bugs: cargo xtask sim --bugs makes one that has");
        return false;
    }
    let missed = hunt_all(options.seed, options.days_each, PATIENCE);
    let count = bugs::BUGS.len();
    if missed.is_empty() {
        screen::line(format!("all {count} seeded bugs were caught"));
    } else {
        screen::line(format!(
            "{} of {count} seeded bugs got away: {missed:?}",
            missed.len()
        ));
    }
    missed.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(days: u64, seconds: u64, expected: Option<&str>) {
        let took = Duration::from_secs(seconds);
        let wrong = wrong_with_a_long_run(days, &Tally::default(), took);
        let late = wrong.iter().find(|what| what.contains("it took"));
        assert_eq!(late.map(String::as_str), expected);
        // Nothing was played in any of them, which a long run says too.
        assert_eq!(
            wrong.iter().any(|what| what.contains("too little")),
            days >= LONG_DAYS
        );
    }

    #[test]
    fn ten_thousand_days_that_take_more_than_five_minutes_fail() {
        check(
            10_000,
            301,
            Some("it took 301.0 s, and 10000 days may take 300 s at most"),
        );
        check(10_000, 300, None);
        check(9_999, 3_600, None);
        check(20_000, 600, None);
    }
}
