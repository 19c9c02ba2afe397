//! The document of a state: what an export writes. The same state gives the same document.

use std::collections::BTreeMap;

use super::document::{
    Document, EscalationPolicy, Heartbeat, InstallationSettings, Layer, Level, MaintenanceWindow,
    Manage, Monitor, Recipient, Repeat, Schedule, Service, Team, User,
};
use super::intake::{Grouping, Rule, Urgency};
use super::integration::Integration;
use super::keys::Keys;
use super::words::{HourWindow, Length, Moment};
use crate::id::{SecretId, ServiceId, UserId};
use crate::intake::{When, Window};
use crate::oncall;
use crate::page;
use crate::service;
use crate::state::State;
use crate::time::Timestamp;

/// Everything that is set up in `state`; `addresses` are those that vault rows hold. Planned work that is over at `now` is left
/// out.
#[must_use]
pub fn describe(state: &State, addresses: &BTreeMap<SecretId, String>, now: Timestamp) -> Document {
    let keys = Keys::of(state, addresses, now);
    let people = |users: &[UserId]| users.iter().map(|id| keys.users.name(*id)).collect();
    let installation = state.installation.as_ref();
    let users = keys.users.all().filter_map(|(email, id)| {
        let known = state.users.get(&id)?;
        Some(User {
            email: email.to_owned(),
            name: known.name.clone(),
            role: known.role,
        })
    });
    let teams = keys.teams.all().filter_map(|(name, id)| {
        Some(Team {
            name: name.to_owned(),
            members: people(&state.teams.get(&id)?.members),
        })
    });
    let schedules = keys.schedules.all().filter_map(|(name, id)| {
        let known = state.schedules.get(&id)?;
        Some(Schedule {
            name: name.to_owned(),
            time_zone: known.time_zone.clone(),
            layers: known.layers.iter().map(|one| layer(one, &keys)).collect(),
        })
    });
    let policies = keys.policies.all();
    let services = keys.services.all();
    let mut integrations = integrations_by_service(state);
    let windows = keys.windows.all();
    Document {
        manage: Manage::default(),
        installation: InstallationSettings {
            fallback: installation.map(|all| people(&all.fallback)),
            priorities: installation.map(|all| all.priorities.clone()),
        },
        users: users.collect(),
        teams: teams.collect(),
        schedules: schedules.collect(),
        escalation_policies: policies
            .filter_map(|(name, id)| Some(policy(name, state.policies.get(&id)?, &keys)))
            .collect(),
        services: services
            .filter_map(|(name, id)| {
                let own = integrations.remove(&id).unwrap_or_default();
                Some(of_service(name, state.services.get(&id)?, own, &keys))
            })
            .collect(),
        alert_rules: (!state.rules.is_empty())
            .then(|| state.rules.iter().map(|one| Rule::of(one, &keys)).collect()),
        heartbeats: heartbeats(state, &keys),
        monitors: monitors(state, &keys),
        maintenance_windows: windows
            .filter_map(|(reason, id)| Some(of_window(reason, state.windows.get(&id)?, &keys)))
            .collect(),
    }
}

fn layer(known: &oncall::Layer, keys: &Keys) -> Layer {
    let members = known.members.iter().map(|id| keys.users.name(*id));
    Layer {
        start: Moment(known.start),
        until: known.until.map(Moment),
        time_zone: known.time_zone.clone(),
        hand_off: known.hand_off,
        every: known.every,
        unit: known.unit,
        members: members.collect(),
        restrictions: known.restrictions.iter().copied().map(HourWindow).collect(),
    }
}

fn policy(name: &str, known: &page::Policy, keys: &Keys) -> EscalationPolicy {
    let target = |to: &page::Recipient| match to {
        page::Recipient::User(id) => Recipient::User(keys.users.name(*id)),
        page::Recipient::Schedule(id) => Recipient::Schedule(keys.schedules.name(*id)),
        page::Recipient::Team(id) => Recipient::Team(keys.teams.name(*id)),
    };
    let level = |level: &page::Level| Level {
        delay: Length::of_ms(level.delay_ms),
        targets: level.targets.iter().map(target).collect(),
        round_robin: level.round_robin,
        each_must_acknowledge: level.each_must_acknowledge,
    };
    EscalationPolicy {
        name: name.to_owned(),
        repeat: known.repeat,
        acknowledgement_timeout: known.acknowledgement_timeout_ms.map(Length::of_ms),
        levels: known.levels.iter().map(level).collect(),
    }
}

/// The integrations of each service.
fn integrations_by_service(state: &State) -> BTreeMap<ServiceId, Vec<Integration>> {
    let mut found: BTreeMap<ServiceId, Vec<Integration>> = BTreeMap::new();
    for one in state.integrations.values() {
        let own = found.entry(one.service).or_default();
        own.push(Integration::of(one));
    }
    found
}

/// A service under its key, with these integrations.
pub(crate) fn of_service(
    name: &str,
    known: &service::Service,
    mut integrations: Vec<Integration>,
    keys: &Keys,
) -> Service {
    integrations.sort();
    // Several may have one name; files name the first of them.
    integrations.dedup_by(|one, before| one.name == before.name);
    let intake = &known.intake;
    Service {
        name: name.to_owned(),
        escalation_policy: known.policy.map(|policy| keys.policies.name(policy)),
        urgency: Urgency::of(&intake.urgency),
        grouping: Grouping::of(&intake.grouping),
        resolve_after: intake.resolve_after_ms.map(Length::of_ms),
        integrations,
        rules: intake.rules.iter().map(|one| Rule::of(one, keys)).collect(),
    }
}

fn heartbeats(state: &State, keys: &Keys) -> Vec<Heartbeat> {
    let found = keys.heartbeats.all().filter_map(|(name, id)| {
        let known = &state.pulses.get(&id)?.heartbeat;
        Some(Heartbeat {
            name: name.to_owned(),
            service: keys.services.name(known.service),
            every: Length::of_ms(known.every_ms),
            grace: Length::of_ms(known.grace_ms),
            severity: known.severity,
        })
    });
    found.collect()
}

fn monitors(state: &State, keys: &Keys) -> Vec<Monitor> {
    let found = keys.monitors.all().filter_map(|(slug, id)| {
        Some(Monitor {
            slug: slug.to_owned(),
            enabled: state.monitors.get(&id)?.enabled,
        })
    });
    found.collect()
}

/// Planned work under its key.
fn of_window(reason: &str, known: &Window, keys: &Keys) -> MaintenanceWindow {
    let mut services: Vec<String> = known
        .services
        .iter()
        .map(|id| keys.services.name(*id))
        .collect();
    // A watched server that is gone has no name any more.
    let targets = known.targets.iter().map(|id| keys.targets.name(*id));
    let mut targets: Vec<String> = targets.filter(|name| !name.is_empty()).collect();
    services.sort();
    targets.sort();
    let (from, until, repeat) = match &known.when {
        When::Once { span } => (Some(Moment(span.from)), Some(Moment(span.until)), None),
        When::Repeating { work } => (None, None, Some(repeat(work))),
    };
    MaintenanceWindow {
        reason: reason.to_owned(),
        services,
        targets,
        from,
        until,
        repeat,
    }
}

fn repeat(work: &oncall::Repeating) -> Repeat {
    Repeat {
        time_zone: work.time_zone.clone(),
        first: work.first,
        lasts: Length::of_ms(u64::from(work.minutes) * 60_000),
        every: work.every,
        unit: work.unit,
        until: work.until.map(Moment),
    }
}
