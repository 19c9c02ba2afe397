//! A store in memory, a clock that is turned by hand, and rules between them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tocsin_domain::command::AlertAsk;
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::Arrived;
use tocsin_engine::rules::{
    AlertSpec, GroupSpec, Kind, KindView, Known, NoData, Reading, RuleSpec, RuleView, Rules, State,
    Text, Told,
};
use tocsin_promql::{
    Labels, Matcher, PlainChunk, Query, Select, SeriesData, Source, SourceError, is_stale,
};

/// Series in memory, which counts how often it is asked.
#[derive(Default)]
pub(crate) struct Memory {
    series: Mutex<BTreeMap<Labels, BTreeMap<i64, f64>>>,
    asked: Mutex<usize>,
}

impl Memory {
    pub(crate) fn put(&self, labels: &Labels, at_ms: i64, value: f64) {
        let mut series = self.series.lock().unwrap();
        series
            .entry(labels.clone())
            .or_default()
            .insert(at_ms, value);
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    /// All samples of the series of this metric, by labels: `value@ms`, or `stale@ms`.
    pub(crate) fn shown(&self, metric: &str) -> Vec<String> {
        let series = self.series.lock().unwrap();
        let of_metric = series
            .iter()
            .filter(|(labels, _)| labels.metric_name() == metric);
        of_metric
            .map(|(labels, samples)| {
                let samples = samples.iter().map(|(at, value)| {
                    if is_stale(*value) {
                        format!("stale@{at}")
                    } else {
                        format!("{value}@{at}")
                    }
                });
                format!("{labels} {}", samples.collect::<Vec<_>>().join(" "))
            })
            .collect()
    }
}

impl Source for Memory {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        *self.asked.lock().unwrap() += 1;
        let series = self.series.lock().unwrap();
        let passes = |labels: &Labels| {
            let mut matchers = select.matchers.iter();
            matchers.all(|one: &Matcher| one.accepts_labels(labels))
        };
        Ok(series
            .iter()
            .filter(|(labels, _)| passes(labels))
            .filter_map(|(labels, samples)| {
                let within = samples.range(select.start_ms..=select.end_ms);
                let (times, values): (Vec<i64>, Vec<f64>) =
                    within.map(|(at, value)| (*at, *value)).unzip();
                (!times.is_empty()).then(|| SeriesData {
                    labels: labels.clone(),
                    chunks: vec![Arc::new(PlainChunk::new(times, values))],
                })
            })
            .collect())
    }
}

pub(crate) fn labels(text: &str) -> Labels {
    let (name, rest) = text.split_once('{').unwrap_or((text, ""));
    let rest = rest.trim_end_matches('}');
    let pairs = rest.split(',').filter_map(|pair| pair.split_once('='));
    [("__name__", name)]
        .into_iter()
        .chain(pairs.map(|(name, value)| (name.trim(), value.trim())))
        .collect()
}

/// A rule to be changed by what a test needs.
pub(crate) fn alert(name: &str, expr: &str) -> RuleSpec {
    RuleSpec {
        name: name.to_owned(),
        query: Query::parse(expr).unwrap(),
        labels: Vec::new(),
        kind: Kind::Alert(Box::new(AlertSpec {
            for_ms: 0,
            keep_firing_for_ms: 0,
            annotations: Vec::new(),
            recovery: None,
            no_data: NoData::Ok,
            no_data_after_ms: 60_000,
            service: None,
        })),
    }
}

pub(crate) fn with(mut rule: RuleSpec, change: impl FnOnce(&mut AlertSpec)) -> RuleSpec {
    if let Kind::Alert(spec) = &mut rule.kind {
        change(spec);
    }
    rule
}

pub(crate) fn labelled(mut rule: RuleSpec, name: &str, value: &str) -> RuleSpec {
    rule.labels.push((name.to_owned(), Text::constant(value)));
    rule
}

pub(crate) fn record(name: &str, expr: &str) -> RuleSpec {
    RuleSpec {
        name: name.to_owned(),
        query: Query::parse(expr).unwrap(),
        labels: Vec::new(),
        kind: Kind::Record,
    }
}

/// A group that is evaluated each 10 s.
pub(crate) fn group(rules: Vec<RuleSpec>) -> GroupSpec {
    GroupSpec {
        name: "g".to_owned(),
        file: "f.yml".to_owned(),
        interval_ms: 10_000,
        limit: 0,
        query_offset_ms: 0,
        rules: rules.into_iter().map(Arc::new).collect(),
    }
}

/// Everything together.
pub(crate) struct Stage {
    pub(crate) memory: Memory,
    pub(crate) rules: Rules,
    pub(crate) now_ms: i64,
    pub(crate) told: Vec<Told>,
    pub(crate) evaluated: usize,
    /// Microseconds that each look at the clock takes.
    pub(crate) tick_us: u64,
    ticks: Cell<u64>,
}

impl Stage {
    pub(crate) fn new(groups: Vec<GroupSpec>) -> Self {
        Self::at(1_000_000_000, Memory::default(), groups, Vec::new())
    }

    pub(crate) fn at(
        now_ms: i64,
        memory: Memory,
        groups: Vec<GroupSpec>,
        known: Vec<Known>,
    ) -> Self {
        Self::begin(now_ms, memory, groups, Reading::Whole, known)
    }

    pub(crate) fn begin(
        now_ms: i64,
        memory: Memory,
        groups: Vec<GroupSpec>,
        reading: Reading,
        known: Vec<Known>,
    ) -> Self {
        let now = Timestamp::from_millis(now_ms);
        Self {
            memory,
            rules: Rules::new(groups, reading, known, now),
            now_ms,
            told: Vec::new(),
            evaluated: 0,
            tick_us: 0,
            ticks: Cell::new(0),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    /// Stores a sample of now without telling anybody.
    pub(crate) fn store(&self, series: &str, value: f64) {
        self.memory.put(&labels(series), self.now_ms, value);
    }

    /// Stores a sample of now and says that it arrived.
    pub(crate) fn arrive(&mut self, series: &str, value: f64) {
        self.store(series, value);
        self.say(&[series], self.now_ms);
    }

    pub(crate) fn say(&mut self, series: &[&str], newest_ms: i64) {
        let mut metrics: Vec<Arc<str>> = series
            .iter()
            .map(|one| Arc::from(labels(one).metric_name()))
            .collect();
        metrics.sort();
        metrics.dedup();
        let arrived = Arrived {
            metrics,
            newest_ms: Some(newest_ms),
        };
        let now = self.now();
        self.rules.arrived(&arrived, now);
    }

    /// Does what is due now.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            let now = self.now();
            if self.rules.next_due(now).is_none_or(|due| due > now) {
                return;
            }
            let clock = || {
                self.ticks.set(self.ticks.get() + self.tick_us);
                self.ticks.get()
            };
            let outcome = self.rules.step(now, &self.memory, &clock);
            for sample in &outcome.samples {
                self.memory.put(&sample.labels, sample.at_ms, sample.value);
            }
            self.evaluated += outcome.evaluated;
            self.told.extend(outcome.told);
            self.rules.written(0);
        }
        panic!("the rules do not come to rest");
    }

    /// Lets time pass and does what becomes due.
    pub(crate) fn pass(&mut self, ms: i64) {
        self.settle();
        let until = self.now_ms + ms;
        while let Some(due) = self.rules.next_due(self.now()) {
            if due.as_millis() > until {
                break;
            }
            self.now_ms = self.now_ms.max(due.as_millis());
            self.settle();
        }
        self.now_ms = until;
        self.settle();
    }

    /// Samples each second with the value, each of which wakes nobody.
    pub(crate) fn hold(&mut self, series: &str, value: f64, seconds: i64) {
        for _ in 0..seconds {
            self.store(series, value);
            self.pass(1_000);
        }
    }

    pub(crate) fn rule(&self, at: usize) -> RuleView {
        let groups = self.rules.groups();
        let mut all = groups.into_iter().flat_map(|group| group.rules);
        all.nth(at).unwrap()
    }

    /// `pending` or `firing` and the labels of each alert of a rule.
    pub(crate) fn alerts(&self, at: usize) -> Vec<String> {
        let KindView::Alert { alerts, .. } = self.rule(at).kind else {
            panic!("an alerting rule is expected");
        };
        alerts
            .iter()
            .map(|one| match one.state {
                State::Pending => format!("pending {}", one.labels),
                State::Firing => format!("firing {}", one.labels),
            })
            .collect()
    }

    /// What was told since the last look: `fired KEY` or `resolved KEY`.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told);
        told.iter()
            .map(|one| match &one.ask {
                AlertAsk::RuleFired(fired) => format!("fired {}", fired.dedup_key),
                AlertAsk::RuleResolved { dedup_key, .. } => format!("resolved {dedup_key}"),
                other @ (AlertAsk::MonitorFired { .. }
                | AlertAsk::MonitorRecovered { .. }
                | AlertAsk::HoldCleared { .. }
                | AlertAsk::Labelled(_)
                | AlertAsk::Trigger { .. }
                | AlertAsk::AcknowledgeByKey { .. }
                | AlertAsk::RestateByKey(..)
                | AlertAsk::NoteByKey(..)
                | AlertAsk::ResolveByKey { .. }) => panic!("unexpected: {other:?}"),
            })
            .collect()
    }
}
