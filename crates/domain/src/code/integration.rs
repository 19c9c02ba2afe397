//! Integrations as files say them, without their keys.

use serde::{Deserialize, Serialize};

use crate::service::{self, IntegrationKind, Mismatch, Speaks};

/// An integration, without its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// How the foreign system speaks.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub kind: Speaks,
    /// The vendor whose product sends by it, where clients look for it by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The label by which an alert of a Prometheus names its service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_label: Option<String>,
    /// How bodies become alerts, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

impl Integration {
    /// As it is set up, under its key.
    pub(crate) fn of(name: &str, known: &service::Integration) -> Self {
        // The key of its senders stands in no file; the service is the one below which it stands.
        let service::Integration {
            id: _,
            service: _,
            name: _,
            key_hash: _,
            key_row: _,
            vendor,
            kind,
        } = known;
        Self {
            name: name.to_owned(),
            kind: kind.speaks(),
            vendor: vendor.clone(),
            service_label: kind.service_label().map(str::to_owned),
            mapping: kind.mapping().map(str::to_owned),
        }
    }

    /// The kind with what belongs to it.
    ///
    /// # Errors
    /// The field that does not go with the kind, or that it lacks, and why.
    pub fn kind(&self) -> Result<IntegrationKind, (&'static str, &'static str)> {
        let Self {
            name: _,
            kind,
            // It stands beside the kind.
            vendor: _,
            service_label,
            mapping,
        } = self;
        let kind = kind.with(mapping.clone(), service_label.clone());
        kind.map_err(|mismatch| match mismatch {
            Mismatch::Label => ("service_label", mismatch.why()),
            Mismatch::Mapping => ("mapping", mismatch.why()),
            // The place of what is not there is that of what needs it.
            Mismatch::NoMapping => ("kind", "a webhook needs a mapping beside it"),
        })
    }
}

fn is_usual(kind: &Speaks) -> bool {
    *kind == Speaks::default()
}
