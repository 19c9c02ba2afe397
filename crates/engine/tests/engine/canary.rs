//! The canary goes the way of a page and leaves nothing but one note.

use tocsin_domain::command::{Ask, IntakeAsk};
use tocsin_domain::id::NotificationId;
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_domain::page::Outcome;
use tocsin_engine::core::CANARY;
use tocsin_engine::{AskError, Core, Effect, Passed, Past};

use crate::fakes::{Fault, MemoryJournal, MemoryStore, Noted, Rig, Seeded};

/// Sends a canary; how far it came, and how it ended there.
fn canary(rig: &mut Rig, run: u64) -> (Vec<Passed>, Result<(), AskError>) {
    let (now, mut passed) = (rig.now, Vec::new());
    let sent = rig.core.canary(run, now, &mut |one| passed.push(one));
    (passed, sent)
}

/// The last effect, where it sends a message.
fn sent(rig: &Rig) -> Option<(NotificationId, u32)> {
    let noted = rig.effects.0.lock().unwrap();
    match noted.last()? {
        Effect::Send {
            notification,
            number,
        } => Some((*notification, *number)),
        Effect::Freeze { .. } | Effect::Canary { .. } => None,
    }
}

/// Every canary that is over.
fn over(rig: &Rig) -> Vec<Effect> {
    let noted = rig.effects.0.lock().unwrap();
    let over = noted
        .iter()
        .filter(|effect| matches!(effect, Effect::Canary { .. }));
    over.cloned().collect()
}

fn ended(rig: &Rig, run: u64, outcome: Outcome, detail: &str) -> Effect {
    Effect::Canary {
        run,
        at: rig.now,
        outcome,
        detail: detail.to_owned(),
    }
}

fn finished((notification, number): (NotificationId, u32), outcome: Outcome) -> Ask {
    Ask::AttemptFinished {
        notification,
        number,
        outcome,
        detail: "HTTP 204".to_owned(),
        retry_after_ms: None,
        reference: None,
        via: None,
    }
}

const ALL: [Passed; 2] = [Passed::Decided, Passed::Written];

#[test]
fn a_year_of_canaries_grows_nothing() {
    let mut rig = Rig::new();
    let events = rig.journal.0.lock().unwrap().events.len();
    let before = rig.read(Clone::clone);
    for run in 0..1_000 {
        assert_eq!(canary(&mut rig, run), (ALL.to_vec(), Ok(())));
        let attempt = sent(&rig).unwrap();
        rig.ask(finished(attempt, Outcome::Accepted)).unwrap();
    }
    assert_eq!(over(&rig).len(), 1_000);
    assert_eq!(
        over(&rig).last(),
        Some(&ended(&rig, 999, Outcome::Accepted, "HTTP 204"))
    );
    let disk = rig.journal.0.lock().unwrap();
    assert_eq!(disk.events.len(), events);
    assert!(
        disk.notes[CANARY].starts_with("999 Back "),
        "{:?}",
        disk.notes
    );
    drop(disk);
    assert_eq!(rig.read(Clone::clone), before);
}

#[test]
fn a_canary_that_cannot_be_made_durable_is_decided_and_not_sent_and_the_next_one_is() {
    let mut rig = Rig::new();
    for fault in [Fault::Full, Fault::Gone] {
        rig.break_journal(fault);
        let (passed, sent) = canary(&mut rig, 1);
        assert_eq!(passed, [Passed::Decided]);
        assert!(matches!(sent, Err(AskError::NotDurable(_))));
    }
    assert_eq!(sent(&rig), None);
    rig.break_journal(Fault::None);
    assert_eq!(canary(&mut rig, 2), (ALL.to_vec(), Ok(())));
    assert!(sent(&rig).is_some());
}

#[test]
fn a_canary_that_would_page_nobody_is_not_decided() {
    let mut core = Core::new(
        Past::default(),
        MemoryJournal::default(),
        Seeded(3),
        Noted::default(),
        std::sync::Arc::new(MemoryStore::default()),
    );
    let mut passed = Vec::new();
    let refused = core.canary(1, crate::fakes::START, &mut |one| passed.push(one));
    assert!(matches!(refused, Err(AskError::Refused(_))));
    assert_eq!(passed, []);
}

#[test]
fn the_end_of_a_canary_that_cannot_be_made_durable_is_asked_again() {
    let mut rig = Rig::new();
    assert_eq!(canary(&mut rig, 1), (ALL.to_vec(), Ok(())));
    let attempt = sent(&rig).unwrap();
    rig.break_journal(Fault::Full);
    for _ in 0..2 {
        let refused = rig.ask(finished(attempt, Outcome::Accepted));
        assert!(matches!(refused, Err(AskError::NotDurable(_))));
    }
    assert_eq!(over(&rig), []);
    rig.break_journal(Fault::None);
    rig.ask(finished(attempt, Outcome::Accepted)).unwrap();
    assert_eq!(over(&rig), [ended(&rig, 1, Outcome::Accepted, "HTTP 204")]);
    let again = rig.ask(finished(attempt, Outcome::Accepted));
    assert!(matches!(again, Err(AskError::Refused(_))), "it is over");
}

#[test]
fn a_canary_that_got_no_place_or_was_refused_is_over_and_tells_so() {
    let mut rig = Rig::new();
    canary(&mut rig, 1).1.unwrap();
    let (notification, number) = sent(&rig).unwrap();
    rig.ask(Ask::NotTried {
        notification,
        number,
        detail: "not tried: too many".to_owned(),
        retry_after_ms: None,
        moot: false,
    })
    .unwrap();
    canary(&mut rig, 2).1.unwrap();
    let attempt = sent(&rig).unwrap();
    rig.ask(finished(attempt, Outcome::Refused)).unwrap();
    assert_eq!(
        over(&rig),
        [
            ended(&rig, 1, Outcome::Failed, "not tried: too many"),
            ended(&rig, 2, Outcome::Refused, "HTTP 204"),
        ]
    );
}

#[test]
fn only_the_end_of_its_own_attempt_ends_a_canary() {
    let mut rig = Rig::new();
    canary(&mut rig, 1).1.unwrap();
    let given_up = sent(&rig).unwrap();
    canary(&mut rig, 2).1.unwrap();
    let (notification, number) = sent(&rig).unwrap();
    for other in [given_up, (notification, number + 1)] {
        let refused = rig.ask(finished(other, Outcome::Accepted));
        assert!(matches!(refused, Err(AskError::Refused(_))), "{other:?}");
    }
    assert_eq!(over(&rig), []);
}

#[test]
fn a_service_that_asks_nobody_at_this_hour_is_no_reason_to_hold_the_canary_back() {
    let mut rig = Rig::new();
    let service = rig.read(|state| state.installation.as_ref().unwrap().default_service);
    rig.ask(Ask::Intake(IntakeAsk::SetService {
        service,
        urgency: UrgencyBy::Low,
        grouping: GroupBy::Nothing,
        resolve_after_ms: None,
    }))
    .unwrap();
    canary(&mut rig, 1).1.unwrap();
    assert!(sent(&rig).is_some());
}
