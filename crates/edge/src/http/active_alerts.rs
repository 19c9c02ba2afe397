//! The alerts that fire now, by pages.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tocsin_domain::alert;
use tocsin_domain::id::{AlertId, ServiceId};
use tocsin_domain::state;
use utoipa::ToSchema;

use super::body::Params;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::{Instant, Named, Severity, named_service};
use crate::app::App;

/// Which alerts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertQuery {
    /// Only those of this service.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    service_id: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// An alert that fires now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ActiveAlert {
    id: String,
    dedup_key: String,
    title: String,
    summary: String,
    severity: Severity,
    service: Named,
    incident_id: String,
    opened_at: Instant,
    /// How often it was said again.
    repeats: u64,
    /// Why it is in an incident with others; null when the incident is its own.
    grouped: Option<&'static str>,
}

/// Alerts that fire now, by service and id
#[utoipa::path(get, path = "/api/tocsin/v1/alerts", tag = "alerts", params(AlertQuery),
    responses((status = 200, body = Page<ActiveAlert>), (status = 400)))]
pub(crate) async fn list_alerts(
    State(app): State<App>,
    Params(query): Params<AlertQuery>,
) -> Result<Json<Page<ActiveAlert>>, Problem> {
    let service: Option<ServiceId> = match &query.service_id {
        None => None,
        Some(id) => Some(
            id.parse()
                .map_err(|_| Problem::bad("service_id: not an id of a service"))?,
        ),
    };
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let limit = page.limit()?;
    let after: Option<AlertId> = match &page.cursor {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| gone())?),
    };
    app.read(|state| {
        let last = after.map(|after| state.alerts.get(&after).ok_or_else(gone));
        let last = last.transpose()?;
        let firing = &state.firing;
        let wanted: Box<dyn Iterator<Item = &AlertId>> = match (service, last) {
            (Some(service), last) => Box::new(firing.of(service, last.map(|last| last.id))),
            (None, Some(last)) => Box::new(firing.after(last.service, last.id)),
            (None, None) => Box::new(firing.values()),
        };
        let mut items: Vec<ActiveAlert> = wanted
            .filter_map(|id| state.alerts.get(id))
            .take(limit + 1)
            .map(|alert| shown(state, alert))
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Json(Page { items, next_cursor }))
    })
}

fn gone() -> Problem {
    Problem::bad("cursor: not one of this list; begin anew without it")
}

fn shown(state: &state::State, alert: &alert::Alert) -> ActiveAlert {
    ActiveAlert {
        id: alert.id.to_string(),
        dedup_key: alert.dedup_key.clone(),
        title: alert.title.clone(),
        summary: alert.summary.clone(),
        severity: alert.severity.into(),
        service: named_service(state, alert.service),
        incident_id: alert.incident.to_string(),
        opened_at: Instant(alert.opened_at),
        repeats: alert.repeats,
        grouped: alert.grouped.map(alert::Grouped::why),
    }
}
