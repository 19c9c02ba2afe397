//! What a change of the state makes of who is on call, in words. It knows no clock.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::id::{ScheduleId, UserId};
use crate::oncall::{Difference, Entry, Schedule, Span, differences};
use crate::state::State;
use crate::time::Timestamp;

/// A stretch in which somebody else will be on call in a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyChange {
    /// The name of the schedule.
    pub schedule: String,
    /// When; the whole span that was looked at when nothing of it can be told.
    pub span: Span,
    /// Who would have been; `None`: nobody.
    pub before: Option<String>,
    /// Who will be; `None`: nobody.
    pub after: Option<String>,
    /// In words, by the schedule's clock.
    pub text: String,
}

/// Where `before` and `after` have different people on call within `span`, schedule by schedule in the order of their names, and
/// how many more such stretches there are than the first `told_max`. A schedule that comes or goes counts as one that has nobody on
/// the other side.
#[must_use]
pub fn duty_changes(
    before: &State,
    after: &State,
    span: Span,
    told_max: usize,
) -> (Vec<DutyChange>, usize) {
    let ids: BTreeSet<ScheduleId> = before
        .schedules
        .keys()
        .chain(after.schedules.keys())
        .copied()
        .collect();
    let schedules = ids.into_iter().filter_map(|id| {
        let (old, new) = (before.schedules.get(&id), after.schedules.get(&id));
        Some((new.or(old)?, old, new))
    });
    let mut schedules: Vec<(&Schedule, Option<&Schedule>, Option<&Schedule>)> = schedules.collect();
    schedules.sort_by(|(one, ..), (other, ..)| one.name.cmp(&other.name));
    let (mut found, mut left_out) = (Vec::new(), 0);
    for (named, old, new) in schedules {
        if old.map(|one| (&one.layers, &one.time_zone))
            == new.map(|one| (&one.layers, &one.time_zone))
            && old.map(Schedule::people) == new.map(Schedule::people)
        {
            continue;
        }
        let room = told_max.saturating_sub(found.len());
        match (rendered(old, span), rendered(new, span)) {
            (Some(old), Some(new)) => {
                // There may be very many of them: no more words are made than are told.
                let changes = differences(&old, &new);
                left_out += changes.len().saturating_sub(room);
                let told_of = changes.into_iter().take(room);
                found.extend(told_of.map(|one| told(before, after, named, one)));
            }
            (None, _) | (_, None) if room > 0 => found.push(untold(named, span)),
            (None, _) | (_, None) => left_out += 1,
        }
    }
    (found, left_out)
}

fn rendered(schedule: Option<&Schedule>, span: Span) -> Option<Vec<Entry>> {
    match schedule {
        Some(schedule) => schedule.render(span).ok(),
        None => Some(vec![Entry::Gap(span)]),
    }
}

fn told(before: &State, after: &State, schedule: &Schedule, change: Difference) -> DutyChange {
    let name = |state: &State, user: UserId| state.users.get(&user).map(|one| one.name.clone());
    let old = change.before.and_then(|user| name(before, user));
    let new = change.after.and_then(|user| name(after, user));
    let who = match (&old, &new) {
        (Some(old), Some(new)) => format!("{new} instead of {old}"),
        (None, Some(new)) => format!("{new}, where nobody was"),
        (Some(old), None) => format!("nobody instead of {old}"),
        (None, None) => "nobody".to_owned(),
    };
    let zone = TimeZone::get(&schedule.time_zone).unwrap_or(TimeZone::UTC);
    let from = shown(change.span.from, &zone);
    let until = shown(change.span.until, &zone);
    DutyChange {
        text: format!(
            "{}: from {from} to {until} ({}) {who}",
            schedule.name, schedule.time_zone
        ),
        schedule: schedule.name.clone(),
        span: change.span,
        before: old,
        after: new,
    }
}

fn untold(schedule: &Schedule, span: Span) -> DutyChange {
    DutyChange {
        text: format!(
            "{}: changes, and has too many shifts to tell them",
            schedule.name
        ),
        schedule: schedule.name.clone(),
        span,
        before: None,
        after: None,
    }
}

fn shown(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(instant) => instant
            .to_zoned(zone.clone())
            .strftime("%a %d %b %H:%M")
            .to_string(),
        Err(_) => at.to_string(),
    }
}
