//! Straight lines and smoothing over samples; it knows no series.

use super::arithmetic::Sum;

/// Slope per second and the value at `origin_ms` of the line through the samples (least squares).
pub(super) fn line(times: &[i64], values: &[f64], origin_ms: i64) -> (f64, f64) {
    let Some(first) = values.first() else {
        return (f64::NAN, f64::NAN);
    };
    if values.iter().all(|value| value == first) {
        return if first.is_infinite() {
            (f64::NAN, f64::NAN)
        } else {
            (0.0, *first)
        };
    }
    let mut count = 0.0;
    let (mut x_sum, mut y_sum) = (Sum::default(), Sum::default());
    let (mut xy_sum, mut xx_sum) = (Sum::default(), Sum::default());
    for (time, y) in times.iter().zip(values) {
        count += 1.0;
        let x = time.saturating_sub(origin_ms) as f64 / 1e3;
        x_sum.add(x);
        y_sum.add(*y);
        xy_sum.add(x * y);
        xx_sum.add(x * x);
    }
    let total = |sum: Sum| sum.value + sum.lost;
    let (x, y) = (total(x_sum), total(y_sum));
    let covariance = total(xy_sum) - x * y / count;
    let variance = total(xx_sum) - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}

/// Holt's linear smoothing. `None` with fewer than two samples.
pub(super) fn double_exponential(values: &[f64], smoothing: f64, trend_factor: f64) -> Option<f64> {
    let (first, second) = (*values.first()?, *values.get(1)?);
    let mut previous = 0.0;
    let mut current = first;
    let mut trend = second - first;
    for (at, value) in values.iter().enumerate().skip(1) {
        let scaled = smoothing * value;
        if at > 1 {
            trend = trend_factor * (current - previous) + (1.0 - trend_factor) * trend;
        }
        let carried = (1.0 - smoothing) * (current + trend);
        previous = current;
        current = scaled + carried;
    }
    Some(current)
}
