//! Evaluation on arrival: at once, coalesced, and not at all when nothing that is needed arrived.

use proptest::prelude::*;

use super::stage::{Stage, alert, group, record, with};

/// A group whose interval never comes in a test.
fn rare(rules: Vec<tocsin_engine::rules::RuleSpec>) -> Stage {
    let mut group = group(rules);
    group.interval_ms = 1_000_000_000_000;
    Stage::new(vec![group])
}

#[test]
fn a_sample_that_a_rule_needs_makes_it_fire_at_once_at_the_time_of_the_sample() {
    let mut stage = rare(vec![alert("Down", "up == 0")]);
    stage.arrive("up{job=a}", 0.0);
    stage.settle();
    assert_eq!(stage.news(), [r#"fired g/Down{job="a"}"#]);
    assert_eq!(stage.evaluated, 1);
}

#[test]
fn nothing_is_asked_when_nothing_that_a_rule_needs_arrived() {
    let rules = (0..1_000).map(|at| alert(&format!("A{at}"), &format!("metric_{at} > 1")));
    let mut stage = rare(rules.collect());
    for _ in 0..100 {
        stage.arrive("other", 1.0);
        stage.pass(100);
    }
    assert_eq!(stage.memory.asked(), 0);
    stage.arrive("metric_7", 2.0);
    stage.settle();
    assert_eq!(stage.evaluated, 1);
    assert_eq!(stage.news(), ["fired g/A7{}"]);
}

#[test]
fn arrivals_in_short_order_are_one_evaluation_and_the_newest_time_wins() {
    let mut stage = rare(vec![alert("Down", "up == 0")]);
    stage.arrive("up", 1.0);
    stage.settle();
    assert_eq!(stage.evaluated, 1);
    for _ in 0..20 {
        stage.pass(10);
        stage.arrive("up", 0.0);
    }
    assert_eq!(stage.evaluated, 1);
    let newest = stage.now_ms;
    stage.pass(100);
    assert_eq!(stage.evaluated, 2);
    assert_eq!(stage.news().len(), 1);
    let shown = stage.memory.shown("ALERTS");
    assert!(shown[0].ends_with(&format!("1@{newest}")), "{shown:?}");
}

#[test]
fn a_rule_that_takes_long_is_woken_less_often() {
    let mut stage = rare(vec![alert("Down", "up == 0")]);
    stage.tick_us = 50_000;
    for _ in 0..100 {
        stage.arrive("up", 1.0);
        stage.pass(100);
    }
    assert!((5..=11).contains(&stage.evaluated), "{}", stage.evaluated);
}

#[test]
fn what_a_rule_records_wakes_the_rules_that_need_it_whatever_their_order() {
    let mut stage = rare(vec![
        alert("B", "b == 3"),
        record("b", "a + 1"),
        record("a", "up + 1"),
        record("unneeded", "up + 5"),
    ]);
    stage.arrive("up", 1.0);
    stage.settle();
    assert_eq!(stage.news(), ["fired g/B{}"]);
    assert_eq!(
        stage.evaluated, 3,
        "what no alert needs waits for its interval"
    );
}

#[test]
fn a_rule_that_reads_what_it_writes_does_not_wake_itself() {
    let mut stage = rare(vec![
        alert("Loud", r#"up == 0 unless ALERTS{alertname="Other"}"#),
        alert("Other", r#"up == 0 and on() ALERTS{alertname="Loud"}"#),
    ]);
    for _ in 0..10 {
        stage.arrive("up", 0.0);
        stage.pass(1_000);
    }
    assert!(stage.evaluated <= 40, "{}", stage.evaluated);
}

#[test]
fn a_pattern_of_names_is_woken_by_the_metrics_that_fit() {
    let mut stage = rare(vec![alert("Any", r#"{__name__=~"web_.+"} == 0"#)]);
    stage.arrive("other", 0.0);
    stage.settle();
    assert_eq!(stage.evaluated, 0);
    stage.arrive("web_up", 0.0);
    stage.settle();
    assert_eq!(stage.evaluated, 1);
    assert_eq!(stage.news().len(), 1);
}

#[test]
fn a_sample_from_far_in_the_future_does_not_move_the_rules_there() {
    let mut stage = rare(vec![alert("Down", "up == 0")]);
    stage.store("up", 0.0);
    stage.say(&["up"], stage.now_ms + 3_600_000);
    stage.settle();
    assert_eq!(stage.news().len(), 1);
    let shown = stage.memory.shown("ALERTS");
    assert!(
        shown[0].ends_with(&format!("1@{}", stage.now_ms + 5_000)),
        "{shown:?}"
    );
}

#[test]
fn a_late_sample_is_judged_with_what_is_known_now() {
    let mut stage = rare(vec![alert("Down", "up == 0")]);
    stage.arrive("up{job=a}", 1.0);
    stage.pass(1_000);
    stage.memory.put(
        &super::stage::labels("up{job=b}"),
        stage.now_ms - 30_000,
        0.0,
    );
    stage.say(&["up"], stage.now_ms - 30_000);
    stage.settle();
    assert_eq!(stage.news(), [r#"fired g/Down{job="b"}"#]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the values: a rule that is woken by each sample is in the same state at each of its times as one that is
    /// evaluated at those times by an interval.
    #[test]
    fn on_arrival_the_same_states_are_reached_as_by_an_interval(
        values in proptest::collection::vec((0_u8..2, 0_u8..2), 1..60),
        for_s in 0_u64..8, keep_s in 0_u64..8,
    ) {
        let rule = || with(alert("Down", "up == 0"), |spec| {
            spec.for_ms = for_s * 1_000;
            spec.keep_firing_for_ms = keep_s * 1_000;
        });
        let mut woken = rare(vec![rule()]);
        let mut regular = group(vec![rule()]);
        regular.interval_ms = 1_000;
        let mut regular = Stage::new(vec![regular]);
        // To a slot of the one with an interval, and to the same time with the other.
        while regular.evaluated == 0 {
            regular.pass(1);
        }
        woken.now_ms = regular.now_ms;
        for (one, other) in values {
            for stage in [&mut woken, &mut regular] {
                stage.pass(999);
                stage.now_ms += 1;
                stage.store("up{job=a}", f64::from(one));
                stage.store("up{job=b}", f64::from(other));
                stage.say(&["up"], stage.now_ms);
            }
            woken.settle();
            regular.settle();
            prop_assert_eq!(woken.alerts(0), regular.alerts(0));
            prop_assert_eq!(woken.news(), regular.news());
        }
    }
}
