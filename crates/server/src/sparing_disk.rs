//! The disk as telemetry may use it: the last of its space belongs to the journal, so that paging goes on when it is full. It
//! knows nothing of what is written.

use std::io;
use std::path::Path;

use tocsin_journal::{DiskState, JournalReader, RESERVE_BYTES};
use tocsin_telemetry::{Disk, Draft, LogFile, RealDisk};

/// The log is written in small pieces, and to ask how full the disk is costs more than writing one: it is asked anew after so
/// many bytes, a small part of what is kept for the journal.
const BYTES_UNCHECKED: usize = 256 * 1024;

/// Writes as long as it takes nothing from the journal.
#[derive(Clone)]
pub(crate) struct SparingDisk {
    journal: JournalReader,
}

impl SparingDisk {
    pub(crate) fn new(journal: JournalReader) -> Self {
        Self { journal }
    }

    /// Whether so many bytes may be written.
    fn check(&self, bytes: usize) -> io::Result<()> {
        if is_spent(&self.journal.disk_state(), bytes) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the disk is nearly full, and what is left is kept for paging: free space",
            ));
        }
        Ok(())
    }
}

/// Whether all that would be left after so many bytes is what the journal gave up of its reserve.
fn is_spent(disk: &DiskState, bytes: usize) -> bool {
    !disk.reserve_held
        && disk
            .available_bytes
            .is_some_and(|free| free < RESERVE_BYTES + bytes as u64)
}

impl Disk for SparingDisk {
    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        self.check(0)?;
        Ok(SparingFile::boxed(RealDisk.create_log(path)?, self))
    }

    fn extend_log(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        Ok(SparingFile::boxed(RealDisk.extend_log(path, len)?, self))
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.check(bytes.len())?;
        RealDisk.write_whole(path, bytes)
    }

    fn draft(&self, path: &Path) -> io::Result<Box<dyn Draft>> {
        self.check(0)?;
        Ok(Box::new(SparingDraft {
            inner: RealDisk.draft(path)?,
            disk: self.clone(),
        }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
}

struct SparingDraft {
    inner: Box<dyn Draft>,
    disk: SparingDisk,
}

impl Draft for SparingDraft {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.check(bytes.len())?;
        self.inner.append(bytes)
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.inner.publish()
    }
}

struct SparingFile {
    inner: Box<dyn LogFile>,
    disk: SparingDisk,
    /// Bytes that may be appended before the disk is asked again.
    unchecked: usize,
}

impl SparingFile {
    fn boxed(inner: Box<dyn LogFile>, disk: &SparingDisk) -> Box<dyn LogFile> {
        Box::new(Self {
            inner,
            disk: disk.clone(),
            unchecked: 0,
        })
    }
}

impl LogFile for SparingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.unchecked.checked_sub(bytes.len()) {
            Some(left) => self.unchecked = left,
            None => {
                self.disk.check(bytes.len() + BYTES_UNCHECKED)?;
                self.unchecked = BYTES_UNCHECKED;
            }
        }
        self.inner.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.sync()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.inner.cut(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_space_of_a_reserve_that_was_given_up_is_left_alone() {
        let check = |available_bytes, reserve_held, expected| {
            let disk = DiskState {
                available_bytes,
                reserve_held,
                journal_bytes: 0,
            };
            assert_eq!(is_spent(&disk, 100), expected, "{disk:?}");
        };
        check(Some(RESERVE_BYTES - 1), false, true);
        check(Some(0), false, true);
        check(Some(RESERVE_BYTES + 99), false, true);
        check(Some(RESERVE_BYTES + 100), false, false);
        check(Some(RESERVE_BYTES - 1), true, false);
        check(None, false, false);
    }
}
