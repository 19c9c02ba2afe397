//! Decisions about an incident that is over and of which a person says that it is not.

use super::Decider;
use super::alert::Condition;
use super::take_in::Taken;
use crate::alert::REOPENED;
use crate::command::Refusal;
use crate::event::Cause;
use crate::id::{AlertId, IncidentId};
use crate::intake::ALERTS_PER_INCIDENT_MAX;

impl Decider<'_> {
    /// It fails again, as an alert of that person's, and is paged for from the first level on. It is over when a person says so.
    pub(super) fn reopen(&mut self, id: IncidentId) -> Result<(), Refusal> {
        let known = self.incident(id)?;
        if known.is_open() {
            return Err(Refusal::conflict("the incident is open already"));
        }
        if known.merged_into.is_some() {
            self.open_incident_named(id)?;
        }
        if !self.state.services.contains_key(&known.service) {
            return Err(Refusal::conflict(
                "its service was removed: declare another incident, of a service that is there",
            ));
        }
        if known.alerts.len() >= ALERTS_PER_INCIDENT_MAX {
            return Err(Refusal::conflict(
                "the incident has as many alerts as one can have: declare another one",
            ));
        }
        let (service, severity, urgency) = (known.service, known.severity, known.urgency);
        let (title, onset) = (known.title.clone(), known.onset.clone());
        let text = "a person says that it is not over, and reopened it";
        self.say(Cause::Request, id, text.to_owned());
        let dedup_key = AlertId::random(self.entropy).to_string();
        let summary = REOPENED.to_owned();
        let taken = Taken {
            again: Some(id),
            urgency: Some(urgency),
            ..Taken::default()
        };
        let plain = Condition::plain(service, dedup_key, severity, title, summary, self.now);
        let said = plain.said(taken);
        self.open_taken(Condition { onset, ..said });
        Ok(())
    }
}
