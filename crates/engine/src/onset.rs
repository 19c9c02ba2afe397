//! Finds when a failure began: the first bad sample of the run that lasts until now.

use tocsin_domain::alert::{EvidenceSample, Onset};
use tocsin_domain::id::TargetId;
use tocsin_domain::monitor::{BadSample, OnsetRule};
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Matcher, Select, SeriesData, Source, is_stale};

/// The onset is looked for this far back.
const LOOKBACK_MS: i64 = 600_000;
/// Failures of a counter that are this far apart belong to different runs.
const RUN_GAP_MS: i64 = 60_000;

/// The earliest onset among the series that the rule names. `None` when the store does not show one.
pub(crate) fn find_onset(
    rule: &OnsetRule,
    target: TargetId,
    series: &dyn Source,
    at: Timestamp,
) -> Option<Onset> {
    let labels = rule
        .labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let named = [
        ("__name__", rule.metric.as_str()),
        ("target", target.as_str()),
    ];
    let matchers: Vec<Matcher> = named
        .into_iter()
        .chain(labels)
        .map(|(name, value)| Matcher::equal(name, value))
        .collect();
    let select = Select::new(&matchers, at.as_millis() - LOOKBACK_MS, at.as_millis());
    let found = series.select(&select).ok()?;
    found
        .iter()
        .filter_map(|one| onset_of(rule, one, &select))
        .min_by_key(|onset| onset.at)
}

fn onset_of(rule: &OnsetRule, series: &SeriesData, select: &Select<'_>) -> Option<Onset> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for chunk in &series.chunks {
        chunk
            .read(select.start_ms, select.end_ms, &mut times, &mut values)
            .ok()?;
    }
    let samples: Vec<(i64, f64)> = times
        .into_iter()
        .zip(values)
        .filter(|(_, value)| !is_stale(*value))
        .collect();
    let (first_bad, last_good) = match rule.bad {
        BadSample::Equal(bad) => first_of_run(&samples, |value| value.to_bits() == bad.to_bits())?,
        BadSample::Above(limit) => first_of_run(&samples, |value| value > limit)?,
        BadSample::Increased => first_increase(&samples)?,
    };
    let (time, value) = *samples.get(first_bad)?;
    let gap = last_good
        .and_then(|index| samples.get(index))
        .map(|(good, _)| time.abs_diff(*good));
    // Without a good sample before it nothing is known of when it began, unless its source sees the event itself.
    let uncertainty_ms = match (gap, rule.event_resolution_ms) {
        (Some(gap), Some(resolution)) => gap.min(resolution),
        (Some(gap), None) => gap,
        (None, Some(resolution)) => resolution,
        (None, None) => return None,
    };
    let at = Timestamp::from_millis(time);
    let evidence = EvidenceSample {
        series: series.labels.to_string(),
        at,
        value,
    };
    Some(Onset {
        at,
        uncertainty_ms,
        evidence,
    })
}

/// The first sample of the run of bad ones at the end, and the good one before it.
fn first_of_run(
    samples: &[(i64, f64)],
    bad: impl Fn(f64) -> bool,
) -> Option<(usize, Option<usize>)> {
    let last_good = samples.iter().rposition(|(_, value)| !bad(*value));
    let first_bad = last_good.map_or(0, |index| index + 1);
    (first_bad < samples.len()).then_some((first_bad, last_good))
}

/// The first increase of a counter in the run of increases that reaches the end, and the sample before it.
fn first_increase(samples: &[(i64, f64)]) -> Option<(usize, Option<usize>)> {
    let increases: Vec<usize> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[1].1 > pair[0].1)
        .map(|(index, _)| index + 1)
        .collect();
    let mut first = *increases.last()?;
    for index in increases.into_iter().rev() {
        if samples[first].0 - samples[index].0 > RUN_GAP_MS {
            break;
        }
        first = index;
    }
    Some((first, Some(first - 1)))
}
