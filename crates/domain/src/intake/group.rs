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
    /// The open incident that takes in an alert of a group at `now`, as its service groups alerts.
    #[must_use]
    pub fn incident_of_group(&self, newcomer: &Newcomer<'_>, now: Timestamp) -> Option<IncidentId> {
        let group = (newcomer.service, newcomer.group.to_owned());
        let incident = self.incidents.get(self.last_of_group.get(&group)?)?;
        let service = self.services.get(&newcomer.service)?;
        let is_in_time = match &service.intake.grouping {
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
        };
        // Who mutes a target does not mean what others say about its service.
        let is_same = incident.target == newcomer.target;
        let is_found = is_in_time && is_same && !bugs::on(Bug::GroupForgetsItsIncident);
        let joins = is_found && self.takes_in(incident, newcomer.urgency);
        joins.then_some(incident.id)
    }

    /// Whether an incident takes in an alert that is not of its own target or rule: it is open, has room, and what is urgent is
    /// heard in it.
    pub(crate) fn takes_in(&self, incident: &Incident, urgency: Urgency) -> bool {
        let has_room = incident.alerts.len() < ALERTS_PER_INCIDENT_MAX;
        incident.is_open() && has_room && self.is_heard_in(incident, urgency)
    }

    /// Whether what is urgent is paged for, or was, when it joins this incident. Where somebody was paged for what is over by
    /// now, or where one page is enough because it comes and goes, something new would be lost.
    fn is_heard_in(&self, incident: &Incident, urgency: Urgency) -> bool {
        let is_fresh = incident.status == Status::Triggered && incident.paging.is_none();
        let is_alive = self.burns(incident) || is_fresh;
        urgency == Urgency::Low || (is_alive && !incident.flapping)
    }
}
