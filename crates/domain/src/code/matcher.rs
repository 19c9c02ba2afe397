//! Conditions on labels as files say them, to and from what the core has.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::intake::{LabelMatcher, LabelTest};

/// A condition on a label of an alert: `{ name = "job", operator = "=~", value = "web.*" }`. A label that is missing counts as
/// empty.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The label's name.
    pub name: String,
    /// How its value is compared.
    pub operator: Comparison,
    /// With what.
    pub value: String,
    /// As the core has it, once that was asked for, of this one or of a copy: a document is played through before it is made true,
    /// and patterns take long to compile.
    #[serde(skip)]
    as_read: Arc<OnceLock<LabelMatcher>>,
}

/// How the value of a label is compared: `=` and `!=` with a text, `=~` and `!~` with a regular expression that must fit the
/// whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comparison(pub LabelTest);

impl Matcher {
    /// A condition, whether or not it can be used.
    #[must_use]
    pub fn new(name: impl Into<String>, operator: Comparison, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            operator,
            value: value.into(),
            as_read: Arc::default(),
        }
    }

    pub(super) fn of(known: &LabelMatcher) -> Self {
        Self::new(
            known.name.as_str(),
            Comparison(known.test),
            known.value.as_str(),
        )
    }

    /// As the core has it, or why that cannot use it.
    pub(crate) fn read(&self) -> Result<LabelMatcher, String> {
        // A copy may say something else since.
        let known = self.as_read.get();
        if let Some(known) = known.filter(|known| Self::of(known) == *self) {
            return Ok(known.clone());
        }
        let read = LabelMatcher::new(self.name.as_str(), self.operator.0, self.value.as_str())?;
        let _ = self.as_read.set(read.clone());
        Ok(read)
    }

    fn parts(&self) -> (&str, Comparison, &str) {
        (&self.name, self.operator, &self.value)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Matcher {}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matcher {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.sign())
    }
}

impl<'de> Deserialize<'de> for Comparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sign = String::deserialize(deserializer)?;
        let all = [
            LabelTest::Equals,
            LabelTest::Differs,
            LabelTest::Fits,
            LabelTest::Misfits,
        ];
        let found = all.into_iter().find(|test| test.sign() == sign);
        found
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{sign:?} is no operator: =, !=, =~ or !~")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_once_for_all_copies_that_say_the_same() {
        let first = Matcher::new("job", Comparison(LabelTest::Fits), "web.*");
        let (second, mut other) = (first.clone(), first.clone());
        let read = second.read().unwrap();
        assert!(read.accepts("web1"));
        assert_eq!(first.as_read.get(), Some(&read));
        other.value = "db.*".to_owned();
        let read = other.read().unwrap();
        assert!(read.accepts("db1") && !read.accepts("web1"));
        assert!(first.read().unwrap().accepts("web1"));
        other.value = "(".to_owned();
        assert!(other.read().is_err());
    }
}
