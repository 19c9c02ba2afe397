//! What a query says about itself: which series it reads and over which time.

use tocsin_promql::{Limits, Query, parse_selector};

#[test]
fn a_query_names_the_span_that_each_selector_reads() {
    let check = |text: &str, expected: &[(i64, i64)]| {
        let query = Query::parse(text).unwrap();
        let needs = query.needs(10_000_000, 20_000_000, &Limits::default());
        let spans: Vec<(i64, i64)> = needs
            .iter()
            .map(|need| (need.from_ms, need.to_ms))
            .collect();
        assert_eq!(spans, expected, "{text}");
    };
    check("x", &[(9_700_001, 20_000_000)]);
    check("x offset 1m", &[(9_640_001, 19_940_000)]);
    check("rate(x[1m] offset -1m)", &[(10_000_001, 20_060_000)]);
    check("x @ 1000", &[(700_001, 1_000_000)]);
    check(
        "rate(x[1m] @ end()) + y @ start()",
        &[(19_940_001, 20_000_000), (9_700_001, 10_000_000)],
    );
    check(
        "max_over_time(rate(x[1m])[10m:30s] offset 1s)",
        &[(9_339_002, 19_999_000)],
    );
    check("topk(scalar(k), x)", &[(9_700_001, 20_000_000); 2]);
    check("vector(1)", &[]);
}

#[test]
fn a_selector_is_read_by_itself() {
    let check = |text: &str, expected: Option<&str>| {
        let found = parse_selector(text).ok().map(|matchers| {
            let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
            texts.join(",")
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    check("up", Some(r#"__name__="up""#));
    check(r#"up{job=~"a.*"}"#, Some(r#"__name__="up",job=~"a.*""#));
    check(r#"{job!="a",b="c"}"#, Some(r#"b="c",job!="a""#));
    check(
        r#"{"http.requests","a b"="c"}"#,
        Some(r#"__name__="http.requests",a b="c""#),
    );
    for bad in [
        "",
        "{}",
        r#"{a=""}"#,
        r#"{a=~".*"}"#,
        r#"{a!="x"}"#,
        "up offset 5m",
        "up @ 5",
        "up[5m]",
        "(up)",
        "-up",
        "1",
        "\"up\"",
        "up{",
        "up or up",
    ] {
        check(bad, None);
    }
}
