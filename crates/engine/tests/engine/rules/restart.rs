//! What survives a restart: since when an alert is pending, and which alerts fire.

use tocsin_engine::rules::{GroupSpec, Known, Reading};

use super::stage::{Memory, Stage, alert, group, labelled, labels, with};

const NONE: [&str; 0] = [];

fn rules(for_ms: u64) -> Vec<GroupSpec> {
    let rule = with(alert("Down", "up == 0"), |spec| spec.for_ms = for_ms);
    vec![group(vec![rule])]
}

fn known(name: &str) -> Known {
    Known {
        key: format!("g/{name}{{job=\"a\"}}"),
        group: "g".to_owned(),
        rule: name.to_owned(),
        labels: [("alertname", name), ("job", "a")].into_iter().collect(),
        fired_at_ms: 1_000_000_000,
        value: 0.0,
    }
}

#[test]
fn an_alert_goes_on_being_pending_after_a_restart_without_the_time_away() {
    let mut before = Stage::new(rules(120_000));
    before.hold("up{job=a}", 0.0, 75);
    assert_eq!(before.alerts(0).len(), 1);
    let (away_ms, memory) = (60_000, before.memory);
    let mut stage = Stage::at(before.now_ms + away_ms, memory, rules(120_000), Vec::new());
    stage.hold("up{job=a}", 0.0, 30);
    assert_eq!(stage.news(), NONE);
    // 65 s or a little more were pending before: without them it would take 120.
    stage.hold("up{job=a}", 0.0, 45);
    assert_eq!(stage.news().len(), 1);
}

#[test]
fn what_was_over_before_the_restart_begins_anew() {
    let mut before = Stage::new(rules(120_000));
    before.hold("up{job=a}", 0.0, 75);
    before.hold("up{job=a}", 1.0, 12);
    let mut stage = Stage::at(
        before.now_ms + 10_000,
        before.memory,
        rules(120_000),
        Vec::new(),
    );
    stage.hold("up{job=a}", 0.0, 115);
    assert_eq!(stage.news(), NONE);
}

#[test]
fn an_alert_that_fires_already_is_not_told_again_and_its_end_is() {
    let mut stage = Stage::at(
        2_000_000_000,
        Memory::default(),
        rules(60_000),
        vec![known("Down")],
    );
    assert_eq!(stage.alerts(0).len(), 1);
    for _ in 0..60 {
        stage.arrive("up{job=a}", 0.0);
        stage.pass(1_000);
    }
    assert_eq!(stage.news(), NONE);
    for _ in 0..11 {
        stage.arrive("up{job=a}", 1.0);
        stage.pass(1_000);
    }
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
}

#[test]
fn silence_after_a_restart_is_not_taken_for_health_at_once() {
    let mut stage = Stage::at(
        2_000_000_000,
        Memory::default(),
        rules(0),
        vec![known("Down")],
    );
    stage.pass(240_000);
    assert_eq!(stage.news(), NONE);
    assert_eq!(stage.alerts(0).len(), 1);
    stage.pass(90_000);
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
}

/// Rules that began with alerts that fire already, long enough ago that silence counts.
fn begun(groups: Vec<GroupSpec>, reading: Reading, known: Vec<Known>) -> Stage {
    let mut stage = Stage::begin(2_000_000_000, Memory::default(), groups, reading, known);
    stage.pass(600_000);
    stage
}

#[test]
fn an_alert_whose_rule_was_not_read_fires_on_until_a_reload_without_it() {
    for reading in [Reading::Whole, Reading::Partial] {
        let mut stage = begun(Vec::new(), reading, vec![known("Gone")]);
        assert_eq!(stage.news(), NONE);
        assert_eq!(stage.rules.kept(), 1);
        let now = stage.now();
        stage.rules.replace(rules(0), now);
        stage.settle();
        assert_eq!(stage.news(), [r#"resolved g/Gone{job="a"}"#]);
        assert_eq!(stage.rules.kept(), 0);
    }
}

#[test]
fn an_alert_whose_rule_is_read_again_is_its_own_as_if_nothing_had_been() {
    let mut stage = begun(Vec::new(), Reading::Partial, vec![known("Down")]);
    let now = stage.now();
    stage.rules.replace(rules(0), now);
    assert_eq!(stage.rules.kept(), 0);
    assert_eq!(stage.alerts(0).len(), 1);
    stage.hold("up{job=a}", 0.0, 30);
    assert_eq!(stage.news(), NONE);
    stage.hold("up{job=a}", 1.0, 11);
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
}

#[test]
fn an_alert_that_its_rule_can_no_longer_give_is_over_only_when_all_rules_were_read() {
    let changed = || vec![group(vec![labelled(alert("Down", "up == 0"), "job", "b")])];
    let mut stage = begun(changed(), Reading::Whole, vec![known("Down")]);
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
    let mut stage = begun(changed(), Reading::Partial, vec![known("Down")]);
    assert_eq!(stage.news(), NONE);
    assert_eq!(stage.rules.kept(), 1);
}

#[test]
fn a_firing_alert_is_recognized_by_its_labels_only() {
    let memory = Memory::default();
    memory.put(&labels("up{job=b}"), 2_000_000_000, 0.0);
    let mut stage = Stage::at(2_000_000_000, memory, rules(0), vec![known("Down")]);
    stage.say(&["up"], 2_000_000_000);
    stage.settle();
    assert_eq!(stage.news(), [r#"fired g/Down{job="b"}"#]);
}
