//! What rules write: recorded series, the series of alerts, and how both end.

use super::stage::{Stage, alert, group, labelled, record, with};

/// Goes to a time just before a slot of the group, so that times in tests are simple.
fn at_a_slot(stage: &mut Stage) -> i64 {
    let before = stage.evaluated;
    while stage.evaluated == before {
        stage.pass(1);
    }
    stage.now_ms
}

#[test]
fn a_recorded_series_gets_the_rules_name_and_labels_and_ends_when_the_answer_ends() {
    let rule = labelled(record("job:up:sum", "sum by (job) (up)"), "level", "job");
    let mut stage = Stage::new(vec![group(vec![rule])]);
    let slot = at_a_slot(&mut stage);
    stage.store("up{job=a,instance=1}", 1.0);
    stage.store("up{job=a,instance=2}", 1.0);
    stage.pass(10_000);
    assert_eq!(
        stage.memory.shown("job:up:sum"),
        [format!(
            r#"job:up:sum{{job="a", level="job"}} 2@{}"#,
            slot + 10_000
        )]
    );
    stage.pass(300_000);
    let shown = stage.memory.shown("job:up:sum");
    assert!(
        shown[0].contains(&format!("stale@{}", slot + 300_000)),
        "{shown:?}"
    );
    stage.pass(100_000);
    assert_eq!(stage.memory.shown("job:up:sum"), shown);
}

#[test]
fn the_series_of_an_alert_follow_its_state() {
    let rule = with(alert("Down", "up == 0"), |spec| spec.for_ms = 15_000);
    let mut stage = Stage::new(vec![group(vec![rule])]);
    let slot = at_a_slot(&mut stage);
    stage.hold("up", 0.0, 26);
    stage.hold("up", 1.0, 5);
    let (first, fires, second, over) = (slot + 10_000, slot + 25_000, slot + 20_000, slot + 30_000);
    let shown = stage.memory.shown("ALERTS");
    assert_eq!(
        shown,
        [
            format!(r#"ALERTS{{alertname="Down", alertstate="firing"}} 1@{fires} stale@{over}"#),
            format!(
                r#"ALERTS{{alertname="Down", alertstate="pending"}} 1@{first} 1@{second} stale@{fires}"#
            ),
        ]
    );
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let since = first as f64 / 1_000.0;
    assert_eq!(
        stage.memory.shown("ALERTS_FOR_STATE"),
        [format!(
            r#"ALERTS_FOR_STATE{{alertname="Down"}} {since}@{first} {since}@{second} {since}@{fires} stale@{over}"#
        )]
    );
}

#[test]
fn rules_of_a_group_see_what_the_ones_before_them_wrote() {
    let mut stage = Stage::new(vec![group(vec![
        record("a", "up + 1"),
        record("b", "a + 1"),
        alert("B", "b == 3"),
    ])]);
    at_a_slot(&mut stage);
    stage.store("up", 1.0);
    stage.pass(10_000);
    assert_eq!(stage.news(), ["fired g/B{}"]);
}

#[test]
fn two_rules_that_write_the_same_series_at_once_are_an_error_of_the_second() {
    let mut stage = Stage::new(vec![group(vec![record("a", "up"), record("a", "up + 1")])]);
    at_a_slot(&mut stage);
    stage.store("up", 1.0);
    stage.pass(10_000);
    assert_eq!(stage.rule(0).error, None);
    assert!(stage.rule(1).error.unwrap().contains("at the same time"));
    assert!(stage.memory.shown("a")[0].starts_with("a 1@"));
}

#[test]
fn equal_labels_after_those_of_the_rule_are_an_error() {
    let mut stage = Stage::new(vec![group(vec![labelled(record("a", "up"), "job", "x")])]);
    at_a_slot(&mut stage);
    stage.store("up{job=a}", 1.0);
    stage.store("up{job=b}", 1.0);
    stage.pass(10_000);
    assert!(stage.rule(0).error.unwrap().contains("same labels"));
    stage.pass(10_000);
    assert!(
        stage.rule(0).error.is_some(),
        "it is still an error at the next look"
    );
    assert!(stage.memory.shown("a").is_empty());
}

#[test]
fn a_limit_holds_for_recorded_series_too() {
    let mut limited = group(vec![record("a", "up")]);
    limited.limit = 1;
    let mut stage = Stage::new(vec![limited]);
    at_a_slot(&mut stage);
    stage.store("up{job=a}", 1.0);
    stage.store("up{job=b}", 1.0);
    stage.pass(10_000);
    assert!(
        stage
            .rule(0)
            .error
            .unwrap()
            .contains("exceeded limit of 1 with 2 series")
    );
}

#[test]
fn an_offset_asks_and_writes_in_the_past() {
    let mut late = group(vec![record("a", "up")]);
    late.query_offset_ms = 5_000;
    let mut stage = Stage::new(vec![late]);
    let slot = at_a_slot(&mut stage);
    stage.arrive("up", 1.0);
    stage.pass(10_000);
    assert_eq!(stage.memory.shown("a"), [format!("a 1@{}", slot + 5_000)]);
}

#[test]
fn a_number_is_recorded_without_labels() {
    let mut stage = Stage::new(vec![group(vec![record("a", "1 + 1")])]);
    let slot = at_a_slot(&mut stage);
    assert_eq!(stage.memory.shown("a"), [format!("a 2@{slot}")]);
}
