//! Monitors: what is watched for, what fires, switched on and off.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, WatchAsk};
use tocsin_domain::id::MonitorId;
use tocsin_domain::monitor;
use tocsin_domain::state;
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::named::in_path;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::{Named, Severity, named_target};
use crate::access::who::Caller;
use crate::app::App;

/// A target that a monitor fires for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Firing {
    target: Named,
}

/// A monitor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Monitor {
    id: String,
    name: String,
    severity: Severity,
    /// PromQL; a target in the answer fails.
    expr: String,
    /// PromQL; a failing target in the answer has recovered.
    recovery: String,
    enabled: bool,
    /// The pack it came with.
    pack: Option<String>,
    description: String,
    firing: Vec<Firing>,
}

fn shown(state: &state::State, known: &monitor::Monitor) -> Monitor {
    let alerts = state
        .firing
        .values()
        .filter_map(|alert| state.alerts.get(alert));
    let own = alerts
        .filter(|alert| alert.source.monitor() == Some(known.id))
        .filter_map(|alert| alert.target);
    Monitor {
        id: known.id.to_string(),
        name: known.name.clone(),
        severity: known.severity.into(),
        expr: known.expr.clone(),
        recovery: known.recovery.clone(),
        enabled: known.enabled,
        pack: known.pack.clone(),
        description: known.description.clone(),
        firing: own
            .map(|target| Firing {
                target: named_target(state, target),
            })
            .collect(),
    }
}

/// Monitors
#[utoipa::path(get, path = "/api/tocsin/v1/monitors", tag = "watch", params(PageQuery),
    responses((status = 200, body = Page<Monitor>)))]
pub(crate) async fn list_monitors(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Monitor>>, Problem> {
    let mut all: Vec<Monitor> = app.read(|state| {
        state
            .monitors
            .values()
            .map(|known| shown(state, known))
            .collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// One monitor
#[utoipa::path(get, path = "/api/tocsin/v1/monitors/{id}", tag = "watch", params(("id" = String, Path)),
    responses((status = 200, body = Monitor), (status = 404)))]
pub(crate) async fn get_monitor(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Monitor>, Problem> {
    let shown = |state: &state::State, id: MonitorId| {
        let known = state.monitors.get(&id)?;
        Some(shown(state, known))
    };
    in_path(&app, "monitor", &id, shown).map(Json)
}

/// What changes of a monitor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonitorChange {
    enabled: bool,
}

/// Switch a monitor on or off
#[utoipa::path(patch, path = "/api/tocsin/v1/monitors/{id}", tag = "watch", params(("id" = String, Path)),
    request_body = MonitorChange, responses((status = 200, body = Monitor), (status = 404)))]
pub(crate) async fn switch_monitor(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<MonitorChange>,
) -> Result<Json<Monitor>, Problem> {
    let missing = || Problem::not_found(&format!("monitor {id}"));
    let monitor: MonitorId = id.parse().map_err(|_| missing())?;
    let ask = WatchAsk::SwitchMonitor {
        monitor,
        enabled: change.enabled,
    };
    app.ask(&caller.actor, Ask::Watch(ask)).await?;
    let found = app.read(|state| {
        state
            .monitors
            .get(&monitor)
            .map(|known| shown(state, known))
    });
    found.map(Json).ok_or_else(missing)
}
