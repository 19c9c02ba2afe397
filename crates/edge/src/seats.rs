//! As many connections at once as there are seats, and no more than a share of them for one address; one more is closed unread, so
//! that files are left for the database and for sending pages. One over which nothing goes gives its seat up, and so does one over
//! which half a head has come. What is asked over them is not known here.

use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::access::throttle::network;
use crate::heads::{Connection, Connections};
use crate::http::share::{Share, Shares};
use crate::lock::lock;

/// Connections at once at most, however many files may be open.
const CONNECTIONS_MAX: u64 = 10_000;
/// Files that are kept for everything but connections.
const FILES_KEPT: u64 = 256;
/// Where so few files may be open that this cannot be: one in so many is for a connection.
const FILES_PER_CONNECTION: u64 = 4;
/// One address has a seat in so many at most: a half, since a team may sit behind one address. This machine itself is not limited,
/// nor is anybody behind a proxy, whose connections are everybody's.
const SEATS_PER_SEAT_OF_ONE: usize = 2;
/// A connection over which no byte went for so long, either way, is closed: longer than any request may take until it is answered.
/// The live stream says something more often.
const SILENCE_MAX: Duration = Duration::from_secs(180);
/// The same behind a proxy, which keeps connections for what comes next, some for ten minutes and more: it must be the first to
/// close one, or it sends a request into one that is being closed.
const SILENCE_BEHIND_PROXY_MAX: Duration = Duration::from_secs(640);
/// The head of a request must have come within this time.
pub(crate) const HEADER_WAIT: Duration = Duration::from_secs(10);
/// The log says at most this often that connections are closed.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// How many connections are taken where a process may have so many files open.
#[must_use]
pub fn connections_within(files_max: u64) -> usize {
    let room = files_max.saturating_sub(FILES_KEPT);
    let room = room.max(files_max / FILES_PER_CONNECTION).max(1);
    usize::try_from(room.min(CONNECTIONS_MAX)).unwrap_or(usize::MAX)
}

/// How long nothing may go over a connection.
pub(crate) const fn silence_max(behind_proxy: bool) -> Duration {
    if behind_proxy {
        SILENCE_BEHIND_PROXY_MAX
    } else {
        SILENCE_MAX
    }
}

/// A connection that knows who is at its other end.
pub(crate) trait Peer {
    /// Their address; none when nobody knows it.
    fn peer(&self) -> Option<SocketAddr>;

    /// From now on what is written is sent at once. Otherwise the last part of what is written in several waits until the other end
    /// says that it has the others, for which that may take its time.
    fn send_at_once(&self);
}

impl Peer for TcpStream {
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }

    fn send_at_once(&self) {
        // One that is closed already is found out by whoever reads it.
        let _ = self.set_nodelay(true);
    }
}

/// Gives seats to connections.
#[derive(Clone)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    count: usize,
    /// None where one address is everybody's.
    by_address: Option<Shares>,
    silence_max: Duration,
    connections: Connections,
    full: Said,
    share_full: Said,
}

/// A seat, given back when it is dropped.
pub(crate) struct Seat {
    _of_all: OwnedSemaphorePermit,
    _of_address: Option<Share>,
}

impl Seats {
    /// So many, to clients or to a proxy in front of them.
    pub(crate) fn new(count: usize, behind_proxy: bool) -> Self {
        let share = || Shares::new(count.div_ceil(SEATS_PER_SEAT_OF_ONE));
        Self {
            free: Arc::new(Semaphore::new(count)),
            count,
            by_address: (!behind_proxy).then(share),
            silence_max: silence_max(behind_proxy),
            connections: Connections::default(),
            full: Said::default(),
            share_full: Said::default(),
        }
    }

    /// A seat, if one is left for that address.
    pub(crate) fn take(&self, peer: Option<IpAddr>) -> Option<Seat> {
        let limited = peer.filter(|address| !address.to_canonical().is_loopback());
        let of_address = match (&self.by_address, limited) {
            (Some(shares), Some(address)) => {
                let holder = network(address).to_string();
                let share = shares.take(holder);
                if share.is_none() {
                    self.say_that_one_has_too_many(address);
                    return None;
                }
                share
            }
            (None, _) | (_, None) => None,
        };
        let Ok(of_all) = Arc::clone(&self.free).try_acquire_owned() else {
            self.say_that_all_are_taken();
            return None;
        };
        Some(Seat {
            _of_all: of_all,
            _of_address: of_address,
        })
    }

    /// The connections that have a seat, to be told of their requests.
    pub(crate) fn connections(&self) -> Connections {
        self.connections.clone()
    }

    fn say_that_all_are_taken(&self) {
        if self.full.is_due() {
            tracing::warn!(
                connections = self.count,
                "further connections are closed unread: as many are open as the limit of open files allows beside what paging \
                 needs; look who opens them, or raise the limit (LimitNOFILE)"
            );
        }
    }

    fn say_that_one_has_too_many(&self, address: IpAddr) {
        if self.share_full.is_due() {
            tracing::warn!(
                %address,
                connections = self.count.div_ceil(SEATS_PER_SEAT_OF_ONE),
                "further connections of one address are closed unread: it has as many as one may have; look what it is, or set \
                 behind_proxy if it is a proxy of yours"
            );
        }
    }
}

/// When something was said last.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Option<Instant>>>);

impl Said {
    /// Whether it may be said again; then it counts as said.
    fn is_due(&self) -> bool {
        let mut said_at = lock(&self.0);
        let is_due = said_at.is_none_or(|at| at.elapsed() >= SAID_EVERY);
        if is_due {
            *said_at = Some(Instant::now());
        }
        is_due
    }
}

impl<I: Peer, S> Accept<I, S> for Seats {
    type Stream = Seated<I>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let peer = stream.peer();
        let Some(seat) = self.take(peer.map(|peer| peer.ip())) else {
            return ready(Err(io::Error::other("no seat is free")));
        };
        stream.send_at_once();
        let connection = self.connections.open(peer);
        let seated = Seated::new(stream, seat, connection, self.silence_max);
        ready(Ok((seated, service)))
    }
}

/// A connection that has a seat for as long as it lasts.
pub(crate) struct Seated<I> {
    stream: I,
    /// When a byte last went over it.
    active_at: Instant,
    /// The number of the request whose head has begun to come, and when it did.
    head: Option<(u64, Instant)>,
    /// Wakes whoever waits for bytes, to look whether it has waited for too long.
    alarm: Pin<Box<Sleep>>,
    silence_max: Duration,
    connection: Connection,
    _seat: Seat,
}

impl<I> Seated<I> {
    fn new(stream: I, seat: Seat, connection: Connection, silence_max: Duration) -> Self {
        Self {
            stream,
            active_at: Instant::now(),
            head: None,
            alarm: Box::pin(sleep(silence_max)),
            silence_max,
            connection,
            _seat: seat,
        }
    }

    /// Whether nothing went over it for too long, or a head does not end; if not, whoever asks is woken when that may be so.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        let ends_at = self.ends_at();
        if ends_at < self.alarm.deadline() {
            self.alarm.as_mut().reset(ends_at);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let ends_at = self.ends_at();
            if Instant::now() >= ends_at {
                return true;
            }
            self.alarm.as_mut().reset(ends_at);
        }
        false
    }

    fn ends_at(&self) -> Instant {
        let silent_at = self.active_at + self.silence_max;
        let awaited = self.connection.requests.awaited();
        match self.head {
            Some((number, began_at)) if awaited == Some(number) => {
                silent_at.min(began_at + HEADER_WAIT)
            }
            Some(_) | None => silent_at,
        }
    }

    /// Notes that something was read.
    fn has_read(&mut self) {
        let now = Instant::now();
        self.active_at = now;
        let awaited = self.connection.requests.awaited();
        let known = self.head.filter(|(number, _)| awaited == Some(*number));
        self.head = known.or(awaited.map(|number| (number, now)));
    }

    /// Notes that something was written.
    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.active_at = Instant::now();
        }
        written
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Seated<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.has_read();
                }
                Poll::Ready(read)
            }
            Poll::Pending if self.is_late(context) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Seated<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written)
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Version;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::net::TcpListener;

    use super::*;

    impl Peer for DuplexStream {
        fn peer(&self) -> Option<SocketAddr> {
            None
        }

        fn send_at_once(&self) {}
    }

    #[tokio::test]
    async fn what_is_written_to_a_client_is_sent_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = accepted.unwrap();
        assert!(!stream.nodelay().unwrap());
        let (seated, ()) = Seats::new(1, false).accept(stream, ()).await.unwrap();
        assert!(seated.stream.nodelay().unwrap());
    }

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
        let seats = Seats::new(2, false);
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

    #[test]
    fn one_address_has_half_of_the_seats_and_the_rest_is_left_to_others() {
        let seats = Seats::new(6, false);
        let take = |address: &str| seats.take(Some(address.parse().unwrap()));
        let mut theirs: Vec<_> = (0..3).map(|_| take("203.0.113.9").unwrap()).collect();
        assert!(take("203.0.113.9").is_none());
        assert!(take("::ffff:203.0.113.9").is_none(), "the same");
        theirs.pop();
        theirs.push(take("203.0.113.9").unwrap());
        // All addresses of a host count as one.
        let hosts: Vec<_> = (1..=2).map(|n| take(&format!("2001:db8::{n}"))).collect();
        assert!(hosts.iter().all(Option::is_some));
        let third = take("2001:db8::3").unwrap();
        assert!(take("192.0.2.1").is_none(), "all are taken");
        drop(theirs);
        assert!(take("2001:db8::4").is_none());
        assert!(take("192.0.2.1").is_some());
        drop(third);
        assert!(take("2001:db8::4").is_some());
    }

    #[test]
    fn this_machine_and_a_proxy_may_take_all_seats() {
        let check = |behind_proxy: bool, address: &str| {
            let seats = Seats::new(4, behind_proxy);
            let take = || seats.take(Some(address.parse().unwrap()));
            let taken: Vec<_> = (0..4).map(|_| take()).collect();
            assert!(taken.iter().all(Option::is_some), "{address}");
            assert!(take().is_none(), "{address}");
        };
        check(false, "127.0.0.1");
        check(false, "::1");
        check(true, "203.0.113.9");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_over_which_nothing_goes_gives_its_seat_up() {
        let seats = Seats::new(1, false);
        let (near, mut far) = duplex(64);
        let (mut seated, ()) = seats.accept(near, ()).await.unwrap();
        let began = Instant::now();
        sleep(SILENCE_MAX / 2).await;
        far.write_all(b"?").await.unwrap();
        assert_eq!(seated.read(&mut [0; 8]).await.unwrap(), 1);
        sleep(SILENCE_MAX / 2).await;
        seated.write_all(b"!").await.unwrap();
        let error = seated.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= SILENCE_MAX * 2, "it was used meanwhile");
        drop(seated);
        assert!(seats.take(None).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_keeps_its_connections_for_as_long_as_proxies_do() {
        let seats = Seats::new(1, true);
        let (near, mut far) = duplex(64);
        let (mut seated, ()) = seats.accept(near, ()).await.unwrap();
        let next_request = async {
            // The longest that a known one keeps them: Google's.
            sleep(Duration::from_secs(600)).await;
            far.write_all(b"?").await.unwrap();
        };
        let mut byte = [0; 8];
        let (read, ()) = tokio::join!(seated.read(&mut byte), next_request);
        assert_eq!(read.unwrap(), 1);
        let error = seated.read(&mut byte).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
    #[tokio::test(start_paused = true)]
    async fn a_head_that_has_begun_must_end_soon_however_long_a_proxy_may_be_silent() {
        let seats = Seats::new(1, true);
        let (near, mut far) = duplex(64);
        let (mut seated, ()) = seats.accept(near, ()).await.unwrap();
        let requests = Arc::clone(&seated.connection.requests);
        // What comes while a request is being answered is its body.
        let answering = requests.begin(Version::HTTP_11);
        far.write_all(b"body").await.unwrap();
        assert_eq!(seated.read(&mut [0; 8]).await.unwrap(), 4);
        let trickle = async {
            sleep(HEADER_WAIT * 3).await;
            far.write_all(b"more").await.unwrap();
            sleep(HEADER_WAIT).await;
            drop(answering);
            sleep(Duration::from_secs(600)).await;
            for _ in 0..8 {
                far.write_all(b"G").await.unwrap();
                sleep(HEADER_WAIT / 4).await;
            }
        };
        let read = async {
            assert_eq!(seated.read(&mut [0; 8]).await.unwrap(), 4);
            assert_eq!(seated.read(&mut [0; 8]).await.unwrap(), 1);
            let began_at = Instant::now();
            loop {
                if let Err(error) = seated.read(&mut [0; 8]).await {
                    return (error.kind(), began_at.elapsed());
                }
            }
        };
        let ((kind, after), ()) = tokio::join!(read, trickle);
        assert_eq!(kind, io::ErrorKind::TimedOut);
        assert!(after >= HEADER_WAIT, "{after:?}");
        assert!(after < HEADER_WAIT * 2, "{after:?}");
    }
}
