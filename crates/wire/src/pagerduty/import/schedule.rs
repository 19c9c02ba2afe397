//! Schedules: layers with their turns, hand-offs and restrictions. An answer of PagerDuty's begins with the layer that wins;
//! here the last one does.

use jiff::tz::TimeZone;
use tocsin_domain::code::{HourWindow, Layer, Moment, Schedule};
use tocsin_domain::oncall::{
    CivilTime, LAYERS_MAX, MEMBERS_MAX, RESTRICTIONS_MAX, Restriction, TURN_EVERY_MAX, TurnUnit,
};
use tocsin_domain::time::Timestamp;

use super::names::{Names, Remarks, said};
use super::people::team_of;
use super::raw;
use crate::pagerduty::rest::schedule::{Unit, of_day, of_week, time_of_day, turn_of, zone_of};
use crate::pagerduty::rest::time;
use crate::plain::tidy;

const DAY_S: u64 = 86_400;
const WEEK_S: u64 = 7 * DAY_S;

/// Characters of the name of a layer at most, as PagerDuty has it.
const LAYER_NAME_CHARS_MAX: usize = 255;

/// A schedule; what of it cannot be said is told, and it is there all the same, since policies name it.
pub(super) fn schedule(
    known: &raw::Schedule,
    name: String,
    (people, teams): (&Names, &Names),
    now: Timestamp,
    remarks: &mut Remarks,
) -> Schedule {
    let place = format!("schedule {name:?}");
    let description = said(known.description.as_deref(), &place, remarks);
    let team = team_of(known.teams.as_deref(), &place, teams, remarks);
    let zone_name = known.time_zone.as_deref().unwrap_or_default();
    if zone_of(zone_name).is_none() {
        remarks.add(format!(
            "schedule {name:?}: its layers are left out, so that nobody is on call by it: {zone_name:?} is no IANA zone"
        ));
        return Schedule {
            name,
            description,
            team,
            time_zone: "UTC".to_owned(),
            layers: Vec::new(),
        };
    }
    let all = known.schedule_layers.as_deref().unwrap_or_default();
    let mut layers = Vec::new();
    for (index, one) in all.iter().rev().enumerate() {
        let place = match one.name.as_deref() {
            Some(title) => format!("layer {title:?}"),
            None => format!("layer {}", index + 1),
        };
        let place = format!("schedule {name:?}: {place}");
        // Where nobody called it something, its place is its name.
        let own = |title: &&str| *title != format!("Layer {}", index + 1);
        let title = one.name.as_deref().filter(own).unwrap_or_default();
        match layer(one, &place, (people, zone_name, now), remarks) {
            Ok(made) => layers.extend(made.map(|made| Layer {
                name: tidy(title, LAYER_NAME_CHARS_MAX),
                ..made
            })),
            Err(why) => remarks.add(format!("{place} is left out: {why}")),
        }
    }
    if layers.len() > LAYERS_MAX {
        remarks.add(format!(
            "schedule {name:?}: of {} layers the {LAYERS_MAX} that win are kept",
            layers.len()
        ));
        layers.drain(..layers.len() - LAYERS_MAX);
    }
    if layers.is_empty() {
        remarks.add(format!("schedule {name:?}: nobody is on call by it"));
    }
    Schedule {
        name,
        description,
        team,
        time_zone: zone_name.to_owned(),
        layers,
    }
}

/// A layer without its name; none when it is over.
fn layer(
    one: &raw::Layer,
    place: &str,
    (people, schedule_zone, now): (&Names, &str, Timestamp),
    remarks: &mut Remarks,
) -> Result<Option<Layer>, String> {
    let until = match one.end.as_deref() {
        None => None,
        Some(text) => Some(time::parse(text).ok_or("its end is no time")?),
    };
    if until.is_some_and(|until| until <= now) {
        return Ok(None);
    }
    let start = one.start.as_deref().and_then(time::parse);
    let start = start.ok_or("its start is no time")?;
    if until.is_some_and(|until| until <= start) {
        return Ok(None);
    }
    let members = members(one, place, people, remarks);
    if members.is_empty() {
        return Err("nobody is in it".to_owned());
    }
    if members.len() > MEMBERS_MAX {
        return Err(format!("{} people are too many", members.len()));
    }
    let (every, unit) = turn(one, members.len())?;
    let begin = match one.rotation_virtual_start.as_deref() {
        None => start,
        Some(text) => time::parse(text).ok_or("its rotation_virtual_start is no time")?,
    };
    let own = one.time_zone.as_deref();
    let own = own.filter(|own| !own.trim().is_empty() && *own != schedule_zone);
    let zone_name = own.unwrap_or(schedule_zone);
    let zone = zone_of(zone_name).ok_or_else(|| format!("{zone_name:?} is no IANA zone"))?;
    let hand_off =
        civil_of(begin, &zone).ok_or("its rotation begins when no clock shows a time")?;
    Ok(Some(Layer {
        name: String::new(),
        start: Moment(start),
        until: until.map(Moment),
        time_zone: own.map(str::to_owned),
        hand_off: Some(hand_off),
        every,
        unit,
        members,
        restrictions: restrictions(one)?,
    }))
}

/// Addresses in the order of their turns.
fn members(one: &raw::Layer, place: &str, people: &Names, remarks: &mut Remarks) -> Vec<String> {
    let mut members = Vec::new();
    for user in one.users.as_deref().unwrap_or_default() {
        let user = user.user.clone().unwrap_or_default();
        match people.of(user.id.as_deref()) {
            Some(email) => members.push(email.to_owned()),
            None => remarks.add(format!(
                "{place}: {:?} is left out, since there is no such person: turns move",
                user.summary.unwrap_or_default()
            )),
        }
    }
    members
}

/// How long a turn is. Where there is one person, it does not matter.
fn turn(one: &raw::Layer, count: usize) -> Result<(u32, TurnUnit), String> {
    let seconds = one.rotation_turn_length_seconds.unwrap_or(0);
    let turn = turn_of(seconds).filter(|(every, _)| (1..=TURN_EVERY_MAX).contains(every));
    match turn {
        Some((every, Unit::Hours)) => Ok((every, TurnUnit::Hours)),
        Some((every, Unit::Days)) => Ok((every, TurnUnit::Days)),
        Some((every, Unit::Weeks)) => Ok((every, TurnUnit::Weeks)),
        None if count == 1 => Ok((1, TurnUnit::Weeks)),
        None => Err(format!(
            "a turn of {seconds} s is not 1 to {TURN_EVERY_MAX} whole hours, days or weeks"
        )),
    }
}

/// What a zone's clocks show at an instant.
fn civil_of(at: Timestamp, zone: &TimeZone) -> Option<CivilTime> {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    let shown = zone.to_datetime(instant);
    shown.strftime("%Y-%m-%dT%H:%M:%S").to_string().parse().ok()
}

/// The hours in which a layer has somebody; none for all hours.
fn restrictions(one: &raw::Layer) -> Result<Vec<HourWindow>, String> {
    let all = one.restrictions.as_deref().unwrap_or_default();
    if all.len() > RESTRICTIONS_MAX {
        return Err(format!("{} restrictions are too many", all.len()));
    }
    let mut windows = Vec::new();
    for restriction in all {
        match window_of(restriction)? {
            Some(window) => windows.push(window),
            // One that holds at all hours makes the others say nothing.
            None => return Ok(Vec::new()),
        }
    }
    Ok(windows)
}

/// The hours of a restriction; none when these are all hours.
fn window_of(one: &raw::Restriction) -> Result<Option<HourWindow>, String> {
    let kind = one.kind.as_deref().unwrap_or_default();
    let text = one.start_time_of_day.as_deref().unwrap_or_default();
    let from_s = time_of_day(text).ok_or_else(|| format!("{text:?} is no time of day"))?;
    let lasts_s = one.duration_seconds.unwrap_or(0);
    if lasts_s == 0 {
        return Err("a restriction lasts no time".to_owned());
    }
    let wrong = || "a restriction has a time that no clock shows".to_owned();
    match kind {
        "daily_restriction" if lasts_s >= DAY_S => Ok(None),
        "daily_restriction" => {
            let from = of_day(from_s).ok_or_else(wrong)?;
            let until = of_day((from_s + lasts_s) % DAY_S).ok_or_else(wrong)?;
            Ok(Some(HourWindow(Restriction::Daily { from, until })))
        }
        "weekly_restriction" if lasts_s >= WEEK_S => Ok(None),
        "weekly_restriction" => {
            let day = one.start_day_of_week.unwrap_or(0);
            if !(1..=7).contains(&day) {
                return Err(format!("{day} is no day of the week"));
            }
            let begin = (day - 1) * DAY_S + from_s;
            let from = of_week(begin).ok_or_else(wrong)?;
            let until = of_week((begin + lasts_s) % WEEK_S).ok_or_else(wrong)?;
            Ok(Some(HourWindow(Restriction::Weekly { from, until })))
        }
        other => Err(format!("{other:?} is no kind of restriction that is known")),
    }
}
