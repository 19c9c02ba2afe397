//! Decisions about who is asked to help, by name and by policies, and what follows when nobody of a level hears of it.

use super::assign::PEOPLE_MAX;
use super::recipients::NOBODY_LEFT;
use super::{Decider, prose_within};
use crate::actor::Actor;
use crate::command::Refusal;
use crate::event::{AskedLevel, Cause, Response};
use crate::id::{IncidentId, PolicyId, UserId};
use crate::incident::Responder;
use crate::page::{Delivery, Purpose};
use crate::time::Timestamp;

/// Characters of a request for help at most.
const MESSAGE_MAX: usize = 1_000;

/// A level of a policy that was asked to help, and of which nobody knows of it.
struct FailedLevel {
    policy: PolicyId,
    level: usize,
    /// What they were asked.
    message: String,
    asked: AskedAlready,
}

/// A level of a policy by which somebody was asked to help.
struct AskedBy<'a> {
    level: (PolicyId, usize),
    /// When, by the clock of now.
    since: Timestamp,
    /// What they were asked.
    message: &'a str,
    /// Whether they answered before they were asked anew.
    answered: bool,
}

/// Who was asked to help already, by a policy or by name.
#[derive(Default)]
struct AskedAlready {
    /// Who knows of it, or may still come to know: they count for a level that names them.
    known: Vec<UserId>,
    /// Whom no way works to.
    in_vain: Vec<UserId>,
}

impl Decider<'_> {
    pub(super) fn request_responders(
        &mut self,
        id: IncidentId,
        people: Vec<UserId>,
        policy: Option<PolicyId>,
        message: &str,
    ) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        self.refuse_if_quiet(known)?;
        let message = prose_within("message", message, MESSAGE_MAX)?;
        let people = self.people_named(people)?;
        if let Some(policy) = policy {
            self.known_policy(policy)?;
        }
        if people.is_empty() && policy.is_none() {
            return Err(Refusal::invalid("people: name somebody, or a policy"));
        }
        if people.len() > PEOPLE_MAX {
            return Err(Refusal::invalid(format!("people: at most {PEOPLE_MAX}")));
        }
        let (mut found, mut skipped) = (Vec::new(), Vec::new());
        for user in people {
            match self.reachable(user) {
                Ok(_) => found.push((user, "they were asked to help".to_owned())),
                Err(problem) => skipped.push(problem),
            }
        }
        let nobody = AskedAlready::default();
        let level =
            policy.and_then(|policy| self.helpers(policy, 0, &nobody, &mut found, &mut skipped));
        if found.is_empty() {
            return Err(Refusal::conflict(format!(
                "nobody of those can be paged: {}",
                skipped.join("; ")
            )));
        }
        let requested = Response::RespondersRequested {
            people: found.iter().map(|(user, _)| *user).collect(),
            policy,
            message,
            skipped,
            level,
            asked_by: None,
        };
        let position = self.emit_response(Cause::Request, id, requested);
        self.notify_all(Purpose::Request(id), None, &found, position);
        Ok(())
    }

    /// Of a policy, the first level from that one on that names somebody who can be reached. Whoever is asked by name, or was and may
    /// know of it, counts for it and is not asked twice.
    fn helpers(
        &self,
        policy: PolicyId,
        from: usize,
        asked: &AskedAlready,
        found: &mut Vec<(UserId, String)>,
        skipped: &mut Vec<String>,
    ) -> Option<AskedLevel> {
        let policy = self.state.policies.get(&policy)?;
        for (index, level) in policy.levels.iter().enumerate().skip(from) {
            let place = format!("level {} of {:?}", index + 1, policy.name);
            let mut named = Vec::new();
            if level.targets.is_empty() {
                skipped.push(format!("{place}: {NOBODY_LEFT}"));
            }
            for target in &level.targets {
                self.named_by(*target, &place, None, &mut named, skipped);
            }
            named.retain(|(user, _)| !asked.in_vain.contains(user));
            let people: Vec<UserId> = named.iter().map(|(user, _)| *user).collect();
            named.retain(|(user, _)| {
                let mut known = found.iter().map(|(user, _)| user).chain(&asked.known);
                known.all(|known| known != user)
            });
            if !people.is_empty() {
                // Whoever is passed over is not asked: only these are told so.
                let asked = named.into_iter();
                found.extend(asked.map(|(user, why)| (user, format!("asked to help as {why}"))));
                return Some(AskedLevel { index, people });
            }
        }
        None
    }

    /// When nobody of the level of a policy by which somebody was asked to help can be reached, its next one is asked, as long as
    /// there is one. So it is with each policy that has asked them.
    pub(super) fn ask_next_level(&mut self, id: IncidentId, user: UserId, position: u64) {
        let known = self.state.incidents.get(&id);
        let asked = known.and_then(|known| known.responders.iter().find(|one| one.user == user));
        let Some(asked) = asked else {
            return;
        };
        let levels = asked.also.iter().map(|also| also.level);
        let levels: Vec<(PolicyId, usize)> = levels.chain(asked.level).collect();
        for level in levels {
            self.ask_level_after(id, user, level, position);
        }
    }

    fn ask_level_after(
        &mut self,
        id: IncidentId,
        user: UserId,
        level: (PolicyId, usize),
        position: u64,
    ) {
        let Some(failed) = self.level_that_failed(id, user, level) else {
            return;
        };
        let (policy, level) = (failed.policy, failed.level);
        let Some(name) = self.state.policies.get(&policy).map(|known| &known.name) else {
            return;
        };
        let (mut found, mut skipped) = (Vec::new(), Vec::new());
        let next = self.helpers(policy, level + 1, &failed.asked, &mut found, &mut skipped);
        let goes_on = match &next {
            None => "and none after it names anybody else who can be".to_owned(),
            Some(next) if found.is_empty() => {
                format!("and whom level {} names was asked already", next.index + 1)
            }
            Some(next) => format!("so level {} is asked", next.index + 1),
        };
        let text = format!(
            "nobody of level {} of {name:?} could be reached and asked to help, {goes_on}",
            level + 1
        );
        let cause = Cause::Event { position };
        self.say(cause.clone(), id, text);
        if next.is_none() {
            return;
        }
        let requested = Response::RespondersRequested {
            people: found.iter().map(|(user, _)| *user).collect(),
            policy: Some(policy),
            message: failed.message,
            skipped,
            level: next,
            asked_by: None,
        };
        // Whosever request it follows from, they did not ask these.
        let asks = std::mem::replace(&mut self.actor, Actor::System);
        let position = self.emit_response(cause, id, requested);
        self.notify_all(Purpose::Request(id), None, &found, position);
        self.actor = asks;
    }

    /// A level of a policy by which this person was asked to help, if nobody of it knows or may still come to know, and none after it
    /// was asked since.
    fn level_that_failed(
        &self,
        id: IncidentId,
        user: UserId,
        level: (PolicyId, usize),
    ) -> Option<FailedLevel> {
        let known = self.state.incidents.get(&id);
        let known = known.filter(|known| known.is_open())?;
        let failed = known.responders.iter().find(|one| one.user == user)?;
        let mut failed = self.asked_by(failed).into_iter();
        let failed = failed.find(|by| by.level == level)?;
        let (policy, level) = level;
        let mut asked = AskedAlready::default();
        for one in &known.responders {
            let by = self.asked_by(one);
            let of_level = by.iter().find(|by| by.level == failed.level);
            // Whoever was named before the level was reached counts for it as well.
            if of_level.is_none() && self.state.since_asked(one) < failed.since {
                continue;
            }
            // Who was asked by name since may be of a request before this one.
            let is_later = by.iter().any(|by| {
                let (of, later) = by.level;
                of == policy && later > level && by.since >= failed.since
            });
            let is_there = self.state.users.contains_key(&one.user);
            let asked_at = self.state.since_asked_by_policy(one);
            let asked_at = of_level.map_or(asked_at, |by| by.since);
            let first = one.by_policy.as_ref();
            let answered = one.answer.is_some()
                || first.is_some_and(|request| request.answered)
                || of_level.is_some_and(|by| by.answered);
            let knows = answered || self.may_know_since(id, one.user, Some(asked_at));
            if is_later || (of_level.is_some() && is_there && knows) {
                return None;
            }
            if knows {
                asked.known.push(one.user);
            } else {
                asked.in_vain.push(one.user);
            }
        }
        Some(FailedLevel {
            policy,
            level,
            message: failed.message.to_owned(),
            asked,
        })
    }

    /// The levels of policies by which somebody was asked to help.
    fn asked_by<'a>(&self, one: &'a Responder) -> Vec<AskedBy<'a>> {
        let first = one.by_policy.as_ref();
        let last = one.level.map(|level| AskedBy {
            level,
            since: self.state.since_asked_by_policy(one),
            message: first.map_or(one.message.as_str(), |request| request.message.as_str()),
            answered: first.is_some_and(|request| request.answered),
        });
        let clock = &self.state.clock;
        let also = one.also.iter().map(|also| AskedBy {
            level: also.level,
            since: clock.counted(also.request.at, also.request.set_back_ms),
            message: &also.request.message,
            answered: also.request.answered,
        });
        also.chain(last).collect()
    }

    /// Somebody was removed who was asked to help by a policy, and has not answered: the next level is asked, unless somebody else
    /// of theirs knows.
    pub(super) fn ask_in_place_of(&mut self, gone: UserId, position: u64) {
        let open = self.state.open_incidents.iter();
        let open = open.filter_map(|id| self.state.incidents.get(id));
        let asked = open.filter(|incident| incident.awaits(gone));
        let asked: Vec<IncidentId> = asked.map(|incident| incident.id).collect();
        for id in asked {
            self.ask_next_level(id, gone, position);
        }
    }

    /// The timeline says when every way to somebody who was asked to help has failed.
    pub(super) fn say_who_was_not_asked(&mut self, id: IncidentId, user: UserId, position: u64) {
        if self.may_know_of_request(id, user) {
            return;
        }
        let known = self.state.users.get(&user);
        let name = known.map_or("Somebody who was removed", |known| known.name.as_str());
        let text = format!(
            "{name} was asked to help, and none of the ways to them works: they do not know of it"
        );
        self.say(Cause::Event { position }, id, text);
    }

    /// Whether a request for help has come to this person since they were asked, or may still come.
    fn may_know_of_request(&self, id: IncidentId, user: UserId) -> bool {
        let known = self.state.incidents.get(&id);
        let asked = known.and_then(|known| known.responders.iter().find(|one| one.user == user));
        let since = asked.map(|asked| self.state.since_asked(asked));
        self.may_know_since(id, user, since)
    }

    fn may_know_since(&self, id: IncidentId, user: UserId, since: Option<Timestamp>) -> bool {
        let requests = self.state.messages_about(id);
        let mut requests = requests
            .filter(|message| message.purpose == Purpose::Request(id) && message.user == user);
        requests.any(|message| match message.state {
            Delivery::Due { .. } | Delivery::Together { .. } | Delivery::Sending { .. } => true,
            Delivery::Delivered { at } => since.is_none_or(|since| at >= since),
            Delivery::Failed { .. } | Delivery::Cancelled { .. } => false,
        })
    }

    pub(super) fn answer_request(
        &mut self,
        id: IncidentId,
        by: UserId,
        accept: bool,
    ) -> Result<(), Refusal> {
        let known = self.open_incident_named(id)?;
        let mut asked = known.responders.iter();
        let Some(responder) = asked.find(|one| one.user == by) else {
            return Err(Refusal::conflict("they were not asked to help with it"));
        };
        if responder.answer.is_some_and(|(said, _)| said == accept) {
            let what = format!(
                "an answer to a request for help with incident {}",
                known.number
            );
            self.ignored(known.service, format!("{what}, which was given already"));
            return Ok(());
        }
        self.answer(id, by, accept);
        Ok(())
    }
}
