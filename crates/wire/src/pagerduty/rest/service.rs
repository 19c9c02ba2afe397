//! What can be asked about services and their integrations in bodies. Whether it makes sense is decided elsewhere.

use std::ops::RangeInclusive;

use tocsin_domain::intake::{
    GroupBy, Intake, RESOLVE_AFTER_MS_MAX, RESOLVE_AFTER_MS_MIN, UrgencyBy,
};
use tocsin_domain::service::{DESCRIPTION_CHARS_MAX, Speaks};

use super::body::{self, Fields, Wrong};
use super::grouping;
use super::refusal::Refusal;
use super::support;
use super::vendor::Vendor;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;
/// An acknowledgement that ends holds for so many seconds: a minute to 7 days.
const HOLDS_S: RangeInclusive<u64> = 60..=604_800;
/// The kind of integrations that take the older events, which Tocsin takes by the same key.
const EVENTS_V1: &str = "generic_events_api_inbound_integration";

/// What Terraform's provider writes as the type of an integration of which it knows the vendor alone.
const BY_VENDOR: &str = "service_integration";

/// What can be said of mail by one word each, the words for what Tocsin does, and why any other is refused.
const MAIL_WORDS: [(&str, &[&str], &str); 3] = [
    (
        "email_incident_creation",
        &["on_new_email", "on_new_email_subject"],
        "mail raises an alert by its subject, and how alerts make incidents is said of the service",
    ),
    (
        "email_filter_mode",
        &["all-email"],
        "all mail is taken; rules of Tocsin say what becomes of it",
    ),
    (
        "email_parsing_fallback",
        &["open_new_incident"],
        "without a mapping, every mail raises an alert",
    ),
];
/// What a filter of mail says of each part of it.
const FILTER_MODES: [&str; 3] = ["subject_mode", "body_mode", "from_email_mode"];

/// A service to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Option<String>,
    /// What it is; empty when it is taken away.
    pub description: Option<String>,
    /// The id of its policy.
    pub policy: Option<String>,
    /// After so many seconds without news it is over; `Some(None)` is never.
    pub resolve_after_s: Option<Option<u64>>,
    /// For so many seconds an acknowledgement holds; `Some(None)` is for ever.
    pub acknowledged_s: Option<Option<u64>>,
    /// How urgent its alerts are.
    pub urgency: Option<UrgencyBy>,
    /// Which of them make one incident.
    pub grouping: Option<GroupBy>,
}

/// Reads the body of `POST /services` or `PUT /services/{id}`; `known` is how its alerts are taken in so far.
///
/// # Errors
/// Everything that is wrong with it.
pub fn service(bytes: &[u8], known: &Intake) -> Result<Service, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "service")?;
    let mut wrong = Wrong::default();
    refuse_unserved(&fields, &mut wrong);
    let resolve_s = RESOLVE_AFTER_MS_MIN / 1_000..=RESOLVE_AFTER_MS_MAX / 1_000;
    let service = Service {
        name: fields.name(&mut wrong, "name", NAME_CHARS_MAX),
        policy: fields.reference(&mut wrong, "escalation_policy", "escalation_policy"),
        description: fields.words(&mut wrong, "description", DESCRIPTION_CHARS_MAX),
        resolve_after_s: seconds(&fields, &mut wrong, "auto_resolve_timeout", &resolve_s),
        acknowledged_s: seconds(&fields, &mut wrong, "acknowledgement_timeout", &HOLDS_S),
        grouping: grouping::read(&fields, &mut wrong, &known.grouping),
        urgency: support::read(&fields, &mut wrong, &known.urgency),
    };
    wrong.outcome(Some(service))
}

/// Says of each field that Tocsin keeps nothing of that it is used, and lets the forms pass by which clients say that it is not.
fn refuse_unserved(fields: &Fields<'_>, wrong: &mut Wrong) {
    fields.refuse(wrong, &["response_play"]);
    let creation = [("create_alerts_and_incidents", ())];
    fields.word(wrong, "alert_creation", &creation);
    // How a service stands follows from its incidents: what was read may be written back, and it is never switched off.
    let standings = ["active", "warning", "critical", "maintenance"].map(|word| (word, ()));
    fields.word(wrong, "status", &standings);
    let pause = fields.object(wrong, "auto_pause_notifications_parameters");
    let is_on = pause.and_then(|pause| {
        pause.number(wrong, "timeout");
        pause.flag(wrong, "enabled")
    });
    if is_on == Some(true) {
        let path = fields.path("auto_pause_notifications_parameters");
        wrong.add(format!(
            "'{path}' is not supported: it is set in Tocsin itself, or by its own API"
        ));
    }
}

/// A length in seconds; `Some(None)` when it has no end, which some clients write as zero.
fn seconds(
    fields: &Fields<'_>,
    wrong: &mut Wrong,
    name: &str,
    range: &RangeInclusive<u64>,
) -> Option<Option<u64>> {
    if !fields.has(name) {
        return None;
    }
    let seconds = fields.number(wrong, name).filter(|seconds| *seconds > 0);
    if seconds.is_some_and(|seconds| !range.contains(&seconds)) {
        let path = fields.path(name);
        let (least, most) = (range.start(), range.end());
        wrong.add(format!(
            "'{path}' is invalid: it is {least} to {most} seconds"
        ));
    }
    Some(seconds)
}

/// An integration to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// How the foreign system is to speak.
    pub speaks: Speaks,
    /// The id of its vendor, where that does not follow from how it speaks.
    pub vendor: Option<String>,
}

/// Reads the body of `POST /services/{id}/integrations`. What names neither a type nor a vendor sends events.
///
/// # Errors
/// It names a vendor that is none, or a type that Tocsin does not take: its sender would speak in a form of its own.
pub fn integration(bytes: &[u8]) -> Result<Integration, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "integration")?;
    let mut wrong = Wrong::default();
    refuse_of_mail(&fields, &mut wrong, None);
    let kind = fields.text(&mut wrong, "type", NAME_CHARS_MAX);
    let vendor = fields.reference(&mut wrong, "vendor", "vendor");
    let known = vendor.as_deref().and_then(Vendor::of_id);
    if let (Some(id), None) = (&vendor, known) {
        let place = fields.path("vendor");
        return Err(Refusal::object_missing(&place, "vendor", id));
    }
    let of_kind = match kind.as_deref() {
        None => Some(Speaks::EventsV2),
        Some(kind) => speaks_of(kind),
    };
    // A type of several vendors says nothing without one of them.
    let shared = [BY_VENDOR, Vendor::of(Speaks::Grafana).kind];
    let shares_type = kind.as_deref().is_some_and(|kind| shared.contains(&kind));
    if of_kind.is_none() && !(shares_type && vendor.is_some()) {
        let path = fields.path("type");
        wrong.add(format!(
            "'{path}' is not supported: Tocsin takes events and mail, and what its own vendors are for"
        ));
    }
    let speaks = known.map(|vendor| vendor.speaks);
    let speaks = speaks.or(of_kind).unwrap_or_default();
    let name = fields.text(&mut wrong, "name", NAME_CHARS_MAX);
    // The name may be left to the server.
    let vendor = known.unwrap_or_else(|| Vendor::of(speaks));
    let name = name.unwrap_or_else(|| vendor.name.to_owned());
    let vendor = (vendor != Vendor::of(speaks)).then(|| vendor.id());
    wrong.outcome(Some(Integration {
        name,
        speaks,
        vendor,
    }))
}

/// How a foreign system speaks by an integration of this type, where the type alone tells it.
fn speaks_of(kind: &str) -> Option<Speaks> {
    let kind = kind.strip_suffix("_reference").unwrap_or(kind);
    if kind == EVENTS_V1 {
        return Some(Speaks::EventsV2);
    }
    let told = [Speaks::EventsV2, Speaks::Email];
    told.into_iter()
        .find(|speaks| Vendor::of(*speaks).kind == kind)
}

/// Says of each field about mail that asks for more than Tocsin does with all mail. `address` is where the integration is sent mail to,
/// as far as that is known.
fn refuse_of_mail(fields: &Fields<'_>, wrong: &mut Wrong, address: Option<&str>) {
    let not_served = |wrong: &mut Wrong, name: &str, why: &str| {
        let path = fields.path(name);
        wrong.add(format!("'{path}' is not supported: {why}"));
    };
    let chosen = fields.text(wrong, "integration_email", NAME_CHARS_MAX);
    let is_own = |text: &str| address.is_some_and(|own| own.eq_ignore_ascii_case(text));
    if chosen.is_some_and(|text| !is_own(&text)) {
        let why = "Tocsin makes the address, in which is the key; leave it out, and read it";
        not_served(wrong, "integration_email", why);
    }
    for (name, taken, why) in MAIL_WORDS {
        let word = fields.text(wrong, name, NAME_CHARS_MAX);
        if word.is_some_and(|word| !taken.contains(&word.as_str())) {
            not_served(wrong, name, why);
        }
    }
    let filters = fields.objects(wrong, "email_filters").unwrap_or_default();
    let is_open = |filter: &Fields<'_>| {
        let mut modes = FILTER_MODES.iter().filter_map(|name| filter.value(name));
        modes.all(|mode| mode == "always")
    };
    if !filters.iter().all(is_open) {
        let why = "all mail is taken; rules of Tocsin say what becomes of it";
        not_served(wrong, "email_filters", why);
    }
    let parsers = fields.objects(wrong, "email_parsers").unwrap_or_default();
    if !parsers.is_empty() {
        let why = "how mail is read is said by a mapping, which is set in Tocsin";
        not_served(wrong, "email_parsers", why);
    }
}

/// Reads the body of `PUT /services/{id}/integrations/{integration_id}`: its name, if that is said. `address` is where it is sent mail
/// to, if it is and that is known.
///
/// # Errors
/// It says a type, a vendor or an address that is not what the integration has: that stays as it was made.
pub fn integration_change(
    bytes: &[u8],
    is: &Vendor,
    address: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "integration")?;
    let mut wrong = Wrong::default();
    refuse_of_mail(&fields, &mut wrong, address);
    let name = fields.name(&mut wrong, "name", NAME_CHARS_MAX);
    if let Some(kind) = fields.text(&mut wrong, "type", NAME_CHARS_MAX) {
        let kind = kind.strip_suffix("_reference").unwrap_or(&kind);
        let old_events = is.speaks == Speaks::EventsV2 && kind == EVENTS_V1;
        if kind != is.kind && kind != BY_VENDOR && !old_events {
            stays(&fields, &mut wrong, "type");
        }
    }
    if let Some(id) = fields.reference(&mut wrong, "vendor", "vendor")
        && id != is.id()
    {
        stays(&fields, &mut wrong, "vendor");
    }
    wrong.outcome(Some(name))
}

fn stays(fields: &Fields<'_>, wrong: &mut Wrong, name: &str) {
    let path = fields.path(name);
    wrong.add(format!(
        "'{path}' is not supported: it stays as it was made; make another integration"
    ));
}

#[cfg(test)]
mod tests {
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
        let nobody =
            json!({"integration": {"vendor": {"id": "PAM4FGS", "type": "vendor_reference"}}});
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
}
