//! Finds out, in the moment after a parent's exit, what is left of the server and how it ended.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

use tocsin_domain::target::TargetIdentity;
use tocsin_wire::apache_log::{ErrorLine, is_clean_stop};

use crate::identify::{pid_in, reachable};
use crate::procfs::{self, ProcessKey};

/// The longest that children and listeners are given to go as well.
pub(crate) const DECIDE_MS_MAX: u64 = 150;
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Bytes of the end of an error log in which a goodbye is looked for.
const LOG_END_BYTES: u64 = 16 * 1_024;
const CONNECT_MAX: Duration = Duration::from_millis(30);

/// A parent as it was known while it lived.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) key: ProcessKey,
    pub(crate) comm: String,
    pub(crate) pgrp: u32,
    /// Its children as last seen.
    pub(crate) children: Vec<ProcessKey>,
    /// Whether its pid file named it.
    pub(crate) had_pid_file: bool,
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remains {
    /// Whether nobody takes connections any more.
    pub(crate) refused: bool,
    pub(crate) children: Vec<ProcessKey>,
    pub(crate) stopped: u64,
}

/// Whether and where it said goodbye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goodbye {
    pub(crate) clean: bool,
    pub(crate) line: Option<String>,
}

/// Waits until the listeners refuse or nothing is left, but not longer than it takes to call the children orphans.
pub(crate) fn wait_for_the_rest(lost: &Lost, listeners: &[SocketAddr]) -> Remains {
    let deadline = Instant::now() + Duration::from_millis(DECIDE_MS_MAX);
    loop {
        let refused = is_refused(listeners, || orphans(lost).len());
        let late = Instant::now() + LOOK_EVERY >= deadline;
        if refused || late {
            let orphans = orphans(lost);
            let stopped = orphans.iter().filter(|(_, stopped)| *stopped).count();
            return Remains {
                refused,
                children: orphans.into_iter().map(|(key, _)| key).collect(),
                stopped: u64::try_from(stopped).unwrap_or(0),
            };
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Living processes that were children of a lost parent, each with whether it is stopped.
pub(crate) fn orphans(lost: &Lost) -> Vec<(ProcessKey, bool)> {
    let all = procfs::named(&[lost.comm.as_str()]);
    let is_server = |pid: u32| {
        all.iter()
            .any(|other| other.pid == pid && other.stat.is_alive())
    };
    all.iter()
        .filter(|process| process.stat.is_alive() && process.key() != lost.key)
        .filter(|process| {
            let was_seen = lost.children.contains(&process.key());
            // Born after the last look: of its group, younger than the parent and nobody's child among servers.
            let is_like = process.stat.pgrp == lost.pgrp
                && process.stat.start_ticks >= lost.key.start_ticks
                && !is_server(process.stat.ppid);
            was_seen || is_like
        })
        .map(|process| (process.key(), process.stat.is_stopped()))
        .collect()
}

/// Whether nobody takes connections any more: every listener refuses, or, where no listener is known, no process is left.
pub(crate) fn is_refused(listeners: &[SocketAddr], processes_left: impl FnOnce() -> usize) -> bool {
    if listeners.is_empty() {
        processes_left() == 0
    } else {
        all_refuse(listeners)
    }
}

/// Whether every listener refuses a connection; of a server without known listeners that is not known.
fn all_refuse(listeners: &[SocketAddr]) -> bool {
    !listeners.is_empty()
        && listeners
            .iter()
            .all(|listener| refuses(reachable(*listener)))
}

fn refuses(address: SocketAddr) -> bool {
    match TcpStream::connect_timeout(&address, CONNECT_MAX) {
        Ok(_) => false,
        // A full queue answers nothing: somebody still listens.
        Err(error) => error.kind() == io::ErrorKind::ConnectionRefused,
    }
}

/// Looks for the server's last word in its error logs, and at its pid file, which it removes when it ends in order.
pub(crate) fn goodbye(lost: &Lost, identity: &TargetIdentity) -> Goodbye {
    let mut readable = false;
    for log in &identity.error_logs {
        let Ok(end) = end_of(Path::new(log)) else {
            continue;
        };
        readable = true;
        if let Some(line) = last_word(&end, lost.key.pid) {
            return Goodbye {
                clean: true,
                line: Some(line),
            };
        }
    }
    // Without a log to read, an orderly end is told by the pid file: a crash leaves it behind.
    let removed = lost.had_pid_file && pid_in(&identity.pid_file).is_none();
    Goodbye {
        clean: !readable && removed,
        line: None,
    }
}

fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(log)?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = File::open(log)?;
    let start = metadata.size().saturating_sub(LOG_END_BYTES);
    let mut bytes = vec![0; usize::try_from(LOG_END_BYTES).unwrap_or_default()];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(
            &mut bytes[filled..],
            start + u64::try_from(filled).unwrap_or_default(),
        )? {
            0 => break,
            size => filled += size,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The line in which this process said goodbye.
fn last_word(log_end: &[u8], pid: u32) -> Option<String> {
    log_end.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let parsed = ErrorLine::parse(line, 0);
        let said = parsed.code.as_deref().is_some_and(is_clean_stop) && parsed.pid == Some(pid);
        said.then(|| String::from_utf8_lossy(line).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_that_of_this_process() {
        let log = b"[Mon Nov 23 07:28:39.624736 2026] [mpm_event:notice] [pid 11:tid 11] AH00489: Apache configured\n\
            [Mon Nov 23 07:28:40.000000 2026] [mpm_event:notice] [pid 11:tid 11] AH00491: caught SIGTERM, shutting down\n\
            [Mon Nov 23 07:28:41.000000 2026] [mpm_event:notice] [pid 12:tid 12] AH00489: Apache configured\n";
        assert!(last_word(log, 11).unwrap().contains("AH00491"));
        assert_eq!(last_word(log, 12), None);
        assert_eq!(last_word(b"", 11), None);
    }

    #[test]
    fn a_server_without_known_listeners_is_judged_by_what_is_left_of_it() {
        assert!(!is_refused(&[], || 1));
        assert!(is_refused(&[], || 0));
    }
}
