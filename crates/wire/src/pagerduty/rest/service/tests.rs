//! How bodies about services and integrations are read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn a_service_is_read_with_what_clients_send_beside_it() {
    let body = json!({"service": {
        "type": "service", "name": "Shop", "description": "Managed by Terraform",
        "auto_resolve_timeout": "14400", "acknowledgement_timeout": null,
        "escalation_policy": {"id": "QA", "type": "escalation_policy_reference"},
        "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
        "support_hours": null, "scheduled_actions": [], "status": "warning",
        "alert_creation": "create_alerts_and_incidents",
        "auto_pause_notifications_parameters": {"enabled": false, "timeout": null},
        "alert_grouping_parameters": {"type": null, "config": null},
    }});
    let read = service(&bytes(&body), &Intake::default()).unwrap();
    assert_eq!(read.name.as_deref(), Some("Shop"));
    assert_eq!(read.description.as_deref(), Some("Managed by Terraform"));
    assert_eq!(read.resolve_after_s, Some(Some(14_400)));
    assert_eq!(read.acknowledged_s, Some(None));
    assert_eq!(read.grouping, Some(GroupBy::Nothing));
    assert_eq!(read.urgency, Some(UrgencyBy::Severity));
    let never = json!({"service": {"auto_resolve_timeout": null}});
    assert_eq!(
        service(&bytes(&never), &Intake::default())
            .unwrap()
            .resolve_after_s,
        Some(None)
    );
    let pause = json!({"service": {"auto_pause_notifications_parameters": {"enabled": true}}});
    let refused = service(&bytes(&pause), &Intake::default()).unwrap_err();
    assert!(
        refused.errors[0].contains("set in Tocsin itself"),
        "{refused}"
    );
    for used in [
        json!({"support_hours": {"type": "fixed_time_per_day"}}),
        json!({"alert_grouping_parameters": {"type": "intelligent"}}),
        json!({"scheduled_actions": [{}]}),
        json!({"status": "disabled"}),
        json!({"alert_creation": "create_incidents"}),
        json!({"auto_pause_notifications_parameters": {"enabled": true, "timeout": 300}}),
        json!({"auto_resolve_timeout": 60}),
        json!({"acknowledgement_timeout": 5}),
        json!({"incident_urgency_rule": {"type": "use_support_hours"}}),
    ] {
        assert!(
            service(&bytes(&json!({ "service": used })), &Intake::default()).is_err(),
            "{used}"
        );
    }
}

#[test]
fn what_is_of_another_kind_than_it_can_be_is_never_taken_for_none() {
    let odd = [
        json!(""),
        json!("x"),
        json!(true),
        json!(7),
        json!([7]),
        json!([["x"]]),
        json!({"type": 7}),
        json!({"enabled": "x"}),
        json!({"enabled": false, "timeout": "x"}),
        json!({"config": "x"}),
    ];
    let objects = [
        "support_hours",
        "incident_urgency_rule",
        "alert_grouping_parameters",
        "auto_pause_notifications_parameters",
    ];
    let is_object = |name: &str, value: &Value| {
        // A field that something has not says nothing of it.
        let own: &[&str] = match name {
            "auto_pause_notifications_parameters" => &["enabled"],
            "alert_grouping_parameters" => &["type", "config"],
            "incident_urgency_rule" => &["type"],
            _ => &["type", "enabled", "config"],
        };
        let object = value.as_object();
        object.is_some_and(|object| !own.iter().any(|field| object.contains_key(*field)))
    };
    let mut wrong: Vec<(&str, Value)> = Vec::new();
    for name in objects {
        let odd = odd.iter().filter(|value| !is_object(name, value));
        wrong.extend(odd.map(|value| (name, value.clone())));
    }
    for value in [json!("x"), json!(7), json!({}), json!([7]), json!([{}])] {
        wrong.push(("scheduled_actions", value));
    }
    for name in ["auto_resolve_timeout", "acknowledgement_timeout"] {
        let odd = [
            json!("x"),
            json!(true),
            json!(-1),
            json!(600.5),
            json!([600]),
            json!({}),
        ];
        wrong.extend(odd.into_iter().map(|value| (name, value)));
    }
    for (name, value) in wrong {
        let body = json!({"service": { name: value }});
        let refused = service(&bytes(&body), &Intake::default()).unwrap_err();
        assert_eq!((refused.status, refused.code), (400, 2001), "{body}");
        let path = format!("'service.{name}");
        let told = refused.errors.iter().all(|error| error.contains(&path));
        assert!(told, "{body}: {refused}");
    }
}

#[test]
fn the_forms_in_which_clients_say_none_are_taken() {
    for (name, values) in [
        ("support_hours", vec![Value::Null]),
        ("incident_urgency_rule", vec![Value::Null, json!({})]),
        (
            "scheduled_actions",
            vec![Value::Null, json!([]), json!([null])],
        ),
        (
            "alert_grouping_parameters",
            vec![
                Value::Null,
                json!({}),
                json!({"type": ""}),
                json!({"type": null, "config": null}),
                json!({"config": {}}),
                json!({"type": null, "config": {"timeout": 0, "aggregate": ""}}),
            ],
        ),
        (
            "auto_pause_notifications_parameters",
            vec![
                Value::Null,
                json!({}),
                json!({"enabled": false}),
                json!({"enabled": false, "timeout": 0}),
                json!({"enabled": false, "timeout": null}),
            ],
        ),
        (
            "auto_resolve_timeout",
            vec![Value::Null, json!(0), json!("0")],
        ),
        (
            "acknowledgement_timeout",
            vec![Value::Null, json!(0), json!("0")],
        ),
    ] {
        for value in values {
            let body = json!({"service": { name: value }});
            let read = service(&bytes(&body), &Intake::default());
            let read = read.unwrap_or_else(|refused| panic!("{body}: {refused}"));
            assert_eq!(read.urgency, None, "{body}");
            assert!(matches!(read.grouping, None | Some(GroupBy::Nothing)));
            assert!(matches!(read.resolve_after_s, None | Some(None)));
            assert!(matches!(read.acknowledged_s, None | Some(None)));
        }
    }
}

#[test]
fn an_integration_is_called_otherwise_and_nothing_else_of_it_changes() {
    let read = |body: Value| {
        let is = Vendor::of(Speaks::EventsV2);
        integration_change(&bytes(&json!({"integration": body})), is, None)
    };
    let vendor = |speaks| json!({"id": Vendor::of(speaks).id(), "type": "vendor_reference"});
    let same = json!({"name": "Probe 2", "type": "events_api_v2_inbound_integration", "vendor": vendor(Speaks::EventsV2)});
    assert_eq!(read(same), Ok(Some("Probe 2".to_owned())));
    assert_eq!(read(json!({"type": EVENTS_V1})), Ok(None));
    for other in [
        json!({"type": "generic_email_inbound_integration"}),
        json!({"vendor": vendor(Speaks::Grafana)}),
    ] {
        assert!(read(other.clone()).is_err(), "{other}");
    }
}

#[test]
fn an_integration_is_read_with_how_it_speaks() {
    let made = integration(&bytes(
        &json!({"integration": {"type": "generic_events_api_inbound_integration"}}),
    ));
    let made = made.unwrap();
    assert_eq!(
        (made.name.as_str(), made.speaks),
        ("Events API V2", Speaks::EventsV2)
    );
    let mail = json!({"integration": {"type": "generic_email_inbound_integration"}});
    assert_eq!(integration(&bytes(&mail)).unwrap().speaks, Speaks::Email);
    let vendor = json!({"id": Vendor::of(Speaks::Grafana).id(), "type": "vendor_reference"});
    let grafana = json!({"integration": {"name": "Boards", "vendor": vendor}});
    let grafana = integration(&bytes(&grafana)).unwrap();
    assert_eq!(
        (grafana.name.as_str(), grafana.speaks),
        ("Boards", Speaks::Grafana)
    );
    assert_eq!(grafana.vendor, None, "it follows from how it speaks");
    for kind in [json!(EVENTS_V1), json!(BY_VENDOR), Value::Null] {
        let vendor = json!({"id": "PRO19CT", "type": "vendor"});
        let body = json!({"integration": {"name": "x", "type": kind, "vendor": vendor}});
        let made = integration(&bytes(&body)).unwrap();
        assert_eq!(made.speaks, Speaks::EventsV2);
        assert_eq!(made.vendor.as_deref(), Some("PRO19CT"));
    }
    let nobody = json!({"integration": {"vendor": {"id": "PAM4FGS", "type": "vendor_reference"}}});
    assert!(integration(&bytes(&nobody)).is_err());
    let read =
        |kind: &str| integration(&bytes(&json!({"integration": {"name": "x", "type": kind}})));
    assert_eq!(
        read("events_api_v2_inbound_integration").unwrap().speaks,
        Speaks::EventsV2
    );
    for foreign in [
        "aws_cloudwatch_inbound_integration",
        "nagios_inbound_integration",
        "generic_email_of_sorts",
        "event_transformer_api_inbound_integration",
        BY_VENDOR,
    ] {
        let told = read(foreign).unwrap_err().to_string();
        assert!(told.contains("integration.type"), "{foreign}: {told}");
    }
}

#[test]
fn of_mail_what_is_done_anyway_is_taken_and_the_rest_is_refused_by_its_name() {
    let check = |field: &str, value: Value, is_taken: bool| {
        let kind = "generic_email_inbound_integration";
        let mut body = json!({"integration": {"type": kind, "name": "Mail"}});
        body["integration"][field] = value.clone();
        let made = integration(&bytes(&body)).map(|_| ());
        let own = Some("abc@alerts.example");
        let is = Vendor::of(Speaks::Email);
        let set = integration_change(&bytes(&body), is, own).map(|_| ());
        for told in [made, set] {
            assert_eq!(told.is_ok(), is_taken, "{field}: {value}");
            let names = |refusal: Refusal| refusal.errors[0].contains(field);
            assert!(told.err().is_none_or(names), "{field}");
        }
    };
    for word in ["on_new_email", "on_new_email_subject"] {
        check("email_incident_creation", json!(word), true);
    }
    for word in ["only_if_no_open_incidents", "use_rules"] {
        check("email_incident_creation", json!(word), false);
    }
    check("email_filter_mode", json!("all-email"), true);
    check("email_filter_mode", json!("and-rules-email"), false);
    check("email_parsing_fallback", json!("open_new_incident"), true);
    check("email_parsing_fallback", json!("discard"), false);
    for empty in [json!([]), Value::Null] {
        check("email_filters", empty.clone(), true);
        check("email_parsers", empty, true);
    }
    let always = json!([{"subject_mode": "always", "subject_regex": null, "body_mode": "always", "from_email_mode": "always"}]);
    check("email_filters", always, true);
    let some = json!([{"subject_mode": "match", "subject_regex": "disk"}]);
    check("email_filters", some, false);
    check("email_parsers", json!([{"action": "trigger"}]), false);
    check("integration_email", json!(""), true);
    check("integration_email", json!("shop@alerts.example"), false);
    let own = json!({"integration": {"integration_email": "ABC@alerts.example"}});
    let is = Vendor::of(Speaks::Email);
    let same = integration_change(&bytes(&own), is, Some("abc@alerts.example"));
    assert_eq!(same, Ok(None));
    assert!(integration_change(&bytes(&own), is, None).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in "\\{\"(service|integration)\":\\PC{0,60}\\}") {
        let body = body.as_bytes();
        let _ = (service(body, &Intake::default()), integration(body), integration_change(body, Vendor::of(Speaks::Email), None));
    }
}
