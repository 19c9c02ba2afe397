//! The drill: a real Apache is broken, and the whole chain from the break to the postmortem is watched and timed.

mod apache;
mod apache_conf;
mod breaks;
mod inbox;
mod login_app;
mod rehearsal;
mod smtp_sink;
mod stage;
mod traffic;
mod webhook_sink;

use std::path::PathBuf;

use clap::Args;

use self::breaks::Break;
use crate::build;
use crate::failure::Outcome;

#[derive(Args)]
pub(crate) struct Options {
    /// How webserver-01 is broken
    #[arg(long = "break", value_enum, default_value = "kill", value_name = "HOW")]
    pub(crate) how: Break,
    /// Wait for you to acknowledge in the browser
    #[arg(long)]
    manual: bool,
    /// Stop everything at the end instead of leaving it running until Ctrl-C
    #[arg(long)]
    exit: bool,
    /// Work in this directory and keep it
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Also write what was measured to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail when a limit is exceeded at all, not only threefold
    #[arg(long)]
    strict: bool,
    /// Seconds of traffic before the break
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    warm_up: u64,
    #[command(flatten)]
    profile: build::Profile,
    /// (internal) Break and repair webserver-01 without Tocsin
    #[arg(long, hide = true)]
    rehearse: bool,
}

/// Runs the drill that was asked for.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    if options.rehearse {
        return rehearsal::run(options);
    }
    Ok(())
}
