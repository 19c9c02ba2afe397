//! Asks the monitors that an arrival concerns, and says what changed. What an answer means is the domain's.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::alert::EvidenceSample;
use tocsin_domain::command::AlertAsk;
use tocsin_domain::id::{MonitorId, TargetId};
use tocsin_domain::monitor::Monitor;
use tocsin_domain::signal::Batch;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Limits, Matcher, Query, Select, Source, Value};

use crate::onset::find_onset;

/// Samples kept as evidence of one alert.
const EVIDENCE_MAX: usize = 8;
/// Evidence is looked for this far back.
const EVIDENCE_LOOKBACK_MS: i64 = 300_000;
/// An arrival this much older than what was seen before is late, not the mark of a clock that was set back.
const LATE_MS_MAX: u64 = 60_000;
/// Samples one monitor's question may touch.
const SAMPLES_MAX: usize = 2_000_000;

/// A monitor whose questions were read.
struct Asked {
    monitor: Monitor,
    expr: Query,
    recovery: Query,
    wording: Vec<(Query, String)>,
    holds: Vec<Query>,
    /// Metrics that the questions depend on; `None` when that cannot be told.
    metrics: Option<BTreeSet<String>>,
}

/// Remembers what was read and what is pending. All of it can be lost: it is derived from state and store.
#[derive(Default)]
pub(crate) struct Detector {
    asked: BTreeMap<MonitorId, Asked>,
    /// Monitors whose text cannot be read, as it was when that was said.
    broken: BTreeMap<MonitorId, Monitor>,
    pending_since: BTreeMap<(MonitorId, TargetId), Timestamp>,
    seen: Option<Timestamp>,
}

impl Detector {
    /// How far the store was seen, milliseconds; `i64::MIN` when not at all.
    pub(crate) fn seen_ms(&self) -> i64 {
        self.seen.map_or(i64::MIN, Timestamp::as_millis)
    }

    /// How far the store was seen; nothing when not at all.
    pub(crate) const fn seen(&self) -> Option<Timestamp> {
        self.seen
    }

    /// Forgets what was seen since: what came of it was not kept, and it will be asked about again.
    pub(crate) fn back_to(&mut self, seen: Option<Timestamp>) {
        self.seen = self.seen.min(seen);
        self.pending_since
            .retain(|_, since| Some(*since) <= self.seen);
    }

    /// Asks the monitors that `batch` concerns (all of them without one) at the time `at`. An arrival that is older than what
    /// was seen before is judged with what is known at that time; unless that lies ahead of `now`, because the clock was set back.
    pub(crate) fn observe(
        &mut self,
        state: &State,
        series: &dyn Source,
        batch: Option<&Batch>,
        at: Timestamp,
        now: Timestamp,
    ) -> Vec<AlertAsk> {
        let at = self.not_before_seen(at, now);
        self.seen = Some(at);
        self.read_monitors(state);
        let arrived: Option<BTreeSet<&str>> = batch.map(metrics_of);
        let mut asks = Vec::new();
        for asked in self.asked.values() {
            let concerned = match (&arrived, &asked.metrics) {
                (Some(arrived), Some(metrics)) => {
                    metrics.iter().any(|name| arrived.contains(name.as_str()))
                }
                (None, _) | (_, None) => true,
            };
            if concerned && asked.monitor.enabled {
                asks.extend(ask(asked, state, series, at, &mut self.pending_since));
            }
        }
        asks
    }

    /// The time to ask about: `at`, or what was seen if that is later. What was seen under a clock that has been set back since is
    /// forgotten: until that time came again, monitors would be asked about samples of the past.
    fn not_before_seen(&mut self, at: Timestamp, now: Timestamp) -> Timestamp {
        let Some(seen) = self.seen else {
            return at;
        };
        if seen > now && seen.ms_since(at) > LATE_MS_MAX {
            tracing::warn!(%seen, %now, "the clock was set back; monitors are asked by the new time from now on");
            self.pending_since.retain(|_, since| *since <= at);
            return at;
        }
        seen.max(at)
    }

    /// Follows what monitors the state has, reading the text of each once.
    fn read_monitors(&mut self, state: &State) {
        self.asked
            .retain(|id, asked| state.monitors.get(id) == Some(&asked.monitor));
        for (id, monitor) in &state.monitors {
            if self.asked.contains_key(id) || self.broken.get(id) == Some(monitor) {
                continue;
            }
            match read(monitor) {
                Ok(asked) => {
                    self.asked.insert(*id, asked);
                }
                Err(why) => {
                    tracing::error!(monitor = %monitor.slug, %why, "a monitor cannot be asked: its PromQL cannot be read");
                    self.broken.insert(*id, monitor.clone());
                }
            }
        }
    }
}

fn metrics_of(batch: &Batch) -> BTreeSet<&str> {
    batch
        .samples
        .iter()
        .filter_map(|sample| sample.labels.get("__name__"))
        .map(String::as_str)
        .collect()
}

fn read(monitor: &Monitor) -> Result<Asked, tocsin_promql::ParseError> {
    let expr = Query::parse(&monitor.expr)?;
    let recovery = Query::parse(&monitor.recovery)?;
    let wording = monitor
        .wording
        .iter()
        .map(|one| Ok((Query::parse(&one.expr)?, one.text.clone())));
    let wording = wording.collect::<Result<_, tocsin_promql::ParseError>>()?;
    let holds = monitor
        .holds
        .iter()
        .map(|rule| Query::parse(&rule.expr))
        .collect::<Result<Vec<_>, _>>()?;
    let questions = [&expr, &recovery].into_iter().chain(&holds);
    let metrics = questions
        .map(Query::metric_names)
        .try_fold(BTreeSet::new(), |mut all, names| {
            all.extend(names?);
            Some(all)
        });
    Ok(Asked {
        monitor: monitor.clone(),
        expr,
        recovery,
        wording,
        holds,
        metrics,
    })
}

fn ask(
    asked: &Asked,
    state: &State,
    series: &dyn Source,
    at: Timestamp,
    pending_since: &mut BTreeMap<(MonitorId, TargetId), Timestamp>,
) -> Vec<AlertAsk> {
    let id = asked.monitor.id;
    let Some(failing) = targets_in(&asked.expr, series, at) else {
        return Vec::new();
    };
    let any_firing = state
        .targets
        .keys()
        .any(|target| state.firing_of(id, *target).is_some());
    let recovered = if any_firing {
        targets_in(&asked.recovery, series, at)
    } else {
        None
    };
    let mut asks = Vec::new();
    for target in state.targets.keys() {
        let firing = state.firing_of(id, *target);
        if failing.contains(target) {
            let since = *pending_since.entry((id, *target)).or_insert(at);
            if firing.is_none() && at.ms_since(since) >= asked.monitor.for_ms {
                asks.push(fired(asked, *target, series, at));
            }
        } else {
            pending_since.remove(&(id, *target));
            if firing.is_some() && recovered.as_ref().is_some_and(|well| well.contains(target)) {
                asks.push(AlertAsk::MonitorRecovered {
                    monitor: id,
                    target: *target,
                    at,
                    evidence: evidence(&asked.recovery, *target, series, at),
                });
            }
        }
        if let Some(alert) = firing
            && failing.contains(target)
            && hold_is_cleared(asked, alert.incident, state, *target, series, at)
        {
            asks.push(AlertAsk::HoldCleared {
                incident: alert.incident,
            });
        }
    }
    asks
}

/// The targets in an answer; `None` when the question failed, which changes nothing.
fn targets_in(query: &Query, series: &dyn Source, at: Timestamp) -> Option<BTreeSet<TargetId>> {
    let limits = Limits {
        samples_max: SAMPLES_MAX,
        ..Limits::default()
    };
    match query.instant(series, at.as_millis(), &limits) {
        Ok(answer) => match answer.value {
            Value::Vector(samples) => Some(
                samples
                    .iter()
                    .filter_map(|sample| sample.labels.get("target").parse().ok())
                    .collect(),
            ),
            Value::Scalar(_) | Value::Text(_) | Value::Matrix(_) => None,
        },
        Err(failure) => {
            tracing::error!(query = query.text(), %failure, "a monitor's question failed; nothing is concluded from it");
            None
        }
    }
}

fn answers_for(query: &Query, target: TargetId, series: &dyn Source, at: Timestamp) -> bool {
    targets_in(query, series, at).is_some_and(|targets| targets.contains(&target))
}

fn fired(asked: &Asked, target: TargetId, series: &dyn Source, at: Timestamp) -> AlertAsk {
    let wording = asked
        .wording
        .iter()
        .find(|(query, _)| answers_for(query, target, series, at));
    let holds = asked.holds.iter().enumerate();
    let holds = holds
        .filter(|(_, query)| answers_for(query, target, series, at))
        .map(|(index, _)| index);
    AlertAsk::MonitorFired {
        monitor: asked.monitor.id,
        target,
        at,
        wording: wording.map(|(_, text)| text.clone()).unwrap_or_default(),
        evidence: evidence(&asked.expr, target, series, at),
        onset: asked
            .monitor
            .onset
            .as_ref()
            .and_then(|rule| find_onset(rule, target, series, at)),
        holds: holds.collect(),
    }
}

fn hold_is_cleared(
    asked: &Asked,
    incident: tocsin_domain::id::IncidentId,
    state: &State,
    target: TargetId,
    series: &dyn Source,
    at: Timestamp,
) -> bool {
    let held = state
        .incidents
        .get(&incident)
        .and_then(|incident| incident.hold.as_ref());
    if !held.is_some_and(|hold| hold.until_clear) {
        return false;
    }
    let rules = asked
        .monitor
        .holds
        .iter()
        .zip(&asked.holds)
        .filter(|(rule, _)| rule.until_clear);
    let mut asked_again = rules
        .map(|(_, query)| answers_for(query, target, series, at))
        .peekable();
    asked_again.peek().is_some() && !asked_again.any(|holds| holds)
}

/// The newest sample of each series that the question reads, for one target.
fn evidence(
    query: &Query,
    target: TargetId,
    series: &dyn Source,
    at: Timestamp,
) -> Vec<EvidenceSample> {
    let mut found: Vec<EvidenceSample> = Vec::new();
    for selector in query.selectors() {
        let mut matchers = selector.to_vec();
        matchers.push(Matcher::equal("target", target.as_str()));
        let select = Select::new(
            &matchers,
            at.as_millis() - EVIDENCE_LOOKBACK_MS,
            at.as_millis(),
        );
        for one in series.select(&select).unwrap_or_default() {
            let (mut times, mut values) = (Vec::new(), Vec::new());
            let Some(last) = one.chunks.last() else {
                continue;
            };
            if last
                .read(select.start_ms, select.end_ms, &mut times, &mut values)
                .is_err()
            {
                continue;
            }
            let (Some(time), Some(value)) = (times.last(), values.last()) else {
                continue;
            };
            let sample = EvidenceSample {
                series: one.labels.to_string(),
                at: Timestamp::from_millis(*time),
                value: *value,
            };
            if !found.contains(&sample) && found.len() < EVIDENCE_MAX {
                found.push(sample);
            }
        }
    }
    found
}
