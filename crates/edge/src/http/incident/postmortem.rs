//! The postmortem of an incident and the evidence it is made from. Everything in it is computed from the frozen bundle.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tocsin_domain::id::IncidentId;
use tocsin_domain::learn::evidence::Evidence;
use tocsin_domain::learn::facts::{Facts, facts};
use utoipa::ToSchema;

use crate::app::{App, Parts};
use crate::http::body::Params;
use crate::http::problem::Problem;
use crate::ports::StorageError;

/// A report is a page of its own, with its styles in it; nothing in it may run or load anything.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; sandbox";

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// The facts.
    #[default]
    Json,
    /// Text.
    Markdown,
    /// One file that needs nothing else.
    Html,
    /// The picture of the chain.
    Svg,
}

/// The length of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Length {
    /// 400 to 600 words.
    #[default]
    Brief,
    /// With everything that is known.
    Full,
}

/// Which report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// JSON when not given.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// Brief when not given.
    #[serde(default)]
    #[param(inline)]
    length: Length,
    /// 1 for a draft from what is known now, while nothing is frozen.
    #[param(maximum = 255)]
    draft: Option<u8>,
}

/// The postmortem
#[utoipa::path(get, path = "/api/tocsin/v1/incidents/{id}/postmortem", tag = "learn",
    params(("id" = String, Path, description = "Id or number"), ReportQuery),
    responses((status = 200, body = Object), (status = 404), (status = 409)))]
pub(crate) async fn postmortem(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(query): Params<ReportQuery>,
) -> Result<Response, Problem> {
    let incident = super::find(&app, &id)?;
    let draft = query.draft == Some(1);
    let place = app.inner().queries.acquire().await;
    let _place = place.map_err(|_| Problem::unavailable("Tocsin is stopping"))?;
    let made = app.blocking(move |parts| {
        let Some(evidence) = evidence_of(parts, incident, draft)? else {
            return Ok(None);
        };
        Ok(Some(render(&facts(&evidence), query.format, query.length)))
    });
    made.await?.ok_or_else(|| {
        Problem::conflict("nothing is frozen yet: the postmortem is made when the incident is resolved; draft=1 gives a draft")
    })
}

fn evidence_of(
    parts: &Parts,
    incident: IncidentId,
    draft: bool,
) -> Result<Option<Evidence>, StorageError> {
    if let Some(bundle) = parts.evidences.frozen(incident)? {
        let read = serde_json::from_slice(&bundle.bytes);
        let why = |error| {
            format!("the frozen evidence cannot be read: {error}; restore it from a backup")
        };
        return read.map(Some).map_err(|error| StorageError {
            why: why(error),
            disk_full: false,
        });
    }
    if draft {
        parts.evidences.draft(incident)
    } else {
        Ok(None)
    }
}

fn render(facts: &Facts, format: Format, length: Length) -> Response {
    let (kind, text) = match (format, length) {
        (Format::Json, _) => (
            "application/json",
            serde_json::to_string(facts).unwrap_or_default(),
        ),
        (Format::Markdown, Length::Brief) => (
            "text/markdown; charset=utf-8",
            tocsin_report::brief_markdown(facts),
        ),
        (Format::Markdown, Length::Full) => (
            "text/markdown; charset=utf-8",
            tocsin_report::full_markdown(facts),
        ),
        (Format::Html, Length::Brief) => {
            ("text/html; charset=utf-8", tocsin_report::brief_html(facts))
        }
        (Format::Html, Length::Full) => {
            ("text/html; charset=utf-8", tocsin_report::full_html(facts))
        }
        (Format::Svg, _) => ("image/svg+xml", tocsin_report::chain_svg(facts)),
    };
    let policy = HeaderValue::from_static(REPORT_POLICY);
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        text,
    )
        .into_response()
}

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
    let bundle = app
        .blocking(move |parts| parts.evidences.frozen(incident))
        .await?;
    let open = || {
        Problem::conflict(
            "nothing is frozen yet: the evidence is frozen when the incident is resolved",
        )
    };
    let bundle = bundle.ok_or_else(open)?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", bundle.sha256));
    let tag = tag.map_err(|_| Problem::internal("the evidence has no hash"))?;
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let kind = HeaderValue::from_static("application/json");
    Ok((
        [(header::ETAG, tag), (header::CONTENT_TYPE, kind)],
        bundle.bytes,
    )
        .into_response())
}
