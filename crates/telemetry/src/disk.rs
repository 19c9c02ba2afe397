//! The port to the disk for what is written: the shell's is [`RealDisk`], a simulation brings its own with faults.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates, extends and removes the store's files.
pub trait Disk: Send + Sync {
    /// Creates a log file that is not there yet.
    ///
    /// # Errors
    /// As the file system says.
    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>>;

    /// Opens a log file to extend it after its first `len` bytes; what is behind them is cut off.
    ///
    /// # Errors
    /// As the file system says.
    fn extend_log(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>>;

    /// Puts a whole file in place, durably and at once: a reader finds all of it or none.
    ///
    /// # Errors
    /// As the file system says; then nothing is in place.
    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Begins a file that is written piece by piece and put in place at its end, as [`Disk::write_whole`] does.
    ///
    /// # Errors
    /// As the file system says.
    fn draft(&self, path: &Path) -> io::Result<Box<dyn Draft>>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the file system says.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// A file that only grows.
pub trait LogFile: Send {
    /// Appends bytes. After an error some of them may be in the file.
    ///
    /// # Errors
    /// As the file system says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was appended is on the medium.
    ///
    /// # Errors
    /// As the file system says; what was appended since the last sync may then be lost even if a later sync succeeds.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to its first `len` bytes.
    ///
    /// # Errors
    /// As the file system says.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// A file that nobody sees until it is whole. One that is dropped before is removed.
pub trait Draft: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// As the file system says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Puts the file in place, durably and at once.
    ///
    /// # Errors
    /// As the file system says; then nothing is in place.
    fn publish(self: Box<Self>) -> io::Result<()>;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)?;
        sync_folder_of(path)?;
        Ok(Box::new(file))
    }

    fn extend_log(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        let mut file: Box<dyn LogFile> = Box::new(OpenOptions::new().append(true).open(path)?);
        file.cut(len)?;
        Ok(file)
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut draft = self.draft(path)?;
        draft.append(bytes)?;
        draft.publish()
    }

    fn draft(&self, path: &Path) -> io::Result<Box<dyn Draft>> {
        let draft = path.with_extension("draft");
        Ok(Box::new(RealDraft {
            file: File::create(&draft)?,
            draft,
            path: path.to_owned(),
        }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

impl LogFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        self.sync_data()
    }
}

struct RealDraft {
    file: File,
    draft: PathBuf,
    path: PathBuf,
}

impl Draft for RealDraft {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.draft, &self.path)?;
        sync_folder_of(&self.path)
    }
}

impl Drop for RealDraft {
    fn drop(&mut self) {
        // It is gone already when it was published. One that stays only takes room; the next open removes it as well.
        let _ = std::fs::remove_file(&self.draft);
    }
}

/// A new name is durable only when its folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
