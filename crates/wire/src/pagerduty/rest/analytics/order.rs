//! In which order the rows of an answer stand: which columns there are, and what comes first. It knows no row.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::totals;
use crate::pagerduty::rest::body::{Fields, Wrong};

/// The columns of measures beside what is measured.
const SUBJECTS: [&str; 7] = [
    "escalation_policy_id",
    "escalation_policy_name",
    "range_start",
    "service_id",
    "service_name",
    "team_id",
    "team_name",
];
/// The words for the two ways.
const WAYS: [(&str, bool); 2] = [("asc", false), ("desc", true)];

/// In which order the rows of measures stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// By this column, or as they are told apart.
    pub by: Option<String>,
    /// Whether the last comes first; nothing where nothing is said of the order.
    pub descends: Option<bool>,
}

impl Order {
    /// Reads `order` and `order_by`. A column alone begins with the most, as raw data does.
    pub(super) fn read(fields: &Fields<'_>, wrong: &mut Wrong) -> Self {
        let by = fields.text(wrong, "order_by", 64);
        if let Some(name) = &by
            && !is_column(name)
        {
            wrong.add(format!(
                "'order_by' is invalid: there is no column {name:?}"
            ));
        }
        let descends = fields.word(wrong, "order", &WAYS);
        Self {
            descends: descends.or(by.is_some().then_some(true)),
            by,
        }
    }

    /// The word for the way.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        self.descends.map(way_word)
    }

    /// Puts rows into this order; those that are equal in it stay as they are. What has no value in the column stands last.
    pub fn sort(&self, rows: &mut [Value]) {
        let descends = self.descends == Some(true);
        match self.by.as_deref() {
            None if descends => rows.reverse(),
            None => {}
            Some(column) => {
                rows.sort_by(|one, other| order_of(&one[column], &other[column], descends));
            }
        }
    }
}

/// The word for whether the last comes first.
#[must_use]
pub const fn way_word(descends: bool) -> &'static str {
    if descends { "desc" } else { "asc" }
}

fn is_column(name: &str) -> bool {
    SUBJECTS.contains(&name) || totals([], &TimeZone::UTC).contains_key(name)
}

fn order_of(one: &Value, other: &Value, descends: bool) -> Ordering {
    let last = one.is_null().cmp(&other.is_null());
    let order = match (one.as_u64(), other.as_u64()) {
        (Some(one), Some(other)) => one.cmp(&other),
        (_, _) => one.as_str().cmp(&other.as_str()),
    };
    last.then(if descends { order.reverse() } else { order })
}

/// By what rows of raw data stand in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RawOrder {
    /// When the incident was opened.
    #[default]
    Created,
    /// How long it lasted; what is not over stands last.
    Lasted,
}

impl RawOrder {
    /// What may be asked for.
    pub(super) const WORDS: [(&'static str, Self); 2] = [
        ("created_at", Self::Created),
        ("seconds_to_resolve", Self::Lasted),
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => Self::WORDS[0].0,
            Self::Lasted => Self::WORDS[1].0,
        }
    }
}
