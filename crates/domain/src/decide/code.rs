//! Decisions about a document that is to become true: each part by the decision that a person's request for it takes, all of
//! them or none. A part is taken apart whole, so that no field of it is read and not carried out.

mod gone;
mod intake;
mod keep;
mod remove;

use std::cell::Cell;

use super::Decider;
use super::duty::OnDuty;
use crate::code::{self, Apply, Fault, InstallationSettings, Keys, Kind, Part, Recipient};
use crate::command::{IntakeAsk, PeopleAsk, Refusal, RosterAsk, TeamAsk, WatchAsk};
use crate::event::Actor;
use crate::id::{TeamId, UserId};
use crate::oncall::{Layer, WholeSchedule};
use crate::page::{self, WholePolicy};
use crate::people::Role;
use crate::simulate::Counted;
use crate::state::State;
use crate::team::WholeTeam;
use crate::time::Timestamp;

/// Plays a document through on a copy of what is set up: how that would be, or what is wrong with which part. What fails is left
/// out, since there may be very much of it, unless something is removed that it may still need.
///
/// # Errors
/// The same document would be refused.
pub fn rehearse(state: &State, apply: &Apply, now: Timestamp) -> Result<State, Fault> {
    let mut removed = apply.removed.iter();
    let mut state = if removed.any(|part| part.kind == Kind::Services) {
        state.set_up_with_what_fails()
    } else {
        state.set_up_alone()
    };
    let (mut entropy, at_work) = (Counted(0), Cell::new(None));
    let mut decider = Decider {
        state: &mut state,
        now,
        entropy: &mut entropy,
        actor: Actor::System,
        events: Vec::new(),
        on_duty: OnDuty::at(now),
        at_work: &at_work,
    };
    decider.apply_parts(apply)?;
    Ok(state)
}

impl Decider<'_> {
    pub(super) fn apply(&mut self, apply: &Apply) -> Result<(), Refusal> {
        self.team()?;
        if code::describe(self.state, &apply.addresses, self.now) != apply.standing {
            return Err(Refusal::conflict(
                "what is set up has changed since this was planned: plan it again, look at it, then apply it",
            ));
        }
        // A part that is refused after others would leave them half done, and a copy of everything to go back to takes too long.
        rehearse(self.state, apply, self.now)?;
        let applied = self.apply_parts(apply);
        assert_eq!(applied, Ok(()), "it was just played through");
        Ok(())
    }

    /// What is set up when this begins is `apply.standing`; a part of it is the same until its own kind is applied, but for the first
    /// team.
    fn apply_parts(&mut self, apply: &Apply) -> Result<(), Fault> {
        gone::nobody_gone_is_named(apply)?;
        self.apply_users(apply)?;
        self.apply_teams(apply)?;
        self.apply_schedules(apply)?;
        self.apply_policies(apply)?;
        self.apply_services(apply)?;
        self.apply_installation(apply)?;
        self.apply_heartbeats(apply)?;
        self.apply_monitors(apply)?;
        self.apply_windows(apply)?;
        self.apply_removals(apply)
    }

    /// Everything by its key, as it is after what was applied so far.
    fn keys(&self, apply: &Apply) -> Keys {
        Keys::of(self.state, &apply.addresses, self.now)
    }

    fn apply_users(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        // Who comes to administer first, so that nobody who stops it is the last one, however addresses stand in the alphabet.
        let mut wanted: Vec<&code::User> = apply.wanted.users.iter().collect();
        wanted.sort_by_key(|user| user.role != Some(Role::Admin));
        for user in wanted {
            let code::User { email, name, role } = user;
            let part = Part::new(Kind::Users, email);
            let ask = match keys.users.find(email) {
                Some(_) if standing.users.iter().any(|known| user.is_true_of(known)) => continue,
                Some(id) => PeopleAsk::Change {
                    user: id,
                    name: name.clone(),
                    role: *role,
                    about: None,
                },
                None => {
                    let newcomer = apply.newcomers.get(email);
                    let rows = newcomer.ok_or_else(|| not_prepared(&part, "email"))?;
                    PeopleAsk::Add {
                        name: user.name_of_newcomer(),
                        email: rows.email,
                        pending_code: rows.pending_code,
                        role: user.role_of_newcomer(),
                        about: None,
                    }
                }
            };
            self.people(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn apply_teams(&mut self, apply: &Apply) -> Result<(), Fault> {
        let keys = self.keys(apply);
        for team in &apply.wanted.teams {
            let code::Team {
                name,
                description,
                members,
            } = team;
            let id = keys.teams.find(name);
            let known = id.and_then(|id| self.state.teams.get(&id));
            // Who has just come belongs to the first team, whatever stood before.
            if known.is_some_and(|known| code::of_team(name, known, &keys) == *team) {
                continue;
            }
            let part = Part::new(Kind::Teams, name);
            let wanted = WholeTeam {
                id,
                name: known.map_or(name, |known| &known.name).clone(),
                members: Some(people(&keys, &part, "members", members)?),
                description: Some(description.clone()),
            };
            let ask = TeamAsk::SetWhole(Box::new(wanted));
            self.teams(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn apply_schedules(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        for schedule in &apply.wanted.schedules {
            if standing.schedules.contains(schedule) {
                continue;
            }
            let code::Schedule {
                name,
                description,
                team,
                time_zone,
                layers,
            } = schedule;
            let part = Part::new(Kind::Schedules, name);
            let id = keys.schedules.find(name);
            let known = id.and_then(|id| self.state.schedules.get(&id));
            let made = layers.iter().enumerate().map(|(index, one)| {
                let path = format!("layers[{index}].members");
                layer(one, |addresses| people(&keys, &part, &path, addresses))
            });
            let wanted = WholeSchedule {
                id,
                name: known.map_or(name, |known| &known.name).clone(),
                time_zone: time_zone.clone(),
                layers: made.collect::<Result<_, Fault>>()?,
                description: Some(description.clone()),
                layer_names: Some(layer_names(layers)),
                given_to: Some(given_to(&keys, &part, team.as_deref())?),
                layer_numbers: None,
            };
            let ask = RosterAsk::SetWholeSchedule(Box::new(wanted));
            self.roster(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn apply_policies(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        for policy in &apply.wanted.escalation_policies {
            if standing.escalation_policies.contains(policy) {
                continue;
            }
            let code::EscalationPolicy {
                name,
                description,
                team,
                repeat,
                acknowledgement_timeout,
                levels,
            } = policy;
            let part = Part::new(Kind::EscalationPolicies, name);
            let id = keys.policies.find(name);
            let known = id.and_then(|id| self.state.policies.get(&id));
            let made = levels.iter().enumerate().map(|(index, one)| {
                let place = format!("levels[{index}]");
                level(one, &keys).map_err(|(field, wrong)| {
                    Fault::at(part.clone(), &format!("{place}.{field}"), &wrong)
                })
            });
            let wanted = WholePolicy {
                id,
                name: known.map_or(name, |known| &known.name).clone(),
                levels: made.collect::<Result<_, Fault>>()?,
                repeat: *repeat,
                acknowledgement_timeout_ms: acknowledgement_timeout.map(|one| one.ms),
                description: Some(description.clone()),
                given_to: Some(given_to(&keys, &part, team.as_deref())?),
                level_numbers: None,
            };
            let ask = RosterAsk::SetWholePolicy(Box::new(wanted));
            self.roster(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn apply_installation(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        let InstallationSettings {
            fallback,
            priorities,
        } = &apply.wanted.installation;
        let part = Part::new(Kind::Installation, "");
        if let Some(fallback) = fallback
            && standing.installation.fallback.as_ref() != Some(fallback)
        {
            let users = people(&keys, &part, "fallback", fallback)?;
            self.people(PeopleAsk::SetFallback { users })
                .map_err(of(part.clone()))?;
        }
        if let Some(names) = priorities
            && standing.installation.priorities.as_ref() != Some(names)
        {
            let names = names.clone();
            self.teams(TeamAsk::SetPriorities { names })
                .map_err(of(part))?;
        }
        let Some(rules) = &apply.wanted.alert_rules else {
            return Ok(());
        };
        if standing.alert_rules.as_deref().unwrap_or_default() == rules {
            return Ok(());
        }
        let part = Part::new(Kind::AlertRules, "");
        let known = self.state.rules.clone();
        let ask = IntakeAsk::SetRules {
            service: None,
            rules: intake::rules_read(&keys, &part, "", rules, &known)?,
        };
        self.intake(ask).map_err(of(part))
    }

    fn apply_monitors(&mut self, apply: &Apply) -> Result<(), Fault> {
        let keys = self.keys(apply);
        for code::Monitor { slug, enabled } in &apply.wanted.monitors {
            let part = Part::new(Kind::Monitors, slug);
            let id = keys.monitors.id(slug);
            let id = id.map_err(|wrong| Fault::at(part.clone(), "slug", &wrong))?;
            let ask = WatchAsk::SwitchMonitor {
                monitor: id,
                enabled: *enabled,
            };
            self.watch(ask).map_err(of(part))?;
        }
        Ok(())
    }
}

/// Gives a refusal the part that it is about.
fn of(part: Part) -> impl FnOnce(Refusal) -> Fault {
    |refusal| Fault::of(part, refusal)
}

/// Whoever asks has not made what this part needs.
fn not_prepared(part: &Part, path: &str) -> Fault {
    Fault::at(
        part.clone(),
        path,
        "it came while this was planned: plan again",
    )
}

fn people(
    keys: &Keys,
    part: &Part,
    path: &str,
    addresses: &[String],
) -> Result<Vec<UserId>, Fault> {
    let found = addresses.iter().enumerate().map(|(index, address)| {
        let id = keys.users.id(address);
        id.map_err(|wrong| Fault::at(part.clone(), &format!("{path}[{index}]"), &wrong))
    });
    found.collect()
}

/// A rotation, with its people as they are found by their addresses.
fn layer(
    wanted: &code::Layer,
    people: impl FnOnce(&[String]) -> Result<Vec<UserId>, Fault>,
) -> Result<Layer, Fault> {
    let code::Layer {
        // It stands beside the rotations.
        name: _,
        start,
        until,
        time_zone,
        hand_off,
        every,
        unit,
        members,
        restrictions,
    } = wanted;
    Ok(Layer {
        start: start.0,
        until: until.map(|until| until.0),
        time_zone: time_zone.clone(),
        hand_off: *hand_off,
        every: *every,
        unit: *unit,
        members: people(members)?,
        restrictions: restrictions.iter().map(|window| window.0).collect(),
    })
}

/// What rotations are called, as far as somebody called one something.
fn layer_names(layers: &[code::Layer]) -> Vec<String> {
    let mut names: Vec<String> = layers.iter().map(|one| one.name.clone()).collect();
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

/// The team that something is given to; none where none is named.
fn given_to(keys: &Keys, part: &Part, team: Option<&str>) -> Result<Option<TeamId>, Fault> {
    let found = team.map(|name| keys.teams.id(name)).transpose();
    found.map_err(|wrong| Fault::at(part.clone(), "team", &wrong))
}

/// One step of a policy, or what is wrong with which field of it.
fn level(wanted: &code::Level, keys: &Keys) -> Result<page::Level, (String, String)> {
    let code::Level {
        delay,
        targets,
        round_robin,
        each_must_acknowledge,
    } = wanted;
    let targets = targets.iter().enumerate().map(|(place, target)| {
        let found = recipient(keys, target);
        found.map_err(|wrong| (format!("targets[{place}]"), wrong))
    });
    Ok(page::Level {
        delay_ms: delay.ms,
        targets: targets.collect::<Result<_, _>>()?,
        round_robin: *round_robin,
        each_must_acknowledge: *each_must_acknowledge,
    })
}

fn recipient(keys: &Keys, target: &Recipient) -> Result<page::Recipient, String> {
    Ok(match target {
        Recipient::User(address) => page::Recipient::User(keys.users.id(address)?),
        Recipient::Schedule(name) => page::Recipient::Schedule(keys.schedules.id(name)?),
        Recipient::Team(name) => page::Recipient::Team(keys.teams.id(name)?),
    })
}
