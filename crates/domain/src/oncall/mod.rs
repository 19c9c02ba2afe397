//! Schedules: whose turn it is, when, and by which rule. It knows no clock: every function takes the instant or the span it
//! is asked for, so that an unsaved schedule is previewed by the same code that pages.
//!
//! Who is on call is decided in this order, each over the one before where it has somebody: the layers from the first to
//! the last, temporary shifts, swaps, overrides. Every span is half open. Every civil boundary is the first instant at which
//! the clock of its zone shows that time or a later one: a skipped time is the moment of the skip, a repeated one its
//! first. Boundaries therefore never change their order, and no change of clocks makes a hole or an overlap.

mod change;
mod civil;
mod clock;
mod difference;
mod duty;
mod gaps;
mod hours;
mod leaving;
mod overlay;
mod render;
mod rotation;
mod schedule;
mod span;
mod swap;
mod violations;

pub use change::Change;
pub(crate) use change::still_ahead;
pub use civil::{CivilTime, NotCivil, TimeOfDay, WeekTime, Weekday};
pub use difference::{Difference, differences};
pub use duty::{Duty, GAP_DAYS_AHEAD, HandOff};
pub use gaps::{CivilGap, shown_in};
pub(crate) use gaps::{looked_around, weekly_pattern};
pub use hours::{Hours, REPEAT_EVERY_MAX, RepeatUnit, Repeating};
pub use render::{By, ENTRIES_MAX, Entry, RANGE_DAYS_MAX, Refused, Shift};
pub use schedule::{
    Layer, Override, Restriction, Schedule, Temporary, Turn, TurnUnit, WholeSchedule,
};
pub use span::Span;
pub use swap::{Swap, SwapProposal, SwapSide, SwapStanding};
pub use violations::{
    LAYERS_MAX, MEMBERS_MAX, OVERRIDES_MAX, PROPOSALS_MAX, RESTRICTIONS_MAX, SPAN_DAYS_MAX,
    SWAP_DAYS_MAX, SWAPS_MAX, TEMPORARY_MAX, TURN_EVERY_MAX,
};
