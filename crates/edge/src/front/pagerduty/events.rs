//! PagerDuty's Events API, v2 and v1: anything that can page by PagerDuty can page by Tocsin. Only `wire` knows the formats.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_domain::command::{AlertAsk, Ask};
use tocsin_domain::event::Actor;
use tocsin_domain::monitor::Severity;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_wire::pagerduty::events_v1;
use tocsin_wire::pagerduty::events_v2::{self, Action, BODY_BYTES_MAX, Event, Payload, Rejection};

use crate::app::App;
use crate::front::integration;
use crate::http::alert::{cut, flat, new_key};
use crate::http::body;
use crate::http::problem::Problem;

/// After so many seconds an event is worth another try whose refusal will pass.
const PASSING_RETRY_S: u64 = 10;
/// Characters of the line that says where.
const SUMMARY_CHARS_MAX: usize = 1_024;

/// An event of PagerDuty's Events API v2
///
/// 202 only after it is on disk.
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

/// What differs between the versions.
struct Version {
    parse: fn(&[u8]) -> Result<Event, Rejection>,
    accepted: fn(&str) -> String,
    accepted_status: StatusCode,
    throttled: fn() -> String,
    throttled_status: StatusCode,
    key_name: &'static str,
}

const V2: Version = Version {
    parse: events_v2::parse,
    accepted: events_v2::accepted,
    accepted_status: StatusCode::ACCEPTED,
    throttled: events_v2::throttled,
    throttled_status: StatusCode::TOO_MANY_REQUESTS,
    key_name: "routing_key",
};

const V1: Version = Version {
    parse: events_v1::parse,
    accepted: events_v1::accepted,
    accepted_status: StatusCode::OK,
    throttled: events_v1::throttled,
    throttled_status: StatusCode::FORBIDDEN,
    key_name: "service_key",
};

pub(super) fn answer(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

pub(super) fn invalid(status: StatusCode, reasons: &[String]) -> Response {
    answer(status, events_v2::invalid(reasons))
}

async fn take(app: &App, headers: &HeaderMap, content: Body, version: &Version) -> Response {
    let bytes = match body::read(headers, content, BODY_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(problem) => return invalid(problem.status(), &[problem.detail().to_owned()]),
    };
    let event = match (version.parse)(&bytes) {
        Ok(event) => event,
        Err(rejection) => {
            let status = StatusCode::from_u16(rejection.status).unwrap_or(StatusCode::BAD_REQUEST);
            return invalid(status, &rejection.errors);
        }
    };
    let known = integration::of_key(app, &event.routing_key);
    let Some(integration) = known.filter(|one| one.kind == IntegrationKind::EventsV2) else {
        return invalid(
            StatusCode::BAD_REQUEST,
            &[format!(
                "'{}' is invalid: no integration has it",
                version.key_name
            )],
        );
    };
    if let Err(seconds) = app
        .inner()
        .front_limit
        .take(integration.id.as_str(), app.now())
    {
        let mut response = answer(version.throttled_status, (version.throttled)());
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        return response;
    }
    match carry_out(app, &integration, event).await {
        Ok(dedup_key) => answer(version.accepted_status, (version.accepted)(&dedup_key)),
        Err(problem) => refused(&problem),
    }
}

pub(super) fn refused(problem: &Problem) -> Response {
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
    let mut response = invalid(status, reasons);
    let wait = problem.retry_after_s();
    if let Some(seconds) = wait.or(passing.then_some(PASSING_RETRY_S)) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    }
    response
}

async fn carry_out(app: &App, integration: &Integration, event: Event) -> Result<String, Problem> {
    let service = integration.service;
    let key = match event.dedup_key.clone() {
        Some(key) => key,
        None => new_key()?,
    };
    let ask = match (event.action, event.payload.clone()) {
        (Action::Trigger, Some(payload)) => trigger(integration, &event, payload, key.clone()),
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
    let actor = Actor::Integration {
        integration: integration.id,
    };
    app.ask(&actor, Ask::Alert(ask)).await?;
    Ok(key)
}

fn trigger(integration: &Integration, event: &Event, payload: Payload, key: String) -> AlertAsk {
    let mut details = Vec::new();
    let mut add = |name: &str, value: &Option<String>| {
        details.extend(value.as_ref().map(|value| (name.to_owned(), value.clone())));
    };
    add("Component", &payload.component);
    add("Group", &payload.group);
    add("Class", &payload.class);
    add("Client", &event.client);
    add("Client address", &event.client_url);
    for link in &event.links {
        let name = link.text.clone().unwrap_or_else(|| "Link".to_owned());
        details.push((name, link.href.clone()));
    }
    details.extend(
        event
            .images
            .iter()
            .map(|image| ("Image".to_owned(), image.src.clone())),
    );
    details.extend(
        payload
            .custom_details
            .as_ref()
            .map(flat)
            .unwrap_or_default(),
    );
    details.extend(
        event
            .notes
            .iter()
            .map(|note| ("Note".to_owned(), note.clone())),
    );
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
        summary: cut(&format!("on {}", payload.source), SUMMARY_CHARS_MAX),
        details,
        at: payload.timestamp,
    }
}
