//! What goes, in the second book: nothing is removed that something still needs, and what somebody who is removed had, or was alone
//! paged for, is not left to nobody.

use tocsin_domain::id::{IncidentId, PolicyId, ScheduleId, ServiceId, UserId};
use tocsin_domain::page::Recipient;
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Standing, Wait};
use crate::check::Check;

impl Ledger {
    /// Who has something open, or was paged for what nobody has.
    pub(crate) fn engaged(&self) -> Vec<UserId> {
        let open = self.open.iter().filter_map(|id| self.cases.get(id));
        let mut engaged = Vec::new();
        for case in open {
            match case.standing {
                Standing::Taken => engaged.extend(case.taker),
                Standing::Triggered => engaged.extend(case.asked.iter().copied()),
                Standing::Over => {}
            }
        }
        engaged.retain(|user| self.people.contains_key(user));
        engaged
    }

    /// Whether a watched server belongs to a service, or something open does, or has alerts that came to it.
    pub(crate) fn is_busy(&self, service: ServiceId) -> bool {
        let mut targets = self.targets.values();
        let is_watched = targets.any(|target| target.service == service);
        let mut open = self.open.iter().filter_map(|id| self.cases.get(id));
        let fails = open.any(|case| {
            let firing = case.firing.keys().filter_map(|id| self.alerts.get(id));
            let mut told = firing.map(|alert| &alert.told);
            let comes_to_it =
                told.any(|told| told.service == service || told.sent_to == Some(service));
            case.service == service || comes_to_it
        });
        is_watched || fails
    }

    /// Somebody is removed: nothing may be theirs after the step, nor theirs alone to be paged for.
    pub(super) fn orphan(&mut self, user: UserId) {
        let open = self.open.iter().copied();
        let theirs: Vec<IncidentId> = open
            .filter(|id| {
                self.cases
                    .get(id)
                    .is_some_and(|case| self.is_left(case, user))
            })
            .collect();
        self.orphans.extend(theirs.into_iter().map(|id| (id, user)));
        self.touch_open();
    }

    /// Whether a person has an incident, or is the last who is there of those who were paged for it.
    fn is_left(&self, case: &Case, user: UserId) -> bool {
        let is_theirs = case.standing == Standing::Taken && case.taker == Some(user);
        let mut others = case.asked.iter().filter(|asked| **asked != user);
        let is_alone =
            case.asked.contains(&user) && !others.any(|asked| self.people.contains_key(asked));
        let is_walked = matches!(case.wait, Wait::Level { .. });
        is_theirs || (is_alone && is_walked && case.is_wanting())
    }

    /// After a step in which nothing was left undone.
    pub(super) fn check_orphans(&mut self, now: Timestamp) {
        for (id, user) in std::mem::take(&mut self.orphans) {
            let case = self.cases.get(&id);
            let left = case.filter(|case| self.is_left(case, user));
            if let Some(case) = left {
                let what = format!(
                    "{user} was removed, and incident {} is left to them: {:?}",
                    case.number, case.standing
                );
                self.find(Check::NothingForgotten, now, what);
            }
        }
    }

    /// No level of a policy pages a schedule that goes.
    pub(super) fn check_schedule_gone(&mut self, schedule: ScheduleId, at: Timestamp) {
        let named = Recipient::Schedule(schedule);
        let mut levels = self.policies.values().flat_map(|policy| &policy.levels);
        if levels.any(|level| level.targets.contains(&named)) {
            let what = format!("the schedule {schedule} is gone, and a policy pages it");
            self.find(Check::RightLevel, at, what);
        }
    }

    /// No service follows a policy that goes.
    pub(super) fn check_policy_gone(&mut self, policy: PolicyId, at: Timestamp) {
        let mut services = self.services.values();
        let is_named = services.any(|service| service.policy == Some(policy));
        if is_named || self.default_policy == Some(policy) {
            let what = format!("the policy {policy} is gone, and services follow it");
            self.find(Check::RightLevel, at, what);
        }
    }

    /// Nothing fails on a service that goes, and no server that is watched belongs to it.
    pub(super) fn check_service_gone(&mut self, service: ServiceId, at: Timestamp) {
        if self.is_busy(service) || self.default_service == Some(service) {
            let what = format!("the service {service} is gone, and something fails on it or may");
            self.find(Check::NothingHidden, at, what);
        }
    }
}
