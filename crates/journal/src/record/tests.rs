//! Events as rows and back: what a row names, and which events are read back before they are kept.

use std::slice;

use super::*;
use serde_json::{Value, json};

const USER: &str = "QAAAAAAAAAAAAA";
const INCIDENT: &str = "QBBBBBBBBBBBBB";
const OTHER: &str = "QCCCCCCCCCCCCC";

fn check(body: Value, kind: &str, stream: &str, incident: Option<&str>) {
    let event: Event = serde_json::from_value(json!({
        "position": 7, "at": 1, "recorded_at": 2, "body": body,
        "actor": { "kind": "person", "user": USER },
        "cause": { "kind": "event", "position": 6 },
    }))
    .unwrap();
    let row = EventRow::all(slice::from_ref(&event)).unwrap().remove(0);
    assert_eq!(row.kind, kind);
    assert_eq!(row.stream, stream, "{kind}");
    assert_eq!(row.incident.as_deref(), incident, "{kind}");
    assert_eq!(row.event().unwrap(), event);
}

#[test]
fn a_row_names_the_kind_the_life_and_the_incident_of_its_event() {
    check(
        json!({ "area": "people", "kind": "user_removed", "user": USER }),
        "people.user_removed",
        "user:QAAAAAAAAAAAAA",
        None,
    );
    check(
        json!({ "area": "alert", "kind": "recovered", "alert": OTHER, "incident": INCIDENT, "evidence": [] }),
        "alert.recovered",
        "incident:QBBBBBBBBBBBBB",
        Some(INCIDENT),
    );
    check(
        json!({ "area": "incident", "kind": "acknowledged", "incident": INCIDENT, "by": USER }),
        "incident.acknowledged",
        "incident:QBBBBBBBBBBBBB",
        Some(INCIDENT),
    );
    check(
        json!({
            "area": "incident", "kind": "response", "incident": INCIDENT,
            "response": "reassigned", "to": { "kind": "people", "id": [USER] },
        }),
        "incident.response",
        "incident:QBBBBBBBBBBBBB",
        Some(INCIDENT),
    );
    check(
        json!({
            "area": "notification", "kind": "attempt_started", "notification": OTHER,
            "incident": INCIDENT, "number": 1,
        }),
        "notification.attempt_started",
        "notification:QCCCCCCCCCCCCC",
        Some(INCIDENT),
    );
    check(
        json!({ "area": "watch", "kind": "target_unmuted", "target": OTHER }),
        "watch.target_unmuted",
        "target:QCCCCCCCCCCCCC",
        None,
    );
    check(
        json!({ "area": "roster", "kind": "policy_removed", "policy": OTHER }),
        "roster.policy_removed",
        "policy:QCCCCCCCCCCCCC",
        None,
    );
}

#[test]
fn rows_of_several_events_say_who_did_each_and_why() {
    let sample = |value: f64| json!({ "kind": "sample", "sample": { "series": "probe_up", "at": 1, "value": value } });
    let person = json!({ "kind": "person", "user": USER });
    let other = json!({ "kind": "person", "user": OTHER });
    let causes = [
        (&person, json!({ "kind": "request" })),
        (&person, json!({ "kind": "request" })),
        (&other, json!({ "kind": "event", "position": 2 })),
        (&other, json!({ "kind": "event", "position": 3 })),
        (&person, sample(0.0)),
        (&person, sample(-0.0)),
    ];
    let events: Vec<Event> = causes
        .iter()
        .zip(1..)
        .map(|((actor, cause), position)| {
            serde_json::from_value(json!({
                "position": position, "at": 1, "recorded_at": 2, "actor": actor, "cause": cause,
                "body": { "area": "people", "kind": "user_removed", "user": USER },
            }))
            .unwrap()
        })
        .collect();
    let rows = EventRow::all(&events).unwrap();
    assert_eq!(rows.len(), events.len());
    for (row, event) in rows.iter().zip(&events) {
        assert_eq!(row.actor, serde_json::to_string(&event.actor).unwrap());
        assert_eq!(row.cause, serde_json::to_string(&event.cause).unwrap());
        assert_eq!(row.event().unwrap(), *event);
    }
}

#[test]
fn what_opens_and_escalates_incidents_is_read_back_only_where_it_holds_a_sample() {
    let opened = |onset: Value| {
        json!({
            "area": "incident", "kind": "opened", "incident": INCIDENT, "number": 1,
            "team": OTHER, "service": OTHER, "target": null, "title": "it is down",
            "severity": "critical", "onset": onset,
        })
    };
    let sample = json!({ "series": "probe_up", "at": 1, "value": 0.5 });
    let onset = json!({ "at": 1, "uncertainty_ms": 2, "evidence": sample });
    let reached = json!({
        "area": "incident", "kind": "level_reached", "incident": INCIDENT, "policy": OTHER,
        "level": 1, "round": 0, "recipients": [USER], "skipped": ["\u{2028}\u{0}\"\\"],
        "next_at": i64::MAX, "turn": 2, "each": true,
    });
    for (body, expected) in [
        (opened(Value::Null), false),
        (reached, false),
        (opened(onset), true),
    ] {
        let read: EventBody = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(may_read_back_otherwise(&read), expected, "{body}");
        // In a test everything is read back: what is not elsewhere must be the same.
        let kind = format!("incident.{}", body["kind"].as_str().unwrap());
        check(body, &kind, "incident:QBBBBBBBBBBBBB", Some(INCIDENT));
    }
}

#[test]
fn the_kind_of_a_body_is_found_behind_ids_and_nowhere_else() {
    let tags = |rest: &str| {
        let body = format!(r#"{{"area":"incident",{rest}}}"#);
        leading_tags(&body).map(|(area, kind)| format!("{area}.{kind}"))
    };
    let found = Some("incident.opened".to_owned());
    for rest in [
        r#""kind":"opened","number":1"#,
        r#""incident":"QBBBBBBBBBBBBB","kind":"opened","number":1"#,
        r#""notification":"QCCCCCCCCCCCCC","incident":null,"kind":"opened""#,
    ] {
        assert_eq!(tags(rest), found, "{rest}");
    }
    for rest in [
        r#""title":"a \",\"kind\":\"b","kind":"opened""#,
        r#""number":1,"kind":"opened""#,
        r#""hold":{"kind":"b"},"kind":"opened""#,
        r#""incident":"QBBBBBBBBBBBBB""#,
    ] {
        assert_eq!(tags(rest), None, "{rest}");
    }
}
