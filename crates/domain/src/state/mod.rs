//! All that is known now: the fold of every event, in order. It decides nothing.

mod apart;
mod clock;
mod dates;
mod due;
mod duty_watch;
mod faults;
mod firing;
mod fold_acknowledgers;
mod fold_alert;
mod fold_business;
mod fold_incident;
mod fold_intake;
mod fold_message;
mod fold_oncall;
mod fold_people;
mod fold_response;
mod fold_roster;
mod fold_tag;
mod fold_webhook;
mod heard;
mod listed;
mod named;
mod outbox;
mod raising;
mod removed;
mod returns;
mod shared_map;
mod sight;
mod storm;
mod touched;

use std::collections::{BTreeMap, BTreeSet};

pub use clock::KnownClock;
pub use dates::{Dated, Dates, Moment, Revision};
pub use due::Subject;
pub(crate) use due::{Part, Wait};
pub use duty_watch::DutyWatch;
pub use faults::{Broken, PANICS_MAX};
pub use firing::Firing;
pub(crate) use heard::Coming;
pub use listed::{Listed, Listing};
pub(crate) use named::Named;
pub use outbox::Provider;
pub use removed::{REMOVED_POLICIES_MAX, RemovedPolicies};
pub use shared_map::SharedMap;
pub use touched::Touched;

use crate::alert::{Alert, AlertKey, Line, Sender};
use crate::business::BusinessServices;
use crate::calendar::Calendar;
use crate::change::Changes;
use crate::event::{Event, EventBody, IncidentEvent, IncidentWhat, InputEvent, Response};
use crate::id::{
    AlertId, CalendarId, HeartbeatId, IncidentId, IntegrationId, MaintenanceId, MonitorId,
    NotificationId, PolicyId, RuleId, ScheduleId, ServiceId, TargetId, TeamId, UserId, WebhookId,
};
use crate::id_map::{IdMap, IdSet};
use crate::incident::{Assigned, Incident};
use crate::intake::{Pulse, Rule, Window};
use crate::monitor::Monitor;
use crate::oncall::Schedule;
use crate::page::{Notification, Policy};
use crate::people::User;
use crate::service::{Integration, Service};
use crate::tag::Tagged;
use crate::target::Target;
use crate::team::Team;
use crate::time::Timestamp;
use crate::webhook::Subscribed;

/// How often in a row what came of a merge is followed to what that was merged into.
const MERGES_IN_A_ROW_MAX: usize = 1_000;

/// Everything that is known. Two states folded from the same events are equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Position of the last event folded in.
    pub position: u64,
    /// What set-up made, once it was done.
    pub installation: Option<Installation>,
    /// People.
    pub users: BTreeMap<UserId, User>,
    /// Teams.
    pub teams: BTreeMap<TeamId, Team>,
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
    pub incidents: SharedMap<IncidentId, Incident>,
    /// Alerts, firing and over.
    pub alerts: SharedMap<AlertId, Alert>,
    /// Messages, under way and over.
    pub notifications: SharedMap<NotificationId, Notification>,
    /// Incidents by their numbers, each with what lists need of it.
    pub numbers: Listing,
    /// Number of the last incident.
    pub last_number: u64,
    /// Incidents that are not resolved.
    pub open_incidents: IdSet<IncidentId>,
    /// Firing alerts by service, sender and key.
    pub firing: Firing,
    /// Messages that are due or being sent.
    pub active_notifications: IdSet<NotificationId>,
    /// Every message about an incident, in the order they were planned.
    pub messages_of: IdMap<IncidentId, Vec<NotificationId>>,
    /// The last incident of each target, open or over.
    pub last_of_target: BTreeMap<TargetId, IncidentId>,
    /// What was noticed and told about duty and about findings.
    pub duty: DutyWatch,
    /// Calendars that are subscribed to.
    pub calendars: BTreeMap<CalendarId, Calendar>,
    /// The last incident of each rule, and of each alert that is known by its labels, that is about no target, open or over.
    pub last_of_rule: BTreeMap<Line, IncidentId>,
    /// Whose turn is next, on each level (policy, level) that pages one target in turn.
    pub turns: BTreeMap<(PolicyId, usize), usize>,
    /// Rules of the installation, looked at before those of a service.
    pub rules: Vec<Rule>,
    /// How many alerts each rule has thrown away.
    pub dropped: BTreeMap<RuleId, u64>,
    /// Tags by their labels, with what has each.
    pub tags: BTreeMap<String, BTreeSet<Tagged>>,
    /// Business services, and what supports what.
    pub business: BusinessServices,
    /// Maintenance windows.
    pub windows: BTreeMap<MaintenanceId, Window>,
    /// Jobs that must call in, and what was heard of each.
    pub pulses: BTreeMap<HeartbeatId, Pulse>,
    /// The open incidents of each group of alerts of a service that further ones may join, the newest last.
    pub open_of_group: BTreeMap<(ServiceId, String), Vec<IncidentId>>,
    /// Position of the last event that changed each schedule, also one that is removed by now.
    pub schedule_changes: BTreeMap<ScheduleId, u64>,
    /// The same of each policy.
    pub policy_changes: BTreeMap<PolicyId, u64>,
    /// The names of policies that are removed by now, as far as they are remembered.
    pub removed_policies: RemovedPolicies,
    /// When what is set up was made and last changed.
    pub dates: Dates,
    /// When the newest incident of each service was opened.
    pub last_opened: BTreeMap<ServiceId, Timestamp>,
    /// Changes that were told of, as far as they are remembered.
    pub changes: Changes,
    /// Subscriptions to what happens to incidents.
    pub webhooks: BTreeMap<WebhookId, Subscribed>,
    /// What is known of the clock.
    pub clock: KnownClock,
    /// Of the messages that are due or being sent, those about each incident, in the order they were planned.
    active_about: IdMap<IncidentId, Vec<NotificationId>>,
    named_since: named::NamedSince,
    agenda: due::Agenda,
    broken: Option<Broken>,
    heard: heard::Heard,
    outbox: outbox::Outbox,
    raising: raising::Raising,
    returns: returns::Returns,
    storms: storm::Storms,
    tick: due::TickEvents,
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
    /// The names of priorities, the most important first.
    pub priorities: Vec<String>,
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
        self.fires(&key)
    }

    /// Whether something that pages fails at this moment. While it does not, an open incident rests: nobody is paged for what
    /// is over, and what was planned waits for the failure to come back or for the resolve.
    #[must_use]
    pub const fn burns(&self, incident: &Incident) -> bool {
        incident.burning > 0 || (incident.urgent_by_hand && incident.firing > 0)
    }

    /// Whether somebody has to be reached for an incident now.
    #[must_use]
    pub fn wants_pages(&self, incident: &Incident) -> bool {
        incident.is_unanswered() && self.burns(incident)
    }

    /// The people an incident was given to, as long as one of them is there; it follows a policy where none is.
    #[must_use]
    pub fn people_given<'a>(&self, incident: &'a Incident) -> Option<&'a [UserId]> {
        match &incident.assigned {
            Some(Assigned::People(people)) => {
                let is_there = |user: &UserId| self.users.contains_key(user);
                people.iter().any(is_there).then_some(people.as_slice())
            }
            Some(Assigned::Policy(_)) | None => None,
        }
    }

    /// Whose a service is, and what is opened there: its policy's owner, or else the first team.
    #[must_use]
    pub fn team_of(&self, service: &Service) -> TeamId {
        let default = || Some(self.installation.as_ref()?.default_policy);
        let named = service.policy.and_then(|id| self.policies.get(&id));
        let policy = named.or_else(|| self.policies.get(&default()?));
        policy.map_or(service.team, Policy::owner)
    }

    /// The messages about an incident, in the order they were planned.
    pub fn messages_about(&self, incident: IncidentId) -> impl Iterator<Item = &Notification> {
        let ids = self.messages_of.get(&incident).into_iter().flatten();
        ids.filter_map(|id| self.notifications.get(id))
    }

    /// The messages about an incident that are due or being sent, in the order they were planned.
    pub fn active_about(&self, incident: IncidentId) -> impl Iterator<Item = &Notification> {
        let ids = self.active_about.get(&incident).into_iter().flatten();
        ids.filter_map(|id| self.notifications.get(id))
    }

    /// An incident with all that were merged into it, and into those.
    #[must_use]
    pub fn made_of(&self, incident: IncidentId) -> Vec<IncidentId> {
        let mut all = vec![incident];
        let mut next = 0;
        while let Some(id) = all.get(next).copied() {
            let merged = self.incidents.get(&id).map_or(&[][..], |one| &one.merged);
            for source in merged {
                if !all.contains(source) {
                    all.push(*source);
                }
            }
            next += 1;
        }
        all
    }

    /// The incident in which this one goes on; itself, unless it was merged.
    #[must_use]
    pub fn part_of(&self, incident: IncidentId) -> IncidentId {
        let mut id = incident;
        // What is merged was open, so no way leads back; the limit is for a journal that says otherwise.
        for _ in 0..MERGES_IN_A_ROW_MAX {
            let known = self.incidents.get(&id);
            match known.and_then(|known| known.merged_into) {
                Some(into) => id = into,
                None => return id,
            }
        }
        id
    }

    /// Folds one event in. Events come in the order of their positions.
    pub fn evolve(&mut self, event: &Event) {
        self.position = event.position;
        self.clock.seen = event.recorded_at;
        match &event.body {
            EventBody::Installation(what) => self.evolve_installation(what, event.recorded_at),
            EventBody::People(what) => self.evolve_people(what, event),
            EventBody::Roster(what) => self.evolve_roster(what, event),
            EventBody::Watch(what) => self.evolve_watch(what),
            EventBody::Alert(what) => self.evolve_alert(what, event),
            EventBody::Incident(what) => self.evolve_incident(what, event),
            EventBody::Notification(what) => self.evolve_notification(what, event),
            EventBody::Input(InputEvent::Ignored { .. }) => {}
            EventBody::Input(InputEvent::Dropped { rule, .. }) => {
                *self.dropped.entry(*rule).or_default() += 1;
            }
            EventBody::Input(InputEvent::Changed { change }) => {
                self.changes.add(event.position, change);
            }
        }
        self.refresh_due(&event.body);
    }

    fn refresh_due(&mut self, body: &EventBody) {
        match body {
            EventBody::Alert(what) => {
                self.refresh_raising(what.alert());
                self.refresh_incident(what.incident());
                self.refresh_alert(what.alert());
            }
            EventBody::Incident(what) => {
                let moved = merge_of(what).map_or(&[][..], |(_, alerts)| alerts);
                for alert in what.what.alerts().iter().chain(moved) {
                    self.refresh_raising(*alert);
                }
                self.refresh_listed(what.incident);
                self.refresh_incident(what.incident);
                self.refresh_receipts(what.incident);
                if let Some((source, _)) = merge_of(what) {
                    self.refresh_listed(source);
                    self.refresh_incident(source);
                }
            }
            EventBody::Notification(what) => self.refresh_message(what.notification),
            EventBody::Roster(what) => self.refresh_roster(what),
            EventBody::Installation(_)
            | EventBody::People(_)
            | EventBody::Watch(_)
            | EventBody::Input(_) => {}
        }
    }
}

/// What else an event about an incident touches: one that ends in it, with its alerts.
fn merge_of(event: &IncidentEvent) -> Option<(IncidentId, &[AlertId])> {
    let IncidentWhat::Response(Response::Merged { source, alerts, .. }) = &event.what else {
        return None;
    };
    Some((*source, alerts))
}

/// The dedup key of a monitor's alert for a target.
#[must_use]
pub fn monitor_key(monitor: MonitorId, target: TargetId) -> String {
    format!("{monitor}/{target}")
}
