//! Somebody removes people, schedules, policies and services, with whatever stands in the way of that, and mostly those that
//! something open depends on.

use tocsin_domain::command::{Ask, AskedRule, HeartbeatAsk, IntakeAsk, PeopleAsk, RosterAsk};
use tocsin_domain::id::{HeartbeatId, IntegrationId, PolicyId, ScheduleId, ServiceId};
use tocsin_domain::intake::Action;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::service::{IntegrationKind, Service};

use super::agenda::Happening;
use super::source::{Source, SourceKind};
use super::{HOUR, Ticket, World};
use crate::tally::Fault;

/// Fewer schedules or policies than this are not removed from: another one is made.
const LEFT_MIN: usize = 3;
/// Where fewer services than this are left, another one comes.
const SERVICES_MIN: usize = 6;

impl World {
    /// Something goes, and the next thing some hours later.
    pub(super) fn removes(&mut self) {
        if !self.is_rough {
            return;
        }
        match self.random.below(16) {
            0..4 => self.remove_engaged(),
            4..7 => self.remove_schedule(),
            7..10 => self.remove_policy(),
            10..13 => self.remove_service(),
            _ => self.apply_document(),
        }
        self.some_time_after(4 * HOUR, Happening::Removes);
    }

    fn edits(&mut self, ask: Ask, fault: Fault) {
        self.ask(ask, Ticket::Editor(Some(fault)));
    }

    /// Whoever has something open, or was paged for it, leaves; somebody else comes.
    fn remove_engaged(&mut self) {
        let mut engaged = self.ledger.engaged();
        engaged.retain(|user| Some(*user) != self.root);
        let Some(user) = self.random.pick(&engaged).copied() else {
            return;
        };
        let ask = Ask::People(PeopleAsk::Remove { user });
        self.edits(ask, Fault::EngagedRemoved);
        if let Some((ask, fault)) = self.add_person() {
            self.edits(ask, fault);
        }
    }

    /// Policies that page it page others first, unless that is forgotten: then it stays.
    fn remove_schedule(&mut self) {
        let known: Vec<ScheduleId> = self.ledger.schedules.keys().copied().collect();
        let schedule = self.random.pick(&known).copied();
        let Some(schedule) = schedule.filter(|_| known.len() >= LEFT_MIN) else {
            let ask = self.some_schedule(None);
            return self.edits(Ask::Roster(ask), Fault::ScheduleChanged);
        };
        let named = Recipient::Schedule(schedule);
        let policies = self.ledger.policies.values();
        let paging: Vec<Policy> = policies
            .filter(|policy| {
                let mut levels = policy.levels.iter();
                levels.any(|level| level.targets.contains(&named))
            })
            .cloned()
            .collect();
        if !self.random.chance(150) {
            for policy in paging {
                let ask = self.without(policy, named);
                self.edits(Ask::Roster(ask), Fault::PolicyChanged);
            }
        }
        let ask = RosterAsk::RemoveSchedule(schedule);
        self.edits(Ask::Roster(ask), Fault::ScheduleRemoved);
    }

    /// The same policy without somebody; the administrator stands in where nobody would be left.
    fn without(&self, policy: Policy, gone: Recipient) -> RosterAsk {
        let mut levels = policy.levels;
        for level in &mut levels {
            level.targets.retain(|target| *target != gone);
            if level.targets.is_empty() {
                level.targets.extend(self.root.map(Recipient::User));
            }
        }
        RosterAsk::SetPolicy {
            id: Some(policy.id),
            name: policy.name,
            levels,
            repeat: policy.repeat,
            acknowledgement_timeout_ms: policy.acknowledgement_timeout_ms,
        }
    }

    /// Services that follow it follow another one first, unless that is forgotten.
    fn remove_policy(&mut self) {
        let mut known: Vec<PolicyId> = self.ledger.policies.keys().copied().collect();
        known.retain(|id| Some(*id) != self.ledger.default_policy);
        let policy = self.random.pick(&known).copied();
        let Some(policy) = policy.filter(|_| known.len() + 1 >= LEFT_MIN) else {
            let ask = self.some_policy(None);
            return self.edits(Ask::Roster(ask), Fault::PolicyChanged);
        };
        known.retain(|id| *id != policy);
        let services = self.ledger.services.values();
        let following: Vec<Service> = services
            .filter(|service| service.policy == Some(policy))
            .cloned()
            .collect();
        if !self.random.chance(150) {
            for service in following {
                let other = self.random.pick(&known).copied();
                let ask = RosterAsk::SetService {
                    id: Some(service.id),
                    name: service.name,
                    policy: other.filter(|_| self.random.chance(700)),
                };
                self.edits(Ask::Roster(ask), Fault::ServiceChanged);
            }
        }
        let ask = RosterAsk::RemovePolicy(policy);
        self.edits(Ask::Roster(ask), Fault::PolicyRemoved);
    }

    /// A service on which nothing fails goes, mostly, and another one comes; its jobs and what rules send to it go elsewhere.
    fn remove_service(&mut self) {
        let known: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let mut others = known.clone();
        others.retain(|id| Some(*id) != self.ledger.default_service);
        // Now and then one on which something does, or that a watched server belongs to: that stays.
        if !self.random.chance(100) {
            others.retain(|id| !self.ledger.is_busy(*id));
        }
        let Some(service) = self.random.pick(&others).copied() else {
            return;
        };
        let left: Vec<ServiceId> = known.into_iter().filter(|id| *id != service).collect();
        let pulses = self.ledger.pulses.iter();
        let of_it = pulses.filter(|(_, pulse)| pulse.service() == service);
        let jobs: Vec<HeartbeatId> = of_it.map(|(id, _)| *id).collect();
        for job in jobs {
            let mut ask = self.some_job(Some(job));
            if let HeartbeatAsk::Set { service, .. } = &mut ask {
                *service = self.random.pick(&left).copied();
            }
            self.edits(Ask::Intake(IntakeAsk::Heartbeat(ask)), Fault::JobChanged);
        }
        self.send_nothing_to(service);
        let ask = RosterAsk::RemoveService(service);
        self.edits(Ask::Roster(ask), Fault::ServiceRemoved);
        if left.len() >= SERVICES_MIN {
            return;
        }
        let policies: Vec<PolicyId> = self.ledger.policies.keys().copied().collect();
        let ask = RosterAsk::SetService {
            id: None,
            name: format!("Service {}", self.ledger.position),
            policy: self.random.pick(&policies).copied(),
        };
        self.edits(Ask::Roster(ask), Fault::ServiceChanged);
    }

    /// No rule of the installation sends alerts to a service any more.
    fn send_nothing_to(&mut self, service: ServiceId) {
        let route = Action::Route { service };
        let known = &self.ledger.rules;
        if !known.iter().any(|rule| rule.then.contains(&route)) {
            return;
        }
        let rules = known.iter().map(|rule| AskedRule {
            id: Some(rule.id),
            name: rule.name.clone(),
            when: rule.when.clone(),
            then: rule
                .then
                .iter()
                .filter(|one| **one != route)
                .cloned()
                .collect(),
            go_on: rule.go_on,
        });
        let rules: Vec<AskedRule> = rules.filter(|rule| !rule.then.is_empty()).collect();
        let ask = IntakeAsk::SetRules {
            service: None,
            rules,
        };
        self.edits(Ask::Intake(ask), Fault::RulesReplaced);
    }

    /// A service that came without one gets a key for its senders.
    pub(super) fn give_a_key(&mut self, service: ServiceId) {
        let mut known = self.ledger.integrations.values();
        if known.any(|of| *of == service) {
            return;
        }
        let ask = RosterAsk::AddIntegration {
            service,
            name: "Events".to_owned(),
            key_hash: "01".to_owned(),
            key_row: None,
            vendor: None,
            kind: IntegrationKind::default(),
        };
        self.ask(Ask::Roster(ask), Ticket::Nobody);
    }

    /// Who told a service that is gone tells another one from then on.
    pub(super) fn find_service(&mut self, index: usize) {
        let told = match self.sources.get(index).map(|source| &source.kind) {
            Some(SourceKind::Sender { service, .. }) => *service,
            Some(SourceKind::Monitor { .. } | SourceKind::Rule { .. }) | None => None,
        };
        if told.is_none_or(|told| self.ledger.services.contains_key(&told)) {
            return;
        }
        let known: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let found = self.random.pick(&known).copied();
        let keys = self.ledger.integrations.iter();
        let mut keys = keys.filter(|(_, of)| Some(**of) == found);
        let key: Option<IntegrationId> = keys.next().map(|(id, _)| *id);
        let key = key.filter(|_| self.random.chance(500));
        if let Some(Source {
            kind:
                SourceKind::Sender {
                    service,
                    integration,
                    ..
                },
            ..
        }) = self.sources.get_mut(index)
        {
            (*service, *integration) = (found, key);
        }
    }
}
