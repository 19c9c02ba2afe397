//! People, schedules, policies, services, targets and monitors in the second book.

use std::collections::BTreeMap;

use tocsin_domain::event::{
    Event, InstallationEvent, IntakeEvent, PeopleEvent, RosterEvent, WatchEvent,
};
use tocsin_domain::id::{ContactMethodId, ScheduleId, TargetId, UserId};
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::page::Recipient;
use tocsin_domain::people::{ContactMethod, NotificationRule, Urgency};
use tocsin_domain::time::Timestamp;

use super::redraw::{leave, redraw};
use super::{Ledger, Method, Monitor, Person, Target};

impl Ledger {
    pub(super) fn see_installation(&mut self, what: &InstallationEvent) {
        match what {
            InstallationEvent::SetUp {
                team,
                default_policy,
                default_service,
                fallback,
            } => {
                self.default_policy = Some(*default_policy);
                self.default_service = Some(*default_service);
                self.fallback.clone_from(fallback);
                self.teams.insert(*team, Vec::new());
            }
            InstallationEvent::PrioritiesSet { .. } => {}
            InstallationEvent::ClockSetBack { by_ms } => self.set_back(*by_ms),
            InstallationEvent::FallbackSet { users } => self.fallback.clone_from(users),
        }
    }

    pub(super) fn see_people(&mut self, what: &PeopleEvent, at: Timestamp) {
        match what {
            PeopleEvent::UserAdded { user } => {
                let methods = user.contact_methods.iter();
                let person = Person {
                    methods: methods.map(|one| (one.id, method_of(one))).collect(),
                    rules: rules_of(&user.rules),
                };
                for method in &user.contact_methods {
                    self.owners.insert(method.address, user.id);
                }
                self.people.insert(user.id, person);
                if let Some(team) = self.teams.get_mut(&user.team) {
                    team.push(user.id);
                }
            }
            PeopleEvent::UserRemoved { user } => self.forget(*user, at),
            PeopleEvent::ContactMethodAdded { user, method } => {
                self.owners.insert(method.address, *user);
                if let Some(person) = self.people.get_mut(user) {
                    person.methods.insert(method.id, method_of(method));
                }
            }
            PeopleEvent::ContactMethodVerified { user, method } => {
                let person = self.people.get_mut(user);
                if let Some(method) = person.and_then(|person| person.methods.get_mut(method)) {
                    method.is_verified = true;
                }
            }
            PeopleEvent::ContactMethodGone { user, method } => {
                let person = self.people.get_mut(user);
                if let Some(method) = person.and_then(|person| person.methods.get_mut(method)) {
                    method.is_verified = false;
                }
            }
            PeopleEvent::ContactMethodRemoved { user, method } => {
                if let Some(person) = self.people.get_mut(user) {
                    person.methods.remove(method);
                    person.rules.retain(|(_, _, way)| way != method);
                }
            }
            PeopleEvent::NotificationRulesSet { user, rules } => {
                if let Some(person) = self.people.get_mut(user) {
                    person.rules = rules_of(rules);
                }
            }
            PeopleEvent::UserChanged { .. } | PeopleEvent::ContactMethodRenamed { .. } => {}
        }
    }

    /// Whoever leaves is on no list any more.
    fn forget(&mut self, user: UserId, at: Timestamp) {
        self.orphan(user);
        self.people.remove(&user);
        self.fallback.retain(|one| *one != user);
        for team in self.teams.values_mut() {
            team.retain(|one| *one != user);
        }
        for schedule in self.schedules.values_mut() {
            leave(schedule, user, at);
        }
        self.redrawn.extend(self.schedules.keys());
        let schedules: Vec<ScheduleId> = self.holding.keys().copied().collect();
        for schedule in schedules {
            self.settle_swaps(schedule);
        }
        let levels = self
            .policies
            .values_mut()
            .flat_map(|policy| &mut policy.levels);
        for level in levels {
            level.targets.retain(|one| *one != Recipient::User(user));
        }
    }

    pub(super) fn see_roster(&mut self, what: &RosterEvent, event: &Event) {
        match what {
            RosterEvent::ScheduleSet { schedule } => {
                self.schedules.insert(schedule.id, schedule.clone());
                self.redrawn.insert(schedule.id);
                self.settle_swaps(schedule.id);
            }
            RosterEvent::ScheduleRemoved { schedule } => {
                self.check_schedule_gone(*schedule, event.at);
                self.schedules.remove(schedule);
                self.settle_swaps(*schedule);
            }
            RosterEvent::PolicySet { policy } => {
                self.find_places(policy);
                self.policies.insert(policy.id, policy.clone());
            }
            RosterEvent::PolicyRemoved { policy } => {
                self.check_policy_gone(*policy, event.at);
                self.policies.remove(policy);
            }
            RosterEvent::ServiceSet { service } => {
                self.services.insert(service.id, service.clone());
                // Work may name what fails by the name of its service.
                self.touch_open();
            }
            RosterEvent::ServiceRemoved { service } => {
                self.check_service_gone(*service, event.at);
                self.services.remove(service);
                self.touch_open();
            }
            RosterEvent::IntegrationAdded { integration }
            | RosterEvent::IntegrationChanged { integration } => {
                self.integrations
                    .insert(integration.id, integration.service);
            }
            RosterEvent::IntegrationRemoved { integration } => {
                self.integrations.remove(integration);
            }
            RosterEvent::TeamSet { team } => {
                self.teams.insert(team.id, team.members.clone());
            }
            RosterEvent::TeamRemoved { team } => {
                self.teams.remove(team);
            }
            RosterEvent::Intake(what) => self.see_intake(what, event),
            // The worlds have no subscriptions, tags or business services.
            RosterEvent::Webhook(_) | RosterEvent::Tag(_) | RosterEvent::Business(_) => {}
            RosterEvent::Oncall { what } => match what {
                OncallEvent::ScheduleChanged { schedule, change } => {
                    if let Some(schedule) = self.schedules.get_mut(schedule) {
                        redraw(schedule, change, event.at);
                    }
                    self.redrawn.insert(*schedule);
                    self.settle_swaps(*schedule);
                }
                OncallEvent::CalendarSet { .. }
                | OncallEvent::CalendarRevoked { .. }
                | OncallEvent::DutySeen { .. }
                | OncallEvent::NoticesSwitched { .. }
                | OncallEvent::FindingAppeared { .. }
                | OncallEvent::FindingsRestated { .. }
                | OncallEvent::FindingEnded { .. }
                | OncallEvent::FindingsTold { .. }
                | OncallEvent::ChannelsSeen { .. } => {}
            },
        }
    }

    /// What is done to the intake of alerts.
    fn see_intake(&mut self, what: &IntakeEvent, event: &Event) {
        match what {
            IntakeEvent::RulesSet { rules } => self.rules.clone_from(rules),
            IntakeEvent::WindowSet { window } => self.plan_work(window, event.recorded_at),
            IntakeEvent::WindowEnded { window } => {
                if let Some(work) = self.work.get_mut(window) {
                    work.end(event.at);
                }
                self.touch_open();
            }
            IntakeEvent::WindowRemoved { window } => {
                self.work.remove(window);
                self.touch_open();
            }
            IntakeEvent::HeartbeatSet { .. }
            | IntakeEvent::HeartbeatRemoved { .. }
            | IntakeEvent::HeartbeatCalled { .. }
            | IntakeEvent::HeartbeatStarted { .. }
            | IntakeEvent::HeartbeatFailed { .. }
            | IntakeEvent::HeartbeatsSpared { .. } => self.see_pulse(what, event),
            IntakeEvent::AlertsSpared { alerts, until } => {
                self.spare_alerts(alerts, *until, event.recorded_at);
            }
        }
    }

    pub(super) fn see_watch(&mut self, what: &WatchEvent) {
        match what {
            WatchEvent::TargetFound { target } => {
                let known = Target {
                    host: target.identity.name.clone(),
                    service: target.service,
                    muted_until: None,
                    maintenance: BTreeMap::new(),
                };
                self.targets.insert(target.id, known);
            }
            WatchEvent::TargetChanged { .. } => {}
            WatchEvent::TargetRemoved { target } => {
                self.targets.remove(target);
            }
            WatchEvent::TargetMuted { target, until, .. } => {
                self.change_target(*target, |known| known.muted_until = Some(*until));
            }
            WatchEvent::TargetUnmuted { target } => {
                self.change_target(*target, |known| known.muted_until = None);
            }
            WatchEvent::MaintenancePlanned { target, window } => {
                let span = (window.from, window.until);
                self.change_target(*target, |known| {
                    known.maintenance.insert(window.id, span);
                });
            }
            WatchEvent::MaintenanceCancelled { target, window } => {
                self.change_target(*target, |known| {
                    known.maintenance.remove(window);
                });
            }
            WatchEvent::MonitorSet { monitor } => {
                let holds = monitor.holds.iter();
                let known = Monitor {
                    slug: monitor.slug.clone(),
                    enabled: monitor.enabled,
                    name: monitor.name.clone(),
                    severity: monitor.severity,
                    holds: holds
                        .map(|one| (one.hold_ms, one.relapses_covered))
                        .collect(),
                };
                self.monitors.insert(monitor.id, known);
            }
            WatchEvent::MonitorSwitched { monitor, enabled } => {
                if let Some(monitor) = self.monitors.get_mut(monitor) {
                    monitor.enabled = *enabled;
                }
            }
        }
    }

    fn change_target(&mut self, target: TargetId, change: impl FnOnce(&mut Target)) {
        if let Some(known) = self.targets.get_mut(&target) {
            change(known);
        }
        self.touch_open();
    }
}

fn rules_of(rules: &[NotificationRule]) -> Vec<(Urgency, u64, ContactMethodId)> {
    let rules = rules.iter();
    rules
        .map(|rule| (rule.urgency, rule.delay_ms, rule.contact_method))
        .collect()
}

fn method_of(method: &ContactMethod) -> Method {
    Method {
        is_verified: method.verified_at.is_some(),
        carries_words: method.kind.carries_words(),
    }
}
