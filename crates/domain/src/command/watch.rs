//! What can be asked about targets and monitors.

use crate::id::{MaintenanceId, MonitorId, TargetId};
use crate::target::TargetIdentity;
use crate::time::Timestamp;

/// Work on targets and monitors.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchAsk {
    /// The agent sees this instance (again).
    Seen(TargetIdentity),
    /// Stop watching.
    Remove(TargetId),
    /// Page nobody until then.
    Mute {
        /// Which.
        target: TargetId,
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// Take the mute back.
    Unmute(TargetId),
    /// Plan work.
    PlanMaintenance {
        /// Which.
        target: TargetId,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// What is done.
        reason: String,
    },
    /// Call planned work off.
    CancelMaintenance {
        /// Which target.
        target: TargetId,
        /// Which window.
        window: MaintenanceId,
    },
    /// Switch a monitor on or off.
    SwitchMonitor {
        /// Which.
        monitor: MonitorId,
        /// On or off.
        enabled: bool,
    },
}
