//! Reading the journal from any thread, over a few connections that cannot write and never wait for the writer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::Event;
use tocsin_domain::id::IncidentId;
use tocsin_domain::time::Timestamp;

use crate::by_incident::ByIncident;
use crate::connection::{self, Fault};
use crate::disk::{Disk, DiskState};
use crate::error::JournalError;
use crate::record::EventRow;
use crate::schema::{events, meta};

/// Events that one read returns at most, whatever limit was asked for.
pub const EVENTS_PER_READ_MAX: usize = 10_000;
/// Events fetched at a time while the whole journal is read.
const BATCH: usize = 500;
/// Events of which is read at a time what incidents they are of.
const CATCH_UP_BATCH: i64 = 10_000;
/// The kinds of events of people, the roster and settings: among them are all that change what is set up.
const SETTING_KINDS: [&str; 4] = ["installation.%", "people.%", "roster.%", "watch.%"];
/// Connections that read at the same time; a further reader waits for one of them.
const CONNECTIONS_MAX: usize = 8;

/// A handle for reading the journal. Clones share their connections.
#[derive(Clone)]
pub struct JournalReader {
    shared: Arc<Shared>,
}

struct Shared {
    file: PathBuf,
    disk: Arc<Disk>,
    pool: Mutex<Pool>,
    returned: Condvar,
    by_incident: Mutex<ByIncident>,
}

#[derive(Default)]
struct Pool {
    idle: Vec<SqliteConnection>,
    lent: usize,
}

impl std::fmt::Debug for JournalReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("JournalReader")
            .field("file", &self.shared.file)
            .finish_non_exhaustive()
    }
}

impl JournalReader {
    pub(crate) fn new(file: PathBuf, disk: Arc<Disk>) -> Self {
        Self {
            shared: Arc::new(Shared {
                file,
                disk,
                pool: Mutex::new(Pool::default()),
                returned: Condvar::new(),
                by_incident: Mutex::default(),
            }),
        }
    }

    /// Hands every event from `from_position` on to `each`, in order, until the newest; what is committed meanwhile is
    /// included. Memory stays bounded.
    ///
    /// # Errors
    /// When the journal has a gap or cannot be read, or `each` fails.
    pub fn read_all<E: From<JournalError>>(
        &self,
        from_position: u64,
        each: &mut dyn FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut expected = from_position.max(1);
        loop {
            let batch = self.events_since(expected - 1, BATCH)?;
            if batch.is_empty() {
                return Ok(());
            }
            for event in batch {
                if event.position != expected {
                    let detail = format!("event {expected} is missing");
                    return Err(Fault::Corrupt(detail).in_journal(&self.shared.file).into());
                }
                self.by_incident().note_event(&event);
                expected += 1;
                each(event)?;
            }
        }
    }

    /// Takes the reserve again if it is missing and the disk has room to spare; says whether it is held now.
    #[expect(clippy::must_use_candidate, reason = "most callers only want it done")]
    pub fn restore_reserve(&self) -> bool {
        self.shared.disk.restore_reserve()
    }

    /// At most `limit` events after `position`, in order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn events_since(&self, position: u64, limit: usize) -> Result<Vec<Event>, JournalError> {
        self.events(
            events::table
                .filter(events::position.gt(stored(position)))
                .into_boxed(),
            limit,
        )
    }

    /// At most `limit` events of one incident after `after_position`, in order.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn events_of_incident(
        &self,
        incident: IncidentId,
        after_position: u64,
        limit: usize,
    ) -> Result<Vec<Event>, JournalError> {
        let limit = limit.min(EVENTS_PER_READ_MAX);
        self.catch_up()?;
        let positions = self.by_incident().of(incident, after_position, limit);
        self.events_at(&positions)
    }

    /// At most `limit` events by which something that is set up changed, of one thing or of all, before `before`, the newest first.
    /// Where `until` is given, what was recorded then or later is left out as far as that stands after all others.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn newest_changes(
        &self,
        of: Option<(ChangedKind, &str)>,
        before: u64,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Event>, JournalError> {
        let limit = limit.min(EVENTS_PER_READ_MAX);
        self.catch_up()?;
        let mut positions = self.by_incident().newest_changes(of, before, until, limit);
        positions.reverse();
        let mut found = self.events_at(&positions)?;
        found.reverse();
        Ok(found)
    }

    /// The events at these positions, which are in order.
    fn events_at(&self, positions: &[u64]) -> Result<Vec<Event>, JournalError> {
        let mut found = Vec::with_capacity(positions.len());
        for some in positions.chunks(BATCH) {
            let some = some.iter().copied().map(stored);
            let those = events::table.filter(events::position.eq_any(some));
            found.extend(self.events(those.into_boxed(), BATCH)?);
        }
        Ok(found)
    }

    /// The position after which the newest `count` events are that [`Self::events_of_incident`] gives of an incident.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn before_newest_of_incident(
        &self,
        incident: IncidentId,
        count: usize,
    ) -> Result<u64, JournalError> {
        self.catch_up()?;
        Ok(self.by_incident().before_newest(incident, count))
    }

    /// Notes what was just committed.
    pub(crate) fn note_committed(&self, events: &[Event]) {
        self.by_incident().note_events(events);
    }

    /// Reads which incidents the events are of that were committed and not noted, and what they changed. The file is read without the
    /// lock: a commit needs it before it is answered.
    fn catch_up(&self) -> Result<(), JournalError> {
        loop {
            let (known_to, is_whole) = {
                let by_incident = self.by_incident();
                (by_incident.known_to(), by_incident.is_whole())
            };
            if is_whole {
                return Ok(());
            }
            let rows: Vec<(i64, Option<String>)> = self.read(|connection| {
                events::table
                    .filter(events::position.gt(stored(known_to)))
                    .order(events::position)
                    .limit(CATCH_UP_BATCH)
                    .select((events::position, events::incident))
                    .load(connection)
            })?;
            let Some((last, _)) = rows.last() else {
                self.by_incident().nothing_after(known_to);
                return Ok(());
            };
            let changes = self.changes_among(stored(known_to), *last)?;
            let mut by_incident = self.by_incident();
            for (position, incident) in rows {
                let incident = incident.and_then(|text| text.parse().ok());
                let position: u64 = position.try_into().unwrap_or(0);
                let event = changes.get(&position);
                let changed =
                    event.and_then(|event| Some((event.recorded_at, event.body.changed()?)));
                let changed = changed.as_ref().map(|(at, changed)| (*at, changed));
                by_incident.note(position, incident, changed);
            }
            if by_incident.known_to() == known_to {
                // The journal has a gap; whoever reads it all is told.
                return Ok(());
            }
        }
    }

    /// The events after one position and up to another, by their positions, that are about people, the roster and settings.
    fn changes_among(&self, after: i64, until: i64) -> Result<BTreeMap<u64, Event>, JournalError> {
        let [installation, people, roster, watch] = SETTING_KINDS;
        let rows: Vec<EventRow> = self.read(|connection| {
            let is_setting = events::kind
                .like(installation)
                .or(events::kind.like(people))
                .or(events::kind.like(roster))
                .or(events::kind.like(watch));
            events::table
                .filter(events::position.gt(after))
                .filter(events::position.le(until))
                .filter(is_setting)
                .select(EventRow::as_select())
                .load(connection)
        })?;
        let placed = |row: &EventRow| row.event().map(|event| (event.position, event));
        rows.iter().map(placed).collect()
    }

    fn by_incident(&self) -> MutexGuard<'_, ByIncident> {
        let by_incident = self.shared.by_incident.lock();
        by_incident.unwrap_or_else(PoisonError::into_inner)
    }

    /// The event at `position`, if there is one.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn event(&self, position: u64) -> Result<Option<Event>, JournalError> {
        let found = self.events(
            events::table
                .filter(events::position.eq(stored(position)))
                .into_boxed(),
            1,
        )?;
        Ok(found.into_iter().next())
    }

    /// The value that was last committed under `key`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<String>, JournalError> {
        self.read(|connection| {
            meta::table
                .find(key)
                .select(meta::value)
                .first(connection)
                .optional()
        })
    }

    /// The position of the newest event, 0 when there is none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn last_position(&self) -> Result<u64, JournalError> {
        self.read(last_position)
    }

    /// What is left on the disk.
    #[must_use]
    pub fn disk_state(&self) -> DiskState {
        self.shared.disk.state()
    }

    fn events(
        &self,
        query: events::BoxedQuery<'_, Sqlite>,
        limit: usize,
    ) -> Result<Vec<Event>, JournalError> {
        let limit = i64::try_from(limit.min(EVENTS_PER_READ_MAX)).unwrap_or(0);
        let rows: Vec<EventRow> = self.read(|connection| {
            query
                .order(events::position)
                .limit(limit)
                .select(EventRow::as_select())
                .load(connection)
        })?;
        rows.iter().map(EventRow::event).collect()
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, JournalError> {
        let file = &self.shared.file;
        let (_turn, idle) = self.shared.take_turn();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(file).map_err(|fault| fault.in_journal(file))?,
        };
        let done =
            work(&mut connection).map_err(|error| Fault::of(&error, file).in_journal(file))?;
        self.shared.put_back(connection);
        Ok(done)
    }
}

/// The right to one of the connections; it ends when this is dropped.
struct Turn<'a>(&'a Shared);

impl Shared {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_turn(&self) -> (Turn<'_>, Option<SqliteConnection>) {
        let mut pool = self.pool();
        while pool.lent >= CONNECTIONS_MAX {
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
        pool.lent += 1;
        (Turn(self), pool.idle.pop())
    }

    fn put_back(&self, connection: SqliteConnection) {
        self.pool().idle.push(connection);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.pool().lent -= 1;
        self.0.returned.notify_one();
    }
}

/// The newest position in the table, 0 when it is empty.
pub(crate) fn last_position(connection: &mut SqliteConnection) -> QueryResult<u64> {
    let newest = events::table
        .select(diesel::dsl::max(events::position))
        .first::<Option<i64>>(connection)?;
    Ok(newest.unwrap_or(0).try_into().unwrap_or(0))
}

/// A position as the database counts; one beyond its range is beyond every event too.
fn stored(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
