//! The binary `tocsin`: command line, configuration, wiring and signals.

mod accounts;
mod auditor;
mod client;
mod config;
mod data;
mod doctor;
mod duty;
mod effects;
mod egress;
mod ending;
mod evidence;
mod journal_port;
mod login_link;
mod metrics_port;
mod peer_watch;
mod rules;
mod scraping;
mod serve;
mod setup;
mod sparing_disk;
mod store_command;
mod store_port;
mod system;
mod upkeep;
mod watch;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::client::{ClientCommand, Connection};
use crate::config::{Config, Overrides, Retention, Tls};

/// Watches your web servers, pages the right person, and writes the postmortem from recorded evidence.
#[derive(Parser)]
#[command(name = "tocsin", version, after_help = client::EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

/// The file of `tocsin watch`, for `--help`.
const WATCH_FILE: &str = "\
The file of --config (mode 0600):
  peer = \"https://tocsin.example:8700\"
  ca = \"ca.pem\"                        # the authority of its certificate
  state = \"/var/lib/tocsin-watch.json\"
  [[notify]]
  kind = \"ntfy\"                        # or webhook (with key = …), or email (with [mail])
  address = \"https://ntfy.sh/my-topic\"
  [mail]
  host = \"mail.example\"
  from = \"tocsin@example.org\"
  [egress]
  allow = [\"10.0.0.0/8\"]               # private addresses that may be told";

#[derive(Subcommand)]
enum Command {
    /// Watch, page, serve the UI and the API; until SIGTERM.
    Serve(ServeArguments),
    /// Create the first administrator of an unattended installation; prints token, routing key and login link as JSON.
    Setup(SetupArguments),
    /// Print a link that signs an administrator in once, for who has lost the password; while no server uses the directory.
    LoginLink(LoginLinkArguments),
    /// Print the description of the native API (OpenAPI 3.1).
    #[command(name = "openapi")]
    OpenApi,
    /// Tell whether a page would reach somebody now: asks the running server, or looks into a data directory.
    #[command(after_help = client::EXIT_CODES)]
    Doctor {
        /// Look into this data directory instead of asking a server.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// The configuration file that names the key of that directory [default: ./tocsin.toml when it exists].
        #[arg(long, value_name = "FILE", requires = "data")]
        config: Option<PathBuf>,
    },
    /// Watch another Tocsin from this machine, and page by an own way when that one is not able to; until a signal
    #[command(after_help = WATCH_FILE)]
    Watch(peer_watch::WatchArguments),
    /// Look at and tidy the telemetry of a data directory that no server uses.
    #[command(subcommand)]
    Store(store_command::StoreCommand),
    /// Copy telemetry of a span of time into one file, and ask such a file.
    #[command(subcommand)]
    Window(store_command::WindowCommand),
    /// Tell what is wrong in a configuration file of Prometheus, and what of it is not done
    CheckConfig {
        /// The file, such as prometheus.yml.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Tell what is wrong in rule files of Prometheus' format
    CheckRules {
        /// Files, or patterns of such.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    #[command(flatten)]
    Client(ClientCommand),
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
    /// Where people reach this server; links in pages begin with it [default: told from --listen].
    #[arg(long, value_name = "URL", value_parser = config::public_url)]
    public_url: Option<String>,
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
    /// Scrape what this file tells (Prometheus' format), and evaluate the rules that it names.
    #[arg(long, value_name = "FILE")]
    prometheus_config: Option<PathBuf>,
    /// Evaluate the rules of these files (Prometheus' format); may be given several times.
    #[arg(long, value_name = "GLOB")]
    rule_files: Vec<PathBuf>,
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

#[derive(clap::Args)]
struct LoginLinkArguments {
    /// The configuration file [default: ./tocsin.toml when it exists].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory [default: ./tocsin-data, or $TOCSIN_DATA].
    #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
    data: Option<PathBuf>,
    /// The address the administrator signs in with; not needed when there is only one.
    #[arg(long, value_name = "E")]
    email: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging();
    tocsin_edge::tls::install_provider();
    let mut out = std::io::stdout();
    let outcome = match arguments.command {
        Command::Serve(wanted) => serve(wanted, &mut out).map(|()| ExitCode::SUCCESS),
        Command::Setup(wanted) => set_up(&wanted, &mut out).map(|()| ExitCode::SUCCESS),
        Command::LoginLink(wanted) => login_link(&wanted, &mut out).map(|()| ExitCode::SUCCESS),
        Command::Watch(wanted) => {
            peer_watch::run(&wanted, arguments.connection.ca.as_deref(), &mut out)
                .map(|()| ExitCode::SUCCESS)
        }
        Command::Store(command) => {
            store_command::run_store(&command, &mut out).map(|()| ExitCode::SUCCESS)
        }
        Command::Window(command) => {
            store_command::run_window(&command, &mut out).map(|()| ExitCode::SUCCESS)
        }
        Command::Doctor {
            data: Some(folder),
            config,
        } => doctor::run(&folder, config.as_deref(), arguments.connection.json),
        Command::Doctor { data: None, .. } => Ok(client::doctor(&arguments.connection)),
        Command::CheckConfig { file } => scraping::check(&file, &mut out),
        Command::CheckRules { files } => rules::check::run(&files, &mut out),
        Command::Client(command) => Ok(client::run(&command, &arguments.connection)),
        Command::OpenApi => print_openapi(&mut out).map(|()| ExitCode::SUCCESS),
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
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

fn serve(wanted: ServeArguments, out: &mut impl Write) -> anyhow::Result<()> {
    let tls = wanted
        .tls
        .as_deref()
        .map(Tls::from_words)
        .transpose()
        .map_err(anyhow::Error::msg)?;
    let retention = wanted
        .retention
        .map(|text| text.parse::<Retention>())
        .transpose()
        .map_err(anyhow::Error::msg)?;
    let flags = Overrides {
        data: wanted.data,
        listen: wanted.listen,
        public_url: wanted.public_url,
        tls,
        behind_proxy: wanted.behind_proxy.then_some(true),
        retention,
        prometheus_config: wanted.prometheus_config,
        rule_files: wanted.rule_files,
        ..Overrides::default()
    };
    let config = Config::load(wanted.config.as_deref())?.merge(flags)?;
    serve::run(&config, wanted.insecure_no_auth, out)
}

fn set_up(wanted: &SetupArguments, out: &mut impl Write) -> anyhow::Result<()> {
    let flags = Overrides {
        data: wanted.data.clone(),
        ..Overrides::default()
    };
    let config = Config::load(wanted.config.as_deref())?.merge(flags)?;
    setup::run(
        &setup::Wanted {
            data: &config.data,
            key_file: config.key_file.as_deref(),
            public_url: &serve::public_url(&config, config.listen),
            email: &wanted.admin_email,
            name: wanted.admin_name.as_deref(),
            time_zone: &wanted.time_zone,
        },
        out,
    )
}

fn login_link(wanted: &LoginLinkArguments, out: &mut impl Write) -> anyhow::Result<()> {
    let flags = Overrides {
        data: wanted.data.clone(),
        ..Overrides::default()
    };
    let config = Config::load(wanted.config.as_deref())?.merge(flags)?;
    login_link::run(
        &login_link::Wanted {
            data: &config.data,
            key_file: config.key_file.as_deref(),
            public_url: &serve::public_url(&config, config.listen),
            email: wanted.email.as_deref(),
        },
        out,
    )
}

fn print_openapi(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", tocsin_edge::openapi().to_pretty_json()?)?;
    Ok(())
}
