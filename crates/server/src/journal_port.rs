//! The journal as the engine and the sockets want it; it adds nothing but the last failure, for `doctor`.

use std::sync::{Arc, Mutex, PoisonError};

use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::Event;
use tocsin_domain::id::IncidentId;
use tocsin_domain::time::Timestamp;
use tocsin_edge::ports::{ChangeLog, EventLog, Health, JournalHealth, StorageError};
use tocsin_engine::{AppendError, NotDurable};
use tocsin_journal::{Journal, JournalError, JournalReader};

/// Why the last commit failed, shared between the engine's thread and those who ask.
pub(crate) type LastFailure = Arc<Mutex<Option<String>>>;

/// The engine's side: writes.
pub(crate) struct Writing {
    pub(crate) journal: Journal,
    pub(crate) last_failure: LastFailure,
}

impl tocsin_engine::Journal for Writing {
    fn append(&mut self, events: &[Event], notes: &[(&str, String)]) -> Result<(), AppendError> {
        let notes: Vec<(&str, &str)> = notes
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let outcome = self.journal.append(events, &notes);
        let mut last = self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = outcome.as_ref().err().map(ToString::to_string);
        outcome.map_err(|error| fate(&error))
    }

    fn after(&mut self, position: u64) -> Result<Vec<Event>, NotDurable> {
        let mut found = Vec::new();
        let read = self.journal.reader().read_all(position + 1, &mut |event| {
            found.push(event);
            Ok::<(), JournalError>(())
        });
        read.map(|()| found).map_err(|error| not_durable(&error))
    }
}

fn not_durable(error: &JournalError) -> NotDurable {
    NotDurable {
        disk_full: matches!(error, JournalError::DiskFull { .. }),
        why: error.to_string(),
    }
}

/// What became of an append that failed like this.
fn fate(error: &JournalError) -> AppendError {
    let why = not_durable(error);
    match error {
        JournalError::Io { .. } | JournalError::Locked { .. } => AppendError::Unclear(why),
        JournalError::Gap { .. } => AppendError::Behind(why),
        JournalError::Fenced { .. } => AppendError::TakenOver(why),
        JournalError::DiskFull { .. }
        | JournalError::Corrupt { .. }
        | JournalError::Unreadable { .. }
        | JournalError::Refused { .. }
        | JournalError::NewerTables { .. } => AppendError::NotKept(why),
    }
}

/// The sockets' side: reads.
pub(crate) struct Reading {
    pub(crate) reader: JournalReader,
    pub(crate) last_failure: LastFailure,
}

fn storage(error: &JournalError) -> StorageError {
    StorageError {
        why: error.to_string(),
        disk_full: matches!(error, JournalError::DiskFull { .. }),
    }
}

impl EventLog for Reading {
    fn after(&self, position: u64, limit: usize) -> Result<Vec<Event>, StorageError> {
        self.reader
            .events_since(position, limit)
            .map_err(|error| storage(&error))
    }

    fn of_incident(
        &self,
        incident: IncidentId,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError> {
        self.reader
            .events_of_incident(incident, position, limit)
            .map_err(|error| storage(&error))
    }

    fn before_newest(&self, incident: IncidentId, count: usize) -> Result<u64, StorageError> {
        self.reader
            .before_newest_of_incident(incident, count)
            .map_err(|error| storage(&error))
    }

    fn at(&self, position: u64) -> Result<Option<Event>, StorageError> {
        self.reader.event(position).map_err(|error| storage(&error))
    }
}

impl ChangeLog for Reading {
    fn changes(
        &self,
        of: Option<(ChangedKind, &str)>,
        before: u64,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError> {
        self.reader
            .newest_changes(of, before, until, limit)
            .map_err(|error| storage(&error))
    }
}

impl Health for Reading {
    fn journal(&self) -> JournalHealth {
        let last = self
            .last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let disk = self.reader.disk_state();
        let reserve = (!disk.reserve_held).then(|| {
            "the disk is or was full: the reserve that keeps paging alive is used up; free space".to_owned()
        });
        JournalHealth {
            trouble: last.or(reserve),
        }
    }
}
