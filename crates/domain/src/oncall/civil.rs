//! Civil times as they are stored and written: what a clock on the wall shows. It knows no zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::span::{CALENDAR, DAY_US};

/// Text that is not a civil time, with the form that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotCivil(&'static str);

const TIME_WANTED: NotCivil =
    NotCivil("a time of day is HH:MM or HH:MM:SS, from 00:00 to 23:59:59");
const CIVIL_WANTED: NotCivil =
    NotCivil("a civil time is YYYY-MM-DDTHH:MM[:SS] without a zone, in the years 1900 to 2199");

/// A time of day, in whole seconds: `09:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    /// Seconds since midnight by the civil clock, less than 86,400.
    second: u32,
}

impl TimeOfDay {
    /// Midnight, with which a day begins.
    pub const MIDNIGHT: Self = Self { second: 0 };

    /// The time of this hour and minute; `None` when no clock shows it.
    #[must_use]
    pub const fn at(hour: u32, minute: u32) -> Option<Self> {
        if hour < 24 && minute < 60 {
            Some(Self {
                second: hour * 3_600 + minute * 60,
            })
        } else {
            None
        }
    }

    /// Microseconds of the civil clock since midnight.
    pub(super) fn since_midnight_us(self) -> i64 {
        i64::from(self.second) * 1_000_000
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.second / 3_600, self.second / 60 % 60, self.second % 60);
        write!(formatter, "{hour:02}:{minute:02}")?;
        if second != 0 {
            write!(formatter, ":{second:02}")?;
        }
        Ok(())
    }
}

impl FromStr for TimeOfDay {
    type Err = NotCivil;

    fn from_str(text: &str) -> Result<Self, NotCivil> {
        let mut parts = text.split(':').map(two_digits);
        let mut part = || parts.next().flatten();
        let (hour, minute) = (part().ok_or(TIME_WANTED)?, part().ok_or(TIME_WANTED)?);
        let second = if text.len() > 5 {
            part().ok_or(TIME_WANTED)?
        } else {
            0
        };
        let whole = Self::at(hour, minute).ok_or(TIME_WANTED)?;
        if parts.next().is_some() || second > 59 {
            return Err(TIME_WANTED);
        }
        Ok(Self {
            second: whole.second + second,
        })
    }
}

fn two_digits(text: &str) -> Option<u32> {
    digits(text, 2)
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let good = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

impl TryFrom<String> for TimeOfDay {
    type Error = NotCivil;

    fn try_from(text: String) -> Result<Self, NotCivil> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

/// A day of the week; a week begins with Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

impl Weekday {
    /// Every one, in order.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Days since Monday: its place among all.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Monday => 0,
            Self::Tuesday => 1,
            Self::Wednesday => 2,
            Self::Thursday => 3,
            Self::Friday => 4,
            Self::Saturday => 5,
            Self::Sunday => 6,
        }
    }

    /// As it is written in files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
}

/// A moment of every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeekTime {
    /// Its day.
    pub weekday: Weekday,
    /// Its time on that day.
    pub time: TimeOfDay,
}

impl WeekTime {
    /// Microseconds of the civil clock since the Monday's midnight.
    pub(super) fn since_monday_us(self) -> i64 {
        i64::from(self.weekday.number()) * DAY_US + self.time.since_midnight_us()
    }
}

/// A date and a time of day, in whole seconds: `2024-05-06T09:00`. Its zone stands elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CivilTime {
    /// Seconds of the civil clock since it showed 1970-01-01T00:00.
    second: i64,
}

impl CivilTime {
    /// Microseconds of the civil clock since it showed 1970-01-01T00:00.
    pub(super) fn since_epoch_us(self) -> i64 {
        self.second * 1_000_000
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A clock in UTC shows exactly the seconds that are counted here.
        let shown = jiff::Timestamp::from_second(self.second).map_err(|_| fmt::Error)?;
        let shown = TimeZone::UTC.to_datetime(shown);
        let time = TimeOfDay {
            second: u32::try_from(self.second.rem_euclid(86_400)).map_err(|_| fmt::Error)?,
        };
        write!(formatter, "{}T{time}", shown.date())
    }
}

impl FromStr for CivilTime {
    type Err = NotCivil;

    fn from_str(text: &str) -> Result<Self, NotCivil> {
        let (date, time) = text.split_once('T').ok_or(CIVIL_WANTED)?;
        let time: TimeOfDay = time.parse().map_err(|_| CIVIL_WANTED)?;
        let midnight = date_of(date)
            .and_then(|date| {
                TimeZone::UTC
                    .to_timestamp(date.to_datetime(Time::midnight()))
                    .ok()
            })
            .ok_or(CIVIL_WANTED)?;
        let civil = Self {
            second: midnight.as_second() + i64::from(time.second),
        };
        let is_within = (CALENDAR.from.as_micros()..CALENDAR.until.as_micros())
            .contains(&civil.since_epoch_us());
        is_within.then_some(civil).ok_or(CIVIL_WANTED)
    }
}

fn date_of(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let year = i16::try_from(digits(parts.next()?, 4)?).ok()?;
    let month = i8::try_from(digits(parts.next()?, 2)?).ok()?;
    let day = i8::try_from(digits(parts.next()?, 2)?).ok()?;
    Date::new(year, month, day).ok()
}

impl TryFrom<String> for CivilTime {
    type Error = NotCivil;

    fn try_from(text: String) -> Result<Self, NotCivil> {
        text.parse()
    }
}

impl From<CivilTime> for String {
    fn from(civil: CivilTime) -> Self {
        civil.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_reads_back_as_itself_and_other_text_is_refused() {
        for text in ["00:00", "09:05", "23:59", "07:30:15"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        assert_eq!("09:00:00".parse(), Ok(TimeOfDay::at(9, 0).unwrap()));
        for text in [
            "",
            "9:00",
            "24:00",
            "09:60",
            "09",
            "09:00:60",
            "09:00:00:00",
            "+9:00",
            "09:0x",
            "09:00:",
        ] {
            assert_eq!(text.parse::<TimeOfDay>(), Err(TIME_WANTED), "{text}");
        }
    }

    #[test]
    fn a_civil_time_reads_back_as_itself_and_other_text_is_refused() {
        for text in [
            "1970-01-01T00:00",
            "1900-01-01T00:00",
            "2024-02-29T23:59:59",
            "1969-12-31T22:30",
        ] {
            assert_eq!(text.parse::<CivilTime>().unwrap().to_string(), text);
        }
        for text in [
            "2024-05-06",
            "2023-02-29T00:00",
            "2024-05-06T09:00Z",
            "2024-05-06T09:00+02:00",
            "2024-5-6T09:00",
            "1899-12-31T23:59",
            "2200-01-01T00:00",
        ] {
            assert_eq!(text.parse::<CivilTime>(), Err(CIVIL_WANTED), "{text}");
        }
    }
}
