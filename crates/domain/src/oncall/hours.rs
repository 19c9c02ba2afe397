//! Recurring hours of a zone, and work that repeats by its calendar. It knows neither people nor turns.

use serde::{Deserialize, Serialize};

use super::civil::CivilTime;
use super::clock::{Clock, civil_us, zone_named};
use super::rotation::windows;
use super::schedule::Restriction;
use super::span::{CALENDAR, DAY_US, Span, WEEK_US, moved};
use super::violations::{check_restrictions, check_zone};
use crate::time::Timestamp;

/// Longer than any window of a week lasts, and than any change of clocks moves it.
const AROUND_US: i64 = WEEK_US + 2 * DAY_US;
/// Days or weeks between two occurrences at most.
pub const REPEAT_EVERY_MAX: u16 = 366;

/// Hours of every day or week by the clocks of one zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// An IANA zone.
    pub time_zone: String,
    /// The windows; it is one of these hours within any of them.
    pub windows: Vec<Restriction>,
}

impl Hours {
    /// The whole stretch of these hours that `at` lies in; `None` when it is outside of them.
    #[must_use]
    pub fn around(&self, at: Timestamp) -> Option<Span> {
        let found = self.within(Span::new(moved(at, -AROUND_US), moved(at, AROUND_US)));
        found.into_iter().find(|span| span.contains(at))
    }

    /// When they begin next, later than `after`; `None` when they never do, as when they never end.
    #[must_use]
    pub fn next_begin(&self, after: Timestamp) -> Option<Timestamp> {
        let near = Span::new(moved(after, -AROUND_US), moved(after, 2 * AROUND_US));
        let found = self.within(near);
        let mut begins = found.into_iter().map(|span| span.from);
        begins.find(|from| *from > after)
    }

    /// Why they cannot be used; empty when they can.
    #[must_use]
    pub fn violations(&self, place: &str) -> Vec<String> {
        let mut reasons = Vec::new();
        check_zone(&format!("{place}.time_zone"), &self.time_zone, &mut reasons);
        if self.windows.is_empty() {
            reasons.push(format!("{place}.windows: at least 1"));
        }
        let windows = format!("{place}.windows");
        check_restrictions(&windows, &self.windows, &mut reasons);
        reasons
    }

    fn within(&self, span: Span) -> Vec<Span> {
        let known = span
            .overlap(CALENDAR)
            .and_then(|span| Some((span, zone_named(&self.time_zone)?)));
        let Some((span, zone)) = known else {
            return Vec::new();
        };
        Clock::new(&zone, span).map_or_else(Vec::new, |clock| windows(&self.windows, &clock, span))
    }
}

/// In what occurrences are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatUnit {
    /// Civil days.
    Days,
    /// Civil weeks.
    Weeks,
}

/// A window that comes again at the same civil time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeating {
    /// An IANA zone.
    pub time_zone: String,
    /// When the first one begins.
    pub first: CivilTime,
    /// How long each lasts by the civil clock, in minutes.
    pub minutes: u32,
    /// In `unit`; at least 1.
    pub every: u16,
    /// Its unit.
    pub unit: RepeatUnit,
    /// None begins from this instant on.
    pub until: Option<Timestamp>,
}

impl Repeating {
    /// The occurrence that `at` lies in.
    #[must_use]
    pub fn around(&self, at: Timestamp) -> Option<Span> {
        let near = self.near(at);
        near.into_iter().find(|span| span.contains(at))
    }

    /// The first occurrence that begins later than `after`.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Span> {
        let near = self.near(after);
        near.into_iter().find(|span| span.from > after)
    }

    /// Why it cannot be used; empty when it can.
    #[must_use]
    pub fn violations(&self, place: &str) -> Vec<String> {
        let mut reasons = Vec::new();
        check_zone(&format!("{place}.time_zone"), &self.time_zone, &mut reasons);
        if self.every == 0 || self.every > REPEAT_EVERY_MAX {
            reasons.push(format!("{place}.every: must be 1 to {REPEAT_EVERY_MAX}"));
        } else if self.minutes == 0 || self.length_us() > self.period_us() {
            reasons.push(format!(
                "{place}.minutes: at least 1, and not longer than from one beginning to the next"
            ));
        }
        reasons
    }

    fn length_us(&self) -> i64 {
        i64::from(self.minutes) * 60_000_000
    }

    fn period_us(&self) -> i64 {
        let unit_us = match self.unit {
            RepeatUnit::Days => DAY_US,
            RepeatUnit::Weeks => WEEK_US,
        };
        i64::from(self.every.max(1)) * unit_us
    }

    /// The occurrences before, around and after `at`.
    fn near(&self, at: Timestamp) -> Vec<Span> {
        let Some(zone) = zone_named(&self.time_zone) else {
            return Vec::new();
        };
        let Some(civil_us) = civil_us(&zone, at) else {
            return Vec::new();
        };
        let (first_us, period_us) = (self.first.since_epoch_us(), self.period_us());
        let count = (civil_us - first_us).div_euclid(period_us);
        let nearby = [count - 1, count, count + 1, count + 2, 0];
        let occurrence = |count: i64| {
            let from_us = first_us + count * period_us;
            let from = super::clock::first_shown(&zone, from_us)?;
            let until = super::clock::first_shown(&zone, from_us + self.length_us())?;
            let is_over = self.until.is_some_and(|until| from >= until);
            (!is_over && from < until).then(|| Span::new(from, until))
        };
        let mut found: Vec<Span> = nearby
            .into_iter()
            .filter(|count| *count >= 0)
            .filter_map(occurrence)
            .collect();
        found.sort_by_key(|span| span.from);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn office() -> Hours {
        serde_json::from_value(serde_json::json!({
            "time_zone": "Europe/Paris",
            "windows": [{"kind": "weekly", "from": {"weekday": "monday", "time": "09:00"},
                         "until": {"weekday": "monday", "time": "17:00"}}],
        }))
        .unwrap()
    }

    #[test]
    fn hours_follow_the_clocks_of_their_zone() {
        let check = |at: &str, begins: &str| {
            assert_eq!(office().next_begin(instant(at)), Some(instant(begins)));
        };
        check("2024-10-21T07:00:00Z", "2024-10-28T08:00:00Z");
        check("2024-10-21T06:59:59Z", "2024-10-21T07:00:00Z");
        let around = office().around(instant("2024-10-28T15:59:59Z")).unwrap();
        assert_eq!(around.from, instant("2024-10-28T08:00:00Z"));
        assert_eq!(around.until, instant("2024-10-28T16:00:00Z"));
        assert_eq!(office().around(around.until), None);
    }

    #[test]
    fn work_repeats_at_its_civil_time_until_its_end() {
        let work = Repeating {
            time_zone: "Europe/Paris".to_owned(),
            first: "2024-10-19T22:00".parse().unwrap(),
            minutes: 240,
            every: 2,
            unit: RepeatUnit::Weeks,
            until: Some(instant("2024-11-10T00:00:00Z")),
        };
        let first = work.next(instant("2024-01-01T00:00:00Z")).unwrap();
        assert_eq!(first.from, instant("2024-10-19T20:00:00Z"));
        assert_eq!(work.around(instant("2024-10-20T00:00:00Z")), None);
        assert_eq!(work.around(instant("2024-10-26T21:00:00Z")), None);
        let second = work.next(first.from).unwrap();
        assert_eq!(second.from, instant("2024-11-02T21:00:00Z"));
        assert_eq!(work.around(second.from), Some(second));
        assert_eq!(work.next(second.from), None, "its end is before the third");
    }

    #[test]
    fn a_night_of_work_over_a_change_of_clocks_ends_at_its_civil_time() {
        let work = Repeating {
            time_zone: "Europe/Paris".to_owned(),
            first: "2024-10-26T23:00".parse().unwrap(),
            minutes: 360,
            every: 1,
            unit: RepeatUnit::Days,
            until: None,
        };
        let night = work.around(instant("2024-10-27T03:59:00Z")).unwrap();
        assert_eq!(night.from, instant("2024-10-26T21:00:00Z"));
        assert_eq!(night.until, instant("2024-10-27T04:00:00Z"));
    }
}
