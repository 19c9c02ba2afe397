//! Takes writes into memory and prepares them for the log: which samples are within the limits, and what the rest was refused for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_domain::signal::Batch;
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::{
    Arrived, LabelPair, MetricMetadata, Refused, Unreadable, Write, Written, WrittenSeries,
};
use tocsin_promql::{Labels, StoredExemplar};

use crate::head::Head;
use crate::options::Limits;
use crate::payload::{Point, encode_rest};
use crate::tails::Pushed;

/// Bytes of a help text that are kept.
const HELP_BYTES_MAX: usize = 1_024;

/// Who wrote what the agent of this process saw, for the limit on series.
pub(crate) const AGENT: &str = "agent";
/// Sources within this process; clients have other names.
const OWN_SOURCES: [&str; 2] = [AGENT, "rules"];

/// What is taken within a write.
pub(crate) struct Taken {
    /// Series that the log may have to name.
    pub(crate) series: Vec<u32>,
    /// The body for the log, without names; empty when nothing is new.
    pub(crate) rest: Vec<u8>,
    pub(crate) written: Written,
    /// Some samples were there already.
    pub(crate) has_known: bool,
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

/// Why a point is refused.
#[derive(Clone, Copy)]
enum Pointless {
    TooEarly,
    TooLate,
    Conflicting,
}

/// One write on its way in.
struct Taking<'a> {
    head: &'a mut Head,
    bounds: Bounds,
    source: u16,
    /// Whether this process itself writes it.
    is_own: bool,
    points: Vec<Point>,
    series: Vec<u32>,
    written: Written,
    /// Numbers of texts, one or more for each metric.
    metrics: Vec<u32>,
    /// Newest sample that was stored, or was there already: who sends it again waits for what follows from it.
    newest_ms: Option<i64>,
    has_known: bool,
}

/// Takes a write, and records that came with it (packed), into memory.
pub(crate) fn take(
    head: &mut Head,
    write: &Write<'_>,
    source: &str,
    bounds: Bounds,
    packed: (&[u8], &[u8]),
) -> Taken {
    let is_own = OWN_SOURCES.contains(&source);
    let source = head.sources.number(source);
    let mut taking = Taking {
        head,
        bounds,
        source,
        is_own,
        points: Vec::with_capacity(write.points.len()),
        series: Vec::with_capacity(write.series.len()),
        written: Written::default(),
        metrics: Vec::new(),
        newest_ms: None,
        has_known: false,
    };
    taking.note_unreadable(&write.unreadable);
    let mut labels = Vec::new();
    let numbers: Vec<Option<u32>> = write
        .series
        .iter()
        .map(|series| taking.take_series(write, series, &mut labels))
        .collect();
    let exemplars = taking.take_exemplars(write, &numbers);
    let metadata = taking.take_metadata(write);
    let Taking {
        head,
        points,
        series,
        mut written,
        mut metrics,
        newest_ms,
        has_known,
        ..
    } = taking;
    metrics.sort_unstable();
    metrics.dedup();
    let names = metrics.into_iter();
    let mut metrics: Vec<_> = names
        .map(|name| Arc::clone(head.registry.text(name)))
        .collect();
    metrics.sort();
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
        has_known,
    }
}

impl Taking<'_> {
    /// Counts the series that were left out before they came here.
    fn note_unreadable(&mut self, unreadable: &Unreadable) {
        self.written.refused.labels += unreadable.samples;
        self.written.first_refusal.clone_from(&unreadable.first);
    }

    /// Takes one series' points. Gives its number when it is known. `labels` is room to read them into.
    fn take_series<'w>(
        &mut self,
        write: &Write<'w>,
        series: &WrittenSeries<'w>,
        labels: &mut Vec<LabelPair<'w>>,
    ) -> Option<u32> {
        let points = write.points_of(series);
        let before = self.series.last().copied();
        let spelt = before.and_then(|before| {
            let registry = &self.head.registry;
            registry.find_spelt(before, series.spelling)
        });
        let number = match spelt {
            Some(number) if self.head.sources.has(number) => number,
            Some(_) | None => match write.read_spelling(series, labels) {
                Ok(true) => self.enter(labels, series, before)?,
                Ok(false) => self.enter(write.labels_of(series), series, before)?,
                Err(why) => {
                    self.written.refused.labels += points.len() as u64;
                    self.written.first_refusal.get_or_insert(why);
                    return None;
                }
            },
        };
        self.series.push(number);
        let metric = self.head.registry.metric(number);
        if metric != self.metrics.last().copied() {
            self.metrics.extend(metric);
        }
        for point in points {
            if let Err(refusal) = self.take_point(number, point.at_ms, point.value) {
                self.tell_of_point(number, point.at_ms, refusal);
            }
        }
        Some(number)
    }

    /// Finds the series with these labels, or lets it in.
    fn enter(
        &mut self,
        labels: &[LabelPair<'_>],
        series: &WrittenSeries<'_>,
        before: Option<u32>,
    ) -> Option<u32> {
        let registry = &self.head.registry;
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
            *count(&mut self.written.refused) += series.points.len() as u64;
            let pairs = labels.iter().map(|(name, value)| (&**name, &**value));
            self.tell(|_| pairs.collect(), why);
            return None;
        }
        let registry = &mut self.head.registry;
        let number = known.unwrap_or_else(|| registry.add(hash, labels));
        if let (Some(before), None) = (before, next) {
            registry.note_next(before, number);
        }
        registry.note_spelling(number, series.spelling);
        self.head.sources.join(number, self.source);
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
        let series_max = limits.series_max_of(self.is_own);
        if known.is_none() && self.head.registry.len() >= series_max {
            return full("the store", series_max);
        }
        Ok(())
    }

    fn take_point(&mut self, series: u32, at_ms: i64, value: f64) -> Result<(), Pointless> {
        let bounds = &self.bounds;
        if at_ms > bounds.latest_ms {
            return Err(Pointless::TooEarly);
        }
        let window_ms = i64::try_from(bounds.limits.late_ms_max).unwrap_or(i64::MAX);
        let newest_ms = self.head.tails.newest_ms(series);
        let late_ms = newest_ms.map_or(i64::MIN, |newest| newest.saturating_sub(window_ms));
        if at_ms < bounds.oldest_ms.max(late_ms) {
            return Err(Pointless::TooLate);
        }
        match self.head.tails.push(series, at_ms, value) {
            Pushed::Added | Pushed::Late => self.points.push(Point {
                series,
                at_ms,
                value,
            }),
            Pushed::Known => self.has_known = true,
            Pushed::Conflicting => return Err(Pointless::Conflicting),
        }
        self.written.samples += 1;
        self.newest_ms = self.newest_ms.max(Some(at_ms));
        Ok(())
    }

    /// Counts a point that was refused, and says why if it is the first.
    #[cold]
    fn tell_of_point(&mut self, series: u32, at_ms: i64, refusal: Pointless) {
        let refused = &mut self.written.refused;
        let limits = self.bounds.limits;
        let why = match refusal {
            Pointless::TooEarly => {
                refused.too_early += 1;
                let ahead_s = limits.early_ms_max / 1_000;
                format!("its sample at {at_ms} lies more than {ahead_s} s ahead of now")
            }
            Pointless::TooLate => {
                refused.too_late += 1;
                let window_s = limits.late_ms_max / 1_000;
                format!(
                    "its sample at {at_ms} is too old: older than retention, or than the newest of its series by more than {window_s} s"
                )
            }
            Pointless::Conflicting => {
                refused.conflicting += 1;
                format!("another value stands at {at_ms} already; the first one stays")
            }
        };
        self.tell(|head| head.labels(series), why);
    }

    /// Keeps the first refusal in words.
    fn tell(&mut self, labels: impl FnOnce(&Head) -> Labels, why: String) {
        if self.written.first_refusal.is_none() {
            let labels = labels(self.head);
            self.written.first_refusal = Some(format!("series {labels}: {why}"));
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
            let fits = told.metric.len() <= self.bounds.limits.label_value_bytes_max;
            if fits && self.head.metadata.learn(&told.metric, &metadata) {
                taken.push((told.metric.to_string(), metadata));
            }
        }
        taken
    }
}

/// Why labels cannot be taken.
pub(crate) fn unfit(labels: &[LabelPair<'_>], limits: &Limits) -> Option<String> {
    if labels.is_empty() {
        return Some("it has no labels".to_owned());
    }
    if labels.len() > limits.labels_max {
        let (found, max) = (labels.len(), limits.labels_max);
        return Some(format!("it has {found} labels, {max} are allowed"));
    }
    let bytes: usize = labels
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > limits.labels_bytes_max {
        let max = limits.labels_bytes_max;
        return Some(format!("its labels have {bytes} bytes, {max} are allowed"));
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
