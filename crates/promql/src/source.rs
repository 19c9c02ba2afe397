//! Where series come from: the wall between the language and any store.

use std::ops::Range;
use std::sync::Arc;

use crate::labels::Labels;
use crate::matcher::Matcher;

/// What a query asks of a source: the series that pass every matcher, and their samples in a span of time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Select<'a> {
    /// All must pass.
    pub matchers: &'a [Matcher],
    /// First instant of interest, milliseconds, inclusive.
    pub start_ms: i64,
    /// Last instant of interest, milliseconds, inclusive.
    pub end_ms: i64,
    /// Refuse with [`SourceError::TooManySeries`] above this count, before chunks are gathered.
    pub series_max: usize,
    /// The result does not depend on the order of series: the source may leave them unsorted.
    pub any_order: bool,
}

impl<'a> Select<'a> {
    /// Asks for a span with no limit on series.
    #[must_use]
    pub fn new(matchers: &'a [Matcher], start_ms: i64, end_ms: i64) -> Self {
        Self {
            matchers,
            start_ms,
            end_ms,
            series_max: usize::MAX,
            any_order: false,
        }
    }

    /// The same with a limit on the count of series.
    #[must_use]
    pub fn with_series_max(mut self, series_max: usize) -> Self {
        self.series_max = series_max;
        self
    }

    /// The same with leave to answer in any order.
    #[must_use]
    pub fn with_any_order(mut self, any_order: bool) -> Self {
        self.any_order = any_order;
        self
    }
}

/// One series of an answer: labels, and chunks in the order of time that do not overlap.
#[derive(Clone)]
pub struct SeriesData {
    /// The series' labels.
    pub labels: Labels,
    /// Its samples in the span that was asked for; more at both ends is allowed.
    pub chunks: Vec<Arc<dyn Chunk>>,
}

/// A run of samples of one series, sorted by time, each time once. Reading may decode.
pub trait Chunk: Send + Sync {
    /// Times of the first and the last sample, milliseconds.
    fn span_ms(&self) -> (i64, i64);

    /// How many samples there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the samples of `from_ms..=to_ms` to both columns, bits unchanged, staleness markers included.
    ///
    /// # Errors
    /// When the chunk is damaged.
    fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), SourceError>;

    /// The times of all samples as a part of a column that other chunks share, where that costs nothing to lend. Series
    /// that lend the same part are evaluated together: what depends on times alone is computed once for all of them.
    fn shared_times(&self) -> Option<SharedTimes> {
        None
    }

    /// Appends the values of the samples at `places`, counted from the chunk's first; for a chunk that lends its times.
    ///
    /// # Errors
    /// When the chunk is damaged or has no such places.
    fn read_values(&self, places: Range<usize>, values: &mut Vec<f64>) -> Result<(), SourceError> {
        let (first_ms, last_ms) = self.span_ms();
        let (mut all_times, mut all_values) = (Vec::new(), Vec::new());
        self.read(first_ms, last_ms, &mut all_times, &mut all_values)?;
        let found = all_values
            .get(places)
            .ok_or_else(|| SourceError::Unreadable {
                reason: "a chunk is shorter than its times".to_owned(),
            })?;
        values.extend_from_slice(found);
        Ok(())
    }

    /// `false` only where no sample is a staleness marker for certain: then a query that counts what is there need not
    /// read values at all.
    fn may_be_stale(&self) -> bool {
        true
    }
}

/// A part of a column of times that chunks of several series share.
#[derive(Clone, Debug)]
pub struct SharedTimes {
    column: Arc<[i64]>,
    places: Range<usize>,
}

impl SharedTimes {
    /// The times of `column` at `places`, sorted, each once.
    ///
    /// # Panics
    /// When the column has no such places.
    #[must_use]
    pub fn new(column: Arc<[i64]>, places: Range<usize>) -> Self {
        assert!(
            places.start <= places.end && places.end <= column.len(),
            "places of a shared column"
        );
        Self { column, places }
    }

    /// The times, milliseconds.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.column[self.places.clone()]
    }

    /// Whether both are the same part of the same column.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.column, &other.column) && self.places == other.places
    }

    /// The part of these times within `from_ms..=to_ms`, and its places counted from the first.
    pub(crate) fn within(self, from_ms: i64, to_ms: i64) -> (Self, Range<usize>) {
        let times = self.times();
        let span_ms = match (times.first(), times.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (i64::MAX, i64::MIN),
        };
        let within = places_within(times, span_ms, from_ms, to_ms);
        let start = self.places.start;
        let narrowed = Self {
            places: start + within.start..start + within.end,
            column: self.column,
        };
        (narrowed, within)
    }
}

/// The places of the times within `from_ms..=to_ms`; most chunks lie there whole.
fn places_within(times: &[i64], span_ms: (i64, i64), from_ms: i64, to_ms: i64) -> Range<usize> {
    let first = if span_ms.0 >= from_ms {
        0
    } else {
        times.partition_point(|time| *time < from_ms)
    };
    let end = if span_ms.1 <= to_ms {
        times.len()
    } else {
        times.partition_point(|time| *time <= to_ms)
    };
    first..end.max(first)
}

/// Anything that holds series. An implementation takes its lock, if it has one, in `select` alone: what it returns is a
/// snapshot that is read without it.
pub trait Source {
    /// The series that pass, sorted by labels (so that an answer does not depend on where data lay) unless `any_order`
    /// allows another order. A series without samples in the span may be left out.
    ///
    /// # Errors
    /// When the source cannot be read or the count of series is above the limit.
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError>;
}

/// An exemplar that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredExemplar {
    /// Its own labels.
    pub labels: Labels,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// Its value.
    pub value: f64,
}

/// A question about what there is: series that pass all matchers of at least one set (all series when there is no set) and
/// have a sample in the span.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Sets of matchers.
    pub sets: &'a [Vec<Matcher>],
    /// First instant, milliseconds, inclusive.
    pub from_ms: i64,
    /// Last instant, milliseconds, inclusive.
    pub to_ms: i64,
}

/// A source that cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// More series pass than the query may touch.
    #[error("{found} series match, {limit} are allowed in one query: narrow its matchers")]
    TooManySeries {
        /// How many match, at least.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Data is damaged or out of reach.
    #[error("stored samples could not be read: {reason}")]
    Unreadable {
        /// What happened.
        reason: String,
    },
}

/// Samples that are not compressed.
#[derive(Clone, Debug)]
pub struct PlainChunk {
    /// Kept beside the columns, so that a chunk out of reach of a query costs no look into them.
    span_ms: (i64, i64),
    times: Vec<i64>,
    values: Vec<f64>,
}

impl Default for PlainChunk {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

impl PlainChunk {
    /// From columns of equal length, sorted by time.
    ///
    /// # Panics
    /// When the lengths differ.
    #[must_use]
    pub fn new(times: Vec<i64>, values: Vec<f64>) -> Self {
        assert_eq!(times.len(), values.len(), "columns of one chunk");
        let span_ms = match (times.first(), times.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (i64::MAX, i64::MIN),
        };
        Self {
            span_ms,
            times,
            values,
        }
    }

    /// Times and values.
    #[must_use]
    pub fn columns(&self) -> (&[i64], &[f64]) {
        (&self.times, &self.values)
    }
}

impl Chunk for PlainChunk {
    fn span_ms(&self) -> (i64, i64) {
        self.span_ms
    }

    fn len(&self) -> usize {
        self.times.len()
    }

    fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), SourceError> {
        let places = places_within(&self.times, self.span_ms, from_ms, to_ms);
        times.extend_from_slice(&self.times[places.clone()]);
        values.extend_from_slice(&self.values[places]);
        Ok(())
    }
}
