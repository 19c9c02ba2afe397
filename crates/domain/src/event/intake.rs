//! What happens to rules, maintenance windows and heartbeats.

use serde::{Deserialize, Serialize};

use crate::id::{AlertId, HeartbeatId, MaintenanceId};
use crate::intake::{Heartbeat, Rule, Window};
use crate::time::Timestamp;

/// What happened to rules, maintenance windows and heartbeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum IntakeEvent {
    /// The rules of the installation were replaced.
    RulesSet {
        /// All of them, in order.
        rules: Vec<Rule>,
    },
    /// A maintenance window was planned or changed.
    WindowSet {
        /// The whole of it.
        window: Window,
    },
    /// What lasts of a window was ended early.
    WindowEnded {
        /// Which.
        window: MaintenanceId,
    },
    /// A window was removed.
    WindowRemoved {
        /// Which.
        window: MaintenanceId,
    },
    /// A heartbeat was added or changed.
    HeartbeatSet {
        /// What is expected.
        heartbeat: Heartbeat,
    },
    /// A heartbeat was removed; its token is dead.
    HeartbeatRemoved {
        /// Which.
        heartbeat: HeartbeatId,
    },
    /// A job called.
    HeartbeatCalled {
        /// Which.
        heartbeat: HeartbeatId,
    },
    /// A job said that it begins.
    HeartbeatStarted {
        /// Which.
        heartbeat: HeartbeatId,
    },
    /// A job said that it failed.
    HeartbeatFailed {
        /// Which.
        heartbeat: HeartbeatId,
        /// Its words.
        message: String,
    },
    /// Tocsin was away, or could keep nothing, when these calls were expected: each is waited for anew.
    HeartbeatsSpared {
        /// Which.
        heartbeats: Vec<HeartbeatId>,
    },
    /// Tocsin was away, or could keep nothing, when these alerts may have been said again: each holds until then at least.
    AlertsSpared {
        /// Which.
        alerts: Vec<AlertId>,
        /// Until when.
        until: Timestamp,
    },
}
