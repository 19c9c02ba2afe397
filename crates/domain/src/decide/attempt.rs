//! Decisions after an attempt: done, again, by another way, or to another person.

use super::Decider;
use crate::bugs::{self, Bug};
use crate::command::Refusal;
use crate::event::{Cause, NotificationWhat};
use crate::id::{IncidentId, NotificationId, UserId};
use crate::page::{
    ATTEMPTS_MAX, Attempt, Delivery, Fate, MIRROR_RETRY_AFTER_MS, MIRROR_RETRY_EVERY_MS,
    MIRROR_RETRY_FOR_MS, Notification, Outcome, PUT_OFF_MAX, Purpose, RETRY_AFTER_MS,
    RETRY_WAIT_MS_MAX, Via,
};
use crate::state::Subject;
use crate::time::Timestamp;

/// Characters of a provider's answer that are kept.
const DETAIL_MAX: usize = 500;

/// So long after an attempt that was not wanted another one begins at the earliest, should it be wanted by then: where whoever sends
/// and whoever decides ever see it differently, they do not go round in a circle.
const MOOT_AGAIN_MS: u64 = 1_000;

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// The provider's words, or what went wrong.
    pub(super) detail: String,
    /// How long the provider wants to be left alone.
    pub(super) retry_after_ms: Option<u64>,
    /// What the provider calls the message.
    pub(super) reference: Option<String>,
    /// Whether nothing was sent.
    pub(super) not_tried: bool,
    /// Whether that was because nobody wanted it any more.
    pub(super) moot: bool,
    /// By which account of its channel it went.
    pub(super) via: Option<Box<Via>>,
}

impl Ended {
    /// Without a word from the provider.
    pub(super) fn silently(outcome: Outcome, detail: &str) -> Self {
        Self {
            outcome,
            detail: detail.to_owned(),
            retry_after_ms: None,
            reference: None,
            not_tried: false,
            moot: false,
            via: None,
        }
    }

    /// As the provider, or whoever speaks for it, told.
    pub(super) const fn tried(
        outcome: Outcome,
        detail: String,
        retry_after_ms: Option<u64>,
        reference: Option<String>,
        via: Option<Box<Via>>,
    ) -> Self {
        Self {
            outcome,
            detail,
            retry_after_ms,
            reference,
            not_tried: false,
            moot: false,
            via,
        }
    }

    /// Nothing was sent: it got no place in time, its provider asked to be left alone for so long yet, or nobody wanted it any more.
    pub(super) fn not_tried(why: &str, retry_after_ms: Option<u64>, moot: bool) -> Self {
        Self {
            retry_after_ms,
            not_tried: true,
            moot,
            ..Self::silently(Outcome::Failed, why)
        }
    }

    /// Whether another account of its channel is left for it.
    fn is_left_to_another(&self) -> bool {
        self.via.as_ref().is_some_and(|via| via.elsewhere)
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
        if !open && !bugs::on(Bug::LateOutcomeCountedTwice) {
            return Err(Refusal::conflict(
                "the outcome of that attempt is known already",
            ));
        }
        // Whoever left is not tried again, and others were paged in their place already. In old journals, what was under way to them
        // was taken back.
        let is_taken_back = matches!(message.state, Delivery::Cancelled { .. });
        let is_taken_back = is_taken_back || !self.state.users.contains_key(&message.user);
        let retry_at = self.retry_at(message, number, &ended);
        let retry_at = retry_at.filter(|_| !is_taken_back);
        let is_put_off = ended.is_left_to_another() && retry_at.is_some();
        let before = message.attempts.iter().rev().nth(1);
        let was_put_off = before.is_some_and(Attempt::is_left_to_another);
        let first = message.attempts.first();
        // What was taken after all, and is known to be lost, goes on as after a receipt.
        let tried_since = first.filter(|_| outcome != Outcome::Accepted);
        let tried_since = tried_since.map(|first| first.started_at);
        let purpose = message.purpose;
        let begun_at = message.last_event;
        let cause = Cause::Event { position: begun_at };
        let asks_to_wait = ended.retry_after_ms.is_some();
        let is_moot = ended.moot;
        let what = NotificationWhat::AttemptFinished {
            number,
            outcome,
            detail: kept(&ended.detail),
            retry_at,
            reference: ended.reference.map(|reference| kept(&reference)),
            not_tried: ended.not_tried,
            moot: is_moot,
            via: ended.via,
        };
        let along = reaching_among(self.state.told_along(id));
        let carried = self.state.carried(id);
        let position = self.emit_message(cause, id, what, purpose.incident());
        // Whoever asks for a wait, or did not answer in all the time an attempt has, keeps nobody waiting: the other way is used
        // at once, and this one when its time comes. So it is when the time went by without a place to send it. Another account of
        // its channel comes before another way; when that one does not take it either, no more time goes by.
        let given_up = match outcome {
            // The word that it was lost may come before the word that it was taken.
            Outcome::Accepted => lost_already,
            Outcome::TimedOut => !is_put_off,
            Outcome::Failed | Outcome::Refused | Outcome::Unanswered => {
                let waits = retry_at.is_none() || asks_to_wait || ended.not_tried || was_put_off;
                waits && !is_put_off
            }
        };
        if is_moot {
            // Nobody misses it, unless it was its way that went.
            if !is_taken_back && self.has_lost_its_way(id) {
                self.try_another_way(id, position);
            }
        } else if given_up && !is_taken_back {
            self.lost(id, &along, position, tried_since);
        }
        self.note_findings_told(id, begun_at, position);
        self.tell_end_late(id, &carried, position);
        self.tell_mirror_late(id, position);
        self.say_what_a_mirror_missed(id, position);
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
        // Nobody waits any more for what was under way to somebody who was removed.
        let is_there = self.state.users.contains_key(&message.user);
        let cause = Cause::Event {
            position: message.last_event,
        };
        let what = NotificationWhat::Receipt {
            number,
            fate,
            detail: kept(detail),
        };
        let along = reaching_among(self.state.told_with(id));
        let position = self.emit_message(cause, id, what, purpose.incident());
        if fate.is_loss() && is_last && !was_lost && is_there {
            self.lost(id, &along, position, None);
        }
        // Nothing was known to have come until now.
        if self.state.came_with(id, position) {
            self.tell_end_late(id, &[], position);
        }
        Ok(())
    }

    /// A message did not arrive, or not soon: whoever was to be reached by it, or by what it told along, is reached otherwise. After
    /// an attempt, `tried_since` says when the first one began.
    fn lost(
        &mut self,
        id: NotificationId,
        along: &[NotificationId],
        position: u64,
        tried_since: Option<Timestamp>,
    ) {
        let mut ways = Vec::new();
        for lost in along.iter().chain([&id]) {
            let message = self.state.notifications.get(lost);
            let missed = message.filter(|message| match message.state {
                Delivery::Due { .. } | Delivery::Together { .. } | Delivery::Failed { .. } => true,
                Delivery::Sending { .. }
                | Delivery::Delivered { .. }
                | Delivery::Cancelled { .. } => false,
            });
            if missed.is_some() {
                ways.extend(self.go_on_after(*lost, position, tried_since));
            }
        }
        self.tell_at_once(&ways);
    }

    fn retry_at(&self, message: &Notification, number: u32, ended: &Ended) -> Option<Timestamp> {
        if ended.moot {
            let wanted = self.may_be_wanted(message) && !self.has_lost_its_way(message.id);
            return wanted.then(|| self.now.plus_ms(MOOT_AGAIN_MS));
        }
        // What was not made costs no retry, so often.
        let untried = (message.not_made() + u32::from(ended.not_tried)).min(PUT_OFF_MAX);
        let untried = untried + message.moot();
        let wait_ms = match ended.outcome {
            Outcome::Accepted => return None,
            Outcome::Failed | Outcome::Refused | Outcome::TimedOut
                if ended.is_left_to_another() && bugs::on(Bug::NextAccountForgotten) =>
            {
                return None;
            }
            Outcome::Failed if ended.not_tried && bugs::on(Bug::UntriedForgotten) => return None,
            // Nobody has to be left alone: it goes by another account.
            Outcome::Failed | Outcome::Refused | Outcome::TimedOut
                if ended.is_left_to_another() =>
            {
                0
            }
            Outcome::Refused => return None,
            Outcome::Unanswered if bugs::on(Bug::InFlightAtRestartIsFailed) => return None,
            Outcome::TimedOut if bugs::on(Bug::RetryForgottenAfterTimeout) => return None,
            // It may have arrived: repeated once, under the same idempotency key, without delay.
            Outcome::Unanswered => 0,
            Outcome::Failed | Outcome::TimedOut => {
                wait_after(message, number.saturating_sub(untried).max(1))?
            }
        };
        let wanted = match message.purpose {
            // While it rests, the retry waits: see `next_due`.
            Purpose::Page(incident) => self.may_want_page(incident, message),
            Purpose::Request(incident) => self.awaits(incident, message.user),
            Purpose::Acknowledged(_) | Purpose::Resolved(_) => self.is_still_so(message),
            Purpose::Notice(_) | Purpose::Test | Purpose::Word(_) => true,
        };
        let asked_ms = ended.retry_after_ms.unwrap_or_default();
        let wait_ms = if ended.is_left_to_another() {
            wait_ms
        } else {
            wait_ms.max(asked_ms)
        };
        let next = self.now.plus_ms(wait_ms);
        let is_uncounted = ended.is_left_to_another() && bugs::on(Bug::NextAccountUncounted);
        let worth_it = if message.tells_a_mirror() {
            next <= message.planned_at.plus_ms(MIRROR_RETRY_FOR_MS)
        } else {
            (number < ATTEMPTS_MAX + untried || is_uncounted) && wait_ms <= RETRY_WAIT_MS_MAX
        };
        (worth_it && wanted).then_some(next)
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

    /// Whether the person of a page has to be reached for its incident now, or will have to should it come back before it is resolved.
    /// What waits is paged for when its wait is over. What was given to somebody else since asks for those.
    fn may_want_page(&self, incident: IncidentId, page: &Notification) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(|known| {
            let asks = known.is_unanswered() && known.hold.is_none();
            asks && !known.spares(page.user) && !known.has_withdrawn(page)
        })
    }

    /// Whether what was not wanted for a moment may be all the same: it may have changed since, or a page rests.
    fn may_be_wanted(&self, message: &Notification) -> bool {
        match message.purpose {
            Purpose::Page(incident) => self.may_want_page(incident, message),
            Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Acknowledged(_)
            | Purpose::Resolved(_)
            | Purpose::Test
            | Purpose::Word(_) => self.is_wanted(message),
        }
    }

    /// One way failed for good: the person's next way is used now; without one, the next person is paged. After who was asked to help
    /// come only those of the next level of a policy, and after whom a word was for, nobody. Gives the message that goes to the same
    /// person instead, where that may be told together with others.
    pub(super) fn try_another_way(
        &mut self,
        failed: NotificationId,
        position: u64,
    ) -> Option<NotificationId> {
        self.go_on_after(failed, position, None)
    }

    /// The same. A way that has been tried since then calls up no further one once another has taken the page: it is tried again, and
    /// no more.
    fn go_on_after(
        &mut self,
        failed: NotificationId,
        position: u64,
        tried_since: Option<Timestamp>,
    ) -> Option<NotificationId> {
        let message = self.state.notifications.get(&failed)?;
        let user = message.user;
        let is_taken = tried_since.is_some_and(|since| self.is_taken_otherwise(message, since));
        match message.purpose {
            Purpose::Page(incident) => {
                if !self.may_want_page(incident, message) {
                    return None;
                }
                let other = if is_taken {
                    None
                } else {
                    self.use_what_is_left(failed, position)
                };
                if other.is_none() {
                    self.page_others(incident, None);
                }
                other
            }
            Purpose::Request(incident) => {
                if !self.awaits(incident, user) {
                    return None;
                }
                let other = if is_taken {
                    None
                } else {
                    self.use_what_is_left(failed, position)
                };
                if other.is_none() {
                    self.say_who_was_not_asked(incident, user, position);
                    self.ask_next_level(incident, user, position);
                }
                other
            }
            Purpose::Word(word) => {
                self.say_otherwise(failed, word, position);
                // A word is not told together with pages that go the same way.
                None
            }
            Purpose::Notice(_)
            | Purpose::Resolved(_)
            | Purpose::Acknowledged(_)
            | Purpose::Test => None,
        }
    }

    /// Whether the same has come to the same person by another way since then, and since they were paged last, or asked to help.
    fn is_taken_otherwise(&self, message: &Notification, since: Timestamp) -> bool {
        let incident = message.purpose.reaches();
        let Some(known) = incident.and_then(|id| self.state.incidents.get(&id)) else {
            return false;
        };
        let called_at = if message.purpose.page().is_some() {
            let paging = known.paging.as_ref();
            let paging = paging.filter(|paging| paging.recipients.contains(&message.user));
            paging.map(|paging| paging.reached_at)
        } else {
            let mut asked = known.responders.iter();
            let asked = asked.find(|one| one.user == message.user);
            asked.map(|asked| self.state.since_asked(asked))
        };
        let since = called_at.map_or(since, |called_at| called_at.max(since));
        let same = self.state.messages_about(known.id);
        same.filter(|other| (other.purpose, other.user) == (message.purpose, message.user))
            .any(|other| matches!(other.state, Delivery::Delivered { at } if at >= since))
    }

    /// Whoever is next is paged now, unless somebody of the present level was reached or may still be. `why`: what made that come
    /// to pass, unless an attempt did.
    pub(super) fn page_others(&mut self, incident: IncidentId, why: Option<&str>) {
        if !self.wants_pages(incident) || self.somebody_reached(incident) {
            return;
        }
        let known = self.state.incidents.get(&incident);
        match known.and_then(|known| known.paging.as_ref()) {
            Some(paging) if paging.exhausted => self.widen_fallback(incident, why),
            Some(_) | None => self.escalate(incident, why),
        }
    }

    /// Whether, since the present level was reached, a page to somebody of it has arrived, or one may still arrive. Those of the levels
    /// before had their time, and who was removed is nobody of it.
    pub(super) fn somebody_reached(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        let Some(paging) = known.and_then(|known| known.paging.as_ref()) else {
            return false;
        };
        let is_of_level = |page: &&Notification| {
            let is_named = paging.recipients.contains(&page.user);
            let is_there = self.state.users.contains_key(&page.user);
            page.purpose == Purpose::Page(incident) && is_named && is_there
        };
        let mut active = self.state.active_about(incident).filter(is_of_level);
        let pages = self.state.messages_about(incident).filter(is_of_level);
        active.next().is_some()
            || pages
                // Whoever has done their part where each must is not who is looked for.
                .filter(|page| !self.is_spared(incident, page.user))
                .any(|page| {
                    matches!(page.state, Delivery::Delivered { at } if at >= paging.reached_at)
                })
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
            let detail = "Tocsin ended before the provider answered";
            let ended = Ended::silently(Outcome::Unanswered, detail);
            self.work_on(Subject::Message(id), |decider| {
                // Cannot be refused: the attempt was just seen to be open.
                let _ = decider.attempt_finished(id, number, ended);
            });
        }
    }
}

/// How long to wait after an attempt that failed; none when it was the last.
fn wait_after(message: &Notification, number: u32) -> Option<u64> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    if message.tells_a_mirror() {
        let wait_ms = MIRROR_RETRY_AFTER_MS.get(index).copied();
        return Some(wait_ms.unwrap_or(MIRROR_RETRY_EVERY_MS));
    }
    RETRY_AFTER_MS.get(index).copied()
}

fn reaching_among<'a>(messages: impl Iterator<Item = &'a Notification>) -> Vec<NotificationId> {
    let reaching = messages.filter(|message| message.purpose.reaches().is_some());
    reaching.map(|message| message.id).collect()
}
