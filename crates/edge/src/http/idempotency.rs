//! `Idempotency-Key` on POST: a repeated request is answered with the first answer and not carried out again. Kept in memory
//! only, because answers may hold secrets that are shown once; a restart forgets them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::body;
use super::problem::Problem;
use crate::access::who::Caller;
use crate::app::App;

/// Answers remembered at most; the oldest is forgotten first.
const REPLIES_MAX: usize = 2_000;
/// Bytes of an answer that is remembered at most.
const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Characters of a key at most.
const KEY_CHARS_MAX: usize = 255;

/// A key belongs to who sent it and to one path.
type Key = [u8; 32];

#[derive(Clone)]
struct Reply {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

enum Slot {
    Underway,
    Answered { request: [u8; 32], reply: Reply },
}

#[derive(Default)]
struct Slots {
    by_key: BTreeMap<Key, Slot>,
    order: VecDeque<Key>,
}

/// The remembered answers.
#[derive(Default)]
pub(crate) struct Replies(Mutex<Slots>);

impl Replies {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the key, or gives the answer that it has.
    fn begin(&self, key: Key, request: [u8; 32]) -> Result<Option<Reply>, Problem> {
        let mut slots = self.lock();
        match slots.by_key.get(&key) {
            Some(Slot::Underway) => Err(Problem::conflict(
                "a request with this Idempotency-Key is under way",
            )),
            Some(Slot::Answered { request: first, .. }) if *first != request => Err(Problem::bad(
                "Idempotency-Key: was used for another request; use a new one",
            )),
            Some(Slot::Answered { reply, .. }) => Ok(Some(reply.clone())),
            None => {
                if slots.order.len() >= REPLIES_MAX
                    && let Some(oldest) = slots.order.pop_front()
                {
                    slots.by_key.remove(&oldest);
                }
                slots.order.push_back(key);
                slots.by_key.insert(key, Slot::Underway);
                Ok(None)
            }
        }
    }

    fn finish(&self, key: Key, request: [u8; 32], reply: Option<Reply>) {
        let mut slots = self.lock();
        match reply {
            Some(reply) => {
                if let Some(slot) = slots.by_key.get_mut(&key) {
                    *slot = Slot::Answered { request, reply };
                }
            }
            None => {
                slots.by_key.remove(&key);
                slots.order.retain(|one| *one != key);
            }
        }
    }
}

/// Frees the key when the request is given up before it has an answer.
struct Underway<'a> {
    replies: &'a Replies,
    key: Key,
    request: [u8; 32],
    reply: Option<Reply>,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.replies
            .finish(self.key, self.request, self.reply.take());
    }
}

/// Answers repeated POST requests from memory. Runs behind the gate of the route, so a key is bound to its caller and a
/// revoked token is given nothing.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let caller = request
        .extensions()
        .get::<Caller>()
        .map(|caller| format!("{:?}", caller.actor));
    let keyed =
        request.method() == Method::POST && request.headers().contains_key("idempotency-key");
    let Some(caller) = caller.filter(|_| keyed) else {
        return next.run(request).await;
    };
    match carry_out_once(&app, &caller, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn carry_out_once(
    app: &App,
    caller: &str,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, content) = request.into_parts();
    let given = parts
        .headers
        .get("idempotency-key")
        .map(|value| value.as_bytes().to_vec())
        .unwrap_or_default();
    if given.is_empty() || given.len() > KEY_CHARS_MAX {
        return Err(Problem::bad(format!(
            "Idempotency-Key: must have 1 to {KEY_CHARS_MAX} characters"
        )));
    }
    let content = body::read(&parts.headers, content, body::BODY_BYTES_MAX).await?;
    let key = digest(&[caller.as_bytes(), parts.uri.path().as_bytes(), &given]);
    let fingerprint = digest(&[parts.uri.to_string().as_bytes(), &content]);
    let replies = &app.inner().replies;
    if let Some(reply) = replies.begin(key, fingerprint)? {
        return Ok(replay(reply));
    }
    let mut underway = Underway {
        replies,
        key,
        request: fingerprint,
        reply: None,
    };
    let response = next
        .run(Request::from_parts(parts, Body::from(content)))
        .await;
    let (head, content) = response.into_parts();
    let content = to_bytes(content, usize::MAX)
        .await
        .map_err(|_| Problem::internal("the answer was cut off"))?;
    if head.status.is_success() && content.len() <= REPLY_BYTES_MAX {
        let content_type = head.headers.get(header::CONTENT_TYPE).cloned();
        underway.reply = Some(Reply {
            status: head.status,
            content_type,
            body: content.clone(),
        });
    }
    drop(underway);
    Ok(Response::from_parts(head, Body::from(content)))
}

fn replay(reply: Reply) -> Response {
    let mut response = (reply.status, reply.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(kind) = reply.content_type {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
