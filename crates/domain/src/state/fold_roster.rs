//! Folds events about the installation, rosters and targets; of incidents it knows only who need not acknowledge any more.

use std::collections::BTreeMap;

use super::dates::{Moment, note, revise};
use super::{Installation, Named, State};
use crate::bugs::{self, Bug};
use crate::business::AnyService;
use crate::event::{Event, InstallationEvent, RosterEvent, WatchEvent};
use crate::id::{IncidentId, MaintenanceId, ServiceId, TargetId, UserId};
use crate::incident::Paging;
use crate::intake::Window;
use crate::oncall_event::OncallEvent;
use crate::page::{Level, Policy, Recipient};
use crate::tag::Tagged;
use crate::team::{FIRST_TEAM, Team};
use crate::time::Timestamp;
use crate::webhook::WebhookScope;

impl State {
    pub(super) fn evolve_installation(&mut self, event: &InstallationEvent, now: Timestamp) {
        match event {
            InstallationEvent::SetUp {
                team,
                default_policy,
                default_service,
                fallback,
            } => {
                self.installation = Some(Installation {
                    team: *team,
                    default_policy: *default_policy,
                    default_service: *default_service,
                    fallback: fallback.clone(),
                    priorities: ["P1", "P2", "P3", "P4", "P5"].map(str::to_owned).to_vec(),
                });
                self.dates.set_up = Some(Moment {
                    at: now,
                    position: self.position,
                });
                // The team was made before teams had names.
                let first = Team {
                    id: *team,
                    name: FIRST_TEAM.to_owned(),
                    members: Vec::new(),
                    roles: BTreeMap::new(),
                    description: String::new(),
                };
                self.teams.insert(*team, first);
            }
            InstallationEvent::FallbackSet { users } => {
                if let Some(installation) = &mut self.installation {
                    installation.fallback.clone_from(users);
                }
            }
            InstallationEvent::PrioritiesSet { names } => {
                if let Some(installation) = &mut self.installation {
                    installation.priorities.clone_from(names);
                }
            }
            InstallationEvent::ClockSetBack { by_ms } => self.set_back(*by_ms, now),
        }
    }

    /// Nothing names a service that is gone. Where a journal is older than the events that say so, this alone takes its name away.
    fn forget_service(&mut self, service: ServiceId) {
        for window in self.work_on(service) {
            self.work_goes_on_as(window.id, window.without(service));
        }
        self.forget_subscriptions_to(WebhookScope::Service(service));
        self.business.forget(AnyService::Technical(service));
    }

    /// Nor a target that is watched no longer.
    fn forget_target(&mut self, target: TargetId) {
        for window in self.work_on_target(target) {
            self.work_goes_on_as(window.id, window.without_target(target));
        }
    }

    fn work_goes_on_as(&mut self, id: MaintenanceId, left: Option<Window>) {
        match left {
            Some(left) => {
                self.windows.insert(id, left);
            }
            None => {
                self.windows.remove(&id);
                self.forget_name(Named::Window(id));
            }
        }
    }

    fn forget_subscriptions_to(&mut self, gone: WebhookScope) {
        self.webhooks.retain(|_, known| known.webhook.scope != gone);
    }

    /// Where each must acknowledge, these people need not any more: they are gone, or left a team and no such level that was reached
    /// names them otherwise.
    pub(super) fn excuse(&mut self, left: &[UserId]) {
        let open = self.open_incidents.iter();
        let open = open.filter_map(|id| self.incidents.get(id));
        let excused = open.filter_map(|incident| {
            let paging = incident.paging.as_ref()?;
            let levels = self.levels_so_far(paging);
            let asked = left.iter().filter(|user| paging.each_of.contains(user));
            let excused = asked.filter(|user| !self.may_be_named(levels, **user));
            Some((incident.id, excused.copied().collect::<Vec<UserId>>()))
        });
        let excused: Vec<(IncidentId, Vec<UserId>)> = excused.collect();
        self.let_off(&excused);
    }

    /// Nor need those any more whom no such level of a policy names since it was changed. Its levels may have other places now, so
    /// all of them are looked at. Who has acknowledged already has done so.
    fn excuse_by(&mut self, policy: &Policy) {
        let open = self.open_incidents.iter();
        let open = open.filter_map(|id| self.incidents.get(id));
        let excused = open.filter_map(|incident| {
            let paging = incident.paging.as_ref()?;
            let asked = paging.each_of.iter();
            let missing = asked.filter(|user| !paging.has_done(**user));
            let excused = missing.filter(|user| !self.may_be_named(&policy.levels, **user));
            let follows = paging.policy == Some(policy.id);
            follows.then(|| (incident.id, excused.copied().collect::<Vec<UserId>>()))
        });
        let excused: Vec<(IncidentId, Vec<UserId>)> = excused.collect();
        for (id, _) in &excused {
            let incident = self.incidents.get_mut(id);
            if let Some(paging) = incident.and_then(|incident| incident.paging.as_mut()) {
                paging.policy_changed = true;
            }
        }
        self.let_off(&excused);
    }

    /// Whoever is paged by a policy that was changed goes on behind the level that was reached, wherever that stands now, and where
    /// somebody new is named before that, there: so nobody is passed over who stands where others stood.
    fn find_places(&mut self, before: &Policy, policy: &Policy) {
        if bugs::on(Bug::ChangedPolicyKeepsPlaces) || before.levels == policy.levels {
            return;
        }
        for id in self.open_incidents.iter() {
            let known = self.incidents.get(id);
            let paging = known.and_then(|incident| incident.paging.as_ref());
            if paging.is_none_or(|paging| paging.policy != Some(policy.id)) {
                continue;
            }
            let incident = self.incidents.get_mut(id);
            if let Some(paging) = incident.and_then(|incident| incident.paging.as_mut()) {
                find_place(paging, &before.levels, &policy.levels);
            }
        }
    }

    fn let_off(&mut self, excused: &[(IncidentId, Vec<UserId>)]) {
        for (id, users) in excused.iter().filter(|(_, users)| !users.is_empty()) {
            let incident = self.incidents.get_mut(id);
            if let Some(paging) = incident.and_then(|incident| incident.paging.as_mut()) {
                paging.each_of.retain(|user| !users.contains(user));
            }
        }
    }

    /// The levels that were reached: all of the policy, once it was walked through. So it is once it was changed: which of its
    /// levels were reached nobody can tell by their places any more.
    fn levels_so_far(&self, paging: &Paging) -> &[Level] {
        let policy = paging.policy.and_then(|policy| self.policies.get(&policy));
        let levels = policy.map_or(&[][..], |policy| &policy.levels);
        let reached = paging.level.saturating_add(1).min(levels.len());
        if paging.round > 0 || paging.policy_changed {
            levels
        } else {
            &levels[..reached]
        }
    }

    /// Whether one of these levels on which each must acknowledge names this person, or may have: whoever had duty then, a schedule
    /// does not tell now.
    fn may_be_named(&self, levels: &[Level], user: UserId) -> bool {
        if !self.users.contains_key(&user) {
            return false;
        }
        let levels = levels.iter().filter(|level| level.each_must_acknowledge);
        let mut targets = levels.flat_map(|level| &level.targets);
        targets.any(|target| match target {
            Recipient::User(named) => *named == user,
            Recipient::Schedule(_) => true,
            Recipient::Team(team) => {
                let team = self.teams.get(team);
                team.is_some_and(|team| team.members.contains(&user))
            }
        })
    }

    /// Notes which schedule or policy is not what it was before this event.
    fn note_change(&mut self, event: &RosterEvent, envelope: &Event) {
        let position = envelope.position;
        match event {
            RosterEvent::ScheduleSet { schedule } => {
                self.schedule_changes.insert(schedule.id, position);
                revise(&mut self.dates.schedules, schedule.id, envelope.at);
            }
            RosterEvent::Oncall {
                what: OncallEvent::ScheduleChanged { schedule, .. },
            } => {
                self.schedule_changes.insert(*schedule, position);
                revise(&mut self.dates.schedules, *schedule, envelope.at);
            }
            RosterEvent::ScheduleRemoved { schedule } => {
                self.schedule_changes.insert(*schedule, position);
                self.dates.schedules.remove(schedule);
            }
            RosterEvent::PolicySet { policy } => {
                self.policy_changes.insert(policy.id, position);
            }
            RosterEvent::PolicyRemoved { policy } => {
                self.policy_changes.insert(*policy, position);
            }
            RosterEvent::Oncall { .. }
            | RosterEvent::ServiceSet { .. }
            | RosterEvent::ServiceRemoved { .. }
            | RosterEvent::IntegrationAdded { .. }
            | RosterEvent::IntegrationChanged { .. }
            | RosterEvent::IntegrationRemoved { .. }
            | RosterEvent::TeamSet { .. }
            | RosterEvent::TeamRemoved { .. }
            | RosterEvent::Intake(_)
            | RosterEvent::Webhook(_)
            | RosterEvent::Tag(_)
            | RosterEvent::Business(_) => {}
        }
    }

    pub(super) fn evolve_roster(&mut self, event: &RosterEvent, envelope: &Event) {
        self.note_change(event, envelope);
        self.note_name(event, envelope.position);
        match event {
            RosterEvent::ScheduleSet { schedule } => {
                self.schedules.insert(schedule.id, schedule.clone());
            }
            RosterEvent::ScheduleRemoved { schedule } => {
                self.schedules.remove(schedule);
                self.forget_schedule(*schedule);
            }
            RosterEvent::PolicySet { policy } => {
                let before = self.policies.insert(policy.id, policy.clone());
                self.excuse_by(policy);
                if let Some(before) = before {
                    self.find_places(&before, policy);
                }
            }
            RosterEvent::PolicyRemoved { policy } => {
                if let Some(gone) = self.policies.remove(policy) {
                    self.remember_removed(gone, envelope.position);
                }
                self.untag(Tagged::Policy(*policy));
                self.turns.retain(|(known, _), _| known != policy);
            }
            RosterEvent::ServiceSet { service } => {
                self.services.insert(service.id, service.clone());
                note(&mut self.dates.services, service.id, envelope.at);
            }
            RosterEvent::ServiceRemoved { service } => {
                self.services.remove(service);
                self.dates.services.remove(service);
                self.last_opened.remove(service);
                self.forget_service(*service);
            }
            RosterEvent::IntegrationAdded { integration }
            | RosterEvent::IntegrationChanged { integration } => {
                self.integrations
                    .insert(integration.id, integration.clone());
                note(&mut self.dates.integrations, integration.id, envelope.at);
            }
            RosterEvent::IntegrationRemoved { integration } => {
                self.integrations.remove(integration);
                self.dates.integrations.remove(integration);
            }
            RosterEvent::Oncall { what } => self.evolve_oncall(what, envelope),
            RosterEvent::TeamSet { team } => {
                let before = self.teams.insert(team.id, team.clone());
                let mut left = before.map(|before| before.members).unwrap_or_default();
                left.retain(|user| !team.members.contains(user));
                self.excuse(&left);
            }
            RosterEvent::TeamRemoved { team } => {
                self.teams.remove(team);
                self.untag(Tagged::Team(*team));
                self.business.forget_team(*team);
                self.forget_subscriptions_to(WebhookScope::Team(*team));
            }
            RosterEvent::Intake(what) => self.evolve_intake(what, envelope),
            RosterEvent::Webhook(what) => self.evolve_webhook(what, envelope),
            RosterEvent::Tag(what) => self.evolve_tag(what),
            RosterEvent::Business(what) => self.evolve_business(what),
        }
    }

    pub(super) fn evolve_watch(&mut self, event: &WatchEvent) {
        match event {
            WatchEvent::TargetFound { target } => {
                self.targets.insert(target.id, target.clone());
            }
            WatchEvent::TargetChanged { target, identity } => {
                if let Some(target) = self.targets.get_mut(target) {
                    target.identity = identity.clone();
                }
            }
            WatchEvent::TargetRemoved { target } => {
                self.targets.remove(target);
                self.forget_target(*target);
            }
            WatchEvent::TargetMuted { target, until, .. } => {
                if let Some(target) = self.targets.get_mut(target) {
                    target.muted_until = Some(*until);
                }
            }
            WatchEvent::TargetUnmuted { target } => {
                if let Some(target) = self.targets.get_mut(target) {
                    target.muted_until = None;
                }
            }
            WatchEvent::MaintenancePlanned { target, window } => {
                if let Some(target) = self.targets.get_mut(target) {
                    target.maintenance.push(window.clone());
                }
            }
            WatchEvent::MaintenanceCancelled { target, window } => {
                if let Some(target) = self.targets.get_mut(target) {
                    target.maintenance.retain(|one| one.id != *window);
                }
            }
            WatchEvent::MonitorSet { monitor } => {
                self.monitors.insert(monitor.id, monitor.clone());
            }
            WatchEvent::MonitorSwitched { monitor, enabled } => {
                if let Some(monitor) = self.monitors.get_mut(monitor) {
                    monitor.enabled = *enabled;
                }
            }
        }
    }
}

/// Finds where it is gone on with whoever is paged by levels that were others before.
fn find_place(paging: &mut Paging, before: &[Level], levels: &[Level]) {
    let is_first = paging.goes_on_at.is_none();
    let mut named = paging.named_before.clone();
    // Once they were changed, the place of the level that was reached says nothing of what they were since.
    if is_first {
        let reached = before.iter().take(paging.level.saturating_add(1));
        named.extend(reached.flat_map(|level| level.targets.iter().copied()));
        named.sort_unstable();
        named.dedup();
    }
    let stood_at = if is_first {
        Some(paging.level)
    } else {
        paging.stands_at
    };
    // All levels of what was walked through were reached.
    let stood = stood_at.filter(|_| !paging.exhausted);
    let stands_at = stood.and_then(|place| place_of(place, before.get(place)?, levels));
    let new = levels.iter().position(|level| is_new(level, &named));
    let behind = stands_at.map_or(levels.len(), |place| place + 1);
    let end = (!paging.exhausted).then_some(behind);
    let goes_on_at = new.map_or(end, |new| Some(end.map_or(new, |end| end.min(new))));
    // What is changed behind the level is found there anyway.
    let is_as_before = stands_at == Some(paging.level) && goes_on_at == Some(paging.level + 1);
    if !(is_first && is_as_before) {
        paging.goes_on_at = goes_on_at;
        paging.stands_at = stands_at;
    }
    paging.named_before = named;
}

/// Where a level stands now that names some of the same: in its own place rather than in another.
fn place_of(place: usize, level: &Level, levels: &[Level]) -> Option<usize> {
    let is_same = |other: &Level| other.targets.iter().any(|one| level.targets.contains(one));
    let in_place = levels.get(place).is_some_and(is_same);
    if in_place {
        return Some(place);
    }
    levels.iter().position(is_same)
}

/// Whether a level pages somebody of whom no level so far was: of one that pages one of them in turn, none was.
fn is_new(level: &Level, named: &[Recipient]) -> bool {
    let mut targets = level.targets.iter();
    if level.round_robin {
        !level.targets.is_empty() && targets.all(|one| !named.contains(one))
    } else {
        targets.any(|one| !named.contains(one))
    }
}
