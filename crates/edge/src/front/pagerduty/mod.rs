//! The front for clients of PagerDuty: its events and its REST API v2, so that integrations, command lines and libraries work
//! unchanged. It answers in PagerDuty's words; what is asked of the core, and who may, is the same as in the native API.

mod alerts;
mod asked;
pub(crate) mod events;
mod incident_shape;
mod incidents;
mod lookup;
mod notes;
mod place;
mod policy_shape;
mod reply;
mod requester;
mod respond;
mod service_shape;
mod team_shape;
mod user_shape;

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tocsin_domain::people::Role::{Responder, Viewer};
use utoipa_axum::routes;

use crate::access::who::{Front, Who};
use crate::http::problem::Problem;
use crate::http::routes::Table;
use reply::Refused;

pub(crate) use reply::{Counted, REQUESTS_PER_MINUTE};

/// The prefix under which the whole front is there again.
const PREFIX: &str = "/pagerduty";
/// What every client of the REST API accepts, and nobody else.
const MEDIA_TYPE: &str = "application/vnd.pagerduty+json";

/// Adds the front's routes.
pub(crate) fn add_to(table: Table) -> Table {
    let read = Who::Token(Front::PagerDutyRest, Viewer);
    let write = Who::Token(Front::PagerDutyRest, Responder);
    let add = |table: Table, who, routes| table.add_front(who, PREFIX, routes);
    let table = add(table, read, routes!(incidents::list_incidents));
    let table = add(table, read, routes!(incidents::get_incident));
    let table = add(table, read, routes!(notes::list_notes));
    let table = add(table, read, routes!(alerts::list_alerts));
    let table = add(table, read, routes!(alerts::get_alert));
    let table = add(table, write, routes!(respond::create_incident));
    let table = add(table, write, routes!(respond::update_incident));
    let table = add(table, write, routes!(respond::update_incidents));
    let table = add(table, write, routes!(respond::merge_incidents));
    let table = add(table, write, routes!(respond::snooze_incident));
    let table = add(table, write, routes!(notes::add_note));
    let table = add(table, write, routes!(notes::send_status_update));
    let table = add(table, write, routes!(notes::request_responders));
    let table = add(table, write, routes!(alerts::update_alert));
    add(table, write, routes!(alerts::update_alerts))
}

/// Whether a request that no route takes comes from a client of PagerDuty.
pub(crate) fn is_meant(request: &Request) -> bool {
    let path = request.uri().path();
    let under = path.strip_prefix(PREFIX);
    let accepts = request.headers().get_all(header::ACCEPT).iter();
    under.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || accepts
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains(MEDIA_TYPE))
}

/// A refusal before any handler.
pub(crate) fn refused(problem: Problem) -> Response {
    Refused::from(problem).into_response()
}
