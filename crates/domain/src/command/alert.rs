//! What monitors, rules and systems outside say about alerts.

use crate::alert::{EvidenceSample, Onset, SentDetails};
use crate::id::{IncidentId, IntegrationId, MonitorId, ServiceId, TargetId};
use crate::monitor::Severity;
use crate::time::Timestamp;

/// Alerts.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertAsk {
    /// A monitor's question answers for a target.
    MonitorFired {
        /// Which monitor.
        monitor: MonitorId,
        /// For which target.
        target: TargetId,
        /// At which data time.
        at: Timestamp,
        /// The ending of the title that applies.
        wording: String,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
        /// When the failure began.
        onset: Option<Onset>,
        /// Indexes of the monitor's hold rules that answered.
        holds: Vec<usize>,
    },
    /// A monitor's recovery question answers for a failing target.
    MonitorRecovered {
        /// Which monitor.
        monitor: MonitorId,
        /// For which target.
        target: TargetId,
        /// At which data time.
        at: Timestamp,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
    },
    /// An alert of a rule begins to fire.
    RuleFired(Box<RuleFired>),
    /// An alert of a rule fires no more.
    RuleResolved {
        /// The key it was raised under.
        dedup_key: String,
        /// At which data time.
        at: Timestamp,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
        /// Whether its rule is there no more, so that nothing tells whether it is over.
        gone: bool,
    },
    /// Somebody outside says how an alert stands that is known by its labels, as Prometheus does again and again.
    Labelled(Box<Labelled>),
    /// The reason to wait is gone.
    HoldCleared {
        /// Of which incident.
        incident: IncidentId,
    },
    /// Somebody outside says that something fails.
    Trigger {
        /// On which service; the default one when none.
        service: Option<ServiceId>,
        /// By which integration, if by one.
        integration: Option<IntegrationId>,
        /// The sender's key; made here when none.
        dedup_key: Option<String>,
        /// How bad.
        severity: Severity,
        /// What fails.
        title: String,
        /// Where and more.
        summary: String,
        /// Further fields.
        details: Vec<(String, String)>,
        /// The same as they were sent, where names and texts do not say it.
        sent_details: Option<Box<SentDetails>>,
        /// When, by the sender's clock.
        at: Option<Timestamp>,
    },
    /// Somebody outside says that a person works on it.
    AcknowledgeByKey {
        /// On which service.
        service: ServiceId,
        /// By which integration, if by one: each has keys of its own.
        integration: Option<IntegrationId>,
        /// The key.
        dedup_key: String,
    },
    /// Somebody outside says otherwise what fails. What is over is not raised by that.
    RestateByKey(SaidOf, Restated),
    /// Somebody outside notes this text about what fails.
    NoteByKey(SaidOf, String),
    /// Somebody outside says that it is over.
    ResolveByKey {
        /// On which service.
        service: ServiceId,
        /// By which integration, if by one: each has keys of its own.
        integration: Option<IntegrationId>,
        /// The key.
        dedup_key: String,
    },
}

/// The alert of which something is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidOf {
    /// On which service.
    pub service: ServiceId,
    /// By which integration, if by one: each has keys of its own.
    pub integration: Option<IntegrationId>,
    /// The key.
    pub dedup_key: String,
}

/// What is said otherwise of an alert that fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restated {
    /// What fails, in one line.
    Title(String),
    /// Where and more.
    Summary(String),
    /// How bad.
    Severity(Severity),
}

/// An alert that is known by its labels, whoever sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// On which service, unless its labels name one; that of its integration when none, and the default one without that.
    pub service: Option<ServiceId>,
    /// By which integration, if by one.
    pub integration: Option<IntegrationId>,
    /// A key that is the same for the same labels.
    pub dedup_key: String,
    /// How bad.
    pub severity: Severity,
    /// What fails, in one line.
    pub title: String,
    /// More about it.
    pub summary: String,
    /// Its labels; then its annotations, each after [`crate::intake::ANNOTATION`].
    pub details: Vec<(String, String)>,
    /// Since when it fires, by the sender's clock.
    pub starts_at: Timestamp,
    /// When it is over unless it is said again; over already when that is past.
    pub ends_at: Timestamp,
}

/// An alert of a rule that begins to fire.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleFired {
    /// The group the rule stands in.
    pub group: String,
    /// The alert's name.
    pub rule: String,
    /// On which service; the default one when none. Of an alert about a target, the target's.
    pub service: Option<ServiceId>,
    /// The watched server it is about.
    pub target: Option<TargetId>,
    /// A key that is the same whenever this rule fires for these labels.
    pub dedup_key: String,
    /// How bad.
    pub severity: Severity,
    /// What fails, in one line.
    pub title: String,
    /// More about it.
    pub summary: String,
    /// Its labels, and what else is to be shown.
    pub details: Vec<(String, String)>,
    /// At which data time.
    pub at: Timestamp,
    /// What proves it.
    pub evidence: Vec<EvidenceSample>,
}
