//! The front for clients of Alertmanager: Prometheus sends its alerts here, amtool and the silence pages of other tools work
//! unchanged. Silences are maintenance windows, and groups are incidents; there is no second notion of either.

mod alert;
mod refusal;
mod shown;
mod silence;
mod status;

use axum::response::{IntoResponse, Response};
use tocsin_domain::people::Role::{Responder, Viewer};
use utoipa_axum::routes;

use crate::access::who::{Front, Who};
use crate::http::problem::Problem;
use crate::http::routes::Table;
use refusal::Refusal;

/// The prefix under which the whole front is there again: what `path_prefix` of Prometheus and `--alertmanager.url` of amtool name.
const PREFIX: &str = "/alertmanager";

/// Adds the front's routes.
pub(crate) fn add_to(table: Table) -> Table {
    let read = Who::Token(Front::Alertmanager, Viewer);
    let write = Who::Token(Front::Alertmanager, Responder);
    table
        .add_front(
            Who::Key(Front::Alertmanager),
            PREFIX,
            routes!(alert::post_alerts),
        )
        .add_front(read, PREFIX, routes!(alert::alerts))
        .add_front(read, PREFIX, routes!(alert::groups))
        .add_front(read, PREFIX, routes!(silence::silences))
        .add_front(write, PREFIX, routes!(silence::post_silence))
        .add_front(read, PREFIX, routes!(silence::silence))
        .add_front(write, PREFIX, routes!(silence::delete_silence))
        .add_front(read, PREFIX, routes!(status::status))
        .add_front(read, PREFIX, routes!(status::receivers))
        .add(Who::Public, routes!(status::healthy))
        .add(Who::Public, routes!(status::ready))
}

/// A refusal by the gate, before any handler.
pub(crate) fn refused_at_the_gate(problem: &Problem) -> Response {
    Refusal::coded(problem).into_response()
}
