//! Instants as Go's clients write them; the zero time, which stands for none, is told apart.

use tocsin_domain::time::Timestamp;

/// Digits of a fraction of a second that are read.
const FRACTION_DIGITS_MAX: usize = 9;

/// The last instant that is told apart: 9999-12-30T00:00:00Z, which can be written in every zone.
const LATEST: Timestamp = Timestamp::from_micros(253_402_128_000_000_000);

/// Whether it is Go's zero time: the first instant of the year 1.
#[must_use]
pub const fn is_zero(at: Timestamp) -> bool {
    at.as_micros() == -62_135_596_800_000_000
}

/// Reads `2006-01-02T15:04:05.999999999Z07:00`; `None` when it is not that. What is finer than a microsecond is cut off.
///
/// As in go-openapi, an offset may stand without its colon, and without any the time is UTC.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let (time, rest) = rest.split_at_checked(9)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return None;
    };
    let [b'T' | b't', h1, h2, b':', n1, n2, b':', s1, s2] = time else {
        return None;
    };
    let year = i16::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?;
    let (month, day) = (two(*m1, *m2)?, two(*d1, *d2)?);
    let (hour, minute, second) = (two(*h1, *h2)?, two(*n1, *n2)?, two(*s1, *s2)?);
    let (micros, rest) = fraction(rest)?;
    let offset_s = offset(rest)?;
    let civil = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let epoch = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let seconds = civil.duration_since(epoch).as_secs() - i64::from(offset_s);
    let at = Timestamp::from_micros(seconds * 1_000_000 + micros);
    Some(at.min(LATEST))
}

fn digit(byte: u8) -> Option<i32> {
    byte.is_ascii_digit().then(|| i32::from(byte - b'0'))
}

fn number(digits: &[u8]) -> Option<i32> {
    digits
        .iter()
        .try_fold(0, |sum, byte| Some(sum * 10 + digit(*byte)?))
}

fn two(tens: u8, ones: u8) -> Option<i8> {
    i8::try_from(number(&[tens, ones])?).ok()
}

/// The microseconds of a fraction, if there is one, and what stands after it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', rest)) = text.split_first() else {
        return Some((0, text));
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > FRACTION_DIGITS_MAX {
        return None;
    }
    let (digits, rest) = rest.split_at(count);
    let micros = (0..6).try_fold(0, |sum, index| {
        let next = digits.get(index).copied().unwrap_or(b'0');
        Some(sum * 10 + i64::from(digit(next)?))
    })?;
    Some((micros, rest))
}

/// Seconds that are east of UTC.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, hours, minutes) = match text {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => {
            (sign, two(*h1, *h2)?, two(*m1, *m2)?)
        }
        _ => return None,
    };
    let east = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let valid = (0..=23).contains(&hours) && (0..=59).contains(&minutes);
    valid.then(|| east * (i32::from(hours) * 3_600 + i32::from(minutes) * 60))
}

/// Reads a time of JSON: none for `null`, for empty text and for the zero time.
pub(super) fn optional<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let text = <Option<String> as serde::Deserialize>::deserialize(deserializer)?;
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let read = parse_time(&text).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        serde::de::Error::custom(format_args!("parsing time {shown:?} as RFC 3339 failed"))
    })?;
    Ok(Some(read).filter(|read| !is_zero(*read)))
}
