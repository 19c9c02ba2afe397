//! Folds events about alerts.

use std::sync::Arc;

use super::State;
use crate::alert::Alert;
use crate::event::{AlertEvent, Event, Reworded};
use crate::id::AlertId;
use crate::time::Timestamp;

impl State {
    pub(super) fn evolve_alert(&mut self, event: &AlertEvent, envelope: &Event) {
        let at = envelope.at;
        let set_back_ms = self.clock.set_back_by(at, envelope.recorded_at);
        let before = match event {
            AlertEvent::Opened { .. } => None,
            AlertEvent::Repeated { alert, .. } | AlertEvent::Recovered { alert, .. } => {
                self.alerts.get(alert).map(counts_of)
            }
        };
        match event {
            AlertEvent::Opened { alert } => self.open_alert(alert, set_back_ms),
            AlertEvent::Repeated {
                alert,
                severity,
                urgency,
                judged,
                ends_at,
                details,
                sent_details,
                hold,
                summary,
                reworded,
                ..
            } => {
                if let Some(alert) = self.alerts.get_mut(alert) {
                    let said = urgency.unwrap_or(severity.urgency());
                    let before = alert.urgency();
                    let loudest = before.max(said);
                    match reworded {
                        None => alert.repeats += 1,
                        Some(Reworded::Title) => alert.title.clone_from(summary),
                        Some(Reworded::Summary) => alert.summary.clone_from(summary),
                        Some(Reworded::Severity) => {}
                    }
                    alert.severity = alert.severity.max(*severity);
                    alert.set_urgency(loudest);
                    alert.heard_at = Some(at);
                    alert.ends_at = *ends_at;
                    if let Some(details) = details {
                        alert.details = details.as_slice().into();
                        alert.sent_details.clone_from(sent_details);
                    }
                    if let Some(hold) = hold {
                        alert.hold = (hold.until > at).then(|| hold.clone());
                    }
                    if loudest > before {
                        // What was made of it when it was less loud is the reason no more.
                        alert.judged.clone_from(judged);
                    }
                }
            }
            AlertEvent::Recovered {
                alert,
                incident,
                closed,
                ..
            } => {
                if let (Some(why), Some(incident)) = (closed, self.incidents.get_mut(incident)) {
                    incident.closed = Some(why.clone());
                }
                self.end_alert(*alert, at, set_back_ms);
            }
        }
        self.count_alert(event, before.unwrap_or_default());
    }

    fn open_alert(&mut self, alert: &Arc<Alert>, set_back_ms: u64) {
        self.firing.insert(alert, &self.alerts);
        let line = alert.source.line(alert.service, &alert.dedup_key);
        if let (None, Some(line)) = (alert.target, line) {
            self.last_of_rule.insert(line, alert.incident);
        }
        if let Some(incident) = self.incidents.get_mut(&alert.incident) {
            incident.alerts.push(alert.id);
            incident.healthy_since = None;
        }
        self.fold_group(alert);
        let mut known = Arc::clone(alert);
        if set_back_ms > 0 {
            Arc::make_mut(&mut known).set_back_ms = set_back_ms;
        }
        self.alerts.hold(alert.id, known);
    }

    fn end_alert(&mut self, id: AlertId, at: Timestamp, set_back_ms: u64) {
        if let Some(alert) = self.alerts.get_mut(&id) {
            alert.recovered_at = Some(at);
            alert.set_back_ms = set_back_ms;
            self.firing.remove(alert);
        }
    }

    /// Keeps count of what fails in an incident; `before` is what this alert was counted as.
    fn count_alert(&mut self, event: &AlertEvent, before: (u32, u32)) {
        let now = match event {
            AlertEvent::Opened { alert } => counts_of(alert),
            AlertEvent::Repeated { alert, .. } | AlertEvent::Recovered { alert, .. } => {
                self.alerts.get(alert).map(counts_of).unwrap_or_default()
            }
        };
        if now == before {
            return;
        }
        if let Some(incident) = self.incidents.get_mut(&event.incident()) {
            incident.firing = (incident.firing + now.0).saturating_sub(before.0);
            incident.burning = (incident.burning + now.1).saturating_sub(before.1);
        }
    }
}

/// As how many failing alerts, and as how many that page, it counts.
fn counts_of(alert: &Alert) -> (u32, u32) {
    (u32::from(alert.is_firing()), u32::from(alert.is_burning()))
}
