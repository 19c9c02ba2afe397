//! What can go wrong in a query; it knows no transport that carries the message.

use crate::source::SourceError;

/// A text that is no query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The text breaks the language's rules.
    #[error("not a PromQL expression: {reason}")]
    Syntax {
        /// What is wrong.
        reason: String,
    },
    /// The text is larger or nested deeper than is allowed.
    #[error("the expression is too large: {what} is {found}, {limit} is allowed")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// The count.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The language has it, this evaluator does not.
    #[error("{what} is not supported")]
    Unsupported {
        /// Name of the function or construct.
        what: String,
    },
}

impl ParseError {
    pub(crate) fn syntax(reason: impl Into<String>) -> Self {
        Self::Syntax {
            reason: reason.into(),
        }
    }
}

/// A query that could not be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// It would touch more samples than allowed.
    #[error(
        "the query touches more than {limit} samples: shorten its range or narrow its matchers"
    )]
    TooManySamples {
        /// The limit.
        limit: usize,
    },
    /// It has more steps than allowed.
    #[error(
        "the range has {found} steps, {limit} are allowed: use a longer step or a shorter range"
    )]
    TooManySteps {
        /// How many.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Start, end or step make no sense together.
    #[error("the range is not usable: {reason}")]
    BadRange {
        /// Why.
        reason: String,
    },
    /// The caller's check said to stop.
    #[error("the query was cancelled")]
    Cancelled,
    /// Two series of one result have the same labels.
    #[error("two series of the result have the same labels {labels}")]
    DuplicateSeries {
        /// Those labels.
        labels: String,
    },
    /// An operator found several partners where one is allowed.
    #[error("{reason}")]
    Matching {
        /// Which series, on which side.
        reason: String,
    },
    /// An argument is outside what its function takes.
    #[error("{reason}")]
    BadArgument {
        /// What is wrong.
        reason: String,
    },
    /// The source could not answer.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl EvalError {
    pub(crate) fn argument(reason: impl Into<String>) -> Self {
        Self::BadArgument {
            reason: reason.into(),
        }
    }
}
