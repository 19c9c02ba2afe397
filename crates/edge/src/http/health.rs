//! Whether Tocsin is alive, able to page, and what to do when it is not.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::shape::Instant;
use crate::app::App;
use crate::doctor::{CheckState, Diagnosis, diagnose, diagnose_sometimes};
use crate::watched::heard;

/// By which a watcher says that it is one.
const WATCH_EVERY: &str = "watch_every_ms";

/// Whether a page would reach somebody; only names of checks, because anybody may ask.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    able_to_page: bool,
    /// Names of the checks that failed.
    reasons: Vec<String>,
    /// When the auditor last looked; null before it first did.
    audited_at: Option<Instant>,
    /// When the canary last came through; null before it first did.
    canary_at: Option<Instant>,
    /// Milliseconds since then, whatever was done to this server's clock meanwhile, so that who asks needs no right one.
    audit_age_ms: Option<u64>,
    canary_age_ms: Option<u64>,
    /// What the token is called by which whoever asks is remembered as a watcher; null where nobody is.
    watched_as: Option<String>,
}

/// Is Tocsin alive?
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

/// Would a page reach somebody?
///
/// Anybody may ask. Who shows an API token and says how often it asks is remembered as a watcher, and missed when it does not any more.
#[utoipa::path(get, path = "/readyz", tag = "health",
    params(("watch_every_ms" = Option<u64>, Query,
        description = "After how many milliseconds whoever watches will ask again. It counts with an API token alone.")),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(crate) async fn readyz(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let note = async {
        let every_ms = watch_every_ms(&uri)?;
        heard::note(&app, &headers, every_ms).await
    };
    let (diagnosis, watched_as) = tokio::join!(diagnose_sometimes(&app), note);
    let failed = diagnosis
        .checks
        .iter()
        .filter(|check| check.state == CheckState::Fail);
    let reasons = failed.map(|check| check.name.clone()).collect();
    let status = if diagnosis.able_to_page {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let seen = app.vigil.seen();
    (
        status,
        Json(Readiness {
            able_to_page: diagnosis.able_to_page,
            reasons,
            audited_at: seen.looked_at.map(Instant),
            canary_at: seen.canary_at.map(Instant),
            audit_age_ms: seen.look_age_ms,
            canary_age_ms: seen.canary_age_ms,
            watched_as,
        }),
    )
        .into_response()
}

/// How often a watcher says that it asks. Whatever else stands there keeps nobody from being answered.
fn watch_every_ms(uri: &Uri) -> Option<u64> {
    let mut query = form_urlencoded::parse(uri.query()?.as_bytes());
    let (_, value) = query.find(|(name, _)| name == WATCH_EVERY)?;
    value.parse().ok()
}

/// What stands between a failure and a page?
#[utoipa::path(get, path = "/api/tocsin/v1/doctor", tag = "health", responses((status = 200, body = Diagnosis)))]
pub(crate) async fn doctor(State(app): State<App>) -> Json<Diagnosis> {
    Json(diagnose(&app).await)
}
