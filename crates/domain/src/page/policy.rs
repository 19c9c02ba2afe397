//! Escalation policies: who is paged, in which order. It knows no message.

use serde::{Deserialize, Serialize};

use crate::id::{PolicyId, ScheduleId, TeamId, UserId};
use crate::numbers::Numbers;

/// Who is paged, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// The first team, whose it is where it was given to none.
    pub team: TeamId,
    /// The team that it was given to; its services and their incidents are that team's too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_to: Option<TeamId>,
    /// Its name.
    pub name: String,
    /// Levels, at least one.
    pub levels: Vec<Level>,
    /// How often the levels are walked through again before the fallback list.
    pub repeat: u32,
    /// How long an acknowledgement holds: what still fails then is triggered again. For ever when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_timeout_ms: Option<u64>,
    /// What it is for, in the words of whoever set it up; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The numbers by which its levels are known.
    #[serde(default, skip_serializing_if = "Numbers::are_places")]
    pub level_numbers: Numbers,
}

impl Policy {
    /// Whose its services are, and what fails there: the team that it was given to, or else the first.
    #[must_use]
    pub fn owner(&self) -> TeamId {
        self.given_to.unwrap_or(self.team)
    }
}

/// A policy with all that is said of it at once, as it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct WholePolicy {
    /// Which, or a new one.
    pub id: Option<PolicyId>,
    /// Its name.
    pub name: String,
    /// Its levels.
    pub levels: Vec<Level>,
    /// How often it is walked through again.
    pub repeat: u32,
    /// How long an acknowledgement holds.
    pub acknowledgement_timeout_ms: Option<u64>,
    /// What it is for; what was said before stays when none.
    pub description: Option<String>,
    /// The team that it is given to, `Some(None)` for none; as before when none is said.
    pub given_to: Option<Option<TeamId>>,
    /// The numbers by which its levels are known from now on; each that of its place before when none.
    pub level_numbers: Option<Numbers>,
}

/// One step of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// How long this level has for an acknowledgement.
    pub delay_ms: u64,
    /// Who is paged, all at once.
    pub targets: Vec<Recipient>,
    /// Only one of the targets each time an incident reaches the level, in turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_robin: bool,
    /// Whoever is paged here must acknowledge in person: one acknowledgement ends that person's pages alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub each_must_acknowledge: bool,
}

impl Level {
    /// A level that pages all its targets at once, of whom one has to answer.
    #[must_use]
    pub const fn of(delay_ms: u64, targets: Vec<Recipient>) -> Self {
        Self {
            delay_ms,
            targets,
            round_robin: false,
            each_must_acknowledge: false,
        }
    }
}

/// A person, whoever is on call, or everybody of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Recipient {
    /// This person.
    User(UserId),
    /// Whoever this schedule says.
    Schedule(ScheduleId),
    /// All of this team.
    Team(TeamId),
}
