//! Time that a test sets: what delivery waits for is over when the test says so, and the test is told what that is.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tocsin_edge::delivery::pace::{Pace, Wait};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What has not begun by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct HandPace {
    kept: Mutex<Kept>,
    changed: Condvar,
}

struct Kept {
    now: Instant,
    waiting: Vec<(Instant, oneshot::Sender<()>)>,
    /// What began to be waited for, and for how long, until a test has asked.
    begun: Vec<(Wait, Duration)>,
}

impl HandPace {
    pub(crate) fn new() -> Arc<Self> {
        let kept = Kept {
            now: Instant::now(),
            waiting: Vec::new(),
            begun: Vec::new(),
        };
        Arc::new(Self {
            kept: Mutex::new(kept),
            changed: Condvar::new(),
        })
    }

    /// Waits until this is waited for, once for each time that it was; gives for how long.
    pub(crate) fn begun(&self, what: Wait) -> Duration {
        tokio::task::block_in_place(|| {
            let is_missing = |kept: &mut Kept| kept.begun.iter().all(|(known, _)| *known != what);
            let kept = self.kept.lock().unwrap();
            let waited = self.changed.wait_timeout_while(kept, PATIENCE, is_missing);
            let mut kept = waited.unwrap().0;
            let place = kept.begun.iter().position(|(known, _)| *known == what);
            let place = place.unwrap_or_else(|| panic!("nothing waits for {what:?}"));
            kept.begun.remove(place).1
        })
    }

    /// Whether this was waited for, but for the times that were asked for already.
    pub(crate) fn has_begun(&self, what: Wait) -> bool {
        let kept = self.kept.lock().unwrap();
        kept.begun.iter().any(|(known, _)| *known == what)
    }

    /// All the time goes by that the next attempt has, once it has begun.
    pub(crate) fn attempt_runs_out(&self) {
        self.advance(self.begun(Wait::Attempt));
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut kept = self.kept.lock().unwrap();
        kept.now += by;
        let now = kept.now;
        let waiting = std::mem::take(&mut kept.waiting);
        let (over, waiting) = waiting.into_iter().partition(|(at, _)| *at <= now);
        kept.waiting = waiting;
        for (_, waits) in over {
            // It may have ended for another reason.
            let _ = waits.send(());
        }
    }
}

impl Pace for HandPace {
    fn now(&self) -> Instant {
        self.kept.lock().unwrap().now
    }

    fn until(&self, at: Instant, what: Wait) -> BoxFuture<'static, ()> {
        let (waits, over) = oneshot::channel();
        let mut kept = self.kept.lock().unwrap();
        let now = kept.now;
        kept.begun.push((what, at.saturating_duration_since(now)));
        if at <= now {
            // The other end is below.
            let _ = waits.send(());
        } else {
            kept.waiting.push((at, waits));
        }
        self.changed.notify_all();
        Box::pin(async move {
            // The other end goes with the whole test.
            let _ = over.await;
        })
    }
}
