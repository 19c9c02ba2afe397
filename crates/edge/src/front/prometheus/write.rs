//! Remote write, 1.0 and 2.0: what senders of Prometheus' protocol push is on disk before they are told so. Only `wire` knows
//! the formats; what may be kept is the store's decision.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tocsin_domain::event::Actor;
use tocsin_domain::write::{Refused, Write, Written};
use tocsin_wire::prometheus::remote_write::{Version, v1, v2, version_of};
use tocsin_wire::prometheus::snappy::{self, SnappyError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::{Kind, Refusal};
use crate::access::who::Caller;
use crate::app::{App, Parts};
use crate::http::body;
use crate::lock::lock;

/// Bytes of a request as it is sent.
const COMPRESSED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a request as it is read.
const DECOMPRESSED_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Snappy's densest element gives 64 bytes for three: no request grows by more.
const GROWTH_MAX: usize = 22;
/// KiB of all requests that arrive at the same time.
const ARRIVING_KIB_MAX: u32 = 64 * 1024;
/// KiB that all requests which are being read and stored may have grown to.
const STORING_KIB_MAX: u32 = 128 * 1024;
/// Requests that are being read and stored at the same time; they share one commit.
const STORING_MAX: usize = 16;
/// How long a request waits for room.
const ROOM_WAIT: Duration = Duration::from_secs(10);
/// A sender that was told to wait tries again after this.
const RETRY_AFTER_S: u64 = 5;
/// Buffers that are kept to be used again, and how large one of them may be.
const BUFFERS_MAX: usize = STORING_MAX;
const BUFFER_BYTES_MAX: usize = 4 * 1024 * 1024;

const SAMPLES_WRITTEN: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// The room that requests of remote write share, so that their memory is bounded.
pub(crate) struct Room {
    arriving_kib: Arc<Semaphore>,
    storing_kib: Arc<Semaphore>,
    storing: Arc<Semaphore>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            arriving_kib: Arc::new(Semaphore::new(ARRIVING_KIB_MAX as usize)),
            storing_kib: Arc::new(Semaphore::new(STORING_KIB_MAX as usize)),
            storing: Arc::new(Semaphore::new(STORING_MAX)),
            buffers: Mutex::default(),
        }
    }
}

impl Room {
    fn buffer(&self) -> Vec<u8> {
        let mut buffers = lock(&self.buffers);
        buffers.pop().unwrap_or_default()
    }

    fn give_back(&self, buffer: Vec<u8>) {
        let mut buffers = lock(&self.buffers);
        if buffers.len() < BUFFERS_MAX && buffer.capacity() <= BUFFER_BYTES_MAX {
            buffers.push(buffer);
        }
    }
}

/// Samples by remote write
///
/// 204 only after the samples are on disk. 400 tells which were refused; the rest is kept. Exemplars that cannot be kept are left out without a word, as in Prometheus; 2.0 is told how many were kept.
#[utoipa::path(post, path = "/api/v1/write", tag = "fronts", request_body(content = Object, content_type = "application/x-protobuf"),
    responses((status = 204), (status = 400, content_type = "text/plain", body = String), 
        (status = 408, content_type = "text/plain", body = String), (status = 413, content_type = "text/plain", body = String),
        (status = 415, content_type = "text/plain", body = String), (status = 503, content_type = "text/plain", body = String)))]
pub(crate) async fn write(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    content: Body,
) -> Response {
    let taken = take(&app, &caller, &headers, content).await;
    taken.unwrap_or_else(Refusal::into_plain)
}

async fn take(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    content: Body,
) -> Result<Response, Refusal> {
    let version = version(headers)?;
    check_encoding(headers)?;
    let room = &app.inner().remote_write;
    if content_length(headers).is_some_and(|told| told > COMPRESSED_BYTES_MAX) {
        return Err(too_large(format!(
            "the request is larger than {COMPRESSED_BYTES_MAX} bytes"
        )));
    }
    let mut arriving = Arriving {
        room,
        bytes: 0,
        taken: None,
    };
    let block = body::read_into(headers, content, COMPRESSED_BYTES_MAX, &mut arriving).await?;
    let arriving = arriving.taken;
    let grown = block
        .len()
        .saturating_mul(GROWTH_MAX)
        .min(DECOMPRESSED_BYTES_MAX);
    let places = (
        permit(&room.storing, 1).await?,
        permit(&room.storing_kib, kib(grown)).await?,
        arriving,
    );
    let (storing, source) = (app.clone(), source_of(caller));
    let work = tokio::task::spawn_blocking(move || {
        let stored = store(&storing, version, &block, &source);
        // The places are free only when the work has ended, also when nobody waits for it any more.
        drop(places);
        stored
    });
    work.await.unwrap_or_else(|_| {
        Err(Refusal::new(
            Kind::Internal,
            "the request ended without an answer, which is a fault of Tocsin; what was kept is not known",
        ))
    })
}

/// The part of the room for what arrives that one request has. Only what has arrived takes room, so that a sender who tells much
/// and sends it slowly keeps nobody waiting.
struct Arriving<'a> {
    room: &'a Room,
    bytes: usize,
    taken: Option<OwnedSemaphorePermit>,
}

impl body::Room for Arriving<'_> {
    type Refusal = Refusal;

    async fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        let before = kib(self.bytes);
        self.bytes += bytes;
        let more = permit(&self.room.arriving_kib, kib(self.bytes) - before).await?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

async fn permit(room: &Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, Refusal> {
    let free = Arc::clone(room).acquire_many_owned(count);
    match tokio::time::timeout(ROOM_WAIT, free).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(Refusal::busy(
            "more samples arrive than can be stored; nothing of this request was kept, send it again",
            RETRY_AFTER_S,
        )),
    }
}

/// By the content type; without one it is the first, as everybody takes it to be.
fn version(headers: &HeaderMap) -> Result<Version, Refusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(Version::V1);
    };
    let text = value.to_str().unwrap_or_default();
    version_of(text).ok_or_else(|| {
        unsupported(format!(
            "the content type {text:?} is not known here: send application/x-protobuf, \
             with proto=prometheus.WriteRequest or proto=io.prometheus.write.v2.Request"
        ))
    })
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(header::CONTENT_ENCODING) {
        // Senders of the first drafts did not say so.
        None => Ok(()),
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"snappy") => Ok(()),
        Some(value) => Err(unsupported(format!(
            "the content encoding {value:?} is not known here: send snappy (its block format)"
        ))),
    }
}

fn unsupported(text: String) -> Refusal {
    Refusal::bad(text).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

fn too_large(text: String) -> Refusal {
    Refusal::bad(format!("{text}; nothing of it was kept"))
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

/// Who sent it, for limits that each sender has of its own.
fn source_of(caller: &Caller) -> String {
    match (&caller.actor, caller.user) {
        (_, Some(user)) => format!("user {user}"),
        (Actor::Token { token, .. }, None) => format!("token {token}"),
        (actor, None) => format!("{actor:?}").to_lowercase(),
    }
}

fn store(app: &App, version: Version, block: &Bytes, source: &str) -> Result<Response, Refusal> {
    let room = &app.inner().remote_write;
    let mut buffer = room.buffer();
    let stored =
        decompress(block, &mut buffer).and_then(|()| read_and_store(app, version, &buffer, source));
    room.give_back(buffer);
    stored
}

fn decompress(block: &[u8], buffer: &mut Vec<u8>) -> Result<(), Refusal> {
    snappy::decompress(block, DECOMPRESSED_BYTES_MAX, buffer).map_err(|error| match error {
        SnappyError::TooBig { .. } => too_large(error.to_string()),
        SnappyError::Impossible { .. } | SnappyError::Malformed(_) => {
            Refusal::bad(error.to_string())
        }
    })
}

fn read_and_store(
    parts: &Parts,
    version: Version,
    message: &[u8],
    source: &str,
) -> Result<Response, Refusal> {
    let write = match version {
        Version::V1 => v1::parse(message),
        Version::V2 => v2::parse(message),
    };
    let write = write.map_err(|error| Refusal::bad(error.to_string()))?;
    let written = if write.is_empty() {
        Written::default()
    } else {
        let stored = parts.metrics.write(&write, source);
        // Whatever keeps it from being stored will pass: the sender has to repeat it.
        stored.map_err(|error| {
            tracing::warn!(why = %error.why, "samples of remote write could not be stored");
            Refusal::busy(error.why, RETRY_AFTER_S)
        })?
    };
    Ok(answer(version, &write, &written))
}

fn answer(version: Version, write: &Write<'_>, written: &Written) -> Response {
    let mut response = match refusal(write, written) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(text) => Refusal::bad(text).into_plain(),
    };
    if version == Version::V2 {
        for (name, count) in [
            (SAMPLES_WRITTEN, written.samples),
            (HISTOGRAMS_WRITTEN, 0),
            (EXEMPLARS_WRITTEN, written.exemplars),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from(count));
        }
    }
    response
}

/// What the sender has to be told about what was not kept; it must not repeat the request, of which the rest is kept.
fn refusal(write: &Write<'_>, written: &Written) -> Option<String> {
    let counts: Vec<String> = reasons(&written.refused, write.histograms_left_out)
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{count} {reason}"))
        .collect();
    if counts.is_empty() {
        return None;
    }
    let first = written.first_refusal.as_deref().unwrap_or_default();
    let colon = if first.is_empty() { "" } else { ": " };
    Some(format!(
        "{}{colon}{first}; the other samples of the request, {}, were stored",
        counts.join(", "),
        written.samples
    ))
}

fn reasons(refused: &Refused, histograms: u64) -> [(u64, &'static str); 6] {
    [
        (refused.too_late, "too old"),
        (refused.too_early, "too far in the future"),
        (
            refused.conflicting,
            "with another value at a time that has one",
        ),
        (refused.series_limit, "of series above the limit"),
        (refused.labels, "with labels that cannot be kept"),
        (
            histograms,
            "native histograms, which Tocsin does not keep yet",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_reasons_and_what_was_kept() {
        let write = Write::default();
        let mut written = Written {
            samples: 7,
            ..Written::default()
        };
        assert_eq!(refusal(&write, &written), None);
        written.refused.too_late = 2;
        written.refused.series_limit = 1;
        written.first_refusal = Some("up{} is too old".to_owned());
        assert_eq!(
            refusal(&write, &written).unwrap(),
            "2 too old, 1 of series above the limit: up{} is too old; the other samples of the request, 7, were stored"
        );
    }
}
