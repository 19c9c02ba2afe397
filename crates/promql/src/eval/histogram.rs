//! Quantiles of classic histograms: series with a label `le` that count up to a bound.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::EvalError;
use crate::labels::Labels;

use super::Evaluator;
use super::columns::{ABSENT, Grid, Row, is_present};

/// Relative difference of counts that is taken for a rounding error.
const TOLERANCE: f64 = 1e-12;

/// A bucket: how many observations were at most the bound.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    bound: f64,
    count: f64,
}

/// The rows of one histogram and their bounds.
struct Histogram {
    drop_name: bool,
    rows: Vec<(f64, usize)>,
}

impl Evaluator<'_> {
    pub(super) fn histogram_quantile(
        &mut self,
        quantiles: &[f64],
        rows: &[Row],
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        let histograms = self.histograms(rows);
        if !histograms.is_empty() {
            self.check_quantiles(quantiles);
        }
        let mut mended = BTreeSet::new();
        let results = self.each_histogram(histograms, rows, grid, |labels, buckets, step| {
            let (value, forced) = bucket_quantile(quantiles[step], buckets);
            if forced {
                mended.insert(labels.clone());
            }
            value
        })?;
        for labels in mended {
            self.inform(format!(
                "buckets of {labels} were made monotonic before their quantile was taken"
            ));
        }
        self.without_names(results)
    }

    /// The share of observations above `lower` and up to `upper`.
    pub(super) fn histogram_fraction(
        &mut self,
        lower: &[f64],
        upper: &[f64],
        rows: &[Row],
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        let histograms = self.histograms(rows);
        let results = self.each_histogram(histograms, rows, grid, |_, buckets, step| {
            bucket_fraction(lower[step], upper[step], buckets)
        })?;
        self.without_names(results)
    }

    /// The histograms that the rows are buckets of.
    fn histograms(&mut self, rows: &[Row]) -> BTreeMap<Labels, Histogram> {
        let mut histograms: BTreeMap<Labels, Histogram> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let Some(bound) = parse_bound(row.labels.get("le")) else {
                self.warn(format!(
                    "{} has no usable bucket bound in its label le",
                    row.labels
                ));
                continue;
            };
            histograms
                .entry(row.labels.filtered(|name| name != "le"))
                .or_insert_with(|| Histogram {
                    drop_name: row.drop_name,
                    rows: Vec::new(),
                })
                .rows
                .push((bound, at));
        }
        histograms
    }

    fn each_histogram(
        &mut self,
        histograms: BTreeMap<Labels, Histogram>,
        rows: &[Row],
        grid: Grid,
        mut compute: impl FnMut(&Labels, &mut Vec<Bucket>, usize) -> f64,
    ) -> Result<Vec<Row>, EvalError> {
        let mut results = Vec::with_capacity(histograms.len());
        let mut buckets = Vec::new();
        for (labels, mut histogram) in histograms {
            self.budget.spend(grid.count)?;
            self.budget
                .work(histogram.rows.len().saturating_mul(grid.count))?;
            // Buckets need not be sorted at every step then.
            histogram.rows.sort_by(|a, b| a.0.total_cmp(&b.0));
            let values = (0..grid.count).map(|step| {
                buckets.clear();
                let all = histogram.rows.iter().map(|(bound, row)| Bucket {
                    bound: *bound,
                    count: rows[*row].values[step],
                });
                buckets.extend(all.filter(|bucket| is_present(bucket.count)));
                if buckets.is_empty() {
                    ABSENT
                } else {
                    compute(&labels, &mut buckets, step)
                }
            });
            results.push(Row {
                values: values.collect(),
                labels,
                drop_name: histogram.drop_name,
            });
        }
        Ok(results)
    }
}

/// A bound as Prometheus writes it; `None` for what is no number.
fn parse_bound(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The quantile, and whether counts had to be raised to make them grow with their bounds.
fn bucket_quantile(q: f64, buckets: &mut Vec<Bucket>) -> (f64, bool) {
    if q.is_nan() {
        return (f64::NAN, false);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, false);
    }
    if q > 1.0 {
        return (f64::INFINITY, false);
    }
    if buckets
        .last()
        .is_none_or(|last| last.bound != f64::INFINITY)
    {
        return (f64::NAN, false);
    }
    coalesce(buckets);
    let forced = make_monotonic(buckets);
    let [.., before_last, last] = buckets.as_slice() else {
        return (f64::NAN, forced);
    };
    if last.count == 0.0 || last.count.is_nan() {
        return (f64::NAN, forced);
    }
    let mut rank = q * last.count;
    let inner = &buckets[..buckets.len() - 1];
    let at = inner.partition_point(|bucket| bucket.count < rank || bucket.count.is_nan());
    let Some(bucket) = inner.get(at) else {
        return (before_last.bound, forced);
    };
    let Some(below) = at.checked_sub(1).map(|at| inner[at]) else {
        if bucket.bound <= 0.0 {
            return (bucket.bound, forced);
        }
        return (bucket.bound * (rank / bucket.count), forced);
    };
    rank -= below.count;
    let share = rank / (bucket.count - below.count);
    (below.bound + (bucket.bound - below.bound) * share, forced)
}

/// The share of observations between two bounds; they are taken to lie evenly within a bucket.
fn bucket_fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    let (Some(first), Some(last)) = (buckets.first().copied(), buckets.last()) else {
        return f64::NAN;
    };
    if last.bound != f64::INFINITY {
        return f64::NAN;
    }
    coalesce(buckets);
    let total = buckets.last().map_or(0.0, |last| last.count);
    if total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    // Without bounds below zero there are no observations below zero either.
    let start = if first.bound > 0.0 {
        0.0
    } else {
        f64::NEG_INFINITY
    };
    (rank_of(upper, start, total, buckets) - rank_of(lower, start, total, buckets)) / total
}

/// How many observations are at most `value`.
fn rank_of(value: f64, start: f64, total: f64, buckets: &[Bucket]) -> f64 {
    let (mut bound_below, mut below) = (start, 0.0);
    for bucket in buckets {
        if bound_below >= value {
            return f64::min(below, total);
        }
        if bucket.bound > value {
            let rank = if bound_below == f64::NEG_INFINITY {
                bucket.count
            } else {
                let width = bucket.bound - bound_below;
                below + (bucket.count - below) * (value - bound_below) / width
            };
            return if rank > total { total } else { rank };
        }
        (bound_below, below) = (bucket.bound, bucket.count);
    }
    total
}

/// Adds up buckets of the same bound.
fn coalesce(buckets: &mut Vec<Bucket>) {
    buckets.dedup_by(|next, kept| {
        let same = next.bound == kept.bound;
        if same {
            kept.count += next.count;
        }
        same
    });
}

fn make_monotonic(buckets: &mut [Bucket]) -> bool {
    let mut forced = false;
    let Some(mut before) = buckets.first().map(|bucket| bucket.count) else {
        return false;
    };
    for bucket in buckets.iter_mut().skip(1) {
        if almost_equal(before, bucket.count) {
            bucket.count = before;
        } else if bucket.count < before {
            bucket.count = before;
            forced = true;
        } else {
            before = bucket.count;
        }
    }
    forced
}

fn almost_equal(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}
