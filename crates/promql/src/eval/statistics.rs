//! One number from many: means, variances, quantiles, as Prometheus computes them; it knows no series.

use std::cmp::Ordering;

use super::arithmetic::Sum;

/// The population variance, by Welford with compensated sums.
pub(super) fn variance_compensated(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (Sum::default(), Sum::default());
    let mut count = 0.0;
    for value in values {
        count += 1.0;
        let delta = value - (mean.value + mean.lost);
        mean.add(delta / count);
        squares.add(delta * (value - (mean.value + mean.lost)));
    }
    (squares.value + squares.lost) / count
}

/// The `q`-quantile, between values by straight line. Changes the order of `values`.
pub(super) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let rank = q * (values.len() as f64 - 1.0);
    let weight = rank - rank.floor();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a rank is within the count"
    )]
    let lower = rank.floor().max(0.0) as usize;
    let (_, lower, above) = values.select_nth_unstable_by(lower, |a, b| nan_first(*a, *b));
    let upper = above.iter().copied().min_by(|a, b| nan_first(*a, *b));
    let upper = upper.unwrap_or(*lower);
    *lower * (1.0 - weight) + upper * weight
}

/// The order of values with NaN below all.
pub(super) fn nan_first(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}
