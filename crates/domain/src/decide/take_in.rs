//! Decisions about an alert that comes in: what rules and settings make of it, which group it belongs to, and how loudly its
//! incident asks.

use std::ops::ControlFlow;

use super::alert::{Condition, dedup_key};
use super::{Decider, text_within};
use crate::alert::{Alert, AlertKey, AlertSource, DECLARED, Sender};
use crate::command::{Declared, Refusal};
use crate::event::{Cause, EventBody, IncidentWhat, InputEvent, Response};
use crate::id::{AlertId, IncidentId, ServiceId};
use crate::incident::{Assigned, FLAPPING_RELAPSES, Hold};
use crate::intake::{Features, Incoming, Judged, Newcomer};
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::time::Timestamp;

/// Characters of what is said about a declared incident at most.
const SUMMARY_MAX: usize = 4_000;

/// What rules and settings made of an alert.
#[derive(Default)]
pub(super) struct Taken {
    /// Whether it has an incident of its own whatever else comes: a person declared it.
    pub(super) alone: bool,
    /// The incident that a person reopens by it.
    pub(super) again: Option<IncidentId>,
    /// To whom it goes instead of the service's policy.
    pub(super) to: Option<Assigned>,
    pub(super) urgency: Option<Urgency>,
    /// The service it was sent to, when a rule sent it on.
    pub(super) sent_to: Option<ServiceId>,
    pub(super) judged: Option<Box<Judged>>,
    /// When it is over unless it is said again, if its sender says so.
    pub(super) ends_at: Option<Timestamp>,
    pub(super) notes: Vec<String>,
}

impl Taken {
    /// Whether a rule says that nobody is paged for it.
    pub(super) fn is_suppressed(&self) -> bool {
        let judged = self.judged.as_ref();
        judged.is_some_and(|judged| judged.suppressed.is_some())
    }
}

impl Condition {
    /// What is said to fail, of no target and without anything besides.
    pub(super) fn plain(
        service: ServiceId,
        dedup_key: String,
        severity: Severity,
        title: String,
        summary: String,
        at: Timestamp,
    ) -> Self {
        Self {
            service,
            target: None,
            dedup_key,
            source: AlertSource::Api,
            severity,
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

    /// The same said by a person: it joins no incident but the one that `taken` names, and waits for nothing.
    pub(super) fn said(self, taken: Taken) -> Self {
        Self {
            taken: Taken {
                alone: true,
                ..taken
            },
            ..self
        }
    }

    /// How loudly it asks for a person.
    pub(super) fn urgency(&self) -> Urgency {
        self.taken.urgency.unwrap_or(self.severity.urgency())
    }

    /// Whether it asks louder than an alert does, or as loudly for something worse.
    pub(super) fn is_worse_than(&self, known: &Alert) -> bool {
        let (urgency, before) = (self.urgency(), known.urgency());
        urgency > before || (urgency == before && self.severity > known.severity)
    }

    /// Under what its alert is found again while that fires.
    pub(super) fn key(&self) -> AlertKey {
        AlertKey {
            service: self.taken.sent_to.unwrap_or(self.service),
            sender: self.source.sender(),
            key: self.dedup_key.clone(),
        }
    }

    /// How loudly it asks; none when its severity says so.
    pub(super) fn own_urgency(&self) -> Option<Urgency> {
        let urgency = self.urgency();
        (urgency != self.severity.urgency()).then_some(urgency)
    }

    /// What says which windows cover it.
    pub(super) fn features(&self) -> Features<'_> {
        Features {
            service: self.service,
            target: self.target,
            source: &self.source,
            severity: self.severity,
            title: &self.title,
            details: &self.details,
        }
    }

    fn judged(&self) -> Option<&Judged> {
        self.taken.judged.as_deref()
    }

    fn group(&self) -> Option<&str> {
        self.judged()?.group.as_deref()
    }
}

impl Decider<'_> {
    /// Lets rules and settings act on an alert. It breaks off when a rule throws the alert away.
    pub(super) fn take_in(&mut self, condition: &mut Condition) -> ControlFlow<()> {
        let incoming = Incoming {
            service: condition.service,
            integration: condition.source.integration(),
            severity: condition.severity,
            title: &condition.title,
            summary: &condition.summary,
            details: &condition.details,
            is_own: condition.source.is_own_judge(),
        };
        let ruling = self.state.judge(incoming, self.now);
        if let Some((rule, name)) = ruling.dropped {
            let dropped = InputEvent::Dropped {
                rule,
                what: format!("{:?}, thrown away by the rule {name:?}", condition.title),
                service: condition.service,
            };
            self.emit(Cause::Request, EventBody::Input(dropped));
            return ControlFlow::Break(());
        }
        if ruling.service != condition.service {
            condition.taken.sent_to = Some(condition.service);
            condition.service = ruling.service;
        }
        if let Some((ms, why)) = ruling.pause {
            let hold = Hold {
                until: self.now.plus_ms(ms),
                until_clear: false,
                why,
            };
            condition.hold.push((hold, FLAPPING_RELAPSES));
        }
        condition.severity = ruling.severity;
        condition.taken.urgency = Some(ruling.urgency);
        condition.taken.notes = ruling.notes;
        condition.taken.judged =
            (ruling.judged != Judged::default()).then(|| Box::new(ruling.judged));
        ControlFlow::Continue(())
    }

    /// Opens an incident that a person declares: it is as urgent as they say, and no rule is asked.
    pub(super) fn declare(
        &mut self,
        service: ServiceId,
        title: String,
        urgency: Urgency,
        more: Declared,
    ) -> Result<(), Refusal> {
        let severity = match urgency {
            Urgency::High => Severity::Critical,
            Urgency::Low => Severity::Warning,
        };
        let dedup_key = match more.key {
            Some(key) => self.unused_key(service, &key)?,
            None => AlertId::random(self.entropy).to_string(),
        };
        let summary = more
            .summary
            .map(|text| text_within("summary", &text, SUMMARY_MAX));
        let to = more.to.map(|to| self.assignable(to)).transpose()?;
        if let Some(priority) = &more.priority {
            self.known_priority(priority)?;
        }
        let summary = summary.transpose()?;
        let summary = summary.unwrap_or_else(|| DECLARED.to_owned());
        let taken = Taken {
            to,
            ..Taken::default()
        };
        let plain = Condition::plain(service, dedup_key, severity, title, summary, self.now);
        let incident = self.open_taken(plain.said(taken));
        if let Some(priority) = more.priority {
            let priority = Some(priority);
            self.emit_response(Cause::Request, incident, Response::PrioritySet { priority });
        }
        Ok(())
    }

    /// A key that no open incident of the service has: by whomever it was opened, and whatever became of the alert that opened it. Nor
    /// may an alert of the native API that fires have it, whose end would be taken for that of the new one.
    fn unused_key(&self, service: ServiceId, key: &str) -> Result<String, Refusal> {
        let key = dedup_key(key)?;
        let sender = Sender::Api;
        let known = AlertKey {
            service,
            sender,
            key,
        };
        if self.state.fires(&known).is_some() || self.has_open_of_key(&known) {
            let why = "an open incident of this service has this key already";
            return Err(Refusal::conflict(why));
        }
        Ok(known.key)
    }

    /// Whether an incident of the service that is open began by an alert of this key, of whatever sender. All that are open are looked
    /// through: nobody but a person who declares one asks, and no event waits for that.
    fn has_open_of_key(&self, known: &AlertKey) -> bool {
        let open = self.state.open_incidents.iter();
        let mut open = open.filter_map(|id| self.state.incidents.get(id));
        open.any(|incident| {
            let first = incident.alerts.first();
            let first = first.and_then(|id| self.state.alerts.get(id));
            incident.service == known.service
                && first.is_some_and(|alert| alert.dedup_key == known.key)
        })
    }

    /// The open incident of the group that an alert belongs to, as its service groups alerts. What is silenced and worse would take
    /// over, and ring anew, one that is not quiet: it has its own.
    pub(super) fn group_to_join(&self, condition: &Condition) -> Option<IncidentId> {
        let newcomer = Newcomer {
            service: condition.service,
            target: condition.target,
            group: condition.group()?,
            urgency: condition.urgency(),
        };
        let found = self.state.incident_of_group(&newcomer, self.now)?;
        let incident = self.state.incidents.get(&found)?;
        let is_worse = newcomer.urgency == Urgency::High && condition.severity > incident.severity;
        let takes_over = is_worse
            && self.state.burns(incident)
            && self.state.quiet_at(incident, self.now).is_none()
            && self
                .state
                .quiet_alert(condition.features(), self.now)
                .is_some();
        (!takes_over).then_some(found)
    }

    /// Says how loudly an incident asks, when that is not as the severity it was opened with says.
    pub(super) fn tell_urgency(&mut self, id: IncidentId, condition: &Condition, cause: Cause) {
        let urgency = condition.urgency();
        let incident = self.state.incidents.get(&id);
        if incident.is_none_or(|incident| incident.urgency == urgency) {
            return;
        }
        let why = condition
            .judged()
            .and_then(|judged| judged.urgency_why.clone())
            .unwrap_or_else(|| "its severity says so".to_owned());
        let told = IncidentWhat::UrgencySet {
            urgency,
            why,
            alerts: Vec::new(),
            hours_passed: false,
        };
        self.emit_incident(cause, id, told);
    }

    /// What rules have to say to whoever works on it.
    pub(super) fn note_rules(&mut self, id: IncidentId, condition: &Condition) {
        for text in &condition.taken.notes {
            let text = text.clone();
            let cause = Cause::Event {
                position: self.state.position,
            };
            self.emit_incident(cause, id, IncidentWhat::noted(text));
        }
    }

    /// Support hours have begun: what is open and was not urgent outside of them is now. What somebody had then, or what they were
    /// set for later, is raised when it is seen, as long as they last, and at their next beginning otherwise: outside of them nobody
    /// is to be woken for it.
    pub(super) fn raise_at_support_hours(&mut self, id: IncidentId, at: Timestamp) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        let (begun, urgency) = (self.state.begun_for(incident, self.now), incident.urgency);
        if begun.have_passed {
            let what = IncidentWhat::UrgencySet {
                urgency,
                why: "what only support hours make urgent waits until they begin again".to_owned(),
                alerts: Vec::new(),
                hours_passed: true,
            };
            self.emit_incident(Cause::Due { at }, id, what);
        }
        if begun.alerts.is_empty() {
            return;
        }
        let what = IncidentWhat::UrgencySet {
            urgency: Urgency::High,
            why: "the support hours of the service have begun".to_owned(),
            alerts: begun.alerts,
            hours_passed: false,
        };
        self.emit_incident(Cause::Due { at }, id, what);
        // What is quiet or waits beside it is no reason for this to.
        self.look_again(id);
    }

    /// Nothing was heard of an alert for too long.
    pub(super) fn take_to_be_over(&mut self, id: AlertId) {
        let alert = self.state.alerts.get(&id);
        let due = alert.and_then(|alert| Some((alert, self.state.alert_due(alert)?)));
        let Some((alert, at)) = due else {
            return;
        };
        let heard_at = alert.heard_at.unwrap_or(alert.opened_at);
        let why = if alert.ends_at == Some(at) {
            format!(
                "nothing was heard of it since {heard_at}, as long as its sender said that it holds"
            )
        } else {
            format!("nothing was heard of it since {heard_at}, as long as its service waits")
        };
        self.close_alerts(&[id], &Cause::Due { at }, &why);
    }
}
