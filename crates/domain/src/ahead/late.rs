//! Who will be paged and hears of it only when the level that they stand on is over. It knows no incident.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind, Outlook};
use crate::id::UserId;
use crate::oncall::Span;
use crate::page::{Level, Policy, Recipient};

/// Where somebody is paged too late, and when.
struct Late<'a> {
    span: Span,
    /// Levels, counted from 0, each with the name of its policy and how long it has.
    places: BTreeSet<(&'a str, usize, u64)>,
}

impl<'a> Outlook<'a> {
    /// People whose first way is used no sooner than what follows on their level.
    pub(super) fn late(&self) -> Vec<Finding> {
        let mut seen: BTreeMap<UserId, Late<'a>> = BTreeMap::new();
        for policy in self.roster.policies.values() {
            for (index, level) in policy.levels.iter().enumerate() {
                if !self.is_followed(policy, index) {
                    continue;
                }
                let paged = self.paged_by(level).into_iter();
                for (user, span) in paged.filter(|(user, _)| self.hears_late(*user, level)) {
                    let known = seen.entry(user).or_insert(Late {
                        span,
                        places: BTreeSet::new(),
                    });
                    known.span.from = known.span.from.min(span.from);
                    known.span.until = known.span.until.max(span.until);
                    let place = (policy.name.as_str(), index, level.delay_ms);
                    known.places.insert(place);
                }
            }
        }
        let found = seen.into_iter();
        found
            .filter_map(|(user, late)| self.late_finding(user, &late))
            .collect()
    }

    /// Whether somebody is paged when nobody of this level has answered: of the next one, of the first one again, or of the list of
    /// last resort.
    fn is_followed(&self, policy: &Policy, level: usize) -> bool {
        let mut last_resort = self.roster.last_resort.iter().flatten();
        level + 1 < policy.levels.len()
            || policy.repeat > 0
            || last_resort.any(|user| self.roster.is_reachable(*user))
    }

    fn hears_late(&self, user: UserId, level: &Level) -> bool {
        let first = self.roster.first_way_ms(user);
        // Who cannot be reached is found as that.
        self.roster.is_reachable(user) && first.is_some_and(|first| first >= level.delay_ms)
    }

    /// Whom a level pages in the days ahead, and when they are the ones.
    fn paged_by(&self, level: &Level) -> Vec<(UserId, Span)> {
        let mut found = Vec::new();
        for target in &level.targets {
            match target {
                Recipient::User(user) => found.push((*user, self.ahead)),
                Recipient::Team(team) => {
                    let members = self.roster.teams.get(team).into_iter().flatten();
                    found.extend(members.map(|user| (*user, self.ahead)));
                }
                Recipient::Schedule(id) => {
                    let entries = self.rendered.get(id).into_iter().flatten();
                    found.extend(entries.filter_map(|entry| Some((entry.user()?, entry.span()))));
                }
            }
        }
        found
    }

    fn late_finding(&self, user: UserId, late: &Late<'_>) -> Option<Finding> {
        let (policy, level, delay_ms) = late.places.first()?;
        let more = match late.places.len() {
            0 | 1 => String::new(),
            count => format!(", and so on {} more", count - 1),
        };
        Some(Finding {
            key: format!("late:{user}"),
            kind: FindingKind::Late { user },
            text: format!(
                "{} would hear of a page only {} after it, when level {} of {policy:?} is over, which has {}{more}",
                self.roster.name(user),
                length(self.roster.first_way_ms(user)?),
                level + 1,
                length(*delay_ms)
            ),
            since: late.span.from,
            until: (late.span.until < self.ahead.until).then_some(late.span.until),
            times: 1,
        })
    }
}

fn length(ms: u64) -> String {
    match (ms / 60_000, ms % 60_000) {
        (minutes, 0) => format!("{minutes} min"),
        (_, _) => format!("{} s", ms.div_ceil(1_000)),
    }
}
