//! An alerting rule's memory: which of its alerts are pending, firing or over, as Prometheus counts it, with what Tocsin adds:
//! a recovery condition, and that silence is not taken for health where the rule says so. It asks nothing but what it is given.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_promql::{InstantSample, Labels, METRIC_NAME, STALE_NAN_BITS};

use super::evaluate::Moment;
use super::restore::active_since;
use super::spec::{AlertSpec, NoData, RuleSpec, Subject};
use super::step::Produced;
use super::{ALERT_NAME, ALERT_STATE, ALERTS, ALERTS_FOR_STATE};

/// An alert that is over is remembered for this long.
const RESOLVED_KEPT_MS: u64 = 15 * 60_000;
/// The label of the alert that tells that there is no data.
pub(crate) const NO_DATA: &str = "no_data";

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Resolved,
    Pending,
    Firing,
}

/// One alert.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    /// The labels of the sample, by which recovery and evidence are found.
    pub(crate) origin: Labels,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) stage: Stage,
    pub(crate) value: f64,
    pub(crate) active_at_ms: i64,
    pub(crate) keep_firing_since_ms: Option<i64>,
    resolved_at_ms: Option<i64>,
    /// It tells that there is no data, and fires at once.
    pub(crate) is_no_data: bool,
    /// It is known from the journal and was not seen since the start.
    pub(crate) is_unseen: bool,
    /// What its series say.
    written: Option<Stage>,
}

/// All alerts of a rule, by their labels.
#[derive(Default)]
pub(crate) struct Alerting {
    pub(crate) active: BTreeMap<Labels, Active>,
    /// Labels of samples and the labels of their alerts, where the rule's own are constant.
    names: BTreeMap<Labels, Labels>,
}

/// What an evaluation changed.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) samples: Vec<Produced>,
    pub(crate) begun: Vec<Labels>,
    pub(crate) ended: Vec<Labels>,
}

impl Alerting {
    /// Judges an answer.
    pub(crate) fn advance(
        &mut self,
        rule: &RuleSpec,
        spec: &AlertSpec,
        mut found: Vec<InstantSample>,
        moment: &Moment<'_>,
    ) -> Result<Changes, String> {
        let silent = found.is_empty() && self.is_silent(rule, spec, moment);
        let tell_silence = silent && spec.no_data == NoData::Alert;
        if found.is_empty() && self.active.is_empty() && !tell_silence {
            return Ok(Changes::default());
        }
        if tell_silence {
            found.push(InstantSample {
                labels: Labels::from_iter([(NO_DATA, "true")]),
                value: 0.0,
            });
        }
        let seen = self.name(rule, found, moment)?;
        self.within_limit(&seen, moment)?;
        for (labels, sample) in &seen {
            self.see(rule, spec, labels, sample, tell_silence, moment);
        }
        let recovered = self.recovered(spec, &seen, moment)?;
        Ok(self.settle(spec, &seen, &recovered, silent, moment))
    }

    /// The earliest time at which a pending alert may fire, milliseconds.
    pub(crate) fn fires_at_ms(&self, spec: &AlertSpec) -> Option<i64> {
        let pending = self.active.values();
        pending
            .filter(|one| one.stage == Stage::Pending)
            .map(|one| one.active_at_ms.saturating_add_unsigned(spec.for_ms))
            .min()
    }

    /// Takes up an alert that fires according to the journal.
    pub(crate) fn take_up(&mut self, labels: Labels, value: f64, fired_at_ms: i64) {
        let active = Active {
            origin: labels.filtered(|name| name != ALERT_NAME),
            annotations: Vec::new(),
            stage: Stage::Firing,
            value,
            active_at_ms: fired_at_ms,
            keep_firing_since_ms: None,
            resolved_at_ms: None,
            is_no_data: labels.get(NO_DATA) == "true",
            is_unseen: true,
            written: None,
        };
        self.active.insert(labels, active);
    }

    /// The series that are alive.
    pub(crate) fn series(&self) -> impl Iterator<Item = Labels> {
        self.active.iter().flat_map(|(labels, one)| {
            let stage = one.written.into_iter();
            stage.flat_map(|stage| [alerts_series(labels, stage), since_series(labels)])
        })
    }

    /// What was pending in a future that a clock set back took away begins now.
    pub(crate) fn set_back(&mut self, at_ms: i64) {
        for one in self.active.values_mut() {
            one.active_at_ms = one.active_at_ms.min(at_ms);
            one.keep_firing_since_ms = one.keep_firing_since_ms.map(|since| since.min(at_ms));
        }
    }

    fn is_silent(&self, rule: &RuleSpec, spec: &AlertSpec, moment: &Moment<'_>) -> bool {
        let asked = match spec.no_data {
            NoData::Ok => false,
            NoData::Keep => self.active.values().any(|one| one.stage == Stage::Firing),
            NoData::Alert => true,
        };
        asked && moment.heard && !moment.has_data(&rule.query, spec.no_data_after_ms)
    }

    /// The labels of the alert of each sample; the same labels twice are an error.
    fn name(
        &mut self,
        rule: &RuleSpec,
        found: Vec<InstantSample>,
        moment: &Moment<'_>,
    ) -> Result<BTreeMap<Labels, InstantSample>, String> {
        let constant = rule.has_constant_labels();
        let mut seen = BTreeMap::new();
        for sample in found {
            let labels = match self.names.get(&sample.labels) {
                Some(labels) => labels.clone(),
                None => {
                    let labels = labels_of(rule, &sample, moment);
                    if constant {
                        self.names.insert(sample.labels.clone(), labels.clone());
                    }
                    labels
                }
            };
            if seen.contains_key(&labels) {
                return Err(format!(
                    "the answer has several series with the same labels after those of the alert were applied: {labels}"
                ));
            }
            seen.insert(labels, sample);
        }
        Ok(seen)
    }

    /// Too many alerts are an error of the rule: none of them begins, and what fires goes on until the answer is usable again.
    fn within_limit(
        &mut self,
        seen: &BTreeMap<Labels, InstantSample>,
        moment: &Moment<'_>,
    ) -> Result<(), String> {
        if moment.limit == 0 || seen.len() <= moment.limit {
            return Ok(());
        }
        self.active.retain(|_, one| one.stage != Stage::Pending);
        Err(format!(
            "exceeded limit of {} with {} alerts",
            moment.limit,
            seen.len()
        ))
    }

    fn see(
        &mut self,
        rule: &RuleSpec,
        spec: &AlertSpec,
        labels: &Labels,
        sample: &InstantSample,
        is_no_data: bool,
        moment: &Moment<'_>,
    ) {
        let known = self.active.get_mut(labels);
        if let Some(one) = known.filter(|one| one.stage != Stage::Resolved) {
            let changed = one.value.to_bits() != sample.value.to_bits();
            if one.is_unseen || (changed && moment.whole) {
                one.annotations = annotations(rule, spec, sample, is_no_data, moment);
            }
            one.value = sample.value;
            one.origin = sample.labels.clone();
            one.is_unseen = false;
            one.keep_firing_since_ms = None;
            return;
        }
        let restored = (moment.may_restore && spec.for_ms > 0)
            .then(|| active_since(moment.source, labels, moment.at_ms, spec.for_ms))
            .flatten();
        let written = self.active.get(labels).and_then(|one| one.written);
        let begun = Active {
            origin: sample.labels.clone(),
            annotations: annotations(rule, spec, sample, is_no_data, moment),
            stage: Stage::Pending,
            value: sample.value,
            active_at_ms: restored.unwrap_or(moment.at_ms),
            keep_firing_since_ms: None,
            resolved_at_ms: None,
            is_no_data,
            is_unseen: false,
            written,
        };
        self.active.insert(labels.clone(), begun);
    }

    /// The firing alerts that the answer no longer has and that the recovery condition lets go; all of them without one.
    fn recovered(
        &self,
        spec: &AlertSpec,
        seen: &BTreeMap<Labels, InstantSample>,
        moment: &Moment<'_>,
    ) -> Result<BTreeSet<Labels>, String> {
        let missing = self
            .active
            .iter()
            .filter(|(labels, one)| one.stage == Stage::Firing && !seen.contains_key(*labels));
        let missing: Vec<(&Labels, &Active)> = missing.collect();
        let (Some(recovery), false) = (&spec.recovery, missing.is_empty()) else {
            return Ok(missing
                .into_iter()
                .map(|(labels, _)| labels.clone())
                .collect());
        };
        let well = moment.answer(recovery)?;
        let is_well = |labels: &Labels, one: &Active| {
            one.is_no_data
                || well.iter().any(|sample| {
                    let mut named = sample
                        .labels
                        .iter()
                        .filter(|(name, _)| *name != METRIC_NAME);
                    named.all(|(name, value)| {
                        one.origin.get(name) == value || labels.get(name) == value
                    })
                })
        };
        Ok(missing
            .into_iter()
            .filter(|(labels, one)| is_well(labels, one))
            .map(|(labels, _)| labels.clone())
            .collect())
    }

    /// Lets what is over go, lets what has held for long enough fire, and writes the series.
    fn settle(
        &mut self,
        spec: &AlertSpec,
        seen: &BTreeMap<Labels, InstantSample>,
        recovered: &BTreeSet<Labels>,
        silent: bool,
        moment: &Moment<'_>,
    ) -> Changes {
        let mut changes = Changes::default();
        self.active.retain(|labels, one| {
            if !seen.contains_key(labels) {
                let kept = one.stage == Stage::Firing
                    && (!recovered.contains(labels)
                        || (silent && !one.is_no_data)
                        || (one.is_unseen && !moment.heard)
                        || one.goes_on(spec, moment.at_ms));
                if !kept {
                    return one.end(labels, moment, &mut changes);
                }
            }
            let hold_ms = if one.is_no_data { 0 } else { spec.for_ms };
            if one.stage == Stage::Pending && held_ms(one.active_at_ms, moment.at_ms) >= hold_ms {
                one.stage = Stage::Firing;
                changes.begun.push(labels.clone());
            }
            if moment.whole || one.written != Some(one.stage) {
                one.write(labels, moment, &mut changes.samples);
            }
            true
        });
        if self.names.len() > self.active.len() {
            let active = &self.active;
            self.names.retain(|_, labels| active.contains_key(labels));
        }
        changes
    }
}

impl Active {
    /// Whether it goes on firing although its expression holds no more (`keep_firing_for`).
    fn goes_on(&mut self, spec: &AlertSpec, at_ms: i64) -> bool {
        if spec.keep_firing_for_ms == 0 || self.is_no_data {
            return false;
        }
        let since = *self.keep_firing_since_ms.get_or_insert(at_ms);
        held_ms(since, at_ms) < spec.keep_firing_for_ms
    }

    /// What was pending is forgotten, what fired is remembered as over; says whether to keep it.
    fn end(&mut self, labels: &Labels, moment: &Moment<'_>, changes: &mut Changes) -> bool {
        if let Some(stage) = self.written.take() {
            for series in [alerts_series(labels, stage), since_series(labels)] {
                changes.samples.push(ended(series, moment.query_at_ms));
            }
        }
        match self.stage {
            Stage::Pending => false,
            Stage::Firing => {
                self.stage = Stage::Resolved;
                self.resolved_at_ms = Some(moment.at_ms);
                changes.ended.push(labels.clone());
                true
            }
            Stage::Resolved => self
                .resolved_at_ms
                .is_some_and(|since| held_ms(since, moment.at_ms) <= RESOLVED_KEPT_MS),
        }
    }

    fn write(&mut self, labels: &Labels, moment: &Moment<'_>, samples: &mut Vec<Produced>) {
        let at_ms = moment.query_at_ms;
        if let Some(before) = self.written.filter(|before| *before != self.stage) {
            samples.push(ended(alerts_series(labels, before), at_ms));
        }
        self.written = Some(self.stage);
        samples.push(Produced {
            labels: alerts_series(labels, self.stage),
            at_ms,
            value: 1.0,
        });
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since the epoch are far below 2^53"
        )]
        let since_s = self.active_at_ms as f64 / 1_000.0;
        samples.push(Produced {
            labels: since_series(labels),
            at_ms,
            value: since_s,
        });
    }
}

fn held_ms(since_ms: i64, at_ms: i64) -> u64 {
    u64::try_from(at_ms.saturating_sub(since_ms)).unwrap_or(0)
}

fn ended(labels: Labels, at_ms: i64) -> Produced {
    Produced {
        labels,
        at_ms,
        value: f64::from_bits(STALE_NAN_BITS),
    }
}

fn alerts_series(labels: &Labels, stage: Stage) -> Labels {
    let state = match stage {
        Stage::Pending => "pending",
        Stage::Firing | Stage::Resolved => "firing",
    };
    labels.with(METRIC_NAME, ALERTS).with(ALERT_STATE, state)
}

fn since_series(labels: &Labels) -> Labels {
    labels.with(METRIC_NAME, ALERTS_FOR_STATE)
}

fn labels_of(rule: &RuleSpec, sample: &InstantSample, moment: &Moment<'_>) -> Labels {
    let subject = Subject {
        labels: &sample.labels,
        value: sample.value,
        at_ms: moment.query_at_ms,
    };
    let mut labels = sample.labels.without_name();
    for (name, text) in &rule.labels {
        let value = text.filled(&subject, &mut |query| moment.answer_inside(query));
        labels = labels.with(name, &value);
    }
    labels.with(ALERT_NAME, &rule.name)
}

fn annotations(
    rule: &RuleSpec,
    spec: &AlertSpec,
    sample: &InstantSample,
    is_no_data: bool,
    moment: &Moment<'_>,
) -> Vec<(String, String)> {
    if is_no_data {
        let summary = format!("No data for {}", rule.name);
        let description = format!(
            "No series that the rule selects had a sample for {} s: {}",
            spec.no_data_after_ms / 1_000,
            rule.query.text()
        );
        return vec![
            ("summary".to_owned(), summary),
            ("description".to_owned(), description),
        ];
    }
    let subject = Subject {
        labels: &sample.labels,
        value: sample.value,
        at_ms: moment.query_at_ms,
    };
    let texts = spec.annotations.iter();
    texts
        .map(|(name, text)| {
            let value = text.filled(&subject, &mut |query| moment.answer_inside(query));
            (name.clone(), value)
        })
        .collect()
}
