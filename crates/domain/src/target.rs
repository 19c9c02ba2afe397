//! Watched web servers; a target once found is watched until a person removes it.

use serde::{Deserialize, Serialize};

use crate::id::{MaintenanceId, ServiceId, TargetId, TeamId};
use crate::time::Timestamp;

/// How a target was recognised and can be recognised again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetIdentity {
    /// The server program, as found (`/usr/sbin/apache2`).
    pub binary: String,
    /// Its main configuration file, as an absolute path: the identity of an instance.
    pub config_path: String,
    /// Its name: `ServerName` of the main server, else the host's name.
    pub name: String,
    /// Addresses it listens on (`127.0.0.1:8080`, `[::]:80`).
    pub listen: Vec<String>,
    /// The file with the parent's process id.
    pub pid_file: String,
    /// Access logs with the LogFormat that each is written in (empty when it is to be guessed).
    pub access_logs: Vec<(String, String)>,
    /// Error logs.
    pub error_logs: Vec<String>,
    /// The configuration files that were read.
    pub config_files: Vec<String>,
    /// URL of the status page, when the configuration has one.
    pub status_url: Option<String>,
    /// URL that the prober asks each second.
    pub probe_url: String,
}

/// One Apache instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// The team that answers for it.
    pub team: TeamId,
    /// The service of its own that its incidents belong to.
    pub service: ServiceId,
    /// How it is recognised, as last found.
    pub identity: TargetIdentity,
    /// When it was first found.
    pub found_at: Timestamp,
    /// Nobody is paged for it before this instant.
    pub muted_until: Option<Timestamp>,
    /// Planned work on it, in the order it was planned.
    pub maintenance: Vec<Maintenance>,
}

/// Why nobody is paged for a target now, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// For a person.
    pub why: String,
    /// When paging resumes.
    pub until: Timestamp,
}

/// Planned work: alerts are recorded, nobody is paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Its id.
    pub id: MaintenanceId,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over (half open).
    pub until: Timestamp,
    /// What is done.
    pub reason: String,
}

impl Target {
    /// Whether paging for this target is held back at `now`; of several reasons the one that lasts longest.
    #[must_use]
    pub fn quiet_at(&self, now: Timestamp) -> Option<Quiet> {
        let mute = self
            .muted_until
            .filter(|until| now < *until)
            .map(|until| Quiet {
                why: "the target is muted".to_owned(),
                until,
            });
        let maintenance = self
            .maintenance
            .iter()
            .filter(|window| window.from <= now && now < window.until)
            .map(|window| Quiet {
                why: format!("maintenance: {}", window.reason),
                until: window.until,
            });
        mute.into_iter()
            .chain(maintenance)
            .max_by_key(|quiet| quiet.until)
    }
}
