//! The binary `tocsin`: command line, configuration, wiring and signals.

mod client;
mod config;

use std::process::ExitCode;

use clap::Parser;

/// Finds out that the web server fails, pages who is on call, and writes the postmortem.
#[derive(Parser)]
#[command(name = "tocsin", version)]
struct Arguments {
    #[command(flatten)]
    connection: client::Connection,
    #[command(subcommand)]
    command: client::ClientCommand,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    client::run(arguments.command, &arguments.connection)
}
