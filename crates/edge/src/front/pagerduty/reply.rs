//! Answers of the REST API: good ones, refusals, and the count of requests that goes with each. It knows no noun.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tocsin_engine::handle::AskError;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::{Cut, Paging, Refusal};

use crate::access::throttle::Remaining;
use crate::access::who::{Caller, Via};
use crate::app::App;
use crate::http::problem::Problem;

/// Requests of one key taken within 60 s, as PagerDuty does.
pub(crate) const REQUESTS_PER_MINUTE: usize = 960;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Why a request was not carried out, in PagerDuty's words.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Refusal);

/// What a handler answers.
pub(crate) type Answer = Result<Reply, Refused>;

/// A good answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// What was asked for, or what became of it.
    Done(Value),
    /// The same or what was made, written already, in pieces.
    Written(StatusCode, Vec<Bytes>),
    /// What was made.
    Created(Value),
    /// Done, and there is nothing to tell.
    Empty,
    /// It will be done, and there is nothing to tell.
    Accepted,
    /// A question that cannot be answered, told in a plain text.
    Plain(String),
}

impl Reply {
    /// One page of a list.
    pub(crate) fn page(paging: Paging, name: &str, cut: Cut<Value>) -> Self {
        Self::Done(paging.body(name, cut))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Done(body) => json(StatusCode::OK, body.to_string()),
            Self::Written(status, pieces) => in_pieces(status, pieces),
            Self::Created(body) => json(StatusCode::CREATED, body.to_string()),
            Self::Empty => StatusCode::NO_CONTENT.into_response(),
            Self::Accepted => StatusCode::ACCEPTED.into_response(),
            Self::Plain(body) => json(StatusCode::BAD_REQUEST, body),
        }
    }
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let body: Body = body.into();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What is sent piece by piece: pieces that are the same are in memory once. Its length is told, as that of every other answer.
fn in_pieces(status: StatusCode, mut pieces: Vec<Bytes>) -> Response {
    if pieces.len() == 1 {
        return json(status, pieces.swap_remove(0));
    }
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    let pieces = stream::iter(pieces.into_iter().map(Ok::<_, Infallible>));
    let mut response = json(status, Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    response
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status);
        let mut response = json(status.unwrap_or(StatusCode::BAD_REQUEST), self.0.body());
        let headers = response.headers_mut();
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.0.allowed {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if self.0.status == 401 {
            let value = HeaderValue::from_static("Token realm=\"tocsin\"");
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let errors = || {
            let errors = problem.errors().to_vec();
            if errors.is_empty() {
                vec![problem.detail().to_owned()]
            } else {
                errors
            }
        };
        let detail = problem.detail();
        let refusal = match problem.status() {
            StatusCode::UNAUTHORIZED => Refusal::unauthorized(detail),
            StatusCode::FORBIDDEN => Refusal::denied(detail),
            StatusCode::NOT_FOUND => Refusal::not_found(detail),
            StatusCode::METHOD_NOT_ALLOWED => Refusal::method_not_allowed(detail),
            StatusCode::REQUEST_TIMEOUT => Refusal::late(detail),
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(detail),
            StatusCode::TOO_MANY_REQUESTS => {
                Refusal::too_many(problem.retry_after_s().unwrap_or(1))
            }
            // What is under way is asked for again, which clients do after a 5xx alone.
            StatusCode::CONFLICT if problem.retry_after_s().is_some() => {
                Refusal::failed(503, detail)
            }
            // What does not fit what is has no status of its own there: clients know it as a wrong request.
            status if status.is_client_error() => Refusal::invalid(errors()),
            // Clients send again after the common 5xx only, and 507 is not among them.
            StatusCode::INSUFFICIENT_STORAGE => Refusal::failed(503, detail),
            status => Refusal::failed(status.as_u16(), detail),
        };
        Self(match problem.retry_after_s() {
            Some(seconds) => refusal.later(seconds),
            None => refusal,
        })
    }
}

impl From<AskError> for Refused {
    fn from(error: AskError) -> Self {
        Problem::from(error).into()
    }
}

/// A refusal of the core, by the names that the fields of this have there.
pub(crate) fn refusing<E>(noun: Noun) -> impl Fn(E) -> Refused
where
    Refused: From<E>,
{
    move |why| {
        let Refused(refusal) = Refused::from(why);
        let errors = refusal.errors.iter().map(|error| noun.told(error));
        Refused(Refusal {
            errors: errors.collect(),
            ..refusal
        })
    }
}

/// A request that counts against the limit of its key.
pub(crate) struct Counted {
    refused: Option<u64>,
    remaining: Remaining,
    /// As many as its key may send within a minute.
    per_minute: usize,
}

impl Counted {
    /// Counts one of this caller's.
    pub(crate) fn take(app: &App, caller: &Caller) -> Self {
        // Only callers that are known come here, so that memory stays bounded. Each key of a person has its own count.
        let (now, limit) = (app.now(), &app.inner().rest_limit);
        let own = caller.bounds.requests_per_minute;
        let own = own.and_then(|own| usize::try_from(own).ok());
        let per_minute = own.map_or(REQUESTS_PER_MINUTE, |own| own.min(REQUESTS_PER_MINUTE));
        let (outcome, remaining) = match &caller.via {
            Via::Token(token) => limit.take_of(per_minute, token.as_str(), now),
            Via::Session | Via::Open => limit.take_counted(&format!("{:?}", caller.actor), now),
        };
        Self {
            refused: outcome.err(),
            remaining,
            per_minute,
        }
    }

    /// The answer, or the refusal in its place, with what is left.
    pub(crate) async fn around(self, answer: impl Future<Output = Response>) -> Response {
        let mut response = match self.refused {
            Some(seconds) => Refused(Refusal::too_many(seconds)).into_response(),
            None => answer.await,
        };
        let headers = response.headers_mut();
        headers.insert(LIMIT, HeaderValue::from(self.per_minute));
        headers.insert(REMAINING, HeaderValue::from(self.remaining.count));
        headers.insert(RESET, HeaderValue::from(self.remaining.more_in_s));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_comes_too_late_is_told_as_such() {
        let Refused(refusal) = Refused::from(Problem::timeout("late"));
        assert_eq!(
            (refusal.status, refusal.errors),
            (408, vec!["late".to_owned()])
        );
    }
}
