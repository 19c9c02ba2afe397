//! One number from many: means, variances, quantiles, as Prometheus computes them; it knows no series.

use std::cmp::Ordering;

use super::arithmetic::Sum;

/// The mean. It changes to an incremental mean when the sum would overflow.
pub(super) fn mean(values: &[f64]) -> f64 {
    let Some((first, rest)) = values.split_first() else {
        return f64::NAN;
    };
    let mut sum = Sum {
        value: *first,
        lost: 0.0,
    };
    let mut count = 1.0;
    let mut incremental = false;
    for value in rest {
        count += 1.0;
        if !incremental {
            let mut next = sum;
            next.add(*value);
            if !next.value.is_infinite() {
                sum = next;
                continue;
            }
            incremental = true;
            sum.value /= count - 1.0;
            sum.lost /= count - 1.0;
        }
        let share = (count - 1.0) / count;
        sum = Sum {
            value: share * sum.value,
            lost: share * sum.lost,
        };
        sum.add(value / count);
    }
    if incremental {
        sum.value + sum.lost
    } else {
        sum.value / count + sum.lost / count
    }
}

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

/// The population variance, by Welford.
pub(super) fn variance(values: &[f64]) -> f64 {
    let Some((first, rest)) = values.split_first() else {
        return f64::NAN;
    };
    let mut squares = if first.is_finite() { 0.0 } else { f64::NAN };
    let mut mean = *first;
    let mut count = 1.0;
    for value in rest {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}

/// The largest; a NaN only when there is nothing else.
pub(super) fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, |best, value| {
        if value > best || best.is_nan() {
            value
        } else {
            best
        }
    })
}

/// The smallest; a NaN only when there is nothing else.
pub(super) fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, |best, value| {
        if value < best || best.is_nan() {
            value
        } else {
            best
        }
    })
}

/// The `q`-quantile, between values by straight line. Sorts `values`.
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
    values.sort_by(|a, b| nan_first(*a, *b));
    let rank = q * (values.len() as f64 - 1.0);
    let weight = rank - rank.floor();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a rank is within the count"
    )]
    let lower = rank.floor().max(0.0) as usize;
    let upper = (lower + 1).min(values.len() - 1);
    values[lower] * (1.0 - weight) + values[upper] * weight
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
