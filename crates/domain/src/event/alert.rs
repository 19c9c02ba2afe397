//! What happens to alerts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, EvidenceSample, SentDetails};
use crate::id::{AlertId, IncidentId};
use crate::incident::Hold;
use crate::intake::Judged;
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::time::Timestamp;

/// What happened to an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AlertEvent {
    /// A condition began to fail.
    Opened {
        /// The whole of it, held once by the event and by the states that it is folded into.
        alert: Arc<Alert>,
    },
    /// It was said again while open.
    Repeated {
        /// Which.
        alert: AlertId,
        /// Its incident.
        incident: IncidentId,
        /// The severity said this time.
        severity: Severity,
        /// The summary said this time.
        summary: String,
        /// How loudly it asks this time; none when the severity says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        urgency: Option<Urgency>,
        /// What rules and settings made of it this time, when that makes it louder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        judged: Option<Box<Judged>>,
        /// When it is over unless it is said again, as said this time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_at: Option<Timestamp>,
        /// Its further fields, when they are others than before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<Vec<(String, String)>>,
        /// The same as they were sent, where names and texts do not say it; never there without the fields.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_details: Option<Box<SentDetails>>,
        /// How long nobody is paged for it by itself from now on, when it is worse than before and waits less long for that; one
        /// whose end has come waits no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold: Option<Box<Hold>>,
        /// What its sender says otherwise of it, when it does not say again that it fails.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reworded: Option<Reworded>,
    },
    /// The condition is over, or is watched no longer.
    Recovered {
        /// Which.
        alert: AlertId,
        /// Its incident.
        incident: IncidentId,
        /// What proves it.
        evidence: Vec<EvidenceSample>,
        /// Why it was closed, where nobody saw it healthy and its sender did not say that it is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closed: Option<String>,
    },
}

/// What is said otherwise of an alert that fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reworded {
    /// Its title: the summary of the event takes its place.
    Title,
    /// More about it: the summary of the event takes the place of that.
    Summary,
    /// How bad it is.
    Severity,
}

impl AlertEvent {
    /// Which alert.
    #[must_use]
    pub fn alert(&self) -> AlertId {
        match self {
            Self::Opened { alert } => alert.id,
            Self::Repeated { alert, .. } | Self::Recovered { alert, .. } => *alert,
        }
    }

    /// The incident it belongs to.
    #[must_use]
    pub fn incident(&self) -> IncidentId {
        match self {
            Self::Opened { alert } => alert.incident,
            Self::Repeated { incident, .. } | Self::Recovered { incident, .. } => *incident,
        }
    }
}
