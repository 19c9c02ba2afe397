//! What decisions failed at by a fault of Tocsin itself. No event tells of it: it is known to this run alone, and the next start
//! tries everything anew.

use super::{State, Subject};
use crate::time::Timestamp;

/// So many decisions about one thing may end in a panic; then it is left alone until the next start.
pub const PANICS_MAX: u32 = 3;

/// Decisions that ended in a panic and were about nothing that could be left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What the last one was asked for.
    pub kind: &'static str,
    /// When that was.
    pub at: Timestamp,
    /// How many there were in this run.
    pub count: u64,
}

impl State {
    /// Leaves it alone after so many decisions about it that ended in a panic: nothing is due for it any more.
    pub fn set_aside(&mut self, subject: Subject, panics: u32) {
        self.agenda.set_aside(subject, panics);
    }

    /// Tries it again: it is due when the rest of the state says.
    pub fn take_back(&mut self, subject: Subject) {
        self.agenda.take_back(subject);
        match subject {
            Subject::Incident(id) => self.refresh_incident(id),
            Subject::Message(id) | Subject::Receipt(id) => self.refresh_message(id),
            Subject::Alert(id) => self.refresh_alert(id),
            Subject::Heartbeat(id) => self.refresh_heartbeat(id),
        }
    }

    /// Whether it is left alone, be it for a while.
    pub(crate) fn is_left_alone(&self, subject: Subject) -> bool {
        self.agenda.panics_of(subject) > 0
    }

    /// Whether it is left alone until the next start.
    #[must_use]
    pub fn is_set_aside(&self, subject: Subject) -> bool {
        self.agenda.panics_of(subject) >= PANICS_MAX
    }

    /// What is left alone, be it for a while.
    pub fn left_alone(&self) -> impl Iterator<Item = Subject> {
        self.agenda.aside()
    }

    /// What is left alone until the next start.
    pub fn all_set_aside(&self) -> impl Iterator<Item = Subject> {
        let aside = self.left_alone();
        aside.filter(move |subject| self.is_set_aside(*subject))
    }

    /// Notes that a decision of this kind ended in a panic, and was about nothing that could be left alone.
    pub fn note_broken(&mut self, kind: &'static str, at: Timestamp) {
        let count = self.broken.as_ref().map_or(0, |last| last.count) + 1;
        self.broken = Some(Broken { kind, at, count });
    }

    /// The decisions that ended in a panic and were about nothing that could be left alone, if there were any.
    #[must_use]
    pub const fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }
}
