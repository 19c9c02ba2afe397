//! What can go wrong in the data directory, in words for whoever runs the server; it knows no SQL.

use std::path::PathBuf;

use tocsin_domain::id::SecretId;

/// Why the journal could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// No space is left, the reserve included.
    #[error(
        "the disk that holds {file} is full ({detail}); this commit was not kept, everything before it was: \
         free space on that disk, then it is written again"
    )]
    DiskFull {
        /// The journal.
        file: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// The system refused to read or write. Whether the last commit was kept is known only after reading
    /// [`Journal::last_position`](crate::Journal::last_position) again.
    #[error(
        "reading or writing {file} failed ({detail}); everything acknowledged before is kept: \
         check the disk (dmesg, smartctl) and the rights of that file"
    )]
    Io {
        /// The journal.
        file: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// Somebody else holds the file. Whether the last commit was kept is known only after reading
    /// [`Journal::last_position`](crate::Journal::last_position) again.
    #[error(
        "another process holds a lock on {file} ({detail}); everything acknowledged before is kept: \
         end what else has that file open (fuser), such as a copy that is being made or another program that reads it"
    )]
    Locked {
        /// The journal.
        file: PathBuf,
        /// The database's words.
        detail: String,
    },
    /// Another server has opened the journal since.
    #[error(
        "another Tocsin took over this journal (epoch {current}, ours is {own}); nothing of this commit was kept: \
         stop one of the two servers"
    )]
    Fenced {
        /// Our epoch.
        own: i64,
        /// The epoch that may write now.
        current: i64,
    },
    /// The file is damaged.
    #[error(
        "{file} is damaged ({detail}); nothing was changed in it: \
         keep a copy, then restore a backup or salvage it with `sqlite3 {file} .recover`"
    )]
    Corrupt {
        /// The journal.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The commit does not continue the journal: the state it was decided from is not the journal's.
    #[error(
        "the next position of the journal is {expected}, not {found}; nothing of this commit was kept: \
         build the state again from the journal"
    )]
    Gap {
        /// The position that had to come.
        expected: u64,
        /// The position that came.
        found: u64,
    },
    /// An event that this binary cannot read, usually because a newer one wrote it.
    #[error(
        "event {position} ({kind}, version {version}) cannot be read: {detail}; nothing was changed: \
         start the version of Tocsin that wrote it, or a newer one"
    )]
    Unreadable {
        /// Where it is.
        position: u64,
        /// Its kind.
        kind: String,
        /// Its version.
        version: i32,
        /// What is wrong.
        detail: String,
    },
    /// An event that could not be read back if it were written.
    #[error("event {position} was not written: {detail}; nothing of this commit was kept")]
    Refused {
        /// Its position.
        position: u64,
        /// What is wrong.
        detail: String,
    },
    /// A newer binary has changed the tables.
    #[error(
        "{file} was changed by a newer Tocsin (migration {migration}); nothing was changed in it: \
         start that version, or a newer one"
    )]
    NewerTables {
        /// The file.
        file: PathBuf,
        /// The first migration this binary does not know.
        migration: String,
    },
}

/// Why the vault or the access tables could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No space is left.
    #[error(
        "the disk that holds {file} is full ({detail}); this change was not kept, everything before it was: free space"
    )]
    DiskFull {
        /// The database.
        file: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// The system refused to read or write.
    #[error(
        "reading or writing {file} failed ({detail}); this change was not kept: check the disk and the rights of that file"
    )]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// Somebody else holds the file.
    #[error(
        "another process holds a lock on {file} ({detail}); this change was not kept: \
         end what else has that file open (fuser), then try again"
    )]
    Locked {
        /// The database.
        file: PathBuf,
        /// The database's words.
        detail: String,
    },
    /// The file is damaged.
    #[error(
        "{file} is damaged ({detail}); nothing was changed in it: keep a copy, then restore a backup"
    )]
    Corrupt {
        /// The database.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A newer binary has changed the tables.
    #[error(
        "{file} was changed by a newer Tocsin (migration {migration}); nothing was changed in it: start that version"
    )]
    NewerTables {
        /// The file.
        file: PathBuf,
        /// The first migration this binary does not know.
        migration: String,
    },
    /// The key file cannot be used.
    #[error("the key file {file} cannot be used: {why}; nothing was changed")]
    KeyFile {
        /// The key file.
        file: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The vault was sealed under another key.
    #[error(
        "{file} is not the key that this vault was sealed with; nothing was changed: \
         give the right key file (TOCSIN_KEY_FILE, or secret.key of that data directory)"
    )]
    WrongKey {
        /// The key file.
        file: PathBuf,
    },
    /// A sealed row is not as it was written.
    #[error(
        "the vault's row {id} was changed outside Tocsin and is not used; nothing was changed: enter that secret again"
    )]
    Tampered {
        /// Which.
        id: SecretId,
    },
    /// Something too large or not well formed was refused before it was stored.
    #[error("{what}; nothing was changed")]
    Refused {
        /// What and why.
        what: String,
    },
}
