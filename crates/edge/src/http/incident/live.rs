//! What the store knows about a failing target while it fails: who is hurt, what changed, what the logs say, how the curves
//! look. A report is not made from this, but from frozen evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tocsin_domain::id::{IncidentId, TargetId};
use tocsin_domain::signal::{Fact, FactKind, LogLine as Line, LogRecord, metric};
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use crate::app::Parts;
use crate::http::shape::Instant;
use crate::ports::{Answer, LogKind, StorageError};

/// Changes are shown for this long before the onset.
const CHANGES_BEFORE_MS: u64 = 3_600_000;
/// Log lines are shown from this long before the onset.
const LOGS_BEFORE_MS: u64 = 60_000;
/// And until this long after it.
const LOGS_AFTER_MS: u64 = 60_000;
/// Log lines shown.
const LOG_LINES_MAX: usize = 20;
/// Changes shown.
const CHANGES_MAX: usize = 50;
/// Requests that are counted; of more, the newest.
const REQUESTS_MAX: usize = 50_000;
/// The minutes before the onset that tell what would have been expected.
const BASELINE_MS: u64 = 300_000;
/// The curves begin this long before the onset.
const CHART_BEFORE_MS: u64 = 300_000;
/// Points of a curve at most; more cannot be seen and would make the page heavy.
const CHART_POINTS_MAX: u64 = 240;
/// The finest step of a curve.
const CHART_STEP_MS_MIN: u64 = 1_000;

/// A look at a failure that lasts is good for this long.
const LIVE_GOOD_MS: u64 = 1_000;
/// A look at one that is over is good for this long; late lines may still arrive.
const OVER_GOOD_MS: u64 = 15_000;
/// Looks that are kept.
const LOOKS_MAX: usize = 32;

/// Who is hurt, of one tier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TierImpact {
    /// The tier; empty where the log does not tell.
    tier: String,
    requests_failed: u64,
    requests_total: u64,
    /// Users who saw a failure, where the log names users.
    users_failed: u64,
}

/// A range, because nobody counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Estimate {
    low: u64,
    high: u64,
    /// How it was estimated.
    why: String,
}

/// Who is hurt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Impact {
    since: Instant,
    until: Option<Instant>,
    /// Requests answered with 5xx, as logged.
    requests_failed: u64,
    requests_total: u64,
    by_tier: Vec<TierImpact>,
    /// Requests that a dead server could not log.
    estimated: Option<Estimate>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RecentChange {
    at: Instant,
    title: String,
    detail: String,
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogName {
    /// An access log.
    Access,
    /// An error log.
    Error,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct LogLine {
    at: Instant,
    log: LogName,
    text: String,
}

/// A curve.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChartSeries {
    name: String,
    unit: String,
    /// Milliseconds since 1970 and the value, null where nothing was measured.
    #[schema(value_type = Vec<(i64, Option<f64>)>)]
    points: Vec<(i64, Option<f64>)>,
}

/// A moment worth a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    pub(crate) label: String,
}

/// Curves around the failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Chart {
    pub(crate) series: Vec<ChartSeries>,
    pub(crate) marks: Vec<Mark>,
}

/// All that the store knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) impact: Option<Impact>,
    pub(crate) changes: Vec<RecentChange>,
    pub(crate) log_lines: Vec<LogLine>,
    pub(crate) chart: Chart,
}

/// Looks of a moment ago, so that many browsers that hear of one change make one look.
#[derive(Default)]
pub(crate) struct Looks(Mutex<BTreeMap<IncidentId, (Timestamp, Seen)>>);

impl Looks {
    /// The look of a moment ago; of a failure that is over, of a while ago.
    pub(crate) fn recent(&self, incident: IncidentId, over: bool, now: Timestamp) -> Option<Seen> {
        let good_ms = if over { OVER_GOOD_MS } else { LIVE_GOOD_MS };
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, seen) = looks.get(&incident)?;
        (now.ms_since(*at) < good_ms).then(|| seen.clone())
    }

    /// Keeps a look.
    pub(crate) fn keep(&self, incident: IncidentId, now: Timestamp, seen: &Seen) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= LOOKS_MAX {
            looks.retain(|_, (at, _)| now.ms_since(*at) < LIVE_GOOD_MS);
        }
        if looks.len() < LOOKS_MAX {
            looks.insert(incident, (now, seen.clone()));
        }
    }
}

/// Looks at a target's failure from `begin` until `until` (now, while it lasts). A part that cannot be read is left out: a
/// woken person needs the rest.
pub(crate) fn look(
    parts: &Parts,
    target: TargetId,
    begin: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Seen {
    let over = (until < now).then_some(until);
    Seen {
        impact: or_nothing("impact", impact(parts, target, begin, until, over)).flatten(),
        changes: or_nothing("changes", changes(parts, target, begin)).unwrap_or_default(),
        log_lines: or_nothing("log lines", log_lines(parts, target, begin)).unwrap_or_default(),
        chart: chart(parts, target, begin, until),
    }
}

fn or_nothing<T>(what: &str, read: Result<T, StorageError>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            tracing::warn!(%error, "{what} of an incident could not be read");
            None
        }
    }
}

fn impact(
    parts: &Parts,
    target: TargetId,
    begin: Timestamp,
    until: Timestamp,
    over: Option<Timestamp>,
) -> Result<Option<Impact>, StorageError> {
    let during = parts
        .telemetry
        .logs(target, LogKind::Access, begin, until, REQUESTS_MAX)?;
    let before = parts.telemetry.logs(
        target,
        LogKind::Access,
        begin.minus_ms(BASELINE_MS),
        begin,
        REQUESTS_MAX,
    )?;
    if during.is_empty() && before.is_empty() {
        return Ok(None);
    }
    let by_tier = tiers(&during);
    let total = by_tier.iter().map(|tier| tier.requests_total).sum();
    let estimated = missing(&before, total, until.ms_since(begin));
    Ok(Some(Impact {
        since: Instant(begin),
        until: over.map(Instant),
        requests_failed: by_tier.iter().map(|tier| tier.requests_failed).sum(),
        requests_total: total,
        by_tier,
        estimated,
    }))
}

fn tiers(records: &[LogRecord]) -> Vec<TierImpact> {
    let mut tiers: BTreeMap<&str, (TierImpact, BTreeSet<&str>)> = BTreeMap::new();
    for (status, tier, user) in records.iter().filter_map(request) {
        let (impact, users) = tiers.entry(tier).or_default();
        impact.requests_total += 1;
        if status >= 500 {
            impact.requests_failed += 1;
            if !user.is_empty() {
                users.insert(user);
            }
        }
    }
    let counted = tiers.into_iter().map(|(tier, (impact, users))| TierImpact {
        tier: tier.to_owned(),
        users_failed: users.len() as u64,
        ..impact
    });
    counted.collect()
}

/// Status, tier and user of a request that was not our own probe's.
fn request(record: &LogRecord) -> Option<(u16, &str, &str)> {
    match &record.line {
        Line::Access {
            status,
            tier,
            user,
            own_probe: false,
            ..
        } => Some((*status, tier, user)),
        Line::Access { .. } | Line::Error { .. } | Line::Unparsed => None,
    }
}

/// Requests that were expected but not logged, by the quietest and the busiest minute of those before. Nothing when about as
/// many were logged as were expected.
fn missing(before: &[LogRecord], logged: u64, lasted_ms: u64) -> Option<Estimate> {
    let mut minutes: BTreeMap<i64, u64> = BTreeMap::new();
    for record in before.iter().filter(|record| request(record).is_some()) {
        *minutes
            .entry(record.at.as_millis().div_euclid(60_000))
            .or_default() += 1;
    }
    // The first and the last minute are cut off.
    let whole: Vec<u64> = minutes
        .values()
        .copied()
        .skip(1)
        .take(minutes.len().saturating_sub(2))
        .collect();
    let (low, high) = (whole.iter().min()?, whole.iter().max()?);
    let expected = |per_minute: u64| (per_minute * lasted_ms / 60_000).saturating_sub(logged);
    let (low, high) = (expected(*low), expected(*high));
    (low > 0).then(|| Estimate {
        low,
        high,
        why: "requests that the quietest and the busiest minute before would have brought, less those that were logged"
            .to_owned(),
    })
}

fn changes(
    parts: &Parts,
    target: TargetId,
    begin: Timestamp,
) -> Result<Vec<RecentChange>, StorageError> {
    let from = begin.minus_ms(CHANGES_BEFORE_MS);
    let facts = parts.telemetry.facts(target, from, begin.plus_ms(1))?;
    let mut changes: Vec<RecentChange> = facts.iter().filter_map(change).collect();
    changes.reverse();
    changes.truncate(CHANGES_MAX);
    Ok(changes)
}

/// What is a change; a failure itself is none.
fn change(fact: &Fact) -> Option<RecentChange> {
    let (title, detail) = match &fact.what {
        FactKind::ParentStarted { pid } => (
            "The server was started".to_owned(),
            format!("process {pid}"),
        ),
        FactKind::Reloaded { generation } => (
            "The server read its configuration again".to_owned(),
            format!("generation {generation}"),
        ),
        FactKind::ConfigChanged { path, diff } => (format!("{path} was changed"), diff.clone()),
        FactKind::ConfigTested {
            valid: false,
            output,
        } => (
            "The configuration on disk would be refused".to_owned(),
            output.clone(),
        ),
        FactKind::ConfigTested { valid: true, .. }
        | FactKind::ParentExited { .. }
        | FactKind::ErrorLogged { .. }
        | FactKind::QueueChanged { .. }
        | FactKind::StatusUnavailable { .. } => return None,
    };
    Some(RecentChange {
        at: Instant(fact.at),
        title,
        detail,
    })
}

fn log_lines(
    parts: &Parts,
    target: TargetId,
    begin: Timestamp,
) -> Result<Vec<LogLine>, StorageError> {
    let (from, until) = (begin.minus_ms(LOGS_BEFORE_MS), begin.plus_ms(LOGS_AFTER_MS));
    let line = |log| {
        move |record: LogRecord| LogLine {
            at: Instant(record.at),
            log,
            text: record.raw,
        }
    };
    let errors = parts
        .telemetry
        .logs(target, LogKind::Error, from, until, LOG_LINES_MAX)?;
    let mut lines: Vec<LogLine> = errors.into_iter().map(line(LogName::Error)).collect();
    let rest = LOG_LINES_MAX - lines.len().min(LOG_LINES_MAX);
    if rest > 0 {
        let requests = parts
            .telemetry
            .logs(target, LogKind::Access, from, until, rest)?;
        lines.extend(requests.into_iter().map(line(LogName::Access)));
    }
    Ok(lines)
}

fn chart(parts: &Parts, target: TargetId, begin: Timestamp, until: Timestamp) -> Chart {
    let curves = [
        (
            "Up",
            "",
            format!("{}{{target=\"{target}\"}}", metric::PARENT_UP),
        ),
        (
            "Busy workers",
            "",
            format!("{}{{target=\"{target}\"}}", metric::WORKERS_BUSY),
        ),
        (
            "Waiting connections",
            "",
            format!("sum({}{{target=\"{target}\"}})", metric::LISTENER_QUEUE),
        ),
        (
            "Requests",
            "/s",
            format!(
                "sum(rate({}{{target=\"{target}\"}}[15s]))",
                metric::LOG_REQUESTS_TOTAL
            ),
        ),
        (
            "Failed requests",
            "/s",
            format!(
                "sum(rate({}{{target=\"{target}\",class=\"5xx\"}}[15s]))",
                metric::LOG_REQUESTS_TOTAL
            ),
        ),
        (
            "Probe",
            "s",
            format!(
                "{}{{target=\"{target}\",phase=\"total\"}}",
                metric::PROBE_DURATION_SECONDS
            ),
        ),
    ];
    let start = begin.minus_ms(CHART_BEFORE_MS);
    let step_ms = (until.ms_since(start) / CHART_POINTS_MAX).max(CHART_STEP_MS_MIN);
    let series = curves.into_iter().filter_map(|(name, unit, expr)| {
        // A curve that cannot be drawn is left out.
        let Ok(Answer::Matrix(found)) = parts.telemetry.query_range(&expr, start, until, step_ms)
        else {
            return None;
        };
        let points = found.into_iter().next()?.points;
        let points = points
            .into_iter()
            .map(|(at, value)| (at, Some(value).filter(|value| value.is_finite())))
            .collect();
        Some(ChartSeries {
            name: name.to_owned(),
            unit: unit.to_owned(),
            points,
        })
    });
    Chart {
        series: series.collect(),
        marks: Vec::new(),
    }
}
