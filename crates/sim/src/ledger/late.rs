//! What is read when it is over, or was before, in the second book: whoever may have read that something fails is told that it
//! does not.

use tocsin_domain::event::{Event, NotificationEvent, NotificationWhat};
use tocsin_domain::id::{ContactMethodId, IncidentId, NotificationId};
use tocsin_domain::page::{Fate, Outcome, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::time::Timestamp;

use super::{Ledger, Letter, LetterState, Standing};
use crate::check::Check;

/// What is known of an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried {
    outcome: Option<Outcome>,
    /// What was said later.
    fate: Option<Fate>,
}

impl Tried {
    /// Whether its message may have come, for all that is known.
    const fn may_have_come(self) -> bool {
        match (self.fate, self.outcome) {
            (Some(Fate::Delivered | Fate::Read | Fate::Unknown), _) => true,
            (Some(Fate::Failed), _) => false,
            (None, Some(Outcome::Accepted | Outcome::TimedOut | Outcome::Unanswered)) => true,
            (None, Some(Outcome::Failed | Outcome::Refused) | None) => false,
        }
    }
}

impl Ledger {
    /// After a message's own event was read.
    pub(super) fn see_late(&mut self, event: &NotificationEvent, envelope: &Event) {
        let (id, at) = (event.notification, envelope.at);
        match &event.what {
            NotificationWhat::AttemptFinished {
                number, outcome, ..
            } => {
                self.note_tried(id, *number, |tried| tried.outcome = Some(*outcome));
                let letter = self.letters.get(&id);
                let tried = letter.and_then(|letter| letter.tries.get(number));
                if tried.is_some_and(|tried| tried.may_have_come()) {
                    self.note_read(id, at);
                }
                self.owe_end(id, at);
            }
            NotificationWhat::Receipt { number, fate, .. } => {
                let was_read = self.may_be_read(id);
                self.note_tried(id, *number, |tried| tried.fate = Some(*fate));
                if self.may_be_read(id) && !was_read {
                    self.note_read(id, at);
                    self.owe_end(id, at);
                }
            }
            NotificationWhat::Planned { message } => {
                if let Purpose::Resolved(incident) = message.purpose {
                    self.note_end_told(incident, message.contact_method);
                }
            }
            NotificationWhat::Advanced { .. }
            | NotificationWhat::Gathers { .. }
            | NotificationWhat::ToldTogether { .. }
            | NotificationWhat::Postponed { .. }
            | NotificationWhat::AttemptStarted { .. }
            | NotificationWhat::Cancelled { .. } => {}
        }
    }

    fn note_tried(&mut self, id: NotificationId, number: u32, news: impl FnOnce(&mut Tried)) {
        if let Some(letter) = self.letters.get_mut(&id) {
            news(letter.tries.entry(number).or_default());
        }
    }

    fn may_be_read(&self, id: NotificationId) -> bool {
        let letter = self.letters.get(&id);
        letter.is_some_and(Letter::may_be_read)
    }

    /// A page, or a call for help, came to its person now, or may have. Nobody is called for an end, and another system has news
    /// of its own.
    fn note_read(&mut self, id: NotificationId, at: Timestamp) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let Some(subject) = self.subject_of(letter) else {
            return;
        };
        let has_no_end = matches!(letter.channel, ChannelKind::Voice | ChannelKind::PagerDuty);
        let is_told =
            self.stands(subject, Standing::Over) && self.tells_end(subject, letter.method, at);
        if !has_no_end && !is_told {
            self.read.entry(letter.method).or_default().insert(id);
        }
    }

    /// There was news of a message: if what it is about is over, whoever has read it is told that, unless more of it is on its way.
    fn owe_end(&mut self, id: NotificationId, at: Timestamp) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let Some(subject) = self.subject_of(letter) else {
            return;
        };
        let read = self.read.get(&letter.method);
        let is_read = read.is_some_and(|read| read.contains(&id));
        let is_over = self.stands(subject, Standing::Over);
        let is_under_way = matches!(letter.state, LetterState::Sending(_));
        if is_read && is_over && !is_under_way && !self.tells_end(subject, letter.method, at) {
            self.untold.insert(id);
        }
    }

    /// It is over: whoever has read of it is told that, unless more of it is on its way.
    pub(super) fn owe_ended(&mut self, incident: IncidentId) {
        let read = self.read.values().flatten().copied();
        let read = read.filter(|id| {
            let letter = self.letters.get(id);
            let letter = letter.filter(|one| !matches!(one.state, LetterState::Sending(_)));
            letter.and_then(|letter| self.subject_of(letter)) == Some(incident)
        });
        let read: Vec<NotificationId> = read.collect();
        self.untold.extend(read);
    }

    /// Somebody is told by this way that an incident is over.
    fn note_end_told(&mut self, incident: IncidentId, method: ContactMethodId) {
        let read = self.read.get(&method).into_iter().flatten();
        let told: Vec<NotificationId> = read
            .copied()
            .filter(|id| {
                let letter = self.letters.get(id);
                letter.and_then(|letter| self.subject_of(letter)) == Some(incident)
            })
            .collect();
        for id in told {
            self.untold.remove(&id);
            if let Some(read) = self.read.get_mut(&method) {
                read.remove(&id);
            }
        }
    }

    /// Whether word that an incident is over is still to go by this way, or goes at this moment.
    fn tells_end(&self, incident: IncidentId, method: ContactMethodId, at: Timestamp) -> bool {
        let ends = self.letters.values();
        let mut ends = ends.filter(|one| one.purpose == Purpose::Resolved(incident));
        ends.any(|one| {
            let is_to_go = matches!(one.state, LetterState::Due(_) | LetterState::Together(_));
            one.method == method && (is_to_go || one.planned_at == at)
        })
    }

    /// The incident in which that goes on of which a page, or a call for help, tells.
    fn subject_of(&self, letter: &Letter) -> Option<IncidentId> {
        let (Purpose::Page(mut subject) | Purpose::Request(mut subject)) = letter.purpose else {
            return None;
        };
        while let Some(into) = self.cases.get(&subject).and_then(|case| case.merged_into) {
            subject = into;
        }
        Some(subject)
    }

    /// After a step in which nothing was left undone. What fails again by now is not over.
    pub(super) fn check_untold(&mut self, now: Timestamp) {
        for id in std::mem::take(&mut self.untold) {
            let is_owed = self.letters.get(&id).is_some_and(|letter| {
                let subject = self.subject_of(letter);
                let is_over = subject.is_some_and(|subject| self.stands(subject, Standing::Over));
                is_over && letter.may_be_read() && self.has_way(letter)
            });
            if is_owed {
                let what = "it came, or may have, and its person was not told that it is over";
                self.find_about(Check::NothingForgotten, id, now, what);
            }
        }
    }
}

impl Letter {
    /// Whether its person has read it, or may have, for all that is known.
    fn may_be_read(&self) -> bool {
        self.tries.values().any(|tried| tried.may_have_come())
    }
}
