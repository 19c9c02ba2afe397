//! Instants of a report: whole milliseconds, written as RFC 3339 in UTC; it knows no clock.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// An instant in milliseconds since the epoch. A report rounds every time down to this once, so that the durations it states
/// are exactly the differences of the times it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to this, or `None` when `earlier` is later.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> Option<u64> {
        u64::try_from(self.0.saturating_sub(earlier.0)).ok()
    }

    /// This instant moved by `ms`, which may be negative.
    #[must_use]
    pub const fn shifted(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// `2024-08-18`, the day in UTC.
    #[must_use]
    pub fn date(self) -> String {
        let text = self.to_string();
        text.split('T').next().unwrap_or_default().to_owned()
    }

    /// `03:12:07.041 UTC`.
    #[must_use]
    pub fn clock(self) -> String {
        let text = self.to_string();
        let time = text.split('T').nth(1).unwrap_or(&text);
        format!("{} UTC", time.trim_end_matches('Z'))
    }
}

/// A length of time for a person: `87 ms`, `12.3 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`; rounded, never padded.
#[must_use]
pub fn span_text(ms: u64) -> String {
    let seconds = ms.saturating_add(500) / 1_000;
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..59_950 => {
            let tenths = (ms + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        59_950..3_599_500 => format!("{minutes} min {} s", seconds % 60),
        3_599_500..172_800_000 => format!("{hours} h {} min", minutes % 60),
        172_800_000.. => format!("{} d {} h", hours / 24, hours % 24),
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at.as_millis())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Timestamp::from_millis(self.0).to_rfc3339())
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Timestamp::parse_rfc3339(&text)
            .map(Self::from)
            .ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_reads_like_a_person_says_it() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_049, "1.0 s"),
            (59_949, "59.9 s"),
            (59_950, "1 min 0 s"),
            (3_599_499, "59 min 59 s"),
            (3_599_500, "1 h 0 min"),
            (7_500_000, "2 h 5 min"),
            (200_000_000, "2 d 7 h"),
        ] {
            assert_eq!(span_text(ms), expected);
        }
    }

    #[test]
    fn a_moment_prints_its_day_and_its_clock_with_the_zone() {
        let moment = Moment::from(Timestamp::from_micros(1_723_950_727_041_900));
        assert_eq!(moment.to_string(), "2024-08-18T03:12:07.041Z");
        assert_eq!(moment.date(), "2024-08-18");
        assert_eq!(moment.clock(), "03:12:07.041 UTC");
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(serde_json::from_str::<Moment>(&text).unwrap(), moment);
    }
}
