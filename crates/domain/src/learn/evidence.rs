//! The frozen evidence of one incident: all that its report may speak of. Everything in a report is computed from this and
//! from nothing else, so that it can be computed again after the stores have forgotten.

use serde::{Deserialize, Serialize};

use super::requests::RequestLog;
use crate::alert::Alert;
use crate::event::Event;
use crate::id::{PolicyId, ScheduleId, ServiceId, UserId};
use crate::incident::Incident;
use crate::monitor::Monitor;
use crate::page::Notification;
use crate::signal::{Fact, Labels, LogRecord};
use crate::target::TargetIdentity;
use crate::time::Timestamp;

/// The version of the bundle's format.
pub const EVIDENCE_VERSION: u16 = 2;
/// How long before the onset telemetry is pinned and frozen.
pub const BEFORE_ONSET_MS: u64 = 3_600_000;

/// How long before the onset requests are frozen: the longest time that expectations are computed from, and a minute to spare.
pub const REQUESTS_BEFORE_ONSET_MS: u64 = 960_000;
/// How long before the onset error-log lines are frozen.
pub const ERROR_LINES_BEFORE_ONSET_MS: u64 = 600_000;
/// Error-log lines that are frozen at most: so many of the last ones before the onset, and so many of the first ones from it on.
pub const ERROR_LINES_MAX: usize = 1_000;

/// The bundle. Its canonical bytes are `serde_json::to_vec` of this value; their SHA-256 is journalled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// [`EVIDENCE_VERSION`].
    pub version: u16,
    /// The version of Tocsin that froze it.
    pub tocsin_version: String,
    /// The incident as it was when frozen.
    pub incident: Incident,
    /// Its alerts.
    pub alerts: Vec<Alert>,
    /// Its messages.
    pub notifications: Vec<Notification>,
    /// The events about it and its messages, in journal order.
    pub events: Vec<Event>,
    /// The monitors whose alerts are in it.
    pub monitors: Vec<Monitor>,
    /// Names of what the events refer to.
    pub names: Names,
    /// The target, when the incident has one.
    pub target: Option<TargetIdentity>,
    /// The span of telemetry that was frozen, half open.
    pub window: (Timestamp, Timestamp),
    /// The series of the target in the window.
    pub series: Vec<FrozenSeries>,
    /// What was seen of the target in the window.
    pub facts: Vec<Fact>,
    /// The requests that the access log tells of, from [`REQUESTS_BEFORE_ONSET_MS`] before the onset to the window's end.
    pub requests: RequestLog,
    /// Error-log lines of the target around the onset.
    pub error_lines: Vec<LogRecord>,
}

/// Names of nouns at the time of freezing, so that a report can name them later. Personal addresses are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The host that Tocsin runs on.
    pub tocsin_host: String,
    /// Services.
    pub services: Vec<(ServiceId, String)>,
    /// People.
    pub users: Vec<(UserId, String)>,
    /// Escalation policies.
    pub policies: Vec<(PolicyId, String)>,
    /// Schedules.
    pub schedules: Vec<(ScheduleId, String)>,
}

/// One series, as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenSeries {
    /// Its labels.
    pub labels: Labels,
    /// Milliseconds since the epoch and the value's bits as an integer, so that a NaN keeps its payload in JSON.
    pub samples: Vec<(i64, u64)>,
}
