//! What kind of failure it was and what it looked like from outside, told from what was seen; it does not know why it happened.

use super::case::{Case, number_text, opened_alert};
use super::facts::{FailureKind, Moments};
use super::ledger::{Counted, EvidenceRef, Stated};
use super::moment::Moment;
use crate::alert::{Alert, AlertSource};
use crate::signal::{ExitKind, Fact, FactKind, metric};
use crate::time::Timestamp;

/// An exit this close to the onset is the failure itself; a later one belongs to the repair.
const EXIT_NEAR_MS: u64 = 2_000;
/// How long after an exit refusals tell whether the children went with the parent.
const REFUSALS_WITHIN_MS: i64 = 5_000;

pub(super) fn kind(case: &mut Case<'_>) -> Stated<FailureKind> {
    let Some(alert) = named_alert(case) else {
        return Stated::unknown();
    };
    let mut evidence = cite_opening(case, alert);
    if !matches!(alert.source, AlertSource::Monitor { .. }) {
        return Stated::known(FailureKind::Other, evidence);
    }
    let by_monitor = case
        .monitor_of(alert)
        .and_then(|monitor| FailureKind::of_monitor(&monitor.slug));
    if matches!(
        by_monitor,
        Some(FailureKind::BadConfiguration | FailureKind::ServerErrors | FailureKind::Saturated)
    ) {
        return Stated {
            value: by_monitor,
            evidence,
        };
    }
    if let Some((index, fact)) = exit_at_onset(case) {
        evidence.extend(case.cite_fact(index));
        let kind = if by_monitor == Some(FailureKind::Orphaned) {
            FailureKind::Orphaned
        } else {
            by_exit(case, fact)
        };
        return Stated::known(kind, evidence);
    }
    let kind = by_signals(case, by_monitor).unwrap_or(FailureKind::Other);
    Stated::known(kind, evidence)
}

/// The alert that the incident is named after, else its worst.
pub(super) fn named_alert<'a>(case: &Case<'a>) -> Option<&'a Alert> {
    let incident = &case.evidence.incident;
    case.evidence
        .alerts
        .iter()
        .find(|alert| alert.incident == incident.id && alert.title == incident.title)
        .or_else(|| case.primary_alert())
}

fn cite_opening(case: &mut Case<'_>, alert: &Alert) -> Vec<EvidenceRef> {
    let opening = case
        .events()
        .into_iter()
        .find(|event| opened_alert(event).is_some_and(|opened| opened.id == alert.id));
    let mut evidence: Vec<EvidenceRef> = opening
        .into_iter()
        .map(|event| case.cite_event(event))
        .collect();
    if let Some(sample) = alert.evidence.first() {
        evidence.push(case.cite_sample(sample));
    }
    evidence
}

impl FailureKind {
    /// What the stable name of a monitor says.
    #[must_use]
    pub fn of_monitor(slug: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| slug.contains(word));
        if has(&["config"]) {
            Some(Self::BadConfiguration)
        } else if has(&["5xx", "error"]) {
            Some(Self::ServerErrors)
        } else if has(&["saturat", "exhaust", "workers"]) {
            Some(Self::Saturated)
        } else if has(&["orphan", "parent"]) {
            Some(Self::Orphaned)
        } else if has(&["hang", "hung", "stall", "unresponsive", "timeout"]) {
            Some(Self::Hung)
        } else if has(&["unreachable", "refus", "down"]) {
            Some(Self::Unreachable)
        } else {
            None
        }
    }
}

/// The exit of the parent process that the failure began with.
pub(super) fn exit_at_onset<'a>(case: &Case<'a>) -> Option<(usize, &'a Fact)> {
    let (at, uncertainty) = match case.onset() {
        Some(onset) => (onset.at, onset.uncertainty_ms),
        None => (case.evidence.incident.opened_at, EXIT_NEAR_MS),
    };
    let from = at.minus_ms(uncertainty).minus_ms(EXIT_NEAR_MS);
    let until = at.plus_ms(EXIT_NEAR_MS);
    case.facts()
        .into_iter()
        .filter(|(_, fact)| matches!(fact.what, FactKind::ParentExited { .. }))
        .filter(|(_, fact)| from <= fact.at && fact.at <= until)
        .min_by_key(|(index, fact)| (distance(fact.at, at), *index))
}

fn distance(one: Timestamp, other: Timestamp) -> u64 {
    one.as_micros().abs_diff(other.as_micros())
}

fn by_exit(case: &Case<'_>, exit: &Fact) -> FailureKind {
    let FactKind::ParentExited {
        how,
        children_alive,
        ..
    } = &exit.what
    else {
        return FailureKind::Other;
    };
    match how {
        ExitKind::CleanStop => FailureKind::Stopped,
        ExitKind::FoundDead => FailureKind::FoundDead,
        ExitKind::Crash if *children_alive == 0 || was_refused_after(case, exit) => {
            FailureKind::Crashed
        }
        ExitKind::Crash => FailureKind::Orphaned,
    }
}

/// Whether connections were refused soon after the exit and before a new parent ran.
fn was_refused_after(case: &Case<'_>, exit: &Fact) -> bool {
    let from = Moment::from(exit.at);
    let restarted = case
        .facts()
        .into_iter()
        .find(|(_, fact)| matches!(fact.what, FactKind::ParentStarted { .. }) && fact.at > exit.at)
        .map(|(_, fact)| Moment::from(fact.at));
    let until = from.shifted(REFUSALS_WITHIN_MS);
    let until = restarted.map_or(until, |restarted| restarted.min(until));
    [metric::LISTENER_REFUSED, metric::PROBE_REFUSED]
        .iter()
        .any(|name| case.first_sample(name, from, until, is_set).is_some())
}

fn is_set(value: f64) -> bool {
    value > 0.5
}

fn by_signals(case: &Case<'_>, by_monitor: Option<FailureKind>) -> Option<FailureKind> {
    let (from, until) = span_of_alert(case);
    let seen = |name: &str| case.first_sample(name, from, until, is_set).is_some();
    if by_monitor == Some(FailureKind::Hung)
        || seen(metric::PROCESSES_STOPPED)
        || (by_monitor == Some(FailureKind::Unreachable) && seen(metric::PROBE_TIMEOUT))
    {
        return Some(FailureKind::Hung);
    }
    if by_monitor.is_some() {
        return by_monitor;
    }
    let said = |name: &str| {
        case.onset()
            .is_some_and(|onset| onset.evidence.series.contains(name))
    };
    if said("5xx") || said(metric::PROBE_STATUS_CODE) {
        Some(FailureKind::ServerErrors)
    } else if said(metric::CONFIG_VALID) {
        Some(FailureKind::BadConfiguration)
    } else if said(metric::WORKERS_BUSY) || said(metric::LISTENER_QUEUE) {
        Some(FailureKind::Saturated)
    } else if seen(metric::PROBE_REFUSED) || seen(metric::LISTENER_REFUSED) {
        Some(FailureKind::Unreachable)
    } else {
        None
    }
}

fn span_of_alert(case: &Case<'_>) -> (Moment, Moment) {
    let opened = case.evidence.incident.opened_at;
    let from = case
        .onset()
        .map_or(opened, |onset| onset.at.minus_ms(onset.uncertainty_ms));
    (from.min(opened).into(), opened.plus_ms(2_000).into())
}

/// What the failure looked like from outside, each with the first sample that shows it.
pub(super) fn symptoms(case: &mut Case<'_>, moments: &Moments) -> Vec<Stated<String>> {
    let (from, until) = (moments.earliest(case), moments.trouble_end(case));
    let mut told = Vec::new();
    let shown = [
        (metric::LISTENER_REFUSED, "New connections were refused"),
        (metric::PROBE_REFUSED, "The probe's connection was refused"),
        (
            metric::PROBE_TIMEOUT,
            "The probe was connected but got no answer in time",
        ),
        (
            metric::PROCESSES_STOPPED,
            "Processes of the server stood still (state T)",
        ),
    ];
    for (name, words) in shown {
        if let Some((series, ms, bits)) = case.first_sample(name, from, until, is_set) {
            let number = case.cite_frozen(series, ms, bits);
            let at = Moment::from_millis(ms).clock();
            told.push(Stated::known(
                format!("{words}, first at {at}."),
                vec![number],
            ));
        }
    }
    if told.len() > 1
        && told[0]
            .value
            .as_ref()
            .is_some_and(|text| text.starts_with("New"))
    {
        // The listener's refusal says what the probe's does.
        told.retain(|one| {
            one.value
                .as_ref()
                .is_none_or(|text| !text.starts_with("The probe's"))
        });
    }
    told.extend(
        peak(case, metric::LISTENER_QUEUE, from, until).map(|(most, cited)| {
            let one = most == "1";
            let (noun, verb) = if one {
                ("connection", "was")
            } else {
                ("connections", "were")
            };
            let text = format!("At most {most} {noun} {verb} waiting in the accept queue.");
            Stated::known(text, cited)
        }),
    );
    told.extend(full_workers(case, from, until));
    told.extend(refused_configuration(case, from, until));
    told.extend(failed_requests(case, from, until));
    told
}

/// The highest value above zero, as text.
pub(super) fn peak(
    case: &mut Case<'_>,
    name: &str,
    from: Moment,
    until: Moment,
) -> Option<(String, Vec<EvidenceRef>)> {
    let mut highest: Option<(&super::evidence::FrozenSeries, i64, u64)> = None;
    for series in case.series(name) {
        for (ms, bits) in &series.samples {
            let value = f64::from_bits(*bits);
            let inside = (from.as_millis()..=until.as_millis()).contains(ms);
            let above = highest.is_none_or(|(_, _, known)| value > f64::from_bits(known));
            if inside && value > 0.0 && above {
                highest = Some((series, *ms, *bits));
            }
        }
    }
    let (series, ms, bits) = highest?;
    let number = case.cite_frozen(series, ms, bits);
    Some((number_text(f64::from_bits(bits)), vec![number]))
}

fn full_workers(case: &mut Case<'_>, from: Moment, until: Moment) -> Option<Stated<String>> {
    let (max, mut cited) = peak(case, metric::WORKERS_MAX, from.shifted(-60_000), until)?;
    let limit: f64 = max.parse().ok()?;
    let (series, ms, bits) =
        case.first_sample(metric::WORKERS_BUSY, from.shifted(-5_000), until, |busy| {
            busy >= limit
        })?;
    cited.push(case.cite_frozen(series, ms, bits));
    Some(Stated::known(
        format!("All {max} workers were in use."),
        cited,
    ))
}

fn refused_configuration(
    case: &mut Case<'_>,
    from: Moment,
    until: Moment,
) -> Option<Stated<String>> {
    let from = from.shifted(-2_000);
    let (series, ms, bits) =
        case.first_sample(metric::CONFIG_VALID, from, until, |valid| valid < 0.5)?;
    let number = case.cite_frozen(series, ms, bits);
    let text = "The server's own test refused the configuration on disk; the running server kept the old one.";
    Some(Stated::known(text.to_owned(), vec![number]))
}

fn failed_requests(case: &mut Case<'_>, from: Moment, until: Moment) -> Option<Stated<String>> {
    let log = &case.evidence.requests;
    let failed = log
        .within(from, until)
        .iter()
        .any(super::requests::Request::failed);
    if !failed || log.left_out > 0 {
        return None;
    }
    let (count, number) = case.ask_logs(Counted::FailedRequests, None, from, until);
    let (noun, verb) = if count == 1 {
        ("request", "was")
    } else {
        ("requests", "were")
    };
    let text = format!("{count} {noun} {verb} answered with a server error (status 5xx).");
    Some(Stated::known(text, vec![number]))
}
