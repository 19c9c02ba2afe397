//! What can be asked about teams, and about the names that priorities have.

use super::TagAsk;
use crate::id::{TeamId, UserId};
use crate::team::{TeamRole, WholeTeam};

/// Work on teams and priorities.
#[derive(Clone, Debug, PartialEq)]
pub enum TeamAsk {
    /// Add or replace a team; `None` as id adds.
    Set {
        /// Which, or a new one.
        id: Option<TeamId>,
        /// Its name.
        name: String,
        /// Who belongs to it.
        members: Vec<UserId>,
    },
    /// Add a team, or change one, with what is said of it: all of it or nothing.
    SetWhole(Box<WholeTeam>),
    /// Put somebody into a team, beside whoever belongs to it by then.
    AddMember {
        /// Into which.
        team: TeamId,
        /// Whom.
        user: UserId,
        /// What they are called there; what they are called already when none.
        role: Option<TeamRole>,
    },
    /// Take somebody out of a team, and nobody else.
    RemoveMember {
        /// Out of which.
        team: TeamId,
        /// Whom.
        user: UserId,
    },
    /// Remove a team that no policy names and to which nothing belongs.
    Remove(TeamId),
    /// Replace the list of priorities, the most important first.
    SetPriorities {
        /// All of them.
        names: Vec<String>,
    },
    /// Tags.
    Tag(TagAsk),
}
