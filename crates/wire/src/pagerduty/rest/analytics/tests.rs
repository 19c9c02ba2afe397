//! What is read of questions, and the arithmetic of answers.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn measure(opened: &str, acknowledged: Option<&str>, resolved: Option<&str>) -> Measure {
    let acknowledged = acknowledged.map(at);
    Measure {
        opened: at(opened),
        acknowledged,
        resolved: resolved.map(at),
        engaged: acknowledged.into_iter().collect(),
        ..Measure::default()
    }
}

#[test]
fn means_are_of_those_that_have_the_value() {
    let first = measure(
        "2026-11-23T07:00:00Z",
        Some("2026-11-23T07:01:00Z"),
        Some("2026-11-23T07:10:00Z"),
    );
    let second = measure(
        "2026-11-23T08:00:00Z",
        Some("2026-11-23T08:02:01Z"),
        Some("2026-11-23T08:05:00Z"),
    );
    let open = measure("2026-11-23T09:00:00Z", None, None);
    let told = totals([&first, &second, &open], &TimeZone::UTC);
    // 60 s and 121 s.
    assert_eq!(told["mean_seconds_to_first_ack"], 91);
    // 600 s and 300 s.
    assert_eq!(told["mean_seconds_to_resolve"], 450);
    // 540 s and 179 s of two people.
    assert_eq!(told["total_engaged_seconds"], 719);
    assert_eq!(told["mean_engaged_seconds"], 360);
    assert_eq!(told["total_incident_count"], 3);
    assert_eq!(told["total_incidents_acknowledged"], 2);
    assert_eq!(told["mean_seconds_to_engage"], Value::Null);
    let nothing = totals([], &TimeZone::UTC);
    assert_eq!(nothing["mean_seconds_to_resolve"], Value::Null);
    assert_eq!(nothing["total_incident_count"], 0);
}

#[test]
fn several_people_engage_one_after_the_other() {
    let mut one = measure(
        "2026-11-23T07:00:00Z",
        Some("2026-11-23T07:01:00Z"),
        Some("2026-11-23T07:10:00Z"),
    );
    one.engaged.push(at("2026-11-23T07:04:00Z"));
    assert_eq!(one.to_engage_s(), Some(180));
    assert_eq!(one.to_mobilize_s(), Some(240));
    assert_eq!(one.engaged_s(), Some(540 + 360));
}

#[test]
fn interruptions_are_counted_by_the_hours_of_a_zone() {
    // A Monday and a Saturday.
    let all = [
        at("2026-11-23T08:00:00Z"),
        at("2026-11-23T17:59:59Z"),
        at("2026-11-23T18:00:00Z"),
        at("2026-11-23T22:00:00Z"),
        at("2026-11-23T07:59:59Z"),
        at("2026-11-28T12:00:00Z"),
    ];
    assert_eq!(interruptions(&all, &TimeZone::UTC), (2, 2, 2));
    let paris = TimeZone::get("Europe/Paris").unwrap();
    assert_eq!(interruptions(&all, &paris), (2, 3, 1));
}

#[test]
fn days_weeks_and_months_begin_at_the_midnights_of_a_zone() {
    let zone = TimeZone::get("America/New_York").unwrap();
    // Sunday evening there.
    let opened = at("2026-11-23T02:00:00Z");
    for (unit, expected) in [
        (Unit::Day, "2026-11-22T05:00:00Z"),
        (Unit::Week, "2026-11-16T05:00:00Z"),
        (Unit::Month, "2026-11-01T04:00:00Z"),
    ] {
        let begin = begin_of(opened, unit, &zone).map(time::written);
        assert_eq!(begin.as_deref(), Some(expected), "{unit:?}");
    }
}

fn asked(body: &Value) -> Result<Question, Refusal> {
    question(body.to_string().as_bytes()).map(|(question, _)| question)
}

#[test]
fn a_question_is_read_strictly() {
    let read = asked(&json!({
        "filters": {
            "created_at_start": "2026-11-01T00:00:00+0100", "created_at_end": "2026-12-01", "urgency": "high",
            "team_ids": [], "service_ids": ["QA"], "escalation_policy_ids": ["QB"], "major": null,
        },
        "time_zone": "Europe/Paris", "aggregate_unit": "week",
    }))
    .unwrap();
    assert_eq!(read.unit, Some(Unit::Week));
    assert_eq!(read.filters.since, Some(at("2026-10-31T23:00:00Z")));
    assert_eq!(read.filters.services, Some(vec!["QA".to_owned()]));
    assert_eq!(read.filters.policies, Some(vec!["QB".to_owned()]));
    assert_eq!((read.filters.teams, read.filters.major), (None, None));
    assert_eq!(question(b"").unwrap().0.zone_name, "Etc/UTC");
    for wrong in [
        json!({"filters": {"created_at_start": "noon"}}),
        json!({"filters": {"created_at_start": "2026-12-01", "created_at_end": "2026-11-01"}}),
        json!({"filters": {"urgency": "loud"}}),
        json!({"filters": {"major": "yes"}}),
        json!({"filters": {"team_ids": "QA"}}),
        json!({"filters": {"team_ids": [1]}}),
        json!({"filters": {"incident_type_ids": ["QA"]}}),
        json!({"filters": []}),
        json!({"time_zone": "Mars/Olympus"}),
        json!({"aggregate_unit": "year"}),
        json!({"order": "up"}),
        json!({"order_by": "title"}),
    ] {
        let refusal = asked(&wrong).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (400, 2001), "{wrong}");
    }
}

#[test]
fn rows_stand_in_the_order_that_is_asked_for() {
    let rows = [
        json!({"service_name": "Till", "total_incident_count": 2, "mean_seconds_to_resolve": null}),
        json!({"service_name": "Shop", "total_incident_count": 10, "mean_seconds_to_resolve": 9}),
        json!({"service_name": "Stock", "total_incident_count": 3, "mean_seconds_to_resolve": 7}),
    ];
    let check = |body: Value, word: Option<&str>, expected: [&str; 3]| {
        let (_, order) = question(body.to_string().as_bytes()).unwrap();
        let mut rows = rows.clone();
        order.sort(&mut rows);
        let names = rows
            .each_ref()
            .map(|row| row["service_name"].as_str().unwrap());
        assert_eq!((order.word(), names), (word, expected), "{body}");
    };
    let (up, down) = (Some("asc"), Some("desc"));
    check(json!({}), None, ["Till", "Shop", "Stock"]);
    check(json!({"order": "desc"}), down, ["Stock", "Shop", "Till"]);
    let by = |column: &str, order: &str| json!({"order_by": column, "order": order});
    check(
        by("total_incident_count", "asc"),
        up,
        ["Till", "Stock", "Shop"],
    );
    check(by("service_name", "asc"), up, ["Shop", "Stock", "Till"]);
    let most = json!({"order_by": "total_incident_count"});
    check(most, down, ["Shop", "Stock", "Till"]);
    for (order, word, expected) in [
        ("asc", up, ["Stock", "Shop", "Till"]),
        ("desc", down, ["Shop", "Stock", "Till"]),
    ] {
        check(by("mean_seconds_to_resolve", order), word, expected);
    }
}

#[test]
fn a_page_of_raw_data_has_its_limits() {
    let page = |body: Value| raw(body.to_string().as_bytes()).map(|(_, page)| page);
    let usual = page(json!({})).unwrap();
    assert_eq!((usual.limit, usual.descends), (100, true));
    let large = page(json!({"limit": 5_000, "order": "asc", "order_by": "created_at"})).unwrap();
    assert_eq!((large.limit, large.descends), (1_000, false));
    assert_eq!((usual.by, large.by), (RawOrder::Created, RawOrder::Created));
    let longest = page(json!({"order_by": "seconds_to_resolve"})).unwrap();
    assert_eq!((longest.by, longest.descends), (RawOrder::Lasted, true));
    for wrong in [
        json!({"limit": 0}),
        json!({"limit": -1}),
        json!({"order": "up"}),
        json!({"order_by": "seconds_to_engage"}),
        json!({"starting_after": "QA", "ending_before": "QB"}),
    ] {
        assert_eq!(page(wrong.clone()).unwrap_err().status, 400, "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_mean_lies_between_the_least_and_the_most(values in prop::collection::vec(0_u64..1_000_000, 1..20)) {
        let opened = at("2026-11-23T07:00:00Z");
        let measures: Vec<Measure> = values
            .iter()
            .map(|seconds| Measure { opened, resolved: Some(opened.plus_ms(seconds * 1_000)), ..Measure::default() })
            .collect();
        let told = totals(&measures, &TimeZone::UTC);
        let mean = told["mean_seconds_to_resolve"].as_u64().unwrap();
        prop_assert!(values.iter().min() <= Some(&mean) && Some(&mean) <= values.iter().max());
    }

    #[test]
    fn no_bytes_make_it_panic(body in "\\{\"(filters|limit|time_zone)\":\\PC{0,60}\\}") {
        let _ = (question(body.as_bytes()), raw(body.as_bytes()).map(|_| ()));
    }
}
