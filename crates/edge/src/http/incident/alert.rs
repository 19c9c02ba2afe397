//! An alert of an incident that is said to be over by whoever may answer for it. What Tocsin itself sees failing cannot be talked
//! well.

use axum::Json;
use axum::extract::{Path, State};
use tocsin_domain::alert::{self, AlertSource};
use tocsin_domain::command::{AlertAsk, Ask, Labelled};
use tocsin_domain::id::{AlertId, IncidentId};
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;

use super::detail::{Alert, shown_alert};
use super::{Nothing, find};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::problem::Problem;

/// The alert of an incident that has this id.
pub(crate) fn of(state: &state::State, incident: IncidentId, id: &str) -> Option<AlertId> {
    let alert: AlertId = id.parse().ok()?;
    let known = state.incidents.get(&incident)?;
    known.alerts.contains(&alert).then_some(alert)
}

/// Says that an alert is over, in the way in which its sender would: to the service to which it was sent, wherever a rule put it.
/// Nothing is to be said of one that is over already; why it cannot be said is in words.
pub(crate) fn end(alert: &alert::Alert, now: Timestamp) -> Result<Option<AlertAsk>, &'static str> {
    if !alert.is_firing() {
        return Ok(None);
    }
    if alert.source.is_own_judge() {
        return Err("Tocsin sees it failing: it resolves by itself once it has recovered");
    }
    let key = alert.key();
    Ok(Some(match &alert.source {
        AlertSource::Alertmanager { .. } => AlertAsk::Labelled(Box::new(Labelled {
            service: Some(key.service),
            // It is found by its labels whoever sends it, and those need not be asked once more for its service.
            integration: None,
            dedup_key: key.key,
            severity: alert.severity,
            title: alert.title.clone(),
            summary: alert.summary.clone(),
            details: alert.details.to_vec(),
            starts_at: alert.opened_at,
            ends_at: now,
        })),
        AlertSource::EventsV2 { .. }
        | AlertSource::Api
        | AlertSource::Monitor { .. }
        | AlertSource::Rule { .. }
        | AlertSource::Heartbeat { .. } => AlertAsk::ResolveByKey {
            service: key.service,
            integration: alert.source.integration(),
            dedup_key: key.key,
        },
    }))
}

/// End one alert of an incident
///
/// It is as if its sender had said so. One that is over already stays as it is; what Tocsin itself sees failing is refused: it
/// resolves by itself once it has recovered.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/alerts/{alert_id}/resolve", tag = "incidents",
    params(("id" = String, Path, description = "Id or number"), ("alert_id" = String, Path)), request_body = Nothing,
    responses((status = 200, body = Alert), (status = 404), (status = 409)))]
pub(crate) async fn resolve_alert(
    State(app): State<App>,
    caller: Caller,
    Path((id, alert_id)): Path<(String, String)>,
) -> Result<Json<Alert>, Problem> {
    let incident = find(&app, &id)?;
    let missing = || Problem::not_found(&format!("alert {alert_id} of incident {id}"));
    let now = app.now();
    let found = app.read(|state| {
        let alert = of(state, incident, &alert_id)?;
        Some((alert, end(state.alerts.get(&alert)?, now)))
    });
    let (alert, end) = found.ok_or_else(missing)?;
    if let Some(ask) = end.map_err(Problem::conflict)? {
        app.ask(&caller.actor, Ask::Alert(ask)).await?;
    }
    let shown = app.read(|state| {
        let alert = state.alerts.get(&alert)?;
        Some(shown_alert(state, alert))
    });
    shown.map(Json).ok_or_else(missing)
}
