//! Rules, alerts and targets, as Prometheus' clients ask for them.

use serde_json::{Value, json};
use tocsin_edge::ports::rules::{
    AlertState, AlertingRule, Rule, RuleAlert, RuleGroup, RuleHealth, RuleKind,
};
use tocsin_edge::ports::scrape::{ActiveTarget, DroppedTarget, TargetHealth};

use super::{data, refused, world};
use crate::fakes::START;

fn rule(name: &str, kind: RuleKind) -> Rule {
    Rule {
        name: name.to_owned(),
        query: "up == 0".to_owned(),
        labels: [("severity".to_owned(), "page".to_owned())].into(),
        health: RuleHealth::Ok,
        last_error: None,
        evaluation_us: 1_500,
        last_evaluation: Some(START),
        kind,
    }
}

fn group() -> RuleGroup {
    let alert = RuleAlert {
        labels: [("alertname".to_owned(), "Down".to_owned())].into(),
        annotations: [("summary".to_owned(), "It is down".to_owned())].into(),
        state: AlertState::Firing,
        active_at: Some(START),
        keep_firing_since: None,
        value: 12.5,
    };
    let alerting = AlertingRule {
        for_ms: 90_000,
        keep_firing_for_ms: 0,
        annotations: [("summary".to_owned(), "{{ $labels.job }}".to_owned())].into(),
        alerts: vec![alert],
    };
    RuleGroup {
        name: "web".to_owned(),
        file: "/etc/rules.yml".to_owned(),
        interval_ms: 15_000,
        rules: vec![
            rule("Down", RuleKind::Alerting(alerting)),
            rule("job:up", RuleKind::Recording),
        ],
        ..RuleGroup::default()
    }
}

#[tokio::test]
async fn rules_and_alerts_have_prometheus_shape() {
    let world = world();
    *world.rules.0.lock().unwrap() = vec![group()];
    let at = START.to_rfc3339();
    let alert = json!({"labels": {"alertname": "Down"}, "annotations": {"summary": "It is down"},
        "state": "firing", "activeAt": at, "value": "1.25e+01"});
    let alerting = json!({"name": "Down", "query": "up == 0", "labels": {"severity": "page"}, "state": "firing",
        "duration": 90, "keepFiringFor": 0, "annotations": {"summary": "{{ $labels.job }}"}, "alerts": [alert],
        "health": "ok", "evaluationTime": 0.0015, "lastEvaluation": at, "type": "alerting"});
    let recording = json!({"name": "job:up", "query": "up == 0", "labels": {"severity": "page"},
        "health": "ok", "evaluationTime": 0.0015, "lastEvaluation": at, "type": "recording"});
    let shown = |rules: Value| {
        json!({"groups": [{"name": "web", "file": "/etc/rules.yml", "rules": rules,
        "interval": 15, "limit": 0, "evaluationTime": 0, "lastEvaluation": "0001-01-01T00:00:00Z"}]})
    };
    let rules = "/api/v1/rules";
    assert_eq!(
        data(&world, rules, &[]).await,
        shown(json!([alerting, recording]))
    );
    assert_eq!(
        data(&world, rules, &[("type", "record")]).await,
        shown(json!([recording]))
    );
    assert_eq!(
        data(&world, rules, &[("rule_name[]", "job:up")]).await,
        shown(json!([recording]))
    );
    for nothing in [
        ("rule_group[]", "other"),
        ("file[]", "other"),
        ("match[]", "{severity=\"other\"}"),
    ] {
        assert_eq!(data(&world, rules, &[nothing]).await, json!({"groups": []}));
    }
    let without = data(
        &world,
        rules,
        &[("exclude_alerts", "true"), ("type", "alert")],
    )
    .await;
    assert_eq!(without["groups"][0]["rules"][0]["alerts"], json!([]));
    assert_eq!(
        data(&world, "/api/v1/alerts", &[]).await,
        json!({"alerts": [alert]})
    );
}

#[tokio::test]
async fn groups_of_rules_come_in_pages_when_asked() {
    let world = world();
    let named = |name: &str| RuleGroup {
        name: name.to_owned(),
        ..group()
    };
    *world.rules.0.lock().unwrap() = ["a", "b", "c"].map(named).to_vec();
    let first = data(&world, "/api/v1/rules", &[("group_limit", "2")]).await;
    assert_eq!(first["groups"].as_array().unwrap().len(), 2);
    let token = first["groupNextToken"].as_str().unwrap();
    let rest = data(
        &world,
        "/api/v1/rules",
        &[("group_limit", "2"), ("group_next_token", token)],
    )
    .await;
    assert_eq!(rest["groups"][0]["name"], "c");
    assert!(rest.get("groupNextToken").is_none());
    let gone = [("group_next_token", "gone")];
    refused(&world, "/api/v1/rules", &gone, 400).await;
}

#[tokio::test]
async fn targets_have_prometheus_shape() {
    let world = world();
    let labels = |pairs: [(&str, &str); 1]| pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    *world.targets.active.lock().unwrap() = vec![ActiveTarget {
        discovered_labels: labels([("__address__", "a:1")]),
        labels: labels([("instance", "a:1")]),
        pool: "web".to_owned(),
        scrape_url: "http://a:1/metrics".to_owned(),
        global_url: "http://a:1/metrics".to_owned(),
        last_scrape: Some(START),
        last_scrape_us: 2_000,
        health: TargetHealth::Up,
        interval_ms: 15_000,
        timeout_ms: 10_000,
        ..ActiveTarget::default()
    }];
    *world.targets.dropped.lock().unwrap() = vec![DroppedTarget {
        discovered_labels: labels([("__address__", "b:1")]),
        pool: "web".to_owned(),
    }];
    let active = json!({"discoveredLabels": {"__address__": "a:1"}, "labels": {"instance": "a:1"}, "scrapePool": "web",
        "scrapeUrl": "http://a:1/metrics", "globalUrl": "http://a:1/metrics", "lastError": "",
        "lastScrape": START.to_rfc3339(), "lastScrapeDuration": 0.002, "health": "up",
        "scrapeInterval": "15s", "scrapeTimeout": "10s"});
    let dropped = json!({"discoveredLabels": {"__address__": "b:1"}, "scrapePool": "web"});
    assert_eq!(
        data(&world, "/api/v1/targets", &[]).await,
        json!({"activeTargets": [active],
        "droppedTargets": [dropped], "droppedTargetCounts": {"web": 3}})
    );
    let only = data(&world, "/api/v1/targets", &[("state", "dropped")]).await;
    assert_eq!(only["activeTargets"], json!([]));
    let other = data(&world, "/api/v1/targets", &[("scrapePool", "other")]).await;
    assert_eq!(other["activeTargets"], json!([]));
    assert_eq!(
        data(&world, "/api/v1/scrape_pools", &[]).await,
        json!({"scrapePools": ["web"]})
    );
}
