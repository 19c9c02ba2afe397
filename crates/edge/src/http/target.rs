//! Watched web servers: how they are, muted, in maintenance, no longer watched. What they mean is decided elsewhere.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, WatchAsk};
use tocsin_domain::event::{EventBody, WatchEvent};
use tocsin_domain::id::TargetId;
use tocsin_domain::signal::metric;
use tocsin_domain::state;
use tocsin_domain::target;
use tocsin_domain::text::shows_nothing;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::named::in_path;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::roster::asked;
use super::shape::{Instant, Named, named_service};
use super::status_page::{StatusPage, Trouble, troubles};
use crate::access::who::Caller;
use crate::app::{App, Parts};
use crate::ports::{Answer, StorageError};

/// A target that was not seen for this long is in an unknown state.
const SEEN_WITHIN_MS: u64 = 60_000;
/// The longest mute: a week.
const MUTE_MINUTES_MAX: u64 = 7 * 24 * 60;

/// How a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TargetState {
    /// Nothing fails.
    Healthy,
    /// Something fails.
    Failing,
    /// It is not seen.
    Unknown,
}

/// What is served by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TargetKind {
    /// Apache.
    Apache,
}

/// A mute.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Mute {
    until: Instant,
}

/// Planned work.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Maintenance {
    id: String,
    from: Instant,
    until: Instant,
    reason: String,
}

/// Numbers of now.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct TargetMetrics {
    workers_busy: Option<f64>,
    workers_max: Option<f64>,
    requests_per_second: Option<f64>,
    /// Connections that wait to be accepted.
    queue: Option<f64>,
}

/// A watched web server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Target {
    id: String,
    name: String,
    kind: TargetKind,
    state: TargetState,
    config_path: String,
    listen: Vec<String>,
    found_at: Instant,
    mute: Option<Mute>,
    maintenance: Vec<Maintenance>,
    status_page: StatusPage,
    last_seen_at: Option<Instant>,
    service: Named,
    metrics: TargetMetrics,
}

/// Watched web servers
#[utoipa::path(get, path = "/api/tocsin/v1/targets", tag = "watch", params(PageQuery),
    responses((status = 200, body = Page<Target>)))]
pub(crate) async fn list_targets(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Target>>, Problem> {
    let now = app.now();
    let ids: Vec<TargetId> = app.read(|state| state.targets.keys().copied().collect());
    let gauges = app.blocking(move |parts| gauges(parts, &ids, now)).await?;
    let mut all: Vec<Target> = app.read(|state| {
        state
            .targets
            .values()
            .map(|known| shown(state, known, &gauges, now))
            .collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// One watched web server
#[utoipa::path(get, path = "/api/tocsin/v1/targets/{id}", tag = "watch", params(("id" = String, Path)),
    responses((status = 200, body = Target), (status = 404)))]
pub(crate) async fn get_target(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Target>, Problem> {
    let (now, target) = (app.now(), named(&id)?);
    let gauges = app.blocking(move |parts| gauges(parts, &[target], now));
    let gauges = gauges.await?;
    let shown = |state: &state::State, id: TargetId| {
        let known = state.targets.get(&id)?;
        Some(shown(state, known, &gauges, now))
    };
    in_path(&app, "target", &id, shown).map(Json)
}

/// What the store says of all targets now.
#[derive(Default)]
struct Gauges {
    by_name: BTreeMap<&'static str, BTreeMap<String, f64>>,
    trouble: BTreeMap<TargetId, Trouble>,
}

impl Gauges {
    fn of(&self, name: &str, target: TargetId) -> Option<f64> {
        self.by_name
            .get(name)?
            .get(target.as_str())
            .copied()
            .filter(|value| value.is_finite())
    }
}

fn gauges(parts: &Parts, targets: &[TargetId], now: Timestamp) -> Result<Gauges, StorageError> {
    let questions = [
        ("seen", format!("timestamp({})", metric::PARENT_UP)),
        ("busy", metric::WORKERS_BUSY.to_owned()),
        ("max", metric::WORKERS_MAX.to_owned()),
        (
            "rate",
            format!(
                "sum by (target) (rate({}[15s]))",
                metric::LOG_REQUESTS_TOTAL
            ),
        ),
        (
            "queue",
            format!("sum by (target) ({})", metric::LISTENER_QUEUE),
        ),
    ];
    let mut gauges = Gauges::default();
    for (name, expr) in questions {
        gauges.by_name.insert(name, by_target(parts, &expr, now));
    }
    gauges.trouble = troubles(parts, targets.iter().copied(), now)?;
    Ok(gauges)
}

/// One value for each target; a question that fails leaves them unknown.
pub(crate) fn by_target(parts: &Parts, expr: &str, now: Timestamp) -> BTreeMap<String, f64> {
    let Ok(Answer::Vector(series)) = parts.telemetry.query(expr, now) else {
        return BTreeMap::new();
    };
    let known = series
        .into_iter()
        .filter_map(|mut one| Some((one.labels.remove("target")?, one.points.last()?.1)));
    known.collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds since the epoch, as milliseconds, fit"
)]
fn shown(state: &state::State, known: &target::Target, gauges: &Gauges, now: Timestamp) -> Target {
    let id = known.id;
    let seen = gauges
        .of("seen", id)
        .map(|seconds| Timestamp::from_millis((seconds * 1_000.0) as i64));
    let failing = state
        .firing
        .values()
        .filter_map(|alert| state.alerts.get(alert))
        .any(|alert| alert.target == Some(id));
    Target {
        id: id.to_string(),
        name: known.identity.name.clone(),
        kind: TargetKind::Apache,
        state: state_of(failing, seen, now),
        config_path: known.identity.config_path.clone(),
        listen: known.identity.listen.clone(),
        found_at: Instant(known.found_at),
        mute: known
            .muted_until
            .filter(|until| *until > now)
            .map(|until| Mute {
                until: Instant(until),
            }),
        maintenance: known
            .maintenance
            .iter()
            .filter(|one| one.until > now)
            .map(shown_window)
            .collect(),
        status_page: StatusPage::with(gauges.trouble.get(&id), &known.identity.config_path),
        last_seen_at: seen.map(Instant),
        service: named_service(state, known.service),
        metrics: TargetMetrics {
            workers_busy: gauges.of("busy", id),
            workers_max: gauges.of("max", id),
            requests_per_second: gauges.of("rate", id),
            queue: gauges.of("queue", id),
        },
    }
}

/// How a target is that was last seen then; by a time that lies ahead, since the clock was set back, nobody can tell.
fn state_of(failing: bool, seen: Option<Timestamp>, now: Timestamp) -> TargetState {
    let is_seen = seen.is_some_and(|seen| seen <= now && now.ms_since(seen) < SEEN_WITHIN_MS);
    match (failing, is_seen) {
        (true, _) => TargetState::Failing,
        (false, true) => TargetState::Healthy,
        (false, false) => TargetState::Unknown,
    }
}

fn shown_window(window: &target::Maintenance) -> Maintenance {
    Maintenance {
        id: window.id.to_string(),
        from: Instant(window.from),
        until: Instant(window.until),
        reason: window.reason.clone(),
    }
}

fn named(id: &str) -> Result<TargetId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("target {id}")))
}

/// How long a target is muted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MuteRequest {
    /// 1 to 10080 (a week).
    #[schema(minimum = 1, maximum = 10080)]
    minutes: u64,
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Page nobody for a target for a while
#[utoipa::path(post, path = "/api/tocsin/v1/targets/{id}/mute", tag = "watch", params(("id" = String, Path)),
    request_body = MuteRequest, responses((status = 200, body = Mute), (status = 400), (status = 404)))]
pub(crate) async fn mute(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<MuteRequest>,
) -> Result<Json<Mute>, Problem> {
    let target = named(&id)?;
    if !(1..=MUTE_MINUTES_MAX).contains(&request.minutes) {
        return Err(Problem::bad(format!("minutes: 1 to {MUTE_MINUTES_MAX}")));
    }
    let until = app.now().plus_ms(request.minutes * 60_000);
    let reason = request.reason.filter(|reason| !shows_nothing(reason));
    let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
    app.ask(
        &caller.actor,
        Ask::Watch(WatchAsk::Mute {
            target,
            until,
            reason,
        }),
    )
    .await?;
    Ok(Json(Mute {
        until: Instant(until),
    }))
}

/// Page for a target again
#[utoipa::path(delete, path = "/api/tocsin/v1/targets/{id}/mute", tag = "watch", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn unmute(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.ask(&caller.actor, Ask::Watch(WatchAsk::Unmute(named(&id)?)))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Work to plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaintenanceRequest {
    from: Instant,
    until: Instant,
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Plan work: alerts are recorded, nobody is paged
#[utoipa::path(post, path = "/api/tocsin/v1/targets/{id}/maintenance", tag = "watch", params(("id" = String, Path)),
    request_body = MaintenanceRequest, responses((status = 201, body = Maintenance), (status = 400), (status = 404)))]
pub(crate) async fn plan_maintenance(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<MaintenanceRequest>,
) -> Result<impl IntoResponse, Problem> {
    let target = named(&id)?;
    let ask = WatchAsk::PlanMaintenance {
        target,
        from: request.from.0,
        until: request.until.0,
        reason: request.reason,
    };
    let done = app.ask(&caller.actor, Ask::Watch(ask)).await?;
    let planned = done.events().iter().find_map(|event| match &event.body {
        EventBody::Watch(WatchEvent::MaintenancePlanned { window, .. }) => {
            Some(shown_window(window))
        }
        EventBody::Watch(_)
        | EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    let planned = planned.ok_or_else(|| Problem::internal("the work was planned but not found"))?;
    Ok((StatusCode::CREATED, Json(planned)))
}

/// Call planned work off
#[utoipa::path(delete, path = "/api/tocsin/v1/targets/{id}/maintenance/{window_id}", tag = "watch",
    params(("id" = String, Path), ("window_id" = String, Path)), responses((status = 204), (status = 404)))]
pub(crate) async fn cancel_maintenance(
    State(app): State<App>,
    caller: Caller,
    Path((id, window_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let target = named(&id)?;
    let window = window_id
        .parse()
        .map_err(|_| Problem::not_found(&format!("planned work {window_id}")))?;
    app.ask(
        &caller.actor,
        Ask::Watch(WatchAsk::CancelMaintenance { target, window }),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop watching a target
#[utoipa::path(delete, path = "/api/tocsin/v1/targets/{id}", tag = "watch", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_target(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    // Work that is planned on it goes on without it, or is called off.
    let ask = Ask::Watch(WatchAsk::Remove(named(&id)?));
    asked(&app, &caller.actor, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_healthy_only_by_what_was_seen_of_it_within_the_last_minute() {
        let now = Timestamp::from_millis(1_723_950_000_000);
        for (seen, expected) in [
            (Some(now), TargetState::Healthy),
            (Some(now.minus_ms(SEEN_WITHIN_MS - 1)), TargetState::Healthy),
            (Some(now.minus_ms(SEEN_WITHIN_MS)), TargetState::Unknown),
            // The clock was set back since.
            (Some(now.plus_ms(1)), TargetState::Unknown),
            (Some(now.plus_ms(3_600_000)), TargetState::Unknown),
            (None, TargetState::Unknown),
        ] {
            assert_eq!(state_of(false, seen, now), expected, "{seen:?}");
            assert_eq!(state_of(true, seen, now), TargetState::Failing);
        }
    }
}
