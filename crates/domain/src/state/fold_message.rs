//! Folds events about messages.

use super::State;
use crate::event::{Event, NotificationEvent, NotificationWhat};
use crate::id::{IncidentId, NotificationId};
use crate::page::{Attempt, Delivery, Fate, Notification, Outcome, Purpose, Receipt, Word};
use crate::time::Timestamp;

impl State {
    pub(super) fn evolve_notification(&mut self, event: &NotificationEvent, envelope: &Event) {
        let (id, at) = (event.notification, envelope.at);
        if let NotificationWhat::Planned { message } = &event.what {
            let about = message.purpose.incident();
            if let Some(incident) = about {
                self.messages_of.or_default(incident).push(id);
            }
            let message = Notification {
                last_event: envelope.position,
                planned_event: Some(envelope.position),
                ..message.clone()
            };
            self.note_end(&message, envelope.position);
            self.notifications.insert(id, message);
            self.set_active(id, about, true);
            return;
        }
        let unheard = self.before_news(id, &event.what);
        let Some(message) = self.notifications.get_mut(&id) else {
            return;
        };
        message.last_event = envelope.position;
        let before = message.state.clone();
        fold_message(message, &event.what, at);
        let state = message.state.clone();
        self.count_together(&before, &state);
        self.settle_active(id);
        self.note_word(id);
        if let Some(before) = unheard {
            self.hear(id, &event.what, before, envelope.position);
        }
        match &event.what {
            NotificationWhat::Gathers { .. } => self.gathers(id),
            NotificationWhat::ToldTogether { by } => self.join(id, *by),
            NotificationWhat::AttemptStarted { .. } => {
                self.stop_gathering(id);
                self.note_carried(id);
                self.count_sent(id, at);
            }
            NotificationWhat::AttemptFinished { moot, .. } => {
                self.count_attempt(id, &event.what, at);
                if *moot {
                    // What it would have told along is told on its own, as far as that is wanted.
                    self.settle_together(id, &Delivery::Due { at });
                } else if !matches!(state, Delivery::Due { .. }) {
                    self.settle_together(id, &state);
                }
            }
            NotificationWhat::Receipt { .. } => {
                if state != before {
                    self.settle_told(id, &state);
                }
            }
            NotificationWhat::Cancelled { .. } => {
                self.stop_gathering(id);
                self.forget_carried(id);
                // Old journals take back what is under way, and what becomes of that may never be told: no provider is kept waiting.
                self.forget_trial(id);
                // What it would have told along is told on its own.
                self.settle_together(id, &Delivery::Due { at });
            }
            NotificationWhat::Planned { .. }
            | NotificationWhat::Advanced { .. }
            | NotificationWhat::Postponed { .. } => {}
        }
        // Whether a message rests depends on what it tells along.
        for told in [before, state] {
            if let Delivery::Together { by } = told {
                self.refresh_message(by);
            }
        }
    }

    /// By which ways word of findings comes, and by which it is lost.
    fn note_word(&mut self, id: NotificationId) {
        let known = self.notifications.get(&id);
        let about = Purpose::Word(Word::Findings);
        if let Some(word) = known.filter(|message| message.purpose == about) {
            self.duty.note_word(word.contact_method, &word.state);
        }
    }

    /// Counts what an attempt says about its provider. One that was not made says nothing, nor does one after which another account of
    /// its channel is tried.
    fn count_attempt(&mut self, id: NotificationId, what: &NotificationWhat, at: Timestamp) {
        let NotificationWhat::AttemptFinished {
            outcome,
            retry_at,
            not_tried,
            via,
            ..
        } = what
        else {
            return;
        };
        let is_left = via.as_ref().is_some_and(|via| via.elsewhere) && retry_at.is_some();
        if *not_tried || is_left {
            self.forget_trial(id);
        } else {
            self.count_outcome(id, *outcome, at);
        }
    }

    /// Keeps the set of messages that may still be sent.
    pub(super) fn settle_active(&mut self, id: NotificationId) {
        let Some(message) = self.notifications.get(&id) else {
            return;
        };
        let about = message.purpose.incident();
        let is_active = match message.state {
            Delivery::Due { .. } | Delivery::Together { .. } | Delivery::Sending { .. } => true,
            Delivery::Delivered { .. } | Delivery::Failed { .. } | Delivery::Cancelled { .. } => {
                false
            }
        };
        self.set_active(id, about, is_active);
    }

    fn set_active(&mut self, id: NotificationId, about: Option<IncidentId>, is_active: bool) {
        let has_changed = if is_active {
            self.active_notifications.insert(id)
        } else {
            self.active_notifications.remove(&id)
        };
        let Some(incident) = about.filter(|_| has_changed) else {
            return;
        };
        let active = self.active_about.or_default(incident);
        if !is_active {
            active.retain(|one| *one != id);
        } else if self.messages_of.get(&incident).and_then(|all| all.last()) == Some(&id) {
            active.push(id);
        } else {
            // It was planned before others that are active.
            let all = self.messages_of.get(&incident).into_iter().flatten();
            let known = all.filter(|one| self.active_notifications.contains(*one));
            *active = known.copied().collect();
        }
        if active.is_empty() {
            self.active_about.remove(&incident);
        }
    }
}

fn fold_message(message: &mut Notification, what: &NotificationWhat, at: Timestamp) {
    match what {
        NotificationWhat::Planned { .. } => {}
        NotificationWhat::Advanced { due_at, .. }
        | NotificationWhat::Gathers { due_at, .. }
        | NotificationWhat::Postponed { due_at, .. } => {
            message.state = Delivery::Due { at: *due_at };
        }
        NotificationWhat::ToldTogether { by } => message.state = Delivery::Together { by: *by },
        NotificationWhat::AttemptStarted { number } => {
            message.state = Delivery::Sending { since: at };
            message.attempts.push(Attempt::begun(*number, at));
        }
        NotificationWhat::AttemptFinished {
            number,
            outcome,
            detail,
            retry_at,
            reference,
            not_tried,
            moot,
            via,
        } => {
            if let Some(attempt) = attempt_of(message, *number) {
                attempt.finished_at = Some(at);
                attempt.outcome = Some(*outcome);
                attempt.detail.clone_from(detail);
                attempt.reference.clone_from(reference);
                attempt.not_tried = *not_tried;
                attempt.moot = *moot;
                attempt.via.clone_from(via);
            }
            let is_taken_back = matches!(message.state, Delivery::Cancelled { .. });
            if !is_taken_back || *outcome == Outcome::Accepted {
                message.state = if *moot && retry_at.is_none() {
                    let why = detail.clone();
                    Delivery::Cancelled { at, why }
                } else {
                    after_attempt(message, *outcome, *retry_at, at)
                };
            }
        }
        NotificationWhat::Receipt {
            number,
            fate,
            detail,
        } => fold_receipt(message, *number, *fate, detail, at),
        NotificationWhat::Cancelled { why } => {
            message.state = Delivery::Cancelled {
                at,
                why: why.clone(),
            };
        }
    }
}

/// Where a message stands after an attempt. What was taken may be known to be lost already.
fn after_attempt(
    message: &Notification,
    outcome: Outcome,
    retry_at: Option<Timestamp>,
    at: Timestamp,
) -> Delivery {
    let lost = message.attempts.last().is_some_and(Attempt::is_lost);
    match (outcome, retry_at) {
        (Outcome::Accepted, _) if lost => Delivery::Failed { at },
        (Outcome::Accepted, _) => Delivery::Delivered { at },
        (_, Some(due)) => Delivery::Due { at: due },
        (_, None) => Delivery::Failed { at },
    }
}

fn attempt_of(message: &mut Notification, number: u32) -> Option<&mut Attempt> {
    let mut attempts = message.attempts.iter_mut();
    attempts.find(|attempt| attempt.number == number)
}

/// A page whose last attempt was lost after all has not arrived; one that was found again has.
fn fold_receipt(message: &mut Notification, number: u32, fate: Fate, detail: &str, at: Timestamp) {
    let is_last = message.attempts.last().map(|last| last.number) == Some(number);
    if let Some(attempt) = attempt_of(message, number) {
        attempt.receipt = Some(Receipt {
            at,
            fate,
            detail: detail.to_owned(),
        });
    }
    message.state = match &message.state {
        Delivery::Delivered { .. } if is_last && fate.is_loss() => Delivery::Failed { at },
        Delivery::Failed { .. } if !fate.is_loss() => Delivery::Delivered { at },
        Delivery::Due { .. }
        | Delivery::Together { .. }
        | Delivery::Sending { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => return,
    };
}
