//! What says nothing is taken for nothing: lists that are null, and patterns that any text fits.

use super::*;

#[test]
fn a_list_that_is_null_is_empty_as_alertmanager_takes_it() {
    let given = r#"
route:
  receiver: a
  group_by:
  match: ~
  routes:
    - receiver: b
      matchers: [ team=b ]
      match_re: null
      continue:
      mute_time_intervals:
      active_time_intervals: null
      routes:
receivers: [ { name: a, email_configs: }, { name: b, email_configs: null, slack_configs: ~ } ]
inhibit_rules:
templates:
mute_time_intervals: null
time_intervals:
  - name: always
    time_intervals:
  - name: nights
    time_intervals:
      - times: [ { start_time: "00:00", end_time: "08:00" } ]
        weekdays:
        months: null
"#;
    let imported = import(given).unwrap();
    let names: Vec<&str> = imported
        .document
        .services
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(imported.document.alert_rules.unwrap().len(), 1);
    let remarks = imported.remarks.join("\n");
    for untold in ["_configs", "inhibit_rules", "templates", "continues"] {
        assert!(!remarks.contains(untold), "{remarks}");
    }
}

fn check(matcher: &str, expected: &[&str], told: &str) {
    let given = format!(
        "route:\n  receiver: ops\n  routes:\n  - receiver: web\n    matchers: [ 'team=\"web\"', '{matcher}' ]\n    routes:\n    - receiver: shop\n      \
         matchers: [ 'app=\"shop\"' ]\nreceivers: [ {{ name: ops }}, {{ name: web }}, {{ name: shop }} ]\n"
    );
    let imported = import(&given).unwrap();
    let rules = imported.document.alert_rules.unwrap_or_default();
    let found: Vec<String> = rules
        .iter()
        .map(|rule| format!("{}: {}", rule.name, matcher::count(&rule.when)))
        .collect();
    assert_eq!(found, expected, "{matcher}");
    let remarks = imported.remarks.join("\n");
    assert!(remarks.contains(told), "{matcher}: {remarks}");
}

#[test]
fn a_pattern_that_any_text_fits_is_no_condition() {
    // In a list, the condition on the service and the one on the team, and with them the one on the application.
    let kept = ["to shop: 4", "to web: 3"];
    for any in [".*", "^.*$", "(.*)", "(?:.*)", "a|.*"] {
        check(&format!("sev=~\"{any}\""), &kept, "");
    }
}

#[test]
fn a_pattern_that_only_seems_to_be_a_choice_of_any_text_is_left_out_and_told() {
    for other in ["x(a|.*|b)y", "x[|.*|]"] {
        check(&format!("sev=~\"{other}\""), &[], "cannot be said here");
    }
    check(
        "sev!~\".*\"",
        &[],
        "no text misfits the pattern \".*\" of \"sev\"",
    );
}
