//! The data of a block, read in pages that are checked once and kept for a while; it knows no runs.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::PAGE_BYTES;
use super::decoded::Decoded;

/// Pages of all blocks that are kept, 8 MiB in all.
const PAGES_KEPT_MAX: usize = 128;

/// Pages that were read lately, of which the oldest goes first, and runs that were decoded.
#[derive(Default)]
pub(crate) struct PageCache {
    kept: Mutex<Kept>,
    /// Blocks that were opened, to tell their pages apart.
    opened: AtomicU64,
    decoded: Decoded,
}

#[derive(Default)]
struct Kept {
    pages: BTreeMap<(u64, usize), Arc<[u8]>>,
    order: VecDeque<(u64, usize)>,
}

impl PageCache {
    fn find(&self, key: (u64, usize)) -> Option<Arc<[u8]>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pages.get(&key).map(Arc::clone)
    }

    fn keep(&self, key: (u64, usize), page: &Arc<[u8]>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.pages.insert(key, Arc::clone(page)).is_none() {
            kept.order.push_back(key);
        }
        if kept.order.len() > PAGES_KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.pages.remove(&oldest);
        }
    }
}

/// The pages of one file.
pub(super) struct Pages {
    file: File,
    /// Where the data begins in the file.
    at: u64,
    /// Bytes of data.
    len: u64,
    checksums: Vec<u32>,
    cache: Arc<PageCache>,
    name: u64,
}

impl Pages {
    pub(super) fn new(
        file: File,
        at: u64,
        len: u64,
        checksums: Vec<u32>,
        cache: Arc<PageCache>,
    ) -> Self {
        let name = cache.opened.fetch_add(1, Ordering::Relaxed);
        Self {
            file,
            at,
            len,
            checksums,
            cache,
            name,
        }
    }

    /// The values of a run: as they were decoded lately, or as `decode` gives them.
    pub(super) fn decoded<E>(
        &self,
        run: usize,
        decode: impl FnOnce() -> Result<Arc<[f64]>, E>,
    ) -> Result<Arc<[f64]>, E> {
        let key = (self.name, run);
        if let Some(values) = self.cache.decoded.find(key) {
            return Ok(values);
        }
        let values = decode()?;
        self.cache.decoded.keep(key, &values);
        Ok(values)
    }

    /// Reads bytes of the data.
    pub(super) fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(len);
        let mut at = usize::try_from(at).map_err(|_| "the file is too large".to_owned())?;
        while bytes.len() < len {
            let page = self.page(at / PAGE_BYTES)?;
            let from = at % PAGE_BYTES;
            let some = page.get(from..).unwrap_or_default();
            let some = &some[..some.len().min(len - bytes.len())];
            if some.is_empty() {
                return Err("the file is too short".to_owned());
            }
            bytes.extend_from_slice(some);
            at += some.len();
        }
        Ok(bytes)
    }

    fn page(&self, number: usize) -> Result<Arc<[u8]>, String> {
        let key = (self.name, number);
        if let Some(page) = self.cache.find(key) {
            return Ok(page);
        }
        let begin = number as u64 * PAGE_BYTES as u64;
        let len = self.len.saturating_sub(begin).min(PAGE_BYTES as u64);
        let mut page = vec![0; usize::try_from(len).unwrap_or(PAGE_BYTES)];
        self.file
            .read_exact_at(&mut page, self.at + begin)
            .map_err(|error| error.to_string())?;
        if self.checksums.get(number) != Some(&crc32fast::hash(&page)) {
            return Err(format!("the checksum of page {number} is wrong"));
        }
        let page: Arc<[u8]> = page.into();
        self.cache.keep(key, &page);
        Ok(page)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.cache.decoded.forget(self.name);
    }
}
