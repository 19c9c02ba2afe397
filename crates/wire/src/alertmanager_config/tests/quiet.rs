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
