//! Processes as `/proc` shows them, and signals that can only reach the process that was meant; it starts none.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// One process for good: a number can be given to another process later, a number with its start time cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    start_ticks: u64,
}

impl Identity {
    /// The process that has this number now; none when it is gone or a zombie.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let start_ticks = fields.nth(17)?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(Self {
            pid,
            parent,
            start_ticks,
        })
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::of(self.pid).is_some_and(|now| now.start_ticks == self.start_ticks)
    }

    /// Sends a signal to this very process; false when it is gone.
    pub(crate) fn signal(self, signal: Signal) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return false;
        };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
            return false;
        };
        // From here on the handle means one process, so checking who it is cannot come too early.
        self.is_alive() && pidfd_send_signal(handle, signal).is_ok()
    }

    /// For a pipe to another process of ours; the other side is `read`.
    pub(crate) fn write(self) -> String {
        format!("{} {} {}", self.pid, self.parent, self.start_ticks)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let found = Self {
            pid: parts.next()?.parse().ok()?,
            parent: parts.next()?.parse().ok()?,
            start_ticks: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(found)
    }
}

/// Every process whose program is `program` and that has `argument` among its arguments, in the order of their numbers.
/// The argument is a path that was made for one run, so whatever carries it was started by that run.
pub(crate) fn started_with(program: &str, argument: &str) -> Vec<Identity> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut found: Vec<Identity> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = command_line.split(|byte| *byte == 0);
            words.next() == Some(program.as_bytes())
                && words.any(|word| word == argument.as_bytes())
        })
        .filter_map(Identity::of)
        .collect();
    found.sort_unstable();
    found
}

/// Asks until `done` or until the time is over; gives back whether it was done.
pub(crate) fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_is_known_by_its_number_and_its_start() {
        let me = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(me.is_alive());
        assert_eq!(Identity::read(&me.write()), Some(me));
        let someone_later = Identity {
            start_ticks: me.start_ticks + 1,
            ..me
        };
        assert!(!someone_later.is_alive());
        assert!(
            !someone_later.signal(Signal::TERM),
            "the signal must not reach who has the number now"
        );
    }

    #[test]
    fn a_zombie_counts_as_gone() {
        let mut child = Command::new("sleep")
            .arg("60.125")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let identity = Identity::of(i32::try_from(child.id()).unwrap()).unwrap();
        assert!(wait_until(Duration::from_secs(5), || started_with(
            "sleep", "60.125"
        )
        .contains(&identity)));
        assert!(identity.signal(Signal::KILL));
        assert!(wait_until(Duration::from_secs(5), || !identity.is_alive()));
        child.wait().unwrap();
    }
}
