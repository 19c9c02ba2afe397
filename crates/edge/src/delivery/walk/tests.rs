//! Which accounts an attempt goes by, and how it ended by all of them together.

use std::time::Duration;

use tocsin_domain::time::Timestamp;

use super::*;

const FIRST: Place = Place::First;
const SECOND: Place = Place::Second;
const THIRD: Place = Place::Third;

/// All places, of which these keep failing and those asked to be left alone, for so many seconds.
fn all(failing: &[Place], asking: &[(Place, u64)], now: Instant) -> Vec<(Place, Rest)> {
    let rest = |place: Place| {
        let asked = asking.iter().find(|(one, _)| *one == place);
        match asked {
            Some((_, seconds)) => Rest::Asked(now + Duration::from_secs(*seconds)),
            None if failing.contains(&place) => Rest::Failing,
            None => Rest::Awake,
        }
    };
    Place::ALL.map(|place| (place, rest(place))).to_vec()
}

#[test]
fn an_attempt_goes_by_the_accounts_that_neither_rest_nor_left_the_message_to_others() {
    let now = Instant::now();
    let check = |aside: &[Place], failing: &[Place], expected: &[Place]| {
        let found = chosen(&all(failing, &[], now), aside);
        assert_eq!(found.as_deref(), Ok(expected), "{aside:?} {failing:?}");
    };
    check(&[], &[], &Place::ALL);
    check(&[], &[FIRST], &[SECOND, THIRD]);
    check(&[FIRST], &[], &[SECOND, THIRD]);
    check(&[FIRST, SECOND], &[], &[THIRD]);
    // Nothing else is left.
    check(&[FIRST, SECOND], &[THIRD], &[THIRD]);
    check(&[], &Place::ALL, &Place::ALL);
    check(&Place::ALL, &[FIRST], &[SECOND, THIRD]);
    assert_eq!(chosen(&[], &[FIRST]), Ok(Vec::new()));
}

#[test]
fn an_attempt_waits_for_whoever_asked_for_it_where_no_other_account_is_left() {
    let now = Instant::now();
    let check = |aside: &[Place],
                 failing: &[Place],
                 asking: &[(Place, u64)],
                 expected: Result<&[Place], u64>| {
        let expected = expected.map(<[Place]>::to_vec);
        let expected = expected.map_err(|seconds| now + Duration::from_secs(seconds));
        let found = chosen(&all(failing, asking, now), aside);
        assert_eq!(found, expected, "{aside:?} {failing:?} {asking:?}");
    };
    check(&[], &[], &[(FIRST, 30)], Ok(&[SECOND, THIRD]));
    check(&[], &[FIRST, SECOND], &[(THIRD, 30)], Ok(&[FIRST, SECOND]));
    check(&[FIRST, SECOND], &[], &[(THIRD, 30)], Ok(&[FIRST, SECOND]));
    let everybody = [(FIRST, 30), (SECOND, 20), (THIRD, 40)];
    check(&[], &[], &everybody, Err(20));
    check(&[SECOND], &[], &everybody, Err(20));
    check(&Place::ALL, &[], &everybody, Err(20));
}

#[test]
fn what_the_server_or_the_conversation_of_an_address_asks_for_is_about_no_account() {
    let check = |channel, expected: bool| {
        assert_eq!(has_own_server(channel), expected, "{channel:?}");
    };
    check(ChannelKind::Slack, true);
    check(ChannelKind::Telegram, true);
    check(ChannelKind::Ntfy, true);
    check(ChannelKind::WebPush, true);
    check(ChannelKind::Pushover, false);
    check(ChannelKind::Sms, false);
}

/// An attempt by the account at that place, which another one may have been left after.
fn attempt(via: Option<(u32, bool)>) -> Attempt {
    Attempt {
        via: via.map(|(place, elsewhere)| {
            Box::new(Via {
                place,
                name: "sms.example".to_owned(),
                elsewhere,
                passed: Vec::new(),
            })
        }),
        ..Attempt::begun(1, Timestamp::from_millis(0))
    }
}

#[test]
fn accounts_are_set_aside_until_all_of_them_were_tried() {
    let check = |attempts: &[Option<(u32, bool)>], expected: &[Place]| {
        let made: Vec<Attempt> = attempts.iter().map(|via| attempt(*via)).collect();
        assert_eq!(aside(&made), expected, "{attempts:?}");
    };
    check(&[], &[]);
    check(&[None], &[]);
    check(&[Some((1, true)), None], &[FIRST]);
    check(&[Some((1, true)), Some((2, true)), None], &[SECOND, FIRST]);
    check(&[Some((1, true)), Some((2, false)), None], &[]);
    // What was under way when Tocsin ended says nothing.
    check(&[Some((1, true)), None, None], &[FIRST]);
    check(&[Some((9, true))], &[]);
}

#[test]
fn an_account_that_was_passed_within_an_attempt_is_set_aside_with_the_one_that_it_ended_by() {
    let mut left = attempt(Some((2, true)));
    left.via.as_mut().unwrap().passed = vec![1];
    let aside = aside(&[left.clone(), attempt(None)]);
    assert_eq!(aside, [SECOND, FIRST]);
    assert_eq!(
        chosen(&all(&[], &[], Instant::now()), &aside),
        Ok(vec![THIRD])
    );
    // An older journal does not tell which were passed.
    let mut old = serde_json::to_value(&left).unwrap();
    old["via"].as_object_mut().unwrap().remove("passed");
    let old: Attempt = serde_json::from_value(old).unwrap();
    assert_eq!(super::aside(&[old]), [SECOND]);
}

fn passed(host: &str, report: Report) -> Passed {
    Passed {
        place: FIRST,
        host: host.to_owned(),
        report,
    }
}

fn limited(wait_ms: u64) -> Report {
    Report {
        retry_after_ms: Some(wait_ms),
        ..Report::failed("too many")
    }
}

#[test]
fn what_one_account_refuses_another_may_take_later() {
    let about_them = Report {
        of_receiver: true,
        ..Report::refused("no such number")
    };
    let check = |before: Report, last: Report, expected: (Outcome, Option<u64>)| {
        let before = [passed("sms.example", before)];
        assert_eq!(together(&before, &last, false), expected, "{last:?}");
    };
    let (failed, refused) = (|| Report::failed("503"), || Report::refused("401"));
    check(failed(), refused(), (Outcome::Failed, None));
    check(refused(), failed(), (Outcome::Failed, None));
    check(refused(), refused(), (Outcome::Refused, None));
    check(failed(), about_them.clone(), (Outcome::Refused, None));
    check(limited(9), refused(), (Outcome::Failed, Some(9)));
    check(limited(9), failed(), (Outcome::Failed, None));
    check(limited(9), limited(5), (Outcome::Failed, Some(5)));
    let accepted = Report::accepted("yes");
    check(limited(9), accepted, (Outcome::Accepted, None));
    let silent = Report::new(Outcome::TimedOut, "silence");
    check(limited(9), silent, (Outcome::TimedOut, None));
    assert_eq!(
        together(&[], &limited(9), false),
        (Outcome::Failed, Some(9))
    );
}

#[test]
fn a_way_is_not_given_up_while_an_account_is_left_that_may_take_it_later() {
    let refused = Report::refused("401");
    assert_eq!(together(&[], &refused, false), (Outcome::Refused, None));
    assert_eq!(together(&[], &refused, true), (Outcome::Failed, None));
    let about_them = Report {
        of_receiver: true,
        ..Report::refused("no such number")
    };
    assert_eq!(together(&[], &about_them, true), (Outcome::Refused, None));
}

#[test]
fn the_words_of_every_account_are_told_the_last_one_first() {
    assert_eq!(with_passed("it took it", &[]), "it took it");
    let before = [
        passed("a.example", Report::failed("HTTP 503")),
        passed("b.example", Report::refused("HTTP 401")),
    ];
    assert_eq!(
        with_passed("it took it", &before),
        "it took it (before that, a.example: HTTP 503; b.example: HTTP 401)"
    );
}
