//! Why a request of Prometheus' API was not answered, in the API's own words: a kind, a status and a text. It knows no route.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_promql::{EvalError, MatcherError, ParseError, SourceError};

use super::json::Json;
use crate::http::problem::Problem;
use crate::ports::StorageError;

/// What kind of refusal it is: Prometheus' words, on which its clients decide what to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request is wrong.
    BadData,
    /// The query cannot be carried out.
    Execution,
    /// It took too long.
    Timeout,
    /// The store failed.
    Internal,
    /// There is no such thing.
    NotFound,
    /// It will pass: try again.
    Unavailable,
    /// No good token.
    Unauthorized,
    /// A token that may not do this.
    Forbidden,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Timeout | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
        }
    }
}

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    kind: Kind,
    status: StatusCode,
    text: String,
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            status: kind.status(),
            text: text.into(),
            retry_after_s: None,
        }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(Kind::BadData, text)
    }

    /// A parameter that cannot be used.
    pub(crate) fn parameter(name: &str, why: impl std::fmt::Display) -> Self {
        Self::bad(format!("invalid parameter \"{name}\": {why}"))
    }

    /// Too much goes on at once.
    pub(crate) fn busy(text: impl Into<String>, retry_after_s: u64) -> Self {
        let mut refusal = Self::new(Kind::Unavailable, text);
        refusal.retry_after_s = Some(retry_after_s);
        refusal
    }

    /// With a status that says more than its kind does.
    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// As plain text, which is what senders of remote write put into their logs.
    pub(crate) fn into_plain(self) -> Response {
        let mut response = (self.status, self.text).into_response();
        finish(self.status, self.retry_after_s, &mut response);
        response
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn finish(status: StatusCode, retry_after_s: Option<u64>, response: &mut Response) {
    if let Some(seconds) = retry_after_s {
        let value = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    if status == StatusCode::UNAUTHORIZED {
        // Browsers and clients that wait to be asked send a user and a password then.
        let value = HeaderValue::from_static("Basic realm=\"tocsin\", charset=\"UTF-8\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, value);
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut json = Json::default();
        json.begin_object();
        json.named_text("status", "error");
        json.named_text("errorType", self.kind.word());
        json.named_text("error", &self.text);
        json.end_object();
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status, kind, json.into_bytes()).into_response();
        finish(self.status, self.retry_after_s, &mut response);
        response
    }
}

impl From<&Problem> for Refusal {
    fn from(problem: &Problem) -> Self {
        let status = problem.status();
        let kind = match status {
            StatusCode::UNAUTHORIZED => Kind::Unauthorized,
            StatusCode::FORBIDDEN => Kind::Forbidden,
            StatusCode::NOT_FOUND => Kind::NotFound,
            StatusCode::INTERNAL_SERVER_ERROR => Kind::Internal,
            status if status.is_client_error() => Kind::BadData,
            _ => Kind::Unavailable,
        };
        Self {
            kind,
            status,
            text: problem.detail().to_owned(),
            retry_after_s: problem.retry_after_s(),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::from(&problem)
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        tracing::warn!(why = %error.why, "metrics could not be read");
        Self::new(Kind::Internal, error.why)
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<MatcherError> for Refusal {
    fn from(error: MatcherError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        let kind = match &error {
            SourceError::TooManySeries { .. } => Kind::Execution,
            // What the language's crate may add is about sources too.
            SourceError::Unreadable { .. } | _ => Kind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<EvalError> for Refusal {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::Source(error) => error.into(),
            EvalError::Cancelled => Self::new(
                Kind::Timeout,
                "the query took longer than its time limit: shorten its range or narrow its matchers",
            ),
            EvalError::BadRange { .. } => Self::bad(error.to_string()),
            // Whatever else goes wrong goes wrong while it is carried out.
            EvalError::TooManySamples { .. }
            | EvalError::TooManySteps { .. }
            | EvalError::DuplicateSeries { .. }
            | EvalError::Matching { .. }
            | EvalError::BadArgument { .. }
            | _ => Self::new(Kind::Execution, error.to_string()),
        }
    }
}
