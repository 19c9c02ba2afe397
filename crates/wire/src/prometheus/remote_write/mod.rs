//! Remote write, in both versions, from decompressed bytes; it knows nothing of HTTP but the name of its content type.

pub mod v1;

#[cfg(test)]
mod tests;

use super::labels::LabelFault;
use super::protobuf::ProtobufError;

/// Series in one request.
pub const SERIES_MAX: usize = 500_000;
/// Exemplars in one request.
pub const EXEMPLARS_MAX: usize = 100_000;
/// Metrics that one request describes.
pub const METADATA_MAX: usize = 100_000;

/// Why a request was refused. Nothing of it was kept; a sender that repeats it will be refused again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteWriteError {
    /// The request itself is damaged.
    #[error("the request is malformed: {0}")]
    Malformed(#[from] ProtobufError),
    /// A series, by its place in the request, is damaged.
    #[error("series {series} of the request is malformed: {problem}")]
    MalformedSeries {
        /// Its place, from zero.
        series: usize,
        /// What is wrong.
        problem: ProtobufError,
    },
    /// The labels of a series are not such.
    #[error("series {series} of the request {fault}; it is {{{labels}}}")]
    Labels {
        /// Its place, from zero.
        series: usize,
        /// What is wrong.
        fault: LabelFault,
        /// The first of its labels, for a person.
        labels: String,
    },
    /// The labels of an exemplar are not such.
    #[error("an exemplar of series {series} of the request {fault}")]
    ExemplarLabels {
        /// The place of its series, from zero.
        series: usize,
        /// What is wrong.
        fault: LabelFault,
    },
    /// A limit of this reader.
    #[error("the request has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
}
