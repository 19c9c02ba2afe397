//! Decisions after an attempt: done, again, by another way, or to another person.

use super::Decider;
use crate::bugs::{self, Bug};
use crate::command::Refusal;
use crate::event::{Cause, NotificationWhat};
use crate::id::{IncidentId, NotificationId, UserId};
use crate::incident::Incident;
use crate::page::{ATTEMPTS_MAX, Delivery, Notification, Outcome, Purpose, RETRY_AFTER_MS};
use crate::time::Timestamp;

/// Characters of a provider's answer that are kept.
const DETAIL_MAX: usize = 500;

impl Decider<'_> {
    pub(super) fn attempt_finished(
        &mut self,
        id: NotificationId,
        number: u32,
        outcome: Outcome,
        detail: String,
    ) -> Result<(), Refusal> {
        let Some(message) = self.state.notifications.get(&id) else {
            return Err(Refusal::not_found(format!("message {id}")));
        };
        let open = message
            .attempts
            .last()
            .is_some_and(|last| last.number == number && last.outcome.is_none());
        if !open && !bugs::on(Bug::LateOutcomeCountedTwice) {
            return Err(Refusal::conflict(
                "the outcome of that attempt is known already",
            ));
        }
        let retry_at = self.retry_at(message, number, outcome);
        let purpose = message.purpose;
        let cause = Cause::Event {
            position: message.last_event,
        };
        let detail = detail.chars().take(DETAIL_MAX).collect();
        let what = NotificationWhat::AttemptFinished {
            number,
            outcome,
            detail,
            retry_at,
        };
        let told_along = self.pages_told_along(id);
        let position = self.emit_message(cause, id, what, purpose.incident());
        if let (Purpose::Page(incident), None) = (purpose, retry_at)
            && outcome != Outcome::Accepted
        {
            let along: Vec<(IncidentId, NotificationId)> = told_along
                .into_iter()
                .filter(|(_, member)| self.has_failed(*member))
                .collect();
            for (incident, failed) in along {
                self.try_another_way(incident, failed, position);
            }
            self.try_another_way(incident, id, position);
        }
        Ok(())
    }

    fn pages_told_along(&self, id: NotificationId) -> Vec<(IncidentId, NotificationId)> {
        let members = self.state.told_along(id);
        let pages = members.filter_map(|member| Some((member.purpose.page()?, member.id)));
        pages.collect()
    }

    fn has_failed(&self, id: NotificationId) -> bool {
        let message = self.state.notifications.get(&id);
        message.is_some_and(|message| matches!(message.state, Delivery::Failed { .. }))
    }

    fn retry_at(&self, message: &Notification, number: u32, outcome: Outcome) -> Option<Timestamp> {
        let wait_ms = match outcome {
            Outcome::Accepted | Outcome::Refused => return None,
            Outcome::Unanswered if bugs::on(Bug::InFlightAtRestartIsFailed) => return None,
            Outcome::TimedOut if bugs::on(Bug::RetryForgottenAfterTimeout) => return None,
            // It may have arrived: repeated once, under the same idempotency key, without delay.
            Outcome::Unanswered => 0,
            Outcome::Failed | Outcome::TimedOut => {
                let index = usize::try_from(number).ok()?.checked_sub(1)?;
                *RETRY_AFTER_MS.get(index)?
            }
        };
        let wanted = match message.purpose {
            // While it rests, the retry waits: see `next_due`.
            Purpose::Page(incident) => {
                self.may_want_pages(incident) && !self.is_spared(incident, message.user)
            }
            Purpose::Request(incident) => self.awaits(incident, message.user),
            Purpose::Notice(_) | Purpose::Resolved(_) | Purpose::Test | Purpose::Word(_) => true,
        };
        (number < ATTEMPTS_MAX && wanted).then(|| self.now.plus_ms(wait_ms))
    }

    /// Whether somebody has to be reached for it now.
    pub(super) fn wants_pages(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(|known| self.state.wants_pages(known))
    }

    /// Whether this person did their part while others are still paged.
    pub(super) fn is_spared(&self, incident: IncidentId, user: UserId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(|known| known.spares(user))
    }

    /// Whether this person was asked to help and has not answered.
    pub(super) fn awaits(&self, incident: IncidentId, user: UserId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(|known| known.awaits(user))
    }

    /// Whether somebody has to be reached for it now, or will have to should it come back before it is resolved.
    fn may_want_pages(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(Incident::is_unanswered)
    }

    /// One way failed for good: the person's next way is used now; without one, the next person.
    pub(super) fn try_another_way(
        &mut self,
        incident: IncidentId,
        failed: NotificationId,
        position: u64,
    ) {
        if !self.may_want_pages(incident) {
            return;
        }
        if self.use_other_way(incident, failed, position) {
            return;
        }
        self.page_others(incident);
    }

    /// Whoever is next is paged now, unless somebody of the present level was reached or may still be.
    pub(super) fn page_others(&mut self, incident: IncidentId) {
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
        let pages = self
            .state
            .messages_about(incident)
            .filter(|message| message.purpose == Purpose::Page(incident));
        self.active_pages(incident).next().is_some()
            || pages
                .filter(|page| self.state.users.contains_key(&page.user))
                .any(|page| matches!(page.state, Delivery::Delivered { at } if at >= reached_at))
    }

    /// After a start, nobody will answer for attempts of the run before: each is repeated under the same idempotency key.
    pub(super) fn recover(&mut self) {
        bugs::note_restart(self.state.position);
        let sending: Vec<(NotificationId, u32)> = self
            .state
            .active_notifications
            .iter()
            .filter_map(|id| self.state.notifications.get(id))
            .filter(|message| matches!(message.state, Delivery::Sending { .. }))
            .filter_map(|message| Some((message.id, message.attempts.last()?.number)))
            .collect();
        for (id, number) in sending {
            let detail = "Tocsin ended before the provider answered".to_owned();
            // Cannot be refused: the attempt was just seen to be open.
            let _ = self.attempt_finished(id, number, Outcome::Unanswered, detail);
        }
    }
}
