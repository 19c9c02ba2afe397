//! Lengths of time between the moments of an incident, and whether each can be stated.

use super::case::Case;
use super::facts::{Duration, DurationStatus, Durations, Milestone, Moments, Paging, Phase};
use super::ledger::Stated;
use super::moment::Moment;

pub(super) fn durations(case: &Case<'_>, moments: &Moments, paging: &Paging) -> Durations {
    let open = case.is_draft();
    let later = if open {
        DurationStatus::Pending
    } else {
        DurationStatus::Unknown
    };
    let from_onset = |end: &Stated<Moment>, missing: DurationStatus| {
        let missing = if moments.onset.value.is_none() {
            DurationStatus::Unknown
        } else {
            missing
        };
        between(&moments.onset, end, missing)
    };
    let nobody_answers = if open && paging.suppressed.value.is_none() {
        DurationStatus::Pending
    } else {
        DurationStatus::NotApplicable
    };
    Durations {
        detect: from_onset(&moments.detected, later),
        acknowledge: between(&moments.paged, &moments.acknowledged, nobody_answers),
        mitigate: from_onset(&moments.recovered, later),
        resolve: from_onset(&moments.resolved, later),
    }
}

fn between(start: &Stated<Moment>, end: &Stated<Moment>, missing: DurationStatus) -> Duration {
    let (Some(from), Some(until)) = (start.value, end.value) else {
        return Duration {
            status: missing,
            ms: None,
            evidence: Vec::new(),
        };
    };
    match until.ms_since(from) {
        Some(ms) => Duration {
            status: DurationStatus::Recorded,
            ms: Some(ms),
            evidence: [start.evidence.as_slice(), &end.evidence].concat(),
        },
        // It ended before it began, such as an acknowledgement in the browser before the page left.
        None => Duration {
            status: DurationStatus::NotApplicable,
            ms: None,
            evidence: Vec::new(),
        },
    }
}

pub(super) fn phases(moments: &Moments) -> Vec<Phase> {
    let mut known: Vec<(Moment, Milestone, &Stated<Moment>)> = [
        (Milestone::Onset, &moments.onset),
        (Milestone::Detected, &moments.detected),
        (Milestone::Paged, &moments.paged),
        (Milestone::Acknowledged, &moments.acknowledged),
        (Milestone::Recovered, &moments.recovered),
        (Milestone::Resolved, &moments.resolved),
    ]
    .into_iter()
    .filter_map(|(milestone, stated)| stated.value.map(|at| (at, milestone, stated)))
    .collect();
    known.sort_by_key(|(at, _, _)| *at);
    known
        .windows(2)
        .filter_map(|pair| {
            let [(starts, from, first), (ends, to, second)] = pair else {
                return None;
            };
            Some(Phase {
                from: *from,
                to: *to,
                starts: *starts,
                ends: *ends,
                ms: ends.ms_since(*starts)?,
                evidence: [first.evidence.as_slice(), &second.evidence].concat(),
            })
        })
        .collect()
}

/// The longest phase that people can shorten; the first of equals.
pub(super) fn longest(phases: &[Phase]) -> Option<&Phase> {
    let mut longest: Option<&Phase> = None;
    for phase in phases
        .iter()
        .filter(|phase| phase.to != Milestone::Resolved)
    {
        if longest.is_none_or(|known| phase.ms > known.ms) {
            longest = Some(phase);
        }
    }
    longest
}
