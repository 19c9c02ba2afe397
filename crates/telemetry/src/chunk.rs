//! Runs of samples that overlap in time, read as one.

use std::sync::Arc;

use tocsin_promql::{Chunk, SourceError};

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
