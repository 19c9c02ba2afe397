//! What is due: derived from the state alone, so that no timer can be lost.

use super::Decider;
use super::attempt::Ended;
use crate::event::{Cause, IncidentWhat, NotificationWhat};
use crate::id::{ContactMethodId, IncidentId, NotificationId, UserId};
use crate::incident::{Incident, RESOLVE_AFTER_HEALTHY_MS, Status};
use crate::page::{
    ATTEMPT_DEADLINE_MS, Delivery, Fate, Notification, Outcome, Purpose, RECEIPT_WAIT_MS,
};
use crate::people::{ChannelKind, Urgency};
use crate::state::State;
use crate::time::Timestamp;

/// Rounds of decisions at one instant; each round can make only a few more things due, so this is never reached.
const ROUNDS_MAX: usize = 64;

/// What an incident waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Resolve,
    FirstPage,
    NextLevel,
    EndOfQuiet,
}

/// The next instant at which something is to be done without anybody asking; `None` when nothing is.
#[must_use]
pub fn next_due(state: &State) -> Option<Timestamp> {
    let incidents = state
        .open_incidents
        .iter()
        .filter_map(|id| state.incidents.get(id));
    let messages = state
        .active_notifications
        .iter()
        .filter_map(|id| state.notifications.get(id));
    let incidents = incidents
        .filter_map(|incident| wait_of(state, incident))
        .map(|(at, _)| at);
    let messages = messages.filter_map(|message| message_due(state, message));
    let receipts = state.receipts_owed.iter();
    let receipts = receipts.filter_map(|id| receipt_due(state, *id));
    incidents.chain(messages).chain(receipts).min()
}

fn message_due(state: &State, message: &Notification) -> Option<Timestamp> {
    match &message.state {
        Delivery::Due { .. } if rests(state, message.purpose) => None,
        Delivery::Due { at } => Some(*at),
        Delivery::Sending { since } => Some(since.plus_ms(ATTEMPT_DEADLINE_MS)),
        Delivery::Delivered { .. } | Delivery::Failed { .. } | Delivery::Cancelled { .. } => None,
    }
}

/// When the receipt of a message counts as lost.
fn receipt_due(state: &State, id: NotificationId) -> Option<Timestamp> {
    let owed_since = state.notifications.get(&id)?.receipt_owed_since()?;
    Some(owed_since.plus_ms(RECEIPT_WAIT_MS))
}

/// Whether it is a page for what does not fail at this moment, but may be back before it is resolved.
fn rests(state: &State, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Page(incident) => state
            .incidents
            .get(&incident)
            .is_some_and(|known| known.is_unanswered() && !state.burns(known)),
        Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test => false,
    }
}

fn wait_of(state: &State, incident: &Incident) -> Option<(Timestamp, Wait)> {
    if !incident.is_open() {
        return None;
    }
    if let Some(since) = incident.healthy_since {
        return Some((since.plus_ms(RESOLVE_AFTER_HEALTHY_MS), Wait::Resolve));
    }
    let asks = incident.status == Status::Triggered && incident.urgency == Urgency::High;
    if !asks || !state.burns(incident) {
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

impl Decider<'_> {
    pub(super) fn do_what_is_due(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let before = self.state.position;
            self.incidents_due();
            self.messages_due();
            self.receipts_due();
            if self.state.position == before {
                return;
            }
        }
    }

    fn incidents_due(&mut self) {
        let due: Vec<(IncidentId, Timestamp, Wait)> = self
            .state
            .open_incidents
            .iter()
            .filter_map(|id| self.state.incidents.get(id))
            .filter_map(|incident| {
                wait_of(self.state, incident).map(|(at, wait)| (incident.id, at, wait))
            })
            .filter(|(_, at, _)| *at <= self.now)
            .collect();
        for (incident, at, wait) in due {
            match wait {
                Wait::Resolve => {
                    let why = "all its alerts were healthy for 15 seconds";
                    self.resolve_now(incident, Cause::Due { at }, why);
                }
                Wait::FirstPage | Wait::EndOfQuiet => self.page_now(incident),
                Wait::NextLevel => self.escalate(incident),
            }
        }
    }

    fn messages_due(&mut self) {
        let due: Vec<NotificationId> = self
            .state
            .active_notifications
            .iter()
            .filter_map(|id| self.state.notifications.get(id))
            .filter(|message| message_due(self.state, message).is_some_and(|at| at <= self.now))
            .map(|message| message.id)
            .collect();
        for id in due {
            self.message_due(id);
        }
    }

    fn receipts_due(&mut self) {
        let owed = self.state.receipts_owed.iter().copied();
        let due: Vec<NotificationId> = owed
            .filter(|id| receipt_due(self.state, *id).is_some_and(|at| at <= self.now))
            .collect();
        for id in due {
            let last = self.state.notifications.get(&id);
            let Some(number) = last.and_then(|message| Some(message.attempts.last()?.number))
            else {
                continue;
            };
            let detail = "the provider did not say whether it came to the phone";
            // Cannot be refused: the attempt was just seen to be without a receipt.
            let _ = self.receipt_came(id, number, Fate::Unknown, detail);
        }
    }

    fn message_due(&mut self, id: NotificationId) {
        let Some(message) = self.state.notifications.get(&id) else {
            return;
        };
        let (purpose, incident) = (message.purpose, message.purpose.incident());
        let cause = Cause::Event {
            position: message.last_event,
        };
        let number = message.attempts.last().map_or(0, |last| last.number);
        let known = self.state.users.get(&message.user);
        let method = known.and_then(|user| user.contact_method(message.contact_method));
        let removed = method.is_none();
        if matches!(message.state, Delivery::Sending { .. }) {
            let ended = Ended::silently(Outcome::TimedOut, "no answer within the deadline");
            // Cannot be refused: the attempt is open, as its state says.
            let _ = self.attempt_finished(id, number, ended);
            return;
        }
        if let Purpose::Page(page) = purpose
            && self.wants_pages(page)
            && self.suppress_if_quiet(page)
        {
            return;
        }
        let obsolete = match purpose {
            Purpose::Page(page) if !self.wants_pages(page) => Some("it is no longer needed"),
            Purpose::Page(_) | Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test => {
                removed.then_some("the contact method was removed")
            }
        };
        let what = match obsolete {
            Some(why) => NotificationWhat::Cancelled {
                why: why.to_owned(),
            },
            None => NotificationWhat::AttemptStarted { number: number + 1 },
        };
        self.emit_message(cause, id, what, incident);
    }

    /// Ends an incident: nobody is paged for it any more, and who was is told.
    pub(super) fn resolve_now(&mut self, incident: IncidentId, cause: Cause, why: &str) {
        let why = why.to_owned();
        let position = self.emit_incident(cause, incident, IncidentWhat::Resolved { why });
        let cause = Cause::Event { position };
        self.cancel_pages(incident, &cause, "the incident is resolved");
        let mut told = self.to_be_told(incident);
        told.sort();
        told.dedup();
        for (user, method, kind) in told {
            let why = "they were paged for it".to_owned();
            let now = self.now;
            self.plan(
                cause.clone(),
                Purpose::Resolved(incident),
                user,
                (method, kind),
                None,
                now,
                why,
            );
        }
    }

    /// Whoever got a page and was not told since that it is over.
    fn to_be_told(&self, incident: IncidentId) -> Vec<(UserId, ContactMethodId, ChannelKind)> {
        let told_since = |page: &Notification, at: Timestamp| {
            let mut later = self.state.messages_about(incident);
            later.any(|message| {
                message.purpose == Purpose::Resolved(incident)
                    && message.contact_method == page.contact_method
                    && message.planned_at >= at
            })
        };
        let pages = self.state.messages_about(incident);
        pages
            .filter(|page| page.purpose == Purpose::Page(incident) && page.channel.tells_the_end())
            .filter(
                |page| matches!(page.state, Delivery::Delivered { at } if !told_since(page, at)),
            )
            .map(|page| (page.user, page.contact_method, page.channel))
            .collect()
    }
}
