//! When something is to be done without anybody asking, derived from the state by every event and kept in order. Nothing here
//! does it.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::id::{IncidentId, NotificationId};
use crate::incident::{Incident, RESOLVE_AFTER_HEALTHY_MS, Status};
use crate::page::{ATTEMPT_DEADLINE_MS, Delivery, Notification, Purpose};
use crate::people::Urgency;
use crate::time::Timestamp;

/// What something is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An incident: its next page, or its end.
    Incident(IncidentId),
    /// A message: its next attempt, or the end of the wait for an answer.
    Message(NotificationId),
}

/// What an incident waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Resolve,
    FirstPage,
    NextLevel,
    EndOfQuiet,
}

/// Everything that is due some time, by when. It is an index: the state without it says the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Agenda {
    in_order: BTreeSet<(Timestamp, Subject)>,
    of: BTreeMap<Subject, Timestamp>,
}

impl Agenda {
    fn set(&mut self, subject: Subject, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.of.insert(subject, at),
            None => self.of.remove(&subject),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.in_order.remove(&(before, subject));
        }
        if let Some(at) = at {
            self.in_order.insert((at, subject));
        }
    }
}

impl State {
    /// The next instant at which something is to be done; `None` when nothing is.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.in_order.first().map(|(at, _)| *at)
    }

    /// What is due at `now`, the longest due first.
    pub(crate) fn due_at(&self, now: Timestamp) -> impl Iterator<Item = Subject> {
        let due = self.agenda.in_order.iter();
        due.take_while(move |(at, _)| *at <= now)
            .map(|(_, subject)| *subject)
    }

    /// What an incident waits for, and until when.
    pub(crate) fn wait_of(&self, incident: &Incident) -> Option<(Timestamp, Wait)> {
        if !incident.is_open() {
            return None;
        }
        if let Some(since) = incident.healthy_since {
            return Some((since.plus_ms(RESOLVE_AFTER_HEALTHY_MS), Wait::Resolve));
        }
        let asks = incident.status == Status::Triggered && incident.urgency == Urgency::High;
        if !asks || !self.burns(incident) {
            return None;
        }
        if let Some(hold) = &incident.hold {
            return Some((hold.until, Wait::FirstPage));
        }
        if let Some((_, until)) = &incident.suppressed {
            return Some((*until, Wait::EndOfQuiet));
        }
        match &incident.paging {
            None => Some((incident.opened_at, Wait::FirstPage)),
            Some(paging) => paging.next_at.map(|at| (at, Wait::NextLevel)),
        }
    }

    /// When something is to be done about a message.
    pub(crate) fn message_due(&self, message: &Notification) -> Option<Timestamp> {
        match &message.state {
            Delivery::Due { .. } if self.rests(message) => None,
            Delivery::Due { at } => Some(*at),
            Delivery::Sending { since } => Some(since.plus_ms(ATTEMPT_DEADLINE_MS)),
            Delivery::Together { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. }
            | Delivery::Cancelled { .. } => None,
        }
    }

    /// Whether it is a page for what does not fail at this moment, but may be back before it is resolved. What others are told
    /// by does not rest.
    fn rests(&self, message: &Notification) -> bool {
        match message.purpose {
            Purpose::Page(incident) => {
                let known = self.incidents.get(&incident);
                known.is_some_and(|known| known.is_unanswered() && !self.burns(known))
                    && self.told_along(message.id).next().is_none()
            }
            Purpose::Notice(_) | Purpose::Resolved(_) | Purpose::Test | Purpose::Word(_) => false,
        }
    }

    /// Puts an incident and the messages about it where they belong now.
    pub(super) fn refresh_incident(&mut self, id: IncidentId) {
        let known = self.incidents.get(&id);
        let at = known.and_then(|incident| self.wait_of(incident));
        self.agenda.set(Subject::Incident(id), at.map(|(at, _)| at));
        let messages: Vec<NotificationId> = self
            .messages_about(id)
            .map(|message| message.id)
            .filter(|message| self.active_notifications.contains(message))
            .collect();
        for message in messages {
            self.refresh_message(message);
        }
    }

    /// Puts a message where it belongs now.
    pub(super) fn refresh_message(&mut self, id: NotificationId) {
        let message = self.notifications.get(&id);
        let at = message.and_then(|message| self.message_due(message));
        self.agenda.set(Subject::Message(id), at);
    }
}
