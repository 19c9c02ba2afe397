//! The engine's thread and the handle by which everybody else reaches it: a bounded queue in, committed state out.

use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use tocsin_domain::command::{Command, Refusal};
use tocsin_domain::event::Event;
use tocsin_domain::id::{Entropy, NotificationId};
use tocsin_domain::signal::Batch;
use tocsin_domain::state::State;

use crate::core::{Aloft, Core};
use crate::group::Reply;
use crate::ports::{Clock, Effects, Journal, NotDurable};

/// Inputs that may wait for the engine; more are refused, so that memory stays bounded.
const QUEUE_MAX: usize = 4_096;
/// Inputs decided and committed together at most.
const GROUP_MAX: usize = 512;
/// The thread looks at the clock at least this often.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// What was decided and is durable.
#[derive(Clone, Debug)]
pub struct Done {
    /// Everything that was made durable together, held once for all who asked.
    together: Arc<Vec<Event>>,
    own: Range<usize>,
}

impl Done {
    pub(crate) const fn new(together: Arc<Vec<Event>>, own: Range<usize>) -> Self {
        Self { together, own }
    }

    /// The events, in order; empty when nothing had to change.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        self.together.get(self.own.clone()).unwrap_or_default()
    }
}

/// Why a command was not carried out. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The core refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was decided but could not be made durable.
    #[error(transparent)]
    NotDurable(#[from] NotDurable),
    /// Too much is waiting; try again soon.
    #[error("the engine is busy: nothing was kept, send it again in a moment")]
    Busy,
    /// It could not be decided.
    #[error(
        "a fault of Tocsin itself, about which its log says more: nothing was kept, and sent again it fails again"
    )]
    Fault,
    /// Tocsin is stopping.
    #[error("Tocsin is stopping: nothing was kept, send it again when it is back")]
    Stopped,
}

/// How far a canary has come in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Its page is decided, on a copy.
    Decided,
    /// That is durable, and its attempt is handed out next.
    Written,
}

type CanaryTell = Box<dyn FnMut(Result<Passed, AskError>) + Send>;
type ReplyAll = Box<dyn FnOnce(Vec<Result<Done, AskError>>) + Send>;

enum Input {
    Ask(Box<Command>, Reply),
    AskAll(Vec<Command>, ReplyAll),
    Arrived(Batch),
    /// Something was made durable, or could not be.
    Appended,
    Knock(Box<dyn FnOnce() + Send>),
    Canary(u64, CanaryTell),
    Stop,
}

/// Reaches the engine from any thread; cheap to clone.
#[derive(Clone)]
pub struct EngineHandle {
    queue: SyncSender<Input>,
    state: Arc<RwLock<State>>,
    aloft: Aloft,
    /// Tells the engine's thread whether there is anybody left who could ask.
    _user: Arc<()>,
}

impl EngineHandle {
    /// Sends a command; `reply` is called on the engine's thread once the outcome is durable, and must not block.
    ///
    /// # Errors
    /// The queue is full or the engine has stopped; `reply` is not called then.
    pub fn ask(
        &self,
        command: Command,
        reply: impl FnOnce(Result<Done, AskError>) + Send + 'static,
    ) -> Result<(), AskError> {
        self.queue
            .try_send(Input::Ask(Box::new(command), Box::new(reply)))
            .map_err(not_taken)
    }

    /// Sends commands that are decided one after the other and made durable together, unless many of them panic; `reply` is called
    /// on the engine's thread once the outcome of each is durable, in the order of the commands, and must not block.
    ///
    /// # Errors
    /// The queue is full or the engine has stopped; nothing was kept and `reply` is not called then.
    pub fn ask_all(
        &self,
        mut commands: Vec<Command>,
        reply: impl FnOnce(Vec<Result<Done, AskError>>) + Send + 'static,
    ) -> Result<(), AskError> {
        let input = match (commands.pop(), commands.is_empty()) {
            // A single one waits for no others.
            (Some(only), true) => {
                let reply = |outcome| reply(vec![outcome]);
                Input::Ask(Box::new(only), Box::new(reply))
            }
            (last, _) => {
                commands.extend(last);
                Input::AskAll(commands, Box::new(reply))
            }
        };
        self.queue.try_send(input).map_err(not_taken)
    }

    /// Sends a command and waits for its durable outcome; not for async code.
    ///
    /// # Errors
    /// As [`AskError`] says; nothing was kept.
    pub fn ask_and_wait(&self, command: Command) -> Result<Done, AskError> {
        let (sender, receiver) = sync_channel(1);
        let reply = move |outcome| {
            // A caller that is gone wants no answer.
            let _ = sender.send(outcome);
        };
        self.ask(command, reply)?;
        receiver.recv().unwrap_or(Err(AskError::Stopped))
    }

    /// Calls `answer` on the engine's thread after all that waits before it is durable: shows that engine and journal go round.
    ///
    /// # Errors
    /// The queue is full or the engine has stopped; `answer` is not called then.
    pub fn knock(&self, answer: impl FnOnce() + Send + 'static) -> Result<(), AskError> {
        self.queue
            .try_send(Input::Knock(Box::new(answer)))
            .map_err(not_taken)
    }

    /// Sends a canary: it waits its turn as every command does, is decided as a page is and made durable, but leaves no event. Its
    /// message comes to delivery as every other, and how it ended comes back as a command, once that is durable as
    /// [`Effect::Canary`](crate::ports::Effect::Canary). `tell` is called on the engine's thread whenever it has come further, or once
    /// it ended there, and must not block.
    ///
    /// # Errors
    /// The queue is full or the engine has stopped; `tell` is not called then.
    pub fn canary(
        &self,
        run: u64,
        tell: impl FnMut(Result<Passed, AskError>) + Send + 'static,
    ) -> Result<(), AskError> {
        self.queue
            .try_send(Input::Canary(run, Box::new(tell)))
            .map_err(not_taken)
    }

    /// Says that this batch is in the store, so that monitors that depend on it are asked now. Waits when the queue is full:
    /// a batch that is stored must not be lost to detection.
    pub fn arrived(&self, batch: Batch) {
        // A stopped engine asks again at its next start, from the journalled position.
        let _ = self.queue.send(Input::Arrived(batch));
    }

    /// Looks at the committed state. Keep it short: the engine waits to publish.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the state that a message stands in: at the committed one, or, with its run, at the copy of the canary whose message
    /// it is. Keep it short.
    pub fn read_about<T>(
        &self,
        message: NotificationId,
        look: impl FnOnce(&State, Option<u64>) -> T,
    ) -> T {
        let aloft = self.aloft.read();
        if let Some(canary) = aloft.as_ref().filter(|one| one.message() == message) {
            return look(canary.state(), Some(canary.run()));
        }
        drop(aloft);
        self.read(|state| look(state, None))
    }

    /// Asks the engine's thread to end after what it is doing.
    pub fn stop(&self) {
        // A stopped engine needs no second word.
        let _ = self.queue.send(Input::Stop);
    }
}

fn not_taken(refused: TrySendError<Input>) -> AskError {
    match refused {
        TrySendError::Full(_) => AskError::Busy,
        TrySendError::Disconnected(_) => AskError::Stopped,
    }
}

/// How the engine's thread ended: as it was told to, or because another server took its journal over.
pub type Ended = Result<(), NotDurable>;

/// Starts the engine's thread, and one that writes its journal, on a core that has replayed it.
#[must_use]
pub fn start<J, E, F>(
    core: Core<J, E, F>,
    clock: Arc<dyn Clock>,
) -> (EngineHandle, JoinHandle<Ended>)
where
    J: Journal + 'static,
    E: Entropy + Send + 'static,
    F: Effects + 'static,
{
    let (queue, inputs) = sync_channel(QUEUE_MAX);
    let user = Arc::new(());
    let users = Arc::downgrade(&user);
    let handle = EngineHandle {
        queue,
        state: core.published(),
        aloft: core.aloft(),
        _user: user,
    };
    let to_engine = handle.queue.clone();
    let core = core.write_beside(Box::new(move || {
        // An engine with a full queue looks at what ended without being told.
        let _ = to_engine.try_send(Input::Appended);
    }));
    let thread = std::thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || run(core, &inputs, &users, clock.as_ref()))
        .expect("the operating system gives a thread at start");
    (handle, thread)
}

fn run<J: Journal, E: Entropy, F: Effects>(
    mut core: Core<J, E, F>,
    inputs: &Receiver<Input>,
    users: &Weak<()>,
    clock: &dyn Clock,
) -> Ended {
    core.recover(clock.now());
    loop {
        if let Some(why) = core.taken_over() {
            return Err(why.clone());
        }
        let now = clock.now();
        let wait = core.next_due().map_or(IDLE_WAIT, |due| {
            Duration::from_millis(due.ms_since(now)).min(IDLE_WAIT)
        });
        let first = match inputs.recv_timeout(wait) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) if users.strong_count() > 0 => None,
            // Nobody is left who could ask.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                core.settle(clock.now());
                return core.taken_over().cloned().map_or(Ok(()), Err);
            }
        };
        let mut stopping = false;
        let mut commands = Vec::new();
        let mut batches = Vec::new();
        let mut knocks = Vec::new();
        let mut canaries = Vec::new();
        for input in first.into_iter().chain(inputs.try_iter().take(GROUP_MAX)) {
            match input {
                Input::Ask(command, reply) => commands.push((*command, reply)),
                Input::AskAll(all, reply) => commands.extend(answered_together(all, reply)),
                Input::Arrived(batch) => batches.push(batch),
                Input::Appended => {}
                Input::Knock(answer) => knocks.push(answer),
                Input::Canary(run, tell) => canaries.push((run, tell)),
                Input::Stop => stopping = true,
            }
        }
        // Who asked was told already when it could not be kept.
        let _ = core.settle_what_ended(clock.now());
        core.step(commands, batches, clock.now());
        for (run, mut tell) in canaries {
            let sent = core.canary(run, clock.now(), &mut |passed| tell(Ok(passed)));
            if let Err(error) = sent {
                tell(Err(error));
            }
        }
        if !knocks.is_empty() {
            // A journal that hangs must be heard of.
            core.settle(clock.now());
        }
        knocks.into_iter().for_each(|answer| answer());
        if stopping {
            // What was taken in before is decided, as far as the journal is still ours.
            while core.taken_over().is_none() && core.has_put_off() {
                core.step(Vec::new(), Vec::new(), clock.now());
            }
            core.settle(clock.now());
            return core.taken_over().cloned().map_or(Ok(()), Err);
        }
    }
}

/// Gives each of several commands a reply of its own; the last of them calls `reply` with all outcomes.
fn answered_together(commands: Vec<Command>, reply: ReplyAll) -> Vec<(Command, Reply)> {
    let outcomes = commands.iter().map(|_| Err(AskError::Stopped)).collect();
    let waiting = Arc::new(Mutex::new((commands.len(), outcomes, Some(reply))));
    let answered = |(index, command)| {
        let waiting = Arc::clone(&waiting);
        let note = move |outcome| {
            let mut all = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let (left, outcomes, reply): &mut (usize, Vec<_>, Option<ReplyAll>) = &mut all;
            outcomes[index] = outcome;
            *left -= 1;
            if *left == 0
                && let Some(reply) = reply.take()
            {
                reply(std::mem::take(outcomes));
            }
        };
        let note: Reply = Box::new(note);
        (command, note)
    };
    commands.into_iter().enumerate().map(answered).collect()
}
