//! The binary `tocsin`: command line, configuration, wiring and signals.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "a diagnosis made here is shown once the server is wired"
    )
)]
#[cfg_attr(
    test,
    expect(dead_code, reason = "tests call what is below the entry points")
)]
mod client;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the server that reads it is wired later")
)]
#[expect(unused_imports, reason = "the server's flags use them")]
mod config;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Finds out that the web server fails, pages who is on call, and writes the postmortem.
#[derive(Parser)]
#[command(name = "tocsin", version, after_help = client::EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    connection: client::Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tells whether a page would reach somebody now
    #[command(after_help = client::EXIT_CODES)]
    Doctor,
    #[command(flatten)]
    Client(client::ClientCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Nobody can have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match arguments.command {
        Command::Doctor => client::doctor(&arguments.connection),
        Command::Client(command) => client::run(&command, &arguments.connection),
    }
}
