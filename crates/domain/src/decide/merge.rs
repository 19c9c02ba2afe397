//! Making one incident of several: their alerts go to the one that stays, and they end in it.

use super::Decider;
use crate::command::Refusal;
use crate::event::{Cause, IncidentWhat, Response};
use crate::id::IncidentId;
use crate::incident::{Hold, Incident, Status};
use crate::page::Purpose;
use crate::people::Urgency;
use crate::time::Timestamp;

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
        let pages = asks(ending) && !self.asks_as_loudly(staying, ending);
        let both = [ending, staying];
        let first = both.iter().filter_map(|one| self.pages_at(one)).min();
        let waits_until = first.filter(|first| pages && *first > self.now);
        let asking = both.iter().filter(|one| asks(one) && self.state.burns(one));
        // Work on it may be over since, beside something that waits.
        let is_quiet =
            |one: &&&Incident| one.flapping || self.state.quiet_at(one, self.now).is_some();
        let quiet = asking.filter(is_quiet);
        let quiet = quiet.filter_map(|one| Some((one.flapping, one.suppressed.clone()?.0)));
        // That one of them comes and goes counts more than that one is quiet.
        let quiet = quiet.max();
        let merged = Response::Merged {
            source,
            number,
            alerts: ending.alerts.to_vec(),
            severity: heard.filter(|_| urgency == Urgency::High).unwrap_or(worst),
            urgency,
            pages,
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
        if let Some(until) = waits_until {
            self.cancel_pages(into, &cause, "what was merged is decided about anew");
            self.wait_as_before(into, until, quiet, position);
        } else if self.incident(into)?.is_held_back() {
            // What somebody had until now may be neither quiet nor wait.
            self.look_again(into);
        }
        if self.incident(into)?.status == Status::Acknowledged {
            self.tell_mirrors(into, position);
        }
        Ok(())
    }

    /// Whether somebody has an incident that pages, or is being paged for it without anything that holds pages back; also for what is
    /// over at this moment, unless the other one is not.
    fn asks_as_loudly(&self, incident: &Incident, other: &Incident) -> bool {
        let taken = incident.status == Status::Acknowledged;
        let alive = self.state.burns(incident) || !self.state.burns(other);
        let free = alive && !incident.is_held_back();
        incident.urgency == Urgency::High && (taken || free)
    }

    /// What is paged for anew waits until the first of those that it is made of would have paged. `quiet`: why nobody was paged for one
    /// of them, and whether that is because it comes and goes.
    fn wait_as_before(
        &mut self,
        id: IncidentId,
        until: Timestamp,
        quiet: Option<(bool, String)>,
        position: u64,
    ) {
        let flaps = quiet.as_ref().is_some_and(|(flaps, _)| *flaps);
        if !flaps {
            if self.suppress_if_quiet(id) {
                return;
            }
            let known = self.state.incidents.get(&id);
            let own = known.and_then(|known| self.state.waits(known, self.now, false));
            if let Some(hold) = own {
                return self.hold_page(id, hold, position);
            }
        }
        let what = match quiet {
            Some((flapping, why)) => IncidentWhat::PageSuppressed {
                why,
                until,
                flapping,
            },
            None => IncidentWhat::PageHeld {
                hold: Hold {
                    until,
                    until_clear: false,
                    why: "none of those that it is made of would have paged before".to_owned(),
                },
            },
        };
        self.emit_incident(Cause::Event { position }, id, what);
    }
}

/// Whether an incident is urgent and nobody has taken it, also where something holds its pages back.
fn asks(incident: &Incident) -> bool {
    incident.status == Status::Triggered && incident.urgency == Urgency::High
}
