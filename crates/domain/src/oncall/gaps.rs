//! Gaps as people know them: by the week's days and times at which they begin and end. It judges none.

use super::clock::{civil_us, zone_named};
use super::render::{Entry, entries};
use super::schedule::Schedule;
use super::span::{CALENDAR, DAY_US, Span, WEEK_US, moved};
use crate::time::Timestamp;

/// The gap around a range is looked for this far before and after it; one that reaches further has no end there.
const LOOK_AROUND_DAYS: i64 = 35;
const MINUTE_US: i64 = 60_000_000;

/// A stretch in which nobody is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CivilGap {
    /// When, cut to the range that was asked for.
    pub span: Span,
    /// By which days and times of the week it begins and ends, and how many weeks lie between: the same for a gap that comes
    /// back every week, whatever the clocks do in between.
    pub pattern: String,
}

impl Schedule {
    /// What is rendered of `range`, whatever the work. Nobody is on call beyond the calendar.
    pub(crate) fn entries_in(&self, range: Span) -> Vec<Entry> {
        match range.overlap(CALENDAR) {
            Some(range) => entries(self.final_shifts(range), range),
            None => Vec::new(),
        }
    }

    /// The gaps that touch `range`, in order.
    #[must_use]
    pub fn civil_gaps(&self, range: Span) -> Vec<CivilGap> {
        let around = looked_around(range);
        let gaps = self.entries_in(around).into_iter();
        gaps.filter(|entry| entry.user().is_none())
            .filter_map(|entry| {
                let whole = entry.span();
                Some(CivilGap {
                    span: whole.overlap(range)?,
                    pattern: weekly_pattern(&self.time_zone, whole, around),
                })
            })
            .collect()
    }
}

/// A range with what is looked at before and after it, so that the ends of what reaches beyond it are seen.
pub(crate) fn looked_around(range: Span) -> Span {
    Span::new(
        moved(range.from, -LOOK_AROUND_DAYS * DAY_US),
        moved(range.until, LOOK_AROUND_DAYS * DAY_US),
    )
}

/// The days and times of the week, by the clock of a zone, at which a stretch begins and ends that was seen in `around`.
pub(crate) fn weekly_pattern(zone: &str, stretch: Span, around: Span) -> String {
    let zone = zone_named(zone);
    let civil = |at: Timestamp| zone.as_ref().and_then(|zone| civil_us(zone, at));
    // An end that was not seen is no time of the week: it moves as time passes.
    let from = civil(stretch.from).filter(|_| stretch.from > around.from);
    let until = civil(stretch.until).filter(|_| stretch.until < around.until);
    let minute = |civil: Option<i64>| {
        let minute = civil.map(|us| us.rem_euclid(WEEK_US) / MINUTE_US);
        minute.map_or("open".to_owned(), |minute| minute.to_string())
    };
    let weeks = match (from, until) {
        (Some(from), Some(until)) => (until - from).div_euclid(WEEK_US),
        (Some(_), None) | (None, Some(_)) | (None, None) => 0,
    };
    format!("{}-{}-{weeks}", minute(from), minute(until))
}

/// An instant by the clock of a zone, for people: `Fri 2026-11-27 18:00`.
#[must_use]
pub fn shown_in(zone: &str, at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok();
    let shown = zone_named(zone).zip(instant);
    shown.map_or_else(
        || at.to_string(),
        |(zone, instant)| {
            let civil = zone.to_datetime(instant);
            civil.strftime("%a %Y-%m-%d %H:%M").to_string()
        },
    )
}
