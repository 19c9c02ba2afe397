//! The numbered evidence of a report: each entry names one recorded thing, each statement names its entries; it does not
//! know what the statements say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::moment::Moment;

/// The number of an entry of the evidence list, from 1; printed as `[E1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvidenceRef(pub u32);

/// Something a report states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated<T> {
    /// What is stated; none means unknown.
    pub value: Option<T>,
    /// What it was computed from.
    pub evidence: Vec<EvidenceRef>,
}

impl<T> Stated<T> {
    /// A value and what it was computed from.
    #[must_use]
    pub fn known(value: T, evidence: Vec<EvidenceRef>) -> Self {
        Self {
            value: Some(value),
            evidence,
        }
    }

    /// Nothing is recorded that would tell.
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            value: None,
            evidence: Vec::new(),
        }
    }
}

/// One entry of the evidence list: where in the frozen evidence it is found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A journalled event.
    Event {
        /// Its position in the journal.
        position: u64,
        /// When it happened.
        at: Moment,
        /// Its kind (`alert_opened`).
        event: String,
    },
    /// A sample of a series.
    Sample {
        /// The series in PromQL notation.
        series: String,
        /// When.
        at: Moment,
        /// The value as text.
        value: String,
    },
    /// A question to the frozen log lines.
    Logs {
        /// What is counted.
        query: LogQuery,
        /// From then on.
        from: Moment,
        /// Until then, half open.
        until: Moment,
        /// The answer.
        count: u64,
    },
    /// Something that was seen of the target.
    Fact {
        /// Its index in the frozen facts.
        index: usize,
        /// When it happened.
        at: Moment,
        /// Its kind (`parent_exited`).
        fact: String,
    },
}

/// What is counted in the log. Requests of Tocsin's own probe never count, nor do connections that were closed before a
/// request was read (status 408 without a method).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogQuery {
    /// The things counted.
    pub counted: Counted,
    /// Only those of this tier.
    pub tier: Option<String>,
}

/// Things that can be counted in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Requests.
    Requests,
    /// Requests answered with a status from 500 on.
    FailedRequests,
    /// Distinct users.
    Users,
    /// Distinct users with at least one failed request.
    FailedUsers,
}

impl Counted {
    /// In plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::FailedRequests => "failed requests",
            Self::Users => "users",
            Self::FailedUsers => "users with failures",
        }
    }
}

/// Hands out the numbers, one per distinct entry, in the order of first use.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    numbers: BTreeMap<Source, EvidenceRef>,
    entries: Vec<Source>,
}

impl Ledger {
    /// The number of `source`, new or as given before.
    pub(super) fn cite(&mut self, source: Source) -> EvidenceRef {
        if let Some(number) = self.numbers.get(&source) {
            return *number;
        }
        self.entries.push(source.clone());
        let number = EvidenceRef(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.numbers.insert(source, number);
        number
    }

    /// All entries; the first is number 1.
    pub(super) fn into_entries(self) -> Vec<Source> {
        self.entries
    }
}
