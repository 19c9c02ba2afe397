//! Instants as milliseconds since 1970 UTC, read from the clock or from RFC 3339 text; it knows no time zone but UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type Millis = i64;

pub(crate) fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds between two instants, for showing.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans of a drill are far below 2^52 ms"
)]
pub(crate) fn seconds_between(from: Millis, to: Millis) -> f64 {
    (to - from) as f64 / 1_000.0
}

/// Reads `2026-11-23T07:12:58.123Z`; the fraction may have any length, the zone must be `Z`.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = three(date, '-')?;
    let [hour, minute, second] = three(clock, ':')?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let days = days_since_1970(year, month, day);
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + thousandths)
}

/// Writes what `parse` reads.
pub(crate) fn show(at: Millis) -> String {
    let (day, rest) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    let (year, month, date) = civil(day);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!(
        "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        rest % 1_000
    )
}

fn three(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<i64>().ok());
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// Days from 1970-01-01 to a civil date; years are counted from March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

/// The civil date of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days.div_euclid(366);
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while days_since_1970(year, month, 1) > days {
        month -= 1;
    }
    (year, month, days - days_since_1970(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Millis>) {
        assert_eq!(parse(text), expected, "{text}");
        if let Some(at) = expected {
            assert_eq!(parse(&show(at)), Some(at), "{text} read again");
        }
    }

    #[test]
    fn instants_are_read_from_rfc_3339() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2000-02-29T12:00:00.5Z", Some(951_825_600_500));
        check("2024-08-18T03:12:00.123456Z", Some(1_723_950_720_123));
        check("2026-12-31T23:59:59.999Z", Some(1_798_761_599_999));
    }

    #[test]
    fn what_is_not_an_instant_in_utc_is_refused() {
        for text in [
            "",
            "2024-08-18",
            "2024-08-18T03:12:00+02:00",
            "2024-08-18T03:12Z",
            "2024-08-18T03:12:00.xZ",
        ] {
            check(text, None);
        }
    }
}
