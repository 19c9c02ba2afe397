//! Upkeep: one step seals what has been logged for long enough and drops what is too old. It may be repeated at any time.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tocsin_domain::id::TargetId;
use tocsin_domain::time::Timestamp;

use crate::block::{self, Block, BlockError, block_path};
use crate::error::MaintainError;
use crate::head::Frozen;
use crate::store::Store;
use crate::wal::segment_path;

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
    /// Blocks that were dropped because of their age.
    pub dropped_blocks: usize,
}

impl Store {
    /// Seals what is due and drops the blocks that are older than the retention and touch no pin. Appends and queries go
    /// on meanwhile. Meant to be called each minute or so, from a thread of its own.
    ///
    /// # Errors
    /// When a block could not be written: its samples stay in memory and in the log, and the next step tries again.
    pub fn maintain(&self, now: Timestamp, pins: &[Pin]) -> Result<Maintained, MaintainError> {
        let mut done = Maintained::default();
        if let Some((frozen, through)) = self.freeze_if_due(now) {
            done.sealed_samples = frozen
                .samples
                .iter()
                .map(|(_, _, c)| c.columns().0.len() as u64)
                .sum();
            self.seal(&frozen, through)?;
        }
        done.dropped_blocks = self.drop_old(now, pins)?;
        Ok(done)
    }

    /// Seals everything now: before a backup, or in tests.
    ///
    /// # Errors
    /// As [`Store::maintain`].
    pub fn seal_now(&self) -> Result<(), MaintainError> {
        match self.freeze_when(|_| true) {
            Some((frozen, through)) => self.seal(&frozen, through),
            None => Ok(()),
        }
    }

    fn freeze_if_due(&self, now: Timestamp) -> Option<(Frozen, u64)> {
        let due_ms = now.minus_ms(self.options.seal_after_ms).as_millis();
        let bytes = self.options.seal_after_bytes;
        self.freeze_when(|writer| {
            writer.wal.segment_len() >= bytes
                || writer.logged_since_ms.is_some_and(|since| since <= due_ms)
                || !writer.closed.is_empty()
        })
    }

    /// Closes the log file and freezes what it holds. Gives what waits to be sealed, and the last frame in it.
    fn freeze_when(&self, due: impl Fn(&crate::store::Writer) -> bool) -> Option<(Frozen, u64)> {
        let mut writer = self.lock_writer();
        if writer.wal.state().waiting > 0 {
            // The disk refuses writes: a block would be refused too, and what waits is in no file that could be removed.
            return None;
        }
        let mut head = self.head_mut();
        if head.frozen.is_none() {
            if !due(&writer) || (head.unsealed_samples() == 0 && head.fresh.is_empty()) {
                return None;
            }
            let number = writer.wal.rotate();
            writer.closed.extend(number);
            writer.logged_since_ms = None;
            writer.unwritten.sealed();
            writer.frozen_through = writer.wal.sequence();
            writer.frozen_files = std::mem::take(&mut writer.closed);
        }
        Some((head.freeze(), writer.frozen_through))
    }

    fn seal(&self, frozen: &Frozen, through: u64) -> Result<(), MaintainError> {
        let number = self.lock_writer().next_block;
        let path = block_path(&self.folder, number);
        let sealed = self.write_block(&path, frozen, through);
        let mut writer = self.lock_writer();
        let block = match sealed {
            Ok(block) => block,
            Err(source) => {
                writer.wal.note_error(&source);
                return Err(MaintainError { path, source });
            }
        };
        writer.next_block += 1;
        self.head_mut().install(Arc::new(block), true);
        writer.wal.note_success();
        for number in std::mem::take(&mut writer.frozen_files) {
            let path = segment_path(&self.folder, number);
            let removed = self.options.disk.remove(&path);
            if let Err(source) = removed {
                // It costs room only: opening skips frames that are in a block.
                writer.closed.push(number);
                return Err(MaintainError { path, source });
            }
        }
        Ok(())
    }

    fn write_block(&self, path: &Path, frozen: &Frozen, through: u64) -> io::Result<Block> {
        let bytes = block::build(frozen, through).map_err(as_io)?;
        self.options.disk.write_whole(path, &bytes)?;
        Block::open(path).map_err(as_io)
    }

    fn drop_old(&self, now: Timestamp, pins: &[Pin]) -> Result<usize, MaintainError> {
        let oldest_ms = now.minus_ms(self.options.retention_ms).as_millis();
        let is_pinned = |block: &Block| {
            let (first_ms, last_ms) = block.span_ms();
            let mut pins = pins.iter();
            pins.any(|pin| pin.from.as_millis() <= last_ms && pin.to.as_millis() >= first_ms)
        };
        let old: Vec<Arc<Block>> = {
            let head = self.head();
            let old = head
                .blocks
                .iter()
                .filter(|block| block.span_ms().1 < oldest_ms);
            old.filter(|block| !is_pinned(block)).cloned().collect()
        };
        for block in &old {
            let path = block.path();
            self.options
                .disk
                .remove(path)
                .map_err(|source| MaintainError {
                    path: path.to_owned(),
                    source,
                })?;
            self.head_mut().forget(block);
        }
        Ok(old.len())
    }
}

fn as_io(error: BlockError) -> io::Error {
    match error {
        BlockError::Io(error) => error,
        BlockError::Damaged(reason) => io::Error::other(reason),
        BlockError::Newer(version) => io::Error::other(format!("it has version {version}")),
    }
}
