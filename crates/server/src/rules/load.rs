//! From rule files to rules that can be evaluated: finds and reads them, and tells everything that is wrong. It evaluates nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_engine::rules::{
    AlertSpec, AskInside, GroupSpec, Kind, NoData, RuleSpec, Subject, Template, Text,
};
use tocsin_promql::{Query, QueryType};
use tocsin_wire::prometheus_rules::template::{self, Facts, Sample};
use tocsin_wire::prometheus_rules::{self as wire, FILE_BYTES_MAX};

use super::glob;

/// What rule files leave open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// Files and patterns.
    pub(crate) files: Vec<PathBuf>,
    /// The interval of groups that name none, milliseconds.
    pub(crate) interval_ms: u64,
    /// What `externalURL` is in templates.
    pub(crate) external_url: String,
}

/// What was read.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) groups: Vec<GroupSpec>,
    pub(crate) problems: Vec<Problem>,
    /// Patterns that no file fits, which is no mistake as long as nothing is missing.
    empty: Vec<PathBuf>,
    /// How many files were looked at.
    pub(crate) files: usize,
}

impl Loaded {
    /// Whether nothing can have been left out.
    pub(crate) fn is_whole(&self) -> bool {
        self.problems.is_empty() && self.empty.is_empty()
    }

    /// Says that the rules of so many alerts that fire are missing: a pattern that no file fits, of a disk that is not there for
    /// example, is a problem then.
    pub(crate) fn miss(&mut self, alerts: usize) {
        let empty = std::mem::take(&mut self.empty).into_iter();
        self.problems.extend(empty.map(|file| Problem {
            file,
            line: 0,
            what: format!(
                "no file fits this pattern, and the rules of firing alerts are missing ({alerts}); take it out if that is meant"
            ),
        }));
    }
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: PathBuf,
    pub(crate) line: u64,
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file.display())?;
        if self.line > 0 {
            write!(formatter, ":{}", self.line)?;
        }
        write!(formatter, ": {}", self.what)
    }
}

/// Reads all files. A file with a problem gives no group.
pub(crate) fn load(given: &Given) -> Loaded {
    let mut loaded = Loaded::default();
    let mut seen: BTreeMap<PathBuf, ()> = BTreeMap::new();
    for pattern in &given.files {
        let files = glob::files(pattern);
        match (files.is_empty(), glob::is_pattern(pattern)) {
            (false, _) => {}
            (true, true) => loaded.empty.push(pattern.clone()),
            (true, false) => loaded.problems.push(Problem {
                file: pattern.clone(),
                line: 0,
                what: "there is no such file".to_owned(),
            }),
        }
        for file in files {
            if seen.insert(file.clone(), ()).is_some() {
                continue;
            }
            loaded.files += 1;
            match load_file(&file, given) {
                Ok(groups) => loaded.groups.extend(groups),
                Err(problems) => loaded.problems.extend(problems),
            }
        }
    }
    loaded
}

fn load_file(file: &Path, given: &Given) -> Result<Vec<GroupSpec>, Vec<Problem>> {
    let problem = |line, what: String| Problem {
        file: file.to_owned(),
        line,
        what,
    };
    let text = read(file).map_err(|what| vec![problem(0, what)])?;
    let read = wire::read(&text).map_err(|found| {
        let found = found.into_iter();
        found
            .map(|one| problem(one.line, one.what))
            .collect::<Vec<_>>()
    })?;
    let mut problems = Vec::new();
    let mut refuse = |line, what| problems.push(problem(line, what));
    let groups = read
        .groups
        .into_iter()
        .map(|group| {
            let name = group.name.clone();
            let rules = group.rules.into_iter();
            GroupSpec {
                file: file.display().to_string(),
                interval_ms: group.interval_ms.unwrap_or(given.interval_ms).max(1),
                limit: group.limit,
                query_offset_ms: group.query_offset_ms,
                rules: rules
                    .filter_map(|rule| rule_of(rule, &name, given, &mut refuse))
                    .map(Arc::new)
                    .collect(),
                name: group.name,
            }
        })
        .collect();
    if problems.is_empty() {
        Ok(groups)
    } else {
        Err(problems)
    }
}

fn read(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?;
    if size.len() > FILE_BYTES_MAX as u64 {
        return Err(format!("a rule file may have {FILE_BYTES_MAX} bytes"));
    }
    let bytes = std::fs::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text; save it as UTF-8".to_owned())
}

fn rule_of(
    rule: wire::Rule,
    group: &str,
    given: &Given,
    refuse: &mut impl FnMut(u64, String),
) -> Option<RuleSpec> {
    let place = format!("group {group:?}, rule {:?}", rule.name);
    let query = question(&rule.expr, "expr", &place, refuse);
    let kind = match rule.kind {
        wire::RuleKind::Record => Kind::Record,
        wire::RuleKind::Alert(alert) => {
            let recovery = alert.recovery.as_ref();
            let recovery = recovery.map(|expr| question(expr, "tocsin_recovery", &place, refuse));
            Kind::Alert(Box::new(AlertSpec {
                for_ms: alert.for_ms,
                keep_firing_for_ms: alert.keep_firing_for_ms,
                annotations: texts(alert.annotations, given),
                recovery: recovery.flatten(),
                no_data: match alert.no_data {
                    wire::NoData::Ok => NoData::Ok,
                    wire::NoData::Keep => NoData::Keep,
                    wire::NoData::Alert => NoData::Alert,
                },
                no_data_after_ms: alert.no_data_after_ms,
                service: alert.service,
            }))
        }
    };
    Some(RuleSpec {
        name: rule.name,
        query: query?,
        labels: texts(rule.labels, given),
        kind,
    })
}

fn question(
    expr: &wire::Placed,
    key: &str,
    place: &str,
    refuse: &mut impl FnMut(u64, String),
) -> Option<Query> {
    match Query::parse(&expr.text) {
        Ok(query) => match query.query_type() {
            QueryType::Scalar | QueryType::Vector => Some(query),
            QueryType::Text | QueryType::Matrix => {
                let what = "gives neither a number nor one value per series; a function over the range may be missing";
                refuse(expr.line, format!("{place}: {key} {what}"));
                None
            }
        },
        Err(error) => {
            refuse(expr.line, format!("{place}: {key}: {error}"));
            None
        }
    }
}

fn texts(pairs: Vec<(String, wire::Text)>, given: &Given) -> Vec<(String, Text)> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, text)| {
            let template = text.template.map(|template| {
                Arc::new(Filling {
                    template,
                    external_url: given.external_url.clone(),
                }) as Arc<dyn Template>
            });
            let text = Text {
                written: text.written,
                template,
            };
            (name, text)
        })
        .collect()
}

/// A template of a rule file, for the evaluator.
struct Filling {
    template: template::Template,
    external_url: String,
}

impl Template for Filling {
    fn expand(&self, subject: &Subject<'_>, ask: &mut AskInside<'_>) -> Result<String, String> {
        let facts = Facts {
            labels: subject.labels.to_map(),
            external_labels: BTreeMap::new(),
            external_url: self.external_url.clone(),
            value: subject.value,
            at_ms: subject.at_ms,
        };
        let mut ask = |query: &str| {
            let found = ask(query)?.into_iter();
            Ok(found
                .map(|(labels, value)| Sample {
                    labels: labels.to_map(),
                    value,
                })
                .collect())
        };
        self.template
            .expand(&facts, &mut ask)
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.yml");
        std::fs::write(&file, text).unwrap();
        load(&Given {
            files: vec![file],
            interval_ms: 15_000,
            external_url: String::new(),
        })
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_and_reason() {
        let bad = "groups:\n- name: g\n  rules:\n  - record: a\n    expr: sum(\n  - alert: b\n    expr: up[5m]\n  - alert: c\n    expr: up\n    annotations:\n      tocsin_recovery: 'x['\n";
        let loaded = load_text(bad);
        assert!(loaded.groups.is_empty());
        let told: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(
            told[0].contains("rules.yml:5: group \"g\", rule \"a\": expr:"),
            "{}",
            told[0]
        );
        assert!(
            told[1].contains(":7:") && told[1].contains("neither a number"),
            "{}",
            told[1]
        );
        assert!(
            told[2].contains(":11:") && told[2].contains("tocsin_recovery"),
            "{}",
            told[2]
        );
    }

    #[test]
    fn a_good_file_gives_its_groups_and_a_missing_one_is_told() {
        let loaded = load_text("groups:\n- name: g\n  rules:\n  - record: a\n    expr: up\n");
        assert!(loaded.problems.is_empty());
        assert_eq!(loaded.groups[0].rules.len(), 1);
        assert_eq!(loaded.groups[0].interval_ms, 15_000);
        let missing = load(&Given {
            files: vec!["/nowhere/rules.yml".into(), "/nowhere/*.yml".into()],
            interval_ms: 15_000,
            external_url: String::new(),
        });
        assert_eq!(missing.problems.len(), 1);
    }
}
