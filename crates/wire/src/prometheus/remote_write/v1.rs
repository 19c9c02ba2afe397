//! Remote write 1.0 (`prometheus.WriteRequest`), read without a copy of any label; it is the hot path of all metrics.
//!
//! Field numbers are those of `prompb/remote.proto` and `prompb/types.proto` of Prometheus 3.

use std::borrow::Cow;

use tocsin_domain::write::{
    Exemplar, LabelPair, Metadata, MetricKind, Point, Write, WrittenSeries,
};

use super::super::labels::{self, LabelFault};
use super::super::protobuf::{Fields, ProtobufError, put_bytes, put_double, put_number};
use super::{EXEMPLARS_MAX, METADATA_MAX, RemoteWriteError, SERIES_MAX};

/// Bytes of the smallest usual series and label; what is set aside at the start follows from the size of the request.
const SERIES_BYTES: usize = 96;
const LABEL_BYTES: usize = 20;
/// Labels shown of a series that is refused, and characters of them.
const SHOWN_LABELS_MAX: usize = 8;
const SHOWN_CHARS_MAX: usize = 300;

/// Reads a decompressed request. Labels borrow from it.
///
/// A series without samples and exemplars is left out once its labels are checked.
///
/// # Errors
/// It is damaged, above a limit, or the labels of a series break the rules. Nothing of it may be kept then.
pub fn parse(request: &[u8]) -> Result<Write<'_>, RemoteWriteError> {
    let series_estimate = request.len() / SERIES_BYTES;
    let mut write = Write {
        series: Vec::with_capacity(series_estimate),
        labels: Vec::with_capacity(request.len() / LABEL_BYTES),
        points: Vec::with_capacity(series_estimate),
        ..Write::default()
    };
    let mut series_count = 0;
    let mut fields = Fields::of(request);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let message = field.bytes()?;
                add_series(&mut write, message, series_count)
                    .map_err(|fault| fault.told(series_count, &write))?;
                series_count += 1;
            }
            3 => {
                if write.metadata.len() >= METADATA_MAX {
                    return Err(too_many("metrics described", METADATA_MAX));
                }
                write.metadata.extend(read_metadata(field.bytes()?)?);
            }
            _ => {}
        }
    }
    Ok(write)
}

/// What can be wrong inside a series; the request's error is made of it where its place is known.
#[derive(Debug)]
pub(super) enum SeriesFault {
    Malformed(ProtobufError),
    Labels(LabelFault),
    ExemplarLabels(LabelFault),
    TooMany(&'static str, usize),
}

impl From<ProtobufError> for SeriesFault {
    fn from(problem: ProtobufError) -> Self {
        Self::Malformed(problem)
    }
}

impl SeriesFault {
    /// `write` ends with the labels that were read of the series.
    #[cold]
    pub(super) fn told(self, series: usize, write: &Write<'_>) -> RemoteWriteError {
        match self {
            Self::Malformed(problem) => RemoteWriteError::MalformedSeries { series, problem },
            Self::Labels(fault) => RemoteWriteError::Labels {
                series,
                fault,
                labels: shown_labels(write),
            },
            Self::ExemplarLabels(fault) => RemoteWriteError::ExemplarLabels { series, fault },
            Self::TooMany(what, limit) => too_many(what, limit),
        }
    }
}

fn shown_labels(write: &Write<'_>) -> String {
    let first = write.series.last().map_or(0, |series| series.labels.end);
    let labels = write.labels.get(first..).unwrap_or_default();
    let shown: Vec<String> = labels
        .iter()
        .take(SHOWN_LABELS_MAX)
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let mut text = shown.join(", ");
    if let Some((end, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    } else if labels.len() > SHOWN_LABELS_MAX {
        text.push_str(", …");
    }
    text
}

const fn too_many(what: &'static str, limit: usize) -> RemoteWriteError {
    RemoteWriteError::TooMany { what, limit }
}

#[inline]
fn add_series<'a>(
    write: &mut Write<'a>,
    message: &'a [u8],
    series_count: usize,
) -> Result<(), SeriesFault> {
    if series_count >= SERIES_MAX {
        return Err(SeriesFault::TooMany("series", SERIES_MAX));
    }
    let labels_first = write.labels.len();
    let points_first = write.points.len();
    let exemplars_first = write.exemplars.len();
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let pair = read_label(field.bytes()?)?;
                labels::add(&mut write.labels, labels_first, pair).map_err(SeriesFault::Labels)?;
            }
            2 => write.points.push(read_sample(field.bytes()?)?),
            3 => {
                let exemplar = read_exemplar(field.bytes()?, write.series.len())?;
                if write.exemplars.len() >= EXEMPLARS_MAX {
                    return Err(SeriesFault::TooMany("exemplars", EXEMPLARS_MAX));
                }
                write.exemplars.push(exemplar);
            }
            4 => {
                check_framing(field.bytes()?)?;
                write.histograms_left_out += 1;
            }
            _ => {}
        }
    }
    labels::settle_series(&mut write.labels[labels_first..]).map_err(SeriesFault::Labels)?;
    if write.points.len() == points_first && write.exemplars.len() == exemplars_first {
        write.labels.truncate(labels_first);
        return Ok(());
    }
    write.series.push(WrittenSeries {
        labels: labels_first..write.labels.len(),
        points: points_first..write.points.len(),
    });
    Ok(())
}

#[inline]
fn read_label(message: &[u8]) -> Result<LabelPair<'_>, ProtobufError> {
    let (mut name, mut value) = ("", "");
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
    }
    Ok((Cow::Borrowed(name), Cow::Borrowed(value)))
}

#[inline]
fn read_sample(message: &[u8]) -> Result<Point, ProtobufError> {
    let mut point = Point {
        at_ms: 0,
        value: 0.0,
    };
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => point.value = field.double()?,
            2 => point.at_ms = field.signed()?,
            _ => {}
        }
    }
    Ok(point)
}

fn read_exemplar(message: &[u8], series: usize) -> Result<Exemplar<'_>, SeriesFault> {
    let mut exemplar = Exemplar {
        series,
        labels: Vec::new(),
        at_ms: 0,
        value: 0.0,
    };
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let pair = read_label(field.bytes()?)?;
                labels::add(&mut exemplar.labels, 0, pair).map_err(SeriesFault::ExemplarLabels)?;
            }
            2 => exemplar.value = field.double()?,
            3 => exemplar.at_ms = field.signed()?,
            _ => {}
        }
    }
    labels::settle(&mut exemplar.labels).map_err(SeriesFault::ExemplarLabels)?;
    Ok(exemplar)
}

/// A metric without a name is described to nobody.
fn read_metadata(message: &[u8]) -> Result<Option<Metadata<'_>>, ProtobufError> {
    let (mut kind, mut metric, mut help, mut unit) = (MetricKind::Unknown, "", "", "");
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => kind = kind_of(field.unsigned()?),
            2 => metric = field.text()?,
            4 => help = field.text()?,
            5 => unit = field.text()?,
            _ => {}
        }
    }
    Ok((!metric.is_empty()).then_some(Metadata {
        metric: Cow::Borrowed(metric),
        kind,
        help: Cow::Borrowed(help),
        unit: Cow::Borrowed(unit),
    }))
}

/// Every field can be read, whatever it says.
pub(super) fn check_framing(message: &[u8]) -> Result<(), ProtobufError> {
    let mut fields = Fields::of(message);
    while fields.next()?.is_some() {}
    Ok(())
}

/// The kinds as both versions number them; a number of a later version is a kind that is not known.
pub(super) const KINDS: [MetricKind; 8] = [
    MetricKind::Unknown,
    MetricKind::Counter,
    MetricKind::Gauge,
    MetricKind::Histogram,
    MetricKind::GaugeHistogram,
    MetricKind::Summary,
    MetricKind::Info,
    MetricKind::StateSet,
];

pub(super) fn kind_of(number: u64) -> MetricKind {
    usize::try_from(number)
        .ok()
        .and_then(|index| KINDS.get(index).copied())
        .unwrap_or_default()
}

pub(super) fn number_of(kind: MetricKind) -> u64 {
    KINDS
        .iter()
        .position(|known| *known == kind)
        .unwrap_or_default() as u64
}

/// Writes a request, without compression.
#[must_use]
pub fn encode(write: &Write<'_>) -> Vec<u8> {
    let (mut out, mut message, mut part) = (Vec::new(), Vec::new(), Vec::new());
    let mut exemplars: Vec<_> = write.exemplars.iter().collect();
    exemplars.sort_by_key(|exemplar| exemplar.series);
    let mut exemplars = exemplars.into_iter().peekable();
    for (index, series) in write.series.iter().enumerate() {
        message.clear();
        put_labels(&mut message, write.labels_of(series));
        for point in write.points_of(series) {
            part.clear();
            put_double(&mut part, 1, point.value);
            put_number(&mut part, 2, point.at_ms.cast_unsigned());
            put_bytes(&mut message, 2, &part);
        }
        while let Some(exemplar) = exemplars.next_if(|exemplar| exemplar.series <= index) {
            part.clear();
            put_labels(&mut part, &exemplar.labels);
            put_double(&mut part, 2, exemplar.value);
            put_number(&mut part, 3, exemplar.at_ms.cast_unsigned());
            put_bytes(&mut message, 3, &part);
        }
        put_bytes(&mut out, 1, &message);
    }
    for metadata in &write.metadata {
        message.clear();
        put_number(&mut message, 1, number_of(metadata.kind));
        put_bytes(&mut message, 2, metadata.metric.as_bytes());
        put_bytes(&mut message, 4, metadata.help.as_bytes());
        put_bytes(&mut message, 5, metadata.unit.as_bytes());
        put_bytes(&mut out, 3, &message);
    }
    out
}

fn put_labels(out: &mut Vec<u8>, labels: &[LabelPair<'_>]) {
    let mut pair = Vec::new();
    for (name, value) in labels {
        pair.clear();
        put_bytes(&mut pair, 1, name.as_bytes());
        put_bytes(&mut pair, 2, value.as_bytes());
        put_bytes(out, 1, &pair);
    }
}
