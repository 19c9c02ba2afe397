//! A source that holds its series in maps: the obvious implementation, for tests alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_promql::{Chunk, Labels, PlainChunk, Select, SeriesData, Source, SourceError};

/// Series by labels.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) series: BTreeMap<Labels, BTreeMap<i64, f64>>,
}

impl Source for Memory {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        let matching = self.series.iter().filter(|(labels, _)| {
            select
                .matchers
                .iter()
                .all(|matcher| matcher.accepts_labels(labels))
        });
        Ok(matching
            .map(|(labels, samples)| {
                let span = samples.range(select.start_ms..=select.end_ms);
                let (times, values) = span.map(|(time, value)| (*time, *value)).unzip();
                let chunk: Arc<dyn Chunk> = Arc::new(PlainChunk::new(times, values));
                SeriesData {
                    labels: labels.clone(),
                    chunks: vec![chunk],
                }
            })
            .collect())
    }
}
