//! Reads the chunks of a series into one column, only where a window lies; it knows no labels.

use std::rc::Rc;
use std::sync::Arc;

use crate::error::EvalError;
use crate::is_stale;
use crate::limits::Budget;
use crate::source::{Chunk, SharedTimes};

use super::columns::is_present;
use super::timeline::{Timeline, Timelines, Windows};

/// Reads series after series into the same memory.
pub(super) struct Reader {
    windows: Windows,
    presence_only: bool,
    timelines: Timelines,
    /// Times of the series, as far as they are not lent.
    times: Vec<i64>,
    values: Vec<f64>,
    lent: Vec<SharedTimes>,
    is_lent: bool,
}

impl Reader {
    /// `presence_only`: values are not looked at, only whether they are staleness markers.
    pub(super) fn new(
        windows: Windows,
        presence_only: bool,
        budget: &mut Budget<'_>,
    ) -> Result<Self, EvalError> {
        budget.hold(windows.ends_ms.len())?;
        Ok(Self {
            windows,
            presence_only,
            timelines: Timelines::default(),
            times: Vec::new(),
            values: Vec::new(),
            lent: Vec::new(),
            is_lent: false,
        })
    }

    /// There is no further series.
    pub(super) fn end(self, budget: &mut Budget<'_>) {
        budget.give_back(self.timelines.values());
        budget.give_back(self.windows.ends_ms.len());
    }

    pub(super) fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The values of the series that was read last, one for each time of its timeline.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Reads what the newest sample in each window depends on, staleness markers included.
    pub(super) fn newest_only(
        &mut self,
        chunks: &[Arc<dyn Chunk>],
        budget: &mut Budget<'_>,
    ) -> Result<Rc<Timeline>, EvalError> {
        let (_, last_ms) = self.windows.span_ms();
        let mut chunks = chunks;
        if self.windows.ends_ms.len() == 1 {
            // Of a single instant only the last chunk that begins before it matters.
            let begun = chunks.partition_point(|chunk| chunk.span_ms().0 <= last_ms);
            chunks = &chunks[begun.saturating_sub(1)..begun];
        }
        self.read(chunks, budget)?;
        self.timeline(budget)
    }

    /// Reads what lies in windows, staleness markers left out.
    pub(super) fn without_stale(
        &mut self,
        chunks: &[Arc<dyn Chunk>],
        budget: &mut Budget<'_>,
    ) -> Result<Rc<Timeline>, EvalError> {
        self.read(chunks, budget)?;
        // A staleness marker is a NaN, and to look for those is cheap.
        let nans: usize = self.values.iter().map(|v| usize::from(v.is_nan())).sum();
        if nans > 0 && self.values.iter().any(|value| is_stale(*value)) {
            self.own_times();
            let mut keep = self.values.iter().map(|value| !is_stale(*value));
            self.times.retain(|_| keep.next().unwrap_or(true));
            self.values.retain(|value| !is_stale(*value));
        }
        self.timeline(budget)
    }

    /// Takes a computed row in place of stored samples.
    pub(super) fn of_row(
        &mut self,
        times: &[i64],
        values: &[f64],
        budget: &mut Budget<'_>,
    ) -> Result<Rc<Timeline>, EvalError> {
        self.clear();
        self.is_lent = false;
        let present = times.iter().zip(values).filter(|(_, v)| is_present(**v));
        for (time, value) in present {
            self.times.push(*time);
            self.values.push(*value);
        }
        self.timeline(budget)
    }

    fn clear(&mut self) {
        self.times.clear();
        self.values.clear();
        self.lent.clear();
        self.is_lent = true;
    }

    fn read(
        &mut self,
        chunks: &[Arc<dyn Chunk>],
        budget: &mut Budget<'_>,
    ) -> Result<(), EvalError> {
        self.clear();
        let (from_ms, to_ms) = self.windows.span_ms();
        for chunk in chunks {
            if !self.windows.touch(chunk.span_ms()) {
                continue;
            }
            let before = self.values.len();
            if self.is_lent
                && let Some(lent) = chunk.shared_times()
            {
                let (lent, places) = lent.within(from_ms, to_ms);
                if places.is_empty() {
                    continue;
                }
                budget.spend(places.len())?;
                if self.presence_only && !chunk.may_be_stale() {
                    self.values.resize(before + places.len(), 0.0);
                } else {
                    chunk.read_values(places.clone(), &mut self.values)?;
                }
                if self.values.len() != before + places.len() {
                    return Err(uneven());
                }
                self.lent.push(lent);
                continue;
            }
            self.own_times();
            chunk.read(from_ms, to_ms, &mut self.times, &mut self.values)?;
            if self.times.len() != self.values.len() {
                return Err(uneven());
            }
            budget.spend(self.values.len() - before)?;
        }
        Ok(())
    }

    /// Copies times that were lent so far, because this series' go on differently.
    fn own_times(&mut self) {
        if self.is_lent {
            self.times
                .extend(self.lent.iter().flat_map(SharedTimes::times));
            self.is_lent = false;
        }
    }

    fn timeline(&mut self, budget: &mut Budget<'_>) -> Result<Rc<Timeline>, EvalError> {
        if self.is_lent {
            self.timelines.of_shared(&self.lent, &self.windows, budget)
        } else {
            self.timelines.of_own(&self.times, &self.windows, budget)
        }
    }
}

fn uneven() -> EvalError {
    EvalError::Source(crate::source::SourceError::Unreadable {
        reason: "a chunk has not as many values as times".to_owned(),
    })
}
