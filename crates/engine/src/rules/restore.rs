//! Since when an alert was pending before Tocsin was started anew: read from the series that it wrote then.

use tocsin_promql::{Labels, METRIC_NAME, Matcher, Select, Source, is_stale};

use super::ALERTS_FOR_STATE;

/// Longer than this away, what was pending is forgotten.
const AWAY_MS_MAX: i64 = 3_600_000;

/// Since when the expression holds, milliseconds, if it did when Tocsin was stopped. The time away does not count as pending;
/// an alert that had fired by then fires at once.
pub(crate) fn active_since(
    source: &dyn Source,
    labels: &Labels,
    at_ms: i64,
    for_ms: u64,
) -> Option<i64> {
    let mut matchers: Vec<Matcher> = labels
        .iter()
        .map(|(name, value)| Matcher::equal(name, value))
        .collect();
    matchers.push(Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE));
    let from_ms = at_ms.saturating_sub(AWAY_MS_MAX);
    let found = source
        .select(&Select::new(&matchers, from_ms, at_ms))
        .ok()?;
    // Further labels would be another alert.
    let series = found
        .iter()
        .find(|series| series.labels.len() == labels.len() + 1)?;
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for chunk in &series.chunks {
        chunk.read(from_ms, at_ms, &mut times, &mut values).ok()?;
    }
    let (stopped_ms, since_s) = (*times.last()?, *values.last()?);
    if is_stale(since_s) || !since_s.is_finite() {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the conversion saturates, and what is not in the past is not taken"
    )]
    let since_ms = (since_s * 1_000.0).round() as i64;
    if since_ms > stopped_ms {
        return None;
    }
    let had_fired = stopped_ms.abs_diff(since_ms) >= for_ms;
    Some(if had_fired {
        since_ms
    } else {
        since_ms.saturating_add(at_ms.saturating_sub(stopped_ms))
    })
}
