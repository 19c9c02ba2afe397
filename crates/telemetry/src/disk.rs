//! The port to the disk for what is written: the shell's is [`RealDisk`], a simulation brings its own with faults.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
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

/// A file that only grows. Zeros may stand behind its end.
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
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        sync_folder_of(path)?;
        Ok(Box::new(RealLog {
            file,
            end: 0,
            room: 0,
        }))
    }

    fn extend_log(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        let file = OpenOptions::new().write(true).open(path)?;
        let mut log = RealLog {
            file,
            end: len,
            room: len,
        };
        log.cut(len)?;
        Ok(Box::new(log))
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

/// Zeros that are written ahead of the end of a log file at a time.
const ROOM_BYTES: u64 = 256 * 1024;

/// A log file with zeros behind its end. A sync after each small append is what a log costs most, and one that neither makes
/// the file longer nor takes new blocks of the disk spares the file system a commit of its own journal.
struct RealLog {
    file: File,
    /// Where the next bytes go.
    end: u64,
    /// Where the zeros end.
    room: u64,
}

impl RealLog {
    /// Writes zeros behind the end. Where that fails, the next append will tell.
    fn make_room(&mut self) {
        let room = self.end.next_multiple_of(ROOM_BYTES);
        let zeros = usize::try_from(room - self.end).unwrap_or_default();
        let made = self.file.write_all_at(&vec![0; zeros], self.end);
        self.room = if made.is_ok() { room } else { self.end };
    }
}

impl LogFile for RealLog {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        if self.end > self.room {
            self.make_room();
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        (self.end, self.room) = (len, len);
        self.file.sync_data()
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
