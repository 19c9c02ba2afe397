//! A rule file as it is written, before its parts are looked at, and the look at each. It knows no evaluation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::names::{is_label, is_metric};
use super::template::Template;
use super::{AlertRule, Group, NoData, Placed, Problem, Rule, RuleKind, Text, duration};

/// How annotations for Tocsin begin.
const OWN: &str = "tocsin_";
/// After this time without data there is none, unless the rule says otherwise, milliseconds.
const NO_DATA_AFTER_MS: u64 = 300_000;
/// The shortest interval, milliseconds.
const INTERVAL_MS_MIN: u64 = 100;
/// Labels or annotations of one rule.
const PAIRS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    groups: Option<Vec<RawGroup>>,
}

/// A group as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGroup {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    interval: Option<Spanned<String>>,
    #[serde(default)]
    query_offset: Option<Spanned<String>>,
    #[serde(default)]
    limit: Option<Spanned<i64>>,
    #[serde(default)]
    labels: Option<Pairs>,
    #[serde(default)]
    rules: Option<Vec<RawRule>>,
}

type Pairs = BTreeMap<String, Option<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    #[serde(default)]
    record: Option<Spanned<String>>,
    #[serde(default)]
    alert: Option<Spanned<String>>,
    #[serde(default)]
    expr: Option<Spanned<String>>,
    #[serde(default, rename = "for")]
    hold: Option<Spanned<String>>,
    #[serde(default)]
    keep_firing_for: Option<Spanned<String>>,
    #[serde(default)]
    labels: Option<Pairs>,
    #[serde(default)]
    annotations: Option<Pairs>,
}

/// Reads the YAML.
pub(super) fn read(text: &str) -> Result<Vec<RawGroup>, Problem> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
    };
    let file: Result<Option<RawFile>, _> = serde_saphyr::from_str_with_options(text, options);
    match file {
        Ok(file) => Ok(file.and_then(|file| file.groups).unwrap_or_default()),
        Err(error) => {
            let line = error.location().map_or(0, |location| location.line());
            let what = error.without_snippet().to_string();
            Err(Problem::new(line, without_place(&what)))
        }
    }
}

/// The message without the place that stands before it anyway.
fn without_place(text: &str) -> String {
    let first = text.lines().next().unwrap_or(text);
    let cut = first.rfind(" at line ").unwrap_or(first.len());
    first[..cut].trim_end_matches([',', ':', ' ']).to_owned()
}

/// The line that a value stands in.
pub(super) fn line<T>(value: &Spanned<T>) -> u64 {
    value.referenced.line()
}

/// Looks at a group.
pub(super) fn group(raw: RawGroup, problems: &mut Vec<Problem>) -> Group {
    let at = line(&raw.name);
    let name = raw.name.value;
    if name.trim().is_empty() {
        problems.push(Problem::new(at, "a group has no name"));
    }
    let mut told = Telling {
        group: &name,
        rule: None,
        problems,
    };
    let interval_ms = raw
        .interval
        .as_ref()
        .and_then(|text| told.duration("interval", text));
    if let Some(text) = raw
        .interval
        .as_ref()
        .filter(|_| interval_ms.is_some_and(|ms| ms > 0 && ms < INTERVAL_MS_MIN))
    {
        told.tell(
            line(text),
            format!("interval: the shortest is {INTERVAL_MS_MIN}ms"),
        );
    }
    let query_offset_ms = raw
        .query_offset
        .as_ref()
        .and_then(|text| told.duration("query_offset", text));
    let limit = raw.limit.as_ref().map_or(0, |limit| told.limit(limit));
    let labels = told.pairs("label", raw.labels, at, false);
    let mut rules: Vec<Rule> = Vec::new();
    for one in raw.rules.unwrap_or_default() {
        let Some(rule) = rule(one, at, &labels, &name, problems) else {
            continue;
        };
        if let Some(same) = rules.iter().find(|other| is_same(&rule, other)) {
            let what = format!(
                "group {name:?}: this rule stands in line {} already: same name, labels and expression",
                same.line
            );
            problems.push(Problem::new(rule.line, what));
        }
        rules.push(rule);
    }
    Group {
        name,
        line: at,
        interval_ms: interval_ms.filter(|ms| *ms > 0),
        limit,
        query_offset_ms: query_offset_ms.unwrap_or(0),
        rules,
    }
}

fn is_same(one: &Rule, other: &Rule) -> bool {
    let labels = |rule: &Rule| -> Vec<(String, String)> {
        let pairs = rule.labels.iter();
        pairs
            .map(|(name, text)| (name.clone(), text.written.clone()))
            .collect()
    };
    one.name == other.name
        && one.expr.text == other.expr.text
        && matches!(one.kind, RuleKind::Record) == matches!(other.kind, RuleKind::Record)
        && labels(one) == labels(other)
}

fn rule(
    raw: RawRule,
    group_line: u64,
    of_group: &[(String, Text)],
    group: &str,
    problems: &mut Vec<Problem>,
) -> Option<Rule> {
    let expr_line = raw.expr.as_ref().map_or(group_line, line);
    let named = |given: Option<Spanned<String>>| {
        given.filter(|name: &Spanned<String>| !name.value.is_empty())
    };
    let (record, alert) = (named(raw.record), named(raw.alert));
    let rule = record.as_ref().or(alert.as_ref());
    let mut told = Telling {
        group,
        rule: rule.map(|name| name.value.clone()),
        problems,
    };
    let (name, is_alert) = match (record, alert) {
        (Some(record), None) => (record, false),
        (None, Some(alert)) => (alert, true),
        (Some(record), Some(_)) => {
            told.tell(line(&record), "a rule has record or alert, not both");
            return None;
        }
        (None, None) => {
            told.tell(expr_line, "a rule needs record or alert, and a name there");
            return None;
        }
    };
    let at = line(&name);
    let expr = raw.expr.filter(|expr| !expr.value.trim().is_empty());
    if expr.is_none() {
        told.tell(at, "expr is missing");
    }
    let own = told.pairs("label", raw.labels, at, is_alert);
    let mut labels: BTreeMap<String, Text> = of_group.iter().cloned().collect();
    if is_alert {
        // The labels of the group are templates of alerts as well.
        labels = told.templates(labels, at);
    }
    labels.extend(own);
    let kind = if is_alert {
        let holds = (raw.hold.as_ref(), raw.keep_firing_for.as_ref());
        RuleKind::Alert(Box::new(told.alert(at, holds, raw.annotations)))
    } else {
        told.record(
            &name,
            [
                ("for", raw.hold.as_ref()),
                ("keep_firing_for", raw.keep_firing_for.as_ref()),
            ],
            raw.annotations.as_ref(),
        );
        RuleKind::Record
    };
    let expr = expr?;
    Some(Rule {
        line: at,
        name: name.value,
        expr: Placed {
            line: line(&expr),
            text: expr.value,
        },
        labels: labels.into_iter().collect(),
        kind,
    })
}

/// Tells problems with the group and the rule they are in.
struct Telling<'a> {
    group: &'a str,
    rule: Option<String>,
    problems: &'a mut Vec<Problem>,
}

impl Telling<'_> {
    fn tell(&mut self, line: u64, what: impl Into<String>) {
        let what = what.into();
        let place = match &self.rule {
            Some(rule) => format!("group {:?}, rule {rule:?}: {what}", self.group),
            None => format!("group {:?}: {what}", self.group),
        };
        self.problems.push(Problem::new(line, place));
    }

    fn duration(&mut self, key: &str, text: &Spanned<String>) -> Option<u64> {
        match duration::parse(&text.value) {
            Ok(ms) => Some(ms),
            Err(why) => {
                self.tell(line(text), format!("{key}: {why}"));
                None
            }
        }
    }

    fn limit(&mut self, limit: &Spanned<i64>) -> usize {
        usize::try_from(limit.value).unwrap_or_else(|_| {
            self.tell(line(limit), "limit: must not be negative");
            0
        })
    }

    /// Labels or annotations with their templates.
    fn pairs(
        &mut self,
        what: &str,
        pairs: Option<Pairs>,
        at: u64,
        has_templates: bool,
    ) -> Vec<(String, Text)> {
        let pairs = pairs.unwrap_or_default();
        if pairs.len() > PAIRS_MAX {
            self.tell(at, format!("more than {PAIRS_MAX} {what}s"));
        }
        let mut read = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let at = value.as_ref().map_or(at, line);
            let written = value.map(|value| value.value).unwrap_or_default();
            if !is_label(&name) || (what == "label" && name == "__name__") {
                self.tell(at, format!("{name:?} cannot name a {what}; expected letters, digits and underscores, no digit first"));
            }
            let template = if has_templates && !name.starts_with(OWN) {
                self.template(what, &name, &written, at)
            } else {
                None
            };
            read.push((name, Text { written, template }));
        }
        read
    }

    fn template(&mut self, what: &str, name: &str, text: &str, at: u64) -> Option<Template> {
        Template::parse(text).unwrap_or_else(|why| {
            self.tell(at, format!("{what} {name}: {why}"));
            None
        })
    }

    fn templates(&mut self, labels: BTreeMap<String, Text>, at: u64) -> BTreeMap<String, Text> {
        let filled = labels.into_iter().map(|(name, text)| {
            let template = self.template("label", &name, &text.written, at);
            (name, Text { template, ..text })
        });
        filled.collect()
    }

    fn record(
        &mut self,
        name: &Spanned<String>,
        holds: [(&str, Option<&Spanned<String>>); 2],
        annotations: Option<&Pairs>,
    ) {
        let at = line(name);
        if !is_metric(&name.value) {
            self.tell(at, "the name cannot be a metric's; expected letters, digits, underscores and colons, no digit first");
        }
        for (key, given) in holds {
            if let Some(text) = given.filter(|text| duration::parse(&text.value) != Ok(0)) {
                self.tell(
                    line(text),
                    format!("{key} has no meaning in a recording rule"),
                );
            }
        }
        if annotations.is_some_and(|pairs| !pairs.is_empty()) {
            self.tell(at, "annotations have no meaning in a recording rule");
        }
    }

    fn alert(
        &mut self,
        at: u64,
        (hold, keep): (Option<&Spanned<String>>, Option<&Spanned<String>>),
        annotations: Option<Pairs>,
    ) -> AlertRule {
        let mut rule = AlertRule {
            for_ms: hold
                .and_then(|text| self.duration("for", text))
                .unwrap_or(0),
            keep_firing_for_ms: keep
                .and_then(|text| self.duration("keep_firing_for", text))
                .unwrap_or(0),
            no_data_after_ms: NO_DATA_AFTER_MS,
            ..AlertRule::default()
        };
        for (name, value) in annotations.iter().flatten() {
            if let (Some(key), Some(value)) = (name.strip_prefix(OWN), value) {
                self.own(&mut rule, key, value);
            }
        }
        rule.annotations = self.pairs("annotation", annotations, at, true);
        rule
    }

    /// An annotation that Tocsin itself reads.
    fn own(&mut self, rule: &mut AlertRule, key: &str, value: &Spanned<String>) {
        let at = line(value);
        match key {
            "recovery" => {
                rule.recovery = Some(Placed {
                    text: value.value.clone(),
                    line: at,
                });
            }
            "no_data" => match value.value.as_str() {
                "ok" => rule.no_data = NoData::Ok,
                "keep" => rule.no_data = NoData::Keep,
                "alert" => rule.no_data = NoData::Alert,
                other => self.tell(at, format!("tocsin_no_data: {other:?} is not known; expected ok, keep or alert")),
            },
            "no_data_after" => {
                if let Some(ms) = self.duration("tocsin_no_data_after", value) {
                    rule.no_data_after_ms = ms.max(1_000);
                }
            }
            "service" => rule.service = Some(value.value.clone()),
            other => self.tell(at, format!("tocsin_{other} is not known; there are tocsin_recovery, tocsin_no_data, tocsin_no_data_after and tocsin_service")),
        }
    }
}
