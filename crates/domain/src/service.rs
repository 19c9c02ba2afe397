//! Services (what incidents belong to) and their integrations (who may raise alerts on them).

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, PolicyId, ServiceId, TeamId};
use crate::intake::Intake;

/// Something that can fail and whose failure somebody answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The team that answers for it.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// Who is paged; the installation's default policy when none.
    pub policy: Option<PolicyId>,
    /// How it takes its alerts in.
    #[serde(default)]
    pub intake: Intake,
}

/// A key by which a foreign system raises alerts on one service (PagerDuty's routing key).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// The service it raises alerts on.
    pub service: ServiceId,
    /// Its name.
    pub name: String,
    /// SHA-256 of the routing key, in hex; the key itself is shown once and not kept.
    pub key_hash: String,
    /// How the foreign system speaks.
    #[serde(default)]
    pub kind: IntegrationKind,
}

/// How a foreign system speaks by an integration. A key is good for that alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "speaks", rename_all = "snake_case")]
pub enum IntegrationKind {
    /// As PagerDuty's Events API v2.
    #[default]
    EventsV2,
    /// JSON of any shape.
    Webhook {
        /// How it becomes alerts: a mapping, as JSON text. Whoever asks has made sure that it can be read.
        mapping: String,
    },
    /// As Grafana's alerts.
    Grafana,
    /// As Opsgenie's clients.
    Opsgenie,
    /// As Prometheus speaks to Alertmanager.
    Alertmanager {
        /// The label by whose value an alert names the service that it belongs to, by name or id; the service of the
        /// integration where it names none.
        #[serde(default)]
        service_label: Option<String>,
    },
    /// By mail.
    Email {
        /// How a mail becomes an alert, when not as usual.
        mapping: Option<String>,
    },
}

impl IntegrationKind {
    /// The mapping, as JSON text, where there is one of its own.
    #[must_use]
    pub fn mapping(&self) -> Option<&str> {
        match self {
            Self::Webhook { mapping } => Some(mapping),
            Self::Email { mapping } => mapping.as_deref(),
            Self::EventsV2 | Self::Grafana | Self::Opsgenie | Self::Alertmanager { .. } => None,
        }
    }

    /// The label by which an alert names its service, where there is one.
    #[must_use]
    pub fn service_label(&self) -> Option<&str> {
        match self {
            Self::Alertmanager { service_label } => service_label.as_deref(),
            Self::EventsV2
            | Self::Webhook { .. }
            | Self::Grafana
            | Self::Opsgenie
            | Self::Email { .. } => None,
        }
    }
}
