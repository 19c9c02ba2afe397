//! Every chore of the project: `cargo xtask CHORE`. It knows the product only from outside, by its command line, its API
//! and its files, and compiles before anything else.

mod bench;
mod build;
mod chores;
mod clients;
mod clock;
mod drill;
mod failure;
mod faults;
mod http;
mod janitor;
mod kill;
mod licences;
mod packages;
mod places;
mod processes;
mod random;
mod reference;
mod screen;
mod sim;
mod site;
mod soak;
mod stamp;
mod suite;
mod supervise;
mod tidy;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;

/// The chores of Tocsin.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Breaks a real Apache, and shows the page, the recovery and the postmortem
    Drill(drill::Options),
    /// Installs what the tests need, runs all of them, ends with a summary
    Test(suite::Options),
    /// Builds the browser side and the binary, both only where something changed
    Build(build::Profile),
    /// Writes openapi.json anew, and from it the page of the API and the browser's client
    Openapi,
    /// Measures the store of metrics beside Prometheus and VictoriaMetrics
    #[command(subcommand)]
    Bench(bench::What),
    /// Runs the whole engine through thousands of simulated days of faults
    Sim(sim::Options),
    /// Breaks the world around the binary: disk, clock, providers, senders, the process itself
    Faults(faults::Options),
    /// Kills the binary at random points while alerts pour in: nothing accepted may be lost
    Kill(kill::Options),
    /// Drives the binary with real clients: PagerDuty's libraries, amtool, Prometheus, schemathesis
    Clients(clients::Options),
    /// The long runs: simulator, seeded bugs, 1,000 kills, all faults, a storm; an hour or so, with a table at the end
    Soak(soak::Options),
    /// Checks sizes, first lines, dependency arrows and licences
    Tidy,
    /// Takes screenshots of the user interface into target/shots
    Shots,
    /// (internal) Restarts a program shortly after it died
    #[command(hide = true)]
    Supervise {
        #[arg(long)]
        delay_ms: u64,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// (internal) Ends what a chore started once the chore is gone
    #[command(hide = true)]
    Janitor,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_said() => ExitCode::FAILURE,
        Err(failure) => {
            screen::line(format!("\n{failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Outcome<()> {
    match chore {
        Chore::Drill(options) => drill::run(&options),
        Chore::Test(options) => suite::run(&options),
        Chore::Build(profile) => build::run(profile),
        Chore::Openapi => build::openapi(),
        Chore::Bench(what) => bench::run(&what),
        Chore::Sim(options) => sim::run(&options),
        Chore::Faults(options) => faults::run(&options),
        Chore::Kill(options) => kill::run(&options),
        Chore::Clients(options) => clients::run(&options),
        Chore::Soak(options) => soak::run(&options),
        Chore::Tidy => tidy::run(),
        Chore::Shots => suite::shots(),
        Chore::Supervise { delay_ms, command } => {
            supervise::supervise(&command, Duration::from_millis(delay_ms))
        }
        Chore::Janitor => janitor::work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }
}
