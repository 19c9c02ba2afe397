//! The canary goes the way of an alert and leaves nothing but one note.

use tocsin_domain::command::{Ask, IntakeAsk};
use tocsin_domain::intake::{GroupBy, UrgencyBy};
use tocsin_engine::core::CANARY;
use tocsin_engine::{AskError, Effect, Leg};

use crate::fakes::{Fault, Rig};

fn canary(rig: &mut Rig, run: u64, leg: Leg) -> Result<(), AskError> {
    let now = rig.now;
    rig.core.canary(run, leg, now)
}

fn sent(rig: &Rig) -> Vec<Effect> {
    let noted = rig.effects.0.lock().unwrap();
    let canaries = noted
        .iter()
        .filter(|effect| matches!(effect, Effect::Canary { .. }));
    canaries.cloned().collect()
}

#[test]
fn a_year_of_canaries_grows_nothing() {
    let mut rig = Rig::new();
    let events = rig.journal.0.lock().unwrap().events.len();
    let before = rig.read(Clone::clone);
    for run in 0..1_000 {
        canary(&mut rig, run, Leg::Out).unwrap();
        canary(&mut rig, run, Leg::Back).unwrap();
    }
    assert_eq!(sent(&rig).len(), 1_000);
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
fn a_canary_that_cannot_be_made_durable_is_not_sent_and_the_next_one_is() {
    let mut rig = Rig::new();
    for fault in [Fault::Full, Fault::Gone] {
        rig.break_journal(fault);
        assert!(matches!(
            canary(&mut rig, 1, Leg::Out),
            Err(AskError::NotDurable(_))
        ));
    }
    assert_eq!(sent(&rig), []);
    rig.break_journal(Fault::None);
    canary(&mut rig, 2, Leg::Out).unwrap();
    assert_eq!(sent(&rig), [Effect::Canary { run: 2 }]);
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
    canary(&mut rig, 1, Leg::Out).unwrap();
    assert_eq!(sent(&rig), [Effect::Canary { run: 1 }]);
}
