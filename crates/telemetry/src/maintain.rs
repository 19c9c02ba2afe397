//! Upkeep: one step seals what has been logged for long enough and drops what is too old. It may be repeated at any time. How
//! blocks are merged it does not know.

use std::path::Path;
use std::sync::Arc;

use tocsin_domain::id::TargetId;
use tocsin_domain::time::Timestamp;

use crate::error::MaintainError;
use crate::head::Records;
use crate::record_block::{self, Block, block_path};
use crate::sample_block::{self, About, BlockError, BlockWriter, SampleBlock};
use crate::store::{Store, Writer};

/// Series whose samples are packed while the head is held.
const SERIES_AT_ONCE: usize = 64;
/// A series without samples for so long gives its place in memory up, milliseconds.
const IDLE_MS: u64 = 2 * 3_600_000;

/// A span that must not be dropped, however old: the evidence of an incident that is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Whose.
    pub target: TargetId,
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
}

/// What a step of upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Samples that went into a new block.
    pub sealed_samples: u64,
    /// Blocks that were merged into one.
    pub merged_blocks: usize,
    /// Blocks that were dropped because of their age, or because all of them took too much room.
    pub dropped_blocks: usize,
}

/// What is being sealed.
struct Freezing {
    records: Arc<Records>,
    through: u64,
}

impl Store {
    /// Seals what is due, merges blocks, and drops those that are older than the retention and touch no pin. Appends and
    /// queries go on meanwhile. Meant to be called each minute or so, and when [`Store::is_sealing_due`], from a thread of its own.
    ///
    /// # Errors
    /// When a block could not be written: its samples stay in memory and in the log, and the next step tries again.
    pub fn maintain(&self, now: Timestamp, pins: &[Pin]) -> Result<Maintained, MaintainError> {
        let _alone = self.lock_upkeep();
        let mut done = Maintained::default();
        // Each part has its turn, whatever became of those before.
        let sealed = match self.freeze_if_due(now) {
            Some(freezing) => self.seal(&freezing, &mut done),
            None => Ok(()),
        };
        let dropped = self.drop_old(now, pins, &mut done);
        self.forget_idle(now);
        // Where no block can be written, merging would be work for nothing.
        let merged = match sealed.is_ok() {
            true => self.merge_all(&mut done),
            false => Ok(()),
        };
        let removed = self.remove_void();
        // A block that cannot be merged is told once, so it comes first.
        let parts = merged.and(sealed).and(dropped).and(removed);
        parts.map(|()| done)
    }

    /// Whether so much is in memory that it should be sealed now.
    #[must_use]
    pub fn is_sealing_due(&self) -> bool {
        let due = self.options.seal_samples;
        // What was given up is in memory alone: a block is the only file that can hold it.
        let is_given_up = self.lock_end().given_up > 0;
        let record_bytes = self.lock_writer().logged_record_bytes;
        let head = self.head();
        let (unsealed, series) = (head.tails.unsealed(), head.registry.len() as u64);
        let enough = due.per_series.saturating_mul(series);
        let most = due
            .max
            .saturating_add(due.max_per_series.saturating_mul(series));
        unsealed >= due.min.max(enough.min(most))
            || head.tails.late_samples() >= due.late_max
            || record_bytes >= self.options.seal_after_record_bytes
            || is_given_up
    }

    /// Seals everything now: before a backup, or in tests.
    ///
    /// # Errors
    /// As [`Store::maintain`].
    pub fn seal_now(&self) -> Result<(), MaintainError> {
        let _alone = self.lock_upkeep();
        let sealed = self.seal_all(&mut Maintained::default());
        sealed.and(self.remove_void())
    }

    pub(crate) fn seal_all(&self, done: &mut Maintained) -> Result<(), MaintainError> {
        match self.freeze_when(|_| true) {
            Some(freezing) => self.seal(&freezing, done),
            None => Ok(()),
        }
    }

    /// Seals everything and merges all blocks of samples into as few as there may be. Takes its time.
    ///
    /// # Errors
    /// As [`Store::maintain`].
    pub fn compact_now(&self) -> Result<(), MaintainError> {
        let _alone = self.lock_upkeep();
        let mut done = Maintained::default();
        self.seal_all(&mut done)?;
        let mut merged = Ok(());
        loop {
            match self.merge_some(true, &mut done) {
                Ok(true) => {}
                Ok(false) => return merged.and(self.remove_void()),
                Err(error) => {
                    let is_last = !matches!(error, MaintainError::Unmergeable { .. });
                    merged = merged.and(Err(error));
                    if is_last {
                        return merged;
                    }
                }
            }
        }
    }

    fn freeze_if_due(&self, now: Timestamp) -> Option<Freezing> {
        let due = now.minus_ms(self.options.seal_after_ms);
        let is_full = self.is_sealing_due();
        self.freeze_when(|writer| {
            is_full
                || writer.logged_since.is_some_and(|since| since <= due)
                || !writer.closed.is_empty()
        })
    }

    /// Closes the log file and freezes what it holds. Gives what waits to be sealed.
    fn freeze_when(&self, due: impl Fn(&Writer) -> bool) -> Option<Freezing> {
        let mut end = self.lock_end();
        let mut writer = self.lock_writer();
        // While the disk refuses writes, a block would be refused too, and what waits is in no file that could be removed.
        self.write_waiting(&mut end, &mut writer).ok()?;
        let mut head = self.head_mut();
        if let Some(records) = &head.freezing {
            return Some(Freezing {
                records: Arc::clone(records),
                through: writer.frozen_through,
            });
        }
        let is_nothing = head.tails.unsealed() == 0 && head.fresh.is_empty();
        if is_nothing || !due(&writer) {
            return None;
        }
        writer.closed.extend(end.rotate());
        writer.logged_since = None;
        writer.logged_record_bytes = 0;
        writer.unwritten.sealed();
        writer.frozen_through = writer.queue.sequence;
        // Those of the time before that could not be removed are still among them.
        let closed = std::mem::take(&mut writer.closed);
        writer.frozen_files.extend(closed);
        head.tails.freeze();
        let records = Arc::new(std::mem::take(&mut head.fresh));
        head.freezing = Some(Arc::clone(&records));
        let elsewhere = head.not_in_blocks();
        drop(head);
        if let Some((series, rest)) = elsewhere {
            writer.queue.push(series, rest);
            // If the disk refuses it now, it is written with whatever comes next.
            let _ = self.write_waiting(&mut end, &mut writer);
        }
        Some(Freezing {
            records,
            through: writer.frozen_through,
        })
    }

    /// Writes what is frozen into blocks. The files of the log it was in are left to [`Store::remove_void`].
    fn seal(&self, freezing: &Freezing, done: &mut Maintained) -> Result<(), MaintainError> {
        let written = self.write_blocks(freezing);
        let mut end = self.lock_end();
        let mut writer = self.lock_writer();
        let (records, samples) = match written {
            Ok(blocks) => blocks,
            Err(error) => {
                if let MaintainError::Write { source, .. } = &error {
                    writer.queue.note_error(source);
                }
                return Err(error);
            }
        };
        done.sealed_samples += samples.as_ref().map_or(0, |block| block.about().samples);
        let mut head = self.head_mut();
        head.record_blocks.extend(records.map(Arc::new));
        if let Some(samples) = samples {
            head.install(samples);
        }
        head.tails.sealed();
        head.freezing = None;
        drop(head);
        if end.given_up <= freezing.through {
            end.given_up = 0;
        }
        writer.queue.note_success();
        Ok(())
    }

    fn write_blocks(
        &self,
        freezing: &Freezing,
    ) -> Result<(Option<Block>, Option<SampleBlock>), MaintainError> {
        let records = match freezing.records.is_empty() {
            true => None,
            false => {
                let path = block_path(&self.folder, self.take_number());
                let written = self.write_records(&path, freezing);
                Some(written.map_err(|error| error.at(&path))?)
            }
        };
        let number = self.take_number();
        let path = sample_block::path_of(&self.folder, number);
        let written = self.write_samples(&path, number, freezing.through);
        match written {
            Ok(samples) => Ok((records, samples)),
            Err(error) => {
                // The next step writes both anew; two blocks with the same contents would show or count them twice.
                let _ = self.options.disk.remove(&path);
                if let Some(block) = records {
                    let _ = self.options.disk.remove(block.path());
                }
                Err(error.at(&path))
            }
        }
    }

    /// Gives out the number of a new block.
    pub(crate) fn take_number(&self) -> u64 {
        let mut writer = self.lock_writer();
        writer.next_block += 1;
        writer.next_block - 1
    }

    fn write_records(&self, path: &Path, freezing: &Freezing) -> Result<Block, BlockError> {
        let bytes = record_block::build(&freezing.records, freezing.through)?;
        self.options.disk.write_whole(path, &bytes)?;
        Block::open(path)
    }

    fn write_samples(
        &self,
        path: &Path,
        number: u64,
        through: u64,
    ) -> Result<Option<SampleBlock>, BlockError> {
        let mut block = BlockWriter::new(self.options.disk.draft(path)?)?;
        let mut numbers = Vec::new();
        let count = self.head().tails.numbers();
        for first in (0..count).step_by(SERIES_AT_ONCE) {
            let head = self.head();
            for series in first..(first + SERIES_AT_ONCE).min(count) {
                let series = crate::series::short(series);
                let tail = head.tails.sealable(series);
                let late = head.tails.sealable_late(series);
                if tail.is_none() && late.is_none() {
                    continue;
                }
                block.begin(&head.labels(series));
                numbers.push(series);
                if let Some(late) = late {
                    let times: Vec<i64> = late.keys().copied().collect();
                    let values: Vec<f64> =
                        late.values().map(|bits| f64::from_bits(*bits)).collect();
                    block.put(&times, &values, None)?;
                }
                if let Some(tail) = tail {
                    block.put(tail.times, &tail.values, Some(tail.key))?;
                }
            }
        }
        if block.samples() == 0 {
            return Ok(None);
        }
        block.finish(About {
            sealed_through: through,
            order: number,
            ..About::default()
        })?;
        let opened = SampleBlock::open(path, number, &self.pages)?;
        Ok(Some(opened.with_numbers(&numbers)))
    }

    /// Drops the blocks that are too old, or the oldest of those that take too much room.
    fn drop_old(
        &self,
        now: Timestamp,
        pins: &[Pin],
        done: &mut Maintained,
    ) -> Result<(), MaintainError> {
        let oldest_ms = now.minus_ms(self.options.retention_ms).as_millis();
        let is_pinned = |(first_ms, last_ms): (i64, i64)| {
            let mut pins = pins.iter();
            pins.any(|pin| pin.from.as_millis() <= last_ms && pin.to.as_millis() >= first_ms)
        };
        let head = self.head();
        let samples = head.sample_blocks.iter();
        let samples = samples.map(|block| Either::Samples(Arc::clone(block)));
        let records = head.record_blocks.iter();
        let records = records.map(|block| Either::Records(Arc::clone(block)));
        let mut blocks: Vec<Either> = samples.chain(records).collect();
        drop(head);
        blocks.sort_by_key(|block| block.span_ms().1);
        let mut bytes: u64 = blocks.iter().map(Either::len).sum();
        let bytes_max = self.options.retention_bytes.unwrap_or(u64::MAX);
        let mut dropped = Ok(());
        for block in blocks {
            let is_old = block.span_ms().1 < oldest_ms;
            if (is_old || bytes > bytes_max) && !is_pinned(block.span_ms()) {
                bytes -= block.len();
                match self.drop_block(&block) {
                    Ok(()) => done.dropped_blocks += 1,
                    Err(error) => dropped = dropped.and(Err(error)),
                }
            }
        }
        dropped
    }

    fn drop_block(&self, block: &Either) -> Result<(), MaintainError> {
        if let Either::Samples(block) = block {
            // Without the block that names them, they would count again after a restart.
            self.remove_replaced(block)?;
        }
        self.remove(block.path())?;
        let mut head = self.head_mut();
        match block {
            Either::Samples(block) => head.forget(block),
            Either::Records(block) => head
                .record_blocks
                .retain(|other| !Arc::ptr_eq(other, block)),
        }
        Ok(())
    }

    /// Forgets series that nothing is left of.
    fn forget_idle(&self, now: Timestamp) {
        let mut end = self.lock_end();
        let mut writer = self.lock_writer();
        // Numbers of series that wait for the log must not be given out anew.
        if self.write_waiting(&mut end, &mut writer).is_err() {
            return;
        }
        let since_ms = now.minus_ms(IDLE_MS).as_millis();
        for series in self.head_mut().forget_unused(since_ms) {
            end.forget_name(series);
        }
    }
}

/// A block of one of the two kinds.
enum Either {
    Samples(Arc<SampleBlock>),
    Records(Arc<Block>),
}

impl Either {
    fn span_ms(&self) -> (i64, i64) {
        match self {
            Self::Samples(block) => block.about().span_ms,
            Self::Records(block) => block.span_ms(),
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Samples(block) => block.len(),
            Self::Records(block) => block.len(),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Samples(block) => block.path(),
            Self::Records(block) => block.path(),
        }
    }
}
