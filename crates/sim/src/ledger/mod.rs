//! A second book, kept from the journal's events alone: who may be paged for what, and what is owed. It shares no code with
//! the core's decisions or its state, and checks each event as it comes.

mod clock;
mod due;
mod incident;
mod letter;
mod level;
mod receipt;
mod response;
mod roster;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::event::{AlertEvent, Event, EventBody, InputEvent};
use tocsin_domain::id::{
    AlertId, ContactMethodId, IncidentId, IntegrationId, MaintenanceId, MonitorId, NotificationId,
    PolicyId, ScheduleId, SecretId, ServiceId, TargetId, TeamId, UserId,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Schedule;
use tocsin_domain::page::{Fate, Policy, Purpose};
use tocsin_domain::people::{ChannelKind, Urgency};
use tocsin_domain::time::Timestamp;

use crate::check::{Check, Violation};

/// Everything that the events say.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Position of the last event.
    pub(crate) position: u64,
    pub(crate) people: BTreeMap<UserId, Person>,
    pub(crate) fallback: Vec<UserId>,
    pub(crate) default_policy: Option<PolicyId>,
    pub(crate) policies: BTreeMap<PolicyId, Policy>,
    pub(crate) schedules: BTreeMap<ScheduleId, Schedule>,
    /// With the policy that each names.
    pub(crate) services: BTreeMap<ServiceId, Option<PolicyId>>,
    pub(crate) teams: BTreeMap<TeamId, Vec<UserId>>,
    pub(crate) integrations: BTreeMap<IntegrationId, ServiceId>,
    pub(crate) targets: BTreeMap<TargetId, Target>,
    pub(crate) monitors: BTreeMap<MonitorId, Monitor>,
    alerts: BTreeMap<AlertId, Alert>,
    pub(crate) cases: BTreeMap<IncidentId, Case>,
    pub(crate) open: BTreeSet<IncidentId>,
    pub(crate) letters: BTreeMap<NotificationId, Letter>,
    /// What each message tells along.
    together: BTreeMap<NotificationId, BTreeSet<NotificationId>>,
    /// Positions of events after which another way to the same person may be used.
    given_up: BTreeSet<u64>,
    /// How long a provider asked to be left alone after an attempt, in milliseconds.
    pub(crate) asked_to_wait: BTreeMap<(NotificationId, u32), u64>,
    /// What is due when.
    due: BTreeSet<(Timestamp, Subject)>,
    due_of: BTreeMap<Subject, Timestamp>,
    /// Cases whose present standing is looked at after the step.
    touched: BTreeSet<IncidentId>,
    /// Attempts that were started by the events of this step.
    pub(crate) started: Vec<(NotificationId, u32)>,
    /// Addresses and their owners, removed ones too: an address is never given to another.
    pub(crate) owners: BTreeMap<SecretId, UserId>,
    /// How far the events said that the clock was set back, since this was taken last.
    pub(crate) told_back_ms: u64,
    /// Incidents that were urgent at some time.
    pub(crate) urgent: u64,
    /// After so many events a step may leave what else is owed to the next one.
    step_events: u64,
    /// Position of the last event of the step before.
    stepped_to: u64,
    /// Steps in a row that made so many events.
    full_steps: u32,
    wrong: Vec<Violation>,
}

/// Somebody.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) methods: BTreeMap<ContactMethodId, Method>,
}

/// One way to reach somebody.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) is_verified: bool,
}

/// A watched server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) muted_until: Option<Timestamp>,
    pub(crate) maintenance: BTreeMap<MaintenanceId, (Timestamp, Timestamp)>,
}

/// A monitor.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    pub(crate) slug: String,
    pub(crate) enabled: bool,
    pub(crate) holds: usize,
}

#[derive(Clone, Copy, Debug)]
struct Alert {
    incident: IncidentId,
    severity: Severity,
}

/// An incident.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) number: u64,
    pub(crate) service: ServiceId,
    pub(crate) target: Option<TargetId>,
    pub(crate) standing: Standing,
    /// What it is about, as its events say.
    severity: Severity,
    firing: BTreeMap<AlertId, Severity>,
    /// Whether one of its alerts was one of those that only we may end.
    pub(crate) own_judge: bool,
    healthy_since: Option<Timestamp>,
    /// Since when it is over.
    over_since: Option<Timestamp>,
    pub(crate) wait: Wait,
    /// Position of the level that was reached last.
    level_event: u64,
    /// Who was ever chosen for it: what is under way to somebody may go another way later.
    chosen: BTreeSet<UserId>,
    /// Whether somebody was told to be chosen since it was to be paged for anew, and a provider accepted a page since.
    pub(crate) is_paged: bool,
    is_urgent: bool,
    /// Who did their part, where each must acknowledge.
    spared: BTreeSet<UserId>,
    /// Who took it since it began or was triggered again.
    takers: BTreeSet<UserId>,
    /// When whoever has it is asked again.
    taken_until: Option<Timestamp>,
    snoozed_until: Option<Timestamp>,
    /// A person gave it to others than its service's policy names.
    is_given: bool,
    /// A person said that it is not urgent.
    is_quieted: bool,
    /// A person said that it is.
    is_loud: bool,
    /// It is held back for some time, and not until a time of the day.
    is_flapping: bool,
    /// Others were merged into it.
    is_merged: bool,
    /// It goes on in this one.
    merged_into: Option<IncidentId>,
    /// Pages that are due or under way.
    active: BTreeSet<NotificationId>,
}

/// Who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody.
    Triggered,
    /// Somebody.
    Taken,
    /// It is over.
    Over,
}

/// What comes next for an incident that nobody has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Its first page, at once.
    Nothing,
    /// Its first page, then.
    Hold(Timestamp),
    /// Its page, once its target is no longer quiet or it has stopped to come and go.
    Quiet(Timestamp),
    /// The next level.
    Level {
        level: usize,
        round: u32,
        is_fallback: bool,
        next_at: Timestamp,
    },
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) purpose: Purpose,
    pub(crate) user: UserId,
    pub(crate) method: ContactMethodId,
    pub(crate) attempts: u32,
    planned_at: Timestamp,
    state: LetterState,
    pub(crate) channel: ChannelKind,
    /// What its provider said of the last attempt after it took it.
    receipt: Option<Fate>,
    /// Attempts after which a repeat is right although the provider may have taken it.
    pub(crate) unanswered: u32,
    /// It was taken back while an attempt was under way, whose outcome is still to come.
    is_taken_back: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LetterState {
    Due(Timestamp),
    /// Another message tells it.
    Together(NotificationId),
    Sending(Timestamp),
    /// A provider took it then and owes word of what became of it.
    Owed(Timestamp),
    Over,
}

impl LetterState {
    /// Whether it is not to be sent any more.
    const fn is_over(self) -> bool {
        match self {
            Self::Owed(_) | Self::Over => true,
            Self::Due(_) | Self::Together(_) | Self::Sending(_) => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Case(IncidentId),
    Letter(NotificationId),
}

impl Ledger {
    /// A book of an engine that may leave what else is owed to its next step after so many events.
    pub(crate) fn with_steps_of(events: u64) -> Self {
        Self {
            step_events: events,
            ..Self::default()
        }
    }

    /// Reads one event, in the order of the journal.
    pub(crate) fn see(&mut self, event: &Event) {
        self.position += 1;
        if event.position != self.position {
            let what = format!("event {} stands at place {}", event.position, self.position);
            self.find(Check::Durable, event.recorded_at, what);
        }
        match &event.body {
            EventBody::Installation(what) => self.see_installation(what),
            EventBody::People(what) => self.see_people(what),
            EventBody::Roster(what) => self.see_roster(what, event.at),
            EventBody::Watch(what) => self.see_watch(what),
            EventBody::Alert(what) => self.see_alert(what, event),
            EventBody::Incident(what) => self.see_incident(what, event),
            EventBody::Notification(what) => self.see_letter(what, event),
            EventBody::Input(
                InputEvent::Ignored { .. }
                | InputEvent::Dropped { .. }
                | InputEvent::Changed { .. },
            ) => {}
        }
    }

    /// What was found wrong first.
    pub(crate) fn first_wrong(&self) -> Option<&Violation> {
        self.wrong.first()
    }

    pub(crate) fn find(&mut self, check: Check, at: Timestamp, what: String) {
        self.wrong.push(Violation { check, at, what });
    }

    fn see_alert(&mut self, what: &AlertEvent, event: &Event) {
        let incident = match what {
            AlertEvent::Opened { alert } => {
                let known = Alert {
                    incident: alert.incident,
                    severity: alert.severity,
                };
                self.alerts.insert(alert.id, known);
                if let Some(case) = self.cases.get_mut(&alert.incident) {
                    // Whoever took the others of a storm would not hear of one that joins them.
                    let is_hidden = alert.grouped.is_some()
                        && alert.urgency() == Urgency::High
                        && case.standing == Standing::Taken;
                    case.firing.insert(alert.id, alert.severity);
                    case.own_judge |= alert.source.is_own_judge();
                    case.healthy_since = None;
                    if is_hidden {
                        let what = format!("alert {} joined what somebody has taken", alert.id);
                        self.find(Check::NothingHidden, event.at, what);
                    }
                } else {
                    let what = format!("alert {} has no incident", alert.id);
                    self.find(Check::NothingHidden, event.at, what);
                }
                alert.incident
            }
            AlertEvent::Repeated {
                alert, severity, ..
            } => {
                let Some(known) = self.alerts.get_mut(alert) else {
                    return;
                };
                known.severity = known.severity.max(*severity);
                let (incident, severity) = (known.incident, known.severity);
                if let Some(case) = self.cases.get_mut(&incident) {
                    case.firing.insert(*alert, severity);
                }
                incident
            }
            AlertEvent::Recovered { alert, .. } => {
                let Some(incident) = self.alerts.get(alert).map(|known| known.incident) else {
                    return;
                };
                if let Some(case) = self.cases.get_mut(&incident) {
                    case.firing.remove(alert);
                }
                incident
            }
        };
        self.touch(incident);
    }
}

impl Case {
    /// The worst that fails now.
    fn worst(&self) -> Option<Severity> {
        self.firing.values().copied().max()
    }

    fn burns(&self) -> bool {
        let worst = self.worst();
        worst.is_some_and(|worst| self.is_loud || worst.urgency() == Urgency::High)
    }

    /// Whether somebody has to be reached for it now.
    pub(crate) fn is_wanting(&self) -> bool {
        self.burns() && self.is_unanswered()
    }

    /// Whether nobody has it and nothing holds its pages back; it may be healthy at this moment.
    fn is_unanswered(&self) -> bool {
        let is_quiet = self.is_quieted || matches!(self.wait, Wait::Quiet(_));
        self.standing == Standing::Triggered && !is_quiet
    }
}

impl Person {
    pub(crate) fn is_reachable(&self) -> bool {
        self.methods.values().any(|method| method.is_verified)
    }
}
