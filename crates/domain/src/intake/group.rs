//! Which incident takes in an alert of a group.

use super::settings::{ALERTS_PER_INCIDENT_MAX, GroupBy};
use crate::bugs::{self, Bug};
use crate::id::{IncidentId, ServiceId, TargetId};
use crate::incident::{Incident, Status};
use crate::people::Urgency;
use crate::state::State;
use crate::time::Timestamp;

/// An alert that has no incident yet.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// The service it is about.
    pub service: ServiceId,
    /// The target it is about.
    pub target: Option<TargetId>,
    /// Its group.
    pub group: &'a str,
    /// How loudly it asks.
    pub urgency: Urgency,
}

impl State {
    /// The open incident that takes in an alert of a group at `now`, as its service groups alerts: the newest that does.
    #[must_use]
    pub fn incident_of_group(&self, newcomer: &Newcomer<'_>, now: Timestamp) -> Option<IncidentId> {
        let group = (newcomer.service, newcomer.group.to_owned());
        let known = self.open_of_group.get(&group)?.iter().rev();
        let grouping = &self.services.get(&newcomer.service)?.intake.grouping;
        let mut known = known.filter_map(|id| self.incidents.get(id));
        let found = known.find(|incident| {
            // Who mutes a target does not mean what others say about its service.
            let is_same = incident.target == newcomer.target;
            is_same
                && self.is_in_time(incident, grouping, now)
                && self.takes_in(incident, newcomer.urgency)
        });
        let found = found.filter(|_| !bugs::on(Bug::GroupForgetsItsIncident));
        found.map(|incident| incident.id)
    }

    /// Whether an incident of a group takes in what comes now, as its service groups alerts.
    fn is_in_time(&self, incident: &Incident, grouping: &GroupBy, now: Timestamp) -> bool {
        match grouping {
            GroupBy::Nothing => false,
            GroupBy::Content { .. } => true,
            GroupBy::Time { within_ms, rolling } => {
                let last = incident.alerts.last();
                let last = last.and_then(|last| self.alerts.get(last));
                let last = last.filter(|_| *rolling);
                let last = last.map(|last| last.heard_at.unwrap_or(last.opened_at));
                let since = last.unwrap_or_else(|| self.since_opening(incident));
                now.ms_since(since) <= *within_ms
            }
        }
    }

    /// Whether an incident takes in an alert that is not of its own target or rule: it is open, has room, and what is urgent is
    /// heard in it.
    pub(crate) fn takes_in(&self, incident: &Incident, urgency: Urgency) -> bool {
        let has_room = incident.alerts.len() < ALERTS_PER_INCIDENT_MAX;
        incident.is_open() && has_room && self.is_heard_in(incident, urgency)
    }

    /// Whether what is urgent is paged for, or was, when it joins this incident. Whoever has taken it took what failed by then, and
    /// would not hear of it. Where somebody was paged for what is over by now, or where one page is enough because it comes and goes,
    /// something new would be lost.
    fn is_heard_in(&self, incident: &Incident, urgency: Urgency) -> bool {
        let is_untaken =
            incident.status == Status::Triggered || bugs::on(Bug::GroupHidesInWhatIsTaken);
        let is_alive = self.burns(incident) || incident.paging.is_none();
        urgency == Urgency::Low || (is_untaken && is_alive && !incident.flapping)
    }
}
