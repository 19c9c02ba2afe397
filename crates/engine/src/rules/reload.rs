//! Other rules in the place of those that are: what is still there keeps its state, what is gone ends. It reads no file.

use std::collections::VecDeque;

use tocsin_domain::command::AlertAsk;
use tocsin_domain::time::Timestamp;

use super::ALERT_NAME;
use super::alerting::Stage;
use super::group::{Memory, Rule};
use super::known::{Known, key_of};
use super::spec::{GroupSpec, RuleSpec};
use super::step::{Rules, Told, leave};

/// How much of the rules could be read at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of them: an alert that a rule of this name no longer gives is over.
    Whole,
    /// Some were left out, so that an alert without a rule says nothing.
    Partial,
}

impl Rules {
    /// Goes on with these groups. A rule of the same group, kind, name and labels keeps its state; alerts of a rule that is gone
    /// are over, and its series end. Nothing may have been left out of the groups.
    pub fn replace(&mut self, specs: Vec<GroupSpec>, now: Timestamp) {
        let mut new = Self::arrange(specs, now);
        let kept = std::mem::take(&mut self.kept);
        new.started_ms = self.started_ms;
        new.firing = std::mem::take(&mut self.firing);
        new.untold = std::mem::take(&mut self.untold);
        new.leaving = std::mem::take(&mut self.leaving);
        let mut old: Vec<VecDeque<Rule>> = self.groups.iter().map(|_| VecDeque::new()).collect();
        for rule in self.rules.drain(..) {
            old[rule.group].push_back(rule);
        }
        for group in 0..new.groups.len() {
            let same = self
                .groups
                .iter()
                .position(|one| new.groups[group].spec.is_successor_of(&one.spec));
            if let Some(before) = same {
                new.keep_schedule(group, &self.groups[before]);
                new.keep_states(group, &mut old[before]);
            }
        }
        for one in &kept {
            leave(&mut new.firing, &one.key);
        }
        let gone = new.take_up(kept);
        let gone = gone
            .into_iter()
            .filter(|one| !new.firing.contains_key(&one.key));
        new.untold.extend(gone.map(|one| over(one.key, now)));
        for (group, gone) in old.into_iter().enumerate() {
            let name = &self.groups[group].spec.name;
            for rule in gone {
                new.end(name, &rule, now);
            }
        }
        // An alert of a rule that moved to another group of this name fires under the same key: nothing ended then.
        *self = new;
    }

    /// Begins with the alerts that fire according to the journal. One whose rule was not read fires on: nobody said that it is gone.
    pub(super) fn begin(&mut self, known: Vec<Known>, reading: Reading, now: Timestamp) {
        for one in self.take_up(known) {
            let is_changed = match reading {
                Reading::Whole => self.has_rule_of(&one),
                Reading::Partial => false,
            };
            if is_changed {
                self.untold.push(over(one.key, now));
            } else {
                *self.firing.entry(one.key.clone()).or_insert(0) += 1;
                self.kept.push(one);
            }
        }
    }

    /// How many alerts fire on although no rule of theirs was read.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// How many alerts that fire would be over if these groups replaced those that are.
    #[must_use]
    pub fn would_end(&self, specs: &[GroupSpec]) -> usize {
        let ending = self.rules.iter().filter(|rule| {
            let group = &self.groups[rule.group].spec;
            let after = specs.iter().find(|spec| spec.is_successor_of(group));
            !after.is_some_and(|spec| spec.rules.iter().any(|one| one.is_successor_of(&rule.spec)))
        });
        let ending: usize = ending.map(Rule::firing).sum();
        let kept = self.kept.iter().filter(|known| {
            let mut rules = specs
                .iter()
                .flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
            !rules.any(|(group, rule)| gives(group, rule, known))
        });
        ending + kept.count()
    }

    /// Hands alerts that fire already to their rules; gives back those that have none.
    fn take_up(&mut self, known: Vec<Known>) -> Vec<Known> {
        let mut without = Vec::new();
        for one in known {
            let rule = self.rules.iter().position(|rule| {
                let group = &self.groups[rule.group].spec;
                gives(group, &rule.spec, &one)
            });
            let Some(rule) = rule else {
                without.push(one);
                continue;
            };
            *self.firing.entry(one.key).or_insert(0) += 1;
            if let Memory::Alert(alerting) = &mut self.rules[rule].memory {
                alerting.take_up(one.labels, one.value, one.fired_at_ms);
            }
        }
        without
    }

    fn has_rule_of(&self, known: &Known) -> bool {
        self.rules
            .iter()
            .any(|rule| is_named(&self.groups[rule.group].spec, &rule.spec, known))
    }

    fn keep_schedule(&mut self, group: usize, before: &super::group::Group) {
        let after = &mut self.groups[group];
        after.evaluated_at = before.evaluated_at;
        after.writing_us = before.writing_us;
        if after.spec.is_same_as(&before.spec) {
            after.next_slot_ms = before.next_slot_ms;
            let shift = |rule: usize| rule - before.rules.start + after.rules.start;
            after.cycle = before.cycle.map(|(slot, rule)| (slot, shift(rule)));
        }
    }

    fn keep_states(&mut self, group: usize, old: &mut VecDeque<Rule>) {
        for rule in self.groups[group].rules.clone() {
            let same = old
                .iter()
                .position(|one| self.rules[rule].spec.is_successor_of(&one.spec));
            let Some(before) = same.and_then(|at| old.remove(at)) else {
                continue;
            };
            let spec = std::sync::Arc::clone(&self.rules[rule].spec);
            self.rules[rule] = Rule {
                spec,
                group,
                wake_at_ms: None,
                ..before
            };
            let now = &self.rules[rule];
            if now.dirty_at_ms.is_some() {
                self.dirty.insert((self.feeds.rank[rule], rule));
            }
            if let Some(at_ms) = now.fires_at_ms()
                && self.groups[group].spec.query_offset_ms == 0
            {
                self.rules[rule].wake_at_ms = Some(at_ms);
                self.wakes.insert((at_ms, rule));
            }
        }
    }

    fn end(&mut self, group: &str, rule: &Rule, now: Timestamp) {
        self.leaving.extend(rule.series());
        if let Memory::Alert(alerting) = &rule.memory {
            let firing = alerting.active.iter();
            for (labels, _) in firing.filter(|(_, one)| one.stage == Stage::Firing) {
                let key = key_of(group, labels);
                if leave(&mut self.firing, &key) {
                    self.untold.push(over(key, now));
                }
            }
        }
    }
}

impl Rule {
    /// How many of its alerts fire.
    fn firing(&self) -> usize {
        match &self.memory {
            Memory::Record(_) => 0,
            Memory::Alert(alerting) => {
                let active = alerting.active.values();
                active.filter(|one| one.stage == Stage::Firing).count()
            }
        }
    }

    /// The earliest time at which a pending alert of it may fire, milliseconds.
    pub(super) fn fires_at_ms(&self) -> Option<i64> {
        match &self.memory {
            Memory::Record(_) => None,
            Memory::Alert(alerting) => alerting.fires_at_ms(self.spec.alert()?),
        }
    }
}

/// Whether an alert is one that the rule gives.
fn gives(group: &GroupSpec, rule: &RuleSpec, known: &Known) -> bool {
    let labels = &known.labels;
    let mut constant = rule
        .labels
        .iter()
        .filter(|(_, text)| text.template.is_none());
    is_named(group, rule, known)
        && key_of(&known.group, labels) == known.key
        && labels.get(ALERT_NAME) == rule.name
        && constant.all(|(name, text)| labels.get(name) == text.written || name == ALERT_NAME)
}

/// Whether the rule is called as that of the alert.
fn is_named(group: &GroupSpec, rule: &RuleSpec, known: &Known) -> bool {
    rule.alert().is_some() && rule.name == known.rule && group.name == known.group
}

fn over(key: String, now: Timestamp) -> Told {
    Told {
        ask: AlertAsk::RuleResolved {
            dedup_key: key,
            at: now,
            evidence: Vec::new(),
            gone: true,
        },
        service: None,
    }
}
