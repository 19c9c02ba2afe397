//! The ports: what the engine needs from the world, as traits that the shell or a simulator fulfils.

use tocsin_domain::event::Event;
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// Keeps events.
pub trait Journal: Send {
    /// Makes the events and the notes durable together, or neither. Returns only when they are.
    ///
    /// # Errors
    /// As [`AppendError`] says; the text says why and what to do.
    fn append(&mut self, events: &[Event], notes: &[(&str, String)]) -> Result<(), AppendError>;

    /// All events after `position`, in order: what an append whose fate is not known has left.
    ///
    /// # Errors
    /// The journal cannot be read; nothing is known then.
    fn after(&mut self, position: u64) -> Result<Vec<Event>, NotDurable>;
}

/// What became of an append that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// Nothing of it was kept.
    NotKept(NotDurable),
    /// All of it was kept or nothing, which only reading the journal again can tell.
    Unclear(NotDurable),
    /// Nothing of it was kept, since the journal holds events that the append did not continue: read them first.
    Behind(NotDurable),
    /// Nothing was kept, and nothing ever will be: the journal belongs to another server now.
    TakenOver(NotDurable),
}

/// Why something could not be made durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotDurable {
    /// What happened and what to do.
    pub why: String,
    /// Whether the disk is full (the caller answers 507 instead of 503).
    pub disk_full: bool,
}

/// Carries out what was decided, after it was made durable. Must not block: it hands over and returns.
pub trait Effects: Send {
    /// Tells those who follow along what was made durable, in order.
    fn committed(&mut self, events: &[Event]);

    /// Carries out one effect. Its outcome comes back as a command.
    fn carry_out(&mut self, effect: Effect);
}

/// What the shell must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make attempt `number` of this message, of which [`EngineHandle::read_about`](crate::EngineHandle::read_about) tells; answer with
    /// `Ask::AttemptFinished`.
    Send {
        /// Which message.
        notification: NotificationId,
        /// Which attempt, from 1.
        number: u32,
    },
    /// Freeze the evidence of a resolved incident; answer with `Ask::EvidenceFrozen`.
    Freeze {
        /// Which incident.
        incident: IncidentId,
    },
    /// Note that the canary of this run is over: how its attempt ended is durable.
    Canary {
        /// Which run.
        run: u64,
        /// When it was.
        at: Timestamp,
        /// How its attempt ended.
        outcome: Outcome,
        /// In whose words.
        detail: String,
    },
}
