//! The server's sockets: HTTP API, foreign fronts, live stream and delivery channels. It decides nothing: the core does.

mod access;
mod app;
pub mod delivery;
mod doctor;
mod feed;
mod front;
mod http;
mod kind;
pub mod ports;
pub mod secret;
mod serve;
pub mod tls;
mod ui;

pub use access::who::{Front, Who};
pub use app::{App, Parts, Settings};
pub use doctor::{Check, CheckState, Diagnosis};
pub use feed::{Change, Feed};
pub use http::routes::Listed;
pub use serve::{ServeError, Stop, serve};

use axum::Router;
use utoipa::openapi::OpenApi;

/// The router with everything in it, as [`serve`] serves it.
#[must_use]
pub fn router(app: App) -> Router {
    http::router(app).0
}

/// The description of the native API, for `openapi.json`.
#[must_use]
pub fn openapi(app: App) -> OpenApi {
    http::router(app).1
}

/// Every route, with who may call it.
#[must_use]
pub fn routes(app: App) -> Vec<Listed> {
    http::router(app).2
}

/// Whether a page would reach somebody now, and what to do where it would not.
pub async fn diagnose(app: &App) -> Diagnosis {
    doctor::diagnose(app).await
}
