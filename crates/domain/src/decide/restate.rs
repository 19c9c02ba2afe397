//! Decisions about what a sender says otherwise of an alert that it raised before, and what it notes about it.

use super::alert::Condition;
use super::respond::{NOTE_MAX, TITLE_MAX};
use super::take_in::Taken;
use super::{Decider, prose_within, title_of_alert};
use crate::alert::{Alert, AlertKey};
use crate::command::{Refusal, Restated};
use crate::event::{AlertEvent, Cause, EventBody, IncidentWhat, Response, Reworded};
use crate::text::shows_nothing;

impl Decider<'_> {
    /// An alert that fires has from now on what is said otherwise of it, and so has an incident that is called like it. A severity is
    /// judged as any that its sender says, and only rises. What is over stays over.
    pub(super) fn restate_by_key(&mut self, key: &AlertKey, said: Restated) -> Result<(), Refusal> {
        let Some(known) = self.state.fires(key) else {
            return self.unmatched("another wording", key);
        };
        match said {
            Restated::Title(title) => {
                let title = title_of_alert("title", &title, TITLE_MAX)?;
                let of = self.state.incidents.get(&known.incident);
                let is_called_so = of.is_some_and(|of| of.title == known.title);
                let incident = known.incident;
                if title == known.title {
                    return Ok(());
                }
                let told = reworded(known, Reworded::Title, title.clone());
                self.emit(Cause::Request, EventBody::Alert(told));
                if is_called_so {
                    self.emit_response(Cause::Request, incident, Response::TitleSet { title });
                }
            }
            // Whoever leaves it out says nothing of it.
            Restated::Summary(summary) if shows_nothing(&summary) || summary == known.summary => {}
            Restated::Summary(summary) => {
                let told = reworded(known, Reworded::Summary, summary);
                self.emit(Cause::Request, EventBody::Alert(told));
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
                    sent_details: known.sent_details.clone(),
                    at: self.now,
                    onset: None,
                    evidence: Vec::new(),
                    hold: Vec::new(),
                    taken: Taken::default(),
                };
                self.trigger_as(condition, Some(Reworded::Severity));
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

/// Other words of an alert.
fn reworded(known: &Alert, part: Reworded, words: String) -> AlertEvent {
    AlertEvent::Repeated {
        alert: known.id,
        incident: known.incident,
        severity: known.severity,
        summary: words,
        urgency: Some(known.urgency()),
        judged: None,
        ends_at: known.ends_at,
        details: None,
        sent_details: None,
        hold: None,
        reworded: Some(part),
    }
}
