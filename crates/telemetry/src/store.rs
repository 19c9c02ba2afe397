//! The store: appending, and what it tells about itself. Its one lock order is writer, then head.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tocsin_domain::signal::{Batch, Sample};
use tocsin_domain::time::Timestamp;
use tocsin_promql::Labels;

use crate::error::{AppendError, OpenError};
use crate::head::{Head, Pushed};
use crate::options::{Limits, OpenReport, Options, Refused, Stats};
use crate::payload::{Point, pack};
use crate::recovery::{self, Opened};
use crate::wal::{Prepared, Wal};

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
    pub(crate) writer: Mutex<Writer>,
    head: RwLock<Head>,
    /// Held for as long as the store is open, so that no second process opens it.
    _lock: File,
}

/// What only one thread at a time may do.
pub(crate) struct Writer {
    pub(crate) wal: Wal,
    /// Numbers of the log files that are closed and not sealed yet.
    pub(crate) closed: Vec<u64>,
    /// Numbers of the log files whose contents are being sealed, and the last frame in them.
    pub(crate) frozen_files: Vec<u64>,
    pub(crate) frozen_through: u64,
    /// Number of the next block.
    pub(crate) next_block: u64,
    /// Newest instant of the first batch that is not sealed, milliseconds: the age of what is logged.
    pub(crate) logged_since_ms: Option<i64>,
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
            writer,
            lock,
            report,
        } = recovery::open(folder, &options)?;
        let store = Self {
            folder: folder.to_owned(),
            options,
            writer: Mutex::new(writer),
            head: RwLock::new(head),
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
        let mut writer = self.lock_writer();
        let bytes_max = self.options.limits.unwritten_record_bytes_max;
        let is_refused = writer.wal.state().waiting > 0;
        let kept: Vec<Cow<'_, Batch>> = batches
            .iter()
            .filter(|batch| !batch.is_empty())
            .map(|batch| match is_refused {
                true => writer.unwritten.take(batch, bytes_max),
                false => Cow::Borrowed(*batch),
            })
            .collect();
        let mut prepared = Vec::with_capacity(kept.len());
        for batch in &kept {
            let points = self.accept(&batch.samples, now, &mut writer.refused);
            if writer.logged_since_ms.is_none() {
                writer.logged_since_ms = newest_ms(batch);
            }
            // Facts and logs are plain data: that they cannot be written as JSON does not happen, and is not fatal.
            let facts = pack(&batch.facts).unwrap_or_default();
            let logs = pack(&batch.logs).unwrap_or_default();
            prepared.push(Prepared::new(points, facts, logs));
        }
        if prepared.is_empty() {
            return Ok(Position(writer.wal.sequence()));
        }
        let points: Vec<Point> = prepared.iter().flat_map(|one| one.points.clone()).collect();
        let written = {
            let labels_of = |series: u32| self.head().index.labels(series).cloned();
            writer.wal.append(prepared, &labels_of)
        };
        self.apply(&points, &kept, &mut writer.refused);
        match written {
            Ok(()) => Ok(Position(writer.wal.sequence())),
            Err(error) => Err(AppendError::NotDurable {
                reason: error.to_string(),
                waiting: writer.wal.state().waiting,
            }),
        }
    }

    /// Counts and states.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let writer = self.lock_writer();
        let head = self.head();
        let state = writer.wal.state();
        Stats {
            series: head.index.len(),
            samples: head.samples(),
            samples_in_head: head.unsealed_samples(),
            segments: writer.closed.len() + usize::from(writer.wal.segment_len() > 0),
            blocks: head.blocks.len(),
            size_on_disk: self.size_on_disk(),
            refused: writer.refused,
            degraded: state.degraded.clone(),
            last_disk_error: state.last_error.clone(),
            waiting: state.waiting,
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
        self.head().newest_of_all_ms()
    }

    /// Position of the last append.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.lock_writer().wal.sequence())
    }

    /// The samples that are within the limits, their series found or added.
    fn accept(&self, samples: &[Sample], now: Timestamp, refused: &mut Refused) -> Vec<Point> {
        let limits = self.options.limits;
        let latest_ms = now.plus_ms(limits.early_ms_max).as_millis();
        let mut points = Vec::with_capacity(samples.len());
        let mut head = self.head_mut();
        for sample in samples {
            let at_ms = sample.at.as_millis();
            if at_ms > latest_ms {
                refused.too_early += 1;
                continue;
            }
            let pairs = sample.labels.iter();
            let known = head
                .index
                .find(pairs.map(|(n, v)| (n.as_str(), v.as_str())));
            let series = match known {
                Some(series) => series,
                None if !labels_fit(sample, &limits) => {
                    refused.labels += 1;
                    continue;
                }
                None if head.index.len() >= limits.series_max => {
                    refused.series_limit += 1;
                    continue;
                }
                None => head.series_of(&Labels::from(&sample.labels)),
            };
            let oldest_ms = head.newest_ms(series).map(|newest_ms| {
                Timestamp::from_millis(newest_ms)
                    .minus_ms(limits.late_ms_max)
                    .as_millis()
            });
            if oldest_ms.is_some_and(|oldest_ms| at_ms < oldest_ms) {
                refused.too_late += 1;
                continue;
            }
            points.push(Point {
                series,
                at_ms,
                value: sample.value,
            });
        }
        points
    }

    /// Lets queries see what was appended.
    fn apply(&self, points: &[Point], batches: &[Cow<'_, Batch>], refused: &mut Refused) {
        let mut head = self.head_mut();
        for point in points {
            if head.push(*point) == Pushed::Conflicting {
                refused.conflicting += 1;
            }
        }
        for batch in batches {
            head.fresh.facts.extend_from_slice(&batch.facts);
            head.fresh.logs.extend_from_slice(&batch.logs);
        }
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

fn labels_fit(sample: &Sample, limits: &Limits) -> bool {
    let sizes_fit = |(name, value): (&String, &String)| {
        !name.is_empty()
            && name.len() <= limits.label_name_bytes_max
            && value.len() <= limits.label_value_bytes_max
    };
    let count = sample
        .labels
        .values()
        .filter(|value| !value.is_empty())
        .count();
    count > 0 && sample.labels.len() <= limits.labels_max && sample.labels.iter().all(sizes_fit)
}

/// Newest instant of a batch, milliseconds.
pub(crate) fn newest_ms(batch: &Batch) -> Option<i64> {
    let samples = batch.samples.iter().map(|one| one.at);
    let facts = batch.facts.iter().map(|one| one.at);
    let logs = batch.logs.iter().map(|one| one.at);
    samples
        .chain(facts)
        .chain(logs)
        .max()
        .map(Timestamp::as_millis)
}
