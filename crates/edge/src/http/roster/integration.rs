//! Kinds of integrations over the API: what each needs, where its key is used, and changes of one that is there.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_domain::command::RosterAsk;
use tocsin_domain::event::RosterEvent;
use tocsin_domain::service::{self, Mismatch, Speaks};
use utoipa::ToSchema;

use super::{lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::Json as Body;
use crate::http::intake::mapping::read;
use crate::http::problem::Problem;

/// How a foreign system speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntegrationKind {
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

/// Why there can be no mail address.
pub(crate) const TAKES_NO_MAIL: &str =
    "this server takes no mail: set [mail_intake] in tocsin.toml and start it again";

impl IntegrationKind {
    pub(crate) const fn of(kind: &service::IntegrationKind) -> Self {
        match kind.speaks() {
            Speaks::EventsV2 => Self::EventsV2,
            Speaks::Webhook => Self::Webhook,
            Speaks::Grafana => Self::Grafana,
            Speaks::Opsgenie => Self::Opsgenie,
            Speaks::Alertmanager => Self::Alertmanager,
            Speaks::Email => Self::Email,
        }
    }

    const fn speaks(self) -> Speaks {
        match self {
            Self::EventsV2 => Speaks::EventsV2,
            Self::Webhook => Speaks::Webhook,
            Self::Grafana => Speaks::Grafana,
            Self::Opsgenie => Speaks::Opsgenie,
            Self::Alertmanager => Speaks::Alertmanager,
            Self::Email => Speaks::Email,
        }
    }

    /// The kind with its mapping or its label, when they go together and the mapping can be read.
    pub(crate) fn with(
        self,
        mapping: Option<&Value>,
        service_label: Option<String>,
    ) -> Result<service::IntegrationKind, Problem> {
        let mapping = mapping.filter(|mapping| !mapping.is_null());
        let kind = self
            .speaks()
            .with(mapping.map(Value::to_string), service_label)
            .map_err(|mismatch| match mismatch {
                Mismatch::Label => Problem::bad(format!("service_label: {}", mismatch.why())),
                Mismatch::Mapping => Problem::bad(format!("mapping: {}", mismatch.why())),
                Mismatch::NoMapping => Problem::bad(format!(
                    "mapping: {}; GET /api/tocsin/v1/intake/presets shows some",
                    mismatch.why()
                )),
            })?;
        if let Some(mapping) = mapping {
            read(mapping)?;
        }
        Ok(kind)
    }

    /// Where a sender is pointed to; it holds the key where the sender has no other place for it.
    pub(crate) fn address(self, app: &App, key: &str) -> Result<String, Problem> {
        let url = &app.settings.public_url;
        match self {
            Self::EventsV2 => Ok(format!("{url}/v2/enqueue")),
            Self::Webhook | Self::Grafana => Ok(format!("{url}/intake/{key}")),
            Self::Opsgenie => Ok(url.clone()),
            Self::Alertmanager => Ok(format!("{url}/alertmanager")),
            Self::Email => match &app.settings.mail_domain {
                Some(domain) => Ok(format!("{key}@{domain}")),
                None => Err(Problem::conflict(TAKES_NO_MAIL)),
            },
        }
    }

    /// The key in the form that its addresses keep: letters of mail addresses lose their case on the way.
    pub(crate) fn key(self, key: String) -> String {
        match self {
            Self::Email => key.to_ascii_lowercase(),
            Self::EventsV2
            | Self::Webhook
            | Self::Grafana
            | Self::Opsgenie
            | Self::Alertmanager => key,
        }
    }
}

/// An integration with all that is known about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationDetail {
    id: String,
    name: String,
    kind: IntegrationKind,
    service_id: String,
    /// Its own mapping.
    #[schema(value_type = Option<Object>)]
    mapping: Option<Value>,
    /// The label by which an alert of a Prometheus names the service that it belongs to.
    service_label: Option<String>,
}

fn shown(one: &service::Integration) -> IntegrationDetail {
    let mapping = one.kind.mapping();
    IntegrationDetail {
        id: one.id.to_string(),
        name: one.name.clone(),
        kind: IntegrationKind::of(&one.kind),
        service_id: one.service.to_string(),
        mapping: mapping.and_then(|text| serde_json::from_str(text).ok()),
        service_label: one.kind.service_label().map(str::to_owned),
    }
}

/// An integration as it shall be; its key and its kind stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntegrationChange {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Its own mapping: needed for a webhook; without one, a mail is read as usual.
    #[schema(value_type = Option<Object>)]
    mapping: Option<Value>,
    /// The label by which an alert of a Prometheus names the service that it belongs to, by name or id.
    #[schema(min_length = 1, max_length = 200)]
    service_label: Option<String>,
}

fn found(app: &App, id: &str, integration_id: &str) -> Result<service::Integration, Problem> {
    let missing = || Problem::not_found(&format!("integration {integration_id} of service {id}"));
    let integration = integration_id.parse().map_err(|_| missing())?;
    let known = app.read(|state| state.integrations.get(&integration).cloned());
    known
        .filter(|one| one.service.as_str() == id)
        .ok_or_else(missing)
}

/// One integration, with its mapping; its key is not kept
#[utoipa::path(get, path = "/api/tocsin/v1/services/{id}/integrations/{integration_id}", tag = "oncall",
    params(("id" = String, Path), ("integration_id" = String, Path)),
    responses((status = 200, body = IntegrationDetail), (status = 404)))]
pub(crate) async fn get_integration(
    State(app): State<App>,
    Path((id, integration_id)): Path<(String, String)>,
) -> Result<Json<IntegrationDetail>, Problem> {
    found(&app, &id, &integration_id).map(|one| Json(shown(&one)))
}

/// Change the name or the mapping of an integration
#[utoipa::path(put, path = "/api/tocsin/v1/services/{id}/integrations/{integration_id}", tag = "oncall",
    params(("id" = String, Path), ("integration_id" = String, Path)), request_body = IntegrationChange,
    responses((status = 200, body = IntegrationDetail), (status = 400), (status = 404)))]
pub(crate) async fn replace_integration(
    State(app): State<App>,
    caller: Caller,
    Path((id, integration_id)): Path<(String, String)>,
    Body(change): Body<IntegrationChange>,
) -> Result<Json<IntegrationDetail>, Problem> {
    let known = found(&app, &id, &integration_id)?;
    let kind = IntegrationKind::of(&known.kind);
    let kind = kind.with(change.mapping.as_ref(), change.service_label)?;
    let ask = RosterAsk::ChangeIntegration {
        integration: known.id,
        name: change.name,
        vendor: known.vendor,
        kind,
    };
    let RosterEvent::IntegrationChanged { integration } = set_in(&app, &caller, ask).await? else {
        return Err(lost());
    };
    Ok(Json(shown(&integration)))
}
