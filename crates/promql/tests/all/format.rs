//! Expressions laid out anew: as Prometheus lays them out, and meaning the same.
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use proptest::prelude::*;
use tocsin_promql::Query;

fn check(text: &str, expected: &str) {
    assert_eq!(Query::parse(text).unwrap().format(), expected, "{text}");
}

#[test]
fn a_short_expression_stays_on_one_line() {
    check("sum(x)by(a,  b)", "sum by (a, b) (x)");
    check("sum by() (x)", "sum(x)");
    check("sum without() (x)", "sum without () (x)");
    check("topk(5,x)", "topk(5, x)");
    check("count_values('v', x)", "count_values(\"v\", x)");
    check("a-on() c", "a - on () c");
    check("a - on(b) group_left c", "a - on (b) group_left () c");
    check(
        "a - on(b) group_left(x,y) c",
        "a - on (b) group_left (x, y) c",
    );
    check("a - ignoring() c", "a - c");
    check("up >bool 0", "up > bool 0");
    check("a offset 1m", "a offset 1m");
    check("a{c='d'}[12m] offset -3m", "a{c=\"d\"}[12m] offset -3m");
    check("a[90m:5m] @ 10 offset 1m", "a[1h30m:5m] @ 10.000 offset 1m");
    check("a[1h:] @ start()", "a[1h:] @ start()");
    check("a @ -1.5", "a @ -1.500");
    check("{__name__=\"a\"}", "{__name__=\"a\"}");
    check(
        "{\"a.b\", \"c d\"=\"e\"}",
        "{\"c d\"=\"e\",__name__=\"a.b\"}",
    );
    check("a{z=~\"1\",b!~\"2\"}", "a{b!~\"2\",z=~\"1\"}");
    check("sum by (\"a.b\") (x)", "sum by (\"a.b\") (x)");
    check("(a+b)*c", "(a + b) * c");
    check("-1^2", "-1 ^ 2");
    check("- (a)", "-(a)");
    check(
        "1e3 + 0x10 + Inf + NaN + 1e-7",
        "1000 + 16 + +Inf + NaN + 0.0000001",
    );
    check(
        r#"label_replace(a,"b","\n\"","c",'\\')"#,
        r#"label_replace(a, "b", "\n\"", "c", "\\")"#,
    );
    check("a # a remark\n+ b", "a + b");
}

#[test]
fn a_long_expression_is_split_by_its_parts() {
    let long = "x".repeat(60);
    check(
        &format!(
            "sum by (job) (rate({long}[5m])) / sum by (job) (rate({long}{{code=\"500\"}}[5m]))"
        ),
        &format!(
            "  sum by (job) (rate({long}[5m]))\n/\n  sum by (job) (rate({long}{{code=\"500\"}}[5m]))"
        ),
    );
    check(
        &format!("topk(3, {long} + on(a) group_left() {long})"),
        &format!("topk(\n  3,\n    {long}\n  + on (a) group_left ()\n    {long}\n)"),
    );
    check(
        &format!("clamp(({long} > bool {long}), -1, 1)"),
        &format!("clamp(\n  (\n      {long}\n    > bool\n      {long}\n  ),\n  -1,\n  1\n)"),
    );
    check(
        &format!("-max_over_time(({long} + {long})[1h:1m] offset 5m)"),
        &format!(
            "-max_over_time(\n  (\n      {long}\n    +\n      {long}\n  )[1h:1m] offset 5m\n)"
        ),
    );
}

/// Expressions of all constructs, nested.
fn expressions() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "up",
        "node_cpu_seconds_total{mode=\"idle\",instance=~\"web-.*\"}",
        "{\"http.requests\",\"le gal\"!=\"\\\\x\\n\"}",
        "a:b:rate5m{x!~\"1|2\"} offset 1h30m",
        "x @ 1700000000.5 offset -5m",
        "y @ end()",
        "vector(1e-9)",
    ]);
    name.prop_map(str::to_owned)
        .prop_recursive(5, 40, 2, |inner| {
            let op = prop::sample::select(vec![
                "+",
                "-",
                "*",
                "/",
                "%",
                "^",
                "==",
                "> bool",
                "<= bool",
                "!=",
                "and",
                "or",
                "unless",
                "* on (a) group_left (b, c)",
                "+ ignoring (a) group_right ()",
                "and on ()",
                "atan2",
            ]);
            prop_oneof![
                (inner.clone(), op, inner.clone())
                    .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
                inner.clone().prop_map(|a| format!("-({a})")),
                inner
                    .clone()
                    .prop_map(|a| format!("sum by (a, \"b c\") ({a})")),
                inner
                    .clone()
                    .prop_map(|a| format!("quantile without () (0.5, {a})")),
                inner
                    .clone()
                    .prop_map(|a| format!("max_over_time(({a})[90m:30s] offset 1m)")),
                inner
                    .clone()
                    .prop_map(|a| format!("label_replace({a}, \"a\", \"$1\", \"b\", \"(.*)\")")),
                inner.clone().prop_map(|a| format!("clamp({a}, -1, +Inf)")),
                inner.prop_map(|a| format!("histogram_quantile(0.9, {a}) + rate(z[5m] @ start())")),
            ]
        })
}

proptest! {
    #[test]
    fn what_is_laid_out_anew_means_the_same(text in expressions()) {
        let query = Query::parse(&text).unwrap();
        let formatted = query.format();
        let again = Query::parse(&formatted).unwrap();
        prop_assert!(again.is_same(&query), "{formatted}");
        prop_assert_eq!(again.format(), formatted);
    }
}
