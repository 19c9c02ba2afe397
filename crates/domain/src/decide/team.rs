//! Decisions about teams and about the names of priorities.

use std::collections::BTreeMap;

use super::{Decider, name_within, said_within};
use crate::command::{Refusal, TeamAsk};
use crate::event::{Cause, EventBody, InstallationEvent, RosterEvent};
use crate::id::{TeamId, UserId};
use crate::page::Recipient;
use crate::team::{TEAM_MEMBERS_MAX, Team, TeamRole, WholeTeam};
use crate::webhook::WebhookScope;

/// Priorities of an installation at most.
const PRIORITIES_MAX: usize = 10;
/// Characters of a priority's name at most.
const PRIORITY_MAX: usize = 40;

impl Decider<'_> {
    pub(super) fn teams(&mut self, ask: TeamAsk) -> Result<(), Refusal> {
        match ask {
            TeamAsk::Set { id, name, members } => self.set_whole_team(WholeTeam {
                id,
                name,
                members: Some(members),
                description: None,
            }),
            TeamAsk::SetWhole(asked) => self.set_whole_team(*asked),
            TeamAsk::AddMember { team, user, role } => self.add_member(team, user, role),
            TeamAsk::RemoveMember { team, user } => {
                let mut known = self.known_team(team)?.clone();
                if !known.members.contains(&user) {
                    return Ok(());
                }
                known.leave(user);
                self.set_team(known)
            }
            TeamAsk::Remove(team) => self.remove_team(team),
            TeamAsk::SetPriorities { names } => self.set_priorities(&names),
            TeamAsk::Tag(ask) => self.tags(ask),
        }
    }

    fn set_whole_team(&mut self, asked: WholeTeam) -> Result<(), Refusal> {
        let WholeTeam {
            id,
            name,
            members,
            description,
        } = asked;
        self.team()?;
        let name = name_within("name", &name, 200)?;
        said_within("description", &description)?;
        let known = id.map(|id| self.known_team(id).cloned()).transpose()?;
        let members = members.map(|members| self.people_named(members));
        let members = members.transpose()?;
        let mut team = match known {
            Some(known) => Team { name, ..known },
            None => Team {
                id: TeamId::random(self.entropy),
                name,
                members: Vec::new(),
                roles: BTreeMap::new(),
                description: String::new(),
            },
        };
        if let Some(members) = members {
            team.roles.retain(|user, _| members.contains(user));
            team.members = members;
        }
        if let Some(description) = description {
            team.description = description;
        }
        self.set_team(team)
    }

    fn add_member(
        &mut self,
        team: TeamId,
        user: UserId,
        role: Option<TeamRole>,
    ) -> Result<(), Refusal> {
        self.user(user)?;
        let mut known = self.known_team(team)?.clone();
        let is_in = known.members.contains(&user);
        let role = role.unwrap_or_else(|| known.role(user));
        if is_in && role == known.role(user) {
            return Ok(());
        }
        if !is_in {
            known.members.push(user);
        }
        if role == TeamRole::default() {
            known.roles.remove(&user);
        } else {
            known.roles.insert(user, role);
        }
        self.set_team(known)
    }

    fn set_team(&mut self, team: Team) -> Result<(), Refusal> {
        if team.members.len() > TEAM_MEMBERS_MAX {
            let reason = format!("members: at most {TEAM_MEMBERS_MAX}");
            return Err(Refusal::invalid(reason));
        }
        let event = RosterEvent::TeamSet { team };
        let position = self.emit(Cause::Request, EventBody::Roster(event));
        self.take_what_all_have_done(position);
        Ok(())
    }

    fn known_team(&self, team: TeamId) -> Result<&Team, Refusal> {
        let known = self.state.teams.get(&team);
        known.ok_or_else(|| Refusal::not_found(format!("team {team}")))
    }

    /// People who exist, each once, in the order in which they are named.
    pub(super) fn people_named(&self, people: Vec<UserId>) -> Result<Vec<UserId>, Refusal> {
        let mut named: Vec<UserId> = Vec::new();
        for user in people {
            self.user(user)?;
            if !named.contains(&user) {
                named.push(user);
            }
        }
        Ok(named)
    }

    fn remove_team(&mut self, team: TeamId) -> Result<(), Refusal> {
        self.known_team(team)?;
        if self.team()? == team {
            return Err(Refusal::conflict(
                "this is the team that everything belongs to: it cannot be removed",
            ));
        }
        let user = self.state.policies.values().find(|policy| {
            let mut targets = policy.levels.iter().flat_map(|level| &level.targets);
            targets.any(|target| *target == Recipient::Team(team))
        });
        if let Some(policy) = user {
            return Err(Refusal::conflict(format!(
                "the escalation policy {:?} pages this team: change the policy first",
                policy.name
            )));
        }
        self.owns_nothing(team)?;
        self.remove_subscriptions_to(WebhookScope::Team(team));
        let event = RosterEvent::TeamRemoved { team };
        self.emit(Cause::Request, EventBody::Roster(event));
        Ok(())
    }

    /// Refuses while a policy, and with it services, or a schedule is this team's.
    fn owns_nothing(&self, team: TeamId) -> Result<(), Refusal> {
        let mut policies = self.state.policies.values();
        let policy = policies.find(|policy| policy.given_to == Some(team));
        let mut schedules = self.state.schedules.values();
        let schedule = schedules.find(|schedule| schedule.given_to == Some(team));
        let policy = policy.map(|policy| ("escalation policy", &policy.name));
        let owned = policy.or_else(|| schedule.map(|schedule| ("schedule", &schedule.name)));
        match owned {
            Some((noun, name)) => Err(Refusal::conflict(format!(
                "the {noun} {name:?} belongs to this team: give it to another, or to none, first"
            ))),
            None => Ok(()),
        }
    }

    fn set_priorities(&mut self, names: &[String]) -> Result<(), Refusal> {
        self.team()?;
        if names.is_empty() || names.len() > PRIORITIES_MAX {
            return Err(Refusal::invalid(format!("names: 1 to {PRIORITIES_MAX}")));
        }
        let mut kept: Vec<String> = Vec::new();
        for name in names {
            let name = name_within("names", name, PRIORITY_MAX)?;
            if kept.contains(&name) {
                return Err(Refusal::invalid(format!("names: {name:?} is there twice")));
            }
            kept.push(name);
        }
        let event = InstallationEvent::PrioritiesSet { names: kept };
        self.emit(Cause::Request, EventBody::Installation(event));
        Ok(())
    }
}
