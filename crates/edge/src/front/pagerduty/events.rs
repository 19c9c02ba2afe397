//! PagerDuty's Events API, v2 and v1: anything that can page by PagerDuty can page by Tocsin. Only `wire` knows the formats.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_domain::alert::BY_EVENTS_V1;
use tocsin_domain::command::{AlertAsk, Ask};
use tocsin_domain::event::Actor;
use tocsin_domain::monitor::Severity;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_wire::pagerduty::events_v1;
use tocsin_wire::pagerduty::events_v2::{self, Action, BODY_BYTES_MAX, Event, Payload, Rejection};
use tocsin_wire::plain::cut;

use super::carried::{details_of, sent_details_of};
use crate::app::App;
use crate::front::integration;
use crate::http::alert::new_key;
use crate::http::body;
use crate::http::problem::Problem;

/// Where clients put the routing key that leave it out of the body.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-routing-key");
/// Characters of the line that says where.
const SUMMARY_CHARS_MAX: usize = 1_024;

/// An event of PagerDuty's Events API v2
///
/// 202 only after it is on disk. Where the body has no `routing_key`, that of the header `X-Routing-Key` counts.
#[utoipa::path(post, path = "/v2/enqueue", tag = "fronts", request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 413, body = Object), (status = 429, body = Object)))]
pub(crate) async fn enqueue(State(app): State<App>, headers: HeaderMap, content: Body) -> Response {
    take(&app, &headers, content, &V2).await
}

/// An event of PagerDuty's Events API v2, under the front's own prefix
#[utoipa::path(post, path = "/pagerduty/v2/enqueue", tag = "fronts",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 202, body = Object), (status = 400, body = Object), (status = 413, body = Object), (status = 429, body = Object)))]
pub(crate) async fn enqueue_prefixed(
    State(app): State<App>,
    headers: HeaderMap,
    content: Body,
) -> Response {
    take(&app, &headers, content, &V2).await
}

/// An event of PagerDuty's Events API v1
///
/// 200 only after it is on disk; 403 means too many events, as there.
#[utoipa::path(post, path = "/generic/2010-04-15/create_event.json", tag = "fronts",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 403, body = Object), (status = 413, body = Object)))]
pub(crate) async fn create_event(
    State(app): State<App>,
    headers: HeaderMap,
    content: Body,
) -> Response {
    take(&app, &headers, content, &V1).await
}

/// What something asks the core, and the key by which it is known afterwards.
type Asked = Result<(Ask, String), Problem>;

/// What differs between the calls by which something comes with the key of an integration.
pub(super) struct Call<T> {
    /// Reads a body and the key in [`KEY_HEADER`].
    pub(super) parse: fn(&[u8], Option<&str>) -> Result<T, Rejection>,
    /// The key in it.
    pub(super) key: fn(&T) -> &str,
    /// What the field of that key is called.
    pub(super) key_name: &'static str,
    /// By what it is counted.
    pub(super) counted: fn(&Integration) -> String,
    pub(super) ask: fn(&Integration, T) -> Asked,
    /// The answer when it is taken, from that key.
    pub(super) accepted: fn(&str) -> String,
    pub(super) accepted_status: StatusCode,
    pub(super) throttled: fn() -> String,
    pub(super) throttled_status: StatusCode,
}

const V2: Call<Event> = Call {
    parse: events_v2::parse,
    key: key_of,
    key_name: "routing_key",
    counted: by_integration,
    ask: asked,
    accepted: events_v2::accepted,
    accepted_status: StatusCode::ACCEPTED,
    throttled: events_v2::throttled,
    throttled_status: StatusCode::TOO_MANY_REQUESTS,
};

const V1: Call<Event> = Call {
    parse: |body, _| events_v1::parse(body),
    key_name: "service_key",
    accepted: events_v1::accepted,
    accepted_status: StatusCode::OK,
    throttled: events_v1::throttled,
    throttled_status: StatusCode::FORBIDDEN,
    ..V2
};

fn key_of(event: &Event) -> &str {
    &event.routing_key
}

fn by_integration(integration: &Integration) -> String {
    integration.id.to_string()
}

fn answer(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn invalid(status: StatusCode, reasons: &[String]) -> Response {
    answer(status, events_v2::invalid(reasons))
}

fn later(mut response: Response, seconds: u64) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Reads what comes by a call, and carries it out.
pub(super) async fn take<T>(
    app: &App,
    headers: &HeaderMap,
    content: Body,
    call: &Call<T>,
) -> Response {
    let bytes = match body::read(headers, content, BODY_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(problem) => return invalid(problem.status(), &[problem.detail().to_owned()]),
    };
    let key_beside = headers.get(KEY_HEADER).and_then(|key| key.to_str().ok());
    let read = match (call.parse)(&bytes, key_beside.map(str::trim)) {
        Ok(read) => read,
        Err(rejection) => {
            let status = StatusCode::from_u16(rejection.status).unwrap_or(StatusCode::BAD_REQUEST);
            return invalid(status, &rejection.errors);
        }
    };
    let known = integration::of_key(app, (call.key)(&read));
    let Some(integration) = known.filter(|one| one.kind == IntegrationKind::EventsV2) else {
        let why = format!("'{}' is invalid: no integration has it", call.key_name);
        return invalid(StatusCode::BAD_REQUEST, &[why]);
    };
    let limit = &app.inner().front_limit;
    if let Err(seconds) = limit.take(&(call.counted)(&integration), app.now()) {
        return later(answer(call.throttled_status, (call.throttled)()), seconds);
    }
    let (ask, key) = match (call.ask)(&integration, read) {
        Ok(asked) => asked,
        Err(problem) => return refused(&problem),
    };
    let actor = Actor::Integration {
        integration: integration.id,
    };
    match app.ask(&actor, ask).await {
        Ok(_) => answer(call.accepted_status, (call.accepted)(&key)),
        Err(problem) => refused(&problem),
    }
}

fn refused(problem: &Problem) -> Response {
    let reasons = if problem.errors().is_empty() {
        &[problem.detail().to_owned()][..]
    } else {
        problem.errors()
    };
    let passing = integration::will_pass(problem);
    let status = if passing {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        problem.status()
    };
    let response = invalid(status, reasons);
    let wait = problem.retry_after_s();
    match wait.or(passing.then_some(integration::PASSING_RETRY_S)) {
        Some(seconds) => later(response, seconds),
        None => response,
    }
}

/// What an event asks, and the key of its alert.
fn asked(integration: &Integration, mut event: Event) -> Result<(Ask, String), Problem> {
    let service = integration.service;
    let key = match event.dedup_key.take() {
        Some(key) => key,
        None => new_key()?,
    };
    let ask = match (event.action, event.payload.take()) {
        (Action::Trigger, Some(payload)) => trigger(integration, event, payload, key.clone()),
        (Action::Trigger, None) => return Err(Problem::bad("'payload' is missing")),
        (Action::Acknowledge, _) => AlertAsk::AcknowledgeByKey {
            service,
            integration: Some(integration.id),
            dedup_key: key.clone(),
        },
        (Action::Resolve, _) => AlertAsk::ResolveByKey {
            service,
            integration: Some(integration.id),
            dedup_key: key.clone(),
        },
    };
    Ok((Ask::Alert(ask), key))
}

fn trigger(integration: &Integration, event: Event, mut payload: Payload, key: String) -> AlertAsk {
    let sent_details = sent_details_of(&payload);
    let details = details_of(event, &mut payload);
    AlertAsk::Trigger {
        service: Some(integration.service),
        integration: Some(integration.id),
        dedup_key: Some(key),
        severity: match payload.severity {
            events_v2::Severity::Info => Severity::Info,
            events_v2::Severity::Warning => Severity::Warning,
            events_v2::Severity::Error => Severity::Error,
            events_v2::Severity::Critical => Severity::Critical,
        },
        title: payload.summary,
        summary: payload.source.map_or_else(
            || BY_EVENTS_V1.to_owned(),
            |source| cut(&format!("on {source}"), SUMMARY_CHARS_MAX),
        ),
        details,
        sent_details,
        at: payload.timestamp,
    }
}
