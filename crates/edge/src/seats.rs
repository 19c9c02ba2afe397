//! As many connections at once as there are seats; one more is closed unread, so that files are left for the database and for
//! sending pages. What is asked over them is not known here.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at once at most, however many files may be open.
const CONNECTIONS_MAX: u64 = 10_000;
/// Files that are kept for everything but connections.
const FILES_KEPT: u64 = 256;
/// Where so few files may be open that this cannot be: one in so many is for a connection.
const FILES_PER_CONNECTION: u64 = 4;
/// The log says at most this often that connections are closed.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How many connections are taken where a process may have so many files open.
#[must_use]
pub fn connections_within(files_max: u64) -> usize {
    let room = files_max.saturating_sub(FILES_KEPT);
    let room = room.max(files_max / FILES_PER_CONNECTION).max(1);
    usize::try_from(room.min(CONNECTIONS_MAX)).unwrap_or(usize::MAX)
}

/// Gives seats to connections.
#[derive(Clone, Debug)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    count: usize,
    said_at: Arc<Mutex<Option<Instant>>>,
}

impl Seats {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            count,
            said_at: Arc::default(),
        }
    }

    fn say_that_all_are_taken(&self) {
        let mut said_at = self.said_at.lock().unwrap_or_else(PoisonError::into_inner);
        if said_at.is_some_and(|at| at.elapsed() < SAID_EVERY) {
            return;
        }
        *said_at = Some(Instant::now());
        tracing::warn!(
            connections = self.count,
            "further connections are closed unread: as many are open as the limit of open files allows beside what paging \
             needs; look who opens them, or raise the limit (LimitNOFILE)"
        );
    }
}

impl<I, S> Accept<I, S> for Seats {
    type Stream = Seated<I>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Ok(seat) = Arc::clone(&self.free).try_acquire_owned() else {
            self.say_that_all_are_taken();
            return ready(Err(io::Error::other("no seat is free")));
        };
        ready(Ok((
            Seated {
                stream,
                _seat: seat,
            },
            service,
        )))
    }
}

/// A connection that has a seat for as long as it lasts.
#[derive(Debug)]
pub(crate) struct Seated<I> {
    stream: I,
    _seat: OwnedSemaphorePermit,
}

impl<I: AsyncRead + Unpin> AsyncRead for Seated<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Seated<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[test]
    fn what_paging_needs_is_kept_also_where_few_files_may_be_open() {
        let check = |files_max, expected| assert_eq!(connections_within(files_max), expected);
        check(0, 1);
        check(120, 30);
        check(256, 64);
        check(1_024, 768);
        check(524_288, 10_000);
        check(u64::MAX, 10_000);
    }

    #[tokio::test]
    async fn one_connection_too_many_is_closed_until_another_one_ends() {
        let seats = Seats::new(2);
        let mut far = Vec::new();
        let mut taken = Vec::new();
        for _ in 0..2 {
            let (near, other) = duplex(64);
            far.push(other);
            taken.push(seats.accept(near, ()).await.unwrap().0);
        }
        let (near, mut refused) = duplex(64);
        assert!(seats.accept(near, ()).await.is_err());
        assert_eq!(refused.read(&mut [0; 8]).await.unwrap(), 0, "it is closed");
        drop(taken.pop());
        let (near, mut other) = duplex(64);
        let (mut seated, ()) = seats.accept(near, ()).await.unwrap();
        seated.write_all(b"hello").await.unwrap();
        let mut read = [0; 5];
        other.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"hello");
    }
}
