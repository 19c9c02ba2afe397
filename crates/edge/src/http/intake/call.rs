//! The calls of jobs that must call in. The token in the address is all that they need; a call is answered when it is on disk,
//! or when one is that it says no more than.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;
use tocsin_domain::command::{Ask, HeartbeatAsk, IntakeAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::intake::Pulse;

use crate::app::App;
use crate::http::body;
use crate::http::problem::Problem;
use crate::secret::key_hash;

/// Bytes of a job's words that are kept.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// The heartbeat whose token this is, and whether its alert fires. All are compared, so that time tells nothing.
fn pulse_of(app: &App, token: &str) -> Result<(Pulse, bool), Problem> {
    let hash = key_hash(token);
    let found = app.read(|state| {
        let mut found = None;
        for pulse in state.pulses.values() {
            let known = pulse.heartbeat.token_hash.as_bytes();
            if bool::from(known.ct_eq(hash.as_bytes())) {
                found = Some(pulse.clone());
            }
        }
        let pulse = found?;
        let fires = state.fires(&pulse.alert_key()).is_some();
        Some((pulse, fires))
    });
    // The token is a secret: it is not repeated.
    let (pulse, fires) = found.ok_or_else(|| Problem::not_found("heartbeat of this address"))?;
    let limit = &app.inner().front_limit;
    limit
        .take(pulse.heartbeat.id.as_str(), app.now())
        .map_err(|seconds| Problem::too_many("this job calls too often", seconds))?;
    Ok((pulse, fires))
}

async fn tell(app: &App, ask: HeartbeatAsk) -> Result<(), Problem> {
    let ask = Ask::Intake(IntakeAsk::Heartbeat(ask));
    app.ask(&Actor::System, ask).await.map(drop)
}

fn taken() -> Response {
    let plain = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::OK, plain, "OK\n").into_response()
}

async fn take_call(app: &App, token: &str) -> Result<Response, Problem> {
    let (pulse, fires) = pulse_of(app, token)?;
    let (heartbeat, at) = (pulse.heartbeat.id, app.now());
    if fires || pulse.started_at.is_some() || !pulse.is_said(at) {
        tell(app, HeartbeatAsk::Called { heartbeat, at }).await?;
    }
    Ok(taken())
}

async fn take_start(app: &App, token: &str) -> Result<Response, Problem> {
    let (pulse, _) = pulse_of(app, token)?;
    let (heartbeat, at) = (pulse.heartbeat.id, app.now());
    // A start right after a call is passed over: a job that begins again and again says nothing new.
    if pulse.started_at.is_none() && !pulse.is_said(at) {
        tell(app, HeartbeatAsk::Started { heartbeat, at }).await?;
    }
    Ok(taken())
}

async fn take_failure(app: &App, token: &str, content: Body) -> Result<Response, Problem> {
    let (pulse, _) = pulse_of(app, token)?;
    // That the job failed counts, however much it says of it: a job may send its whole log.
    let words = body::read_start(content, MESSAGE_BYTES_MAX, body::BODY_BYTES_MAX).await;
    let ask = HeartbeatAsk::Failed {
        heartbeat: pulse.heartbeat.id,
        message: String::from_utf8_lossy(&words).into_owned(),
    };
    tell(app, ask).await?;
    Ok(taken())
}

/// A job calls in
///
/// A HEAD request does the same.
#[utoipa::path(get, path = "/hb/{token}", tag = "heartbeats", params(("token" = String, Path)),
    responses((status = 200, body = String), (status = 404), (status = 429)))]
pub(crate) async fn call(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    take_call(&app, &token).await
}

/// A job calls in, by POST
#[utoipa::path(post, path = "/hb/{token}", tag = "heartbeats", params(("token" = String, Path)),
    responses((status = 200, body = String), (status = 404), (status = 429)))]
pub(crate) async fn call_by_post(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    take_call(&app, &token).await
}

/// A job says that it begins
#[utoipa::path(get, path = "/hb/{token}/start", tag = "heartbeats", params(("token" = String, Path)),
    responses((status = 200, body = String), (status = 404), (status = 429)))]
pub(crate) async fn start(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    take_start(&app, &token).await
}

/// A job says that it begins, by POST
#[utoipa::path(post, path = "/hb/{token}/start", tag = "heartbeats", params(("token" = String, Path)),
    responses((status = 200, body = String), (status = 404), (status = 429)))]
pub(crate) async fn start_by_post(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    take_start(&app, &token).await
}

/// A job says that it failed: its service fails at once
#[utoipa::path(get, path = "/hb/{token}/fail", tag = "heartbeats", params(("token" = String, Path)),
    responses((status = 200, body = String), (status = 404), (status = 429)))]
pub(crate) async fn fail(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    take_failure(&app, &token, Body::empty()).await
}

/// A job says that it failed, with a short message as the body
#[utoipa::path(post, path = "/hb/{token}/fail", tag = "heartbeats", params(("token" = String, Path)),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = String), (status = 404), (status = 429)))]
pub(crate) async fn fail_by_post(
    State(app): State<App>,
    Path(token): Path<String>,
    content: Body,
) -> Result<Response, Problem> {
    take_failure(&app, &token, content).await
}
