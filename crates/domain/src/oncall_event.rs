//! What happens to schedules apart from being set and removed, and to calendars that are subscribed to.

use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::id::{CalendarId, ScheduleId};
use crate::oncall::Change;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OncallEvent {
    /// Something was changed by hand.
    ScheduleChanged {
        /// Of which schedule.
        schedule: ScheduleId,
        /// What.
        change: Change,
    },
    /// A calendar got its first address, or a new one, with which the one before died.
    CalendarSet {
        /// The whole of it.
        calendar: Calendar,
    },
    /// A calendar's address is dead.
    CalendarRevoked {
        /// Which.
        calendar: CalendarId,
    },
}
