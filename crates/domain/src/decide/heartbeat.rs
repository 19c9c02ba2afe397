//! Decisions about jobs that must call in.

use super::alert::Condition;
use super::take_in::Taken;
use super::{Decider, name_within};
use crate::alert::AlertSource;
use crate::bugs::{self, Bug};
use crate::command::{HeartbeatAsk, Refusal};
use crate::event::{Cause, EventBody, IntakeEvent, RosterEvent};
use crate::id::{AlertId, HeartbeatId};
use crate::intake::{
    EVERY_MS_MAX, EVERY_MS_MIN, GRACE_MS_MAX, GRACE_MS_MIN, HEARTBEATS_MAX, Heartbeat, Pulse,
};
use crate::time::Timestamp;

/// Characters of a job's words that are kept.
const MESSAGE_MAX: usize = 1_000;

impl Decider<'_> {
    pub(super) fn heartbeat(&mut self, ask: HeartbeatAsk) -> Result<(), Refusal> {
        match ask {
            HeartbeatAsk::Set { .. } => self.heartbeat_set(ask),
            HeartbeatAsk::Remove(id) => {
                let alert = self.alert_of_pulse(self.pulse(id)?);
                let removed = self.emit_intake(
                    Cause::Request,
                    IntakeEvent::HeartbeatRemoved { heartbeat: id },
                );
                let alert: Vec<AlertId> = alert.into_iter().collect();
                let cause = Cause::Event { position: removed };
                self.close_alerts(&alert, &cause, "its heartbeat was removed");
                Ok(())
            }
            HeartbeatAsk::Called { heartbeat, at } => self.heartbeat_called(heartbeat, at),
            HeartbeatAsk::Started { heartbeat, at } => {
                if self.pulse(heartbeat)?.started_at.is_none() {
                    let started = IntakeEvent::HeartbeatStarted { heartbeat };
                    self.emit_intake_at(at.min(self.now), Cause::Request, started);
                }
                Ok(())
            }
            HeartbeatAsk::Failed { heartbeat, message } => {
                self.heartbeat_failed(heartbeat, &message)
            }
        }
    }

    fn heartbeat_set(&mut self, ask: HeartbeatAsk) -> Result<(), Refusal> {
        let HeartbeatAsk::Set {
            id,
            name,
            service,
            every_ms,
            grace_ms,
            severity,
            token_hash,
        } = ask
        else {
            return Ok(());
        };
        let name = name_within("name", &name, 200)?;
        let service = self.service_or_default(service)?;
        let mut reasons = Vec::new();
        if !(EVERY_MS_MIN..=EVERY_MS_MAX).contains(&every_ms) {
            reasons.push("every: 30 seconds to 400 days".to_owned());
        }
        if !(GRACE_MS_MIN..=GRACE_MS_MAX).contains(&grace_ms) {
            reasons.push("grace: 1 second to 30 days".to_owned());
        }
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        let known = id.map(|id| self.pulse(id)).transpose()?;
        let same_token = known.map(|pulse| pulse.heartbeat.token_hash.clone());
        let Some(token_hash) = token_hash.or(same_token) else {
            return Err(Refusal::invalid("token: a new heartbeat needs one"));
        };
        // An alert is found by the service it is about: with another service, it begins anew there.
        let moved = known.filter(|pulse| pulse.heartbeat.service != service);
        let alert = moved.and_then(|pulse| self.alert_of_pulse(pulse));
        let alert = alert.and_then(|id| self.state.alerts.get(&id));
        let dead = alert.map(|alert| (alert.id, alert.title.clone(), alert.summary.clone()));
        if id.is_none() && self.state.pulses.len() >= HEARTBEATS_MAX {
            return Err(Refusal::conflict(format!(
                "there are {HEARTBEATS_MAX} heartbeats: remove one first"
            )));
        }
        let heartbeat = Heartbeat {
            id: id.unwrap_or_else(|| HeartbeatId::random(self.entropy)),
            name,
            service,
            every_ms,
            grace_ms,
            severity,
            token_hash,
        };
        let set = IntakeEvent::HeartbeatSet {
            heartbeat: heartbeat.clone(),
        };
        let position = self.emit_intake(Cause::Request, set);
        if let Some((alert, title, summary)) = dead {
            let why = "its heartbeat belongs to another service now";
            self.close_alerts(&[alert], &Cause::Event { position }, why);
            // The job calls no more than before.
            self.open_alert(condition_of(&heartbeat, title, summary, self.now));
        }
        Ok(())
    }

    fn heartbeat_called(&mut self, id: HeartbeatId, at: Timestamp) -> Result<(), Refusal> {
        let alert = self.alert_of_pulse(self.pulse(id)?);
        let called = IntakeEvent::HeartbeatCalled { heartbeat: id };
        let position = self.emit_intake_at(at.min(self.now), Cause::Request, called);
        if let Some(alert) = alert {
            self.recover_alert(alert, self.now, Cause::Event { position }, Vec::new());
        }
        Ok(())
    }

    fn heartbeat_failed(&mut self, id: HeartbeatId, message: &str) -> Result<(), Refusal> {
        let heartbeat = self.pulse(id)?.heartbeat.clone();
        let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
        let message: String = message.chars().take(MESSAGE_MAX).map(plain).collect();
        let message = message.trim().to_owned();
        let failed = IntakeEvent::HeartbeatFailed {
            heartbeat: id,
            message: message.clone(),
        };
        self.emit_intake(Cause::Request, failed);
        let title = format!("{} says that it failed", heartbeat.name);
        self.trigger(condition_of(&heartbeat, title, message, self.now));
        Ok(())
    }

    /// No call came in time: that is an alert of its service.
    pub(super) fn heartbeat_missed(&mut self, id: HeartbeatId) {
        let Some(due) = self.state.heartbeat_due(id) else {
            return;
        };
        let Some(pulse) = self.state.pulses.get(&id) else {
            return;
        };
        let heartbeat = &pulse.heartbeat;
        let is_worked_on = self.state.quiet_for(heartbeat.service, None, self.now);
        if is_worked_on.is_some() && bugs::on(Bug::MissedCallForgottenUnderWork) {
            let heartbeats = vec![id];
            self.emit_intake(
                Cause::Due { at: due },
                IntakeEvent::HeartbeatsSpared { heartbeats },
            );
            return;
        }
        let last = match pulse.called_at {
            Some(at) => format!("Its last call came at {at}."),
            None => "It has begun, and never called.".to_owned(),
        };
        let summary = format!(
            "A call was expected every {} s, and waited for until {due}. {last}",
            heartbeat.every_ms / 1_000
        );
        let title = format!("{} has not called in time", heartbeat.name);
        self.open_alert(condition_of(heartbeat, title, summary, self.now));
    }

    /// A call that was expected while Tocsin was away, or could keep nothing, may have been made in vain: each such job is given
    /// one more period.
    pub(super) fn spare_heartbeats(&mut self) {
        let pulses = self.state.pulses.values();
        let missed = pulses
            .filter(|pulse| pulse.may_have_called(self.now) && self.alert_of_pulse(pulse).is_none())
            .map(|pulse| pulse.heartbeat.id);
        let heartbeats: Vec<HeartbeatId> = missed.collect();
        if !heartbeats.is_empty() {
            self.emit_intake(Cause::Request, IntakeEvent::HeartbeatsSpared { heartbeats });
        }
    }

    fn pulse(&self, id: HeartbeatId) -> Result<&Pulse, Refusal> {
        let known = self.state.pulses.get(&id);
        known.ok_or_else(|| Refusal::not_found(format!("heartbeat {id}")))
    }

    fn alert_of_pulse(&self, pulse: &Pulse) -> Option<AlertId> {
        self.state.fires(&pulse.alert_key()).map(|alert| alert.id)
    }

    pub(super) fn emit_intake(&mut self, cause: Cause, event: IntakeEvent) -> u64 {
        self.emit_intake_at(self.now, cause, event)
    }

    fn emit_intake_at(&mut self, at: Timestamp, cause: Cause, event: IntakeEvent) -> u64 {
        self.emit_at(at, cause, EventBody::Roster(RosterEvent::Intake(event)))
    }
}

fn condition_of(heartbeat: &Heartbeat, title: String, summary: String, at: Timestamp) -> Condition {
    Condition {
        service: heartbeat.service,
        target: None,
        dedup_key: heartbeat.id.to_string(),
        source: AlertSource::Heartbeat {
            heartbeat: heartbeat.id,
        },
        severity: heartbeat.severity,
        title,
        summary,
        details: Vec::new(),
        sent_details: None,
        at,
        onset: None,
        evidence: Vec::new(),
        hold: Vec::new(),
        taken: Taken::default(),
    }
}
