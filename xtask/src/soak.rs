//! The long runs, one after the other, each with a log of its own, and a table of how they went; what each checks is its own affair.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::build::Profile;
use crate::chores;
use crate::failure::{Because, Failure, Outcome};
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
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

struct Done {
    name: String,
    seconds: f64,
    passed: bool,
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
    screen::heading("=== soak");
    for done in &table {
        let verdict = if done.passed { "passed" } else { "FAILED" };
        screen::line(format!(
            "  {:<8}{:>9.1} s   {verdict}   {}",
            done.name,
            done.seconds,
            done.log.display()
        ));
        screen::line(format!("  {:<8}               {}", "", done.said));
    }
    let failed = table.iter().filter(|done| !done.passed).count();
    screen::line(format!("{} passed, {failed} failed", table.len() - failed));
    if failed > 0 {
        Err(Failure::said())
    } else {
        Ok(())
    }
}

fn one(name: &str, chore: &[String], dir: &Path) -> Outcome<Done> {
    let log = dir.join(format!("{name}.log"));
    let began = Instant::now();
    let status = chores::logged(chore, &log, None)?;
    let text = fs::read_to_string(&log).unwrap_or_default();
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    Ok(Done {
        name: name.to_owned(),
        seconds: began.elapsed().as_secs_f64(),
        passed: status.success(),
        said: last.unwrap_or("it said nothing").trim().to_owned(),
        log,
    })
}
