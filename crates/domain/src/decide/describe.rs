//! Decisions about what is said of people, teams, policies and schedules. Nothing else is decided by it.

use super::Decider;
use crate::command::{Described, Refusal};
use crate::event::{Cause, EventBody, PeopleEvent, RosterEvent};
use crate::id::{PolicyId, ScheduleId, TeamId, UserId};
use crate::oncall::Schedule;
use crate::page::Policy;
use crate::people::About;
use crate::service::DESCRIPTION_CHARS_MAX;
use crate::team::Team;

/// Refuses what is longer than anybody reads.
fn short_enough<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), Refusal> {
    let mut texts = texts.into_iter();
    if texts.any(|text| text.chars().count() > DESCRIPTION_CHARS_MAX) {
        return Err(Refusal::invalid(format!(
            "description: at most {DESCRIPTION_CHARS_MAX} characters"
        )));
    }
    Ok(())
}

impl Decider<'_> {
    /// Keeps what is said of something; what was said already is no event.
    pub(super) fn describe(&mut self, what: Described) -> Result<(), Refusal> {
        match what {
            Described::User { user, about } => self.describe_user(user, about),
            Described::Team { team, description } => self.describe_team(team, description),
            Described::Policy {
                policy,
                description,
            } => self.describe_policy(policy, description),
            Described::Schedule {
                schedule,
                description,
                layer_names,
            } => self.describe_schedule(schedule, description, layer_names),
        }
    }

    fn describe_user(&mut self, user: UserId, about: About) -> Result<(), Refusal> {
        short_enough([
            &about.job_title,
            &about.time_zone,
            &about.color,
            &about.description,
            &about.role_word,
        ])?;
        let known = self.user(user)?.clone();
        if known.about != about {
            let event = PeopleEvent::UserChanged {
                user,
                name: known.name,
                role: known.role,
                about: Some(about),
            };
            self.emit(Cause::Request, EventBody::People(event));
        }
        Ok(())
    }

    fn describe_team(&mut self, team: TeamId, description: String) -> Result<(), Refusal> {
        short_enough([&description])?;
        let known = self.state.teams.get(&team).cloned();
        let known = known.ok_or_else(|| Refusal::not_found(format!("team {team}")))?;
        if known.description != description {
            let team = Team {
                description,
                ..known
            };
            self.emit_roster(RosterEvent::TeamSet { team });
        }
        Ok(())
    }

    fn describe_policy(&mut self, policy: PolicyId, description: String) -> Result<(), Refusal> {
        short_enough([&description])?;
        let known = self.state.policies.get(&policy).cloned();
        let known =
            known.ok_or_else(|| Refusal::not_found(format!("escalation policy {policy}")))?;
        if known.description != description {
            let policy = Policy {
                description,
                ..known
            };
            let position = self.emit_roster(RosterEvent::PolicySet { policy });
            self.take_what_all_have_done(position);
        }
        Ok(())
    }

    fn describe_schedule(
        &mut self,
        schedule: ScheduleId,
        description: String,
        layer_names: Vec<String>,
    ) -> Result<(), Refusal> {
        short_enough(layer_names.iter().chain([&description]))?;
        let known = self.state.schedules.get(&schedule).cloned();
        let known = known.ok_or_else(|| Refusal::not_found(format!("schedule {schedule}")))?;
        if layer_names.len() > known.layers.len() {
            return Err(Refusal::invalid("layer_names: at most one for each layer"));
        }
        if (&known.description, &known.layer_names) != (&description, &layer_names) {
            let schedule = Schedule {
                description,
                layer_names,
                ..known
            };
            self.emit_roster(RosterEvent::ScheduleSet { schedule });
        }
        Ok(())
    }

    fn emit_roster(&mut self, event: RosterEvent) -> u64 {
        self.emit(Cause::Request, EventBody::Roster(event))
    }
}
