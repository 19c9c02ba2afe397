//! Alerts that were one group are one incident, or it is told that they are not.

use super::*;

/// How each service groups, with the names of the labels.
fn groupings(imported: &Imported) -> Vec<(String, String)> {
    let services = imported.document.services.iter();
    let told = services.map(|service| {
        let grouping = serde_json::to_string(&service.grouping).unwrap();
        (service.name.clone(), grouping.replace("details.", ""))
    });
    told.collect()
}

fn check(given: &str, expected: &[(&str, &str)], told: &[&str], untold: &[&str]) {
    let imported = import(given).unwrap();
    let expected = expected.iter();
    let expected: Vec<(String, String)> = expected
        .map(|(name, grouping)| ((*name).to_owned(), (*grouping).to_owned()))
        .collect();
    assert_eq!(groupings(&imported), expected);
    let remarks = imported.remarks.join("\n");
    for text in told {
        assert!(remarks.contains(text), "{text}\n{remarks}");
    }
    for text in untold {
        assert!(!remarks.contains(text), "{text}\n{remarks}");
    }
}

#[test]
fn a_route_that_says_nothing_groups_as_the_one_around_it() {
    let given = r#"
route:
  receiver: ops
  group_by: [alertname, cluster]
  routes:
    - receiver: web
      matchers: [ team=web ]
      routes:
        - receiver: shop
          group_by: []
          matchers: [ app=shop ]
        - receiver: each
          group_by: ['...']
          matchers: [ app=each ]
          routes:
            - receiver: deep
              matchers: [ deep=yes ]
            - receiver: jobs
              group_by: [job]
              matchers: [ deep=no ]
receivers: [ { name: ops }, { name: web }, { name: shop }, { name: each }, { name: deep }, { name: jobs } ]
"#;
    let both = r#"{"content":["alertname","cluster"]}"#;
    check(
        given,
        &[
            ("deep", "\"nothing\""),
            ("each", "\"nothing\""),
            ("jobs", r#"{"content":["job"]}"#),
            ("ops", both),
            ("shop", both),
            ("web", both),
        ],
        &[],
        &["group_by holds", "group in different ways"],
    );
}

#[test]
fn routes_that_nobody_groups_are_told_since_they_were_one_group_each() {
    let given = r#"
route:
  receiver: ops
  routes:
    - receiver: web
      matchers: [ team=web ]
    - receiver: shop
      group_by: [job]
      matchers: [ team=shop ]
receivers: [ { name: ops }, { name: web }, { name: shop } ]
inhibit_rules:
  - source_matchers: [ severity="critical" ]
"#;
    check(
        given,
        &[
            ("ops", "\"nothing\""),
            ("shop", r#"{"content":["job"]}"#),
            ("web", "\"nothing\""),
        ],
        &[
            "no group_by holds for routes to \"ops\", \"web\": ",
            "1 inhibit_rules are left out: no alert keeps another one quiet",
        ],
        &[],
    );
}

#[test]
fn of_routes_to_one_receiver_the_first_that_groups_counts_and_the_others_are_told() {
    let given = r#"
route:
  receiver: ops
  group_by: ['...']
  routes:
    - receiver: ops
      group_by: [job]
      matchers: [ team=web ]
receivers: [ { name: ops } ]
"#;
    check(
        given,
        &[("ops", "\"nothing\"")],
        &["routes to \"ops\" group in different ways: the first one counts"],
        &[],
    );
}
