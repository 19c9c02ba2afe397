//! Writes series as Prometheus' text, for whoever scrapes ours; where they come from it does not know.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::{LabelPair, MetricKind, Write, WrittenSeries};

use super::number::shortest;
use crate::prometheus::labels::NAME;

/// The content type to serve it with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The label that a scraper sets unless the series has it.
const INSTANCE: &str = "instance";

/// Writes every sample with its time, as federation does: metrics in the order of their names, each with its kind where it is
/// a counter or a gauge that the metadata know, untyped else. Names that the classic format does not have stand in quotation
/// marks.
///
/// A series without `instance` gets an empty one, so that a scraper which honours labels does not add its own. Series without
/// a name and marks of staleness have no place in the format and are left out.
#[must_use]
pub fn write(write: &Write<'_>) -> String {
    let kinds: BTreeMap<&str, MetricKind> = write
        .metadata
        .iter()
        .map(|known| (&*known.metric, known.kind))
        .collect();
    let mut by_name: BTreeMap<&str, Vec<&WrittenSeries>> = BTreeMap::new();
    for series in &write.series {
        if let Some((_, name)) = write
            .labels_of(series)
            .iter()
            .find(|(name, _)| name == NAME)
        {
            by_name.entry(name).or_default().push(series);
        }
    }
    let mut out = String::new();
    for (name, all) in by_name {
        let before = out.len();
        // Writing to a string has no way to fail, here and below.
        let _ = writeln!(
            out,
            "# TYPE {} {}",
            quoted_name(name, true),
            word(&kinds, name)
        );
        let head = out.len();
        for series in all {
            put_series(&mut out, name, write, series);
        }
        if out.len() == head {
            out.truncate(before);
        }
    }
    out
}

/// The kinds of several series are left out, since each series stands here as a metric of its own.
fn word(kinds: &BTreeMap<&str, MetricKind>, name: &str) -> &'static str {
    let known = kinds.get(name).copied();
    // In OpenMetrics a counter is described without the ending of its series.
    let counter = || {
        let family = name.strip_suffix("_total")?;
        kinds
            .get(family)
            .copied()
            .filter(|kind| *kind == MetricKind::Counter)
    };
    match known.or_else(counter) {
        Some(kind @ (MetricKind::Counter | MetricKind::Gauge)) => kind.word(),
        Some(
            MetricKind::Unknown
            | MetricKind::Histogram
            | MetricKind::GaugeHistogram
            | MetricKind::Summary
            | MetricKind::Info
            | MetricKind::StateSet,
        )
        | None => "untyped",
    }
}

fn put_series(out: &mut String, name: &str, write: &Write<'_>, series: &WrittenSeries) {
    let mut head = String::new();
    let labels = write.labels_of(series);
    put_head(&mut head, name, labels);
    for point in write.points_of(series) {
        if point.value.to_bits() != STALE_NAN_BITS {
            let _ = writeln!(out, "{head} {} {}", shortest(point.value), point.at_ms);
        }
    }
}

fn put_head(out: &mut String, name: &str, labels: &[LabelPair<'_>]) {
    let mut parts = Vec::with_capacity(labels.len() + 1);
    if is_classic(name, true) {
        out.push_str(name);
    } else {
        parts.push(quoted(name));
    }
    for (label, value) in labels.iter().filter(|(label, _)| label != NAME) {
        parts.push(format!("{}={}", quoted_name(label, false), quoted(value)));
    }
    if labels.iter().all(|(label, _)| label != INSTANCE) {
        parts.push(format!("{INSTANCE}=\"\""));
    }
    let _ = write!(out, "{{{}}}", parts.join(","));
}

/// Whether a name needs no quotation marks. A metric's may also have colons.
fn is_classic(name: &str, of_metric: bool) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || (of_metric && byte == b':'))
}

fn quoted_name(name: &str, of_metric: bool) -> String {
    if is_classic(name, of_metric) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}
