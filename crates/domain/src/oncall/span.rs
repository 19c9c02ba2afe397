//! A stretch of time between two instants; it knows no calendar.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

pub(super) const HOUR_US: i64 = 3_600_000_000;
pub(super) const DAY_US: i64 = 24 * HOUR_US;
pub(super) const WEEK_US: i64 = 7 * DAY_US;

/// All instants within which schedules are computed: the years 1900 to 2199. Beyond it nobody is on call.
pub(super) const CALENDAR: Span = Span::new(
    Timestamp::from_micros(-2_208_988_800_000_000),
    Timestamp::from_micros(7_258_118_400_000_000),
);

/// The instants from `from` until just before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Span {
    /// From `from` until just before `until`; empty when that is not later.
    #[must_use]
    pub const fn new(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until }
    }

    /// `days` times 24 hours from `from` on.
    #[must_use]
    pub const fn of_days(from: Timestamp, days: u32) -> Self {
        Self::new(from, from.plus_ms(days as u64 * 86_400_000))
    }

    /// Whether no instant lies in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.from >= self.until
    }

    /// Whether `at` lies in it.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Its length in microseconds; zero when it is empty.
    #[must_use]
    pub fn length_us(self) -> i64 {
        let length = self.until.as_micros().saturating_sub(self.from.as_micros());
        length.max(0)
    }

    /// What it has in common with `other`; `None` when that is nothing.
    #[must_use]
    pub fn overlap(self, other: Self) -> Option<Self> {
        let common = Self::new(self.from.max(other.from), self.until.min(other.until));
        (!common.is_empty()).then_some(common)
    }

    /// What is left of it beside `others`, which are in order.
    #[must_use]
    pub fn without(self, others: &[Self]) -> Vec<Self> {
        let mut left = Vec::new();
        let mut from = self.from;
        for other in others.iter().filter_map(|other| other.overlap(self)) {
            left.extend(Self::new(from, other.from).overlap(self));
            from = from.max(other.until);
        }
        left.extend(Self::new(from, self.until).overlap(self));
        left
    }

    /// From the earlier beginning to the later end.
    pub(super) fn covering(self, other: Self) -> Self {
        Self::new(self.from.min(other.from), self.until.max(other.until))
    }
}

/// `at` moved by `us` microseconds.
pub(super) fn moved(at: Timestamp, us: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_add(us))
}
