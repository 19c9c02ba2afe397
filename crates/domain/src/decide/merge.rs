//! Making one incident of several: their alerts go to the one that stays, and they end in it.

use super::Decider;
use crate::actor::Actor;
use crate::command::Refusal;
use crate::event::{AskedLevel, Cause, IncidentWhat, Response};
use crate::id::{IncidentId, NotificationId, PolicyId, UserId};
use crate::incident::{Hold, Incident, MERGED_ALERTS_MAX, Status};
use crate::page::Purpose;
use crate::people::Urgency;
use crate::time::Timestamp;

/// Incidents that are merged into one at a time, at most.
const SOURCES_MAX: usize = 100;

/// What some people were asked in one way: by name, or as a level of a policy.
struct Request {
    level: Option<(PolicyId, usize)>,
    message: String,
    asked_by: Option<Actor>,
    people: Vec<UserId>,
}

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
        let all = once.iter().chain([&into]);
        let all = all.filter_map(|id| self.state.incidents.get(id));
        let alerts: usize = all.map(|one| one.alerts.len()).sum();
        if alerts > MERGED_ALERTS_MAX {
            return Err(Refusal::conflict(format!(
                "together they have {alerts} alerts, and one incident has {MERGED_ALERTS_MAX} at most: merge fewer of them"
            )));
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
        self.ask_on(source, into, position);
        if let Some(until) = waits_until {
            self.cancel_pages(into, &cause, "what was merged is decided about anew");
            self.wait_as_before(into, until, quiet, position);
        } else {
            // What somebody had until now may be quiet or wait, or do neither.
            self.look_again(into);
        }
        self.hurry(into, &cause);
        if self.incident(into)?.status == Status::Acknowledged {
            self.tell_mirrors(into, position);
        }
        Ok(())
    }

    /// What became critical by what was merged into it is told with others no longer.
    fn hurry(&mut self, id: IncidentId, cause: &Cause) {
        self.ask_alone(id, cause);
        let pages = self.active_pages(id).map(|page| page.id);
        for page in pages.collect::<Vec<NotificationId>>() {
            self.tell_alone(page, cause.clone());
        }
    }

    /// Who was asked to help with what was merged, and has not answered, is asked the same about the incident that it is part of now.
    fn ask_on(&mut self, source: IncidentId, into: IncidentId, position: u64) {
        let incidents = &self.state.incidents;
        let Some((ended, staying)) = incidents.get(&source).zip(incidents.get(&into)) else {
            return;
        };
        let why = format!("they were asked to help with #{}", ended.number);
        let taker = staying.acknowledged.and_then(|(by, _)| by);
        let knows = |user: UserId| {
            let mut asked = staying.responders.iter();
            taker == Some(user) || asked.any(|one| one.user == user)
        };
        let unanswered = ended.responders.iter().filter(|one| one.answer.is_none());
        let mut requests: Vec<Request> = Vec::new();
        for one in unanswered.filter(|one| !knows(one.user)) {
            let is_alike = |known: &&mut Request| {
                known.level == one.level
                    && known.message == one.message
                    && known.asked_by == one.asked_by
            };
            match requests.iter_mut().find(is_alike) {
                Some(known) => known.people.push(one.user),
                None => requests.push(Request {
                    level: one.level,
                    message: one.message.clone(),
                    asked_by: one.asked_by.clone(),
                    people: vec![one.user],
                }),
            }
        }
        // Whoever merges them did not ask these.
        let merges = std::mem::replace(&mut self.actor, Actor::System);
        for request in requests {
            self.ask_once_more(into, request, &why, position);
        }
        self.actor = merges;
    }

    fn ask_once_more(&mut self, id: IncidentId, request: Request, why: &str, position: u64) {
        let (mut found, mut skipped) = (Vec::new(), Vec::new());
        for user in request.people {
            self.choose(user, why.to_owned(), None, &mut found, &mut skipped);
        }
        if found.is_empty() {
            return;
        }
        let people: Vec<UserId> = found.iter().map(|(user, _)| *user).collect();
        let requested = Response::RespondersRequested {
            people: people.clone(),
            policy: request.level.map(|(policy, _)| policy),
            message: request.message,
            skipped,
            level: request.level.map(|(_, index)| AskedLevel { index, people }),
            asked_by: request.asked_by.map(Box::new),
        };
        let position = self.emit_response(Cause::Event { position }, id, requested);
        self.notify_all(Purpose::Request(id), None, &found, position);
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
            // What a person said is urgent waits for nothing else, and neither does what is part of it now.
            if known.is_some_and(|known| known.urgent_by_hand) {
                return;
            }
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
