//! Runs of samples as a query sees them: those of memory, which lend their times, and those that overlap, read as one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tocsin_promql::{Chunk, SharedTimes, SourceError};

/// Columns of times that runs of one answer share.
#[derive(Default)]
pub(crate) struct Lent(BTreeMap<(u32, u32, usize), Arc<[i64]>>);

impl Lent {
    /// The column of a key; the same key always stands for the same times.
    pub(crate) fn column(&mut self, key: (u32, u32, usize), times: &[i64]) -> Arc<[i64]> {
        Arc::clone(self.0.entry(key).or_insert_with(|| times.into()))
    }
}

/// Samples that were in memory, with times that other runs share.
pub(crate) struct LentRun {
    /// Not empty.
    pub(crate) times: Arc<[i64]>,
    pub(crate) values: Box<[f64]>,
}

impl Chunk for LentRun {
    fn span_ms(&self) -> (i64, i64) {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (i64::MAX, i64::MIN),
        }
    }

    fn len(&self) -> usize {
        self.times.len()
    }

    fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), SourceError> {
        let first = self.times.partition_point(|time| *time < from_ms);
        let end = self.times.partition_point(|time| *time <= to_ms);
        if first < end {
            times.extend_from_slice(&self.times[first..end]);
            values.extend_from_slice(&self.values[first..end]);
        }
        Ok(())
    }

    fn shared_times(&self) -> Option<SharedTimes> {
        Some(SharedTimes::new(
            Arc::clone(&self.times),
            0..self.times.len(),
        ))
    }

    fn read_values(&self, places: Range<usize>, values: &mut Vec<f64>) -> Result<(), SourceError> {
        let found = self.values.get(places);
        values.extend_from_slice(found.unwrap_or_default());
        Ok(())
    }
}

/// Puts runs in the order of time. Runs that overlap (late samples were sealed apart) become one that merges when it is
/// read; of two samples at one instant the one of the run that was given first stays.
pub(crate) fn in_order(mut runs: Vec<Arc<dyn Chunk>>) -> Vec<Arc<dyn Chunk>> {
    runs.retain(|run| !run.is_empty());
    let apart = runs.is_sorted_by(|a, b| a.span_ms().1 < b.span_ms().0);
    if apart {
        return runs;
    }
    let mut numbered: Vec<(usize, Arc<dyn Chunk>)> = runs.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, run)| run.span_ms().0);
    let mut ordered: Vec<Arc<dyn Chunk>> = Vec::with_capacity(numbered.len());
    let mut together: Vec<(usize, Arc<dyn Chunk>)> = Vec::new();
    let mut end_ms = i64::MIN;
    for (number, run) in numbered {
        let (first_ms, last_ms) = run.span_ms();
        if first_ms > end_ms && !together.is_empty() {
            ordered.push(join(std::mem::take(&mut together)));
        }
        end_ms = end_ms.max(last_ms);
        together.push((number, run));
    }
    if !together.is_empty() {
        ordered.push(join(together));
    }
    ordered
}

fn join(mut numbered: Vec<(usize, Arc<dyn Chunk>)>) -> Arc<dyn Chunk> {
    numbered.sort_by_key(|(number, _)| *number);
    let mut runs: Vec<Arc<dyn Chunk>> = numbered.into_iter().map(|(_, run)| run).collect();
    match (runs.len(), runs.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            runs.extend(last);
            Arc::new(Merged { runs })
        }
    }
}

/// Runs that overlap.
struct Merged {
    runs: Vec<Arc<dyn Chunk>>,
}

impl Chunk for Merged {
    fn span_ms(&self) -> (i64, i64) {
        let spans = self.runs.iter().map(|run| run.span_ms());
        spans.fold((i64::MAX, i64::MIN), |all, one| {
            (all.0.min(one.0), all.1.max(one.1))
        })
    }

    fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }

    fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), SourceError> {
        let (mut all_times, mut all_values) = (Vec::new(), Vec::new());
        for run in &self.runs {
            run.read(from_ms, to_ms, &mut all_times, &mut all_values)?;
        }
        let mut samples: Vec<(i64, f64)> = all_times.into_iter().zip(all_values).collect();
        // The sort is stable: of equal times the first run's comes first, and stays.
        samples.sort_by_key(|(time, _)| *time);
        samples.dedup_by_key(|(time, _)| *time);
        times.extend(samples.iter().map(|(time, _)| *time));
        values.extend(samples.iter().map(|(_, value)| *value));
        Ok(())
    }
}
