//! Decisions of people about incidents.

use super::{Decider, text_within};
use crate::alert::Alert;
use crate::command::{AlertAsk, Refusal, RespondAsk};
use crate::event::{Cause, IncidentWhat};
use crate::id::{AlertId, IncidentId, UserId};
use crate::incident::{Incident, Status};
use crate::monitor::Severity;
use crate::page::{Delivery, Purpose};
use crate::people::Urgency;

/// Characters of a note at most.
const NOTE_MAX: usize = 4_000;

impl Decider<'_> {
    pub(super) fn respond(&mut self, ask: RespondAsk) -> Result<(), Refusal> {
        match ask {
            RespondAsk::Acknowledge { incident, by } => {
                self.user(by)?;
                self.acknowledge(incident, Some(by))
            }
            RespondAsk::Resolve { incident, note } => self.resolve(incident, note),
            RespondAsk::Note { incident, text } => {
                self.incident(incident)?;
                let text = text_within("text", &text, NOTE_MAX)?;
                self.emit_incident(Cause::Request, incident, IncidentWhat::NoteAdded { text });
                Ok(())
            }
            RespondAsk::Declare {
                title,
                service,
                urgency,
            } => {
                let severity = match urgency {
                    Urgency::High => Severity::Critical,
                    Urgency::Low => Severity::Warning,
                };
                self.alert(AlertAsk::Trigger {
                    service,
                    integration: None,
                    dedup_key: None,
                    severity,
                    title,
                    summary: "declared by a person".to_owned(),
                    details: Vec::new(),
                    at: None,
                })
            }
        }
    }

    fn incident(&self, incident: IncidentId) -> Result<&Incident, Refusal> {
        let known = self.state.incidents.get(&incident);
        known.ok_or_else(|| Refusal::not_found(format!("incident {incident}")))
    }

    /// Acknowledging what is acknowledged changes nothing and is no error: two people may press at once.
    pub(super) fn acknowledge(
        &mut self,
        id: IncidentId,
        by: Option<UserId>,
    ) -> Result<(), Refusal> {
        let known = self.incident(id)?;
        let (number, service) = (known.number, known.service);
        match known.status {
            Status::Resolved => Err(Refusal::conflict("the incident is resolved already")),
            Status::Acknowledged => {
                let what = format!(
                    "an acknowledgement of incident {number}, which is acknowledged already"
                );
                self.ignored(service, what);
                Ok(())
            }
            Status::Triggered => {
                let what = IncidentWhat::Acknowledged { by };
                let position = self.emit_incident(Cause::Request, id, what);
                self.cancel_pages(
                    id,
                    &Cause::Event { position },
                    "the incident was acknowledged",
                );
                self.tell_mirrors(id, position);
                Ok(())
            }
        }
    }

    /// Whoever keeps the incident too learns that somebody took it.
    fn tell_mirrors(&mut self, incident: IncidentId, position: u64) {
        let pages = self.state.messages_about(incident);
        let mut mirrors: Vec<_> = pages
            .filter(|page| page.purpose == Purpose::Page(incident))
            .filter(|page| page.channel.mirrors_incidents())
            .filter(|page| matches!(page.state, Delivery::Delivered { .. }))
            .map(|page| (page.user, page.contact_method, page.channel))
            .collect();
        mirrors.sort();
        mirrors.dedup();
        for (user, method, channel) in mirrors {
            let now = self.now;
            self.plan(
                Cause::Event { position },
                Purpose::Acknowledged(incident),
                user,
                (method, channel),
                None,
                now,
                "it keeps the incident too".to_owned(),
            );
        }
    }

    /// A person cannot talk a monitor into health: what a monitor sees failing ends when the monitor sees it well.
    fn resolve(&mut self, id: IncidentId, note: Option<String>) -> Result<(), Refusal> {
        let known = self.incident(id)?;
        if !known.is_open() {
            return Err(Refusal::conflict("the incident is resolved already"));
        }
        let firing: Vec<&Alert> = known
            .alerts
            .iter()
            .filter_map(|alert| self.state.alerts.get(alert))
            .filter(|alert| alert.is_firing())
            .collect();
        if let Some(failing) = firing.iter().find(|alert| alert.source.is_own_judge()) {
            let until_then = if failing.target.is_some() {
                "mute the target"
            } else {
                "acknowledge it"
            };
            return Err(Refusal::conflict(format!(
                "it still fails ({}): it resolves by itself 15 seconds after it has recovered; {until_then} to be left in peace until then",
                failing.title
            )));
        }
        let firing: Vec<AlertId> = firing.iter().map(|alert| alert.id).collect();
        if let Some(note) = note {
            let text = text_within("note", &note, NOTE_MAX)?;
            self.emit_incident(Cause::Request, id, IncidentWhat::NoteAdded { text });
        }
        self.close_alerts(&firing, &Cause::Request);
        if self.incident(id)?.is_open() {
            self.resolve_now(id, Cause::Request, "a person resolved it");
        }
        Ok(())
    }
}
