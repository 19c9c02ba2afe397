//! Folds events about alerts, incidents and messages.

use super::State;
use crate::alert::AlertSource;
use crate::event::{
    AlertEvent, Event, IncidentEvent, IncidentWhat, NotificationEvent, NotificationWhat,
};
use crate::id::NotificationId;
use crate::incident::{Incident, Paging, Status};
use crate::page::{Attempt, Delivery, Fate, Notification, Outcome, Receipt};
use crate::time::Timestamp;

impl State {
    pub(super) fn evolve_alert(&mut self, event: &AlertEvent, at: Timestamp) {
        match event {
            AlertEvent::Opened { alert } => {
                self.firing.insert(alert.key(), alert.id);
                if let (None, AlertSource::Rule { group, rule }) = (alert.target, &alert.source) {
                    let of = (alert.service, group.clone(), rule.clone());
                    self.last_of_rule.insert(of, alert.incident);
                }
                if let Some(incident) = self.incidents.get_mut(&alert.incident) {
                    incident.alerts.push(alert.id);
                    incident.healthy_since = None;
                }
                self.alerts.insert(alert.id, (**alert).clone());
            }
            AlertEvent::Repeated {
                alert, severity, ..
            } => {
                if let Some(alert) = self.alerts.get_mut(alert) {
                    alert.repeats += 1;
                    alert.severity = alert.severity.max(*severity);
                }
            }
            AlertEvent::Recovered { alert, .. } => {
                if let Some(alert) = self.alerts.get_mut(alert) {
                    alert.recovered_at = Some(at);
                    self.firing.remove(&alert.key());
                }
            }
        }
    }

    pub(super) fn evolve_incident(&mut self, event: &IncidentEvent, envelope: &Event) {
        let at = envelope.at;
        if let IncidentWhat::Opened {
            number,
            team,
            service,
            target,
            title,
            severity,
            onset,
        } = &event.what
        {
            let incident = Incident {
                id: event.incident,
                number: *number,
                team: *team,
                service: *service,
                target: *target,
                title: title.clone(),
                status: Status::Triggered,
                urgency: severity.urgency(),
                severity: *severity,
                opened_at: at,
                onset: onset.clone(),
                alerts: Vec::new(),
                hold: None,
                suppressed: None,
                flapping: false,
                paging: None,
                paged_at: None,
                paged_severity: None,
                acknowledged: None,
                healthy_since: None,
                resolved_at: None,
                relapses: 0,
                evidence: None,
                paging_event: envelope.position,
            };
            self.last_number = *number;
            self.open_incidents.insert(event.incident);
            if let Some(target) = target {
                self.last_of_target.insert(*target, event.incident);
            }
            self.incidents.insert(event.incident, incident);
            return;
        }
        let Some(incident) = self.incidents.get_mut(&event.incident) else {
            return;
        };
        fold_open_incident(incident, &event.what, at);
        if bears_on_paging(&event.what) {
            incident.paging_event = envelope.position;
        }
        if incident.is_open() {
            self.open_incidents.insert(event.incident);
        } else {
            self.open_incidents.remove(&event.incident);
        }
    }

    pub(super) fn evolve_notification(&mut self, event: &NotificationEvent, envelope: &Event) {
        let at = envelope.at;
        let id = event.notification;
        if let NotificationWhat::Planned { message } = &event.what {
            self.active_notifications.insert(id);
            if let Some(incident) = message.purpose.incident() {
                self.messages_of.entry(incident).or_default().push(id);
            }
            let message = Notification {
                last_event: envelope.position,
                ..message.clone()
            };
            self.notifications.insert(id, message);
            return;
        }
        let Some(message) = self.notifications.get_mut(&id) else {
            return;
        };
        message.last_event = envelope.position;
        match &event.what {
            NotificationWhat::Planned { .. } => {}
            NotificationWhat::Advanced { due_at, .. } => {
                message.state = Delivery::Due { at: *due_at }
            }
            NotificationWhat::AttemptStarted { number } => {
                message.state = Delivery::Sending { since: at };
                message.attempts.push(Attempt::begun(*number, at));
            }
            NotificationWhat::AttemptFinished {
                number,
                outcome,
                detail,
                retry_at,
                reference,
            } => {
                if let Some(attempt) = attempt_of(message, *number) {
                    attempt.finished_at = Some(at);
                    attempt.outcome = Some(*outcome);
                    attempt.detail.clone_from(detail);
                    attempt.reference.clone_from(reference);
                }
                message.state = after_attempt(message, *outcome, *retry_at, at);
            }
            NotificationWhat::Receipt {
                number,
                fate,
                detail,
            } => fold_receipt(message, *number, *fate, detail, at),
            NotificationWhat::Cancelled { why } => {
                message.state = Delivery::Cancelled {
                    at,
                    why: why.clone(),
                }
            }
        }
        let active = match message.state {
            Delivery::Due { .. } | Delivery::Sending { .. } => true,
            Delivery::Delivered { .. } | Delivery::Failed { .. } | Delivery::Cancelled { .. } => {
                false
            }
        };
        let owed = message.receipt_owed_since().is_some();
        self.set_active(id, active);
        if owed {
            self.receipts_owed.insert(id);
        } else {
            self.receipts_owed.remove(&id);
        }
    }

    fn set_active(&mut self, id: NotificationId, active: bool) {
        if active {
            self.active_notifications.insert(id);
        } else {
            self.active_notifications.remove(&id);
        }
    }
}

/// Where a message stands after an attempt. What was taken may be known to be lost already.
fn after_attempt(
    message: &Notification,
    outcome: Outcome,
    retry_at: Option<Timestamp>,
    at: Timestamp,
) -> Delivery {
    let lost = message.attempts.last().is_some_and(Attempt::is_lost);
    match (outcome, retry_at) {
        (Outcome::Accepted, _) if lost => Delivery::Failed { at },
        (Outcome::Accepted, _) => Delivery::Delivered { at },
        (_, Some(due)) => Delivery::Due { at: due },
        (_, None) => Delivery::Failed { at },
    }
}

fn attempt_of(message: &mut Notification, number: u32) -> Option<&mut Attempt> {
    message
        .attempts
        .iter_mut()
        .find(|attempt| attempt.number == number)
}

/// A page whose last attempt was lost after all has not arrived; one that was found again has.
fn fold_receipt(message: &mut Notification, number: u32, fate: Fate, detail: &str, at: Timestamp) {
    let is_last = message.attempts.last().map(|last| last.number) == Some(number);
    if let Some(attempt) = attempt_of(message, number) {
        attempt.receipt = Some(Receipt {
            at,
            fate,
            detail: detail.to_owned(),
        });
    }
    message.state = match &message.state {
        Delivery::Delivered { .. } if is_last && fate.is_loss() => Delivery::Failed { at },
        Delivery::Failed { .. } if !fate.is_loss() => Delivery::Delivered { at },
        Delivery::Due { .. }
        | Delivery::Sending { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => return,
    };
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each thing that can happen"
)]
fn fold_open_incident(incident: &mut Incident, what: &IncidentWhat, at: Timestamp) {
    match what {
        IncidentWhat::Opened { .. } | IncidentWhat::NoteAdded { .. } => {}
        IncidentWhat::Raised {
            title,
            severity,
            urgency,
            onset,
        } => {
            incident.title.clone_from(title);
            incident.severity = *severity;
            incident.urgency = *urgency;
            incident.onset.clone_from(onset);
            // What was acknowledged was something lesser.
            page_anew(incident);
        }
        IncidentWhat::PageHeld { hold } => incident.hold = Some(hold.clone()),
        IncidentWhat::PageSuppressed {
            why,
            until,
            flapping,
        } => {
            incident.hold = None;
            incident.paging = None;
            incident.suppressed = Some((why.clone(), *until));
            incident.flapping = *flapping;
        }
        IncidentWhat::LevelReached {
            policy,
            level,
            round,
            recipients,
            next_at,
            ..
        } => {
            let paging = Paging {
                policy: *policy,
                level: *level,
                round: *round,
                next_at: Some(*next_at),
                exhausted: false,
                recipients: recipients.clone(),
                reached_at: at,
                circle: 0,
            };
            start_paging(incident, paging, at);
        }
        IncidentWhat::FallbackReached {
            recipients,
            next_at,
            circle,
            ..
        } => {
            let before = incident.paging.as_ref();
            // A wider circle adds to the round, so that nobody is asked twice in it.
            let widened = before.filter(|paging| paging.exhausted && *circle > 0);
            let mut asked = widened.map_or_else(Vec::new, |paging| paging.recipients.clone());
            asked.extend(recipients);
            let paging = Paging {
                policy: before.and_then(|paging| paging.policy),
                level: before.map_or(0, |paging| paging.level),
                round: before.map_or(0, |paging| paging.round),
                next_at: Some(*next_at),
                exhausted: true,
                recipients: asked,
                reached_at: at,
                circle: *circle,
            };
            start_paging(incident, paging, at);
        }
        IncidentWhat::Acknowledged { by } => {
            incident.status = Status::Acknowledged;
            incident.acknowledged = Some((*by, at));
            incident.hold = None;
            stop_escalation(incident);
        }
        IncidentWhat::Recovered => incident.healthy_since = Some(at),
        IncidentWhat::Relapsed {
            reopened,
            pages,
            urgent,
            failing,
        } => {
            incident.relapses += u32::from(*urgent);
            incident.healthy_since = None;
            incident.resolved_at = None;
            if let Some(failing) = failing {
                incident.title.clone_from(&failing.title);
                incident.severity = failing.severity;
                incident.urgency = failing.severity.urgency();
                incident.onset.clone_from(&failing.onset);
            }
            if *reopened || *pages || failing.is_some() {
                incident.evidence = None;
                // A reason to wait was one of the failure before.
                incident.hold = None;
                page_anew(incident);
            }
        }
        IncidentWhat::Resolved { .. } => {
            incident.status = Status::Resolved;
            incident.resolved_at = Some(at);
            incident.hold = None;
            stop_escalation(incident);
        }
        IncidentWhat::EvidenceFrozen { sha256, .. } => incident.evidence = Some(sha256.clone()),
    }
}

/// Whatever was done about something lesser or earlier does not count for what fails now.
fn page_anew(incident: &mut Incident) {
    incident.status = Status::Triggered;
    incident.acknowledged = None;
    incident.paging = None;
    incident.suppressed = None;
    incident.flapping = false;
}

fn start_paging(incident: &mut Incident, paging: Paging, at: Timestamp) {
    incident.hold = None;
    incident.suppressed = None;
    incident.flapping = false;
    incident.paged_severity = incident.paged_severity.max(Some(incident.severity));
    incident.paged_at = incident.paged_at.or(Some(at));
    incident.paging = Some(paging);
}

fn stop_escalation(incident: &mut Incident) {
    if let Some(paging) = &mut incident.paging {
        paging.next_at = None;
    }
}

/// Whether the next page, if there is one, follows from this.
const fn bears_on_paging(what: &IncidentWhat) -> bool {
    match what {
        IncidentWhat::Opened { .. }
        | IncidentWhat::Raised { .. }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::LevelReached { .. }
        | IncidentWhat::FallbackReached { .. }
        | IncidentWhat::Relapsed { .. } => true,
        IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered
        | IncidentWhat::Resolved { .. }
        | IncidentWhat::EvidenceFrozen { .. } => false,
    }
}
