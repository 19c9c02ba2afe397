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
    /// The label by whose value an alert with labels names the service that it belongs to, by name or id; the service above
    /// where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_label: Option<String>,
}
