//! The data directory: made for its owner alone, held by one server at a time, and refused when a newer binary wrote it;
//! it knows nothing of what is in its databases.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::disk;

/// The layout of data directories that this binary writes.
pub const DATA_FORMAT: u32 = 1;
/// `format.json` is a few dozen bytes; what is larger is not ours.
const FORMAT_FILE_BYTES_MAX: u64 = 4_096;

/// Why a data directory was refused.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another server holds it.
    #[error("{} is used by another Tocsin ({holder}); nothing was changed: stop that one first, or give another --data", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// `process 1234`, as far as it is known.
        holder: String,
    },
    /// A newer binary wrote it.
    #[error(
        "{} was written by Tocsin {written_by} (format {format}), this is {} which reads up to format {DATA_FORMAT}; \
         nothing was changed: start Tocsin {written_by} or newer",
        directory.display(),
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The directory.
        directory: PathBuf,
        /// Its format.
        format: u32,
        /// The version that wrote it.
        written_by: String,
    },
    /// `format.json` cannot be understood.
    #[error("{} is not a file that Tocsin wrote ({detail}); nothing was changed: give another --data, or restore that file", file.display())]
    NotOurs {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The system refused.
    #[error("{} cannot be used as data directory ({source}); nothing was changed: check its rights and its disk", path.display())]
    Io {
        /// The directory or the file in it.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
}

/// Where data directories come from.
#[derive(Debug)]
pub struct DataDir;

/// A data directory that is ours until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DataDirLock {
    directory: PathBuf,
    _lock: File,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Format {
    format: u32,
    written_by: String,
}

impl DataDir {
    /// Takes `directory` for this process, creating it (for its owner alone) when it is missing.
    ///
    /// # Errors
    /// When another process holds it, a newer Tocsin wrote it, or the system refuses.
    pub fn lock(directory: &Path) -> Result<DataDirLock, DataDirError> {
        let io = |source| DataDirError::Io {
            path: directory.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(io)?;
        let directory = directory.canonicalize().map_err(io)?;
        let lock = take_lock(&directory)?;
        check_format(&directory)?;
        Ok(DataDirLock {
            directory,
            _lock: lock,
        })
    }
}

impl DataDirLock {
    /// The directory, as an absolute path without links.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

fn take_lock(directory: &Path) -> Result<File, DataDirError> {
    let path = directory.join("lock");
    let io = |source| DataDirError::Io {
        path: path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            return Err(DataDirError::InUse {
                directory: directory.to_owned(),
                holder: holder(&mut file),
            });
        }
        Err(error) => return Err(io(error.into())),
    }
    // The pid is for people alone; a full disk must not keep the server from starting.
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "its process is not known".to_owned(),
    }
}

fn check_format(directory: &Path) -> Result<(), DataDirError> {
    let file = directory.join("format.json");
    match read_format(&file)? {
        Some(found) if found.format > DATA_FORMAT => Err(DataDirError::Newer {
            directory: directory.to_owned(),
            format: found.format,
            written_by: found.written_by,
        }),
        Some(found) if found == Format::ours() => Ok(()),
        Some(_) | None => write_format(directory, &file),
    }
}

impl Format {
    fn ours() -> Self {
        Self {
            format: DATA_FORMAT,
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn read_format(file: &Path) -> Result<Option<Format>, DataDirError> {
    let io = |source| DataDirError::Io {
        path: file.to_owned(),
        source,
    };
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut bytes = Vec::new();
    opened
        .take(FORMAT_FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let format = serde_json::from_slice(&bytes).map_err(|error| DataDirError::NotOurs {
        file: file.to_owned(),
        detail: error.to_string(),
    })?;
    Ok(Some(format))
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn write_format(directory: &Path, file: &Path) -> Result<(), DataDirError> {
    let beside = directory.join("format.json.new");
    let write = || {
        let mut text = serde_json::to_vec(&Format::ours())?;
        text.push(b'\n');
        let mut opened = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        opened.write_all(&text)?;
        opened.sync_all()?;
        std::fs::rename(&beside, file)?;
        disk::sync_directory(directory)
    };
    write().map_err(|source| DataDirError::Io {
        path: file.to_owned(),
        source,
    })
}
