//! A rule as it was read: what is asked, when, and what is made of the answer. It knows no file format.

use std::sync::Arc;

use tocsin_promql::{Labels, Query};

/// Answers a query inside of a template.
pub type AskInside<'a> = dyn FnMut(&str) -> Result<Vec<(Labels, f64)>, String> + 'a;

/// What a template speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The labels of the sample, its metric's name among them.
    pub labels: &'a Labels,
    /// Its value.
    pub value: f64,
    /// When it was evaluated, milliseconds.
    pub at_ms: i64,
}

/// A text with places to fill in.
pub trait Template: Send + Sync {
    /// Fills it in. What it is filled with is text and nothing else.
    ///
    /// # Errors
    /// What cannot be filled in, in words.
    fn expand(&self, subject: &Subject<'_>, ask: &mut AskInside<'_>) -> Result<String, String>;
}

/// A label's or annotation's value.
#[derive(Clone)]
pub struct Text {
    /// As it stands in the file.
    pub written: String,
    /// How it is filled in; none when it stays as written.
    pub template: Option<Arc<dyn Template>>,
}

impl Text {
    /// A text that stays as written.
    #[must_use]
    pub fn constant(written: impl Into<String>) -> Self {
        Self {
            written: written.into(),
            template: None,
        }
    }

    /// The text filled in; what cannot be is replaced by a word about why.
    pub(crate) fn filled(&self, subject: &Subject<'_>, ask: &mut AskInside<'_>) -> String {
        match &self.template {
            None => self.written.clone(),
            Some(template) => template
                .expand(subject, ask)
                .unwrap_or_else(|why| format!("<error expanding template: {why}>")),
        }
    }
}

/// Rules that are evaluated together, one after the other.
#[derive(Clone)]
pub struct GroupSpec {
    /// The group's name, unique in its file.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// How often it is evaluated, milliseconds; at least 1.
    pub interval_ms: u64,
    /// Alerts or series that one of its rules may give; 0 is no limit.
    pub limit: usize,
    /// How far in the past it is evaluated, milliseconds. Above 0 arrivals do not wake its rules.
    pub query_offset_ms: u64,
    /// Its rules in the order of the file.
    pub rules: Vec<Arc<RuleSpec>>,
}

/// One rule.
#[derive(Clone)]
pub struct RuleSpec {
    /// The alert's name, or the metric that is recorded.
    pub name: String,
    /// What is asked.
    pub query: Query,
    /// Labels that the rule adds; those of the group are among them.
    pub labels: Vec<(String, Text)>,
    /// What is made of the answer.
    pub kind: Kind,
}

/// What is made of an answer.
#[derive(Clone)]
pub enum Kind {
    /// A series.
    Record,
    /// Alerts.
    Alert(Box<AlertSpec>),
}

/// What an alerting rule has besides.
#[derive(Clone)]
pub struct AlertSpec {
    /// How long the expression must hold before an alert fires, milliseconds.
    pub for_ms: u64,
    /// How long an alert goes on firing after the expression stopped holding, milliseconds.
    pub keep_firing_for_ms: u64,
    /// Texts for people.
    pub annotations: Vec<(String, Text)>,
    /// What must answer for a firing alert before it is over.
    pub recovery: Option<Query>,
    /// What follows when there is no data.
    pub no_data: NoData,
    /// After how long there is none, milliseconds.
    pub no_data_after_ms: u64,
    /// The service that alerts are raised on, by name or id.
    pub service: Option<String>,
}

/// What follows when no series that the expression selects has a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoData {
    /// What has no data does not fail.
    #[default]
    Ok,
    /// What fires goes on firing.
    Keep,
    /// What fires goes on firing, and an alert tells that there is no data.
    Alert,
}

impl GroupSpec {
    /// Whether nothing changed from the other one.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let head = |one: &Self| (one.interval_ms, one.limit, one.query_offset_ms);
        self.is_successor_of(other)
            && head(self) == head(other)
            && self.rules.len() == other.rules.len()
            && self
                .rules
                .iter()
                .zip(&other.rules)
                .all(|(one, other)| one.is_same_as(other))
    }

    /// Whether it is the same group, perhaps with other rules.
    pub(crate) fn is_successor_of(&self, other: &Self) -> bool {
        self.name == other.name && self.file == other.file
    }
}

impl RuleSpec {
    /// Whether nothing changed from the other one.
    fn is_same_as(&self, other: &Self) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (Kind::Record, Kind::Record) => true,
            (Kind::Alert(one), Kind::Alert(other)) => one.is_same_as(other),
            (Kind::Record, Kind::Alert(_)) | (Kind::Alert(_), Kind::Record) => false,
        };
        same_kind && self.query.text() == other.query.text() && self.is_successor_of(other)
    }

    /// Whether it is the same rule, perhaps with another expression: its state goes on.
    pub(crate) fn is_successor_of(&self, other: &Self) -> bool {
        let same_kind = matches!(
            (&self.kind, &other.kind),
            (Kind::Record, Kind::Record) | (Kind::Alert(_), Kind::Alert(_))
        );
        same_kind && self.name == other.name && written(&self.labels) == written(&other.labels)
    }

    pub(crate) fn alert(&self) -> Option<&AlertSpec> {
        match &self.kind {
            Kind::Record => None,
            Kind::Alert(spec) => Some(spec),
        }
    }

    /// Whether no label needs filling in.
    pub(crate) fn has_constant_labels(&self) -> bool {
        self.labels.iter().all(|(_, text)| text.template.is_none())
    }
}

impl AlertSpec {
    fn is_same_as(&self, other: &Self) -> bool {
        let numbers = |one: &Self| {
            (
                one.for_ms,
                one.keep_firing_for_ms,
                one.no_data,
                one.no_data_after_ms,
            )
        };
        let recovery = |one: &Self| one.recovery.as_ref().map(|query| query.text().to_owned());
        numbers(self) == numbers(other)
            && recovery(self) == recovery(other)
            && self.service == other.service
            && written(&self.annotations) == written(&other.annotations)
    }
}

/// Names and texts as they stand in the file.
pub(crate) fn written(texts: &[(String, Text)]) -> Vec<(&str, &str)> {
    let pairs = texts.iter();
    pairs
        .map(|(name, text)| (name.as_str(), text.written.as_str()))
        .collect()
}
