//! A disk that refuses on demand.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tocsin_telemetry::{Disk, Draft, LogFile, RealDisk};

/// The real disk, but full, or unable to sync, while the switches say so.
#[derive(Clone, Default)]
pub(crate) struct FaultyDisk {
    pub(crate) full: Arc<AtomicBool>,
    pub(crate) sync_fails: Arc<AtomicBool>,
}

struct FaultyFile {
    inner: Box<dyn LogFile>,
    disk: FaultyDisk,
}

impl FaultyDisk {
    fn check(&self) -> io::Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }

    fn wrap(&self, inner: Box<dyn LogFile>) -> Box<dyn LogFile> {
        Box::new(FaultyFile {
            inner,
            disk: self.clone(),
        })
    }
}

impl Disk for FaultyDisk {
    fn create_log(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        self.check()?;
        Ok(self.wrap(RealDisk.create_log(path)?))
    }

    fn extend_log(&self, path: &Path, len: u64) -> io::Result<Box<dyn LogFile>> {
        Ok(self.wrap(RealDisk.extend_log(path, len)?))
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.check()?;
        RealDisk.write_whole(path, bytes)
    }

    fn draft(&self, path: &Path) -> io::Result<Box<dyn Draft>> {
        self.check()?;
        Ok(Box::new(FaultyDraft {
            inner: RealDisk.draft(path)?,
            disk: self.clone(),
        }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
}

struct FaultyDraft {
    inner: Box<dyn Draft>,
    disk: FaultyDisk,
}

impl Draft for FaultyDraft {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.check()?;
        self.inner.append(bytes)
    }

    fn publish(self: Box<Self>) -> io::Result<()> {
        self.disk.check()?;
        self.inner.publish()
    }
}

impl LogFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.disk.full.load(Ordering::Relaxed) {
            // A full disk takes a part before it refuses.
            self.inner.append(&bytes[..bytes.len() / 2])?;
        }
        self.disk.check()?;
        self.inner.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.disk.sync_fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the medium is gone"));
        }
        self.inner.sync()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.inner.cut(len)
    }
}
