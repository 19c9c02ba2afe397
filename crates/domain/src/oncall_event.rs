//! What happens to schedules apart from being set and removed, and to calendars that are subscribed to.

use serde::{Deserialize, Serialize};

use crate::ahead::Finding;
use crate::calendar::Calendar;
use crate::id::{CalendarId, ScheduleId, UserId};
use crate::oncall::Change;
use crate::people::SetUp;

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
    /// Somebody else than before was seen to have duty, and was told if they want that.
    DutySeen {
        /// In which schedule.
        schedule: ScheduleId,
        /// Who; `None`: nobody.
        user: Option<UserId>,
    },
    /// A person wants word when duty passes to them, or none.
    NoticesSwitched {
        /// Who.
        user: UserId,
        /// Whether they want it.
        wanted: bool,
    },
    /// Something was found that will keep pages from somebody.
    FindingAppeared {
        /// The whole of it, as it was found first.
        finding: Finding,
    },
    /// Findings that stand are otherwise by now than when they were written down last: their words, or when it is so. They are told
    /// so, and are no news by that.
    FindingsRestated {
        /// The whole of each.
        findings: Vec<Finding>,
    },
    /// It is no longer so.
    FindingEnded {
        /// The finding's key.
        key: String,
    },
    /// An administrator was told of all that stood when the word was written; in journals of old, all of them were about to be.
    FindingsTold {
        /// Keys of the findings.
        keys: Vec<String>,
    },
    /// Another set of what messages leave by than before was seen: word goes by that first.
    ChannelsSeen {
        /// All of it.
        set_up: SetUp,
    },
}
