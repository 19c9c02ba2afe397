//! Somebody makes a document of everything that is set up true, all of it at once: other levels, turns and policies, and now and then
//! without a schedule, or without somebody who has something open.

use std::collections::BTreeMap;

use tocsin_domain::code::{self, Apply, Document, Recipient, Removable, removals};
use tocsin_domain::command::Ask;

use super::{Ticket, World};
use crate::tally::Fault;

/// Fewer schedules than this all stay.
const LEFT_MIN: usize = 3;

impl World {
    pub(super) fn apply_document(&mut self) {
        // Nobody's address is known to whoever does this: people stand in it by their ids.
        let standing = code::describe(&self.shadow, &BTreeMap::new(), self.wall());
        let mut wanted = standing.clone();
        self.turn_round(&mut wanted);
        match self.random.below(4) {
            0 => self.leave_schedule_out(&mut wanted),
            1 | 2 => self.leave_person_out(&mut wanted),
            _ => {}
        }
        self.let_root_stand_in(&mut wanted);
        let (removed, _) = removals(&self.shadow, &standing, &wanted);
        let apply = Apply {
            standing,
            wanted,
            removed,
            ..Apply::default()
        };
        let ask = Ask::Apply(Box::new(apply));
        self.ask(ask, Ticket::Editor(Some(Fault::Applied)));
    }

    /// Levels and turns in another order, and services with other policies.
    fn turn_round(&mut self, wanted: &mut Document) {
        for policy in &mut wanted.escalation_policies {
            if self.random.chance(400) {
                policy.levels.reverse();
            }
        }
        for schedule in &mut wanted.schedules {
            if self.random.chance(300) {
                for layer in &mut schedule.layers {
                    layer.members.reverse();
                }
            }
        }
        let policies = wanted.escalation_policies.iter();
        let policies: Vec<String> = policies.map(|policy| policy.name.clone()).collect();
        for service in &mut wanted.services {
            if self.random.chance(300) {
                service.escalation_policy = self.random.pick(&policies).cloned();
            }
        }
    }

    fn leave_schedule_out(&mut self, wanted: &mut Document) {
        let known = wanted.schedules.iter();
        let known: Vec<String> = known.map(|schedule| schedule.name.clone()).collect();
        let gone = self.random.pick(&known).cloned();
        let Some(gone) = gone.filter(|_| known.len() >= LEFT_MIN) else {
            return;
        };
        wanted.schedules.retain(|schedule| schedule.name != gone);
        page_no_more(wanted, &Recipient::Schedule(gone));
        wanted.manage.remove.push(Removable::Schedules);
    }

    /// Whoever goes stands on no list of the document.
    fn leave_person_out(&mut self, wanted: &mut Document) {
        let mut engaged = self.ledger.engaged();
        engaged.retain(|user| Some(*user) != self.root);
        let Some(gone) = self.random.pick(&engaged).map(ToString::to_string) else {
            return;
        };
        wanted.users.retain(|user| user.email != gone);
        for team in &mut wanted.teams {
            team.members.retain(|member| *member != gone);
        }
        for layer in wanted.schedules.iter_mut().flat_map(|one| &mut one.layers) {
            layer.members.retain(|member| *member != gone);
        }
        if let Some(fallback) = &mut wanted.installation.fallback {
            fallback.retain(|user| *user != gone);
        }
        page_no_more(wanted, &Recipient::User(gone));
        wanted.manage.remove.push(Removable::Users);
    }

    /// The administrator, wherever a list would hold nobody and must not.
    fn let_root_stand_in(&self, wanted: &mut Document) {
        let Some(root) = self.root.map(|root| root.to_string()) else {
            return;
        };
        let policies = wanted.escalation_policies.iter_mut();
        for level in policies.flat_map(|policy| &mut policy.levels) {
            if level.targets.is_empty() {
                level.targets.push(Recipient::User(root.clone()));
            }
        }
        if let Some(fallback) = &mut wanted.installation.fallback
            && fallback.is_empty()
        {
            fallback.push(root);
        }
    }
}

fn page_no_more(wanted: &mut Document, gone: &Recipient) {
    let policies = wanted.escalation_policies.iter_mut();
    for level in policies.flat_map(|policy| &mut policy.levels) {
        level.targets.retain(|target| target != gone);
    }
}
