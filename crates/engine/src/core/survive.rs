//! Decisions that end in a panic, which is a fault of Tocsin itself: nothing of them is kept, what they were about is left alone,
//! and all else goes on. What panics at each start would otherwise keep everybody from being paged.

use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tocsin_domain::command::{Ask, Command, Refusal};
use tocsin_domain::decide::decide_noting;
use tocsin_domain::event::{Actor, Event};
use tocsin_domain::id::Entropy;
use tocsin_domain::state::{PANICS_MAX, Subject};
use tocsin_domain::time::Timestamp;

use super::Core;
use crate::ports::{Effects, Journal, NotDurable};

/// Each panic makes the state anew, which takes its time: what else one thing that the engine asks panics at is left to the next
/// step.
const PANICS_OF_AN_ASK: usize = 16;

/// What a step has decided so far, on what is durable and what is under way.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) events: Vec<Event>,
    /// Why what it was decided on is not kept.
    pub(super) lost: Option<NotDurable>,
    /// How many decisions of its present part ended in a panic.
    pub(super) panics: usize,
}

impl Draft {
    /// Nothing that was decided so far can be kept.
    pub(super) fn lose(&mut self, why: NotDurable) {
        self.events.clear();
        self.lost = Some(why);
    }
}

/// What came of a command.
pub(super) enum Decided {
    /// These of the draft's events.
    Made(Range<usize>),
    Refused(Refusal),
    /// It panicked, at work on this.
    Panicked(Option<Subject>),
}

/// What came of it; nothing when it panicked. What it can change must be looked at, or thrown away, then.
pub(super) fn survived<T>(kind: &'static str, work: impl FnOnce() -> T) -> Option<T> {
    // Nothing is half done afterwards that is used: who calls this sees to it.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        // The panic itself was told where it happened.
        Err(_) => {
            tracing::error!(
                kind,
                "a decision ended in a fault of Tocsin itself, and nothing of it is kept; please report this"
            );
            None
        }
    }
}

impl<J: Journal, E: Entropy, F: Effects> Core<J, E, F> {
    /// Decides a command, and lives on when that panics.
    pub(super) fn decide(
        &mut self,
        command: Command,
        draft: &mut Draft,
        now: Timestamp,
    ) -> Decided {
        let (kind, before, at_work) = (command.ask.kind(), self.state.position, Cell::new(None));
        let (state, entropy) = (&mut self.state, &mut self.entropy);
        // The state is made anew after a panic, and of chance there is always more.
        let decided = survived(kind, || {
            decide_noting(state, command, now, entropy, &at_work)
        });
        match decided {
            Some(Ok(made)) => {
                let first = draft.events.len();
                draft.events.extend(made);
                Decided::Made(first..draft.events.len())
            }
            Some(Err(refusal)) => Decided::Refused(refusal),
            None => {
                draft.panics += 1;
                self.undo_since(before, draft, now);
                Decided::Panicked(at_work.get())
            }
        }
    }

    /// Decides what the engine asks by itself. What it panics at is left alone, and the rest is decided without it.
    pub(super) fn decide_system(&mut self, ask: Ask, draft: &mut Draft, now: Timestamp) {
        let (kind, is_of_one_alert) = (ask.kind(), matches!(ask, Ask::Alert(_)));
        if self.faults.waits(kind, now) {
            return;
        }
        for _ in 0..PANICS_OF_AN_ASK {
            if draft.lost.is_some() {
                return;
            }
            let command = Command {
                actor: Actor::System,
                ask: ask.clone(),
            };
            match self.decide(command, draft, now) {
                Decided::Made(_) => return self.faults.went_well(kind),
                Decided::Refused(refusal) => {
                    tracing::error!(%refusal, "the core refused a command of the engine's own");
                    return;
                }
                Decided::Panicked(Some(subject)) => self.set_aside(subject, now),
                Decided::Panicked(None) => {
                    self.note_broken(kind, now);
                    // Asked again at once it would panic again. That says nothing about another alert.
                    if !is_of_one_alert {
                        self.faults.of_ask(kind, now);
                    }
                    return;
                }
            }
        }
    }

    /// Throws away what is half done since the state was at `before`: the state is what is durable and what was decided in this
    /// step, as before. Both were folded once without a panic.
    fn undo_since(&mut self, before: u64, draft: &mut Draft, now: Timestamp) {
        // A state changes by events alone, and by each its position does first.
        if self.state.position == before {
            return;
        }
        if let Err(why) = self.conclude(now) {
            return draft.lose(why);
        }
        self.fall_back();
        for event in &draft.events {
            self.state.evolve(event);
        }
    }

    /// Leaves it alone, for a while or until the next start.
    fn set_aside(&mut self, subject: Subject, now: Timestamp) {
        let panics = self.faults.of_subject(subject, now);
        if panics == PANICS_MAX {
            tracing::error!(
                ?subject,
                panics,
                "what is due for it ends in a fault of Tocsin itself each time: it is left alone until the next start"
            );
        }
        self.state.set_aside(subject, panics);
        self.published
            .change(|state| state.set_aside(subject, panics));
    }

    /// Tries anew what was left alone for a while.
    pub(super) fn take_back(&mut self, now: Timestamp) {
        for subject in self.faults.take_due(now) {
            self.state.take_back(subject);
            self.published.change(|state| state.take_back(subject));
        }
    }

    /// Lets the auditor know of a decision that panicked and was about nothing that could be left alone.
    pub(super) fn note_broken(&mut self, kind: &'static str, now: Timestamp) {
        self.state.note_broken(kind, now);
        self.published.change(|state| state.note_broken(kind, now));
    }

    /// When the next thing is due that is not left alone.
    pub(super) fn due_despite_faults(&self) -> Option<Timestamp> {
        let due = self.state.next_due();
        let due = match self.faults.until(Ask::Tick.kind()) {
            None => due,
            Some(until) => due.map(|due| due.max(until)),
        };
        due.into_iter().chain(self.faults.next_due()).min()
    }
}
