//! When something is to be done without anybody asking, derived from the state by every event and kept in order. Nothing here
//! does it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::alert::{Alert, AlertSource};
use crate::bugs::{self, Bug};
use crate::event::{IntakeEvent, RosterEvent};
use crate::id::{AlertId, HeartbeatId, IncidentId, NotificationId, ServiceId};
use crate::id_map::{IdMap, Spread};
use crate::incident::{Incident, RESOLVE_AFTER_HEALTHY_MS, Status};
use crate::monitor::Severity;
use crate::page::{ATTEMPT_DEADLINE_MS, Delivery, Notification, RECEIPT_WAIT_MS};
use crate::people::Urgency;
use crate::time::Timestamp;

/// Due now, whatever the clock says: one that was set back must not hold up a first page.
const AT_ONCE: Timestamp = Timestamp::from_micros(i64::MIN);

/// Events after which a tick leaves what else is due to the next one: what was decided first is on its way meanwhile.
const TICK_EVENTS: u64 = 1_000;

/// What something is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An incident: its next page, or its end.
    Incident(IncidentId),
    /// A message: its next attempt, or the end of the wait for an answer.
    Message(NotificationId),
    /// An alert from outside: the end of the wait for news of it.
    Alert(AlertId),
    /// A heartbeat: a missed call.
    Heartbeat(HeartbeatId),
    /// A message that a provider took: the end of the wait for its receipt.
    Receipt(NotificationId),
}

/// What is done one after the other while much is due, each with a share of its own, so that none of them holds up another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Alerts and heartbeats of which nothing is heard.
    Intake,
    Incidents,
    Messages,
    Receipts,
}

impl Part {
    /// All of them, in the order in which they are done.
    pub(crate) const ALL: [Self; 4] = [
        Self::Intake,
        Self::Incidents,
        Self::Messages,
        Self::Receipts,
    ];
}

impl Subject {
    const fn part(self) -> Part {
        match self {
            Self::Alert(_) | Self::Heartbeat(_) => Part::Intake,
            Self::Incident(_) => Part::Incidents,
            Self::Message(_) => Part::Messages,
            Self::Receipt(_) => Part::Receipts,
        }
    }
}

/// What an incident waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Resolve,
    FirstPage,
    NextLevel,
    SameLevel,
    EndOfQuiet,
    /// The end of quiet of what wakes nobody.
    QuietNotice,
    EndOfSnooze,
    EndOfAcknowledgement,
    SupportHours,
}

/// How many events a tick makes before it leaves what else is due to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TickEvents(u64);

impl Default for TickEvents {
    fn default() -> Self {
        Self(TICK_EVENTS)
    }
}

/// What is done in one go: the worst comes first.
type Lane = (Part, Reverse<Severity>);

/// Everything that is due some time, by when. It is an index: the state without it says the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Agenda {
    /// None of them is empty.
    lanes: BTreeMap<Lane, BTreeSet<(Timestamp, Subject)>>,
    incidents: IdMap<IncidentId, Due>,
    messages: IdMap<NotificationId, Due>,
    /// Few alerts wait for anything: whether one does is mostly asked of an empty map.
    alerts: IdMap<AlertId, Due>,
    heartbeats: IdMap<HeartbeatId, Due>,
    receipts: IdMap<NotificationId, Due>,
    /// What is left alone, with how many decisions about it have ended in a panic. None of it is in any of the others.
    aside: BTreeMap<Subject, u32>,
}

/// By when, and how bad it is.
type Due = (Timestamp, Severity);

impl Agenda {
    fn of(&self, subject: Subject) -> Option<Due> {
        let due = match subject {
            Subject::Incident(id) => self.incidents.get(&id),
            Subject::Message(id) => self.messages.get(&id),
            Subject::Alert(id) => self.alerts.get(&id),
            Subject::Heartbeat(id) => self.heartbeats.get(&id),
            Subject::Receipt(id) => self.receipts.get(&id),
        };
        due.copied()
    }

    /// Nothing is due for it until it is taken back.
    pub(super) fn set_aside(&mut self, subject: Subject, panics: u32) {
        self.aside.insert(subject, panics);
        self.set(subject, None);
    }

    /// It is due again once it is set.
    pub(super) fn take_back(&mut self, subject: Subject) {
        self.aside.remove(&subject);
    }

    /// How many decisions have made it be left alone; none when it is not.
    pub(super) fn panics_of(&self, subject: Subject) -> u32 {
        self.aside.get(&subject).copied().unwrap_or_default()
    }

    pub(super) fn aside(&self) -> impl Iterator<Item = Subject> {
        self.aside.keys().copied()
    }

    fn set(&mut self, subject: Subject, due: Option<Due>) {
        let due = due.filter(|_| !self.aside.contains_key(&subject));
        let before = match subject {
            Subject::Incident(id) => exchange(&mut self.incidents, id, due),
            Subject::Message(id) => exchange(&mut self.messages, id, due),
            Subject::Alert(id) => exchange(&mut self.alerts, id, due),
            Subject::Heartbeat(id) => exchange(&mut self.heartbeats, id, due),
            Subject::Receipt(id) => exchange(&mut self.receipts, id, due),
        };
        if before == due {
            return;
        }
        if let Some((at, severity)) = before {
            let lane = (subject.part(), Reverse(severity));
            if let Some(queue) = self.lanes.get_mut(&lane) {
                queue.remove(&(at, subject));
                if queue.is_empty() {
                    self.lanes.remove(&lane);
                }
            }
        }
        if let Some((at, severity)) = due {
            let lane = (subject.part(), Reverse(severity));
            self.lanes.entry(lane).or_default().insert((at, subject));
        }
    }
}

/// Puts a value, or none, in the place of another.
fn exchange<K: Spread, V>(map: &mut IdMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    }
}

impl State {
    /// A state in which nothing has happened, and whose ticks leave what else is due to the next one after so many events.
    #[must_use]
    pub fn with_ticks_of(events: u64) -> Self {
        Self {
            tick: TickEvents(events),
            ..Self::default()
        }
    }

    /// After how many events a tick leaves what else is due to the next one.
    #[must_use]
    pub const fn tick_events(&self) -> u64 {
        self.tick.0
    }

    /// The next instant at which something is to be done; `None` when nothing is.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let ignores_messages = bugs::on(Bug::NextDueIgnoresMessages);
        let lanes = self.agenda.lanes.iter();
        let lanes = lanes.filter(|((part, _), _)| !ignores_messages || *part == Part::Incidents);
        let first = lanes.filter_map(|(_, queue)| queue.first());
        first.map(|(at, _)| *at).min()
    }

    /// What is due of one part at `now`: the worst first, and of that the longest due.
    pub(crate) fn due_of(&self, part: Part, now: Timestamp) -> impl Iterator<Item = Subject> {
        let (worst, least) = (Severity::Critical, Severity::Info);
        let lanes = (part, Reverse(worst))..=(part, Reverse(least));
        let lanes = self.agenda.lanes.range(lanes);
        let due = lanes.flat_map(move |(_, queue)| {
            let queue = queue.iter();
            queue.take_while(move |(at, _)| *at <= now)
        });
        due.map(|(_, subject)| *subject)
    }

    /// Whether something is to be done about it at `now`.
    pub(crate) fn is_due(&self, subject: Subject, now: Timestamp) -> bool {
        let due = self.agenda.of(subject);
        due.is_some_and(|(at, _)| at <= now)
    }

    /// Messages that a provider took and owes a receipt for.
    pub fn receipts_owed(&self) -> impl Iterator<Item = NotificationId> {
        self.agenda.receipts.keys().rev().copied()
    }

    /// What an incident waits for, and until when.
    pub(crate) fn wait_of(&self, incident: &Incident) -> Option<(Timestamp, Wait)> {
        if !incident.is_open() {
            return None;
        }
        if let Some(since) = incident.healthy_since {
            return Some((since.plus_ms(RESOLVE_AFTER_HEALTHY_MS), Wait::Resolve));
        }
        let raised = self.raised_at(incident).map(|at| (at, Wait::SupportHours));
        let own = self.own_wait_of(incident);
        [own, raised]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// What an incident waits for by itself.
    fn own_wait_of(&self, incident: &Incident) -> Option<(Timestamp, Wait)> {
        if let Some(until) = incident.snoozed_until {
            return Some((until, Wait::EndOfSnooze));
        }
        if let Some(until) = incident.told_after_quiet_at() {
            return Some((until, Wait::QuietNotice));
        }
        if incident.status == Status::Acknowledged {
            let still_fails = match incident.urgency {
                Urgency::High => self.burns(incident),
                // What wakes nobody is told anew.
                Urgency::Low => incident.firing > 0,
            };
            let ends_at = incident.acknowledgement_ends_at.filter(|_| still_fails);
            return ends_at.map(|at| (at, Wait::EndOfAcknowledgement));
        }
        if incident.urgency != Urgency::High || !self.burns(incident) {
            return None;
        }
        if let Some(hold) = &incident.hold {
            return (!bugs::on(Bug::HoldNeverEnds)).then_some((hold.until, Wait::FirstPage));
        }
        if let Some((_, until)) = &incident.suppressed {
            return (!bugs::on(Bug::MuteNeverEnds)).then_some((*until, Wait::EndOfQuiet));
        }
        match &incident.paging {
            None => Some((AT_ONCE, Wait::FirstPage)),
            Some(paging) if paging.again => paging.next_at.map(|at| (at, Wait::SameLevel)),
            Some(paging) => paging.next_at.map(|at| (at, Wait::NextLevel)),
        }
    }

    /// When an alert from outside is taken to be over, unless there is news of it.
    pub(crate) fn alert_due(&self, alert: &Alert) -> Option<Timestamp> {
        let is_outside = match alert.source {
            AlertSource::EventsV2 { .. } | AlertSource::Api | AlertSource::Alertmanager { .. } => {
                true
            }
            AlertSource::Monitor { .. }
            | AlertSource::Rule { .. }
            | AlertSource::Heartbeat { .. } => false,
        };
        if !is_outside || !alert.is_firing() {
            return None;
        }
        let service = self.services.get(&alert.service)?;
        let heard_at = alert.heard_at.unwrap_or(alert.opened_at);
        let silent_at = service.intake.resolve_after_ms;
        let silent_at = silent_at.map(|after_ms| heard_at.plus_ms(after_ms));
        alert.ends_at.into_iter().chain(silent_at).min()
    }

    /// When something is to be done about a message.
    pub(crate) fn message_due(&self, message: &Notification) -> Option<Timestamp> {
        match &message.state {
            Delivery::Due { .. } if self.rests(message) => None,
            Delivery::Due { at } => Some(*at),
            Delivery::Sending { since } => Some(since.plus_ms(ATTEMPT_DEADLINE_MS)),
            Delivery::Together { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. }
            | Delivery::Cancelled { .. } => None,
        }
    }

    /// When the receipt of a message counts as lost.
    fn receipt_due(message: &Notification) -> Option<Timestamp> {
        let owed_since = message.receipt_owed_since()?;
        Some(owed_since.plus_ms(RECEIPT_WAIT_MS))
    }

    /// Whether it is a page for what does not fail at this moment, but may be back before it is resolved. What others are told
    /// by does not rest.
    fn rests(&self, message: &Notification) -> bool {
        let incident = message.purpose.page();
        let known = incident.and_then(|incident| self.incidents.get(&incident));
        known.is_some_and(|known| known.is_unanswered() && !self.burns(known))
            && !self.tells_along(message.id)
    }

    /// Puts an incident and the messages about it where they belong now.
    pub(super) fn refresh_incident(&mut self, id: IncidentId) {
        let known = self.incidents.get(&id);
        let due = known.and_then(|incident| Some((self.wait_of(incident)?.0, incident.severity)));
        self.agenda.set(Subject::Incident(id), due);
        for message in self.active_about.get(&id).cloned().unwrap_or_default() {
            self.refresh_message(message);
        }
    }

    /// Puts the messages about an incident of which a receipt is owed where they belong now: it may have become worse.
    pub(super) fn refresh_receipts(&mut self, id: IncidentId) {
        if self.agenda.receipts.is_empty() {
            return;
        }
        let messages = self.messages_of.get(&id).into_iter().flatten();
        let owed = messages.filter(|message| self.agenda.receipts.contains_key(*message));
        for message in owed.copied().collect::<Vec<NotificationId>>() {
            self.refresh_message(message);
        }
    }

    /// Puts an alert, and the heartbeat that it is of, where they belong now.
    pub(super) fn refresh_alert(&mut self, id: AlertId) {
        let alert = self.alerts.get(&id);
        let at = alert.and_then(|alert| self.alert_due(alert));
        let source = alert.map(|alert| &alert.source);
        if let Some(AlertSource::Heartbeat { heartbeat }) = source {
            self.refresh_heartbeat(*heartbeat);
        }
        // It is about to be over: nobody is waiting for that.
        self.agenda
            .set(Subject::Alert(id), at.map(|at| (at, Severity::Info)));
    }

    pub(super) fn refresh_heartbeat(&mut self, id: HeartbeatId) {
        let pulse = self.pulses.get(&id);
        let severity = pulse.map(|pulse| pulse.heartbeat.severity);
        let due = self.heartbeat_due(id).zip(severity);
        self.agenda.set(Subject::Heartbeat(id), due);
    }

    /// Puts where it belongs whatever waits as a service or a heartbeat says.
    pub(super) fn refresh_roster(&mut self, event: &RosterEvent) {
        match event {
            RosterEvent::ServiceSet { service } => self.refresh_service(service.id),
            RosterEvent::Intake(
                IntakeEvent::HeartbeatRemoved { heartbeat }
                | IntakeEvent::HeartbeatCalled { heartbeat }
                | IntakeEvent::HeartbeatStarted { heartbeat }
                | IntakeEvent::HeartbeatFailed { heartbeat, .. },
            ) => self.refresh_heartbeat(*heartbeat),
            RosterEvent::Intake(IntakeEvent::HeartbeatSet { heartbeat }) => {
                self.refresh_heartbeat(heartbeat.id);
            }
            RosterEvent::Intake(IntakeEvent::HeartbeatsSpared { heartbeats }) => {
                for heartbeat in heartbeats {
                    self.refresh_heartbeat(*heartbeat);
                }
            }
            RosterEvent::Intake(IntakeEvent::AlertsSpared { alerts, .. }) => {
                for alert in alerts {
                    self.refresh_alert(*alert);
                }
            }
            RosterEvent::Intake(
                IntakeEvent::RulesSet { .. }
                | IntakeEvent::WindowSet { .. }
                | IntakeEvent::WindowEnded { .. }
                | IntakeEvent::WindowRemoved { .. },
            )
            | RosterEvent::ScheduleSet { .. }
            | RosterEvent::ScheduleRemoved { .. }
            | RosterEvent::PolicySet { .. }
            | RosterEvent::PolicyRemoved { .. }
            | RosterEvent::ServiceRemoved { .. }
            | RosterEvent::IntegrationAdded { .. }
            | RosterEvent::IntegrationChanged { .. }
            | RosterEvent::IntegrationRemoved { .. }
            | RosterEvent::Oncall { .. }
            | RosterEvent::TeamSet { .. }
            | RosterEvent::TeamRemoved { .. }
            | RosterEvent::Webhook(_)
            | RosterEvent::Tag(_)
            | RosterEvent::Business(_) => {}
        }
    }

    fn refresh_service(&mut self, id: ServiceId) {
        let firing: Vec<AlertId> = self.firing.of(id, None).copied().collect();
        for alert in &firing {
            self.refresh_raising(*alert);
        }
        let open = self.open_incidents.iter();
        // What was merged may hold alerts of any service.
        let of_service = open.copied().filter(|open| {
            let known = self.incidents.get(open);
            known.is_some_and(|one| one.service == id || !one.merged.is_empty())
        });
        for incident in of_service.collect::<Vec<IncidentId>>() {
            self.refresh_incident(incident);
        }
        for alert in firing {
            self.refresh_alert(alert);
        }
    }

    /// Puts a message where it belongs now.
    pub(super) fn refresh_message(&mut self, id: NotificationId) {
        let message = self.notifications.get(&id);
        let severity = message.map(|message| self.severity_of(message));
        let due = message.and_then(|message| self.message_due(message));
        let receipt_due = message.and_then(Self::receipt_due);
        self.agenda.set(Subject::Message(id), due.zip(severity));
        self.agenda
            .set(Subject::Receipt(id), receipt_due.zip(severity));
    }

    /// How bad is what somebody has to be reached for by it; what reaches nobody comes after all that does.
    fn severity_of(&self, message: &Notification) -> Severity {
        let incident = message.purpose.reaches();
        let incident = incident.and_then(|incident| self.incidents.get(&incident));
        incident.map_or(Severity::Info, |incident| incident.severity)
    }
}
