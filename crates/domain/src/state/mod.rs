//! All that is known now: the fold of every event, in order. It decides nothing.

mod fold_incident;
mod fold_roster;

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::{Alert, AlertKey, Sender};
use crate::event::{Event, EventBody, InputEvent};
use crate::id::{
    AlertId, IncidentId, IntegrationId, MonitorId, NotificationId, PolicyId, ScheduleId, ServiceId,
    TargetId, TeamId, UserId,
};
use crate::incident::Incident;
use crate::monitor::Monitor;
use crate::oncall::Schedule;
use crate::page::{Notification, Policy};
use crate::people::{Urgency, User};
use crate::service::{Integration, Service};
use crate::target::Target;

/// Everything that is known. Two states folded from the same events are equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Position of the last event folded in.
    pub position: u64,
    /// What set-up made, once it was done.
    pub installation: Option<Installation>,
    /// People.
    pub users: BTreeMap<UserId, User>,
    /// Services.
    pub services: BTreeMap<ServiceId, Service>,
    /// Integrations.
    pub integrations: BTreeMap<IntegrationId, Integration>,
    /// Schedules.
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// Escalation policies.
    pub policies: BTreeMap<PolicyId, Policy>,
    /// Watched web servers.
    pub targets: BTreeMap<TargetId, Target>,
    /// Monitors.
    pub monitors: BTreeMap<MonitorId, Monitor>,
    /// Incidents, open and over.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// Alerts, firing and over.
    pub alerts: BTreeMap<AlertId, Alert>,
    /// Messages, under way and over.
    pub notifications: BTreeMap<NotificationId, Notification>,
    /// Number of the last incident.
    pub last_number: u64,
    /// Incidents that are not resolved.
    pub open_incidents: BTreeSet<IncidentId>,
    /// Firing alerts by service, sender and key.
    pub firing: BTreeMap<AlertKey, AlertId>,
    /// Messages that are due or being sent.
    pub active_notifications: BTreeSet<NotificationId>,
    /// Messages that a provider took and owes a receipt for.
    pub receipts_owed: BTreeSet<NotificationId>,
    /// Every message about an incident, in the order they were planned.
    pub messages_of: BTreeMap<IncidentId, Vec<NotificationId>>,
    /// The last incident of each target, open or over.
    pub last_of_target: BTreeMap<TargetId, IncidentId>,
    /// The last incident of each rule (service, group, alert's name) that is about no target, open or over.
    pub last_of_rule: BTreeMap<(ServiceId, String, String), IncidentId>,
}

/// What set-up made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The first team.
    pub team: TeamId,
    /// The policy of services that name none.
    pub default_policy: PolicyId,
    /// The service of alerts that name none.
    pub default_service: ServiceId,
    /// Who is paged when a policy is exhausted.
    pub fallback: Vec<UserId>,
}

impl State {
    /// The firing alert of a monitor for a target.
    #[must_use]
    pub fn firing_of(&self, monitor: MonitorId, target: TargetId) -> Option<&Alert> {
        let service = self.targets.get(&target)?.service;
        let key = AlertKey {
            service,
            sender: Sender::Monitor,
            key: monitor_key(monitor, target),
        };
        self.alerts.get(self.firing.get(&key)?)
    }

    /// Whether something that pages fails at this moment. While it does not, an open incident rests: nobody is paged for what
    /// is over, and what was planned waits for the failure to come back or for the resolve.
    #[must_use]
    pub fn burns(&self, incident: &Incident) -> bool {
        let alerts = incident.alerts.iter();
        alerts
            .filter_map(|id| self.alerts.get(id))
            .any(|alert| alert.is_firing() && alert.severity.urgency() == Urgency::High)
    }

    /// Whether somebody has to be reached for an incident now.
    #[must_use]
    pub fn wants_pages(&self, incident: &Incident) -> bool {
        incident.is_unanswered() && self.burns(incident)
    }

    /// The messages about an incident, in the order they were planned.
    pub fn messages_about(&self, incident: IncidentId) -> impl Iterator<Item = &Notification> {
        let ids = self.messages_of.get(&incident).into_iter().flatten();
        ids.filter_map(|id| self.notifications.get(id))
    }

    /// Folds one event in. Events come in the order of their positions.
    pub fn evolve(&mut self, event: &Event) {
        self.position = event.position;
        match &event.body {
            EventBody::Installation(what) => self.evolve_installation(what),
            EventBody::People(what) => self.evolve_people(what, event.at),
            EventBody::Roster(what) => self.evolve_roster(what),
            EventBody::Watch(what) => self.evolve_watch(what),
            EventBody::Alert(what) => self.evolve_alert(what, event.at),
            EventBody::Incident(what) => self.evolve_incident(what, event),
            EventBody::Notification(what) => self.evolve_notification(what, event),
            EventBody::Input(InputEvent::Ignored { .. }) => {}
        }
    }
}

/// The dedup key of a monitor's alert for a target.
#[must_use]
pub fn monitor_key(monitor: MonitorId, target: TargetId) -> String {
    format!("{monitor}/{target}")
}
