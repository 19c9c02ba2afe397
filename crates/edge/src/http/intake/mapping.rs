//! Mappings over the API: those that Tocsin brings, and what one would make of a sample. Nothing is raised.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_domain::id::IntegrationId;
use tocsin_domain::service::IntegrationKind;
use tocsin_wire::inbound_mail::Mail;
use tocsin_wire::mapping::{Mapped, Mapping, presets};
use tocsin_wire::opsgenie;
use utoipa::ToSchema;

use crate::app::App;
use crate::front::webhook::{failed, stored};
use crate::http::body::WithSample;
use crate::http::problem::Problem;
use crate::http::shape::{Id, Instant, Severity};

/// A mapping that Tocsin brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    /// Grafana's webhook contact point, and Alertmanager's.
    Grafana,
    /// The body of an Opsgenie-style request to make an alert.
    Opsgenie,
    /// A mail.
    Email,
}

impl Preset {
    const ALL: [Self; 3] = [Self::Grafana, Self::Opsgenie, Self::Email];

    const fn text(self) -> &'static str {
        match self {
            Self::Grafana => presets::GRAFANA,
            Self::Opsgenie => presets::OPSGENIE,
            Self::Email => presets::EMAIL,
        }
    }
}

/// A mapping that Tocsin brings, to copy and to change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPreset {
    preset: Preset,
    #[schema(value_type = Object)]
    mapping: Value,
}

/// All mappings that Tocsin brings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Presets {
    presets: Vec<ShownPreset>,
}

/// A sample, and how it is to be read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingDryRunRequest {
    /// A mapping that is tried out.
    #[schema(value_type = Option<Object>)]
    mapping: Option<Value>,
    /// One that Tocsin brings.
    preset: Option<Preset>,
    /// That of an integration.
    #[schema(value_type = Option<Id>)]
    integration_id: Option<String>,
    /// What would be sent; any JSON.
    body: Option<Value>,
    /// A whole mail with its headers, instead of a body.
    mail: Option<String>,
}

/// The alerts that a sample would make.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MappingDryRun {
    alerts: Vec<MappedAlert>,
    /// How many things the mapping would pass over.
    ignored: usize,
}

/// An alert that a sample would make.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MappedAlert {
    /// `trigger`, `acknowledge` or `resolve`.
    action: &'static str,
    /// Empty for one that gets a key of its own.
    dedup_key: String,
    severity: Severity,
    title: String,
    summary: String,
    /// Further fields, in order.
    details: Vec<MappedDetail>,
    /// When it was seen; null for the time it comes.
    at: Option<Instant>,
    /// What was left out or assumed.
    notes: Vec<String>,
}

/// A further field of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MappedDetail {
    name: String,
    value: String,
}

impl From<Mapped> for MappedAlert {
    fn from(alert: Mapped) -> Self {
        let details = alert.details.into_iter();
        Self {
            action: alert.action.word(),
            dedup_key: alert.dedup_key,
            severity: alert.severity.into(),
            title: alert.title,
            summary: alert.summary,
            details: details
                .map(|(name, value)| MappedDetail { name, value })
                .collect(),
            at: alert.at.map(Instant),
            notes: alert.notes,
        }
    }
}

/// Reads a mapping that somebody asks for, or says all that is wrong with it.
pub(crate) fn read(mapping: &Value) -> Result<Mapping, Problem> {
    Mapping::of(mapping)
        .map_err(|mistakes| Problem::invalid(mistakes.iter().map(ToString::to_string).collect()))
}

/// Mappings that Tocsin brings
#[utoipa::path(get, path = "/api/tocsin/v1/intake/presets", tag = "alerts", responses((status = 200, body = Presets)))]
pub(crate) async fn list_presets() -> Result<Json<Presets>, Problem> {
    let mut shown = Vec::new();
    for preset in Preset::ALL {
        let mapping = serde_json::from_str(preset.text())
            .map_err(|_| Problem::internal("a mapping of Tocsin cannot be read"))?;
        shown.push(ShownPreset { preset, mapping });
    }
    Ok(Json(Presets { presets: shown }))
}

/// The alerts that a mapping would make of a sample, without raising them
#[utoipa::path(post, path = "/api/tocsin/v1/intake/dry-run", tag = "alerts", operation_id = "mapping_dry_run",
    request_body = MappingDryRunRequest,
    responses((status = 200, body = MappingDryRun), (status = 400), (status = 404), (status = 413)))]
pub(crate) async fn dry_run(
    State(app): State<App>,
    WithSample(request): WithSample<MappingDryRunRequest>,
) -> Result<Json<MappingDryRun>, Problem> {
    let mapping = mapping_of(&app, &request)?;
    let is_opsgenie = is_opsgenie(&app, &request);
    let sample = match (request.body, request.mail) {
        (Some(body), None) => body,
        (None, Some(mail)) => Mail::read(mail.as_bytes()).json(),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Problem::bad("give a sample: either body or mail"));
        }
    };
    let sample = if is_opsgenie {
        opsgenie::in_words(sample)
    } else {
        sample
    };
    let outcome = mapping.apply(&sample).map_err(|failure| failed(&failure))?;
    Ok(Json(MappingDryRun {
        alerts: outcome.alerts.into_iter().map(MappedAlert::from).collect(),
        ignored: outcome.ignored,
    }))
}

fn mapping_of(app: &App, request: &MappingDryRunRequest) -> Result<Mapping, Problem> {
    match (&request.mapping, request.preset, &request.integration_id) {
        (Some(mapping), None, None) => read(mapping),
        (None, Some(preset), None) => stored(preset.text()),
        (None, None, Some(id)) => stored(&mapping_of_integration(app, id)?),
        _ => Err(Problem::bad(
            "give one of mapping, preset and integration_id",
        )),
    }
}

/// Whether a sample is read as the body of an Opsgenie-style request, of which more than the mapping is known.
fn is_opsgenie(app: &App, request: &MappingDryRunRequest) -> bool {
    let integration = request.integration_id.as_deref();
    let kind = integration.and_then(|id| kind_of(app, id));
    request.preset == Some(Preset::Opsgenie) || kind == Some(IntegrationKind::Opsgenie)
}

fn kind_of(app: &App, integration: &str) -> Option<IntegrationKind> {
    let known: IntegrationId = integration.parse().ok()?;
    app.read(|state| Some(state.integrations.get(&known)?.kind.clone()))
}

fn mapping_of_integration(app: &App, id: &str) -> Result<String, Problem> {
    let missing = || Problem::not_found(&format!("integration {id}"));
    Ok(match kind_of(app, id).ok_or_else(missing)? {
        IntegrationKind::Webhook { mapping } => mapping,
        IntegrationKind::Grafana => presets::GRAFANA.to_owned(),
        IntegrationKind::Opsgenie => presets::OPSGENIE.to_owned(),
        IntegrationKind::Email { mapping } => mapping.unwrap_or_else(|| presets::EMAIL.to_owned()),
        IntegrationKind::EventsV2 => {
            return Err(Problem::bad(
                "this integration takes events of PagerDuty's API and has no mapping",
            ));
        }
        IntegrationKind::Alertmanager { .. } => {
            return Err(Problem::bad(
                "this integration takes alerts as Alertmanager does and has no mapping",
            ));
        }
    })
}
