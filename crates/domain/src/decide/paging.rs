//! Who is paged: levels of the policy, people who cannot be reached, the fallback list, and the messages to each person.

use super::Decider;
use crate::event::{Cause, EventBody, IncidentWhat, NotificationEvent, NotificationWhat};
use crate::id::{ContactMethodId, IncidentId, NotificationId, PolicyId, UserId};
use crate::incident::{FALLBACK_EVERY_MS, Incident};
use crate::page::{Delivery, Notification, Policy, Purpose, Recipient};
use crate::people::{ChannelKind, Role, Urgency, User};
use crate::time::Timestamp;

/// The next step of an escalation.
enum Step {
    Level {
        policy: PolicyId,
        level: usize,
        round: u32,
        recipients: Vec<(UserId, String)>,
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
        self.page_from(incident, 0, 0);
    }

    /// Pages the level after the one that did not answer.
    pub(super) fn escalate(&mut self, id: IncidentId) {
        let Some(paging) = self
            .state
            .incidents
            .get(&id)
            .and_then(|one| one.paging.clone())
        else {
            return self.page_now(id);
        };
        if paging.exhausted {
            self.page_from(id, usize::MAX, u32::MAX);
        } else {
            self.page_from(id, paging.level + 1, paging.round);
        }
    }

    pub(super) fn page_from(&mut self, id: IncidentId, level: usize, round: u32) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        let cause = Cause::Event {
            position: incident.paging_event,
        };
        if self.suppress_if_quiet(id) {
            return;
        }
        let mut skipped = Vec::new();
        let step = self.next_step(id, level, round, &mut skipped);
        match step {
            Step::Level {
                policy,
                level,
                round,
                recipients,
                delay_ms,
            } => {
                let what = IncidentWhat::LevelReached {
                    policy: Some(policy),
                    level,
                    round,
                    recipients: recipients.iter().map(|(user, _)| *user).collect(),
                    skipped,
                    next_at: self.now.plus_ms(delay_ms),
                };
                let position = self.emit_incident(cause, id, what);
                self.notify_all(id, Some(level), &recipients, position);
            }
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
        let policy = self
            .state
            .incidents
            .get(&id)
            .and_then(|incident| self.policy_of(incident));
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
            let recipients = self.recipients(policy, level, skipped);
            if let (false, Some(step)) = (recipients.is_empty(), policy.levels.get(level)) {
                let (policy, delay_ms) = (policy.id, step.delay_ms);
                return Step::Level {
                    policy,
                    level,
                    round,
                    recipients,
                    delay_ms,
                };
            }
            level += 1;
        }
        skipped.push(format!(
            "nobody acknowledged on any level of {:?}",
            policy.name
        ));
        Step::Fallback(self.fallback(0, &[], skipped))
    }

    fn policy_of(&self, incident: &Incident) -> Option<&Policy> {
        let named = self
            .state
            .services
            .get(&incident.service)
            .and_then(|service| service.policy);
        let default = self
            .state
            .installation
            .as_ref()
            .map(|all| all.default_policy);
        let policies = &self.state.policies;
        named
            .and_then(|id| policies.get(&id))
            .or_else(|| policies.get(&default?))
    }

    /// The people of the first level of an incident's policy who can be reached, each with the reason why it is them.
    pub(super) fn first_level(&self, id: IncidentId) -> Vec<(UserId, String)> {
        let incident = self.state.incidents.get(&id);
        let policy = incident.and_then(|incident| self.policy_of(incident));
        policy
            .map(|policy| self.recipients(policy, 0, &mut Vec::new()))
            .unwrap_or_default()
    }

    /// The people of a level who can be reached, each with the reason why it is them.
    fn recipients(
        &self,
        policy: &Policy,
        level: usize,
        skipped: &mut Vec<String>,
    ) -> Vec<(UserId, String)> {
        let mut found: Vec<(UserId, String)> = Vec::new();
        let Some(step) = policy.levels.get(level) else {
            return found;
        };
        let place = format!("level {} of {:?}", level + 1, policy.name);
        for target in &step.targets {
            let (user, why) = match target {
                Recipient::User(user) => (*user, place.clone()),
                Recipient::Schedule(id) => {
                    let schedule = self.state.schedules.get(id);
                    let name = schedule.map_or("a removed schedule", |schedule| &schedule.name);
                    let Some(shift) = schedule.and_then(|schedule| schedule.shift_at(self.now))
                    else {
                        skipped.push(format!("{place}: nobody is on call in {name:?}"));
                        continue;
                    };
                    (shift.user, format!("{place}, on call by {name:?}"))
                }
            };
            match self.reachable(user) {
                Err(problem) => skipped.push(format!("{place}: {problem}")),
                Ok(()) if found.iter().any(|(known, _)| *known == user) => {}
                Ok(()) => found.push((user, why)),
            }
        }
        found
    }

    fn reachable(&self, user: UserId) -> Result<(), String> {
        match self.state.users.get(&user) {
            None => Err("a person who was removed".to_owned()),
            Some(user) if user.is_reachable() => Ok(()),
            Some(user) => Err(format!("{} has no verified contact method", user.name)),
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
        let users = self.state.users.values();
        let admins = users.clone().filter(|user| user.role == Role::Admin);
        let circles: [(&str, Vec<UserId>); 3] = [
            ("the fallback list", list.to_vec()),
            ("every administrator", admins.map(|user| user.id).collect()),
            ("everybody", users.map(|user| user.id).collect()),
        ];
        for (circle, (name, members)) in circles.into_iter().enumerate().skip(from) {
            let (mut recipients, mut problems) = (Vec::new(), Vec::new());
            for user in members.into_iter().filter(|user| !asked.contains(user)) {
                match self.reachable(user) {
                    Ok(()) => recipients.push((user, name.to_owned())),
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
    pub(super) fn widen_fallback(&mut self, id: IncidentId) {
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
        let mut why =
            vec!["no page to whom the fallback named so far could be delivered".to_owned()];
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
        self.notify_all(id, None, &found.recipients, position);
    }

    /// Holds pages back while the target is muted or under maintenance. True when it is.
    pub(super) fn suppress_if_quiet(&mut self, id: IncidentId) -> bool {
        let Some(incident) = self.state.incidents.get(&id) else {
            return false;
        };
        let target = incident
            .target
            .and_then(|target| self.state.targets.get(&target));
        let Some(quiet) = target.and_then(|target| target.quiet_at(self.now)) else {
            return false;
        };
        let held = Some((quiet.why.clone(), quiet.until));
        if incident.suppressed != held {
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

    fn notify_all(
        &mut self,
        incident: IncidentId,
        level: Option<usize>,
        people: &[(UserId, String)],
        cause: u64,
    ) {
        for (user, why) in people {
            let Some(known) = self.state.users.get(user) else {
                continue;
            };
            for (method, delay_ms, way) in ways(known) {
                let busy = self
                    .active_pages(incident)
                    .find(|page| page.contact_method == method.0)
                    .map(|page| page.id);
                if let Some(page) = busy {
                    self.tell_alone(page, Cause::Event { position: cause });
                } else {
                    let due = self.now.plus_ms(delay_ms);
                    let cause = Cause::Event { position: cause };
                    self.plan(
                        cause,
                        Purpose::Page(incident),
                        *user,
                        method,
                        level,
                        due,
                        format!("{why}; {way}"),
                    );
                }
            }
        }
    }

    /// Messages of paging purpose about an incident that are due or under way, in the order they were planned.
    pub(super) fn active_pages(&self, incident: IncidentId) -> impl Iterator<Item = &Notification> {
        let active = &self.state.active_notifications;
        self.state
            .messages_about(incident)
            .filter(move |page| page.purpose == Purpose::Page(incident))
            .filter(|page| active.contains(&page.id))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each is one field of the message"
    )]
    pub(super) fn plan(
        &mut self,
        cause: Cause,
        purpose: Purpose,
        user: UserId,
        method: (ContactMethodId, ChannelKind),
        level: Option<usize>,
        due: Timestamp,
        why: String,
    ) {
        let id = NotificationId::random(self.entropy);
        let message = Notification {
            id,
            purpose,
            user,
            contact_method: method.0,
            channel: method.1,
            level,
            planned_at: self.now,
            why,
            state: Delivery::Due { at: due },
            attempts: Vec::new(),
            last_event: 0,
        };
        self.emit_message(
            cause,
            id,
            NotificationWhat::Planned { message },
            purpose.incident(),
        );
    }

    /// Records that something happens to a message now.
    pub(super) fn emit_message(
        &mut self,
        cause: Cause,
        notification: NotificationId,
        what: NotificationWhat,
        incident: Option<IncidentId>,
    ) -> u64 {
        let event = NotificationEvent {
            notification,
            incident,
            what,
        };
        self.emit(cause, EventBody::Notification(event))
    }

    /// Takes back the pages of an incident that are not being sent at this moment.
    pub(super) fn cancel_pages(&mut self, incident: IncidentId, cause: &Cause, why: &str) {
        let due: Vec<NotificationId> = self
            .active_pages(incident)
            .filter(|page| match page.state {
                Delivery::Due { .. } | Delivery::Together { .. } => true,
                Delivery::Sending { .. }
                | Delivery::Delivered { .. }
                | Delivery::Failed { .. }
                | Delivery::Cancelled { .. } => false,
            })
            .map(|page| page.id)
            .collect();
        for id in due {
            let what = NotificationWhat::Cancelled {
                why: why.to_owned(),
            };
            self.emit_message(cause.clone(), id, what, Some(incident));
        }
    }

    /// Takes back whatever was planned for a person who leaves.
    pub(super) fn cancel_for_user(&mut self, user: UserId) {
        let active = self.state.active_notifications.iter();
        let due: Vec<(NotificationId, Option<IncidentId>)> = active
            .filter_map(|id| self.state.notifications.get(id))
            .filter(|message| message.user == user)
            .map(|message| (message.id, message.purpose.incident()))
            .collect();
        for (id, incident) in due {
            let what = NotificationWhat::Cancelled {
                why: "the person was removed".to_owned(),
            };
            self.emit_message(Cause::Request, id, what, incident);
        }
    }
}

type Way = ((ContactMethodId, ChannelKind), u64, String);

/// How to page a person: by their rules, and when those name no proved method, by every proved one at once.
fn ways(user: &User) -> Vec<Way> {
    let proved = |id: ContactMethodId| {
        user.contact_method(id)
            .filter(|method| method.verified_at.is_some())
    };
    let mut ways: Vec<Way> = user
        .rules
        .iter()
        .filter(|rule| rule.urgency == Urgency::High)
        .filter_map(|rule| Some((proved(rule.contact_method)?, rule.delay_ms)))
        .map(|(method, delay_ms)| {
            (
                (method.id, method.kind),
                delay_ms,
                "by their notification rule".to_owned(),
            )
        })
        .collect();
    ways.sort_by_key(|way| way.1);
    if ways.is_empty() {
        let methods = user
            .contact_methods
            .iter()
            .filter(|method| method.verified_at.is_some());
        let why = "no notification rule names a verified contact method, so every one is used";
        ways = methods
            .map(|method| ((method.id, method.kind), 0, why.to_owned()))
            .collect();
    }
    ways
}
