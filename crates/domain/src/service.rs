//! Services (what incidents belong to) and their integrations (who may raise alerts on them).

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, PolicyId, SecretId, ServiceId, TeamId};
use crate::intake::{GroupBy, GroupingLabel, Intake, UrgencyBy};
use crate::page::Policy;

/// Something that can fail and whose failure somebody answers for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The first team. Whose it is, its policy says: [`State::team_of`](crate::state::State::team_of).
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// Who is paged; the installation's default policy when none.
    pub policy: Option<PolicyId>,
    /// How it takes its alerts in.
    #[serde(default)]
    pub intake: Intake,
    /// What it is, in the words of whoever set it up; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How long an acknowledgement of its incidents holds, where that is not as its policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Hold>,
}

/// Characters of a description at most.
pub const DESCRIPTION_CHARS_MAX: usize = 1_024;

/// How long an acknowledgement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Until the incident is over.
    Always,
    /// So many milliseconds: what still fails then is triggered again.
    ForMs(u64),
}

impl Service {
    /// How long an acknowledgement of its incidents holds where this policy is followed; for ever when none.
    #[must_use]
    pub fn acknowledgement_timeout_ms(&self, policy: Option<&Policy>) -> Option<u64> {
        Hold::timeout_ms(self.acknowledgement, policy)
    }
}

impl Hold {
    /// How long an acknowledgement holds by what a service says itself, or else by this policy; for ever when none.
    #[must_use]
    pub fn timeout_ms(own: Option<Self>, policy: Option<&Policy>) -> Option<u64> {
        match own {
            Some(Self::Always) => None,
            Some(Self::ForMs(ms)) => Some(ms),
            None => policy?.acknowledgement_timeout_ms,
        }
    }
}

/// All that can be said of a service at once. What is not said stays as it is when this is decided, of a new one as services are by
/// default, so that two who change different things of one service undo nothing of each other's. Its rules stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WholeService {
    /// Which, or a new one.
    pub id: Option<ServiceId>,
    /// Its name, which a new one needs.
    pub name: Option<String>,
    /// Who is paged; `Some(None)` for the installation's default policy.
    pub policy: Option<Option<PolicyId>>,
    /// What it is.
    pub description: Option<String>,
    /// How long an acknowledgement holds; `Some(None)` for as long as its policy says.
    pub acknowledgement: Option<Option<Hold>>,
    /// How urgent an alert is.
    pub urgency: Option<UrgencyBy>,
    /// Which alerts make one incident.
    pub grouping: Option<GroupBy>,
    /// What that is called; it goes where alerts are no longer grouped.
    pub grouping_label: Option<GroupingLabel>,
    /// After so long without news, an alert from outside is taken to be over; `Some(None)` for never.
    pub resolve_after_ms: Option<Option<u64>>,
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
    /// SHA-256 of the routing key, in hex; the key itself is none of this.
    pub key_hash: String,
    /// The row of the vault that holds the key, where whoever made it reads it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_row: Option<SecretId>,
    /// The vendor that whoever made it named, by the id that is foreign to Tocsin, where several speak in the same way. It is told
    /// back to clients that look for it, and nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// How the foreign system speaks.
    #[serde(default)]
    pub kind: IntegrationKind,
}

/// How a foreign system speaks, without what belongs to that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// As PagerDuty's Events API v2.
    #[default]
    EventsV2,
    /// JSON of any shape, by a mapping.
    Webhook,
    /// As Grafana's alerts.
    Grafana,
    /// As Opsgenie's clients.
    Opsgenie,
    /// As Prometheus speaks to Alertmanager.
    Alertmanager,
    /// By mail.
    Email,
}

/// Why a mapping or a label does not go with how a foreign system speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It has a label and speaks in a way that has none.
    Label,
    /// It has a mapping and speaks in a way that has none of its own.
    Mapping,
    /// It cannot be understood without a mapping.
    NoMapping,
}

impl Speaks {
    /// The kind with what belongs to it.
    ///
    /// # Errors
    /// What does not go together.
    pub fn with(
        self,
        mapping: Option<String>,
        service_label: Option<String>,
    ) -> Result<IntegrationKind, Mismatch> {
        if service_label.is_some() && self != Self::Alertmanager {
            return Err(Mismatch::Label);
        }
        match (self, mapping) {
            (Self::Webhook, Some(mapping)) => Ok(IntegrationKind::Webhook { mapping }),
            (Self::Webhook, None) => Err(Mismatch::NoMapping),
            (Self::Email, mapping) => Ok(IntegrationKind::Email { mapping }),
            (Self::EventsV2 | Self::Grafana | Self::Opsgenie | Self::Alertmanager, Some(_)) => {
                Err(Mismatch::Mapping)
            }
            (Self::EventsV2, None) => Ok(IntegrationKind::EventsV2),
            (Self::Grafana, None) => Ok(IntegrationKind::Grafana),
            (Self::Opsgenie, None) => Ok(IntegrationKind::Opsgenie),
            (Self::Alertmanager, None) => Ok(IntegrationKind::Alertmanager { service_label }),
        }
    }
}

impl Mismatch {
    /// What to tell whoever asked, in words that follow the name of the field.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Label => "only what speaks as Prometheus to Alertmanager has labels",
            Self::Mapping => "only a webhook and a mail address have one of their own",
            Self::NoMapping => "needed for a webhook",
        }
    }
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
    /// How the foreign system speaks.
    #[must_use]
    pub const fn speaks(&self) -> Speaks {
        match self {
            Self::EventsV2 => Speaks::EventsV2,
            Self::Webhook { .. } => Speaks::Webhook,
            Self::Grafana => Speaks::Grafana,
            Self::Opsgenie => Speaks::Opsgenie,
            Self::Alertmanager { .. } => Speaks::Alertmanager,
            Self::Email { .. } => Speaks::Email,
        }
    }

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
