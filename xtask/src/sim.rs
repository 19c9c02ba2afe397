//! The simulator: builds it, with seeded bugs where they are hunted, and runs it; what it checks is its own affair.

use std::process::Stdio;

use clap::Args;

use crate::failure::{Because, Failure, Outcome};
use crate::places;
use crate::screen;

#[derive(Args)]
pub(crate) struct Options {
    /// Simulated days at least
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    days: u64,
    /// Crashes of the process at least
    #[arg(long, value_name = "M", default_value_t = 0)]
    crashes: u64,
    /// The first seed; the worlds take the numbers from there on
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Days of each world until its faults stop
    #[arg(long, value_name = "D", default_value_t = 20)]
    world_days: u32,
    /// Go on after a world that failed
    #[arg(long)]
    go_on: bool,
    /// Run the world of that seed alone, and print everything that happens in it
    #[arg(long)]
    trace: bool,
    /// Let every seeded bug loose, one after the other, and fail when one is not caught within 60 s
    #[arg(long, conflicts_with = "trace")]
    bugs: bool,
}

/// Builds and runs the simulator.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    // Seeded bugs are in the core itself, so the binary that hunts them is another one.
    let features: &[&str] = if options.bugs {
        &["--features", "seeded-bugs"]
    } else {
        &[]
    };
    let mut command = places::cargo();
    command
        .args(["run", "--quiet", "--profile", "sim", "-p", "tocsin-sim"])
        .args(features)
        .arg("--");
    for (name, value) in [
        ("--days", options.days),
        ("--crashes", options.crashes),
        ("--seed", options.seed),
        ("--world-days", u64::from(options.world_days)),
    ] {
        command.arg(name).arg(value.to_string());
    }
    for (name, is_wanted) in [
        ("--go-on", options.go_on),
        ("--trace", options.trace),
        ("--bugs", options.bugs),
    ] {
        if is_wanted {
            command.arg(name);
        }
    }
    screen::line("Building the simulator ...");
    let done = command
        .current_dir(places::root())
        .stdin(Stdio::null())
        .status()
        .because("running the simulator")?;
    // The simulator has said what is wrong.
    if done.success() {
        Ok(())
    } else {
        Err(Failure::said())
    }
}
