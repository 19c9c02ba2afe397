//! Why a request of Alertmanager's API was not answered, in that API's own forms. It knows no route.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_wire::alertmanager::Fault;

use crate::http::problem::Problem;

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    fault: Fault,
    retry_after_s: Option<u64>,
}

impl Refusal {
    /// A refusal by what reads requests, with a code.
    pub(super) fn coded(problem: &Problem) -> Self {
        Self {
            fault: Fault::Unread {
                code: u32::from(problem.status().as_u16()),
                message: told(problem),
            },
            retry_after_s: problem.retry_after_s(),
        }
    }

    /// The body must be JSON.
    pub(super) fn media_type(sent: &str) -> Self {
        let message =
            format!("unsupported media type {sent:?}, only [application/json] are allowed");
        Fault::Unread { code: 415, message }.into()
    }
}

/// Every reason, in one text.
pub(super) fn told(problem: &Problem) -> String {
    match problem.errors() {
        [] => problem.detail().to_owned(),
        reasons => reasons.join("; "),
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            retry_after_s: None,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = match problem.status() {
            // Alertmanager knows no conflicts: what does not fit is a bad request.
            StatusCode::CONFLICT => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self {
            fault: Fault::Said {
                status: status.as_u16(),
                text: told(&problem),
            },
            retry_after_s: problem.retry_after_s(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.fault.status();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (status, kind, self.fault.body_text()).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // Clients that wait to be asked send a user and a password then.
            let value = HeaderValue::from_static("Basic realm=\"tocsin\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}
