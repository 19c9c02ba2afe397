//! The parameters after the question mark: single values, sets that repeat `name[]`, flags and times. It knows what they look
//! like and not what they are for.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use tocsin_domain::time::Timestamp;

use super::refusal::Refusal;
use super::time;

/// Parameters of one request at most.
pub const PARAMETERS_MAX: usize = 1_024;
/// Bytes of one name or value at most.
const TEXT_BYTES_MAX: usize = 4_096;
/// The parameter that says in which order a list is.
const SORT_BY: &str = "sort_by";
/// Fields that a list is sorted by at most.
const SORTS_MAX: usize = 2;
/// The parameter that says by whose clocks times are.
const ZONE: &str = "time_zone";
/// The names of the zone whose times are written with a `Z`.
const UTC: [&str; 2] = ["UTC", "Etc/UTC"];

/// Names and values as they came, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes what was decoded.
    ///
    /// # Errors
    /// There are too many, or one is too long.
    pub fn new(pairs: impl Iterator<Item = (String, String)>) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> = pairs.take(PARAMETERS_MAX + 1).collect();
        if pairs.len() > PARAMETERS_MAX {
            return Err(Refusal::bad(format!(
                "more than {PARAMETERS_MAX} parameters"
            )));
        }
        let is_long = |text: &String| text.len() > TEXT_BYTES_MAX;
        if pairs
            .iter()
            .any(|(name, value)| is_long(name) || is_long(value))
        {
            let why = format!("a parameter is longer than {TEXT_BYTES_MAX} bytes");
            return Err(Refusal::bad(why));
        }
        Ok(Self(pairs))
    }

    /// The last value of this name that is not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().rev();
        let found = values.find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of `name[]`, also where it is empty; some clients leave the brackets off.
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |known: &str| known == name || known.strip_suffix("[]") == Some(name);
        let found = self.0.iter().filter(move |(known, _)| named(known));
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of `name[]` that is not empty.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name).filter(|value| !value.is_empty())
    }

    /// The values of a set by which a list is filtered; none when it is not given.
    ///
    /// # Errors
    /// It is given and holds nothing: then nothing would be left out, which nobody asks for by a filter.
    pub fn set<'a>(&'a self, name: &'a str) -> Result<Option<Vec<&'a str>>, Refusal> {
        let found: Vec<&str> = self.list(name).collect();
        if found.is_empty() && self.all(name).next().is_some() {
            let why = format!("'{name}[]' is empty: name at least one, or leave it out");
            return Err(Refusal::bad(why));
        }
        Ok((!found.is_empty()).then_some(found))
    }

    /// What the words of such a set stand for.
    ///
    /// # Errors
    /// One is none of these, or the set is empty.
    pub fn words<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<Vec<T>>, Refusal> {
        let Some(given) = self.set(name)? else {
            return Ok(None);
        };
        let meant = given.into_iter().map(|word| meaning(name, word, words));
        meant.collect::<Result<Vec<T>, Refusal>>().map(Some)
    }

    /// What a single word stands for; none when it is not given.
    ///
    /// # Errors
    /// It is none of these.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let given = self.get(name);
        given.map(|word| meaning(name, word, words)).transpose()
    }

    /// By which of these fields `sort_by` wants a list in order, the first first, and whether from the last to the first.
    ///
    /// # Errors
    /// It names something else, or too many.
    pub fn sorts<T: Copy>(&self, fields: &[(&str, T)]) -> Result<Vec<(T, bool)>, Refusal> {
        let given = self.list(SORT_BY).flat_map(|text| text.split(','));
        let mut sorts = Vec::new();
        for text in given {
            let (field, direction) = text.trim().split_once(':').unwrap_or((text.trim(), "asc"));
            let field = meaning(SORT_BY, field, fields)?;
            let directions = [("asc", false), ("desc", true)];
            sorts.push((field, meaning(SORT_BY, direction, &directions)?));
        }
        if sorts.len() > SORTS_MAX {
            let why = format!("'{SORT_BY}' is invalid: it names at most {SORTS_MAX} fields");
            return Err(Refusal::bad(why));
        }
        Ok(sorts)
    }

    /// Whether `include[]` names this.
    #[must_use]
    pub fn includes(&self, what: &str) -> bool {
        self.list("include").any(|named| named == what)
    }

    /// A flag: `true`, `True` and `1` are yes; `false`, `False` and `0` are no, as is none.
    ///
    /// # Errors
    /// It is something else.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false" | "False" | "0") => Ok(false),
            Some("true" | "True" | "1") => Ok(true),
            Some(_) => Err(Refusal::bad(format!(
                "'{name}' is invalid: it is true or false"
            ))),
        }
    }

    /// An instant; one that says no offset is what the clocks of this zone show.
    ///
    /// # Errors
    /// It is something else.
    pub fn time(&self, name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || Refusal::bad(format!("'{name}' is invalid: it is an ISO 8601 time"));
        time::parse_in(text, zone).map(Some).ok_or_else(wrong)
    }

    /// The zone that `time_zone` names.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn zone(&self) -> Result<Option<TimeZone>, Refusal> {
        let Some(name) = self.get(ZONE) else {
            return Ok(None);
        };
        if UTC.iter().any(|utc| utc.eq_ignore_ascii_case(name)) {
            return Ok(Some(TimeZone::UTC));
        }
        let wrong = |_| Refusal::bad(format!("'{ZONE}' is invalid: {name:?} is no IANA zone"));
        TimeZone::get(name).map(Some).map_err(wrong)
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = |_| Refusal::bad(format!("'{name}' is invalid: it is a whole number"));
        text.parse().map(Some).map_err(wrong)
    }

    /// The ids of a set; what has not the form of an id names nothing.
    ///
    /// # Errors
    /// The set is empty.
    pub fn ids<T: std::str::FromStr>(&self, name: &str) -> Result<Option<Vec<T>>, Refusal> {
        let Some(given) = self.set(name)? else {
            return Ok(None);
        };
        let read = given.into_iter().filter_map(|text| text.parse().ok());
        Ok(Some(read.collect()))
    }
}

/// How two entries stand in the order that [`Parameters::sorts`] gives; `compare` does so by one field. What is equal in all of
/// them is equal.
pub fn in_order<T: Copy>(sorts: &[(T, bool)], compare: impl Fn(T) -> Ordering) -> Ordering {
    let orders = sorts.iter().map(|(field, descends)| {
        let order = compare(*field);
        if *descends { order.reverse() } else { order }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

/// What a word stands for.
fn meaning<T: Copy>(name: &str, word: &str, words: &[(&str, T)]) -> Result<T, Refusal> {
    let known = words.iter().find(|(known, _)| *known == word);
    known.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let list = list.join(", ");
        Refusal::bad(format!(
            "'{name}' is invalid: {word:?} is not one of {list}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Parameters {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Parameters::new(pairs).unwrap()
    }

    #[test]
    fn a_set_is_read_with_brackets_and_without() {
        let given = of(&[
            ("statuses[]", "triggered"),
            ("statuses", "resolved"),
            ("s[]", ""),
        ]);
        let statuses: Vec<&str> = given.list("statuses").collect();
        assert_eq!(statuses, ["triggered", "resolved"]);
        assert_eq!(given.list("s").next(), None);
        assert!(of(&[("include[]", "users")]).includes("users"));
    }

    #[test]
    fn a_flag_is_read_as_clients_write_it() {
        for (text, expected) in [
            ("true", Some(true)),
            ("True", Some(true)),
            ("1", Some(true)),
            ("false", Some(false)),
            ("0", Some(false)),
            ("", Some(false)),
            ("yes", None),
        ] {
            assert_eq!(
                of(&[("total", text)]).flag("total").ok(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_too_much_or_no_number_is_refused() {
        let many = (0..=PARAMETERS_MAX).map(|n| (n.to_string(), String::new()));
        assert_eq!(Parameters::new(many).unwrap_err().status, 400);
        let long = std::iter::once(("a".to_owned(), "x".repeat(5_000)));
        assert!(Parameters::new(long).is_err());
        for text in ["-1", "1.5", "x", "99999999999999999999999"] {
            assert!(of(&[("limit", text)]).number("limit").is_err(), "{text}");
        }
        let noon = of(&[("since", "noon")]);
        assert!(noon.time("since", &TimeZone::UTC).is_err());
    }

    #[test]
    fn a_zone_is_one_that_there_is_and_says_when_it_is() {
        let given = |zone| of(&[("time_zone", zone), ("since", "2026-07-06T09:00:00")]);
        for (zone, expected) in [
            ("Europe/Paris", "2026-07-06T07:00:00.000Z"),
            ("Etc/UTC", "2026-07-06T09:00:00.000Z"),
            ("utc", "2026-07-06T09:00:00.000Z"),
        ] {
            let known = given(zone).zone().unwrap().unwrap();
            let since = given(zone).time("since", &known).unwrap().unwrap();
            assert_eq!(since.to_rfc3339(), expected, "{zone}");
        }
        assert_eq!(given("").zone(), Ok(None));
        let refusal = given("Mars/Olympus").zone().unwrap_err();
        assert_eq!((refusal.status, refusal.code), (400, 2001));
        assert!(refusal.errors[0].contains("'time_zone'"), "{refusal}");
    }

    #[test]
    fn a_set_of_ids_that_are_none_names_nothing_but_is_a_set() {
        use tocsin_domain::id::ServiceId;
        assert_eq!(of(&[]).ids::<ServiceId>("service_ids"), Ok(None));
        let none = of(&[("service_ids[]", "PXPGF42")]);
        assert_eq!(none.ids::<ServiceId>("service_ids"), Ok(Some(Vec::new())));
    }

    #[test]
    fn a_set_that_is_given_and_empty_is_refused_and_does_not_let_everything_pass() {
        for given in [
            &[("s[]", "")][..],
            &[("s", "")],
            &[("s[]", ""), ("s[]", "")],
        ] {
            let refusal = of(given).set("s").unwrap_err();
            assert_eq!((refusal.status, refusal.code), (400, 2001), "{given:?}");
            assert!(refusal.errors[0].contains("'s[]'"), "{refusal}");
        }
        assert_eq!(of(&[("other[]", "")]).set("s"), Ok(None));
        assert_eq!(
            of(&[("s[]", ""), ("s[]", "a")]).set("s"),
            Ok(Some(vec!["a"]))
        );
    }

    #[test]
    fn words_are_one_of_those_that_are_known() {
        let words = [("high", 1), ("low", 0)];
        let given = of(&[("u[]", "low"), ("u[]", "high"), ("v", "low"), ("w", "loud")]);
        assert_eq!(given.words("u", &words), Ok(Some(vec![0, 1])));
        assert_eq!(given.word("v", &words), Ok(Some(0)));
        assert_eq!(given.word("x", &words), Ok(None));
        for refusal in [
            given.word("w", &words).unwrap_err(),
            given.words("w", &words).unwrap_err(),
        ] {
            assert_eq!((refusal.status, refusal.code), (400, 2001));
            assert!(refusal.errors[0].contains("high, low"), "{refusal}");
        }
    }

    #[test]
    fn an_order_names_fields_that_are_known_and_at_most_two() {
        let fields = [("name", 'n'), ("urgency", 'u')];
        let read = |text: &str| of(&[("sort_by", text)]).sorts(&fields);
        assert_eq!(
            read("urgency:desc,name"),
            Ok(vec![('u', true), ('n', false)])
        );
        assert_eq!(read(""), Ok(Vec::new()));
        for wrong in ["title", "name:up", "name,urgency,name"] {
            assert_eq!(read(wrong).unwrap_err().code, 2001, "{wrong}");
        }
    }
}
