//! Configurations carried over.

mod grouping;
mod losses;
mod nothing;
mod quiet;
mod senders;

use super::receiver::RECIPIENTS_MAX;
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
        r#"when = { all = [{ field = "service", op = "equals", text = "default" }, { field = "details.team", op = "equals", text = "db" }, { any = [{ field = "details.severity", op = "equals", text = "critical" }, { field = "details.severity", op = "equals", text = "page" }] }, { field = "details.service", op = "starts_with", text = "mysql" }] }"#,
        r#"when = { all = [{ field = "service", op = "equals", text = "default" }, { not = { field = "details.env", op = "equals", text = "test" } }, { field = "details.team", op = "equals", text = "web, front" }] }"#,
        r#"{ from = "monday 20:00", until = "tuesday 00:00" }"#,
        r#"grouping = { content = ["details.alertname", "details.cluster"] }"#,
        r#"targets = [{ user = "ann@example.org" }, { user = "ops@example.org" }]"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for user in &imported.document.users {
        assert!(user.name.is_none() && user.role.is_none(), "{user:?}");
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
        "receiver \"mysql\": it tells nobody of anything",
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
    let mut deep = String::from("receivers: [ { name: r } ]\nroute:\n");
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

fn check_addresses(list: &str, expected: &[Result<(&str, &str), &str>]) {
    let found = address::mailboxes(list);
    let found: Vec<Result<(&str, &str), &str>> = found
        .iter()
        .map(|one| match one {
            Ok(mailbox) => Ok((mailbox.address.as_str(), mailbox.name.as_str())),
            Err(written) => Err(written.as_str()),
        })
        .collect();
    assert_eq!(found, expected, "{list}");
}

#[test]
fn a_list_of_addresses_is_parted_outside_of_quotes_brackets_comments_and_templates() {
    check_addresses("", &[]);
    check_addresses(
        "Ops@Example.org, ann@example.org,",
        &[Ok(("ops@example.org", "")), Ok(("ann@example.org", ""))],
    );
    check_addresses(
        r#"Ann  Example <ann@example.org>, "Ops, \"Team\"" <ops@example.org>,<bob@example.org>"#,
        &[
            Ok(("ann@example.org", "Ann Example")),
            Ok(("ops@example.org", "Ops, \"Team\"")),
            Ok(("bob@example.org", "")),
        ],
    );
    check_addresses(
        "ann@example.org (Ann, (the first) of us), Web: bob@example.org, \
         Carol <carol@example.org>; root@localhost",
        &[
            Ok(("ann@example.org", "Ann, the first of us")),
            Ok(("bob@example.org", "")),
            Ok(("carol@example.org", "Carol")),
            Ok(("root@localhost", "")),
        ],
    );
    check_addresses(
        r#"{{ index .x "a,b" }}, ann@example.org"#,
        &[Err(r#"{{ index .x "a,b" }}"#), Ok(("ann@example.org", ""))],
    );
    check_addresses(
        r#""{{ .x }}" <ann@example.org>"#,
        &[Ok(("ann@example.org", ""))],
    );
}

#[test]
fn what_is_no_address_to_which_mail_can_go_is_told_as_it_is_written() {
    for wrong in [
        "{{ .x }}",
        "{{.team}}@example.org",
        "ops-{{ .x }}@example.org",
        "Ann <{{ .x }}>",
        "nobody",
        "@example.org",
        "ann@",
        "ann@@example.org",
        "ann@example..org",
        "ann@example.org.",
        "ann@-example.org",
        ".ann@example.org",
        "ann example@example.org",
        "Ann <ann@example.org",
        "Ann <ann@example.org> Example",
        "<ann@example.org> <bob@example.org>",
        r#""ann@example.org"#,
        r#""ann"@example.org"#,
        "ann@[192.0.2.1]",
        "()",
    ] {
        check_addresses(wrong, &[Err(wrong)]);
    }
    let long = format!("{}@example.org", "a".repeat(65));
    check_addresses(&long, &[Err(&long)]);
}

#[test]
fn people_are_called_as_the_lists_call_them_and_what_is_no_address_is_told_with_its_place() {
    let given = r#"
route: { receiver: ops }
receivers:
  - name: ops
    email_configs:
      - to: 'ann@example.org, "Ops, Team" <OPS@example.org>, {{ .CommonLabels.owner }}'
  - name: web
    email_configs:
      - send_resolved: true
        to: Ann Example <ann@example.org>
  - name: owners
    email_configs:
      - to: '{{ .CommonLabels.owner }}'
"#;
    let imported = import(given).unwrap();
    let people: Vec<(&str, &str)> = imported
        .document
        .users
        .iter()
        .map(|user| (user.email.as_str(), user.name.as_deref().unwrap()))
        .collect();
    assert_eq!(
        people,
        [
            ("ann@example.org", "Ann Example"),
            ("ops@example.org", "Ops, Team")
        ]
    );
    let policies = &imported.document.escalation_policies;
    let names: Vec<&str> = policies.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ops", "web"], "nobody is mailed by the third");
    let remarks = imported.remarks.join("\n");
    for told in [
        "receiver \"ops\": nobody is made of what is no mail address, \"{{ .CommonLabels.owner }}\" (line 6): add",
        "receiver \"owners\": nobody is made of what is no mail address, \"{{ .CommonLabels.owner }}\" (line 13): add",
        "add by hand whom it stands for; it mails nobody",
    ] {
        assert!(remarks.contains(told), "{told}\n{remarks}");
    }
}

#[test]
fn what_a_server_would_refuse_is_left_out_and_told() {
    let people: Vec<String> = (10..22)
        .map(|index| format!("person{index}@example.org"))
        .collect();
    let long = "x".repeat(300);
    let choices: Vec<String> = (0..60).map(|index| format!("host{index}")).collect();
    let given = format!(
        r#"
route:
  receiver: {long}
  routes:
    - receiver: web
      matchers: [ 'host=~"{}"' ]
    - receiver: web
      matchers: [ team=web ]
      mute_time_intervals: [ here ]
receivers:
  - name: {long}
    email_configs: [ {{ to: "{}" }} ]
  - name: web
time_intervals:
  - name: here
    time_intervals: [ {{ weekdays: [ monday ], location: Local }} ]
"#,
        choices.join("|"),
        people.join(", ")
    );
    let imported = import(&given).unwrap();
    let document = &imported.document;
    assert_eq!(document.users.len(), 12);
    assert_eq!(
        document.escalation_policies[0].levels[0].targets.len(),
        RECIPIENTS_MAX
    );
    assert!(document.services.iter().all(|one| one.name.len() < 200));
    let rules = document.alert_rules.clone().unwrap();
    assert_eq!(rules.len(), 1, "{rules:?}");
    let remarks = imported.remarks.join("\n");
    for told in [
        "mails 12 people: the first 10",
        "the rule \"to web\" is left out",
        "time interval \"here\": times.time_zone: \"Local\" is not an IANA zone",
    ] {
        assert!(remarks.contains(told), "{told}\n{remarks}");
    }
}

#[test]
fn what_alertmanager_itself_refuses_is_refused_with_the_name_and_the_line() {
    let check = |given: &str, expected: &str| {
        assert_eq!(import(given).unwrap_err(), expected, "{given}");
    };
    let receivers = "receivers:\n- name: ops\n- name: web\n";
    check("", "nothing stands in it");
    check("# later\n\n", "nothing stands in it");
    check(
        receivers,
        "there is no route, without which Alertmanager does not run",
    );
    check(
        &format!("route:\n  group_by: [job]\n{receivers}"),
        "the first route names no receiver",
    );
    check(
        &format!("route:\n  receiver: opps\n{receivers}"),
        "line 2: a route leads to the receiver \"opps\", which is not there",
    );
    check(
        &format!(
            "route:\n  receiver: ops\n  routes:\n  - matchers: [a=b]\n    routes:\n    - receiver: webb\n{receivers}"
        ),
        "line 6: a route leads to the receiver \"webb\", which is not there",
    );
    check(
        &format!("route: {{ receiver: ops }}\n{receivers}- name: ops\n  webhook_configs: []\n"),
        "line 5: the receiver \"ops\" is there twice: it stands in line 3 too",
    );
    check(
        &format!("route: {{ receiver: ops }}\n{receivers}- name: ''\n"),
        "line 5: a receiver has no name",
    );
}
