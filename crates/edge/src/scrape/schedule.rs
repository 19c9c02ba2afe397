//! When a target is scraped: at its own place in every interval, the same after each restart. It reads no clock.

/// A scrape that begins this much late counts as punctual, milliseconds; 1 % of the interval where that is less. Equal
/// distances between samples are stored in less space.
const TOLERANCE_MS_MAX: i64 = 2;

/// The instants at which a target is scraped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    interval_ms: i64,
    offset_ms: i64,
}

impl Schedule {
    /// Of a target's interval (milliseconds) and a number that spreads targets over it.
    pub(super) fn new(interval_ms: u64, spread: u64) -> Self {
        let interval_ms = interval_ms.max(1);
        Self {
            interval_ms: i64::try_from(interval_ms).unwrap_or(i64::MAX),
            offset_ms: i64::try_from(spread % interval_ms).unwrap_or_default(),
        }
    }

    /// The first instant after `after_ms`.
    pub(super) fn next(self, after_ms: i64) -> i64 {
        let into = after_ms
            .saturating_sub(self.offset_ms)
            .rem_euclid(self.interval_ms);
        after_ms.saturating_add(self.interval_ms - into)
    }

    /// The time that the samples of a scrape get which was due then and begins now.
    pub(super) fn stamp(self, due_ms: i64, now_ms: i64) -> i64 {
        let tolerance = TOLERANCE_MS_MAX.min(self.interval_ms / 100);
        if (now_ms - due_ms).abs() <= tolerance {
            due_ms
        } else {
            now_ms
        }
    }

    /// How long the marks that end a removed target's series are held back, milliseconds: it may come back under another
    /// configuration, and its series with it.
    pub(super) fn grace_ms(self) -> u64 {
        let interval = u64::try_from(self.interval_ms).unwrap_or_default();
        interval.saturating_mul(2).saturating_add(interval / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_keeps_its_place_in_every_interval() {
        let schedule = Schedule::new(15_000, 15_000 * 7 + 4_000);
        assert_eq!(schedule.next(0), 4_000);
        assert_eq!(schedule.next(3_999), 4_000);
        assert_eq!(schedule.next(4_000), 19_000);
        assert_eq!(schedule.next(-1), 4_000);
        assert_eq!(schedule.next(1_700_000_000_123), 1_700_000_014_000);
    }

    #[test]
    fn a_little_late_is_punctual() {
        let schedule = Schedule::new(15_000, 0);
        for (now, expected) in [
            (15_000, 15_000),
            (15_002, 15_000),
            (15_003, 15_003),
            (14_999, 15_000),
        ] {
            assert_eq!(schedule.stamp(15_000, now), expected);
        }
        // Of 100 ms, 1 % is one.
        assert_eq!(Schedule::new(100, 0).stamp(100, 102), 102);
    }
}
