//! What a metrics client or an exporter sends at once, borrowed from its bytes where it can be; not where it is kept.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// A name and its value.
pub type LabelPair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Reads the labels of one series from the bytes that spell them, and adds them: sorted by name (bytewise), no name twice, no
/// empty name or value. Equal bytes spell equal labels, whoever sent them.
///
/// # Errors
/// Says, for a person, what is wrong with them; some may have been added.
pub type ReadSpelling = for<'b> fn(&'b [u8], &mut Vec<LabelPair<'b>>) -> Result<(), String>;

/// Samples of several series with what belongs to them. Labels and points of all series lie one after the other in two flat
/// lists, so that a request of thousands of series costs a handful of allocations.
#[derive(Clone, Debug, Default)]
pub struct Write<'a> {
    /// The series, each a range of `labels` and a range of `points`. The same series may come more than once.
    pub series: Vec<WrittenSeries<'a>>,
    /// Reads the labels of those series that are only spelt. Who knows a spelling need not read it again.
    pub spelt: Option<ReadSpelling>,
    /// Labels of all series. Those of one series are sorted by name (bytewise), no name twice, no empty name or value.
    pub labels: Vec<LabelPair<'a>>,
    /// Points of all series, in the order they were sent.
    pub points: Vec<Point>,
    /// Exemplars of these series.
    pub exemplars: Vec<Exemplar<'a>>,
    /// What is known of the metrics.
    pub metadata: Vec<Metadata<'a>>,
    /// Native histograms that were sent and are not kept yet: counted, so that nobody believes they were.
    pub histograms_left_out: u64,
    /// Series that were left out for their labels.
    pub unreadable: Unreadable,
}

/// Series that a sender spelt so that nothing can be stored under them; the others of its request are not touched by that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Samples of theirs.
    pub samples: u64,
    /// What was wrong with the first one, for a person.
    pub first: Option<String>,
}

impl Unreadable {
    /// Counts one more series.
    pub fn note(&mut self, samples: u64, why: impl FnOnce() -> String) {
        self.samples += samples;
        self.first.get_or_insert_with(why);
    }
}

/// One series of a [`Write`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenSeries<'a> {
    /// Bytes that spell its labels, for [`Write::spelt`]; empty when the labels stand in [`Write::labels`].
    pub spelling: &'a [u8],
    /// Where its labels stand in [`Write::labels`].
    pub labels: Range<usize>,
    /// Where its points stand in [`Write::points`].
    pub points: Range<usize>,
}

/// One value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The value, every bit of it; [`crate::signal::STALE_NAN_BITS`] ends the series for now.
    pub value: f64,
}

/// An example of what a sample counts, mostly the id of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar<'a> {
    /// Index into [`Write::series`].
    pub series: usize,
    /// Labels of its own, sorted by name.
    pub labels: Vec<LabelPair<'a>>,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The value.
    pub value: f64,
}

/// What an exporter says of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The metric family's name.
    pub metric: Cow<'a, str>,
    /// What kind of metric it is.
    pub kind: MetricKind,
    /// For a person.
    pub help: Cow<'a, str>,
    /// The unit; empty when none is told.
    pub unit: Cow<'a, str>,
}

/// Kinds of metrics (OpenMetrics 1.0, "Metric Types").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricKind {
    /// Not told.
    #[default]
    Unknown,
    /// Only rises, or starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by bucket.
    Histogram,
    /// Counts by bucket, as a gauge.
    GaugeHistogram,
    /// Quantiles that the exporter computed.
    Summary,
    /// Facts as labels.
    Info,
    /// States, of which some hold.
    StateSet,
}

impl MetricKind {
    /// The word of the exposition formats and of Prometheus' API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    /// From the word; `untyped` is Prometheus' older word for unknown.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "unknown" | "untyped" => Self::Unknown,
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "gaugehistogram" => Self::GaugeHistogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            _ => return None,
        })
    }
}

impl<'a> Write<'a> {
    /// Begins a series; points that are pushed from now on are its. Labels must be as [`Write::labels`] demands.
    pub fn begin(&mut self, labels: impl IntoIterator<Item = LabelPair<'a>>) {
        let first = self.labels.len();
        self.labels.extend(labels);
        let points = self.points.len();
        self.series.push(WrittenSeries {
            spelling: &[],
            labels: first..self.labels.len(),
            points: points..points,
        });
    }

    /// Adds a point to the series that was begun last; without one it is dropped.
    pub fn push(&mut self, at_ms: i64, value: f64) {
        if let Some(series) = self.series.last_mut() {
            self.points.push(Point { at_ms, value });
            series.points.end = self.points.len();
        }
    }

    /// The labels of a series; none while it is only spelt.
    #[must_use]
    pub fn labels_of(&self, series: &WrittenSeries<'a>) -> &[LabelPair<'a>] {
        self.labels.get(series.labels.clone()).unwrap_or_default()
    }

    /// Reads the labels of a series that is only spelt into `labels`, whose former content is lost. Gives whether it is.
    ///
    /// # Errors
    /// As [`ReadSpelling`].
    pub fn read_spelling(
        &self,
        series: &WrittenSeries<'a>,
        labels: &mut Vec<LabelPair<'a>>,
    ) -> Result<bool, String> {
        labels.clear();
        match self.spelt {
            Some(read) if !series.spelling.is_empty() => {
                read(series.spelling, labels)?;
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    /// The points of a series.
    #[must_use]
    pub fn points_of(&self, series: &WrittenSeries<'_>) -> &[Point] {
        self.points.get(series.points.clone()).unwrap_or_default()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
            && self.exemplars.is_empty()
            && self.metadata.is_empty()
            && self.unreadable == Unreadable::default()
    }
}

/// What became of a write that is on disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// Samples that were stored; one that was there already, bit for bit, counts as stored.
    pub samples: u64,
    /// Exemplars that were stored.
    pub exemplars: u64,
    /// Samples that were refused, by reason.
    pub refused: Refused,
    /// The first refusal, for a person: which series, and why.
    pub first_refusal: Option<String>,
    /// What arrived, for those who wait for it.
    pub arrived: Arrived,
}

/// What a write brought: monitors that need one of these metrics are asked now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Names of the metrics, each once, sorted.
    pub metrics: Vec<Arc<str>>,
    /// Newest sample, milliseconds; none when there was no sample.
    pub newest_ms: Option<i64>,
}

/// What is known of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricMetadata {
    /// What kind it is.
    pub kind: MetricKind,
    /// For a person.
    pub help: String,
    /// Its unit, or nothing.
    pub unit: String,
}

/// How many of something there are, for `status/tsdb`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cardinality {
    /// Series that are in memory.
    pub series: u64,
    /// Distinct pairs of a label's name and value.
    pub label_pairs: u64,
    /// Chunks.
    pub chunks: u64,
    /// Oldest sample, milliseconds.
    pub oldest_ms: Option<i64>,
    /// Newest sample, milliseconds.
    pub newest_ms: Option<i64>,
    /// Metrics with the most series.
    pub series_by_metric: Vec<(String, u64)>,
    /// Labels with the most values.
    pub values_by_label: Vec<(String, u64)>,
    /// Labels whose values take the most bytes.
    pub bytes_by_label: Vec<(String, u64)>,
    /// Pairs of label and value with the most series.
    pub series_by_pair: Vec<(String, u64)>,
}

/// Counts of samples that were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// They would have begun a series above the limit.
    pub series_limit: u64,
    /// Too many labels, or too long ones, or no labels at all.
    pub labels: u64,
    /// Older than the window for late samples.
    pub too_late: u64,
    /// Too far in the future.
    pub too_early: u64,
    /// Another value stands at the same millisecond of the same series; the first one stays.
    pub conflicting: u64,
}
