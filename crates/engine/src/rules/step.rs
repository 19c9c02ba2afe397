//! One step over all rules: what is due is evaluated; what it gives is handed back to be written and told. It waits for nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_domain::command::AlertAsk;
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::Write;
use tocsin_promql::{Labels, METRIC_NAME, STALE_NAN_BITS, Source};

use super::alerting::Changes;
use super::depend::{Feeds, Index, Needs, outputs};
use super::evaluate::{EVALUATION_US_MAX, Moment};
use super::evidence::{fired, resolved};
use super::group::{Group, Memory, Rule};
use super::known::{Known, key_of};
use super::reload::Reading;
use super::spec::{GroupSpec, Kind};

/// A step ends after this time, microseconds, so that what it found out is told soon.
const STEP_US_MAX: u64 = 50_000;
/// A clock that is this much earlier than the last evaluation was set back, milliseconds.
const SET_BACK_MS: i64 = 60_000;
/// After a start, what is pending in the store is looked for during this time at least, milliseconds.
const RESTORE_MS_MIN: i64 = 60_000;
/// After its first data a rule is given this time at least until their absence counts, milliseconds.
const HEARD_MS_MIN: i64 = 30_000;
/// After this time absence counts, whether data came or not, milliseconds.
const HEARD_MS_MAX: i64 = 300_000;

/// All rules.
pub struct Rules {
    pub(super) groups: Vec<Group>,
    pub(super) rules: Vec<Rule>,
    pub(super) needs: Vec<Needs>,
    pub(super) index: Index,
    pub(super) feeds: Feeds,
    /// Rules for which something arrived, in the order in which they feed each other.
    pub(super) dirty: BTreeSet<(usize, usize)>,
    /// When pending alerts may fire, and of which rule.
    pub(super) wakes: BTreeSet<(i64, usize)>,
    pub(super) arrivals_not_before_ms: i64,
    pub(super) started_ms: i64,
    /// Keys of firing alerts, and by how many rules.
    pub(super) firing: BTreeMap<String, u32>,
    /// Alerts that fire on although no rule of theirs was read; they count in `firing`.
    pub(super) kept: Vec<Known>,
    /// Series of rules that are gone.
    pub(super) leaving: Vec<Labels>,
    /// What is to be told besides.
    pub(super) untold: Vec<Told>,
    /// Groups whose whole evaluation ended in the last step.
    ended_cycles: Vec<usize>,
}

/// A sample to write.
#[derive(Clone, Debug)]
pub struct Produced {
    /// Its series.
    pub labels: Labels,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The value; the staleness marker ends the series for now.
    pub value: f64,
}

/// The beginning or the end of an alert, for the core.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What to ask.
    pub ask: AlertAsk,
    /// The service it is about, by name or id; the default one when none.
    pub service: Option<String>,
}

/// What a step gives.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is to be written before the next step.
    pub samples: Vec<Produced>,
    /// What is to be told, in this order; none of it may get lost.
    pub told: Vec<Told>,
    /// How many rules were evaluated.
    pub evaluated: usize,
}

impl Outcome {
    /// The samples as the store takes them.
    #[must_use]
    pub fn write(&self) -> Write<'_> {
        let mut write = Write::default();
        for sample in &self.samples {
            let labels = sample.labels.iter();
            write.begin(labels.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))));
            write.push(sample.at_ms, sample.value);
        }
        write
    }
}

/// A step in the making.
struct Step<'a> {
    now: Timestamp,
    source: &'a dyn Source,
    outcome: Outcome,
    /// Metrics that were produced and are not written yet.
    produced: BTreeSet<String>,
    /// Series of recording rules of this step, and by which rule.
    owners: BTreeMap<(Labels, i64), usize>,
}

impl Rules {
    /// Rules that begin their work; `known` are their alerts that fire already.
    #[must_use]
    pub fn new(specs: Vec<GroupSpec>, reading: Reading, known: Vec<Known>, now: Timestamp) -> Self {
        let mut rules = Self::arrange(specs, now);
        rules.begin(known, reading, now);
        rules
    }

    /// Puts groups in order, without any state.
    pub(super) fn arrange(specs: Vec<GroupSpec>, now: Timestamp) -> Self {
        let mut groups = Vec::with_capacity(specs.len());
        let mut rules = Vec::new();
        for spec in specs {
            let group = Group::new(spec, rules.len(), now.as_millis());
            for rule in &group.spec.rules {
                rules.push(Rule::new(Arc::clone(rule), groups.len()));
            }
            groups.push(group);
        }
        let specs: Vec<_> = rules.iter().map(|rule| rule.spec.as_ref()).collect();
        let needs: Vec<Needs> = specs.iter().map(|rule| Needs::of(rule)).collect();
        let index = Index::new(&needs);
        let feeds = Feeds::new(&specs, &needs, &index);
        Self {
            groups,
            index,
            feeds,
            needs,
            rules,
            dirty: BTreeSet::new(),
            wakes: BTreeSet::new(),
            arrivals_not_before_ms: i64::MIN,
            started_ms: now.as_millis(),
            firing: BTreeMap::new(),
            kept: Vec::new(),
            leaving: Vec::new(),
            untold: Vec::new(),
            ended_cycles: Vec::new(),
        }
    }

    /// Evaluates what is due. A rule that reads what this step produces waits for the next one, which must come after the
    /// outcome was written. `clock_us` measures how long things take, in microseconds from any beginning.
    pub fn step(
        &mut self,
        now: Timestamp,
        source: &dyn Source,
        clock_us: &dyn Fn() -> u64,
    ) -> Outcome {
        let mut step = Step {
            now,
            source,
            outcome: Outcome::default(),
            produced: BTreeSet::new(),
            owners: BTreeMap::new(),
        };
        self.ended_cycles.clear();
        step.outcome.told = std::mem::take(&mut self.untold);
        for labels in std::mem::take(&mut self.leaving) {
            step.outcome.samples.push(Produced {
                labels,
                at_ms: now.as_millis(),
                value: f64::from_bits(STALE_NAN_BITS),
            });
        }
        let begun_us = clock_us();
        self.step_arrivals(&mut step, begun_us, clock_us);
        self.step_intervals(&mut step, begun_us, clock_us);
        step.outcome
    }

    /// Says how long writing the last step's outcome took, for the groups whose evaluation it ended.
    pub fn written(&mut self, took_us: u64) {
        let share = took_us / (self.ended_cycles.len().max(1) as u64);
        for group in std::mem::take(&mut self.ended_cycles) {
            self.groups[group].writing_us = share;
        }
    }

    fn step_arrivals(&mut self, step: &mut Step<'_>, begun_us: u64, clock_us: &dyn Fn() -> u64) {
        let now_ms = step.now.as_millis();
        self.wake(now_ms);
        for rule in self.ready(now_ms) {
            let Some(at_ms) = self.rules[rule].dirty_at_ms else {
                continue;
            };
            if step.is_long(begun_us, clock_us) || step.must_wait(&self.needs[rule]) {
                break;
            }
            let last_ms = self.rules[rule].last_at_ms;
            let at_ms = last_ms.map_or(at_ms, |last| at_ms.max(last + 1));
            self.evaluate(rule, at_ms, false, step, clock_us);
        }
        let worked_us = clock_us().saturating_sub(begun_us);
        if step.outcome.evaluated > 0 {
            self.rest(now_ms, worked_us);
        }
    }

    fn step_intervals(&mut self, step: &mut Step<'_>, begun_us: u64, clock_us: &dyn Fn() -> u64) {
        let now_ms = step.now.as_millis();
        for group in 0..self.groups.len() {
            self.groups[group].begin_if_due(now_ms);
            while let Some((slot_ms, rule)) = self.groups[group].cycle {
                if rule >= self.groups[group].rules.end {
                    self.groups[group].cycle = None;
                    self.groups[group].evaluated_at = Some(step.now);
                    self.ended_cycles.push(group);
                    break;
                }
                if step.must_wait(&self.needs[rule]) {
                    break;
                }
                if step.is_long(begun_us, clock_us) {
                    return;
                }
                let last_ms = self.rules[rule].last_at_ms;
                let at_ms = match last_ms {
                    Some(last) if last > now_ms + SET_BACK_MS => self.set_back(rule, slot_ms),
                    Some(last) => slot_ms.max(last + 1),
                    None => slot_ms,
                };
                self.evaluate(rule, at_ms, true, step, clock_us);
                self.groups[group].cycle = Some((slot_ms, rule + 1));
            }
        }
    }

    /// The clock was set back: the rule goes on in the new time.
    fn set_back(&mut self, rule: usize, at_ms: i64) -> i64 {
        tracing::warn!(rule = %self.rules[rule].spec.name, "the clock was set back; the rule is evaluated by the new time from now on");
        match &mut self.rules[rule].memory {
            Memory::Record(_) => {}
            Memory::Alert(alerting) => alerting.set_back(at_ms),
        }
        at_ms
    }

    fn evaluate(
        &mut self,
        rule: usize,
        at_ms: i64,
        whole: bool,
        step: &mut Step<'_>,
        clock_us: &dyn Fn() -> u64,
    ) {
        let begun_us = clock_us();
        let is_over = || clock_us().saturating_sub(begun_us) > EVALUATION_US_MAX;
        let moment = self.moment(rule, at_ms, whole, step, &is_over);
        let one = &mut self.rules[rule];
        let spec = Arc::clone(&one.spec);
        let changes =
            moment
                .answer(&spec.query)
                .and_then(|found| match (&mut one.memory, &spec.kind) {
                    (Memory::Record(recording), Kind::Record) => {
                        let samples = recording.advance(&spec, found, &moment)?;
                        step.claim(rule, &samples).map(|()| Changes {
                            samples,
                            ..Changes::default()
                        })
                    }
                    (Memory::Alert(alerting), Kind::Alert(alert)) => {
                        alerting.advance(&spec, alert, found, &moment)
                    }
                    (Memory::Record(_), Kind::Alert(_)) | (Memory::Alert(_), Kind::Record) => {
                        Err("a rule's memory is of another kind".to_owned())
                    }
                });
        one.last_at_ms = Some(at_ms);
        one.evaluated_at = Some(step.now);
        step.outcome.evaluated += 1;
        match changes {
            Ok(changes) => {
                one.error = None;
                self.take(rule, changes, &moment, step);
            }
            Err(why) => {
                if one.error.as_ref() != Some(&why) {
                    tracing::warn!(rule = %spec.name, %why, "a rule could not be evaluated; nothing is concluded from it");
                }
                one.error = Some(why);
            }
        }
        self.rules[rule].evaluation_us = clock_us().saturating_sub(begun_us);
        self.done(rule, at_ms, step.now.as_millis(), !whole);
    }

    fn moment<'a>(
        &self,
        rule: usize,
        at_ms: i64,
        whole: bool,
        step: &Step<'a>,
        is_over: &'a dyn Fn() -> bool,
    ) -> Moment<'a> {
        let one = &self.rules[rule];
        let group = &self.groups[one.group];
        let now_ms = step.now.as_millis();
        let waited = |since_ms: i64, at_least: i64| now_ms.saturating_sub(since_ms) >= at_least;
        let settle_ms = HEARD_MS_MIN.max(group.interval_ms());
        Moment {
            source: step.source,
            is_over,
            at_ms,
            query_at_ms: at_ms - group.query_offset_ms(),
            whole,
            limit: group.spec.limit,
            may_restore: !waited(self.started_ms, RESTORE_MS_MIN.max(2 * group.interval_ms())),
            heard: waited(self.started_ms, HEARD_MS_MAX)
                || one
                    .heard_at_ms
                    .is_some_and(|since| waited(since, settle_ms)),
        }
    }

    /// Hands out what an evaluation changed.
    fn take(&mut self, rule: usize, changes: Changes, moment: &Moment<'_>, step: &mut Step<'_>) {
        let one = &self.rules[rule];
        let group = &self.groups[one.group].spec.name;
        if let Memory::Alert(alerting) = &one.memory {
            for labels in &changes.begun {
                let count = self.firing.entry(key_of(group, labels)).or_insert(0);
                *count += 1;
                if *count == 1
                    && let Some(active) = alerting.active.get(labels)
                {
                    let told = fired(group, &one.spec, labels, active, moment);
                    step.outcome.told.push(told);
                }
            }
            for labels in &changes.ended {
                let key = key_of(group, labels);
                if let Some(active) = alerting.active.get(labels)
                    && leave(&mut self.firing, &key)
                {
                    let told = resolved(key, &one.spec, active, moment);
                    step.outcome.told.push(told);
                }
            }
        }
        if changes.samples.is_empty() {
            return;
        }
        if !self.feeds.readers[rule].is_empty() {
            let names = outputs(&one.spec);
            step.produced.extend(names.into_iter().map(str::to_owned));
        }
        step.outcome.samples.extend(changes.samples);
        self.pass_on(rule, moment.query_at_ms, moment.whole);
    }
}

/// One rule less lets an alert fire; whether it was the last.
pub(super) fn leave(firing: &mut BTreeMap<String, u32>, key: &str) -> bool {
    match firing.get_mut(key) {
        Some(count) if *count > 1 => {
            *count -= 1;
            false
        }
        Some(_) | None => {
            firing.remove(key);
            true
        }
    }
}

impl Step<'_> {
    /// Whether it has lasted long enough; something is always done before.
    fn is_long(&self, begun_us: u64, clock_us: &dyn Fn() -> u64) -> bool {
        self.outcome.evaluated > 0 && clock_us().saturating_sub(begun_us) > STEP_US_MAX
    }

    /// Whether a rule would read what is not written yet.
    fn must_wait(&self, needs: &Needs) -> bool {
        self.produced.iter().any(|metric| needs.accepts(metric))
    }

    /// Two rules that write the same series at the same time are an error of the second.
    fn claim(&mut self, rule: usize, samples: &[Produced]) -> Result<(), String> {
        for sample in samples {
            let owner = self
                .owners
                .entry((sample.labels.clone(), sample.at_ms))
                .or_insert(rule);
            if *owner != rule {
                return Err(format!(
                    "another rule named {} wrote the series {} at the same time",
                    sample.labels.get(METRIC_NAME),
                    sample.labels
                ));
            }
        }
        Ok(())
    }
}
