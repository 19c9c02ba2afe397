//! JSON of any shape by a mapping of its integration, and Grafana's by the one that Tocsin brings. Only `wire` knows mappings.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tocsin_domain::command::Ask;
use tocsin_domain::event::Actor;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_engine::handle::AskError;
use tocsin_wire::json;
use tocsin_wire::mapping::{BODY_BYTES_MAX, Failure, Mapping, Outcome, presets};
use utoipa::ToSchema;

use super::integration;
use crate::app::App;
use crate::http::alert::new_key;
use crate::http::body;
use crate::http::incident::incident_in;
use crate::http::problem::Problem;

/// Reasons against a body that are told.
const REASONS_MAX: usize = 20;

/// What became of a body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookAnswer {
    /// Its alerts, in their order.
    alerts: Vec<WebhookAlert>,
    /// How many things in it the mapping passed over.
    ignored: usize,
}

/// What became of one alert.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookAlert {
    /// `trigger`, `acknowledge` or `resolve`.
    action: &'static str,
    // Empty when the mapping found none, and it was refused for that.
    dedup_key: String,
    /// The incident it belongs to; null when nothing failed under that key, or when it was refused.
    incident_id: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// Alerts in JSON of any shape, or Grafana's, for the integration whose key is in the header
///
/// `Authorization: Bearer KEY`, or the key as the password of HTTP Basic. 202 only after all of it is on disk.
#[utoipa::path(post, path = "/intake", tag = "fronts", request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = WebhookAnswer), (status = 207, body = WebhookAnswer, description = "Some were refused"),
        (status = 400), (status = 401), (status = 403), (status = 409), (status = 413), (status = 429), (status = 503)))]
pub(crate) async fn take(
    State(app): State<App>,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Problem> {
    let known = integration::key_in(&headers).and_then(|key| integration::of_key(&app, &key));
    let unknown = || Problem::unauthenticated("no integration has this key");
    carry_out(&app, &known.ok_or_else(unknown)?, &headers, content).await
}

/// The same, for the integration whose key is in the address
#[utoipa::path(post, path = "/intake/{token}", tag = "fronts", params(("token" = String, Path)),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = WebhookAnswer), (status = 207, body = WebhookAnswer, description = "Some were refused"),
        (status = 400), (status = 403), (status = 404), (status = 409), (status = 413), (status = 429), (status = 503)))]
pub(crate) async fn take_by_path(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Problem> {
    // The key is a secret: it is not repeated.
    let known = integration::of_key(&app, &token);
    let known = known.ok_or_else(|| Problem::not_found("integration of this address"))?;
    carry_out(&app, &known, &headers, content).await
}

/// Reads a stored mapping; whoever stored it made sure that it can be read.
pub(crate) fn stored(mapping: &str) -> Result<Mapping, Problem> {
    Mapping::parse(mapping).map_err(|mistakes| {
        let told = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>();
        Problem::conflict(format!(
            "the mapping of this integration cannot be read: {}",
            told.join("; ")
        ))
    })
}

/// The refusal of a body that makes no alerts.
pub(crate) fn failed(failure: &Failure) -> Problem {
    match failure {
        Failure::Nothing { .. } => Problem::bad(failure.to_string()),
        Failure::TooMany | Failure::TooMuchWork | Failure::TooMuchOutput => {
            Problem::too_much(failure.to_string())
        }
    }
}

fn outcome_of(app: &App, integration: &Integration, body: &Value) -> Result<Outcome, Problem> {
    let outcome = match &integration.kind {
        IntegrationKind::Webhook { mapping } => {
            let known = &app.inner().known_mappings;
            known.of(integration.id, mapping, stored)?.apply(body)
        }
        IntegrationKind::Grafana => presets::grafana()
            .ok_or_else(|| Problem::internal("the mapping of Grafana cannot be read"))?
            .apply(body),
        IntegrationKind::EventsV2
        | IntegrationKind::Opsgenie
        | IntegrationKind::Alertmanager { .. }
        | IntegrationKind::Email { .. } => {
            return Err(Problem::forbidden(
                "this key is for another way in: make an integration of the kind webhook or grafana",
            ));
        }
    };
    outcome.map_err(|failure| failed(&failure))
}

async fn carry_out(
    app: &App,
    integration: &Integration,
    headers: &HeaderMap,
    content: Body,
) -> Result<Response, Problem> {
    integration::take_turn(app, integration)
        .map_err(|seconds| Problem::too_many("this integration sends too often", seconds))?;
    let bytes = body::read(headers, content, BODY_BYTES_MAX).await?;
    let body: Value = json::read_exact(&bytes)
        .map_err(|error| Problem::bad(format!("the body is not JSON: {error}")))?;
    let outcome = outcome_of(app, integration, &body)?;
    let ignored = outcome.ignored;
    let (mut alerts, mut asks) = (Vec::new(), Vec::new());
    for alert in outcome.alerts {
        let action = alert.action.word();
        let (dedup_key, refused) = match integration::ask_of(integration, alert, new_key) {
            Ok((dedup_key, ask)) => {
                asks.push(Ask::Alert(ask));
                (dedup_key, None)
            }
            // It cannot be said which one it is; the others are no worse for that.
            Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
                (String::new(), Some(problem.detail().to_owned()))
            }
            Err(problem) => return Err(problem),
        };
        alerts.push(WebhookAlert {
            action,
            dedup_key,
            incident_id: None,
            refused,
        });
    }
    let actor = Actor::Integration {
        integration: integration.id,
    };
    let outcomes = match asks.is_empty() {
        true => Vec::new(),
        false => app.ask_all(&actor, asks).await.map_err(passing)?,
    };
    let is_any_kept = outcomes.iter().any(Result::is_ok);
    let asked = alerts.iter_mut().filter(|alert| alert.refused.is_none());
    for (alert, outcome) in asked.zip(outcomes) {
        match outcome {
            Ok(done) => alert.incident_id = incident_in(&done).map(|id| id.to_string()),
            Err(AskError::Refused(refusal)) => {
                let problem = Problem::from(refusal);
                if integration::will_pass(&problem) {
                    return Err(passing(problem));
                }
                alert.refused = Some(problem.detail().to_owned());
            }
            Err(error @ AskError::Fault) => alert.refused = Some(error.to_string()),
            // Said again, what was kept and has a key is no other alert; and twice is better than never.
            Err(AskError::NotDurable(_) | AskError::Busy | AskError::Stopped) if is_any_kept => {
                let why = "only a part of it was kept: send all of it again";
                return Err(Problem::later(why, integration::PASSING_RETRY_S));
            }
            Err(error @ (AskError::NotDurable(_) | AskError::Busy | AskError::Stopped)) => {
                return Err(passing(error.into()));
            }
        }
    }
    if !alerts.is_empty() && alerts.iter().all(|alert| alert.refused.is_some()) {
        let reasons = alerts.into_iter().filter_map(|alert| alert.refused);
        return Err(Problem::invalid(reasons.take(REASONS_MAX).collect()));
    }
    let status = match alerts.iter().any(|alert| alert.refused.is_some()) {
        true => StatusCode::MULTI_STATUS,
        false => StatusCode::ACCEPTED,
    };
    Ok((status, Json(WebhookAnswer { alerts, ignored })).into_response())
}

/// Senders try again after 503 alone.
fn passing(problem: Problem) -> Problem {
    if integration::will_pass(&problem) {
        Problem::later(problem.detail(), integration::PASSING_RETRY_S)
    } else {
        problem
    }
}
