//! `/-/reload`: rule files are read anew. Which files, and what is in them, is not known here.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::refusal::{Kind, Refusal};
use crate::app::App;

/// Read the rule files anew, as Prometheus is asked
///
/// A file that cannot be used changes nothing.
#[utoipa::path(post, path = "/-/reload", tag = "fronts", responses(
    (status = 200, content_type = "text/plain", body = String), (status = 500, content_type = "text/plain", body = String)))]
pub(crate) async fn reload(State(app): State<App>) -> Response {
    let rules = std::sync::Arc::clone(&app.rules);
    let why = match tokio::task::spawn_blocking(move || rules.reload()).await {
        Ok(Ok(done)) => return format!("{done}\n").into_response(),
        Ok(Err(why)) => why,
        Err(_) => "reading them failed".to_owned(),
    };
    Refusal::new(Kind::Internal, format!("nothing was changed: {why}")).into_plain()
}
