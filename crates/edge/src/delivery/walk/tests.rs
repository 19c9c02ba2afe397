//! Which accounts an attempt goes by, and how it ended by all of them together.

use tocsin_domain::time::Timestamp;

use super::*;

const FIRST: Place = Place::First;
const SECOND: Place = Place::Second;
const THIRD: Place = Place::Third;

#[test]
fn an_attempt_goes_by_the_accounts_that_neither_rest_nor_left_the_message_to_others() {
    let check = |aside: &[Place], resting: &[Place], expected: &[Place]| {
        let rests = |place: Place| resting.contains(&place);
        let found = chosen(&Place::ALL, aside, rests);
        assert_eq!(found, expected, "{aside:?} {resting:?}");
    };
    check(&[], &[], &Place::ALL);
    check(&[], &[FIRST], &[SECOND, THIRD]);
    check(&[FIRST], &[], &[SECOND, THIRD]);
    check(&[FIRST, SECOND], &[], &[THIRD]);
    // Nothing else is left.
    check(&[FIRST, SECOND], &[THIRD], &[THIRD]);
    check(&[], &Place::ALL, &Place::ALL);
    check(&Place::ALL, &[FIRST], &[SECOND, THIRD]);
    assert_eq!(chosen(&[], &[FIRST], |_| true), []);
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
    assert_eq!(chosen(&Place::ALL, &aside, |_| false), [THIRD]);
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
