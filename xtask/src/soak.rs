//! The long runs, one after the other, each with a log of its own, and a table of how they went; what each checks is its own affair.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::build::Profile;
use crate::chores;
use crate::failure::{Because, Failure, Outcome};
use crate::faults;
use crate::places;
use crate::screen::{self, step};
use crate::site;

#[derive(Args)]
pub(crate) struct Options {
    /// Only these runs, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "RUN")]
    only: Vec<Run>,
    /// The first seed of what has one
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Use this binary of Tocsin instead of building a release
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Pass although something could not be tried on this machine
    #[arg(long)]
    allow_skipped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Run {
    /// The simulator: 10,000 days with 30,000 crashes
    Sim,
    /// The simulator: every seeded bug is caught
    Bugs,
    /// 1,000 kills of the binary under load
    Kills,
    /// Every fault around the binary
    Faults,
    /// The bench's storm, watched until the digests have gone out
    Storm,
}

impl Run {
    fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The chore and what it is told.
    fn chore(self, seed: u64, binary: &Path) -> Vec<String> {
        let (seed, binary) = (seed.to_string(), binary.display().to_string());
        let words: &[&str] = match self {
            Self::Sim => &[
                "sim",
                "--days",
                "10000",
                "--crashes",
                "30000",
                "--seed",
                &seed,
            ],
            Self::Bugs => &["sim", "--bugs"],
            Self::Kills => &[
                "kill", "--times", "1000", "--seed", &seed, "--binary", &binary,
            ],
            Self::Faults => &["faults", "--binary", &binary],
            Self::Storm => &[
                "bench",
                "oncall",
                "--only",
                "storm",
                "--peers",
                "no",
                "--storm-wait",
                "17",
                "--binary",
                &binary,
            ],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    /// Nothing of it failed, and this could not be tried here.
    Skipped(String),
    Failed,
}

impl Verdict {
    fn of(succeeded: bool, said: &str) -> Self {
        match (succeeded, faults::skipped_in(said)) {
            (false, _) => Self::Failed,
            (true, Some(skipped)) => Self::Skipped(skipped.to_owned()),
            (true, None) => Self::Passed,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Skipped(what) => format!("skipped: {what}"),
            Self::Failed => "FAILED".to_owned(),
        }
    }

    /// Whether soak fails for it: what was not tried is not known to hold.
    const fn fails(&self, allows_skipped: bool) -> bool {
        match self {
            Self::Passed => false,
            Self::Skipped(_) => !allows_skipped,
            Self::Failed => true,
        }
    }
}

struct Done {
    name: String,
    seconds: f64,
    verdict: Verdict,
    /// Its last line, which says how it went.
    said: String,
    log: PathBuf,
}

/// Runs all that was asked for, whether or not one fails, and prints the table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let binary = site::binary(options.binary.as_deref(), Profile::RELEASE)?;
    let dir = places::target().join("soak");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let mut table = Vec::new();
    for run in Run::value_variants() {
        if options.only.is_empty() || options.only.contains(run) {
            let chore = run.chore(options.seed, &binary);
            let name = run.word();
            let done = step(
                &name,
                |_| one(&name, &chore, &dir),
                |done: &Done| done.said.clone(),
            );
            table.push(done?);
        }
    }
    show(&table);
    let fails = |done: &Done| done.verdict.fails(options.allow_skipped);
    if table.iter().any(fails) {
        Err(Failure::said())
    } else {
        Ok(())
    }
}

/// The table, and in its last line how many went how.
fn show(table: &[Done]) {
    screen::heading("=== soak");
    for done in table {
        screen::line(format!(
            "  {:<8}{:>9.1} s   {}   {}",
            done.name,
            done.seconds,
            done.verdict.words(),
            done.log.display()
        ));
        screen::line(format!("  {:<8}               {}", "", done.said));
    }
    let (mut passed, mut skipped, mut failed) = (0, 0, 0);
    for done in table {
        match done.verdict {
            Verdict::Passed => passed += 1,
            Verdict::Skipped(_) => skipped += 1,
            Verdict::Failed => failed += 1,
        }
    }
    screen::line(format!(
        "{passed} passed, {skipped} with something skipped, {failed} failed"
    ));
}

fn one(name: &str, chore: &[String], dir: &Path) -> Outcome<Done> {
    let log = dir.join(format!("{name}.log"));
    let began = Instant::now();
    let status = chores::logged(chore, &log, None)?;
    let text = fs::read_to_string(&log).unwrap_or_default();
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    let said = last.unwrap_or("it said nothing").trim();
    Ok(Done {
        name: name.to_owned(),
        seconds: began.elapsed().as_secs_f64(),
        verdict: Verdict::of(status.success(), said),
        said: said.to_owned(),
        log,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::CommandLine;

    #[test]
    fn the_command_line_takes_what_each_run_is_told() {
        for run in Run::value_variants() {
            let chore = run.chore(1, Path::new("/target/release/tocsin"));
            let words = ["xtask".to_owned()].into_iter().chain(chore);
            let read = CommandLine::try_parse_from(words);
            assert!(read.is_ok(), "{}: {:?}", run.word(), read.err());
        }
    }

    #[track_caller]
    fn check(succeeded: bool, said: &str, words: &str, fails: [bool; 2]) {
        let verdict = Verdict::of(succeeded, said);
        assert_eq!(verdict.words(), words);
        assert_eq!([false, true].map(|allows| verdict.fails(allows)), fails);
    }

    #[test]
    fn what_could_not_be_tried_is_told_and_fails_unless_that_is_allowed() {
        let all = "faults: 9 held, 0 skipped, 0 failed, in 90 s";
        let not_all =
            "faults: 8 held, 1 skipped, 0 failed, in 80 s; skipped: clock-jumps (no libfaketime)";
        check(true, all, "passed", [false, false]);
        check(
            true,
            not_all,
            "skipped: clock-jumps (no libfaketime)",
            [true, false],
        );
        check(false, not_all, "FAILED", [true, true]);
    }
}
