//! What a change of the state makes of whom policies and services page, in words. Whose turn it is in a schedule is told
//! elsewhere.

use std::collections::BTreeSet;

use super::keys::{self, Names};
use crate::id::{PolicyId, ScheduleId, ServiceId, UserId};
use crate::page::{Policy, Recipient};
use crate::state::State;

/// Names of one side that are told at most.
const NAMES_MAX: usize = 10;

/// Whom a level names: people, by themselves or by a team, and schedules.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    people: BTreeSet<UserId>,
    schedules: BTreeSet<ScheduleId>,
}

/// One side of a change, with the keys that things have in its files: several may share a name.
struct Side<'a> {
    state: &'a State,
    schedules: Names<ScheduleId>,
    policies: Names<PolicyId>,
    services: Names<ServiceId>,
}

impl<'a> Side<'a> {
    fn of(state: &'a State) -> Self {
        Self {
            state,
            schedules: keys::schedules(state),
            policies: keys::policies(state),
            services: keys::services(state),
        }
    }
}

/// Where `before` and `after` page other people by a level of a policy, then which services follow another policy. Members of
/// a team count as named; of a schedule only that it is named.
#[must_use]
pub fn paging_changes(before: &State, after: &State) -> Vec<String> {
    let (before, after) = (Side::of(before), Side::of(after));
    let old = before.state.policies.keys();
    let ids: BTreeSet<PolicyId> = old.chain(after.state.policies.keys()).copied().collect();
    let policies = ids.into_iter().map(|id| {
        let side = if after.state.policies.contains_key(&id) {
            &after
        } else {
            &before
        };
        (side.policies.name(id), id)
    });
    let mut policies: Vec<(String, PolicyId)> = policies.collect();
    policies.sort();
    let mut told = Vec::new();
    for (name, id) in policies {
        let changes = of_levels(&before, &after, id).into_iter();
        told.extend(changes.map(|change| format!("policy {name}, {change}")));
    }
    let mut services = Vec::new();
    // One that comes changes nobody's duty.
    for id in after.state.services.keys() {
        if !before.state.services.contains_key(id) {
            continue;
        }
        let (old, new) = (followed(before.state, *id), followed(after.state, *id));
        if old.map(|one| one.id) != new.map(|one| one.id) {
            services.push(format!(
                "service {}: by {} instead of {}",
                after.services.name(*id),
                policy_words(&after, new),
                policy_words(&before, old)
            ));
        }
    }
    services.sort();
    told.extend(services);
    told
}

fn of_levels(before: &Side<'_>, after: &Side<'_>, id: PolicyId) -> Vec<String> {
    let (old, new) = (
        before.state.policies.get(&id),
        after.state.policies.get(&id),
    );
    let levels = |policy: Option<&Policy>| policy.map_or(0, |policy| policy.levels.len());
    let mut told = Vec::new();
    for level in 0..levels(old).max(levels(new)) {
        let was = named(before.state, old, level);
        let is = named(after.state, new, level);
        let who = match (names(before, &was, &is), names(after, &is, &was)) {
            (Some(goes), Some(comes)) => format!("{comes} instead of {goes}"),
            (None, Some(comes)) if was == Named::default() => format!("{comes}, where nobody was"),
            (None, Some(comes)) => format!("{comes} too"),
            (Some(goes), None) if is == Named::default() => format!("nobody instead of {goes}"),
            (Some(goes), None) => format!("no longer {goes}"),
            (None, None) => continue,
        };
        told.push(format!("level {}: {who}", level + 1));
    }
    told
}

fn named(state: &State, policy: Option<&Policy>, level: usize) -> Named {
    let mut named = Named::default();
    let step = policy.and_then(|policy| policy.levels.get(level));
    let targets = step.map(|step| step.targets.as_slice());
    for target in targets.unwrap_or_default() {
        match target {
            Recipient::User(user) => {
                named.people.insert(*user);
            }
            Recipient::Schedule(schedule) => {
                named.schedules.insert(*schedule);
            }
            Recipient::Team(team) => {
                let team = state.teams.get(team);
                let members = team.map(|team| team.members.as_slice());
                named.people.extend(members.unwrap_or_default());
            }
        }
    }
    named
}

/// Whom `one` names and `other` does not; none when there is nobody.
fn names(side: &Side<'_>, one: &Named, other: &Named) -> Option<String> {
    let people = one.people.difference(&other.people);
    let people = people.filter_map(|id| side.state.users.get(id).map(|user| user.name.clone()));
    let mut all: Vec<String> = people.collect();
    all.sort();
    let schedules = one.schedules.difference(&other.schedules);
    let schedules = schedules.map(|id| side.schedules.name(*id));
    let mut found: Vec<String> = schedules
        .filter(|key| !key.is_empty())
        .map(|key| format!("whoever is on call in {key}"))
        .collect();
    found.sort();
    all.extend(found);
    let more = all.len().saturating_sub(NAMES_MAX);
    all.truncate(NAMES_MAX);
    if more > 0 {
        all.push(format!("{more} more"));
    }
    let last = all.pop()?;
    Some(if all.is_empty() {
        last
    } else {
        format!("{} and {last}", all.join(", "))
    })
}

/// The policy that a service follows: its own, or that of the installation.
fn followed(state: &State, service: ServiceId) -> Option<&Policy> {
    let own = state.services.get(&service)?.policy;
    let own = own.and_then(|id| state.policies.get(&id));
    own.or_else(|| {
        let installation = state.installation.as_ref()?;
        state.policies.get(&installation.default_policy)
    })
}

fn policy_words(side: &Side<'_>, policy: Option<&Policy>) -> String {
    policy.map_or_else(
        || "no policy".to_owned(),
        |policy| format!("policy {}", side.policies.name(policy.id)),
    )
}
