//! The one error type of the HTTP side: a problem document (RFC 9457). It must carry no secret and no internal detail.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tocsin_domain::command::Refusal;
use tocsin_engine::handle::AskError;
use utoipa::ToSchema;

use crate::ports::{QueryError, StorageError};

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<String>,
    retry_after_s: Option<u64>,
    outcome_known: bool,
}

/// A problem document (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// Always `about:blank`: the status tells the kind.
    r#type: &'static str,
    /// The kind of problem.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What happened, what was kept, what to do.
    detail: &'a str,
    /// Every reason, when there are several.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    errors: &'a [String],
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            outcome_known: true,
        }
    }

    pub(crate) fn invalid(reasons: Vec<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, reasons.join("; "));
        problem.errors = reasons;
        problem
    }

    pub(crate) fn bad(reason: impl Into<String>) -> Self {
        Self::invalid(vec![reason.into()])
    }

    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no {what}"))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this path does not take this method",
        )
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(crate) fn too_large(limit_bytes: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit_bytes} bytes; nothing was kept"),
        )
    }

    pub(crate) fn too_much(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// It is worth another try after so long.
    pub(crate) fn later(detail: impl Into<String>, retry_after_s: u64) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        problem.retry_after_s = Some(retry_after_s);
        problem
    }

    /// The same, which is worth another try after so long.
    #[must_use]
    pub(crate) fn again_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub(crate) fn timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
    }

    pub(crate) fn too_many(detail: impl Into<String>, retry_after_s: u64) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, detail);
        problem.retry_after_s = Some(retry_after_s.max(1));
        problem
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        problem.retry_after_s = Some(1);
        problem
    }

    /// Nobody knows whether it was carried out: nothing of it may be undone.
    pub(crate) fn unknown(detail: impl Into<String>) -> Self {
        let mut problem = Self::unavailable(detail);
        problem.outcome_known = false;
        problem
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    fn storage(detail: String, disk_full: bool) -> Self {
        if disk_full {
            Self::new(StatusCode::INSUFFICIENT_STORAGE, detail)
        } else {
            Self::unavailable(detail)
        }
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Whether it is certain that nothing was carried out.
    pub(crate) const fn outcome_known(&self) -> bool {
        self.outcome_known
    }

    pub(crate) const fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound { what } => Self::not_found(&what),
            Refusal::Conflict { why } => Self::conflict(why),
            Refusal::Forbidden { why } => Self::forbidden(why),
            Refusal::Invalid { reasons } => Self::invalid(reasons),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refusal) => refusal.into(),
            AskError::NotDurable(error) => Self::storage(error.why, error.disk_full),
            AskError::Fault => Self::internal(error.to_string()),
            AskError::Busy | AskError::Stopped => Self::unavailable(error.to_string()),
        }
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        tracing::warn!(why = %error.why, "the data could not be read or written");
        Self::storage(error.why, error.disk_full)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Wrong(why) | QueryError::TooMuch(why) => Self::bad(why),
            QueryError::Failed(why) => Self::unavailable(why),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = ProblemDocument {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"tocsin\""),
            );
        }
        response
    }
}
