//! Decisions about what a sender says otherwise of an alert that it raised before, and what it notes about it.

use super::alert::Condition;
use super::respond::{NOTE_MAX, TITLE_MAX};
use super::take_in::Taken;
use super::{Decider, prose_within, title_of_alert};
use crate::alert::AlertKey;
use crate::command::{Refusal, Restated};
use crate::event::{Cause, IncidentWhat};

impl Decider<'_> {
    /// An alert that fires is said again with what is said otherwise. What is over stays over, and what is said already says
    /// nothing new.
    pub(super) fn restate_by_key(&mut self, key: &AlertKey, said: Restated) -> Result<(), Refusal> {
        let alert = self.state.firing.get(key);
        let Some(known) = alert.and_then(|alert| self.state.alerts.get(alert)) else {
            return self.unmatched("another wording", key);
        };
        let mut condition = Condition {
            // The one that it was sent to: the rules are asked again.
            service: key.service,
            target: known.target,
            dedup_key: known.dedup_key.clone(),
            source: known.source.clone(),
            severity: known.severity,
            title: known.title.clone(),
            summary: known.summary.clone(),
            details: known.details.clone(),
            at: self.now,
            onset: None,
            evidence: Vec::new(),
            hold: Vec::new(),
            taken: Taken::default(),
        };
        match said {
            Restated::Title(title) => {
                condition.title = title_of_alert("title", &title, TITLE_MAX)?;
            }
            Restated::Summary(summary) => condition.summary = summary,
            Restated::Severity(severity) => condition.severity = severity,
        }
        let is_news = condition.title != known.title
            || condition.summary != known.summary
            || condition.severity != known.severity;
        if is_news {
            self.trigger(condition);
        }
        Ok(())
    }

    /// What is noted about an alert that fires stands in its incident.
    pub(super) fn note_by_key(&mut self, key: &AlertKey, text: &str) -> Result<(), Refusal> {
        let text = prose_within("text", text, NOTE_MAX)?;
        let alert = self.state.firing.get(key);
        let known = alert.and_then(|alert| self.state.alerts.get(alert));
        match known.map(|known| known.incident) {
            Some(incident) => {
                self.emit_incident(Cause::Request, incident, IncidentWhat::NoteAdded { text });
                Ok(())
            }
            None => self.unmatched("a note", key),
        }
    }
}
