//! PromQL, evaluated over any source of series; it knows no store and no clock.
//!
//! A [`Query`] is parsed once and evaluated over a [`Source`], at an instant or over a range. Times are milliseconds
//! since the epoch. A source hands out [`SeriesData`]: labels and chunks that are read when, and only where, a function
//! needs their samples; so a source may keep compressed data compressed until then.

mod answer;
mod ast;
mod duration;
mod error;
mod eval;
mod labels;
mod limits;
mod lower;
mod matcher;
mod needs;
mod query;
mod source;

pub use answer::{Answer, InstantSample, Note, NoteLevel, RangeSeries, Value};
pub use duration::{format_duration, parse_duration};
pub use error::{EvalError, ParseError};
pub use labels::{Labels, METRIC_NAME, stable_hash};
pub use limits::Limits;
pub use matcher::{MatchOp, Matcher, MatcherError};
pub use needs::Need;
pub use query::{Query, QueryType, parse_selector};
pub use source::{
    Ask, Chunk, PlainChunk, Select, SeriesData, SharedTimes, Source, SourceError, StoredExemplar,
};

/// The bits of the staleness marker: a sample with this value says that its series ended for now.
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether a value is the staleness marker (an ordinary NaN is not).
#[must_use]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}
