//! The step: commands and arrivals in, events made durable together, effects out. It keeps a working state ahead of the
//! published one and falls back to the published one when a commit fails.

use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use tocsin_domain::command::{Ask, Command};
use tocsin_domain::decide::{decide, next_due};
use tocsin_domain::event::{Actor, Event, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::id::Entropy;
use tocsin_domain::incident::Status;
use tocsin_domain::signal::Batch;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_promql::Source;

use crate::detect::Detector;
use crate::handle::{AskError, Done};
use crate::ports::{Effect, Effects, Journal, NotDurable};

/// The journal's note of how far monitors have seen the store.
pub const EVALUATED_TO: &str = "monitors_evaluated_to_ms";
/// Without events, the note is renewed after this much data time.
const NOTE_EVERY_MS: i64 = 5_000;
/// What arrived, or was missed, longer ago than this pages only if it still fails.
const LATE_MS: u64 = 300_000;

/// What was before this run.
#[derive(Debug, Default)]
pub struct Past {
    /// The fold of the journal.
    pub state: State,
    /// How far monitors had seen the store, milliseconds.
    pub evaluated_to_ms: Option<i64>,
    /// Distinct times of samples that are later than that, ascending: stored, but not asked about before the end came.
    pub unseen_ms: Vec<i64>,
}

type Reply = Box<dyn FnOnce(Result<Done, AskError>) + Send>;

/// The engine without its thread: deterministic, given its inputs and the time.
pub struct Core<J, E, F> {
    state: State,
    published: Arc<RwLock<State>>,
    journal: J,
    entropy: E,
    effects: F,
    series: Arc<dyn Source + Send + Sync>,
    detector: Detector,
    unseen_ms: Vec<i64>,
    noted_ms: i64,
}

impl<J: Journal, E: Entropy, F: Effects> Core<J, E, F> {
    /// A core that continues from the past.
    pub fn new(
        past: Past,
        journal: J,
        entropy: E,
        effects: F,
        series: Arc<dyn Source + Send + Sync>,
    ) -> Self {
        let noted_ms = past.evaluated_to_ms.unwrap_or(i64::MIN);
        Self {
            published: Arc::new(RwLock::new(past.state.clone())),
            state: past.state,
            journal,
            entropy,
            effects,
            series,
            detector: Detector::default(),
            unseen_ms: past.unseen_ms,
            noted_ms,
        }
    }

    /// The committed state, shared with readers.
    #[must_use]
    pub fn published(&self) -> Arc<RwLock<State>> {
        Arc::clone(&self.published)
    }

    /// When the next thing is due without anybody asking.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        next_due(&self.state)
    }

    /// Takes up the work of an earlier run: its unanswered attempts, samples that it stored but did not ask about, evidence
    /// that it did not freeze.
    pub fn recover(&mut self, now: Timestamp) {
        let mut events = self.decide_system(Ask::Recover, now);
        if self.state.installation.is_some() {
            events.extend(self.decide_system(Ask::InstallPack, now));
        }
        let late = now.minus_ms(LATE_MS).as_millis();
        for at_ms in mem::take(&mut self.unseen_ms) {
            if at_ms >= late {
                events.extend(self.detect_at(None, Timestamp::from_millis(at_ms), now));
            }
        }
        // A commit that fails here is tried again by whatever comes next; detection has lost nothing, since what fires is
        // derived from the state and the store.
        let _ = self.commit(&events);
        let unfrozen: Vec<_> = self
            .state
            .incidents
            .values()
            .filter(|incident| incident.status == Status::Resolved && incident.evidence.is_none())
            .map(|incident| incident.id)
            .collect();
        for incident in unfrozen {
            self.effects.carry_out(Effect::Freeze { incident });
        }
    }

    /// Decides commands, asks the monitors that the batches concern, does what is due, commits it all together, answers, and
    /// carries out.
    pub fn step(&mut self, commands: Vec<(Command, Reply)>, batches: &[Batch], now: Timestamp) {
        let mut events = Vec::new();
        let mut answers = Vec::new();
        for (command, reply) in commands {
            match decide(&mut self.state, command, now, &mut self.entropy) {
                Ok(made) => {
                    answers.push((reply, made.clone()));
                    events.extend(made);
                }
                Err(refusal) => reply(Err(refusal.into())),
            }
        }
        for batch in batches {
            if let Some(newest) = batch.samples.iter().map(|sample| sample.at).max() {
                events.extend(self.detect_at(Some(batch), newest, now));
            }
        }
        events.extend(self.decide_system(Ask::Tick, now));
        match self.commit(&events) {
            Ok(()) => {
                for (reply, events) in answers {
                    reply(Ok(Done { events }));
                }
            }
            Err(failure) => {
                for (reply, _) in answers {
                    reply(Err(failure.clone().into()));
                }
            }
        }
    }

    fn decide_system(&mut self, ask: Ask, now: Timestamp) -> Vec<Event> {
        let command = Command {
            actor: Actor::System,
            ask,
        };
        match decide(&mut self.state, command, now, &mut self.entropy) {
            Ok(events) => events,
            Err(refusal) => {
                tracing::error!(%refusal, "the core refused a command of the engine's own");
                Vec::new()
            }
        }
    }

    fn detect_at(&mut self, batch: Option<&Batch>, at: Timestamp, now: Timestamp) -> Vec<Event> {
        let asks = self
            .detector
            .observe(&self.state, self.series.as_ref(), batch, at);
        asks.into_iter()
            .flat_map(|ask| self.decide_system(Ask::Alert(ask), now))
            .collect()
    }

    fn commit(&mut self, events: &[Event]) -> Result<(), NotDurable> {
        let seen_ms = self.detector.seen_ms();
        if events.is_empty() && seen_ms.saturating_sub(self.noted_ms) < NOTE_EVERY_MS {
            return Ok(());
        }
        let note = [(EVALUATED_TO, seen_ms.to_string())];
        let notes: &[(&str, String)] = if seen_ms > i64::MIN { &note } else { &[] };
        if let Err(failure) = self.journal.append(events, notes) {
            tracing::error!(%failure, events = events.len(), "events could not be made durable; they are decided again");
            self.state = self
                .published
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            return Err(failure);
        }
        self.noted_ms = seen_ms;
        if events.is_empty() {
            return Ok(());
        }
        {
            let mut published = self
                .published
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for event in events {
                published.evolve(event);
            }
        }
        self.effects.committed(events);
        for effect in events.iter().filter_map(effect_of) {
            self.effects.carry_out(effect);
        }
        Ok(())
    }
}

fn effect_of(event: &Event) -> Option<Effect> {
    match &event.body {
        EventBody::Notification(message) => match message.what {
            NotificationWhat::AttemptStarted { number } => Some(Effect::Send {
                notification: message.notification,
                number,
            }),
            NotificationWhat::Planned { .. }
            | NotificationWhat::Advanced { .. }
            | NotificationWhat::AttemptFinished { .. }
            | NotificationWhat::Cancelled { .. } => None,
        },
        EventBody::Incident(incident) => matches!(incident.what, IncidentWhat::Resolved { .. })
            .then_some(Effect::Freeze {
                incident: incident.incident,
            }),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Input(_) => None,
    }
}
