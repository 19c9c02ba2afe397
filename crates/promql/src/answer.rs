//! What a query answers; it knows no wire format.

use crate::labels::Labels;

/// The result of a query, and what there is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result.
    pub value: Value,
    /// Warnings and hints, sorted, each once.
    pub notes: Vec<Note>,
}

/// A remark on a result that is none the less given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// How serious.
    pub level: NoteLevel,
    /// For a person.
    pub text: String,
}

/// How serious a [`Note`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteLevel {
    /// The result may not be what was meant.
    Warning,
    /// The query may not be what was meant.
    Info,
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number without labels.
    Scalar(f64),
    /// A text literal.
    Text(String),
    /// One value per series, in the order the query gives (that of labels, unless it sorts).
    Vector(Vec<InstantSample>),
    /// Samples per series, sorted by labels.
    Matrix(Vec<RangeSeries>),
}

/// A series' value at the query's instant.
#[derive(Clone, Debug, PartialEq)]
pub struct InstantSample {
    /// The series.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// A series' values over time.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    /// The series.
    pub labels: Labels,
    /// Milliseconds and values, in the order of time.
    pub points: Vec<(i64, f64)>,
}
