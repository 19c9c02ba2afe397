//! The bench: Tocsin beside its rivals on this machine, in one run, by drivers that speak only standard protocols; it knows
//! none of them from inside.

mod answers;
mod disk;
mod drivers;
mod fronts;
mod load;
mod memory;
mod oncall;
mod rules;
mod sizes;
mod system;
mod table;
mod usage;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use self::drivers::Drivers;
use self::sizes::Sizes;
use self::system::{Kind, System};
use self::table::{Row, Table};
use crate::build::{self, Profile};
use crate::clock;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::screen::{self, step};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum What {
    /// CPU, disk, memory, queries and rules of the store of metrics; Debian's prometheus and victoria-metrics beside it when
    /// they are installed. Prints a Markdown table and how each figure was measured
    Metrics(Options),
    /// Alerts accepted, pages sent, escalations and a storm: how fast, and what they cost. Prints a Markdown table
    Oncall(oncall::Options),
    /// What the fronts add to the cost of the native call, and how long lists of 100 of 100,000 incidents take. Prints Markdown tables
    Fronts(fronts::Options),
}

#[derive(Args)]
pub(crate) struct Options {
    /// The folder of the drivers (rw_load.py and so on) instead of ../shared/bench beside the repository
    #[arg(long, value_name = "DIR")]
    drivers: Option<PathBuf>,
    /// Measure this binary of Tocsin instead of building a release
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Only these parts, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// Smaller sizes, to see that all works; its figures are not those the limits are meant for
    #[arg(long)]
    quick: bool,
    /// Whether the rivals that are installed are measured too
    #[arg(long, value_enum, default_value = "yes", value_name = "YES|NO")]
    peers: Peers,
    /// Loads whose median is given, of memory too; without it 3, of memory 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Times that each query is asked; without it 60
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
}

/// A part of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// CPU of remote write
    Load,
    /// Bytes per sample
    Disk,
    /// Resident memory
    Memory,
    /// Queries A to F
    Queries,
    /// Alert rules
    Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peers {
    Yes,
    No,
}

/// One run: what it works with, and what came out so far.
pub(crate) struct Bench {
    only: Vec<Part>,
    sizes: Sizes,
    dir: PathBuf,
    drivers: Drivers,
    janitor: Janitor,
    table: Table,
    /// Series and points of each answer, by row and server.
    answers: BTreeMap<(Row, Kind), (u64, u64)>,
    missed: usize,
}

impl Bench {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Says that something could not be measured. The rest goes on: a run takes long.
    fn missed(&mut self, kind: Kind, what: &str, failure: &Failure) {
        let text = format!("{}: {what} could not be measured", kind.name());
        screen::line(format!("  !!  {text}: {failure}"));
        self.table.note(format!("{text}; the reason stands above."));
        self.missed += 1;
    }

    /// Notes how much an answer held, so that a quick answer that is no answer shows.
    fn compare(&mut self, row: Row, kind: Kind, size: (u64, u64)) {
        self.answers.insert((row, kind), size);
        let Some(theirs) = self.answers.get(&(row, Kind::Prometheus)) else {
            return;
        };
        if kind == Kind::Tocsin && *theirs != size {
            let title = self.sizes.title(row);
            self.table.note(format!(
                "{title}: Tocsin answered {} series and {} points, Prometheus {} and {}",
                size.0, size.1, theirs.0, theirs.1
            ));
        }
    }
}

/// Measures what was asked for.
pub(crate) fn run(what: &What) -> Outcome<()> {
    match what {
        What::Metrics(options) => metrics(options),
        What::Oncall(options) => oncall::run(options),
        What::Fronts(options) => fronts::run(options),
    }
}

fn metrics(options: &Options) -> Outcome<()> {
    let dir = places::target().join("bench");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let dir = dir
        .canonicalize()
        .because(format!("finding {}", dir.display()))?;
    let folder = match &options.drivers {
        Some(folder) => folder.clone(),
        None => places::root().join("../shared/bench"),
    };
    let drivers = step(
        "drivers",
        |step| Drivers::find(&folder, &dir, step),
        |_| folder.display().to_string(),
    )?;
    let systems = systems(options, &dir)?;
    let mut bench = Bench {
        only: options.only.clone(),
        sizes: Sizes::of(options),
        dir,
        drivers,
        janitor: Janitor::hire()?,
        table: Table::default(),
        answers: BTreeMap::new(),
        missed: 0,
    };
    if [Part::Load, Part::Disk, Part::Queries]
        .iter()
        .any(|part| bench.wants(*part))
    {
        load::measure(&mut bench, &systems);
    }
    if bench.wants(Part::Memory) {
        memory::measure(&mut bench, &systems);
    }
    if bench.wants(Part::Rules) {
        rules::measure(&mut bench, &systems);
    }
    show(&bench, &systems);
    bench.janitor.tidy_up();
    if bench.missed > 0 {
        let missed = bench.missed;
        fail!("{missed} things could not be measured; the notes say which and why");
    }
    let unreached = bench.table.unreached(|row| bench.sizes.title(row));
    judge(&unreached, !bench.sizes.is_whole)
}

/// Fails when rows of the table, which is on the screen by then, do not reach what they must. The limits are meant for the whole
/// sizes: what a quick run measures is told, and fails nothing.
fn judge(unreached: &[String], is_quick: bool) -> Outcome<()> {
    if is_quick {
        return Ok(());
    }
    if !unreached.is_empty() {
        fail!("Not reached: {}", unreached.join("; "));
    }
    screen::line("\nWhatever was judged reaches its limit.");
    Ok(())
}

/// The servers to measure, the rivals first.
fn systems(options: &Options, dir: &std::path::Path) -> Outcome<Vec<System>> {
    let binary = match &options.binary {
        Some(binary) => binary
            .canonicalize()
            .because(format!("finding {}", binary.display()))?,
        None => step(
            "tocsin",
            |_| build::binary(Profile::RELEASE),
            |path| path.display().to_string(),
        )?,
    };
    let mut systems = Vec::new();
    if options.peers == Peers::Yes {
        for kind in [Kind::Prometheus, Kind::Victoria] {
            match System::installed(kind, dir) {
                Some(system) => systems.push(system),
                None => screen::line(format!(
                    "  --  {} is not installed and is left out",
                    kind.name()
                )),
            }
        }
    }
    systems.push(System::new(Kind::Tocsin, binary, dir));
    Ok(systems)
}

fn show(bench: &Bench, systems: &[System]) {
    screen::heading(format!(
        "Measured {}, {}.",
        clock::show(clock::now()),
        usage::machine()
    ));
    for system in systems {
        if let Some(version) = system.package_version() {
            screen::line(format!("{} {version}.", system.kind.name()));
        }
    }
    if !bench.sizes.is_whole {
        screen::line("These are the sizes of --quick: the limits are not meant for them.");
    }
    let sizes = bench.sizes;
    let text = bench.table.markdown(|row| sizes.title(row), sizes.is_whole);
    screen::line(format!("\n{text}\nStarted by:\n"));
    for system in systems {
        screen::line(format!("- `{}`", system.command()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_fails_with_the_rows_that_were_not_reached_unless_it_was_a_quick_one() {
        let unreached = ["memory: 201 (must be <= 200)", "storm: 6.00 (must be <= 5)"];
        let unreached = unreached.map(str::to_owned);
        let failure = judge(&unreached, false).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "Not reached: memory: 201 (must be <= 200); storm: 6.00 (must be <= 5)"
        );
        assert!(judge(&unreached, true).is_ok());
        assert!(judge(&[], false).is_ok());
    }
}
