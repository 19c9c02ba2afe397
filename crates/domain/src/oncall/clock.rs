//! What the civil clock of a zone shows, and when it first shows it; it knows no rotation.
//!
//! A civil time is held as microseconds of the civil clock since it showed 1970-01-01T00:00.

use jiff::tz::TimeZone;

use super::span::{DAY_US, HOUR_US, Span, moved};
use crate::time::Timestamp;

/// Zones are at most this far from UTC.
const OFFSET_US_MAX: i64 = 26 * HOUR_US;
/// A clock looks back this far before its span: a time that it shows there is shown nowhere earlier.
const LOOK_BACK_US: i64 = 3 * DAY_US;

/// The zone of this IANA name, if there is one.
pub(super) fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// The civil time that `zone` shows at `at`.
pub(super) fn civil_us(zone: &TimeZone, at: Timestamp) -> Option<i64> {
    Some(at.as_micros() + offset_us(zone, at)?)
}

/// The first instant at which `zone` shows `civil_us` or later.
pub(super) fn first_shown(zone: &TimeZone, civil_us: i64) -> Option<Timestamp> {
    let near = Span::new(
        Timestamp::from_micros(civil_us - OFFSET_US_MAX),
        Timestamp::from_micros(civil_us + OFFSET_US_MAX),
    );
    Some(Clock::new(zone, near)?.first_shown(civil_us))
}

/// The clock of one zone over a span of instants.
pub(super) struct Clock {
    /// In order, never empty; the first one reaches back without end.
    stretches: Vec<Stretch>,
}

/// Time within which the offset does not change.
struct Stretch {
    from: Timestamp,
    offset_us: i64,
}

impl Clock {
    /// The clock of `zone` for questions about `span`; `None` outside of the calendar.
    pub(super) fn new(zone: &TimeZone, span: Span) -> Option<Self> {
        let first = moved(span.from, -LOOK_BACK_US);
        let mut stretches = vec![Stretch {
            from: Timestamp::from_micros(i64::MIN),
            offset_us: offset_us(zone, first)?,
        }];
        for transition in zone.following(instant(first)?) {
            let from = Timestamp::from_micros(transition.timestamp().as_microsecond());
            if from >= span.until {
                break;
            }
            stretches.push(Stretch {
                from,
                offset_us: i64::from(transition.offset().seconds()) * 1_000_000,
            });
        }
        Some(Self { stretches })
    }

    /// The latest civil time that was shown up to `at`, an instant of the span. While clocks repeat an hour it is the end of
    /// the first pass, so it never goes back.
    pub(super) fn latest_shown(&self, at: Timestamp) -> i64 {
        let mut latest = i64::MIN;
        for (index, stretch) in self.stretches.iter().enumerate() {
            if stretch.from > at {
                break;
            }
            let last = self.end_of(index).map_or(at, |end| at.min(moved(end, -1)));
            latest = latest.max(last.as_micros() + stretch.offset_us);
        }
        latest
    }

    /// The first instant at which `civil_us` or later was shown: exact when it lies in the span, and on the right side of the
    /// span otherwise.
    pub(super) fn first_shown(&self, civil_us: i64) -> Timestamp {
        let mut shown = Timestamp::from_micros(i64::MAX);
        for stretch in &self.stretches {
            // What an earlier stretch would show only after its end is shown here, or later still.
            if shown < stretch.from {
                break;
            }
            shown = Timestamp::from_micros(civil_us - stretch.offset_us).max(stretch.from);
        }
        shown
    }

    fn end_of(&self, index: usize) -> Option<Timestamp> {
        self.stretches.get(index + 1).map(|next| next.from)
    }
}

fn offset_us(zone: &TimeZone, at: Timestamp) -> Option<i64> {
    Some(i64::from(zone.to_offset(instant(at)?).seconds()) * 1_000_000)
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, civil: &str, expected: &str) {
        let zone = zone_named(zone).unwrap();
        let civil: super::super::CivilTime = civil.parse().unwrap();
        let shown = first_shown(&zone, civil.since_epoch_us()).unwrap();
        assert_eq!(shown.to_rfc3339(), expected);
    }

    #[test]
    fn a_skipped_time_is_the_moment_of_the_skip() {
        check(
            "Europe/Paris",
            "2024-03-31T02:30",
            "2024-03-31T01:00:00.000Z",
        );
        check(
            "Pacific/Apia",
            "2011-12-30T12:00",
            "2011-12-30T10:00:00.000Z",
        );
        check(
            "Africa/Cairo",
            "2024-04-26T00:00",
            "2024-04-25T22:00:00.000Z",
        );
    }

    #[test]
    fn a_repeated_time_is_its_first() {
        check(
            "Europe/Paris",
            "2024-10-27T02:30",
            "2024-10-27T00:30:00.000Z",
        );
        check(
            "Europe/Paris",
            "2024-10-27T03:00",
            "2024-10-27T02:00:00.000Z",
        );
        check(
            "Australia/Lord_Howe",
            "2024-04-07T01:45",
            "2024-04-06T14:45:00.000Z",
        );
    }

    #[test]
    fn what_was_shown_never_goes_back() {
        let zone = zone_named("Europe/Paris").unwrap();
        let from = Timestamp::parse_rfc3339("2024-10-27T00:00:00Z").unwrap();
        let clock = Clock::new(&zone, Span::of_days(from, 1)).unwrap();
        let end_of_first_pass = clock.latest_shown(moved(from, HOUR_US));
        assert_eq!(
            clock.latest_shown(moved(from, HOUR_US * 3 / 2)),
            end_of_first_pass
        );
        assert!(clock.latest_shown(moved(from, 2 * HOUR_US)) > end_of_first_pass);
    }
}
