//! Reads the machine form of Apache's status page (`server-status?auto`); it does not fetch it.
//!
//! Fields were recorded from Apache 2.4.71 with the MPMs event, worker and prefork (see `testdata`). Absent fields stay
//! `None`, unknown ones are kept as text, and a page that is something else is refused with the reason.

mod scoreboard;

use std::collections::BTreeMap;

pub use scoreboard::{Scoreboard, WorkerState};

/// Unknown lines that are kept; more than these are dropped and counted in [`Status::unread_lines`].
const OTHER_FIELDS_MAX: usize = 512;
/// Bytes of the text shown in a refusal.
const EXCERPT_CHARS_MAX: usize = 60;

/// What a status page said. Every field is as the server printed it; counters run since the start of the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// The first line: the host name the page was asked for.
    pub host: Option<String>,
    /// `Apache/2.4.71 (Debian)`.
    pub server_version: Option<String>,
    /// `event`, `worker` or `prefork`.
    pub mpm: Option<String>,
    /// Raised by each reload of the configuration.
    pub config_generation: Option<u64>,
    /// Raised by each graceful restart of the children.
    pub mpm_generation: Option<u64>,
    /// Seconds since the server started; a graceful reload does not reset it.
    pub uptime_seconds: Option<u64>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: [Option<f64>; 3],
    /// Requests served; `ExtendedStatus` only, as are the next two.
    pub total_accesses: Option<u64>,
    /// Kibibytes served.
    pub total_kbytes: Option<u64>,
    /// Milliseconds spent in requests.
    pub total_duration_ms: Option<u64>,
    /// Share of one processor used, in percent; the server leaves it out while it is zero.
    pub cpu_load: Option<f64>,
    /// Seconds of processor time: of the server and its children, user and system.
    pub cpu_seconds: Option<f64>,
    /// Workers that serve a request.
    pub busy_workers: Option<u64>,
    /// Busy workers of an older generation that finish their last request.
    pub graceful_workers: Option<u64>,
    /// Workers that wait for work.
    pub idle_workers: Option<u64>,
    /// Child processes (event only, as all that follow).
    pub processes: Option<u64>,
    /// Child processes that are stopping.
    pub stopping: Option<u64>,
    /// Connections open.
    pub connections_total: Option<u64>,
    /// Connections that wait for input or output without holding a worker.
    pub connections_wait_io: Option<u64>,
    /// Connections being written without holding a worker.
    pub connections_writing: Option<u64>,
    /// Idle kept-alive connections.
    pub connections_keep_alive: Option<u64>,
    /// Connections being closed.
    pub connections_closing: Option<u64>,
    /// One character per worker slot.
    pub scoreboard: Option<Scoreboard>,
    /// Fields without a place above (`ProxyBalancer[0]...`, `CacheType`), by name, as text.
    pub other: BTreeMap<String, String>,
    /// Lines that are neither a field nor the host name, or that were too many to keep.
    pub unread_lines: usize,
}

impl Status {
    /// The most workers there can be (`MaxRequestWorkers`): the length of the scoreboard.
    #[must_use]
    pub fn workers_max(&self) -> Option<u64> {
        self.scoreboard.as_ref().map(Scoreboard::len)
    }

    /// Bytes served since the start, from the kibibytes the server prints.
    #[must_use]
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_kbytes.map(|kbytes| kbytes.saturating_mul(1_024))
    }
}

/// Why a page is not a status page that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAStatusPage {
    /// The answer had no text.
    #[error(
        "the status page is empty: is mod_status loaded and `SetHandler server-status` set for this address?"
    )]
    Empty,
    /// The answer is HTML.
    #[error(
        "the answer is a web page, not the machine-readable status (it begins with {excerpt:?}): ask for the address \
         with `?auto`, and check that another handler or a rewrite rule does not answer it"
    )]
    Html {
        /// The beginning of the page.
        excerpt: String,
    },
    /// The answer is some other text.
    #[error(
        "the answer has neither `BusyWorkers` nor `Scoreboard` (it begins with {excerpt:?}): it is not the status page \
         of Apache's mod_status"
    )]
    OtherText {
        /// The beginning of the text.
        excerpt: String,
    },
}

/// Reads the body of an answer to `server-status?auto`. The caller caps its size (1 MiB is ample: a page has about one
/// byte per worker and a line per field).
///
/// # Errors
/// When the body is not such a page, with the reason and what to do.
pub fn parse(body: &[u8]) -> Result<Status, NotAStatusPage> {
    let text = String::from_utf8_lossy(body);
    let trimmed = text.trim_start_matches('\u{feff}').trim();
    if trimmed.is_empty() {
        return Err(NotAStatusPage::Empty);
    }
    if trimmed.starts_with('<') {
        return Err(NotAStatusPage::Html {
            excerpt: excerpt(trimmed),
        });
    }
    let mut status = Status::default();
    for (number, line) in trimmed.lines().enumerate() {
        read_line(&mut status, number, line.trim_end());
    }
    if status.busy_workers.is_none() && status.scoreboard.is_none() {
        return Err(NotAStatusPage::OtherText {
            excerpt: excerpt(trimmed),
        });
    }
    Ok(status)
}

fn read_line(status: &mut Status, number: usize, line: &str) {
    if line.is_empty() {
        return;
    }
    match line.split_once(':') {
        Some((name, value)) if number > 0 || value.starts_with(' ') => {
            let value = value.trim();
            if !set_known(status, name, value) {
                keep_other(status, name, value);
            }
        }
        _ if number == 0 => status.host = Some(line.to_owned()),
        _ => status.unread_lines += 1,
    }
}

fn keep_other(status: &mut Status, name: &str, value: &str) {
    if status.other.len() < OTHER_FIELDS_MAX {
        status.other.insert(name.to_owned(), value.to_owned());
    } else {
        status.unread_lines += 1;
    }
}

/// Whether the field is one of ours and its value could be read.
fn set_known(status: &mut Status, name: &str, value: &str) -> bool {
    set_identity(status, name, value)
        || set_counter(status, name, value)
        || set_worker(status, name, value)
        || set_load(status, name, value)
}

fn set_identity(status: &mut Status, name: &str, value: &str) -> bool {
    match name {
        "ServerVersion" => status.server_version = Some(value.to_owned()),
        "ServerMPM" => status.mpm = Some(value.to_owned()),
        "Scoreboard" => status.scoreboard = Some(Scoreboard::read(value)),
        _ => return false,
    }
    true
}

fn set_counter(status: &mut Status, name: &str, value: &str) -> bool {
    let slot = match name {
        "ParentServerConfigGeneration" => &mut status.config_generation,
        "ParentServerMPMGeneration" => &mut status.mpm_generation,
        "ServerUptimeSeconds" => &mut status.uptime_seconds,
        // The same value under the name that servers before 2.4 print; the one above wins.
        "Uptime" if status.uptime_seconds.is_none() => &mut status.uptime_seconds,
        "Total Accesses" => &mut status.total_accesses,
        "Total kBytes" => &mut status.total_kbytes,
        "Total Duration" => &mut status.total_duration_ms,
        _ => return false,
    };
    read_number(slot, value)
}

fn set_worker(status: &mut Status, name: &str, value: &str) -> bool {
    let slot = match name {
        "BusyWorkers" => &mut status.busy_workers,
        "GracefulWorkers" => &mut status.graceful_workers,
        "IdleWorkers" => &mut status.idle_workers,
        "Processes" => &mut status.processes,
        "Stopping" => &mut status.stopping,
        "ConnsTotal" => &mut status.connections_total,
        "ConnsAsyncWaitIO" => &mut status.connections_wait_io,
        "ConnsAsyncWriting" => &mut status.connections_writing,
        "ConnsAsyncKeepAlive" => &mut status.connections_keep_alive,
        "ConnsAsyncClosing" => &mut status.connections_closing,
        _ => return false,
    };
    read_number(slot, value)
}

fn set_load(status: &mut Status, name: &str, value: &str) -> bool {
    let Some(number) = value.parse().ok().filter(|number: &f64| number.is_finite()) else {
        return false;
    };
    match name {
        "Load1" => status.load[0] = Some(number),
        "Load5" => status.load[1] = Some(number),
        "Load15" => status.load[2] = Some(number),
        "CPULoad" => status.cpu_load = Some(number),
        "CPUUser" | "CPUSystem" | "CPUChildrenUser" | "CPUChildrenSystem" => {
            status.cpu_seconds = Some(status.cpu_seconds.unwrap_or_default() + number);
        }
        _ => return false,
    }
    true
}

fn read_number(slot: &mut Option<u64>, value: &str) -> bool {
    let number = value.parse().ok();
    if number.is_some() {
        *slot = number;
    }
    number.is_some()
}

fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(EXCERPT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
