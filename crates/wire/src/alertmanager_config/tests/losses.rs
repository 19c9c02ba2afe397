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
