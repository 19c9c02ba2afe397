//! Whom a level of a policy names now: people who can be reached, each with the reason why it is them.

use super::Decider;
use crate::bugs::{self, Bug};
use crate::id::UserId;
use crate::incident::{Assigned, Incident};
use crate::page::{Policy, Recipient};

/// Why a level without targets pages nobody: none is made so, but one that has become so may be written back as it is.
pub(super) const NOBODY_LEFT: &str = "nobody is left on it, because whoever it named was removed";

/// The people of a level.
pub(super) struct Chosen {
    /// Who, and why.
    pub(super) people: Vec<(UserId, String)>,
    /// Whose turn it was, on a level that pages one target in turn.
    pub(super) turn: Option<usize>,
}

impl Chosen {
    /// Everybody at once.
    pub(super) const fn all(people: Vec<(UserId, String)>) -> Self {
        Self { people, turn: None }
    }
}

impl Decider<'_> {
    /// The policy an incident follows: the one it was given to, the service's, or the default one.
    pub(super) fn policy_of(&self, incident: &Incident) -> Option<&Policy> {
        let policies = &self.state.policies;
        let given = match &incident.assigned {
            Some(Assigned::Policy(policy)) => policies.get(policy),
            Some(Assigned::People(_)) | None => None,
        };
        let named = || {
            let service = self.state.services.get(&incident.service)?;
            policies.get(&service.policy?)
        };
        let default = || {
            let installation = self.state.installation.as_ref()?;
            policies.get(&installation.default_policy)
        };
        given.or_else(named).or_else(default)
    }

    /// Whether an incident was given to people of whom none is there any more: it follows a policy again.
    pub(super) fn was_given_to_who_is_gone(&self, incident: &Incident) -> bool {
        let is_given = matches!(incident.assigned, Some(Assigned::People(_)));
        is_given && self.state.people_given(incident).is_none()
    }

    /// Why an incident is paged for by this policy first, where it was given to another, or to people, removed by now.
    pub(super) fn removed_before(
        &self,
        incident: &Incident,
        policy: Option<&Policy>,
    ) -> Option<String> {
        let reached = incident.paging.as_ref().and_then(|paging| paging.policy);
        if reached.is_some() && reached == policy.map(|policy| policy.id) {
            return None;
        }
        if self.was_given_to_who_is_gone(incident) {
            return Some("everybody it was given to was removed".to_owned());
        }
        let given = match &incident.assigned {
            Some(Assigned::Policy(given)) => self.state.removed_policies.name_of(*given),
            Some(Assigned::People(_)) | None => None,
        };
        let name = given?;
        Some(format!(
            "the policy {name:?}, which it was given to, was removed"
        ))
    }

    /// The people of a level who can be reached, each with the reason why it is them.
    pub(super) fn recipients(
        &self,
        incident: &Incident,
        policy: &Policy,
        (level, round): (usize, u32),
        skipped: &mut Vec<String>,
    ) -> Chosen {
        let mut found = Vec::new();
        let Some(step) = policy.levels.get(level) else {
            return Chosen::all(found);
        };
        let place = format!("level {} of {:?}", level + 1, policy.name);
        if step.targets.is_empty() {
            skipped.push(format!("{place}: {NOBODY_LEFT}"));
            return Chosen::all(found);
        }
        if !step.round_robin {
            for target in &step.targets {
                self.named_by(*target, &place, Some(incident), &mut found, skipped);
            }
            return Chosen::all(found);
        }
        // An incident that comes to this level again in the same round is still the same person's.
        let paging = incident.paging.as_ref();
        let same = paging.filter(|paging| {
            paging.policy == Some(policy.id) && (paging.level, paging.round) == (level, round)
        });
        let next = self.state.turns.get(&(policy.id, level)).copied();
        let first = same.and_then(|paging| paging.turn).or(next).unwrap_or(0);
        let place = format!("{place}, whose turn it is");
        let count = step.targets.len();
        let in_turn = step.targets.iter().enumerate().cycle();
        for (index, target) in in_turn
            .skip(first.checked_rem(count).unwrap_or(0))
            .take(count)
        {
            self.named_by(*target, &place, Some(incident), &mut found, skipped);
            if !found.is_empty() {
                return Chosen {
                    people: found,
                    turn: Some(index),
                };
            }
        }
        Chosen::all(found)
    }

    /// Adds the people that one target of a level names.
    pub(super) fn named_by(
        &self,
        target: Recipient,
        place: &str,
        incident: Option<&Incident>,
        found: &mut Vec<(UserId, String)>,
        skipped: &mut Vec<String>,
    ) {
        match target {
            Recipient::User(user) => self.choose(user, place.to_owned(), incident, found, skipped),
            Recipient::Schedule(id) => {
                let schedule = self.state.schedules.get(&id);
                let name = schedule.map_or("a removed schedule", |schedule| &schedule.name);
                let changed_at = self.state.schedule_changes.get(&id).copied();
                match schedule.and_then(|known| self.on_duty.by(known, changed_at)) {
                    Some(user) => {
                        let why = format!("{place}, on call by {name:?}");
                        self.choose(user, why, incident, found, skipped);
                    }
                    None => skipped.push(format!("{place}: nobody is on call in {name:?}")),
                }
            }
            Recipient::Team(id) => {
                let team = self.state.teams.get(&id);
                let name = team.map_or("a removed team", |team| &team.name);
                let members = team.map(|team| team.members.as_slice());
                let members = members.unwrap_or_default();
                if members.is_empty() {
                    skipped.push(format!("{place}: nobody belongs to the team {name:?}"));
                }
                for user in members {
                    let why = format!("{place}, of the team {name:?}");
                    self.choose(*user, why, incident, found, skipped);
                }
            }
        }
    }

    /// Adds a person, unless they cannot be reached or did their part already.
    pub(super) fn choose(
        &self,
        user: UserId,
        why: String,
        incident: Option<&Incident>,
        found: &mut Vec<(UserId, String)>,
        skipped: &mut Vec<String>,
    ) {
        let done = incident.is_some_and(|incident| incident.spares(user));
        match self.reachable(user) {
            Err(problem) => skipped.push(format!("{why}: {problem}")),
            Ok(name) if done => skipped.push(format!("{why}: {name} has acknowledged already")),
            Ok(_) if found.iter().any(|(known, _)| *known == user) => {}
            Ok(_) => found.push((user, why)),
        }
    }

    /// The name of a person who can be reached, or why one cannot.
    pub(super) fn reachable(&self, user: UserId) -> Result<&str, String> {
        match self.state.users.get(&user) {
            None => Err("a person who was removed".to_owned()),
            Some(user) if user.is_reachable() => Ok(&user.name),
            Some(user) if bugs::on(Bug::UnverifiedContactUsed) => Ok(&user.name),
            Some(user) => Err(format!("{} has no verified contact method", user.name)),
        }
    }
}
