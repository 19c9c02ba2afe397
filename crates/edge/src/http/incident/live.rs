//! What the store knows about a failing target while it fails: who is hurt, what changed, what the logs say, how the curves
//! look. A report is not made from this, but from frozen evidence.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::Serialize;
use tocsin_domain::id::{IncidentId, TargetId};
use tocsin_domain::incident::Incident;
use tocsin_domain::learn::facts::{FailureKind, Range};
use tocsin_domain::learn::{Question, hurt};
use tocsin_domain::signal::{Fact, FactKind, LogRecord, metric};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use crate::app::Parts;
use crate::http::shape::Instant;
use crate::lock::lock;
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
const CUT_OFF: &str = "The failure lasts for more than an hour: only its last hour is counted here, the postmortem counts all of it.";
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
/// Or for so many times the time that it took: a log that is slow to read is not read all the time.
const GOOD_FACTOR: u64 = 20;
/// A look at a failure that is over is good for this long; late lines may still arrive.
const OVER_GOOD_MS: u64 = 15_000;
/// Of a failure that lasts longer, only so much is counted.
const COUNTED_MS_MAX: u64 = 3_600_000;
/// Looks that are kept.
const LOOKS_MAX: usize = 32;

/// Who is hurt, of one tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TierImpact {
    /// The tier; empty where the log does not tell.
    tier: String,
    requests_failed: u64,
    requests_total: u64,
    /// Users who saw a failure, where the log names users.
    users_failed: u64,
    /// Requests that were to be expected while nothing was logged.
    expected_requests: Option<Estimate>,
    /// Users that were to be expected then.
    expected_users: Option<Estimate>,
}

/// A range, because nobody counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Estimate {
    low: u64,
    high: u64,
}

impl From<Range> for Estimate {
    fn from(range: Range) -> Self {
        Self {
            low: range.low,
            high: range.high,
        }
    }
}

/// Who is hurt, computed as the postmortem will compute it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Impact {
    since: Instant,
    until: Option<Instant>,
    /// Requests answered with 5xx, as logged.
    requests_failed: u64,
    requests_total: u64,
    by_tier: Vec<TierImpact>,
    /// Requests that were to be expected while nothing was logged; none when nothing can or need be expected.
    expected: Option<Estimate>,
    /// How that was estimated, or why it was not.
    method: String,
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

/// How long a look is good. It has a beginning too: a clock that was set back must not keep an old look.
type Good = std::ops::Range<Timestamp>;

/// Looks of a moment ago, so that many browsers that hear of one change make one look.
#[derive(Default)]
pub(crate) struct Looks {
    /// Each with the moments since and until which it is good.
    kept: Mutex<BTreeMap<IncidentId, (Good, Seen)>>,
    turns: tokio::sync::Mutex<()>,
}

impl Looks {
    /// Waits for the turn to look.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turns.lock().await
    }

    /// The look of a moment ago.
    pub(crate) fn recent(&self, incident: IncidentId, now: Timestamp) -> Option<Seen> {
        let looks = lock(&self.kept);
        let (good, seen) = looks.get(&incident)?;
        good.contains(&now).then(|| seen.clone())
    }

    /// Keeps a look that was begun at `begun` and is made now.
    pub(crate) fn keep(
        &self,
        incident: IncidentId,
        (begun, now): (Timestamp, Timestamp),
        over: bool,
        seen: &Seen,
    ) {
        let good_ms = if over { OVER_GOOD_MS } else { LIVE_GOOD_MS };
        let good_until = now.plus_ms(good_ms.max(GOOD_FACTOR * now.ms_since(begun)));
        let mut looks = lock(&self.kept);
        if looks.len() >= LOOKS_MAX {
            looks.retain(|_, (good, _)| good.contains(&now));
        }
        if looks.len() < LOOKS_MAX {
            looks.insert(incident, (begun..good_until, seen.clone()));
        }
    }
}

/// Which failure is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) target: TargetId,
    /// When it began.
    pub(crate) begin: Timestamp,
    /// How much earlier it may have begun.
    pub(crate) uncertainty_ms: u64,
    /// When it ended; none while it lasts.
    pub(crate) end: Option<Timestamp>,
    /// What kind of failure it is, as far as its monitor tells.
    pub(crate) failure: Option<FailureKind>,
}

/// Looks at a failure. A part that cannot be read is left out: a woken person needs the rest.
pub(crate) fn look(parts: &Parts, asked: &Asked, now: Timestamp) -> Seen {
    let (target, begin) = (asked.target, asked.begin);
    Seen {
        impact: or_nothing("impact", impact(parts, asked, now)).flatten(),
        changes: or_nothing("changes", changes(parts, target, begin)).unwrap_or_default(),
        log_lines: or_nothing("log lines", log_lines(parts, target, begin)).unwrap_or_default(),
        chart: chart(parts, target, begin, asked.end.unwrap_or(now)),
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

fn impact(parts: &Parts, asked: &Asked, now: Timestamp) -> Result<Option<Impact>, StorageError> {
    let (onset, until) = (asked.begin, asked.end.unwrap_or(now));
    let began = onset.minus_ms(asked.uncertainty_ms);
    let cut_off = COUNTED_MS_MAX < until.ms_since(began);
    let (from, window_from) = if cut_off {
        let from = until.minus_ms(COUNTED_MS_MAX);
        (from, from)
    } else {
        (began, began.minus_ms(BASELINE_MS))
    };
    let log = parts.telemetry.requests(asked.target, window_from, until)?;
    let question = Question {
        log: &log,
        window_from: window_from.into(),
        from: from.into(),
        onset: Some(onset.into()),
        until: until.into(),
        failure: asked.failure,
        waiting: most_waiting(parts, asked.target, from, until),
    };
    let Ok(hurt) = hurt(&question) else {
        return Ok(None);
    };
    let expected_of = |tier: &str| {
        let of_tier = hurt.expected.iter().flat_map(|all| &all.tiers);
        of_tier.clone().find(|one| one.tier == tier)
    };
    let by_tier = hurt.tiers.iter().map(|(tier, counts)| TierImpact {
        tier: tier.clone(),
        requests_failed: counts.failed,
        requests_total: counts.requests,
        users_failed: counts.users_failed,
        expected_requests: expected_of(tier).map(|one| one.requests.into()),
        expected_users: expected_of(tier).and_then(|one| Some(one.users?.into())),
    });
    Ok(Some(Impact {
        since: Instant(from),
        until: asked.end.map(Instant),
        requests_failed: hurt.recorded.failed,
        requests_total: hurt.recorded.requests,
        by_tier: by_tier.collect(),
        expected: hurt.expected.as_ref().map(|all| all.requests.into()),
        method: if cut_off {
            CUT_OFF.to_owned()
        } else {
            hurt.method
        },
    }))
}

/// The most connections that waited to be accepted; 0 when nobody measured.
fn most_waiting(parts: &Parts, target: TargetId, from: Timestamp, until: Timestamp) -> u64 {
    let seconds = until.ms_since(from).div_ceil(1_000).max(1);
    let expr = format!(
        "max(max_over_time({}{{target=\"{target}\"}}[{seconds}s]))",
        metric::LISTENER_QUEUE
    );
    let Ok(Answer::Vector(found)) = parts.telemetry.query(&expr, until) else {
        return 0;
    };
    let most = found.first().and_then(|series| series.points.first());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, and negatives are cut before"
    )]
    let whole = |(_, value): &(i64, f64)| value.max(0.0) as u64;
    most.map_or(0, whole)
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

/// What others told of changes of the service of an incident shortly before it began, the last first.
pub(crate) fn told_changes(state: &State, incident: &Incident) -> Vec<RecentChange> {
    let onset = incident.onset.as_ref();
    let began = onset.map_or(incident.opened_at, |onset| onset.at);
    let told = state.changes.before(incident.service, began).into_iter();
    told.take(CHANGES_MAX)
        .map(|(_, change)| RecentChange {
            at: Instant(change.at),
            title: change.summary.clone(),
            detail: change.source.clone().unwrap_or_default(),
        })
        .collect()
}

/// The same together with what was seen, the last first.
pub(crate) fn with_told(seen: Vec<RecentChange>, told: Vec<RecentChange>) -> Vec<RecentChange> {
    let mut all: Vec<RecentChange> = seen.into_iter().chain(told).collect();
    all.sort_by_key(|change| std::cmp::Reverse(change.at.0));
    all.truncate(CHANGES_MAX);
    all
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_an_old_look() {
        let incident: IncidentId = "QAAAAAAAAAAAAA".parse().unwrap();
        let (looks, now) = (Looks::default(), Timestamp::from_millis(1_000_000));
        looks.keep(incident, (now, now), false, &Seen::default());
        assert!(looks.recent(incident, now).is_some());
        let late = now.plus_ms(LIVE_GOOD_MS);
        assert!(looks.recent(incident, late).is_none());
        assert!(looks.recent(incident, now.minus_ms(60_000)).is_none());
    }
}
