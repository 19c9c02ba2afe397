//! The binary `tocsin`: command line, configuration, wiring and signals.

mod accounts;
mod client;
mod config;
mod data;
mod effects;
mod evidence;
mod journal_port;
mod serve;
mod setup;
mod store_port;
mod system;
mod watch;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::client::{ClientCommand, Connection};
use crate::config::{Config, Flags};

/// Watches your web servers, pages the right person, and writes the postmortem from recorded evidence.
#[derive(Parser)]
#[command(name = "tocsin", version, after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch, page, serve the UI and the API; until SIGTERM.
    Serve(ServeArguments),
    /// Create the first administrator of an unattended installation; prints token, routing key and login link as JSON.
    Setup(SetupArguments),
    /// Print the description of the native API (OpenAPI 3.1).
    #[command(name = "openapi")]
    OpenApi,
    #[command(flatten)]
    Client(ClientArguments),
}

#[derive(Subcommand)]
enum ClientArguments {
    #[command(flatten)]
    Command(ClientCommand),
}

#[derive(clap::Args)]
struct ServeArguments {
    /// The configuration file [default: ./tocsin.toml when it exists].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept [default: ./tocsin-data, or $TOCSIN_DATA].
    #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
    data: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:8700].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Serve HTTPS with this certificate chain and key (PEM), or with `self-signed`.
    #[arg(long, num_args = 1..=2, value_names = ["CERT|self-signed", "KEY"])]
    tls: Option<Vec<String>>,
    /// A proxy in front terminates TLS and tells the client's address.
    #[arg(long)]
    behind_proxy: bool,
    /// No authentication, for benchmarks: loopback only, nothing secret.
    #[arg(long)]
    insecure_no_auth: bool,
    /// How long telemetry is kept: `30d`, or `forever`.
    #[arg(long, value_name = "AGE")]
    retention: Option<String>,
}

#[derive(clap::Args)]
struct SetupArguments {
    /// The configuration file [default: ./tocsin.toml when it exists].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory [default: ./tocsin-data, or $TOCSIN_DATA].
    #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
    data: Option<PathBuf>,
    /// The administrator's e-mail address; it counts as verified.
    #[arg(long, value_name = "E")]
    admin_email: String,
    /// The administrator's name [default: the part of the address before the @].
    #[arg(long, value_name = "N")]
    admin_name: Option<String>,
    /// The zone of the first schedule.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging();
    tocsin_edge::tls::install_provider();
    let mut out = std::io::stdout();
    let outcome = match arguments.command {
        Command::Serve(wanted) => serve(wanted, &mut out).map(|()| ExitCode::SUCCESS),
        Command::Setup(wanted) => set_up(&wanted, &mut out).map(|()| ExitCode::SUCCESS),
        Command::OpenApi => print_openapi(&mut out).map(|()| ExitCode::SUCCESS),
        Command::Client(ClientArguments::Command(command)) => client::run(command),
    };
    outcome.unwrap_or_else(|error| {
        // Nothing is left to do when even this cannot be written.
        let _ = writeln!(std::io::stderr(), "tocsin: {error:#}");
        ExitCode::FAILURE
    })
}

/// What Tocsin says of itself goes to standard error, warnings and errors unless `$TOCSIN_LOG` says otherwise.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TOCSIN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,tocsin=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
}

fn serve(wanted: ServeArguments, out: &mut impl Write) -> anyhow::Result<()> {
    let flags = Flags {
        data: wanted.data,
        listen: wanted.listen,
        tls: wanted.tls,
        behind_proxy: wanted.behind_proxy,
        insecure_no_auth: wanted.insecure_no_auth,
        retention: wanted.retention,
    };
    let config = Config::load(wanted.config.as_deref())?.with_flags(flags)?;
    serve::run(&config, out)
}

fn set_up(wanted: &SetupArguments, out: &mut impl Write) -> anyhow::Result<()> {
    let flags = Flags { data: wanted.data.clone(), ..Flags::default() };
    let config = Config::load(wanted.config.as_deref())?.with_flags(flags)?;
    setup::run(
        &setup::Wanted {
            data: &config.data,
            key_file: config.key_file.as_deref(),
            public_url: &config.public_url_at(config.listen),
            email: &wanted.admin_email,
            name: wanted.admin_name.as_deref(),
            time_zone: &wanted.time_zone,
        },
        out,
    )
}

fn print_openapi(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", tocsin_edge::openapi().to_pretty_json()?)?;
    Ok(())
}
