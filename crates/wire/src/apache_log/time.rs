//! The time stamps of Apache's logs; it knows no zone but the one that is written or given.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use tocsin_domain::time::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Parts of a time that are gathered from one or more fields of a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    /// Microseconds since the epoch, where a field gives the whole instant.
    epoch_us: Option<i64>,
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: i8,
    minute: i8,
    second: i8,
    fraction_us: Option<i64>,
    offset_seconds: Option<i32>,
    /// The finest unit seen, in microseconds; zero when none was.
    unit_us: u32,
}

/// One step of reading a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This text stands here.
    Text(String),
    /// A four-digit year.
    Year,
    /// A two-digit month.
    Month,
    /// A month's English short name.
    MonthName,
    /// A weekday's English short name.
    WeekdayName,
    /// A day, two digits or a space and one.
    Day,
    /// Hours, 00 to 23.
    Hour,
    /// Minutes.
    Minute,
    /// Seconds; 60 is a leap second and read as 59.
    Second,
    /// `+0100`, `+01:00` or `Z`.
    Offset,
    /// Seconds since the epoch.
    EpochSeconds,
    /// Milliseconds since the epoch.
    EpochMillis,
    /// Microseconds since the epoch.
    EpochMicros,
    /// Three digits of a second.
    Millis,
    /// Six digits of a second.
    Micros,
}

impl Parts {
    /// Reads one step from the front of `text`; the rest is returned, or `None` when it does not fit.
    pub(super) fn read<'a>(&mut self, step: &Step, text: &'a [u8]) -> Option<&'a [u8]> {
        match step {
            Step::Text(expected) => text.strip_prefix(expected.as_bytes()),
            Step::WeekdayName => text
                .get(..3)?
                .iter()
                .all(u8::is_ascii_alphabetic)
                .then(|| &text[3..]),
            Step::MonthName => {
                let name = std::str::from_utf8(text.get(..3)?).ok()?;
                let index = MONTHS.iter().position(|month| *month == name)?;
                self.month = Some(i8::try_from(index + 1).ok()?);
                Some(&text[3..])
            }
            Step::Offset => self.read_offset(text),
            Step::Year | Step::Month | Step::Day | Step::Hour | Step::Minute | Step::Second => {
                self.read_civil(step, text)
            }
            Step::EpochSeconds => self.read_epoch(text, 1_000_000),
            Step::EpochMillis => self.read_epoch(text, 1_000),
            Step::EpochMicros => self.read_epoch(text, 1),
            Step::Millis => self.read_fraction(text, 3, 1_000),
            Step::Micros => self.read_fraction(text, 6, 1),
        }
    }

    fn read_civil<'a>(&mut self, step: &Step, text: &'a [u8]) -> Option<&'a [u8]> {
        if *step == Step::Year {
            let (number, rest) = digits(text, 4)?;
            self.year = Some(i16::try_from(number).ok()?);
            return Some(rest);
        }
        let padded = *step == Step::Day && text.first() == Some(&b' ');
        let (number, rest) = if padded {
            digits(&text[1..], 1)?
        } else {
            digits(text, 2)?
        };
        let number = i8::try_from(number).ok()?;
        if *step == Step::Month {
            self.month = Some(number);
        } else if *step == Step::Day {
            self.day = Some(number);
        } else if *step == Step::Hour {
            self.hour = number;
        } else if *step == Step::Minute {
            self.minute = number;
            self.note_unit(60_000_000);
        } else {
            self.second = number.min(59);
            self.note_unit(1_000_000);
        }
        Some(rest)
    }

    fn read_offset<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(rest) = text.strip_prefix(b"Z") {
            self.offset_seconds = Some(0);
            return Some(rest);
        }
        let (sign, rest) = match text.split_first()? {
            (b'+', rest) => (1, rest),
            (b'-', rest) => (-1, rest),
            _ => return None,
        };
        let (hours, rest) = digits(rest, 2)?;
        let (minutes, rest) = digits(rest.strip_prefix(b":").unwrap_or(rest), 2)?;
        self.offset_seconds = Some(sign * i32::try_from(hours * 3_600 + minutes * 60).ok()?);
        Some(rest)
    }

    fn read_epoch<'a>(&mut self, text: &'a [u8], unit_us: u32) -> Option<&'a [u8]> {
        let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number: i64 = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
        self.epoch_us = Some(number.checked_mul(i64::from(unit_us))?);
        self.note_unit(unit_us);
        Some(&text[length..])
    }

    fn read_fraction<'a>(
        &mut self,
        text: &'a [u8],
        length: usize,
        unit_us: u32,
    ) -> Option<&'a [u8]> {
        let (number, rest) = digits(text, length)?;
        self.fraction_us = Some(number * i64::from(unit_us));
        self.note_unit(unit_us);
        Some(rest)
    }

    fn note_unit(&mut self, unit_us: u32) {
        if self.unit_us == 0 || unit_us < self.unit_us {
            self.unit_us = unit_us;
        }
    }

    /// Whether any step was read.
    pub(super) const fn seen(&self) -> bool {
        self.unit_us != 0
    }

    /// How finely the time is known, in microseconds.
    pub(super) const fn unit_us(&self) -> u32 {
        self.unit_us
    }

    /// The instant, if the parts make one. `offset_seconds` (east of Greenwich) is used where none was written.
    pub(super) fn instant(&self, offset_seconds: i32) -> Option<Timestamp> {
        let fraction = self.fraction_us.unwrap_or_default();
        if let Some(epoch) = self.epoch_us {
            // A whole instant beside a fraction field: `%{sec}t.%{usec_frac}t`.
            let whole_seconds = epoch % 1_000_000 == 0;
            let fraction = if whole_seconds { fraction } else { 0 };
            return Some(Timestamp::from_micros(epoch.checked_add(fraction)?));
        }
        let date = Date::new(self.year?, self.month?, self.day?).ok()?;
        let time = Time::new(self.hour, self.minute, self.second, 0).ok()?;
        let offset = Offset::from_seconds(self.offset_seconds.unwrap_or(offset_seconds)).ok()?;
        let instant = offset.to_timestamp(DateTime::from_parts(date, time)).ok()?;
        Some(Timestamp::from_micros(
            instant.as_microsecond().checked_add(fraction)?,
        ))
    }
}

/// Exactly `length` digits at the front, and what follows.
fn digits(text: &[u8], length: usize) -> Option<(i64, &[u8])> {
    let front = text.get(..length)?;
    let mut number = 0;
    for byte in front {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some((number, &text[length..]))
}

/// The steps of a `strftime` format; `None` when it holds a conversion that is not known here.
pub(super) fn strftime(format: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut text = String::new();
    let mut symbols = format.chars();
    while let Some(symbol) = symbols.next() {
        if symbol != '%' {
            text.push(symbol);
            continue;
        }
        let conversion = symbols.next()?;
        if conversion == '%' {
            text.push('%');
            continue;
        }
        if !text.is_empty() {
            steps.push(Step::Text(std::mem::take(&mut text)));
        }
        steps.extend(conversion_steps(conversion)?);
    }
    if !text.is_empty() {
        steps.push(Step::Text(text));
    }
    Some(steps)
}

fn conversion_steps(conversion: char) -> Option<Vec<Step>> {
    let colon = || Step::Text(":".to_owned());
    let dash = || Step::Text("-".to_owned());
    Some(match conversion {
        'Y' => vec![Step::Year],
        'm' => vec![Step::Month],
        'd' | 'e' => vec![Step::Day],
        'b' | 'h' => vec![Step::MonthName],
        'a' => vec![Step::WeekdayName],
        'H' => vec![Step::Hour],
        'M' => vec![Step::Minute],
        'S' => vec![Step::Second],
        'z' => vec![Step::Offset],
        's' => vec![Step::EpochSeconds],
        'F' => vec![Step::Year, dash(), Step::Month, dash(), Step::Day],
        'T' => vec![Step::Hour, colon(), Step::Minute, colon(), Step::Second],
        'R' => vec![Step::Hour, colon(), Step::Minute],
        't' => vec![Step::Text("\t".to_owned())],
        _ => return None,
    })
}

/// The steps of a plain `%t`: `[18/Aug/2024:03:12:07 +0000]`.
pub(super) fn common_log_steps() -> Vec<Step> {
    strftime("[%d/%b/%Y:%H:%M:%S %z]").unwrap_or_default()
}

/// Reads a whole text with these steps.
pub(super) fn read_all(steps: &[Step], text: &[u8]) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut rest = text;
    for step in steps {
        rest = parts.read(step, rest)?;
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, text: &str, expected: Option<&str>) {
        let steps = strftime(format).unwrap();
        let instant = read_all(&steps, text.as_bytes()).and_then(|parts| parts.instant(7_200));
        assert_eq!(
            instant.map(Timestamp::to_rfc3339).as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn times_are_read_in_the_forms_that_formats_use() {
        check(
            "[%d/%b/%Y:%H:%M:%S %z]",
            "[18/Aug/2024:03:12:07 +0000]",
            Some("2024-08-18T03:12:07.000Z"),
        );
        check(
            "[%d/%b/%Y:%H:%M:%S %z]",
            "[17/Aug/2024:22:12:07 -0500]",
            Some("2024-08-18T03:12:07.000Z"),
        );
        check(
            "%Y-%m-%dT%H:%M:%S%z",
            "2024-08-18T05:12:07+02:00",
            Some("2024-08-18T03:12:07.000Z"),
        );
        check(
            "%FT%T",
            "2024-08-18T05:12:07",
            Some("2024-08-18T03:12:07.000Z"),
        );
        check("%s", "1723950727", Some("2024-08-18T03:12:07.000Z"));
    }

    #[test]
    fn impossible_times_are_refused() {
        check("%FT%T", "2024-02-30T05:12:07", None);
        check("%FT%T", "2024-02-03T25:12:07", None);
        check(
            "[%d/%b/%Y:%H:%M:%S %z]",
            "[18/Agu/2024:03:12:07 +0000]",
            None,
        );
        check("%s", "99999999999999999999", None);
        check("%s", "9223372036854775807", None);
    }

    #[test]
    fn an_unknown_conversion_is_not_guessed() {
        assert_eq!(strftime("%c"), None);
        assert_eq!(strftime("%"), None);
    }
}
