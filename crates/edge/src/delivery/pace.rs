//! How delivery waits: by the time of the runtime, or by a time that a test sets. What is done afterwards is not known here.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The outcome of an attempt.
    Attempt,
    /// The answer of a provider, or its socket.
    Answer,
    /// The rest of an answer whose status has decided.
    Words,
    /// The next round of questions what became of what a provider took, by its word or by that of an account's place after the first.
    Receipts(&'static str),
    /// The next look for somebody to listen to, by the provider's word.
    Look(&'static str),
    /// The next try to listen to a provider, by its word.
    Listen(&'static str),
    /// Anything that comes through a socket.
    Socket,
}

/// The time by which delivery waits.
pub trait Pace: Send + Sync + 'static {
    /// What time it is; it never goes back.
    fn now(&self) -> Instant;

    /// Is over at that time.
    fn until(&self, at: Instant, what: Wait) -> BoxFuture<'static, ()>;
}

/// The time of the runtime.
pub struct RealTime;

impl Pace for RealTime {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn until(&self, at: Instant, _: Wait) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(at))
    }
}

/// What `work` gives, if it gives something within this time.
pub(super) async fn within<T>(
    pace: &dyn Pace,
    limit: Duration,
    what: Wait,
    work: impl Future<Output = T>,
) -> Option<T> {
    let over = pace.until(pace.now() + limit, what);
    tokio::select! {
        biased;
        done = work => Some(done),
        () = over => None,
    }
}
