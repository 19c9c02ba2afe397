//! The body of a long answer in pieces: a text that stands in it a hundred times is kept once. What is said is not known here.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::Arc;
use std::{mem, ptr};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use serde_json::value::RawValue;

/// What is shorter is copied: a piece of its own would cost more.
const SHARED_FROM_BYTES: usize = 8 * 1_024;
/// Room for what stands between two pieces that are shared.
const BETWEEN_BYTES: usize = 4 * 1_024;

/// A body, piece by piece.
#[derive(Debug)]
pub(crate) struct Pieces(Vec<Bytes>);

impl Pieces {
    /// Writes an answer. Of `shared` those that are long are not copied where they are written from their own place.
    pub(crate) fn write<T: Serialize>(
        answer: &T,
        mut shared: Vec<Bytes>,
    ) -> serde_json::Result<Self> {
        shared.retain(|text| text.len() >= SHARED_FROM_BYTES);
        let mut pen = Pen {
            shared: &shared,
            done: Vec::new(),
            open: Vec::with_capacity(BETWEEN_BYTES),
        };
        serde_json::to_writer(&mut pen, answer)?;
        pen.close();
        Ok(Self(pen.done))
    }

    /// How long it is.
    pub(crate) fn length_bytes(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    pub(crate) fn into_body(self) -> Body {
        let pieces = self.0.into_iter().map(Ok::<Bytes, Infallible>);
        Body::from_stream(stream::iter(pieces))
    }
}

/// A text that an answer may hold together with its owner.
pub(crate) fn held(text: &Arc<RawValue>) -> Bytes {
    Bytes::from_owner(Held(Arc::clone(text)))
}

struct Held(Arc<RawValue>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

struct Pen<'a> {
    shared: &'a [Bytes],
    done: Vec<Bytes>,
    /// What comes after that.
    open: Vec<u8>,
}

impl Pen<'_> {
    fn close(&mut self) {
        if !self.open.is_empty() {
            let open = mem::replace(&mut self.open, Vec::with_capacity(BETWEEN_BYTES));
            self.done.push(open.into());
        }
    }
}

impl Write for Pen<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.write_all(text)?;
        Ok(text.len())
    }

    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        let shared = if text.len() < SHARED_FROM_BYTES {
            None
        } else {
            // A text that was written before comes in one stroke, from where it lies.
            self.shared.iter().find(|one| ptr::eq(&one[..], text))
        };
        match shared {
            Some(one) => {
                self.close();
                self.done.push(one.clone());
            }
            None => self.open.extend_from_slice(text),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::value::to_raw_value;

    use super::*;

    fn text(length: usize) -> Arc<RawValue> {
        Arc::from(to_raw_value(&"x".repeat(length)).unwrap())
    }

    #[tokio::test]
    async fn what_stands_in_an_answer_often_is_kept_once_when_it_is_long() {
        let (long, short, foreign) = (text(SHARED_FROM_BYTES), text(3), text(SHARED_FROM_BYTES));
        let answer = [&*long, &*short, &*long, &*foreign, &*short];
        let shared = vec![held(&long), held(&short)];
        let pieces = Pieces::write(&answer, shared).unwrap();
        let own = |of: &RawValue| {
            let pieces = pieces.0.iter();
            let own = pieces.filter(|piece| ptr::eq(&piece[..], of.get().as_bytes()));
            own.count()
        };
        assert_eq!((own(&long), own(&short), own(&foreign)), (2, 0, 0));
        let whole = serde_json::to_string(&answer).unwrap();
        assert_eq!(pieces.length_bytes(), whole.len());
        let body = to_bytes(pieces.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body, whole.as_bytes());
    }
}
