//! What is decided while the journal still works on what was decided before.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use tocsin_domain::command::{AlertAsk, Ask, Command, Refusal};
use tocsin_domain::event::{Actor, Event};
use tocsin_domain::id::ServiceId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;
use tocsin_engine::{AppendError, AskError, Clock, Core, Done, Journal, NotDurable, Past, start};

use crate::fakes::{Fault, MemoryJournal, MemoryStore, Noted, Rig, START, Samples, Seeded};

type Answer = Arc<Mutex<Option<Result<Done, AskError>>>>;

fn trigger(key: &str) -> Ask {
    trigger_of(None, key)
}

fn trigger_of(service: Option<ServiceId>, key: &str) -> Ask {
    Ask::Alert(AlertAsk::Trigger {
        service,
        integration: None,
        dedup_key: Some(key.to_owned()),
        severity: Severity::Critical,
        title: key.to_owned(),
        summary: String::new(),
        details: Vec::new(),
        at: None,
    })
}

/// Is refused: there is no such service.
fn of_nobody() -> Ask {
    trigger_of(Some(ServiceId::random(&mut Seeded(5))), "db-1")
}

const fn by_system(ask: Ask) -> Command {
    Command {
        actor: Actor::System,
        ask,
    }
}

/// One step, which leaves what it decided under way.
fn step(rig: &mut Rig, ask: Ask) -> Answer {
    let answer = Answer::default();
    let slot = Arc::clone(&answer);
    let reply = Box::new(move |outcome| *slot.lock().unwrap() = Some(outcome));
    let now = rig.now;
    rig.core
        .step(vec![(by_system(ask), reply)], Vec::new(), now);
    answer
}

fn told(answer: &Answer) -> Option<Result<Done, AskError>> {
    answer.lock().unwrap().take()
}

fn ahead() -> Rig {
    let mut rig = Rig::new();
    rig.core.run_ahead();
    rig
}

#[test]
fn nothing_is_answered_shown_or_sent_before_it_is_durable() {
    let mut rig = ahead();
    let first = step(&mut rig, trigger("db-1"));
    assert!(told(&first).is_none());
    assert_eq!((rig.titles().len(), rig.sends()), (0, 0));
    let second = step(&mut rig, trigger("db-2"));
    assert!(told(&first).unwrap().is_ok());
    assert!(told(&second).is_none());
    assert_eq!(rig.titles(), ["db-1"]);
    let now = rig.now;
    rig.core.settle(now);
    assert!(told(&second).unwrap().is_ok());
    assert_eq!(rig.titles(), ["db-1", "db-2"]);
}

#[test]
fn what_was_decided_ahead_of_a_commit_that_fails_is_not_kept_either() {
    for fault in [Fault::Full, Fault::LandsThenFails] {
        let mut rig = ahead();
        rig.break_journal(fault);
        let first = step(&mut rig, trigger("db-1"));
        rig.break_journal(Fault::None);
        let second = step(&mut rig, trigger("db-2"));
        let was_kept = fault == Fault::LandsThenFails;
        assert_eq!(told(&first).unwrap().is_ok(), was_kept);
        assert!(matches!(told(&second), Some(Err(AskError::NotDurable(_)))));
        let third = step(&mut rig, trigger("db-3"));
        let now = rig.now;
        rig.core.settle(now);
        assert!(told(&third).unwrap().is_ok());
        let kept = if was_kept { 2 } else { 1 };
        assert_eq!(rig.titles().len(), kept);
        let disk = rig.journal.0.lock().unwrap();
        let positions: Vec<u64> = disk.events.iter().map(|event| event.position).collect();
        let all: Vec<u64> = (1..=positions.len() as u64).collect();
        assert_eq!(positions, all, "no gap");
    }
}

#[test]
fn an_answer_without_events_waits_for_what_it_rests_on() {
    let mut rig = ahead();
    let first = step(&mut rig, trigger("db-1"));
    let refused = step(&mut rig, of_nobody());
    assert!(told(&first).unwrap().is_ok());
    let refusal = told(&refused).unwrap();
    assert!(matches!(
        refusal,
        Err(AskError::Refused(Refusal::NotFound { .. }))
    ));

    rig.break_journal(Fault::Full);
    let first = step(&mut rig, trigger("db-2"));
    let refused = step(&mut rig, of_nobody());
    for answer in [first, refused] {
        assert!(matches!(told(&answer), Some(Err(AskError::NotDurable(_)))));
    }
}

#[test]
fn a_failure_that_came_and_went_while_commits_failed_is_recorded() {
    const DOWN: Samples<'_> = &[
        ("apache_parent_up", &[], 0.0),
        ("apache_exit_clean", &[], 0.0),
        ("apache_listener_refused", &[], 1.0),
    ];
    const UP: Samples<'_> = &[
        ("apache_parent_up", &[], 1.0),
        ("apache_listener_refused", &[], 0.0),
    ];
    let mut rig = ahead();
    rig.arrive(UP);
    rig.pass_ms(6_000);
    rig.arrive(UP);
    rig.break_journal(Fault::Full);
    let failing = step(&mut rig, trigger("db-1"));
    rig.now = rig.now.plus_ms(100);
    rig.arrive(DOWN);
    assert!(told(&failing).unwrap().is_err());
    rig.break_journal(Fault::None);
    rig.now = rig.now.plus_ms(1_000);
    rig.arrive(UP);
    let now = rig.now;
    rig.core.settle(now);
    assert_eq!(rig.titles().len(), 1, "its transition is not lost");
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        START
    }
}

/// Says that it begins an append, and makes it when it is let.
struct Gated {
    inner: MemoryJournal,
    began: Sender<usize>,
    gate: Receiver<()>,
}

impl Journal for Gated {
    fn append(&mut self, events: &[Event], notes: &[(&str, String)]) -> Result<(), AppendError> {
        self.began.send(events.len()).unwrap();
        self.gate
            .recv()
            .expect("the test opens the gate or ends the thread");
        self.inner.append(events, notes)
    }

    fn after(&mut self, position: u64) -> Result<Vec<Event>, NotDurable> {
        self.inner.after(position)
    }
}

fn gated() -> (Core<Gated, Seeded, Noted>, Receiver<usize>, Sender<()>) {
    let rig = Rig::new();
    let (began, begun) = channel();
    let (open, gate) = channel();
    let journal = Gated {
        inner: rig.journal.clone(),
        began,
        gate,
    };
    let past = Past {
        state: rig.read(Clone::clone),
        ..Past::default()
    };
    let store = Arc::new(MemoryStore::default());
    let core = Core::new(past, journal, Seeded(8), Noted::default(), store);
    (core, begun, open)
}

#[test]
fn the_engine_s_thread_decides_the_next_while_the_journal_s_thread_writes() {
    let (core, begun, open) = gated();
    let (engine, thread) = start(core, Arc::new(Still));
    let (tell, answers) = channel();
    let ask = |key: &'static str| {
        let tell = tell.clone();
        let reply = move |outcome: Result<Done, AskError>| {
            tell.send((key, outcome.is_ok())).unwrap();
        };
        engine.ask(by_system(trigger(key)), reply).unwrap();
    };
    ask("db-1");
    begun.recv().unwrap();
    ask("db-2");
    assert!(answers.try_recv().is_err(), "nothing is durable yet");
    open.send(()).unwrap();
    assert_eq!(answers.recv().unwrap(), ("db-1", true));
    begun.recv().unwrap();
    assert_eq!(engine.read(|state| state.alerts.len()), 1);
    let (knock, knocked) = channel();
    engine.knock(move || knock.send(()).unwrap()).unwrap();
    assert!(knocked.try_recv().is_err(), "the journal still works");
    open.send(()).unwrap();
    knocked.recv().unwrap();
    assert_eq!(answers.recv().unwrap(), ("db-2", true));
    engine.stop();
    thread.join().unwrap().unwrap();
}

#[test]
fn the_engine_ends_with_its_last_user_and_by_the_panic_of_its_journal() {
    let (core, _begun, _open) = gated();
    let (engine, thread) = start(core, Arc::new(Still));
    drop(engine);
    thread.join().unwrap().unwrap();

    let (core, begun, open) = gated();
    let (engine, thread) = start(core, Arc::new(Still));
    engine.ask(by_system(trigger("db-1")), drop).unwrap();
    begun.recv().unwrap();
    drop(open);
    assert!(thread.join().is_err());
}
