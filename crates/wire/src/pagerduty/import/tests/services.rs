//! Services and planned work.

use tocsin_domain::service::Speaks;

use super::*;
use crate::pagerduty::rest::vendor::Vendor;

fn service() -> Value {
    json!({
        "id": "PV1", "type": "service", "summary": "Shop", "name": "Shop", "auto_resolve_timeout": 14_400,
        "acknowledgement_timeout": 600, "created_at": "2015-11-06T11:12:51-05:00", "status": "active",
        "alert_creation": "create_alerts_and_incidents",
        "alert_grouping_parameters": {"type": "time", "config": {"timeout": 5}},
        "integrations": [
            {"id": "PI1", "type": "events_api_v2_inbound_integration", "summary": "Nagios", "name": "Nagios", "vendor": null,
             "integration_key": "very-secret"},
            {"id": "PI2", "type": "generic_email_inbound_integration_reference", "summary": "Mail", "self": null},
            {"id": "PI3", "type": "event_transformer_api_inbound_integration", "name": "Datadog"},
        ],
        "escalation_policy": {"id": "PE1", "type": "escalation_policy_reference", "summary": "Web"},
        "teams": [], "addons": [],
        "incident_urgency_rule": {"type": "use_support_hours",
            "during_support_hours": {"type": "constant", "urgency": "high"},
            "outside_support_hours": {"type": "constant", "urgency": "severity_based"}},
        "support_hours": {"type": "fixed_time_per_day", "time_zone": "America/Lima", "start_time": "09:00:00",
            "end_time": "17:30:00", "days_of_week": [1, 5]},
        "scheduled_actions": [{"type": "urgency_change", "at": {"type": "named_time", "name": "support_hours_start"},
            "to_urgency": "high"}],
    })
}

fn account(services: &Value) -> Value {
    json!({
        "users": people(),
        "escalation_policies": [{"id": "PE1", "name": "Web", "num_loops": 0, "escalation_rules": [
            {"escalation_delay_in_minutes": 5, "targets": [user_reference("PANN", "Ann")]}]}],
        "services": services,
    })
}

/// A service with one field changed.
fn with(field: &str, value: Value) -> Value {
    let mut one = service();
    one[field] = value;
    account(&json!([one]))
}

#[test]
fn a_service_keeps_whom_it_pages_its_hours_and_its_grouping() {
    let account = account(&json!([service()]));
    check(
        &account,
        &[
            "name = \"Shop\"\nacknowledgement_timeout = \"10m\"\nescalation_policy = \"Web\"",
            "resolve_after = \"4h\"",
            "grouping = { time = { within = \"5m\" } }",
            "{ from = \"monday 09:00\", until = \"monday 17:30\" }, { from = \"friday 09:00\", until = \"friday 17:30\" }",
            "during = \"high\"",
            "outside = \"severity\"",
            "raise = true",
            "[[services.integrations]]\nname = \"Nagios\"",
            "[[services.integrations]]\nname = \"Mail\"\nkind = \"email\"",
        ],
        &["integration \"Datadog\" is left out", "keys are left out"],
    );
    let made = imported(&account);
    let all = format!("{}{}", canonical(&made.document), made.remarks.join("\n"));
    assert!(!all.contains("very-secret"));
    assert_eq!(made.document.services[0].integrations.len(), 2);
}

#[test]
fn an_integration_of_a_tocsin_is_spoken_to_as_its_vendor_says() {
    let of = |speaks: Speaks| {
        let vendor = json!({"id": Vendor::of(speaks).id(), "type": "vendor_reference"});
        let kind = "event_transformer_api_inbound_integration";
        json!([{"id": "PI4", "type": kind, "name": "Boards", "vendor": vendor}])
    };
    let line = "[[services.integrations]]\nname = \"Boards\"\nkind = \"grafana\"";
    check(&with("integrations", of(Speaks::Grafana)), &[line], &[]);
    let remark = "integration \"Boards\" is left out";
    check(&with("integrations", of(Speaks::Webhook)), &[], &[remark]);
}

#[test]
fn a_vendor_that_does_not_follow_from_the_kind_is_kept_and_an_unknown_one_told() {
    let of = |kind: &str, vendor: &Value| {
        let kind = format!("{kind}_inbound_integration");
        with(
            "integrations",
            json!([{"id": "PI5", "type": kind, "name": "Portal", "vendor": vendor}]),
        )
    };
    let vendor_of = |account: &Value| {
        let mut made = imported(account).document.services.remove(0).integrations;
        made.remove(0).vendor
    };
    let backstage = json!({"id": "PRO19CT", "type": "vendor_reference", "summary": "Backstage"});
    for kind in ["events_api_v2", "generic_events_api"] {
        let lines = ["name = \"Portal\"\nvendor = \"PRO19CT\""];
        check(&of(kind, &backstage), &lines, &[]);
    }
    // What the kind has by itself is said by no file, and no vendor fits a kind that speaks otherwise.
    for speaks in [Speaks::EventsV2, Speaks::Webhook] {
        let usual = json!({"id": Vendor::of(speaks).id(), "type": "vendor_reference"});
        let usual = of("events_api_v2", &usual);
        check(&usual, &["name = \"Portal\"\n"], &[]);
        assert_eq!(vendor_of(&usual), None);
    }
    for (foreign, called) in [
        (
            json!({"id": "PAM4FGS", "type": "vendor_reference", "summary": "Datadog"}),
            "Datadog",
        ),
        (json!({"id": "PAM4FGS"}), "PAM4FGS"),
    ] {
        let account = of("events_api_v2", &foreign);
        let remark =
            format!("service \"Shop\": integration \"Portal\": its vendor {called:?} is left out");
        check(&account, &["name = \"Portal\"\n"], &[&remark]);
        assert_eq!(vendor_of(&account), None);
    }
    let none = of("events_api_v2", &json!({"id": null}));
    let told = imported(&none).remarks.join("\n");
    assert!(!told.contains("its vendor"), "{told}");
}

#[test]
fn what_a_tocsin_does_not_tell_of_its_integrations_is_remarked_of_these_alone() {
    let of = |kind: &str, vendor: Option<Speaks>| {
        let vendor = vendor.map(|speaks| json!({"id": Vendor::of(speaks).id()}));
        let account = with(
            "integrations",
            json!([{"id": "PI6", "type": kind, "name": "Box", "vendor": vendor}]),
        );
        imported(&account).remarks.join("\n")
    };
    let transformer = "event_transformer_api_inbound_integration";
    let mail = "generic_email_inbound_integration";
    let label = "integration \"Box\": by which label alerts name their service cannot be read";
    let mapping = "integration \"Box\": a mapping of its own cannot be read";
    for (told, has_label, has_mapping) in [
        (of(transformer, Some(Speaks::Alertmanager)), true, false),
        (of(mail, Some(Speaks::Email)), false, true),
        (of(transformer, Some(Speaks::Grafana)), false, false),
        // It is PagerDuty's own.
        (of(mail, None), false, false),
    ] {
        let found = (told.contains(label), told.contains(mapping));
        assert_eq!(found, (has_label, has_mapping), "{told}");
    }
}

#[test]
fn urgency_is_what_the_rule_says_and_pages_where_it_cannot_be_said() {
    let constant = |word: &str| json!({"type": "constant", "urgency": word});
    for (rule, line, remark) in [
        (constant("high"), "urgency = \"high\"", ""),
        (constant("low"), "urgency = \"low\"", ""),
        (
            constant("loud"),
            "urgency = \"high\"",
            "\"loud\" is no urgency",
        ),
        (json!(null), "urgency = \"high\"", ""),
        (
            json!({"type": "moon"}),
            "urgency = \"high\"",
            "\"moon\" is no rule",
        ),
    ] {
        check(&with("incident_urgency_rule", rule), &[line], &[remark]);
    }
    let usual = imported(&with("incident_urgency_rule", constant("severity_based")));
    assert!(!canonical(&usual.document).contains("urgency ="));
    for (hours, why) in [
        (json!(null), "hours are not told"),
        (
            json!({"time_zone": "Mars", "days_of_week": [1]}),
            "\"Mars\" is no IANA zone",
        ),
        (
            json!({"time_zone": "UTC", "start_time": "09:00:00", "end_time": "09:00:00", "days_of_week": [1]}),
            "end when they begin",
        ),
        (
            json!({"time_zone": "UTC", "start_time": "09:00:00", "end_time": "10:00:00", "days_of_week": [0]}),
            "a day that no week has",
        ),
    ] {
        check(
            &with("support_hours", hours),
            &["urgency = \"high\""],
            &[why],
        );
    }
    let daily = json!({"time_zone": "UTC", "start_time": "22:00:00", "end_time": "06:00:00", "days_of_week": [7, 6, 5, 4, 3, 2, 1]});
    check(
        &with("support_hours", daily),
        &["windows = [{ from = \"22:00\", until = \"06:00\" }]"],
        &[],
    );
    let night = json!({"time_zone": "UTC", "start_time": "22:00:00", "end_time": "06:00:00", "days_of_week": [7]});
    check(
        &with("support_hours", night),
        &["{ from = \"sunday 22:00\", until = \"monday 06:00\" }"],
        &[],
    );
}

#[test]
fn grouping_is_by_time_or_by_fields_and_anything_else_is_told() {
    let by = |kind: &str, config: Value| {
        with(
            "alert_grouping_parameters",
            json!({"type": kind, "config": config}),
        )
    };
    let fields = |aggregate: &str, fields: Value| {
        by(
            "content_based",
            json!({"aggregate": aggregate, "fields": fields, "time_window": 300}),
        )
    };
    check(
        &by("time", json!({"timeout": 0})),
        &["grouping = { time = { rolling = true, within = \"1d\" } }"],
        &["until an incident is resolved there"],
    );
    check(
        &by("time", json!({"timeout": 7_200})),
        &["grouping = { time = { within = \"2h\" } }"],
        &[],
    );
    check(
        &fields("all", json!(["summary", "source", "custom_details.host"])),
        &["grouping = { content = [\"title\", \"source\", \"details.host\"] }"],
        &["the time window of its grouping"],
    );
    for (account, why) in [
        (
            fields("any", json!(["source", "class"])),
            "any one of several fields",
        ),
        (fields("all", json!(["colour"])), "no field \"colour\""),
        (fields("all", json!([])), "grouping by 0 fields"),
        (
            by("intelligent", json!({"time_window": 300})),
            "\"intelligent\"",
        ),
    ] {
        check(&account, &[], &[why]);
        assert!(!canonical(&imported(&account).document).contains("grouping ="));
    }
    let mut old = service();
    old["alert_grouping_parameters"] = json!({"type": null, "config": null});
    old["alert_grouping"] = json!("time");
    old["alert_grouping_timeout"] = json!(2);
    check(
        &account(&json!([old])),
        &["grouping = { time = { within = \"2m\" } }"],
        &[],
    );
}

#[test]
fn lengths_stay_within_what_is_kept_here() {
    check(
        &with("auto_resolve_timeout", json!(60)),
        &["resolve_after = \"5m\""],
        &["it resolves after 60 s there"],
    );
    check(
        &with("acknowledgement_timeout", json!(30)),
        &["acknowledgement_timeout = \"1m\""],
        &["after 30 s there"],
    );
}

#[test]
fn each_service_holds_acknowledgements_as_it_did() {
    let mut other = service();
    other["id"] = json!("PV2");
    other["acknowledgement_timeout"] = json!(null);
    let mut third = service();
    third["id"] = json!("PV3");
    third["acknowledgement_timeout"] = json!(1_800);
    let account = account(&json!([service(), other, third]));
    check(
        &account,
        &[
            "name = \"Shop\"\nacknowledgement_timeout = \"10m\"\n",
            "name = \"Shop#2\"\nescalation_policy",
            "name = \"Shop#3\"\nacknowledgement_timeout = \"30m\"\n",
        ],
        &["service \"Shop\": another one has this name too"],
    );
    let made = imported(&account);
    let policy = &made.document.escalation_policies[0];
    assert_eq!(policy.acknowledgement_timeout, None, "all follow it");
    assert!(!made.remarks.join("\n").contains("acknowledgements"));
}

#[test]
fn a_service_whose_policy_is_not_carried_over_holds_acknowledgements_as_it_did() {
    for (there, here) in [
        (json!(600), "10m"),
        (json!(null), "never"),
        (json!(0), "never"),
    ] {
        let mut lost = service();
        lost["escalation_policy"] = json!({"id": "PE9", "type": "escalation_policy_reference"});
        lost["acknowledgement_timeout"] = there;
        check(
            &account(&json!([lost])),
            &[&format!(
                "name = \"Shop\"\nacknowledgement_timeout = \"{here}\"\n"
            )],
            &["its escalation policy is not carried over"],
        );
    }
}

#[test]
fn a_service_that_is_off_or_pages_by_nobodys_policy_is_told() {
    check(
        &with("status", json!("disabled")),
        &["name = \"Shop\""],
        &["it is disabled there"],
    );
    let lost = with(
        "escalation_policy",
        json!({"id": "PE9", "type": "escalation_policy_reference"}),
    );
    check(
        &lost,
        &["name = \"Shop\"\n"],
        &["its escalation policy is not carried over"],
    );
    assert_eq!(imported(&lost).document.services[0].escalation_policy, None);
    check(
        &with(
            "auto_pause_notifications_parameters",
            json!({"enabled": true, "timeout": 120}),
        ),
        &[],
        &["pausing of alerts"],
    );
}

#[test]
fn planned_work_that_is_not_over_is_carried_over() {
    let mut account = account(&json!([service()]));
    let window = |description: Value, start: &str, end: &str, service: &str| {
        json!({"id": format!("PW{start}{service}"), "type": "maintenance_window", "sequence_number": 7, "start_time": start,
            "end_time": end, "description": description, "created_by": user_reference("PANN", "Ann"),
            "services": [{"id": service, "type": "service_reference", "summary": "Shop"}], "teams": []})
    };
    account["maintenance_windows"] = json!([
        window(
            json!("disks"),
            "2026-11-30T20:00:00-05:00",
            "2026-11-30T22:00:00-05:00",
            "PV1"
        ),
        window(
            json!("disks"),
            "2026-11-23T11:00:00Z",
            "2026-11-23T13:00:00Z",
            "PV1"
        ),
        window(
            json!(null),
            "2026-12-23T11:00:00Z",
            "2026-12-23T13:00:00Z",
            "PV1"
        ),
        window(
            json!("over"),
            "2026-11-23T10:00:00Z",
            "2026-11-23T11:00:00Z",
            "PV1"
        ),
        window(
            json!("elsewhere"),
            "2026-12-23T10:00:00Z",
            "2026-12-23T11:00:00Z",
            "PV9"
        ),
    ]);
    check(
        &account,
        &[
            "reason = \"disks\"\nfrom = \"2026-12-01T01:00:00Z\"\nuntil = \"2026-12-01T03:00:00Z\"",
            "reason = \"disks#2\"\nfrom = \"2026-11-23T11:00:00Z\"",
            "reason = \"maintenance\"\n",
        ],
        &["\"elsewhere\": left out: none of its services"],
    );
    let made = imported(&account);
    assert_eq!(made.document.maintenance_windows.len(), 3);
    assert!(
        !made.remarks.join("\n").contains("over\""),
        "{:?}",
        made.remarks
    );
}
