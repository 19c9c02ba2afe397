//! The functions of templates: those of Prometheus, and Go's own that rules use. A name that is none is refused.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use regex::RegexBuilder;

use super::TemplateError;
use super::format::{print_all, printf};
use super::number::{
    humanize, humanize_1024, humanize_duration, humanize_percentage, humanize_timestamp,
};
use super::run::Run;
use super::value::{Sample, Value};

/// Bytes that a compiled pattern may take.
const PATTERN_MAX: usize = 1 << 20;
/// Each function, its name, and how many arguments it takes at least and at most.
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("query", Function::Query, 1, 1),
    ("first", Function::First, 1, 1),
    ("label", Function::Label, 2, 2),
    ("value", Function::Value, 1, 1),
    ("strvalue", Function::StrValue, 1, 1),
    ("sortByLabel", Function::SortByLabel, 2, 2),
    ("args", Function::Args, 0, MANY),
    ("reReplaceAll", Function::ReplaceAll, 3, 3),
    ("match", Function::Match, 2, 2),
    ("title", Function::Title, 1, 1),
    ("toUpper", Function::ToUpper, 1, 1),
    ("toLower", Function::ToLower, 1, 1),
    ("safeHtml", Function::Same, 1, 1),
    ("stripPort", Function::StripPort, 1, 1),
    ("stripDomain", Function::StripDomain, 1, 1),
    ("humanize", Function::Humanize, 1, 1),
    ("humanize1024", Function::Humanize1024, 1, 1),
    ("humanizeDuration", Function::HumanizeDuration, 1, 1),
    ("humanizePercentage", Function::HumanizePercentage, 1, 1),
    ("humanizeTimestamp", Function::HumanizeTimestamp, 1, 1),
    ("parseDuration", Function::ParseDuration, 1, 1),
    ("now", Function::Now, 0, 0),
    ("externalURL", Function::ExternalUrl, 0, 0),
    ("pathPrefix", Function::PathPrefix, 0, 0),
    ("graphLink", Function::GraphLink, 1, 1),
    ("tableLink", Function::TableLink, 1, 1),
    ("urlQueryEscape", Function::UrlQuery, 1, 1),
    ("urlquery", Function::UrlQuery, 1, 1),
    ("and", Function::And, 1, MANY),
    ("or", Function::Or, 1, MANY),
    ("not", Function::Not, 1, 1),
    ("eq", Function::Eq, 2, MANY),
    ("ne", Function::Ne, 2, 2),
    ("lt", Function::Lt, 2, 2),
    ("le", Function::Le, 2, 2),
    ("gt", Function::Gt, 2, 2),
    ("ge", Function::Ge, 2, 2),
    ("len", Function::Len, 1, 1),
    ("index", Function::Index, 2, MANY),
    ("print", Function::Print, 0, MANY),
    ("println", Function::Println, 0, MANY),
    ("printf", Function::Printf, 1, MANY),
];
const MANY: usize = 32;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Query,
    First,
    Label,
    Value,
    StrValue,
    SortByLabel,
    Args,
    ReplaceAll,
    Match,
    Title,
    ToUpper,
    ToLower,
    Same,
    StripPort,
    StripDomain,
    Humanize,
    Humanize1024,
    HumanizeDuration,
    HumanizePercentage,
    HumanizeTimestamp,
    ParseDuration,
    Now,
    ExternalUrl,
    PathPrefix,
    GraphLink,
    TableLink,
    UrlQuery,
    And,
    Or,
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Len,
    Index,
    Print,
    Println,
    Printf,
}

impl Function {
    pub(super) fn named(name: &str) -> Result<Self, TemplateError> {
        let found = FUNCTIONS.iter().find(|(other, ..)| *other == name);
        found.map(|(_, function, ..)| *function).ok_or_else(|| {
            TemplateError::new(format!(
                "there is no function {name}, or it is not supported in rules"
            ))
        })
    }

    pub(super) fn check_count(self, count: usize) -> Result<(), TemplateError> {
        let Some((name, _, least, most)) = FUNCTIONS.iter().find(|(_, one, ..)| *one == self)
        else {
            return Ok(());
        };
        if (*least..=*most).contains(&count) {
            return Ok(());
        }
        let wanted = match (*least, *most) {
            (least, most) if least == most => least.to_string(),
            (least, MANY) => format!("{least} or more"),
            (least, most) => format!("{least} to {most}"),
        };
        Err(TemplateError::new(format!(
            "{name} takes {wanted} arguments, not {count}"
        )))
    }

    pub(super) fn call(
        self,
        given: &[Value],
        run: &mut Run<'_, '_>,
    ) -> Result<Value, TemplateError> {
        let empty = Value::Nil;
        let nth = |at: usize| given.get(at).unwrap_or(&empty);
        let text = |made: String| Ok(Value::Text(made));
        let truth = |is: bool| Ok(Value::Bool(is));
        match self {
            Self::Query => run.query(nth(0).text()?).map(Value::Samples),
            Self::First => first(nth(0)),
            Self::Label => Ok(Value::Text(label(sample(nth(1))?, nth(0).text()?))),
            Self::Value => sample(nth(0)).map(|one| Value::Float(one.value)),
            Self::StrValue => Ok(Value::Text(label(sample(nth(0))?, "__value__"))),
            Self::SortByLabel => sort_by_label(nth(0).text()?, nth(1)),
            Self::Args => Ok(Value::Map(args(given))),
            Self::ReplaceAll => replace_all(nth(0).text()?, nth(1).text()?, nth(2).text()?),
            Self::Match => truth(pattern(nth(0).text()?)?.is_match(nth(1).text()?)),
            Self::Title => text(title(nth(0).text()?)),
            Self::ToUpper => text(nth(0).text()?.to_uppercase()),
            Self::ToLower => text(nth(0).text()?.to_lowercase()),
            Self::Same => text(nth(0).text()?.to_owned()),
            Self::StripPort => text(strip_port(nth(0).text()?).to_owned()),
            Self::StripDomain => text(strip_domain(nth(0).text()?)),
            Self::Humanize => text(humanize(nth(0).number()?)),
            Self::Humanize1024 => text(humanize_1024(nth(0).number()?)),
            Self::HumanizeDuration => text(humanize_duration(nth(0).number()?)),
            Self::HumanizePercentage => text(humanize_percentage(nth(0).number()?)),
            Self::HumanizeTimestamp => humanize_timestamp(nth(0).number()?)
                .map(Value::Text)
                .ok_or_else(|| TemplateError::new("the time is too far away")),
            Self::ParseDuration => parse_duration(nth(0).text()?),
            Self::Now => Ok(Value::Float(run.seconds())),
            Self::ExternalUrl => text(run.external_url().to_owned()),
            Self::PathPrefix => text(path_of(run.external_url()).to_owned()),
            Self::GraphLink => text(link(nth(0).text()?, 0)),
            Self::TableLink => text(link(nth(0).text()?, 1)),
            Self::UrlQuery => text(url_escaped(&nth(0).print())),
            Self::And => Ok(first_or_last(given, |one| !one.is_true())),
            Self::Or => Ok(first_or_last(given, Value::is_true)),
            Self::Not => truth(!nth(0).is_true()),
            Self::Eq => equals_any(nth(0), given.get(1..).unwrap_or_default()).map(Value::Bool),
            Self::Ne => truth(order(nth(0), nth(1))? != Some(Ordering::Equal)),
            Self::Lt => truth(order(nth(0), nth(1))?.is_some_and(Ordering::is_lt)),
            Self::Le => truth(order(nth(0), nth(1))?.is_some_and(Ordering::is_le)),
            Self::Gt => truth(order(nth(0), nth(1))?.is_some_and(Ordering::is_gt)),
            Self::Ge => truth(order(nth(0), nth(1))?.is_some_and(Ordering::is_ge)),
            Self::Len => len(nth(0)),
            Self::Index => index(given),
            Self::Print => text(print_all(given)),
            Self::Println => text(print_line(given)),
            Self::Printf => {
                printf(nth(0).text()?, given.get(1..).unwrap_or_default()).map(Value::Text)
            }
        }
    }
}

/// The first argument that decides, else the last one.
fn first_or_last(given: &[Value], decides: impl Fn(&Value) -> bool) -> Value {
    let first = given.iter().find(|one| decides(one));
    first.or(given.last()).cloned().unwrap_or(Value::Nil)
}

fn equals_any(value: &Value, others: &[Value]) -> Result<bool, TemplateError> {
    let mut others = others.iter();
    others.try_fold(false, |any, one| {
        Ok(any || order(value, one)? == Some(Ordering::Equal))
    })
}

fn print_line(given: &[Value]) -> String {
    let all: Vec<String> = given.iter().map(Value::print).collect();
    format!("{}\n", all.join(" "))
}

fn sample(value: &Value) -> Result<&Sample, TemplateError> {
    match value {
        Value::Sample(sample) => Ok(sample),
        Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Labels(_)
        | Value::Samples(_)
        | Value::Map(_) => Err(TemplateError::new(format!(
            "one element of a query's answer is expected, not a {}",
            value.kind()
        ))),
    }
}

fn samples(value: &Value) -> Result<&[Sample], TemplateError> {
    match value {
        Value::Samples(samples) => Ok(samples),
        Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Labels(_)
        | Value::Sample(_)
        | Value::Map(_) => Err(TemplateError::new(format!(
            "a query's answer is expected, not a {}",
            value.kind()
        ))),
    }
}

fn first(value: &Value) -> Result<Value, TemplateError> {
    let found = samples(value)?.first().cloned();
    found
        .map(Value::Sample)
        .ok_or_else(|| TemplateError::new("first: the query's answer is empty"))
}

fn label(sample: &Sample, name: &str) -> String {
    sample.labels.get(name).cloned().unwrap_or_default()
}

fn sort_by_label(name: &str, value: &Value) -> Result<Value, TemplateError> {
    let mut sorted = samples(value)?.to_vec();
    sorted.sort_by_key(|one| label(one, name));
    Ok(Value::Samples(sorted))
}

fn args(given: &[Value]) -> BTreeMap<String, Value> {
    let numbered = given.iter().enumerate();
    numbered
        .map(|(at, value)| (format!("arg{at}"), value.clone()))
        .collect()
}

fn pattern(text: &str) -> Result<regex::Regex, TemplateError> {
    RegexBuilder::new(text)
        .size_limit(PATTERN_MAX)
        .build()
        .map_err(|error| {
            TemplateError::new(format!("the pattern {text:?} cannot be used: {error}"))
        })
}

fn replace_all(text: &str, by: &str, within: &str) -> Result<Value, TemplateError> {
    let replaced = pattern(text)?.replace_all(within, by);
    if replaced.len() > super::OUTPUT_MAX {
        return Err(TemplateError::new("reReplaceAll: the text gets too long"));
    }
    Ok(Value::Text(replaced.into_owned()))
}

/// Each word with a capital at its beginning.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for one in text.chars() {
        if begins {
            out.extend(one.to_uppercase());
        } else {
            out.push(one);
        }
        begins = if one.is_ascii() {
            !one.is_ascii_alphanumeric() && one != '_'
        } else {
            one.is_whitespace()
        };
    }
    out
}

fn strip_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|one| one.is_ascii_digit()) => {
            let bare = host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'));
            match bare {
                Some(bare) => bare,
                None if host.contains(':') => text,
                None => host,
            }
        }
        Some(_) | None => text,
    }
}

fn strip_domain(text: &str) -> String {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, format!(":{port}")),
        None => (text, String::new()),
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let short = if is_address {
        host
    } else {
        host.split('.').next().unwrap_or(host)
    };
    format!("{short}{port}")
}

fn parse_duration(text: &str) -> Result<Value, TemplateError> {
    let ms = super::super::duration::parse(text).map_err(TemplateError::new)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "durations are far below 2^53 ms"
    )]
    let seconds = ms as f64 / 1_000.0;
    Ok(Value::Float(seconds))
}

fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or("", |at| rest[at..].trim_end_matches('/'))
}

fn link(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", url_escaped(expr))
}

fn url_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// How two values lie to each other; numbers by value, whatever they are written as.
fn order(one: &Value, other: &Value) -> Result<Option<Ordering>, TemplateError> {
    #[expect(clippy::cast_precision_loss, reason = "numbers are compared as floats")]
    let number = |value: &Value| match value {
        Value::Int(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        Value::Nil
        | Value::Bool(_)
        | Value::Text(_)
        | Value::Labels(_)
        | Value::Sample(_)
        | Value::Samples(_)
        | Value::Map(_) => None,
    };
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return Ok(one.partial_cmp(&other));
    }
    if let (Value::Bool(one), Value::Bool(other)) = (one, other) {
        return Ok(Some(one.cmp(other)));
    }
    if let (Value::Text(one), Value::Text(other)) = (one, other) {
        return Ok(Some(one.cmp(other)));
    }
    Err(TemplateError::new(format!(
        "a {} and a {} cannot be compared",
        one.kind(),
        other.kind()
    )))
}

fn len(value: &Value) -> Result<Value, TemplateError> {
    let count = match value {
        Value::Text(text) => text.len(),
        Value::Labels(labels) => labels.len(),
        Value::Samples(samples) => samples.len(),
        Value::Map(map) => map.len(),
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Sample(_) => {
            return Err(TemplateError::new(format!(
                "a {} has no length",
                value.kind()
            )));
        }
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn index(given: &[Value]) -> Result<Value, TemplateError> {
    let (from, keys) = given
        .split_first()
        .ok_or_else(|| TemplateError::new("index: a value is missing"))?;
    let mut found = from.clone();
    for key in keys {
        found = match (&found, key) {
            (Value::Samples(samples), Value::Int(at)) => usize::try_from(*at)
                .ok()
                .and_then(|at| samples.get(at))
                .map(|one| Value::Sample(one.clone()))
                .ok_or_else(|| TemplateError::new(format!("index: there is no element {at}")))?,
            (other, key) => other.field(key.text()?)?,
        };
    }
    Ok(found)
}
