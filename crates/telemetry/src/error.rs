//! What can go wrong in the store; each says what was kept and what to do.

use std::io;
use std::path::PathBuf;

use tocsin_promql::SourceError;

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by another process: stop that one first, or give this one another data directory", .folder.display())]
    InUse {
        /// The store's folder.
        folder: PathBuf,
    },
    /// It was written by a newer version.
    #[error("{} was written by a newer version (format {found}, this one knows {known}): nothing was changed; use the newer version", .file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u8,
        /// The newest format this version reads.
        known: u8,
    },
    /// The file system refused.
    #[error("{} could not be used: {source}; nothing was deleted", .path.display())]
    Disk {
        /// What was touched.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn disk(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { path, source }
    }
}

/// A batch that is not on disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// It could not be written. It is in memory, seen by queries, and is written again with the next append.
    #[error(
        "the batch is in memory but not on disk: {reason}; it is tried again with the next append: free space or mend the disk"
    )]
    NotDurable {
        /// What the file system said.
        reason: String,
        /// Batches that now wait to be written.
        waiting: usize,
    },
}

/// Upkeep that could not be finished. What it did not seal stays in the write-ahead log.
#[derive(Debug, thiserror::Error)]
#[error("{} could not be written: {source}; its samples stay in the write-ahead log and are tried again", .path.display())]
pub struct MaintainError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Stored data that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A file is damaged or out of reach.
    #[error("{file} could not be read: {reason}; other files are not affected")]
    Unreadable {
        /// Name of the file in the store's folder.
        file: String,
        /// What happened.
        reason: String,
    },
    /// A query asked for too much.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl From<ReadError> for SourceError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Source(error) => error,
            unreadable @ ReadError::Unreadable { .. } => Self::Unreadable {
                reason: unreadable.to_string(),
            },
        }
    }
}
