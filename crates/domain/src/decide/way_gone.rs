//! Decisions about a way whose address is gone for ever, as whoever carries its messages said: nothing goes by it any more, and its
//! owner is told.

use super::Decider;
use crate::command::Refusal;
use crate::event::{Cause, EventBody, PeopleEvent};
use crate::id::{NotificationId, UserId};
use crate::page::{Purpose, Word};
use crate::people::ContactMethod;

impl Decider<'_> {
    /// The address that an attempt went to is gone. The attempt itself goes on: how it ended is told by itself.
    pub(super) fn way_gone(&mut self, id: NotificationId, number: u32) -> Result<(), Refusal> {
        let Some(message) = self.state.notifications.get(&id) else {
            return Err(Refusal::not_found(format!("message {id}")));
        };
        if message.attempts.iter().all(|one| one.number != number) {
            return Err(Refusal::not_found(format!(
                "attempt {number} of message {id}"
            )));
        }
        let (user, method) = (message.user, message.contact_method);
        let cause = Cause::Event {
            position: message.last_event,
        };
        let owner = self.state.users.get(&user);
        let known = owner.and_then(|owner| owner.contact_method(method));
        // It may be removed by now, and of several attempts the first one told it.
        let Some(known) = known.filter(|known| known.gone_at.is_none()).cloned() else {
            return Ok(());
        };
        let gone = PeopleEvent::ContactMethodGone { user, method };
        let position = self.emit(cause, EventBody::People(gone));
        self.page_by_other_ways(method, &Cause::Event { position });
        // What was never proved, nobody counts on.
        if known.verified_at.is_some() {
            self.tell_way_gone(user, &known, position);
        }
        Ok(())
    }

    /// Tells its owner by another way, if there is one. Where there is none, that they cannot be reached is found and told to
    /// administrators.
    fn tell_way_gone(&mut self, user: UserId, gone: &ContactMethod, position: u64) {
        let Some(way) = self.way_that_can_wait(user) else {
            return;
        };
        let purpose = Purpose::Word(Word::WayGone { method: gone.id });
        let why = format!(
            "The {} {:?} reaches you no more",
            gone.kind.name(),
            gone.label
        );
        let (cause, now) = (Cause::Event { position }, self.now);
        self.plan(cause, purpose, user, way, None, now, why);
    }
}
