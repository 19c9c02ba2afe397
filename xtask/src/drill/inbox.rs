//! What has arrived at a sink, with its time of arrival, and waiting for more; what an arrival is, the sink says.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::clock::{self, Millis};

/// Arrivals that are kept; later ones are counted only.
const KEPT_MAX: usize = 10_000;

/// One thing that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrival<T> {
    pub(crate) at: Millis,
    pub(crate) item: T,
}

/// Shared between the sink that fills it and whoever waits.
pub(crate) struct Inbox<T>(Arc<(Mutex<Vec<Arrival<T>>>, Condvar)>);

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Inbox<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new(Vec::new()), Condvar::new())))
    }

    pub(crate) fn put(&self, item: T) {
        let mut arrivals = self.lock();
        if arrivals.len() < KEPT_MAX {
            arrivals.push(Arrival {
                at: clock::now(),
                item,
            });
        }
        self.0.1.notify_all();
    }

    /// Everything that arrived at `since` or later.
    pub(crate) fn since(&self, since: Millis) -> Vec<Arrival<T>> {
        self.lock()
            .iter()
            .filter(|arrival| arrival.at >= since)
            .cloned()
            .collect()
    }

    /// The first arrival at `since` or later; none when the time is over.
    pub(crate) fn wait(&self, since: Millis, limit: Duration) -> Option<Arrival<T>> {
        let deadline = Instant::now() + limit;
        let mut arrivals = self.lock();
        loop {
            if let Some(found) = arrivals.iter().find(|arrival| arrival.at >= since) {
                return Some(found.clone());
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.0.1.wait_timeout(arrivals, left);
            arrivals = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arrival<T>>> {
        self.0
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_is_not_what_is_waited_for() {
        let inbox = Inbox::new();
        inbox.put("early");
        let far = clock::now() + 60_000;
        assert_eq!(inbox.since(0).len(), 1);
        assert!(inbox.wait(far, Duration::ZERO).is_none());
        assert_eq!(inbox.wait(0, Duration::ZERO).unwrap().item, "early");
    }
}
