//! What could not be carried over is told: all of it, the gravest first.

use super::super::remarks::REMARKS_MAX;
use super::*;

#[test]
fn a_route_that_is_left_out_is_told_first_however_many_receivers_there_are() {
    let names: Vec<String> = (100..170).map(|index| format!("team{index}")).collect();
    let receivers: String = names
        .iter()
        .map(|name| {
            format!(
                "- name: {name}\n  slack_configs: [ {{ channel: x }} ]\n  pagerduty_configs: [ {{ routing_key: y }}, {{ routing_key: z }} ]\n"
            )
        })
        .collect();
    let given = format!(
        "route:\n  receiver: team100\n  routes:\n  - receiver: team101\n    matchers: [ 'job=~\"api-[0-9]+\"' ]\nreceivers:\n{receivers}"
    );
    let remarks = import(&given).unwrap().remarks;
    assert!(
        remarks[0].starts_with("a route to \"team101\" is left out"),
        "{remarks:?}"
    );
    for name in &names {
        let told: Vec<&String> = remarks
            .iter()
            .filter(|one| one.starts_with(&format!("receiver {name:?}: ")))
            .collect();
        assert_eq!(told.len(), 1, "one line for each: {told:?}");
        for what in [
            "2 of pagerduty_configs, 1 of slack_configs",
            "it mails nobody",
        ] {
            assert!(told[0].contains(what), "{told:?}");
        }
    }
}

#[test]
fn each_rule_that_does_not_fit_into_the_list_is_told() {
    let count = RULES_MAX + 2;
    let name = |index: usize| format!("team{index:03}");
    let routes: String = (0..count)
        .map(|index| {
            format!(
                "  - receiver: {0}\n    matchers: [ team={0} ]\n",
                name(index)
            )
        })
        .collect();
    let receivers: String = (0..count)
        .map(|index| format!("- name: {}\n", name(index)))
        .collect();
    let given = format!("route:\n  receiver: team000\n  routes:\n{routes}receivers:\n{receivers}");
    let imported = import(&given).unwrap();
    assert_eq!(imported.document.alert_rules.unwrap().len(), RULES_MAX);
    for (index, told) in [(0, "team100"), (1, "team101")] {
        let expected = format!("the rule \"to {told}\" is left out");
        let remark = &imported.remarks[index];
        assert!(remark.starts_with(&expected), "{remark}");
    }
}

#[test]
fn remarks_beyond_a_bound_are_counted_and_the_gravest_ones_stay() {
    let mut remarks = Remarks::default();
    for index in 0..REMARKS_MAX + 5 {
        remarks.add(About::Receiver, format!("receiver {index:06}"));
    }
    remarks.add(About::Lost, "a route".to_owned());
    remarks.add(About::Lost, "a route".to_owned());
    let lines = remarks.into_lines();
    assert_eq!(lines.len(), REMARKS_MAX + 1);
    assert_eq!(lines[0], "a route");
    assert_eq!(lines[REMARKS_MAX], "and 6 more");
}

/// Two routes with these conditions, one to `quiet` and one to `loud`, and what is told of the second one.
#[track_caller]
fn check_spelling(first: &str, second: &str, told: Option<&str>) {
    let given = format!(
        "route:\n  receiver: ops\n  routes:\n  - receiver: quiet\n    matchers: [ {first} ]\n  - receiver: loud\n    \
         matchers: [ {second} ]\nreceivers:\n- name: ops\n- name: quiet\n- name: loud\n  webhook_configs: [ {{ url: x }} ]\n"
    );
    let imported = import(&given).unwrap();
    let mut lost = imported.remarks.iter();
    let found = lost.find(|one| one.starts_with("a route to \"loud\" asks for "));
    match told {
        Some(words) => {
            assert!(found.is_some_and(|one| one.contains(words)), "{found:?}");
            // What went to a receiver that pages may come to one that is quiet.
            let mut services = imported.document.services.iter();
            let quiet = services.find(|one| one.name == "quiet").unwrap();
            assert!(quiet.rules.is_empty());
        }
        None => assert_eq!(found, None, "{first} {second}"),
    }
    let rules = imported.document.alert_rules.unwrap();
    assert_eq!(rules.len(), 2, "both are there all the same");
}

#[test]
fn routes_that_only_the_case_of_letters_tells_apart_are_told() {
    for (first, second, told) in [
        (
            "team=db",
            "team=DB",
            "\"DB\" of \"team\", and one before it for \"db\" of \"team\"",
        ),
        ("'team=~\"web|db\"'", "'team!=\"DB\"'", "\"DB\" of \"team\""),
        ("team=db", "Team=db", "\"db\" of \"Team\""),
        ("'team=~\"db.*\"'", "team=DB", "\"DB\" of \"team\""),
        (
            "team=\u{e9}t\u{e9}",
            "team=\u{c9}T\u{c9}",
            "\"\u{c9}T\u{c9}\" of \"team\"",
        ),
        (
            "'team=~\".+\"'",
            "'TEAM=~\".+\"'",
            "\"TEAM\", and one before it for \"team\"",
        ),
    ] {
        check_spelling(first, second, Some(told));
    }
    for (first, second) in [
        ("team=db", "team=db"),
        ("team=db", "team=web"),
        ("team=db", "env=DB"),
        ("'team=~\"db|DB\"'", "team=DB"),
        ("team=db", "'team=~\"web|front\"'"),
    ] {
        check_spelling(first, second, None);
    }
}
