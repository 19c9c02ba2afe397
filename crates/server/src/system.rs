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

/// Random bytes for ids, fetched from the operating system for many of them at once. Nothing secret is made of them.
#[derive(Debug)]
pub(crate) struct IdEntropy {
    fetched: [u8; 1_024],
    left: usize,
}

impl Default for IdEntropy {
    fn default() -> Self {
        Self {
            fetched: [0; 1_024],
            left: 0,
        }
    }
}

impl Entropy for IdEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        if buffer.len() > self.left {
            OsEntropy.fill(&mut self.fetched);
            self.left = self.fetched.len();
        }
        match self.left.checked_sub(buffer.len()) {
            Some(left) => {
                buffer.copy_from_slice(&self.fetched[left..self.left]);
                self.left = left;
            }
            None => OsEntropy.fill(buffer),
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn random_bytes_for_ids_are_given_out_once() {
        let mut entropy = IdEntropy::default();
        let mut given = BTreeSet::new();
        for length in [13, 1, 16, 1_000, 1_024, 2_000, 13, 13] {
            for _ in 0..100 {
                let mut bytes = vec![0; length];
                entropy.fill(&mut bytes);
                // What is this short may well come again.
                assert!(given.insert(bytes) || length == 1);
            }
        }
    }
}
