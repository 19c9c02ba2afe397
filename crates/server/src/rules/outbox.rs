//! What rules have to tell the core: sent in order, and again until it is durable. It knows no rule.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tocsin_domain::command::{AlertAsk, Ask, Command, Refusal};
use tocsin_domain::event::Actor;
use tocsin_domain::id::ServiceId;
use tocsin_domain::state::State;
use tocsin_engine::rules::Told;
use tocsin_engine::{AskError, EngineHandle};

/// Sent at once, and not answered yet.
const UNDERWAY_MAX: usize = 256;
/// How long to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// How one went.
enum Outcome {
    Done,
    Again,
    /// Again, on the default service.
    Elsewhere,
}

/// Waits for the core. Several are under way at once; when one of them fails, it and all after it are sent again in their
/// order: to say again what is known already changes nothing.
pub(super) struct Outbox {
    waiting: VecDeque<Told>,
    underway: VecDeque<(Told, Option<Outcome>)>,
    /// The number of the first one under way.
    first: u64,
    answers: Receiver<(u64, Outcome)>,
    answer: Sender<(u64, Outcome)>,
    not_before: Option<Instant>,
}

impl Default for Outbox {
    fn default() -> Self {
        let (answer, answers) = channel();
        Self {
            waiting: VecDeque::new(),
            underway: VecDeque::new(),
            first: 0,
            answers,
            answer,
            not_before: None,
        }
    }
}

impl Outbox {
    pub(super) fn add(&mut self, told: Vec<Told>) {
        self.waiting.extend(told);
    }

    /// How long until there is something to do without an answer.
    pub(super) fn wait(&self) -> Option<Duration> {
        if self.waiting.is_empty() || !self.underway.is_empty() {
            return None;
        }
        let not_before = self.not_before?;
        Some(not_before.saturating_duration_since(Instant::now()))
    }

    /// Takes answers and sends what may be sent. `answered` is called on the core's thread after each answer, and must not block.
    pub(super) fn push(
        &mut self,
        engine: &EngineHandle,
        answered: &(impl Fn() + Clone + Send + 'static),
    ) {
        self.take_answers();
        let rests = self.not_before.is_some_and(|until| Instant::now() < until);
        if rests || !self.underway.is_empty() {
            return;
        }
        self.not_before = None;
        while self.underway.len() < UNDERWAY_MAX {
            let Some(told) = self.waiting.pop_front() else {
                return;
            };
            let number = self.first + self.underway.len() as u64;
            let command = engine.read(|state| command(&told, state));
            let (answer, answered) = (self.answer.clone(), answered.clone());
            let reply = move |outcome: Result<_, AskError>| {
                let outcome = match outcome {
                    Ok(_) => Outcome::Done,
                    Err(error) => judged(&error),
                };
                // A thread that is gone wants no answer.
                let _ = answer.send((number, outcome));
                answered();
            };
            if engine.ask(command, reply).is_err() {
                self.waiting.push_front(told);
                self.not_before = Some(Instant::now() + RETRY_AFTER);
                return;
            }
            self.underway.push_back((told, None));
        }
    }

    fn take_answers(&mut self) {
        while let Ok((number, outcome)) = self.answers.try_recv() {
            let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
            if let Some((_, answer)) = self.underway.get_mut(at) {
                *answer = Some(outcome);
            }
        }
        if self.underway.iter().any(|(_, answer)| answer.is_none()) {
            return;
        }
        self.first += self.underway.len() as u64;
        let done = |answer: &Option<Outcome>| matches!(answer, Some(Outcome::Done));
        while self
            .underway
            .front()
            .is_some_and(|(_, answer)| done(answer))
        {
            self.underway.pop_front();
        }
        if self.underway.is_empty() {
            return;
        }
        self.not_before = Some(Instant::now() + RETRY_AFTER);
        while let Some((mut told, answer)) = self.underway.pop_back() {
            if matches!(answer, Some(Outcome::Elsewhere)) {
                told.service = None;
            }
            self.waiting.push_front(told);
        }
    }
}

fn judged(error: &AskError) -> Outcome {
    match error {
        AskError::Refused(Refusal::NotFound { .. }) => Outcome::Elsewhere,
        // Nobody is there yet to be paged, or the journal takes nothing: it is not lost.
        AskError::Refused(Refusal::Conflict { .. })
        | AskError::NotDurable(_)
        | AskError::Busy
        | AskError::Stopped => Outcome::Again,
        // What cannot be decided must not hold up the others; the auditor tells of it.
        AskError::Fault
        | AskError::Refused(Refusal::Invalid { .. } | Refusal::Forbidden { .. }) => {
            tracing::error!(%error, "the core refused an alert of a rule");
            Outcome::Done
        }
    }
}

fn command(told: &Told, state: &State) -> Command {
    let mut ask = told.ask.clone();
    if let (AlertAsk::RuleFired(fired), Some(name)) = (&mut ask, &told.service) {
        fired.service = service(name, state);
        if fired.service.is_none() {
            tracing::warn!(service = %name, rule = %fired.rule, "there is no such service; the alert is raised on the default one");
        }
    }
    Command {
        actor: Actor::System,
        ask: Ask::Alert(ask),
    }
}

fn service(name: &str, state: &State) -> Option<ServiceId> {
    let by_id = name
        .parse()
        .ok()
        .filter(|id| state.services.contains_key(id));
    by_id.or_else(|| {
        let mut named = state.services.values().filter(|one| one.name == name);
        named.next().map(|one| one.id)
    })
}
