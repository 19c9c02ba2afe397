//! What can be asked about schedules apart from setting and removing one, and about calendars.

use std::collections::BTreeSet;

use crate::ahead::Finding;
use crate::id::{CalendarId, OverrideId, ScheduleId, SwapId, TemporaryId, UserId};
use crate::oncall::{Span, SwapSide, Turn};
use crate::people::ChannelKind;

/// Work on one schedule by hand, or on a calendar.
///
/// Who may ask: responders add and remove overrides, for themselves and for others (to cover somebody is to override them), and
/// take part in swaps of their own; layers, temporary shifts and swaps between others are for administrators. A calendar is
/// its owner's.
#[derive(Clone, Debug, PartialEq)]
pub enum OncallAsk {
    /// Change something of a schedule.
    Change {
        /// Of which.
        schedule: ScheduleId,
        /// What.
        ask: ChangeAsk,
    },
    /// Give a person a calendar with an address.
    AddCalendar {
        /// Whose.
        user: UserId,
        /// Of which schedule; all of them when none.
        schedule: Option<ScheduleId>,
        /// Whether it shows their own shifts alone.
        only_own: bool,
        /// SHA-256 (hex) of the token in its address.
        token_hash: String,
    },
    /// Give a calendar a new address; the one before is dead.
    RenewCalendar {
        /// Whose.
        user: UserId,
        /// Which.
        calendar: CalendarId,
        /// SHA-256 (hex) of the token in its new address.
        token_hash: String,
    },
    /// Say whether a person wants word when duty passes to them.
    SwitchNotices {
        /// Who.
        user: UserId,
        /// Whether they want it.
        wanted: bool,
    },
    /// Time has passed: tell whoever has duty now and had not when this was asked last.
    NoticeHandOffs,
    /// These are all the findings of the days ahead: tell what is new. Whoever asks has computed them, since that may take long.
    FindingsSeen {
        /// All of them.
        findings: Vec<Finding>,
        /// The channels that are set up: by those words go first.
        set_up: BTreeSet<ChannelKind>,
    },
    /// Take a calendar away.
    RevokeCalendar {
        /// Whose.
        user: UserId,
        /// Which.
        calendar: CalendarId,
    },
}

/// One change of a schedule by hand.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeAsk {
    /// Put one person on call for a span. What is past of it is left out: it stays as it was.
    AddOverride {
        /// Who.
        user: UserId,
        /// When.
        span: Span,
    },
    /// Take an override back; one that has begun ends now.
    RemoveOverride(OverrideId),
    /// Put fixed shifts in place of the layers. What is past of the span is left out.
    AddTemporary {
        /// When.
        span: Span,
        /// Who, in order.
        members: Vec<UserId>,
        /// How long each has; `None`: one person has the whole span.
        turn: Option<Turn>,
    },
    /// Take a temporary shift back; one that has begun ends now.
    RemoveTemporary(TemporaryId),
    /// Offer to exchange shifts.
    ProposeSwap {
        /// What one person gives.
        one: SwapSide,
        /// What the other gives for it.
        other: SwapSide,
        /// Which of the two offers it; `None`: an administrator decides for both, and the exchange holds at once.
        by: Option<UserId>,
    },
    /// Take an offer.
    AcceptSwap {
        /// Which.
        swap: SwapId,
        /// Who does; `None`: an administrator in their place.
        by: Option<UserId>,
    },
    /// Do not take an offer.
    DeclineSwap {
        /// Which.
        swap: SwapId,
        /// Who does not; `None`: an administrator in their place.
        by: Option<UserId>,
    },
    /// Take an offer back; an administrator can also take back what was agreed, while it has not begun.
    WithdrawSwap {
        /// Which.
        swap: SwapId,
        /// Who does; `None`: an administrator.
        by: Option<UserId>,
    },
}
