//! Acknowledgements that come to an end: by their time, by a snooze, or because nobody is there any more.

use super::Decider;
use crate::bugs::{self, Bug};
use crate::command::Refusal;
use crate::event::{Cause, IncidentWhat, Response};
use crate::id::{IncidentId, UserId};
use crate::incident::{Incident, Status};
use crate::page::{Purpose, Word};
use crate::time::Timestamp;

/// A snooze lasts at least this long.
const SNOOZE_MS_MIN: u64 = 1_000;
/// And at most 7 days (PagerDuty's limit).
const SNOOZE_MS_MAX: u64 = 604_800_000;

impl Decider<'_> {
    pub(super) fn snooze(
        &mut self,
        id: IncidentId,
        by: UserId,
        for_ms: u64,
    ) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        if !(SNOOZE_MS_MIN..=SNOOZE_MS_MAX).contains(&for_ms) {
            // Each front has a field of its own for it.
            return Err(Refusal::invalid("a snooze lasts 1 second to 7 days"));
        }
        if known.status == Status::Triggered {
            let taken = IncidentWhat::Acknowledged {
                by: Some(by),
                ends_at: None,
                again: false,
            };
            let position = self.emit_incident(Cause::Request, id, taken);
            self.tell_mirrors(id, position);
        }
        let until = self.now.plus_ms(for_ms);
        let position = self.emit_response(Cause::Request, id, Response::Snoozed { by, until });
        let cause = Cause::Event { position };
        self.cancel_pages(id, &cause, "the incident was snoozed");
        self.accept_request(id, by);
        Ok(())
    }

    /// The incident stays with whoever has it, and their acknowledgement holds as long as any.
    pub(super) fn cancel_snooze(&mut self, id: IncidentId) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        if known.snoozed_until.is_none() {
            return Err(Refusal::conflict("the incident is not snoozed"));
        }
        let ends_at = self.acknowledgement_ends_at(known);
        self.emit_response(Cause::Request, id, Response::SnoozeCancelled { ends_at });
        Ok(())
    }

    /// What is paged then follows from what was paged before, as after any other wait.
    pub(super) fn snooze_ended(&mut self, id: IncidentId) {
        if let Some(known) = self.state.incidents.get(&id) {
            let position = known.paging_event;
            self.emit_response(Cause::Event { position }, id, Response::SnoozeEnded);
            self.take_up_again(id);
        }
    }

    /// Nobody has it any more: what kept it quiet may be over since, or its own wait may not. What wakes nobody is told as something new
    /// is; where it is quiet, when that is over.
    pub(super) fn take_up_again(&mut self, id: IncidentId) {
        self.look_again(id);
        let known = self.state.incidents.get(&id);
        if known.is_some_and(|known| known.told_after_quiet_at().is_none()) {
            self.tell_quietly(id);
        }
    }

    /// When an acknowledgement of now counts no longer.
    pub(super) fn acknowledgement_ends_at(&self, incident: &Incident) -> Option<Timestamp> {
        let policy = self.policy_of(incident);
        let timeout_ms = match self.state.services.get(&incident.service) {
            Some(service) => service.acknowledgement_timeout_ms(policy)?,
            None => policy?.acknowledgement_timeout_ms?,
        };
        Some(self.now.plus_ms(timeout_ms))
    }

    /// It may have been over for some time: nothing ran meanwhile, or the clock was set forward.
    pub(super) fn acknowledgement_ended(&mut self, id: IncidentId) {
        let Some(known) = self.state.incidents.get(&id) else {
            return;
        };
        let Some((by, since)) = known.acknowledged else {
            return;
        };
        let position = known.paging_event;
        let minutes = self.now.ms_since(since) / 60_000;
        // Of what the clock showed before it was set back, nobody can tell how long ago it was.
        let is_certain = self.state.clock.before.is_none_or(|before| before < since);
        let why = if is_certain {
            format!("it was acknowledged {minutes} minutes ago and still fails")
        } else {
            "its acknowledgement has run out and it still fails".to_owned()
        };
        let ended = Response::AcknowledgementEnded { by, why };
        self.emit_response(Cause::Event { position }, id, ended);
        self.take_up_again(id);
    }

    /// A person, who was called so, was removed: what they had taken is passed on or triggered again, and where nobody else of a level
    /// is left, it is paged again.
    pub(super) fn page_in_place_of(&mut self, gone: UserId, name: &str, position: u64) {
        self.take_what_all_have_done(position);
        let open = self.state.open_incidents.iter();
        let open: Vec<IncidentId> = open.copied().collect();
        let removed = format!("{name}, who was paged for it, was removed");
        for id in open {
            let Some(incident) = self.state.incidents.get(&id) else {
                continue;
            };
            let cause = Cause::Event { position };
            if incident.status == Status::Acknowledged {
                let was_theirs = incident
                    .acknowledged
                    .is_some_and(|(by, _)| by == Some(gone));
                if was_theirs && !bugs::on(Bug::TakenStaysWithWhoIsGone) {
                    self.pass_on_from(id, (gone, name), cause);
                }
                continue;
            }
            let asked = incident.paging.as_ref().map(|paging| &paging.recipients);
            let alone = asked.is_some_and(|asked| {
                let mut others = asked.iter();
                asked.contains(&gone) && !others.any(|user| self.state.users.contains_key(user))
            });
            let was_asked = asked.is_some_and(|asked| asked.contains(&gone));
            if alone && self.wants_pages(id) {
                self.page_level_again(id, Some(&removed));
            } else if was_asked {
                self.page_others(id, Some(&removed));
            }
        }
    }

    /// What somebody had who was removed, and was called so, stays acknowledged where others said that they take it too, and is that
    /// one's who did so first of those who are still there and can be told. Else it is triggered again.
    fn pass_on_from(&mut self, id: IncidentId, (from, name): (UserId, &str), cause: Cause) {
        let known = self.state.incidents.get(&id);
        let next = known.and_then(|known| {
            let mut others = known.acknowledged_too();
            others.find_map(|one| Some((*one, self.way_that_can_wait(one.user)?)))
        });
        let Some((next, method)) = next else {
            let why = "the person who acknowledged it was removed".to_owned();
            let by = Some(from);
            let ended = Response::AcknowledgementEnded { by, why };
            self.emit_response(cause, id, ended);
            self.take_up_again(id);
            return;
        };
        let passed = Response::PassedOn {
            from,
            to: next.user,
            through: next.through,
            why: format!("{name} was removed"),
        };
        let position = self.emit_response(cause, id, passed);
        let (cause, now) = (Cause::Event { position }, self.now);
        let purpose = Purpose::Word(Word::PassedOn { incident: id });
        let why = format!("{name} was removed, and you had acknowledged it too");
        self.plan(cause, purpose, next.user, method, None, now, why);
    }

    /// Whoever was asked to help and takes the incident, or says so, comes. True when that was news.
    pub(super) fn accept_request(&mut self, id: IncidentId, by: UserId) -> bool {
        let asked = self.awaits(id, by);
        if asked {
            self.answer(id, by, true);
        }
        asked
    }

    pub(super) fn answer(&mut self, id: IncidentId, user: UserId, accepted: bool) {
        let answered = Response::ResponderAnswered { user, accepted };
        let position = self.emit_response(Cause::Request, id, answered);
        let cause = Cause::Event { position };
        let request = Purpose::Request(id);
        self.cancel(request, Some(user), &cause, "they have answered");
    }
}
