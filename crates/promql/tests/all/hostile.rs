//! Texts that were not written by a friend: they are read or refused, in bounded stack and memory.
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::cell::Cell;

use proptest::prelude::*;
use tocsin_promql::{
    EvalError, Limits, ParseError, Query, Select, SeriesData, Source, SourceError, parse_selector,
};

struct Empty;

impl Source for Empty {
    fn select(&self, _: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        Ok(Vec::new())
    }
}

/// Reads and evaluates; the result does not matter, that there is one does.
fn survive(text: &str) {
    let _ = parse_selector(text);
    if let Ok(query) = Query::parse(text) {
        let limits = Limits {
            samples_max: 100_000,
            ..Limits::default()
        };
        let _ = query.instant(&Empty, 0, &limits);
        let _ = query.range(&Empty, 0, 60_000, 1_000, &limits);
        let _ = query.metric_names();
        let _ = query.needs(0, 60_000, &limits);
        match Query::parse(&query.format()) {
            Ok(again) => assert!(again.is_same(&query), "{text}"),
            // Indentation can make a deep expression longer than is read.
            Err(ParseError::TooLarge { .. }) => {}
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

fn refused(text: &str, expected: &str) {
    let error = Query::parse(text).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    refused(&"(".repeat(1_000), "depth");
    refused(&format!("x{}", "+x".repeat(5_000)), "operators");
    refused(&"-".repeat(5_000), "operators");
    refused(&"x".repeat(40_000), "length");
    refused("x[NaN]", "duration");
    refused("x[1e99]", "duration");
    refused("x[5m:Inf]", "duration");
    refused("x offset 1e300", "duration");
    refused("{x=~\".*\"}", "non-empty matcher");
    refused("{x=~\".*\"}[5m]", "non-empty matcher");
    refused("x{a=~\"(\"}", "regex");
    refused("x and on (a) bool y", "PromQL");
    refused("x{a=~\"(((a{1000}){1000}){1000})\"}", "");
    refused("label_replace(x, \"\\xff\", \"\", \"\", \"\")", "escape");
}

#[test]
fn what_is_just_allowed_fits_the_stack() {
    survive(&format!("x{}", "+x".repeat(200)));
    survive(&format!("{}x", "-".repeat(200)));
    survive(&format!("x{}", "^x".repeat(200)));
    survive(&format!("{}x{}", "sum(".repeat(48), ")".repeat(48)));
    let nested = "max_over_time((".repeat(23);
    let closed = ")[1h:1h])".repeat(23);
    survive(&format!(
        "{}{nested}x{}{closed}",
        "-".repeat(100),
        "+x".repeat(100)
    ));
    let query = format!(
        "{}{nested}vector(1){}{closed}",
        "-".repeat(100),
        "+1".repeat(100)
    );
    assert!(
        Query::parse(&query).is_ok(),
        "it is not refused for its size"
    );
}

#[test]
fn a_subquery_cannot_take_more_than_its_limit() {
    let query = Query::parse("max_over_time(vector(1)[100y:1ms])").unwrap();
    let error = query.instant(&Empty, 0, &Limits::default()).unwrap_err();
    assert!(matches!(error, EvalError::TooManySamples { .. }), "{error}");
}

/// 41 columns of `leaf`, all of them alive where it is nested deepest.
/// Each `label_join` makes a text eight times as long as the one it wraps: twenty of them would fill any memory.
#[test]
fn text_that_grows_with_each_function_is_paid_for_before_it_is_made() {
    let joined = (0..20).fold(
        "label_replace(vector(1), 'x', 'word', '', '')".to_owned(),
        |inner, _| format!("label_join({inner}, 'x', '-', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x')"),
    );
    let replaced = (0..20).fold(
        "label_replace(vector(1), 'x', 'word', '', '')".to_owned(),
        |inner, _| format!("label_replace({inner}, 'x', '$1$1$1$1$1$1$1$1', 'x', '(.*)')"),
    );
    for text in [joined, replaced] {
        let query = Query::parse(&text).unwrap();
        let limits = Limits {
            samples_max: 100_000,
            ..Limits::default()
        };
        let error = query.instant(&Empty, 0, &limits).unwrap_err();
        assert!(error.to_string().contains("too long in all"), "{error}");
    }
}

fn nested(leaf: &str) -> String {
    format!(
        "{}{leaf}{}",
        format!("{leaf} + (").repeat(40),
        ")".repeat(40)
    )
}

#[test]
fn every_column_counts_wherever_it_comes_from() {
    let check = |text: String| {
        let query = Query::parse(&text).unwrap();
        let limits = Limits {
            samples_max: 200_000,
            ..Limits::default()
        };
        let limit = limits.samples_max;
        let error = query.instant(&Empty, 0, &limits).unwrap_err();
        assert_eq!(error, EvalError::TooManySamples { limit }, "{text}");
    };
    for scalar in ["time()", "pi()", "scalar(x)", "1"] {
        check(format!(
            "max_over_time(vector({})[10s:1ms])",
            nested(scalar)
        ));
    }
    for vector in ["hour()", "absent(x)"] {
        check(format!("max_over_time(({})[10s:1ms])", nested(vector)));
    }
    check("max_over_time(timestamp(vector(1) + vector(1))[60s:1ms])".to_owned());
}

#[test]
fn working_memory_counts_only_while_it_is_in_use() {
    let one = "quantile(0.5, max_over_time(sum(topk(1, vector(1)))[1s:1ms]))";
    let query = Query::parse(&[one; 20].join(" + ")).unwrap();
    let check = |samples_max, expected: bool| {
        let limits = Limits {
            samples_max,
            ..Limits::default()
        };
        let answer = query.instant(&Empty, 0, &limits);
        assert_eq!(answer.is_ok(), expected, "{samples_max}: {answer:?}");
    };
    // Each part computes six columns of 1,000 values, and holds up to six more.
    check(130_000, true);
    check(100_000, false);
}

/// How often a query over ten seconds asks whether it is to stop.
fn asked(text: &str, give_up: Option<usize>) -> (usize, Option<EvalError>) {
    let asked = Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        give_up.is_some_and(|times| asked.get() >= times)
    };
    let limits = Limits {
        cancelled: Some(&cancelled),
        ..Limits::default()
    };
    let query = Query::parse(text).unwrap();
    let answer = query.range(&Empty, 0, 10_000, 50, &limits);
    (asked.get(), answer.err())
}

#[test]
fn long_work_on_one_series_stops_when_it_is_told_to() {
    let check = |text: &str| {
        assert_eq!(
            asked(text, Some(100)),
            (100, Some(EvalError::Cancelled)),
            "{text}"
        );
    };
    check("quantile_over_time(0.5, vector(time())[10s:1ms])");
    check("stddev_over_time(vector(time())[10s:1ms])");
    check("predict_linear(vector(time())[10s:1ms], 60)");
    // It falls at every second sample.
    check("rate(vector(time() * 1000 % 2)[10s:1ms])");
    let many = "-".repeat(100);
    check(&format!("max_over_time(({many}vector(time()))[10s:1ms])"));
    check(&format!("max_over_time(vector({many}time())[10s:1ms])"));
}

#[test]
fn work_that_each_sample_enters_once_is_seldom_interrupted() {
    let check = |text: &str| {
        let (times, error) = asked(text, None);
        assert_eq!(error, None, "{text}");
        assert!(times < 40, "{text}: {times}");
    };
    check("rate(vector(time())[10s:1ms])");
    check("max_over_time(vector(time())[10s:1ms])");
    check("changes(vector(time())[10s:1ms])");
    check("irate(vector(time())[10s:1ms])");
}

#[test]
fn a_query_stops_when_it_is_told_to() {
    let query = Query::parse("vector(1) + vector(2)").unwrap();
    let limits = Limits {
        cancelled: Some(&|| true),
        ..Limits::default()
    };
    let error = query.instant(&Empty, 0, &limits).unwrap_err();
    assert_eq!(error, EvalError::Cancelled);
}

#[test]
fn a_range_must_make_sense() {
    let query = Query::parse("vector(1)").unwrap();
    let range = |start, end, step| query.range(&Empty, start, end, step, &Limits::default());
    assert!(matches!(range(0, 10, 0), Err(EvalError::BadRange { .. })));
    assert!(matches!(range(10, 0, 1), Err(EvalError::BadRange { .. })));
    let many = range(0, i64::MAX, 1);
    assert!(matches!(many, Err(EvalError::TooManySteps { .. })));
}

#[test]
fn a_query_names_the_metrics_it_depends_on_unless_it_depends_on_any() {
    let check = |text: &str, expected: Option<&[&str]>| {
        let names = Query::parse(text).unwrap().metric_names();
        let names: Option<Vec<String>> = names.map(|names| names.into_iter().collect());
        let expected = expected.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(names, expected, "{text}");
    };
    check("b > 1 and rate(a[5m]) > scalar(c)", Some(&["a", "b", "c"]));
    check("{__name__=~\"a|b\"}", Some(&["a", "b"]));
    check("{__name__=~\"a.*\"}", None);
    check("{job=\"x\"}", None);
    check("vector(1)", Some(&[]));
    check("max_over_time(a[1h:1m])", Some(&["a"]));
}

#[test]
fn what_is_not_supported_says_so() {
    let error = Query::parse("x + fill(0) y").unwrap_err();
    assert!(matches!(error, ParseError::Unsupported { .. }), "{error}");
}

const TOKENS: &[&str] = &[
    "x",
    "y_total",
    "1",
    "0x1f",
    "NaN",
    "Inf",
    "5m",
    "1e400",
    "\"a\"",
    "'b",
    "`",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "==",
    "!=",
    "=~",
    "!~",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "@",
    "offset",
    "start()",
    "end()",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "and",
    "or",
    "unless",
    "atan2",
    "sum",
    "topk",
    "quantile",
    "count_values",
    "rate",
    "histogram_quantile",
    "label_replace",
    "absent",
    "time()",
    "#",
    "\n",
    "é",
    "fill",
    "99999999999999999999",
];

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        survive(&text);
    }

    #[test]
    fn any_sequence_of_tokens_is_read_or_refused(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..24)
    ) {
        survive(&tokens.join(" "));
        survive(&tokens.concat());
    }
}
