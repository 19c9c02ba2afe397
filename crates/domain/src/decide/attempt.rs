//! Decisions after an attempt: done, again, by another way, or to another person.

use super::Decider;
use crate::command::Refusal;
use crate::event::{Cause, NotificationWhat};
use crate::id::{IncidentId, NotificationId};
use crate::incident::Incident;
use crate::page::{
    ATTEMPTS_MAX, Attempt, Delivery, Fate, Notification, Outcome, Purpose, RETRY_AFTER_MS,
    RETRY_WAIT_MS_MAX,
};
use crate::time::Timestamp;

/// Characters of a provider's answer that are kept.
const DETAIL_MAX: usize = 500;

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// The provider's words, or what went wrong.
    pub(super) detail: String,
    /// How long the provider wants to be left alone.
    pub(super) retry_after_ms: Option<u64>,
    /// What the provider calls the message.
    pub(super) reference: Option<String>,
}

impl Ended {
    /// Without a word from the provider.
    pub(super) fn silently(outcome: Outcome, detail: &str) -> Self {
        Self {
            outcome,
            detail: detail.to_owned(),
            retry_after_ms: None,
            reference: None,
        }
    }
}

/// As much of a provider's words as is kept.
fn kept(words: &str) -> String {
    words.chars().take(DETAIL_MAX).collect()
}

impl Decider<'_> {
    pub(super) fn attempt_finished(
        &mut self,
        id: NotificationId,
        number: u32,
        ended: Ended,
    ) -> Result<(), Refusal> {
        let outcome = ended.outcome;
        let Some(message) = self.state.notifications.get(&id) else {
            return Err(Refusal::not_found(format!("message {id}")));
        };
        let last = message.attempts.last();
        let open = last.is_some_and(|last| last.number == number && last.outcome.is_none());
        let lost_already = last.is_some_and(Attempt::is_lost);
        if !open {
            return Err(Refusal::conflict(
                "the outcome of that attempt is known already",
            ));
        }
        let retry_at = self.retry_at(message, number, &ended);
        let purpose = message.purpose;
        let cause = Cause::Event {
            position: message.last_event,
        };
        let what = NotificationWhat::AttemptFinished {
            number,
            outcome,
            detail: kept(&ended.detail),
            retry_at,
            reference: ended.reference.map(|reference| kept(&reference)),
        };
        let position = self.emit_message(cause, id, what, purpose.incident());
        // Whoever asks for a wait keeps nobody waiting: the other way is used at once, and this one when its time comes.
        let given_up = match outcome {
            // The word that it was lost may come before the word that it was taken.
            Outcome::Accepted => lost_already,
            Outcome::Failed | Outcome::Refused | Outcome::TimedOut | Outcome::Unanswered => {
                retry_at.is_none() || ended.retry_after_ms.is_some()
            }
        };
        if let (Purpose::Page(incident), true) = (purpose, given_up) {
            self.try_another_way(incident, id, position);
        }
        Ok(())
    }

    /// What became of a message after the provider took it. News that is no better than what is known changes nothing.
    pub(super) fn receipt_came(
        &mut self,
        id: NotificationId,
        number: u32,
        fate: Fate,
        detail: &str,
    ) -> Result<(), Refusal> {
        let Some(message) = self.state.notifications.get(&id) else {
            return Err(Refusal::not_found(format!("message {id}")));
        };
        let mut attempts = message.attempts.iter();
        let Some(attempt) = attempts.find(|attempt| attempt.number == number) else {
            return Err(Refusal::not_found(format!(
                "attempt {number} of message {id}"
            )));
        };
        let known = attempt.receipt.as_ref().map(|receipt| receipt.fate);
        if !fate.follows(known) {
            return Ok(());
        }
        let was_lost = known.is_some_and(Fate::is_loss);
        let is_last = message.attempts.last().map(|last| last.number) == Some(number);
        let purpose = message.purpose;
        let cause = Cause::Event {
            position: message.last_event,
        };
        let what = NotificationWhat::Receipt {
            number,
            fate,
            detail: kept(detail),
        };
        let position = self.emit_message(cause, id, what, purpose.incident());
        if let Purpose::Page(incident) = purpose
            && fate.is_loss()
            && is_last
            && !was_lost
        {
            self.try_another_way(incident, id, position);
        }
        Ok(())
    }

    fn retry_at(&self, message: &Notification, number: u32, ended: &Ended) -> Option<Timestamp> {
        let wait_ms = match ended.outcome {
            Outcome::Accepted | Outcome::Refused => return None,
            // It may have arrived: repeated once, under the same idempotency key, without delay.
            Outcome::Unanswered => 0,
            Outcome::Failed | Outcome::TimedOut => {
                let index = usize::try_from(number).ok()?.checked_sub(1)?;
                *RETRY_AFTER_MS.get(index)?
            }
        };
        let wanted = match message.purpose {
            // While it rests, the retry waits: see `next_due`.
            Purpose::Page(incident) => self.may_want_pages(incident),
            Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test => true,
        };
        let wait_ms = wait_ms.max(ended.retry_after_ms.unwrap_or_default());
        let worth_it = number < ATTEMPTS_MAX && wait_ms <= RETRY_WAIT_MS_MAX;
        (worth_it && wanted).then(|| self.now.plus_ms(wait_ms))
    }

    /// Whether somebody has to be reached for it now.
    pub(super) fn wants_pages(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(|known| self.state.wants_pages(known))
    }

    /// Whether somebody has to be reached for it now, or will have to should it come back before it is resolved.
    fn may_want_pages(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(Incident::is_unanswered)
    }

    /// One way failed for good: the person's next way is used now; without one, the next person.
    fn try_another_way(&mut self, incident: IncidentId, failed: NotificationId, position: u64) {
        if !self.may_want_pages(incident) {
            return;
        }
        let Some(user) = self
            .state
            .notifications
            .get(&failed)
            .map(|message| message.user)
        else {
            return;
        };
        let cause = Cause::Event { position };
        let mut waiting: Vec<(Timestamp, NotificationId)> = self
            .active_pages(incident)
            .filter(|page| page.user == user && page.id != failed)
            .filter_map(|page| match page.state {
                Delivery::Due { at } => Some((at, page.id)),
                Delivery::Sending { .. }
                | Delivery::Delivered { .. }
                | Delivery::Failed { .. }
                | Delivery::Cancelled { .. } => None,
            })
            .collect();
        waiting.sort();
        if let Some((due, next)) = waiting.first().copied() {
            if due > self.now {
                let why = "another way to reach this person failed".to_owned();
                let what = NotificationWhat::Advanced {
                    due_at: self.now,
                    why,
                };
                self.emit_message(cause, next, what, Some(incident));
            }
            return;
        }
        if !self.wants_pages(incident) || self.somebody_reached(incident) {
            return;
        }
        let known = self.state.incidents.get(&incident);
        match known.and_then(|known| known.paging.as_ref()) {
            Some(paging) if paging.exhausted => self.widen_fallback(incident),
            Some(_) | None => self.escalate(incident),
        }
    }

    /// Whether, since the present level was reached, a page has arrived or may still arrive.
    pub(super) fn somebody_reached(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        let Some(paging) = known.and_then(|known| known.paging.as_ref()) else {
            return false;
        };
        let reached_at = paging.reached_at;
        let mut pages = self
            .state
            .messages_about(incident)
            .filter(|message| message.purpose == Purpose::Page(incident));
        self.active_pages(incident).next().is_some()
            || pages
                .any(|page| matches!(page.state, Delivery::Delivered { at } if at >= reached_at))
    }

    /// After a start, nobody will answer for attempts of the run before: each is repeated under the same idempotency key.
    pub(super) fn recover(&mut self) {
        let sending: Vec<(NotificationId, u32)> = self
            .state
            .active_notifications
            .iter()
            .filter_map(|id| self.state.notifications.get(id))
            .filter(|message| matches!(message.state, Delivery::Sending { .. }))
            .filter_map(|message| Some((message.id, message.attempts.last()?.number)))
            .collect();
        for (id, number) in sending {
            let detail = "Tocsin ended before the provider answered";
            let ended = Ended::silently(Outcome::Unanswered, detail);
            // Cannot be refused: the attempt was just seen to be open.
            let _ = self.attempt_finished(id, number, ended);
        }
    }
}
