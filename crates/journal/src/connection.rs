//! Opening SQLite files the durable way and telling their failures apart; it knows no table of ours.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::disk;
use crate::error::{AccessError, JournalError};

/// How long a statement waits for the file's one writer.
const BUSY_TIMEOUT_MS: u32 = 5_000;
/// The write-ahead log is cut back to this size after a checkpoint.
const WAL_BYTES_KEPT: u32 = 16 * 1024 * 1024;
/// What the writer keeps in memory.
const CACHE_KIB: u32 = 8 * 1024;
/// An I/O error with less than this free is taken for a full disk: SQLite reports some of those as plain I/O errors.
const FULL_BELOW_BYTES: u64 = 256 * 1024;

/// A failure of the database, told apart by what to do about it.
#[derive(Debug)]
pub(crate) enum Fault {
    Full(String),
    Io(String),
    Locked(String),
    Corrupt(String),
    NewerTables(String),
}

impl Fault {
    /// Classifies by SQLite's fixed messages, because the query builder does not hand on the result code.
    pub(crate) fn of(error: &impl std::fmt::Display, file: &Path) -> Self {
        let detail = error.to_string();
        let said = |text: &str| detail.contains(text);
        if said("database or disk is full") || said("No space left on device") {
            Self::Full(detail)
        } else if said("malformed") || said("file is not a database") {
            Self::Corrupt(detail)
        } else if said("disk I/O error") && nearly_full(file) {
            Self::Full(detail)
        } else if said("database is locked") || said("database table is locked") {
            // SQLITE_BUSY and SQLITE_LOCKED: somebody held it for longer than a statement waits.
            Self::Locked(detail)
        } else {
            Self::Io(detail)
        }
    }

    pub(crate) fn in_journal(self, file: &Path) -> JournalError {
        let file = file.to_owned();
        match self {
            Self::Full(detail) => JournalError::DiskFull { file, detail },
            Self::Io(detail) => JournalError::Io { file, detail },
            Self::Locked(detail) => JournalError::Locked { file, detail },
            Self::Corrupt(detail) => JournalError::Corrupt { file, detail },
            Self::NewerTables(migration) => JournalError::NewerTables { file, migration },
        }
    }

    pub(crate) fn in_access(self, file: &Path) -> AccessError {
        let file = file.to_owned();
        match self {
            Self::Full(detail) => AccessError::DiskFull { file, detail },
            Self::Io(detail) => AccessError::Io { file, detail },
            Self::Locked(detail) => AccessError::Locked { file, detail },
            Self::Corrupt(detail) => AccessError::Corrupt { file, detail },
            Self::NewerTables(migration) => AccessError::NewerTables { file, migration },
        }
    }
}

fn nearly_full(file: &Path) -> bool {
    file.parent()
        .and_then(disk::available_bytes)
        .is_some_and(|bytes| bytes < FULL_BELOW_BYTES)
}

/// Opens `file` for writing, creating it for its owner alone; every commit is on disk when it returns.
pub(crate) fn open_writer(file: &Path) -> Result<SqliteConnection, Fault> {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map_err(|error| Fault::of(&error, file))?;
    let mut connection = establish(file)?;
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = {WAL_BYTES_KEPT}; \
         PRAGMA cache_size = -{CACHE_KIB};"
    );
    connection
        .batch_execute(&pragmas)
        .map_err(|error| Fault::of(&error, file))?;
    let mode = one_text(
        &mut connection,
        "SELECT journal_mode AS text FROM pragma_journal_mode",
    );
    match mode {
        Ok(mode) if mode == "wal" => Ok(connection),
        Ok(mode) => Err(Fault::Io(format!(
            "its file system cannot hold a write-ahead log (mode {mode}): put the data directory on a local disk"
        ))),
        Err(error) => Err(Fault::of(&error, file)),
    }
}

/// Does something that is left out where another process holds a lock: nobody waits for it.
pub(crate) fn without_waiting<T>(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    connection.batch_execute("PRAGMA busy_timeout = 0")?;
    let done = work(connection);
    connection.batch_execute(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"))?;
    done
}

/// Opens `file` for reading alone; never waits for the writer.
pub(crate) fn open_reader(file: &Path) -> Result<SqliteConnection, Fault> {
    let mut connection = establish(file)?;
    let pragmas = format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA cell_size_check = ON;"
    );
    connection
        .batch_execute(&pragmas)
        .map_err(|error| Fault::of(&error, file))?;
    Ok(connection)
}

fn establish(file: &Path) -> Result<SqliteConnection, Fault> {
    let path = file
        .to_str()
        .ok_or_else(|| Fault::Io("the path of the data directory must be UTF-8".to_owned()))?;
    SqliteConnection::establish(path).map_err(|error| Fault::of(&error, file))
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

fn one_text(connection: &mut SqliteConnection, sql: &str) -> QueryResult<String> {
    diesel::sql_query(sql)
        .get_result::<TextRow>(connection)
        .map(|row| row.text)
}

/// Reads every page of the file and says what is wrong with it.
pub(crate) fn check_integrity(connection: &mut SqliteConnection, file: &Path) -> Result<(), Fault> {
    let found = one_text(
        connection,
        "SELECT quick_check AS text FROM pragma_quick_check LIMIT 1",
    )
    .map_err(|error| Fault::of(&error, file))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Fault::Corrupt(found))
    }
}

/// Brings the tables up to this binary's, or refuses a file that a newer binary has changed.
pub(crate) fn migrate(
    connection: &mut SqliteConnection,
    migrations: EmbeddedMigrations,
    file: &Path,
) -> Result<(), Fault> {
    let fault = |error: Box<dyn std::error::Error + Send + Sync>| Fault::of(&error, file);
    let known: Vec<Box<dyn Migration<Sqlite>>> = migrations.migrations().map_err(fault)?;
    for applied in connection.applied_migrations().map_err(fault)? {
        if !known.iter().any(|one| one.name().version() == applied) {
            return Err(Fault::NewerTables(applied.to_string()));
        }
    }
    connection
        .run_pending_migrations(migrations)
        .map_err(fault)?;
    Ok(())
}

/// Lets what is deleted stay in the file until its place is used again, or not. Overwriting a whole index takes as much space
/// for a while as the index did.
pub(crate) fn overwrite_deleted(
    connection: &mut SqliteConnection,
    overwrite: bool,
    file: &Path,
) -> Result<(), Fault> {
    let pragma = format!("PRAGMA secure_delete = {}", u8::from(overwrite));
    connection
        .batch_execute(&pragma)
        .map_err(|error| Fault::of(&error, file))
}

/// One connection that several threads take turns with; it is opened anew after any failure, because a failed
/// transaction may leave it in a state nobody knows.
pub(crate) struct SharedConnection {
    file: PathBuf,
    connection: Mutex<Option<SqliteConnection>>,
}

impl SharedConnection {
    pub(crate) fn new(file: PathBuf, connection: SqliteConnection) -> Self {
        Self {
            file,
            connection: Mutex::new(Some(connection)),
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Runs `work` outside a transaction.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, AccessError> {
        let mut slot = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => open_writer(&self.file).map_err(|fault| fault.in_access(&self.file))?,
        };
        let done = work(&mut connection)
            .map_err(|error| Fault::of(&error, &self.file).in_access(&self.file))?;
        *slot = Some(connection);
        Ok(done)
    }

    /// Runs `work` in one transaction that is on disk when this returns.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, AccessError> {
        self.read(|connection| connection.immediate_transaction(work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_setting(connection: &mut SqliteConnection, name: &str, expected: &str) {
        let sql = format!("SELECT CAST({name} AS TEXT) AS text FROM pragma_{name}");
        assert_eq!(one_text(connection, &sql).unwrap(), expected, "{name}");
    }

    #[test]
    fn a_commit_is_synced_before_it_returns_and_what_was_deleted_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("new.sqlite3");
        let mut writer = open_writer(&file).unwrap();
        check_setting(&mut writer, "journal_mode", "wal");
        check_setting(&mut writer, "synchronous", "2"); // FULL
        check_setting(&mut writer, "foreign_keys", "1");
        check_setting(&mut writer, "secure_delete", "1");
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        let mut reader = open_reader(&file).unwrap();
        check_setting(&mut reader, "query_only", "1");
        assert!(reader.batch_execute("INSERT INTO t VALUES (1)").is_err());
    }

    #[test]
    fn failures_are_told_apart_by_what_to_do_about_them() {
        let file = Path::new("/proc/journal.sqlite3");
        for (message, expected) in [
            ("database or disk is full", "Full"),
            ("No space left on device (os error 28)", "Full"),
            ("database disk image is malformed", "Corrupt"),
            ("file is not a database", "Corrupt"),
            ("database is locked", "Locked"),
            ("database table is locked", "Locked"),
            ("unable to open database file", "Io"),
        ] {
            let fault = format!("{:?}", Fault::of(&message, file));
            assert!(fault.starts_with(expected), "{message}: {fault}");
        }
    }
}
