//! Durations as Prometheus writes them: `1d12h`, `30s`, `0`. It knows no clock.

/// Units from the longest on, in milliseconds. A year has 365 days.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a duration, in milliseconds.
///
/// # Errors
/// What is wrong, what was expected.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "{text:?} is no duration; expected numbers with units, the longest unit first, such as 30s, 5m or 1h30m"
        )
    };
    if text == "0" {
        return Ok(0);
    }
    let mut rest = text;
    let mut next_unit = 0;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest
            .find(|one: char| !one.is_ascii_digit())
            .ok_or_else(wrong)?;
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let length = rest
            .find(|one: char| !one.is_ascii_lowercase())
            .unwrap_or(rest.len());
        let unit = UNITS
            .iter()
            .position(|(name, _)| *name == &rest[..length])
            .filter(|at| *at >= next_unit)
            .ok_or_else(wrong)?;
        next_unit = unit + 1;
        total = count
            .checked_mul(UNITS[unit].1)
            .and_then(|ms| total.checked_add(ms))
            // As long as Prometheus can count, in nanoseconds.
            .filter(|ms| *ms <= i64::MAX.unsigned_abs() / 1_000_000)
            .ok_or_else(|| format!("{text:?} is too long a duration"))?;
        rest = &rest[length..];
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("15s", 15_000),
            ("1h30m", 5_400_000),
            ("1d12h", 129_600_000),
            ("1y", 31_536_000_000),
            ("324ms", 324),
            ("1w2d3h4m5s6ms", 788_645_006),
        ] {
            assert_eq!(parse(text), Ok(ms), "{text}");
        }
        for text in [
            "",
            "1",
            "5",
            "-5m",
            "1.5h",
            "30s1m",
            "1m1m",
            " 5m",
            "5 m",
            "1M",
            "m",
            "5mm",
            "99999999999y",
            "1d-5m",
            "１m",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
