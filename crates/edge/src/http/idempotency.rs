//! `Idempotency-Key` on POST: a repeated request is answered with the first answer and not carried out again, also after
//! a restart. The answers are kept with the accounts, encrypted, because they may hold secrets that are shown once. A key is given
//! back only where it is certain that nothing was carried out.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header, request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::body;
use super::problem::Problem;
use super::underway::{self, Begun, Doubt, Place};
use crate::access::cookie::hex;
use crate::access::who::Caller;
use crate::app::App;
use crate::front::words::Words;

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of a key at most.
const KEY_CHARS_MAX: usize = 255;
/// Seconds after which a request that is under way may be asked for again.
const AGAIN_S: u64 = 1;

/// Answers repeated POST requests from what was kept. Runs behind the gate of the route, so a key is bound to its caller and
/// a revoked token is given nothing.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    // With the role and the bounds: what a person was told by all that they may do, such as a new token, is not for a smaller token
    // of theirs.
    let caller = request
        .extensions()
        .get::<Caller>()
        .map(|caller| format!("{:?} {:?} {:?}", caller.actor, caller.role, caller.bounds));
    let keyed = request.method() == Method::POST && request.headers().contains_key(KEY_HEADER);
    let Some(caller) = caller.filter(|_| keyed) else {
        return next.run(request).await;
    };
    let words = Words::of_sender(&request);
    let (head, content) = request.into_parts();
    let asked = async {
        let key = key_of(&head)?;
        // As much as any route takes; it may itself take less.
        let content = body::read(&head.headers, content, body::FILES_BYTES_MAX).await?;
        Ok::<_, Problem>((key, content))
    };
    let (key, content) = match asked.await {
        Ok(asked) => asked,
        Err(problem) => return words.of(problem),
    };
    let repeatable = Repeatable {
        scope: digest(&[caller.as_bytes(), head.uri.path().as_bytes()]),
        key,
        request: asked_for(&head, &content),
    };
    let doubt = Arc::new(Doubt::default());
    // On a task of its own: a client that hangs up early repeats the request, and must find its answer then. So must one that was
    // not left to wait for a slow journal.
    let work = async move { repeatable.answer(&app, head, content, next).await };
    let mut work = tokio::spawn(Arc::clone(&doubt).around(work));
    tokio::select! {
        biased;
        answered = &mut work => match answered {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => words.of(problem),
            Err(_) => words.of(Problem::internal(
                "the request was not carried out to its end",
            )),
        },
        () = doubt.late() => words.of(Problem::unknown(
            "the journal did not answer in time; whether the request was kept is not known yet: send it again with the same Idempotency-Key, which carries nothing out twice and gives its answer once there is one",
        )),
    }
}

fn key_of(head: &request::Parts) -> Result<String, Problem> {
    head.headers
        .get(KEY_HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()))
        .map(str::to_owned)
        .ok_or_else(|| {
            Problem::bad(format!(
                "Idempotency-Key: must have 1 to {KEY_CHARS_MAX} visible ASCII characters"
            ))
        })
}

/// What a repetition must have in common with the first: where it goes, what it says, and in whose name where a front has that
/// in a header.
fn asked_for(head: &request::Parts, content: &[u8]) -> String {
    let address = head.uri.to_string();
    let mut parts = vec![address.as_bytes(), content];
    parts.extend(head.headers.get(header::FROM).map(HeaderValue::as_bytes));
    digest(&parts)
}

/// A request that may come again. A key belongs to who sent it, with which role and within which bounds, and to one path.
#[derive(Clone)]
struct Repeatable {
    scope: String,
    key: String,
    request: String,
}

impl Repeatable {
    async fn answer(
        self,
        app: &App,
        head: request::Parts,
        content: Bytes,
        next: Next,
    ) -> Result<Response, Problem> {
        let (begun, own, now) = (self.clone(), app.clone(), app.now());
        let known = app
            .blocking(move |parts| {
                let Self {
                    scope,
                    key,
                    request,
                } = begun;
                let name = (scope.clone(), key.clone());
                own.inner().underway.begin(name, || {
                    parts.accounts.begin_once(&scope, &key, &request, now)
                })
            })
            .await?;
        match known {
            Begun::New(place) => self.carry_out(app, (head, content), next, place).await,
            Begun::Answered { status, body } => Ok(replay(status, body)),
            Begun::Underway => Err(Problem::conflict(
                "a request with this Idempotency-Key is under way: send it again in a moment for its answer",
            )
            .again_after(AGAIN_S)),
            Begun::Lost => Err(Problem::conflict(
                "a request with this Idempotency-Key was begun, and its outcome was lost or its answer is too large to be kept: look, then use a new one",
            )),
            Begun::Mismatch => Err(Problem::bad(
                "Idempotency-Key: was used for another request; use a new one",
            )),
        }
    }

    async fn carry_out(
        self,
        app: &App,
        (head, content): (request::Parts, Bytes),
        next: Next,
        place: Place,
    ) -> Result<Response, Problem> {
        let request = Request::from_parts(head, Body::from(content));
        let (head, content) = next.run(request).await.into_parts();
        let content = to_bytes(content, usize::MAX)
            .await
            .map_err(|_| Problem::internal("the answer was cut off"))?;
        let (status, body) = (head.status, content.clone());
        let may_be_kept = underway::may_be_kept();
        app.blocking(move |parts| {
            // Until it is written down what became of it, it is under way.
            let _place = place;
            let Self { scope, key, .. } = &self;
            let accounts = &parts.accounts;
            if status.is_success() {
                accounts.finish_once(scope, key, status.as_u16(), &body)
            } else if may_be_kept {
                // A part of it at least: the key stays taken until it is forgotten for its age.
                Ok(())
            } else {
                accounts.abandon_once(scope, key)
            }
        })
        .await?;
        Ok(Response::from_parts(head, Body::from(content)))
    }
}

fn replay(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let replayed = (
        HeaderName::from_static("idempotency-replayed"),
        HeaderValue::from_static("true"),
    );
    if body.is_empty() {
        return (status, [replayed]).into_response();
    }
    let json = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    (status, [json, replayed], body).into_response()
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}
