//! Other rule files while rules are at work.

use super::stage::{Stage, alert, group, record, with};

const NONE: [&str; 0] = [];

#[test]
fn what_did_not_change_keeps_its_state_and_its_times() {
    let rule = || with(alert("Down", "up == 0"), |spec| spec.for_ms = 30_000);
    let mut stage = Stage::new(vec![group(vec![rule()])]);
    stage.hold("up", 0.0, 25);
    assert_eq!(stage.alerts(0).len(), 1);
    let due = stage.rules.next_due(stage.now());
    let now = stage.now();
    stage.rules.replace(vec![group(vec![rule()])], now);
    assert_eq!(stage.rules.next_due(now), due);
    stage.hold("up", 0.0, 25);
    assert_eq!(stage.news().len(), 1);
}

#[test]
fn a_rule_with_another_expression_goes_on_with_its_alerts() {
    let mut stage = Stage::new(vec![group(vec![alert("Down", "up == 0")])]);
    stage.hold("up", 0.0, 11);
    assert_eq!(stage.news().len(), 1);
    let now = stage.now();
    stage.rules.replace(
        vec![group(vec![record("new", "up"), alert("Down", "up < 1")])],
        now,
    );
    stage.hold("up", 0.0, 21);
    assert_eq!(stage.news(), NONE);
    stage.hold("up", 1.0, 11);
    assert_eq!(stage.news(), ["resolved g/Down{}"]);
}

#[test]
fn alerts_and_series_of_a_rule_that_is_gone_end() {
    let mut stage = Stage::new(vec![group(vec![
        alert("Down", "up == 0"),
        record("a", "up"),
    ])]);
    stage.hold("up", 0.0, 11);
    assert_eq!(stage.news().len(), 1);
    let now = stage.now();
    stage.rules.replace(Vec::new(), now);
    stage.settle();
    assert_eq!(stage.news(), ["resolved g/Down{}"]);
    for metric in ["ALERTS", "ALERTS_FOR_STATE", "a"] {
        let shown = stage.memory.shown(metric);
        assert!(
            shown[0].ends_with(&format!("stale@{}", stage.now_ms)),
            "{shown:?}"
        );
    }
}

#[test]
fn what_a_reload_would_end_is_known_before() {
    let rules = || vec![alert("Down", "up == 0"), record("a", "up")];
    let mut stage = Stage::new(vec![group(rules())]);
    assert_eq!(stage.rules.would_end(&[]), 0);
    stage.hold("up", 0.0, 11);
    assert_eq!(stage.rules.would_end(&[]), 1);
    assert_eq!(stage.rules.would_end(&[group(rules())]), 0);
    assert_eq!(stage.rules.would_end(&[group(vec![record("a", "up")])]), 1);
}
