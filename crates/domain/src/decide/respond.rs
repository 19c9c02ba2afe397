//! Decisions of people about incidents.

use super::{Decider, line_within, prose_within};
use crate::alert::Alert;
use crate::bugs::{self, Bug};
use crate::command::{Refusal, RespondAsk};
use crate::event::{Cause, IncidentWhat, Response};
use crate::id::{AlertId, IncidentId, UserId};
use crate::incident::{Incident, Status};
use crate::page::Purpose;
use crate::time::Timestamp;

/// Characters of a note at most.
pub(super) const NOTE_MAX: usize = 4_000;
/// Characters of a title at most.
pub(super) const TITLE_MAX: usize = 1_024;

impl Decider<'_> {
    pub(super) fn respond(&mut self, ask: RespondAsk) -> Result<(), Refusal> {
        match ask {
            RespondAsk::Acknowledge { incident, by } => {
                self.user(by)?;
                self.acknowledge(incident, Some(by))
            }
            RespondAsk::Resolve { incident, note } => self.resolve(incident, note),
            RespondAsk::Reopen { incident } => self.reopen(incident),
            RespondAsk::Note {
                incident,
                text,
                update,
            } => {
                self.incident(incident)?;
                let text = prose_within("text", &text, NOTE_MAX)?;
                let what = IncidentWhat::NoteAdded { text, update };
                self.emit_incident(Cause::Request, incident, what);
                Ok(())
            }
            RespondAsk::Declare {
                title,
                service,
                urgency,
                more,
            } => {
                let service = self.service_or_default(service)?;
                let title = line_within("summary", &title, TITLE_MAX)?;
                self.declare(service, title, urgency, *more)
            }
            RespondAsk::Snooze {
                incident,
                by,
                for_ms,
            } => {
                self.user(by)?;
                self.snooze(incident, by, for_ms)
            }
            RespondAsk::CancelSnooze { incident } => self.cancel_snooze(incident),
            RespondAsk::Reassign { incident, to } => self.reassign(incident, to),
            RespondAsk::Escalate { incident } => self.escalate_by_hand(incident),
            RespondAsk::RequestResponders {
                incident,
                people,
                policy,
                message,
            } => self.request_responders(incident, people, policy, &message),
            RespondAsk::AnswerRequest {
                incident,
                by,
                accept,
            } => self.answer_request(incident, by, accept),
            RespondAsk::Merge { sources, into } => self.merge(&sources, into),
            RespondAsk::SetPriority { incident, priority } => self.set_priority(incident, priority),
            RespondAsk::SetUrgency { incident, urgency } => self.set_urgency(incident, urgency),
            RespondAsk::SetTitle { incident, title } => self.set_title(incident, &title),
        }
    }

    pub(super) fn open_incident_named(&self, id: IncidentId) -> Result<&Incident, Refusal> {
        let known = self.incident(id)?;
        if known.is_open() {
            return Ok(known);
        }
        match known.merged_into {
            Some(into) => {
                let into = self.state.incidents.get(&into);
                let number = into.map_or(0, |into| into.number);
                Err(Refusal::conflict(format!(
                    "incident {} was merged into #{number}",
                    known.number
                )))
            }
            None => Err(Refusal::conflict(format!(
                "incident {} is resolved already",
                known.number
            ))),
        }
    }

    pub(super) fn incident(&self, incident: IncidentId) -> Result<&Incident, Refusal> {
        let known = self.state.incidents.get(&incident);
        known.ok_or_else(|| Refusal::not_found(format!("incident {incident}")))
    }

    /// Acknowledging what is acknowledged is no error, since two people may press at once, and takes it from nobody; where an
    /// acknowledgement holds for a time only, that time begins anew. Who did so is kept: it is theirs should whoever has it be removed.
    pub(super) fn acknowledge(
        &mut self,
        id: IncidentId,
        by: Option<UserId>,
    ) -> Result<(), Refusal> {
        let known = self.incident(id)?;
        let (number, service) = (known.number, known.service);
        let ends_at = self.acknowledgement_ends_at(known);
        match known.status {
            Status::Resolved => return Err(Refusal::conflict("the incident is resolved already")),
            Status::Acknowledged => {
                let holds_for_a_time = known.acknowledgement_ends_at.is_some();
                let is_news = by.is_some_and(|by| known.is_news_from(by));
                let comes = by.is_some_and(|by| self.accept_request(id, by));
                if holds_for_a_time || is_news {
                    let what = IncidentWhat::Acknowledged {
                        by,
                        ends_at: ends_at.filter(|_| holds_for_a_time),
                        again: true,
                    };
                    self.emit_incident(Cause::Request, id, what);
                } else if !comes {
                    let what = format!(
                        "an acknowledgement of incident {number}, which is acknowledged already"
                    );
                    self.ignored(service, what);
                }
                return Ok(());
            }
            Status::Triggered => {}
        }
        let part = by.and_then(|by| Some((by, self.missing_besides(known, by)?)));
        if let Some((by, missing)) = part {
            let paging = known.paging.as_ref();
            // Who did so before it was escalated by hand has not answered that.
            if paging.is_some_and(|paging| paging.each_done.contains(&by)) {
                let what = format!("an acknowledgement of incident {number} by somebody who did");
                self.ignored(service, what);
            } else {
                self.acknowledge_partly(id, by, missing);
            }
        } else {
            self.take(id, by, ends_at, Cause::Request);
        }
        if let Some(by) = by {
            self.accept_request(id, by);
        }
        Ok(())
    }

    /// Somebody has it: nobody is paged any more, and whoever keeps it too learns of it.
    fn take(
        &mut self,
        id: IncidentId,
        by: Option<UserId>,
        ends_at: Option<Timestamp>,
        cause: Cause,
    ) {
        let what = IncidentWhat::Acknowledged {
            by,
            ends_at,
            again: false,
        };
        let position = self.emit_incident(cause, id, what);
        let cause = Cause::Event { position };
        if !bugs::on(Bug::PagingAfterAcknowledgement) {
            self.cancel_pages(id, &cause, "the incident was acknowledged");
        }
        self.tell_mirrors(id, position);
    }

    /// Where each must acknowledge and somebody need not any more, everybody who is left may have done so: then it is taken.
    pub(super) fn take_what_all_have_done(&mut self, position: u64) {
        let open = self.state.open_incidents.iter();
        let open = open.filter_map(|id| self.state.incidents.get(id));
        let triggered = open.filter(|incident| incident.status == Status::Triggered);
        let done = triggered.filter_map(|incident| Some((incident.id, last_of_all(incident)?)));
        let done: Vec<(IncidentId, UserId)> = done.collect();
        for (id, by) in done {
            let known = self.state.incidents.get(&id);
            let ends_at = known.and_then(|known| self.acknowledgement_ends_at(known));
            let text = "everybody who is left of those who must each acknowledge it has done so";
            let cause = Cause::Event { position };
            self.say(cause.clone(), id, text.to_owned());
            self.take(id, Some(by), ends_at, cause);
        }
    }

    /// Who else must acknowledge besides this person, where each must; none when one acknowledgement is enough.
    fn missing_besides(&self, incident: &Incident, by: UserId) -> Option<Vec<UserId>> {
        let paging = incident
            .paging
            .as_ref()
            .filter(|paging| !paging.exhausted)?;
        if !paging.each_of.contains(&by) {
            return None;
        }
        let mut missing: Vec<UserId> = Vec::new();
        for user in &paging.each_of {
            let done = *user == by || paging.has_done(*user) || missing.contains(user);
            if !done && self.state.users.contains_key(user) {
                missing.push(*user);
            }
        }
        Some(missing).filter(|missing| !missing.is_empty())
    }

    fn acknowledge_partly(&mut self, id: IncidentId, by: UserId, missing: Vec<UserId>) {
        let part = Response::PartlyAcknowledged { by, missing };
        let position = self.emit_response(Cause::Request, id, part);
        let cause = Cause::Event { position };
        let why = "this person has acknowledged";
        self.cancel(Purpose::Page(id), Some(by), &cause, why);
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
            let text = prose_within("note", &note, NOTE_MAX)?;
            self.emit_incident(Cause::Request, id, IncidentWhat::noted(text));
        }
        self.resolve_by_hand(id, &firing);
        Ok(())
    }
}

/// Who acknowledged last, where each must and did.
fn last_of_all(incident: &Incident) -> Option<UserId> {
    let paging = incident.paging.as_ref()?;
    let mut asked = paging.each_of.iter();
    let all = asked.all(|user| paging.has_done(*user));
    let mut done = paging.each_done.iter().rev();
    let last = done.find(|user| paging.each_of.contains(user));
    last.copied().filter(|_| all)
}
