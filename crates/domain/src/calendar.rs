//! Calendars of shifts that other programs subscribe to by a private address. It renders nothing.

use serde::{Deserialize, Serialize};

use crate::id::{CalendarId, ScheduleId, UserId};
use crate::time::Timestamp;

/// Calendars of a person at most.
pub const CALENDARS_MAX: usize = 20;

/// A calendar that whoever has its address may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its id.
    pub id: CalendarId,
    /// Who made it for themselves; it dies with them.
    pub user: UserId,
    /// The schedule it shows; `None`: all of them.
    #[serde(default)]
    pub schedule: Option<ScheduleId>,
    /// Whether it shows its owner's shifts alone.
    pub only_own: bool,
    /// SHA-256 (hex) of the token in its address; the token itself is shown once and not kept.
    pub token_hash: String,
    /// When its address was made.
    pub made_at: Timestamp,
}
