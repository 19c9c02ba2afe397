//! Folds events about rules, maintenance windows, heartbeats, groups of alerts and their urgency.

use std::collections::BTreeSet;

use super::State;
use super::dates::Moment;
use crate::alert::Alert;
use crate::event::{Event, IncidentEvent, IncidentWhat, IntakeEvent};
use crate::id::{AlertId, HeartbeatId};
use crate::incident::Incident;
use crate::intake::{INCIDENTS_PER_GROUP_MAX, Pulse};
use crate::time::Timestamp;

/// Groups of alerts of which so few are known need not be looked through.
const GROUPS_UNSWEPT: usize = 1_024;

impl State {
    pub(super) fn evolve_intake(&mut self, event: &IntakeEvent, envelope: &Event) {
        let at = envelope.at;
        match event {
            IntakeEvent::RulesSet { rules } => {
                if self.rules != *rules {
                    let position = envelope.position;
                    self.dates.rules = Some(Moment { at, position });
                    self.rules.clone_from(rules);
                }
            }
            IntakeEvent::WindowSet { window } => {
                self.windows.insert(window.id, window.clone());
            }
            IntakeEvent::WindowEnded { window } => {
                if let Some(window) = self.windows.get_mut(window) {
                    window.ended_at = Some(at);
                }
            }
            IntakeEvent::WindowRemoved { window } => {
                self.windows.remove(window);
            }
            IntakeEvent::HeartbeatSet { heartbeat } => {
                let known = self.pulses.entry(heartbeat.id);
                let pulse = known.or_insert_with(|| Pulse::new(heartbeat.clone()));
                pulse.heartbeat.clone_from(heartbeat);
                pulse.spared_at = Some(at);
            }
            IntakeEvent::HeartbeatRemoved { heartbeat } => {
                self.pulses.remove(heartbeat);
            }
            IntakeEvent::HeartbeatCalled { heartbeat } => self.with_pulse(*heartbeat, |pulse| {
                pulse.called_at = pulse.called_at.max(Some(at));
                pulse.told_at = Some(envelope.recorded_at);
                pulse.started_at = None;
            }),
            IntakeEvent::HeartbeatStarted { heartbeat } => self.with_pulse(*heartbeat, |pulse| {
                pulse.started_at = pulse.started_at.or(Some(at));
            }),
            IntakeEvent::HeartbeatFailed { heartbeat, .. } => {
                self.with_pulse(*heartbeat, |pulse| pulse.failed_at = Some(at));
            }
            IntakeEvent::HeartbeatsSpared { heartbeats } => {
                for heartbeat in heartbeats {
                    self.with_pulse(*heartbeat, |pulse| pulse.spared_at = Some(at));
                }
            }
            IntakeEvent::AlertsSpared { alerts, until } => {
                for alert in alerts {
                    self.spare_alert(*alert, *until);
                }
            }
        }
    }

    fn spare_alert(&mut self, id: AlertId, until: Timestamp) {
        let known = self.alerts.get_mut(&id);
        if let Some(ends_at) = known.and_then(|alert| alert.ends_at.as_mut()) {
            *ends_at = until.max(*ends_at);
        }
    }

    fn with_pulse(&mut self, id: HeartbeatId, change: impl FnOnce(&mut Pulse)) {
        if let Some(pulse) = self.pulses.get_mut(&id) {
            change(pulse);
        }
    }

    /// The group of a new alert goes on in its incident.
    pub(super) fn fold_group(&mut self, alert: &Alert) {
        let group = alert
            .judged
            .as_ref()
            .and_then(|judged| judged.group.clone());
        let Some(group) = group else {
            return;
        };
        let known = self
            .open_of_group
            .entry((alert.service, group))
            .or_default();
        if known.contains(&alert.incident) {
            return;
        }
        // What is said again as something else may be of another group by now, and its incident is not taken out of this one then.
        known.retain(|id| self.open_incidents.contains(id));
        if known.len() == INCIDENTS_PER_GROUP_MAX {
            known.remove(0);
        }
        known.push(alert.incident);
        self.forget_left_groups();
    }

    /// Nobody looks for the groups that alerts have left since they were said again as something else. Now and then all are looked
    /// through, so that they are no more than those that somebody needs.
    fn forget_left_groups(&mut self) {
        let count = self.open_of_group.len();
        if count >= GROUPS_UNSWEPT && count.is_power_of_two() {
            let open = &self.open_incidents;
            self.open_of_group.retain(|_, known| {
                known.retain(|id| open.contains(id));
                !known.is_empty()
            });
        }
    }

    /// An incident that is over takes no more of its groups.
    pub(super) fn fold_end_of_groups(&mut self, event: &IncidentEvent) {
        let over = self.incidents.get(&event.incident);
        let Some(over) = over.filter(|incident| !incident.is_open()) else {
            return;
        };
        let alerts = over.alerts.iter().filter_map(|id| self.alerts.get(id));
        let groups = alerts.filter_map(|alert| {
            let group = alert.judged.as_ref()?.group.clone()?;
            Some((alert.service, group))
        });
        for group in groups.collect::<BTreeSet<_>>() {
            let Some(known) = self.open_of_group.get_mut(&group) else {
                continue;
            };
            known.retain(|id| *id != event.incident);
            if known.is_empty() {
                self.open_of_group.remove(&group);
            }
        }
    }

    /// Alerts that ask louder or less loud are counted as what they are now.
    pub(super) fn fold_urgency(&mut self, event: &IncidentEvent) {
        let IncidentWhat::UrgencySet {
            urgency, alerts, ..
        } = &event.what
        else {
            return;
        };
        for id in alerts {
            let Some(alert) = self.alerts.get_mut(id) else {
                continue;
            };
            let before = alert.is_burning();
            alert.set_urgency(*urgency);
            let now = alert.is_burning();
            if let Some(incident) = self.incidents.get_mut(&event.incident) {
                count_burning(incident, before, now);
            }
        }
    }
}

fn count_burning(incident: &mut Incident, before: bool, now: bool) {
    let burning = incident.burning + u32::from(now);
    incident.burning = burning.saturating_sub(u32::from(before));
}
