//! Event orchestrations, and what no file can hold.

use super::*;

fn service(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "service", "name": name, "escalation_policy": null})
}

fn rule(label: &str, expression: &str, actions: Value) -> Value {
    json!({"id": "1c26698b", "label": label, "conditions": [{"expression": expression}], "actions": actions, "disabled": false})
}

/// An account with two services and an orchestration that has a key, with this router.
fn routed(rules: Value, to: &str) -> Value {
    let router = json!({
        "type": "router", "sets": [{"id": "start", "rules": rules}],
        "catch_all": {"actions": {"route_to": to}},
    });
    json!({
        "services": [service("PV1", "Shop"), service("PV2", "Till")],
        "orchestrations": [{
            "id": "E1", "name": "Front", "description": "Everything of the shop", "routes": 2,
            "integrations": [
                {"id": "9c5ff030", "label": "Prometheus", "parameters": {"routing_key": "R0SECRET", "type": "global"}},
                {"id": "9c5ff031", "label": "Sentry", "parameters": {"routing_key": "R1SECRET", "type": "global"}},
            ],
            "router": router,
        }],
    })
}

#[test]
fn a_router_becomes_rules_about_what_is_sent_to_a_service_with_its_integrations() {
    let account = routed(
        json!([
            rule("Disks", "event.summary matches part 'disk'", json!({"route_to": "PV2"})),
            {"conditions": [], "actions": {"route_to": "PV1", "dynamic_route_to": null}},
        ]),
        "unrouted",
    );
    check(
        &account,
        &[
            "name = \"Front\"\ndescription = \"Everything of the shop\"",
            "name = \"Prometheus\"",
            "name = \"Sentry\"",
            "name = \"sent nowhere\"",
            "name = \"Disks\"",
            "name = \"To Shop\"",
        ],
        &[
            "event orchestration \"Front\": what was sent by its keys (\"Prometheus\", \"Sentry\") comes here to the service \"Front\"",
        ],
    );
    let made = imported(&account);
    assert!(!made.remarks.join("\n").contains("SECRET"));
    let rules = made.document.alert_rules.unwrap();
    let shown = serde_json::to_value(&rules).unwrap();
    let sent = json!({"field": "service", "op": "equals", "text": "Front"});
    let disk = json!({"field": "title", "op": "contains", "text": "disk"});
    assert_eq!(
        shown,
        json!([
            {"name": "Disks", "when": {"all": [sent, disk]}, "then": [{"route": "Till"}]},
            {"name": "To Shop", "when": {"all": [sent]}, "then": [{"route": "Shop"}]},
        ])
    );
}

#[test]
fn a_rule_or_an_action_that_is_not_carried_over_is_told_and_what_it_sent_is_not_quiet() {
    let rules = json!([
        rule(
            "Night",
            "event.summary matches regex 'x'",
            json!({"route_to": "PV1"})
        ),
        rule("Gone", "event.class exists", json!({"route_to": "PV9"})),
        rule(
            "Moved",
            "event.class exists",
            json!({"dynamic_route_to": {"source": "event.source", "regex": "(.*)", "lookup_by": "service_name"}})
        ),
        rule(
            "Loud",
            "event.group exists",
            json!({"route_to": "PV1", "priority": "P1", "variables": []})
        ),
    ]);
    let account = routed(rules, "unrouted");
    check(
        &account,
        &["name = \"Loud\""],
        &[
            "event orchestration \"Front\": rule \"Night\" is left out: it asks for what cannot be carried",
            "event orchestration \"Front\": rule \"Gone\" is left out: the service that it sends alerts to",
            "event orchestration \"Front\": rule \"Moved\" is left out: it has the action \"dynamic_route_to\"",
            "event orchestration \"Front\": rule \"Loud\" has the action \"priority\", which is left out",
            "page here by the service \"Front\"",
        ],
    );
    let made = imported(&account).document;
    assert_eq!(made.alert_rules.map(|all| all.len()), Some(1));
    let front = made.services.iter().find(|one| one.name == "Front");
    assert!(front.is_some_and(|one| one.rules.is_empty()));
}

#[test]
fn what_no_rule_holds_for_goes_where_it_went_and_a_disabled_rule_nowhere() {
    let mut off = rule("Off", "event.class exists", json!({"route_to": "PV1"}));
    off["disabled"] = json!(true);
    let account = routed(json!([off]), "PV2");
    check(
        &account,
        &["name = \"Everything else\"", "name = \"sent nowhere\""],
        &["rule \"Off\" is disabled there, and is left out"],
    );
    let lost = routed(json!([]), "PV9");
    check(
        &lost,
        &[],
        &["what no rule sends elsewhere goes to a service that is not carried over"],
    );
    assert_eq!(imported(&lost).document.alert_rules, None);
}

#[test]
fn rules_of_an_orchestration_without_keys_are_about_all_alerts() {
    let mut account = routed(
        json!([rule(
            "Disks",
            "event.class exists",
            json!({"route_to": "PV2"})
        )]),
        "unrouted",
    );
    account["orchestrations"][0]["integrations"] = json!([]);
    check(
        &account,
        &["name = \"Disks\""],
        &[
            "event orchestration \"Front\": its rules are asked here about the alerts of every service, since it has no keys",
        ],
    );
    let made = imported(&account).document;
    assert_eq!(made.services.len(), 2);
    let rules = serde_json::to_value(made.alert_rules).unwrap();
    assert_eq!(rules[0]["when"], json!({"field": "class", "op": "exists"}));
}

#[test]
fn what_no_rule_of_an_orchestration_without_keys_holds_for_is_left_where_it_is() {
    let mut account = routed(json!([]), "PV1");
    account["orchestrations"][0]["integrations"] = json!([]);
    check(
        &account,
        &[],
        &[
            "event orchestration \"Front\": what no rule sends elsewhere is left out: the orchestration has no keys, so nothing comes to it",
        ],
    );
    assert_eq!(imported(&account).document.alert_rules, None);
}

#[test]
fn a_rule_without_conditions_of_an_orchestration_without_keys_takes_no_alert_of_others() {
    let all = json!({"label": "All", "conditions": [], "actions": {"route_to": "PV1"}});
    let mut account = routed(json!([all]), "unrouted");
    account["orchestrations"][0]["integrations"] = json!([]);
    let imported = imported(&account);
    assert_eq!(imported.document.alert_rules, None);
    let told = imported.remarks.join("\n");
    assert!(told.contains("it holds for every alert"), "{told}");
}

#[test]
fn rules_that_are_no_router_are_told_one_by_one() {
    let rules = json!({
        "sets": [{"id": "start", "rules": [
            {"label": "Quiet", "conditions": [], "actions": {"suppress": true}},
            {"conditions": [], "actions": {"severity": "info"}},
        ]}],
        "catch_all": {"actions": {"suppress": false, "annotate": "look", "variables": []}},
    });
    let mut account = routed(json!([]), "unrouted");
    account["orchestrations"][0]["global"] = rules.clone();
    account["orchestrations"][0]["unrouted"] = rules.clone();
    account["service_rules"] = json!({ "PV1": rules });
    check(
        &account,
        &[],
        &[
            "event orchestration \"Front\": its global orchestration: rule \"Quiet\" is left out",
            "event orchestration \"Front\": its global orchestration: rule 2 is left out",
            "event orchestration \"Front\": its global orchestration: what it does when no rule of it holds",
            "event orchestration \"Front\": what it does with alerts that are sent nowhere: rule \"Quiet\" is left out",
            "service \"Shop\": its orchestration: rule \"Quiet\" is left out",
        ],
    );
}

#[test]
fn what_no_file_can_hold_is_told_by_its_name() {
    let account = json!({
        "rulesets": [{"id": "0e84de00", "name": "Old rules", "type": "global", "routing_keys": ["R0SECRET"]}],
        "webhook_subscriptions": [
            {"id": "PWH1", "description": "tells the wiki", "delivery_method": {"type": "http_delivery_method", "url": "https://a.example.org/SECRET"}},
            {"id": "PWH2", "description": null, "delivery_method": {"url": "https://me:SECRET@b.example.org/SECRET?key=SECRET"}},
        ],
        "extensions": [{"id": "PEX1", "name": "Slack of the shop", "endpoint_url": "https://hooks.example.org/SECRET"}],
        "business_services": [{"id": "PBS1", "name": "Buying"}],
        "tags": [{"id": "PTG1", "label": "Batman", "summary": "Batman", "type": "tag"}],
    });
    check(
        &account,
        &[],
        &[
            "ruleset \"Old rules\": left out",
            "webhook subscription \"tells the wiki\": left out",
            "webhook subscription \"b.example.org\": left out",
            "extension \"Slack of the shop\": left out",
            "business service \"Buying\": left out",
            "tag \"Batman\": left out",
        ],
    );
    let made = imported(&account);
    assert!(made.document.is_empty());
    assert_eq!(made.remarks.len(), 7, "{:?}", made.remarks);
    assert!(!made.remarks.join("\n").contains("SECRET"));
}
