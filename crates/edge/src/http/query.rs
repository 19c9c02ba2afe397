//! PromQL over the store, answered in Prometheus' shape; a few questions at a time.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_domain::time::Timestamp;

use super::body::Params;
use super::problem::Problem;
use crate::app::{App, Parts};
use crate::ports::{Answer, QueryError, Series};

/// Characters of a question at most.
const QUERY_CHARS_MAX: usize = 10_000;
/// Points of one series at most (Prometheus' limit).
const POINTS_MAX: u64 = 11_000;
/// How long a question waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// A question for one instant.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InstantQuery {
    /// PromQL.
    #[param(min_length = 1, max_length = 10000)]
    query: String,
    /// RFC 3339, or seconds since 1970; now when not given.
    time: Option<String>,
}

/// A question for a span.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeQuery {
    /// PromQL.
    #[param(min_length = 1, max_length = 10000)]
    query: String,
    /// RFC 3339, or seconds since 1970.
    start: String,
    /// RFC 3339, or seconds since 1970.
    end: String,
    /// Seconds, or a duration such as `15s`, `1m`.
    step: String,
}

/// Ask at one instant
#[utoipa::path(get, path = "/api/tocsin/v1/query", tag = "watch", params(InstantQuery),
    responses((status = 200, body = Object), (status = 400), (status = 429)))]
pub(crate) async fn query(
    State(app): State<App>,
    Params(asked): Params<InstantQuery>,
) -> Result<Json<Value>, Problem> {
    let at = match &asked.time {
        None => app.now(),
        Some(text) => instant("time", text)?,
    };
    answer(&app, asked.query, move |parts, expr| {
        parts.telemetry.query(expr, at)
    })
    .await
}

/// Ask at every step of a span
#[utoipa::path(get, path = "/api/tocsin/v1/query_range", tag = "watch", params(RangeQuery),
    responses((status = 200, body = Object), (status = 400), (status = 429)))]
pub(crate) async fn query_range(
    State(app): State<App>,
    Params(asked): Params<RangeQuery>,
) -> Result<Json<Value>, Problem> {
    let (start, end) = (instant("start", &asked.start)?, instant("end", &asked.end)?);
    let step_ms = step(&asked.step)
        .ok_or_else(|| Problem::bad("step: seconds above 0, or a duration such as 15s"))?;
    if end < start {
        return Err(Problem::bad("end: must not be before start"));
    }
    if end.ms_since(start) / step_ms > POINTS_MAX {
        return Err(Problem::bad(format!(
            "step: that would be more than {POINTS_MAX} points; ask for a larger step"
        )));
    }
    answer(&app, asked.query, move |parts, expr| {
        parts.telemetry.query_range(expr, start, end, step_ms)
    })
    .await
}

async fn answer(
    app: &App,
    expr: String,
    ask: impl FnOnce(&Parts, &str) -> Result<Answer, QueryError> + Send + 'static,
) -> Result<Json<Value>, Problem> {
    if expr.is_empty() || expr.chars().count() > QUERY_CHARS_MAX {
        return Err(Problem::bad(format!(
            "query: 1 to {QUERY_CHARS_MAX} characters"
        )));
    }
    let turn = tokio::time::timeout(
        TURN_WAIT,
        std::sync::Arc::clone(&app.inner().queries).acquire_owned(),
    )
    .await;
    let Ok(Ok(turn)) = turn else {
        return Err(Problem::too_many("too many questions at once", 2));
    };
    let asking = app.clone();
    let work = tokio::task::spawn_blocking(move || {
        let answer = ask(&asking, &expr);
        // The place is free only when the work has ended, also when nobody waits for it any more.
        drop(turn);
        answer
    });
    match tokio::time::timeout(ANSWER_WAIT, work).await {
        Err(_) => Err(Problem::unavailable(
            "the answer takes too long; ask for less",
        )),
        Ok(Err(_)) => Err(Problem::internal("the question could not be answered")),
        Ok(Ok(answer)) => Ok(Json(json!({"status": "success", "data": data(answer?)}))),
    }
}

fn data(answer: Answer) -> Value {
    let of = |kind: &str, result: Value| json!({"resultType": kind, "result": result});
    match answer {
        Answer::Scalar(at, value) => of("scalar", point(at, value)),
        Answer::Text(at, text) => of("string", json!([seconds(at), text])),
        Answer::Vector(series) => {
            let of_series = |one: &Series| {
                let last = one.points.last().map(|(at, value)| point(*at, *value));
                json!({"metric": one.labels, "value": last})
            };
            of("vector", series.iter().map(of_series).collect())
        }
        Answer::Matrix(series) => {
            let of_series = |one: &Series| {
                let points: Vec<Value> = one
                    .points
                    .iter()
                    .map(|(at, value)| point(*at, *value))
                    .collect();
                json!({"metric": one.labels, "values": points})
            };
            of("matrix", series.iter().map(of_series).collect())
        }
    }
}

/// Prometheus writes values as text, because JSON has no NaN and no infinity.
fn point(at: i64, value: f64) -> Value {
    let text = if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 {
            "+Inf".to_owned()
        } else {
            "-Inf".to_owned()
        }
    } else {
        value.to_string()
    };
    json!([seconds(at), text])
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since the epoch are exact in a float for 280,000 years"
)]
fn seconds(at: i64) -> f64 {
    at as f64 / 1_000.0
}

#[expect(clippy::cast_possible_truncation, reason = "checked to fit")]
fn instant(name: &str, text: &str) -> Result<Timestamp, Problem> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let seconds: Option<f64> = text.parse().ok();
    let seconds = seconds.filter(|seconds| seconds.abs() < 1e11);
    let wrong = || Problem::bad(format!("{name}: RFC 3339, or seconds since 1970"));
    seconds
        .map(|seconds| Timestamp::from_millis((seconds * 1_000.0).round() as i64))
        .ok_or_else(wrong)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be positive and small"
)]
fn step(text: &str) -> Option<u64> {
    let split = text
        .find(|symbol: char| symbol.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1.0,
        "" | "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let ms = (number.parse::<f64>().ok()? * factor).round();
    (1.0..1e12).contains(&ms).then_some(ms as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_or_refused() {
        assert_eq!(step("15"), Some(15_000));
        assert_eq!(step("0.5"), Some(500));
        assert_eq!(step("15s"), Some(15_000));
        assert_eq!(step("2m"), Some(120_000));
        for text in ["", "0", "-1", "NaN", "1y", "s", "1e99"] {
            assert_eq!(step(text), None, "{text}");
        }
    }

    #[test]
    fn values_that_are_no_json_numbers_are_text() {
        assert_eq!(point(1_500, f64::NAN), json!([1.5, "NaN"]));
        assert_eq!(point(0, f64::INFINITY), json!([0.0, "+Inf"]));
        assert_eq!(point(0, 1.0), json!([0.0, "1"]));
    }
}
