//! What a person types: ids, numbers, names, times. It asks the server only for lists in which to find a name.

use jiff::civil::DateTime;
use jiff::{Span, Timestamp, Zoned};
use serde::de::DeserializeOwned;

use super::api::Api;
use super::failure::Failure;
use super::look::Look;
use super::plain::Plain;
use super::shape::List;

/// Pages of a list that are read to find a name.
const PAGES_MAX: usize = 50;
/// Items of such a page.
const PAGE_ITEMS: usize = 200;
/// Characters of an id at most.
const ID_CHARS_MAX: usize = 64;
/// Names suggested at most.
const SUGGESTED_MAX: usize = 10;

/// Which page of a list.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Paging {
    /// Items at most, 1 to 200
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200))]
    limit: u8,
    /// Where the page before ended, as it said
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Paging {
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let cursor = self.cursor.iter().map(|cursor| ("cursor", cursor.clone()));
        std::iter::once(("limit", self.limit.to_string()))
            .chain(cursor)
            .collect()
    }
}

/// The query of a list that is short enough to come whole.
pub(super) fn whole() -> [(&'static str, String); 1] {
    [("limit", PAGE_ITEMS.to_string())]
}

/// Reads an incident's number (`12`, `#12`) or id.
pub(super) fn incident(text: &str) -> Result<String, String> {
    let text = text.trim();
    let number = text.strip_prefix('#').unwrap_or(text);
    if !number.is_empty() && number.len() <= 19 && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Ok(number.to_owned());
    }
    id(text).map_err(|_| "expected the number of an incident, such as 12, or its id".to_owned())
}

/// Reads an id.
pub(super) fn id(text: &str) -> Result<String, String> {
    let text = text.trim();
    let good = (1..=ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if good {
        Ok(text.to_owned())
    } else {
        Err("expected an id such as QABCDEFGHIJKL2".to_owned())
    }
}

/// Reads a time span (`90s`, `45m`, `2h30m`, `7d`).
pub(super) fn span(text: &str) -> Result<Span, String> {
    let wrong = || "expected a time span such as 45m, 2h30m or 7d".to_owned();
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    if span.is_positive() {
        Ok(span)
    } else {
        Err(wrong())
    }
}

/// When a span that begins at `from` ends, by the reader's calendar.
pub(super) fn end_of(span: Span, from: Timestamp, look: &Look) -> Result<Timestamp, Failure> {
    let end = from.to_zoned(look.zone.clone()).checked_add(span);
    end.map(|end| end.timestamp())
        .map_err(|_| Failure::Usage("the time span is too long".to_owned()))
}

/// Reads an instant: with an offset (`2026-11-23T07:12:58Z`), by the reader's clock (`2026-11-23 08:12`), or `now`.
pub(super) fn instant(text: &str, look: &Look) -> Result<Timestamp, Failure> {
    let text = text.trim();
    if text == "now" {
        return Ok(look.now);
    }
    let local = || -> Option<Zoned> {
        text.parse::<DateTime>()
            .ok()?
            .to_zoned(look.zone.clone())
            .ok()
    };
    text.parse()
        .ok()
        .or_else(|| local().map(|local| local.timestamp()))
        .ok_or_else(|| {
            let given = Plain::new(text);
            Failure::Usage(format!(
                "“{given}” is no time; expected now, \"2026-11-23 08:12\" or 2026-11-23T07:12:58Z"
            ))
        })
}

/// Writes an instant as the API takes it.
pub(super) fn wire(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A list to its end.
pub(super) fn all<T: DeserializeOwned>(api: &Api, path: &[&str]) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    let mut query = whole().to_vec();
    for _ in 0..PAGES_MAX {
        let page: List<T> = api.get(path, &query)?.parsed()?;
        all.extend(page.items);
        let Some(cursor) = page.next_cursor else {
            break;
        };
        query = [whole().to_vec(), vec![("cursor", cursor.to_string())]].concat();
    }
    Ok(all)
}

/// The one that is meant: by its id, or by a name that only one has, in any case of letters.
pub(super) fn choose<T>(
    all: Vec<T>,
    noun: &str,
    given: &str,
    id: impl Fn(&T) -> &Plain,
    names: impl Fn(&T) -> Vec<&Plain>,
) -> Result<T, Failure> {
    let given = given.trim();
    let is_meant = |one: &T| {
        id(one).as_str() == given
            || names(one)
                .iter()
                .any(|name| name.as_str().to_lowercase() == given.to_lowercase())
    };
    let known = suggestions(&all, &names);
    let mut meant: Vec<T> = all.into_iter().filter(is_meant).collect();
    if meant.len() > 1 {
        let ids: Vec<&str> = meant.iter().map(|one| id(one).as_str()).collect();
        return Err(several(noun, given, &ids));
    }
    let given = Plain::new(given);
    meant
        .pop()
        .ok_or_else(|| Failure::Refused(format!("there is no {noun} “{given}”; {known}")))
}

/// Nobody knows which of these is meant.
pub(super) fn several(noun: &str, given: &str, ids: &[&str]) -> Failure {
    let given = Plain::new(given.trim());
    Failure::Refused(format!(
        "several are called {noun} “{given}”; name one by its id: {}",
        ids.join(", ")
    ))
}

fn suggestions<T>(all: &[T], names: &impl Fn(&T) -> Vec<&Plain>) -> String {
    let known: Vec<&str> = all
        .iter()
        .filter_map(|one| names(one).first().map(|name| name.as_str()))
        .collect();
    match known.len() {
        0 => "there are none at all".to_owned(),
        1..=SUGGESTED_MAX => format!("there is: {}", known.join(", ")),
        count => format!(
            "there are {count}, among them: {}",
            known[..SUGGESTED_MAX].join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_named_by_number_or_id() {
        for (given, expected) in [
            ("12", Some("12")),
            ("#12", Some("12")),
            (" 7 ", Some("7")),
            ("QABCDEFGHIJKL2", Some("QABCDEFGHIJKL2")),
            ("", None),
            ("#", None),
            ("..", None),
            ("1/2", None),
            ("12\u{1b}", None),
        ] {
            assert_eq!(incident(given).ok().as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn times_are_read_by_the_readers_clock() {
        let look = Look::of_test();
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(
                instant(given, &look).ok().map(wire).as_deref(),
                expected,
                "{given}"
            );
        };
        check("now", Some("2026-11-23T07:15:58.000Z"));
        check("2026-11-23 08:12", Some("2026-11-23T07:12:00.000Z"));
        check("2026-11-23T08:12:30", Some("2026-11-23T07:12:30.000Z"));
        check("2026-11-23T07:12:58.5Z", Some("2026-11-23T07:12:58.500Z"));
        check(
            "2026-11-23T09:12:58+02:00",
            Some("2026-11-23T07:12:58.000Z"),
        );
        check("tomorrow", None);
    }

    #[test]
    fn spans_are_read_and_added_by_the_calendar() {
        let look = Look::of_test();
        let check = |given: &str, expected: Option<&str>| {
            let end = span(given)
                .ok()
                .and_then(|span| end_of(span, look.now, &look).ok());
            assert_eq!(end.map(wire).as_deref(), expected, "{given}");
        };
        check("45m", Some("2026-11-23T08:00:58.000Z"));
        check("2h30m", Some("2026-11-23T09:45:58.000Z"));
        check("7d", Some("2026-11-30T07:15:58.000Z"));
        check("0s", None);
        check("-5m", None);
        check("5", None);
        check("9999y", None);
    }

    #[test]
    fn a_name_is_found_when_only_one_has_it() {
        let all = || {
            vec![
                ("Q1", "web-01"),
                ("Q2", "web-02"),
                ("Q3", "twin"),
                ("Q4", "Twin"),
            ]
        };
        let check = |given: &str, expected: Result<&str, &str>| {
            let all = all()
                .into_iter()
                .map(|(id, name)| (Plain::new(id), Plain::new(name)))
                .collect();
            let chosen = choose(
                all,
                "target",
                given,
                |one: &(Plain, Plain)| &one.0,
                |one| vec![&one.1],
            );
            let chosen = chosen
                .map(|one| one.0.to_string())
                .map_err(|failure| failure.to_string());
            assert_eq!(chosen.as_deref().map_err(String::as_str), expected);
        };
        check("Q2", Ok("Q2"));
        check("WEB-01", Ok("Q1"));
        check(
            "twin",
            Err("several are called target “twin”; name one by its id: Q3, Q4"),
        );
        check(
            "db\u{1b}",
            Err("there is no target “db”; there is: web-01, web-02, twin, Twin"),
        );
    }
}
