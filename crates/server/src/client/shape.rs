//! Shapes that several answers share. All text in them is clean; keys that are not shown are not read.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::plain::Plain;

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) next_cursor: Option<Plain>,
}

/// Something with its name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: Plain,
    pub(super) name: Plain,
}

/// An instant in RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Plain::deserialize(deserializer)?;
        text.as_str()
            .parse()
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("“{text}” is no instant")))
    }
}

/// Names in a row.
pub(super) fn names(all: &[Named]) -> String {
    all.iter()
        .map(|one| one.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The name of something that may be missing.
pub(super) fn name_or(named: Option<&Named>, otherwise: &str) -> String {
    named.map_or_else(|| otherwise.to_owned(), |named| named.name.to_string())
}
