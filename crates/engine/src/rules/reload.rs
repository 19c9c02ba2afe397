//! Other rules in the place of those that are: what is still there keeps its state, what is gone ends. It reads no file.

use std::collections::VecDeque;

use tocsin_domain::command::AlertAsk;
use tocsin_domain::time::Timestamp;
use tocsin_promql::Labels;

use super::ALERT_NAME;
use super::alerting::Stage;
use super::group::{Memory, Rule};
use super::known::{Known, key_of};
use super::spec::GroupSpec;
use super::step::{Rules, Told, leave};

impl Rules {
    /// Goes on with these groups. A rule of the same group, kind, name and labels keeps its state; alerts of a rule that is gone
    /// are over, and its series end.
    pub fn replace(&mut self, specs: Vec<GroupSpec>, now: Timestamp) {
        let mut new = Self::arrange(specs, now);
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
        for (group, gone) in old.into_iter().enumerate() {
            let name = &self.groups[group].spec.name;
            for rule in gone {
                new.end(name, &rule, now);
            }
        }
        // An alert of a rule that moved to another group of this name fires under the same key: nothing ended then.
        *self = new;
    }

    /// Takes up the alerts that fire according to the journal; those of rules that are gone are over.
    pub(super) fn take_up(&mut self, known: Vec<Known>, now: Timestamp) {
        for one in known {
            let rule = self
                .rules
                .iter()
                .position(|rule| self.is_alert_of(rule, &one));
            let Some(rule) = rule.filter(|_| key_of(&one.group, &one.labels) == one.key) else {
                self.untold.push(over(one.key, now));
                continue;
            };
            *self.firing.entry(one.key).or_insert(0) += 1;
            if let Memory::Alert(alerting) = &mut self.rules[rule].memory {
                alerting.take_up(one.labels, one.value, one.fired_at_ms);
            }
        }
    }

    fn is_alert_of(&self, rule: &Rule, known: &Known) -> bool {
        rule.spec.alert().is_some()
            && rule.spec.name == known.rule
            && self.groups[rule.group].spec.name == known.group
            && fits(rule, &known.labels)
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
    /// The earliest time at which a pending alert of it may fire, milliseconds.
    pub(super) fn fires_at_ms(&self) -> Option<i64> {
        match &self.memory {
            Memory::Record(_) => None,
            Memory::Alert(alerting) => alerting.fires_at_ms(self.spec.alert()?),
        }
    }
}

/// Whether an alert with these labels can be one of the rule.
fn fits(rule: &Rule, labels: &Labels) -> bool {
    labels.get(ALERT_NAME) == rule.spec.name
        && rule
            .spec
            .labels
            .iter()
            .filter(|(_, text)| text.template.is_none())
            .all(|(name, text)| labels.get(name) == text.written || name == ALERT_NAME)
}

fn over(key: String, now: Timestamp) -> Told {
    Told {
        ask: AlertAsk::RuleResolved {
            dedup_key: key,
            at: now,
            evidence: Vec::new(),
        },
        service: None,
    }
}
