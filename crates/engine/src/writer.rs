//! Who writes the journal and shows readers what it keeps: the caller itself, or a thread beside it while the caller decides what
//! comes next. At most one append is under way. Nothing is decided here.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use tocsin_domain::event::Event;
use tocsin_domain::state::{State, Touched};

use crate::ports::{AppendError, Journal, NotDurable};

/// What is made durable beside events.
pub(crate) type Notes = Vec<(&'static str, String)>;
/// Called by the thread after each append.
pub(crate) type Wake = Box<dyn Fn() + Send>;

type Appended = Result<(), AppendError>;
type Read = Result<Vec<Event>, NotDurable>;

/// What is to be made durable together.
pub(crate) struct Entry {
    pub(crate) events: Arc<Vec<Event>>,
    /// What the events touched, right after them.
    pub(crate) touched: Touched,
    pub(crate) notes: Notes,
}

impl Entry {
    /// Notes alone.
    pub(crate) fn of_notes(notes: Notes) -> Self {
        Self {
            events: Arc::default(),
            touched: Touched::default(),
            notes,
        }
    }
}

/// The state that readers see: what is durable. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Published(pub(crate) Arc<RwLock<State>>);

impl Published {
    pub(crate) fn of(state: State) -> Self {
        Self(Arc::new(RwLock::new(state)))
    }

    /// Looks at it; whoever publishes waits meanwhile.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is not told by events, and so is as it was before in whatever else is folded from them.
    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Shows events that are durable.
    pub(crate) fn show(&self, events: &[Event], touched: Touched) {
        if !events.is_empty() {
            let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
            state.keep_up_with(events, touched);
        }
    }
}

pub(crate) enum Writer<J> {
    /// The caller writes. The outcome is kept, and nothing shown, until it is asked for, as if by a thread that is slow.
    Here {
        journal: J,
        published: Published,
        appended: Option<(Appended, Entry)>,
    },
    /// A thread writes.
    Beside(Beside),
}

impl<J: Journal> Writer<J> {
    pub(crate) const fn here(journal: J, published: Published) -> Self {
        Self::Here {
            journal,
            published,
            appended: None,
        }
    }

    /// Begins to make events and notes durable together, and to publish the events then. The one before must have been finished.
    pub(crate) fn begin(&mut self, entry: Entry) {
        match self {
            Self::Here {
                journal, appended, ..
            } => {
                let outcome = journal.append(&entry.events, &entry.notes);
                *appended = Some((outcome, entry));
            }
            Self::Beside(beside) => beside.begin(entry),
        }
    }

    /// Whether what was begun has ended, so that [`Writer::finish`] does not wait.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self {
            Self::Here { appended, .. } => appended.is_some(),
            Self::Beside(beside) => beside.has_ended(),
        }
    }

    /// Waits for the end of what was begun, and says what became of it: the events are published, or not kept. Nothing having
    /// been begun, nothing failed.
    pub(crate) fn finish(&mut self) -> Appended {
        match self {
            Self::Here {
                published,
                appended,
                ..
            } => {
                let Some((outcome, entry)) = appended.take() else {
                    return Ok(());
                };
                if outcome.is_ok() {
                    published.show(&entry.events, entry.touched);
                }
                outcome
            }
            Self::Beside(beside) => beside.finish(),
        }
    }

    /// All events after `position`; see [`Journal::after`]. What was begun must have been finished.
    pub(crate) fn after(&mut self, position: u64) -> Read {
        match self {
            Self::Here { journal, .. } => journal.after(position),
            Self::Beside(beside) => beside.after(position),
        }
    }
}

impl<J: Journal + 'static> Writer<J> {
    /// Gives the journal to a thread, which calls `wake` after each append. Nothing may be under way.
    pub(crate) fn beside(self, wake: Wake) -> Self {
        match self {
            Self::Here {
                journal, published, ..
            } => Self::Beside(Beside::start(journal, published, wake)),
            Self::Beside(_) => self,
        }
    }
}

enum Work {
    Append(Entry),
    Read(u64, Sender<Read>),
}

/// The thread that owns the journal, as its one user sees it. It ends with its user.
pub(crate) struct Beside {
    work: Option<Sender<Work>>,
    outcomes: Receiver<Appended>,
    is_under_way: bool,
    /// What was found out without waiting.
    appended: Option<Appended>,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    fn start<J: Journal + 'static>(mut journal: J, published: Published, wake: Wake) -> Self {
        let (work, asked) = channel();
        let (tell, outcomes) = channel();
        let write = move || {
            for work in asked {
                // Who asked is gone only when the process ends.
                match work {
                    Work::Append(entry) => {
                        let appended = journal.append(&entry.events, &entry.notes);
                        if appended.is_ok() {
                            published.show(&entry.events, entry.touched);
                        }
                        let _ = tell.send(appended);
                        wake();
                    }
                    Work::Read(position, tell) => {
                        let _ = tell.send(journal.after(position));
                    }
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(write)
            .expect("the operating system gives a thread at start");
        Self {
            work: Some(work),
            outcomes,
            is_under_way: false,
            appended: None,
            thread: Some(thread),
        }
    }

    fn ask(&mut self, work: Work) {
        let is_taken = self.work.as_ref().is_some_and(|to| to.send(work).is_ok());
        if !is_taken {
            self.end_as_the_thread_did();
        }
    }

    fn begin(&mut self, entry: Entry) {
        self.ask(Work::Append(entry));
        self.is_under_way = true;
    }

    fn has_ended(&mut self) -> bool {
        if self.appended.is_none() {
            match self.outcomes.try_recv() {
                Ok(appended) => self.appended = Some(appended),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.end_as_the_thread_did(),
            }
        }
        self.appended.is_some()
    }

    fn finish(&mut self) -> Appended {
        if !std::mem::take(&mut self.is_under_way) {
            return Ok(());
        }
        match self.appended.take() {
            Some(appended) => appended,
            None => match self.outcomes.recv() {
                Ok(appended) => appended,
                Err(_) => self.end_as_the_thread_did(),
            },
        }
    }

    fn after(&mut self, position: u64) -> Read {
        let (tell, read) = channel();
        self.ask(Work::Read(position, tell));
        match read.recv() {
            Ok(read) => read,
            Err(_) => self.end_as_the_thread_did(),
        }
    }

    /// Without its journal the engine can do nothing: it ends by the same panic.
    fn end_as_the_thread_did(&mut self) -> ! {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => resume_unwind(panic),
            Some(Ok(())) | None => unreachable!("the journal's thread ends only with its user"),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // How it ended is nobody's concern any more; that it let go of the file is.
            let _ = thread.join();
        }
    }
}
