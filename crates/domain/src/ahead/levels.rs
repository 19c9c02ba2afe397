//! Levels of policies that would page nobody for a while in the days ahead. It announces nothing.

use super::{Finding, FindingKind, Outlook, between, more};
use crate::id::ScheduleId;
use crate::oncall::{Entry, Span, looked_around, weekly_pattern};
use crate::page::{Level, Policy, Recipient};
use crate::time::Timestamp;

/// A stretch in which a level would page nobody.
struct Hole {
    /// When, cut to the days that are looked at.
    span: Span,
    /// The same of one that comes back every week.
    pattern: String,
}

impl Outlook<'_> {
    /// Levels that would page nobody, what comes back every week as one.
    pub(super) fn levels(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for policy in self.roster.policies.values() {
            for (index, level) in policy.levels.iter().enumerate() {
                found.extend(self.empty_level(policy, index, level));
            }
        }
        found
    }

    fn empty_level(&self, policy: &Policy, index: usize, level: &Level) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for hole in self.holes(level) {
            let key = format!("empty-level:{}:{index}:{}", policy.id, hole.pattern);
            if let Some(known) = found.iter_mut().find(|known| known.key == key) {
                known.times += 1;
                known.text = text(policy, index, known.since, known.until, known.times);
                continue;
            }
            let since = hole.span.from;
            let until = (hole.span.until < self.ahead.until).then_some(hole.span.until);
            found.push(Finding {
                key,
                kind: FindingKind::EmptyLevel {
                    policy: policy.id,
                    level: index,
                },
                text: text(policy, index, since, until, 1),
                since,
                until,
                times: 1,
            });
        }
        found
    }

    /// When nobody of a level can be paged.
    fn holes(&self, level: &Level) -> Vec<Hole> {
        let rendered = |id: &ScheduleId| {
            let entries = self.rendered.get(id).map(Vec::as_slice);
            self.reached(entries.unwrap_or_default())
        };
        if self.holes_in(level, self.ahead, rendered).is_empty() {
            return Vec::new();
        }
        // Where a hole begins and ends is seen only in more days than those that are looked at.
        let around = looked_around(self.ahead);
        let whole = |id: &ScheduleId| {
            let schedule = self.roster.schedules.get(id);
            let entries = schedule.map(|schedule| schedule.entries_in(around));
            self.reached(&entries.unwrap_or_default())
        };
        let zone = self.zone_of(level);
        let holes = self.holes_in(level, around, whole).into_iter();
        holes
            .filter_map(|hole| {
                Some(Hole {
                    span: hole.overlap(self.ahead)?,
                    pattern: weekly_pattern(zone, hole, around),
                })
            })
            .collect()
    }

    /// The same within a range; `reached` gives when somebody whom a page would reach has duty.
    fn holes_in(
        &self,
        level: &Level,
        range: Span,
        reached: impl Fn(&ScheduleId) -> Vec<Span>,
    ) -> Vec<Span> {
        let mut holes = vec![range];
        for target in &level.targets {
            let mut named = self.roster.named_by(target).iter();
            if named.any(|user| self.roster.is_reachable(*user)) {
                return Vec::new();
            }
            if let Recipient::Schedule(id) = target {
                let spans = reached(id);
                holes = holes
                    .into_iter()
                    .flat_map(|hole| hole.without(&spans))
                    .collect();
            }
        }
        holes
    }

    fn reached(&self, entries: &[Entry]) -> Vec<Span> {
        let reached = entries.iter().filter(|entry| {
            let user = entry.user();
            user.is_some_and(|user| self.roster.is_reachable(user))
        });
        reached.map(Entry::span).collect()
    }

    /// The zone by whose clock the holes of a level come back: that of the first schedule that it names.
    fn zone_of(&self, level: &Level) -> &str {
        let mut schedules = level.targets.iter().filter_map(|target| match target {
            Recipient::Schedule(id) => self.roster.schedules.get(id),
            Recipient::User(_) | Recipient::Team(_) => None,
        });
        let first = schedules.next();
        first.map_or("UTC", |schedule| &schedule.time_zone)
    }
}

fn text(
    policy: &Policy,
    level: usize,
    since: Timestamp,
    until: Option<Timestamp>,
    times: u32,
) -> String {
    format!(
        "Level {} of {:?} would page nobody {}{}",
        level + 1,
        policy.name,
        between("UTC", since, until),
        more(times)
    )
}
