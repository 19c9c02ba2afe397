//! Decisions about what a sender says otherwise of an alert that it raised before, and what it notes about it.

use super::alert::Condition;
use super::respond::{NOTE_MAX, TITLE_MAX};
use super::take_in::Taken;
use super::{Decider, prose_within, title_of_alert};
use crate::alert::{Alert, AlertKey};
use crate::command::{Refusal, Restated};
use crate::event::{AlertEvent, Cause, EventBody, IncidentWhat};
use crate::text::shows_nothing;

impl Decider<'_> {
    /// An alert that fires is said again with what is said otherwise. Another wording is told and changes nothing else; a severity is
    /// judged as any that its sender says, and only rises. What is over stays over.
    pub(super) fn restate_by_key(&mut self, key: &AlertKey, said: Restated) -> Result<(), Refusal> {
        let Some(known) = self.state.fires(key) else {
            return self.unmatched("another wording", key);
        };
        match said {
            Restated::Title(title) => {
                let title = title_of_alert("title", &title, TITLE_MAX)?;
                let again = said_again(known, title);
                self.emit(Cause::Request, EventBody::Alert(again));
            }
            Restated::Summary(summary) if shows_nothing(&summary) => {}
            Restated::Summary(summary) => {
                let again = said_again(known, summary);
                self.emit(Cause::Request, EventBody::Alert(again));
            }
            Restated::Severity(severity) if severity > known.severity => {
                let condition = Condition {
                    // The one that it was sent to: the rules are asked again.
                    service: key.service,
                    target: known.target,
                    dedup_key: known.dedup_key.clone(),
                    source: known.source.clone(),
                    severity,
                    title: known.title.clone(),
                    summary: known.summary.clone(),
                    details: known.details.to_vec(),
                    at: self.now,
                    onset: None,
                    evidence: Vec::new(),
                    hold: Vec::new(),
                    taken: Taken::default(),
                };
                self.trigger(condition);
            }
            Restated::Severity(severity) => {
                let what = format!(
                    "the severity {} for the key {:?}, which is {} already",
                    severity.word(),
                    key.key,
                    known.severity.word()
                );
                self.ignored(key.service, what);
            }
        }
        Ok(())
    }

    /// What is noted about an alert that fires stands in its incident.
    pub(super) fn note_by_key(&mut self, key: &AlertKey, text: &str) -> Result<(), Refusal> {
        let text = prose_within("text", text, NOTE_MAX)?;
        match self.state.fires(key).map(|known| known.incident) {
            Some(incident) => {
                self.emit_incident(Cause::Request, incident, IncidentWhat::noted(text));
                Ok(())
            }
            None => self.unmatched("a note", key),
        }
    }
}

/// An alert said again in other words.
fn said_again(known: &Alert, words: String) -> AlertEvent {
    AlertEvent::Repeated {
        alert: known.id,
        incident: known.incident,
        severity: known.severity,
        summary: words,
        urgency: Some(known.urgency()),
        judged: None,
        ends_at: known.ends_at,
        details: None,
        hold: None,
    }
}
