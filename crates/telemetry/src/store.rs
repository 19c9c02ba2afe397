//! The store: appending, and what it tells about itself. Its one lock order is upkeep, end of the log, writer, head.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tocsin_domain::signal::Batch;
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::{Write, Written};
use tocsin_promql::Labels;

use crate::accept::{self, Bounds};
use crate::error::{AppendError, OpenError};
use crate::head::Head;
use crate::options::{OpenReport, Options, Refused, Stats};
use crate::payload::pack;
use crate::recovery::{self, Opened};
use crate::sample_block::PageCache;
use crate::wal::{LogEnd, Prepared, Queue};

/// The place of an append in the order of all appends; it grows for as long as the store lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// As a number to keep.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// From a number that was kept.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }
}

/// An embedded store of samples, facts and log lines in one folder.
pub struct Store {
    pub(crate) folder: PathBuf,
    pub(crate) options: Options,
    end: Mutex<LogEnd>,
    /// Held for as long as blocks are written or merged: only one thread at a time does.
    upkeep: Mutex<()>,
    writer: Mutex<Writer>,
    head: RwLock<Head>,
    pub(crate) pages: Arc<PageCache>,
    /// Held for as long as the store is open, so that no second process opens it.
    _lock: File,
}

/// What only one thread at a time may do.
pub(crate) struct Writer {
    pub(crate) queue: Queue,
    /// Numbers of the log files that are closed and not sealed yet.
    pub(crate) closed: Vec<u64>,
    /// Numbers of the log files whose contents are being sealed, those that could not be removed after it among them, and the last
    /// frame in them.
    pub(crate) frozen_files: Vec<u64>,
    pub(crate) frozen_through: u64,
    /// Number of the next block.
    pub(crate) next_block: u64,
    /// When the first batch came that is not sealed.
    pub(crate) logged_since: Option<Timestamp>,
    /// Bytes of packed facts and log lines since then.
    pub(crate) logged_record_bytes: u64,
    pub(crate) refused: Refused,
    pub(crate) unwritten: Unwritten,
}

/// Facts and log lines that are in memory alone since the disk refuses them, and those for which there was no room there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unwritten {
    /// Bytes as JSON, since the last time all was sealed.
    bytes: usize,
    dropped_logs: u64,
    dropped_facts: u64,
}

impl Unwritten {
    /// What of a batch there is room for: all samples, its facts, its log lines while they take less than half of the room.
    fn take<'a>(&mut self, batch: &'a Batch, bytes_max: usize) -> Cow<'a, Batch> {
        let mut kept = Cow::Borrowed(batch);
        if !self.has_room(&batch.logs, bytes_max / 2) {
            self.dropped_logs += batch.logs.len() as u64;
            kept.to_mut().logs.clear();
        }
        if !self.has_room(&batch.facts, bytes_max) {
            self.dropped_facts += batch.facts.len() as u64;
            kept.to_mut().facts.clear();
        }
        kept
    }

    fn has_room<T: serde::Serialize>(&mut self, records: &[T], bytes_max: usize) -> bool {
        if records.is_empty() {
            return true;
        }
        let bytes = serde_json::to_vec(records).map_or(0, |json| json.len());
        let fits = self.bytes + bytes <= bytes_max;
        if fits {
            self.bytes += bytes;
        }
        fits
    }

    /// What was unwritten goes into a block.
    pub(crate) fn sealed(&mut self) {
        self.bytes = 0;
    }
}

impl Store {
    /// Opens the store of a folder, which is created if need be. Only one process can have it open.
    ///
    /// # Errors
    /// When the folder cannot be used, another process uses it, or a newer version wrote it. Damaged files are no error:
    /// they are set aside and reported.
    pub fn open(folder: &Path, options: Options) -> Result<(Self, OpenReport), OpenError> {
        let Opened {
            head,
            end,
            writer,
            pages,
            lock,
            report,
        } = recovery::open(folder, &options)?;
        let store = Self {
            folder: folder.to_owned(),
            options,
            end: Mutex::new(end),
            upkeep: Mutex::new(()),
            writer: Mutex::new(writer),
            head: RwLock::new(head),
            pages,
            _lock: lock,
        };
        Ok((store, report))
    }

    /// Stores a batch: when this returns it is on disk, and queries see it. Samples beyond the limits are refused and
    /// counted; the rest of the batch stands.
    ///
    /// # Errors
    /// When the batch could not be written. Queries see it none the less, [`Stats::degraded`] says why, and it is
    /// written with the next append that succeeds. While the disk goes on to refuse, log lines and then facts beyond
    /// [`Limits::unwritten_record_bytes_max`] are dropped and counted.
    pub fn append(&self, batch: &Batch, now: Timestamp) -> Result<Position, AppendError> {
        self.append_group(&[batch], now)
    }

    /// Stores several batches with one sync, in their order.
    ///
    /// # Errors
    /// As [`Store::append`]; then none of them is on disk.
    pub fn append_group(
        &self,
        batches: &[&Batch],
        now: Timestamp,
    ) -> Result<Position, AppendError> {
        let bounds = self.bounds(now);
        let mut writer = self.lock_writer();
        let mut sequence = writer.queue.sequence;
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            let batch = match writer.queue.is_refused() {
                true => {
                    let bytes_max = self.options.limits.unwritten_record_bytes_max;
                    writer.unwritten.take(batch, bytes_max)
                }
                false => Cow::Borrowed(*batch),
            };
            // Facts and logs are plain data: that they cannot be written as JSON does not happen, and is not fatal.
            let facts = pack(&batch.facts).unwrap_or_default();
            let logs = pack(&batch.logs).unwrap_or_default();
            let mut head = self.head_mut();
            let write = accept::as_write(&batch);
            let taken = accept::take(&mut head, &write, accept::AGENT, bounds, (&facts, &logs));
            head.fresh.facts.extend_from_slice(&batch.facts);
            head.fresh.logs.extend_from_slice(&batch.logs);
            drop(head);
            writer.logged_record_bytes += (facts.len() + logs.len()) as u64;
            sequence = writer.enqueue(taken, now).0;
        }
        drop(writer);
        self.commit(sequence, false)?;
        Ok(Position(sequence))
    }

    /// Stores what a client sent: when this returns it is on disk, and queries see it. `source` names who sent it, for the
    /// limit on series. What is refused is counted; the rest stands.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn write(
        &self,
        write: &Write<'_>,
        source: &str,
        now: Timestamp,
    ) -> Result<Written, AppendError> {
        let bounds = self.bounds(now);
        let mut writer = self.lock_writer();
        let taken = accept::take(&mut self.head_mut(), write, source, bounds, (&[], &[]));
        let has_known = taken.has_known;
        let (sequence, written) = writer.enqueue(taken, now);
        drop(writer);
        self.commit(sequence, has_known)?;
        Ok(written)
    }

    fn bounds(&self, now: Timestamp) -> Bounds {
        Bounds::at(now, self.options.limits, self.options.retention_ms)
    }

    /// Returns when the log is on disk up to a batch. Whoever comes first writes for all who wait. `of_earlier`: something that
    /// earlier batches brought has to be on disk as well.
    fn commit(&self, sequence: u64, of_earlier: bool) -> Result<(), AppendError> {
        let mut end = self.lock_end();
        if end.durable < sequence {
            let mut writer = self.lock_writer();
            let waiting = writer.queue.take();
            drop(writer);
            let written = self.write_out(&mut end, waiting);
            written.map_err(|error| AppendError::NotDurable {
                reason: error.to_string(),
                waiting: self.lock_writer().queue.state.refused,
            })?;
        }
        let is_given_up = end.given_up > 0 && (of_earlier || sequence <= end.given_up);
        if is_given_up || end.durable < sequence {
            return Err(AppendError::NotDurable {
                reason:
                    "more waited for the disk than there was room for; it will be in the next block"
                        .to_owned(),
                waiting: 0,
            });
        }
        Ok(())
    }

    /// Writes what still waits, for who holds the end of the log and the writer.
    pub(crate) fn write_waiting(&self, end: &mut LogEnd, writer: &mut Writer) -> io::Result<()> {
        let waiting = writer.queue.take();
        let written = end.write(&waiting, &|series| self.labels_of(series));
        writer.note_written(end, waiting, &written);
        written
    }

    /// The same without the writer, so that others can be taken in meanwhile.
    fn write_out(&self, end: &mut LogEnd, waiting: Vec<Prepared>) -> io::Result<()> {
        let written = end.write(&waiting, &|series| self.labels_of(series));
        self.lock_writer().note_written(end, waiting, &written);
        written
    }

    fn labels_of(&self, series: &[u32]) -> Vec<(u32, Labels)> {
        let head = self.head();
        let series = series.iter();
        series.map(|one| (*one, head.labels(*one))).collect()
    }

    /// Counts and states.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let segment_len = self.lock_end().segment_len();
        let writer = self.lock_writer();
        let head = self.head();
        let state = &writer.queue.state;
        let sample_blocks = head.sample_blocks.iter();
        Stats {
            series: head.registry.len(),
            series_by_source: head.sources.list(),
            samples: head.samples(),
            samples_in_head: head.tails.unsealed(),
            segments: writer.closed.len() + usize::from(segment_len > 0),
            blocks: head.sample_blocks.len() + head.record_blocks.len(),
            sample_blocks: head.sample_blocks.len(),
            sample_block_bytes: sample_blocks.map(|block| block.len()).sum(),
            size_on_disk: self.size_on_disk(),
            refused: writer.refused,
            degraded: state.degraded.clone(),
            last_disk_error: state.last_error.clone(),
            waiting: state.refused,
            never_written: state.never_written,
            dropped_logs: writer.unwritten.dropped_logs,
            dropped_facts: writer.unwritten.dropped_facts,
        }
    }

    /// Bytes of the store's files.
    #[must_use]
    pub fn size_on_disk(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return 0;
        };
        let sizes = entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()));
        sizes.sum()
    }

    /// Newest sample of all series, milliseconds.
    #[must_use]
    pub fn newest_ms(&self) -> Option<i64> {
        self.head().span_ms().map(|(_, newest_ms)| newest_ms)
    }

    /// Position of the last append.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.lock_writer().queue.sequence)
    }

    pub(crate) fn lock_upkeep(&self) -> MutexGuard<'_, ()> {
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_end(&self) -> MutexGuard<'_, LogEnd> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self) -> RwLockReadGuard<'_, Head> {
        self.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head_mut(&self) -> RwLockWriteGuard<'_, Head> {
        self.head.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// Remembers whether the disk took batches.
    fn note_written(&mut self, end: &mut LogEnd, batches: Vec<Prepared>, written: &io::Result<()>) {
        match written {
            Ok(()) => self.queue.written(),
            Err(error) => {
                let given_up = self.queue.put_back(batches, error);
                end.given_up = given_up.unwrap_or(end.given_up);
            }
        }
    }

    /// Puts what was taken in line for the log. Gives the sequence number that it is on disk with.
    fn enqueue(&mut self, taken: accept::Taken, now: Timestamp) -> (u64, Written) {
        accept::add(&mut self.refused, &taken.written.refused);
        if taken.rest.is_empty() {
            return (self.queue.sequence, taken.written);
        }
        if self.logged_since.is_none() {
            self.logged_since = Some(now);
        }
        let series = accept::distinct(taken.series);
        (self.queue.push(series, taken.rest), taken.written)
    }
}
