//! Rule files in Prometheus' own format (YAML): groups of recording and alerting rules. Reading is strict, and what is wrong is
//! told with its line. Expressions are text here: the query language is not known.

pub mod duration;
mod names;
mod raw;
pub mod template;

use std::collections::BTreeSet;
use std::fmt;

use self::template::Template;

/// Bytes of a rule file.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rules of one file.
const RULES_MAX: usize = 50_000;
/// Problems that are told at once.
const PROBLEMS_MAX: usize = 50;

/// A rule file.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// Its groups, in order.
    pub groups: Vec<Group>,
}

/// Rules that are evaluated together.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, unique in the file.
    pub name: String,
    /// The line it begins in, from 1.
    pub line: u64,
    /// How often it is evaluated, milliseconds; as the server says when none.
    pub interval_ms: Option<u64>,
    /// Alerts or series that one of its rules may give; 0 is no limit.
    pub limit: usize,
    /// How far in the past it is evaluated, milliseconds.
    pub query_offset_ms: u64,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The line of its name, from 1.
    pub line: u64,
    /// The metric that is recorded, or the alert's name.
    pub name: String,
    /// PromQL.
    pub expr: Placed,
    /// Labels that it adds, those of the group among them, sorted by name.
    pub labels: Vec<(String, Text)>,
    /// What is made of the answer.
    pub kind: RuleKind,
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The text.
    pub text: String,
    /// Its line, from 1.
    pub line: u64,
}

/// A label's or annotation's value.
#[derive(Clone, Debug)]
pub struct Text {
    /// As it stands in the file.
    pub written: String,
    /// How it is filled in, if it has places to fill in.
    pub template: Option<Template>,
}

/// What is made of an answer.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// A series.
    Record,
    /// Alerts.
    Alert(Box<AlertRule>),
}

/// What an alerting rule has besides.
#[derive(Clone, Debug, Default)]
pub struct AlertRule {
    /// `for`, milliseconds.
    pub for_ms: u64,
    /// `keep_firing_for`, milliseconds.
    pub keep_firing_for_ms: u64,
    /// Annotations, sorted by name; those for Tocsin among them, which stay as written.
    pub annotations: Vec<(String, Text)>,
    /// `tocsin_recovery`: PromQL that must answer before a firing alert is over.
    pub recovery: Option<Placed>,
    /// `tocsin_no_data`: what follows when there is no data.
    pub no_data: NoData,
    /// `tocsin_no_data_after`, milliseconds.
    pub no_data_after_ms: u64,
    /// `tocsin_service`: the service that alerts are raised on, by name or id.
    pub service: Option<String>,
}

/// What follows when there is no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoData {
    /// What has no data does not fail, as in Prometheus.
    #[default]
    Ok,
    /// What fires goes on firing.
    Keep,
    /// What fires goes on firing, and an alert tells that there is no data.
    Alert,
}

/// Something wrong in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Its line, from 1; 0 when there is none.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(formatter, "line {}: ", self.line)?;
        }
        formatter.write_str(&self.what)
    }
}

impl Problem {
    pub(crate) fn new(line: u64, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

/// Reads a rule file.
///
/// # Errors
/// Everything that is wrong, in the order of lines.
pub fn read(text: &str) -> Result<RuleFile, Vec<Problem>> {
    if text.len() > FILE_BYTES_MAX {
        let what = format!("a rule file may have {FILE_BYTES_MAX} bytes");
        return Err(vec![Problem::new(0, what)]);
    }
    let raw = raw::read(text).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut groups = Vec::with_capacity(raw.len());
    let mut rules = 0;
    for group in raw {
        if !names.insert(group.name.value.clone()) {
            let what = format!(
                "there is a group {:?} already in this file",
                group.name.value
            );
            problems.push(Problem::new(raw::line(&group.name), what));
        }
        let group = raw::group(group, &mut problems);
        rules += group.rules.len();
        groups.push(group);
    }
    if rules > RULES_MAX {
        let what = format!("a rule file may have {RULES_MAX} rules; this one has {rules}");
        problems.push(Problem::new(0, what));
    }
    if problems.is_empty() {
        return Ok(RuleFile { groups });
    }
    problems.sort();
    problems.dedup();
    problems.truncate(PROBLEMS_MAX);
    Err(problems)
}

#[cfg(test)]
mod tests;
