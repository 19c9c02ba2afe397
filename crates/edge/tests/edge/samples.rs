//! A store of metrics in memory, which can be slow, full, or refuse some of what it is given.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tocsin_domain::write::{Cardinality, MetricMetadata, Write, Written, WrittenSeries};
use tocsin_edge::ports::{Metrics, StorageError};
use tocsin_promql::{
    Ask, Chunk, Labels, Matcher, PlainChunk, Select, SeriesData, Source, SourceError,
    StoredExemplar,
};

type OfSeries = BTreeMap<i64, f64>;
type Exemplars = BTreeMap<Labels, Vec<StoredExemplar>>;

#[derive(Default)]
pub(crate) struct Samples {
    pub(crate) series: Mutex<BTreeMap<Labels, OfSeries>>,
    pub(crate) exemplars: Mutex<Exemplars>,
    pub(crate) metadata: Mutex<BTreeMap<String, MetricMetadata>>,
    /// Who sent each write.
    pub(crate) sources: Mutex<Vec<String>>,
    /// Samples before this are refused as too late.
    pub(crate) oldest_ms: Mutex<i64>,
    /// A store that cannot keep anything.
    pub(crate) refusal: Mutex<Option<StorageError>>,
    /// Whether the store hangs.
    hangs: AtomicBool,
    /// How many reads have begun.
    pub(crate) selects: AtomicUsize,
}

/// The store hangs for as long as this lives, also when its test fails.
pub(crate) struct Hanging<'a>(&'a AtomicBool);

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Samples {
    pub(crate) fn hang(&self) -> Hanging<'_> {
        self.hangs.store(true, Ordering::SeqCst);
        Hanging(&self.hangs)
    }

    pub(crate) fn put(&self, labels: &[(&'static str, &'static str)], points: &[(i64, f64)]) {
        let labels: Labels = labels.iter().copied().collect();
        let mut series = self.series.lock().unwrap();
        series
            .entry(labels)
            .or_default()
            .extend(points.iter().copied());
    }

    pub(crate) fn count(&self) -> usize {
        self.series
            .lock()
            .unwrap()
            .values()
            .map(OfSeries::len)
            .sum()
    }

    fn asked(&self, ask: &Ask<'_>) -> Vec<Labels> {
        let series = self.series.lock().unwrap();
        let passes = |labels: &Labels, points: &OfSeries| {
            let sets = ask.sets;
            (sets.is_empty() || sets.iter().any(|set| all_accept(set, labels)))
                && points.range(ask.from_ms..=ask.to_ms).next().is_some()
        };
        series
            .iter()
            .filter(|(labels, points)| passes(labels, points))
            .map(|(labels, _)| labels.clone())
            .collect()
    }
}

fn all_accept(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers
        .iter()
        .all(|matcher| matcher.accepts_labels(labels))
}

fn owned(pairs: &[tocsin_domain::write::LabelPair<'_>]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect()
}

impl Source for Samples {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        self.selects.fetch_add(1, Ordering::SeqCst);
        while self.hangs.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let series = self.series.lock().unwrap();
        let mut found = Vec::new();
        for (labels, points) in series.iter() {
            if all_accept(select.matchers, labels) {
                let span = points.range(select.start_ms..=select.end_ms);
                let (times, values) = span.map(|(at, value)| (*at, *value)).unzip();
                let chunk: Arc<dyn Chunk> = Arc::new(PlainChunk::new(times, values));
                found.push(SeriesData {
                    labels: labels.clone(),
                    chunks: vec![chunk],
                });
            }
        }
        if found.len() > select.series_max {
            return Err(SourceError::TooManySeries {
                found: found.len(),
                limit: select.series_max,
            });
        }
        Ok(found)
    }
}

fn read<'w>(write: &Write<'w>, series: &WrittenSeries<'w>) -> Result<Labels, String> {
    let mut labels = Vec::new();
    Ok(match write.read_spelling(series, &mut labels)? {
        true => owned(&labels),
        false => owned(write.labels_of(series)),
    })
}

impl Metrics for Samples {
    fn write(&self, write: &Write<'_>, source: &str) -> Result<Written, StorageError> {
        while self.hangs.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        self.sources.lock().unwrap().push(source.to_owned());
        let oldest_ms = *self.oldest_ms.lock().unwrap();
        let mut series = self.series.lock().unwrap();
        let mut written = Written::default();
        written.refused.labels = write.unreadable.samples;
        written.first_refusal.clone_from(&write.unreadable.first);
        for one in &write.series {
            let labels = match read(write, one) {
                Ok(labels) => labels,
                Err(why) => {
                    written.refused.labels += write.points_of(one).len() as u64;
                    written.first_refusal.get_or_insert(why);
                    continue;
                }
            };
            for point in write.points_of(one) {
                if point.at_ms < oldest_ms {
                    written.refused.too_late += 1;
                    let why = format!("{labels} has a sample that is too old");
                    written.first_refusal.get_or_insert(why);
                } else {
                    let points = series.entry(labels.clone()).or_default();
                    points.insert(point.at_ms, point.value);
                    written.samples += 1;
                }
            }
        }
        for exemplar in &write.exemplars {
            let stored = StoredExemplar {
                labels: owned(&exemplar.labels),
                at_ms: exemplar.at_ms,
                value: exemplar.value,
            };
            let Ok(labels) = read(write, &write.series[exemplar.series]) else {
                continue;
            };
            let mut exemplars = self.exemplars.lock().unwrap();
            exemplars.entry(labels).or_default().push(stored);
            written.exemplars += 1;
        }
        for known in &write.metadata {
            let metadata = MetricMetadata {
                kind: known.kind,
                help: known.help.to_string(),
                unit: known.unit.to_string(),
            };
            let mut all = self.metadata.lock().unwrap();
            all.insert(known.metric.to_string(), metadata);
        }
        Ok(written)
    }

    fn source(&self) -> &dyn Source {
        self
    }

    fn series(&self, ask: &Ask<'_>, limit: usize) -> Result<(Vec<Labels>, bool), StorageError> {
        let mut found = self.asked(ask);
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, StorageError> {
        let found = self.asked(ask);
        let names = found
            .iter()
            .flat_map(|labels| labels.iter().map(|(name, _)| name));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn label_values(&self, name: &str, ask: &Ask<'_>) -> Result<Vec<String>, StorageError> {
        let found = self.asked(ask);
        let mut values: Vec<String> = found
            .iter()
            .map(|labels| labels.get(name).to_owned())
            .filter(|value| !value.is_empty())
            .collect();
        values.sort();
        values.dedup();
        Ok(values)
    }

    fn metadata(&self, metric: Option<&str>) -> Vec<(String, MetricMetadata)> {
        let all = self.metadata.lock().unwrap();
        let wanted = |name: &String| metric.is_none_or(|metric| metric == name);
        all.iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, known)| (name.clone(), known.clone()))
            .collect()
    }

    fn exemplars(&self, ask: &Ask<'_>) -> Vec<(Labels, Vec<StoredExemplar>)> {
        let exemplars = self.exemplars.lock().unwrap();
        let passes = |labels: &Labels| ask.sets.iter().any(|set| all_accept(set, labels));
        exemplars
            .iter()
            .filter(|(labels, _)| passes(labels))
            .map(|(labels, stored)| (labels.clone(), stored.clone()))
            .collect()
    }

    fn cardinality(&self, top: usize) -> Cardinality {
        let series = self.series.lock().unwrap();
        let mut by_metric = BTreeMap::new();
        for labels in series.keys() {
            *by_metric
                .entry(labels.metric_name().to_owned())
                .or_default() += 1;
        }
        Cardinality {
            series: series.len() as u64,
            series_by_metric: by_metric.into_iter().take(top).collect(),
            ..Cardinality::default()
        }
    }
}
