//! Durations as Prometheus writes them (`1h30m`), read and printed; it knows no expression.

use std::fmt::Write;

use crate::error::ParseError;

/// Units from large to small, with their milliseconds. A year has 365 days.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Nanoseconds are what Prometheus counts durations in, 63 bits of them: what would not fit there is refused here too.
const MILLIS_MAX: i64 = i64::MAX / 1_000_000;

/// Reads a duration such as `5m` or `1h30m` or `0`: whole numbers with units from large to small, each unit once.
/// Gives milliseconds.
///
/// # Errors
/// When it is none, or longer than some 292 years.
pub fn parse_duration(text: &str) -> Result<i64, ParseError> {
    let bad = || ParseError::syntax(format!("{text:?} is no duration such as 5m or 1h30m"));
    if text == "0" {
        return Ok(0);
    }
    if text.is_empty() {
        return Err(bad());
    }
    let mut total_ms: i64 = 0;
    let mut units = UNITS.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|end| *end > 0)
            .ok_or_else(bad)?;
        let after = &rest[digits..];
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (_, unit_ms) = units
            .find(|(name, _)| *name == &after[..letters])
            .ok_or_else(bad)?;
        let count: i64 = rest[..digits].parse().map_err(|_| too_long(text))?;
        total_ms = count
            .checked_mul(*unit_ms)
            .and_then(|part_ms| total_ms.checked_add(part_ms))
            .filter(|ms| *ms <= MILLIS_MAX)
            .ok_or_else(|| too_long(text))?;
        rest = &after[letters..];
    }
    Ok(total_ms)
}

fn too_long(text: &str) -> ParseError {
    ParseError::syntax(format!("the duration {text:?} is longer than 292 years"))
}

/// Writes milliseconds as a duration: `1h30m`, `90d`, `0s`. Years and weeks are used only where nothing is left over,
/// because `90d` reads more easily than `12w6d`. A negative duration has its sign in front.
#[must_use]
pub fn format_duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    if ms < 0 {
        text.push('-');
    }
    let mut left = ms.unsigned_abs();
    for (unit, unit_ms) in UNITS {
        let unit_ms = unit_ms.unsigned_abs();
        let only_whole = matches!(unit, "y" | "w");
        if left < unit_ms || (only_whole && !left.is_multiple_of(unit_ms)) {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{unit}", left / unit_ms);
        left %= unit_ms;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(parse_duration(text).ok(), expected, "{text:?}");
        };
        check("0", Some(0));
        check("0w", Some(0));
        check("324ms", Some(324));
        check("5m", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("4d1h", Some(97 * 3_600_000));
        check("10y", Some(10 * 365 * 86_400_000));
        check("292y", Some(292 * 365 * 86_400_000));
        for bad in [
            "",
            "1",
            "-1w",
            "1.5d",
            "d",
            "1d1w",
            "1d1d",
            "1m 3s",
            "5mm",
            "é",
            "1é",
            "294y",
            "99999999999999999999s",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn durations_are_printed_as_prometheus_prints_them() {
        let check = |ms: i64, expected: &str| assert_eq!(format_duration(ms), expected);
        check(0, "0s");
        check(5_400_000, "1h30m");
        check(90 * 86_400_000, "90d");
        check(14 * 86_400_000, "2w");
        check(365 * 86_400_000, "1y");
        check(366 * 86_400_000, "366d");
        check(1_001, "1s1ms");
        check(-300_000, "-5m");
        check(i64::MIN, "-106751991167d7h12m55s808ms");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(ms in 0..=MILLIS_MAX) {
            prop_assert_eq!(parse_duration(&format_duration(ms)), Ok(ms));
        }

        #[test]
        fn any_text_is_a_duration_or_refused(text: String) {
            let _ = parse_duration(&text);
        }
    }
}
