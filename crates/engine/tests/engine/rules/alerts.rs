//! The states of alerts: `for`, `keep_firing_for`, recovery, silence, limits.

use tocsin_domain::command::AlertAsk;
use tocsin_domain::monitor::Severity;
use tocsin_engine::rules::{Health, NoData, Text};
use tocsin_promql::Query;

use super::stage::{Stage, alert, group, labelled, record, with};

const NONE: [&str; 0] = [];

fn down_for(for_ms: u64) -> Stage {
    let rule = with(alert("Down", "up == 0"), |spec| spec.for_ms = for_ms);
    Stage::new(vec![group(vec![rule])])
}

#[test]
fn an_alert_is_pending_fires_after_its_time_and_resolves() {
    let mut stage = down_for(30_000);
    stage.hold("up{job=a}", 1.0, 20);
    assert_eq!(stage.alerts(0), NONE);
    stage.hold("up{job=a}", 0.0, 15);
    assert_eq!(stage.alerts(0), [r#"pending {alertname="Down", job="a"}"#]);
    assert_eq!(stage.news(), NONE);
    stage.hold("up{job=a}", 0.0, 30);
    assert_eq!(stage.alerts(0), [r#"firing {alertname="Down", job="a"}"#]);
    assert_eq!(stage.news(), [r#"fired g/Down{job="a"}"#]);
    stage.hold("up{job=a}", 1.0, 11);
    assert_eq!(stage.alerts(0), NONE);
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
}

#[test]
fn what_recovers_while_it_is_pending_begins_anew() {
    let mut stage = down_for(25_000);
    for _ in 0..5 {
        stage.hold("up", 0.0, 20);
        stage.hold("up", 1.0, 20);
    }
    assert_eq!(stage.news(), NONE);
}

#[test]
fn without_a_time_it_fires_at_once_and_each_series_is_an_alert() {
    let mut stage = down_for(0);
    for second in 0..11 {
        stage.store("up{job=a}", 0.0);
        stage.store("up{job=b}", if second > 5 { 0.0 } else { 1.0 });
        stage.pass(1_000);
    }
    assert_eq!(stage.alerts(0).len(), 2);
    assert_eq!(stage.news().len(), 2);
}

#[test]
fn a_pending_alert_fires_when_its_time_has_come_and_not_at_the_next_interval() {
    let rule = with(alert("Down", "up == 0"), |spec| spec.for_ms = 1_500);
    let mut slow = group(vec![rule]);
    slow.interval_ms = 600_000;
    let mut stage = Stage::new(vec![slow]);
    stage.arrive("up", 0.0);
    stage.pass(1_499);
    assert_eq!(stage.news(), NONE);
    stage.pass(1);
    assert_eq!(stage.news().len(), 1);
}

#[test]
fn it_keeps_firing_for_the_time_it_is_told() {
    let rule = with(alert("Down", "up == 0"), |spec| {
        spec.keep_firing_for_ms = 30_000
    });
    let mut stage = Stage::new(vec![group(vec![rule])]);
    stage.hold("up", 0.0, 11);
    assert_eq!(stage.news().len(), 1);
    stage.hold("up", 1.0, 20);
    assert_eq!(stage.alerts(0).len(), 1);
    // It fails again: the time begins anew.
    stage.hold("up", 0.0, 11);
    stage.hold("up", 1.0, 30);
    assert_eq!(stage.alerts(0).len(), 1);
    assert_eq!(stage.news(), NONE);
    stage.hold("up", 1.0, 20);
    assert_eq!(stage.news(), ["resolved g/Down{}"]);
}

#[test]
fn the_recovery_condition_must_hold_before_an_alert_is_over() {
    let rule = with(alert("Hot", "temperature > 80"), |spec| {
        spec.recovery = Some(Query::parse("temperature < 60").unwrap());
    });
    let mut stage = Stage::new(vec![group(vec![rule])]);
    stage.hold("temperature{room=a}", 90.0, 11);
    assert_eq!(stage.news().len(), 1);
    for between in [70.0, 75.0, 61.0] {
        stage.hold("temperature{room=a}", between, 11);
        stage.store("temperature{room=b}", 50.0);
        assert_eq!(stage.news(), NONE, "{between}");
    }
    stage.hold("temperature{room=a}", 59.0, 11);
    assert_eq!(stage.news(), [r#"resolved g/Hot{room="a"}"#]);
}

fn silent(no_data: NoData) -> Stage {
    let rule = with(alert("Down", "up == 0"), |spec| {
        spec.no_data = no_data;
        spec.no_data_after_ms = 120_000;
    });
    let mut stage = Stage::new(vec![group(vec![rule])]);
    // The data come again and again, so that the rule knows them.
    for _ in 0..60 {
        stage.arrive("up{job=a}", 0.0);
        stage.pass(1_000);
    }
    assert_eq!(stage.news().len(), 1);
    stage.pass(900_000);
    stage
}

#[test]
fn silence_is_health_unless_the_rule_says_otherwise() {
    assert_eq!(silent(NoData::Ok).news(), [r#"resolved g/Down{job="a"}"#]);
}

#[test]
fn silence_keeps_what_fires_when_the_rule_says_so() {
    let mut stage = silent(NoData::Keep);
    assert_eq!(stage.news(), NONE);
    stage.hold("up{job=a}", 1.0, 11);
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
}

#[test]
fn silence_is_an_alert_when_the_rule_says_so_and_ends_with_the_data() {
    let mut stage = silent(NoData::Alert);
    assert_eq!(stage.news(), [r#"fired g/Down{no_data="true"}"#]);
    assert_eq!(stage.alerts(0).len(), 2);
    stage.hold("up{job=a}", 0.0, 11);
    assert_eq!(stage.news(), [r#"resolved g/Down{no_data="true"}"#]);
    stage.hold("up{job=a}", 1.0, 11);
    assert_eq!(stage.news(), [r#"resolved g/Down{job="a"}"#]);
}

#[test]
fn a_group_with_a_limit_raises_nothing_above_it_and_says_so() {
    let mut limited = group(vec![alert("Down", "up == 0")]);
    limited.limit = 1;
    let mut stage = Stage::new(vec![limited]);
    stage.hold("up{job=a}", 0.0, 11);
    assert_eq!(stage.news().len(), 1);
    for _ in 0..11 {
        stage.store("up{job=a}", 0.0);
        stage.store("up{job=b}", 0.0);
        stage.pass(1_000);
    }
    assert_eq!(stage.news(), NONE);
    assert_eq!(stage.rule(0).health, Health::Bad);
    assert!(
        stage
            .rule(0)
            .error
            .unwrap()
            .contains("exceeded limit of 1 with 2 alerts")
    );
}

#[test]
fn equal_labels_of_two_alerts_are_an_error() {
    let mut stage = Stage::new(vec![group(vec![labelled(
        alert("Down", "up == 0"),
        "job",
        "x",
    )])]);
    for _ in 0..11 {
        stage.store("up{job=a}", 0.0);
        stage.store("up{job=b}", 0.0);
        stage.pass(1_000);
    }
    assert!(stage.rule(0).error.unwrap().contains("same labels"));
    assert_eq!(stage.alerts(0), NONE);
}

#[test]
fn a_query_that_fails_changes_nothing() {
    let mut stage = Stage::new(vec![group(vec![alert(
        "Down",
        "up == on() group_left() floor",
    )])]);
    stage.store("up{job=a}", 0.0);
    stage.store("floor", 0.0);
    stage.pass(10_000);
    assert_eq!(stage.news().len(), 1);
    stage.store("up{job=a}", 0.0);
    stage.store("floor{x=1}", 0.0);
    stage.pass(10_000);
    assert_eq!(stage.rule(0).health, Health::Bad);
    assert_eq!(stage.news(), NONE);
    assert_eq!(stage.alerts(0).len(), 1);
}

#[test]
fn what_is_told_carries_words_severity_and_the_sample_that_proves_it() {
    let check = |severity: &str, expected: Severity| {
        let rule = labelled(alert("Down", "up == 0"), "severity", severity);
        let mut stage = Stage::new(vec![group(vec![rule])]);
        stage.hold("up{instance=web-1}", 0.0, 11);
        let AlertAsk::RuleFired(fired) = stage.told.remove(0).ask else {
            panic!("it fires");
        };
        assert_eq!(fired.severity, expected, "{severity}");
        assert_eq!(fired.title, "Down on web-1");
        assert_eq!(fired.evidence[0].series, r#"up{instance="web-1"}"#);
        assert_eq!(fired.evidence[0].value, 0.0);
        assert_eq!(fired.evidence.last().unwrap().series, "up == 0");
        assert!(
            fired
                .details
                .contains(&("instance".to_owned(), "web-1".to_owned()))
        );
    };
    check("page", Severity::Critical);
    check("critical", Severity::Critical);
    check("warning", Severity::Warning);
    check("info", Severity::Info);
    check("error", Severity::Error);
    check("whatever", Severity::Error);
}

#[test]
fn a_summary_of_which_nothing_can_be_seen_is_none() {
    let rule = with(alert("Down", "up == 0"), |spec| {
        let summary = ("summary".to_owned(), Text::constant("\u{200b}"));
        spec.annotations = vec![summary];
    });
    let mut stage = Stage::new(vec![group(vec![rule])]);
    stage.hold("up{instance=web-1}", 0.0, 11);
    let AlertAsk::RuleFired(fired) = stage.told.remove(0).ask else {
        panic!("it fires");
    };
    assert_eq!(fired.title, "Down on web-1");
}

#[test]
fn a_rule_that_takes_too_long_is_given_up_and_says_so() {
    let long = "max_over_time(vector(time())[100s:1ms])";
    let rules = vec![record("long", long), record("short", "sum(up)")];
    let mut stage = Stage::new(vec![group(rules)]);
    stage.tick_us = 6_000_000;
    stage.store("up", 1.0);
    stage.pass(10_000);
    let view = stage.rule(0);
    assert_eq!(view.health, Health::Bad);
    let error = view.error.unwrap_or_default();
    assert!(error.contains("longer than 10 s"), "{error}");
    assert_eq!(
        stage.rule(1).health,
        Health::Good,
        "the next one is evaluated"
    );
    stage.tick_us = 0;
    stage.pass(10_000);
    assert_eq!(stage.rule(0).health, Health::Good);
}
