//! What nobody has read of a request's body when the request is answered. Over HTTP/1 it stands before the next request of its
//! connection: little of it is read and dropped, and for more the answer says that the connection ends. Over HTTP/2 a stream whose
//! body goes unread is reset behind its answer, which some clients then take for lost: little is read there too. It knows no route.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::lock::lock;

/// Bytes that are read only to keep a connection.
const REST_BYTES_MAX: usize = 64 * 1024;
/// And for so long.
const REST_WAIT: Duration = Duration::from_secs(1);

/// A body, as far as it has been read.
struct Rest {
    pieces: BodyDataStream,
    is_begun: bool,
    is_over: bool,
}

impl Rest {
    fn piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        self.is_begun = true;
        let piece = self.pieces.poll_next_unpin(context);
        self.is_over = matches!(piece, Poll::Ready(None));
        piece
    }
}

/// A body that is lent to whoever answers its request.
pub(super) struct Lent {
    rest: Arc<Mutex<Rest>>,
    /// Whether it is sent only when it is asked for.
    waits: bool,
    /// Whether other requests of its connection wait behind it.
    is_before_others: bool,
}

/// Lends the body of a request; none where it has none.
pub(super) fn lend(request: &mut Request) -> Option<Lent> {
    if request.body().is_end_stream() {
        return None;
    }
    let is_before_others = request.version() <= Version::HTTP_11;
    let waits = request.headers().contains_key(header::EXPECT);
    let rest = Arc::new(Mutex::new(Rest {
        pieces: std::mem::take(request.body_mut()).into_data_stream(),
        is_begun: false,
        is_over: false,
    }));
    let lent = Arc::clone(&rest);
    let pieces = stream::poll_fn(move |context| lock(&lent).piece(context));
    *request.body_mut() = Body::from_stream(pieces);
    Some(Lent {
        rest,
        waits,
        is_before_others,
    })
}

impl Lent {
    /// Reads what is left of the body, or says in the answer that the connection ends, where it does.
    pub(super) async fn settle(self, response: &mut Response) {
        if !self.comes_to_its_end().await && self.is_before_others {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
    }

    async fn comes_to_its_end(&self) -> bool {
        let is_begun = lock(&self.rest).is_begun;
        if self.waits && !is_begun {
            // To read it would be to ask for it.
            return false;
        }
        let read = async {
            let mut pieces = stream::poll_fn(|context| lock(&self.rest).piece(context));
            let mut bytes = 0_usize;
            while bytes <= REST_BYTES_MAX {
                match pieces.next().await {
                    None => return true,
                    Some(Ok(piece)) => bytes = bytes.saturating_add(piece.len()),
                    Some(Err(_)) => return false,
                }
            }
            false
        };
        tokio::time::timeout(REST_WAIT, read).await.unwrap_or(false)
    }
}
