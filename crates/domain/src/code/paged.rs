//! What a change of the state makes of whom policies and services page, in words. Whose turn it is in a schedule is told
//! elsewhere.

use std::collections::BTreeSet;

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

/// Where `before` and `after` page other people by a level of a policy, then which services follow another policy. Members of
/// a team count as named; of a schedule only that it is named.
#[must_use]
pub fn paging_changes(before: &State, after: &State) -> Vec<String> {
    let ids: BTreeSet<PolicyId> = before
        .policies
        .keys()
        .chain(after.policies.keys())
        .copied()
        .collect();
    let policies = ids.into_iter().filter_map(|id| {
        let (old, new) = (before.policies.get(&id), after.policies.get(&id));
        Some((new.or(old)?.name.as_str(), old, new))
    });
    let mut policies: Vec<(&str, Option<&Policy>, Option<&Policy>)> = policies.collect();
    policies.sort_by_key(|(name, _, _)| *name);
    let mut told = Vec::new();
    for (name, old, new) in policies {
        let changes = of_levels((before, old), (after, new)).into_iter();
        told.extend(changes.map(|change| format!("policy {name}, {change}")));
    }
    let mut services = Vec::new();
    // One that comes changes nobody's duty.
    for (id, service) in &after.services {
        if !before.services.contains_key(id) {
            continue;
        }
        let (old, new) = (followed(before, *id), followed(after, *id));
        if old.map(|one| one.id) != new.map(|one| one.id) {
            services.push(format!(
                "service {}: by {} instead of {}",
                service.name,
                policy_words(new),
                policy_words(old)
            ));
        }
    }
    services.sort();
    told.extend(services);
    told
}

fn of_levels(
    (before, old): (&State, Option<&Policy>),
    (after, new): (&State, Option<&Policy>),
) -> Vec<String> {
    let levels = |policy: Option<&Policy>| policy.map_or(0, |policy| policy.levels.len());
    let mut told = Vec::new();
    for level in 0..levels(old).max(levels(new)) {
        let was = named(before, old, level);
        let is = named(after, new, level);
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
fn names(state: &State, one: &Named, other: &Named) -> Option<String> {
    let people = one.people.difference(&other.people);
    let people = people.filter_map(|id| state.users.get(id).map(|user| user.name.clone()));
    let mut all: Vec<String> = people.collect();
    all.sort();
    let schedules = one.schedules.difference(&other.schedules);
    let schedules = schedules.filter_map(|id| state.schedules.get(id));
    let mut found: Vec<String> = schedules
        .map(|schedule| format!("whoever is on call in {}", schedule.name))
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

fn policy_words(policy: Option<&Policy>) -> String {
    policy.map_or_else(
        || "no policy".to_owned(),
        |policy| format!("policy {}", policy.name),
    )
}
