//! The one writer of the journal: commits are durable when they return, continue the journal without a gap and are
//! refused once another server has taken over; it decides nothing about what the events mean.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tocsin_domain::event::Event;

use crate::connection::{self, Fault};
use crate::data_dir::DataDirLock;
use crate::disk::{self, Disk, DiskState};
use crate::error::JournalError;
use crate::reader::{self, JournalReader};
use crate::record::{EventRow, Insert};
use crate::schema::{epoch, meta};

/// Bytes of one event's body at most; what is larger belongs into the store of telemetry or of evidence.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/journal");

/// The journal, open for writing. There is one per data directory; its thread is the caller's.
pub struct Journal {
    file: PathBuf,
    disk: Arc<Disk>,
    reader: JournalReader,
    /// None after a failed commit, until it is opened anew.
    connection: Option<SqliteConnection>,
    epoch: i64,
    last_position: u64,
    /// The reserve was given up, or could not be taken; a commit that succeeds looks whether there is room again.
    is_reserve_missing: bool,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Journal")
            .field("file", &self.file)
            .field("epoch", &self.epoch)
            .field("last_position", &self.last_position)
            .finish_non_exhaustive()
    }
}

/// Why a transaction was taken back.
enum Undone {
    Sql(diesel::result::Error),
    Fenced { current: i64 },
}

impl From<diesel::result::Error> for Undone {
    fn from(error: diesel::result::Error) -> Self {
        Self::Sql(error)
    }
}

impl Journal {
    /// Opens the journal of a directory, creating it when it is missing: checks the file, brings its tables up to date
    /// and takes a new epoch, by which every earlier opening is shut out. On a full disk it gives up the reserve, so that
    /// a server that starts then can page; open the journal before anything else of the directory.
    ///
    /// # Errors
    /// When the file is damaged, a newer Tocsin wrote it, the disk is full or the system refuses.
    pub fn open(lock: &DataDirLock) -> Result<Self, JournalError> {
        let file = lock.directory().join("journal.sqlite3");
        let disk = Arc::new(Disk::new(lock.directory(), &file));
        let opened = match take_over(lock.directory(), &file) {
            Err(Fault::Full(_)) if disk.release_reserve() => take_over(lock.directory(), &file),
            opened => opened,
        };
        let opened = opened.map_err(|fault| fault.in_journal(&file))?;
        let is_reserve_missing = !disk.restore_reserve();
        Ok(Self {
            is_reserve_missing,
            reader: JournalReader::new(file.clone(), Arc::clone(&disk)),
            file,
            disk,
            connection: Some(opened.connection),
            epoch: opened.epoch,
            last_position: opened.last_position,
        })
    }

    /// Commits events and the values of `meta` together. When this returns, they are on disk; when it fails, none of
    /// them counts. A full disk is met by giving up the reserve and trying once more; the reserve is taken
    /// again by a later commit that finds room to spare.
    ///
    /// # Errors
    /// [`JournalError::Gap`] and [`JournalError::Refused`] before anything was tried, [`JournalError::Fenced`] when
    /// another server took over, [`JournalError::DiskFull`] when the reserve did not help either, and what the system
    /// refused. After [`JournalError::Io`] read [`Journal::last_position`]: the commit may have been kept.
    pub fn append(&mut self, new: &[Event], values: &[(&str, &str)]) -> Result<(), JournalError> {
        if new.is_empty() && values.is_empty() {
            return Ok(());
        }
        self.check_continuity(new)?;
        let rows = EventRow::all(new)?;
        let done = match self.commit(&rows, values) {
            Err(JournalError::DiskFull { .. }) if self.disk.release_reserve() => {
                self.is_reserve_missing = true;
                self.commit_again(&rows, values)
            }
            done => done,
        };
        if done.is_ok() {
            self.reader.note_committed(new);
        }
        if done.is_ok() && self.is_reserve_missing {
            self.is_reserve_missing = !self.disk.restore_reserve();
        }
        done
    }

    /// The position of the newest event, 0 when there is none. Reads it anew after a failed commit.
    ///
    /// # Errors
    /// When the file cannot be read after a failed commit.
    pub fn last_position(&mut self) -> Result<u64, JournalError> {
        self.connected()?;
        Ok(self.last_position)
    }

    /// The number of this opening; each opening has a higher one.
    #[must_use]
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }

    /// A handle for reading, for any thread; it never waits for the writer.
    #[must_use]
    pub fn reader(&self) -> JournalReader {
        self.reader.clone()
    }

    /// What is left on the disk.
    #[must_use]
    pub fn disk_state(&self) -> DiskState {
        self.disk.state()
    }

    fn check_continuity(&mut self, new: &[Event]) -> Result<(), JournalError> {
        let mut expected = self.last_position()?;
        for event in new {
            expected += 1;
            if event.position != expected {
                return Err(JournalError::Gap {
                    expected,
                    found: event.position,
                });
            }
        }
        Ok(())
    }

    fn commit(&mut self, rows: &[EventRow], values: &[(&str, &str)]) -> Result<(), JournalError> {
        let own = self.epoch;
        let done = self.connected()?.immediate_transaction(|connection| {
            check_epoch(connection, own)?;
            write(connection, rows, values)?;
            Ok(())
        });
        match done {
            Ok(()) => {
                self.last_position += rows.len() as u64;
                Ok(())
            }
            Err(Undone::Fenced { current }) => Err(JournalError::Fenced { own, current }),
            Err(Undone::Sql(error)) => {
                self.connection = None;
                Err(Fault::of(&error, &self.file).in_journal(&self.file))
            }
        }
    }

    /// The second try after a full disk. A first try that failed while it was being synced may have landed all the
    /// same; then only the values are written again, which syncs both.
    fn commit_again(
        &mut self,
        rows: &[EventRow],
        values: &[(&str, &str)],
    ) -> Result<(), JournalError> {
        let last = i64::try_from(self.last_position()?).unwrap_or(i64::MAX);
        let landed = rows.last().is_some_and(|row| row.position == last);
        self.commit(if landed { &[] } else { rows }, values)
    }

    /// The connection, opened anew if the last commit failed.
    fn connected(&mut self) -> Result<&mut SqliteConnection, JournalError> {
        let fresh = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let failed = |fault: Fault| fault.in_journal(&self.file);
                let mut fresh = connection::open_writer(&self.file).map_err(failed)?;
                self.last_position = reader::last_position(&mut fresh)
                    .map_err(|error| failed(Fault::of(&error, &self.file)))?;
                fresh
            }
        };
        Ok(self.connection.insert(fresh))
    }
}

/// A journal that is ours to write.
struct Opened {
    connection: SqliteConnection,
    epoch: i64,
    last_position: u64,
}

fn take_over(directory: &Path, file: &Path) -> Result<Opened, Fault> {
    let mut connection = connection::open_writer(file)?;
    connection::check_integrity(&mut connection, file)?;
    // No secret is in this file: a migration need not overwrite what it drops.
    connection::overwrite_deleted(&mut connection, false, file)?;
    connection::migrate(&mut connection, MIGRATIONS, file)?;
    connection::overwrite_deleted(&mut connection, true, file)?;
    disk::sync_directory(directory).map_err(|error| Fault::of(&error, file))?;
    let (epoch, last_position) = connection
        .immediate_transaction(|connection| {
            let epoch = diesel::update(epoch::table)
                .set(epoch::number.eq(epoch::number + 1))
                .returning(epoch::number)
                .get_result::<i64>(connection)?;
            Ok((epoch, reader::last_position(connection)?))
        })
        .map_err(|error: diesel::result::Error| Fault::of(&error, file))?;
    Ok(Opened {
        connection,
        epoch,
        last_position,
    })
}

fn check_epoch(connection: &mut SqliteConnection, own: i64) -> Result<(), Undone> {
    // There is one row. `first` would bind a limit, and SQLite prepares anew what has one each time it is run.
    let current = epoch::table.select(epoch::number).get_result(connection)?;
    if current == own {
        Ok(())
    } else {
        Err(Undone::Fenced { current })
    }
}

fn write(
    connection: &mut SqliteConnection,
    rows: &[EventRow],
    values: &[(&str, &str)],
) -> QueryResult<()> {
    for row in rows {
        Insert(row).execute(connection)?;
    }
    for (key, value) in values {
        diesel::insert_into(meta::table)
            .values((meta::key.eq(key), meta::value.eq(value)))
            .on_conflict(meta::key)
            .do_update()
            .set(meta::value.eq(value))
            .execute(connection)?;
    }
    Ok(())
}
