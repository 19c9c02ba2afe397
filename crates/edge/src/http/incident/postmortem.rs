//! The evidence of an incident, as frozen.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::http::problem::Problem;

/// The frozen evidence
///
/// The bytes whose SHA-256 is journalled; `ETag` is that hash.
#[utoipa::path(get, path = "/api/tocsin/v1/incidents/{id}/evidence", tag = "learn",
    params(("id" = String, Path, description = "Id or number")),
    responses((status = 200, body = Object), (status = 304), (status = 404), (status = 409)))]
pub(crate) async fn evidence(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let incident = super::find(&app, &id)?;
    let bundle = app.blocking(move |parts| parts.evidences.frozen(incident)).await?;
    let open = || Problem::conflict("nothing is frozen yet: the evidence is frozen when the incident is resolved");
    let bundle = bundle.ok_or_else(open)?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", bundle.sha256));
    let tag = tag.map_err(|_| Problem::internal("the evidence has no hash"))?;
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::ETAG, tag), (header::CONTENT_TYPE, kind)], bundle.bytes).into_response())
}
