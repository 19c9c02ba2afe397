//! By which accounts an attempt goes, how it ends by all of them together, and what waits for a place.

use tocsin_domain::time::Timestamp;

use super::*;

const TEXT: ChannelKind = ChannelKind::Sms;

/// A sender with three accounts for texts, of which nobody has heard anything.
fn sender() -> Sender {
    let mut sender = Sender::new(Random::new(3));
    sender.accounts.insert(Carrier::Phone, ACCOUNTS_MAX);
    sender
}

fn way(sender: &Sender, attempts: &[Attempt], now_us: i64) -> Walk {
    sender
        .walk(TEXT, (attempts, false), (now_us, now_us))
        .unwrap()
}

/// An attempt of which was told that it went by that account last, having passed those, and that another was left or none.
fn told(place: u32, passed: &[u32], elsewhere: bool) -> Attempt {
    Attempt {
        via: Some(Box::new(Via {
            place,
            name: "phone.example".to_owned(),
            elsewhere,
            passed: passed.to_vec(),
        })),
        ..untold()
    }
}

fn untold() -> Attempt {
    Attempt::begun(1, Timestamp::from_millis(0))
}

fn said(outcome: Outcome) -> Answer {
    Answer::plain(outcome, 0)
}

fn limits(wait_ms: u64) -> Answer {
    Answer {
        wait_ms: Some(wait_ms),
        ..said(Outcome::Failed)
    }
}

fn of_receiver() -> Answer {
    Answer {
        of_receiver: true,
        ..said(Outcome::Refused)
    }
}

#[test]
fn an_attempt_goes_by_the_accounts_that_did_not_leave_its_message_to_others() {
    let check = |attempts: &[Attempt], expected: &[u32]| {
        assert_eq!(way(&sender(), attempts, 0).left, expected, "{attempts:?}");
    };
    check(&[], &[1, 2, 3]);
    check(&[told(1, &[], true), untold()], &[2, 3]);
    check(&[told(2, &[1], true), untold()], &[3]);
    check(&[told(1, &[], true), told(2, &[], true), untold()], &[3]);
    // Nobody knows how the one in between ended.
    check(&[told(1, &[], true), untold(), untold()], &[2, 3]);
    check(&[told(3, &[1, 2], false), untold()], &[1, 2, 3]);
    check(
        &[told(1, &[], true), told(3, &[2], false), untold()],
        &[1, 2, 3],
    );
    let hook = sender()
        .walk(ChannelKind::Webhook, (&[], false), (0, 0))
        .unwrap();
    assert_eq!((hook.place(), hook.has_more()), (0, false));
}

#[test]
fn an_account_that_keeps_failing_or_asks_for_it_is_passed_over_for_a_while() {
    let check = |answers: &[Answer], rests_us: i64| {
        let mut sender = sender();
        let walk = way(&sender, &[], 0);
        for answer in answers {
            sender.note(&walk, answer, 0);
        }
        let at = |now_us| way(&sender, &[], now_us);
        if rests_us > 0 {
            let before = at(rests_us - 1);
            let found = (before.place(), before.passes_over);
            assert_eq!(found, (2, true), "{answers:?}");
        }
        let after = at(rests_us);
        let found = (after.place(), after.passes_over);
        assert_eq!(found, (1, false), "{answers:?}");
    };
    let (failed, silent) = (said(Outcome::Failed), said(Outcome::TimedOut));
    check(&[failed; 4], 0);
    check(&[failed; 5], REST);
    check(&[silent; 5], REST);
    check(&[failed, failed, failed, failed, of_receiver(), failed], 0);
    check(&[limits(20_000)], 20 * SECOND);
    check(&[limits(90_000)], ASKED_REST_MAX);
    check(&[limits(90_000), said(Outcome::Accepted)], ASKED_REST_MAX);
    check(&[limits(20_000), limits(5_000)], 20 * SECOND);
}

#[test]
fn others_wait_for_what_becomes_of_the_first_attempt_after_a_rest_and_a_new_process_knows_of_none()
{
    let mut sender = sender();
    let walk = way(&sender, &[], 0);
    for _ in 0..FAILURES_MAX {
        sender.note(&walk, &said(Outcome::Failed), 0);
    }
    sender.begins(&walk, REST);
    assert_eq!(way(&sender, &[], REST).place(), 2);
    assert_eq!(way(&sender, &[], 2 * REST).place(), 1);
    sender.begins(&walk, 2 * REST);
    sender.forget();
    assert_eq!(way(&sender, &[], 2 * REST).place(), 1);
}

/// A sender whose accounts for texts have all said this, so often.
fn all_said(answer: Answer, times: u32) -> Sender {
    let mut sender = sender();
    let mut walk = way(&sender, &[], 0);
    for _ in 0..ACCOUNTS_MAX {
        for _ in 0..times {
            sender.note(&walk, &answer, 0);
        }
        walk.pass(answer);
    }
    sender
}

#[test]
fn where_all_accounts_keep_failing_all_are_tried() {
    let found = way(&all_said(said(Outcome::Failed), FAILURES_MAX), &[], SECOND);
    assert_eq!(
        (found.left.as_slice(), found.passes_over),
        (&[1, 2, 3][..], false)
    );
}

#[test]
fn where_all_accounts_asked_to_be_left_alone_an_attempt_is_put_off_but_the_last_one() {
    let sender = all_said(limits(20_000), 1);
    let walk = |is_last, now_us| sender.walk(TEXT, (&[], is_last), (now_us, now_us));
    assert_eq!(walk(false, SECOND).unwrap_err(), 19_000);
    assert_eq!(walk(true, SECOND).unwrap().left, [1, 2, 3]);
    assert_eq!(walk(false, 20 * SECOND).unwrap().left, [1, 2, 3]);
}

#[test]
fn the_next_account_is_tried_at_once_where_this_one_surely_did_not_take_it_and_time_is_left() {
    let check = |answer: Answer, now_us: i64, expected: bool| {
        let walk = way(&sender(), &[], 0);
        assert_eq!(walk.goes_on(&answer, now_us), expected, "{answer:?}");
    };
    check(said(Outcome::Failed), SECOND, true);
    check(said(Outcome::Refused), SECOND, true);
    check(said(Outcome::Failed), PLACE_WAIT, true);
    check(said(Outcome::Failed), PLACE_WAIT + 1, false);
    check(of_receiver(), SECOND, false);
    check(said(Outcome::TimedOut), SECOND, false);
    check(said(Outcome::Accepted), SECOND, false);
    let mut last = way(&sender(), &[], 0);
    last.pass(said(Outcome::Failed));
    assert!(last.goes_on(&said(Outcome::Failed), SECOND));
    last.pass(said(Outcome::Failed));
    assert!(!last.goes_on(&said(Outcome::Failed), SECOND));
    assert!(last.is_through(&said(Outcome::Failed)) && !last.was_refused_before());
    assert_eq!(last.patience_us(SECOND), ACCOUNT_WAIT);
    assert_eq!(last.patience_us(8 * SECOND), 11 * SECOND);
}

/// What is told of an attempt that passed accounts which said that, and whose last one said this: how it ended, how long to wait, and
/// whether it is left to another.
#[track_caller]
fn check_ended(
    (before, follows): (&[Answer], bool),
    last: Answer,
    expected: (Outcome, Option<u64>, bool),
) {
    let mut walk = way(&sender(), &[], 0);
    walk.follows = follows;
    before.iter().for_each(|answer| walk.pass(*answer));
    let told = walk.ended(&last);
    let via = told.via.unwrap();
    let found = (told.outcome, told.wait_ms, via.elsewhere);
    assert_eq!(found, expected, "{before:?} {last:?}");
    assert_eq!(via.passed.len(), before.len());
    assert_eq!(told.is_refused, last.outcome == Outcome::Refused);
}

#[test]
fn what_one_account_leaves_is_for_the_next_attempt_and_keeps_nobody_waiting() {
    use Outcome::{Accepted, Failed, Refused, TimedOut};
    check_ended((&[], false), said(TimedOut), (TimedOut, None, true));
    check_ended((&[], false), limits(9), (Failed, None, true));
    check_ended((&[], false), said(Refused), (Refused, None, true));
    check_ended((&[], false), of_receiver(), (Refused, None, false));
    check_ended((&[], false), said(Accepted), (Accepted, None, false));
    let one = [limits(9)];
    check_ended((&one, false), said(TimedOut), (TimedOut, None, true));
}

#[test]
fn what_all_accounts_did_not_take_may_be_taken_later_unless_all_refused_it() {
    use Outcome::{Failed, Refused, TimedOut};
    let (failed, refused) = (said(Failed), said(Refused));
    check_ended((&[failed, refused], false), refused, (Failed, None, false));
    check_ended((&[refused, refused], false), failed, (Failed, None, false));
    check_ended(
        (&[refused, refused], false),
        refused,
        (Refused, None, false),
    );
    check_ended((&[refused, refused], true), refused, (Failed, None, false));
    check_ended(
        (&[failed, failed], true),
        of_receiver(),
        (Refused, None, false),
    );
    let limited = [limits(9), limits(5)];
    check_ended((&limited, false), refused, (Failed, Some(5), false));
    check_ended((&limited, false), failed, (Failed, None, false));
    check_ended((&limited, false), said(TimedOut), (TimedOut, None, false));
}

#[test]
fn a_channel_that_has_no_accounts_names_none() {
    let sender = sender();
    let walk = sender
        .walk(ChannelKind::Ntfy, (&[], false), (0, 0))
        .unwrap();
    let told = walk.ended(&limits(7));
    assert_eq!((told.via, told.wait_ms), (None, Some(7)));
}

#[test]
fn whoever_comes_while_all_places_are_taken_waits_as_long_as_they_are() {
    let mut sender = sender();
    sender.rushes.insert(TEXT, 1_000);
    let lasts = sender.wait_us(TEXT, 0);
    assert!((SECOND..RUSH_MAX).contains(&lasts), "{lasts}");
    assert_eq!(sender.wait_us(TEXT, lasts - 1), 1);
    sender.heal();
    assert_eq!(sender.wait_us(TEXT, 0), 0);
}
