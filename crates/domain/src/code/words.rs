//! Lengths, instants and hours as they are written in files. It knows no clock.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::oncall::{Restriction, TimeOfDay, WeekTime, Weekday};
use crate::service::Hold;
use crate::time::Timestamp;

/// Units of a length, the longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const LENGTH_WANTED: &str =
    "a length is numbers with units, the longest unit first, such as 30s, 5m, 1h30m or 7d";
/// The word for a timeout that never comes.
const NEVER: &str = "never";
const MOMENT_WANTED: &str = "an instant is written with its zone, as in 2026-11-23T09:00:00Z";
const HOUR_WANTED: &str = "a time is HH:MM, of every day, or a day and HH:MM such as monday 09:00";

/// A length of time: `5m`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// In milliseconds.
    pub ms: u64,
}

impl Length {
    /// So many milliseconds.
    #[must_use]
    pub const fn of_ms(ms: u64) -> Self {
        Self { ms }
    }

    fn read(text: &str) -> Option<Self> {
        let (mut rest, mut next_unit, mut ms) = (text, 0, 0_u64);
        while !rest.is_empty() {
            let digits = rest.find(|one: char| !one.is_ascii_digit())?;
            let count: u64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let length = rest
                .find(|one: char| !one.is_ascii_lowercase())
                .unwrap_or(rest.len());
            let unit = UNITS.iter().position(|(name, _)| *name == &rest[..length]);
            let unit = unit.filter(|at| *at >= next_unit)?;
            next_unit = unit + 1;
            ms = ms.checked_add(count.checked_mul(UNITS[unit].1)?)?;
            rest = &rest[length..];
        }
        (!text.is_empty()).then_some(Self { ms })
    }
}

impl fmt::Display for Length {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ms == 0 {
            return formatter.write_str("0s");
        }
        let mut rest = self.ms;
        for (name, ms) in UNITS {
            if rest >= ms {
                write!(formatter, "{}{name}", rest / ms)?;
                rest %= ms;
            }
        }
        Ok(())
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom(format!("{text:?}: {LENGTH_WANTED}")))
    }
}

/// When something ends by itself: after a length of time, or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// It does not.
    Never,
    /// After so long.
    After(Length),
}

impl Timeout {
    pub(super) const fn of(hold: Hold) -> Self {
        match hold {
            Hold::Always => Self::Never,
            Hold::ForMs(ms) => Self::After(Length::of_ms(ms)),
        }
    }

    pub(crate) const fn hold(self) -> Hold {
        match self {
            Self::Never => Hold::Always,
            Self::After(length) => Hold::ForMs(length.ms),
        }
    }
}

impl Serialize for Timeout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str(NEVER),
            Self::After(length) => length.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEVER {
            return Ok(Self::Never);
        }
        let wrong = || D::Error::custom(format!("{text:?}: {LENGTH_WANTED}; or it is {NEVER}"));
        Length::read(&text).map(Self::After).ok_or_else(wrong)
    }
}

/// An instant in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To the microsecond, unlike instants that are shown to people.
        match jiff::Timestamp::from_microsecond(self.0.as_micros()) {
            Ok(instant) => write!(formatter, "{instant}"),
            Err(_) => write!(formatter, "{}", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl<'de> Visitor<'de> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an instant such as 2026-11-23T09:00:00Z")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
        let read = Timestamp::parse_rfc3339(text).map(Moment);
        read.ok_or_else(|| {
            let why = Timestamp::refusal(text, MOMENT_WANTED);
            E::custom(format!("{text:?}: {why}"))
        })
    }

    /// A date of TOML itself, without quotes, comes as a table of one text.
    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Moment, A::Error> {
        match table.next_entry::<String, String>()? {
            Some((_, text)) => self.visit_str(&text),
            None => Err(A::Error::custom(MOMENT_WANTED)),
        }
    }
}

/// A recurring window: `{ from = "09:00", until = "17:00" }`, or with days in front of both times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourWindow(pub Restriction);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    from: Hour,
    until: Hour,
}

/// One end of a window; it reads itself, so that what is wrong with it is told at its own place.
enum Hour {
    OfDay(TimeOfDay),
    OfWeek(WeekTime),
}

impl Hour {
    fn read(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None => text.parse().ok().map(Self::OfDay),
            Some((day, time)) => {
                let weekday = Weekday::ALL.into_iter().find(|one| one.word() == day)?;
                let time = time.parse().ok()?;
                Some(Self::OfWeek(WeekTime { weekday, time }))
            }
        }
    }
}

impl Serialize for Hour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OfDay(time) => serializer.collect_str(time),
            Self::OfWeek(WeekTime { weekday, time }) => {
                serializer.collect_str(&format_args!("{} {time}", weekday.word()))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Hour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom(format!("{text:?}: {HOUR_WANTED}")))
    }
}

impl Serialize for HourWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (from, until) = match self.0 {
            Restriction::Daily { from, until } => (Hour::OfDay(from), Hour::OfDay(until)),
            Restriction::Weekly { from, until } => (Hour::OfWeek(from), Hour::OfWeek(until)),
        };
        Written { from, until }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HourWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { from, until } = Written::deserialize(deserializer)?;
        match (from, until) {
            (Hour::OfDay(from), Hour::OfDay(until)) => Ok(Self(Restriction::Daily { from, until })),
            (Hour::OfWeek(from), Hour::OfWeek(until)) => {
                Ok(Self(Restriction::Weekly { from, until }))
            }
            (Hour::OfDay(_), Hour::OfWeek(_)) | (Hour::OfWeek(_), Hour::OfDay(_)) => Err(
                D::Error::custom("from and until both have a day, or neither has"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_reads_back_as_itself_and_other_text_is_refused() {
        for (text, ms) in [
            ("0s", 0),
            ("1500ms", 1_500),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(Length::read(text).unwrap().ms, ms, "{text}");
            let written = Length::of_ms(ms).to_string();
            assert_eq!(Length::read(&written).unwrap().ms, ms, "{written}");
        }
        for text in [
            "",
            "5",
            "m",
            "5m1h",
            "5 m",
            "-5m",
            "1.5h",
            "99999999999999999999d",
        ] {
            assert_eq!(Length::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_timeout_is_a_length_or_never() {
        for text in ["\"never\"", "\"30m\""] {
            let read: Timeout = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
            assert_eq!(Timeout::of(read.hold()), read);
        }
        let wrong = serde_json::from_str::<Timeout>("\"always\"").unwrap_err();
        assert!(wrong.to_string().contains("or it is never"), "{wrong}");
    }

    #[test]
    fn an_instant_keeps_its_microseconds() {
        let moment = Moment(Timestamp::from_micros(1_723_950_000_000_001));
        assert_eq!(moment.to_string(), "2024-08-18T03:00:00.000001Z");
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(serde_json::from_str::<Moment>(&text).unwrap(), moment);
        assert!(serde_json::from_str::<Moment>("\"2024-08-18T03:00\"").is_err());
    }

    #[test]
    fn hours_have_a_day_at_both_ends_or_at_neither() {
        for good in [
            r#"{"from":"09:00","until":"17:30"}"#,
            r#"{"from":"friday 18:00","until":"monday 08:00"}"#,
        ] {
            let read: HourWindow = serde_json::from_str(good).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), good);
        }
        for bad in [
            r#"{"from":"09:00","until":"monday 17:30"}"#,
            r#"{"from":"25:00","until":"17:30"}"#,
            r#"{"from":"someday 09:00","until":"monday 17:30"}"#,
        ] {
            assert!(serde_json::from_str::<HourWindow>(bad).is_err(), "{bad}");
        }
    }
}
