//! What systems are told that keep an incident too: that somebody took it, and that it is over. Each of ours is one of theirs,
//! also after it was merged into another.

use super::Decider;
use crate::event::Cause;
use crate::id::{ContactMethodId, IncidentId, NotificationId, UserId};
use crate::incident::Status;
use crate::page::{Delivery, Notification, Outcome, Purpose};
use crate::people::ChannelKind;
use crate::time::Timestamp;

/// An incident at the other end: of which of ours, and by which way it came there.
type Mirror = (IncidentId, UserId, ContactMethodId, ChannelKind);

impl Decider<'_> {
    /// Whoever keeps the incident too learns that somebody took it.
    pub(super) fn tell_mirrors(&mut self, incident: IncidentId, position: u64) {
        self.plan_for_mirrors(incident, Purpose::Acknowledged, position);
    }

    /// Whoever keeps the incident too ends it there.
    pub(super) fn end_mirrors(&mut self, incident: IncidentId, position: u64) {
        self.plan_for_mirrors(incident, Purpose::Resolved, position);
    }

    /// What arrives, or may have, when the incident was taken or ended already is followed by that news.
    pub(super) fn tell_mirror_late(&mut self, id: NotificationId, position: u64) {
        let message = self.state.notifications.get(&id);
        let opened = message.filter(|message| opens_a_mirror(message));
        let Some(incident) = opened.and_then(|message| message.purpose.incident()) else {
            return;
        };
        let incident = self.state.part_of(incident);
        let known = self.state.incidents.get(&incident);
        match known.map(|known| known.status) {
            Some(Status::Acknowledged) => self.tell_mirrors(incident, position),
            Some(Status::Resolved) => self.end_mirrors(incident, position),
            Some(Status::Triggered) | None => {}
        }
    }

    /// A system that could not be told may ring on, and nothing of ours can end that: the timeline says so.
    pub(super) fn say_what_a_mirror_missed(&mut self, id: NotificationId, position: u64) {
        let Some(message) = self.state.notifications.get(&id) else {
            return;
        };
        let last = message.attempts.last();
        // Of what is under way, the outcome is still to come.
        let is_under_way = last.is_some_and(|last| last.outcome.is_none());
        let is_given_up = match message.state {
            Delivery::Failed { .. } | Delivery::Cancelled { .. } => !is_under_way,
            Delivery::Due { .. }
            | Delivery::Together { .. }
            | Delivery::Sending { .. }
            | Delivery::Delivered { .. } => false,
        };
        let missed = match message.purpose {
            Purpose::Acknowledged(about) => Some((about, "somebody took it")),
            Purpose::Resolved(about) => Some((about, "it is over")),
            Purpose::Page(_)
            | Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Test
            | Purpose::Word(_) => None,
        };
        let missed = missed.filter(|_| message.tells_a_mirror());
        let Some((about, what)) = missed.filter(|_| is_given_up && self.is_still_so(message))
        else {
            return;
        };
        let user = self.state.users.get(&message.user);
        let whose = user.map_or("somebody who was removed", |user| user.name.as_str());
        let text = format!(
            "{} of {whose} could not be told that {what}: it may ring there until somebody ends it there",
            message.channel.word()
        );
        let incident = self.state.part_of(about);
        self.say(Cause::Event { position }, incident, text);
    }

    /// Whether the news is true at this moment. A person may be told late that something was over; a system would end what has
    /// come back.
    pub(super) fn is_still_so(&self, message: &Notification) -> bool {
        let status = || {
            let incident = self.state.part_of(message.purpose.incident()?);
            let known = self.state.incidents.get(&incident)?;
            Some(known.status)
        };
        match message.purpose {
            Purpose::Acknowledged(_) => status() == Some(Status::Acknowledged),
            Purpose::Resolved(_) if message.channel.mirrors_incidents() => {
                status() == Some(Status::Resolved)
            }
            Purpose::Page(_)
            | Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Resolved(_)
            | Purpose::Test
            | Purpose::Word(_) => true,
        }
    }

    fn plan_for_mirrors(
        &mut self,
        incident: IncidentId,
        news: impl Fn(IncidentId) -> Purpose,
        position: u64,
    ) {
        let about = self.state.made_of(incident);
        let messages = about.iter().flat_map(|one| self.state.messages_about(*one));
        let mut mirrors: Vec<Mirror> = messages
            .filter(|message| opens_a_mirror(message))
            .filter_map(|message| {
                let at = opened_there_at(message)?;
                let about = message.purpose.incident()?;
                let mut later = self.state.messages_about(about);
                let is_told = later.any(|other| {
                    other.purpose == news(about)
                        && other.contact_method == message.contact_method
                        && other.planned_at >= at
                        && !matches!(other.state, Delivery::Cancelled { .. })
                });
                let way = (message.contact_method, message.channel);
                (!is_told).then_some((about, message.user, way.0, way.1))
            })
            .collect();
        mirrors.sort();
        mirrors.dedup();
        for (about, user, method, channel) in mirrors {
            let now = self.now;
            self.plan(
                Cause::Event { position },
                news(about),
                user,
                (method, channel),
                None,
                now,
                "it keeps the incident too".to_owned(),
            );
        }
    }
}

/// Whether the other end opens an incident for it.
fn opens_a_mirror(message: &Notification) -> bool {
    let opens = match message.purpose {
        Purpose::Page(_) | Purpose::Notice(_) | Purpose::Request(_) => true,
        Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => false,
    };
    opens && message.channel.mirrors_incidents()
}

/// When the other end opened an incident for it, or may have: whoever gave no answer, or a bad one, may have taken it all the
/// same, and an end without a beginning is dropped there. None while an attempt is under way, whose outcome tells more.
fn opened_there_at(message: &Notification) -> Option<Timestamp> {
    let mut made = message.attempts.iter().filter(|tried| !tried.not_tried);
    let may_have_come = made.any(|tried| match tried.outcome {
        Some(Outcome::Failed | Outcome::TimedOut | Outcome::Unanswered) => true,
        Some(Outcome::Accepted | Outcome::Refused) | None => false,
    });
    match message.state {
        Delivery::Delivered { at } => Some(at),
        Delivery::Failed { at } | Delivery::Cancelled { at, .. } => may_have_come.then_some(at),
        Delivery::Due { .. } => may_have_come.then_some(message.planned_at),
        Delivery::Together { .. } | Delivery::Sending { .. } => None,
    }
}
