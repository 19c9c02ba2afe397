//! How alerts end: seen healthy, said to be over by their sender, or closed for another reason, which is told with them.

use super::Decider;
use crate::alert::{AlertSource, EvidenceSample};
use crate::event::{Actor, AlertEvent, Cause, EventBody, IncidentWhat};
use crate::id::{AlertId, IncidentId};
use crate::time::Timestamp;

impl Decider<'_> {
    /// Ends an alert of which its judge says that it is over.
    pub(super) fn recover_alert(
        &mut self,
        id: AlertId,
        at: Timestamp,
        cause: Cause,
        evidence: Vec<EvidenceSample>,
    ) {
        self.end_alert(id, at, cause, evidence, None);
    }

    /// Ends alerts of which nobody says that they are over; `why` is told of each, and of an incident that is over with them.
    pub(super) fn close_alerts(&mut self, alerts: &[AlertId], cause: &Cause, why: &str) {
        for alert in alerts {
            self.end_alert(*alert, self.now, cause.clone(), Vec::new(), Some(why));
        }
    }

    /// Ends an alert by the key of its sender. Only an integration speaks for what came by one; anybody else closes it.
    pub(super) fn end_by_key(&mut self, id: AlertId) {
        let alert = self.state.alerts.get(&id);
        let is_sent =
            alert.is_some_and(|alert| matches!(alert.source, AlertSource::EventsV2 { .. }));
        if is_sent && !is_sender(&self.actor) {
            let why = format!("{} closed it", word(&self.actor));
            self.close_alerts(&[id], &Cause::Request, &why);
        } else {
            self.recover_alert(id, self.now, Cause::Request, Vec::new());
        }
    }

    /// Ends an incident that somebody says is over, and with it what still fails of it: nothing of that was seen healthy.
    pub(super) fn resolve_by_hand(&mut self, incident: IncidentId, firing: &[AlertId]) {
        let who = word(&self.actor);
        let closed = format!("{who} resolved the incident");
        for alert in firing {
            let event = AlertEvent::Recovered {
                alert: *alert,
                incident,
                evidence: Vec::new(),
                closed: Some(closed.clone()),
            };
            self.emit(Cause::Request, EventBody::Alert(event));
        }
        self.resolve_now(incident, Cause::Request, &format!("{who} resolved it"));
    }

    fn end_alert(
        &mut self,
        id: AlertId,
        at: Timestamp,
        cause: Cause,
        evidence: Vec<EvidenceSample>,
        closed: Option<&str>,
    ) {
        let Some(alert) = self.state.alerts.get(&id) else {
            return;
        };
        let incident = alert.incident;
        let outside = alert.source.ends_at_once();
        let event = AlertEvent::Recovered {
            alert: id,
            incident,
            evidence,
            closed: closed.map(str::to_owned),
        };
        let position = self.emit_at(at, cause, EventBody::Alert(event));
        let Some(known) = self.state.incidents.get(&incident) else {
            return;
        };
        // Of many alerts of one incident, each is over: that must not look at all of them each time.
        if known.firing > 0 || !known.is_open() {
            return;
        }
        let any_closed = known.closed.clone();
        // Who raised it says that it is over, or nobody will: there is nothing of ours to wait for.
        let why = outside.then(|| why_over(closed, any_closed.as_deref()));
        let cause = Cause::Event { position };
        let over = IncidentWhat::Recovered { closed: any_closed };
        self.emit_incident(cause.clone(), incident, over);
        if let Some(why) = why {
            self.resolve_now(incident, cause, &why);
        }
    }
}

/// Why an incident is over with its last open alert, which was `closed` or said to be over; `any_closed` tells of all of them.
fn why_over(closed: Option<&str>, any_closed: Option<&str>) -> String {
    match (closed, any_closed) {
        (Some(why), _) => why.to_owned(),
        (None, Some(why)) => {
            format!("no alert is open, and not all were said to be over by who raised them: {why}")
        }
        (None, None) => "whoever raised it says that it is over".to_owned(),
    }
}

/// Whether whoever asks may be the sender of what came by an integration.
const fn is_sender(actor: &Actor) -> bool {
    match actor {
        Actor::Person { .. }
        | Actor::OnBehalf { .. }
        | Actor::Channel { .. }
        | Actor::Token { .. } => false,
        Actor::System | Actor::Integration { .. } | Actor::Monitor { .. } | Actor::Rule { .. } => {
            true
        }
    }
}

/// What whoever asks is called; the event itself says which of them it was.
const fn word(actor: &Actor) -> &'static str {
    match actor {
        Actor::Person { .. } | Actor::OnBehalf { .. } | Actor::Channel { .. } => "a person",
        Actor::Token { .. } => "an API token",
        Actor::Integration { .. } => "an outside system",
        Actor::System | Actor::Monitor { .. } | Actor::Rule { .. } => "Tocsin",
    }
}
