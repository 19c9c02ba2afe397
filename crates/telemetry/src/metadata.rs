//! What is known of metrics: kind, unit and help, within bounds of number and size; it knows no series.

use std::collections::BTreeMap;

use tocsin_domain::write::MetricMetadata;

/// Metrics whose metadata is kept.
const METRICS_MAX: usize = 100_000;
/// Bytes of all names, helps and units: each file of the log repeats them.
const BYTES_MAX: usize = 16 << 20;

/// Metadata by metric.
#[derive(Default)]
pub(crate) struct KnownMetrics {
    known: BTreeMap<String, MetricMetadata>,
    bytes: usize,
}

impl KnownMetrics {
    /// Remembers what is told of a metric. Whether it was news; what there is no room for is not.
    pub(crate) fn learn(&mut self, metric: &str, metadata: &MetricMetadata) -> bool {
        let before = self.known.get(metric);
        if before == Some(metadata) {
            return false;
        }
        let is_new = before.is_none();
        let bytes = self.bytes - before.map_or(0, |before| bytes_of(metric, before))
            + bytes_of(metric, metadata);
        if bytes > BYTES_MAX || (is_new && self.known.len() >= METRICS_MAX) {
            return false;
        }
        self.bytes = bytes;
        self.known.insert(metric.to_owned(), metadata.clone());
        true
    }

    /// What is known of a metric.
    pub(crate) fn get(&self, metric: &str) -> Option<&MetricMetadata> {
        self.known.get(metric)
    }

    /// All of it, by name.
    pub(crate) fn all(&self) -> Vec<(String, MetricMetadata)> {
        let known = self.known.iter();
        known
            .map(|(metric, metadata)| (metric.clone(), metadata.clone()))
            .collect()
    }
}

fn bytes_of(metric: &str, metadata: &MetricMetadata) -> usize {
    metric.len() + metadata.help.len() + metadata.unit.len()
}

#[cfg(test)]
mod tests {
    use tocsin_domain::write::MetricKind;

    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_what_is_known_can_change() {
        let told = |help: &str| MetricMetadata {
            kind: MetricKind::Gauge,
            help: help.to_owned(),
            unit: String::new(),
        };
        let long = told(&"x".repeat(1_000));
        let mut known = KnownMetrics::default();
        let learnt = (0..50_000)
            .filter(|number| known.learn(&format!("m{number:05}"), &long))
            .count();
        assert_eq!(learnt, BYTES_MAX / 1_006);
        assert!(!known.learn("m00000", &long), "it is known");
        assert!(known.learn("m00000", &told("short")));
        assert_eq!(known.get("m00000"), Some(&told("short")));
        assert!(known.learn("another", &told("short")));
        let all = known.all().into_iter();
        let bytes: usize = all.map(|(metric, of)| bytes_of(&metric, &of)).sum();
        assert_eq!(bytes, known.bytes);
    }
}
