//! Hours there and back.

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::pagerduty::rest::Refusal;

/// What a body with these fields makes of a service whose alerts are that urgent.
fn read_of(known: &UrgencyBy, body: &Value) -> Result<Option<UrgencyBy>, Refusal> {
    let fields: &Map<String, Value> = body.as_object().unwrap();
    let mut wrong = Wrong::default();
    let read = read(&Fields::new("service", fields), &mut wrong, known);
    wrong.outcome(Some(read))
}

/// The body that says again what was told.
fn echo(by: &UrgencyBy) -> Value {
    let told = shown(by);
    json!({RULE: told.rule, HOURS: told.hours, ACTIONS: told.actions})
}

fn daily(from: &str, until: &str) -> Restriction {
    let (from, until) = (from.parse().unwrap(), until.parse().unwrap());
    Restriction::Daily { from, until }
}

/// From a day, counted from 1, and a time until another.
fn weekly(from: (u64, &str), until: (u64, &str)) -> Restriction {
    let at = |(day, time): (u64, &str)| of_week((day - 1) * DAY_S + time_of_day(time).unwrap());
    let (from, until) = (at(from).unwrap(), at(until).unwrap());
    Restriction::Weekly { from, until }
}

fn by_hours(windows: Vec<Restriction>, raise: bool) -> UrgencyBy {
    UrgencyBy::SupportHours(Box::new(SupportHours {
        hours: Hours {
            time_zone: "America/Lima".to_owned(),
            windows,
        },
        during: Loudness::High,
        outside: Loudness::Severity,
        raise,
    }))
}

/// As PagerDuty documents it.
fn documented() -> Value {
    json!({
        "incident_urgency_rule": {"type": "use_support_hours",
            "during_support_hours": {"type": "constant", "urgency": "high"},
            "outside_support_hours": {"type": "constant", "urgency": "severity_based"}},
        "support_hours": {"type": "fixed_time_per_day", "time_zone": "America/Lima", "start_time": "09:00:00",
            "end_time": "17:30:00", "days_of_week": [1, 5]},
        "scheduled_actions": [{"type": "urgency_change", "at": {"type": "named_time", "name": "support_hours_start"},
            "to_urgency": "high"}],
    })
}

#[test]
fn hours_are_read_and_told_as_pagerduty_documents_them() {
    let mondays_and_fridays = vec![
        weekly((1, "09:00"), (1, "17:30")),
        weekly((5, "09:00"), (5, "17:30")),
    ];
    let made = read_of(&UrgencyBy::Severity, &documented())
        .unwrap()
        .unwrap();
    assert_eq!(made, by_hours(mondays_and_fridays, true));
    assert_eq!(echo(&made), documented());
    for (days, windows) in [
        (json!([7]), vec![weekly((7, "22:00"), (1, "06:00"))]),
        (
            json!([7, 6, 5, 4, 3, 2, 1, 1]),
            vec![daily("22:00", "06:00")],
        ),
    ] {
        let mut body = documented();
        body[HOURS]["start_time"] = json!("22:00:00");
        body[HOURS]["end_time"] = json!("06:00:00");
        body[HOURS]["days_of_week"] = days;
        body[ACTIONS] = json!([]);
        let made = read_of(&UrgencyBy::High, &body).unwrap();
        assert_eq!(made, Some(by_hours(windows, false)));
    }
}

#[test]
fn what_was_told_and_is_written_back_changes_nothing() {
    let of_each_day = |day: u64| weekly((day, "08:00"), (day, "20:00"));
    let told = [
        vec![daily("09:00", "17:00:30")],
        vec![daily("22:00", "06:00")],
        vec![
            weekly((5, "20:00"), (6, "04:00")),
            weekly((7, "20:00"), (1, "04:00")),
        ],
        // In another form than they would be read in.
        (1..=DAYS).rev().map(of_each_day).collect(),
        vec![daily("09:00", "17:00"), weekly((2, "09:00"), (2, "17:00"))],
    ];
    let untold = [
        vec![daily("09:00", "12:00"), daily("13:00", "17:00")],
        vec![
            weekly((1, "09:00"), (1, "17:00")),
            weekly((6, "10:00"), (6, "14:00")),
        ],
        vec![weekly((5, "18:00"), (1, "08:00"))],
        vec![weekly((5, "18:00"), (6, "18:00"))],
    ];
    let all = told.iter().map(|windows| (windows, true));
    for (windows, is_told) in all.chain(untold.iter().map(|windows| (windows, false))) {
        for raise in [false, true] {
            let by = by_hours(windows.clone(), raise);
            let echo = echo(&by);
            assert_eq!(echo[HOURS].is_object(), is_told, "{echo}");
            assert_eq!(read_of(&by, &echo), Ok(Some(by.clone())), "{echo}");
            // Nothing is said of it.
            assert_eq!(read_of(&by, &json!({})), Ok(Some(by)));
        }
    }
    for by in [UrgencyBy::Severity, UrgencyBy::High, UrgencyBy::Low] {
        assert_eq!(read_of(&by, &echo(&by)), Ok(Some(by.clone())));
        assert_eq!(read_of(&by, &json!({})), Ok(None));
    }
}

#[test]
fn what_is_not_said_of_hours_stays() {
    let known = by_hours(vec![daily("09:00", "17:00")], true);
    let UrgencyBy::SupportHours(before) = known.clone() else {
        panic!("{known:?}");
    };
    let low = json!({"type": "constant", "urgency": "low"});
    let louder = SupportHours {
        outside: Loudness::Low,
        ..(*before).clone()
    };
    let calm = SupportHours {
        raise: false,
        ..(*before).clone()
    };
    let later = SupportHours {
        hours: Hours {
            time_zone: "UTC".to_owned(),
            windows: vec![daily("10:00", "17:00")],
        },
        ..(*before).clone()
    };
    for (body, expected) in [
        (
            json!({RULE: {"type": BY_HOURS, OUTSIDE: low}}),
            louder.clone(),
        ),
        (json!({RULE: {OUTSIDE: low}}), louder),
        (json!({ACTIONS: []}), calm),
        (
            json!({HOURS: {"time_zone": "UTC", "start_time": "10:00", "end_time": "17:00",
                "days_of_week": [1, 2, 3, 4, 5, 6, 7]}}),
            later,
        ),
        (json!({HOURS: null, ACTIONS: null}), *before),
    ] {
        let expected = UrgencyBy::SupportHours(Box::new(expected));
        assert_eq!(read_of(&known, &body), Ok(Some(expected)), "{body}");
    }
    // They go with the rule that uses them, and may stand beside the one that does not until they were read again.
    let mut body = echo(&known);
    body[RULE] = low;
    assert_eq!(read_of(&known, &body), Ok(Some(UrgencyBy::Low)));
    body[HOURS]["start_time"] = json!("08:00:00");
    let told = read_of(&known, &body).unwrap_err().to_string();
    assert!(told.contains("service.support_hours"), "{told}");
}

#[test]
fn a_rule_of_one_urgency_is_constant_and_a_constant_one_says_its_urgency() {
    let by_hours = by_hours(vec![daily("09:00", "17:00")], true);
    let said = |rule: Value| json!({ RULE: rule });
    for known in [&UrgencyBy::Severity, &by_hours] {
        let low = read_of(known, &said(json!({"urgency": "low"})));
        assert_eq!(low, Ok(Some(UrgencyBy::Low)), "{known:?}");
    }
    let bare = said(json!({"type": "constant"}));
    assert_eq!(read_of(&UrgencyBy::High, &bare), Ok(None));
    let told = read_of(&by_hours, &bare).unwrap_err().to_string();
    let path = "'service.incident_urgency_rule.urgency' is missing";
    assert!(told.contains(path), "{told}");
}

#[test]
fn one_null_says_that_nothing_happens_when_hours_begin() {
    let known = by_hours(vec![daily("09:00", "17:00")], true);
    let calm = by_hours(vec![daily("09:00", "17:00")], false);
    let body = json!({ACTIONS: [null]});
    assert_eq!(read_of(&known, &body), Ok(Some(calm)));
    assert_eq!(read_of(&UrgencyBy::High, &body), Ok(None));
    let mut body = documented();
    body[ACTIONS] = json!([null]);
    let made = read_of(&UrgencyBy::High, &body).unwrap().unwrap();
    assert_eq!(echo(&made)[ACTIONS], json!([]));
}

#[test]
fn hours_that_cannot_be_are_refused_by_their_name() {
    let check = |change: &dyn Fn(&mut Value), told: &str| {
        let mut body = documented();
        change(&mut body);
        let refused = read_of(&UrgencyBy::Severity, &body).unwrap_err();
        assert!(refused.to_string().contains(told), "{body}: {refused}");
    };
    check(&|body| body[HOURS] = Value::Null, "'service.support_hours'");
    check(&|body| body[HOURS]["type"] = json!("lunar"), ".type'");
    for (field, value) in [
        ("time_zone", json!("Mars")),
        ("time_zone", Value::Null),
        ("start_time", json!("24:00:00")),
        ("start_time", json!(9)),
        ("end_time", json!("09:00:00")),
        ("end_time", Value::Null),
        ("days_of_week", json!([])),
        ("days_of_week", json!([0])),
        ("days_of_week", json!([1, 8])),
        ("days_of_week", json!(["1"])),
        ("days_of_week", json!(1)),
    ] {
        let told = format!("'service.support_hours.{field}'");
        check(&|body| body[HOURS][field] = value.clone(), &told);
    }
    for name in [DURING, OUTSIDE] {
        for value in [Value::Null, json!({}), json!({"urgency": "loud"})] {
            let told = format!("'service.incident_urgency_rule.{name}.urgency'");
            check(&|body| body[RULE][name] = value.clone(), &told);
        }
    }
    let action = |field: &'static str, value: Value| {
        let told = "'service.scheduled_actions[0].type'";
        check(&|body| body[ACTIONS][0][field] = value.clone(), told);
    };
    action("type", json!("page"));
    action("to_urgency", json!("low"));
    action("at", json!({"name": "support_hours_end"}));
    let constant = json!({"type": "constant", "urgency": "high"});
    for unused in [HOURS, ACTIONS] {
        let told = format!("'service.{unused}' is not supported where");
        check(&|body| body[RULE] = constant.clone(), &told);
        check(&|body| body[RULE] = Value::Null, &told);
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text in "\\PC{0,10}", number in any::<u64>(), is_known in any::<bool>()) {
        let known = if is_known {
            by_hours(vec![daily("09:00", "17:00")], true)
        } else {
            UrgencyBy::High
        };
        let body = json!({
            RULE: {"type": BY_HOURS, DURING: {"urgency": text}, OUTSIDE: number},
            HOURS: {"type": text, "time_zone": text, "start_time": text, "end_time": "09:00:00", "days_of_week": [number, text]},
            ACTIONS: [{"type": text, "at": number}],
        });
        let _ = read_of(&known, &body);
    }

    #[test]
    fn the_same_hours_on_some_days_are_told_as_they_were_said(from in 0..DAY_S, lasts in 1..DAY_S, bits in 1_u64..128) {
        let days: Vec<u64> = (1..=DAYS).filter(|day| (bits >> (day - 1)) & 1 == 1).collect();
        let mut body = documented();
        body[HOURS]["start_time"] = json!(clock(from));
        body[HOURS]["end_time"] = json!(clock((from + lasts) % DAY_S));
        body[HOURS]["days_of_week"] = json!(days);
        let made = read_of(&UrgencyBy::Severity, &body).unwrap().unwrap();
        prop_assert_eq!(echo(&made), body);
    }
}
