//! What one layer or one temporary shift says by itself: turns, and the windows in which a layer has somebody. It knows no
//! other source of shifts.

use jiff::tz::TimeZone;

use super::clock::{Clock, civil_us, first_shown, zone_named};
use super::overlay;
use super::render::{By, Shift};
use super::schedule::{Layer, Restriction, Schedule, Temporary, Turn, TurnUnit};
use super::span::{CALENDAR, DAY_US, HOUR_US, Span, WEEK_US, moved};
use super::violations::TURN_EVERY_MAX;
use crate::bugs::{self, Bug};
use crate::id::UserId;
use crate::time::Timestamp;

/// Turns in one zone.
pub(super) struct Rotation<'a> {
    zone: TimeZone,
    by: By,
    /// Nobody before and after.
    active: Span,
    /// When the first member takes over, in microseconds of the civil clock.
    anchor_us: i64,
    /// Length of a turn by the civil clock.
    turn_us: i64,
    members: &'a [UserId],
    restrictions: &'a [Restriction],
}

impl<'a> Rotation<'a> {
    /// The layer at `index`; `None` when it never has anybody.
    pub(super) fn of_layer(schedule: &'a Schedule, index: usize) -> Option<Self> {
        let layer = schedule.layers.get(index)?;
        let zone = zone_named(layer.time_zone.as_ref().unwrap_or(&schedule.time_zone))?;
        Self {
            anchor_us: match layer.hand_off {
                Some(hand_off) => hand_off.since_epoch_us(),
                None => civil_us(&zone, layer.start)?,
            },
            zone,
            by: By::Layer(index),
            active: Span::new(layer.start, layer.until.unwrap_or(CALENDAR.until)),
            turn_us: turn_us(layer.turn())?,
            members: &layer.members,
            restrictions: &layer.restrictions,
        }
        .with_somebody()
    }

    /// A temporary shift; `None` when it never has anybody.
    pub(super) fn of_temporary(schedule: &'a Schedule, fixed: &'a Temporary) -> Option<Self> {
        let zone = zone_named(&schedule.time_zone)?;
        Self {
            anchor_us: civil_us(&zone, fixed.span.from)?,
            zone,
            by: By::Temporary(fixed.id),
            active: fixed.span,
            turn_us: match fixed.turn {
                Some(turn) => turn_us(turn)?,
                // One turn for any span: clocks are never turned by more than a day or two.
                None => fixed.span.overlap(CALENDAR)?.length_us() + WEEK_US,
            },
            members: &fixed.members,
            restrictions: &[],
        }
        .with_somebody()
    }

    fn with_somebody(self) -> Option<Self> {
        let active = self.active.overlap(CALENDAR)?;
        (!self.members.is_empty()).then_some(Self { active, ..self })
    }

    /// Its shifts within `span`, in order and cut to it.
    pub(super) fn shifts(&self, span: Span) -> Vec<Shift> {
        let Some(span) = span.overlap(self.active) else {
            return Vec::new();
        };
        let Some(clock) = Clock::new(&self.zone, span) else {
            return Vec::new();
        };
        let turns = self.turns(&clock, span);
        if self.restrictions.is_empty() {
            return turns;
        }
        overlay::within(&turns, &windows(self.restrictions, &clock, span))
    }

    /// At most how many shifts it can have in `length_us` microseconds.
    pub(super) fn shifts_at_most(&self, length_us: i64) -> i64 {
        // Each end of the span and each change of clocks can add a part.
        let times = |period_us: i64| length_us / period_us + 3;
        let windows = self.restrictions.iter().map(|one| match one {
            Restriction::Daily { .. } => times(DAY_US),
            Restriction::Weekly { .. } => times(WEEK_US),
        });
        times(self.turn_us) + windows.sum::<i64>()
    }

    /// The whole turn that `at` lies in.
    pub(super) fn turn_around(&self, at: Timestamp) -> Option<Span> {
        let clock = Clock::new(&self.zone, Span::new(at, moved(at, 1)))?;
        let turn = self.turn_at(&clock, at);
        let begin = |turn: i64| first_shown(&self.zone, self.anchor_us + turn * self.turn_us);
        Span::new(begin(turn)?, begin(turn + 1)?).overlap(self.active)
    }

    /// Which turn `at` lies in, counted from the anchor on; before anybody is on call, the one that they will begin with. `None`: it is over.
    pub(super) fn running_turn(&self, at: Timestamp) -> Option<i64> {
        let at = at.max(self.active.from);
        if !self.active.contains(at) {
            return None;
        }
        let clock = Clock::new(&self.zone, Span::new(at, moved(at, 1)))?;
        Some(self.turn_at(&clock, at))
    }

    fn turn_at(&self, clock: &Clock, at: Timestamp) -> i64 {
        (clock.latest_shown(at) - self.anchor_us).div_euclid(self.turn_us)
    }

    fn turns(&self, clock: &Clock, span: Span) -> Vec<Shift> {
        let first = self.turn_at(clock, span.from);
        let last = self.turn_at(clock, moved(span.until, -1));
        let begin = |turn: i64| clock.first_shown(self.anchor_us + turn * self.turn_us);
        let mut shifts = Vec::new();
        let mut from = begin(first);
        for turn in first..=last {
            let lasts = bugs::on(Bug::OneHourHoleInShifts);
            let until = if lasts {
                moved(from, self.turn_us)
            } else {
                begin(turn + 1)
            };
            // A turn that the clocks skip has no instant, and is nobody's.
            if let Some(cut) = Span::new(from, until).overlap(span)
                && let Some(user) = self.member(turn)
            {
                shifts.push(Shift {
                    user,
                    from: cut.from,
                    until: cut.until,
                    by: self.by,
                });
            }
            from = if lasts { begin(turn + 1) } else { until };
        }
        shifts
    }

    fn member(&self, turn: i64) -> Option<UserId> {
        let place = place_of(turn, self.members.len())?;
        self.members.get(place).copied()
    }
}

/// The place among `count` members of the one whose turn it is; `None` when there is no member.
pub(super) fn place_of(turn: i64, count: usize) -> Option<usize> {
    let count = i64::try_from(count).ok()?;
    usize::try_from(turn.checked_rem_euclid(count)?).ok()
}

impl Layer {
    fn turn(&self) -> Turn {
        Turn {
            every: self.every,
            unit: self.unit,
        }
    }
}

/// The length of a turn in microseconds of the civil clock; `None` when it is out of bounds.
fn turn_us(turn: Turn) -> Option<i64> {
    if turn.every == 0 || turn.every > TURN_EVERY_MAX {
        return None;
    }
    let unit_us = match turn.unit {
        TurnUnit::Hours => HOUR_US,
        TurnUnit::Days => DAY_US,
        TurnUnit::Weeks => WEEK_US,
    };
    Some(i64::from(turn.every) * unit_us)
}

/// A window in microseconds of the civil clock: its first occurrence since 1970, its length, and how often it comes.
struct Recurring {
    first_us: i64,
    length_us: i64,
    period_us: i64,
}

impl Recurring {
    fn of(restriction: Restriction) -> Self {
        // 1970-01-05 was the first Monday.
        let monday_us = 4 * DAY_US;
        let (from_us, until_us, period_us, first_us) = match restriction {
            Restriction::Daily { from, until } => {
                let (from_us, until_us) = (from.since_midnight_us(), until.since_midnight_us());
                (from_us, until_us, DAY_US, from_us)
            }
            Restriction::Weekly { from, until } => {
                let (from_us, until_us) = (from.since_monday_us(), until.since_monday_us());
                (from_us, until_us, WEEK_US, monday_us + from_us)
            }
        };
        Self {
            first_us,
            length_us: (until_us - from_us).rem_euclid(period_us),
            period_us,
        }
    }
}

/// When any of the restrictions lets the layer have somebody: in order, apart from each other, cut to `span`.
pub(super) fn windows(restrictions: &[Restriction], clock: &Clock, span: Span) -> Vec<Span> {
    let low = clock.latest_shown(span.from);
    let high = clock.latest_shown(moved(span.until, -1));
    let mut found: Vec<Span> = Vec::new();
    for window in restrictions.iter().copied().map(Recurring::of) {
        let first = (low - window.first_us - window.length_us).div_euclid(window.period_us) + 1;
        let last = (high - window.first_us).div_euclid(window.period_us);
        found.extend((first..=last).filter_map(|count| {
            let from_us = window.first_us + count * window.period_us;
            let open = clock.first_shown(from_us);
            let close = clock.first_shown(from_us + window.length_us);
            Span::new(open, close).overlap(span)
        }));
    }
    found.sort_by_key(|window| window.from);
    let mut joined: Vec<Span> = Vec::new();
    for window in found {
        match joined.last_mut() {
            Some(before) if window.from <= before.until => {
                before.until = before.until.max(window.until);
            }
            Some(_) | None => joined.push(window),
        }
    }
    joined
}
