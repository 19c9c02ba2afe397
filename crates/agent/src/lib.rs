//! What runs beside the web server: discovery, signals, logs and checks. It hands over what it sees and decides nothing
//! about alerts; whoever hosts it (the server, later a process of its own) stores that first.

mod config_watch;
mod configuration;
mod diff;
mod discover;
mod exit;
mod folders;
mod glob;
mod http_client;
mod identify;
mod log_lines;
mod logs;
mod machine;
mod parent;
mod positions;
mod probe;
mod proc_text;
mod procfs;
mod queue;
mod run;
mod server_args;
mod sockets;
mod status;
mod stop;
mod supervisor;
mod tail;
mod threads;
mod tls;
mod trust;
mod watched;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tocsin_domain::id::TargetId;
use tocsin_domain::signal::Batch;
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;

use crate::discover::Fleet;

/// How the agent's own requests introduce themselves; lines with it in an access log are not users.
pub(crate) const USER_AGENT: &str = concat!("tocsin-probe/", env!("CARGO_PKG_VERSION"));

/// Who takes what the agent sees.
pub trait Host: Send + Sync {
    /// Takes samples, facts and lines; they are stored before anything is decided from them. Called from several threads;
    /// must not block long.
    fn deliver(&self, batch: Batch);

    /// A server was found, or is now known to be configured otherwise; the identity's `config_path` says which one it is.
    /// Returns its id, known or new; `None` when it shall not be watched.
    ///
    /// # Errors
    /// It could not be recorded now; it is told again at the next look.
    fn target_found(&self, identity: TargetIdentity) -> Result<Option<TargetId>, NotRecorded>;

    /// The time.
    fn now(&self) -> Timestamp;

    /// A keyed hash of a user's name, 16 hex digits.
    fn user_hash(&self, user: &str) -> String;
}

/// A target that was found could not be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRecorded;

/// What the agent shall do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether to look for servers that are not known yet.
    pub discover: bool,
    /// Only servers whose configuration lies under one of these; empty for all.
    pub only: Vec<PathBuf>,
    /// Name of the log field with the user's tier; without it, the usual names.
    pub tier_field: Option<String>,
    /// Name of the log field with the user; without it, the usual names.
    pub user_field: Option<String>,
    /// Targets found earlier: they are watched, whether a process is there or not.
    pub known: Vec<(TargetId, TargetIdentity)>,
    /// A small file in which it is kept how far the logs have been read, so that a restart misses no line.
    pub log_positions: Option<PathBuf>,
    /// Milliseconds in which the probe must get the first byte of an answer.
    pub first_byte_ms_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            discover: true,
            only: Vec::new(),
            tier_field: None,
            user_field: None,
            known: Vec::new(),
            log_positions: None,
            first_byte_ms_max: 1_200,
        }
    }
}

/// What keeps one part of the agent from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The part: `config`, `inotify`, `logs`, `parent`, `positions`, `probe`, `queue` or `status`.
    pub part: &'static str,
    /// What happens.
    pub text: String,
}

/// How one target is doing, for `doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetStatus {
    /// The target.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// Its main configuration file.
    pub config_path: String,
    /// Process id of its parent, while it runs.
    pub parent: Option<u32>,
    /// What keeps the agent from seeing all there is.
    pub problems: Vec<Problem>,
}

/// How the agent is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentStatus {
    /// The watched targets, by id.
    pub targets: Vec<TargetStatus>,
    /// Processes that look like servers but are not watched, each with the reason.
    pub not_watched: Vec<String>,
}

/// The running agent; dropping it stops it.
pub struct Agent {
    fleet: Arc<Fleet>,
    threads: Mutex<threads::Threads>,
}

impl Agent {
    /// Stops all threads and waits for them, a running probe or test included.
    pub fn stop(&self) {
        self.fleet.stop();
        self.threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join();
    }

    /// Stops watching a target that a person removed. It is found again when its server still runs and the host agrees.
    pub fn forget(&self, target: TargetId) {
        self.fleet.forget(target);
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> AgentStatus {
        self.fleet.status()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts watching.
///
/// # Errors
/// When the operating system refuses a thread or a file descriptor.
pub fn start(settings: Settings, host: Arc<dyn Host>) -> std::io::Result<Agent> {
    let fleet = Arc::new(Fleet::new(settings, host)?);
    let mut threads = threads::Threads::default();
    fleet.watch_known()?;
    let scanning = Arc::clone(&fleet);
    threads.spawn("tocsin-discover", fleet.stop_signal(), move || {
        scanning.scan_until_stopped()
    })?;
    let sampling = Arc::clone(&fleet);
    threads.spawn("tocsin-machine", fleet.stop_signal(), move || {
        machine::sample(&sampling);
    })?;
    Ok(Agent {
        fleet,
        threads: Mutex::new(threads),
    })
}
