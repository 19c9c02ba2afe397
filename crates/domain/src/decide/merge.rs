//! Making one incident of several: their alerts go to the one that stays, and they end in it.

use super::Decider;
use crate::command::Refusal;
use crate::event::{Cause, IncidentWhat, Response};
use crate::id::IncidentId;
use crate::incident::{Incident, Status};
use crate::page::Purpose;
use crate::people::Urgency;

/// Incidents that are merged into one at a time, at most.
const SOURCES_MAX: usize = 100;

impl Decider<'_> {
    pub(super) fn merge(
        &mut self,
        sources: &[IncidentId],
        into: IncidentId,
    ) -> Result<(), Refusal> {
        self.open_incident_named(into)?;
        if sources.is_empty() || sources.len() > SOURCES_MAX {
            return Err(Refusal::invalid(format!("sources: 1 to {SOURCES_MAX}")));
        }
        let mut once: Vec<IncidentId> = Vec::new();
        for source in sources {
            if *source == into {
                return Err(Refusal::conflict(
                    "an incident cannot be merged into itself",
                ));
            }
            self.open_incident_named(*source)?;
            if !once.contains(source) {
                once.push(*source);
            }
        }
        for source in once {
            self.merge_one(source, into)?;
        }
        Ok(())
    }

    fn merge_one(&mut self, source: IncidentId, into: IncidentId) -> Result<(), Refusal> {
        let (ending, staying) = (self.incident(source)?, self.incident(into)?);
        let (number, staying_number) = (ending.number, staying.number);
        let worst = staying.severity.max(ending.severity);
        let urgency = staying.urgency.max(ending.urgency);
        let heard = self
            .heard_severity(staying)
            .max(self.heard_severity(ending));
        let merged = Response::Merged {
            source,
            number,
            alerts: ending.alerts.to_vec(),
            severity: heard.filter(|_| urgency == Urgency::High).unwrap_or(worst),
            urgency,
            pages: ending.is_unanswered() && !asks_loudly(staying),
        };
        let position = self.emit_response(Cause::Request, into, merged);
        let cause = Cause::Event { position };
        let ended = Response::MergedInto {
            into,
            number: staying_number,
        };
        self.emit_response(cause.clone(), source, ended);
        let why = format!("merged into #{staying_number}");
        let resolved = IncidentWhat::Resolved { why: why.clone() };
        // Nobody is told that it is over: it goes on in the other one.
        self.emit_incident(cause.clone(), source, resolved);
        self.cancel_pages(source, &cause, &why);
        self.cancel(Purpose::Request(source), None, &cause, &why);
        if self.incident(into)?.status == Status::Acknowledged {
            self.tell_mirrors(into, position);
        }
        Ok(())
    }
}

/// Whether somebody has an incident that pages, or is being paged for it without anything that holds pages back.
fn asks_loudly(incident: &Incident) -> bool {
    let taken = incident.status == Status::Acknowledged;
    let free = incident.suppressed.is_none() && incident.hold.is_none();
    incident.urgency == Urgency::High && (taken || free)
}
