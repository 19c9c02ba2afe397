//! Rule files: what is read, and what is refused with which line.

use super::*;

const GOOD: &str = r#"
# Rules of the web servers.
groups:
- name: web
  interval: 15s
  limit: 10
  query_offset: 30s
  labels: {team: north}
  rules:
  - record: job:requests:rate5m
    expr: sum by (job) (rate(requests_total[5m]))
    labels:
      level: job
  - alert: TooManyErrors
    expr: |
      sum by (instance) (rate(errors_total[5m])) > 5
    for: 1m
    keep_firing_for: 5m
    labels: {severity: page, number: 7, on: true}
    annotations:
      summary: 'errors on {{ $labels.instance }}: {{ $value | humanize }}'
      tocsin_recovery: sum by (instance) (rate(errors_total[5m])) < 2
      tocsin_no_data: alert
      tocsin_no_data_after: 10m
      tocsin_service: Shop
- name: empty
"#;

#[test]
fn a_rule_file_is_read_with_everything_in_it() {
    let file = read(GOOD).unwrap();
    assert_eq!(file.groups.len(), 2);
    let web = &file.groups[0];
    assert_eq!((web.name.as_str(), web.line), ("web", 4));
    assert_eq!(web.interval_ms, Some(15_000));
    assert_eq!((web.limit, web.query_offset_ms), (10, 30_000));
    let names = |rule: &Rule| -> Vec<String> {
        let labels = rule.labels.iter();
        labels
            .map(|(name, text)| format!("{name}={}", text.written))
            .collect()
    };
    let record = &web.rules[0];
    assert_eq!(
        (record.name.as_str(), record.line, record.expr.line),
        ("job:requests:rate5m", 10, 11)
    );
    assert_eq!(names(record), ["level=job", "team=north"]);
    let alert = &web.rules[1];
    assert_eq!(
        names(alert),
        ["number=7", "on=true", "severity=page", "team=north"]
    );
    let RuleKind::Alert(spec) = &alert.kind else {
        panic!("an alert is expected");
    };
    assert_eq!((spec.for_ms, spec.keep_firing_for_ms), (60_000, 300_000));
    assert_eq!(
        (spec.no_data, spec.no_data_after_ms),
        (NoData::Alert, 600_000)
    );
    assert_eq!(spec.service.as_deref(), Some("Shop"));
    assert!(spec.recovery.as_ref().unwrap().text.ends_with("< 2"));
    assert_eq!(spec.annotations.len(), 5);
    let templates = spec
        .annotations
        .iter()
        .filter(|(_, text)| text.template.is_some());
    assert_eq!(templates.count(), 1);
}

#[test]
fn a_file_without_groups_is_empty() {
    for text in ["", "# nothing\n", "groups:\n", "groups: []\n", "{}\n"] {
        assert_eq!(read(text).unwrap().groups.len(), 0, "{text:?}");
    }
}

fn refused(text: &str, line: u64, why: &str) {
    let problems = read(text).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let found = problems
        .iter()
        .any(|one| one.line == line && one.what.contains(why));
    assert!(
        found,
        "{text}\nexpected line {line}: {why}\nfound {told:#?}"
    );
}

fn rule_refused(rule: &str, line: u64, why: &str) {
    refused(&format!("groups:\n- name: g\n  rules:\n{rule}"), line, why);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    refused("groups:\n- nam: x\n", 2, "nam");
    refused("groop: []\n", 1, "groop");
    refused("groups:\n- name: a\n- name: a\n", 3, "already");
    refused("groups:\n- name: ''\n", 2, "no name");
    refused("groups:\n- name: a\n  interval: 5\n", 3, "no duration");
    refused("groups:\n- name: a\n  interval: 1ms\n", 3, "shortest");
    refused("groups:\n- name: a\n  limit: -1\n", 3, "negative");
    refused(
        "groups:\n- name: a\n  labels: {1x: y}\n",
        3,
        "cannot name a label",
    );
    refused("groups: [\n", 1, "");
    rule_refused("  - record: a\n    alert: b\n    expr: up\n", 4, "not both");
    rule_refused("  - expr: up\n", 4, "record or alert");
    rule_refused("  - record: a\n", 4, "expr is missing");
    rule_refused(
        "  - record: 'a b'\n    expr: up\n",
        4,
        "cannot be a metric's",
    );
    rule_refused(
        "  - record: a\n    expr: up\n    for: 5m\n",
        6,
        "for has no meaning",
    );
    rule_refused(
        "  - record: a\n    expr: up\n    annotations: {a: b}\n",
        4,
        "annotations have no meaning",
    );
    rule_refused(
        "  - alert: a\n    expr: up\n    for: soon\n",
        6,
        "for: \"soon\" is no duration",
    );
    rule_refused(
        "  - alert: a\n    expr: up\n    labels: {__name__: x}\n",
        6,
        "cannot name a label",
    );
    rule_refused(
        "  - alert: a\n    expr: up\n    labels: {x: '{{ nobody }}'}\n",
        6,
        "no function nobody",
    );
    rule_refused(
        "  - alert: a\n    expr: up\n    annotations:\n      x: '{{ $value'\n",
        7,
        "not closed",
    );
    rule_refused(
        "  - alert: a\n    expr: up\n    annotations: {tocsin_no_data: maybe}\n",
        6,
        "ok, keep or alert",
    );
    rule_refused(
        "  - alert: a\n    expr: up\n    annotations: {tocsin_recover: up}\n",
        6,
        "tocsin_recover is not known",
    );
    rule_refused("  - alert: a\n    expr: up\n    unknown: 1\n", 6, "unknown");
    rule_refused(
        "  - alert: a\n    expr: up\n  - alert: a\n    expr: up\n",
        6,
        "line 4 already",
    );
    rule_refused("  - alert: a\n    alert: b\n    expr: up\n", 5, "duplicate");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "groups:\n- name: g\n  interval: x\n  rules:\n  - record: 1\n    expr: up\n  - alert: a\n    for: y\n";
    let lines: Vec<u64> = read(text).unwrap_err().iter().map(|one| one.line).collect();
    assert_eq!(lines, [3, 5, 7, 8]);
}

#[test]
fn the_same_name_with_other_labels_or_another_expression_is_another_rule() {
    let text = "groups:\n- name: g\n  rules:\n  - {alert: a, expr: up, labels: {x: '1'}}\n  - {alert: a, expr: up, labels: {x: '2'}}\n  - {alert: a, expr: down}\n";
    assert_eq!(read(text).unwrap().groups[0].rules.len(), 3);
}

#[test]
fn a_file_that_grows_when_it_is_read_is_refused() {
    let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (one, before) in ('b'..='k').zip('a'..) {
        bomb.push_str(&format!(
            "{one}: &{one} [{}]\n",
            vec![format!("*{before}"); 9].join(",")
        ));
    }
    assert!(read(&bomb).is_err());
    let deep = format!("groups: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep).is_err());
    assert!(read(&" ".repeat(FILE_BYTES_MAX + 1)).is_err());
}
