//! `query`, `query_range` and `format_query`: PromQL over the store, in Prometheus' shape.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use tocsin_promql::{Answer, EvalError, Limits, Query, Source};

use super::answer::{Timings, bytes};
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::{reply, turn};
use crate::app::App;

/// Points of one series at most (Prometheus' limit).
const POINTS_MAX: i64 = 11_000;

/// A query at one instant
#[utoipa::path(method(get, post), path = "/api/v1/query", tag = "fronts", params(
    ("query" = String, Query), ("time" = Option<String>, Query), ("timeout" = Option<String>, Query),
    ("limit" = Option<String>, Query), ("lookback_delta" = Option<String>, Query), ("stats" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404), (status = 422, body = Object),
        (status = 503, body = Object)))]
pub(crate) async fn instant(
    State(app): State<App>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let at_ms = given.instant("time", app.now().as_millis())?;
    evaluate(&app, &given, at_ms, move |query, source, limits| {
        query.instant(source, at_ms, limits)
    })
    .await
}

/// A query over a range of time
#[utoipa::path(method(get, post), path = "/api/v1/query_range", tag = "fronts", params(
    ("query" = String, Query), ("start" = String, Query), ("end" = String, Query), ("step" = String, Query),
    ("timeout" = Option<String>, Query), ("limit" = Option<String>, Query),
    ("lookback_delta" = Option<String>, Query), ("stats" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 422, body = Object), (status = 503, body = Object)))]
pub(crate) async fn range(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let (start_ms, end_ms) = (given.needed_instant("start")?, given.needed_instant("end")?);
    if end_ms < start_ms {
        return Err(Refusal::parameter("end", "it is before the start"));
    }
    let step_ms = given
        .duration("step")?
        .ok_or_else(|| Refusal::parameter("step", "it is missing"))?;
    if end_ms.saturating_sub(start_ms) / step_ms > POINTS_MAX {
        return Err(Refusal::bad(format!(
            "that is more than {POINTS_MAX} points of each series: use a longer step or a shorter range"
        )));
    }
    evaluate(&app, &given, end_ms, move |query, source, limits| {
        query.range(source, start_ms, end_ms, step_ms, limits)
    })
    .await
}

async fn evaluate(
    app: &App,
    given: &Parameters,
    at_ms: i64,
    run: impl FnOnce(&Query, &dyn Source, &Limits<'_>) -> Result<Answer, EvalError> + Send + 'static,
) -> Result<Response, Refusal> {
    let text = given.get("query").unwrap_or_default().to_owned();
    let limit = given.limit("limit")?;
    let wait = wait_of(given)?;
    let lookback_ms = given.duration("lookback_delta")?;
    let with_timings = given.given("stats").is_some();
    let asked = Instant::now();
    let answered = turn::take(app, wait, move |parts, patience| {
        let begun = Instant::now();
        let query = Query::parse(&text).map_err(|error| Refusal::parameter("query", error))?;
        let is_over = || patience.is_over();
        let mut limits = Limits {
            cancelled: Some(&is_over),
            ..Limits::default()
        };
        limits.lookback_ms = lookback_ms.unwrap_or(limits.lookback_ms);
        let answer = run(&query, parts.metrics.source(), &limits)?;
        let timings = with_timings.then(|| Timings {
            queue_s: (begun - asked).as_secs_f64(),
            evaluation_s: begun.elapsed().as_secs_f64(),
        });
        bytes(answer, at_ms, limit, timings)
    });
    answered.await.map(reply::json)
}

/// How long the caller would wait.
pub(crate) fn wait_of(given: &Parameters) -> Result<Duration, Refusal> {
    let wait_ms = given.duration("timeout")?;
    let wait = wait_ms.and_then(|ms| u64::try_from(ms).ok());
    Ok(wait.map_or(turn::TIME_MAX, Duration::from_millis))
}

/// A query written the way everybody writes it
#[utoipa::path(method(get, post), path = "/api/v1/format_query", tag = "fronts", params(("query" = String, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn format(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let text = given.get("query").unwrap_or_default().to_owned();
    let formatted = turn::take(&app, turn::TIME_MAX, move |_, _| {
        let query = Query::parse(&text).map_err(|error| Refusal::parameter("query", error))?;
        Ok(query.format())
    });
    let text = formatted.await?;
    Ok(reply::success(|json| json.text(&text)))
}
