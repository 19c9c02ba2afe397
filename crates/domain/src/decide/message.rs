//! Messages as they are planned, called and taken back. When each is sent, and what follows from it, is decided elsewhere.

use std::collections::BTreeMap;

use super::Decider;
use crate::event::{Cause, EventBody, NotificationEvent, NotificationWhat};
use crate::id::{ContactMethodId, IncidentId, NotificationId, UserId};
use crate::page::{Delivery, Notification, Purpose};
use crate::people::ChannelKind;
use crate::time::Timestamp;

impl Decider<'_> {
    pub(super) fn notify_all(
        &mut self,
        purpose: Purpose,
        level: Option<usize>,
        people: &[(UserId, String)],
        cause: u64,
    ) {
        let mut busy: BTreeMap<ContactMethodId, NotificationId> = BTreeMap::new();
        for page in self.active_of(purpose) {
            busy.entry(page.contact_method).or_insert(page.id);
        }
        for (user, why) in people {
            let Some(known) = self.state.users.get(user) else {
                continue;
            };
            for way in known.page_ways() {
                let cause = Cause::Event { position: cause };
                if let Some(page) = busy.get(&way.method) {
                    self.tell_alone(*page, cause);
                } else {
                    let due = self.now.plus_ms(way.delay_ms);
                    let why = format!("{why}; {}", way.why);
                    let method = (way.method, way.channel);
                    let page = self.plan(cause, purpose, *user, method, level, due, why);
                    busy.insert(way.method, page);
                }
            }
        }
    }

    /// Messages of paging purpose about an incident that are due or under way, in the order they were planned.
    pub(super) fn active_pages(&self, incident: IncidentId) -> impl Iterator<Item = &Notification> {
        self.active_of(Purpose::Page(incident))
    }

    /// The same of any purpose.
    pub(super) fn active_of(&self, purpose: Purpose) -> impl Iterator<Item = &Notification> {
        let about = purpose.incident().into_iter();
        about
            .flat_map(|incident| self.state.active_about(incident))
            .filter(move |message| message.purpose == purpose)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is one field of the message"
    )]
    pub(super) fn plan(
        &mut self,
        cause: Cause,
        purpose: Purpose,
        user: UserId,
        method: (ContactMethodId, ChannelKind),
        level: Option<usize>,
        due: Timestamp,
        why: String,
    ) -> NotificationId {
        let id = NotificationId::random(self.entropy);
        let message = Notification {
            id,
            purpose,
            user,
            contact_method: method.0,
            channel: method.1,
            level,
            planned_at: self.now,
            why,
            state: Delivery::Due { at: due },
            attempts: Vec::new(),
            last_event: 0,
            instead_of: None,
            // The fold knows.
            planned_event: None,
        };
        self.emit_message(
            cause,
            id,
            NotificationWhat::Planned { message },
            purpose.incident(),
        );
        id
    }

    /// Records that something happens to a message now.
    pub(super) fn emit_message(
        &mut self,
        cause: Cause,
        notification: NotificationId,
        what: NotificationWhat,
        incident: Option<IncidentId>,
    ) -> u64 {
        let event = NotificationEvent {
            notification,
            incident,
            what,
        };
        self.emit(cause, EventBody::Notification(event))
    }

    /// Takes back the pages of an incident that are not being sent at this moment.
    pub(super) fn cancel_pages(&mut self, incident: IncidentId, cause: &Cause, why: &str) {
        self.cancel(Purpose::Page(incident), None, cause, why);
    }

    /// Takes back messages of one purpose, to everybody or to one person, that are not being sent at this moment.
    pub(super) fn cancel(
        &mut self,
        purpose: Purpose,
        user: Option<UserId>,
        cause: &Cause,
        why: &str,
    ) {
        let due: Vec<NotificationId> = self
            .active_of(purpose)
            .filter(|message| user.is_none_or(|user| message.user == user))
            .filter(|message| message.state.is_planned())
            .map(|message| message.id)
            .collect();
        for id in due {
            let what = NotificationWhat::Cancelled {
                why: why.to_owned(),
            };
            self.emit_message(cause.clone(), id, what, purpose.incident());
        }
    }

    /// Whether a message is being sent at this moment, or told along by one that is: what becomes of it is still to come.
    pub(super) fn is_under_way(&self, message: &Notification) -> bool {
        match message.state {
            Delivery::Sending { .. } => true,
            Delivery::Together { by } => {
                let teller = self.state.notifications.get(&by);
                teller.is_some_and(|one| matches!(one.state, Delivery::Sending { .. }))
            }
            Delivery::Due { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. }
            | Delivery::Cancelled { .. } => false,
        }
    }

    /// Takes back whatever was planned for a person who leaves. What is on its way may still come to them, and its outcome tells.
    pub(super) fn cancel_for_user(&mut self, user: UserId) {
        let active = self.state.active_notifications.iter();
        let due: Vec<(NotificationId, Option<IncidentId>)> = active
            .filter_map(|id| self.state.notifications.get(id))
            .filter(|message| message.user == user && !self.is_under_way(message))
            .map(|message| (message.id, message.purpose.incident()))
            .collect();
        for (id, incident) in due {
            let what = NotificationWhat::Cancelled {
                why: "the person was removed".to_owned(),
            };
            let position = self.emit_message(Cause::Request, id, what, incident);
            self.say_what_a_mirror_missed(id, position);
        }
    }
}
