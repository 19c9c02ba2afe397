//! Work that reads the store: a few pieces at a time, each on a thread that may wait, given up when its time is over or when
//! nobody waits for it any more. It knows nothing of what is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::refusal::{Kind, Refusal};
use crate::app::{App, Parts};

/// Nothing may take longer, whatever its caller would allow (Prometheus' own default).
pub(crate) const TIME_MAX: Duration = Duration::from_secs(120);

/// How long somebody still waits for a piece of work.
#[derive(Clone)]
pub(crate) struct Patience {
    gone: Arc<AtomicBool>,
    until: Instant,
}

impl Patience {
    fn new(wait: Duration) -> Self {
        Self {
            gone: Arc::default(),
            until: Instant::now() + wait,
        }
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || Instant::now() >= self.until
    }

    /// The error when it is.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.is_over() { Err(late()) } else { Ok(()) }
    }
}

/// Tells the work when the request that wants it is dropped: its client has gone away.
struct Waiting(Patience);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

fn late() -> Refusal {
    Refusal::new(
        Kind::Timeout,
        "the query took longer than its time limit: shorten its range or narrow its matchers",
    )
}

/// Does the work when its turn has come; `wait` counts from now.
pub(crate) async fn take<T: Send + 'static>(
    app: &App,
    wait: Duration,
    work: impl FnOnce(&Parts, &Patience) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let patience = Patience::new(wait.min(TIME_MAX));
    let _waiting = Waiting(patience.clone());
    let until = tokio::time::Instant::from_std(patience.until);
    let turn = Arc::clone(&app.inner().queries).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout_at(until, turn).await else {
        return Err(Refusal::new(
            Kind::Timeout,
            "too many queries at once: its turn did not come within its time limit",
        ));
    };
    let asking = app.clone();
    let work = tokio::task::spawn_blocking(move || {
        let done = patience.check().and_then(|()| work(&asking, &patience));
        // The place is free only when the work has ended, also when nobody waits for it any more.
        drop(turn);
        done
    });
    match tokio::time::timeout_at(until, work).await {
        Err(_) => Err(late()),
        Ok(Err(_)) => Err(Refusal::new(
            Kind::Internal,
            "the query ended without an answer, which is a fault of Tocsin",
        )),
        Ok(Ok(done)) => done,
    }
}
