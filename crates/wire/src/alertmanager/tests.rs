//! What clients send, as it was recorded, and each rule of reading it.

use serde_json::json;
use tocsin_domain::intake::LabelTest;
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

use super::*;

const PROMETHEUS: &[u8] = include_bytes!("testdata/prometheus_2_42_alerts.json");
const AMTOOL_ALERT: &[u8] = include_bytes!("testdata/amtool_0_25_alert_add.json");
const AMTOOL_SILENCE: &[u8] = include_bytes!("testdata/amtool_0_25_silence_add.json");

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-27T15:48:30Z").unwrap()
}

fn one(bytes: &[u8]) -> ValidAlert {
    let (mut valid, reasons) = parse_alerts(bytes, now()).unwrap();
    assert_eq!((valid.len(), reasons.len()), (1, 0), "{reasons:?}");
    valid.remove(0)
}

#[test]
fn an_alert_of_prometheus_is_read_with_its_times_and_words() {
    let alert = one(PROMETHEUS);
    assert_eq!(alert.title(), "web is down");
    assert_eq!(alert.summary(), "value 1");
    assert_eq!(alert.severity(), Severity::Critical);
    assert_eq!(alert.labels["job"], "we\"b");
    assert_eq!(alert.labels["cluster"], "eu");
    assert!(alert.ends_at > alert.starts_at);
    let details = alert.into_details();
    assert_eq!(details[0], ("alertname".to_owned(), "Down".to_owned()));
    let last = details.last().unwrap();
    assert_eq!(last.0, GENERATOR_URL);
    assert!(last.1.contains("/graph?g0.expr=vector"), "{}", last.1);
}

#[test]
fn an_alert_of_amtool_begins_now_and_is_over_after_five_minutes() {
    let alert = one(AMTOOL_ALERT);
    assert_eq!(alert.starts_at, now());
    assert_eq!(alert.ends_at, now().plus_ms(300_000));
    assert_eq!(alert.title(), "hi");
    assert_eq!(alert.severity(), Severity::Error, "what says nothing pages");
}

#[test]
fn a_fingerprint_is_that_of_alertmanager() {
    let check = |labels: &[(&str, &str)], expected: &str| {
        assert_eq!(fingerprint_text(labels.iter().copied()), expected);
    };
    // As answered by Alertmanager 0.25.
    check(
        &[
            ("alertname", "Down"),
            ("instance", "web-1"),
            ("name", "garland, briggs"),
        ],
        "674bc12ebbb5f941",
    );
    check(&[("b", "x")], "019d71999ffa1e47");
    check(&[("b", "y")], "01a171999ffe071e");
    check(&[], "cbf29ce484222325");
}

#[test]
fn a_title_is_made_of_labels_where_no_annotation_says_it() {
    let check = |alert: serde_json::Value, title: &str| {
        let alert = one(json!([alert]).to_string().as_bytes());
        assert_eq!(alert.title(), title);
    };
    check(
        json!({"labels": {"alertname": "Down", "instance": "web-1"}}),
        "Down on web-1",
    );
    check(json!({"labels": {"alertname": "Down"}}), "Down");
    check(json!({"labels": {"x": "y"}}), "x=y");
    check(json!({"labels": {"alertname": "\n"}}), "alertname=");
    check(
        json!({"labels": {"a": "b"}, "annotations": {"summary": " ", "title": "two\nlines"}}),
        "two lines",
    );
    check(
        json!({"labels": {"alertname": "Down"}, "annotations": {"summary": "\u{200b}\u{feff}"}}),
        "Down",
    );
    check(
        json!({"labels": {"alertname": "\u{e0041}", "job": "\u{3164}", "service": "shop"}}),
        "alertname=\u{e0041} on shop",
    );
}

#[test]
fn what_can_be_taken_is_taken_and_the_rest_is_told() {
    let body = json!([
        {"labels": {"a": "b", "e": "", "n": null}},
        {"labels": {}},
        {"labels": {"": "x"}},
        {"labels": {"annotation x": "y"}},
        {"labels": {"a": "b"}, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"},
    ]);
    let (valid, reasons) = parse_alerts(body.to_string().as_bytes(), now()).unwrap();
    assert_eq!(valid.len(), 1);
    assert_eq!(valid[0].labels.len(), 1, "a label without value is none");
    assert_eq!(reasons[0], "at least one label pair required");
    assert_eq!(reasons[1], "invalid label set: invalid name \"\"");
    assert!(reasons[2].contains("annotation x"));
    assert_eq!(reasons[3], "start time must be before end time");
}

#[test]
fn a_body_that_is_none_is_refused_in_alertmanagers_words() {
    let check = |body: &str, status: u16, told: &str| {
        let fault = parse_alerts(body.as_bytes(), now()).unwrap_err();
        assert_eq!(fault.status(), status, "{body}");
        assert!(fault.body_text().contains(told), "{}", fault.body_text());
    };
    check(
        "",
        422,
        r#"{"code":602,"message":"alerts in body is required"}"#,
    );
    check("[{}]", 422, "0.labels in body is required");
    check("[{\"labels\":{\"a\":\"b\"}},null]", 422, "1.labels");
    check("{}", 400, r#"parsing alerts body from \"\" failed"#);
    check(r#"[{"labels":{"a":1}}]"#, 400, "parsing alerts body");
    check(
        r#"[{"labels":{"a":"b"},"startsAt":"x"}]"#,
        400,
        "parsing time",
    );
    assert_eq!(parse_alerts(b"null", now()).unwrap(), (vec![], vec![]));
}

#[test]
fn of_too_many_alerts_the_first_are_taken_and_the_rest_is_told() {
    let body = |count: usize| format!("[{}]", vec![r#"{"labels":{"a":"b"}}"#; count].join(","));
    let (valid, reasons) = parse_alerts(body(ALERTS_MAX).as_bytes(), now()).unwrap();
    assert_eq!((valid.len(), reasons.len()), (ALERTS_MAX, 0));
    let (valid, reasons) = parse_alerts(body(ALERTS_MAX + 2).as_bytes(), now()).unwrap();
    assert_eq!(valid.len(), ALERTS_MAX);
    assert_eq!(
        reasons,
        ["more than 4096 alerts in one request: the last 2 were left out"]
    );
}

#[test]
fn limits_hold_for_labels_and_cut_annotations() {
    let long = "é".repeat(TEXT_BYTES_MAX);
    let body = json!([{"labels": {"a": "b"}, "annotations": {"summary": long, "generatorURL": "x"},
        "generatorURL": long}]);
    let alert = one(body.to_string().as_bytes());
    assert_eq!(alert.annotations["summary"].len(), TEXT_BYTES_MAX);
    assert_eq!(alert.annotations.len(), 1);
    assert_eq!(alert.generator_url, None);
    let labels: serde_json::Map<_, _> = (0..=LABELS_MAX)
        .map(|number| (format!("l{number}"), json!("x")))
        .collect();
    for labels in [json!(labels), json!({"a": long})] {
        let body = json!([{ "labels": labels }]).to_string();
        let (valid, reasons) = parse_alerts(body.as_bytes(), now()).unwrap();
        assert_eq!((valid.len(), reasons.len()), (0, 1));
    }
}

#[test]
fn an_alert_of_very_many_labels_is_refused_and_those_beside_it_are_taken() {
    let labels: Vec<String> = (0..200_000).map(|one| format!("\"{one}\":\"x\"")).collect();
    let body = format!(
        r#"[{{"labels":{{{}}}}},{{"labels":{{"a":"b"}}}}]"#,
        labels.join(",")
    );
    let (valid, reasons) = parse_alerts(body.as_bytes(), now()).unwrap();
    assert_eq!(valid.len(), 1);
    assert_eq!(reasons, ["invalid label set: it has more than 64 labels"]);
}

#[test]
fn a_time_is_read_as_go_writes_it() {
    let check = |text: &str, expected: Option<&str>| {
        let read = parse_time(text).map(Timestamp::to_rfc3339);
        assert_eq!(read.as_deref(), expected, "{text}");
    };
    check(
        "2024-08-18T05:12:07.041999999+02:00",
        Some("2024-08-18T03:12:07.041Z"),
    );
    check("2024-08-18T03:12:07Z", Some("2024-08-18T03:12:07.000Z"));
    check(
        "2024-08-18T03:12:07.5-0130",
        Some("2024-08-18T04:42:07.500Z"),
    );
    check("2024-08-18T03:12:07", Some("2024-08-18T03:12:07.000Z"));
    for text in [
        "",
        "2024-08-18",
        "2024-02-30T00:00:00Z",
        "2024-08-18T24:00:00Z",
        "2024-08-18T23:59:60Z",
        "2024-08-18 03:12:07Z",
        "2024-08-18T03:12:07.Z",
        "2024-08-18T03:12:07.0123456789Z",
        "2024-08-18T03:12:07+24:00",
        "+024-08-18T03:12:07Z",
        "2024-08-18T03:12:07Zx",
        "1723950727",
    ] {
        check(text, None);
    }
    assert!(parse_time("0001-01-01T00:00:00.000Z").is_some_and(is_zero));
    assert!(parse_time("9999-12-31T23:59:59.999999999Z").is_some());
}

#[test]
fn matchers_are_read_in_each_of_their_spellings() {
    let check = |text: &str, expected: &[(&str, LabelTest, &str)]| {
        let read = parse_matchers(text).unwrap();
        let read: Vec<_> = read
            .iter()
            .map(|one| (one.name.as_str(), one.test, one.value.as_str()))
            .collect();
        assert_eq!(read, expected, "{text}");
    };
    check("a=b", &[("a", LabelTest::Equals, "b")]);
    check(" a != \"b c\" ", &[("a", LabelTest::Differs, "b c")]);
    check("a=~web.*", &[("a", LabelTest::Fits, "web.*")]);
    check(r#"a!~"x\\.y\.z""#, &[("a", LabelTest::Misfits, r"x\.y\.z")]);
    check("a=", &[("a", LabelTest::Equals, "")]);
    check(r#""a b"="c""#, &[("a b", LabelTest::Equals, "c")]);
    check("a=b=c", &[("a", LabelTest::Equals, "b=c")]);
    check(
        r#"service.name=~web|db,größe!="x=y",1a=b"#,
        &[
            ("service.name", LabelTest::Fits, "web|db"),
            ("größe", LabelTest::Differs, "x=y"),
            ("1a", LabelTest::Equals, "b"),
        ],
    );
    check(
        r#"{a="b,}", c=~"\"d\n", e=f,}"#,
        &[
            ("a", LabelTest::Equals, "b,}"),
            ("c", LabelTest::Fits, "\"d\n"),
            ("e", LabelTest::Equals, "f"),
        ],
    );
    check("{}", &[]);
}

#[test]
fn what_is_no_matcher_is_refused() {
    let check = |text: &str, told: &str| {
        let why = parse_matchers(text).unwrap_err();
        assert!(why.contains(told), "{why}");
    };
    check("a^b", "bad matcher format: a^b");
    check("a", "bad matcher format");
    check("=b", "bad matcher format");
    check("service.name=", "bad matcher format");
    check("service.name=a=b", "bad matcher format");
    check("\"a b\"=c d", "bad matcher format");
    check("a'b=c", "bad matcher format");
    check("{a=b", "bad matcher format");
    check("a=\"b", "bad matcher format");
    check("a=b,,c=d", "bad matcher format");
    check("a=\"b\"c\"\"", "unescaped double quote");
    check("a=~(", "invalid regular expression");
    check("\"\"=b", "invalid label name");
    check(&vec!["a=b"; 65].join(","), "more than 64");
    check(&"a".repeat(20_000), "more than 16384 bytes");
    assert!(parse_matcher("a=b,c=d").is_err());
    assert!(parse_matcher("").is_err());
}

#[test]
fn a_silence_of_amtool_is_read() {
    let silence = parse_silence(AMTOOL_SILENCE).unwrap();
    assert_eq!(silence.id, None);
    assert_eq!(
        (silence.created_by.as_str(), silence.comment.as_str()),
        ("ada", "new disks")
    );
    let shown: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            r#"alertname="Down""#,
            r#"job=~"web.*""#,
            r#"severity!="info""#
        ]
    );
    let span = silence
        .ends_at
        .unwrap()
        .ms_since(silence.starts_at.unwrap());
    assert_eq!(span, 2 * 3_600_000);
}

#[test]
fn a_silence_that_lacks_something_is_refused() {
    let whole = json!({"matchers": [{"name": "a", "value": "b", "isRegex": false}],
        "startsAt": "2026-12-01T00:00:00Z", "endsAt": "2026-12-02T00:00:00Z", "createdBy": "", "comment": ""});
    assert!(parse_silence(whole.to_string().as_bytes()).is_ok());
    for field in ["matchers", "startsAt", "endsAt", "createdBy", "comment"] {
        let mut lacking = whole.clone();
        lacking.as_object_mut().unwrap().remove(field);
        let fault = parse_silence(lacking.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.to_string(), format!("{field} in body is required"));
    }
    let check = |matchers: serde_json::Value, status: u16, told: &str| {
        let mut other = whole.clone();
        other["matchers"] = matchers;
        let fault = parse_silence(other.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.status(), status, "{fault}");
        assert!(fault.to_string().contains(told), "{fault}");
    };
    check(json!([]), 422, "at least 1 items");
    check(json!([null]), 422, "matchers.0.name in body is required");
    check(
        json!([{"name": "a", "value": "(", "isRegex": true}]),
        400,
        "silence invalid: invalid label matcher 0: invalid regular expression",
    );
    check(json!(vec![json!({}); 65]), 400, "more than 64");
    check(json!("x"), 400, "parsing silence body");
}

#[test]
fn a_question_has_flags_filters_and_a_receiver() {
    let read = |parameters: &[(&'static str, &'static str)]| {
        AlertQuestion::read(parameters.iter().copied())
    };
    let all = read(&[]).unwrap();
    assert!(all.active && all.silenced && all.inhibited && all.muted);
    assert!(all.wants_receiver("anything"));
    let some = read(&[
        ("active", "false"),
        ("silenced", "maybe"),
        ("inhibited", "1"),
        ("filter", "a=b"),
        ("filter", "c!=d"),
        ("receiver", "web|db"),
    ])
    .unwrap();
    assert!(!some.active && !some.silenced && some.inhibited);
    assert_eq!(some.filters.len(), 2);
    assert!(some.wants_receiver("db") && !some.wants_receiver("dbx"));
    for wrong in [[("filter", "a^b")], [("filter", "")], [("receiver", "(")]] {
        assert_eq!(read(&wrong).unwrap_err().status(), 400);
    }
}

#[test]
fn of_the_filters_a_few_that_name_a_plain_text_are_asked_first() {
    let plain = |filters: &[&'static str]| {
        let filters = filters.iter().map(|filter| ("filter", *filter));
        let read = AlertQuestion::read(filters).unwrap();
        let plain = read.plain_filters().into_iter();
        plain.map(|filter| filter.name).collect::<Vec<_>>()
    };
    assert_eq!(plain(&[]), Vec::<String>::new());
    assert_eq!(plain(&["a=~1", "b=1", "c!=1", "d!~1", "e="]), ["b", "e"]);
    let many = ["a=1", "b=1", "c=1", "d=1", "e=1", "f=1"];
    assert_eq!(plain(&many), ["a", "b", "c", "d"]);
}

#[test]
fn an_id_is_a_uuid_and_back_and_others_are_none_of_ours() {
    let id = "QABCDEFGHIJKLM".parse().unwrap();
    let uuid = uuid_of_id(id);
    assert_eq!(uuid.len(), 36);
    assert_eq!(&uuid[14..15], "4");
    assert_eq!(id_of_uuid(&uuid), Some(Some(id)));
    assert_eq!(
        id_of_uuid(&uuid.to_uppercase().replace('-', "")),
        Some(Some(id))
    );
    let foreign = "11111111-1111-4111-8111-111111111111";
    assert_eq!(id_of_uuid(foreign), Some(None));
    for text in [
        "x",
        "",
        "1111111111114111-8111-111111111111----",
        "QABCDEFGHIJKLM",
    ] {
        assert_eq!(id_of_uuid(text), None, "{text}");
    }
}
