//! What is seen of a target: samples, facts and log lines, and the names of the metrics; not what they mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::TargetId;
use crate::time::Timestamp;

/// Names of the metrics that the agent writes. Each carries the label `target` (its [`TargetId`]) and `instance` (the
/// target's name); further labels are named beside each.
pub mod metric {
    /// 1 while the parent (the supervisor process of Apache) runs, else 0. Written each second and at the moment of its exit.
    pub const PARENT_UP: &str = "apache_parent_up";
    /// Written at an exit of the parent: 1 when it ended cleanly (`wire::apache_log::is_clean_stop`; each MPM has codes of its own), 0 when it did not.
    pub const EXIT_CLEAN: &str = "apache_exit_clean";
    /// 1 when a supervisor will start the parent again (systemd `Restart=`, a container runtime, a parent process that waits).
    pub const SUPERVISED: &str = "apache_supervised";
    /// 1 while a restart job or a package upgrade of the server is running, else 0.
    pub const CHANGE_RUNNING: &str = "apache_change_running";
    /// Child processes of the parent that are alive (or, of a lost parent, that were its children).
    pub const CHILDREN: &str = "apache_children";
    /// Processes of the server in state T (stopped by a signal or a tracer).
    pub const PROCESSES_STOPPED: &str = "apache_processes_stopped";
    /// 1 when a TCP connect to the listener was refused, 0 when it was accepted by the kernel.
    pub const LISTENER_REFUSED: &str = "apache_listener_refused";
    /// Connections that wait to be accepted (Recv-Q of the listening socket, by sock_diag). Label `listener`.
    pub const LISTENER_QUEUE: &str = "apache_listener_queue";
    /// Length limit of that queue (Send-Q of the listening socket). Label `listener`.
    pub const LISTENER_QUEUE_LIMIT: &str = "apache_listener_queue_limit";
    /// Established connections to the listener that a process has accepted. Label `listener`.
    pub const CONNECTIONS_ACCEPTED: &str = "apache_connections_accepted";
    /// 1 when `server-status?auto` was fetched and understood, else 0.
    pub const UP: &str = "apache_up";
    /// Workers in use, from mod_status.
    pub const WORKERS_BUSY: &str = "apache_workers_busy";
    /// Workers that wait for a connection, from mod_status.
    pub const WORKERS_IDLE: &str = "apache_workers_idle";
    /// The length of the scoreboard, which is MaxRequestWorkers.
    pub const WORKERS_MAX: &str = "apache_workers_max";
    /// Slots of the scoreboard by state. Label `state`.
    pub const SCOREBOARD: &str = "apache_scoreboard";
    /// Requests served since the start of the server, from mod_status.
    pub const REQUESTS_TOTAL: &str = "apache_requests_total";
    /// Bytes served since the start of the server, from mod_status.
    pub const TRAFFIC_BYTES_TOTAL: &str = "apache_traffic_bytes_total";
    /// Seconds since the start of the server, from mod_status.
    pub const UPTIME_SECONDS: &str = "apache_uptime_seconds";
    /// Generation of the configuration: raised by a reload.
    pub const CONFIG_GENERATION: &str = "apache_config_generation";
    /// 1 when the configuration on disk passes the server's own test, else 0.
    pub const CONFIG_VALID: &str = "apache_config_valid";
    /// Requests in the access log, own probes left out. Labels `class` (`1xx`..`5xx`) and `tier`.
    pub const LOG_REQUESTS_TOTAL: &str = "apache_log_requests_total";
    /// Lines of the access log that could not be read.
    pub const LOG_UNPARSED_TOTAL: &str = "apache_log_unparsed_total";
    /// Lines of the error log. Labels `level` and `code` (`AH00484`, or empty).
    pub const ERROR_LOG_TOTAL: &str = "apache_error_log_events_total";
    /// 1 when the probe got a response below 500, else 0.
    pub const PROBE_UP: &str = "probe_up";
    /// 1 when the probe was connected but got no first byte in time, else 0.
    pub const PROBE_TIMEOUT: &str = "probe_timeout";
    /// 1 when the probe's connection was refused, else 0.
    pub const PROBE_REFUSED: &str = "probe_refused";
    /// Seconds a phase of the probe took. Label `phase`: `connect`, `first_byte`, `total`.
    pub const PROBE_DURATION_SECONDS: &str = "probe_duration_seconds";
    /// Status code of the probe's response.
    pub const PROBE_STATUS_CODE: &str = "probe_status_code";
}

/// The labels of a series, the metric's name under `__name__`.
pub type Labels = BTreeMap<String, String>;

/// One value of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The series.
    pub labels: Labels,
    /// When the value was true.
    pub at: Timestamp,
    /// The value; a NaN with the bits of [`STALE_NAN_BITS`] ends the series for now.
    pub value: f64,
}

/// The bits of Prometheus' staleness marker (Prometheus `model/value`, and remote write 1.0).
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

impl Sample {
    /// A sample of `metric` for `target`, with further labels.
    #[must_use]
    pub fn of(
        metric: &str,
        target: TargetId,
        extra: &[(&str, &str)],
        at: Timestamp,
        value: f64,
    ) -> Self {
        let mut labels = Labels::new();
        labels.insert("__name__".to_owned(), metric.to_owned());
        labels.insert("target".to_owned(), target.to_string());
        for (name, value) in extra {
            labels.insert((*name).to_owned(), (*value).to_owned());
        }
        Self { labels, at, value }
    }

    /// The staleness marker of the same series.
    #[must_use]
    pub fn stale(labels: Labels, at: Timestamp) -> Self {
        Self {
            labels,
            at,
            value: f64::from_bits(STALE_NAN_BITS),
        }
    }
}

/// How the parent process of a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitKind {
    /// It said goodbye in its error log (AH00491 or AH00492; AH00169 or AH00170 with prefork, AH00295 or AH00296 with worker) or was the old parent of an orderly restart.
    CleanStop,
    /// It was gone without a word.
    Crash,
    /// It was found gone when Tocsin started; nobody saw how.
    FoundDead,
}

/// What will start a server again without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Supervisor {
    /// Nothing is known that would.
    None,
    /// A systemd unit with a `Restart=` that covers a crash.
    Systemd {
        /// Name of the unit.
        unit: String,
    },
    /// A container runtime (the server is, or is under, process 1 of its process namespace).
    Container,
    /// A process that started the server in the foreground and waits for it (runit, s6, supervisord and their like).
    ParentProcess {
        /// Name of that process.
        name: String,
    },
}

/// Something that happened to a target, seen at a moment; the raw material of timelines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// When it happened.
    pub at: Timestamp,
    /// The target it happened to.
    pub target: TargetId,
    /// What happened.
    pub what: FactKind,
}

/// The kinds of facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactKind {
    /// The parent process ended.
    ParentExited {
        /// Its process id; 0 when nobody knows it any more.
        pid: u32,
        /// How it ended.
        how: ExitKind,
        /// What will start it again.
        supervisor: Supervisor,
        /// Children that were still alive just after.
        children_alive: u32,
        /// The line of the error log that announced it, when there was one.
        log_line: Option<String>,
    },
    /// A new parent process was found.
    ParentStarted {
        /// Its process id.
        pid: u32,
    },
    /// The server read its configuration anew without ending (graceful reload or restart signal).
    Reloaded {
        /// The configuration's generation after it.
        generation: u64,
    },
    /// A configuration file changed.
    ConfigChanged {
        /// Its path.
        path: String,
        /// Unified diff, at most 4 KiB, secrets not expected in it but not excluded either.
        diff: String,
    },
    /// The server's own configuration test was run.
    ConfigTested {
        /// Whether the configuration would be accepted.
        valid: bool,
        /// What the test printed, at most 1 KiB.
        output: String,
    },
    /// An error-log line with a code that says something happened (AH00484 and its like).
    ErrorLogged {
        /// `AH00484`.
        code: String,
        /// `emerg` to `trace8`.
        level: String,
        /// The message, at most 1 KiB.
        message: String,
    },
    /// The accept queue became non-empty, or empty again.
    QueueChanged {
        /// Connections waiting.
        waiting: u64,
        /// The queue's limit.
        limit: u64,
    },
    /// The target's status page could not be read, and why; written once per change of the reason.
    StatusUnavailable {
        /// What happened, for a person.
        reason: String,
        /// Whether switching the page on in the server's configuration would help.
        #[serde(default)]
        mendable: bool,
    },
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogRecord {
    /// When the line says it happened (for an access line: when the request began, if the format tells, else its `%t`).
    pub at: Timestamp,
    /// The target.
    pub target: TargetId,
    /// Which log, and what was understood of the line.
    pub line: LogLine,
    /// The line as it was, without its newline, at most 8 KiB, invalid UTF-8 replaced.
    pub raw: String,
}

/// What was understood of a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum LogLine {
    /// A request.
    Access {
        /// HTTP status.
        status: u16,
        /// Method, if readable.
        method: String,
        /// Path without query, at most 512 bytes.
        path: String,
        /// Microseconds the request took, where the format tells.
        duration_us: Option<u64>,
        /// The user's tier ("premium"), where the format tells; empty when unknown.
        tier: String,
        /// A keyed hash of the user's name (16 hex digits); empty when unknown. The name itself is not kept here.
        user: String,
        /// Whether this was a request of Tocsin's own probe.
        own_probe: bool,
    },
    /// A line of the error log.
    Error {
        /// `emerg` to `trace8`; empty when the line has no prefix.
        level: String,
        /// `core`, `mpm_event`, ...
        module: String,
        /// `AH00484`, or empty.
        code: String,
        /// The message without prefix.
        message: String,
    },
    /// A line that was not understood.
    Unparsed,
}

/// What the agent hands over at once; it is stored before anything is decided from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Values of series.
    pub samples: Vec<Sample>,
    /// Things that happened.
    pub facts: Vec<Fact>,
    /// Lines of logs.
    pub logs: Vec<LogRecord>,
}

impl Batch {
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.facts.is_empty() && self.logs.is_empty()
    }
}
