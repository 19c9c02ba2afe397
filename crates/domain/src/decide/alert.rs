//! Decisions about alerts: which incident one belongs to, whether it pages, when it is over.

use std::mem;
use std::sync::Arc;

use super::hold::hold_rules;
use super::relapse::Return;
use super::take_in::Taken;
use super::{Decider, text_within, title_of_alert};
use crate::alert::{Alert, AlertKey, AlertSource, EvidenceSample, Onset, SentDetails};
use crate::bugs::{self, Bug};
use crate::command::{AlertAsk, Refusal, SaidOf};
use crate::event::{AlertEvent, Cause, EventBody, IncidentWhat, InputEvent, Response, Reworded};
use crate::id::{AlertId, IncidentId, IntegrationId, MonitorId, ServiceId, TargetId};
use crate::incident::Hold;
use crate::monitor::Severity;
use crate::state::monitor_key;
use crate::time::Timestamp;

/// What a new alert is made of, before it has an incident.
pub(super) struct Condition {
    pub(super) service: ServiceId,
    pub(super) target: Option<TargetId>,
    pub(super) dedup_key: String,
    pub(super) source: AlertSource,
    pub(super) severity: Severity,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) details: Vec<(String, String)>,
    /// The same as they were sent, where names and texts do not say it.
    pub(super) sent_details: Option<Box<SentDetails>>,
    pub(super) at: Timestamp,
    pub(super) onset: Option<Onset>,
    pub(super) evidence: Vec<EvidenceSample>,
    pub(super) hold: Vec<(Hold, u32)>,
    /// What was made of it; nothing as long as it was not judged.
    pub(super) taken: Taken,
}

impl Decider<'_> {
    pub(super) fn alert(&mut self, ask: AlertAsk) -> Result<(), Refusal> {
        match ask {
            AlertAsk::MonitorFired {
                monitor,
                target,
                at,
                wording,
                evidence,
                onset,
                holds,
            } => self.monitor_fired(monitor, target, at, &wording, evidence, onset, &holds),
            AlertAsk::MonitorRecovered {
                monitor,
                target,
                at,
                evidence,
            } => self.monitor_recovered(monitor, target, at, evidence),
            AlertAsk::RuleFired(fired) => self.rule_fired(*fired),
            AlertAsk::Labelled(told) => self.labelled(*told),
            AlertAsk::RuleResolved {
                dedup_key,
                at,
                evidence,
                gone,
            } => self.rule_resolved(&dedup_key, at, evidence, gone),
            AlertAsk::HoldCleared { incident } => {
                self.hold_cleared(incident);
                Ok(())
            }
            AlertAsk::Trigger {
                service,
                integration,
                dedup_key,
                severity,
                title,
                summary,
                details,
                sent_details,
                at,
            } => {
                let service = self.service_or_default(service)?;
                let dedup_key = self.key_or_new(dedup_key)?;
                let title = title_of_alert("summary", &title, 1024)?;
                let at = at.unwrap_or(self.now).min(self.now);
                let plain = Condition::plain(service, dedup_key, severity, title, summary, at);
                self.trigger(Condition {
                    source: source_of(integration),
                    details,
                    sent_details,
                    ..plain
                });
                Ok(())
            }
            AlertAsk::AcknowledgeByKey {
                service,
                integration,
                dedup_key,
            } => self.acknowledge_by_key(&named(service, &source_of(integration), &dedup_key)?),
            AlertAsk::RestateByKey(of, said) => self.restate_by_key(&said_of(&of)?, said),
            AlertAsk::NoteByKey(of, text) => self.note_by_key(&said_of(&of)?, &text),
            AlertAsk::ResolveByKey {
                service,
                integration,
                dedup_key,
            } => self.resolve_by_key(&named(service, &source_of(integration), &dedup_key)?),
        }
    }

    fn monitor_recovered(
        &mut self,
        monitor: MonitorId,
        target: TargetId,
        at: Timestamp,
        evidence: Vec<EvidenceSample>,
    ) -> Result<(), Refusal> {
        let Some(alert) = self.state.firing_of(monitor, target) else {
            return Ok(());
        };
        let id = alert.id;
        let cause = cause_of(&evidence);
        self.recover_alert(id, at, cause, evidence);
        Ok(())
    }

    fn acknowledge_by_key(&mut self, key: &AlertKey) -> Result<(), Refusal> {
        match self.state.fires(key).map(|alert| alert.incident) {
            Some(incident) => self.acknowledge(incident, None),
            None => self.unmatched("an acknowledgement", key),
        }
    }

    fn resolve_by_key(&mut self, key: &AlertKey) -> Result<(), Refusal> {
        match self.state.fires(key).map(|alert| alert.id) {
            Some(alert) => {
                self.end_by_key(alert);
                Ok(())
            }
            None => self.unmatched("a resolve", key),
        }
    }

    pub(super) fn service_or_default(
        &self,
        service: Option<ServiceId>,
    ) -> Result<ServiceId, Refusal> {
        match service {
            Some(service) => self.service(service).map(|known| known.id),
            None => {
                let installation = self.state.installation.as_ref();
                installation
                    .map(|all| all.default_service)
                    .ok_or_else(|| Refusal::conflict("set Tocsin up first"))
            }
        }
    }

    fn key_or_new(&mut self, key: Option<String>) -> Result<String, Refusal> {
        match key {
            Some(key) => dedup_key(&key),
            None => Ok(AlertId::random(self.entropy).to_string()),
        }
    }

    /// Records what was said of a key under which nothing fails.
    pub(super) fn unmatched(&mut self, what: &str, key: &AlertKey) -> Result<(), Refusal> {
        let what = format!(
            "{what} for the key {:?}, under which nothing fails",
            key.key
        );
        self.ignored(key.service, what);
        Ok(())
    }

    /// Records an input that was accepted and changed nothing.
    pub(super) fn ignored(&mut self, service: ServiceId, what: String) {
        let event = InputEvent::Ignored {
            what,
            service: Some(service),
        };
        self.emit(Cause::Request, EventBody::Input(event));
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one command")]
    fn monitor_fired(
        &mut self,
        monitor: MonitorId,
        target: TargetId,
        at: Timestamp,
        wording: &str,
        evidence: Vec<EvidenceSample>,
        onset: Option<Onset>,
        holds: &[usize],
    ) -> Result<(), Refusal> {
        let Some(asked) = self.state.monitors.get(&monitor) else {
            return Err(Refusal::not_found(format!("monitor {monitor}")));
        };
        let Some(failing) = self.state.targets.get(&target) else {
            return Err(Refusal::not_found(format!("target {target}")));
        };
        if self.state.firing_of(monitor, target).is_some() || !asked.enabled {
            return Ok(());
        }
        // What was seen before the clock was set back waits no longer for that.
        let began = onset.as_ref().map_or(at, |onset| onset.at).min(self.now);
        let condition = Condition {
            service: failing.service,
            target: Some(target),
            dedup_key: monitor_key(monitor, target),
            source: AlertSource::Monitor { monitor, target },
            severity: asked.severity,
            title: format!(
                "{}{wording}",
                asked.title.replace("{target}", &failing.identity.name)
            ),
            summary: asked.description.clone(),
            details: Vec::new(),
            sent_details: None,
            at,
            onset,
            evidence,
            hold: hold_rules(asked, holds, began),
            taken: Taken::default(),
        };
        self.actor = crate::event::Actor::Monitor { monitor };
        self.open_alert(condition);
        Ok(())
    }

    pub(super) fn trigger(&mut self, condition: Condition) {
        self.trigger_as(condition, None);
    }

    /// The same of what is only said otherwise, if so.
    pub(super) fn trigger_as(&mut self, mut condition: Condition, reworded: Option<Reworded>) {
        let key = AlertKey {
            service: condition.service,
            sender: condition.source.sender(),
            key: condition.dedup_key.clone(),
        };
        if self.take_in(&mut condition).is_break() {
            return;
        }
        let Some(known) = self.state.fires(&key) else {
            self.open_taken(condition);
            return;
        };
        let alert = known.id;
        let incident = known.incident;
        let louder = condition.urgency() > known.urgency();
        let is_worse = condition.is_worse_than(known);
        // Who says it again without details takes back none that were told.
        let is_same =
            *condition.details == *known.details && condition.sent_details == known.sent_details;
        let tells_more = !condition.details.is_empty() && !is_same;
        let hold = self.shorter_wait(known, &condition);
        let waits_less = hold.is_some();
        // A silence goes by labels, which may be others now.
        let was_covered = tells_more && self.is_quiet_beside_a_hold(known);
        let repeated = AlertEvent::Repeated {
            alert,
            incident,
            severity: condition.severity,
            summary: condition.title.clone(),
            urgency: condition.own_urgency(),
            judged: condition.taken.judged.clone().filter(|_| louder),
            ends_at: condition.taken.ends_at,
            details: tells_more.then(|| condition.details.clone()),
            sent_details: condition.sent_details.take().filter(|_| tells_more),
            hold,
            reworded,
        };
        self.emit(Cause::Request, EventBody::Alert(repeated));
        // Who said that it is not urgent knew of this.
        let may_raise = is_worse || !self.is_low_by_hand(incident);
        let raised = may_raise && self.raise_if_worse(incident, &condition, Cause::Request);
        if is_worse || raised || waits_less || was_covered {
            self.end_pause_of_others(alert, incident);
        }
        // Of many alerts of one incident, each is said again: that must not look at all of them each time.
        if louder || raised || !self.is_quiet_as_long(alert, incident) {
            self.end_quiet(incident);
        }
        let is_heard_anew = louder && may_raise;
        if is_heard_anew {
            self.raise_if_taken(incident, &condition);
        }
        if (raised || is_heard_anew) && !bugs::on(Bug::PauseForgottenWhenWorse) {
            // As what wakes nobody it may have had a pause that held no page back yet.
            self.look_again(incident);
        }
    }

    /// Finds or opens the incident of a failing condition, adds the alert to it, and decides about the page.
    pub(super) fn open_alert(&mut self, mut condition: Condition) {
        if self.take_in(&mut condition).is_continue() {
            self.open_taken(condition);
        }
    }

    pub(super) fn open_taken(&mut self, mut condition: Condition) -> IncidentId {
        let cause = cause_of(&condition.evidence);
        let again = condition.taken.again;
        let own = again.or_else(|| self.incident_to_join(&condition));
        let (joined, grouped) = match own {
            Some(own) => (Some(own), None),
            None => self.others_to_join(&condition).unzip(),
        };
        // What fails of one target shares a wait; all else has its own.
        let shares = own.is_some() && condition.target.is_some();
        let anyway_at = joined.and_then(|joined| self.pages_anyway_at(joined));
        let among_open = joined.is_some_and(|joined| self.state.open_incidents.contains(&joined));
        let incident = match joined {
            Some(incident) => incident,
            None => self.open_incident(&condition, cause.clone()),
        };
        let is_calmed = joined.is_some() && self.is_calmed(incident, &condition);
        let came_back = match joined {
            Some(_) => self.relapse(incident, &condition, &cause, is_calmed),
            None => Return::No,
        };
        let hold = self.own_wait(incident, &condition.hold);
        let shared = shares.then(|| self.shared_wait(incident, &condition));
        let waits = hold.iter().cloned().chain(shared.flatten());
        let waits = waits.max_by_key(|wait| wait.until);
        let mut alert = self.alert_of(incident, &mut condition);
        alert.grouped = grouped;
        alert.joined = among_open;
        alert.hold = waits.map(Box::new);
        let id = alert.id;
        let opened = AlertEvent::Opened {
            alert: Arc::new(alert),
        };
        self.emit_at(condition.at, cause.clone(), EventBody::Alert(opened));
        let may_raise = joined.is_some() && !is_calmed;
        let raised = may_raise && self.raise_if_worse(incident, &condition, cause);
        if let Some(to) = condition.taken.to.clone() {
            self.emit_response(Cause::Request, incident, Response::Reassigned { to });
        }
        if joined.is_none() && !condition.taken.is_suppressed() {
            self.tell_quietly(incident);
        }
        if joined.is_none() || raised || came_back == Return::PagedAnew {
            // What pages for something else by then, or does already, waits no longer for this.
            let no_longer = |hold: Hold| Hold {
                until: anyway_at.map_or(hold.until, |at| at.min(hold.until)),
                ..hold
            };
            self.hold_or_page(incident, hold.map(no_longer));
        } else if came_back == Return::GoesOn {
            self.reach_again(incident);
        }
        if joined.is_some() {
            self.end_pause_of_others(id, incident);
            self.wait_before_the_first_page(id, incident);
        }
        // Many may join what is quiet: that must not look at all of them each time.
        if joined.is_some() && !self.is_quiet_as_long(id, incident) {
            self.end_quiet(incident);
        }
        self.note_rules(incident, &condition);
        incident
    }

    /// The alert that a condition is in an incident.
    fn alert_of(&mut self, incident: IncidentId, condition: &mut Condition) -> Alert {
        Alert {
            id: AlertId::random(self.entropy),
            incident,
            service: condition.service,
            target: condition.target,
            dedup_key: mem::take(&mut condition.dedup_key),
            source: condition.source.clone(),
            severity: condition.severity,
            title: condition.title.clone(),
            summary: mem::take(&mut condition.summary),
            details: mem::take(&mut condition.details).into(),
            sent_details: condition.sent_details.take(),
            opened_at: condition.at,
            taken_at: (condition.at < self.now).then_some(self.now),
            recovered_at: None,
            // The fold knows.
            set_back_ms: 0,
            onset: condition.onset.clone().map(Box::new),
            evidence: mem::take(&mut condition.evidence).into(),
            repeats: 0,
            grouped: None,
            joined: false,
            urgency: condition.own_urgency(),
            sent_to: condition.taken.sent_to,
            heard_at: Some(self.now),
            judged: condition.taken.judged.clone(),
            ends_at: condition.taken.ends_at,
            hold: None,
        }
    }

    fn open_incident(&mut self, condition: &Condition, cause: Cause) -> IncidentId {
        let incident = IncidentId::random(self.entropy);
        let service = self.state.services.get(&condition.service);
        let team = service.map(|service| self.state.team_of(service));
        let team = team.or_else(|| self.state.installation.as_ref().map(|all| all.team));
        let opened = IncidentWhat::Opened {
            number: self.state.last_number + 1,
            team: team.unwrap_or_else(|| crate::id::TeamId::random(self.entropy)),
            service: condition.service,
            target: condition.target,
            title: condition.title.clone(),
            severity: condition.severity,
            onset: condition.onset.clone(),
        };
        self.emit_incident(cause.clone(), incident, opened);
        self.tell_urgency(incident, condition, cause);
        incident
    }
}

pub(super) fn cause_of(evidence: &[EvidenceSample]) -> Cause {
    evidence
        .first()
        .map_or(Cause::Request, |sample| Cause::Sample {
            sample: sample.clone(),
        })
}

fn source_of(integration: Option<IntegrationId>) -> AlertSource {
    integration.map_or(AlertSource::Api, |integration| AlertSource::EventsV2 {
        integration,
    })
}

/// The key as it is kept and looked up, whichever command names it.
pub(super) fn dedup_key(text: &str) -> Result<String, Refusal> {
    let blank = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let text: String = text.chars().map(blank).collect();
    text_within("dedup_key", &text, 255)
}

fn said_of(of: &SaidOf) -> Result<AlertKey, Refusal> {
    named(of.service, &source_of(of.integration), &of.dedup_key)
}

fn named(service: ServiceId, source: &AlertSource, key: &str) -> Result<AlertKey, Refusal> {
    Ok(AlertKey {
        service,
        sender: source.sender(),
        key: dedup_key(key)?,
    })
}
