//! Whether the second book minds how attempts end that one account leaves to the next, that are not made at all, or of whose end nobody
//! told.

use std::slice::from_ref;

use tocsin_domain::event::{
    Actor, Cause, Event, EventBody, IncidentWhat, NotificationEvent, NotificationWhat,
};
use tocsin_domain::id::{
    AlertId, ContactMethodId, IncidentId, NotificationId, ServiceId, TeamId, UserId,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Notification, Outcome, Purpose, Via};
use tocsin_domain::people::{ChannelKind, Urgency};
use tocsin_domain::time::Timestamp;

use super::{START, about, of, person_with};
use crate::ledger::Ledger;
use crate::ledger::alert::Burning;
use crate::random::Random;
use crate::sender::Told;

/// A page for something critical, by a text, that is about to be sent.
fn planned() -> (Ledger, Notification) {
    let random = &mut Random::new(21);
    let incident = IncidentId::random(random);
    let page = Notification {
        id: NotificationId::random(random),
        purpose: Purpose::Page(incident),
        user: UserId::random(random),
        contact_method: ContactMethodId::random(random),
        channel: ChannelKind::Sms,
        level: Some(0),
        planned_at: START,
        why: String::new(),
        state: Delivery::Due { at: START },
        attempts: Vec::new(),
        last_event: 0,
        instead_of: None,
        planned_event: None,
    };
    let opened = IncidentWhat::Opened {
        number: 1,
        team: TeamId::random(random),
        service: ServiceId::random(random),
        target: None,
        title: String::new(),
        severity: Severity::Critical,
        onset: None,
    };
    let mut ledger = Ledger::default();
    ledger.read(START, about(incident, opened));
    ledger.people.insert(page.user, person_with(&page));
    let message = page.clone();
    ledger.read(START, of(&page, NotificationWhat::Planned { message }));
    (ledger, page)
}

/// How an attempt ended by the account at that place, and whether another one is left for its message.
fn by(place: u32, outcome: Outcome, elsewhere: bool) -> Told {
    Told {
        outcome,
        via: Some(Box::new(Via {
            place,
            name: "phone.example".to_owned(),
            elsewhere,
            passed: Vec::new(),
        })),
        is_refused: outcome == Outcome::Refused,
        is_untried: false,
        is_moot: false,
        wait_ms: None,
    }
}

fn ended(told: &Told, number: u32, retry_at: Option<Timestamp>) -> NotificationWhat {
    NotificationWhat::AttemptFinished {
        number,
        outcome: told.outcome,
        detail: String::new(),
        retry_at,
        reference: None,
        not_tried: told.is_untried,
        moot: told.is_moot,
        via: told.via.clone(),
    }
}

/// The book after these attempts of a page, which ended as the sender told; each is repeated after so many milliseconds, or not.
fn after(attempts: &[(Told, Option<u64>)]) -> (Ledger, Notification) {
    let (mut ledger, page) = planned();
    let mut at = START;
    for (number, (told, again_after)) in (1..).zip(attempts) {
        ledger.read(at, of(&page, NotificationWhat::AttemptStarted { number }));
        ledger.note_told((page.id, number), told.clone());
        let retry_at = again_after.map(|ms| at.plus_ms(ms));
        ledger.read(at, of(&page, ended(told, number, retry_at)));
        at = retry_at.unwrap_or(at);
    }
    (ledger, page)
}

/// Whether the book says this of something.
fn says(ledger: &Ledger, what: &str) -> bool {
    ledger.wrong.iter().any(|wrong| wrong.what.contains(what))
}

fn minds_repeat(attempts: &[(Told, Option<u64>)]) -> bool {
    says(&after(attempts).0, "a repeat is owed")
}

#[test]
fn what_one_account_left_goes_by_the_next_one_at_once_and_three_times_at_most() {
    for outcome in [Outcome::TimedOut, Outcome::Failed, Outcome::Refused] {
        let left = |place| by(place, outcome, true);
        assert!(!minds_repeat(&[(left(1), Some(0))]), "{outcome:?}");
        assert!(minds_repeat(&[(left(1), Some(1_000))]), "{outcome:?}");
        assert!(minds_repeat(&[(left(1), None)]), "{outcome:?}");
        let twice = [(left(1), Some(0)), (left(2), Some(0))];
        assert!(!minds_repeat(&twice));
        let [first, second] = twice;
        let thrice = |again_after| [first.clone(), second.clone(), (left(1), again_after)];
        assert!(!minds_repeat(&thrice(None)), "{outcome:?}");
        assert!(minds_repeat(&thrice(Some(0))), "{outcome:?}");
    }
    let refused = by(3, Outcome::Refused, false);
    assert!(minds_repeat(&[(refused.clone(), Some(0))]));
    assert!(!minds_repeat(&[(refused, None)]));
}

#[test]
fn an_attempt_that_was_not_made_is_made_again_within_five_seconds() {
    let untried = |again_after| [(Told::untried(), again_after)];
    assert!(!minds_repeat(&untried(Some(1_000))));
    assert!(!minds_repeat(&untried(Some(5_000))));
    assert!(minds_repeat(&untried(Some(5_001))));
    assert!(minds_repeat(&untried(None)));
}

#[test]
fn an_attempt_that_nobody_wanted_is_made_again_while_its_incident_may_come_back_and_costs_no_other()
{
    let moot = |again_after| (Told::moot(), again_after);
    assert!(!minds_repeat(&[moot(Some(1_000))]));
    assert!(minds_repeat(&[moot(None)]));
    let failed = |again_after| (by(1, Outcome::Failed, false), again_after);
    let mut attempts = vec![moot(Some(0)); 6];
    attempts.extend([failed(Some(1_000)), failed(Some(4_000))]);
    assert!(!minds_repeat(&attempts));
    attempts.push(failed(None));
    assert!(!minds_repeat(&attempts));
    attempts.pop();
    attempts.push(failed(Some(0)));
    assert!(minds_repeat(&attempts));
}

/// How many repeats are excused after these attempts.
fn excused(attempts: &[Told]) -> u32 {
    let attempts = attempts.iter().map(|told| {
        let again = told.outcome != Outcome::Accepted;
        (told.clone(), again.then_some(0))
    });
    let attempts: Vec<(Told, Option<u64>)> = attempts.collect();
    let (ledger, page) = after(&attempts);
    ledger.letters[&page.id].unanswered
}

#[test]
fn only_what_somebody_may_have_taken_excuses_a_repeat() {
    let (timed_out, refused) = (
        by(1, Outcome::TimedOut, true),
        by(1, Outcome::Refused, true),
    );
    let failed = by(1, Outcome::Failed, false);
    let refused_at_last = Told {
        is_refused: true,
        ..failed.clone()
    };
    assert_eq!(excused(from_ref(&timed_out)), 1);
    assert_eq!(excused(&[timed_out, failed.clone()]), 2);
    assert_eq!(excused(&[failed]), 1);
    assert_eq!(excused(&[refused_at_last]), 0);
    assert_eq!(excused(&[refused, Told::untried()]), 0);
    assert_eq!(excused(&[by(1, Outcome::Accepted, false)]), 0);
    let (mut ledger, page) = planned();
    ledger.note_unclear(page.id);
    assert_eq!(ledger.letters[&page.id].unanswered, 1);
}

#[test]
fn an_attempt_ends_as_the_sender_told_or_for_want_of_an_answer() {
    let minds = |told: Option<Told>, journalled: &Told| {
        let (mut ledger, page) = planned();
        ledger.read(
            START,
            of(&page, NotificationWhat::AttemptStarted { number: 1 }),
        );
        if let Some(told) = told {
            ledger.note_told((page.id, 1), told);
        }
        ledger.read(START, of(&page, ended(journalled, 1, None)));
        says(&ledger, "nobody told")
    };
    let failed = by(1, Outcome::Failed, false);
    assert!(!minds(Some(failed.clone()), &failed));
    assert!(minds(None, &failed));
    assert!(minds(Some(by(2, Outcome::Failed, false)), &failed));
    assert!(minds(Some(by(1, Outcome::Failed, true)), &failed));
    assert!(minds(Some(by(1, Outcome::Accepted, false)), &failed));
    assert!(minds(Some(failed.clone()), &Told::untried()));
    assert!(minds(Some(Told::untried()), &failed));
    assert!(minds(Some(Told::untried()), &Told::moot()));
    let silent = Told {
        via: None,
        ..by(1, Outcome::TimedOut, false)
    };
    assert!(!minds(Some(failed), &silent));
    assert!(!minds(None, &silent));
}

/// Whether the book minds that another way is used after the last of these attempts.
fn minds_other_way(attempts: &[(Told, Option<u64>)]) -> bool {
    let (mut ledger, page) = after(attempts);
    // The first page had no level to go by either.
    ledger.wrong.clear();
    let position = ledger.position;
    let random = &mut Random::new(22);
    let message = Notification {
        id: NotificationId::random(random),
        contact_method: ContactMethodId::random(random),
        ..page
    };
    ledger.see(&Event {
        position: position + 1,
        at: START,
        recorded_at: START,
        actor: Actor::System,
        cause: Cause::Event { position },
        body: EventBody::Notification(NotificationEvent {
            notification: message.id,
            incident: message.purpose.incident(),
            what: NotificationWhat::Planned { message },
        }),
    });
    says(&ledger, "no level was reached for it")
}

#[test]
fn another_way_is_used_once_no_account_is_left_or_nothing_was_sent() {
    let left = (by(1, Outcome::TimedOut, true), Some(0));
    let failed = (by(2, Outcome::Failed, false), Some(1_000));
    assert!(minds_other_way(from_ref(&left)));
    assert!(minds_other_way(from_ref(&failed)));
    assert!(!minds_other_way(&[left.clone(), failed]));
    assert!(!minds_other_way(&[(
        by(1, Outcome::TimedOut, false),
        Some(1_000)
    )]));
    assert!(!minds_other_way(&[(Told::untried(), Some(1_000))]));
    assert!(minds_other_way(&[(Told::moot(), Some(1_000))]));
    assert!(minds_other_way(&[(Told::moot(), None)]));
    let given_up = (by(1, Outcome::TimedOut, true), None);
    assert!(!minds_other_way(&[given_up]));
}

#[test]
fn no_account_is_tried_for_what_does_not_fail_or_was_taken_or_given_away_or_is_over() {
    let minds_of = |is_theirs: bool, fails: bool, meanwhile: Option<IncidentWhat>| {
        let (mut ledger, page) = planned();
        let incident = page.purpose.page().unwrap();
        if is_theirs {
            let case = ledger.cases.get_mut(&incident).unwrap();
            case.chosen.insert(page.user);
        }
        if fails {
            let alert = AlertId::random(&mut Random::new(23));
            let burning = Burning {
                urgency: Urgency::High,
                loudest: Some(Severity::Critical),
            };
            let case = ledger.cases.get_mut(&incident).unwrap();
            case.firing.insert(alert, burning);
        }
        if let Some(what) = meanwhile {
            ledger.read(START, about(incident, what));
        }
        ledger.check_account(page.id, START);
        says(&ledger, "nobody wants it any more")
    };
    let minds = |fails, meanwhile| minds_of(true, fails, meanwhile);
    let taken = IncidentWhat::Acknowledged {
        by: None,
        ends_at: None,
        again: false,
    };
    let over = IncidentWhat::Resolved { why: String::new() };
    assert!(!minds(true, None));
    assert!(minds(false, None));
    assert!(minds(true, Some(taken)));
    assert!(minds(true, Some(over)));
    assert!(minds_of(false, true, None));
}
