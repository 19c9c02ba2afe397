//! Heartbeats: jobs that must call in, and how each is.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, HeartbeatAsk, IntakeAsk};
use tocsin_domain::event::{IntakeEvent, RosterEvent};
use tocsin_domain::id::HeartbeatId;
use tocsin_domain::intake::{Heartbeat, Pulse};
use tocsin_domain::state;
use utoipa::ToSchema;

use super::set_in;
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::disclosed::Disclosed;
use crate::http::named::in_path;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::roster::lost;
use crate::http::shape::{Id, Instant, Named, Severity, named_service};
use crate::secret;

/// Letters and digits of a token: nobody guesses it.
pub(crate) const TOKEN_CHARS: usize = 32;

/// How a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeartbeatStatus {
    /// It has never called, so nothing is missed yet.
    New,
    /// It calls.
    Up,
    /// It has not called in time, or says that it failed.
    Down,
}

/// A job that must call in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HeartbeatShape {
    id: String,
    name: String,
    service: Named,
    every_seconds: u64,
    grace_seconds: u64,
    severity: Severity,
    status: HeartbeatStatus,
    /// A call that follows another one quickly is shown a little later.
    last_call_at: Option<Instant>,
    /// When it said that it begins, if it has not called since.
    started_at: Option<Instant>,
    /// When it last said that it failed.
    failed_at: Option<Instant>,
    /// When an alert is raised unless it calls; null when it never called, or fails.
    missed_at: Option<Instant>,
}

/// A heartbeat that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MadeHeartbeat {
    #[serde(flatten)]
    heartbeat: HeartbeatShape,
    /// Shown once: whoever knows it can call for this job.
    #[schema(value_type = String)]
    url: Disclosed,
}

/// A heartbeat to set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeartbeatRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The service that fails when it does not call; the default one when none is named.
    #[schema(value_type = Option<Id>)]
    service_id: Option<String>,
    /// 30 or more.
    #[schema(minimum = 30, maximum = 34560000)]
    every_seconds: u64,
    /// 1 or more.
    #[schema(minimum = 1, maximum = 2592000)]
    grace_seconds: u64,
    /// `error` when none is named.
    severity: Option<Severity>,
}

fn shown(state: &state::State, pulse: &Pulse) -> HeartbeatShape {
    let heartbeat = &pulse.heartbeat;
    let is_down = state.fires(&pulse.alert_key()).is_some();
    HeartbeatShape {
        id: heartbeat.id.to_string(),
        name: heartbeat.name.clone(),
        service: named_service(state, heartbeat.service),
        every_seconds: heartbeat.every_ms / 1_000,
        grace_seconds: heartbeat.grace_ms / 1_000,
        severity: heartbeat.severity.into(),
        status: match (is_down, pulse.called_at) {
            (true, _) => HeartbeatStatus::Down,
            (false, Some(_)) => HeartbeatStatus::Up,
            (false, None) => HeartbeatStatus::New,
        },
        last_call_at: pulse.called_at.map(Instant),
        started_at: pulse.started_at.map(Instant),
        failed_at: pulse.failed_at.map(Instant),
        missed_at: state.heartbeat_due(heartbeat.id).map(Instant),
    }
}

fn heartbeat_named(id: &str) -> Result<HeartbeatId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("heartbeat {id}")))
}

async fn set(
    app: &App,
    caller: &Caller,
    id: Option<HeartbeatId>,
    request: HeartbeatRequest,
    token_hash: Option<String>,
) -> Result<HeartbeatShape, Problem> {
    let wrong = |_| Problem::bad("service_id: not an id of a service");
    let service = request
        .service_id
        .map(|id| id.parse().map_err(wrong))
        .transpose()?;
    let ask = HeartbeatAsk::Set {
        id,
        name: request.name,
        service,
        every_ms: request.every_seconds.saturating_mul(1_000),
        grace_ms: request.grace_seconds.saturating_mul(1_000),
        severity: request.severity.unwrap_or(Severity::Error).into(),
        token_hash,
    };
    let event = set_in(app, caller, IntakeAsk::Heartbeat(ask)).await?;
    let RosterEvent::Intake(IntakeEvent::HeartbeatSet { heartbeat }) = event else {
        return Err(lost());
    };
    shown_now(app, &heartbeat)
}

fn shown_now(app: &App, heartbeat: &Heartbeat) -> Result<HeartbeatShape, Problem> {
    let known = app.read(|state| {
        let pulse = state.pulses.get(&heartbeat.id)?;
        Some(shown(state, pulse))
    });
    known.ok_or_else(lost)
}

/// Jobs that must call in, and how each is
#[utoipa::path(get, path = "/api/tocsin/v1/heartbeats", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<HeartbeatShape>)))]
pub(crate) async fn list_heartbeats(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<HeartbeatShape>>, Problem> {
    let mut all: Vec<HeartbeatShape> = app.read(|state| {
        let pulses = state.pulses.values();
        pulses.map(|pulse| shown(state, pulse)).collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// One heartbeat, and how it is
#[utoipa::path(get, path = "/api/tocsin/v1/heartbeats/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = HeartbeatShape), (status = 404)))]
pub(crate) async fn get_heartbeat(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<HeartbeatShape>, Problem> {
    let shown = |state: &state::State, id: HeartbeatId| {
        let pulse = state.pulses.get(&id)?;
        Some(shown(state, pulse))
    };
    in_path(&app, "heartbeat", &id, shown).map(Json)
}

/// Add a heartbeat; the address to call is shown once
#[utoipa::path(post, path = "/api/tocsin/v1/heartbeats", tag = "oncall", request_body = HeartbeatRequest,
    responses((status = 201, body = MadeHeartbeat), (status = 400), (status = 404)))]
pub(crate) async fn add_heartbeat(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<HeartbeatRequest>,
) -> Result<impl IntoResponse, Problem> {
    let token = secret::letters(TOKEN_CHARS);
    let token = token.map_err(|_| Problem::internal("the system gives no random bytes"))?;
    let token_hash = Some(secret::key_hash(&token));
    let heartbeat = set(&app, &caller, None, request, token_hash).await?;
    let url = format!("{}/hb/{token}", app.settings.public_url).into();
    Ok((StatusCode::CREATED, Json(MadeHeartbeat { heartbeat, url })))
}

/// Change a heartbeat; its address stays, and the wait for its next call begins anew
#[utoipa::path(put, path = "/api/tocsin/v1/heartbeats/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = HeartbeatRequest, responses((status = 200, body = HeartbeatShape), (status = 400), (status = 404)))]
pub(crate) async fn replace_heartbeat(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<HeartbeatRequest>,
) -> Result<Json<HeartbeatShape>, Problem> {
    let id = heartbeat_named(&id)?;
    set(&app, &caller, Some(id), request, None).await.map(Json)
}

/// Remove a heartbeat: its address is dead, and its alert over
#[utoipa::path(delete, path = "/api/tocsin/v1/heartbeats/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_heartbeat(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let ask = HeartbeatAsk::Remove(heartbeat_named(&id)?);
    let ask = Ask::Intake(IntakeAsk::Heartbeat(ask));
    app.ask(&caller.actor, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}
