//! Configurations carried over.

use super::*;
use crate::code::{canonical, read, write};

const CONFIG: &str = r##"
global:
  smtp_from: alerts@example.org
route:
  receiver: default
  group_by: [alertname, cluster]
  group_wait: 30s
  repeat_interval: 4h
  routes:
    - receiver: databases
      matchers:
        - team="db"
        - severity=~"critical|page"
      mute_time_intervals: [nights]
      routes:
        - receiver: mysql
          match_re:
            service: mysql.*
    - receiver: odd
      matchers: [ 'host=~"web[0-9]+"' ]
    - receiver: web
      matchers: [ '{env!="test", team="web, front"}' ]
      continue: true
receivers:
  - name: default
    email_configs:
      - to: Ops@example.org, ann@example.org
        send_resolved: true
  - name: databases
    pagerduty_configs:
      - routing_key: very-secret
  - name: mysql
  - name: odd
  - name: web
    slack_configs: [ { channel: "#web" }, { channel: "#more" } ]
inhibit_rules:
  - source_matchers: [ severity="critical" ]
time_intervals:
  - name: nights
    time_intervals:
      - weekdays: ["monday:tuesday"]
        times: [ { start_time: "00:00", end_time: "08:00" }, { start_time: "20:00", end_time: "24:00" } ]
        location: Europe/Paris
  - name: holidays
    time_intervals:
      - months: ["december"]
"##;

#[test]
fn routes_become_rules_in_the_order_in_which_they_hold() {
    let imported = import(CONFIG).unwrap();
    let rules = imported.document.alert_rules.clone().unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "to mysql",
            "quiet hours of databases",
            "to databases",
            "to web"
        ]
    );
    let text = canonical(&imported.document);
    for line in [
        r#"when = { all = [{ field = "details.team", op = "equals", text = "db" }, { any = [{ field = "details.severity", op = "equals", text = "critical" }, { field = "details.severity", op = "equals", text = "page" }] }, { field = "details.service", op = "starts_with", text = "mysql" }] }"#,
        r#"when = { all = [{ not = { field = "details.env", op = "equals", text = "test" } }, { field = "details.team", op = "equals", text = "web, front" }] }"#,
        r#"{ from = "monday 20:00", until = "tuesday 00:00" }"#,
        r#"grouping = { content = ["details.alertname", "details.cluster"] }"#,
        r#"targets = [{ user = "ann@example.org" }, { user = "ops@example.org" }]"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn conditions_are_read_as_alertmanagers_api_reads_them() {
    let given = r#"
route:
  receiver: ops
  routes:
    - receiver: web
      matchers: [ 'größe=~"web\\.eu"', 'a="b\\c\\"', '"service.name"!=x' ]
    - receiver: bad
      matchers: [ 'a^b' ]
receivers: [ { name: ops }, { name: web }, { name: bad } ]
"#;
    let imported = import(given).unwrap();
    let text = canonical(&imported.document);
    for line in [
        r#"{ field = "details.größe", op = "equals", text = "web.eu" }"#,
        r#"{ field = "details.a", op = "equals", text = "b\\c\\" }"#,
        r#"{ not = { field = "details.service.name", op = "equals", text = "x" } }"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let remarks = imported.remarks.join("\n");
    assert!(remarks.contains("bad matcher format: a^b"), "{remarks}");
}

#[test]
fn what_has_no_counterpart_is_told_and_no_key_is_carried_over() {
    let imported = import(CONFIG).unwrap();
    let remarks = imported.remarks.join("\n");
    for told in [
        "group_wait",
        "repeat_interval",
        "1 inhibit_rules",
        "global",
        "receiver \"databases\": 1 of pagerduty_configs",
        "receiver \"web\": 2 of slack_configs",
        "receiver \"mysql\" mails nobody",
        "\"web[0-9]+\"",
        "a route to \"web\" continues",
        "time interval \"holidays\"",
    ] {
        assert!(remarks.contains(told), "{told}\n{remarks}");
    }
    let all = format!("{remarks}{}", canonical(&imported.document));
    assert!(!all.contains("very-secret"));
}

#[test]
fn what_was_carried_over_is_read_back_as_itself() {
    let imported = import(CONFIG).unwrap();
    let (read, _) = read(&write(&imported.document)).unwrap();
    assert_eq!(read, imported.document);
}

#[test]
fn what_is_no_configuration_is_refused_with_its_line() {
    let refused = import("route:\n  receiver: [1\n").unwrap_err();
    assert!(refused.starts_with("line "), "{refused}");
    assert!(import(&" ".repeat(CONFIG_BYTES_MAX + 1)).is_err());
    assert!(import("").unwrap().document.is_empty());
    let mut deep = String::from("route:\n");
    for depth in 1..60 {
        deep.push_str(&format!(
            "{0}receiver: r\n{0}routes:\n{0}-\n",
            " ".repeat(depth * 2)
        ));
    }
    if let Ok(imported) = import(&deep) {
        assert!(imported.remarks.iter().any(|one| one.contains("deep")));
    }
}
