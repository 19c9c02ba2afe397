//! Teams: people who answer together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{TeamId, UserId};

/// Members of a team at most.
pub const TEAM_MEMBERS_MAX: usize = 500;
/// The name of the first team, until it is given another.
pub const FIRST_TEAM: &str = "Everybody";

/// Some people under one name. Everybody who is added belongs to the first team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who belongs to it, in the order in which they are named.
    pub members: Vec<UserId>,
    /// What clients of other systems call some of its members.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<UserId, TeamRole>,
    /// What it is, in the words of whoever set it up; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl Team {
    /// What a member is called.
    #[must_use]
    pub fn role(&self, user: UserId) -> TeamRole {
        self.roles.get(&user).copied().unwrap_or_default()
    }

    /// Takes somebody out.
    pub fn leave(&mut self, user: UserId) {
        self.members.retain(|member| *member != user);
        self.roles.remove(&user);
    }
}

/// A team with all that is said of it at once, as it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeTeam {
    /// Which, or a new one.
    pub id: Option<TeamId>,
    /// Its name.
    pub name: String,
    /// Who belongs to it; whoever does by then when none.
    pub members: Option<Vec<UserId>>,
    /// What it is; what was said before stays when none.
    pub description: Option<String>,
}

/// A word for a member, kept for those who ask for it again: who is paged and who may do what is the same for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    /// Looks on.
    Observer,
    /// Answers.
    #[default]
    Responder,
    /// Leads.
    Manager,
}
