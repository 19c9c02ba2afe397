//! What was found in Apache's configuration files; it does not know how it was read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::apache_log::nickname;

/// Entries of one kind that are kept.
pub(super) const ENTRIES_MAX: usize = 10_000;
/// Problems that are kept.
const PROBLEMS_MAX: usize = 100;

/// A line of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path of the file.
    pub file: String,
    /// Number of the line, from 1; the first, where lines are continued.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// Something that could not be followed. It does not mean that Apache refuses the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what was done instead.
    pub what: String,
}

/// An address and port that the server listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address, without brackets; `None` for all addresses.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// `http` or `https`, where it is named; Apache takes port 443 as `https` otherwise.
    pub protocol: Option<String>,
    /// Where it is configured.
    pub place: Place,
}

impl Listen {
    /// Whether TLS is spoken there, as far as this line tells.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        match &self.protocol {
            Some(protocol) => protocol.eq_ignore_ascii_case("https"),
            None => self.port == 443,
        }
    }
}

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// A file, by its full path.
    File(String),
    /// The standard input of a program, by its command line.
    Pipe(String),
    /// Something else that is no file: `syslog`, `journald`.
    Other(String),
}

/// A log of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLog {
    /// Where it goes.
    pub target: LogTarget,
    /// Nickname or format as configured; `None` where the default format is used (`TransferLog`).
    pub format: Option<String>,
    /// `env=!dontlog` or `expr=...`, where only some requests are logged.
    pub condition: Option<String>,
    /// The virtual host whose requests it holds, as an index into [`Config::virtual_hosts`].
    pub virtual_host: Option<usize>,
    /// Where it is configured.
    pub place: Place,
}

/// An error log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorLog {
    /// Where it goes.
    pub target: LogTarget,
    /// The virtual host whose errors it holds, as an index into [`Config::virtual_hosts`].
    pub virtual_host: Option<usize>,
    /// Where it is configured.
    pub place: Place,
}

/// A `<VirtualHost>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualHost {
    /// `*:80`, `192.0.2.1:443`, as configured.
    pub addresses: Vec<String>,
    /// `ServerName`.
    pub server_name: Option<String>,
    /// `ServerAlias`.
    pub aliases: Vec<String>,
}

/// A `<Location>` that shows the server's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPage {
    /// Its path, or the pattern of a `<LocationMatch>`.
    pub path: String,
    /// Whether `path` is a regular expression.
    pub is_pattern: bool,
    /// The `Require` lines in it.
    pub requires: Vec<String>,
    /// The virtual host it is in, as an index into [`Config::virtual_hosts`].
    pub virtual_host: Option<usize>,
    /// Where it is configured.
    pub place: Place,
}

/// What the files say, in so far as it concerns watching the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `ServerRoot`, in force at the end.
    pub server_root: String,
    /// `ServerName` of the main server.
    pub server_name: Option<String>,
    /// `Listen`.
    pub listens: Vec<Listen>,
    /// `LogFormat` by nickname.
    pub log_formats: BTreeMap<String, String>,
    /// The format of a `LogFormat` without nickname, for logs that name none.
    pub default_log_format: Option<String>,
    /// `CustomLog`, `GlobalLog` and `TransferLog`.
    pub access_logs: Vec<AccessLog>,
    /// `ErrorLog`.
    pub error_logs: Vec<ErrorLog>,
    /// `ErrorLogFormat` of the main server, where it is not the default.
    pub error_log_format: Option<String>,
    /// `PidFile`, by its full path.
    pub pid_file: Option<String>,
    /// `User`.
    pub user: Option<String>,
    /// `Group`.
    pub group: Option<String>,
    /// `MaxRequestWorkers`, or `MaxClients` as it was once called.
    pub max_request_workers: Option<u64>,
    /// `ExtendedStatus`.
    pub extended_status: Option<bool>,
    /// Status pages.
    pub status_pages: Vec<StatusPage>,
    /// Virtual hosts.
    pub virtual_hosts: Vec<VirtualHost>,
    /// Identifiers of modules loaded by `LoadModule` (`status_module`).
    pub modules: BTreeSet<String>,
    /// Files that were read, in the order they were first read: what to watch for changes.
    pub files: Vec<String>,
    /// `Include` and `IncludeOptional` arguments by their full path, whether or not a file was there: what to watch for new
    /// files.
    pub include_patterns: Vec<String>,
    /// What could not be followed.
    pub problems: Vec<Problem>,
    /// Whether a limit stopped the reading, so that more may be configured than is known.
    pub is_incomplete: bool,
}

impl Config {
    /// The format of a log's lines: the one behind its nickname, the one it spells out, or the default. `None` when it names
    /// a nickname that nothing defines.
    #[must_use]
    pub fn format_of<'a>(&'a self, log: &'a AccessLog) -> Option<&'a str> {
        let Some(format) = &log.format else {
            let default = self
                .default_log_format
                .as_deref()
                .or_else(|| nickname("common"))?;
            return Some(
                self.log_formats
                    .get(default)
                    .map_or(default, String::as_str),
            );
        };
        match self.log_formats.get(format) {
            Some(format) => Some(format),
            None => format.contains('%').then_some(format.as_str()),
        }
    }

    pub(super) fn note(&mut self, place: &Place, what: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem {
                place: place.clone(),
                what,
            });
        }
    }
}
