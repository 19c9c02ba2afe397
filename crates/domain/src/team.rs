//! Teams: people who answer together.

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
    /// What it is, in the words of whoever set it up; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}
