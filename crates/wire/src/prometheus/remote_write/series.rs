//! What both versions of remote write share: samples, limits, and how a series is begun, ended or refused.

use tocsin_domain::write::{Exemplar, LabelPair, MetricKind, Point, Write, WrittenSeries};

use super::super::labels::{self, LabelFault};
use super::super::protobuf::{Fields, ProtobufError};
use super::{EXEMPLARS_MAX, LABELS_MAX, POINTS_MAX, RemoteWriteError, RequestLimit, SERIES_MAX};

/// Room that is set aside at once; a request that needs more grows into it.
const SERIES_AT_ONCE_MAX: usize = 20_000;
const LABELS_AT_ONCE_MAX: usize = 200_000;
/// Labels shown of a series that is left out, and characters of them.
const SHOWN_LABELS_MAX: usize = 8;
const SHOWN_CHARS_MAX: usize = 300;

/// What can be wrong inside a series; the request's error is made of it where its place is known.
#[derive(Debug)]
pub(super) enum SeriesFault {
    Malformed(ProtobufError),
    ExemplarLabels(LabelFault),
    NoSuchSymbol { reference: u64, symbols: usize },
    OddReferences,
    TooMany(RequestLimit),
}

impl From<ProtobufError> for SeriesFault {
    fn from(problem: ProtobufError) -> Self {
        Self::Malformed(problem)
    }
}

impl SeriesFault {
    #[cold]
    pub(super) fn told(self, series: usize) -> RemoteWriteError {
        match self {
            Self::Malformed(problem) => RemoteWriteError::MalformedSeries { series, problem },
            Self::ExemplarLabels(fault) => RemoteWriteError::ExemplarLabels { series, fault },
            Self::NoSuchSymbol { reference, symbols } => RemoteWriteError::NoSuchSymbol {
                series,
                reference,
                symbols,
            },
            Self::OddReferences => RemoteWriteError::OddReferences(series),
            Self::TooMany(limit) => RemoteWriteError::TooMany(limit),
        }
    }
}

/// Why a series is left out for its labels, of which these were read.
#[cold]
pub(super) fn fault_in_words(fault: &LabelFault, labels: &[LabelPair<'_>]) -> String {
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
    format!("a series {fault}; it is {{{text}}}")
}

/// Where the parts of a series begin that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) labels: usize,
    points: usize,
    exemplars: usize,
}

/// An empty write with room for about so many series and labels.
pub(super) fn with_room<'a>(series: usize, labels: usize) -> Write<'a> {
    let series = series.min(SERIES_AT_ONCE_MAX);
    Write {
        series: Vec::with_capacity(series),
        labels: Vec::with_capacity(labels.min(LABELS_AT_ONCE_MAX)),
        points: Vec::with_capacity(series),
        ..Write::default()
    }
}

/// Begins the series that follows `series_count` others.
#[inline]
pub(super) fn begin(write: &Write<'_>, series_count: usize) -> Result<Begun, SeriesFault> {
    if series_count >= SERIES_MAX {
        return Err(SeriesFault::TooMany(RequestLimit::Series));
    }
    if write.labels.len() > LABELS_MAX {
        return Err(SeriesFault::TooMany(RequestLimit::Labels));
    }
    Ok(Begun {
        labels: write.labels.len(),
        points: write.points.len(),
        exemplars: write.exemplars.len(),
    })
}

impl Begun {
    fn has_content(&self, write: &Write<'_>) -> bool {
        write.points.len() > self.points || write.exemplars.len() > self.exemplars
    }
}

/// Ends a series whose labels were read: they are checked and sorted. Without samples and exemplars it is left out, and so it
/// is, and noted, when its labels break a rule. Whether it is kept.
#[inline]
pub(super) fn end(write: &mut Write<'_>, begun: &Begun, fault: Option<LabelFault>) -> bool {
    let fault = fault.or_else(|| labels::settle_series(&mut write.labels[begun.labels..]).err());
    if let Some(fault) = fault {
        leave_out(write, begun, &fault);
        return false;
    }
    if !begun.has_content(write) {
        write.labels.truncate(begun.labels);
        return true;
    }
    write.series.push(WrittenSeries {
        spelling: &[],
        labels: begun.labels..write.labels.len(),
        points: begun.points..write.points.len(),
    });
    true
}

#[cold]
fn leave_out(write: &mut Write<'_>, begun: &Begun, fault: &LabelFault) {
    let samples = (write.points.len() - begun.points) as u64;
    let why = fault_in_words(fault, &write.labels[begun.labels..]);
    write.unreadable.note(samples, || why);
    write.labels.truncate(begun.labels);
    write.points.truncate(begun.points);
    write.exemplars.truncate(begun.exemplars);
}

/// Ends a series whose labels are not read before somebody has to know them. Whether it has samples or exemplars; otherwise
/// nothing is done.
#[inline]
pub(super) fn end_spelt<'a>(write: &mut Write<'a>, begun: &Begun, spelling: &'a [u8]) -> bool {
    if !begun.has_content(write) {
        return false;
    }
    write.series.push(WrittenSeries {
        spelling,
        labels: begun.labels..begun.labels,
        points: begun.points..write.points.len(),
    });
    true
}

/// Reads a sample, which is the same message in both versions.
#[inline]
pub(super) fn add_sample(write: &mut Write<'_>, message: &[u8]) -> Result<(), SeriesFault> {
    let point = match plain_sample(message) {
        Some(point) => point,
        None => read_sample(message)?,
    };
    if write.points.len() >= POINTS_MAX {
        return Err(SeriesFault::TooMany(RequestLimit::Points));
    }
    write.points.push(point);
    Ok(())
}

/// A sample as every sender writes it: the value's tag and bits, the time's tag and number.
#[inline]
fn plain_sample(message: &[u8]) -> Option<Point> {
    let (bits, rest) = message.strip_prefix(&[0x09])?.split_first_chunk()?;
    let mut time = Fields::of(rest.strip_prefix(&[0x10])?);
    let at_ms = time.next_packed().ok()??.cast_signed();
    time.is_at_end().then_some(Point {
        at_ms,
        value: f64::from_le_bytes(*bits),
    })
}

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

/// Adds an exemplar, whose labels are sorted here.
pub(super) fn add_exemplar<'a>(
    write: &mut Write<'a>,
    mut exemplar: Exemplar<'a>,
) -> Result<(), SeriesFault> {
    labels::settle(&mut exemplar.labels).map_err(SeriesFault::ExemplarLabels)?;
    if write.exemplars.len() >= EXEMPLARS_MAX {
        return Err(SeriesFault::TooMany(RequestLimit::Exemplars));
    }
    write.exemplars.push(exemplar);
    Ok(())
}

/// Counts a native histogram, once every field of it can be read, whatever it says.
pub(super) fn leave_out_histogram(
    write: &mut Write<'_>,
    message: &[u8],
) -> Result<(), ProtobufError> {
    let mut fields = Fields::of(message);
    while fields.next()?.is_some() {}
    write.histograms_left_out += 1;
    Ok(())
}

/// The kinds as both versions number them; a number of a later version is a kind that is not known.
const KINDS: [MetricKind; 8] = [
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
