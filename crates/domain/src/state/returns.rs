//! Which failures were over and came back, and which messages are of before that: an answer to such a one says nothing about what
//! fails now. It goes by the positions of events, which no clock sets back, and decides nothing.

use std::collections::BTreeMap;

use super::{MERGES_IN_A_ROW_MAX, State};
use crate::event::IncidentWhat;
use crate::id::{IncidentId, NotificationId, UserId};
use crate::page::{Notification, Purpose};
use crate::people::Urgency;

/// Where each incident came back last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Returns(BTreeMap<IncidentId, Return>);

#[derive(Clone, Debug, PartialEq)]
struct Return {
    position: u64,
    /// What was being sent then is sent on for what fails now, and nothing else is planned by the same way; whoever was asked to help
    /// and has not answered is not asked again.
    goes_on: Vec<NotificationId>,
}

impl Returns {
    /// Takes over what another one knows of an incident.
    pub(super) fn take_over(&mut self, from: &Self, id: IncidentId) {
        if let Some(known) = from.0.get(&id) {
            self.0.insert(id, known.clone());
        }
    }
}

impl State {
    /// Whether an incident, or what it was merged into by then, came back after that position and was decided about anew.
    #[must_use]
    pub fn came_back_since(&self, incident: IncidentId, position: u64) -> bool {
        self.return_since(incident, position).is_some()
    }

    /// Whether a message is of before the failure that it is about came back. Of what wakes nobody none is: it may be told of no more,
    /// and no page is ended by an answer. `seen`: up to which position whoever answers it has
    /// read what became of that; 0 where only the message itself is known to be read.
    #[must_use]
    pub fn is_of_before(&self, message: &Notification, seen: u64) -> bool {
        let about = message.purpose.incident().zip(message.planned_event);
        let about = about.filter(|(incident, _)| {
            let known = self.incidents.get(&self.part_of(*incident));
            known.is_none_or(|known| known.urgency == Urgency::High)
        });
        let returned =
            about.and_then(|(incident, planned)| self.return_since(incident, planned.max(seen)));
        returned.is_some_and(|returned| !returned.goes_on.contains(&message.id))
    }

    fn return_since(&self, incident: IncidentId, position: u64) -> Option<&Return> {
        let (mut part, mut since) = (incident, position);
        // As long as ways of merges are followed at all.
        for _ in 0..=MERGES_IN_A_ROW_MAX {
            let returned = self.returns.0.get(&part);
            if let Some(returned) = returned.filter(|returned| returned.position > since) {
                return Some(returned);
            }
            let into = self.incidents.get(&part)?.merged_into?;
            // What came back there before is nothing that this one was about.
            since = since.max(self.joined_at(part));
            part = into;
        }
        None
    }

    /// A failure came back, and whatever was done about it before does not count for it now.
    pub(super) fn note_return(&mut self, id: IncidentId, what: &IncidentWhat, position: u64) {
        let IncidentWhat::Relapsed {
            reopened,
            pages,
            failing,
            ..
        } = what
        else {
            return;
        };
        if !*reopened && !*pages && failing.is_none() {
            return;
        }
        let parts = self.made_of(id);
        let is_awaited = |user: UserId| {
            let known = parts.iter().filter_map(|part| self.incidents.get(part));
            let mut asked = known.flat_map(|known| &known.responders);
            asked.any(|one| one.user == user && one.answer.is_none())
        };
        let active = parts.iter().flat_map(|part| self.active_about(*part));
        // Pages that are only planned are taken back.
        let active = active.filter(|one| one.purpose.page().is_none() || !one.state.is_planned());
        let about = parts.iter().flat_map(|part| self.messages_about(*part));
        let asked =
            about.filter(|one| matches!(one.purpose, Purpose::Request(_)) && is_awaited(one.user));
        let goes_on = active.chain(asked);
        let goes_on = goes_on.map(|one| one.id).collect();
        self.returns.0.insert(id, Return { position, goes_on });
    }
}
