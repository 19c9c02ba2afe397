//! How the name of a series follows from that of its metric; it reads no format.

use tocsin_domain::write::{Metadata, MetricKind};

/// The endings that a kind's series may have beyond the metric's name.
const fn endings(kind: MetricKind) -> &'static [&'static str] {
    match kind {
        MetricKind::Histogram => &["_bucket", "_count", "_sum"],
        MetricKind::GaugeHistogram => &["_bucket", "_gcount", "_gsum", "_count", "_sum"],
        MetricKind::Summary => &["_count", "_sum"],
        MetricKind::Unknown
        | MetricKind::Counter
        | MetricKind::Gauge
        | MetricKind::Info
        | MetricKind::StateSet => &[],
    }
}

/// The name of the metric that a series of this name and kind belongs to.
pub(crate) fn family_of(series: &str, kind: MetricKind) -> &str {
    endings(kind)
        .iter()
        .find_map(|ending| series.strip_suffix(ending))
        .filter(|family| !family.is_empty())
        .unwrap_or(series)
}

/// Makes one description of all that were given for a metric; where they differ, the first one that says something counts.
pub(crate) fn describe_once(metadata: &mut Vec<Metadata<'_>>) {
    metadata.sort_by(|one, other| one.metric.cmp(&other.metric));
    metadata.dedup_by(|later, kept| {
        if later.metric != kept.metric {
            return false;
        }
        if kept.kind == MetricKind::Unknown {
            kept.kind = later.kind;
        }
        if kept.help.is_empty() {
            kept.help = std::mem::take(&mut later.help);
        }
        if kept.unit.is_empty() {
            kept.unit = std::mem::take(&mut later.unit);
        }
        true
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kinds_of_several_series_lose_an_ending() {
        let check = |series, kind, expected| assert_eq!(family_of(series, kind), expected);
        check("rpc_seconds_bucket", MetricKind::Histogram, "rpc_seconds");
        check("rpc_seconds_sum", MetricKind::Summary, "rpc_seconds");
        check("rpc_bucket", MetricKind::Summary, "rpc_bucket");
        check("queue_gcount", MetricKind::GaugeHistogram, "queue");
        check("pages_count", MetricKind::Counter, "pages_count");
        check("_sum", MetricKind::Histogram, "_sum");
    }
}
