//! Which pages came to their people, or may have, and who was told since that it is over. It decides nothing.

use std::collections::BTreeMap;

use super::{MERGES_IN_A_ROW_MAX, State};
use crate::event::NotificationWhat;
use crate::id::{ContactMethodId, IncidentId, NotificationId};
use crate::page::{Attempt, Fate, Notification, Outcome, Purpose};

/// Whether a message came to its person, for all that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coming {
    /// It did not, or not yet.
    No,
    /// Nobody says that it did, nor that it did not.
    Maybe,
    /// It did.
    Yes,
}

impl Coming {
    /// By any of its attempts.
    fn of(message: &Notification) -> Self {
        let attempts = message.attempts.iter();
        attempts.map(Self::by).max().unwrap_or(Self::No)
    }

    /// What is told later says more than the answer to the attempt.
    fn by(attempt: &Attempt) -> Self {
        match attempt.receipt.as_ref().map(|receipt| receipt.fate) {
            Some(Fate::Delivered | Fate::Read) => Self::Yes,
            Some(Fate::Unknown) => Self::Maybe,
            Some(Fate::Failed) => Self::No,
            None => match attempt.outcome {
                Some(Outcome::Accepted) => Self::Yes,
                Some(Outcome::TimedOut | Outcome::Unanswered) => Self::Maybe,
                Some(Outcome::Failed | Outcome::Refused) | None => Self::No,
            },
        }
    }
}

/// How a page came, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Came {
    /// Position of the event that told so.
    position: u64,
    /// The message that it came by: itself, or one that told it along.
    by: NotificationId,
}

/// What is known of who has heard of what. It goes by the positions of events, which no clock sets back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// Pages, and calls for help, that came or may have.
    came: BTreeMap<NotificationId, Came>,
    /// What a message under way tells along; there is no entry without any.
    under_way: BTreeMap<NotificationId, Vec<NotificationId>>,
    /// Where the last word was planned that an incident is over, by each way.
    ended: BTreeMap<(IncidentId, ContactMethodId), u64>,
    /// Where an incident became part of another, whose ends before that are none of its own.
    joined: BTreeMap<IncidentId, u64>,
}

impl Heard {
    /// Takes over what another one knows of a message about an incident.
    pub(super) fn take_over(&mut self, from: &Self, about: IncidentId, message: &Notification) {
        if let Some(came) = from.came.get(&message.id) {
            self.came.insert(message.id, *came);
        }
        let end = (about, message.contact_method);
        if let Some(position) = from.ended.get(&end) {
            self.ended.insert(end, *position);
        }
        if let Some(position) = from.joined.get(&about) {
            self.joined.insert(about, *position);
        }
    }
}

/// What was known of a message before there was news of it.
pub(super) struct Before {
    coming: Coming,
    along: Vec<NotificationId>,
}

impl State {
    /// Whether a page, or a call for help, came to its person, and they were not told since, by the same way, that it is over.
    pub(crate) fn came_untold(&self, page: &Notification) -> Coming {
        let Some(came) = self.heard.came.get(&page.id) else {
            return Coming::No;
        };
        let about = page.purpose.incident();
        if about.is_some_and(|about| self.is_end_told(about, page.contact_method, came.position)) {
            return Coming::No;
        }
        let by = self.notifications.get(&came.by);
        by.map_or(Coming::No, Coming::of)
    }

    /// Whether word went by this way after that position that an incident, or what it was merged into by then, is over.
    fn is_end_told(&self, about: IncidentId, method: ContactMethodId, position: u64) -> bool {
        let (mut part, mut since) = (about, position);
        // As long as ways of merges are followed at all.
        for _ in 0..=MERGES_IN_A_ROW_MAX {
            let told = self.heard.ended.get(&(part, method));
            if told.is_some_and(|told| *told > since) {
                return true;
            }
            let known = self.incidents.get(&part);
            let Some(into) = known.and_then(|known| known.merged_into) else {
                return false;
            };
            since = since.max(self.joined_at(part));
            part = into;
        }
        false
    }

    /// Where an incident became part of another; 0 where it did not.
    pub(super) fn joined_at(&self, source: IncidentId) -> u64 {
        self.heard.joined.get(&source).copied().unwrap_or(0)
    }

    /// An incident goes on in another one.
    pub(super) fn note_joined(&mut self, source: IncidentId, position: u64) {
        self.heard.joined.insert(source, position);
    }

    /// Whether it was this event that told that a message came, or may have.
    pub(crate) fn came_with(&self, id: NotificationId, position: u64) -> bool {
        let came = self.heard.came.get(&id);
        came.is_some_and(|came| came.position == position)
    }

    /// What a message tells along, or, while it is under way, told along when its attempt began: some of that may be called off
    /// since, and who gets it reads of that too.
    pub(crate) fn carried(&self, id: NotificationId) -> Vec<NotificationId> {
        match self.heard.under_way.get(&id) {
            Some(along) => along.clone(),
            None => self.told_along(id).map(|one| one.id).collect(),
        }
    }

    /// An attempt begins.
    pub(super) fn note_carried(&mut self, id: NotificationId) {
        let message = self.notifications.get(&id);
        let reaches = message.is_some_and(|message| message.purpose.reaches().is_some());
        let along: Vec<NotificationId> = self.told_along(id).map(|one| one.id).collect();
        if reaches && !along.is_empty() {
            self.heard.under_way.insert(id, along);
        }
    }

    /// An attempt is over, or its message is taken back: what it told along is no longer under way.
    pub(super) fn forget_carried(&mut self, id: NotificationId) {
        self.heard.under_way.remove(&id);
    }

    /// Somebody is to be told that an incident is over.
    pub(super) fn note_end(&mut self, message: &Notification, position: u64) {
        if let Purpose::Resolved(incident) = message.purpose {
            let end = (incident, message.contact_method);
            self.heard.ended.insert(end, position);
        }
    }

    /// What is known of a page, or a call for help, that an event tells news of.
    pub(super) fn before_news(
        &self,
        id: NotificationId,
        what: &NotificationWhat,
    ) -> Option<Before> {
        let is_news = match what {
            NotificationWhat::AttemptFinished { .. } | NotificationWhat::Receipt { .. } => true,
            NotificationWhat::Planned { .. }
            | NotificationWhat::Advanced { .. }
            | NotificationWhat::Gathers { .. }
            | NotificationWhat::ToldTogether { .. }
            | NotificationWhat::Postponed { .. }
            | NotificationWhat::AttemptStarted { .. }
            | NotificationWhat::Cancelled { .. } => false,
        };
        let message = self.notifications.get(&id).filter(|_| is_news)?;
        message.purpose.reaches()?;
        Some(Before {
            coming: Coming::of(message),
            along: self.carried(id),
        })
    }

    /// The news was folded in: notes what came by it. An answer tells when an attempt came; what is told later does only where
    /// nothing was known to have come.
    pub(super) fn hear(
        &mut self,
        id: NotificationId,
        what: &NotificationWhat,
        before: Before,
        position: u64,
    ) {
        if matches!(what, NotificationWhat::AttemptFinished { .. }) {
            self.forget_carried(id);
        }
        let Some(message) = self.notifications.get(&id) else {
            return;
        };
        let coming = match what {
            NotificationWhat::AttemptFinished { number, .. } => {
                let mut attempts = message.attempts.iter();
                let attempt = attempts.find(|attempt| attempt.number == *number);
                attempt.map_or(Coming::No, Coming::by)
            }
            NotificationWhat::Receipt { .. } if before.coming == Coming::No => Coming::of(message),
            NotificationWhat::Receipt { .. }
            | NotificationWhat::Planned { .. }
            | NotificationWhat::Advanced { .. }
            | NotificationWhat::Gathers { .. }
            | NotificationWhat::ToldTogether { .. }
            | NotificationWhat::Postponed { .. }
            | NotificationWhat::AttemptStarted { .. }
            | NotificationWhat::Cancelled { .. } => Coming::No,
        };
        if coming == Coming::No {
            return;
        }
        let came = Came { position, by: id };
        self.heard.came.insert(id, came);
        for one in before.along {
            // What was sent by itself since is known by that.
            let known = self.notifications.get(&one);
            if known.is_some_and(|known| known.attempts.is_empty()) {
                self.heard.came.insert(one, came);
            }
        }
    }
}
