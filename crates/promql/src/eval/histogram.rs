//! Quantiles of classic histograms: series with a label `le` that count up to a bound.

use std::collections::BTreeMap;

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
        if !histograms.is_empty() {
            self.check_quantiles(quantiles);
        }
        let mut results = Vec::with_capacity(histograms.len());
        for (labels, histogram) in histograms {
            self.budget.spend(grid.count)?;
            let mut values = Vec::with_capacity(grid.count);
            for (step, q) in quantiles.iter().enumerate() {
                let mut buckets = buckets_at(&histogram, rows, step);
                if buckets.is_empty() {
                    values.push(ABSENT);
                    continue;
                }
                let (value, forced) = bucket_quantile(*q, &mut buckets);
                if forced {
                    self.inform(format!(
                        "buckets of {labels} were made monotonic before their quantile was taken"
                    ));
                }
                values.push(value);
            }
            results.push(Row {
                labels,
                drop_name: histogram.drop_name,
                values,
            });
        }
        self.without_names(results)
    }
}

fn buckets_at(histogram: &Histogram, rows: &[Row], step: usize) -> Vec<Bucket> {
    let buckets = histogram.rows.iter().map(|(bound, row)| Bucket {
        bound: *bound,
        count: rows[*row].values[step],
    });
    buckets.filter(|bucket| is_present(bucket.count)).collect()
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
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
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
