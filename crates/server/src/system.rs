//! The operating system's clock and randomness, as the ports of the core want them, its limit of open files, and how random bytes
//! are written.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit, setrlimit};
use tocsin_domain::id::Entropy;
use tocsin_domain::time::Timestamp;
use tocsin_engine::Clock;

/// The wall clock of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The operating system's random bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        getrandom::fill(buffer)
            .expect("without random bytes nothing can be kept secret, so nothing goes on");
    }
}

/// Files that are asked for where more could be had: far above what connections and everything else take.
const FILES_WANTED: u64 = 65_536;

/// How many files may be open at once, after asking for as many as are had for the asking.
pub(crate) fn files_max() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(FILES_WANTED);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        // Where it is refused, what was there before is lived with.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Bytes as lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
