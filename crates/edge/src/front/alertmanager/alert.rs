//! Alerts: what Prometheus sends again and again, and what fires now, alone and by incident.

use std::mem;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_domain::command::{AlertAsk, Ask, Labelled};
use tocsin_domain::event::Actor;
use tocsin_domain::id::IntegrationId;
use tocsin_domain::intake::LabelMatcher;
use tocsin_domain::people::Role::Responder;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_domain::state::State as Known;
use tocsin_domain::time::Timestamp;
use tocsin_engine::handle::AskError;
use tocsin_wire::alertmanager::{
    ALERTS_BYTES_MAX, AlertQuestion, Fault, ValidAlert, json, parse_alerts,
};

use super::refusal::{Refusal, told};
use super::shown::Scene;
use crate::access::authenticate::{front_caller, front_key};
use crate::access::scope;
use crate::access::who::Front;
use crate::app::App;
use crate::front::integration::of_key;
use crate::front::prometheus::parameters::Parameters;
use crate::http::body;
use crate::http::problem::Problem;

/// Alerts that are decided about and made durable together.
const TOGETHER_MAX: usize = 256;
/// Reasons of one request that are told.
const REASONS_MAX: usize = 20;

/// Alerts that fire or are over
///
/// With an API token, or with the key of an integration: as `Authorization: Bearer KEY`, or as the password of HTTP Basic. 200 only after they are on disk. What can be taken is taken; 400 tells why the rest cannot.
#[utoipa::path(post, path = "/api/v2/alerts", tag = "fronts", request_body(content = Object, content_type = "application/json"),
    responses((status = 200), (status = 400), (status = 413), (status = 415), (status = 422)))]
pub(crate) async fn post_alerts(
    State(app): State<App>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let (parts, content) = request.into_parts();
    let (actor, integration) = sender(&app, &parts).await?;
    let bytes = read(&parts.headers, content, ALERTS_BYTES_MAX).await?;
    let now = app.now();
    let (alerts, mut reasons) = parse_alerts(&bytes, now)?;
    for alert in &alerts {
        app.inner().alerts_received.count(alert.ends_at > now);
    }
    let mut fault = None;
    let mut asks = alerts.into_iter().map(|alert| ask_of(alert, integration));
    loop {
        let together: Vec<Ask> = asks.by_ref().take(TOGETHER_MAX).collect();
        if together.is_empty() {
            break;
        }
        for outcome in app.ask_all(&actor, together).await? {
            match outcome {
                Ok(_) => {}
                Err(AskError::Refused(refusal)) => reasons.push(told(&Problem::from(refusal))),
                // The others are taken all the same, though they come again with it.
                Err(error @ AskError::Fault) => fault = Some(error),
                Err(error @ (AskError::NotDurable(_) | AskError::Busy | AskError::Stopped)) => {
                    return Err(Problem::from(error).into());
                }
            }
        }
    }
    if let Some(error) = fault {
        return Err(Problem::from(error).into());
    }
    if reasons.is_empty() {
        return Ok(StatusCode::OK);
    }
    reasons.truncate(REASONS_MAX);
    Err(Fault::bad(reasons.join("; ")).into())
}

/// Who sends alerts: an integration by its key, or whoever has a token.
async fn sender(app: &App, parts: &Parts) -> Result<(Actor, Option<IntegrationId>), Refusal> {
    let key = front_key(&parts.headers);
    let integration = key.and_then(|key| of_key(app, &key));
    if let Some(integration) = integration.filter(speaks) {
        let integration = integration.id;
        return Ok((Actor::Integration { integration }, Some(integration)));
    }
    let needed = scope::needed(parts.uri.path());
    let caller = front_caller(app, (Front::Alertmanager, Responder), needed, parts).await;
    let caller = caller.map_err(|problem| Refusal::coded(&problem))?;
    Ok((caller.actor, None))
}

fn speaks(integration: &Integration) -> bool {
    matches!(integration.kind, IntegrationKind::Alertmanager { .. })
}

/// Reads a body of JSON.
pub(super) async fn read(
    headers: &HeaderMap,
    content: Body,
    limit: usize,
) -> Result<bytes::Bytes, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.map_or("application/octet-stream", |kind| {
        kind.to_str().unwrap_or_default()
    });
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::media_type(essence));
    }
    Ok(body::read(headers, content, limit).await?)
}

fn ask_of(mut alert: ValidAlert, integration: Option<IntegrationId>) -> Ask {
    let labelled = Labelled {
        // The one that its labels name, or that of the integration, or the first one.
        service: None,
        integration,
        severity: alert.severity(),
        title: alert.title(),
        summary: alert.summary(),
        dedup_key: mem::take(&mut alert.fingerprint),
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        details: alert.into_details(),
    };
    Ask::Alert(AlertAsk::Labelled(Box::new(labelled)))
}

/// What is asked, and the answer to it. Nothing new becomes known while the state is looked at, so `sight` takes what is needed of it
/// in as short a time as can be, of the alerts those alone that the plain filters leave, and what is long about the answer is done
/// without it.
async fn answer<T: serde::Serialize + 'static>(
    app: &App,
    given: &Parameters,
    sight: fn(&Known, Timestamp, &[LabelMatcher]) -> Known,
    make: impl FnOnce(&Scene<'_>, &AlertQuestion) -> T + Send + 'static,
) -> Result<Response, Refusal> {
    let question = AlertQuestion::read(given.pairs())?;
    let now = app.now();
    let asked = app.clone();
    let work = move || {
        let plain = question.plain_filters();
        let sight = asked.read(|state| sight(state, now, &plain));
        let scene = Scene {
            state: &sight,
            now,
            public_url: &asked.settings.public_url,
        };
        Ok(json(&make(&scene, &question)))
    };
    Ok(written(app.rendered(work).await?))
}

fn written(text: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, text).into_response()
}

/// A good answer.
pub(super) fn shown<T: serde::Serialize>(made: &T) -> Response {
    written(json(made))
}

/// Alerts that fire, of every source, by fingerprint
#[utoipa::path(get, path = "/api/v2/alerts", tag = "fronts", params(
    ("active" = Option<bool>, Query), ("silenced" = Option<bool>, Query), ("inhibited" = Option<bool>, Query),
    ("unprocessed" = Option<bool>, Query), ("filter" = Option<Vec<String>>, Query), ("receiver" = Option<String>, Query)),
    responses((status = 200, body = Vec<Object>), (status = 400, content_type = "application/json", body = String)))]
pub(crate) async fn alerts(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let make = |scene: &Scene<'_>, question: &AlertQuestion| scene.alerts(question);
    answer(&app, &given, Known::sight_of_firing, make).await
}

/// Alerts that fire, by incident
#[utoipa::path(get, path = "/api/v2/alerts/groups", tag = "fronts", params(
    ("active" = Option<bool>, Query), ("silenced" = Option<bool>, Query), ("inhibited" = Option<bool>, Query),
    ("muted" = Option<bool>, Query), ("filter" = Option<Vec<String>>, Query), ("receiver" = Option<String>, Query)),
    responses((status = 200, body = Vec<Object>), (status = 400, content_type = "application/json", body = String)))]
pub(crate) async fn groups(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let make = |scene: &Scene<'_>, question: &AlertQuestion| scene.groups(question);
    answer(&app, &given, Known::sight_of_open, make).await
}
