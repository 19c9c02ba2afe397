//! The part of upkeep that merges blocks of samples and removes the files that others stand for; what is chosen, and how it is
//! written as one, it leaves to `merge`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::MaintainError;
use crate::maintain::Maintained;
use crate::merge;
use crate::sample_block::{BlockError, BlockWriter, SampleBlock, path_of};
use crate::store::Store;
use crate::wal::segment_path;

impl Store {
    /// Merges until nothing is left that should be, or something fails: the next step of upkeep goes on.
    pub(crate) fn merge_all(&self, done: &mut Maintained) -> Result<(), MaintainError> {
        while self.merge_some(false, done)? {}
        Ok(())
    }

    /// Merges some blocks of samples, when some should be; whether some were. What becomes due to be sealed is sealed meanwhile.
    pub(crate) fn merge_some(
        &self,
        all: bool,
        done: &mut Maintained,
    ) -> Result<bool, MaintainError> {
        let retention_ms = self.options.retention_ms;
        let Some(blocks) = merge::choose(&self.head().sample_blocks, retention_ms, all) else {
            return Ok(false);
        };
        let number = self.take_number();
        let path = path_of(&self.folder, number);
        let mut sealed = Ok(());
        let mut seal = || {
            if sealed.is_ok() && self.is_sealing_due() {
                sealed = self.seal_all(done);
            }
        };
        let merged = self.merge_into(&path, number, &blocks, &mut seal);
        let merged = merged.map_err(|error| {
            // It was not put in place, or cannot be read: the next merge of these blocks has another number.
            let _ = self.options.disk.remove(&path);
            unmergeable(&blocks).unwrap_or_else(|| error.at(&path))
        })?;
        let mut head = self.head_mut();
        for block in &blocks {
            head.forget(block);
        }
        head.install(merged);
        drop(head);
        done.merged_blocks += blocks.len();
        sealed.and(self.remove_void()).map(|()| true)
    }

    fn merge_into(
        &self,
        path: &Path,
        number: u64,
        blocks: &[Arc<SampleBlock>],
        pause: &mut dyn FnMut(),
    ) -> Result<SampleBlock, BlockError> {
        let labels_of = |series: u32| self.head().labels(series);
        let void = blocks.iter().flat_map(|block| self.still_there(block));
        let void: Vec<u64> = void.map(|(number, _)| number).collect();
        let writer = BlockWriter::new(self.options.disk.draft(path)?)?;
        let numbers = merge::write(writer, blocks, &void, &labels_of, pause)?;
        let opened = SampleBlock::open(path, number, &self.pages)?;
        Ok(opened.with_numbers(&numbers))
    }

    /// Removes the files whose contents are in a block: of the log, and blocks that were merged. One that stays costs room only,
    /// since opening passes it over; the others go, and the next step tries again.
    pub(crate) fn remove_void(&self) -> Result<(), MaintainError> {
        let mut removed = self.remove_sealed_log();
        let blocks = self.head().sample_blocks.clone();
        for block in &blocks {
            removed = removed.and(self.remove_replaced(block));
        }
        removed
    }

    fn remove_sealed_log(&self) -> Result<(), MaintainError> {
        let mut writer = self.lock_writer();
        if self.head().freezing.is_some() {
            return Ok(());
        }
        let mut removed = Ok(());
        for number in std::mem::take(&mut writer.frozen_files) {
            let one = self.remove(&segment_path(&self.folder, number));
            if one.is_err() {
                writer.frozen_files.push(number);
            }
            removed = removed.and(one);
        }
        removed
    }

    /// Removes the blocks that one was merged from.
    pub(crate) fn remove_replaced(&self, block: &SampleBlock) -> Result<(), MaintainError> {
        let mut removed = Ok(());
        // One that cannot be removed keeps no other from it.
        for (_, path) in self.still_there(block) {
            removed = removed.and(self.remove(&path));
        }
        removed
    }

    /// Numbers and files of the blocks that one was merged from, as far as they could not be removed yet.
    fn still_there(&self, block: &SampleBlock) -> impl Iterator<Item = (u64, PathBuf)> {
        let replaced = block.about().replaces.iter();
        let replaced = replaced.map(|number| (*number, path_of(&self.folder, *number)));
        replaced.filter(|(_, path)| path.exists())
    }

    /// Removes a file; one that is not there is as good.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), MaintainError> {
        match self.options.disk.remove(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(MaintainError::Remove {
                path: path.to_owned(),
                source,
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The block that is in the way of a merge, if one is.
fn unmergeable(blocks: &[Arc<SampleBlock>]) -> Option<MaintainError> {
    blocks.iter().find_map(|block| {
        Some(MaintainError::Unmergeable {
            path: block.path().to_owned(),
            reason: block.damage()?.to_owned(),
        })
    })
}
