//! Functions over all windows of one series at once: each costs as little per window as exactness allows; it knows no
//! source.

use crate::ast::{Each, Over};
use crate::error::EvalError;
use crate::limits::Budget;

use super::columns::ABSENT;
use super::over::{self, count};
use super::timeline::{Timeline, Windows, seconds};

/// What is needed beside the samples.
pub(super) struct Sliding<'a> {
    pub(super) windows: &'a Windows,
    /// The instants of the evaluation, which `offset` and `@` do not move, milliseconds.
    pub(super) evals_ms: &'a [i64],
    /// Scalar arguments, one column each.
    pub(super) scalars: &'a [Vec<f64>],
}

/// Memory that is used again for each series.
#[derive(Default)]
pub(super) struct Scratch {
    places: Vec<usize>,
    counts: Vec<usize>,
    arguments: Vec<f64>,
    pub(super) window: over::Scratch,
}

/// Fills `out` with one value, or [`ABSENT`], per window. The samples were paid for; `budget` is asked for the time of what
/// looks at them again in each window.
pub(super) fn slide(
    func: Over,
    (timeline, values): (&Timeline, &[f64]),
    sliding: &Sliding<'_>,
    scratch: &mut Scratch,
    budget: &mut Budget<'_>,
    out: &mut Vec<f64>,
) -> Result<(), EvalError> {
    out.clear();
    // Each function remembers at most a place or a number for each sample.
    let remembered = values.len().saturating_add(1);
    budget.hold(remembered)?;
    let each = timeline.bounds.iter();
    let present = |value: f64, len: usize| if len == 0 { ABSENT } else { value };
    match func {
        Over::Rate => {
            let per = seconds(sliding.windows.range_ms);
            counter_rises(
                timeline,
                values,
                (sliding.windows, per),
                scratch,
                budget,
                out,
            )?;
        }
        Over::Increase => {
            counter_rises(
                timeline,
                values,
                (sliding.windows, 1.0),
                scratch,
                budget,
                out,
            )?;
        }
        Over::Delta => differences(timeline, values, sliding.windows, out),
        Over::Max => extremes(timeline, values, |a, b| a > b, scratch, out),
        Over::Min => extremes(timeline, values, |a, b| a < b, scratch, out),
        Over::Count => out.extend(each.map(|one| present(count(one.len()), one.len()))),
        Over::Present => out.extend(each.map(|one| present(1.0, one.len()))),
        Over::Last => out.extend(each.map(|one| match one.len() {
            0 => ABSENT,
            _ => values[one.end - 1],
        })),
        Over::First => out.extend(each.map(|one| match one.len() {
            0 => ABSENT,
            _ => values[one.first],
        })),
        Over::Changes => pairs(timeline, values, over::is_change, scratch, out),
        Over::Resets => pairs(
            timeline,
            values,
            |before, after| after < before,
            scratch,
            out,
        ),
        Over::Each(func) => {
            let samples = (timeline, values);
            window_by_window(func, samples, sliding, scratch, budget, out)?;
        }
    }
    budget.give_back(remembered);
    Ok(())
}

fn window_by_window(
    func: Each,
    (timeline, values): (&Timeline, &[f64]),
    sliding: &Sliding<'_>,
    scratch: &mut Scratch,
    budget: &mut Budget<'_>,
    out: &mut Vec<f64>,
) -> Result<(), EvalError> {
    let reads_all = over::reads_all(func);
    for (step, bounds) in timeline.bounds.iter().enumerate() {
        if bounds.len() == 0 {
            out.push(ABSENT);
            continue;
        }
        budget.work(if reads_all { bounds.len() } else { 1 })?;
        scratch.arguments.clear();
        let arguments = sliding.scalars.iter().map(|column| column[step]);
        scratch.arguments.extend(arguments);
        let window = over::Window {
            times: &timeline.times[bounds.first..bounds.end],
            values: &values[bounds.first..bounds.end],
            eval_ms: sliding.evals_ms[step],
            scalars: &scratch.arguments,
        };
        let value = over::over(func, &window, &mut scratch.window);
        out.push(value.unwrap_or(ABSENT));
    }
    Ok(())
}

/// The rise of a counter over each window, in parts of `per`: what the samples show, falls taken for restarts from zero,
/// extended to the window's borders where the samples come near them.
fn counter_rises(
    timeline: &Timeline,
    values: &[f64],
    (windows, per): (&Windows, f64),
    scratch: &mut Scratch,
    budget: &mut Budget<'_>,
    out: &mut Vec<f64>,
) -> Result<(), EvalError> {
    let resets = &mut scratch.places;
    find_resets(values, resets);
    let mut next = 0;
    for (bounds, stretch) in timeline.bounds.iter().zip(timeline.stretches(windows, per)) {
        if bounds.len() < 2 {
            out.push(ABSENT);
            continue;
        }
        let (first, last) = (values[bounds.first], values[bounds.end - 1]);
        let mut rise = last - first;
        while resets.get(next).is_some_and(|at| *at <= bounds.first) {
            next += 1;
        }
        let mut passed = 0;
        for at in resets[next..].iter().take_while(|at| **at < bounds.end) {
            rise += values[at - 1];
            passed += 1;
        }
        if passed > 0 {
            budget.work(passed)?;
        }
        // A counter starts at zero: it cannot be extended to before it would have been there. That can only happen where
        // the first value is small beside the rise, as no gap is as long as twice the sampled time.
        let factor = if rise > 0.0 && first >= 0.0 && first < 2.0 * rise {
            let to_zero = stretch.sampled * (first / rise);
            stretch.factor_from(stretch.to_start.min(to_zero), per)
        } else {
            stretch.factor
        };
        out.push(rise * factor);
    }
    Ok(())
}

/// The places of values that are smaller than the one before.
fn find_resets(values: &[f64], places: &mut Vec<usize>) {
    places.clear();
    let after = values.iter().skip(1);
    // A first look without branches: most counters are never reset.
    let falls: usize = values
        .iter()
        .zip(after)
        .map(|(before, after)| usize::from(after < before))
        .sum();
    if falls > 0 {
        let pairs = values.windows(2).enumerate();
        places.extend(pairs.filter_map(|(at, pair)| (pair[1] < pair[0]).then_some(at + 1)));
    }
}

/// The difference over each window, extended to its borders where the samples come near them.
fn differences(timeline: &Timeline, values: &[f64], windows: &Windows, out: &mut Vec<f64>) {
    for (bounds, stretch) in timeline.bounds.iter().zip(timeline.stretches(windows, 1.0)) {
        out.push(if bounds.len() < 2 {
            ABSENT
        } else {
            let rise = values[bounds.end - 1] - values[bounds.first];
            rise * stretch.factor
        });
    }
}

/// The first of the best values of each window, NaN only where there is nothing else. Places that can still become the
/// best are kept in the order of time, so that each sample enters and leaves once.
fn extremes(
    timeline: &Timeline,
    values: &[f64],
    is_better: impl Fn(f64, f64) -> bool,
    scratch: &mut Scratch,
    out: &mut Vec<f64>,
) {
    let candidates = &mut scratch.places;
    candidates.clear();
    let (mut head, mut seen) = (0, 0);
    for bounds in &timeline.bounds {
        seen = seen.max(bounds.first);
        for (at, value) in values.iter().enumerate().take(bounds.end).skip(seen) {
            if value.is_nan() {
                continue;
            }
            while candidates.len() > head
                && candidates
                    .last()
                    .is_some_and(|last| is_better(*value, values[*last]))
            {
                candidates.pop();
            }
            candidates.push(at);
        }
        seen = seen.max(bounds.end);
        while candidates.get(head).is_some_and(|at| *at < bounds.first) {
            head += 1;
        }
        out.push(match candidates.get(head) {
            Some(at) => values[*at],
            None if bounds.len() > 0 => values[bounds.end - 1],
            None => ABSENT,
        });
    }
}

/// How many neighbours in each window pass, from how many did up to each place.
fn pairs(
    timeline: &Timeline,
    values: &[f64],
    counts: impl Fn(f64, f64) -> bool,
    scratch: &mut Scratch,
    out: &mut Vec<f64>,
) {
    let before = &mut scratch.counts;
    before.clear();
    before.push(0);
    let mut total = 0;
    for pair in values.windows(2) {
        total += usize::from(counts(pair[0], pair[1]));
        before.push(total);
    }
    out.extend(timeline.bounds.iter().map(|bounds| match bounds.len() {
        0 => ABSENT,
        _ => count(before[bounds.end - 1] - before[bounds.first]),
    }));
}
