//! The parameters of a request: after the question mark and, of a POST, in its form. It knows what they look like and not what
//! they are for.

use axum::extract::{FromRequest, Request};
use axum::http::{Method, header};
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Matcher, parse_duration, parse_selector};

use super::refusal::Refusal;
use crate::http::body;

/// Bytes of a form at most.
const FORM_BYTES_MAX: usize = 1024 * 1024;
/// Parameters of one request at most.
const PARAMETERS_MAX: usize = 1_024;
/// The first and the last instant there is, as clients of Prometheus spell them: they have years of more than four digits.
const EARLIEST: &str = "-292273086-05-16T16:47:06Z";
const LATEST: &str = "292277025-08-18T07:12:54.999999999Z";
/// Seconds beyond which an instant or a duration is no count of milliseconds any more.
const SECONDS_MAX: f64 = 9.2e15;

/// Names and values as they came; a form's stand before those of the address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Sync> FromRequest<S> for Parameters {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let mut found = Vec::new();
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let is_form = kind.is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
        if parts.method == Method::POST && is_form {
            let bytes = body::read(&parts.headers, content, FORM_BYTES_MAX).await?;
            read_into(&mut found, &bytes);
        }
        read_into(&mut found, parts.uri.query().unwrap_or_default().as_bytes());
        if found.len() > PARAMETERS_MAX {
            return Err(Refusal::bad(format!(
                "more than {PARAMETERS_MAX} parameters"
            )));
        }
        Ok(Self(found))
    }
}

fn read_into(found: &mut Vec<(String, String)>, encoded: &[u8]) {
    let pairs = form_urlencoded::parse(encoded).take(PARAMETERS_MAX + 1);
    found.extend(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())));
}

impl Parameters {
    #[cfg(test)]
    pub(crate) fn of(query: &str) -> Self {
        let mut found = Vec::new();
        read_into(&mut found, query.as_bytes());
        Self(found)
    }

    /// The first value of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first value of this name that is not empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All values of this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// All names and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// An instant, milliseconds; `default` when none is given.
    pub(crate) fn instant(&self, name: &str, default: i64) -> Result<i64, Refusal> {
        let Some(text) = self.given(name) else {
            return Ok(default);
        };
        parse_instant(text).ok_or_else(|| {
            Refusal::parameter(
                name,
                format_args!("{text:?} is neither seconds since 1970 nor an RFC 3339 time"),
            )
        })
    }

    /// An instant that has to be given, milliseconds.
    pub(crate) fn needed_instant(&self, name: &str) -> Result<i64, Refusal> {
        if self.given(name).is_none() {
            return Err(Refusal::parameter(name, "it is missing"));
        }
        self.instant(name, 0)
    }

    /// A duration above zero, milliseconds; none when none is given.
    pub(crate) fn duration(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.given(name) else {
            return Ok(None);
        };
        match duration_of(text) {
            Some(ms) if ms > 0 => Ok(Some(ms)),
            Some(_) => Err(Refusal::parameter(
                name,
                format_args!("{text:?} is not above zero"),
            )),
            None => Err(Refusal::parameter(
                name,
                format_args!("{text:?} is neither seconds nor a duration such as 5m or 1h30m"),
            )),
        }
    }

    /// How many entries are wanted; all when none or 0 is given.
    pub(crate) fn limit(&self, name: &str) -> Result<usize, Refusal> {
        let Some(text) = self.given(name) else {
            return Ok(usize::MAX);
        };
        let count: usize = text.parse().map_err(|_| {
            Refusal::parameter(name, format_args!("{text:?} is no whole number from 0 on"))
        })?;
        Ok(if count == 0 { usize::MAX } else { count })
    }

    /// How many entries are wanted, where 0 is none at all and less is all (as `metadata` has it).
    pub(crate) fn count(&self, name: &str) -> Result<usize, Refusal> {
        let Some(text) = self.given(name) else {
            return Ok(usize::MAX);
        };
        let count: i64 = text
            .parse()
            .map_err(|_| Refusal::parameter(name, format_args!("{text:?} is no whole number")))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The matchers of each `match[]`.
    pub(crate) fn selectors(&self) -> Result<Vec<Vec<Matcher>>, Refusal> {
        self.all("match[]")
            .map(|text| parse_selector(text).map_err(|error| Refusal::parameter("match[]", error)))
            .collect()
    }
}

fn parse_instant(text: &str) -> Option<i64> {
    if let Some(seconds) = decimal(text) {
        return Some(seconds);
    }
    match text {
        EARLIEST => Some(i64::MIN),
        LATEST => Some(i64::MAX),
        _ => Timestamp::parse_rfc3339(text).map(Timestamp::as_millis),
    }
}

fn duration_of(text: &str) -> Option<i64> {
    decimal(text).or_else(|| parse_duration(text).ok())
}

/// Seconds as milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to fit; rounding is meant"
)]
fn decimal(text: &str) -> Option<i64> {
    let seconds: f64 = text.parse().ok()?;
    (seconds.abs() < SECONDS_MAX).then(|| (seconds * 1_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Option<i64> {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        Parameters::of(&format!("t={encoded}")).instant("t", 7).ok()
    }

    #[test]
    fn an_instant_is_seconds_or_rfc_3339_or_one_of_the_ends_of_time() {
        assert_eq!(instant(""), Some(7));
        assert_eq!(instant("1.5"), Some(1_500));
        assert_eq!(instant("1700000000.0075"), Some(1_700_000_000_008));
        assert_eq!(instant("-1"), Some(-1_000));
        assert_eq!(instant("1e9"), Some(1_000_000_000_000));
        assert_eq!(
            instant("2024-08-18T05:12:07.041+02:00"),
            Some(1_723_950_727_041)
        );
        assert_eq!(instant(EARLIEST), Some(i64::MIN));
        assert_eq!(instant(LATEST), Some(i64::MAX));
        for text in ["x", "NaN", "inf", "1e300", "2024-08-18", "5m"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_seconds_or_units_and_above_zero() {
        let duration = |text: &str| Parameters::of(&format!("d={text}")).duration("d").ok();
        assert_eq!(duration(""), Some(None));
        assert_eq!(duration("15"), Some(Some(15_000)));
        assert_eq!(duration("0.5"), Some(Some(500)));
        assert_eq!(duration("1h30m"), Some(Some(5_400_000)));
        for text in ["0", "-1", "x", "NaN", "1e300", "0s", "1m1h"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_of_zero_is_none() {
        let limit = |text: &str| Parameters::of(&format!("limit={text}")).limit("limit").ok();
        assert_eq!(limit(""), Some(usize::MAX));
        assert_eq!(limit("0"), Some(usize::MAX));
        assert_eq!(limit("12"), Some(12));
        for text in ["-1", "x", "1.5", "99999999999999999999999"] {
            assert_eq!(limit(text), None, "{text}");
        }
    }

    #[test]
    fn names_may_come_several_times_and_selectors_are_read() {
        let given = Parameters::of("match[]=up&match%5B%5D=%7Ba%3D%22b%22%7D");
        let sets = given.selectors().unwrap();
        assert_eq!(sets.len(), 2);
        let refused = Parameters::of("match[]=up[5m]").selectors().unwrap_err();
        assert!(refused.text().starts_with("invalid parameter \"match[]\":"));
    }
}
