//! What Prometheus' HTTP API asks about what there is: series, labels, metadata, exemplars, counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use roaring::RoaringBitmap;
use tocsin_domain::write::{Cardinality, MetricMetadata};
use tocsin_promql::{Ask, Labels, StoredExemplar};

use crate::error::ReadError;
use crate::head::Head;
use crate::store::Store;

impl Store {
    /// The labels of the series, sorted, `limit` at most; whether there were more.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn find_series(
        &self,
        ask: &Ask<'_>,
        limit: usize,
    ) -> Result<(Vec<Labels>, bool), ReadError> {
        let head = self.head();
        let found = asked(&head, ask).into_iter();
        let mut found: Vec<Labels> = found.map(|series| head.labels(series)).collect();
        drop(head);
        found.sort();
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    /// The names of the labels of these series, sorted.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn find_label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, ReadError> {
        let head = self.head();
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        for series in &asked(&head, ask) {
            head.registry.each_label(series, &mut |name, _| {
                if !names.contains(name) {
                    names.insert(Arc::clone(name));
                }
            });
        }
        Ok(names.iter().map(|name| (**name).to_owned()).collect())
    }

    /// The values that a label has in these series, sorted.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn find_label_values(&self, name: &str, ask: &Ask<'_>) -> Result<Vec<String>, ReadError> {
        let head = self.head();
        let Some(name) = head.registry.name_number(name) else {
            return Ok(Vec::new());
        };
        let found = asked(&head, ask);
        let series = found.iter();
        let values: BTreeSet<&Arc<str>> = series
            .filter_map(|one| head.registry.value(one, name))
            .collect();
        Ok(values
            .into_iter()
            .map(|value| (**value).to_owned())
            .collect())
    }

    /// What is known of one metric, or of all, sorted by name.
    #[must_use]
    pub fn metadata(&self, metric: Option<&str>) -> Vec<(String, MetricMetadata)> {
        let known = &self.head().metadata;
        match metric {
            Some(metric) => {
                let found = known.get(metric).into_iter();
                found.map(|one| (metric.to_owned(), one.clone())).collect()
            }
            None => known.all(),
        }
    }

    /// The exemplars of these series in the span, by series, in the order of time.
    #[must_use]
    pub fn find_exemplars(&self, ask: &Ask<'_>) -> Vec<(Labels, Vec<StoredExemplar>)> {
        let head = self.head();
        let series = matching(&head, ask);
        head.exemplars
            .find(&series, (ask.from_ms, ask.to_ms), |one| head.labels(one))
    }

    /// How many of what there are; `top` entries in each list.
    #[must_use]
    pub fn cardinality(&self, top: usize) -> Cardinality {
        let head = self.head();
        let span_ms = head.span_ms();
        Cardinality {
            chunks: head
                .sample_blocks
                .iter()
                .map(|block| block.runs() as u64)
                .sum(),
            oldest_ms: span_ms.map(|span| span.0),
            newest_ms: span_ms.map(|span| span.1),
            ..head.registry.count(top)
        }
    }
}

/// The series that pass at least one set of matchers.
fn matching(head: &Head, ask: &Ask<'_>) -> RoaringBitmap {
    if ask.sets.is_empty() {
        return head.registry.all().clone();
    }
    let sets = ask.sets.iter().map(|set| head.registry.select(set));
    sets.fold(RoaringBitmap::new(), |all, set| all | set)
}

/// Those of them that have a sample in the span, as far as blocks tell without being read.
pub(crate) fn asked(head: &Head, ask: &Ask<'_>) -> RoaringBitmap {
    let (from_ms, to_ms) = (ask.from_ms, ask.to_ms);
    let mut found = matching(head, ask);
    let blocks: Vec<_> = head
        .sample_blocks
        .iter()
        .filter(|block| {
            let (first_ms, last_ms) = block.about().span_ms;
            first_ms <= to_ms && last_ms >= from_ms
        })
        .collect();
    let is_there = |series: u32| {
        head.tails.touches(series, from_ms, to_ms)
            || blocks
                .iter()
                .any(|block| block.touches(series, from_ms, to_ms))
    };
    let gone: Vec<u32> = found.iter().filter(|series| !is_there(*series)).collect();
    for series in gone {
        found.remove(series);
    }
    found
}
