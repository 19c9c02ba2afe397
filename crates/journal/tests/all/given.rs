//! What the tests start from: seeded randomness, events, and directories that vanish with the test.

use std::path::Path;

use tempfile::TempDir;
use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentEvent, IncidentWhat, InputEvent,
};
use tocsin_domain::id::{Entropy, IncidentId};
use tocsin_domain::time::Timestamp;
use tocsin_journal::{DataDir, DataDirError, DataDirLock, Journal};

/// A xorshift generator (Marsaglia 2003): the same seed gives the same bytes.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.next().to_le_bytes()[3];
        }
    }
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The lock of a directory that nobody uses. A process that another test starts has what is open here until it runs its own
/// program: what was just let go of may seem to be in use for as long as that.
pub(crate) fn locked(directory: &Path) -> DataDirLock {
    for _ in 0..100_000 {
        match DataDir::lock(directory) {
            Err(DataDirError::InUse { .. }) => std::thread::yield_now(),
            outcome => return outcome.unwrap(),
        }
    }
    panic!("{} stays in use", directory.display())
}

pub(crate) fn opened(directory: &Path) -> (DataDirLock, Journal) {
    let lock = locked(directory);
    let journal = Journal::open(&lock).unwrap();
    (lock, journal)
}

/// An event that concerns nothing else.
pub(crate) fn input(position: u64, what: &str) -> Event {
    enveloped(
        position,
        EventBody::Input(InputEvent::Ignored {
            what: what.to_owned(),
            service: None,
        }),
    )
}

/// An event of an incident.
pub(crate) fn note(position: u64, incident: IncidentId, text: &str) -> Event {
    enveloped(
        position,
        EventBody::Incident(IncidentEvent {
            incident,
            what: IncidentWhat::noted(text.to_owned()),
        }),
    )
}

pub(crate) fn enveloped(position: u64, body: EventBody) -> Event {
    let at = Timestamp::from_millis(1_723_950_000_000).plus_ms(position);
    Event {
        position,
        at,
        recorded_at: at.plus_ms(3),
        actor: Actor::System,
        cause: Cause::Request,
        body,
    }
}

/// Everything in the journal, in order.
pub(crate) fn everything(journal: &Journal) -> Vec<Event> {
    let mut read = Vec::new();
    journal
        .reader()
        .read_all(1, &mut |event| {
            read.push(event);
            Ok::<(), tocsin_journal::JournalError>(())
        })
        .unwrap();
    read
}

/// Changes a database behind the back of the crate.
pub(crate) fn tampered(directory: &Path, file: &str, sql: &str) -> usize {
    use diesel::prelude::*;
    let path = directory.join(file);
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query(sql).execute(&mut connection).unwrap()
}

/// Panics if `secret` stands anywhere in a file of the directory, the write-ahead logs included.
pub(crate) fn assert_nowhere(directory: &Path, secret: &str) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let file = entry.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes
            .windows(secret.len())
            .any(|window| window.eq_ignore_ascii_case(secret.as_bytes()));
        assert!(!found, "{secret} stands in {}", file.display());
    }
}
