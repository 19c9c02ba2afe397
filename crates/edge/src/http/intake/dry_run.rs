//! What would become of an alert: which rules hold, and whether somebody would be paged. Nothing is done.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_domain::id::{IntegrationId, ServiceId};
use tocsin_domain::intake::{Incoming, Newcomer, Ruling};
use tocsin_domain::monitor;
use tocsin_domain::people;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use tocsin_wire::plain::cut;
use utoipa::ToSchema;

use super::RuleHit;
use crate::app::App;
use crate::http::alert::flat;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;
use crate::http::shape::{Id, Instant, Named, Severity, Urgency, named_service};

/// Characters of a text that are looked at.
const TEXT_CHARS_MAX: usize = 1_024;

/// An alert that is not raised.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunRequest {
    /// The service it would be sent to; that of the integration, else the default one, when none is named.
    #[schema(value_type = Option<Id>)]
    service_id: Option<String>,
    /// The integration it would come by.
    #[schema(value_type = Option<Id>)]
    integration_id: Option<String>,
    /// What fails, in one line.
    summary: String,
    severity: Severity,
    /// Where it fails.
    source: Option<String>,
    /// Further fields.
    details: Option<Value>,
}

/// What would become of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DryRun {
    /// The rules that hold, in order.
    rules: Vec<RuleHit>,
    /// The service it would belong to.
    service: Named,
    severity: Severity,
    urgency: Urgency,
    /// Why it would be as urgent as it is, when that is not by its severity alone.
    urgency_why: Option<String>,
    priority: Option<String>,
    /// Whether a rule would throw it away.
    dropped: bool,
    /// How long its page would wait.
    pause_seconds: Option<u64>,
    /// Until when nobody would be paged.
    quiet_until: Option<Instant>,
    notes: Vec<String>,
    /// The open incident that it would join; null for a new one.
    incident_id: Option<String>,
    /// All of it in one sentence.
    outcome: String,
}

/// What the rules would make of an alert, without raising it
#[utoipa::path(post, path = "/api/tocsin/v1/alert-rules/dry-run", tag = "oncall", request_body = DryRunRequest,
    responses((status = 200, body = DryRun), (status = 400), (status = 404)))]
pub(crate) async fn dry_run(
    State(app): State<App>,
    Body(request): Body<DryRunRequest>,
) -> Result<Json<DryRun>, Problem> {
    let now = app.now();
    let details = request.details.as_ref().map(flat).unwrap_or_default();
    let title = cut(&request.summary, TEXT_CHARS_MAX);
    let source = request.source.unwrap_or_default();
    let summary = format!("on {}", cut(&source, TEXT_CHARS_MAX));
    let wrong = |_| Problem::bad("integration_id: not an id");
    let integration: Option<IntegrationId> = request
        .integration_id
        .map(|id| id.parse().map_err(wrong))
        .transpose()?;
    let wrong = |_| Problem::bad("service_id: not an id of a service");
    let service: Option<ServiceId> = request
        .service_id
        .map(|id| id.parse().map_err(wrong))
        .transpose()?;
    let severity: monitor::Severity = request.severity.into();
    app.read(|state| {
        let by = integration.and_then(|id| state.integrations.get(&id));
        let default = state.installation.as_ref().map(|all| all.default_service);
        let service = service.or(by.map(|one| one.service)).or(default);
        let service = service.ok_or_else(|| Problem::conflict("set Tocsin up first"))?;
        if !state.services.contains_key(&service) {
            return Err(Problem::not_found(&format!("service {service}")));
        }
        let incoming = Incoming {
            service,
            integration,
            severity,
            title: &title,
            summary: &summary,
            details: &details,
            is_own: false,
        };
        let ruling = state.judge(incoming, now);
        Ok(Json(shown(state, &ruling, now)))
    })
}

fn shown(state: &state::State, ruling: &Ruling, now: Timestamp) -> DryRun {
    let quiet = state.quiet_for(ruling.service, None, now);
    let group = ruling.judged.group.as_deref();
    let joined = group.and_then(|group| {
        let newcomer = Newcomer {
            service: ruling.service,
            target: None,
            group,
            urgency: ruling.urgency,
        };
        state.incident_of_group(&newcomer, now)
    });
    let outcome = if let Some((_, rule)) = &ruling.dropped {
        format!("It would be thrown away by the rule “{rule}”.")
    } else if let Some(why) = &ruling.judged.suppressed {
        format!("It would be kept and shown, and nobody paged: {why}.")
    } else if ruling.urgency == people::Urgency::Low {
        let why = ruling.judged.urgency_why.as_deref();
        let why = why.unwrap_or("its severity does not page");
        format!("Nobody would be paged: {why}.")
    } else if let Some(quiet) = &quiet {
        format!(
            "Nobody would be paged until {}: {}.",
            quiet.until, quiet.why
        )
    } else if joined.is_some() {
        "It would join an open incident, which is paged for.".to_owned()
    } else if let Some((ms, _)) = &ruling.pause {
        format!(
            "Somebody would be paged if it still fails in {} s.",
            ms / 1_000
        )
    } else {
        "Somebody would be paged at once.".to_owned()
    };
    DryRun {
        rules: ruling.judged.rules.iter().map(RuleHit::of).collect(),
        service: named_service(state, ruling.service),
        severity: ruling.severity.into(),
        urgency: ruling.urgency.into(),
        urgency_why: ruling.judged.urgency_why.clone(),
        priority: ruling.judged.priority.clone(),
        dropped: ruling.dropped.is_some(),
        pause_seconds: ruling.pause.as_ref().map(|(ms, _)| ms / 1_000),
        quiet_until: quiet.map(|quiet| Instant(quiet.until)),
        notes: ruling.notes.clone(),
        incident_id: joined.map(|incident| incident.to_string()),
        outcome,
    }
}
