//! Functions over windows of samples; it knows neither grid nor source.

use crate::ast::Over;

use super::arithmetic::Sum;
use super::{regression, statistics};

/// One window.
pub(super) struct Window<'a> {
    /// Times of the samples, milliseconds; at least one.
    pub(super) times: &'a [i64],
    /// Their values.
    pub(super) values: &'a [f64],
    /// The window's end, which is included.
    pub(super) end_ms: i64,
    /// Its length; the start is excluded.
    pub(super) range_ms: i64,
    /// The instant of the evaluation, which `offset` and `@` do not move.
    pub(super) eval_ms: i64,
    /// Scalar arguments at that instant.
    pub(super) scalars: &'a [f64],
}

/// The value of a function over a window, if it has one.
pub(super) fn over(func: Over, window: &Window<'_>) -> Option<f64> {
    let values = window.values;
    let scalar = |at: usize| window.scalars.get(at).copied().unwrap_or(f64::NAN);
    match func {
        Over::Rate => extrapolated(window, true, seconds(window.range_ms)),
        Over::Increase => extrapolated(window, true, 1.0),
        Over::Delta => extrapolated(window, false, 1.0),
        Over::Irate => last_two(window, true),
        Over::Idelta => last_two(window, false),
        Over::Deriv => {
            let origin_ms = *window.times.first()?;
            (values.len() > 1).then(|| regression::line(window.times, values, origin_ms).0)
        }
        Over::PredictLinear => (values.len() > 1).then(|| {
            let (slope, now) = regression::line(window.times, values, window.eval_ms);
            slope * scalar(0) + now
        }),
        Over::DoubleExponentialSmoothing => {
            regression::double_exponential(values, scalar(0), scalar(1))
        }
        Over::Changes => Some(count_pairs(values, |before, after| {
            before != after && !(before.is_nan() && after.is_nan())
        })),
        Over::Resets => Some(count_pairs(values, |before, after| after < before)),
        Over::Avg => Some(statistics::mean(values)),
        Over::Sum => {
            let mut sum = Sum::default();
            values.iter().for_each(|value| sum.add(*value));
            Some(sum.total())
        }
        Over::Min => Some(statistics::smallest(values)),
        Over::Max => Some(statistics::largest(values)),
        Over::Count => Some(count(values.len())),
        Over::Last => values.last().copied(),
        Over::First => values.first().copied(),
        Over::Stddev => Some(statistics::variance_compensated(values).sqrt()),
        Over::Stdvar => Some(statistics::variance_compensated(values)),
        Over::Quantile => Some(statistics::quantile(scalar(0), &mut values.to_vec())),
        Over::Mad => {
            let median = statistics::quantile(0.5, &mut values.to_vec());
            let mut away: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
            Some(statistics::quantile(0.5, &mut away))
        }
        Over::Present => Some(1.0),
    }
}

/// The rise over the window, in parts of `per`: what the samples show, extended to the window's borders where they come
/// near them.
fn extrapolated(window: &Window<'_>, is_counter: bool, per: f64) -> Option<f64> {
    let (first_ms, last_ms) = (*window.times.first()?, *window.times.last()?);
    let (first, last) = (*window.values.first()?, *window.values.last()?);
    if window.values.len() < 2 {
        return None;
    }
    let mut rise = last - first;
    if is_counter {
        for pair in window.values.windows(2) {
            if pair[1] < pair[0] {
                rise += pair[0];
            }
        }
    }
    let start_ms = window.end_ms.saturating_sub(window.range_ms);
    let mut to_start = seconds(first_ms.saturating_sub(start_ms));
    let mut to_end = seconds(window.end_ms.saturating_sub(last_ms));
    let sampled = seconds(last_ms.saturating_sub(first_ms));
    let between = sampled / (count(window.values.len()) - 1.0);
    // Samples that are further than this from a border are taken to begin or end inside the window.
    let near = between * 1.1;
    if to_start >= near {
        to_start = between / 2.0;
    }
    if is_counter && rise > 0.0 && first >= 0.0 {
        // A counter starts at zero: it cannot be extended to before it would have been there.
        to_start = to_start.min(sampled * (first / rise));
    }
    if to_end >= near {
        to_end = between / 2.0;
    }
    Some(rise * ((sampled + to_start + to_end) / sampled / per))
}

/// The difference of the last two samples; per second, and across a reset, for `irate`.
fn last_two(window: &Window<'_>, is_rate: bool) -> Option<f64> {
    let [.., before, last] = window.values else {
        return None;
    };
    let [.., before_ms, last_ms] = window.times else {
        return None;
    };
    if !is_rate {
        return Some(last - before);
    }
    let rise = if last < before { *last } else { last - before };
    Some(rise / seconds(last_ms.saturating_sub(*before_ms)))
}

fn count_pairs(values: &[f64], counts: impl Fn(f64, f64) -> bool) -> f64 {
    count(
        values
            .windows(2)
            .filter(|pair| counts(pair[0], pair[1]))
            .count(),
    )
}

pub(super) fn count(of: usize) -> f64 {
    of as f64
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1e3
}
