//! How rules stand, for whoever shows them. It changes nothing.

use tocsin_domain::time::Timestamp;
use tocsin_promql::Labels;

use super::alerting::Stage;
use super::group::{Memory, Rule};
use super::spec::written;
use super::step::Rules;

/// A group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// How often it is evaluated, milliseconds.
    pub interval_ms: u64,
    /// Its limit; 0 is none.
    pub limit: usize,
    /// How long the last evaluation of each of its rules took, and writing what they gave, microseconds.
    pub evaluation_us: u64,
    /// When it was evaluated last as a whole.
    pub evaluated_at: Option<Timestamp>,
    /// Its rules.
    pub rules: Vec<RuleView>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleView {
    /// The alert's name, or the metric that is recorded.
    pub name: String,
    /// The expression.
    pub query: String,
    /// Labels that it adds, as written.
    pub labels: Vec<(String, String)>,
    /// How the last evaluation went.
    pub health: Health,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took, microseconds.
    pub evaluation_us: u64,
    /// When it was.
    pub evaluated_at: Option<Timestamp>,
    /// What it is for.
    pub kind: KindView,
}

/// How an evaluation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// There was none yet.
    Unknown,
    /// It gave an answer.
    Good,
    /// It failed.
    Bad,
}

/// What a rule is for.
#[derive(Clone, Debug, PartialEq)]
pub enum KindView {
    /// It writes series.
    Record,
    /// It raises alerts.
    Alert {
        /// `for`, milliseconds.
        for_ms: u64,
        /// `keep_firing_for`, milliseconds.
        keep_firing_for_ms: u64,
        /// Annotations as written.
        annotations: Vec<(String, String)>,
        /// Its alerts that are pending or firing.
        alerts: Vec<AlertView>,
    },
}

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its expression holds, but not for long enough.
    Pending,
    /// It fires.
    Firing,
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertView {
    /// Its labels.
    pub labels: Labels,
    /// Its annotations, filled in.
    pub annotations: Vec<(String, String)>,
    /// How far it is.
    pub state: State,
    /// Since when its expression holds.
    pub active_at: Timestamp,
    /// Since when it fires only because of `keep_firing_for`.
    pub keep_firing_since: Option<Timestamp>,
    /// The expression's value.
    pub value: f64,
}

impl Rules {
    /// All groups, in the order they were given.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupView> {
        let groups = self.groups.iter();
        groups
            .map(|group| {
                let rules = &self.rules[group.rules.clone()];
                let evaluation_us: u64 = rules.iter().map(|rule| rule.evaluation_us).sum();
                GroupView {
                    name: group.spec.name.clone(),
                    file: group.spec.file.clone(),
                    interval_ms: group.spec.interval_ms,
                    limit: group.spec.limit,
                    evaluation_us: evaluation_us + group.writing_us,
                    evaluated_at: group.evaluated_at,
                    rules: rules.iter().map(rule_view).collect(),
                }
            })
            .collect()
    }
}

fn rule_view(rule: &Rule) -> RuleView {
    let health = match (&rule.error, rule.evaluated_at) {
        (Some(_), _) => Health::Bad,
        (None, Some(_)) => Health::Good,
        (None, None) => Health::Unknown,
    };
    let kind = match (&rule.memory, rule.spec.alert()) {
        (Memory::Alert(alerting), Some(spec)) => KindView::Alert {
            for_ms: spec.for_ms,
            keep_firing_for_ms: spec.keep_firing_for_ms,
            annotations: owned(&written(&spec.annotations)),
            alerts: alerting
                .active
                .iter()
                .filter_map(|(labels, one)| {
                    Some(AlertView {
                        labels: labels.clone(),
                        annotations: one.annotations.clone(),
                        state: match one.stage {
                            Stage::Pending => State::Pending,
                            Stage::Firing => State::Firing,
                            Stage::Resolved => return None,
                        },
                        active_at: Timestamp::from_millis(one.active_at_ms),
                        keep_firing_since: one.keep_firing_since_ms.map(Timestamp::from_millis),
                        value: one.value,
                    })
                })
                .collect(),
        },
        (Memory::Record(_) | Memory::Alert(_), _) => KindView::Record,
    };
    RuleView {
        name: rule.spec.name.clone(),
        query: rule.spec.query.text().to_owned(),
        labels: owned(&written(&rule.spec.labels)),
        health,
        error: rule.error.clone(),
        evaluation_us: rule.evaluation_us,
        evaluated_at: rule.evaluated_at,
        kind,
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
