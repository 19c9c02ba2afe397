//! Tests of the exposition of protocol buffers: recorded answers, hostile ones, and any bytes.

use proptest::prelude::*;
use tocsin_domain::write::Write;

use super::*;
use crate::prometheus::properties;
use crate::prometheus::protobuf::{put_bytes, put_number, put_varint};
use crate::prometheus::tests::{damaged, described, lines};

const AT_MS: i64 = 1_000;
const FAMILIES: &[u8] = include_bytes!("../testdata/metric_families.bin");
const NODE_EXPORTER: &[u8] = include_bytes!("../testdata/node_exporter_protobuf.bin");

fn parse(messages: &[u8]) -> Result<Write<'_>, ExpositionError> {
    protobuf::parse(messages, AT_MS, Limits::default())
}

#[test]
fn a_recorded_answer_of_the_node_exporter_has_the_series_that_its_text_has() {
    let names = |write: &Write<'_>| {
        let mut names: Vec<String> = lines(write)
            .iter()
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let text = include_str!("../testdata/node_exporter_text.txt");
    let text = text::parse(text, AT_MS, Limits::default()).unwrap();
    let write = parse(NODE_EXPORTER).unwrap();
    assert_eq!(names(&write), names(&text));
    assert_eq!(described(&write), described(&text));
}

#[test]
fn families_of_every_kind_become_the_series_that_they_are_in_text() {
    let write = parse(FAMILIES).unwrap();
    assert_eq!(
        lines(&write),
        [
            "__name__=rpc_seconds_count,job=a 4@1000",
            "__name__=rpc_seconds_sum,job=a 7.5@1000",
            "__name__=rpc_seconds_bucket,job=a,le=0.5 1@1000 #trace_id=ab 0.4@1700000000500",
            "__name__=rpc_seconds_bucket,job=a,le=1.0 3@1000",
            "__name__=rpc_seconds_bucket,job=a,le=1e+06 4@1000 #trace_id=cd 9@1000",
            "__name__=rpc_seconds_bucket,job=a,le=+Inf 4@1000",
            "__name__=only_native_count 2@1000",
            "__name__=only_native_sum 1.5@1000",
            "__name__=only_native_bucket,le=+Inf 2@1000",
            "__name__=sizes_count 2.5@1000",
            "__name__=sizes_sum 9@1000",
            "__name__=sizes_bucket,le=+Inf 2.5@1000",
            "__name__=lag_count,a=2,z=1 3@1700000001000",
            "__name__=lag_sum,a=2,z=1 6@1700000001000",
            "__name__=lag,a=2,quantile=0.0,z=1 1@1700000001000",
            "__name__=lag,a=2,quantile=0.99,z=1 3@1700000001000",
            "__name__=pages_total 5@1000 #trace_id=ef 1@1000",
            "__name__=temp.erature,büro=süd -3.25@1000",
            "__name__=temp.erature,büro=nord 0@1000",
            "__name__=any 1@1000",
        ]
    );
    assert_eq!(
        described(&write),
        [
            "any unknown [] ",
            "lag summary [] ",
            "only_native histogram [] ",
            "pages_total counter [] ",
            "rpc_seconds histogram [seconds] How long.",
            "sizes gaugehistogram [] ",
            "temp.erature gauge [] ",
        ]
    );
    assert_eq!(write.histograms_left_out, 2);
    assert_eq!(properties::exposed(&write), Ok(()));
}

fn message(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (field, bytes) in parts {
        put_bytes(&mut out, *field, bytes);
    }
    out
}

/// A family of this name, kind and metrics.
fn family(name: &[u8], kind: u64, metrics: &[&[u8]]) -> Vec<u8> {
    let mut family = message(&[(1, name)]);
    put_number(&mut family, 3, kind);
    for metric in metrics {
        put_bytes(&mut family, 4, metric);
    }
    let mut out = Vec::new();
    put_varint(&mut out, family.len() as u64);
    out.extend(family);
    out
}

#[track_caller]
fn check_refused(messages: &[u8], expected: &str) {
    assert_eq!(parse(messages).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_malformed_is_refused_with_its_place() {
    let good = family(b"a", 1, &[b""]);
    let label = |name: &[u8], value: &[u8]| message(&[(1, &message(&[(1, name), (2, value)]))]);
    check_refused(
        &[good.as_slice(), &[5, 1]].concat(),
        "metric family 1 is malformed: field 0 claims 5 bytes where 1 are left",
    );
    check_refused(
        &family(b"a", 6, &[b""]),
        "metric family 0 is of the unknown kind 6",
    );
    check_refused(
        &family(b"", 4, &[b""]),
        "a series of metric family 0 has no metric name (`__name__`)",
    );
    check_refused(
        &family(b"\xff", 1, &[b""]),
        "metric family 0 is malformed: the text of field 1 is not UTF-8",
    );
    check_refused(
        &family(b"a", 1, &[&[0x10, 0x01]]),
        "metric family 0 is malformed: field 2 has wire type 0, wire type 2 was expected",
    );
    check_refused(
        &family(b"a", 1, &[&label(b"", b"x")]),
        "a series of metric family 0 has a label without a name",
    );
    check_refused(
        &family(b"a", 1, &[&[label(b"x", b"1"), label(b"x", b"2")].concat()]),
        "a series of metric family 0 has the label `x` twice",
    );
    check_refused(
        &family(b"a", 4, &[&label(b"le", b"1")]),
        "a series of metric family 0 has the label `le` twice",
    );
    check_refused(
        &family(b"a", 1, &[&label(b"__name__", b"b")]),
        "a series of metric family 0 has the label `__name__` twice",
    );
}

#[test]
fn a_few_bytes_cannot_become_many_samples_labels_or_names() {
    let metrics: Vec<&[u8]> = vec![b""; Limits::default().samples_max + 1];
    check_refused(
        &family(b"a", 1, &metrics),
        "there are more than 500000 samples",
    );
    let mut metric = Vec::new();
    for number in 0..500 {
        let label = message(&[(1, format!("l{number:03}").as_bytes()), (2, b"v")]);
        put_bytes(&mut metric, 1, &label);
    }
    let buckets: Vec<(u32, &[u8])> = vec![(3, b""); 5_000];
    put_bytes(&mut metric, 7, &message(&buckets));
    check_refused(
        &family(b"a", 4, &[&metric]),
        "there are more than 2000000 labels",
    );
    let long = vec![b'a'; 1 << 20];
    let metric = message(&[(7, b"")]);
    check_refused(
        &family(&long, 4, &[metric.as_slice(); 40]),
        "there are more than 67108864 bytes in names of series",
    );
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(properties::exposition_protobuf(&bytes), Ok(()));
    }

    #[test]
    fn damaged_answers_are_parsed_or_refused(
        at in any::<usize>(),
        byte in any::<u8>(),
        cut in any::<usize>(),
    ) {
        let bytes = damaged(FAMILIES.to_vec(), at, byte, cut);
        prop_assert_eq!(properties::exposition_protobuf(&bytes), Ok(()));
        let bytes = damaged(FAMILIES.to_vec(), at, byte, 0);
        prop_assert_eq!(properties::exposition_protobuf(&bytes), Ok(()));
    }
}
