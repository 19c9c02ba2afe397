//! Rules of the installation are asked about every alert: those that come of routes hold for what an Alertmanager would have got.

use super::*;

#[test]
fn each_rule_holds_only_for_what_is_sent_to_the_service_of_the_first_route() {
    let given = r#"
route:
  receiver: ops
  routes:
    - receiver: web
      matchers: [ team=web ]
      routes:
        - receiver: shop
    - receiver: rest
      mute_time_intervals: [ nights ]
receivers:
  - name: ops
  - name: web
  - name: shop
  - name: rest
    slack_configs: [ { channel: x } ]
time_intervals:
  - name: nights
    time_intervals: [ { times: [ { start_time: "00:00", end_time: "08:00" } ] } ]
"#;
    let imported = import(given).unwrap();
    let rules = imported.document.alert_rules.as_deref().unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let all = ["to shop", "to web", "quiet hours of rest", "to rest"];
    assert_eq!(names, all);
    let sent = sent_to("ops");
    for rule in rules {
        let first = rule.when.all.as_ref().and_then(|each| each.first());
        assert_eq!(first.unwrap_or(&rule.when), &sent, "{rule:?}");
    }
    let text = canonical(&imported.document);
    let when = r#"when = { field = "service", op = "equals", text = "ops" }"#;
    assert!(text.contains(when), "{text}");
    let told = "they ask for that name";
    let is_told = imported.remarks.iter().any(|one| one.contains(told));
    assert!(is_told, "{:?}", imported.remarks);
}
