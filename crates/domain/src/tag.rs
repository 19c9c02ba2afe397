//! Tags: words that are put on people, teams and escalation policies, to find them by. They decide nothing.

use serde::{Deserialize, Serialize};

use crate::id::{PolicyId, TeamId, UserId};

/// Tags at most.
pub const TAGS_MAX: usize = 1_000;
/// Tags of one thing at most.
pub const TAGS_OF_ONE_MAX: usize = 50;
/// Characters of a tag at most.
pub const TAG_CHARS_MAX: usize = 191;

/// What can have tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Tagged {
    /// A person.
    User(UserId),
    /// A team.
    Team(TeamId),
    /// An escalation policy.
    Policy(PolicyId),
}
