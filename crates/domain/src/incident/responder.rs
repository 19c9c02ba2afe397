//! Who was asked to help with an incident, and by what.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::id::{PolicyId, UserId};
use crate::time::Timestamp;

/// Somebody who was asked to help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// Who.
    pub user: UserId,
    /// When they were asked last.
    pub asked_at: Timestamp,
    /// How far the clock had been set back by then.
    #[serde(skip)]
    pub asked_set_back_ms: u64,
    /// Who asked them; Tocsin itself where a level follows on one of which nobody could be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<Actor>,
    /// What they were asked.
    pub message: String,
    /// Whether they come, and when they said so.
    pub answer: Option<(bool, Timestamp)>,
    /// The policy, and its level counted from 0, by which they were asked; none when they were only named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<(PolicyId, usize)>,
    /// How that policy asked them, when they were named since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_policy: Option<PolicyRequest>,
    /// The levels of other policies by which they were asked too, one of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoAsked>,
}

/// A level of another policy by which somebody was asked to help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlsoAsked {
    /// The policy, and its level counted from 0.
    pub level: (PolicyId, usize),
    /// How it asked them.
    pub request: PolicyRequest,
}

/// How a policy asked somebody to help who was asked by name or by another policy since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRequest {
    /// When.
    pub at: Timestamp,
    /// How far the clock had been set back by then.
    #[serde(skip)]
    pub set_back_ms: u64,
    /// What they were asked.
    pub message: String,
    /// Whether they have ever answered.
    pub answered: bool,
}

impl PolicyRequest {
    /// How somebody was asked who is asked by name or by another policy now.
    #[must_use]
    pub fn of(asked: Responder) -> Self {
        let answered = asked.answer.is_some();
        match asked.by_policy {
            Some(first) => Self {
                answered: first.answered || answered,
                ..first
            },
            None => Self {
                at: asked.asked_at,
                set_back_ms: asked.asked_set_back_ms,
                message: asked.message,
                answered,
            },
        }
    }
}
