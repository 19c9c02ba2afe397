//! Durations, sizes and file patterns as Prometheus writes them; it knows no key of the configuration.

use std::fmt;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

const MS_PER_SECOND: u64 = 1_000;
const MS_PER_MINUTE: u64 = 60 * MS_PER_SECOND;
const MS_PER_HOUR: u64 = 60 * MS_PER_MINUTE;
const MS_PER_DAY: u64 = 24 * MS_PER_HOUR;
const MS_PER_WEEK: u64 = 7 * MS_PER_DAY;
const MS_PER_YEAR: u64 = 365 * MS_PER_DAY;

/// Units from the largest; each may stand once, in this order.
const UNITS: [(&str, u64); 7] = [
    ("y", MS_PER_YEAR),
    ("w", MS_PER_WEEK),
    ("d", MS_PER_DAY),
    ("h", MS_PER_HOUR),
    ("m", MS_PER_MINUTE),
    ("s", MS_PER_SECOND),
    ("ms", 1),
];

/// A span of time as Prometheus writes it: `15s`, `1h30m`, `500ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    /// Milliseconds; no more than fit a signed 64-bit number.
    pub ms: u64,
}

impl Duration {
    /// That many milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self { ms }
    }

    /// That many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self {
            ms: seconds * MS_PER_SECOND,
        }
    }

    /// Reads one; none when the text is no duration.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self::default());
        }
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut ms = 0_u64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count: u64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
            let (_, each) = units.find(|(unit, _)| *unit == &rest[..letters])?;
            rest = &rest[letters..];
            ms = ms.checked_add(count.checked_mul(*each)?)?;
        }
        let fits = !text.is_empty() && i64::try_from(ms).is_ok();
        fits.then_some(Self { ms })
    }
}

impl fmt::Display for Duration {
    /// The shortest exact text: years and weeks only where nothing is left over.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ms == 0 {
            return formatter.write_str("0s");
        }
        let mut left = self.ms;
        for (unit, each) in UNITS {
            let exact_only = each >= MS_PER_WEEK;
            if left < each || (exact_only && !left.is_multiple_of(each)) {
                continue;
            }
            write!(formatter, "{}{unit}", left / each)?;
            left %= each;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no duration; expected a number with its unit, such as 15s or 1h30m"
            ))
        })
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A size in bytes as Prometheus writes it: `512KB`, `50MiB`; both kinds of units mean powers of 1,024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl Size {
    fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self(0));
        }
        let split = text
            .find(|symbol: char| !symbol.is_ascii_digit() && symbol != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let power = match unit {
            "B" => 0,
            "KB" | "KiB" => 1,
            "MB" | "MiB" => 2,
            "GB" | "GiB" => 3,
            "TB" | "TiB" => 4,
            "PB" | "PiB" => 5,
            _ => return None,
        };
        let each = 1_u64 << (10 * power);
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let whole: u64 = whole.parse().ok()?;
        // Three digits behind the point are more than anybody writes.
        let thousandths: u64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
        whole
            .checked_mul(each)?
            .checked_add(each.saturating_mul(thousandths) / 1_000)
            .map(Self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no size; expected a number with its unit, such as 50MB"
            ))
        })
    }
}

/// Whether a file's name fits a pattern in which `*` stands for any characters and `?` for one.
#[must_use]
pub fn matches_glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Where to go on when what follows the last star did not fit: one character further.
    let mut retry: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, in_name));
                at += 1;
            }
            Some(symbol) if *symbol == '?' || *symbol == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            Some(_) | None => {
                let Some((after_star, from)) = retry else {
                    return false;
                };
                retry = Some((after_star, from + 1));
                at = after_star;
                in_name = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|symbol| *symbol == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_and_written_as_prometheus_does() {
        let check = |text: &str, ms: Option<u64>, shown: &str| {
            let read = Duration::parse(text);
            assert_eq!(read.map(|one| one.ms), ms, "{text}");
            if let Some(read) = read {
                assert_eq!(read.to_string(), shown, "{text}");
            }
        };
        check("15s", Some(15_000), "15s");
        check("1m30s", Some(90_000), "1m30s");
        check("90s", Some(90_000), "1m30s");
        check("1d", Some(86_400_000), "1d");
        check("7d", Some(604_800_000), "1w");
        check("8d", Some(691_200_000), "8d");
        check("1y", Some(31_536_000_000), "1y");
        check("500ms", Some(500), "500ms");
        check("0", Some(0), "0s");
        check("0s", Some(0), "0s");
        for wrong in [
            "",
            "15",
            "s",
            "1.5s",
            "-1s",
            "1s1m",
            "1s1s",
            "1 s",
            "1µs",
            "99999999999y",
            "1S",
        ] {
            check(wrong, None, "");
        }
    }

    #[test]
    fn a_size_has_a_unit_and_both_kinds_mean_powers_of_1024() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(Size::parse(text).map(|size| size.0), expected, "{text}");
        };
        check("0", Some(0));
        check("10B", Some(10));
        check("50MB", Some(50 << 20));
        check("50MiB", Some(50 << 20));
        check("1.5KB", Some(1_536));
        for wrong in [
            "",
            "10",
            "MB",
            "1e3B",
            "10mb",
            "-1B",
            "99999999999999PB",
            "1.2.3KB",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_star_stands_for_any_characters_of_one_name() {
        for (pattern, name, expected) in [
            ("*.json", "a.json", true),
            ("*.json", "a.yml", false),
            ("targets-*.yml", "targets-.yml", true),
            ("a*b*c", "aXbbYc", true),
            ("a*b*c", "aXbbY", false),
            ("plain.yml", "plain.yml", true),
            ("?.yml", "a.yml", true),
            ("", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches_glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
