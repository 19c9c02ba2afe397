//! Numbers as Prometheus reads and writes them in text; it knows no line and no label.

/// The NaN that stands for every NaN in text; the one that ends a series is another and has no text.
pub(super) const NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// Milliseconds since the epoch up to which a float counts them exactly.
const EXACT_MS_MAX: f64 = 9_007_199_254_740_992.0;

/// Powers of ten that are written without an exponent.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -4..6;

/// Reads a float; nothing when it is none, or too large for one.
pub(super) fn float(word: &str) -> Option<f64> {
    let value: f64 = word.parse().ok()?;
    if value.is_nan() {
        return Some(f64::from_bits(NAN_BITS));
    }
    // `1e999` is no infinity, `Inf` is.
    let is_named = word.contains(['i', 'I']);
    (value.is_finite() || is_named).then_some(value)
}

/// Reads seconds since the epoch as milliseconds.
pub(super) fn seconds_as_ms(word: &str) -> Option<i64> {
    let ms = (float(word)? * 1_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole and in range by then"
    )]
    (ms.abs() <= EXACT_MS_MAX).then_some(ms as i64)
}

/// Writes a float with as few digits as tell it apart, with an exponent below 0.0001 and from a million on.
pub(super) fn shortest(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !PLAIN_EXPONENTS.contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        Ok(_) | Err(_) => format!("{value}"),
    }
}

/// Writes the bound of a bucket or a quantile, which always shows that it is a float (OpenMetrics 1.0, "Canonical Numbers").
pub(super) fn bound(value: f64) -> String {
    let mut text = shortest(value);
    if value.is_finite() && !text.contains(['e', '.']) {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_prometheus_writes_them() {
        let check = |value: f64, short: &str, as_bound: &str| {
            assert_eq!(
                (shortest(value).as_str(), bound(value).as_str()),
                (short, as_bound)
            );
            assert_eq!(float(short).map(f64::to_bits), Some(value.to_bits()));
        };
        check(0.0, "0", "0.0");
        check(-0.0, "-0", "-0.0");
        check(1.0, "1", "1.0");
        check(0.25, "0.25", "0.25");
        check(123_456.0, "123456", "123456.0");
        check(999_999.5, "999999.5", "999999.5");
        check(1_000_000.0, "1e+06", "1e+06");
        check(1_234_567.0, "1.234567e+06", "1.234567e+06");
        check(0.0001, "0.0001", "0.0001");
        check(0.000_01, "1e-05", "1e-05");
        check(4.9351e-5, "4.9351e-05", "4.9351e-05");
        check(1e100, "1e+100", "1e+100");
        check(5e-324, "5e-324", "5e-324");
        check(f64::INFINITY, "+Inf", "+Inf");
        check(f64::NEG_INFINITY, "-Inf", "-Inf");
        check(f64::from_bits(NAN_BITS), "NaN", "NaN");
    }

    #[test]
    fn words_that_are_no_floats_are_told_from_those_that_are() {
        for (word, expected) in [
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("+1e3", Some(1000.0)),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e999", None),
            ("-1e999", None),
            ("1_000", None),
            ("0x1p-3", None),
            ("0x10", None),
            ("true", None),
            ("", None),
            (" 1", None),
        ] {
            assert_eq!(float(word), expected, "{word}");
        }
    }

    #[test]
    fn seconds_become_the_nearest_millisecond() {
        for (word, expected) in [
            ("1520879607.789", Some(1_520_879_607_789)),
            ("0.0004", Some(0)),
            ("-1.5", Some(-1_500)),
            ("1e10", Some(10_000_000_000_000)),
            ("1e30", None),
            ("NaN", None),
            ("-Inf", None),
        ] {
            assert_eq!(seconds_as_ms(word), expected, "{word}");
        }
    }
}
