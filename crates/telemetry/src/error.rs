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

/// Upkeep that could not be finished. What it did not seal stays in the write-ahead log, what it did not merge in its blocks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaintainError {
    /// A block could not be written.
    #[error("{} could not be written: {source}; its samples stay in the files they are in", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that is not needed any more could not be removed.
    #[error("{} could not be removed: {source}; it takes room, and is tried again", .path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A block that was to be merged cannot be read. This is told once.
    #[error("{reason}; {} is not merged any more: what can be read of it is, until its time is over", .path.display())]
    Unmergeable {
        /// The block.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A window could not be taken in.
    #[error("{} could not be taken in: {reason}; nothing of it was", .path.display())]
    Window {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
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
