//! What can be drawn over time around a failure, in steps of whole seconds; how it is drawn is not known here.

use super::case::Case;
use super::evidence::FrozenSeries;
use super::facts::{Chart, ChartLine, Moments, Tone};
use super::ledger::Counted;
use super::moment::Moment;
use super::requests::count;
use crate::signal::metric;

/// Steps of a chart at most.
const STEPS_MAX: i64 = 240;
/// How much of the time before and after the failure is shown.
const BEFORE_MS: i64 = 60_000;
const AFTER_MS: i64 = 20_000;
/// The longest a chart reaches from the onset on.
const LONGEST_MS: i64 = 86_400_000;

struct Grid {
    from: Moment,
    step_ms: i64,
    steps: usize,
}

pub(super) fn charts(case: &mut Case<'_>, moments: &Moments) -> Vec<Chart> {
    let Some(grid) = grid(case, moments) else {
        return Vec::new();
    };
    let mut charts = Vec::new();
    charts.extend(requests(case, &grid));
    charts.extend(workers(case, &grid));
    charts
}

fn grid(case: &Case<'_>, moments: &Moments) -> Option<Grid> {
    let window: (Moment, Moment) = (case.evidence.window.0.into(), case.evidence.window.1.into());
    let onset = moments.earliest(case);
    let from = onset
        .shifted(-BEFORE_MS)
        .max(window.0)
        .as_millis()
        .div_euclid(1_000)
        * 1_000;
    let end = moments
        .trouble_end(case)
        .max(moments.resolved.value.unwrap_or(onset));
    let until = end
        .shifted(AFTER_MS)
        .min(window.1)
        .min(onset.shifted(LONGEST_MS));
    let span_s = until.as_millis().checked_sub(from)?.div_euclid(1_000);
    if span_s < 2 {
        return None;
    }
    let step_s = (span_s + STEPS_MAX - 1) / STEPS_MAX;
    Some(Grid {
        from: Moment::from_millis(from),
        step_ms: step_s * 1_000,
        steps: usize::try_from(span_s / step_s).ok()?,
    })
}

impl Grid {
    fn until(&self) -> Moment {
        let steps = i64::try_from(self.steps).unwrap_or_default();
        self.from.shifted(steps * self.step_ms)
    }

    fn step_of(&self, at_ms: i64) -> Option<usize> {
        let step = (at_ms - self.from.as_millis()).div_euclid(self.step_ms);
        usize::try_from(step).ok().filter(|step| *step < self.steps)
    }

    fn step_ms(&self) -> u64 {
        self.step_ms.unsigned_abs()
    }
}

fn requests(case: &mut Case<'_>, grid: &Grid) -> Option<Chart> {
    let classes = [
        ("answered (status below 400)", Tone::Good, 0..400_u16),
        ("refused by rule (status 4xx)", Tone::Info, 400..500),
        ("failed (status 5xx)", Tone::Bad, 500..u16::MAX),
    ];
    let log = &case.evidence.requests;
    let within = log.within(grid.from, grid.until());
    if within.is_empty() || log.left_out > 0 {
        return None;
    }
    let mut lines = Vec::new();
    for (name, tone, statuses) in classes {
        let mut counts = vec![0_u64; grid.steps];
        for request in within.iter().filter(|r| statuses.contains(&r.status)) {
            if let Some(slot) = grid
                .step_of(request.at_ms)
                .and_then(|step| counts.get_mut(step))
            {
                *slot += 1;
            }
        }
        if counts.iter().any(|count| *count > 0) {
            let per_second = |count: &u64| Some(count * 1_000_000 / grid.step_ms());
            lines.push(ChartLine {
                name: name.to_owned(),
                tone,
                thousandths: counts.iter().map(per_second).collect(),
            });
        }
    }
    let (_, number) = case.ask_logs(Counted::Requests, None, grid.from, grid.until());
    Some(Chart {
        title: "Requests in the access log".to_owned(),
        unit: "requests per second".to_owned(),
        from: grid.from,
        step_ms: grid.step_ms(),
        lines,
        evidence: vec![number],
    })
}

fn workers(case: &mut Case<'_>, grid: &Grid) -> Option<Chart> {
    let shown = [
        (metric::WORKERS_BUSY, "workers in use", Tone::Person),
        (metric::WORKERS_MAX, "limit of workers", Tone::Info),
        (metric::LISTENER_QUEUE, "connections waiting", Tone::Bad),
    ];
    let mut lines = Vec::new();
    let mut evidence = Vec::new();
    for (name, words, tone) in shown {
        let series = case.series(name);
        let thousandths = highest_per_step(&series, grid);
        if thousandths.iter().flatten().all(|value| *value == 0) {
            continue;
        }
        if let Some((_, cited)) = super::failure::peak(case, name, grid.from, grid.until()) {
            evidence.extend(cited);
        }
        lines.push(ChartLine {
            name: words.to_owned(),
            tone,
            thousandths,
        });
    }
    let telling = lines.iter().any(|line| line.name != "limit of workers");
    telling.then(|| Chart {
        title: "Workers and accept queue".to_owned(),
        unit: "workers, connections".to_owned(),
        from: grid.from,
        step_ms: grid.step_ms(),
        lines,
        evidence,
    })
}

fn highest_per_step(series: &[&FrozenSeries], grid: &Grid) -> Vec<Option<u64>> {
    let mut highest: Vec<Option<u64>> = vec![None; grid.steps];
    for (ms, bits) in series.iter().flat_map(|series| &series.samples) {
        let value = f64::from_bits(*bits);
        let Some(slot) = grid.step_of(*ms).and_then(|step| highest.get_mut(step)) else {
            continue;
        };
        if value.is_finite() {
            *slot = (*slot).max(Some(thousandths(value)));
        }
    }
    debug_assert_eq!(count(highest.len()), count(grid.steps));
    highest
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float cast saturates, and negatives are cut before"
)]
fn thousandths(value: f64) -> u64 {
    (value.max(0.0) * 1_000.0).round() as u64
}
