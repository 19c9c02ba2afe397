//! The commands that speak to a running server by its native API, as the browser does. They know nothing of how a server
//! works inside.

mod alert;
mod api;
mod channel;
mod code;
mod diagnosis;
mod explain;
mod failure;
mod given;
mod heartbeat;
mod import;
mod incident;
mod incident_respond;
mod incident_view;
mod look;
mod monitor;
mod notification;
mod oncall;
mod page;
mod plain;
mod problem;
mod rota;
mod rule;
mod schedule;
mod screen;
mod service;
mod shape;
mod swap;
mod table;
mod target;
mod team;
mod token;
mod user;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::api::{Answer, Api};
use self::failure::Failure;
use self::screen::Screen;

/// What the exit codes of all commands mean, for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused, or it failed
  2  the command line is wrong
  3  the server could not be reached";

/// Which server is spoken to, and how the answer is written.
#[derive(Clone, Args)]
pub(crate) struct Connection {
    /// The server
    #[arg(
        long,
        global = true,
        env = "TOCSIN_URL",
        default_value = "http://127.0.0.1:8700",
        value_name = "URL",
        help_heading = "Connection"
    )]
    pub(crate) url: String,
    /// An API token; better in the environment, where other users of this machine cannot see it
    #[arg(
        long,
        global = true,
        env = "TOCSIN_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        help_heading = "Connection"
    )]
    pub(crate) token: Option<String>,
    /// The PEM file of the authority that the server's certificate must come from (DATA/tls/ca.pem when self-signed)
    #[arg(
        long,
        global = true,
        env = "TOCSIN_CA",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub(crate) ca: Option<PathBuf>,
    /// Write the API's JSON instead of words
    #[arg(long, global = true, help_heading = "Connection")]
    pub(crate) json: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is a secret.
        formatter
            .debug_struct("Connection")
            .field("url", &self.url)
            .field("ca", &self.ca)
            .finish_non_exhaustive()
    }
}

/// What can be asked of a running server.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Incidents: list, show, declare, take, resolve, reopen, note, postmortem
    #[command(after_help = EXIT_CODES)]
    Incident {
        #[command(subcommand)]
        verb: incident::Verb,
    },
    /// Who is on call, who is next, and what will keep a page from somebody
    #[command(after_help = EXIT_CODES)]
    Oncall {
        #[command(subcommand)]
        verb: oncall::OncallVerb,
    },
    /// Why somebody was paged, or nobody: the chain of causes back to the sample
    #[command(after_help = EXIT_CODES)]
    Explain {
        /// The id of a message, or the number or id of an incident
        #[arg(value_parser = explain::page)]
        page: String,
    },
    /// Who would be contacted when, if a service failed and nobody answered; nothing is sent
    #[command(after_help = EXIT_CODES)]
    Simulate(explain::SimulateArguments),
    /// Test pages
    #[command(after_help = EXIT_CODES)]
    Page {
        #[command(subcommand)]
        verb: page::Verb,
    },
    /// Targets: what is watched, muting, maintenance
    #[command(after_help = EXIT_CODES)]
    Target {
        #[command(subcommand)]
        verb: target::Verb,
    },
    /// Monitors: the conditions that raise alerts
    #[command(after_help = EXIT_CODES)]
    Monitor {
        #[command(subcommand)]
        verb: monitor::Verb,
    },
    /// Rules of rule files: what is loaded and how it stands
    #[command(after_help = EXIT_CODES)]
    Rule {
        #[command(subcommand)]
        verb: rule::Verb,
    },
    /// People
    #[command(after_help = EXIT_CODES)]
    User {
        #[command(subcommand)]
        verb: user::Verb,
    },
    /// Channels by which pages leave
    #[command(after_help = EXIT_CODES)]
    Channel {
        #[command(subcommand)]
        verb: channel::Verb,
    },
    /// API tokens
    #[command(after_help = EXIT_CODES)]
    Token {
        #[command(subcommand)]
        verb: token::Verb,
    },
    /// Schedules: whose turn it is, and what is changed of that by hand
    #[command(after_help = EXIT_CODES)]
    Schedule {
        #[command(subcommand)]
        verb: schedule::Verb,
    },
    /// Escalation policies: who is paged after whom
    #[command(after_help = EXIT_CODES)]
    Policy {
        #[command(subcommand)]
        verb: oncall::PolicyVerb,
    },
    /// Teams: people who answer together
    #[command(after_help = EXIT_CODES)]
    Team {
        #[command(subcommand)]
        verb: team::Verb,
    },
    /// Services and their integrations
    #[command(after_help = EXIT_CODES)]
    Service {
        #[command(subcommand)]
        verb: service::Verb,
    },
    /// Heartbeats: jobs that must call in
    #[command(after_help = EXIT_CODES)]
    Heartbeat {
        #[command(subcommand)]
        verb: heartbeat::Verb,
    },
    /// Alerts from scripts
    #[command(after_help = EXIT_CODES)]
    Alert {
        #[command(subcommand)]
        verb: alert::Verb,
    },
    /// Write everything that is set up as files
    #[command(after_help = EXIT_CODES)]
    Export(code::ExportArguments),
    /// Show what files would change, and what that makes of who is on call
    #[command(after_help = EXIT_CODES)]
    Plan(code::FilesArguments),
    /// Make files true: all of them or nothing
    #[command(after_help = EXIT_CODES)]
    Apply(code::ApplyArguments),
    /// Write what another system has as files of ours; asks no server of ours
    #[command(after_help = EXIT_CODES)]
    Import {
        #[command(subcommand)]
        source: import::Source,
    },
}

/// Does what a command asks; everything there is to say has been written when it returns.
pub(crate) fn run(command: &ClientCommand, connection: &Connection) -> ExitCode {
    let screen = Screen::open(connection.json);
    let done = if let ClientCommand::Import { source } = command {
        import::run(source, connection.ca.as_deref(), &screen)
    } else {
        Api::open(connection).and_then(|api| obey(command, &api, &screen))
    };
    screen.finish(done)
}

/// `tocsin doctor --url`: asks a running server whether a page would reach somebody.
pub(crate) fn doctor(connection: &Connection) -> ExitCode {
    let screen = Screen::open(connection.json);
    let done = Api::open(connection).and_then(|api| diagnosis::of_server(&api, &screen));
    screen.finish(done)
}

/// Shows a diagnosis that was made here, in the API's form (`{"able_to_page":…,"checks":[…]}`); gives the same exit codes.
pub(crate) fn show_diagnosis(document: &str, json: bool) -> ExitCode {
    let screen = Screen::open(json);
    let done = diagnosis::show(&Answer::of(document), &screen);
    screen.finish(done)
}

fn obey(command: &ClientCommand, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match command {
        ClientCommand::Incident { verb } => incident::run(verb, api, screen),
        ClientCommand::Oncall { verb } => oncall::run(verb, api, screen),
        ClientCommand::Explain { page } => explain::explain(page, api, screen),
        ClientCommand::Simulate(wanted) => explain::run_simulation(wanted, api, screen),
        ClientCommand::Page { verb } => page::run(verb, api, screen),
        ClientCommand::Target { verb } => target::run(verb, api, screen),
        ClientCommand::Monitor { verb } => monitor::run(verb, api, screen),
        ClientCommand::Rule { verb } => rule::run(verb, api, screen),
        ClientCommand::User { verb } => user::run(verb, api, screen),
        ClientCommand::Channel { verb } => channel::run(verb, api, screen),
        ClientCommand::Token { verb } => token::run(verb, api, screen),
        ClientCommand::Schedule { verb } => schedule::run(verb, api, screen),
        ClientCommand::Policy { verb } => oncall::policy(verb, api, screen),
        ClientCommand::Team { verb } => team::run(verb, api, screen),
        ClientCommand::Service { verb } => service::run(verb, api, screen),
        ClientCommand::Heartbeat { verb } => heartbeat::run(verb, api, screen),
        ClientCommand::Alert { verb } => alert::run(verb, api, screen),
        ClientCommand::Export(wanted) => code::export(wanted, api, screen),
        ClientCommand::Plan(wanted) => code::plan(wanted, api, screen),
        ClientCommand::Apply(wanted) => code::apply(wanted, api, screen),
        ClientCommand::Import { source } => import::run(source, api.ca(), screen),
    }
}

#[cfg(test)]
mod tests;
