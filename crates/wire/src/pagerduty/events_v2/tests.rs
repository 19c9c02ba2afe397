//! Events as real clients send them (python-pagerduty 7.2.0, pdpyras 5.4.1, Alertmanager 0.25.0), and broken ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::pagerduty::check_reasons;

const KEY: &str = "R0123456789ABCDEFGHIJabcdefghij0";

fn parse(body: &[u8]) -> Result<Event, Rejection> {
    super::parse(body, None)
}

fn accept(body: &[u8]) -> Event {
    parse(body).unwrap_or_else(|rejection| panic!("{rejection}"))
}

#[test]
fn a_trigger_of_the_python_client_is_read_in_full() {
    let event = accept(include_bytes!("testdata/python_pagerduty_trigger.json"));
    assert_eq!(event.action, Action::Trigger);
    assert_eq!(event.routing_key, KEY);
    assert_eq!(event.dedup_key.as_deref(), Some("web-1/down"));
    let payload = event.payload.unwrap();
    assert_eq!(payload.summary, "Apache is down on webserver-01");
    assert_eq!(payload.source.as_deref(), Some("webserver-01"));
    assert_eq!(payload.severity, Severity::Critical);
    assert_eq!(payload.component.as_deref(), Some("apache2"));
    assert_eq!(payload.custom_details.unwrap()["free_workers"], 0);
    assert_eq!(event.images[0].src, "https://example.org/g.png");
    assert_eq!(event.links[0].text.as_deref(), Some("Runbook"));
    assert!(event.notes.is_empty());
}

#[test]
fn acknowledge_and_resolve_need_no_payload() {
    let event = accept(include_bytes!("testdata/python_pagerduty_acknowledge.json"));
    assert_eq!((event.action, event.payload), (Action::Acknowledge, None));
    let event = accept(include_bytes!("testdata/python_pagerduty_resolve.json"));
    assert_eq!(event.action, Action::Resolve);
    let event = accept(include_bytes!("testdata/alertmanager_resolve.json"));
    assert_eq!(
        (event.action, event.payload.unwrap().source.as_deref()),
        (Action::Resolve, Some("Alertmanager"))
    );
    let left_over = json!({"routing_key": KEY, "event_action": "resolve", "dedup_key": "k", "payload": {"summary": 5}});
    assert_eq!(accept(left_over.to_string().as_bytes()).payload, None);
}

#[test]
fn a_trigger_without_a_key_is_accepted() {
    let event = accept(include_bytes!("testdata/python_pdpyras_trigger.json"));
    assert_eq!(event.dedup_key, None);
}

#[test]
fn a_key_beside_the_body_counts_where_the_body_has_none() {
    let beside = "B".repeat(ROUTING_KEY_CHARS);
    for (own, expected) in [
        (json!(null), Some(beside.as_str())),
        (json!(" "), Some(beside.as_str())),
        (json!(KEY), Some(KEY)),
        (json!(5), None),
    ] {
        let event = json!({"routing_key": own, "event_action": "resolve", "dedup_key": "k"});
        let read = super::parse(event.to_string().as_bytes(), Some(&beside));
        let key = read.as_ref().ok().map(|event| event.routing_key.as_str());
        assert_eq!(key, expected, "{event}");
    }
    let event = json!({"event_action": "resolve", "dedup_key": "k"}).to_string();
    let event = event.as_bytes();
    assert_eq!(super::parse(event, Some(KEY)).unwrap().routing_key, KEY);
    let wrong = super::parse(event, Some("short")).unwrap_err();
    assert!(wrong.errors[0].starts_with("'routing_key' is invalid"));
}

#[test]
fn alertmanagers_events_are_accepted_with_client_and_address() {
    let event = accept(include_bytes!("testdata/alertmanager_trigger.json"));
    assert_eq!(event.client.as_deref(), Some("Alertmanager"));
    assert_eq!(
        event.client_url.as_deref(),
        Some("http://alertmanager.example.org/#/alerts?receiver=pd")
    );
    assert_eq!(event.dedup_key.unwrap().len(), 64);
}

/// A good trigger with one change.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut event = json!({
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "k",
        "payload": {"summary": "s", "source": "h", "severity": "error"},
    });
    change(&mut event);
    event.to_string().into_bytes()
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let rejection = parse(&changed(change)).unwrap_err();
    assert_eq!(rejection.status, 400);
    check_reasons(&rejection.errors, expected);
}

#[test]
fn each_broken_rule_has_its_reason() {
    refused(
        |event| event["routing_key"] = json!("short"),
        &["'routing_key' is invalid"],
    );
    refused(
        |event| event["routing_key"] = json!("é".repeat(16)),
        &["'routing_key' is invalid"],
    );
    refused(
        |event| event["routing_key"] = json!(null),
        &["'routing_key' is missing"],
    );
    refused(
        |event| event["event_action"] = json!("open"),
        &["'event_action' is invalid"],
    );
    refused(
        |event| event["event_action"] = json!(["trigger"]),
        &["'event_action' is invalid: it is a string"],
    );
    refused(
        |event| event["dedup_key"] = json!("é".repeat(256)),
        &["'dedup_key' is too long"],
    );
    refused(
        |event| event["payload"] = json!(null),
        &["'payload' is missing"],
    );
    refused(
        |event| event["payload"] = json!("text"),
        &["'payload' is invalid"],
    );
    refused(
        |event| event["payload"]["summary"] = json!("é".repeat(1_025)),
        &["'payload.summary' is too long"],
    );
    refused(
        |event| event["payload"]["summary"] = json!(" "),
        &["'payload.summary' is missing"],
    );
    refused(
        |event| event["payload"]["source"] = json!(7),
        &["'payload.source' is invalid"],
    );
    refused(
        |event| event["payload"]["severity"] = json!("Critical"),
        &["'payload.severity' is invalid"],
    );
    refused(
        |event| event["payload"]["summary"] = json!("\u{1b}\u{0}"),
        &["'payload.summary' is missing"],
    );
    refused(
        |event| {
            event["event_action"] = json!("resolve");
            event["dedup_key"] = json!("");
        },
        &["'dedup_key' is missing"],
    );
}

#[test]
fn all_broken_rules_are_told_at_once() {
    refused(
        |event| *event = json!({"event_action": "trigger", "payload": {"severity": "bad"}}),
        &[
            "'routing_key' is missing",
            "'payload.summary' is missing",
            "'payload.source' is missing",
            "'payload.severity' is invalid",
        ],
    );
    refused(
        |event| *event = json!({}),
        &["'routing_key' is missing", "'event_action' is missing"],
    );
}

#[test]
fn the_longest_texts_allowed_are_accepted() {
    let event = accept(&changed(|event| {
        event["dedup_key"] = json!("é".repeat(255));
        event["payload"]["summary"] = json!("é".repeat(1_024));
    }));
    assert_eq!(event.payload.unwrap().summary.chars().count(), 1_024);
}

#[test]
fn what_is_not_json_or_too_large_is_refused() {
    for body in [&b""[..], b"{", b"[]", b"\"x\"", b"\xff", b"null"] {
        assert_eq!(parse(body).unwrap_err().status, 400);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(parse(deep.as_bytes()).unwrap_err().status, 400);
    assert_eq!(
        parse(&vec![b' '; BODY_BYTES_MAX + 1]).unwrap_err().status,
        413
    );
}

#[test]
fn ornaments_that_are_no_good_are_dropped_and_noted_but_the_alert_stays() {
    let event = accept(&changed(|event| {
        event["client_url"] = json!("javascript:alert(1)");
        event["links"] = json!([{"href": "javascript:alert(2)"}, {"text": "no address"}, {"href": "https://a/b"}]);
        event["images"] = json!([{"src": "data:text/html,x"}]);
        event["payload"]["timestamp"] = json!("yesterday");
        event["payload"]["class"] = json!(5);
        event["payload"]["group"] = json!("");
    }));
    assert_eq!(event.client_url, None);
    assert_eq!(
        event.links,
        [Link {
            href: "https://a/b".to_owned(),
            text: None
        }]
    );
    assert!(event.images.is_empty());
    let payload = event.payload.unwrap();
    assert_eq!(
        (payload.timestamp, payload.class, payload.group),
        (None, None, None)
    );
    assert_eq!(event.notes.len(), 5, "{:?}", event.notes);
}

#[test]
fn further_fields_that_are_null_are_none() {
    let check = |details: Value, expected: Option<Value>| {
        let event = accept(&changed(|event| {
            event["payload"]["custom_details"] = details
        }));
        assert_eq!(event.payload.unwrap().custom_details, expected);
    };
    check(Value::Null, None);
    check(json!("a text"), Some(json!("a text")));
    check(json!({"a": [null]}), Some(json!({"a": [null]})));
}

#[test]
fn a_number_beyond_64_bits_is_kept_as_the_text_of_its_digits() {
    let body = |details: &str| {
        let whole = changed(|event| event["payload"]["custom_details"] = json!("HERE"));
        let whole = String::from_utf8(whole).unwrap();
        whole.replace("\"HERE\"", details).into_bytes()
    };
    let long = "123456789012345678901234567890";
    let details = accept(&body(&format!(
        r#"{{"id": {long}, "all": [-{long}, 7, 1e30]}}"#
    )));
    let details = details.payload.unwrap().custom_details.unwrap();
    let negative = format!("-{long}");
    let expected = json!({"id": long, "all": [negative, 7, 1e30]});
    assert_eq!(details, expected);
    let endless = "9".repeat(500);
    let details = accept(&body(&endless)).payload.unwrap().custom_details;
    assert_eq!(details, Some(json!(endless)));
    // What has to be a text is none of it.
    let key =
        format!(r#"{{"routing_key": "{KEY}", "event_action": "resolve", "dedup_key": {long}}}"#);
    let refused = parse(key.as_bytes()).unwrap_err();
    assert_eq!(refused.errors, ["'dedup_key' is invalid: it is a string"]);
}

#[test]
fn control_characters_become_blanks_and_cost_no_alert() {
    let event = accept(&changed(|event| {
        event["payload"]["summary"] = json!("disk\r\nfull\u{1b}[31m");
        event["dedup_key"] = json!("a\u{7}b");
    }));
    assert_eq!(event.payload.unwrap().summary, "disk  full [31m");
    assert_eq!(event.dedup_key.as_deref(), Some("a b"));
    assert_eq!(event.notes.len(), 2, "{:?}", event.notes);
}

#[test]
fn a_summary_of_several_lines_is_one_line_and_costs_no_note() {
    let event = accept(&changed(|event| {
        event["payload"]["summary"] = json!("disk\nfull\tof logs");
        event["payload"]["custom_details"] = json!({"lines": "one\ntwo"});
    }));
    let payload = event.payload.unwrap();
    assert_eq!(payload.summary, "disk full of logs");
    let details = payload.custom_details.unwrap();
    assert_eq!(details["lines"], "one\ntwo");
    assert!(event.notes.is_empty(), "{:?}", event.notes);
}

#[test]
fn ornaments_of_another_shape_are_dropped_and_noted_but_the_alert_stays() {
    let event = accept(&changed(|event| {
        event["links"] = json!(["https://x", {"href": "https://a/b"}]);
        event["images"] = json!([1]);
    }));
    assert_eq!((event.links.len(), event.images.len()), (1, 0));
    assert_eq!(event.notes.len(), 2, "{:?}", event.notes);
    let event = accept(&changed(|event| {
        event["links"] = json!({});
        event["images"] = json!("none");
    }));
    assert_eq!(event.notes.len(), 2, "{:?}", event.notes);
}

#[track_caller]
fn check_timestamp(text: &str) {
    let event = accept(&changed(|event| {
        event["payload"]["timestamp"] = json!(text)
    }));
    let timestamp = event.payload.unwrap().timestamp.map(Timestamp::to_rfc3339);
    assert_eq!(
        timestamp.as_deref(),
        Some("2024-08-18T03:12:07.041Z"),
        "{text}"
    );
}

#[test]
fn times_are_read_in_the_forms_that_clients_send() {
    for text in [
        "2024-08-18T03:12:07.041Z",
        "2024-08-18T03:12:07.041+00:00",
        "2024-08-18T03:12:07.041+0000",
        "2024-08-17T22:12:07.041-0500",
        "2024-08-18T03:12:07.041",
        "2024-08-18 03:12:07.041",
        " 2024-08-18 03:12:07.041+0000 ",
    ] {
        check_timestamp(text);
    }
}

#[test]
fn answers_have_what_clients_look_for() {
    assert_eq!(
        accepted("a\"b"),
        r#"{"dedup_key":"a\"b","message":"Event processed","status":"success"}"#
    );
    let json: Value = serde_json::from_str(&invalid(&["x".to_owned()])).unwrap();
    assert_eq!(
        (&json["status"], &json["errors"][0]),
        (&json!("invalid event"), &json!("x"))
    );
    assert!(throttled().contains("throttle"));
}

/// Any JSON of at most three levels, with the names that events use among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        "\\PC{0,20}".prop_map(|value| json!(value)),
        Just(json!(KEY)),
        Just(json!("trigger")),
        Just(json!("critical")),
    ];
    let name = prop_oneof![
        "[a-z]{1,5}",
        proptest::sample::select(vec![
            "routing_key",
            "event_action",
            "dedup_key",
            "payload",
            "summary",
            "source",
            "severity",
            "timestamp",
            "links",
            "images",
            "href",
            "src",
            "client_url",
            "custom_details",
        ])
        .prop_map(str::to_owned),
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
        if let Err(rejection) = parse(value.to_string().as_bytes()) {
            prop_assert!(!rejection.errors.is_empty());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = parse(&body);
    }

    #[test]
    fn a_damaged_event_never_panics(at in 0_usize..417, byte in any::<u8>()) {
        let mut body = include_bytes!("testdata/python_pagerduty_trigger.json").to_vec();
        body[at] = byte;
        let _ = parse(&body);
    }
}
