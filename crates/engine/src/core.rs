//! The step: commands and arrivals in, events made durable together, effects out. It keeps a working state ahead of the
//! published one and falls back to the published one when a commit fails.

mod canary;
mod commit;
mod put_off;
mod survive;

use std::mem;
use std::sync::{Arc, RwLock};

use tocsin_domain::bugs::{self, Bug};
use tocsin_domain::command::Ask;
use tocsin_domain::id::{Entropy, IncidentId};
use tocsin_domain::incident::Status;
use tocsin_domain::signal::Batch;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_promql::Source;

use crate::clock::ClockWatch;
use crate::detect::Detector;
use crate::faults::Faults;
use crate::group::{Answer, Group};
use crate::handle::AskError;
use crate::ports::{Effect, Effects, Journal, NotDurable};
use crate::setback::Setback;
use crate::writer::{Published, Wake, Writer};
use canary::Asked;
use put_off::{PANICS_BORNE, PutOff};
use survive::{Decided, Draft, survived};

pub(crate) use canary::Aloft;

/// The journal's note of how far monitors have seen the store.
pub const EVALUATED_TO: &str = "monitors_evaluated_to_ms";
/// The journal's note of when it was last tried without need: to learn that it takes commits again, or to make durable what
/// an append of unknown fate has left.
const TRIED: &str = "journal_tried_ms";
/// Batches that wait for a journal that takes commits again; beyond that it is tried at once.
const HELD_MAX: usize = 4_096;
/// Commands that are decided before it is looked whether what was decided before them is durable by now.
const LOOK_EVERY: usize = 64;
/// Without events, the note is renewed after this much data time.
const NOTE_EVERY_MS: u64 = 5_000;
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
    /// The latest time that the clock is known to have shown.
    pub clock_seen: Option<Timestamp>,
}

/// Where the canary was last, so that its way is durable and yet grows nothing.
pub const CANARY: &str = "canary";

/// The engine without its thread: deterministic, given its inputs and the time.
pub struct Core<J, E, F> {
    /// What was decided, also what is not durable yet.
    state: State,
    /// What is durable.
    published: Published,
    writer: Writer<J>,
    /// What is being made durable.
    under_way: Option<Group>,
    /// A step returns while what it decided is being made durable.
    is_ahead: bool,
    entropy: E,
    effects: F,
    series: Arc<dyn Source + Send + Sync>,
    detector: Detector,
    unseen_ms: Vec<i64>,
    noted_ms: i64,
    /// Batches that arrived while commits fail; only their samples.
    held: Vec<Batch>,
    setback: Option<Setback>,
    /// Something could not be kept, and what was said meanwhile was refused; or nobody was there to hear it. The next tick takes
    /// that into account.
    refused: bool,
    clock: ClockWatch,
    /// The last append may have been kept or not.
    is_unclear: bool,
    /// Another server took the journal over.
    taken_over: Option<NotDurable>,
    /// Decisions that ended in a panic.
    faults: Faults,
    /// What the last step did not come to, because of those.
    put_off: PutOff,
    /// The canary that is under way.
    aloft: Aloft,
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
        let clock = ClockWatch::after(past.state.clock, past.clock_seen);
        let published = Published::of(past.state.clone());
        Self {
            writer: Writer::here(journal, published.clone()),
            published,
            state: past.state,
            under_way: None,
            is_ahead: false,
            entropy,
            effects,
            series,
            detector: Detector::default(),
            unseen_ms: past.unseen_ms,
            noted_ms,
            held: Vec::new(),
            setback: None,
            refused: false,
            clock,
            is_unclear: false,
            taken_over: None,
            faults: Faults::default(),
            put_off: PutOff::default(),
            aloft: Aloft::default(),
        }
    }

    /// The committed state, shared with readers.
    #[must_use]
    pub fn published(&self) -> Arc<RwLock<State>> {
        Arc::clone(&self.published.0)
    }

    /// When the next thing is due without anybody asking. While commits fail, not before the next try.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let due = self.due_despite_faults();
        if let Some(at_once) = self.put_off.due() {
            return Some(at_once);
        }
        match &self.setback {
            None => due,
            Some(setback) => Some(due.map_or(setback.until(), |due| due.max(setback.until()))),
        }
    }

    /// Whether a step was left something by the one before.
    #[must_use]
    pub fn has_put_off(&self) -> bool {
        self.put_off.due().is_some()
    }

    /// Looks at the clock. A step does so too; a thread with nothing to do has to look all the same, every second: when more
    /// time goes by between two looks, nobody was there to hear what was said meanwhile.
    pub fn look(&mut self, now: Timestamp) {
        self.refused |= self.clock.look(now);
    }

    /// From now on a step returns while its events are being made durable, and the next one is decided meanwhile. Who asks must
    /// call [`Core::settle`] when nothing else comes.
    pub fn run_ahead(&mut self) {
        self.is_ahead = true;
    }

    /// Concludes what is being made durable: waits until it is and is published, answers and carries out.
    pub fn settle(&mut self, now: Timestamp) {
        // Who asked was told already when it could not be made durable.
        let _ = self.conclude(now);
    }

    /// Concludes it if that takes no waiting.
    ///
    /// # Errors
    /// It could not be made durable; the state is what is durable again.
    pub(crate) fn settle_what_ended(&mut self, now: Timestamp) -> Result<(), NotDurable> {
        if self.under_way.is_some() && self.writer.has_ended() {
            self.conclude(now)?;
        }
        Ok(())
    }

    fn conclude(&mut self, now: Timestamp) -> Result<(), NotDurable> {
        if let Some(durable) = self.land(now)? {
            self.conclude_group(durable);
        }
        Ok(())
    }

    /// Why no step can ever succeed again: another server writes the journal.
    #[must_use]
    pub fn taken_over(&self) -> Option<&NotDurable> {
        self.taken_over.as_ref()
    }

    /// Takes up the work of an earlier run: its unanswered attempts, samples that it stored but did not ask about, evidence
    /// that it did not freeze.
    pub fn recover(&mut self, now: Timestamp) {
        self.clock.look(now);
        let mut draft = Draft::default();
        self.tell_clock(&mut draft, now);
        self.decide_system(Ask::Recover, &mut draft, now);
        if self.state.installation.is_some() {
            self.decide_system(Ask::InstallPack, &mut draft, now);
        }
        let late = now.minus_ms(LATE_MS).as_millis();
        for at_ms in mem::take(&mut self.unseen_ms) {
            if at_ms >= late {
                self.detect_at(None, Timestamp::from_millis(at_ms), &mut draft, now);
            }
        }
        self.decide_system(Ask::Tick, &mut draft, now);
        // What this very commit resolves asks for its evidence itself.
        let unfrozen = self.unfrozen();
        // A commit that fails here is tried again by whatever comes next; detection has lost nothing, since what fires is
        // derived from the state and the store.
        self.commit(Group::default(), draft.events, now);
        self.settle(now);
        for incident in unfrozen {
            self.effects.carry_out(Effect::Freeze { incident });
        }
    }

    /// Resolved incidents of the committed state without evidence.
    fn unfrozen(&self) -> Vec<IncidentId> {
        self.published.read(|state| {
            let incidents = state.incidents.values();
            let resolved = incidents.filter(|incident| {
                incident.status == Status::Resolved && incident.evidence.is_none()
            });
            resolved.map(|incident| incident.id).collect()
        })
    }

    /// Decides commands, asks the monitors that the batches concern, does what is due, commits it all together, answers, and
    /// carries out. What is said of the canary comes after that.
    pub fn step(&mut self, commands: Asked, batches: Vec<Batch>, now: Timestamp) {
        let (of_canary, commands) = self.those_of_the_canary(commands);
        self.step_beside_canary(commands, batches, now);
        for (command, reply) in of_canary {
            reply(self.canary_ended(&command.ask, now));
        }
    }

    fn step_beside_canary(&mut self, commands: Asked, batches: Vec<Batch>, now: Timestamp) {
        self.look(now);
        let (commands, batches) = self.put_off.take_up(commands, batches);
        let waits = self
            .setback
            .as_ref()
            .is_some_and(|setback| setback.waits(now));
        if commands.is_empty() && waits && self.held.len() + batches.len() <= HELD_MAX {
            self.hold(batches);
            return;
        }
        // What became of an append of unknown fate is found out before anything new is decided.
        let settled = if self.is_unclear {
            self.take_up(now).map(drop)
        } else {
            Ok(())
        };
        if let Err(failure) = settled {
            self.hold(batches);
            for (_, reply) in commands {
                reply(Err(failure.clone().into()));
            }
            return;
        }
        self.take_back(now);
        let mut draft = Draft::default();
        self.tell_clock(&mut draft, now);
        let mut group = Group {
            answers: self.decide_all(commands, &mut draft, now),
            seen_before: self.detector.seen(),
            ..Group::default()
        };
        let mut arrived = mem::take(&mut self.held);
        arrived.extend(batches);
        group.batches = self.judge(arrived, &mut draft, now);
        self.tick(&mut draft, now);
        if let Some(why) = draft.lost {
            // It was decided on what is not kept.
            self.hold(mem::take(&mut group.batches));
            group.refuse(&why);
        } else {
            self.commit(group, draft.events, now);
        }
        if !self.is_ahead {
            self.settle(now);
        }
    }

    /// Decides commands one after the other. Who is answered here already is not among the answers. After too many panics the
    /// others are left to the next step.
    fn decide_all(&mut self, commands: Asked, draft: &mut Draft, now: Timestamp) -> Vec<Answer> {
        let mut answers: Vec<Answer> = Vec::new();
        let mut commands = commands.into_iter().enumerate();
        draft.panics = 0;
        for (place, (command, reply)) in commands.by_ref() {
            if place > 0
                && place % LOOK_EVERY == 0
                && let Err(why) = self.settle_what_ended(now)
            {
                draft.lose(why);
            }
            let kind = command.ask.kind();
            let decided = self.decide(command, draft, now);
            if let Some(why) = draft.lost.take() {
                // What was decided before was decided on what is not kept.
                let answers = mem::take(&mut answers);
                Group {
                    answers,
                    ..Group::default()
                }
                .refuse(&why);
            }
            match decided {
                Decided::Made(own) => answers.push((reply, Ok(own))),
                Decided::Refused(refusal)
                    if draft.events.is_empty() && self.under_way.is_none() =>
                {
                    reply(Err(refusal.into()));
                }
                // It may rest on what is not durable yet.
                Decided::Refused(refusal) => answers.push((reply, Err(refusal))),
                Decided::Panicked(_) => {
                    self.note_broken(kind, now);
                    reply(Err(AskError::Fault));
                    if draft.panics >= PANICS_BORNE {
                        break;
                    }
                }
            }
        }
        self.put_off.leave(commands.map(|(_, asked)| asked));
        answers
    }

    /// Asks the monitors that these batches concern; gives those that were judged. After too many panics the others are left to the
    /// next step.
    fn judge(&mut self, mut batches: Vec<Batch>, draft: &mut Draft, now: Timestamp) -> Vec<Batch> {
        let mut judged = 0;
        draft.panics = 0;
        for batch in &batches {
            if draft.panics >= PANICS_BORNE {
                break;
            }
            if let Some(newest) = batch.samples.iter().map(|sample| sample.at).max() {
                self.detect_at(Some(batch), newest, draft, now);
            }
            judged += 1;
        }
        self.put_off.leave_batches(batches.split_off(judged));
        batches
    }

    /// Does what is due. When something could not be kept before, or nobody was there, it is first taken into account that nobody
    /// was heard meanwhile; a commit that fails again asks for that again.
    fn tick(&mut self, draft: &mut Draft, now: Timestamp) {
        let resume = Ask::Resume.kind();
        if draft.lost.is_none() && self.refused && !self.faults.waits(resume, now) {
            self.decide_system(Ask::Resume, draft, now);
            // After a panic it is still to be done.
            self.refused = self.faults.waits(resume, now);
        }
        self.decide_system(Ask::Tick, draft, now);
    }

    /// Lets what waits for some time wait no longer because the clock was set back.
    fn tell_clock(&mut self, draft: &mut Draft, now: Timestamp) {
        if bugs::on(Bug::ClockSetBackIsWaitedOut) {
            return;
        }
        if let Some(by_ms) = self.clock.untold_ms(self.state.clock) {
            self.decide_system(Ask::ClockSetBack { by_ms }, draft, now);
        }
    }

    fn detect_at(
        &mut self,
        batch: Option<&Batch>,
        at: Timestamp,
        draft: &mut Draft,
        now: Timestamp,
    ) {
        if draft.lost.is_some() {
            return;
        }
        let (detector, state, series) = (&mut self.detector, &self.state, self.series.as_ref());
        // What it has seen so far stands: the next batch is judged by that.
        let asks = survived("detect", || detector.observe(state, series, batch, at, now));
        let Some(asks) = asks else {
            draft.panics += 1;
            return self.note_broken("detect", now);
        };
        for ask in asks {
            self.decide_system(Ask::Alert(ask), draft, now);
        }
    }

    /// Keeps what arrived until the journal is tried again, so that a failure that comes and goes meanwhile is judged too.
    fn hold(&mut self, batches: Vec<Batch>) {
        self.held.extend(batches);
        let surplus = self.held.len().saturating_sub(HELD_MAX);
        self.held.drain(..surplus);
    }
}

impl<J: Journal + 'static, E: Entropy, F: Effects> Core<J, E, F> {
    /// Gives the journal to a thread of its own and runs ahead of it; the thread calls `wake` when there is something to settle.
    pub(crate) fn write_beside(mut self, wake: Wake) -> Self {
        self.writer = self.writer.beside(wake);
        self.run_ahead();
        self
    }
}
