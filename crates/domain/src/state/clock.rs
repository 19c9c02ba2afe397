//! What is known of the clock, and what is moved with it when it is set back: whatever waits for some time waits that time and
//! no longer. What waits for a time of the day (shifts, windows, mutes) is not moved.

use super::State;
use super::touched::Ids;
use crate::alert::Alert;
use crate::event::InstallationEvent;
use crate::id::{AlertId, HeartbeatId, NotificationId};
use crate::incident::{Incident, RELAPSE_WINDOW_MS, Responder};
use crate::intake::Pulse;
use crate::page::{Delivery, Notification};
use crate::time::Timestamp;

/// What is known of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownClock {
    /// What it showed when the last event was recorded.
    pub seen: Timestamp,
    /// How far it was set back, all times together.
    pub set_back_ms: u64,
    /// The latest that it showed before it was set back.
    pub before: Option<Timestamp>,
}

impl KnownClock {
    /// What was recorded as `at`, when the clock had been set back by `set_back_ms`, by the clock of now: how long ago it was is
    /// counted from there. What was recorded stays as it is.
    #[must_use]
    pub const fn counted(&self, at: Timestamp, set_back_ms: u64) -> Timestamp {
        at.minus_ms(self.set_back_ms.saturating_sub(set_back_ms))
    }

    /// How far the clock had been set back at `at`, which is recorded at `recorded_at`. What is later than that is of the time
    /// before the clock was set back.
    pub(super) const fn set_back_by(&self, at: Timestamp, recorded_at: Timestamp) -> u64 {
        self.set_back_ms.saturating_sub(at.ms_since(recorded_at))
    }
}

impl State {
    /// The clock shows `now`, and was set back by so much.
    pub(super) fn set_back(&mut self, by_ms: u64, now: Timestamp) {
        self.clock.set_back_ms = self.clock.set_back_ms.saturating_add(by_ms);
        let before = now.plus_ms(by_ms);
        self.clock.before = self.clock.before.max(Some(before));
        let moved = self.moved_with_clock(now);
        for id in &moved.incidents {
            if let Some(incident) = self.incidents.get_mut(id) {
                set_back_incident(incident, by_ms);
            }
        }
        for id in &moved.messages {
            if let Some(message) = self.notifications.get_mut(id) {
                set_back_message(message, by_ms);
            }
        }
        for id in &moved.alerts {
            if let Some(alert) = self.alerts.get_mut(id) {
                set_back_alert(alert, by_ms);
            }
        }
        for pulse in self.pulses.values_mut() {
            set_back_pulse(pulse, by_ms);
        }
        for known in self.webhooks.values_mut() {
            set_back_some(&mut known.disabled_until, by_ms);
        }
        self.outbox.set_back(by_ms);
        self.storms.set_back(by_ms);
        set_back_some(&mut self.duty.told_at, by_ms);
        for at in self.duty.lost_by.values_mut() {
            *at = at.minus_ms(by_ms);
        }
        self.refresh_moved(&moved);
    }

    fn refresh_moved(&mut self, moved: &Ids) {
        for id in &moved.incidents {
            self.refresh_incident(*id);
        }
        for id in &moved.messages {
            self.refresh_message(*id);
        }
        for id in &moved.alerts {
            self.refresh_alert(*id);
        }
        let heartbeats: Vec<HeartbeatId> = self.pulses.keys().copied().collect();
        for id in heartbeats {
            self.refresh_heartbeat(id);
        }
    }

    /// Incidents that are open, with all messages about them, about those that may be opened again and about what was merged into
    /// either; messages that are to be sent, or of which a receipt is owed; alerts that fire, and the last one of each open
    /// incident, by which a group goes on.
    fn moved_with_clock(&self, now: Timestamp) -> Ids {
        let may_return = self.incidents.values().filter(|incident| {
            let over_since = self.since_resolve(incident);
            let recent = over_since.is_some_and(|at| now.ms_since(at) <= RELAPSE_WINDOW_MS);
            incident.is_open() || recent
        });
        let about = may_return.flat_map(|incident| self.made_of(incident.id));
        let about = about.flat_map(|incident| self.messages_about(incident));
        let active = self.active_notifications.iter().copied();
        let ids = about.map(|one| one.id).chain(active);
        let mut messages: Vec<NotificationId> = ids.chain(self.receipts_owed()).collect();
        messages.sort_unstable();
        messages.dedup();
        let open = self.open_incidents.iter();
        let last = open.filter_map(|id| self.incidents.get(id)?.alerts.last());
        let mut alerts: Vec<AlertId> = self.firing.values().chain(last).copied().collect();
        alerts.sort_unstable();
        alerts.dedup();
        Ids {
            incidents: self.open_incidents.iter().copied().collect(),
            messages,
            alerts,
        }
    }

    /// When an incident was opened, by the clock of now.
    pub(crate) fn since_opening(&self, incident: &Incident) -> Timestamp {
        let set_back_ms = incident.opened_set_back_ms;
        self.clock.counted(incident.opened_at, set_back_ms)
    }

    /// When an incident was over, by the clock of now.
    pub(crate) fn since_resolve(&self, incident: &Incident) -> Option<Timestamp> {
        let at = incident.resolved_at?;
        Some(self.clock.counted(at, incident.resolved_set_back_ms))
    }

    /// When somebody was asked to help, by the clock of now.
    pub(crate) fn since_asked(&self, responder: &Responder) -> Timestamp {
        let set_back_ms = responder.asked_set_back_ms;
        self.clock.counted(responder.asked_at, set_back_ms)
    }

    /// When a policy asked them, by the clock of now: they may have been asked by name since.
    pub(crate) fn since_asked_by_policy(&self, responder: &Responder) -> Timestamp {
        responder.by_policy.as_ref().map_or_else(
            || self.since_asked(responder),
            |request| self.clock.counted(request.at, request.set_back_ms),
        )
    }

    /// When an alert that fires began, by the clock of now.
    pub(crate) fn since_begin(&self, alert: &Alert) -> Timestamp {
        self.clock.counted(alert.opened_at, alert.set_back_ms)
    }

    /// When an alert was over, by the clock of now.
    pub(crate) fn since_recovery(&self, alert: &Alert) -> Option<Timestamp> {
        let at = alert.recovered_at?;
        Some(self.clock.counted(at, alert.set_back_ms))
    }

    /// Notes what an event of the installation touched.
    pub(super) fn note_moved(&self, event: &InstallationEvent, now: Timestamp, ids: &mut Ids) {
        if !matches!(event, InstallationEvent::ClockSetBack { .. }) {
            return;
        }
        let moved = self.moved_with_clock(now);
        ids.incidents.extend(moved.incidents);
        ids.messages.extend(moved.messages);
        ids.alerts.extend(moved.alerts);
    }
}

pub(super) fn set_back_some(at: &mut Option<Timestamp>, by_ms: u64) {
    *at = at.map(|at| at.minus_ms(by_ms));
}

fn set_back_incident(incident: &mut Incident, by_ms: u64) {
    if let Some(hold) = &mut incident.hold {
        hold.until = hold.until.minus_ms(by_ms);
    }
    if let Some(paging) = &mut incident.paging {
        paging.reached_at = paging.reached_at.minus_ms(by_ms);
        set_back_some(&mut paging.next_at, by_ms);
    }
    // A target is quiet until a time of the day; what comes and goes, for some time.
    if let (true, Some((_, until))) = (incident.flapping, &mut incident.suppressed) {
        *until = until.minus_ms(by_ms);
    }
    set_back_some(&mut incident.healthy_since, by_ms);
    set_back_some(&mut incident.acknowledgement_ends_at, by_ms);
    set_back_some(&mut incident.snoozed_until, by_ms);
    set_back_some(&mut incident.hours_passed_at, by_ms);
}

fn set_back_message(message: &mut Notification, by_ms: u64) {
    message.planned_at = message.planned_at.minus_ms(by_ms);
    match &mut message.state {
        Delivery::Due { at }
        | Delivery::Sending { since: at }
        | Delivery::Delivered { at }
        | Delivery::Failed { at }
        | Delivery::Cancelled { at, .. } => *at = at.minus_ms(by_ms),
        Delivery::Together { .. } => {}
    }
}

fn set_back_alert(alert: &mut Alert, by_ms: u64) {
    let heard_at = alert.heard_at.unwrap_or(alert.opened_at);
    alert.heard_at = Some(heard_at.minus_ms(by_ms));
    if let Some(hold) = &mut alert.hold {
        hold.until = hold.until.minus_ms(by_ms);
    }
}

fn set_back_pulse(pulse: &mut Pulse, by_ms: u64) {
    let Pulse {
        heartbeat: _,
        called_at,
        told_at,
        started_at,
        failed_at,
        spared_at,
    } = pulse;
    for at in [called_at, told_at, started_at, failed_at, spared_at] {
        set_back_some(at, by_ms);
    }
}
