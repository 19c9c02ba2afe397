//! Tests of remote write 1.0: recorded requests, hostile ones, and round trips.

use proptest::prelude::*;
use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::MetricKind;

use super::*;
use crate::prometheus::properties::{self, read_v1};
use crate::prometheus::protobuf::put_bytes;
use crate::prometheus::snappy;
use crate::prometheus::tests::{any_write, damaged, lines};

fn decompressed(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    snappy::decompress(block, 1 << 20, &mut out).unwrap();
    out
}

#[test]
fn a_recorded_request_of_plain_series_is_read() {
    let request = decompressed(include_bytes!(
        "../testdata/remote_write_v1_five_series.snappy"
    ));
    let write = read_v1(&request).unwrap();
    assert_eq!(
        lines(&write)[2..4],
        [
            "__name__=bench_requests_total,env=prod,instance=web-0000:9117,job=apache,path=/p59 3@1700000000123",
            "__name__=bench_cpu_seconds_total,cpu=60,env=prod,instance=web-0000:9117,job=apache 4.5@1700000000123",
        ]
    );
    assert_eq!(write.series.len(), 5);
    assert!(write.labels.iter().all(|(name, value)| matches!(
        (name, value),
        (std::borrow::Cow::Borrowed(_), std::borrow::Cow::Borrowed(_))
    )));
}

#[test]
fn exemplars_metadata_and_what_later_versions_add_are_read_or_skipped() {
    let request = decompressed(include_bytes!(
        "../testdata/remote_write_v1_all_parts.snappy"
    ));
    let write = read_v1(&request).unwrap();
    assert_eq!(
        lines(&write),
        [
            "__name__=http_request_duration_seconds_bucket,le=0.5,région=Genève 12@1700000000000 13@1700000015000 \
             NaN@1700000030000 #trace_id=4bf92f3577b34da6 0.43@1700000014999",
            "__name__=before_1970 -1@-1500",
        ]
    );
    assert_eq!(write.points[2].value.to_bits(), STALE_NAN_BITS);
    assert_eq!(write.histograms_left_out, 1);
    let described: Vec<_> = write
        .metadata
        .iter()
        .map(|m| (&*m.metric, m.kind, &*m.help, &*m.unit))
        .collect();
    assert_eq!(
        described,
        [
            (
                "http_request_duration_seconds",
                MetricKind::Histogram,
                "How long.",
                "seconds"
            ),
            ("jobs", MetricKind::Counter, "Jobs.", ""),
        ]
    );
}

fn message(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (field, bytes) in parts {
        put_bytes(&mut out, *field, bytes);
    }
    out
}

fn label(name: &[u8], value: &[u8]) -> Vec<u8> {
    message(&[(1, name), (2, value)])
}

#[track_caller]
fn check_refused(request: &[u8], expected: &str) {
    let refused = read_v1(request).unwrap_err().to_string();
    assert_eq!(refused, expected);
}

/// A series whose labels cannot be kept is left out, and its neighbours stay, also when their exemplars come after it.
#[track_caller]
fn check_left_out(series: &[u8], expected: &str) {
    let exemplar = (3, &[0x18, 5][..]);
    let good = message(&[(1, &label(b"__name__", b"up")), (2, &[0x10, 7]), exemplar]);
    let good = message(&[(1, &good)]);
    let request = [&good, series, &good].concat();
    let write = read_v1(&request).unwrap();
    assert_eq!(lines(&write), ["__name__=up 0@7 # 0@5"; 2]);
    assert_eq!(write.unreadable.samples, 1);
    assert_eq!(write.unreadable.first.as_deref(), Some(expected));
}

#[test]
fn a_series_whose_labels_break_the_rules_is_left_out_with_the_reason() {
    let name = label(b"__name__", b"up");
    let series = |labels: &[&[u8]]| {
        let mut parts: Vec<_> = labels.iter().map(|label| (1, *label)).collect();
        parts.push((2, &[0x10, 5]));
        message(&[(1, &message(&parts))])
    };
    check_left_out(
        &series(&[&label(b"job", b"a")]),
        "a series has no metric name (`__name__`); it is {job=\"a\"}",
    );
    check_left_out(
        &series(&[]),
        "a series has no metric name (`__name__`); it is {}",
    );
    check_left_out(
        &series(&[&name, &label(b"a", b"1"), &label(b"a", b"2")]),
        "a series has the label `a` twice; it is {__name__=\"up\", a=\"1\", a=\"2\"}",
    );
    check_left_out(
        &series(&[&name, &label(b"", b"1")]),
        "a series has a label without a name; it is {__name__=\"up\"}",
    );
    check_left_out(
        &series(&[&name, &label(b"a", b"\xff")]),
        "the labels of a series are malformed: the text of field 2 is not UTF-8",
    );
    let many: Vec<Vec<u8>> = (0..600)
        .map(|number| label(format!("l{number:03}").as_bytes(), b"v"))
        .collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let request = series(&many);
    let why = read_v1(&request).unwrap().unreadable.first.unwrap();
    assert!(
        why.contains("has more than 512 labels; it is {l000=\"v\","),
        "{why}"
    );
}

#[test]
fn what_is_malformed_is_refused_with_its_place() {
    let name = message(&[(1, &label(b"__name__", b"up"))]);
    check_refused(
        &[0x0a, 0x05, 1],
        "the request is malformed: field 1 claims 5 bytes where 1 are left",
    );
    check_refused(
        &[0x08, 0x05],
        "the request is malformed: field 1 has wire type 0, wire type 2 was expected",
    );
    check_refused(
        &message(&[(1, &[name.as_slice(), &[0x12, 0x02, 0x08, 0x01]].concat())]),
        "series 0 of the request is malformed: field 1 has wire type 0, wire type 1 was expected",
    );
    check_refused(
        &message(&[(1, &[name.as_slice(), &[0x22, 0x02, 0x08, 0x81]].concat())]),
        "series 0 of the request is malformed: the message ends inside a field",
    );
    check_refused(
        b"GET / HTTP/1.1",
        "the request is malformed: field 8 has the unknown wire type 7",
    );
}

#[test]
fn more_series_than_the_limit_are_refused() {
    let series = message(&[(1, &message(&[(1, &label(b"__name__", b"up"))]))]);
    check_refused(
        &series.repeat(SERIES_MAX + 1),
        "the request has more than 500000 series",
    );
    assert!(
        read_v1(&series.repeat(SERIES_MAX))
            .unwrap()
            .series
            .is_empty()
    );
}

#[test]
fn unsorted_labels_are_sorted_and_empty_ones_dropped() {
    let parts = [
        label(b"job", b"a"),
        label(b"__name__", b"up"),
        label(b"env", b""),
    ];
    let parts: Vec<_> = parts.iter().map(|label| (1, label.as_slice())).collect();
    let sample = (2, &[0x10, 5][..]);
    let request = message(&[(1, &message(&[parts.as_slice(), &[sample]].concat()))]);
    assert_eq!(
        lines(&read_v1(&request).unwrap()),
        ["__name__=up,job=a 0@5"]
    );
}

#[test]
fn labels_that_are_written_otherwise_than_usual_are_read_alike() {
    let long = "x".repeat(200);
    let value_first = message(&[(2, b"a"), (1, b"job")]);
    let with_a_later_field = message(&[(1, b"zone"), (2, b"b"), (3, b"later")]);
    let of_no_value = message(&[(1, b"env")]);
    let parts: [&[u8]; 6] = [
        &label(b"__name__", b"up"),
        &label("région".as_bytes(), "Genève".as_bytes()),
        &value_first,
        &with_a_later_field,
        &of_no_value,
        &label(b"url", long.as_bytes()),
    ];
    let mut series: Vec<(u32, &[u8])> = parts.iter().map(|part| (1, *part)).collect();
    series.insert(3, (2, &[0x10, 5]));
    let request = message(&[(1, &message(&series))]);
    assert_eq!(
        lines(&read_v1(&request).unwrap()),
        [format!(
            "__name__=up,job=a,région=Genève,url={long},zone=b 0@5"
        )]
    );
}

#[test]
fn a_letter_that_is_cut_between_name_and_value_is_not_utf8() {
    let cut = label("é".as_bytes().split_at(1).0, "é".as_bytes().split_at(1).1);
    let name = label(b"__name__", b"up");
    let request = message(&[(1, &message(&[(1, &name), (1, &cut), (2, &[0x10, 5])]))]);
    let write = read_v1(&request).unwrap();
    assert_eq!(
        write.unreadable.first.as_deref(),
        Some("the labels of a series are malformed: the text of field 1 is not UTF-8")
    );
}

proptest! {
    #[test]
    fn what_is_encoded_is_parsed_again_to_the_bit(write in any_write()) {
        let request = v1::encode(&write);
        let parsed = read_v1(&request).unwrap();
        prop_assert_eq!(properties::same(&parsed, &write), Ok(()));
        prop_assert_eq!(parsed.metadata, write.metadata);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(request in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(properties::remote_write_v1(&request), Ok(()));
    }

    #[test]
    fn damaged_requests_are_parsed_or_refused(
        write in any_write(),
        at in any::<usize>(),
        byte in any::<u8>(),
        cut in any::<usize>(),
    ) {
        let request = damaged(v1::encode(&write), at, byte, cut);
        prop_assert_eq!(properties::remote_write_v1(&request), Ok(()));
    }
}
