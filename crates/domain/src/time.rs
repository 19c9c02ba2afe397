//! Instants and their text form; it knows no clock, every `now` is given.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (as in POSIX).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the epoch, saturating at the ends of the range.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant moved later by `ms` milliseconds, saturating.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        let micros = ms.saturating_mul(1_000);
        let micros = if micros > i64::MAX as u64 {
            i64::MAX
        } else {
            micros.cast_signed()
        };
        Self(self.0.saturating_add(micros))
    }

    /// This instant moved earlier by `ms` milliseconds, saturating.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        let micros = ms.saturating_mul(1_000);
        let micros = if micros > i64::MAX as u64 {
            i64::MAX
        } else {
            micros.cast_signed()
        };
        Self(self.0.saturating_sub(micros))
    }

    /// Milliseconds from `earlier` to this instant; zero when `earlier` is in fact later.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        let micros = self.0.saturating_sub(earlier.0);
        if micros <= 0 {
            0
        } else {
            micros.cast_unsigned() / 1_000
        }
    }

    /// RFC 3339 in UTC with milliseconds: `2024-08-18T03:12:07.041Z`.
    /// An instant outside the years -9999 to 9999 is printed as its microseconds.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => format!("{instant:.3}"),
            Err(_) => format!("{}us", self.0),
        }
    }

    /// Reads RFC 3339 text, with any offset; `None` when it is not that.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(Self(instant.as_microsecond()))
    }

    /// Why a text cannot be read: `wanted`, unless it is written as an instant is.
    #[must_use]
    pub fn refusal(text: &str, wanted: &'static str) -> &'static str {
        // Digits are shown as 0: `0000-00-00T00:00`.
        let form = |one: char| if one.is_ascii_digit() { '0' } else { one };
        let form: String = text.chars().map(form).collect();
        let rest = form.strip_prefix("0000-00-00T00:00");
        if !rest.is_some_and(|rest| rest.ends_with('Z') || rest.contains(['+', '-'])) {
            return wanted;
        }
        let date = text.get(..10).map(str::parse::<jiff::civil::Date>);
        if date.is_some_and(|date| date.is_err()) {
            return "there is no such date";
        }
        "there is no such time or zone, or it is out of range: the last instant is 9999-12-30T22:00:00Z"
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_prints_and_reads_back_as_rfc_3339() {
        let instant = Timestamp::from_millis(1_723_950_727_041);
        assert_eq!(instant.to_rfc3339(), "2024-08-18T03:12:07.041Z");
        assert_eq!(
            Timestamp::parse_rfc3339("2024-08-18T05:12:07.041+02:00"),
            Some(instant)
        );
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn what_is_written_as_an_instant_and_is_none_is_refused_for_another_reason() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
            let told = Timestamp::refusal(text, "as it should be written");
            assert!(told.contains(expected), "{text}: {told}");
        };
        check("2026-02-30T09:00:00Z", "there is no such date");
        check("2026-13-01T09:00:00+01:00", "there is no such date");
        check("9999-12-31T23:59:59Z", "out of range");
        check("2026-02-20T09:00:00", "as it should be written");
        check("2026-02-20", "as it should be written");
        check("yesterday", "as it should be written");
        check("", "as it should be written");
    }

    #[test]
    fn arithmetic_saturates_and_never_goes_backwards() {
        let start = Timestamp::from_millis(5);
        assert_eq!(start.plus_ms(7).ms_since(start), 7);
        assert_eq!(start.ms_since(start.plus_ms(7)), 0);
        assert_eq!(start.plus_ms(u64::MAX), Timestamp::from_micros(i64::MAX));
        assert_eq!(Timestamp::from_micros(-1).as_millis(), -1);
    }
}
