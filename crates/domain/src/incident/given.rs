//! That an incident was given to somebody else: for whom the pages that were planned before are no longer.

use serde::{Deserialize, Serialize};

use super::Incident;
use crate::bugs::{self, Bug};
use crate::id::UserId;
use crate::page::Notification;

/// The last time that an incident was given to somebody else, and who was chosen to be paged since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Position of the event.
    pub event: u64,
    /// Whom the levels that were reached since named, each once.
    pub called: Vec<UserId>,
}

impl Given {
    /// Notes who is paged by a level that is reached now.
    pub(crate) fn call(&mut self, people: &[UserId]) {
        for user in people {
            if !self.called.contains(user) {
                self.called.push(*user);
            }
        }
    }
}

impl Incident {
    /// Whether a page for it was planned before it was given to somebody else, for a person whom nothing has named since: it is taken
    /// back, and what is under way of it is followed by nothing.
    #[must_use]
    pub fn has_withdrawn(&self, page: &Notification) -> bool {
        self.given.as_ref().is_some_and(|given| {
            let is_older = page.planned_event.is_none_or(|at| at < given.event);
            is_older && !given.called.contains(&page.user) && !bugs::on(Bug::TakenFromStillPaged)
        })
    }
}
