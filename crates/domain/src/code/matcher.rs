//! Conditions on labels as files say them, to and from what the core has.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::intake::{LabelMatcher, LabelTest};

/// A condition on a label of an alert: `{ name = "job", operator = "=~", value = "web.*" }`. A label that is missing counts as
/// empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The label's name.
    pub name: String,
    /// How its value is compared.
    pub operator: Comparison,
    /// With what.
    pub value: String,
}

/// How the value of a label is compared: `=` and `!=` with a text, `=~` and `!~` with a regular expression that must fit the
/// whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comparison(pub LabelTest);

impl Matcher {
    pub(super) fn of(known: &LabelMatcher) -> Self {
        Self {
            name: known.name.clone(),
            operator: Comparison(known.test),
            value: known.value.clone(),
        }
    }

    /// As the core has it, or why that cannot use it.
    pub(crate) fn read(&self) -> Result<LabelMatcher, String> {
        let Self {
            name,
            operator,
            value,
        } = self;
        LabelMatcher::new(name.as_str(), operator.0, value.as_str())
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
