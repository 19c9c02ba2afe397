//! Who is paged: levels of the policy, people who cannot be reached, and the fallback list.

use std::collections::BTreeSet;

use super::Decider;
use super::recipients::Chosen;
use crate::bugs::{self, Bug};
use crate::event::{Cause, IncidentWhat};
use crate::id::{IncidentId, PolicyId, UserId};
use crate::incident::{FALLBACK_EVERY_MS, Incident};
use crate::page::Purpose;
use crate::people::Role;

/// People an incident was given to have this long for an acknowledgement.
const ASSIGNED_DELAY_MS: u64 = 300_000;
/// And are paged again this often before the fallback list.
const ASSIGNED_REPEAT: u32 = 2;
/// Whom the fallback names, ever more.
const CIRCLES: [&str; 3] = ["the fallback list", "every administrator", "everybody"];

/// The next step of an escalation.
enum Step {
    Level {
        policy: Option<PolicyId>,
        level: usize,
        round: u32,
        chosen: Chosen,
        each: bool,
        delay_ms: u64,
    },
    Fallback(Circle),
}

/// Whom the fallback names: the list itself (0) or a wider circle.
struct Circle {
    circle: usize,
    recipients: Vec<(UserId, String)>,
}

impl Decider<'_> {
    /// Pages for an incident from the first level on, unless its target is quiet.
    pub(super) fn page_now(&mut self, incident: IncidentId) {
        self.page_from(incident, 0, 0, None);
    }

    /// Pages the level after the one that did not answer; the first one, where another policy is followed by now. `why`: what made
    /// that come to pass, unless it was time.
    pub(super) fn escalate(&mut self, id: IncidentId, why: Option<&str>) {
        let Some(paging) = self
            .state
            .incidents
            .get(&id)
            .and_then(|one| one.paging.clone())
        else {
            return self.page_from(id, 0, 0, why);
        };
        if self.follows_another_policy(id) {
            self.page_from(id, 0, 0, why);
        } else if paging.exhausted && paging.goes_on_at.is_none() {
            self.page_from(id, usize::MAX, u32::MAX, why);
        } else {
            self.page_from(id, paging.next_level(), paging.round, why);
        }
    }

    /// Whether the levels that were reached are of another policy than the one it follows now, or of none, since it was given to people
    /// who are gone: their places say nothing about this one.
    pub(super) fn follows_another_policy(&self, id: IncidentId) -> bool {
        let known = self.state.incidents.get(&id);
        let Some((incident, paging)) = known.and_then(|one| Some((one, one.paging.as_ref()?)))
        else {
            return false;
        };
        let now = self.policy_of(incident).map(|policy| policy.id);
        match paging.policy {
            Some(before) => now != Some(before),
            None => self.was_given_to_who_is_gone(incident),
        }
    }

    /// Why somebody is paged who did not stand behind the level before: their policy was changed meanwhile.
    fn told_of_change(&self, incident: &Incident) -> Option<String> {
        let paging = incident.paging.as_ref()?;
        let policy = self.policy_of(incident)?;
        let is_changed = paging.goes_on_at.is_some() && paging.policy == Some(policy.id);
        is_changed.then(|| format!("{:?} was changed since the level before", policy.name))
    }

    pub(super) fn page_from(
        &mut self,
        id: IncidentId,
        level: usize,
        round: u32,
        why: Option<&str>,
    ) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        let cause = Cause::Event {
            position: incident.paging_event,
        };
        let changed = self.told_of_change(incident);
        if self.suppress_if_quiet(id) {
            return;
        }
        let mut skipped: Vec<String> = why.map(str::to_owned).into_iter().collect();
        skipped.extend(changed);
        let step = self.next_step(id, level, round, &mut skipped);
        // A policy may be walked through again at once.
        let mut told = BTreeSet::new();
        skipped.retain(|why| told.insert(why.clone()));
        self.ask_alone(id, &cause);
        match step {
            Step::Level {
                policy,
                level,
                round,
                chosen,
                each,
                delay_ms,
            } => {
                let what = IncidentWhat::LevelReached {
                    policy,
                    level,
                    round,
                    recipients: chosen.people.iter().map(|(user, _)| *user).collect(),
                    skipped,
                    next_at: self.now.plus_ms(delay_ms),
                    turn: chosen.turn,
                    each,
                };
                let position = self.emit_incident(cause, id, what);
                // Whom it was given to stands on no level of a policy.
                let level = policy.map(|_| level);
                self.notify_all(Purpose::Page(id), level, &chosen.people, position);
            }
            Step::Fallback(_) if bugs::on(Bug::FallbackListSkipped) => {}
            Step::Fallback(found) => self.page_fallback(id, cause, found, skipped),
        }
    }

    /// Walks the policy from a level on, passing over levels that would page nobody, to the fallback list at last.
    fn next_step(
        &self,
        id: IncidentId,
        level: usize,
        round: u32,
        skipped: &mut Vec<String>,
    ) -> Step {
        let Some(incident) = self.state.incidents.get(&id) else {
            return Step::Fallback(self.fallback(0, &[], skipped));
        };
        if let Some(people) = self.state.people_given(incident) {
            return self.assigned_step(people, level, round, skipped);
        }
        let policy = self.policy_of(incident);
        skipped.extend(self.removed_before(incident, policy));
        let Some(policy) = policy else {
            skipped.push("the service has no escalation policy".to_owned());
            return Step::Fallback(self.fallback(0, &[], skipped));
        };
        let (mut level, mut round) = (level, round);
        for _ in 0..=policy.levels.len() {
            if level >= policy.levels.len() {
                if round >= policy.repeat {
                    break;
                }
                level = 0;
                round += 1;
            }
            let chosen = self.recipients(incident, policy, (level, round), skipped);
            let silent = chosen.people.is_empty() && bugs::on(Bug::NobodyOnCallMeansSilence);
            let sits = silent || bugs::on(Bug::EmptyLevelSitsOutItsDelay);
            let empty = chosen.people.is_empty() && !sits;
            if let (false, Some(step)) = (empty, policy.levels.get(level)) {
                return Step::Level {
                    policy: Some(policy.id),
                    level,
                    round,
                    chosen,
                    each: step.each_must_acknowledge,
                    delay_ms: if silent { u64::MAX } else { step.delay_ms },
                };
            }
            level += 1;
        }
        // Which policy it was is noted when a level of it is reached.
        let reached = incident.paging.as_ref().and_then(|paging| paging.policy);
        let name = &policy.name;
        skipped.push(if reached == Some(policy.id) {
            format!("nobody acknowledged on any level of {name:?}")
        } else {
            format!("no level of {name:?} names anybody who can be paged")
        });
        Step::Fallback(self.fallback(0, &[], skipped))
    }

    /// The people whom an incident was given to, or of the first level of its policy, who can be reached, each with the reason why it
    /// is them.
    pub(super) fn first_level(&self, id: IncidentId) -> Vec<(UserId, String)> {
        let incident = self.state.incidents.get(&id);
        if let Some(people) = incident.and_then(|incident| self.state.people_given(incident)) {
            return self.given_to(people, &mut Vec::new());
        }
        let policy = incident.and_then(|incident| Some((incident, self.policy_of(incident)?)));
        let named = policy
            .map(|(incident, policy)| self.recipients(incident, policy, (0, 0), &mut Vec::new()));
        named.map(|chosen| chosen.people).unwrap_or_default()
    }

    fn given_to(&self, people: &[UserId], skipped: &mut Vec<String>) -> Vec<(UserId, String)> {
        let mut found = Vec::new();
        for user in people {
            let why = "it was assigned to them".to_owned();
            self.choose(*user, why, None, &mut found, skipped);
        }
        found
    }

    /// An incident that was given to people pages them, some times over, and then the list of last resort.
    fn assigned_step(
        &self,
        people: &[UserId],
        level: usize,
        round: u32,
        skipped: &mut Vec<String>,
    ) -> Step {
        let round = if level == 0 {
            round
        } else {
            round.saturating_add(1)
        };
        let mut found = Vec::new();
        if round <= ASSIGNED_REPEAT {
            found = self.given_to(people, skipped);
        } else {
            skipped.push("nobody it was assigned to acknowledged".to_owned());
        }
        if found.is_empty() {
            return Step::Fallback(self.fallback(0, &[], skipped));
        }
        Step::Level {
            policy: None,
            level: 0,
            round,
            chosen: Chosen::all(found),
            each: false,
            delay_ms: ASSIGNED_DELAY_MS,
        }
    }

    /// The list of last resort, from a circle on: should the list hold nobody who can be reached and was not asked in this
    /// round, every administrator; then everybody.
    fn fallback(&self, from: usize, asked: &[UserId], skipped: &mut Vec<String>) -> Circle {
        let list = self
            .state
            .installation
            .as_ref()
            .map(|all| all.fallback.as_slice())
            .unwrap_or_default();
        for (circle, name) in CIRCLES.into_iter().enumerate().skip(from) {
            // Whom a wider circle names is asked of all people, who may be many: only where it comes to that.
            let users = || self.state.users.values();
            let members: Vec<UserId> = match circle {
                0 => list.to_vec(),
                1 => {
                    let admins = users().filter(|user| user.role == Role::Admin);
                    admins.map(|user| user.id).collect()
                }
                _ => users().map(|user| user.id).collect(),
            };
            let (mut recipients, mut problems) = (Vec::new(), Vec::new());
            for user in members.into_iter().filter(|user| !asked.contains(user)) {
                match self.reachable(user) {
                    Ok(_) => recipients.push((user, name.to_owned())),
                    Err(problem) => problems.push(format!("{name}: {problem}")),
                }
            }
            skipped.append(&mut problems);
            if !recipients.is_empty() {
                return Circle { circle, recipients };
            }
        }
        skipped.push("nobody in this installation can be reached".to_owned());
        Circle {
            circle: from,
            recipients: Vec::new(),
        }
    }

    /// No page of this round of the fallback list arrived: whoever else can be reached is paged now. When everybody was asked,
    /// the next round begins at its time.
    pub(super) fn widen_fallback(&mut self, id: IncidentId, why: Option<&str>) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        let Some(paging) = incident.paging.as_ref() else {
            return;
        };
        let (from, asked) = (paging.circle + 1, paging.recipients.clone());
        let cause = incident.paging_event;
        if self.suppress_if_quiet(id) {
            return;
        }
        let undelivered = "no page to whom the fallback named so far could be delivered";
        let mut why: Vec<String> = why.map(str::to_owned).into_iter().collect();
        why.push(undelivered.to_owned());
        let wider = self.fallback(from, &asked, &mut why);
        if !wider.recipients.is_empty() {
            self.page_fallback(id, Cause::Event { position: cause }, wider, why);
        }
    }

    fn page_fallback(&mut self, id: IncidentId, cause: Cause, found: Circle, why: Vec<String>) {
        let what = IncidentWhat::FallbackReached {
            recipients: found.recipients.iter().map(|(user, _)| *user).collect(),
            why,
            next_at: self.now.plus_ms(FALLBACK_EVERY_MS),
            circle: found.circle,
        };
        let position = self.emit_incident(cause, id, what);
        self.notify_all(Purpose::Page(id), None, &found.recipients, position);
    }

    /// Holds pages back while the target is muted, or it or the service under maintenance. True when it is.
    pub(super) fn suppress_if_quiet(&mut self, id: IncidentId) -> bool {
        let Some(incident) = self.state.incidents.get(&id) else {
            return false;
        };
        if incident.paging.is_some() && bugs::on(Bug::WorkThatBeginsUnseen) {
            return false;
        }
        let Some(quiet) = self.state.quiet_at(incident, self.now) else {
            return false;
        };
        let held = Some((quiet.why.clone(), quiet.until));
        // What waited beside what is quiet is over.
        if incident.suppressed != held || incident.hold.is_some() {
            let cause = Cause::Event {
                position: incident.paging_event,
            };
            let what = IncidentWhat::PageSuppressed {
                why: quiet.why.clone(),
                until: quiet.until,
                flapping: false,
            };
            let position = self.emit_incident(cause, id, what);
            self.cancel_pages(id, &Cause::Event { position }, &quiet.why);
        }
        true
    }
}
