//! Finds when a failure began: the first bad sample of the run that lasts until now.

use tocsin_domain::alert::{EvidenceSample, Onset};
use tocsin_domain::id::TargetId;
use tocsin_domain::monitor::{BadSample, OnsetRule};
use tocsin_domain::pack::FAILED_SHARE_MAX;
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Matcher, Select, SeriesData, Source, is_stale};

/// The onset is looked for this far back at first.
const LOOKBACK_MS: i64 = 600_000;
/// And this far when nothing good is found in that time: Tocsin itself may have been down.
const LOOKBACK_MS_MAX: i64 = 24 * 3_600_000;
/// A source that sees the event itself was watching when its last good sample is this old at most: one poll and some slack.
const WATCHED_MS_MAX: u64 = 2_000;
/// Failures of a counter that are this far apart belong to different runs.
const RUN_GAP_MS: i64 = 60_000;
/// The share of failures that belongs to a run is taken over this span.
const SHARE_SPAN_MS: i64 = 5_000;

/// The earliest onset among the series that the rule names. `None` when the store does not show one.
pub(crate) fn find_onset(
    rule: &OnsetRule,
    target: TargetId,
    series: &dyn Source,
    at: Timestamp,
) -> Option<Onset> {
    let end_ms = at.as_millis();
    let read = |labels: &[(String, String)], lookback_ms| {
        read(rule, labels, target, series, (end_ms - lookback_ms, end_ms))
    };
    let run = |is_bad: &dyn Fn(f64) -> bool| {
        let within = |lookback_ms| earliest_run(rule, &read(&rule.labels, lookback_ms)?, is_bad);
        within(LOOKBACK_MS).or_else(|| within(LOOKBACK_MS_MAX))
    };
    match rule.bad {
        BadSample::Equal(bad) => run(&|value| value.to_bits() == bad.to_bits()),
        BadSample::Above(limit) => run(&|value| value > limit),
        BadSample::Increased => {
            let failed = read(&rule.labels, LOOKBACK_MS)?;
            first_of_failing_run(&failed, &read(&[], LOOKBACK_MS)?)
        }
    }
}

/// One series in a span: its name and its samples, without staleness markers.
struct Run {
    name: String,
    samples: Vec<(i64, f64)>,
}

fn read(
    rule: &OnsetRule,
    labels: &[(String, String)],
    target: TargetId,
    series: &dyn Source,
    (start_ms, end_ms): (i64, i64),
) -> Option<Vec<Run>> {
    let labels = labels
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
    let select = Select::new(&matchers, start_ms, end_ms);
    let found = series.select(&select).ok()?;
    found.iter().map(|one| samples_of(one, &select)).collect()
}

fn samples_of(series: &SeriesData, select: &Select<'_>) -> Option<Run> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for chunk in &series.chunks {
        chunk
            .read(select.start_ms, select.end_ms, &mut times, &mut values)
            .ok()?;
    }
    let samples = times
        .into_iter()
        .zip(values)
        .filter(|(_, value)| !is_stale(*value));
    Some(Run {
        name: series.labels.to_string(),
        samples: samples.collect(),
    })
}

/// The earliest of the runs of bad samples that last until now and have a good sample before them: without one nothing is
/// known of when it began.
fn earliest_run(rule: &OnsetRule, found: &[Run], is_bad: impl Fn(f64) -> bool) -> Option<Onset> {
    let onsets = found.iter().filter_map(|run| {
        let last_good = run.samples.iter().rposition(|(_, value)| !is_bad(*value))?;
        let (good_ms, _) = *run.samples.get(last_good)?;
        let (bad_ms, value) = *run.samples.get(last_good + 1)?;
        let gap_ms = bad_ms.abs_diff(good_ms);
        // Its source sees the event itself, if it was there.
        let uncertainty_ms = match rule.event_resolution_ms {
            Some(resolution_ms) if gap_ms <= WATCHED_MS_MAX => gap_ms.min(resolution_ms),
            Some(_) | None => gap_ms,
        };
        Some(onset(run, bad_ms, value, uncertainty_ms))
    });
    onsets.min_by_key(|onset| onset.at)
}

fn onset(run: &Run, at_ms: i64, value: f64, uncertainty_ms: u64) -> Onset {
    let at = Timestamp::from_millis(at_ms);
    let evidence = EvidenceSample {
        series: run.name.clone(),
        at,
        value,
    };
    Onset {
        at,
        uncertainty_ms,
        evidence,
    }
}

/// An increase of a counter.
struct Increase<'a> {
    at_ms: i64,
    by: f64,
    since_ms: i64,
    value: f64,
    run: &'a Run,
}

fn increases(found: &[Run]) -> Vec<Increase<'_>> {
    let mut all: Vec<Increase<'_>> = found
        .iter()
        .flat_map(|run| run.samples.windows(2).map(move |pair| (run, pair)))
        .filter(|(_, pair)| pair[1].1 > pair[0].1)
        .map(|(run, pair)| Increase {
            at_ms: pair[1].0,
            by: pair[1].1 - pair[0].1,
            since_ms: pair[0].0,
            value: pair[1].1,
            run,
        })
        .collect();
    all.sort_by_key(|increase| increase.at_ms);
    all
}

/// The first failure of the run that reaches the end. From the newest failure it goes back for as long as more than the
/// objective allows failed in the few seconds after each; the run begins where failures outweigh the objective most, so that
/// an ordinary error shortly before it does not count as its beginning.
fn first_of_failing_run(failed: &[Run], all: &[Run]) -> Option<Onset> {
    let (failures, requests) = (increases(failed), increases(all));
    let mut newest_first = failures.iter().rev().peekable();
    let mut next_ms = newest_first.peek()?.at_ms;
    let mut best: Option<(f64, &Increase<'_>)> = None;
    let mut excess = 0.0;
    let mut counted_from = requests.len();
    for failure in newest_first {
        let is_newest = best.is_none();
        let share = share_failed(&failures, &requests, failure.at_ms);
        let goes_on = next_ms - failure.at_ms <= RUN_GAP_MS && share > FAILED_SHARE_MAX;
        if !is_newest && !goes_on {
            break;
        }
        next_ms = failure.at_ms;
        excess += failure.by;
        while counted_from > 0 && requests[counted_from - 1].at_ms >= failure.at_ms {
            counted_from -= 1;
            excess -= FAILED_SHARE_MAX * requests[counted_from].by;
        }
        if best.is_none_or(|(most, _)| excess > most) {
            best = Some((excess, failure));
        }
    }
    let (_, first) = best?;
    let uncertainty_ms = first.at_ms.abs_diff(first.since_ms);
    Some(onset(first.run, first.at_ms, first.value, uncertainty_ms))
}

/// The share of failures among the requests of the few seconds from `from_ms` on.
fn share_failed(failures: &[Increase<'_>], requests: &[Increase<'_>], from_ms: i64) -> f64 {
    let sum = |increases: &[Increase<'_>]| -> f64 {
        let first = increases.partition_point(|one| one.at_ms < from_ms);
        let end = increases.partition_point(|one| one.at_ms < from_ms + SHARE_SPAN_MS);
        increases[first..end].iter().map(|one| one.by).sum()
    };
    sum(failures) / sum(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counters, looked at five times a second: per step so many requests go well and so many fail.
    fn counters(steps: impl Iterator<Item = (f64, f64)>) -> (Vec<Run>, Vec<Run>) {
        let (mut ok, mut failed) = (vec![(0, 0.0)], vec![(0, 0.0)]);
        let (mut all_ok, mut all_failed) = (0.0, 0.0);
        for (step, (well, badly)) in (1..).zip(steps) {
            all_ok += well;
            all_failed += badly;
            ok.push((step * 200, all_ok));
            failed.push((step * 200, all_failed));
        }
        let run = |name: &str, samples: &[(i64, f64)]| Run {
            name: name.to_owned(),
            samples: samples.to_vec(),
        };
        let both = vec![run("2xx", &ok), run("5xx", &failed)];
        (vec![run("5xx", &failed)], both)
    }

    /// The step of the onset when the backend dies at step `dies` of `end`.
    fn onset_step(
        dies: i64,
        end: i64,
        background: impl Fn(i64) -> bool,
        failing: (f64, f64),
    ) -> i64 {
        let steps = (1..=end).map(|step| match step {
            _ if step >= dies => failing,
            _ if background(step) => (19.0, 1.0),
            _ => (20.0, 0.0),
        });
        let (failed, all) = counters(steps);
        let found = first_of_failing_run(&failed, &all).unwrap();
        assert_eq!(found.uncertainty_ms, 200);
        found.at.as_millis() / 200
    }

    #[test]
    fn the_onset_of_server_errors_does_not_reach_back_to_ordinary_ones() {
        let every_40_s = |step: i64| step % 200 == 0;
        assert_eq!(onset_step(2_900, 2_920, every_40_s, (0.0, 20.0)), 2_900);
        assert_eq!(onset_step(2_900, 2_920, |_| false, (0.0, 20.0)), 2_900);
        let just_before = |step: i64| step % 200 == 0 || step == 2_895;
        assert_eq!(onset_step(2_900, 2_920, just_before, (0.0, 20.0)), 2_900);
        let half = (10.0, 10.0);
        assert_eq!(onset_step(2_000, 2_250, every_40_s, half), 2_000);
        let each_2_s = |step: i64| step % 10 == 0;
        assert_eq!(onset_step(2_005, 2_300, each_2_s, half), 2_005);
    }

    #[test]
    fn an_earlier_run_that_was_over_is_not_taken_for_the_beginning() {
        let earlier = |step: i64| (1_000..1_050).contains(&step);
        let steps = (1..=1_220).map(|step| {
            if earlier(step) || step >= 1_200 {
                (0.0, 20.0)
            } else {
                (20.0, 0.0)
            }
        });
        let (failed, all) = counters(steps);
        let found = first_of_failing_run(&failed, &all).unwrap();
        assert_eq!(found.at, Timestamp::from_millis(1_200 * 200));
    }

    #[test]
    fn few_requests_that_all_fail_are_one_run() {
        let steps = (1..=600).map(|step| match step {
            _ if step % 50 != 0 => (0.0, 0.0),
            _ if step < 300 => (1.0, 0.0),
            _ => (0.0, 1.0),
        });
        let (failed, all) = counters(steps);
        let found = first_of_failing_run(&failed, &all).unwrap();
        assert_eq!(found.at, Timestamp::from_millis(300 * 200));
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_background_below_the_objective_the_onset_is_where_the_backend_died(
            every in 60_i64..600, dies in 700_i64..1_500, lasts in 5_i64..300, failing in 5_u8..=20,
        ) {
            let failing = (f64::from(20 - failing), f64::from(failing));
            let found = onset_step(dies, dies + lasts, |step| step % every == 0, failing);
            proptest::prop_assert_eq!(found, dies);
        }
    }

    fn rule(event_resolution_ms: Option<u64>) -> OnsetRule {
        OnsetRule {
            metric: "apache_parent_up".to_owned(),
            labels: Vec::new(),
            bad: BadSample::Equal(0.0),
            event_resolution_ms,
        }
    }

    #[test]
    fn an_exit_is_only_as_certain_as_the_watch_was() {
        let check = |samples: &[(i64, f64)], resolution_ms, expected: Option<(i64, u64)>| {
            let run = Run {
                name: "apache_parent_up".to_owned(),
                samples: samples.to_vec(),
            };
            let found = earliest_run(&rule(resolution_ms), &[run], |value| value == 0.0);
            let found = found.map(|onset| (onset.at.as_millis(), onset.uncertainty_ms));
            assert_eq!(found, expected, "{samples:?}");
        };
        let exit = Some(10);
        check(&[(0, 1.0), (900, 0.0)], exit, Some((900, 10)));
        check(
            &[(0, 1.0), (2_000, 0.0), (3_000, 0.0)],
            exit,
            Some((2_000, 10)),
        );
        check(&[(0, 1.0), (2_001, 0.0)], exit, Some((2_001, 2_001)));
        check(
            &[(0, 1.0), (3_600_000, 0.0)],
            exit,
            Some((3_600_000, 3_600_000)),
        );
        check(&[(0, 1.0), (900, 0.0)], None, Some((900, 900)));
        check(&[(5_000, 0.0), (6_000, 0.0)], exit, None);
        check(&[(0, 0.0), (1_000, 1.0)], exit, None);
    }
}
