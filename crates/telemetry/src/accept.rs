//! Takes writes into memory and prepares them for the log: which samples are within the limits, and what the rest was refused for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_domain::signal::Batch;
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::{
    Arrived, LabelPair, MetricMetadata, Refused, Write, Written, WrittenSeries,
};
use tocsin_promql::{Labels, METRIC_NAME, StoredExemplar};

use crate::head::Head;
use crate::options::Limits;
use crate::payload::{Point, encode_rest};
use crate::tails::Pushed;

/// Metrics whose metadata is kept.
const METADATA_MAX: usize = 100_000;
/// Bytes of a help text that are kept.
const HELP_BYTES_MAX: usize = 1_024;

/// What is taken within a write.
pub(crate) struct Taken {
    /// Series that the log may have to name.
    pub(crate) series: Vec<u32>,
    /// The body for the log, without names; empty when nothing is new.
    pub(crate) rest: Vec<u8>,
    pub(crate) written: Written,
}

/// Bounds of one write.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    /// Samples before this are refused: retention would drop them at once.
    pub(crate) oldest_ms: i64,
    /// Samples after this are refused.
    pub(crate) latest_ms: i64,
}

impl Bounds {
    pub(crate) fn at(now: Timestamp, limits: Limits, retention_ms: u64) -> Self {
        Self {
            limits,
            oldest_ms: now.minus_ms(retention_ms).as_millis(),
            latest_ms: now.plus_ms(limits.early_ms_max).as_millis(),
        }
    }
}

/// One write on its way in.
struct Taking<'a> {
    head: &'a mut Head,
    bounds: Bounds,
    source: u16,
    points: Vec<Point>,
    series: Vec<u32>,
    written: Written,
    metrics: Vec<Arc<str>>,
    /// Newest sample that was stored, or was there already: who sends it again waits for what follows from it.
    newest_ms: Option<i64>,
}

/// Takes a write, and records that came with it (packed), into memory.
pub(crate) fn take(
    head: &mut Head,
    write: &Write<'_>,
    source: &str,
    bounds: Bounds,
    packed: (&[u8], &[u8]),
) -> Taken {
    let source = head.sources.number(source);
    let mut taking = Taking {
        head,
        bounds,
        source,
        points: Vec::with_capacity(write.points.len()),
        series: Vec::with_capacity(write.series.len()),
        written: Written::default(),
        metrics: Vec::new(),
        newest_ms: None,
    };
    let numbers: Vec<Option<u32>> = write
        .series
        .iter()
        .map(|series| taking.take_series(write, series))
        .collect();
    let exemplars = taking.take_exemplars(write, &numbers);
    let metadata = taking.take_metadata(write);
    let Taking {
        points,
        series,
        mut written,
        mut metrics,
        newest_ms,
        ..
    } = taking;
    metrics.sort();
    metrics.dedup();
    written.exemplars = exemplars.len() as u64;
    written.arrived = Arrived { metrics, newest_ms };
    let is_nothing = points.is_empty()
        && exemplars.is_empty()
        && metadata.is_empty()
        && packed.0.is_empty()
        && packed.1.is_empty();
    let rest = match is_nothing {
        true => Vec::new(),
        false => encode_rest(&points, &exemplars, &metadata, packed.0, packed.1),
    };
    Taken {
        series,
        rest,
        written,
    }
}

impl Taking<'_> {
    /// Takes one series' points. Gives its number when it is known.
    fn take_series(&mut self, write: &Write<'_>, series: &WrittenSeries) -> Option<u32> {
        let (labels, points) = (write.labels_of(series), write.points_of(series));
        let registry = &self.head.registry;
        let before = self.series.last().copied();
        let next = before.and_then(|before| registry.find_next(before, labels));
        let (hash, known) = match next {
            Some(next) => (0, Some(next)),
            None => {
                let hash = registry.hash_of(labels);
                (hash, registry.find(hash, labels))
            }
        };
        if !known.is_some_and(|number| self.head.sources.has(number))
            && let Err((count, why)) = self.admit(known, labels)
        {
            *count(&mut self.written.refused) += points.len() as u64;
            self.tell(labels, || why);
            return known;
        }
        let number = known.unwrap_or_else(|| self.head.registry.add(hash, labels));
        if let (Some(before), None) = (before, next) {
            self.head.registry.note_next(before, number);
        }
        self.head.sources.join(number, self.source);
        self.series.push(number);
        self.note_metric(labels);
        for point in points {
            self.take_point(number, labels, point.at_ms, point.value);
        }
        Some(number)
    }

    /// Whether a series that is not in memory may come in.
    #[expect(
        clippy::type_complexity,
        reason = "which count of the refusals, and the reason; used once"
    )]
    fn admit(
        &self,
        known: Option<u32>,
        labels: &[LabelPair<'_>],
    ) -> Result<(), (fn(&mut Refused) -> &mut u64, String)> {
        let limits = &self.bounds.limits;
        if known.is_none()
            && let Some(why) = unfit(labels, limits)
        {
            return Err((|refused| &mut refused.labels, why));
        }
        let full = |of: &str, max: usize| {
            let why = format!(
                "{of} has {max} series, which is the limit: send fewer label values or raise the limit"
            );
            let count: fn(&mut Refused) -> &mut u64 = |refused| &mut refused.series_limit;
            Err((count, why))
        };
        if self.head.sources.count(self.source) as usize >= limits.series_per_source_max {
            return full("this source", limits.series_per_source_max);
        }
        if known.is_none() && self.head.registry.len() >= limits.series_max {
            return full("the store", limits.series_max);
        }
        Ok(())
    }

    fn take_point(&mut self, series: u32, labels: &[LabelPair<'_>], at_ms: i64, value: f64) {
        let Bounds {
            limits,
            oldest_ms,
            latest_ms,
        } = self.bounds;
        if at_ms > latest_ms {
            self.written.refused.too_early += 1;
            self.tell(labels, || {
                format!(
                    "its sample at {at_ms} lies more than {} s ahead of now",
                    limits.early_ms_max / 1_000
                )
            });
            return;
        }
        let window_ms = i64::try_from(limits.late_ms_max).unwrap_or(i64::MAX);
        let newest_ms = self.head.tails.newest_ms(series);
        let late_ms = newest_ms.map_or(i64::MIN, |newest| newest.saturating_sub(window_ms));
        if at_ms < oldest_ms.max(late_ms) {
            self.written.refused.too_late += 1;
            self.tell(labels, || {
                format!("its sample at {at_ms} is too old: older than retention, or than the newest of its series by more than {} s", limits.late_ms_max / 1_000)
            });
            return;
        }
        match self.head.tails.push(series, at_ms, value) {
            Pushed::Added | Pushed::Late => self.points.push(Point {
                series,
                at_ms,
                value,
            }),
            Pushed::Known => {}
            Pushed::Conflicting => {
                self.written.refused.conflicting += 1;
                self.tell(labels, || {
                    format!("another value stands at {at_ms} already; the first one stays")
                });
                return;
            }
        }
        self.written.samples += 1;
        self.newest_ms = self.newest_ms.max(Some(at_ms));
    }

    /// Keeps the first refusal in words.
    fn tell(&mut self, labels: &[LabelPair<'_>], why: impl FnOnce() -> String) {
        if self.written.first_refusal.is_none() {
            let pairs = labels.iter();
            let labels: Labels = pairs.map(|(name, value)| (&**name, &**value)).collect();
            self.written.first_refusal = Some(format!("series {labels}: {}", why()));
        }
    }

    fn note_metric(&mut self, labels: &[LabelPair<'_>]) {
        let name = labels.iter().find(|(name, _)| name == METRIC_NAME);
        let name = name.map_or("", |(_, value)| value);
        if self.metrics.last().is_none_or(|last| **last != *name) && !name.is_empty() {
            self.metrics.push(Arc::from(name));
        }
    }

    fn take_exemplars(
        &mut self,
        write: &Write<'_>,
        numbers: &[Option<u32>],
    ) -> Vec<(u32, StoredExemplar)> {
        let mut taken = Vec::new();
        for exemplar in &write.exemplars {
            let Some(series) = numbers.get(exemplar.series).copied().flatten() else {
                continue;
            };
            let pairs = exemplar.labels.iter();
            let stored = StoredExemplar {
                labels: pairs.map(|(name, value)| (&**name, &**value)).collect(),
                at_ms: exemplar.at_ms,
                value: exemplar.value,
            };
            let is_in_bounds = exemplar.at_ms <= self.bounds.latest_ms;
            if is_in_bounds && self.head.exemplars.push(series, stored.clone()) {
                taken.push((series, stored));
            }
        }
        taken
    }

    /// Takes what is new of the metadata.
    fn take_metadata(&mut self, write: &Write<'_>) -> Vec<(String, MetricMetadata)> {
        let mut taken = Vec::new();
        for told in &write.metadata {
            let metadata = MetricMetadata {
                kind: told.kind,
                help: cut(&told.help, HELP_BYTES_MAX).to_owned(),
                unit: cut(&told.unit, self.bounds.limits.label_name_bytes_max).to_owned(),
            };
            let known = self.head.metadata.get(&*told.metric);
            let has_room = known.is_some() || self.head.metadata.len() < METADATA_MAX;
            let fits = told.metric.len() <= self.bounds.limits.label_value_bytes_max;
            if known != Some(&metadata) && has_room && fits {
                let metric = told.metric.to_string();
                self.head.metadata.insert(metric.clone(), metadata.clone());
                taken.push((metric, metadata));
            }
        }
        taken
    }
}

/// Why labels cannot be taken.
fn unfit(labels: &[LabelPair<'_>], limits: &Limits) -> Option<String> {
    if labels.is_empty() {
        return Some("it has no labels".to_owned());
    }
    if labels.len() > limits.labels_max {
        let (found, max) = (labels.len(), limits.labels_max);
        return Some(format!("it has {found} labels, {max} are allowed"));
    }
    labels.iter().find_map(|(name, value)| {
        let (name_max, value_max) = (limits.label_name_bytes_max, limits.label_value_bytes_max);
        if name.is_empty() || name.len() > name_max {
            return Some(format!("a label's name must have 1 to {name_max} bytes"));
        }
        (value.len() > value_max).then(|| {
            let name = cut(name, name_max);
            format!("the value of its label {name} has more than {value_max} bytes")
        })
    })
}

/// The beginning of a text.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// The samples of an agent's batch as a write. The labels of one series are made once.
pub(crate) fn as_write(batch: &Batch) -> Write<'_> {
    let mut write = Write::default();
    for sample in &batch.samples {
        let labels = sample.labels.iter();
        let labels = labels.filter(|(_, value)| !value.is_empty());
        write
            .begin(labels.map(|(name, value)| {
                (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_str()))
            }));
        write.push(sample.at.as_millis(), sample.value);
    }
    write
}

/// The sum of two counts.
pub(crate) fn add(total: &mut Refused, more: &Refused) {
    total.series_limit += more.series_limit;
    total.labels += more.labels;
    total.too_late += more.too_late;
    total.too_early += more.too_early;
    total.conflicting += more.conflicting;
}

/// Distinct numbers, sorted.
pub(crate) fn distinct(series: Vec<u32>) -> Vec<u32> {
    if series.is_sorted_by(|a, b| a < b) {
        return series;
    }
    let set: BTreeSet<u32> = series.into_iter().collect();
    set.into_iter().collect()
}
