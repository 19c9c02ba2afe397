//! What the tests of several formats need: a write as lines, and any write.

use proptest::prelude::*;
use tocsin_domain::write::{Exemplar, LabelPair, Metadata, MetricKind, Write};

/// One line for each series: its labels, its points, its exemplars.
pub(super) fn lines(write: &Write<'_>) -> Vec<String> {
    let labels = |labels: &[LabelPair<'_>]| {
        let parts: Vec<String> = labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
        parts.join(",")
    };
    let line = |(index, series)| {
        let mut line = labels(write.labels_of(series));
        for point in write.points_of(series) {
            line.push_str(&format!(" {}@{}", point.value, point.at_ms));
        }
        for exemplar in write.exemplars.iter().filter(|e| e.series == index) {
            let of = labels(&exemplar.labels);
            line.push_str(&format!(" #{of} {}@{}", exemplar.value, exemplar.at_ms));
        }
        line
    };
    write.series.iter().enumerate().map(line).collect()
}

/// One line for each metric that is described.
pub(super) fn described(write: &Write<'_>) -> Vec<String> {
    write
        .metadata
        .iter()
        .map(|known| {
            let (kind, unit) = (known.kind.word(), &known.unit);
            format!("{} {kind} [{unit}] {}", known.metric, known.help)
        })
        .collect()
}

const KINDS: [MetricKind; 8] = [
    MetricKind::Unknown,
    MetricKind::Counter,
    MetricKind::Gauge,
    MetricKind::Histogram,
    MetricKind::GaugeHistogram,
    MetricKind::Summary,
    MetricKind::Info,
    MetricKind::StateSet,
];

fn any_labels() -> impl Strategy<Value = Vec<LabelPair<'static>>> {
    let pairs = proptest::collection::btree_map("[a-z_.é\" 0-9]{1,6}", "[ -~é\n]{1,8}", 0..5);
    pairs.prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    })
}

fn any_series() -> impl Strategy<Value = (String, Vec<LabelPair<'static>>, Vec<(i64, u64)>)> {
    let points = proptest::collection::vec((any::<i64>(), any::<u64>()), 1..4);
    ("[a-z:]{1,9}", any_labels(), points)
}

/// Writes as every format can express them: every series has a point.
pub(super) fn any_write() -> impl Strategy<Value = Write<'static>> {
    let series = proptest::collection::vec(any_series(), 0..6);
    let exemplar = (0..6_usize, any_labels(), any::<i64>(), -9.0..9.0_f64);
    let exemplars = proptest::collection::vec(exemplar, 0..3);
    let metadata =
        proptest::collection::btree_map("[a-z:]{1,9}", ("[ -~]{0,9}", 0..KINDS.len()), 0..3);
    (series, exemplars, metadata).prop_map(|(series, exemplars, metadata)| {
        let mut write = Write::default();
        for (name, mut labels, points) in series {
            labels.push(("__name__".into(), name.into()));
            labels.sort();
            write.begin(labels);
            for (at_ms, bits) in points {
                write.push(at_ms, f64::from_bits(bits));
            }
        }
        for (series, labels, at_ms, value) in exemplars {
            write.exemplars.push(Exemplar {
                series,
                labels,
                at_ms,
                value,
            });
        }
        let count = write.series.len();
        write.exemplars.retain(|exemplar| exemplar.series < count);
        write.exemplars.sort_by_key(|exemplar| exemplar.series);
        for (metric, (help, kind)) in metadata {
            write.metadata.push(Metadata {
                metric: metric.into(),
                kind: KINDS[kind],
                help: help.into(),
                unit: "s".into(),
            });
        }
        write
    })
}

/// Bytes with one byte changed and the end cut off.
pub(super) fn damaged(mut bytes: Vec<u8>, at: usize, byte: u8, cut: usize) -> Vec<u8> {
    if !bytes.is_empty() {
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
    }
    bytes
}
