//! The slow, obvious calculation: minute by minute, who is on call. It shares no code with what it checks but the offsets of zones,
//! which `zoneinfo` compares.

use jiff::tz::TimeZone;
use tocsin_domain::id::UserId;
use tocsin_domain::oncall::{
    By, Entry, Layer, Restriction, Schedule, Shift, Span, Swap, SwapSide, Temporary, TimeOfDay,
    TurnUnit, WeekTime,
};
use tocsin_domain::time::Timestamp;

/// Who is on call in a minute, and in which turn of which source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    user: UserId,
    by: By,
    turn: (usize, i64),
}

impl Cell {
    /// Which turn of its source, counted from the anchor on.
    pub(super) fn turn(&self) -> i64 {
        self.turn.1
    }
}

/// The minutes from `first` on, counted since 1970; all that is changed by hand must lie within them.
pub(super) struct Minutes {
    pub(super) first: i64,
    pub(super) cells: Vec<Option<Cell>>,
    /// For each swap, how many minutes each side gives.
    pub(super) given: Vec<(i64, i64)>,
}

pub(super) fn at_minute(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * 60_000_000)
}

fn minute_of(at: Timestamp) -> i64 {
    assert_eq!(at.as_micros() % 60_000_000, 0, "{at}");
    at.as_micros() / 60_000_000
}

fn offset_minutes(zone: &TimeZone, minute: i64) -> i64 {
    let instant = jiff::Timestamp::from_second(minute * 60).unwrap();
    i64::from(zone.to_offset(instant).seconds()) / 60
}

/// What the clock has shown at most by each minute: it does not go back when clocks do.
fn shown(zone: &TimeZone, first: i64, count: i64) -> Vec<i64> {
    let mut latest = i64::MIN;
    let mut all = Vec::new();
    for minute in first - 3 * 1_440..first + count {
        latest = latest.max(minute + offset_minutes(zone, minute));
        if minute >= first {
            all.push(latest);
        }
    }
    all
}

fn clock_minutes(time: TimeOfDay) -> i64 {
    let text = time.to_string();
    let (hour, minute) = text.split_once(':').unwrap();
    hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
}

fn week_minutes(at: WeekTime) -> i64 {
    i64::from(at.weekday.number()) * 1_440 + clock_minutes(at.time)
}

/// A window in minutes of its period.
#[derive(Clone, Copy)]
struct Window {
    from: i64,
    until: i64,
    period: i64,
    /// Minutes of the period that had passed when 1970 began.
    passed: i64,
}

impl Window {
    fn of(restriction: &Restriction) -> Self {
        match *restriction {
            Restriction::Daily { from, until } => Self {
                from: clock_minutes(from),
                until: clock_minutes(until),
                period: 1_440,
                passed: 0,
            },
            // 1970-01-01 was a Thursday.
            Restriction::Weekly { from, until } => Self {
                from: week_minutes(from),
                until: week_minutes(until),
                period: 10_080,
                passed: 3 * 1_440,
            },
        }
    }

    fn is_open(self, civil: i64) -> bool {
        let now = (civil + self.passed).rem_euclid(self.period);
        if self.from < self.until {
            self.from <= now && now < self.until
        } else {
            self.from <= now || now < self.until
        }
    }
}

fn unit_minutes(unit: TurnUnit) -> i64 {
    match unit {
        TurnUnit::Hours => 60,
        TurnUnit::Days => 1_440,
        TurnUnit::Weeks => 10_080,
    }
}

impl Minutes {
    pub(super) fn of(schedule: &Schedule, first: i64, count: i64) -> Self {
        let mut minutes = Self {
            first,
            cells: vec![None; usize::try_from(count).unwrap()],
            given: Vec::new(),
        };
        for (index, layer) in schedule.layers.iter().enumerate() {
            minutes.lay_layer(schedule, index, layer);
        }
        for (index, fixed) in schedule.temporary.iter().enumerate() {
            minutes.lay_temporary(schedule, index, fixed);
        }
        for swap in &schedule.swaps {
            minutes.exchange(swap);
        }
        for one in &schedule.overrides {
            for index in minutes.indices(one.span) {
                minutes.cells[index] = Some(Cell {
                    user: one.user,
                    by: By::Override(one.id),
                    turn: (0, 0),
                });
            }
        }
        minutes
    }

    fn count(&self) -> i64 {
        i64::try_from(self.cells.len()).unwrap()
    }

    fn indices(&self, span: Span) -> std::ops::Range<usize> {
        let place = |at: Timestamp| {
            let place = (minute_of(at) - self.first).clamp(0, self.count());
            usize::try_from(place).unwrap()
        };
        place(span.from)..place(span.until)
    }

    fn lay_layer(&mut self, schedule: &Schedule, index: usize, layer: &Layer) {
        let zone = layer.time_zone.as_ref().unwrap_or(&schedule.time_zone);
        let zone = TimeZone::get(zone).unwrap();
        let start = minute_of(layer.start);
        let anchor = match layer.hand_off {
            None => start + offset_minutes(&zone, start),
            Some(hand_off) => {
                let civil: jiff::civil::DateTime = hand_off.to_string().parse().unwrap();
                TimeZone::UTC.to_timestamp(civil).unwrap().as_second() / 60
            }
        };
        let length = i64::from(layer.every) * unit_minutes(layer.unit);
        let end = layer.until.map_or(i64::MAX, minute_of);
        let windows: Vec<Window> = layer.restrictions.iter().map(Window::of).collect();
        let shown = shown(&zone, self.first, self.count());
        for (place, civil) in shown.into_iter().enumerate() {
            let minute = self.first + i64::try_from(place).unwrap();
            let open = windows.is_empty() || windows.iter().any(|one| one.is_open(civil));
            if layer.members.is_empty() || minute < start || minute >= end || !open {
                continue;
            }
            let turn = (civil - anchor).div_euclid(length);
            self.cells[place] = Some(Cell {
                user: member(&layer.members, turn),
                by: By::Layer(index),
                turn: (index, turn),
            });
        }
    }

    fn lay_temporary(&mut self, schedule: &Schedule, index: usize, fixed: &Temporary) {
        let zone = TimeZone::get(&schedule.time_zone).unwrap();
        let shown = shown(&zone, self.first, self.count());
        let start = minute_of(fixed.span.from);
        let anchor = start + offset_minutes(&zone, start);
        for place in self.indices(fixed.span) {
            let turn = fixed.turn.map_or(0, |turn| {
                (shown[place] - anchor).div_euclid(i64::from(turn.every) * unit_minutes(turn.unit))
            });
            self.cells[place] = Some(Cell {
                user: member(&fixed.members, turn),
                by: By::Temporary(fixed.id),
                turn: (1_000 + index, turn),
            });
        }
    }

    fn exchange(&mut self, swap: &Swap) {
        let before = self.cells.clone();
        let gives = |side: SwapSide, range: std::ops::Range<usize>| {
            let own = |place: &usize| before[*place].is_some_and(|cell| cell.user == side.user);
            range.filter(own).collect::<Vec<_>>()
        };
        let one = gives(swap.one, self.indices(swap.one.span));
        let other = gives(swap.other, self.indices(swap.other.span));
        let minutes = |places: &[usize]| i64::try_from(places.len()).unwrap();
        self.given.push((minutes(&one), minutes(&other)));
        if one.is_empty() || other.is_empty() {
            return;
        }
        for (places, user) in [(one, swap.other.user), (other, swap.one.user)] {
            for place in places {
                let cell = self.cells[place].as_mut().unwrap();
                cell.user = user;
                cell.by = By::Swap(swap.id);
            }
        }
    }

    /// The minutes from `from` until `until` as entries: as long as the same turn of the same source goes on.
    pub(super) fn entries(&self, from: i64, until: i64) -> Vec<Entry> {
        let cell = |minute: i64| self.cells[usize::try_from(minute - self.first).unwrap()];
        let mut all = Vec::new();
        let mut begin = from;
        for minute in from + 1..=until {
            if minute < until && cell(minute) == cell(begin) {
                continue;
            }
            let span = Span::new(at_minute(begin), at_minute(minute));
            all.push(match cell(begin) {
                None => Entry::Gap(span),
                Some(cell) => Entry::Shift(Shift {
                    user: cell.user,
                    from: span.from,
                    until: span.until,
                    by: cell.by,
                }),
            });
            begin = minute;
        }
        all
    }
}

fn member(members: &[UserId], turn: i64) -> UserId {
    let count = i64::try_from(members.len()).unwrap();
    members[usize::try_from(turn.rem_euclid(count)).unwrap()]
}
