//! In whose words a request is refused that comes to no handler: each front's clients read their own alone. It refuses nothing itself.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};

use super::{opsgenie, pagerduty};
use crate::http::problem::Problem;

/// In whose words a request is refused.
#[derive(Clone, Copy)]
pub(crate) enum Words {
    /// In PagerDuty's.
    PagerDuty,
    /// In Opsgenie's.
    Opsgenie,
    /// In our own.
    Own,
}

impl Words {
    /// The words that whoever sent a request understands.
    pub(crate) fn of_sender(request: &Request) -> Self {
        if pagerduty::is_meant(request) {
            Self::PagerDuty
        } else if opsgenie::is_meant(request) {
            Self::Opsgenie
        } else {
            Self::Own
        }
    }

    /// The refusal in these words.
    pub(crate) fn of(self, problem: Problem) -> Response {
        match self {
            Self::PagerDuty => pagerduty::refused(problem),
            Self::Opsgenie => opsgenie::refused_at_the_gate(&problem),
            Self::Own => problem.into_response(),
        }
    }

    /// The refusal in these words of what no route takes.
    pub(crate) fn of_no_route(self, path: &str, problem: Problem) -> Response {
        match self {
            Self::PagerDuty => pagerduty::refused_at(path, problem),
            Self::Opsgenie => opsgenie::refused_at(path, &problem),
            Self::Own => problem.into_response(),
        }
    }
}
