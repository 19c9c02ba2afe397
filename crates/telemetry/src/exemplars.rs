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
    /// Of each series that has one here.
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
            self.drop_oldest();
        }
        self.kept.push_back((series, exemplar));
        true
    }

    fn drop_oldest(&mut self) {
        if let Some((series, exemplar)) = self.kept.pop_front()
            && self.newest.get(&series) == Some(&exemplar.at_ms)
        {
            self.newest.remove(&series);
        }
    }

    /// Forgets those of some series, in one pass however many they are.
    pub(crate) fn forget(&mut self, series: &RoaringBitmap) {
        let before = self.newest.len();
        self.newest.retain(|one, _| !series.contains(*one));
        if self.newest.len() < before {
            self.kept.retain(|(one, _)| !series.contains(*one));
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

#[cfg(test)]
mod tests {
    use roaring::RoaringBitmap;
    use tocsin_promql::{Labels, StoredExemplar};

    use super::{Exemplars, KEPT_MAX};

    fn full() -> Exemplars {
        let mut exemplars = Exemplars::default();
        for series in 0..u32::try_from(KEPT_MAX).unwrap() {
            assert!(exemplars.push(series, at(1)));
        }
        exemplars
    }

    fn at(at_ms: i64) -> StoredExemplar {
        StoredExemplar {
            labels: Labels::default(),
            at_ms,
            value: 1.0,
        }
    }

    #[test]
    fn what_is_known_of_a_series_goes_with_its_last_exemplar() {
        let mut exemplars = full();
        assert!(exemplars.push(1, at(2)));
        assert_eq!(exemplars.newest.len(), KEPT_MAX - 1);
        // The first one of series 1 goes now; its second one is still there.
        assert!(exemplars.push(u32::MAX, at(2)));
        assert_eq!(exemplars.newest.len(), KEPT_MAX);
        assert!(!exemplars.push(1, at(2)));
        assert!(exemplars.push(0, at(1)));
    }

    #[test]
    fn a_set_of_series_is_forgotten_whole_and_alone() {
        let mut exemplars = full();
        let forgotten: RoaringBitmap = (0..50_000).collect();
        exemplars.forget(&forgotten);
        let all = exemplars.all();
        assert_eq!(all.len(), KEPT_MAX - 50_000);
        assert!(all.iter().all(|(series, _)| *series >= 50_000));
        assert_eq!(exemplars.newest.len(), all.len());
    }
}
