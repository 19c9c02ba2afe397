//! What exporters answer to a scrape, in the three formats they speak; it fetches nothing and relabels nothing.

mod braces;
mod lines;
mod number;
pub mod openmetrics;
mod output;
pub mod protobuf;
mod scan;
pub mod text;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_openmetrics;
#[cfg(test)]
mod tests_protobuf;

use tocsin_domain::write::LabelPair;

use super::labels::{self, LabelFault};
use super::protobuf::ProtobufError;

/// What to send as `Accept`: the formats that are read, best first, with names in any letters left as they are.
pub const ACCEPT: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;\
                          escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                          application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                          text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text, 0.0.4 or 1.0.0.
    Text,
    /// OpenMetrics, 0.0.1 or 1.0.0.
    OpenMetrics,
    /// Messages `io.prometheus.client.MetricFamily`, each preceded by its length.
    Protobuf,
}

/// The format that a `Content-Type` announces; nothing when it is none of ours or none at all, where Prometheus 3 takes
/// what the scrape's configuration names as fallback.
#[must_use]
pub fn format_of(content_type: &str) -> Option<Format> {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next()?.to_ascii_lowercase();
    match media_type.as_str() {
        "text/plain" => Some(Format::Text),
        "application/openmetrics-text" => Some(Format::OpenMetrics),
        "application/vnd.google.protobuf" => parts
            .filter_map(|parameter| parameter.split_once('='))
            .all(|(name, value)| {
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "proto" => value == "io.prometheus.client.MetricFamily",
                    "encoding" => value == "delimited",
                    _ => true,
                }
            })
            .then_some(Format::Protobuf),
        _ => None,
    }
}

/// How much one answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples, each of which may be a series of its own.
    pub samples_max: usize,
    /// Exemplars.
    pub exemplars_max: usize,
    /// Metrics that are described.
    pub metadata_max: usize,
    /// Whether labels without a value are given too: a series is stored without them, but where an exporter's labels are
    /// honoured they keep those of the target away.
    pub empty_labels: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            samples_max: 500_000,
            exemplars_max: 50_000,
            metadata_max: 50_000,
            empty_labels: false,
        }
    }
}

impl Limits {
    /// The function that adds a label of a series.
    fn adding<'a>(self) -> AddLabel<'a> {
        if self.empty_labels {
            labels::add_even_empty
        } else {
            labels::add
        }
    }
}

/// Adds a label of the series whose labels begin at a place, so many of which are allowed.
type AddLabel<'a> =
    fn(&mut Vec<LabelPair<'a>>, usize, usize, LabelPair<'a>) -> Result<(), LabelFault>;

/// Labels of all series in one answer of protocol buffers, where a few bytes repeat all labels of a histogram.
const LABELS_IN_ALL_MAX: usize = 2_000_000;
/// Bytes of the names that such an answer's histograms and summaries give to their series, in all.
const NAME_BYTES_MAX: usize = 64 << 20;
/// Labels of one exemplar; OpenMetrics allows 128 letters in all.
const EXEMPLAR_LABELS_MAX: usize = 32;

/// Why an answer was refused. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpositionError {
    /// Something else stands where something had to.
    #[error("line {line}: expected {expected}, found {found}")]
    Unexpected {
        /// Its line, from one.
        line: usize,
        /// What had to stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The labels of a series or of an exemplar are not such.
    #[error("line {line}: the series or its exemplar {fault}")]
    Labels {
        /// Its line, from one.
        line: usize,
        /// What is wrong.
        fault: LabelFault,
    },
    /// Lines without end: the answer was cut off.
    #[error("the text does not end with `# EOF`: it is cut off, or not OpenMetrics")]
    NoEnd,
    /// A metric family, by its place, is damaged.
    #[error("metric family {family} is malformed: {problem}")]
    Malformed {
        /// Its place, from zero.
        family: usize,
        /// What is wrong.
        problem: ProtobufError,
    },
    /// A metric family is of a kind that a later version of the format may have.
    #[error("metric family {family} is of the unknown kind {kind}")]
    UnknownKind {
        /// Its place, from zero.
        family: usize,
        /// The number of the kind.
        kind: u64,
    },
    /// The labels of a series in a metric family are not such.
    #[error("a series of metric family {family} {fault}")]
    FamilyLabels {
        /// The place of its family, from zero.
        family: usize,
        /// What is wrong.
        fault: LabelFault,
    },
    /// A limit of the caller.
    #[error("there are more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many may be.
        limit: usize,
    },
}
