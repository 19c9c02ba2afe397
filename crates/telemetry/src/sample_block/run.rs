//! A run of a block as a query sees it: it stays in its file until it is read.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use tocsin_promql::{Chunk, SharedTimes, SourceError};

use super::SampleBlock;
use crate::columns::Scratch;
use crate::error::ReadError;

/// A run that stays in its file until it is read.
pub(super) struct SealedRun {
    pub(super) block: Arc<SampleBlock>,
    pub(super) run: usize,
}

impl Chunk for SealedRun {
    fn span_ms(&self) -> (i64, i64) {
        self.block.span_of(self.run)
    }

    fn len(&self) -> usize {
        let column = self.block.runs[self.run].column;
        self.block.columns[column as usize].count as usize
    }

    fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), SourceError> {
        let column = self.block.times(self.block.runs[self.run].column)?;
        let first = column.partition_point(|time| *time < from_ms);
        let end = column.partition_point(|time| *time <= to_ms);
        if first < end {
            self.read_values(first..end, values)?;
            times.extend_from_slice(&column[first..end]);
        }
        Ok(())
    }

    fn shared_times(&self) -> Option<SharedTimes> {
        // A column that cannot be read is told by `read`.
        let column = self.block.times(self.block.runs[self.run].column).ok()?;
        let all = 0..column.len();
        Some(SharedTimes::new(column, all))
    }

    fn may_be_stale(&self) -> bool {
        self.block.runs[self.run].has_stale()
    }

    fn read_values(&self, places: Range<usize>, values: &mut Vec<f64>) -> Result<(), SourceError> {
        let block = &self.block;
        let all = block.pages.decoded(self.run, || {
            SCRATCH.with_borrow_mut(|(scratch, values)| {
                values.clear();
                block.values(self.run, scratch, values)?;
                Ok::<_, ReadError>(Arc::from(values.as_slice()))
            })
        })?;
        let found = all.get(places);
        let short = || block.unreadable("a run is shorter than its times");
        values.extend_from_slice(found.ok_or_else(short)?);
        Ok(())
    }
}

thread_local! {
    static SCRATCH: RefCell<(Scratch, Vec<f64>)> = RefCell::default();
}
