//! Instants as PagerDuty's clients write and read them.

use jiff::tz::{Offset, TimeZone};
use tocsin_domain::time::Timestamp;

/// ISO 8601 with an offset, also without its colon (`+0000`); without any offset it is UTC, and a date alone is its midnight.
/// Terraform's provider sends times of schedules as Go prints them.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    parse_in(text, &TimeZone::UTC)
}

/// The same, where a time without an offset is what the clocks of this zone show.
#[must_use]
pub fn parse_in(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    // A plus sign that was not encoded in an address arrives as a blank.
    let signed = text
        .rsplit_once(' ')
        .filter(|(begin, end)| begin.contains('T') && end.bytes().all(is_of_offset))
        .map(|(begin, end)| format!("{begin}+{end}"));
    let printed = printed_by_go(text).or(signed);
    let text = printed.as_deref().unwrap_or(text);
    let zoned = || format!("{}Z", text.replacen(' ', "T", 1));
    Timestamp::parse_rfc3339(text).or_else(|| {
        let shown = Timestamp::parse_rfc3339(&zoned())
            .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")));
        moved_to(shown?, zone)
    })
}

/// When the clocks of a zone show what those of UTC show at an instant. Where they are set forward over it, as if they were not yet;
/// where they show it twice, the first time.
fn moved_to(shown: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if *zone == TimeZone::UTC {
        return Some(shown);
    }
    let instant = jiff::Timestamp::from_microsecond(shown.as_micros()).ok()?;
    let civil = TimeZone::UTC.to_datetime(instant);
    let there = zone.to_ambiguous_zoned(civil).compatible().ok()?;
    Some(Timestamp::from_micros(there.timestamp().as_microsecond()))
}

/// `2026-01-05 08:00:00 +0000 UTC` as ISO 8601. The abbreviation of the zone says nothing that the offset does not.
fn printed_by_go(text: &str) -> Option<String> {
    let mut parts = text.split(' ');
    let (date, time, offset) = (parts.next()?, parts.next()?, parts.next()?);
    let zone = parts.next().unwrap_or_default();
    let is_of_zone = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-';
    let is_so =
        offset.starts_with(['+', '-']) && zone.bytes().all(is_of_zone) && parts.next().is_none();
    is_so.then(|| format!("{date}T{time}{offset}"))
}

const fn is_of_offset(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b':'
}

/// In UTC and whole seconds, as PagerDuty writes it: strict readers know no other form.
#[must_use]
pub fn written(at: Timestamp) -> String {
    let seconds = at.as_millis().div_euclid(1_000);
    match jiff::Timestamp::from_second(seconds) {
        Ok(instant) => in_utc(instant).unwrap_or_else(|| instant.to_string()),
        Err(_) => Timestamp::from_millis(seconds * 1_000).to_rfc3339(),
    }
}

/// Of a year that has four digits, put together by hand: each incident of a list says several.
fn in_utc(instant: jiff::Timestamp) -> Option<String> {
    let shown = Offset::UTC.to_datetime(instant);
    let year = u16::try_from(shown.year()).ok()?;
    let year = [
        u8::try_from(year / 100).ok()?,
        u8::try_from(year % 100).ok()?,
    ];
    let date = [shown.month(), shown.day()].map(i8::unsigned_abs);
    let time = [shown.hour(), shown.minute(), shown.second()].map(i8::unsigned_abs);
    let mut text = *b"0000-00-00T00:00:00Z";
    let places = [0, 2, 5, 8, 11, 14, 17];
    let pairs = year.into_iter().chain(date).chain(time);
    for (place, pair) in places.into_iter().zip(pairs) {
        text[place] += pair / 10;
        text[place + 1] += pair % 10;
    }
    str::from_utf8(&text).ok().map(str::to_owned)
}

/// The same by the clocks of a zone, with its offset then.
#[must_use]
pub fn written_in(at: Timestamp, zone: &TimeZone) -> String {
    if *zone == TimeZone::UTC {
        return written(at);
    }
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(instant) => {
            let shown = instant.to_zoned(zone.clone());
            shown.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        }
        Err(_) => written(at),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_zone_reads_what_says_no_offset_and_writes_its_own() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (text, expected) in [
            ("2026-07-06T09:00:00", "2026-07-06T09:00:00+02:00"),
            ("2026-01-06 09:00:00", "2026-01-06T09:00:00+01:00"),
            ("2026-07-06", "2026-07-06T00:00:00+02:00"),
            // What says an offset means it.
            ("2026-07-06T09:00:00Z", "2026-07-06T11:00:00+02:00"),
            ("2026-07-06T09:00:00-0500", "2026-07-06T16:00:00+02:00"),
            // An hour that no clock shows, and one that each shows twice.
            ("2026-03-29T02:30:00", "2026-03-29T03:30:00+02:00"),
            ("2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00"),
        ] {
            let read = parse_in(text, &paris).unwrap();
            assert_eq!(written_in(read, &paris), expected, "{text}");
        }
        let winter = parse("2026-01-06T09:00:00Z").unwrap();
        let london = TimeZone::get("Europe/London").unwrap();
        assert_eq!(written_in(winter, &london), "2026-01-06T09:00:00+00:00");
        assert_eq!(written_in(winter, &TimeZone::UTC), "2026-01-06T09:00:00Z");
        assert_eq!(parse_in("noon", &paris), None);
    }

    #[test]
    fn times_are_read_in_the_forms_that_clients_send() {
        for text in [
            "2024-08-18T03:12:07Z",
            "2024-08-18T03:12:07+00:00",
            "2024-08-18T03:12:07+0000",
            "2024-08-18T03:12:07 0000",
            "2024-08-18T05:12:07 02:00",
            "2024-08-18T05:12:07+02:00",
            "2024-08-18T03:12:07",
            "2024-08-18 03:12:07",
            "2024-08-18 03:12:07 +0000 UTC",
            "2024-08-18 05:12:07 +0200 CEST",
            "2024-08-18 05:12:07 +0200 +0200",
            "2024-08-18 03:12:07.25 +0000 UTC",
        ] {
            let read = parse(text).map(written);
            assert_eq!(read.as_deref(), Some("2024-08-18T03:12:07Z"), "{text}");
        }
        let day = parse("2024-08-18").map(written);
        assert_eq!(day.as_deref(), Some("2024-08-18T00:00:00Z"));
        for text in [
            "",
            "yesterday",
            "2024-08",
            "2024-13-01T00:00:00Z",
            " T 0",
            "2024-08-18 03:12:07 UTC +0000",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_to_the_second(seconds in 0_i64..4_102_444_800, rest in 0_i64..1_000) {
            let at = Timestamp::from_millis(seconds * 1_000 + rest);
            prop_assert_eq!(parse(&written(at)), Some(Timestamp::from_millis(seconds * 1_000)));
        }

        #[test]
        fn what_is_put_together_by_hand_is_as_the_library_writes_it(seconds in jiff::Timestamp::MIN.as_second()..=jiff::Timestamp::MAX.as_second()) {
            let instant = jiff::Timestamp::from_second(seconds).unwrap();
            let by_hand = in_utc(instant);
            prop_assert_eq!(by_hand.is_some(), seconds >= -62_167_219_200, "since the year 0");
            prop_assert_eq!(by_hand.unwrap_or_else(|| instant.to_string()), instant.to_string());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
