//! Decisions that panic: nothing of them is kept, what they were about is left alone, and all else goes on.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use tocsin_domain::audit::{About, FindingKind, Observations, audit};
use tocsin_domain::bugs;
use tocsin_domain::command::{Ask, Command};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::page::Outcome;
use tocsin_domain::signal::Batch;
use tocsin_domain::state::{State, Subject};
use tocsin_domain::time::Timestamp;
use tocsin_engine::{AskError, Clock, Core, Done, Effect, Past, start};

use crate::fakes::{DOWN, Fault, MemoryStore, Noted, Rig, START, Seeded, UP, trigger};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// As long as it lives, decisions of this thread panic whose events hold a word.
struct Trap;

impl Trap {
    fn at(word: impl ToString) -> Self {
        const { assert!(bugs::EXIST, "these tests are built with the switches") };
        bugs::lay_trap(Some(&word.to_string()));
        Self
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        bugs::lay_trap(None);
    }
}

type Answers = Arc<Mutex<Vec<Result<Done, AskError>>>>;

/// One step with a trigger for each key.
fn step(rig: &mut Rig, keys: &[impl AsRef<str>]) -> Answers {
    step_with(rig, keys, Vec::new())
}

/// The same, with what arrived meanwhile.
fn step_with(rig: &mut Rig, keys: &[impl AsRef<str>], batches: Vec<Batch>) -> Answers {
    let answers = Answers::default();
    let ask = |key: &str| {
        let slot = Arc::clone(&answers);
        let command = Command {
            actor: Actor::System,
            ask: trigger(key),
        };
        let reply: Box<dyn FnOnce(Result<Done, AskError>) + Send> =
            Box::new(move |outcome| slot.lock().unwrap().push(outcome));
        (command, reply)
    };
    let commands = keys.iter().map(|key| ask(key.as_ref())).collect();
    let now = rig.now;
    rig.core.step(commands, batches, now);
    answers
}

/// How they were answered, in the order of the answers.
fn told(answers: &Answers) -> Vec<Result<(), AskError>> {
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    let told = answers.into_iter();
    told.map(|outcome| outcome.map(|_| ())).collect()
}

/// Two incidents, both paged for; one that decisions are going to panic at, and another.
fn two_paged() -> (Rig, IncidentId, IncidentId) {
    let mut rig = Rig::new();
    rig.ask(trigger("db-1")).unwrap();
    rig.ask(trigger("db-2")).unwrap();
    for (notification, number) in sent(&rig) {
        let ask = Ask::AttemptFinished {
            notification,
            number,
            outcome: Outcome::Accepted,
            detail: String::new(),
            retry_after_ms: None,
            reference: None,
            via: None,
        };
        rig.ask(ask).unwrap();
    }
    let ids: Vec<IncidentId> = rig.incidents().iter().map(|one| one.id).collect();
    assert!(ids.iter().all(|id| sends_for(&rig, *id) == 1));
    (rig, ids[0], ids[1])
}

fn sent(rig: &Rig) -> Vec<(NotificationId, u32)> {
    let noted = rig.effects.0.lock().unwrap();
    let sends = noted.iter().filter_map(|effect| match effect {
        Effect::Send {
            notification,
            number,
        } => Some((*notification, *number)),
        Effect::Freeze { .. } | Effect::Canary { .. } => None,
    });
    sends.collect()
}

/// Attempts for an incident in this run.
fn sends_for(rig: &Rig, incident: IncidentId) -> usize {
    let sent = sent(rig);
    rig.read(|state| {
        let about = |id: &NotificationId| state.notifications[id].purpose.incident();
        let own = sent.iter().filter(|(id, _)| about(id) == Some(incident));
        own.count()
    })
}

/// What the auditor finds that is a fault of Tocsin itself.
fn faults_found(rig: &Rig) -> Vec<(FindingKind, About)> {
    let found = rig.read(|state| audit(state, rig.now, &Observations::default()));
    let faults = found
        .iter()
        .filter(|one| matches!(one.kind, FindingKind::SetAside | FindingKind::Undecided));
    faults.map(|one| (one.kind, one.about)).collect()
}

/// What is shown is what the journal folds to, but for what is left alone.
fn check_shown(rig: &Rig) {
    let mut folded = State::default();
    let disk = rig.journal.0.lock().unwrap();
    disk.events.iter().for_each(|event| folded.evolve(event));
    rig.read(|shown| {
        assert_eq!(shown.position, folded.position);
        assert_eq!(shown.incidents, folded.incidents);
        assert_eq!(shown.notifications, folded.notifications);
    });
}

#[test]
fn while_what_is_due_for_one_incident_panics_the_others_are_paged_on_and_the_auditor_tells_of_it() {
    let (mut rig, bad, good) = two_paged();
    let _trap = Trap::at(bad);
    rig.watch_ms(40 * MINUTE);
    assert_eq!(sends_for(&rig, bad), 1);
    assert!(sends_for(&rig, good) > 1);
    let told = (FindingKind::SetAside, About::Incident(bad));
    assert_eq!(faults_found(&rig), [told]);
    check_shown(&rig);
    // It is not even due any more: no step is made for it alone.
    assert!(rig.read(|state| state.is_set_aside(Subject::Incident(bad))));
    assert!(rig.core.next_due().is_none_or(|due| due > rig.now));
}

#[test]
fn a_restart_tries_what_panicked_anew_and_does_not_end_by_it() {
    let (mut rig, bad, good) = two_paged();
    let trap = Trap::at(bad);
    rig.watch_ms(40 * MINUTE);
    let mut rig = rig.killed_and_started_again();
    assert!(!rig.read(|state| state.is_set_aside(Subject::Incident(bad))));
    rig.watch_ms(40 * MINUTE);
    assert!(sends_for(&rig, good) > 0);
    assert!(rig.read(|state| state.is_set_aside(Subject::Incident(bad))));
    drop(trap);
    let mut rig = rig.killed_and_started_again();
    rig.watch_ms(SECOND);
    assert!(sends_for(&rig, bad) > 0);
    assert_eq!(faults_found(&rig), []);
    check_shown(&rig);
}

#[test]
fn what_panics_no_more_after_a_moment_goes_on_as_if_it_never_had() {
    let (mut rig, bad, _) = two_paged();
    let trap = Trap::at(bad);
    let is_left_alone = |rig: &Rig| rig.read(|state| state.left_alone().next().is_some());
    while !is_left_alone(&rig) {
        rig.watch_ms(SECOND);
    }
    drop(trap);
    rig.watch_ms(2 * SECOND);
    assert!(!is_left_alone(&rig));
    rig.watch_ms(40 * MINUTE);
    assert!(sends_for(&rig, bad) > 1);
    check_shown(&rig);
}

#[test]
fn a_command_that_panics_is_refused_and_those_beside_it_are_kept() {
    let mut rig = Rig::new();
    rig.core.run_ahead();
    let first = step(&mut rig, &["db-1"]);
    let trap = Trap::at("poison");
    let second = step(&mut rig, &["db-2", "poison", "db-3"]);
    assert_eq!(told(&first), [Ok(())]);
    assert_eq!(told(&second), [Err(AskError::Fault)]);
    let now = rig.now;
    rig.core.settle(now);
    assert_eq!(told(&second), [Ok(()), Ok(())]);
    assert_eq!(rig.titles(), ["db-1", "db-2", "db-3"]);
    let told_of = (FindingKind::Undecided, About::Tocsin);
    assert_eq!(faults_found(&rig), [told_of]);
    check_shown(&rig);
    drop(trap);
    let again = step(&mut rig, &["poison"]);
    rig.watch_ms(16 * MINUTE);
    assert_eq!(told(&again), [Ok(())]);
    assert_eq!(faults_found(&rig), []);
}

#[test]
fn a_panic_while_what_it_rests_on_cannot_be_kept_keeps_nothing_of_either() {
    let mut rig = Rig::new();
    rig.core.run_ahead();
    rig.break_journal(Fault::Full);
    let first = step(&mut rig, &["db-1"]);
    rig.break_journal(Fault::None);
    let trap = Trap::at("poison");
    let second = step(&mut rig, &["db-2", "poison", "db-3"]);
    drop(trap);
    let now = rig.now;
    rig.core.settle(now);
    let is_lost = |one: &Result<(), AskError>| matches!(one, Err(AskError::NotDurable(_)));
    assert!(told(&first).iter().all(is_lost));
    let second = told(&second);
    assert!(is_lost(&second[0]));
    assert_eq!(second[1..], [Err(AskError::Fault), Ok(())]);
    assert_eq!(rig.titles(), ["db-3"]);
    check_shown(&rig);
}

/// Keys of so many commands that panic while a trap is laid for the word.
fn poison(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("poison-{number}"))
        .collect()
}

/// So many answers that it is a fault of Tocsin itself.
fn faults(count: usize) -> Vec<Result<(), AskError>> {
    vec![Err(AskError::Fault); count]
}

#[test]
fn a_step_lives_through_eight_commands_that_panic_and_the_others_are_decided_by_those_after_it() {
    let mut rig = Rig::new();
    let _trap = Trap::at("poison");
    let mut keys = poison(20);
    keys.insert(15, "db-1".to_owned());
    keys.push("db-2".to_owned());
    let many = step(&mut rig, &keys);
    assert_eq!(told(&many), faults(8));
    assert!(rig.core.next_due().is_some_and(|due| due <= rig.now));
    // What was asked before is decided before.
    let late = step(&mut rig, &["db-3"]);
    assert_eq!(told(&many), [faults(8), vec![Ok(())]].concat());
    assert_eq!((told(&late), rig.sends()), (Vec::new(), 1));
    rig.pass_ms(0);
    assert_eq!(told(&many), [faults(4), vec![Ok(())]].concat());
    assert_eq!(told(&late), [Ok(())]);
    assert_eq!(rig.titles(), ["db-1", "db-2", "db-3"]);
    check_shown(&rig);
}

#[test]
fn whoever_finds_no_room_among_what_waits_for_the_next_step_is_told_to_come_again() {
    let mut rig = Rig::new();
    let _trap = Trap::at("poison");
    let answers = step(&mut rig, &poison(8 + 4_096 + 3));
    let busy = vec![Err(AskError::Busy); 3];
    assert_eq!(told(&answers), [faults(8), busy].concat());
}

/// Whoever asks it has a trap laid; the first one waits until the gate is opened.
struct Trapping(Mutex<Option<Receiver<()>>>);

impl Clock for Trapping {
    fn now(&self) -> Timestamp {
        bugs::lay_trap(Some("poison"));
        if let Some(gate) = self.0.lock().unwrap().take() {
            gate.recv().unwrap();
        }
        START
    }
}

#[test]
fn what_was_put_off_is_decided_before_the_engine_stops() {
    let rig = Rig::new();
    let past = Past {
        state: rig.read(Clone::clone),
        ..Past::default()
    };
    let store = Arc::new(MemoryStore::default());
    let journal = rig.journal.clone();
    let core = Core::new(past, journal, Seeded(8), Noted::default(), store);
    let (open, gate) = channel();
    let (engine, thread) = start(core, Arc::new(Trapping(Mutex::new(Some(gate)))));
    let mut keys = poison(20);
    keys.push("db-1".to_owned());
    let commands = keys.iter().map(|key| Command {
        actor: Actor::System,
        ask: trigger(key),
    });
    let (tell, told) = channel();
    let reply = move |outcomes: Vec<Result<Done, AskError>>| tell.send(outcomes).unwrap();
    engine.ask_all(commands.collect(), reply).unwrap();
    engine.stop();
    open.send(()).unwrap();
    let outcomes = told.recv().unwrap().into_iter();
    let outcomes: Vec<_> = outcomes.map(|outcome| outcome.map(|_| ())).collect();
    assert_eq!(outcomes, [faults(20), vec![Ok(())]].concat());
    thread.join().unwrap().unwrap();
}

#[test]
fn a_question_that_panics_costs_nothing_beside_it_and_the_next_arrival_is_judged() {
    let mut rig = Rig::new();
    rig.arrive(UP);
    rig.pass_ms(SECOND);
    rig.store.let_questions_panic(true);
    let batch = rig.store_only(DOWN);
    let answers = step_with(&mut rig, &["db-1"], vec![batch]);
    assert_eq!(told(&answers), [Ok(())]);
    assert_eq!((rig.titles(), rig.sends()), (vec!["db-1".to_owned()], 1));
    let told_of = (FindingKind::Undecided, About::Tocsin);
    assert_eq!(faults_found(&rig), [told_of]);
    rig.store.let_questions_panic(false);
    rig.pass_ms(SECOND);
    rig.arrive(DOWN);
    assert_eq!(rig.incidents().len(), 2);
    check_shown(&rig);
}

#[test]
fn a_step_lives_through_eight_batches_that_panic_and_the_others_are_judged_by_those_after_it() {
    let mut rig = Rig::new();
    rig.store.let_questions_panic(true);
    let batches = (0..20).map(|_| rig.store_only(DOWN)).collect();
    let keys: [&str; 0] = [];
    step_with(&mut rig, &keys, batches);
    let panics = |rig: &Rig| rig.read(|state| state.broken().unwrap().count);
    assert_eq!(panics(&rig), 8);
    assert!(rig.core.next_due().is_some_and(|due| due <= rig.now));
    rig.pass_ms(0);
    rig.pass_ms(0);
    assert_eq!(panics(&rig), 20);
    assert!(rig.core.next_due().is_none_or(|due| due > rig.now));
}
