//! What was decided together, is made durable together and answered together.

use std::ops::Range;
use std::sync::Arc;

use tocsin_domain::command::Refusal;
use tocsin_domain::event::Event;
use tocsin_domain::signal::Batch;
use tocsin_domain::time::Timestamp;

use crate::handle::{AskError, Done};
use crate::ports::NotDurable;

/// Answers who asked.
pub(crate) type Reply = Box<dyn FnOnce(Result<Done, AskError>) + Send>;

/// Who is to be answered: with which of the events, or why there are none. A refusal too may rest on what is not durable yet.
pub(crate) type Answer = (Reply, Result<Range<usize>, Refusal>);

/// Commands and arrivals that were decided one after the other, with what came of them.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) events: Arc<Vec<Event>>,
    /// Which of the events are whose.
    pub(crate) answers: Vec<Answer>,
    /// What arrived and was judged; it is judged again if nothing of this is kept.
    pub(crate) batches: Vec<Batch>,
    /// How far monitors had seen the store before it was judged.
    pub(crate) seen_before: Option<Timestamp>,
    /// How far monitors have seen the store.
    pub(crate) seen_ms: i64,
}

impl Group {
    /// It is durable.
    pub(crate) fn answer(self) {
        for (reply, own) in self.answers {
            let done = own.map(|own| Done::new(Arc::clone(&self.events), own));
            reply(done.map_err(AskError::from));
        }
    }

    /// Nothing of it is kept.
    pub(crate) fn refuse(self, why: &NotDurable) {
        for (reply, _) in self.answers {
            reply(Err(why.clone().into()));
        }
    }
}
