//! Functions over windows of samples; it knows neither grid nor source.

use crate::ast::Each;

use super::fold::{MeanFold, SumFold, fold};
use super::timeline::seconds;
use super::{regression, statistics};

/// One window.
pub(super) struct Window<'a> {
    /// Times of the samples, milliseconds; at least one.
    pub(super) times: &'a [i64],
    /// Their values.
    pub(super) values: &'a [f64],
    /// The instant of the evaluation, which `offset` and `@` do not move.
    pub(super) eval_ms: i64,
    /// Scalar arguments at that instant.
    pub(super) scalars: &'a [f64],
}

/// Memory that is used again for each window.
#[derive(Default)]
pub(super) struct Scratch {
    values: Vec<f64>,
}

impl Scratch {
    fn copy_of(&mut self, values: impl Iterator<Item = f64>) -> &mut [f64] {
        self.values.clear();
        self.values.extend(values);
        &mut self.values
    }
}

/// The value of a function over a window, if it has one.
pub(super) fn over(func: Each, window: &Window<'_>, scratch: &mut Scratch) -> Option<f64> {
    let values = window.values;
    let all = values.iter().copied();
    let scalar = |at: usize| window.scalars.get(at).copied().unwrap_or(f64::NAN);
    match func {
        Each::Irate => last_two(window, true),
        Each::Idelta => last_two(window, false),
        Each::Deriv => {
            let origin_ms = *window.times.first()?;
            (values.len() > 1).then(|| regression::line(window.times, values, origin_ms).0)
        }
        Each::PredictLinear => (values.len() > 1).then(|| {
            let (slope, now) = regression::line(window.times, values, window.eval_ms);
            slope * scalar(0) + now
        }),
        Each::DoubleExponentialSmoothing => {
            regression::double_exponential(values, scalar(0), scalar(1))
        }
        Each::Avg => Some(fold::<MeanFold>(values)),
        Each::Sum => Some(fold::<SumFold>(values)),
        Each::Stddev => Some(statistics::variance_compensated(values).sqrt()),
        Each::Stdvar => Some(statistics::variance_compensated(values)),
        Each::Quantile => Some(statistics::quantile(scalar(0), scratch.copy_of(all))),
        Each::Mad => {
            let median = statistics::quantile(0.5, scratch.copy_of(all.clone()));
            let away = all.map(|value| (value - median).abs());
            Some(statistics::quantile(0.5, scratch.copy_of(away)))
        }
        Each::TimeOfFirst => window.times.first().map(|time| seconds(*time)),
        Each::TimeOfLast => window.times.last().map(|time| seconds(*time)),
        Each::TimeOfMax => time_of(window, |value, best| value >= best),
        Each::TimeOfMin => time_of(window, |value, best| value <= best),
    }
}

/// Whether a function looks at every sample of its window, and not only at its ends.
pub(super) fn reads_all(func: Each) -> bool {
    match func {
        Each::Irate | Each::Idelta | Each::TimeOfFirst | Each::TimeOfLast => false,
        Each::Deriv
        | Each::PredictLinear
        | Each::DoubleExponentialSmoothing
        | Each::Avg
        | Each::Sum
        | Each::Stddev
        | Each::Stdvar
        | Each::Quantile
        | Each::Mad
        | Each::TimeOfMax
        | Each::TimeOfMin => true,
    }
}

/// When the best value was seen last, in seconds.
fn time_of(window: &Window<'_>, is_as_good: impl Fn(f64, f64) -> bool) -> Option<f64> {
    let mut samples = window.values.iter().zip(window.times);
    let (first, first_ms) = samples.next()?;
    let best = samples.fold((*first, *first_ms), |best, (value, time_ms)| {
        if is_as_good(*value, best.0) || best.0.is_nan() {
            (*value, *time_ms)
        } else {
            best
        }
    });
    Some(seconds(best.1))
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

/// Whether a value differs from the one before it; two NaN do not.
pub(super) fn is_change(before: f64, after: f64) -> bool {
    before != after && !(before.is_nan() && after.is_nan())
}

pub(super) fn count(of: usize) -> f64 {
    of as f64
}
