//! The keys under which things stand in files: their names, made different where two things share one. It changes nothing.

use std::collections::BTreeMap;

use super::part::{Kind, Part};
use crate::id::{
    HeartbeatId, IntegrationId, MaintenanceId, MonitorId, PolicyId, ScheduleId, SecretId,
    ServiceId, TargetId, TeamId, UserId,
};
use crate::state::{Named, State};
use crate::time::Timestamp;

/// Things of one kind by their keys, and back.
pub(crate) struct Names<I> {
    noun: &'static str,
    by_name: BTreeMap<String, I>,
    by_id: BTreeMap<I, String>,
}

impl<I: Ord + Copy> Names<I> {
    /// Of several things with one name, that which had it first has it as its key, and the others have a number behind it: what
    /// comes later changes no key of what is there. `things` come with what tells which had its name first.
    fn new<'a, A: Ord>(noun: &'static str, things: impl Iterator<Item = (A, I, &'a str)>) -> Self {
        let mut things: Vec<(A, I, &str)> = things.collect();
        things.sort_by(|(one, a, _), (other, b, _)| one.cmp(other).then_with(|| a.cmp(b)));
        let (mut by_name, mut by_id) = (BTreeMap::new(), BTreeMap::new());
        for (_, id, name) in things {
            let mut key = name.to_owned();
            let mut number = 1_usize;
            while by_name.contains_key(&key) {
                number += 1;
                key = format!("{name}#{number}");
            }
            by_name.insert(key.clone(), id);
            by_id.insert(id, key);
        }
        Self {
            noun,
            by_name,
            by_id,
        }
    }

    /// The key of a thing; empty when it is gone.
    pub(crate) fn name(&self, id: I) -> String {
        self.by_id.get(&id).cloned().unwrap_or_default()
    }

    /// The thing of that key, or why there is none.
    pub(crate) fn id(&self, name: &str) -> Result<I, String> {
        let found = self.by_name.get(name).copied();
        found.ok_or_else(|| format!("there is no {} {name:?}", self.noun))
    }

    /// The thing of that key.
    pub(crate) fn find(&self, name: &str) -> Option<I> {
        self.by_name.get(name).copied()
    }

    /// Every thing, in the order of the keys.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, I)> {
        self.by_name.iter().map(|(name, id)| (name.as_str(), *id))
    }
}

/// Everything that stands in files.
pub(crate) struct Keys {
    pub(crate) users: Names<UserId>,
    pub(crate) teams: Names<TeamId>,
    pub(crate) schedules: Names<ScheduleId>,
    pub(crate) policies: Names<PolicyId>,
    pub(crate) services: Names<ServiceId>,
    /// Those of each service: two services may each have one of the same key.
    pub(crate) integrations: BTreeMap<ServiceId, Names<IntegrationId>>,
    pub(crate) heartbeats: Names<HeartbeatId>,
    pub(crate) monitors: Names<MonitorId>,
    pub(crate) targets: Names<TargetId>,
    /// Planned work that is not over.
    pub(crate) windows: Names<MaintenanceId>,
}

impl Keys {
    /// As they are in `state` at `now`; `addresses` are those of vault rows.
    pub(crate) fn of(
        state: &State,
        addresses: &BTreeMap<SecretId, String>,
        now: Timestamp,
    ) -> Self {
        let mails: Vec<(UserId, String)> = state
            .users
            .values()
            .map(|user| {
                let address = addresses.get(&user.email);
                let id = || user.id.to_string();
                (user.id, address.map_or_else(id, |text| text.to_lowercase()))
            })
            .collect();
        // A silence, unlike labels of work that was planned here, is a reaction to what fires now: it stands in no file.
        let ahead = state.windows.values();
        let ahead = ahead.filter(|one| one.is_planned() && !one.is_over(now));
        Self {
            // An address belongs to one person.
            users: Names::new("person", mails.iter().map(|(id, mail)| ((), *id, &**mail))),
            teams: teams(state),
            schedules: schedules(state),
            policies: policies(state),
            services: services(state),
            integrations: integrations(state),
            heartbeats: by_age(
                state,
                "heartbeat",
                state.pulses.values().map(|pulse| {
                    let one = &pulse.heartbeat;
                    (Named::Heartbeat(one.id), one.id, &*one.name)
                }),
            ),
            monitors: Names::new(
                "monitor",
                state.monitors.values().map(|one| ((), one.id, &*one.slug)),
            ),
            targets: Names::new(
                "watched server",
                state
                    .targets
                    .values()
                    .map(|one| (one.found_at, one.id, &*one.identity.name)),
            ),
            windows: by_age(
                state,
                "maintenance window",
                ahead.map(|one| (Named::Window(one.id), one.id, &*one.reason)),
            ),
        }
    }

    /// The integration that is this part of a document, or why there is none.
    pub(crate) fn integration(&self, part: &Part) -> Result<IntegrationId, String> {
        let mut all = self.integrations.iter().flat_map(|(service, own)| {
            let service = self.services.name(*service);
            own.all()
                .map(move |(name, id)| (Part::integration(&service, name), id))
        });
        let found = all.find(|(known, _)| known == part);
        let found = found.map(|(_, id)| id);
        found.ok_or_else(|| format!("there is no {} {:?}", Kind::Integrations.noun(), part.name))
    }
}

/// The keys of teams.
pub(super) fn teams(state: &State) -> Names<TeamId> {
    let all = state.teams.values();
    let all = all.map(|one| (Named::Team(one.id), one.id, &*one.name));
    by_age(state, "team", all)
}

/// The keys of schedules.
pub(super) fn schedules(state: &State) -> Names<ScheduleId> {
    let all = state.schedules.values();
    let all = all.map(|one| (Named::Schedule(one.id), one.id, &*one.name));
    by_age(state, "schedule", all)
}

/// The keys of escalation policies.
pub(super) fn policies(state: &State) -> Names<PolicyId> {
    let all = state.policies.values();
    let all = all.map(|one| (Named::Policy(one.id), one.id, &*one.name));
    by_age(state, "escalation policy", all)
}

/// The keys of services.
pub(super) fn services(state: &State) -> Names<ServiceId> {
    let all = state.services.values();
    let all = all.map(|one| (Named::Service(one.id), one.id, &*one.name));
    by_age(state, "service", all)
}

/// The keys of the integrations of each service.
fn integrations(state: &State) -> BTreeMap<ServiceId, Names<IntegrationId>> {
    let mut found: BTreeMap<ServiceId, Vec<(Named, IntegrationId, &str)>> = BTreeMap::new();
    for one in state.integrations.values() {
        let own = found.entry(one.service).or_default();
        own.push((Named::Integration(one.id), one.id, &*one.name));
    }
    let found = found.into_iter();
    let found = found.map(|(service, own)| {
        let names = by_age(state, Kind::Integrations.noun(), own.into_iter());
        (service, names)
    });
    found.collect()
}

/// The keys of things of which the state knows since when each has its name.
fn by_age<'a, I: Ord + Copy>(
    state: &State,
    noun: &'static str,
    things: impl Iterator<Item = (Named, I, &'a str)>,
) -> Names<I> {
    let since = |(thing, id, name)| (state.named_since(thing), id, name);
    Names::new(noun, things.map(since))
}
