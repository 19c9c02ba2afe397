//! Receivers that are there to keep alerts quiet page nobody.

use super::*;

#[test]
fn a_receiver_without_any_way_to_tell_somebody_suppresses_also_behind_the_first_route() {
    let given = r#"
route:
  receiver: "null"
  routes:
    - receiver: blackhole
      matchers: [ alertname=Watchdog ]
    - receiver: web
      matchers: [ team=web ]
receivers:
  - name: "null"
  - name: blackhole
    slack_configs: []
    webhook_configs:
  - name: web
    slack_configs: [ { channel: x } ]
"#;
    let imported = import(given).unwrap();
    let (always, suppress) = (Condition::default(), [Action::Suppress]);
    let suppresses = [(&always, suppress.as_slice())];
    for service in &imported.document.services {
        let name = &service.name;
        let is_silent = name != "web";
        let does: Vec<(&Condition, &[Action])> = service
            .rules
            .iter()
            .map(|rule| (&rule.when, rule.then.as_slice()))
            .collect();
        assert_eq!(does == suppresses, is_silent, "{name}: {does:?}");
        assert_eq!(does.is_empty(), !is_silent, "{name}: {does:?}");
        let told = format!("receiver {name:?}: it tells nobody of anything: a rule of its service");
        let is_told = imported.remarks.iter().any(|one| one.starts_with(&told));
        assert_eq!(is_told, is_silent, "{:?}", imported.remarks);
    }
    let text = canonical(&imported.document);
    assert!(text.contains("then = [\"suppress\"]"), "{text}");
    assert!(
        text.contains("then = [{ route = \"blackhole\" }]"),
        "{text}"
    );
}

/// What a service of that name does with all its alerts.
fn rules_of<'a>(imported: &'a Imported, name: &str) -> &'a [Rule] {
    let mut services = imported.document.services.iter();
    &services.find(|one| one.name == name).unwrap().rules
}

#[test]
fn a_receiver_that_tells_nobody_keeps_nothing_quiet_where_a_route_is_left_out() {
    let given = r#"
route:
  receiver: "null"
  routes:
    - receiver: pager
      matchers: [ 'severity=~"crit.+"' ]
receivers:
  - name: "null"
  - name: pager
    slack_configs: [ { channel: x } ]
"#;
    let imported = import(given).unwrap();
    assert!(rules_of(&imported, "null").is_empty());
    let told =
        "receiver \"null\": it tells nobody of anything: but since routes or rules are left out";
    let is_told = imported.remarks.iter().any(|one| one.starts_with(told));
    assert!(is_told, "{:?}", imported.remarks);
}

#[test]
fn a_route_to_a_receiver_that_tells_nobody_and_continues_keeps_nothing_from_those_behind_it() {
    let given = r#"
route:
  receiver: pager
  routes:
    - receiver: blackhole
      continue: true
    - receiver: web
      matchers: [ team=web ]
receivers:
  - name: blackhole
  - name: web
    slack_configs: [ { channel: x } ]
  - name: pager
    slack_configs: [ { channel: y } ]
"#;
    let imported = import(given).unwrap();
    let rules = imported.document.alert_rules.as_deref().unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["to web"]);
    assert_eq!(rules_of(&imported, "blackhole").len(), 1);
    let told = "a route to \"blackhole\" continues: it tells nobody";
    let is_told = imported.remarks.iter().any(|one| one.starts_with(told));
    assert!(is_told, "{:?}", imported.remarks);
}
