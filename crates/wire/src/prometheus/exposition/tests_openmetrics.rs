//! Tests of what OpenMetrics has beyond Prometheus' text, and of how strict it is.

use tocsin_domain::write::Write;

use super::*;
use crate::prometheus::tests::{described, lines};

fn parse(given: &str) -> Result<Write<'_>, ExpositionError> {
    openmetrics::parse(given, 1_000, Limits::default())
}

/// `given` without the last line, which is added.
#[track_caller]
fn check_openmetrics(given: &str, expected: &[&str]) {
    let given = format!("{given}\n# EOF\n");
    assert_eq!(lines(&parse(&given).unwrap()), expected, "{given}");
}

#[test]
fn openmetrics_has_times_in_seconds_exemplars_and_units() {
    check_openmetrics(
        "# TYPE foo_seconds counter\n# UNIT foo_seconds seconds\n\
         foo_seconds_total 17.0 1520879607.789 # {id=\"counter-test\"} 5\n\
         foo_seconds_created 1520872607.123\n\
         # TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {b=\"x\",a=\"y\"} 4 123.123\nh_count 1 # {} 2",
        &[
            "__name__=foo_seconds_total 17@1520879607789 #id=counter-test 5@1520879607789",
            "__name__=foo_seconds_created 1520872607.123@1000",
            "__name__=h_bucket,le=+Inf 1@1000 #a=y,b=x 4@123123",
            "__name__=h_count 1@1000 # 2@1000",
        ],
    );
    check_openmetrics(
        "{\"go.gc\",q=\"0.9\"} 1\nss{ss=\"foo\"} 1\nii{foo=\"bar\",} 1",
        &[
            "__name__=go.gc,q=0.9 1@1000",
            "__name__=ss,ss=foo 1@1000",
            "__name__=ii,foo=bar 1@1000",
        ],
    );
    assert!(parse("# EOF").unwrap().is_empty());
    let help = parse("# HELP a \\\\ \\n \\\" \\x\n# EOF\n").unwrap();
    assert_eq!(described(&help), ["a unknown [] \\ \n \" \\x"]);
}

const NO_END: &str = "the text does not end with `# EOF`: it is cut off, or not OpenMetrics";

const MALFORMED: &[(&str, &str)] = &[
    ("", NO_END),
    ("a 1\n", NO_END),
    ("a 1", NO_END),
    ("a 1 # {aa=\"bb\"} 4", NO_END),
    (
        "# EOF\na 1",
        "line 2: expected nothing behind `# EOF`, found \"a 1\"",
    ),
    (
        "# EOF\n\n",
        "line 2: expected nothing behind `# EOF`, found the end of the line",
    ),
    (
        "# EOFa",
        "line 1: expected nothing behind `# EOF`, found \"a\"",
    ),
    (
        "\n# EOF\n",
        "line 1: expected a metric's name or `#`, found the end of the line",
    ),
    (
        " a 1\n# EOF\n",
        "line 1: expected a metric's name or `#`, found \" a 1\"",
    ),
    (
        "#EOF\n",
        "line 1: expected a metric's name or `#`, found \"#EOF\"",
    ),
    (
        "# hello\n# EOF\n",
        "line 1: expected `HELP`, `TYPE`, `UNIT` or `EOF`, found \"hello\"",
    ),
    (
        "# TYPE u untyped\n# EOF\n",
        "line 1: expected a kind of metric, like `counter`, found \"untyped\"",
    ),
    (
        "# TYPE c counter \n# EOF\n",
        "line 1: expected a kind of metric, like `counter`, found \"counter \"",
    ),
    (
        "# TYPE m\n# EOF\n",
        "line 1: expected a space and text, found the end of the line",
    ),
    (
        "# UNIT metricsuffix suffix\n# EOF\n",
        "line 1: expected the unit that the metric's name ends with, found \"suffix\"",
    ),
    (
        "a\t1\n# EOF\n",
        "line 1: expected a space and a value, found \"\\t1\"",
    ),
    (
        "a 1\t2\n# EOF\n",
        "line 1: expected a number as value, found \"1\\t2\"",
    ),
    (
        "a  1\n# EOF\n",
        "line 1: expected a number as value, found \" 1\"",
    ),
    (
        "a 1 2 \n# EOF\n",
        "line 1: expected the end of the line, found \" \"",
    ),
    (
        "a 1 NaN\n# EOF\n",
        "line 1: expected a time in seconds, found \"NaN\"",
    ),
    (
        "a{b=\"c\", d=\"e\"} 1\n# EOF\n",
        "line 1: expected a label's name or `}`, found \" d=\\\"e\\\"} 1\"",
    ),
    (
        "a{b=\"\n\"} 1\n# EOF\n",
        "line 1: expected text that ends with a quotation mark, found \"\\\"\"",
    ),
    (
        "a 1 # {aa=\"bb\"}\n# EOF\n",
        "line 1: expected a space and the value of an exemplar, found the end of the line",
    ),
    (
        "a 1 # {\"aa\"} 1\n# EOF\n",
        "line 1: expected `=` behind a label's name, found \"} 1\"",
    ),
    (
        "a 1 # x\n# EOF\n",
        "line 1: expected `{` and the labels of an exemplar, found \"x\"",
    ),
    (
        "a 1 # {a=\"1\",a=\"2\"} 1\n# EOF\n",
        "line 1: the series or its exemplar has the label `a` twice",
    ),
];

#[test]
fn openmetrics_that_is_malformed_is_refused_with_line_and_expectation() {
    for (given, expected) in MALFORMED {
        let refused = parse(given).unwrap_err().to_string();
        assert_eq!(refused, *expected, "{given}");
    }
}
