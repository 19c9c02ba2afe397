//! Who writes the journal: the caller itself, or a thread beside it while the caller decides what comes next. At most one append
//! is under way. Nothing is decided here.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use tocsin_domain::event::Event;

use crate::ports::{AppendError, Journal, NotDurable};

/// What is made durable beside events.
pub(crate) type Notes = Vec<(&'static str, String)>;
/// Called by the thread after each append.
pub(crate) type Wake = Box<dyn Fn() + Send>;

type Appended = Result<(), AppendError>;
type Read = Result<Vec<Event>, NotDurable>;

pub(crate) enum Writer<J> {
    /// The caller writes. The outcome is kept until it is asked for, as that of a thread would be.
    Here {
        journal: J,
        appended: Option<Appended>,
    },
    /// A thread writes.
    Beside(Beside),
}

impl<J: Journal> Writer<J> {
    pub(crate) const fn here(journal: J) -> Self {
        Self::Here {
            journal,
            appended: None,
        }
    }

    /// Begins to make events and notes durable together. The one before must have been finished.
    pub(crate) fn begin(&mut self, events: &Arc<Vec<Event>>, notes: Notes) {
        match self {
            Self::Here { journal, appended } => *appended = Some(journal.append(events, &notes)),
            Self::Beside(beside) => beside.begin(Arc::clone(events), notes),
        }
    }

    /// Whether what was begun has ended, so that [`Writer::finish`] does not wait.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self {
            Self::Here { appended, .. } => appended.is_some(),
            Self::Beside(beside) => beside.has_ended(),
        }
    }

    /// Waits for the end of what was begun, and says what became of it. Nothing having been begun, nothing failed.
    pub(crate) fn finish(&mut self) -> Appended {
        match self {
            Self::Here { appended, .. } => appended.take().unwrap_or(Ok(())),
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
            Self::Here { journal, .. } => Self::Beside(Beside::start(journal, wake)),
            Self::Beside(_) => self,
        }
    }
}

enum Work {
    Append(Arc<Vec<Event>>, Notes),
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
    fn start<J: Journal + 'static>(mut journal: J, wake: Wake) -> Self {
        let (work, asked) = channel();
        let (tell, outcomes) = channel();
        let write = move || {
            for work in asked {
                // Who asked is gone only when the process ends.
                match work {
                    Work::Append(events, notes) => {
                        let _ = tell.send(journal.append(&events, &notes));
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

    fn begin(&mut self, events: Arc<Vec<Event>>, notes: Notes) {
        self.ask(Work::Append(events, notes));
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
