//! Remote write, in both versions, from decompressed bytes; it knows nothing of HTTP but the name of its content type.

mod series;
pub mod v1;
pub mod v2;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_v2;

use super::labels::LabelFault;
use super::protobuf::ProtobufError;

/// Series in one request. With the limits below, a request of any size costs less than 300 MiB to read.
pub const SERIES_MAX: usize = 500_000;
/// Labels of all series in one request.
pub const LABELS_MAX: usize = 2_000_000;
/// Samples in one request.
pub const POINTS_MAX: usize = 5_000_000;
/// Exemplars in one request.
pub const EXEMPLARS_MAX: usize = 50_000;
/// Labels of one exemplar.
pub const EXEMPLAR_LABELS_MAX: usize = 32;
/// Metrics that one request describes.
pub const METADATA_MAX: usize = 100_000;
/// Symbols of one request (2.0).
pub const SYMBOLS_MAX: usize = 1_000_000;

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
    /// The labels of an exemplar are not such.
    #[error("an exemplar of series {series} of the request {fault}")]
    ExemplarLabels {
        /// The place of its series, from zero.
        series: usize,
        /// What is wrong.
        fault: LabelFault,
    },
    /// A reference to a symbol that is not in the table.
    #[error("series {series} of the request refers to symbol {reference}, there are {symbols}")]
    NoSuchSymbol {
        /// Its place, from zero.
        series: usize,
        /// The reference.
        reference: u64,
        /// Symbols in the table.
        symbols: usize,
    },
    /// A label is a pair of references.
    #[error("series {0} of the request has an odd number of references to labels")]
    OddReferences(usize),
    /// The table of symbols begins with the empty one, so that zero can stand for nothing.
    #[error("the first symbol of the request has to be empty")]
    FirstSymbol,
    /// A limit of this reader.
    #[error("the request has more than {}", .0.words())]
    TooMany(RequestLimit),
}

impl From<RequestLimit> for RemoteWriteError {
    fn from(limit: RequestLimit) -> Self {
        Self::TooMany(limit)
    }
}

/// What a request may have only so many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestLimit {
    /// [`SERIES_MAX`].
    Series,
    /// [`LABELS_MAX`].
    Labels,
    /// [`POINTS_MAX`].
    Points,
    /// [`EXEMPLARS_MAX`].
    Exemplars,
    /// [`METADATA_MAX`].
    Metadata,
    /// [`SYMBOLS_MAX`].
    Symbols,
}

impl RequestLimit {
    fn words(self) -> String {
        match self {
            Self::Series => format!("{SERIES_MAX} series"),
            Self::Labels => format!("{LABELS_MAX} labels"),
            Self::Points => format!("{POINTS_MAX} samples"),
            Self::Exemplars => format!("{EXEMPLARS_MAX} exemplars"),
            Self::Metadata => format!("{METADATA_MAX} metrics described"),
            Self::Symbols => format!("{SYMBOLS_MAX} symbols"),
        }
    }
}

/// The versions that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`.
    V1,
    /// `io.prometheus.write.v2.Request`.
    V2,
}

impl Version {
    /// The content type to send it with.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::V1 => "application/x-protobuf;proto=prometheus.WriteRequest",
            Self::V2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }
}

/// The version that a `Content-Type` announces; nothing when it is none of ours (HTTP 415). Senders of 1.0 name no message,
/// and old ones no type at all: give the empty text for those.
#[must_use]
pub fn version_of(content_type: &str) -> Option<Version> {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !media_type.is_empty() && !media_type.eq_ignore_ascii_case("application/x-protobuf") {
        return None;
    }
    let message = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("proto")
            .then(|| value.trim().trim_matches('"'))
    });
    match message {
        None | Some("prometheus.WriteRequest") => Some(Version::V1),
        Some("io.prometheus.write.v2.Request") => Some(Version::V2),
        Some(_) => None,
    }
}
