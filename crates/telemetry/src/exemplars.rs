//! The newest exemplars of all series, in memory; the write-ahead log brings them back after a restart. They are in no block.

use std::collections::{BTreeMap, VecDeque};

use roaring::RoaringBitmap;
use tocsin_promql::{Labels, StoredExemplar};

/// Exemplars that are kept; the oldest go first.
const KEPT_MAX: usize = 100_000;
/// Characters of an exemplar's labels (OpenMetrics 1.0, "Exemplars").
const LABEL_CHARS_MAX: usize = 128;

/// The exemplars.
#[derive(Default)]
pub(crate) struct Exemplars {
    kept: VecDeque<(u32, StoredExemplar)>,
    newest: BTreeMap<u32, i64>,
}

impl Exemplars {
    /// Keeps an exemplar, unless it is no newer than the newest of its series or has too many labels.
    pub(crate) fn push(&mut self, series: u32, exemplar: StoredExemplar) -> bool {
        let chars = exemplar.labels.iter();
        let chars: usize = chars
            .map(|(name, value)| name.chars().count() + value.chars().count())
            .sum();
        let newest = self.newest.get(&series);
        let is_old = newest.is_some_and(|newest_ms| exemplar.at_ms <= *newest_ms);
        if is_old || chars > LABEL_CHARS_MAX {
            return false;
        }
        self.newest.insert(series, exemplar.at_ms);
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((series, exemplar));
        true
    }

    /// Forgets those of a series.
    pub(crate) fn forget(&mut self, series: u32) {
        if self.newest.remove(&series).is_some() {
            self.kept.retain(|(other, _)| *other != series);
        }
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> Vec<(u32, StoredExemplar)> {
        self.kept.iter().cloned().collect()
    }

    /// Those of these series in a span, by series, in the order of time.
    pub(crate) fn find(
        &self,
        series: &RoaringBitmap,
        span_ms: (i64, i64),
        labels: impl Fn(u32) -> Labels,
    ) -> Vec<(Labels, Vec<StoredExemplar>)> {
        let mut found: BTreeMap<u32, Vec<StoredExemplar>> = BTreeMap::new();
        for (number, exemplar) in &self.kept {
            if series.contains(*number) && (span_ms.0..=span_ms.1).contains(&exemplar.at_ms) {
                found.entry(*number).or_default().push(exemplar.clone());
            }
        }
        let mut found: Vec<_> = found
            .into_iter()
            .map(|(number, exemplars)| (labels(number), exemplars))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }
}
