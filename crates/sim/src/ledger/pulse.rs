//! Jobs that must call in, in the second book: when a call is missed, and that no other is.

use tocsin_domain::alert;
use tocsin_domain::event::{Event, IntakeEvent};
use tocsin_domain::id::{HeartbeatId, ServiceId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

use super::{Ledger, Subject};
use crate::check::Check;

/// Give or take this much, a call may have been made while Tocsin was away.
const SLACK_MS: u64 = 1_000;

/// A job that must call in.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    every_ms: u64,
    grace_ms: u64,
    service: ServiceId,
    pub(super) severity: Severity,
    called_at: Option<Timestamp>,
    /// When it first said since then that it begins.
    started_at: Option<Timestamp>,
    /// The wait began anew then: it was changed, or Tocsin was away.
    anew_at: Option<Timestamp>,
    is_firing: bool,
    /// It said that it failed, and that is no alert yet.
    has_failed: bool,
    /// It called, and its alert is not over yet.
    has_called: bool,
    /// It was dead when it was given to another service, and that has not heard of it yet.
    has_moved: bool,
    /// Tocsin was away when it may have called, and nothing was made of that yet.
    is_to_spare: bool,
}

impl Pulse {
    /// The service that fails when it does not call.
    pub(crate) const fn service(&self) -> ServiceId {
        self.service
    }

    /// How long after a call the next one is expected, and how late it may be, in microseconds.
    pub(crate) fn pace(&self) -> (i64, i64) {
        let micros = |ms: u64| i64::try_from(ms * 1_000).unwrap_or(i64::MAX);
        (micros(self.every_ms), micros(self.grace_ms))
    }

    /// When a call is missed: the grace after it is expected, or after the job has begun. Nothing is missed before the first
    /// call or beginning.
    fn missed_at(&self) -> Option<Timestamp> {
        let since = self.called_at.map(|called| self.anew_at.max(Some(called)));
        let since = since.flatten();
        let expected = since.map(|since| since.plus_ms(self.every_ms));
        let latest = expected.max(self.started_at)?;
        Some(latest.plus_ms(self.grace_ms))
    }

    /// Whether it may have called in vain while Tocsin was away until `now`; once after each call.
    fn may_have_called(&self, now: Timestamp) -> bool {
        self.called_at.is_some_and(|called| {
            let expected = called.plus_ms(self.every_ms);
            let by = now.plus_ms(self.grace_ms + SLACK_MS);
            expected <= by && self.anew_at.is_none_or(|anew| anew <= called)
        })
    }
}

impl Ledger {
    pub(super) fn see_pulse(&mut self, what: &IntakeEvent, event: &Event) {
        match what {
            IntakeEvent::HeartbeatSet { heartbeat } => {
                let known = self.pulses.get(&heartbeat.id);
                let is_other = known.is_some_and(|known| known.service != heartbeat.service);
                let mut pulse = known.cloned().unwrap_or(Pulse {
                    every_ms: 0,
                    grace_ms: 0,
                    service: heartbeat.service,
                    severity: heartbeat.severity,
                    called_at: None,
                    started_at: None,
                    anew_at: None,
                    is_firing: false,
                    has_failed: false,
                    has_called: false,
                    has_moved: false,
                    is_to_spare: false,
                });
                pulse.has_moved |= pulse.is_firing && is_other;
                pulse.service = heartbeat.service;
                pulse.every_ms = heartbeat.every_ms;
                pulse.grace_ms = heartbeat.grace_ms;
                pulse.severity = heartbeat.severity;
                // It is waited for anew with that, whoever listened before.
                pulse.anew_at = Some(event.at);
                pulse.is_to_spare = false;
                self.pulses.insert(heartbeat.id, pulse);
                self.reckon_pulse(heartbeat.id);
            }
            IntakeEvent::HeartbeatRemoved { heartbeat } => {
                self.pulses.remove(heartbeat);
                self.reckon_pulse(*heartbeat);
            }
            IntakeEvent::HeartbeatCalled { heartbeat } => {
                self.with_pulse(*heartbeat, |pulse| {
                    pulse.called_at = pulse.called_at.max(Some(event.at));
                    pulse.started_at = None;
                    pulse.has_called = pulse.is_firing;
                    pulse.is_to_spare = false;
                });
            }
            IntakeEvent::HeartbeatStarted { heartbeat } => {
                self.with_pulse(*heartbeat, |pulse| {
                    pulse.started_at = pulse.started_at.or(Some(event.at));
                });
            }
            IntakeEvent::HeartbeatFailed { heartbeat, .. } => {
                self.with_pulse(*heartbeat, |pulse| pulse.has_failed = !pulse.is_firing);
            }
            IntakeEvent::HeartbeatsSpared { heartbeats } => {
                for id in heartbeats {
                    let pulse = self.pulses.get(id);
                    let may = pulse.is_some_and(|pulse| pulse.may_have_called(event.at));
                    if !may || !self.is_deaf {
                        let what = format!("the job {id} gets more time, and nobody was away");
                        self.find(Check::RightCalls, event.at, what);
                    }
                    self.with_pulse(*id, |pulse| {
                        pulse.anew_at = Some(event.at);
                        pulse.is_to_spare = false;
                    });
                }
            }
            IntakeEvent::RulesSet { .. }
            | IntakeEvent::WindowSet { .. }
            | IntakeEvent::WindowEnded { .. }
            | IntakeEvent::WindowRemoved { .. }
            | IntakeEvent::AlertsSpared { .. } => {}
        }
    }

    fn with_pulse(&mut self, id: HeartbeatId, change: impl FnOnce(&mut Pulse)) {
        if let Some(pulse) = self.pulses.get_mut(&id) {
            change(pulse);
        }
        self.reckon_pulse(id);
    }

    fn reckon_pulse(&mut self, id: HeartbeatId) {
        let pulse = self.pulses.get(&id).filter(|pulse| !pulse.is_firing);
        let missed = pulse.and_then(Pulse::missed_at);
        self.set_due(Subject::Pulse(id), missed);
    }

    /// Tocsin starts, could keep nothing, or was held up: whoever may have called in vain is waited for once more after that.
    pub(crate) fn note_deaf(&mut self, now: Timestamp) {
        self.is_deaf = true;
        for pulse in self.pulses.values_mut() {
            pulse.is_to_spare = !pulse.is_firing && pulse.may_have_called(now);
        }
    }

    /// An alert of a job follows from a call that was missed, from its word that it failed, or from another service that it is
    /// given to while it is dead.
    pub(super) fn pulse_fires(&mut self, id: HeartbeatId, told: &alert::Alert, event: &Event) {
        let Some(pulse) = self.pulses.get_mut(&id) else {
            return;
        };
        let missed = pulse.missed_at();
        let is_missed = missed.is_some_and(|missed| missed <= event.recorded_at);
        let is_taken_along = pulse.has_moved && told.service == pulse.service;
        let is_right = pulse.has_failed || is_taken_along || (is_missed && !pulse.is_to_spare);
        pulse.is_firing = true;
        pulse.has_failed = false;
        pulse.has_moved = false;
        pulse.is_to_spare = false;
        self.reckon_pulse(id);
        if !is_right {
            let what = format!("{}, but a call is missed at {missed:?}", told.title);
            self.find(Check::RightCalls, event.at, what);
        }
    }

    pub(super) fn pulse_recovers(&mut self, id: HeartbeatId) {
        self.with_pulse(id, |pulse| {
            pulse.is_firing = false;
            pulse.has_called = false;
        });
    }

    /// Whatever a job said has had its consequences after the step that it was said in.
    pub(super) fn check_pulses(&mut self, now: Timestamp) {
        self.is_deaf = false;
        let mut wrong = None;
        for (id, pulse) in &mut self.pulses {
            let heard = !pulse.has_failed && !pulse.has_called;
            if !heard || pulse.has_moved || pulse.is_to_spare {
                wrong = Some(format!("the job {id} was not heard: {pulse:?}"));
            }
        }
        if let Some(what) = wrong {
            self.find(Check::RightCalls, now, what);
        }
    }

    pub(super) fn set_back_pulses(&mut self, by_ms: u64) {
        let ids: Vec<HeartbeatId> = self.pulses.keys().copied().collect();
        for id in ids {
            self.with_pulse(id, |pulse| {
                for at in [
                    &mut pulse.called_at,
                    &mut pulse.started_at,
                    &mut pulse.anew_at,
                ] {
                    *at = at.map(|at| at.minus_ms(by_ms));
                }
            });
        }
    }
}
