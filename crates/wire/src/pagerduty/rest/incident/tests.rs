//! Bodies about incidents: as clients send them, with everything wrong, and at random.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::pagerduty::check_reasons;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// As the examples of the Python clients send it.
fn full() -> Value {
    json!({"incident": {
        "type": "incident",
        "title": "The server is on fire.",
        "service": {"id": "QAAAAAAAAAAAAA", "type": "service_reference"},
        "priority": {"id": "PAAAAAAAAAAAAA", "type": "priority_reference"},
        "urgency": "high",
        "incident_key": "baf7cf21b1da41b4b0221008339ff357",
        "body": {"type": "incident_body", "details": "A disk is getting full."},
        "escalation_policy": {"id": "QBBBBBBBBBBBBB", "type": "escalation_policy_reference"},
    }})
}

#[test]
fn an_incident_is_read_with_all_that_it_has() {
    let read = create(&bytes(&full())).unwrap();
    assert_eq!(read.title, "The server is on fire.");
    assert_eq!(read.service, "QAAAAAAAAAAAAA");
    assert_eq!(read.urgency, Some(Urgency::High));
    assert_eq!(read.details.as_deref(), Some("A disk is getting full."));
    assert_eq!(read.priority.as_deref(), Some("PAAAAAAAAAAAAA"));
    assert_eq!(read.to, Some(To::Policy("QBBBBBBBBBBBBB".to_owned())));
}

#[test]
fn long_details_are_cut_say_so_and_cost_no_incident() {
    let read = |chars: usize| {
        let mut body = full();
        body["incident"]["body"]["details"] = json!(format!("\u{1b}{}", "é".repeat(chars)));
        create(&bytes(&body)).unwrap().details.unwrap()
    };
    assert_eq!(read(DETAILS_CHARS_MAX), "é".repeat(DETAILS_CHARS_MAX));
    for chars in [DETAILS_CHARS_MAX + 1, 10_000] {
        let kept = read(chars);
        assert_eq!(kept.chars().count(), DETAILS_CHARS_MAX);
        assert!(kept.ends_with("é\n…, cut at 4,000 characters"), "{kept}");
    }
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let mut body = full();
    change(&mut body["incident"]);
    let refusal = create(&bytes(&body)).unwrap_err();
    assert_eq!(refusal.status, 400);
    check_reasons(&refusal.errors, expected);
}

#[test]
fn each_thing_that_is_wrong_has_its_reason() {
    refused(
        |one| one["title"] = json!(" "),
        &["'incident.title' is missing"],
    );
    refused(
        |one| one["title"] = json!("x".repeat(1_025)),
        &["'incident.title' is too long"],
    );
    refused(
        |one| one["service"] = Value::Null,
        &["'incident.service' is missing"],
    );
    refused(
        |one| one["service"] = json!("Q"),
        &["'incident.service' is invalid"],
    );
    refused(
        |one| one["urgency"] = json!("loud"),
        &["'incident.urgency' is invalid"],
    );
    refused(
        |one| one["conference_bridge"] = json!({"conference_number": "1"}),
        &["'incident.conference_bridge' is not supported"],
    );
    refused(
        |one| one["assignments"] = json!([{"assignee": {"id": "Q"}}]),
        &["'assignments' and 'escalation_policy' cannot both"],
    );
    refused(
        |one| {
            one["escalation_policy"] = Value::Null;
            one["assignments"] = json!([{}]);
        },
        &["'incident.assignments[0].assignee' is missing"],
    );
}

#[test]
fn a_type_of_incidents_is_refused_unless_it_is_that_of_all() {
    let not_supported = ["'incident.incident_type' is not supported"];
    for other in [json!({"name": "major_incident"}), json!({"id": "QA"})] {
        refused(|one| one["incident_type"] = other.clone(), &not_supported);
        let change = json!({"incident": {"incident_type": other}});
        let refusal = update(&bytes(&change)).unwrap_err();
        check_reasons(&refusal.errors, &not_supported);
    }
    for plain in [json!({"name": "incident_default"}), json!({}), Value::Null] {
        let mut body = full();
        body["incident"]["incident_type"] = plain;
        assert_eq!(create(&bytes(&body)), create(&bytes(&full())));
    }
}

#[test]
fn a_change_says_what_changes_and_nothing_else() {
    let read = update(&bytes(
        &json!({"incident": {"type": "incident_reference", "status": "acknowledged"}}),
    ));
    let expected = Update {
        status: Some(Status::Acknowledged),
        ..Update::default()
    };
    assert_eq!(read, Ok(expected));
    let taken_back = update(&bytes(&json!({"incident": {"priority": null}}))).unwrap();
    assert_eq!(taken_back.priority, Some(None));
    let people = json!({"incident": {"assignments": [{"assignee": {"id": "QA", "type": "user_reference"}}]}});
    let given = update(&bytes(&people)).unwrap();
    assert_eq!(given.to, Some(To::People(vec!["QA".to_owned()])));
}

#[test]
fn many_are_changed_at_once_and_not_too_many() {
    let many = |count: usize| {
        let one = json!({"id": "QA", "type": "incident_reference", "status": "resolved"});
        updates(&bytes(&json!({"incidents": vec![one; count]})))
    };
    assert_eq!(many(BULK_MAX).unwrap().len(), BULK_MAX);
    assert_eq!(many(BULK_MAX + 1).unwrap_err().status, 413);
    assert_eq!(many(0).unwrap_err().code, 2003);
    let nameless = json!({"incidents": [{"status": "resolved"}]});
    assert!(updates(&bytes(&nameless)).is_err());
}

#[test]
fn a_snooze_lasts_a_second_to_a_week() {
    let of = |duration: Value| snooze(&bytes(&json!({"duration": duration}))).ok();
    assert_eq!(of(json!(1)), Some(1));
    assert_eq!(of(json!("3600")), Some(3_600));
    assert_eq!(of(json!(604_800)), Some(604_800));
    for wrong in [
        json!(0),
        json!(604_801),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!(null),
    ] {
        assert_eq!(of(wrong.clone()), None, "{wrong}");
    }
}

#[test]
fn a_request_for_help_is_read_with_and_without_its_inner_wrapper() {
    let target = json!({"id": "QA", "type": "user_reference"});
    for entry in [json!({"responder_request_target": target}), target.clone()] {
        let body = json!({"requester_id": "QB", "message": "Please help", "responder_request_targets": [entry]});
        let read = request(&bytes(&body)).unwrap();
        assert_eq!(read.targets[0].id, "QA");
    }
    let schedule = json!({"message": "x", "responder_request_targets": [{"id": "QA", "type": "schedule_reference"}]});
    assert_eq!(request(&bytes(&schedule)).unwrap_err().errors.len(), 1);
}

#[test]
fn notes_updates_and_sources_need_what_they_are_about() {
    assert_eq!(
        note(&bytes(&json!({"note": {"content": "Disk"}}))).as_deref(),
        Ok("Disk")
    );
    assert!(note(&bytes(&json!({"note": {}}))).is_err());
    assert!(note(&bytes(&json!({"content": "Disk"}))).is_err());
    let update = |body: Value| status_update(&bytes(&body)).map(|update| update.text());
    assert_eq!(update(json!({"message": "Soon"})), Ok("Soon".to_owned()));
    let under = json!({"subject": " Till ", "message": "Soon"});
    assert_eq!(update(under), Ok("Till\nSoon".to_owned()));
    let long = |subject: usize, message: usize| {
        update(json!({"subject": "x".repeat(subject), "message": "x".repeat(message)}))
    };
    assert!(long(99, 3_800).is_ok());
    assert!(long(100, 3_800).is_err() && long(256, 1).is_err());
    let html = json!({"message": "Soon", "html_message": "<b>"});
    assert!(status_update(&bytes(&html)).is_err());
    let lines = json!({"note": {"content": "Disk:\n\tfull"}});
    assert_eq!(note(&bytes(&lines)).as_deref(), Ok("Disk:\n\tfull"));
    let rings = json!({"note": {"content": "Disk\u{7}"}});
    assert_eq!(
        note(&bytes(&rings)).unwrap_err().errors,
        ["'note.content' is invalid: it has control characters"]
    );
    assert_eq!(
        status_update(&bytes(&json!({"message": "Soon\u{7}"})))
            .unwrap_err()
            .errors,
        ["'message' is invalid: it has control characters"]
    );
    let merged = json!({"source_incidents": [{"id": "QA", "type": "incident_reference"}]});
    assert_eq!(sources(&bytes(&merged)), Ok(vec!["QA".to_owned()]));
    assert!(sources(&bytes(&json!({"source_incidents": []}))).is_err());
}

#[test]
fn a_text_of_which_nothing_can_be_seen_is_none() {
    let blank = "\u{200b}\u{feff}";
    let missing = |refusal: Refusal| refusal.errors;
    let of_note = note(&bytes(&json!({"note": {"content": blank}})));
    assert_eq!(
        of_note.map_err(missing),
        Err(vec!["'note.content' is missing or blank".to_owned()])
    );
    let of_update = status_update(&bytes(&json!({"message": blank})));
    assert_eq!(
        of_update.map_err(missing),
        Err(vec!["'message' is missing or blank".to_owned()])
    );
    let target = json!({"id": "QA", "type": "user_reference"});
    let asked = json!({"message": blank, "responder_request_targets": [target]});
    assert_eq!(
        request(&bytes(&asked)).map_err(missing),
        Err(vec!["'message' is missing or blank".to_owned()])
    );
    let ended = json!({"incident": {"status": "resolved", "resolution": blank}});
    assert_eq!(update(&bytes(&ended)).unwrap().resolution, None);
}

#[test]
fn control_characters_are_refused_with_the_field_that_has_them() {
    let told = |field: &str| vec![format!("'{field}' is invalid: it has control characters")];
    for field in ["resolution", "title"] {
        let mut body = json!({"incident": {"status": "resolved"}});
        body["incident"][field] = json!("Disk\u{7}");
        let refusal = update(&bytes(&body)).unwrap_err();
        assert_eq!(refusal.errors, told(&format!("incident.{field}")));
        body["incident"][field] = json!("Disk:\n\tfull");
        assert!(update(&bytes(&body)).is_ok(), "{field}");
    }
    let rings = json!({"incident": {"title": "Disk\u{7}", "service": {"id": "QA", "type": "service_reference"}}});
    let refusal = create(&bytes(&rings)).unwrap_err();
    assert_eq!(refusal.errors, told("incident.title"));
    let target = json!({"id": "QA", "type": "user_reference"});
    let rings = json!({"message": "Help\u{7}", "responder_request_targets": [target]});
    let refusal = request(&bytes(&rings)).unwrap_err();
    assert_eq!(refusal.errors, told("message"));
}

/// Any JSON of at most three levels, with the names that bodies use among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        "\\PC{0,20}".prop_map(|value| json!(value)),
        Just(json!("acknowledged")),
    ];
    let names = vec![
        "incident",
        "incidents",
        "title",
        "service",
        "id",
        "type",
        "status",
        "assignments",
        "assignee",
        "priority",
        "body",
        "details",
        "duration",
        "note",
        "content",
        "message",
        "responder_request_targets",
        "responder_request_target",
        "source_incidents",
        "alerts",
        "alert",
    ];
    let name = prop_oneof![
        "[a-z]{1,5}",
        proptest::sample::select(names).prop_map(str::to_owned)
    ];
    leaf.prop_recursive(3, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|values| json!(values)),
            proptest::collection::btree_map(name.clone(), inner, 0..8).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_and_a_refusal_always_has_a_reason(value in any_json()) {
        let body = bytes(&value);
        let refusals = [
            create(&body).err(), update(&body).err(), updates(&body).err(), sources(&body).err(),
            snooze(&body).err(), note(&body).err(), status_update(&body).err(), alert(&body).err(),
            alerts(&body).err(), request(&body).err(),
        ];
        for refusal in refusals.into_iter().flatten() {
            prop_assert!(!refusal.errors.is_empty(), "{refusal:?}");
        }
    }
}

#[test]
fn what_most_bodies_say_is_read_as_every_other_body_is() {
    for text in [
        r#"{"incident":{"type":"incident_reference","status":"acknowledged"}}"#,
        r#" { "incident" : { "status" : "resolved" } } "#,
        r#"{"incident":{"status":"triggered","type":null}}"#,
    ] {
        let usual = usual_update(text.as_bytes());
        assert_eq!(usual, Some(any_update(text.as_bytes()).unwrap()), "{text}");
    }
}

#[test]
fn whatever_else_a_body_says_is_left_to_the_way_that_reads_or_refuses_it() {
    for text in [
        "",
        "[]",
        r#"[["incident","resolved"]]"#,
        r#"{"incident":["incident","resolved"]}"#,
        r#"{"incident":{"type":"incident"}}"#,
        r#"{"incident":{"status":"gone"}}"#,
        r#"{"incident":{"status":null}}"#,
        r#"{"incident":{"status":"resolved","status":"acknowledged"}}"#,
        r#"{"incident":{"status":"resolved","title":"Slow"}}"#,
        r#"{"incident":{"status":"resolved","type":1}}"#,
        r#"{"incident":{"status":"resolved"},"from":"a@example.org"}"#,
        r#"{"incident":{"status":"resolved"}} more"#,
        r#"{"incident":{"status":"\u0072esolved"}}"#,
    ] {
        assert_eq!(usual_update(text.as_bytes()), None, "{text}");
        assert_eq!(
            update(text.as_bytes()),
            any_update(text.as_bytes()),
            "{text}"
        );
    }
}
