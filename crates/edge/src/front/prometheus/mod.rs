//! The front for clients of Prometheus: its HTTP API, remote write and federation, so that Grafana, promtool and any sender
//! work unchanged. It answers in Prometheus' words; what is stored and what a query means is known elsewhere.

mod answer;
mod federate;
mod json;
mod number;
pub(crate) mod parameters;
mod query;
mod refusal;
mod reload;
mod reply;
mod rules;
mod series;
mod status;
mod targets;
mod turn;
mod write;

use std::time::Duration;

use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use tocsin_domain::people::Role::{Admin, Responder, Viewer};
use utoipa_axum::routes;

use crate::access::who::{Front, Who};
use crate::http::problem::Problem;
use crate::http::routes::Table;
use refusal::Refusal;

pub(crate) use write::Room;

/// The prefix under which the whole front is there again.
const PREFIX: &str = "/prometheus";
/// Paths that Datadog's API has too.
const SHARED_PATHS: [&str; 2] = ["/api/v1/query", "/api/v1/series"];
/// A query may take its whole time, and then there is an answer to write.
const REQUEST_WAIT: Duration = Duration::from_secs(turn::TIME_MAX.as_secs() + 30);

/// Adds the front's routes.
pub(crate) fn add_to(table: Table) -> Table {
    let read = Who::Token(Front::Prometheus, Viewer);
    let write = Who::Token(Front::Prometheus, Responder);
    let admin = Who::Token(Front::Prometheus, Admin);
    table
        .add_front(write, PREFIX, routes!(write::write))
        .add_front(admin, PREFIX, routes!(reload::reload))
        .add_front(read, PREFIX, routes!(query::instant))
        .add_front(read, PREFIX, routes!(query::range))
        .add_front(read, PREFIX, routes!(query::format))
        .add_front(read, PREFIX, routes!(series::series))
        .add_front(read, PREFIX, routes!(series::labels))
        .add_front(read, PREFIX, routes!(series::values))
        .add_front(read, PREFIX, routes!(series::metadata))
        .add_front(read, PREFIX, routes!(series::exemplars))
        .add_front(read, PREFIX, routes!(rules::rules))
        .add_front(read, PREFIX, routes!(rules::alerts))
        .add_front(read, PREFIX, routes!(targets::targets))
        .add_front(read, PREFIX, routes!(targets::pools))
        .add_front(read, PREFIX, routes!(targets::target_metadata))
        .add_front(read, PREFIX, routes!(status::config))
        .add_front(read, PREFIX, routes!(status::flags))
        .add_front(read, PREFIX, routes!(status::runtime_info))
        .add_front(read, PREFIX, routes!(status::build_info))
        .add_front(read, PREFIX, routes!(status::tsdb))
        .add_front(read, PREFIX, routes!(status::wal_replay))
        .add_front(read, PREFIX, routes!(status::alertmanagers))
        .add_front(read, PREFIX, routes!(federate::federate))
        .add_front(Who::Public, PREFIX, routes!(status::healthy))
        .add_front(Who::Public, PREFIX, routes!(status::ready))
}

/// The time that a request of this path may take, when it is one of this front.
pub(crate) fn request_wait(path: &str) -> Option<Duration> {
    let own = path.strip_prefix(PREFIX).unwrap_or(path);
    (own.starts_with("/api/v1/") || own == "/federate").then_some(REQUEST_WAIT)
}

/// A refusal by the gate, before any handler.
pub(crate) fn refused_at_the_gate(problem: &Problem) -> Response {
    Refusal::from(problem).into_response()
}

/// Why a request is none for this front although its path is: it comes with a key of Datadog's.
pub(crate) fn meant_for_another(parts: &Parts) -> Option<Problem> {
    let query = parts.uri.query().unwrap_or_default();
    let has_key = parts.headers.contains_key("dd-api-key")
        || form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "api_key");
    let is_shared = SHARED_PATHS.contains(&parts.uri.path());
    (is_shared && has_key).then(|| {
        Problem::not_found("front for Datadog's clients yet: this path, without a key of Datadog's, is Prometheus'")
    })
}
