//! The one signal that ends a thread of the agent; waiting on it is how every loop sleeps.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// Becomes readable when it is raised and stays so; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Stop(Arc<OwnedFd>);

impl Stop {
    pub(crate) fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(fd)))
    }

    /// Ends everything that waits on it, now and later.
    pub(crate) fn raise(&self) {
        // It can only fail when the counter is full, which means that it was raised before.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Sleeps for `duration`; true as soon as the signal is raised.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        self.wait_with(None, duration) == Woken::Stop
    }

    /// Sleeps for `duration`, until the signal is raised or until `other` is readable.
    pub(crate) fn wait_with(&self, other: Option<BorrowedFd<'_>>, duration: Duration) -> Woken {
        let mut fds = vec![PollFd::new(&*self.0, PollFlags::IN)];
        fds.extend(other.iter().map(|other| PollFd::new(other, PollFlags::IN)));
        // An interrupted or failed poll looks like a timeout: every caller looks at the world again anyway.
        let _ = poll(&mut fds, Some(&timespec(duration)));
        let readable = |place: usize| fds.get(place).is_some_and(|fd| !fd.revents().is_empty());
        if readable(0) {
            Woken::Stop
        } else if readable(1) {
            Woken::Readable
        } else {
            Woken::Timeout
        }
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Why a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    Stop,
    Readable,
    Timeout,
}

/// A duration as poll takes it, rounded up to a millisecond so that a short rest does not spin.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    let nanos = if duration.is_zero() {
        0
    } else {
        duration.subsec_nanos().max(1_000_000)
    };
    Timespec {
        tv_sec: duration.as_secs().min(86_400).cast_signed(),
        tv_nsec: nanos.into(),
    }
}
