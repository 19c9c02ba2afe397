//! Integrations as files say them, without their keys.

use serde::{Deserialize, Serialize};

use crate::service::{self, IntegrationKind};

/// An integration, without its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// How the foreign system speaks.
    #[serde(default, skip_serializing_if = "Speaks::is_usual")]
    pub kind: Speaks,
    /// The label by which an alert of a Prometheus names its service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_label: Option<String>,
    /// How bodies become alerts, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

/// How a foreign system speaks.
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

impl Speaks {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Integration {
    /// As it is set up.
    pub(crate) fn of(known: &service::Integration) -> Self {
        let kind = match known.kind {
            IntegrationKind::EventsV2 => Speaks::EventsV2,
            IntegrationKind::Webhook { .. } => Speaks::Webhook,
            IntegrationKind::Grafana => Speaks::Grafana,
            IntegrationKind::Opsgenie => Speaks::Opsgenie,
            IntegrationKind::Alertmanager { .. } => Speaks::Alertmanager,
            IntegrationKind::Email { .. } => Speaks::Email,
        };
        Self {
            name: known.name.clone(),
            kind,
            service_label: known.kind.service_label().map(str::to_owned),
            mapping: known.kind.mapping().map(str::to_owned),
        }
    }

    /// The kind with what belongs to it.
    ///
    /// # Errors
    /// The field that does not go with the kind, or that it lacks, and why.
    pub fn kind(&self) -> Result<IntegrationKind, (&'static str, String)> {
        if self.service_label.is_some() && self.kind != Speaks::Alertmanager {
            let why = "only what speaks as Prometheus to Alertmanager has labels";
            return Err(("service_label", why.to_owned()));
        }
        let mapping = self.mapping.clone();
        match (self.kind, mapping) {
            (Speaks::Webhook, Some(mapping)) => Ok(IntegrationKind::Webhook { mapping }),
            (Speaks::Webhook, None) => {
                Err(("kind", "a webhook needs a mapping beside it".to_owned()))
            }
            (Speaks::Email, mapping) => Ok(IntegrationKind::Email { mapping }),
            (
                Speaks::EventsV2 | Speaks::Grafana | Speaks::Opsgenie | Speaks::Alertmanager,
                Some(_),
            ) => {
                let why = "only a webhook and a mail address have one of their own";
                Err(("mapping", why.to_owned()))
            }
            (Speaks::EventsV2, None) => Ok(IntegrationKind::EventsV2),
            (Speaks::Grafana, None) => Ok(IntegrationKind::Grafana),
            (Speaks::Opsgenie, None) => Ok(IntegrationKind::Opsgenie),
            (Speaks::Alertmanager, None) => Ok(IntegrationKind::Alertmanager {
                service_label: self.service_label.clone(),
            }),
        }
    }
}
