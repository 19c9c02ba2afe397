//! Decisions about a document that is to become true: each part by the decision that a person's request for it takes, all of
//! them or none.

mod intake;
mod remove;

use super::Decider;
use crate::code::{self, Apply, Fault, Keys, Kind, Part, Recipient};
use crate::command::{IntakeAsk, PeopleAsk, Refusal, RosterAsk, TeamAsk, WatchAsk};
use crate::event::Actor;
use crate::id::UserId;
use crate::oncall::Layer;
use crate::page;
use crate::people::Role;
use crate::simulate::Counted;
use crate::state::State;
use crate::time::Timestamp;

/// Plays a document through on a copy: the state as it would be, or what is wrong with which part.
///
/// # Errors
/// The same document would be refused.
pub fn rehearse(mut state: State, apply: &Apply, now: Timestamp) -> Result<State, Fault> {
    let mut entropy = Counted(0);
    let mut decider = Decider {
        state: &mut state,
        now,
        entropy: &mut entropy,
        actor: Actor::System,
        events: Vec::new(),
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
        let before = self.state.clone();
        let applied = self.apply_parts(apply);
        if applied.is_err() {
            *self.state = before;
            self.events.clear();
        }
        Ok(applied?)
    }

    /// What is set up when this begins is `apply.standing`; a part of it is the same until its own kind is applied.
    fn apply_parts(&mut self, apply: &Apply) -> Result<(), Fault> {
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
        wanted.sort_by_key(|user| user.role != Role::Admin);
        for user in wanted {
            let part = Part::new(Kind::Users, &user.email);
            let ask = match keys.users.find(&user.email) {
                Some(_) if standing.users.contains(user) => continue,
                Some(id) => PeopleAsk::Change {
                    user: id,
                    name: Some(user.name.clone()),
                    role: Some(user.role),
                    about: None,
                },
                None => {
                    let newcomer = apply.newcomers.get(&user.email);
                    let rows = newcomer.ok_or_else(|| not_prepared(&part, "email"))?;
                    PeopleAsk::Add {
                        name: user.name.clone(),
                        email: rows.email,
                        pending_code: rows.pending_code,
                        role: user.role,
                        about: None,
                    }
                }
            };
            self.people(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn apply_teams(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        for team in &apply.wanted.teams {
            if standing.teams.contains(team) {
                continue;
            }
            let part = Part::new(Kind::Teams, &team.name);
            let id = keys.teams.find(&team.name);
            let known = id.and_then(|id| self.state.teams.get(&id));
            let ask = TeamAsk::Set {
                id,
                name: known.map_or(&team.name, |known| &known.name).clone(),
                members: people(&keys, &part, "members", &team.members)?,
            };
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
            let part = Part::new(Kind::Schedules, &schedule.name);
            let id = keys.schedules.find(&schedule.name);
            let known = id.and_then(|id| self.state.schedules.get(&id));
            let layers = schedule.layers.iter().enumerate().map(|(index, one)| {
                let path = format!("layers[{index}].members");
                Ok(Layer {
                    start: one.start.0,
                    until: one.until.map(|until| until.0),
                    time_zone: one.time_zone.clone(),
                    hand_off: one.hand_off,
                    every: one.every,
                    unit: one.unit,
                    members: people(&keys, &part, &path, &one.members)?,
                    restrictions: one.restrictions.iter().map(|window| window.0).collect(),
                })
            });
            let ask = RosterAsk::SetSchedule {
                id,
                name: known.map_or(&schedule.name, |known| &known.name).clone(),
                time_zone: schedule.time_zone.clone(),
                layers: layers.collect::<Result<_, Fault>>()?,
            };
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
            let part = Part::new(Kind::EscalationPolicies, &policy.name);
            let id = keys.policies.find(&policy.name);
            let known = id.and_then(|id| self.state.policies.get(&id));
            let mut levels = Vec::new();
            for (index, level) in policy.levels.iter().enumerate() {
                let targets = level.targets.iter().enumerate().map(|(place, target)| {
                    let found = recipient(&keys, target);
                    let path = format!("levels[{index}].targets[{place}]");
                    found.map_err(|wrong| Fault::at(part.clone(), &path, &wrong))
                });
                levels.push(page::Level {
                    delay_ms: level.delay.ms,
                    targets: targets.collect::<Result<_, Fault>>()?,
                    round_robin: level.round_robin,
                    each_must_acknowledge: level.each_must_acknowledge,
                });
            }
            let ask = RosterAsk::SetPolicy {
                id,
                name: known.map_or(&policy.name, |known| &known.name).clone(),
                levels,
                repeat: policy.repeat,
                acknowledgement_timeout_ms: policy.acknowledgement_timeout.map(|one| one.ms),
            };
            self.roster(ask).map_err(of(part))?;
        }
        Ok(())
    }

    fn apply_installation(&mut self, apply: &Apply) -> Result<(), Fault> {
        let (keys, standing) = (self.keys(apply), &apply.standing);
        let wanted = &apply.wanted.installation;
        let part = Part::new(Kind::Installation, "");
        if let Some(fallback) = &wanted.fallback
            && standing.installation.fallback.as_ref() != Some(fallback)
        {
            let users = people(&keys, &part, "fallback", fallback)?;
            self.people(PeopleAsk::SetFallback { users })
                .map_err(of(part.clone()))?;
        }
        if let Some(names) = &wanted.priorities
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
        for monitor in &apply.wanted.monitors {
            let part = Part::new(Kind::Monitors, &monitor.slug);
            let id = keys.monitors.id(&monitor.slug);
            let id = id.map_err(|wrong| Fault::at(part.clone(), "slug", &wrong))?;
            let ask = WatchAsk::SwitchMonitor {
                monitor: id,
                enabled: monitor.enabled,
            };
            self.watch(ask).map_err(of(part))?;
        }
        Ok(())
    }
}

/// Gives a refusal the part that it is about.
fn of(part: Part) -> impl FnOnce(Refusal) -> Fault {
    |refusal| Fault { part, refusal }
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

fn recipient(keys: &Keys, target: &Recipient) -> Result<page::Recipient, String> {
    Ok(match target {
        Recipient::User(address) => page::Recipient::User(keys.users.id(address)?),
        Recipient::Schedule(name) => page::Recipient::Schedule(keys.schedules.id(name)?),
        Recipient::Team(name) => page::Recipient::Team(keys.teams.id(name)?),
    })
}
