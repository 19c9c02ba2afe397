//! How long the answer of a server asks to be left alone. It keeps no time: a date is measured by the clock of whoever wrote it.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest wait that is read from an answer: a day.
const RETRY_AFTER_S_MAX: u64 = 86_400;
/// The only zone of a date in HTTP.
const ZONE: &str = " GMT";

/// `Retry-After`, in seconds or as a date.
pub(super) fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let asked = text(headers, RETRY_AFTER)?;
    let seconds = match asked.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => seconds_until(asked, headers)?,
    };
    Some(seconds.min(RETRY_AFTER_S_MAX) * 1_000)
}

/// From when the answer was written to that date, both by the clock of the server: nobody knows how far ours is from it.
fn seconds_until(date: &str, headers: &HeaderMap) -> Option<u64> {
    let (then, now) = (date_of(date)?, date_of(text(headers, DATE)?)?);
    let seconds = then.as_second().saturating_sub(now.as_second());
    // What is over already asks for no wait.
    Some(u64::try_from(seconds).unwrap_or_default())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// A date as every server has to write it: `Sun, 06 Nov 1994 08:49:37 GMT`. The two forms of before are not read.
fn date_of(text: &str) -> Option<Timestamp> {
    let text = text.ends_with(ZONE).then_some(text)?;
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    const DATE_OF_ANSWER: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[track_caller]
    fn check(asked: Option<&'static str>, date: Option<&'static str>, expected_s: Option<u64>) {
        let mut headers = HeaderMap::new();
        for (name, value) in [(RETRY_AFTER, asked), (DATE, date)] {
            headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
        }
        let expected = expected_s.map(|seconds| seconds * 1_000);
        assert_eq!(retry_after_ms(&headers), expected, "{asked:?} {date:?}");
    }

    #[test]
    fn a_wait_in_seconds_is_read_up_to_a_day() {
        check(None, None, None);
        check(Some("30"), None, Some(30));
        check(Some(" 0 "), None, Some(0));
        check(Some("86401"), None, Some(86_400));
        check(Some("-1"), None, None);
        check(Some("soon"), None, None);
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_the_answer_up_to_a_day() {
        let date = Some(DATE_OF_ANSWER);
        check(Some("Sun, 06 Nov 1994 08:50:07 GMT"), date, Some(30));
        check(Some("Mon, 07 Nov 1994 00:00:00 GMT"), date, Some(54_623));
        check(date, date, Some(0));
        check(Some("Sun, 06 Nov 1994 08:49:00 GMT"), date, Some(0));
        check(Some("Thu, 30 Dec 9999 00:00:00 GMT"), date, Some(86_400));
    }

    #[test]
    fn a_date_without_that_of_the_answer_or_in_another_form_is_not_read() {
        let (date, later) = (Some(DATE_OF_ANSWER), "Sun, 06 Nov 1994 08:50:07 GMT");
        check(Some(later), None, None);
        check(Some(later), Some("now"), None);
        for other in [
            "Sunday, 06-Nov-94 08:50:07 GMT",
            "Sun Nov  6 08:50:07 1994",
            "Sun, 06 Nov 1994 08:50:07 +0000",
            "Mon, 06 Nov 1994 08:50:07 GMT",
            "Sun, 36 Nov 1994 08:50:07 GMT",
            "1994-11-06T08:50:07Z",
            " GMT",
        ] {
            check(Some(other), date, None);
        }
    }
}
