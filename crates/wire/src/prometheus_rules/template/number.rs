//! Numbers as Go writes them, and as people read them. It knows no template.

/// `%v` of a float: the fewest digits that name it, with an exponent from a million on and below 0.0001.
pub(super) fn shortest(value: f64) -> String {
    general(value, None)
}

/// `%g` with this many digits at most; with as few as name the number when none is given.
pub(super) fn general(value: f64, precision: Option<usize>) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    let precision = precision.map(|one| one.max(1));
    let (digits, exponent) = decimal(value, precision);
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let limit = match precision {
        // As Go does for %v and %g without a precision.
        None => 6,
        Some(precision) => {
            let precision = i64::try_from(precision).unwrap_or(i64::MAX);
            if precision > count && count > exponent {
                count
            } else {
                precision
            }
        }
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if exponent < -4 || exponent >= limit {
        return format!("{sign}{}", scientific(&digits, exponent));
    }
    format!("{sign}{}", plain(&digits, exponent))
}

/// `%e` with this many digits behind the point.
pub(super) fn exponential(value: f64, precision: usize) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!(
        "{mantissa}e{}",
        exponent_text(exponent.parse().unwrap_or(0))
    )
}

/// `%f` with this many digits behind the point.
pub(super) fn fixed(value: f64, precision: usize) -> String {
    not_finite(value).map_or_else(|| format!("{value:.precision$}"), str::to_owned)
}

fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("+Inf")
    } else if value == f64::NEG_INFINITY {
        Some("-Inf")
    } else {
        None
    }
}

/// Digits without zeros at the end, and the exponent of the first.
fn decimal(value: f64, precision: Option<usize>) -> (String, i64) {
    let value = value.abs();
    let text = match precision {
        None => format!("{value:e}"),
        Some(precision) => format!("{value:.*e}", precision - 1),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    (digits.to_owned(), exponent.parse().unwrap_or(0))
}

fn scientific(digits: &str, exponent: i64) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}e{}", exponent_text(exponent))
}

fn exponent_text(exponent: i64) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{:02}", exponent.unsigned_abs())
}

fn plain(digits: &str, exponent: i64) -> String {
    let Ok(whole) = usize::try_from(exponent) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    };
    let whole = whole + 1;
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

fn four(value: f64) -> String {
    general(value, Some(4))
}

/// `1234567` as `1.235M`.
pub(super) fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four(value);
    }
    if value.abs() >= 1.0 {
        return scaled(value, 1_000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"]);
    }
    small(value)
}

/// `1048576` as `1Mi`.
pub(super) fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    let prefixes = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    scaled(value, 1_024.0, &prefixes)
}

/// `0.25` as `25%`.
pub(super) fn humanize_percentage(value: f64) -> String {
    format!("{}%", four(value * 100.0))
}

/// `3661` as `1h 1m 1s`.
pub(super) fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value == 0.0 {
        return format!("{}s", four(value));
    }
    if value.abs() < 1.0 {
        return format!("{}s", small(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds are wanted; beyond the range they saturate"
    )]
    let whole = value as u64;
    let (days, hours, minutes, seconds) = (
        whole / 86_400,
        whole / 3_600 % 24,
        whole / 60 % 60,
        whole % 60,
    );
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four(value)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        (_, _, _) => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// Seconds since the epoch as Go prints an instant of UTC.
pub(super) fn humanize_timestamp(value: f64) -> Option<String> {
    if !value.is_finite() {
        return Some(four(value));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is beyond the range saturates and is refused below"
    )]
    let millis = (value * 1_000.0) as i64;
    let instant = jiff::Timestamp::from_millisecond(millis).ok()?;
    let text = instant.to_string();
    let text = text.strip_suffix('Z').unwrap_or(&text).replace('T', " ");
    Some(format!("{text} +0000 UTC"))
}

fn scaled(mut value: f64, by: f64, prefixes: &[&str]) -> String {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < by {
            break;
        }
        prefix = next;
        value /= by;
    }
    format!("{}{prefix}", four(value))
}

fn small(mut value: f64) -> String {
    let mut prefix = "";
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1_000.0;
    }
    format!("{}{prefix}", four(value))
}
