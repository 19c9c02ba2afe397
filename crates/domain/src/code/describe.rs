//! The document of a state: what an export writes. The same state gives the same document.
//!
//! What the state has is taken apart whole, so that nothing new is forgotten: it stands in files, or it is said here that it
//! does not.

use std::collections::BTreeMap;

use super::document::{
    Document, EscalationPolicy, Heartbeat, InstallationSettings, Layer, Level, MaintenanceWindow,
    Manage, Monitor, Recipient, Repeat, Schedule, Service, Team, User,
};
use super::intake::{Grouping, Rule, Urgency};
use super::integration::Integration;
use super::keys::{Keys, Names};
use super::matcher::Matcher;
use super::words::{HourWindow, Length, Moment, Timeout};
use crate::id::{SecretId, ServiceId, UserId};
use crate::intake::{self, Intake, When, Window};
use crate::oncall;
use crate::page;
use crate::people;
use crate::service;
use crate::state::{Installation, State};
use crate::team;
use crate::time::Timestamp;

/// Everything that is set up in `state`; `addresses` are those that vault rows hold. Planned work that is over at `now` is left
/// out.
#[must_use]
pub fn describe(state: &State, addresses: &BTreeMap<SecretId, String>, now: Timestamp) -> Document {
    let keys = Keys::of(state, addresses, now);
    let installation = state.installation.as_ref();
    let users = keys.users.all();
    let teams = keys.teams.all();
    let schedules = keys.schedules.all();
    let policies = keys.policies.all();
    let services = keys.services.all();
    let heartbeats = keys.heartbeats.all();
    let windows = keys.windows.all();
    Document {
        manage: Manage::default(),
        installation: installation
            .map(|known| settings(known, &keys))
            .unwrap_or_default(),
        users: users
            .filter_map(|(email, id)| Some(user(email, state.users.get(&id)?)))
            .collect(),
        teams: teams
            .filter_map(|(name, id)| Some(of_team(name, state.teams.get(&id)?, &keys)))
            .collect(),
        schedules: schedules
            .filter_map(|(name, id)| Some(schedule(name, state.schedules.get(&id)?, &keys)))
            .collect(),
        escalation_policies: policies
            .filter_map(|(name, id)| Some(policy(name, state.policies.get(&id)?, &keys)))
            .collect(),
        services: services
            .filter_map(|(name, id)| {
                let own = integrations(state, id, &keys);
                Some(of_service(name, state.services.get(&id)?, own, &keys))
            })
            .collect(),
        alert_rules: (!state.rules.is_empty())
            .then(|| state.rules.iter().map(|one| Rule::of(one, &keys)).collect()),
        heartbeats: heartbeats
            .filter_map(|(name, id)| {
                Some(heartbeat(name, &state.pulses.get(&id)?.heartbeat, &keys))
            })
            .collect(),
        monitors: monitors(state, &keys),
        maintenance_windows: windows
            .filter_map(|(reason, id)| Some(of_window(reason, state.windows.get(&id)?, &keys)))
            .collect(),
    }
}

fn settings(known: &Installation, keys: &Keys) -> InstallationSettings {
    let Installation {
        team: _,
        default_policy: _,
        default_service: _,
        fallback,
        priorities,
    } = known;
    InstallationSettings {
        fallback: Some(people_of(fallback, keys)),
        priorities: Some(priorities.clone()),
    }
}

/// The keys of people, in the same order.
fn people_of(users: &[UserId], keys: &Keys) -> Vec<String> {
    users.iter().map(|id| keys.users.name(*id)).collect()
}

fn user(email: &str, known: &people::User) -> User {
    let people::User {
        id: _,
        team: _,
        name,
        role,
        email: _,
        // How somebody is reached, and what clients say of them, stands in no file; it stays when files are made true.
        contact_methods: _,
        rules: _,
        about: _,
    } = known;
    User {
        email: email.to_owned(),
        name: Some(name.clone()),
        role: Some(*role),
    }
}

/// A team under its key.
pub(crate) fn of_team(name: &str, known: &team::Team, keys: &Keys) -> Team {
    let team::Team {
        id: _,
        name: _,
        members,
        // Words of other systems' clients for a member, which stay as long as the member does.
        roles: _,
        description,
    } = known;
    Team {
        name: name.to_owned(),
        description: description.clone(),
        members: people_of(members, keys),
    }
}

fn schedule(name: &str, known: &oncall::Schedule, keys: &Keys) -> Schedule {
    let oncall::Schedule {
        id: _,
        team: _,
        given_to,
        name: _,
        time_zone,
        layers,
        // What is changed by hand stays when the layers are replaced.
        temporary: _,
        swaps: _,
        overrides: _,
        proposed: _,
        description,
        layer_names,
        // They stand in files in their order.
        layer_numbers: _,
    } = known;
    let layers = layers.iter().enumerate();
    let layers = layers.map(|(index, one)| {
        let name = layer_names.get(index).cloned().unwrap_or_default();
        layer(name, one, keys)
    });
    Schedule {
        name: name.to_owned(),
        description: description.clone(),
        team: given_to.map(|team| keys.teams.name(team)),
        time_zone: time_zone.clone(),
        layers: layers.collect(),
    }
}

fn layer(name: String, known: &oncall::Layer, keys: &Keys) -> Layer {
    let oncall::Layer {
        start,
        until,
        time_zone,
        hand_off,
        every,
        unit,
        members,
        restrictions,
    } = known;
    Layer {
        name,
        start: Moment(*start),
        until: until.map(Moment),
        time_zone: time_zone.clone(),
        hand_off: *hand_off,
        every: *every,
        unit: *unit,
        members: people_of(members, keys),
        restrictions: restrictions.iter().copied().map(HourWindow).collect(),
    }
}

fn policy(name: &str, known: &page::Policy, keys: &Keys) -> EscalationPolicy {
    let page::Policy {
        id: _,
        team: _,
        given_to,
        name: _,
        levels,
        repeat,
        acknowledgement_timeout_ms,
        description,
        level_numbers: _,
    } = known;
    EscalationPolicy {
        name: name.to_owned(),
        description: description.clone(),
        team: given_to.map(|team| keys.teams.name(team)),
        repeat: *repeat,
        acknowledgement_timeout: acknowledgement_timeout_ms.map(Length::of_ms),
        levels: levels.iter().map(|one| level(one, keys)).collect(),
    }
}

fn level(known: &page::Level, keys: &Keys) -> Level {
    let page::Level {
        delay_ms,
        targets,
        round_robin,
        each_must_acknowledge,
    } = known;
    let target = |to: &page::Recipient| match to {
        page::Recipient::User(id) => Recipient::User(keys.users.name(*id)),
        page::Recipient::Schedule(id) => Recipient::Schedule(keys.schedules.name(*id)),
        page::Recipient::Team(id) => Recipient::Team(keys.teams.name(*id)),
    };
    Level {
        delay: Length::of_ms(*delay_ms),
        targets: targets.iter().map(target).collect(),
        round_robin: *round_robin,
        each_must_acknowledge: *each_must_acknowledge,
    }
}

/// The integrations of a service, in the order of their keys.
fn integrations(state: &State, service: ServiceId, keys: &Keys) -> Vec<Integration> {
    let own = keys.integrations.get(&service);
    let own = own.into_iter().flat_map(Names::all);
    own.filter_map(|(name, id)| Some(Integration::of(name, state.integrations.get(&id)?)))
        .collect()
}

/// A service under its key, with these integrations.
pub(crate) fn of_service(
    name: &str,
    known: &service::Service,
    integrations: Vec<Integration>,
    keys: &Keys,
) -> Service {
    let service::Service {
        id: _,
        team: _,
        name: _,
        policy,
        intake,
        description,
        acknowledgement,
    } = known;
    let Intake {
        urgency,
        grouping,
        grouping_label: _,
        resolve_after_ms,
        rules,
    } = intake;
    Service {
        name: name.to_owned(),
        description: description.clone(),
        escalation_policy: policy.map(|policy| keys.policies.name(policy)),
        acknowledgement_timeout: acknowledgement.map(Timeout::of),
        urgency: Urgency::of(urgency),
        grouping: Grouping::of(grouping),
        resolve_after: resolve_after_ms.map(Length::of_ms),
        integrations,
        rules: rules.iter().map(|one| Rule::of(one, keys)).collect(),
    }
}

fn heartbeat(name: &str, known: &intake::Heartbeat, keys: &Keys) -> Heartbeat {
    let intake::Heartbeat {
        id: _,
        name: _,
        service,
        every_ms,
        grace_ms,
        severity,
        token_hash: _,
    } = known;
    Heartbeat {
        name: name.to_owned(),
        service: keys.services.name(*service),
        every: Length::of_ms(*every_ms),
        grace: Length::of_ms(*grace_ms),
        severity: *severity,
    }
}

/// Of a monitor nothing else can be changed: it comes with Tocsin.
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
pub(crate) fn of_window(reason: &str, known: &Window, keys: &Keys) -> MaintenanceWindow {
    let Window {
        id: _,
        reason: _,
        services,
        targets,
        when,
        // What was ended early comes again, or is over and no part of a document.
        ended_at: _,
        silence,
        made_by: _,
    } = known;
    // What is gone has no name any more.
    let named = |names: Vec<String>| {
        let mut names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        names.sort();
        names
    };
    let services = services.iter().map(|id| keys.services.name(*id));
    let targets = targets.iter().map(|id| keys.targets.name(*id));
    let matchers = silence.iter().flat_map(|silence| &silence.matchers);
    let (from, until, repeat) = match when {
        When::Once { span } => (Some(Moment(span.from)), Some(Moment(span.until)), None),
        When::Repeating { work } => (None, None, Some(repeat(work))),
    };
    let mut matchers: Vec<Matcher> = matchers.map(Matcher::of).collect();
    matchers.sort();
    MaintenanceWindow {
        reason: reason.to_owned(),
        services: named(services.collect()),
        targets: named(targets.collect()),
        matchers,
        from,
        until,
        repeat,
    }
}

fn repeat(work: &oncall::Repeating) -> Repeat {
    let oncall::Repeating {
        time_zone,
        first,
        minutes,
        every,
        unit,
        until,
    } = work;
    Repeat {
        time_zone: time_zone.clone(),
        first: *first,
        lasts: Length::of_ms(u64::from(*minutes) * 60_000),
        every: *every,
        unit: *unit,
        until: until.map(Moment),
    }
}
