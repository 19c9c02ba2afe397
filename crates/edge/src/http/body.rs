//! Reads request bodies and queries within limits of size and time, and says every reason when they are wrong.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tocsin_wire::as_described::AsDescribed;
use tocsin_wire::code::TEXT_BYTES_MAX;
use tocsin_wire::{json, misread};

use super::problem::Problem;

/// Bytes of a body of the native API at most, but for files.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a body with files at most: clients may write a byte of text as three, such as `é` as `\u00e9`.
pub(crate) const FILES_BYTES_MAX: usize = 3 * TEXT_BYTES_MAX + 300_000;
/// Room that is made at once for a body whose length is told.
const ROOM_BYTES_MAX: usize = 64 * 1024;
/// A whole body must have arrived within this time.
const BODY_WAIT: Duration = Duration::from_secs(15);

/// A JSON body of the native API; none at all counts as `{}` where an action is asked for.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, BODY_BYTES_MAX).await?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body with a sample of what is sent elsewhere: it is read as that is.
pub(crate) struct WithSample<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for WithSample<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, BODY_BYTES_MAX).await?;
        let read: Result<AsDescribed<T>, _> = json::read_exact(or_nothing(&bytes));
        let read = read.map(|AsDescribed(read)| Self(read));
        read.map_err(|error| unread(&error))
    }
}

/// A JSON body with files.
pub(crate) struct WithFiles<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for WithFiles<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, FILES_BYTES_MAX).await?;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a body that is said to be JSON.
pub(super) async fn json_bytes(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body, limit).await?;
    // What asks for an action and has nothing to add may say nothing, and then it has no kind.
    let is_silent = parts.method == Method::POST
        && bytes.is_empty()
        && !parts.headers.contains_key(header::CONTENT_TYPE);
    if !is_silent && !is_json(&parts.headers) {
        return Err(Problem::bad(
            "the body must be JSON, with the header Content-Type: application/json",
        ));
    }
    Ok(bytes)
}

/// Reads JSON; an empty body counts as `{}`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let read: Result<AsDescribed<T>, _> = serde_json::from_slice(or_nothing(bytes));
    let read = read.map(|AsDescribed(read)| read);
    read.map_err(|error| unread(&error))
}

/// The same bytes; an empty object where there are none.
pub(super) fn or_nothing(bytes: &[u8]) -> &[u8] {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        bytes
    }
}

/// That a body cannot be read, and why.
pub(super) fn unread(error: &serde_json::Error) -> Problem {
    let what = misread::json(error);
    Problem::bad(format!("the body cannot be read: {what}"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    let kind = kind
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    read_into(headers, body, limit, &mut Free).await
}

/// Where a body that arrives takes room.
pub(crate) trait Room {
    /// Why there is none.
    type Refusal: From<Problem>;

    /// Waits until there is room for so many more bytes, which have arrived.
    fn take(&mut self, bytes: usize) -> impl Future<Output = Result<(), Self::Refusal>> + Send;
}

/// Room that is bounded by the limit of a body and the number of requests.
struct Free;

impl Room for Free {
    type Refusal = Problem;

    async fn take(&mut self, _: usize) -> Result<(), Problem> {
        Ok(())
    }
}

/// Reads a body of at most `limit` bytes; each piece that has arrived is kept once there is room for it.
pub(crate) async fn read_into<R: Room>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    room: &mut R,
) -> Result<Bytes, R::Refusal> {
    let told = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > limit as u64) {
        return Err(Problem::too_large(limit).into());
    }
    // A claim costs nothing: room is made for what is told, up to a usual size, so that it is not copied as it grows.
    let told = told.map_or(0, |told| usize::try_from(told).unwrap_or(limit));
    let collect = async {
        let mut whole = BytesMut::with_capacity(told.min(ROOM_BYTES_MAX));
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece =
                piece.map_err(|_| Problem::bad("the body ended early; nothing was kept"))?;
            if whole.len() + piece.len() > limit {
                return Err(Problem::too_large(limit).into());
            }
            room.take(piece.len()).await?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    };
    let late = || Problem::timeout("the body did not arrive in time; nothing was kept");
    tokio::time::timeout(BODY_WAIT, collect)
        .await
        .map_err(|_| late())?
}

/// Reads the start of a body: `limit` bytes of it at most. More is read and dropped, up to `whole_max` bytes, so that whoever sends it
/// hears the answer. What has come is given also when the rest never comes.
pub(crate) async fn read_start(body: Body, limit: usize, whole_max: usize) -> Vec<u8> {
    let mut start = Vec::new();
    let collect = async {
        let mut pieces = body.into_data_stream();
        let mut whole = 0_usize;
        while let Some(Ok(piece)) = pieces.next().await {
            let room = limit - start.len();
            start.extend_from_slice(&piece[..piece.len().min(room)]);
            whole = whole.saturating_add(piece.len());
            if whole >= whole_max {
                break;
            }
        }
    };
    // What did not come in time is not waited for.
    let _ = tokio::time::timeout(BODY_WAIT, collect).await;
    start
}

/// The parameters after the question mark.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::try_from_uri(&parts.uri).map_err(|error| {
            let what = misread::query(&error.body_text());
            Problem::bad(format!("the query cannot be read: {what}"))
        })?;
        Ok(Self(query))
    }
}
