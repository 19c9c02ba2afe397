//! What arrives only when it is over, in the second book: whoever reads then that something fails is told that it does not.

use tocsin_domain::event::{Event, NotificationEvent, NotificationWhat};
use tocsin_domain::id::{ContactMethodId, IncidentId};
use tocsin_domain::page::{Fate, Outcome, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::time::Timestamp;

use super::{Ledger, Letter, LetterState, Standing};
use crate::check::Check;

impl Ledger {
    /// After a message's own event was read.
    pub(super) fn see_late(&mut self, event: &NotificationEvent, envelope: &Event) {
        match &event.what {
            NotificationWhat::AttemptFinished { outcome, .. } => {
                let letter = self.letters.get(&event.notification);
                let arrives =
                    letter.is_some_and(|letter| self.arrives_late(letter, *outcome, envelope.at));
                if arrives {
                    self.untold.insert(event.notification);
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
            | NotificationWhat::Receipt { .. }
            | NotificationWhat::Cancelled { .. } => {}
        }
    }

    /// Somebody is told by this way that an incident is over.
    fn note_end_told(&mut self, incident: IncidentId, method: ContactMethodId) {
        let mut untold = std::mem::take(&mut self.untold);
        untold.retain(|id| {
            let is_told = self.letters.get(id).is_some_and(|letter| {
                letter.method == method && self.subject_of(letter) == Some(incident)
            });
            !is_told
        });
        self.untold = untold;
    }

    /// Whether a page, or a call for help, comes to its person now, for all that is known, and what it is about is over. Nobody is
    /// called for an end, and another system has news of its own.
    fn arrives_late(&self, letter: &Letter, outcome: Outcome, at: Timestamp) -> bool {
        let is_lost = matches!(letter.receipt, Some(Fate::Unknown | Fate::Failed));
        let may_arrive = match outcome {
            Outcome::Accepted => !is_lost,
            Outcome::TimedOut | Outcome::Unanswered => true,
            Outcome::Failed | Outcome::Refused => false,
        };
        let has_no_end = matches!(letter.channel, ChannelKind::Voice | ChannelKind::PagerDuty);
        let subject = self.subject_of(letter);
        let over = subject.filter(|subject| self.stands(*subject, Standing::Over));
        let over = over.filter(|_| may_arrive && !has_no_end);
        over.is_some_and(|subject| !self.tells_end(subject, letter.method, at))
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
                is_over && self.has_way(letter)
            });
            if is_owed {
                let what = "it came when it was over, and its person was not told that";
                self.find_about(Check::NothingForgotten, id, now, what);
            }
        }
    }
}
