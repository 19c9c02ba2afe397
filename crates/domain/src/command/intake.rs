//! What can be asked about the way alerts come in: settings of services, rules, maintenance windows, heartbeats.

use crate::id::RuleId;
use crate::id::{HeartbeatId, MaintenanceId, ServiceId, TargetId};
use crate::intake::{Action, Condition, GroupBy, LabelMatcher, UrgencyBy, When};
use crate::monitor::Severity;
use crate::oncall::Span;
use crate::time::Timestamp;

/// A rule as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedRule {
    /// Its id, to keep that of a known rule.
    pub id: Option<RuleId>,
    /// What it is for.
    pub name: String,
    /// When it applies.
    pub when: Condition,
    /// What it does then.
    pub then: Vec<Action>,
    /// Whether the rules after it are looked at too.
    pub go_on: bool,
}

/// A maintenance window of labels, as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedSilence {
    /// Which, or a new one. One that cannot be changed so any more is ended, and a new one takes its place.
    pub id: Option<MaintenanceId>,
    /// What is done.
    pub comment: String,
    /// Whoever asks, by their own account.
    pub created_by: String,
    /// Each must hold for an alert.
    pub matchers: Vec<LabelMatcher>,
    /// When; what is past of it is left out of a new one.
    pub span: Span,
}

/// Work on what becomes of alerts before they page. `None` as id adds.
#[derive(Clone, Debug, PartialEq)]
pub enum IntakeAsk {
    /// Change how a service takes its alerts in; its rules stay.
    SetService {
        /// Which.
        service: ServiceId,
        /// How urgent an alert is.
        urgency: UrgencyBy,
        /// Which alerts make one incident.
        grouping: GroupBy,
        /// After so long without news, an alert from outside is taken to be over.
        resolve_after_ms: Option<u64>,
    },
    /// Replace an ordered list of rules.
    SetRules {
        /// Of which service; of the installation when none.
        service: Option<ServiceId>,
        /// All of them.
        rules: Vec<AskedRule>,
    },
    /// Plan or change a maintenance window.
    SetWindow {
        /// Which, or a new one.
        id: Option<MaintenanceId>,
        /// What is done.
        reason: String,
        /// Services that are worked on.
        services: Vec<ServiceId>,
        /// Targets that are worked on.
        targets: Vec<TargetId>,
        /// When.
        when: When,
        /// Alerts that are worked on besides those: each must hold for one. None keeps what a known window says.
        matchers: Option<Vec<LabelMatcher>>,
    },
    /// Plan or change a maintenance window that names alerts by their labels.
    SetSilence(Box<AskedSilence>),
    /// End a window that does not repeat: what lasts of it, or all of it when it has not begun. One that is over stays so.
    ExpireWindow(MaintenanceId),
    /// End what lasts of a window now.
    EndWindow(MaintenanceId),
    /// Remove a window.
    RemoveWindow(MaintenanceId),
    /// Heartbeats.
    Heartbeat(HeartbeatAsk),
}

/// Work on heartbeats, and their calls.
#[derive(Clone, Debug, PartialEq)]
pub enum HeartbeatAsk {
    /// Add or change one.
    Set {
        /// Which, or a new one.
        id: Option<HeartbeatId>,
        /// Its name.
        name: String,
        /// The service that fails when it does not call; the default one when none.
        service: Option<ServiceId>,
        /// How long after a call the next one is expected.
        every_ms: u64,
        /// How late it may be.
        grace_ms: u64,
        /// How bad it is when it does not call.
        severity: Severity,
        /// SHA-256 (hex) of its token; none keeps the token of a known one.
        token_hash: Option<String>,
    },
    /// Remove one.
    Remove(HeartbeatId),
    /// The job called.
    Called {
        /// Which.
        heartbeat: HeartbeatId,
        /// When.
        at: Timestamp,
    },
    /// The job says that it begins.
    Started {
        /// Which.
        heartbeat: HeartbeatId,
        /// When.
        at: Timestamp,
    },
    /// The job says that it failed.
    Failed {
        /// Which.
        heartbeat: HeartbeatId,
        /// Its words.
        message: String,
    },
}
