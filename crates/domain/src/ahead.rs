//! What will be wrong with paging in the days ahead: gaps, people who cannot be reached or hear too late, levels that would page
//! nobody, a list of last resort that nobody would hear. It announces nothing.

mod late;
mod levels;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{PolicyId, ScheduleId, TeamId, UserId};
use crate::oncall::{CivilGap, Entry, GAP_DAYS_AHEAD, Schedule, Span, shown_in};
use crate::page::{Policy, Recipient};
use crate::people::{Reach, SetUp, User};
use crate::state::State;
use crate::time::Timestamp;

/// Findings at most; what is nearest comes first.
pub const FINDINGS_MAX: usize = 500;
/// People of the list of last resort that a finding names.
const NAMED_MAX: usize = 5;

/// Something that will keep a page from somebody, unless it is repaired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Names it: the same as long as it is the same trouble, however much time passes.
    pub key: String,
    /// What it is.
    pub kind: FindingKind,
    /// In words.
    pub text: String,
    /// When it begins, now at the earliest.
    pub since: Timestamp,
    /// When it ends for the first time; `None`: not within the days that are looked at.
    pub until: Option<Timestamp>,
    /// How often it is so in the days that are looked at.
    pub times: u32,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FindingKind {
    /// A schedule that a policy uses has nobody for a while.
    Gap {
        /// Which.
        schedule: ScheduleId,
    },
    /// A schedule has nobody at all.
    EmptySchedule {
        /// Which.
        schedule: ScheduleId,
    },
    /// Somebody who will be paged has no verified contact method, or none by what is set up.
    Unreachable {
        /// Who.
        user: UserId,
    },
    /// Somebody who will be paged hears of it only when the level that they stand on is over.
    Late {
        /// Who.
        user: UserId,
    },
    /// A level of a policy would page nobody.
    EmptyLevel {
        /// Of which policy.
        policy: PolicyId,
        /// Counted from 0.
        level: usize,
    },
    /// Nobody on the list of last resort can be reached.
    LastResort,
}

/// What the findings are made from, taken out of the state, so that nothing waits while they are computed.
#[derive(Clone, Debug)]
pub struct Roster {
    schedules: BTreeMap<ScheduleId, Schedule>,
    policies: BTreeMap<PolicyId, Policy>,
    people: BTreeMap<UserId, Person>,
    /// Who belongs to each team.
    teams: BTreeMap<TeamId, Vec<UserId>>,
    /// The list of last resort; none before Tocsin is set up.
    last_resort: Option<Vec<UserId>>,
}

/// Somebody who may be paged.
#[derive(Clone, Debug)]
struct Person {
    name: String,
    /// Whether a page would reach them.
    reach: Reach,
    /// Milliseconds after they were chosen at which their first way is used; none when they have none. Whether its channel is set up
    /// does not matter: where it is not, the page is refused then, and their next way is used at once.
    first_way_ms: Option<u64>,
}

impl Roster {
    /// As it is in `state` while this is set up.
    #[must_use]
    pub fn of(state: &State, set_up: &SetUp) -> Self {
        let person = |user: &User| {
            let person = Person {
                name: user.name.clone(),
                reach: user.reach(set_up),
                first_way_ms: user.page_ways().first().map(|way| way.delay_ms),
            };
            (user.id, person)
        };
        Self {
            schedules: state.schedules.clone(),
            policies: state.policies.clone(),
            people: state.users.values().map(person).collect(),
            teams: state
                .teams
                .values()
                .map(|team| (team.id, team.members.clone()))
                .collect(),
            last_resort: state.installation.as_ref().map(|all| all.fallback.clone()),
        }
    }

    /// What will be wrong in the 14 days from `now` on, what is nearest first.
    #[must_use]
    pub fn findings(&self, now: Timestamp) -> Vec<Finding> {
        let outlook = Outlook::new(self, now);
        let mut found = outlook.schedules();
        found.extend(outlook.people());
        found.extend(outlook.late());
        found.extend(outlook.levels());
        found.extend(self.deaf_last_resort(now));
        nearest_first(found)
    }

    /// Of these, who will hear of a page only when the level that they stand on is over.
    #[must_use]
    pub fn late(&self, now: Timestamp) -> Vec<Finding> {
        nearest_first(Outlook::new(self, now).late())
    }

    /// That the list of last resort would page nobody, if it is so.
    fn deaf_last_resort(&self, now: Timestamp) -> Option<Finding> {
        let list = self.last_resort.as_ref()?;
        if list.iter().any(|user| self.is_reachable(*user)) {
            return None;
        }
        let text = if list.is_empty() {
            "The list of last resort is empty".to_owned()
        } else {
            self.deaf(list)
        };
        Some(Finding {
            key: "last-resort".to_owned(),
            kind: FindingKind::LastResort,
            text,
            since: now,
            until: None,
            times: 1,
        })
    }

    /// That nobody of these can be reached, and why: by their names alone where it is the same of all.
    fn deaf(&self, list: &[UserId]) -> String {
        let named = list.iter().take(NAMED_MAX);
        let more = match list.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let unverified = |user: &UserId| *self.reach(*user) == Reach::Unverified;
        if list.iter().all(unverified) {
            let names: Vec<&str> = named.map(|user| self.name(*user)).collect();
            let names = names.join(", ");
            return format!(
                "Nobody on the list of last resort has a verified contact method: {names}{more}"
            );
        }
        let each = named.map(|user| format!("{} {}", self.name(*user), self.problem(*user)));
        let each: Vec<String> = each.collect();
        let each = each.join("; ");
        format!("Nobody on the list of last resort can be reached: {each}{more}")
    }

    fn name(&self, user: UserId) -> &str {
        let known = self.people.get(&user);
        known.map_or("a removed person", |known| &known.name)
    }

    fn reach(&self, user: UserId) -> &Reach {
        let known = self.people.get(&user);
        known.map_or(&Reach::Unverified, |known| &known.reach)
    }

    /// People whom a policy pages by their names or as members of a team, whoever has duty.
    fn named_by<'r>(&'r self, target: &'r Recipient) -> &'r [UserId] {
        match target {
            Recipient::User(user) => std::slice::from_ref(user),
            Recipient::Team(team) => {
                let members = self.teams.get(team);
                members.map(Vec::as_slice).unwrap_or_default()
            }
            Recipient::Schedule(_) => &[],
        }
    }

    fn first_way_ms(&self, user: UserId) -> Option<u64> {
        self.people.get(&user)?.first_way_ms
    }

    fn is_reachable(&self, user: UserId) -> bool {
        self.reach(user).is_reached()
    }

    fn problem(&self, user: UserId) -> String {
        self.reach(user).problem().unwrap_or_default()
    }
}

fn nearest_first(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by(|one, other| (one.since, &one.key).cmp(&(other.since, &other.key)));
    found.truncate(FINDINGS_MAX);
    found
}

/// A roster over the days ahead.
struct Outlook<'a> {
    roster: &'a Roster,
    ahead: Span,
    /// Every schedule, rendered.
    rendered: BTreeMap<ScheduleId, Vec<Entry>>,
    /// Schedules that a policy uses, with the name of one that does.
    used: BTreeMap<ScheduleId, &'a str>,
}

impl<'a> Outlook<'a> {
    fn new(roster: &'a Roster, now: Timestamp) -> Self {
        let ahead = Span::of_days(now, GAP_DAYS_AHEAD);
        let schedules = roster.schedules.values();
        let mut used = BTreeMap::new();
        for policy in roster.policies.values() {
            for target in policy.levels.iter().flat_map(|level| &level.targets) {
                if let Recipient::Schedule(id) = target {
                    used.entry(*id).or_insert(policy.name.as_str());
                }
            }
        }
        Self {
            roster,
            ahead,
            rendered: schedules
                .map(|one| (one.id, one.entries_in(ahead)))
                .collect(),
            used,
        }
    }

    /// Gaps of schedules that are used, and schedules without anybody.
    fn schedules(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for schedule in self.roster.schedules.values() {
            let entries = self.rendered.get(&schedule.id);
            let entries = entries.map(Vec::as_slice).unwrap_or_default();
            let policy = self.used.get(&schedule.id);
            if entries.iter().all(|entry| entry.user().is_none()) {
                found.push(self.empty(schedule, policy.copied()));
            } else if policy.is_some() {
                found.extend(self.gaps(schedule));
            }
        }
        found
    }

    fn empty(&self, schedule: &Schedule, policy: Option<&str>) -> Finding {
        let used = policy.map(|name| format!(", although {name:?} pages it"));
        Finding {
            key: format!("empty-schedule:{}", schedule.id),
            kind: FindingKind::EmptySchedule {
                schedule: schedule.id,
            },
            text: format!(
                "Nobody is on call in {:?} in the next {GAP_DAYS_AHEAD} days{}",
                schedule.name,
                used.unwrap_or_default()
            ),
            since: self.ahead.from,
            until: None,
            times: 1,
        }
    }

    /// Gaps, those that come back every week as one.
    fn gaps(&self, schedule: &Schedule) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for gap in schedule.civil_gaps(self.ahead) {
            let key = format!("gap:{}:{}", schedule.id, gap.pattern);
            match found.iter_mut().find(|known| known.key == key) {
                Some(known) => {
                    known.times += 1;
                    known.text = gap_text(schedule, known.since, known.until, known.times);
                }
                None => found.push(self.gap(schedule, key, &gap)),
            }
        }
        found
    }

    fn gap(&self, schedule: &Schedule, key: String, gap: &CivilGap) -> Finding {
        let until = (gap.span.until < self.ahead.until).then_some(gap.span.until);
        Finding {
            key,
            kind: FindingKind::Gap {
                schedule: schedule.id,
            },
            text: gap_text(schedule, gap.span.from, until, 1),
            since: gap.span.from,
            until,
            times: 1,
        }
    }

    /// People who will be on call, whom a policy names or a team that it names, or who are on the list of last resort, and who cannot
    /// be reached.
    fn people(&self) -> Vec<Finding> {
        let mut seen: BTreeMap<UserId, Unreachable<'_>> = BTreeMap::new();
        let mut see = |user: UserId, span: Span, place: Place<'a>| {
            if !self.roster.is_reachable(user) {
                let known = seen.entry(user).or_insert(Unreachable {
                    span,
                    places: BTreeSet::new(),
                });
                known.span.from = known.span.from.min(span.from);
                known.span.until = known.span.until.max(span.until);
                known.places.insert(place);
            }
        };
        for (id, entries) in &self.rendered {
            let Some(schedule) = self.roster.schedules.get(id) else {
                continue;
            };
            for entry in entries.iter().filter(|_| self.used.contains_key(id)) {
                if let Some(user) = entry.user() {
                    see(user, entry.span(), Place::Named(&schedule.name));
                }
            }
        }
        for policy in self.roster.policies.values() {
            let place = Place::Named(&policy.name);
            for target in policy.levels.iter().flat_map(|level| &level.targets) {
                for user in self.roster.named_by(target) {
                    see(*user, self.ahead, place);
                }
            }
        }
        // A list on which nobody can be reached is found as that, with its people.
        let list = self.roster.last_resort.as_deref().unwrap_or_default();
        if list.iter().any(|user| self.roster.is_reachable(*user)) {
            for user in list {
                see(*user, self.ahead, Place::LastResort);
            }
        }
        let findings = seen.into_iter();
        findings
            .map(|(user, known)| self.unreachable(user, &known))
            .collect()
    }

    fn unreachable(&self, user: UserId, known: &Unreachable<'_>) -> Finding {
        let places: Vec<String> = known.places.iter().map(Place::words).collect();
        Finding {
            key: format!("unreachable:{user}"),
            kind: FindingKind::Unreachable { user },
            text: format!(
                "{} would be paged by {} but {}",
                self.roster.name(user),
                places.join(", "),
                self.roster.problem(user)
            ),
            since: known.span.from,
            until: (known.span.until < self.ahead.until).then_some(known.span.until),
            times: 1,
        }
    }
}

/// Where and when somebody who cannot be reached would be paged.
struct Unreachable<'a> {
    span: Span,
    places: BTreeSet<Place<'a>>,
}

/// By what somebody would be paged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    /// A schedule or a policy of this name.
    Named(&'a str),
    /// The list of last resort.
    LastResort,
}

impl Place<'_> {
    fn words(&self) -> String {
        match self {
            Self::Named(name) => format!("{name:?}"),
            Self::LastResort => "the list of last resort".to_owned(),
        }
    }
}

fn gap_text(schedule: &Schedule, since: Timestamp, until: Option<Timestamp>, times: u32) -> String {
    let when = between(&schedule.time_zone, since, until);
    format!(
        "Nobody is on call in {:?} {when}{}",
        schedule.name,
        more(times)
    )
}

fn between(zone: &str, since: Timestamp, until: Option<Timestamp>) -> String {
    let from = shown_in(zone, since);
    match until {
        Some(until) => format!("from {from} until {} ({zone})", shown_in(zone, until)),
        None => format!("from {from} ({zone}) on"),
    }
}

fn more(times: u32) -> String {
    match times {
        0 | 1 => String::new(),
        2 => format!(", and once more within {GAP_DAYS_AHEAD} days"),
        _ => format!(
            ", and {} more times within {GAP_DAYS_AHEAD} days",
            times - 1
        ),
    }
}
