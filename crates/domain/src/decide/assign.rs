//! Decisions about who else is paged, by reassigning and escalating by hand; and how loud an incident is.

use super::respond::TITLE_MAX;
use super::{Decider, line_within};
use crate::bugs::{self, Bug};
use crate::command::Refusal;
use crate::event::{Cause, Response};
use crate::id::{IncidentId, PolicyId, UserId};
use crate::incident::{Assigned, Incident};
use crate::page::Purpose;
use crate::people::Urgency;

/// People an incident is given to, or who are asked to help, at most.
pub(super) const PEOPLE_MAX: usize = 50;

impl Decider<'_> {
    pub(super) fn reassign(&mut self, id: IncidentId, to: Assigned) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        let why = if self.begins_anew(known, &to) {
            "the incident is paged anew from the first level of its policy"
        } else {
            "the incident was given to somebody else"
        };
        let to = self.assignable(to)?;
        let position = self.emit_response(Cause::Request, id, Response::Reassigned { to });
        let cause = Cause::Event { position };
        if !bugs::on(Bug::TakenFromStillPaged) {
            self.cancel_pages(id, &cause, why);
        }
        self.cancel(Purpose::Notice(id), None, &cause, why);
        self.tell_quietly(id);
        Ok(())
    }

    /// Whether an incident is given to the policy that it follows already.
    fn begins_anew(&self, incident: &Incident, to: &Assigned) -> bool {
        match (&incident.assigned, to) {
            (Some(Assigned::People(_)), _) | (_, Assigned::People(_)) => false,
            (Some(Assigned::Policy(_)) | None, Assigned::Policy(policy)) => self
                .policy_of(incident)
                .is_some_and(|own| own.id == *policy),
        }
    }

    /// Whom an incident can be given to: they exist, and one of them can be paged.
    pub(super) fn assignable(&self, to: Assigned) -> Result<Assigned, Refusal> {
        match to {
            Assigned::Policy(policy) => {
                self.known_policy(policy)?;
                Ok(Assigned::Policy(policy))
            }
            Assigned::People(people) => {
                let people = self.people_named(people)?;
                if people.is_empty() || people.len() > PEOPLE_MAX {
                    return Err(Refusal::invalid(format!("people: 1 to {PEOPLE_MAX}")));
                }
                self.one_can_be_paged(&people)?;
                Ok(Assigned::People(people))
            }
        }
    }

    /// The name of a priority that the installation has.
    pub(super) fn known_priority(&self, name: &str) -> Result<(), Refusal> {
        let installation = self.state.installation.as_ref();
        let names = installation.map_or(&[][..], |all| &all.priorities);
        if names.iter().any(|known| known == name) {
            return Ok(());
        }
        let names = names.join(", ");
        Err(Refusal::invalid(format!("priority: one of {names}")))
    }

    fn one_can_be_paged(&self, people: &[UserId]) -> Result<(), Refusal> {
        let mut problems = Vec::new();
        for user in people {
            match self.reachable(*user) {
                Ok(_) => return Ok(()),
                Err(problem) => problems.push(problem),
            }
        }
        let problems = problems.join("; ");
        Err(Refusal::conflict(format!(
            "none of them can be paged: {problems}"
        )))
    }

    pub(super) fn known_policy(&self, policy: PolicyId) -> Result<(), Refusal> {
        if self.state.policies.contains_key(&policy) {
            Ok(())
        } else {
            Err(Refusal::not_found(format!("escalation policy {policy}")))
        }
    }

    /// Pages the next level now, also of what is acknowledged or snoozed.
    pub(super) fn escalate_by_hand(&mut self, id: IncidentId) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        if known.urgency != Urgency::High {
            return Err(Refusal::conflict(
                "its urgency is low, which pages nobody: set the urgency to high first",
            ));
        }
        if !self.state.burns(known) {
            return Err(Refusal::conflict(
                "nothing that pages fails in it at this moment",
            ));
        }
        self.refuse_if_quiet(known)?;
        let spared = who_did_their_part(known);
        self.emit_response(Cause::Request, id, Response::EscalatedByHand { spared });
        Ok(())
    }

    pub(super) fn refuse_if_quiet(&self, incident: &Incident) -> Result<(), Refusal> {
        match self.state.quiet_at(incident, self.now) {
            Some(quiet) => Err(Refusal::conflict(format!(
                "nobody is paged for it until {} ({}): end that first",
                quiet.until, quiet.why
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn set_priority(
        &mut self,
        id: IncidentId,
        priority: Option<String>,
    ) -> Result<(), Refusal> {
        let known = self.incident(id)?;
        if let Some(name) = &priority {
            self.known_priority(name)?;
        }
        if known.priority == priority {
            let what = format!("the priority of incident {}, which it has", known.number);
            self.ignored(known.service, what);
        } else {
            self.emit_response(Cause::Request, id, Response::PrioritySet { priority });
        }
        Ok(())
    }

    /// Also of an incident that is over: its report is read later.
    pub(super) fn set_title(&mut self, id: IncidentId, title: &str) -> Result<(), Refusal> {
        let title = line_within("title", title, TITLE_MAX)?;
        let known = self.incident(id)?;
        if known.title == title {
            let what = format!("the title of incident {}, which it has", known.number);
            self.ignored(known.service, what);
        } else {
            self.emit_response(Cause::Request, id, Response::TitleSet { title });
        }
        Ok(())
    }

    pub(super) fn set_urgency(&mut self, id: IncidentId, urgency: Urgency) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        if known.urgency == urgency {
            let what = format!("the urgency of incident {}, which it has", known.number);
            self.ignored(known.service, what);
            return Ok(());
        }
        let position = self.emit_response(Cause::Request, id, Response::UrgencySet { urgency });
        match urgency {
            Urgency::Low => {
                let cause = Cause::Event { position };
                self.cancel_pages(id, &cause, "a person said that it is not urgent");
            }
            // What kept it quiet may be over since.
            Urgency::High => self.end_quiet(id),
        }
        Ok(())
    }
}

/// Who has acknowledged for their part, where each must.
fn who_did_their_part(incident: &Incident) -> Vec<UserId> {
    let paging = incident.paging.iter();
    let done = paging.flat_map(|paging| paging.each_before.iter().chain(&paging.each_done));
    let mut once: Vec<UserId> = Vec::new();
    for user in done {
        if !once.contains(user) {
            once.push(*user);
        }
    }
    once
}
