//! Tests of both text formats: recorded answers, hostile ones, and round trips.

use std::borrow::Cow;

use proptest::prelude::*;
use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::{Metadata, MetricKind, Write};

use super::*;
use crate::prometheus::properties;
use crate::prometheus::tests::{any_write, damaged, described, lines};

const AT_MS: i64 = 1_000;

fn text(given: &str) -> Result<Write<'_>, ExpositionError> {
    text::parse(given, AT_MS, Limits::default())
}

fn openmetrics(given: &str) -> Result<Write<'_>, ExpositionError> {
    openmetrics::parse(given, AT_MS, Limits::default())
}

#[track_caller]
fn check_text(given: &str, expected: &[&str]) {
    assert_eq!(lines(&text(given).unwrap()), expected, "{given}");
}

#[test]
fn a_recorded_answer_of_the_node_exporter_is_read() {
    let write = text(include_str!("../testdata/node_exporter_text.txt")).unwrap();
    assert_eq!(write.series.len(), 52);
    let first = &lines(&write)[..3];
    assert_eq!(
        first,
        [
            "__name__=go_gc_duration_seconds,quantile=0.0 0@1000",
            "__name__=go_gc_duration_seconds,quantile=0.25 0@1000",
            "__name__=go_gc_duration_seconds,quantile=0.5 0@1000",
        ]
    );
    let of_gc = "go_gc_duration_seconds summary [] \
                 A summary of the pause duration of garbage collection cycles.";
    assert_eq!(described(&write)[0], of_gc);
}

#[test]
fn a_recorded_answer_of_the_python_client_is_read_in_both_formats() {
    let plain = text(include_str!("../testdata/python_client_text.txt")).unwrap();
    let open = openmetrics(include_str!("../testdata/python_client_openmetrics.txt")).unwrap();
    let mut plain_lines = lines(&plain);
    let mut open_lines = lines(&open);
    assert_eq!(
        open_lines[0],
        "__name__=pages_total,channel=e-mail 3@1000 #trace_id=4bf92f3577b34da6 3@1795736877564"
    );
    assert!(open_lines.contains(&"__name__=temp.erature,büro=süd NaN@1000".to_owned()));
    assert!(plain_lines.contains(&"__name__=pages_total,channel=a \"b\"\\c\nd 1@1000".to_owned()));
    assert!(plain_lines.contains(&"__name__=rpc_seconds_bucket,le=1e+06 2@1000".to_owned()));
    for line in &mut open_lines {
        line.truncate(line.find(" #").unwrap_or(line.len()));
    }
    plain_lines.sort();
    open_lines.sort();
    assert_eq!(plain_lines, open_lines);
    assert_eq!(
        described(&open),
        [
            "build info [] Facts.",
            "lag summary [] Lag.",
            "pages counter [] Pages sent.\nBy \"channel\" \\ way.",
            "rpc_seconds histogram [seconds] How long.",
            "task_state stateset [] State.",
            "temp.erature gauge [] UTF-8 name.",
        ]
    );
}

#[test]
fn blanks_commas_and_comments_may_stand_where_the_text_format_allows_them() {
    check_text(
        "# just a comment\n#\n#TYPE a counter\n\n \t# HELP a Help. \n a{ b = \"c\" , } \t1  5 \na 2\r\n",
        &["__name__=a,b=c 1@5", "__name__=a 2@1000"],
    );
    check_text("a 1", &["__name__=a 1@1000"]);
    check_text("", &[]);
    check_text("a{} -1.5e3 -7\n", &["__name__=a -1500@-7"]);
    check_text("_:x:1 +Inf\n", &["__name__=_:x:1 inf@1000"]);
    check_text("a{b=\"\"} 1\n", &["__name__=a 1@1000"]);
    check_text(
        "a{b=\"1\n2\"} 1\nc 1\n",
        &["__name__=a,b=1\n2 1@1000", "__name__=c 1@1000"],
    );
    check_text("a{b=\"\0\"} 1\n", &["__name__=a,b=\0 1@1000"]);
}

#[test]
fn escapes_and_quoted_names_are_read() {
    check_text(r#"a{b="\"\\\n\x"} 1"#, &["__name__=a,b=\"\\\n\\x 1@1000"]);
    check_text(
        "{\"http.status\",q=\"0.9\"} 1\n{q=\"0.9\", \"http.status\"} 2\n{\"a\\\"b\",\"é é\"=\"c\"} 3\n",
        &[
            "__name__=http.status,q=0.9 1@1000",
            "__name__=http.status,q=0.9 2@1000",
            "__name__=a\"b,é é=c 3@1000",
        ],
    );
    let described_names = text("# TYPE \"a.b\" gauge\n# HELP \"a.b\" \\\\ \\n \\\" .\n").unwrap();
    assert_eq!(described(&described_names), ["a.b gauge [] \\ \n \\\" ."]);
}

#[test]
fn nothing_is_copied_that_needs_no_change() {
    let given = "# TYPE a histogram\na_bucket{b=\"c\",le=\"0.5\"} 1\n{\"x.y\"} 1\n";
    let write = text(given).unwrap();
    let is_borrowed = |text: &Cow<'_, str>| matches!(text, Cow::Borrowed(_));
    assert!(
        write
            .labels
            .iter()
            .all(|(name, value)| is_borrowed(name) && is_borrowed(value))
    );
}

#[test]
fn bounds_of_buckets_and_quantiles_are_written_in_one_way_where_they_are_such() {
    check_text(
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"5000000\"} 1\nh_bucket{le=\"x\"} 1\nother{le=\"1\"} 1\n\
         # TYPE s summary\ns{quantile=\"1\"} 1\ns{le=\"1\"} 1\n",
        &[
            "__name__=h_bucket,le=1.0 1@1000",
            "__name__=h_bucket,le=5e+06 1@1000",
            "__name__=h_bucket,le=x 1@1000",
            "__name__=other,le=1 1@1000",
            "__name__=s,quantile=1.0 1@1000",
            "__name__=s,le=1 1@1000",
        ],
    );
}

#[test]
fn every_nan_of_a_text_is_the_same_and_ends_no_series() {
    for word in ["NaN", "nan", "-nan"] {
        let given = format!("a {word}\n");
        assert_eq!(
            text(&given).unwrap().points[0].value.to_bits(),
            0x7ff8_0000_0000_0001
        );
    }
}

#[test]
fn what_is_said_of_a_metric_in_several_places_is_put_together() {
    let write = text("# TYPE a gauge\n# HELP b B.\na 1\n# HELP a A.\n# TYPE a counter\n").unwrap();
    assert_eq!(described(&write), ["a gauge [] A.", "b unknown [] B."]);
}

#[track_caller]
fn check_text_refused(given: &str, expected: &str) {
    assert_eq!(text(given).unwrap_err().to_string(), expected, "{given}");
}

const MALFORMED: &[(&str, &str)] = &[
    (
        "a",
        "line 1: expected a number as value, found the end of the text",
    ),
    (
        "ok 1\na\n",
        "line 2: expected a number as value, found the end of the line",
    ),
    (
        "a true\n",
        "line 1: expected a number as value, found \"true\"",
    ),
    (
        "a 1_2\n",
        "line 1: expected a number as value, found \"1_2\"",
    ),
    (
        "a 1e999\n",
        "line 1: expected a number as value, found \"1e999\"",
    ),
    (
        "a 1 1.5\n",
        "line 1: expected a time in whole milliseconds, or the end of the line, found \"1.5\"",
    ),
    (
        "a 1 2 3\n",
        "line 1: expected the end of the line, found \"3\"",
    ),
    (
        "a{b='c'} 1\n",
        "line 1: expected a label's value in quotation marks, found \"'c'} 1\"",
    ),
    (
        "a{b} 1\n",
        "line 1: expected `=` behind a label's name, found \"} 1\"",
    ),
    (
        "a{=\"\"} 1\n",
        "line 1: expected a label's name or `}`, found \"=\\\"\\\"} 1\"",
    ),
    (
        "a{,b=\"c\"} 1\n",
        "line 1: expected a label's name or `}`, found \",b=\\\"c\\\"} 1\"",
    ),
    (
        "a{b=\"c\"d=\"e\"} 1\n",
        "line 1: expected `,` or `}` behind a label, found \"d=\\\"e\\\"} 1\"",
    ),
    (
        "a{b=\"c\n",
        "line 1: expected text that ends with a quotation mark, found \"\\\"c\"",
    ),
    (
        "\n\n1a 1\n",
        "line 3: expected a metric's name or `#`, found \"1a 1\"",
    ),
    (
        "a{\"b\"} 1\n",
        "line 1: expected `=` behind a label's name, found \"} 1\"",
    ),
    (
        "{\"a\",\"b\"} 1\n",
        "line 1: expected one name of the metric only, found \"\\\"b\\\"} 1\"",
    ),
    (
        "# TYPE a thing\n",
        "line 1: expected a kind of metric, like `counter`, found \"thing\"",
    ),
    (
        "# TYPE # gauge\n",
        "line 1: expected a metric's name, found \"# gauge\"",
    ),
    (
        "x 1\n{a=\"ok\"} 1\n",
        "line 2: the series or its exemplar has no metric name (`__name__`)",
    ),
    (
        "a{__name__=\"b\"} 1\n",
        "line 1: the series or its exemplar has the label `__name__` twice",
    ),
    (
        "a{b=\"1\",b=\"2\"} 1\n",
        "line 1: the series or its exemplar has the label `b` twice",
    ),
    (
        "{\"\"} 1\n",
        "line 1: the series or its exemplar has no metric name (`__name__`)",
    ),
    (
        "a{\"\"=\"b\"} 1\n",
        "line 1: the series or its exemplar has a label without a name",
    ),
    (
        "<!DOCTYPE html>\n<html>",
        "line 1: expected a metric's name or `#`, found \"<!DOCTYPE html>\"",
    ),
];

#[test]
fn text_that_is_malformed_is_refused_with_line_and_expectation() {
    for (given, expected) in MALFORMED {
        check_text_refused(given, expected);
    }
}

#[test]
fn labels_without_a_value_are_given_to_who_wants_them() {
    let given = "a{instance=\"\",job=\"x\"} 1\n";
    let names = |empty_labels| {
        let limits = Limits {
            empty_labels,
            ..Limits::default()
        };
        let read = text::parse(given, 0, limits).unwrap();
        let names: Vec<String> = read
            .labels
            .iter()
            .map(|(name, _)| name.to_string())
            .collect();
        names.join(" ")
    };
    assert_eq!(names(false), "__name__ job");
    assert_eq!(names(true), "__name__ instance job");
}

#[test]
fn samples_exemplars_and_descriptions_have_limits() {
    let limits = Limits {
        samples_max: 2,
        exemplars_max: 1,
        metadata_max: 1,
        ..Limits::default()
    };
    let check = |given: &str, expected: &str| {
        let refused = openmetrics::parse(given, 0, limits).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    };
    check("a 1\na 2\na 3\n# EOF", "there are more than 2 samples");
    check(
        "a 1 # {} 1\na 2 # {} 2\n# EOF",
        "there are more than 1 exemplars",
    );
    check(
        "# HELP a A.\n# HELP b B.\n# EOF",
        "there are more than 1 metrics described",
    );
    assert!(text::parse("a 1\na 2\n", 0, limits).is_ok());
    let labels: String = (0..600).map(|number| format!("l{number}=\"v\",")).collect();
    check_text_refused(
        &format!("a{{{labels}}} 1\n"),
        "line 1: the series or its exemplar has more than 512 labels",
    );
}

#[test]
fn federation_groups_by_name_and_leaves_out_what_text_cannot_say() {
    let mut write = Write::default();
    let mut add = |name: &'static str, labels: &[(&'static str, &'static str)], value| {
        let labels = labels.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        write.begin([("__name__".into(), name.into())].into_iter().chain(labels));
        write.push(5, value);
    };
    add("pages_total", &[("channel", "e \"mail\"\n")], 3.0);
    add("temp.erature", &[("büro", "a")], f64::INFINITY);
    add("pages_total", &[("instance", "b:1")], 4.5e-7);
    add("queue", &[], 1e6);
    add("gone", &[], f64::from_bits(STALE_NAN_BITS));
    write.begin([("job".into(), "nameless".into())]);
    write.push(5, 1.0);
    for (metric, kind) in [("pages", MetricKind::Counter), ("queue", MetricKind::Gauge)] {
        write.metadata.push(Metadata {
            metric: metric.into(),
            kind,
            help: "".into(),
            unit: "".into(),
        });
    }
    assert_eq!(
        text::write(&write),
        "# TYPE pages_total counter\n\
         pages_total{channel=\"e \\\"mail\\\"\\n\",instance=\"\"} 3 5\n\
         pages_total{instance=\"b:1\"} 4.5e-07 5\n\
         # TYPE queue gauge\n\
         queue{instance=\"\"} 1e+06 5\n\
         # TYPE \"temp.erature\" untyped\n\
         {\"temp.erature\",\"büro\"=\"a\",instance=\"\"} +Inf 5\n"
    );
}

#[test]
fn the_content_type_tells_the_format() {
    let check = |content_type, expected| assert_eq!(format_of(content_type), expected);
    check(
        "text/plain; version=0.0.4; charset=utf-8",
        Some(Format::Text),
    );
    check(
        "Text/Plain;version=1.0.0;escaping=allow-utf-8",
        Some(Format::Text),
    );
    check(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        Some(Format::OpenMetrics),
    );
    check(
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
        Some(Format::Protobuf),
    );
    check("application/vnd.google.protobuf;encoding=text", None);
    check("application/json", None);
    check("", None);
    for part in ACCEPT.split(',').filter(|part| !part.starts_with("*/*")) {
        assert!(format_of(part).is_some(), "{part}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(write in any_write()) {
        prop_assert_eq!(properties::exposed(&write), Ok(()));
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(properties::exposition_text(&bytes), Ok(()));
        prop_assert_eq!(properties::exposition_openmetrics(&bytes), Ok(()));
    }

    #[test]
    fn any_text_of_such_letters_is_parsed_or_refused(text in "[ab1{}=\",\\\\n #.TYPE\n\t]{0,60}") {
        prop_assert_eq!(properties::exposition_text(text.as_bytes()), Ok(()));
        prop_assert_eq!(properties::exposition_openmetrics(text.as_bytes()), Ok(()));
    }

    #[test]
    fn damaged_answers_are_parsed_or_refused(
        at in any::<usize>(),
        byte in any::<u8>(),
        cut in 0..3_usize,
    ) {
        let recorded = include_bytes!("../testdata/python_client_openmetrics.txt").to_vec();
        let bytes = damaged(recorded, at, byte, cut);
        prop_assert_eq!(properties::exposition_text(&bytes), Ok(()));
        prop_assert_eq!(properties::exposition_openmetrics(&bytes), Ok(()));
    }
}
