//! The parameters after the question mark: single values, sets that repeat `name[]`, flags and times. It knows what they look
//! like and not what they are for.

use tocsin_domain::time::Timestamp;

use super::refusal::Refusal;
use super::time;

/// Parameters of one request at most.
pub const PARAMETERS_MAX: usize = 1_024;
/// Bytes of one name or value at most.
const TEXT_BYTES_MAX: usize = 4_096;

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

    /// Every value of `name[]`; some clients leave the brackets off.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |known: &str| known == name || known.strip_suffix("[]") == Some(name);
        let found = self.0.iter().filter(move |(known, _)| named(known));
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
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

    /// An instant.
    ///
    /// # Errors
    /// It is something else.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || Refusal::bad(format!("'{name}' is invalid: it is an ISO 8601 time"));
        time::parse(text).map(Some).ok_or_else(wrong)
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

    /// The ids of a set; what has not the form of an id names nothing, and stays as `None`.
    pub fn ids<T: std::str::FromStr>(&self, name: &str) -> Option<Vec<T>> {
        let mut given = self.list(name).peekable();
        given.peek()?;
        Some(given.filter_map(|text| text.parse().ok()).collect())
    }
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
        assert!(of(&[("since", "noon")]).time("since").is_err());
    }

    #[test]
    fn a_set_of_ids_that_are_none_names_nothing_but_is_a_set() {
        use tocsin_domain::id::ServiceId;
        assert_eq!(of(&[]).ids::<ServiceId>("service_ids"), None);
        let none = of(&[("service_ids[]", "PXPGF42")]);
        assert_eq!(none.ids::<ServiceId>("service_ids"), Some(Vec::new()));
    }
}
