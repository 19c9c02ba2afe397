//! The slow, obvious calculation of who is on call, and of when that changes. It shares no code with the one that pages.

use jiff::tz::TimeZone;
use tocsin_domain::id::UserId;
use tocsin_domain::oncall::{
    Layer, RepeatUnit, Repeating, Restriction, Schedule, Span, Temporary, TimeOfDay, TurnUnit,
    WeekTime, Weekday,
};
use tocsin_domain::time::Timestamp;

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
const DAY_US: i64 = 1_440 * MINUTE_US;

/// Who is on call, where it is known which of its exchanges hold; an error when the schedule holds what this calculation does not
/// know.
pub(crate) fn on_call(
    schedule: &Schedule,
    holding: &[bool],
    at: Timestamp,
) -> Result<Option<UserId>, Unknown> {
    if schedule.swaps.len() != holding.len() {
        return Err(Unknown);
    }
    let mut user = swapped(schedule, holding, at)?;
    for one in &schedule.overrides {
        if lasts(one.span, at) {
            user = Some(one.user);
        }
    }
    Ok(user)
}

/// Which of the exchanges of a schedule hold: after those before it, both people of it have something to give.
pub(crate) fn holding(schedule: &Schedule) -> Result<Vec<bool>, Unknown> {
    let mut holding: Vec<bool> = Vec::new();
    for swap in &schedule.swaps {
        let mut holds = true;
        for side in [swap.one, swap.other] {
            let mut has_some = false;
            for at in instants(schedule, side.span)? {
                has_some |= swapped(schedule, &holding, at)? == Some(side.user);
            }
            holds &= has_some;
        }
        holding.push(holds);
    }
    Ok(holding)
}

/// Who has it by layers and fixed shifts, after as many exchanges as it is known of whether they hold.
fn swapped(
    schedule: &Schedule,
    holding: &[bool],
    at: Timestamp,
) -> Result<Option<UserId>, Unknown> {
    let mut user = rostered(schedule, at)?;
    for (swap, holds) in schedule.swaps.iter().zip(holding) {
        let (one, other) = (swap.one, swap.other);
        if !holds {
            continue;
        }
        if user == Some(one.user) {
            user = Some(if lasts(one.span, at) {
                other.user
            } else {
                one.user
            });
        } else if user == Some(other.user) && lasts(other.span, at) {
            user = Some(one.user);
        }
    }
    Ok(user)
}

fn rostered(schedule: &Schedule, at: Timestamp) -> Result<Option<UserId>, Unknown> {
    let mut user = None;
    for layer in &schedule.layers {
        user = by_layer(schedule, layer, at)?.or(user);
    }
    for fixed in &schedule.temporary {
        if lasts(fixed.span, at) {
            user = Some(by_turn_of(schedule, fixed, at)?);
        }
    }
    Ok(user)
}

fn lasts(span: Span, at: Timestamp) -> bool {
    span.from <= at && at < span.until
}

/// Instants of a span of which one is within every stretch that somebody has in it: its beginning, whole and half hours, at which
/// turns and hours of these worlds begin, and whatever begins or ends by hand.
fn instants(schedule: &Schedule, span: Span) -> Result<Vec<Timestamp>, Unknown> {
    let half_hour = 30 * MINUTE_US;
    let first = span.from.as_micros().div_euclid(half_hour) + 1;
    let last = span.until.as_micros().div_euclid(half_hour);
    let mut found = vec![span.from];
    found.extend((first..=last).map(|count| Timestamp::from_micros(count * half_hour)));
    for layer in &schedule.layers {
        found.extend(layer.until);
    }
    let zone = TimeZone::get(&schedule.time_zone).map_err(|_| Unknown)?;
    for fixed in &schedule.temporary {
        found.extend([fixed.span.from, fixed.span.until]);
        let Some(turn) = fixed.turn else {
            continue;
        };
        let mut shows = civil(&zone, fixed.span.from.as_micros())?;
        loop {
            shows += length_us(turn.every, turn.unit);
            let begins = first_shown(&zone, shows)?;
            if begins >= fixed.span.until {
                break;
            }
            found.push(begins);
        }
    }
    for swap in &schedule.swaps {
        for side in [swap.one, swap.other] {
            found.extend([side.span.from, side.span.until]);
        }
    }
    found.retain(|at| lasts(span, *at));
    Ok(found)
}

/// Whether a zone's clock shows a time within some windows.
pub(crate) fn is_within(
    time_zone: &str,
    windows: &[Restriction],
    at: Timestamp,
) -> Result<bool, Unknown> {
    let zone = TimeZone::get(time_zone).map_err(|_| Unknown)?;
    let shown = shown(&zone, at)?;
    Ok(windows.iter().any(|one| is_open(one, shown)))
}

/// The schedule holds something that is not calculated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

fn by_layer(schedule: &Schedule, layer: &Layer, at: Timestamp) -> Result<Option<UserId>, Unknown> {
    let has_ended = layer.until.is_some_and(|until| at >= until);
    if at < layer.start || has_ended || layer.members.is_empty() {
        return Ok(None);
    }
    let zone = zone_of(schedule, layer)?;
    let shown = shown(&zone, at)?;
    let windows = &layer.restrictions;
    if !windows.is_empty() && !windows.iter().any(|one| is_open(one, shown)) {
        return Ok(None);
    }
    let turn = (shown - anchor(&zone, layer)?).div_euclid(turn_us(layer));
    member(&layer.members, turn).map(Some)
}

/// Which turn of a layer lasts, or is its first before it begins; none after it has ended.
pub(crate) fn running_turn(
    schedule: &Schedule,
    layer: &Layer,
    at: Timestamp,
) -> Result<Option<i64>, Unknown> {
    let at = at.max(layer.start);
    if layer.until.is_some_and(|until| at >= until) {
        return Ok(None);
    }
    let zone = zone_of(schedule, layer)?;
    let since = shown(&zone, at)? - anchor(&zone, layer)?;
    Ok(Some(since.div_euclid(turn_us(layer))))
}

/// Which turn of a temporary shift lasts, or is its first before it begins; none after it has ended.
pub(crate) fn running_turn_of_shift(
    schedule: &Schedule,
    fixed: &Temporary,
    at: Timestamp,
) -> Result<Option<i64>, Unknown> {
    let at = at.max(fixed.span.from);
    if at >= fixed.span.until {
        return Ok(None);
    }
    turn_of_shift(schedule, fixed, at).map(Some)
}

fn turn_of_shift(schedule: &Schedule, fixed: &Temporary, at: Timestamp) -> Result<i64, Unknown> {
    let zone = TimeZone::get(&schedule.time_zone).map_err(|_| Unknown)?;
    let begin = civil(&zone, fixed.span.from.as_micros())?;
    Ok(match fixed.turn {
        Some(turn) => (shown(&zone, at)? - begin).div_euclid(length_us(turn.every, turn.unit)),
        None => 0,
    })
}

fn by_turn_of(schedule: &Schedule, fixed: &Temporary, at: Timestamp) -> Result<UserId, Unknown> {
    member(&fixed.members, turn_of_shift(schedule, fixed, at)?)
}

fn member(members: &[UserId], turn: i64) -> Result<UserId, Unknown> {
    let count = i64::try_from(members.len()).map_err(|_| Unknown)?;
    let place = turn.checked_rem_euclid(count).ok_or(Unknown)?;
    let place = usize::try_from(place).map_err(|_| Unknown)?;
    members.get(place).copied().ok_or(Unknown)
}

/// The first moment after `after` at which the first layer's turn changes by the civil clock; the moment of the skip when
/// that time is skipped.
pub(crate) fn next_hand_off(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let layer = schedule.layers.first()?;
    let zone = zone_of(schedule, layer).ok()?;
    let (anchor, turn) = (anchor(&zone, layer).ok()?, turn_us(layer));
    let next = (shown(&zone, after).ok()? - anchor).div_euclid(turn) + 1;
    first_shown(&zone, anchor + next * turn)
        .ok()
        .filter(|found| *found > after)
}

/// The moment at which the civil clock first shows a time; the moment of the skip when that time is skipped.
fn first_shown(zone: &TimeZone, wanted: i64) -> Result<Timestamp, Unknown> {
    // It is somewhere within a day around; minute by minute is slow and obvious.
    let mut instant = wanted - DAY_US;
    let mut step = 64 * MINUTE_US;
    while step > 0 {
        while shown(zone, Timestamp::from_micros(instant + step))? < wanted {
            instant += step;
        }
        step /= 2;
    }
    Ok(Timestamp::from_micros(instant + 1))
}

/// When work that comes again is done, within a stretch of time: from when the civil clock first shows its beginning until it
/// first shows its end.
pub(crate) fn occurrences(work: &Repeating, within: Span) -> Result<Vec<Span>, Unknown> {
    let zone = TimeZone::get(&work.time_zone).map_err(|_| Unknown)?;
    let first: jiff::civil::DateTime = work.first.to_string().parse().map_err(|_| Unknown)?;
    let first = TimeZone::UTC.to_timestamp(first).map_err(|_| Unknown)?;
    let days = match work.unit {
        RepeatUnit::Days => 1,
        RepeatUnit::Weeks => 7,
    };
    let period = i64::from(work.every) * days * DAY_US;
    let mut begin = first.as_microsecond();
    while begin < within.from.as_micros() - period - DAY_US {
        begin += period;
    }
    let mut found = Vec::new();
    loop {
        let from = first_shown(&zone, begin)?;
        let is_last = work.until.is_some_and(|until| from >= until);
        if is_last || from >= within.until {
            return Ok(found);
        }
        let end = begin + i64::from(work.minutes) * MINUTE_US;
        found.push(Span::new(from, first_shown(&zone, end)?));
        begin += period;
    }
}

/// Whether the clocks of the first layer's zone are changed between two moments.
pub(crate) fn clocks_change(schedule: &Schedule, from: Timestamp, until: Timestamp) -> bool {
    let offset =
        |zone: &TimeZone, at: Timestamp| Some(civil(zone, at.as_micros()).ok()? - at.as_micros());
    let layer = schedule.layers.first();
    let zone = layer.and_then(|layer| zone_of(schedule, layer).ok());
    zone.is_some_and(|zone| offset(&zone, from) != offset(&zone, until))
}

fn zone_of(schedule: &Schedule, layer: &Layer) -> Result<TimeZone, Unknown> {
    let name = layer.time_zone.as_ref().unwrap_or(&schedule.time_zone);
    TimeZone::get(name).map_err(|_| Unknown)
}

fn anchor(zone: &TimeZone, layer: &Layer) -> Result<i64, Unknown> {
    let Some(hand_off) = layer.hand_off else {
        return civil(zone, layer.start.as_micros());
    };
    let shown: jiff::civil::DateTime = hand_off.to_string().parse().map_err(|_| Unknown)?;
    let instant = TimeZone::UTC.to_timestamp(shown).map_err(|_| Unknown)?;
    Ok(instant.as_microsecond())
}

fn turn_us(layer: &Layer) -> i64 {
    length_us(layer.every, layer.unit)
}

fn length_us(every: u32, unit: TurnUnit) -> i64 {
    let unit = match unit {
        TurnUnit::Hours => 60 * MINUTE_US,
        TurnUnit::Days => DAY_US,
        TurnUnit::Weeks => 7 * DAY_US,
    };
    i64::from(every.max(1)) * unit
}

/// What the civil clock shows, in microseconds since it showed the beginning of 1970.
fn civil(zone: &TimeZone, at_us: i64) -> Result<i64, Unknown> {
    let instant = jiff::Timestamp::from_microsecond(at_us).map_err(|_| Unknown)?;
    Ok(at_us + i64::from(zone.to_offset(instant).seconds()) * SECOND_US)
}

/// The latest that the civil clock has shown so far: it does not go back when the clocks do.
fn shown(zone: &TimeZone, at: Timestamp) -> Result<i64, Unknown> {
    let at_us = at.as_micros();
    let now = civil(zone, at_us)?;
    let before = civil(zone, at_us - 180 * MINUTE_US)?;
    if now - before >= 180 * MINUTE_US {
        return Ok(now);
    }
    // The clocks were put back within three hours: the last moment before that showed the latest.
    let mut latest = now;
    for minute in 0..180 {
        let boundary = (at_us - minute * MINUTE_US).div_euclid(MINUTE_US) * MINUTE_US;
        latest = latest.max(civil(zone, boundary - 1)?);
    }
    Ok(latest)
}

fn is_open(restriction: &Restriction, shown: i64) -> bool {
    // 1970-01-05 was a Monday.
    let (from, until, period, since) = match *restriction {
        Restriction::Daily { from, until } => (of_day(from), of_day(until), DAY_US, 0),
        Restriction::Weekly { from, until } => {
            (of_week(from), of_week(until), 7 * DAY_US, 4 * DAY_US)
        }
    };
    let now = (shown - since).rem_euclid(period);
    if from < until {
        from <= now && now < until
    } else {
        from <= now || now < until
    }
}

fn of_day(time: TimeOfDay) -> i64 {
    let text = time.to_string();
    let mut parts = text.split(':').filter_map(|part| part.parse::<i64>().ok());
    let mut part = || parts.next().unwrap_or(0);
    ((part() * 60 + part()) * 60 + part()) * SECOND_US
}

fn of_week(at: WeekTime) -> i64 {
    let day = match at.weekday {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    };
    day * DAY_US + of_day(at.time)
}

#[cfg(test)]
mod tests;
