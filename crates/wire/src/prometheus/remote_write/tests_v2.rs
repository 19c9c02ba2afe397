//! Tests of remote write 2.0.

use proptest::prelude::*;
use tocsin_domain::write::{LabelPair, Metadata, MetricKind};

use super::*;
use crate::prometheus::protobuf::{put_bytes, put_number};
use crate::prometheus::tests::{any_write, damaged, lines};
use crate::prometheus::{properties, snappy};

#[test]
fn the_content_type_tells_the_version() {
    let check = |content_type, expected| assert_eq!(version_of(content_type), expected);
    check("", Some(Version::V1));
    check("application/x-protobuf", Some(Version::V1));
    check("Application/X-Protobuf ; charset=utf-8", Some(Version::V1));
    check(
        "application/x-protobuf; proto=prometheus.WriteRequest",
        Some(Version::V1),
    );
    check(
        "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        Some(Version::V2),
    );
    check(
        "application/x-protobuf; Proto=\"io.prometheus.write.v2.Request\"",
        Some(Version::V2),
    );
    check("application/x-protobuf;proto=other.Request", None);
    check("application/json", None);
    for version in [Version::V1, Version::V2] {
        check(version.content_type(), Some(version));
    }
}

#[test]
fn a_recorded_request_is_read_whatever_the_order_of_its_parts() {
    let mut request = Vec::new();
    let block = include_bytes!("../testdata/remote_write_v2_all_parts.snappy");
    snappy::decompress(block, 1 << 20, &mut request).unwrap();
    let write = v2::parse(&request).unwrap();
    assert_eq!(
        lines(&write),
        [
            "__name__=rpc_seconds_bucket,le=0.5,région=Genève 12@1700000000000 13@1700000015000 \
             #trace_id=4bf92f3577b34da6 0.43@1700000014999",
            "__name__=rpc_seconds_sum 3.5@1700000000000",
            "__name__=jobs_total -0@-1500",
        ]
    );
    assert_eq!(write.histograms_left_out, 1);
    let described = |metric: &'static str, kind, help: &'static str, unit: &'static str| Metadata {
        metric: metric.into(),
        kind,
        help: help.into(),
        unit: unit.into(),
    };
    assert_eq!(
        write.metadata,
        [
            described("jobs_total", MetricKind::Counter, "Jobs.", ""),
            described("rpc_seconds", MetricKind::Histogram, "How long.", "seconds"),
        ]
    );
}

/// A request of these symbols and one series of these fields.
fn request(symbols: &[&[u8]], series: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for symbol in symbols {
        put_bytes(&mut out, 4, symbol);
    }
    put_bytes(&mut out, 5, &series.concat());
    out
}

#[track_caller]
fn check_refused(request: &[u8], expected: &str) {
    assert_eq!(v2::parse(request).unwrap_err().to_string(), expected);
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let symbols: [&[u8]; 5] = [b"", b"__name__", b"up", b"job", b"a"];
    let packed = |references: &[u8]| {
        let mut field = Vec::new();
        put_bytes(&mut field, 1, references);
        field
    };
    check_refused(
        &request(&symbols, &[&packed(&[1, 2, 3, 5])]),
        "series 0 of the request refers to symbol 5, there are 5",
    );
    check_refused(
        &request(&symbols, &[&packed(&[1, 2, 3])]),
        "series 0 of the request has an odd number of references to labels",
    );
    check_refused(
        &request(&symbols[1..], &[&packed(&[0, 1])]),
        "the first symbol of the request has to be empty",
    );
    check_refused(
        &request(&[], &[&packed(&[0, 1])]),
        "series 0 of the request refers to symbol 0, there are 0",
    );
    let point = [0x12, 0x02, 0x10, 0x07];
    let check_left_out = |references: &[u8], expected: &str| {
        let mut request = request(&symbols, &[&packed(&[1, 2]), &point]);
        put_bytes(&mut request, 5, &[&point, &packed(references)[..]].concat());
        let write = v2::parse(&request).unwrap();
        assert_eq!(lines(&write), ["__name__=up 0@7"]);
        assert_eq!(write.unreadable.samples, 1);
        assert_eq!(write.unreadable.first.as_deref(), Some(expected));
    };
    check_left_out(
        &[1, 2, 0, 4],
        "a series has a label without a name; it is {__name__=\"up\"}",
    );
    check_left_out(
        &[1, 2, 3, 4, 3, 4],
        "a series has the label `job` twice; \
         it is {__name__=\"up\", job=\"a\", job=\"a\"}",
    );
    check_left_out(
        &[3, 4],
        "a series has no metric name (`__name__`); it is {job=\"a\"}",
    );
    check_refused(
        &request(&symbols, &[&packed(&[1, 0x82])]),
        "series 0 of the request is malformed: the message ends inside a field",
    );
    let odd_exemplar = [0x22, 0x03, 0x0a, 0x01, 0x03];
    check_refused(
        &request(&symbols, &[&packed(&[1, 2]), &odd_exemplar]),
        "series 0 of the request has an odd number of references to labels",
    );
    let lost_help = [0x2a, 0x02, 0x18, 0x09];
    check_refused(
        &request(&symbols, &[&packed(&[1, 2]), &lost_help]),
        "series 0 of the request refers to symbol 9, there are 5",
    );
    check_refused(
        &request(&[b"", b"\xff"], &[]),
        "the request is malformed: the text of field 4 is not UTF-8",
    );
}

#[test]
fn references_may_also_come_one_by_one() {
    let symbols: [&[u8]; 3] = [b"", b"__name__", b"up"];
    let request = request(&symbols, &[&[0x08, 1, 0x08, 2, 0x12, 0x02, 0x10, 7]]);
    assert_eq!(lines(&v2::parse(&request).unwrap()), ["__name__=up 0@7"]);
}

#[test]
fn a_request_of_the_other_version_has_nothing_in_it() {
    let request = request(&[b""], &[]);
    assert!(v1::parse(&request).unwrap().is_empty());
    assert!(v2::parse(&[0x0a, 0x00]).unwrap().is_empty());
}

#[test]
fn more_symbols_than_the_limit_are_refused() {
    let mut request = Vec::new();
    for _ in 0..=SYMBOLS_MAX {
        put_bytes(&mut request, 4, b"");
    }
    check_refused(&request, "the request has more than 1000000 symbols");
}

#[test]
fn describing_more_metrics_than_the_limit_is_refused() {
    let mut request = Vec::new();
    put_bytes(&mut request, 4, b"");
    put_bytes(&mut request, 4, b"__name__");
    for number in 0..=METADATA_MAX as u64 {
        put_bytes(&mut request, 4, format!("m{number}").as_bytes());
        let mut packed = vec![1];
        crate::prometheus::protobuf::put_varint(&mut packed, number + 2);
        let (mut series, mut kind) = (Vec::new(), Vec::new());
        put_number(&mut kind, 1, 1);
        put_bytes(&mut series, 1, &packed);
        put_bytes(&mut series, 5, &kind);
        put_bytes(&mut request, 5, &series);
    }
    check_refused(
        &request,
        "the request has more than 100000 metrics described",
    );
}

proptest! {
    #[test]
    fn what_is_encoded_is_parsed_again_to_the_bit(mut write in any_write()) {
        // Only what belongs to a series can be described in this version.
        let mut metadata = std::mem::take(&mut write.metadata);
        metadata.retain(|known| {
            let is_name = |(name, value): &LabelPair<'_>| name == "__name__" && *value == known.metric;
            write.labels.iter().any(is_name)
        });
        write.metadata = metadata;
        let request = v2::encode(&write);
        let parsed = v2::parse(&request).unwrap();
        prop_assert_eq!(properties::same(&parsed, &write), Ok(()));
        prop_assert_eq!(parsed.metadata, write.metadata);
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(request in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(properties::remote_write_v2(&request), Ok(()));
    }

    #[test]
    fn damaged_requests_are_parsed_or_refused(
        write in any_write(),
        at in any::<usize>(),
        byte in any::<u8>(),
        cut in any::<usize>(),
    ) {
        let request = damaged(v2::encode(&write), at, byte, cut);
        prop_assert_eq!(properties::remote_write_v2(&request), Ok(()));
    }
}
