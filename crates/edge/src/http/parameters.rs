//! Which parameters a route of the native API takes after the question mark: those that its description declares, so that no route
//! can forget it. Any other is refused: a filter that is misspelt would else be answered as if there were none. It reads no value.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tocsin_wire::plain::cut;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, ParameterIn};

use super::problem::Problem;

/// Where the native API begins.
const NATIVE: &str = "/api/tocsin/v1/";
/// It is followed by clients that write words of their own behind the address, so that nothing on the way answers in its place.
const STREAM: &str = "/api/tocsin/v1/stream";
/// Unknown ones that are told at most.
const TOLD_MAX: usize = 10;
/// Characters of the name of one that are told at most.
const NAME_CHARS_MAX: usize = 100;

/// Whether a path takes no parameters but those that are declared.
pub(crate) fn are_declared(path: &str) -> bool {
    path.starts_with(NATIVE) && path != STREAM
}

/// The names of all that an operation takes after the question mark.
pub(crate) fn names_of(operation: &Operation) -> Vec<String> {
    let all = operation.parameters.iter().flatten();
    all.filter_map(|one| match one {
        RefOr::T(one) if matches!(one.parameter_in, ParameterIn::Query) => Some(one.name.clone()),
        RefOr::T(_) | RefOr::Ref(_) => None,
    })
    .collect()
}

/// What each method of one path takes; nothing is refused of those that are not in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared(BTreeMap<String, Vec<String>>);

impl Declared {
    /// Adds what a method of this path takes.
    pub(crate) fn add(&mut self, (method, path): (&str, &str), operation: &Operation) {
        if are_declared(path) {
            self.0.insert(method.to_owned(), names_of(operation));
        }
    }

    /// Whether nothing is refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn refusal(&self, method: &Method, query: &str) -> Option<Problem> {
        // Whoever asks for the head alone asks for the same.
        let method = if method == Method::HEAD {
            "GET"
        } else {
            method.as_str()
        };
        let known = self.0.get(method)?;
        let mut reasons: Vec<String> = Vec::new();
        for (name, _) in form_urlencoded::parse(query.as_bytes()) {
            let is_known = known.iter().any(|one| one.as_str() == name);
            if is_known || reasons.len() == TOLD_MAX {
                continue;
            }
            let reason = reason(&name, known);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        (!reasons.is_empty()).then(|| Problem::invalid(reasons))
    }
}

fn reason(name: &str, known: &[String]) -> String {
    let name = cut(name, NAME_CHARS_MAX);
    if known.is_empty() {
        format!("the query cannot be read: {name:?} is a parameter, and none is taken here")
    } else {
        let known = known.join(", ");
        format!("the query cannot be read: {name:?} is not one of the parameters: {known}")
    }
}

/// Refuses a request that says something which its route does not take.
pub(crate) async fn only_declared(
    State(declared): State<Arc<Declared>>,
    request: Request,
    next: Next,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    match declared.refusal(request.method(), query) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}
