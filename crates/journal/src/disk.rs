//! Space on the disk of the data directory, and a reserve that lets paging go on when it is full; it knows no database.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

/// Size of the reserve, in bytes.
pub const RESERVE_BYTES: u64 = 16 * 1024 * 1024;
/// The reserve is taken (again) only when this many times its size is free, so that it does not come and go.
const FREE_PER_RESERVE: u64 = 2;
/// Blocks that `stat` counts, in bytes (POSIX `st_blocks` on Linux).
const STAT_BLOCK_BYTES: u64 = 512;

/// What is left on the disk of the data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskState {
    /// Bytes that are free for Tocsin; none when the system does not tell.
    pub available_bytes: Option<u64>,
    /// Whether the reserve is in place; without it, the disk is or was full and the next full disk stops paging.
    pub reserve_held: bool,
    /// Size of the journal and its write-ahead log, in bytes.
    pub journal_bytes: u64,
}

/// The disk that holds one data directory.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    journal: PathBuf,
}

impl Disk {
    pub(crate) fn new(directory: &Path, journal: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            journal: journal.to_owned(),
        }
    }

    fn reserve(&self) -> PathBuf {
        self.directory.join("reserve")
    }

    /// Whether the reserve occupies its blocks; a sparse or short file reserves nothing.
    pub(crate) fn reserve_held(&self) -> bool {
        std::fs::metadata(self.reserve())
            .is_ok_and(|found| found.blocks() * STAT_BLOCK_BYTES >= RESERVE_BYTES)
    }

    /// Gives the reserve's space back to the disk; says whether there was any.
    pub(crate) fn release_reserve(&self) -> bool {
        let held = self.reserve_held();
        let removed = std::fs::remove_file(self.reserve()).is_ok();
        held && removed
    }

    /// Takes the reserve if it is not held and the disk has room to spare; says whether it is held now.
    pub(crate) fn restore_reserve(&self) -> bool {
        if self.reserve_held() {
            return true;
        }
        let free = available_bytes(&self.directory).unwrap_or(0);
        if free < RESERVE_BYTES * FREE_PER_RESERVE {
            return false;
        }
        if allocate(&self.reserve()).is_err() {
            let _ = std::fs::remove_file(self.reserve());
        }
        self.reserve_held()
    }

    pub(crate) fn state(&self) -> DiskState {
        let mut log = self.journal.clone().into_os_string();
        log.push("-wal");
        DiskState {
            available_bytes: available_bytes(&self.directory),
            reserve_held: self.reserve_held(),
            journal_bytes: size(&self.journal) + size(Path::new(&log)),
        }
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

/// Bytes free for us on the disk of `directory`.
pub(crate) fn available_bytes(directory: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(directory).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Makes the reserve with real blocks, also on file systems that cannot allocate without writing.
fn allocate(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
        Ok(()) => file.sync_all(),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let block = vec![0x5a_u8; 1024 * 1024];
            let mut left = RESERVE_BYTES;
            while left > 0 {
                file.write_all(&block)?;
                left = left.saturating_sub(1024 * 1024);
            }
            file.sync_all()
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the names of new files in `directory` survive a power cut.
pub(crate) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}
