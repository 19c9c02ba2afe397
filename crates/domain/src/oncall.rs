//! Schedules: whose turn it is at an instant. Shifts are civil-time boundaries in the schedule's zone, half open, so that no
//! change of clocks makes a hole or an overlap.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Unit};
use serde::{Deserialize, Serialize};

use crate::id::{ScheduleId, TeamId, UserId};
use crate::time::Timestamp;

/// Members of a layer at most.
pub const MEMBERS_MAX: usize = 200;
/// The longest turn, in units.
pub const TURN_EVERY_MAX: u32 = 366;

/// A rotation of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The team that owns it.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// IANA name of its zone (`Europe/Paris`).
    pub time_zone: String,
    /// The rotation.
    pub layer: Layer,
}

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// When the first turn begins; its civil time of day is the hand-off time.
    pub start: Timestamp,
    /// Length of a turn, in `unit`; at least 1.
    pub every: u32,
    /// Unit of the length of a turn.
    pub unit: TurnUnit,
    /// Who, in order; nobody is on call when it is empty.
    pub members: Vec<UserId>,
}

/// What turns are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnUnit {
    /// Hours of the civil clock.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

/// One person's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Whose.
    pub user: UserId,
    /// When it begins.
    pub from: Timestamp,
    /// When the next one begins.
    pub until: Timestamp,
}

impl Schedule {
    /// Why this schedule cannot be used; empty when it can.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if TimeZone::get(&self.time_zone).is_err() {
            reasons.push(format!(
                "time_zone: {:?} is not an IANA zone such as Europe/Paris",
                self.time_zone
            ));
        }
        if self.layer.every == 0 || self.layer.every > TURN_EVERY_MAX {
            reasons.push(format!("layer.turn.every: must be 1 to {TURN_EVERY_MAX}"));
        }
        if self.layer.members.len() > MEMBERS_MAX {
            reasons.push(format!("layer.members: at most {MEMBERS_MAX}"));
        }
        reasons
    }

    /// Whose turn it is at `at`; `None` before the first turn, without members, or in an unknown zone.
    #[must_use]
    pub fn shift_at(&self, at: Timestamp) -> Option<Shift> {
        let count = self.layer.members.len();
        if count == 0 || self.layer.every == 0 || at < self.layer.start {
            return None;
        }
        let zone = TimeZone::get(&self.time_zone).ok()?;
        let turn = self.turn_at(&zone, at)?;
        let index = usize::try_from(turn).ok()? % count;
        Some(Shift {
            user: *self.layer.members.get(index)?,
            from: self.boundary(&zone, turn)?,
            until: self.boundary(&zone, turn + 1)?,
        })
    }

    /// The number of the turn that `at` lies in, found from the civil distance and then made exact, since a change of
    /// clocks can shift a boundary across `at`.
    fn turn_at(&self, zone: &TimeZone, at: Timestamp) -> Option<i64> {
        let start = civil(zone, self.layer.start)?;
        let every = i64::from(self.layer.every);
        let hours = civil(zone, at)?
            .since((Unit::Hour, start))
            .ok()?
            .get_hours();
        let days = civil(zone, at)?.since((Unit::Day, start)).ok()?.get_days();
        let mut turn = match self.layer.unit {
            TurnUnit::Hours => i64::from(hours) / every,
            TurnUnit::Days => i64::from(days) / every,
            TurnUnit::Weeks => i64::from(days) / 7 / every,
        };
        while turn > 0 && self.boundary(zone, turn)? > at {
            turn -= 1;
        }
        while self.boundary(zone, turn + 1)? <= at {
            turn += 1;
        }
        Some(turn)
    }

    /// When turn `turn` begins: a civil time that the clocks skip is the moment of
    /// the skip, one that they repeat is its first; so boundaries never change their order.
    fn boundary(&self, zone: &TimeZone, turn: i64) -> Option<Timestamp> {
        let units = turn.checked_mul(i64::from(self.layer.every))?;
        let span = match self.layer.unit {
            TurnUnit::Hours => Span::new().try_hours(units).ok()?,
            TurnUnit::Days => Span::new().try_days(units).ok()?,
            TurnUnit::Weeks => Span::new().try_weeks(units).ok()?,
        };
        let civil = civil(zone, self.layer.start)?.checked_add(span).ok()?;
        let found = zone.to_ambiguous_timestamp(civil);
        let in_gap = matches!(found.offset(), AmbiguousOffset::Gap { .. });
        let mut instant = found.compatible().ok()?;
        if in_gap {
            // Moved by the width of the gap it would pass boundaries that come later by the civil clock.
            let just_after = instant.checked_add(Span::new().microseconds(1)).ok()?;
            instant = zone.preceding(just_after).next()?.timestamp();
        }
        Some(Timestamp::from_micros(instant.as_microsecond()))
    }
}

fn civil(zone: &TimeZone, at: Timestamp) -> Option<DateTime> {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(zone.to_datetime(instant))
}
