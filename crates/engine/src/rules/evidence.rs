//! How the beginning and the end of an alert are told to the core: words, severity, and the samples that prove it.

use tocsin_domain::alert::EvidenceSample;
use tocsin_domain::command::{AlertAsk, RuleFired};
use tocsin_domain::monitor::Severity;
use tocsin_domain::text::shows_nothing;
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Labels, METRIC_NAME, Matcher, Select, is_stale};

use super::alerting::Active;
use super::evaluate::Moment;
use super::known::{ANNOTATION, cut, key_of};
use super::spec::RuleSpec;
use super::step::Told;

/// Raw samples kept as evidence of one alert.
const SAMPLES_MAX: usize = 7;
/// Series that are looked at for evidence.
const SERIES_MAX: usize = 2_000;
/// Evidence is looked for this far back.
const LOOKBACK_MS: i64 = 300_000;
/// Bytes of a title.
const TITLE_MAX: usize = 400;
/// Bytes of any other text.
const TEXT_MAX: usize = 4_096;
/// Labels and annotations that are shown.
const DETAILS_MAX: usize = 100;

/// An alert begins to fire.
pub(super) fn fired(
    group: &str,
    rule: &RuleSpec,
    labels: &Labels,
    active: &Active,
    moment: &Moment<'_>,
) -> Told {
    let said = |name: &str| {
        let mut texts = active.annotations.iter();
        let found = texts.find(|(other, text)| other == name && !shows_nothing(text));
        found.map(|(_, text)| text.as_str())
    };
    let title = match said("summary").or_else(|| said("message")) {
        Some(summary) => on_one_line(summary),
        None => on_one_line(&untitled(rule, labels)),
    };
    let about = said("description")
        .or_else(|| said("message"))
        .unwrap_or_default();
    let texts = active.annotations.iter().filter(|(name, _)| {
        !matches!(name.as_str(), "summary" | "description" | "message")
            && !name.starts_with("tocsin_")
    });
    let texts = texts.map(|(name, text)| (format!("{ANNOTATION}{name}"), printable(text)));
    let details = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(texts);
    let ask = RuleFired {
        group: group.to_owned(),
        rule: rule.name.clone(),
        service: None,
        target: labels.get("target").parse().ok(),
        dedup_key: key_of(group, labels),
        severity: severity(labels.get("severity")),
        title: cut(&title, TITLE_MAX).to_owned(),
        summary: printable(about),
        details: details.take(DETAILS_MAX).collect(),
        at: Timestamp::from_millis(moment.query_at_ms),
        evidence: evidence(rule, active, moment),
    };
    Told {
        ask: AlertAsk::RuleFired(Box::new(ask)),
        service: rule.alert().and_then(|alert| alert.service.clone()),
    }
}

/// An alert fires no more.
pub(super) fn resolved(key: String, rule: &RuleSpec, active: &Active, moment: &Moment<'_>) -> Told {
    Told {
        ask: AlertAsk::RuleResolved {
            dedup_key: key,
            at: Timestamp::from_millis(moment.query_at_ms),
            evidence: samples(rule, active, moment),
            gone: false,
        },
        service: None,
    }
}

/// How bad an alert is by its label. A word that is not known pages: nothing is made less urgent by a slip of the pen.
fn severity(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "critical" | "page" | "emergency" | "fatal" | "disaster" | "p1" => Severity::Critical,
        "warning" | "warn" | "minor" | "low" | "ticket" | "p3" => Severity::Warning,
        "info" | "information" | "informational" | "notice" | "debug" | "none" | "p4" | "p5" => {
            Severity::Info
        }
        _ => Severity::Error,
    }
}

/// The alert's name with the label that tells most about what fails.
fn untitled(rule: &RuleSpec, labels: &Labels) -> String {
    let telling = ["instance", "target", "service", "job"];
    let found = telling.iter().map(|name| labels.get(name));
    match found.into_iter().find(|value| !shows_nothing(value)) {
        Some(value) => format!("{} on {value}", rule.name),
        None => rule.name.clone(),
    }
}

fn on_one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|one: char| one.is_control() || one == ' ')
        .collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn printable(text: &str) -> String {
    let keep = |one: char| !one.is_control() || one == '\n' || one == '\t';
    let text: String = text
        .chars()
        .map(|one| if keep(one) { one } else { ' ' })
        .collect();
    cut(text.trim(), TEXT_MAX).to_owned()
}

/// The newest samples that the question reads for this alert, and last the value it gave.
fn evidence(rule: &RuleSpec, active: &Active, moment: &Moment<'_>) -> Vec<EvidenceSample> {
    let mut found = samples(rule, active, moment);
    found.push(EvidenceSample {
        series: cut(rule.query.text(), TEXT_MAX).to_owned(),
        at: Timestamp::from_millis(moment.query_at_ms),
        value: active.value,
    });
    found
}

fn samples(rule: &RuleSpec, active: &Active, moment: &Moment<'_>) -> Vec<EvidenceSample> {
    if active.is_no_data {
        return Vec::new();
    }
    let own: Vec<Matcher> = active
        .origin
        .iter()
        .filter(|(name, _)| *name != METRIC_NAME)
        .map(|(name, value)| Matcher::equal(name, value))
        .collect();
    let found = newest(rule, &own, moment);
    // Labels that the question itself made are on no series.
    if found.is_empty() {
        newest(rule, &[], moment)
    } else {
        found
    }
}

fn newest(rule: &RuleSpec, own: &[Matcher], moment: &Moment<'_>) -> Vec<EvidenceSample> {
    let mut found: Vec<EvidenceSample> = Vec::new();
    let end_ms = moment.query_at_ms;
    for selector in rule.query.selectors() {
        let mut matchers = selector.to_vec();
        matchers.extend_from_slice(own);
        let select =
            Select::new(&matchers, end_ms - LOOKBACK_MS, end_ms).with_series_max(SERIES_MAX);
        for one in moment.source.select(&select).unwrap_or_default() {
            if found.len() >= SAMPLES_MAX {
                return found;
            }
            let (mut times, mut values) = (Vec::new(), Vec::new());
            let read = one
                .chunks
                .last()
                .map(|chunk| chunk.read(select.start_ms, select.end_ms, &mut times, &mut values));
            let (Some(Ok(())), Some(time), Some(value)) = (read, times.last(), values.last())
            else {
                continue;
            };
            let sample = EvidenceSample {
                series: one.labels.to_string(),
                at: Timestamp::from_millis(*time),
                value: *value,
            };
            if !is_stale(*value) && !found.contains(&sample) {
                found.push(sample);
            }
        }
    }
    found
}
