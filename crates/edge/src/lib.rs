//! The server's sockets: HTTP API, foreign fronts, live stream and delivery channels. It decides nothing: the core does.

mod access;
mod answers;
pub mod app;
pub mod auditor;
pub mod canary;
pub mod delivery;
mod doctor;
pub mod feed;
mod front;
mod heads;
mod hosts;
mod http;
mod kind;
mod links;
mod lock;
pub mod ports;
pub mod scrape;
mod seats;
pub mod secret;
mod serve;
pub mod tls;
mod ui;
pub mod vigil;
mod watched;
pub mod webhooks;

pub use access::who::{Front, Who};
pub use doctor::{Check, CheckState, Diagnosis};
pub use front::mail::MailIntake;
pub use http::routes::Listed;
pub use seats::connections_within;
pub use serve::{ServeError, serve};

use axum::Router;
use secrecy::SecretString;
use utoipa::openapi::OpenApi;

use app::App;

/// The router with everything in it, as [`serve`] serves it.
pub fn router(app: App) -> Router {
    http::router(app)
}

/// The description of the native API, for `openapi.json`.
#[must_use]
pub fn openapi() -> OpenApi {
    http::description()
}

/// Every route, with who may call it.
#[must_use]
pub fn routes() -> Vec<Listed> {
    http::listed()
}

/// The mail address of a person, as it is kept.
///
/// # Errors
/// Mail cannot go there, and why.
pub fn mail_address(text: &str) -> Result<SecretString, String> {
    http::address::mail(text)
}

/// Whether a page would reach somebody now, and what to do where it would not.
pub async fn diagnose(app: &App) -> Diagnosis {
    doctor::diagnose(app).await
}
