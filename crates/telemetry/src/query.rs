//! Questions to a store: series for PromQL, raw samples, facts, logs. The lock is held while references are gathered, not
//! while they are read.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{Fact, Labels, LogRecord};
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Chunk, Matcher, Select, SeriesData, Source, SourceError};

use crate::chunk::Lent;
use crate::error::ReadError;
use crate::head::Head;
use crate::record::Span;
use crate::record_block::RecordKind;
use crate::store::Store;

/// The samples of one series: milliseconds since the epoch and values, staleness markers included.
pub type SeriesSamples = (Labels, Vec<(i64, f64)>);

impl Source for Store {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        select_in(&self.head(), select)
    }
}

/// The series of a head that pass.
pub(crate) fn select_in(head: &Head, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
    let found = head.registry.select(select.matchers);
    let count = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if count > select.series_max {
        return Err(SourceError::TooManySeries {
            found: count,
            limit: select.series_max,
        });
    }
    let mut series = Vec::with_capacity(count);
    let mut lent = Lent::default();
    for number in found {
        let span_ms = (select.start_ms, select.end_ms);
        let chunks = head.runs(number, span_ms, &mut lent);
        if !chunks.is_empty() {
            series.push(SeriesData {
                labels: head.labels(number),
                chunks,
            });
        }
    }
    if !select.any_order {
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    Ok(series)
}

impl Store {
    /// The samples of `from..=to` of the series that pass every matcher, as they were written, sorted by labels.
    /// For measuring an onset, which PromQL's windows would blur.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn samples(
        &self,
        matchers: &[Matcher],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<SeriesSamples>, ReadError> {
        let (from_ms, to_ms) = (from.as_millis(), to.as_millis());
        let select = Select::new(matchers, from_ms, to_ms);
        let mut all = Vec::new();
        for series in self.select(&select)? {
            let points = read_points(&series.chunks, from_ms, to_ms)?;
            if !points.is_empty() {
                all.push((series.labels.to_map(), points));
            }
        }
        Ok(all)
    }

    /// What happened to a target in `from..=to`, in the order of time.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn facts(
        &self,
        target: TargetId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Fact>, ReadError> {
        let span = Span { target, from, to };
        let found = span.find(&self.head(), RecordKind::Facts, |records| &records.facts);
        let mut facts = Vec::new();
        found.visit(|fact| {
            facts.push(fact);
            true
        })?;
        Ok(facts)
    }

    /// The first `limit` log lines of a target in `from..=to`, in the order of time.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn logs(
        &self,
        target: TargetId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<LogRecord>, ReadError> {
        let mut logs = Vec::new();
        if limit == 0 {
            return Ok(logs);
        }
        self.each_log(target, from, to, &mut |log| {
            logs.push(log);
            logs.len() < limit
        })?;
        Ok(logs)
    }

    /// Hands every log line of a target in `from..=to` to `visit`, in the order of time, until that returns `false`.
    /// Only a part of them is in memory at once.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn each_log(
        &self,
        target: TargetId,
        from: Timestamp,
        to: Timestamp,
        visit: &mut dyn FnMut(LogRecord) -> bool,
    ) -> Result<(), ReadError> {
        let span = Span { target, from, to };
        let found = span.find(&self.head(), RecordKind::Logs, |records| &records.logs);
        found.visit(visit)
    }

    /// The distinct times, in milliseconds and in order, at which samples from `from_ms` on were taken: the instants at
    /// which monitors are evaluated again after a crash.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn sample_times_since(
        &self,
        from_ms: i64,
    ) -> Result<impl Iterator<Item = i64> + use<>, ReadError> {
        let (mut all, blocks) = {
            let head = self.head();
            let in_memory: BTreeSet<i64> = head.tails.times_since(from_ms).collect();
            (in_memory, head.sample_blocks.clone())
        };
        for block in blocks {
            if block.about().span_ms.1 >= from_ms {
                block.times_since(from_ms, |time| {
                    all.insert(time);
                })?;
            }
        }
        Ok(all.into_iter())
    }
}

/// The samples of runs as points.
pub(crate) fn read_points(
    runs: &[Arc<dyn Chunk>],
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<(i64, f64)>, SourceError> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for run in runs {
        run.read(from_ms, to_ms, &mut times, &mut values)?;
    }
    Ok(times.into_iter().zip(values).collect())
}
