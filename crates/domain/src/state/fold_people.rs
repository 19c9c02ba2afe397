//! Folds events about people and the ways to reach them. Whoever leaves is named nowhere any more.

use super::State;
use super::dates::revise;
use crate::event::{Event, PeopleEvent};
use crate::id::{ContactMethodId, UserId};
use crate::page::Recipient;
use crate::people::ContactMethod;
use crate::tag::Tagged;

impl State {
    pub(super) fn evolve_people(&mut self, event: &PeopleEvent, envelope: &Event) {
        match event {
            PeopleEvent::UserAdded { user } => {
                self.users.insert(user.id, user.clone());
                if let Some(team) = self.teams.get_mut(&user.team) {
                    team.members.push(user.id);
                }
            }
            PeopleEvent::UserChanged {
                user,
                name,
                role,
                about,
            } => {
                let Some(known) = self.users.get_mut(user) else {
                    return;
                };
                let is_renamed = known.name != *name;
                known.name.clone_from(name);
                known.role = *role;
                if let Some(about) = about {
                    known.about.clone_from(about);
                }
                if is_renamed {
                    self.revise_schedules_of(*user, envelope);
                }
            }
            PeopleEvent::UserRemoved { user } => self.forget_user(*user, envelope),
            PeopleEvent::ContactMethodAdded { user, method } => {
                if let Some(user) = self.users.get_mut(user) {
                    user.contact_methods.push(method.clone());
                }
            }
            PeopleEvent::ContactMethodVerified { user, method } => {
                if let Some(method) = self.method_mut(*user, *method) {
                    method.verified_at = Some(envelope.at);
                    method.pending_code = None;
                }
            }
            PeopleEvent::ContactMethodGone { user, method } => {
                if let Some(method) = self.method_mut(*user, *method) {
                    method.verified_at = None;
                    method.gone_at = Some(envelope.at);
                }
            }
            PeopleEvent::ContactMethodRemoved { user, method } => {
                if let Some(user) = self.users.get_mut(user) {
                    user.contact_methods.retain(|one| one.id != *method);
                    user.rules.retain(|rule| rule.contact_method != *method);
                }
            }
            PeopleEvent::ContactMethodRenamed {
                user,
                method,
                label,
            } => {
                if let Some(method) = self.method_mut(*user, *method) {
                    method.label.clone_from(label);
                }
            }
            PeopleEvent::NotificationRulesSet { user, rules } => {
                if let Some(user) = self.users.get_mut(user) {
                    user.rules.clone_from(rules);
                }
            }
        }
    }

    fn method_mut(&mut self, user: UserId, method: ContactMethodId) -> Option<&mut ContactMethod> {
        let mut methods = self.users.get_mut(&user)?.contact_methods.iter_mut();
        methods.find(|one| one.id == method)
    }

    /// Whoever stands in a schedule is shown there by another name.
    fn revise_schedules_of(&mut self, user: UserId, envelope: &Event) {
        let schedules = self.schedules.values();
        for schedule in schedules.filter(|known| known.people().contains(&user)) {
            revise(&mut self.dates.schedules, schedule.id, envelope.at);
        }
    }

    /// A removed person leaves every list at once, so that no list can choose somebody who is not there.
    fn forget_user(&mut self, user: UserId, envelope: &Event) {
        let position = envelope.position;
        self.users.remove(&user);
        self.forget_sent(user);
        self.calendars.retain(|_, calendar| calendar.user != user);
        self.untag(Tagged::User(user));
        self.duty.unwanted.remove(&user);
        for schedule in self.schedules.values_mut() {
            let before = schedule.clone();
            schedule.forget(user, envelope.at);
            if *schedule != before {
                self.schedule_changes.insert(schedule.id, position);
                revise(&mut self.dates.schedules, schedule.id, envelope.at);
            }
        }
        let named = Recipient::User(user);
        for policy in self.policies.values_mut() {
            for level in &mut policy.levels {
                if level.targets.contains(&named) {
                    level.targets.retain(|target| *target != named);
                    self.policy_changes.insert(policy.id, position);
                }
            }
        }
        for team in self.teams.values_mut() {
            team.leave(user);
        }
        if let Some(installation) = &mut self.installation {
            installation.fallback.retain(|one| *one != user);
        }
        self.excuse(&[user]);
    }
}
