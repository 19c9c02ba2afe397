//! Remote write 2.0 (`io.prometheus.write.v2.Request`), whose labels are references into one table of symbols.
//!
//! Field numbers are those of `prompb/io/prometheus/write/v2/types.proto` of Prometheus 3. Created and start timestamps are
//! skipped: the store has no place for them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tocsin_domain::write::{Exemplar, LabelPair, Metadata, MetricKind, Write};

use super::super::families::{describe_once, family_of};
use super::super::labels::{self, LabelFault, NAME};
use super::super::protobuf::{
    Field, Fields, ProtobufError, put_bytes, put_double, put_number, put_varint,
};
use super::series::{self, SeriesFault, kind_of, number_of};
use super::{EXEMPLAR_LABELS_MAX, METADATA_MAX, RemoteWriteError, RequestLimit, SYMBOLS_MAX};

/// Bytes of a usual series and its sample; what is set aside at the start follows from the size of the request.
const SERIES_BYTES: usize = 36;
/// Labels of a usual series.
const SERIES_LABELS: usize = 6;

/// Reads a decompressed request. Labels borrow from it.
///
/// A series without samples and exemplars is left out once its labels are checked, and so is one whose labels break the rules
/// ([`Write::unreadable`]).
///
/// # Errors
/// It is damaged, or above a limit. Nothing of it may be kept then.
pub fn parse(request: &[u8]) -> Result<Write<'_>, RemoteWriteError> {
    let (symbols, series_bytes) = read_symbols(request)?;
    let series_estimate = series_bytes / SERIES_BYTES;
    let mut write = series::with_room(series_estimate, series_estimate * SERIES_LABELS);
    let mut series_count = 0;
    let mut fields = Fields::of(request);
    while let Some(field) = fields.next()? {
        if field.number == 5 {
            let message = field.bytes()?;
            add_series(&mut write, &symbols, message, series_count)
                .map_err(|fault| fault.told(series_count))?;
            series_count += 1;
        }
    }
    describe_once(&mut write.metadata);
    Ok(write)
}

/// The symbols, and how many bytes of the request are series. Symbols may come in any place, so they are read first.
fn read_symbols(request: &[u8]) -> Result<(Vec<&str>, usize), RemoteWriteError> {
    let mut symbols = Vec::new();
    let mut series_bytes = 0;
    let mut fields = Fields::of(request);
    while let Some(field) = fields.next()? {
        match field.number {
            4 => {
                if symbols.len() >= SYMBOLS_MAX {
                    return Err(RequestLimit::Symbols.into());
                }
                symbols.push(field.text()?);
            }
            5 => series_bytes += field.bytes()?.len(),
            _ => {}
        }
    }
    // A request without series needs no symbols, nor has it anything to refer to them.
    if symbols.first().is_some_and(|first| !first.is_empty()) {
        return Err(RemoteWriteError::FirstSymbol);
    }
    Ok((symbols, series_bytes))
}

#[inline]
fn add_series<'a>(
    write: &mut Write<'a>,
    symbols: &[&'a str],
    message: &'a [u8],
    series_count: usize,
) -> Result<(), SeriesFault> {
    let begun = series::begin(write, series_count)?;
    let mut references = References::new(symbols, labels::LABELS_MAX);
    let (mut described, mut fault) = (None, None);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 if fault.is_none() => {
                let read = references.read(field, &mut write.labels, begun.labels);
                fault = read.map_or_else(ReferenceFault::of_series, |()| Ok(None))?;
            }
            2 => series::add_sample(write, field.bytes()?)?,
            3 => series::leave_out_histogram(write, field.bytes()?)?,
            4 => {
                let exemplar = read_exemplar(field.bytes()?, write.series.len(), symbols)?;
                series::add_exemplar(write, exemplar)?;
            }
            5 => described = read_metadata(field.bytes()?, symbols)?,
            _ => {}
        }
    }
    if fault.is_none() {
        fault = references
            .end()
            .map_or_else(ReferenceFault::of_series, |()| Ok(None))?;
    }
    let metric = described.and(name_in(
        write.labels.get(begun.labels..).unwrap_or_default(),
    ));
    if series::end(write, &begun, fault)
        && let (Some(metric), Some(description)) = (metric, described)
    {
        describe(&mut write.metadata, metric, description)?;
    }
    Ok(())
}

/// The metric's name, borrowed from the request.
fn name_in<'a>(labels: &[LabelPair<'a>]) -> Option<&'a str> {
    labels.iter().find_map(|pair| match pair {
        (name, Cow::Borrowed(value)) if name == NAME => Some(*value),
        (_, Cow::Borrowed(_) | Cow::Owned(_)) => None,
    })
}

/// Makes labels of references, which come as pairs: packed into one field, or each in a field of its own.
#[derive(Debug)]
struct References<'s, 'a> {
    symbols: &'s [&'a str],
    labels_max: usize,
    /// The name whose value did not come yet.
    name: Option<&'a str>,
}

/// What can be wrong with references.
#[derive(Debug)]
enum ReferenceFault {
    Malformed(ProtobufError),
    Label(LabelFault),
    NoSuchSymbol { reference: u64, symbols: usize },
    Odd,
}

impl From<ProtobufError> for ReferenceFault {
    fn from(problem: ProtobufError) -> Self {
        Self::Malformed(problem)
    }
}

impl ReferenceFault {
    /// A label that breaks a rule costs its series only; all else is no request.
    fn of_series(self) -> Result<Option<LabelFault>, SeriesFault> {
        match self {
            Self::Label(fault) => Ok(Some(fault)),
            Self::Malformed(_) | Self::NoSuchSymbol { .. } | Self::Odd => Err(self.of_exemplar()),
        }
    }

    fn of_exemplar(self) -> SeriesFault {
        match self {
            Self::Malformed(problem) => SeriesFault::Malformed(problem),
            Self::Label(fault) => SeriesFault::ExemplarLabels(fault),
            Self::NoSuchSymbol { reference, symbols } => {
                SeriesFault::NoSuchSymbol { reference, symbols }
            }
            Self::Odd => SeriesFault::OddReferences,
        }
    }
}

impl<'s, 'a> References<'s, 'a> {
    const fn new(symbols: &'s [&'a str], labels_max: usize) -> Self {
        Self {
            symbols,
            labels_max,
            name: None,
        }
    }

    #[inline]
    fn read(
        &mut self,
        field: Field<'_>,
        labels: &mut Vec<LabelPair<'a>>,
        first: usize,
    ) -> Result<(), ReferenceFault> {
        let Ok(packed) = field.bytes() else {
            return self.add(field.unsigned()?, labels, first);
        };
        let mut packed = Fields::of(packed);
        while let Some(reference) = packed.next_packed()? {
            self.add(reference, labels, first)?;
        }
        Ok(())
    }

    #[inline]
    fn add(
        &mut self,
        reference: u64,
        labels: &mut Vec<LabelPair<'a>>,
        first: usize,
    ) -> Result<(), ReferenceFault> {
        let symbol = symbol(self.symbols, reference).ok_or(ReferenceFault::NoSuchSymbol {
            reference,
            symbols: self.symbols.len(),
        })?;
        match self.name.take() {
            None => self.name = Some(symbol),
            Some(name) => {
                let pair = (Cow::Borrowed(name), Cow::Borrowed(symbol));
                labels::add(labels, first, self.labels_max, pair).map_err(ReferenceFault::Label)?;
            }
        }
        Ok(())
    }

    const fn end(&self) -> Result<(), ReferenceFault> {
        match self.name {
            None => Ok(()),
            Some(_) => Err(ReferenceFault::Odd),
        }
    }
}

#[inline]
fn symbol<'a>(symbols: &[&'a str], reference: u64) -> Option<&'a str> {
    usize::try_from(reference)
        .ok()
        .and_then(|index| symbols.get(index).copied())
}

fn read_exemplar<'a>(
    message: &'a [u8],
    series: usize,
    symbols: &[&'a str],
) -> Result<Exemplar<'a>, SeriesFault> {
    let mut exemplar = Exemplar {
        series,
        labels: Vec::new(),
        at_ms: 0,
        value: 0.0,
    };
    let mut references = References::new(symbols, EXEMPLAR_LABELS_MAX);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => references
                .read(field, &mut exemplar.labels, 0)
                .map_err(ReferenceFault::of_exemplar)?,
            2 => exemplar.value = field.double()?,
            3 => exemplar.at_ms = field.signed()?,
            _ => {}
        }
    }
    references.end().map_err(ReferenceFault::of_exemplar)?;
    Ok(exemplar)
}

/// What a series says of its metric: kind, help and unit.
type Description<'a> = (MetricKind, &'a str, &'a str);

/// Nothing, where it says nothing.
fn read_metadata<'a>(
    message: &[u8],
    symbols: &[&'a str],
) -> Result<Option<Description<'a>>, SeriesFault> {
    let text = |field: Field<'_>| {
        let reference = field.unsigned()?;
        // Zero stands for nothing even where there is no table.
        let found = symbol(symbols, reference).or((reference == 0).then_some(""));
        found.ok_or(SeriesFault::NoSuchSymbol {
            reference,
            symbols: symbols.len(),
        })
    };
    let (mut kind, mut help, mut unit) = (MetricKind::Unknown, "", "");
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => kind = kind_of(field.unsigned()?),
            3 => help = text(field)?,
            4 => unit = text(field)?,
            _ => {}
        }
    }
    let says = kind != MetricKind::Unknown || !help.is_empty() || !unit.is_empty();
    Ok(says.then_some((kind, help, unit)))
}

/// Every series describes its metric anew, mostly one after the other.
fn describe<'a>(
    metadata: &mut Vec<Metadata<'a>>,
    series_name: &'a str,
    (kind, help, unit): Description<'a>,
) -> Result<(), SeriesFault> {
    let metric = family_of(series_name, kind);
    if metadata.last().is_some_and(|last| {
        last.metric == metric && last.kind == kind && last.help == help && last.unit == unit
    }) {
        return Ok(());
    }
    if metadata.len() >= METADATA_MAX {
        describe_once(metadata);
        // Had it to be thinned out for every series, the request would cost the square of its length.
        if metadata.len() > METADATA_MAX / 2 {
            return Err(SeriesFault::TooMany(RequestLimit::Metadata));
        }
    }
    metadata.push(Metadata {
        metric: Cow::Borrowed(metric),
        kind,
        help: Cow::Borrowed(help),
        unit: Cow::Borrowed(unit),
    });
    Ok(())
}

/// Writes a request, without compression. What is known of a metric goes with its first series, and is lost without one.
#[must_use]
pub fn encode(write: &Write<'_>) -> Vec<u8> {
    let mut symbols = Symbols::default();
    symbols.reference("");
    let (mut all_series, mut message, mut part) = (Vec::new(), Vec::new(), Vec::new());
    let mut exemplars: Vec<_> = write.exemplars.iter().collect();
    exemplars.sort_by_key(|exemplar| exemplar.series);
    let mut exemplars = exemplars.into_iter().peekable();
    let mut metadata: Vec<_> = write.metadata.iter().collect();
    for (index, series) in write.series.iter().enumerate() {
        message.clear();
        let labels = write.labels_of(series);
        put_labels(&mut message, labels, &mut symbols);
        for point in write.points_of(series) {
            part.clear();
            put_double(&mut part, 1, point.value);
            put_number(&mut part, 2, point.at_ms.cast_unsigned());
            put_bytes(&mut message, 2, &part);
        }
        while let Some(exemplar) = exemplars.next_if(|exemplar| exemplar.series <= index) {
            part.clear();
            put_labels(&mut part, &exemplar.labels, &mut symbols);
            put_double(&mut part, 2, exemplar.value);
            put_number(&mut part, 3, exemplar.at_ms.cast_unsigned());
            put_bytes(&mut message, 4, &part);
        }
        let name = labels
            .iter()
            .find(|(name, _)| name == NAME)
            .map_or("", |(_, value)| value);
        let described = metadata
            .iter()
            .position(|known| known.metric == family_of(name, known.kind));
        if let Some(known) = described.map(|place| metadata.swap_remove(place)) {
            part.clear();
            put_number(&mut part, 1, number_of(known.kind));
            put_number(&mut part, 3, symbols.reference(&known.help));
            put_number(&mut part, 4, symbols.reference(&known.unit));
            put_bytes(&mut message, 5, &part);
        }
        put_bytes(&mut all_series, 5, &message);
    }
    let mut out = Vec::new();
    for symbol in &symbols.in_order {
        put_bytes(&mut out, 4, symbol.as_bytes());
    }
    out.extend_from_slice(&all_series);
    out
}

/// The table of symbols while it is made.
#[derive(Debug, Default)]
struct Symbols<'a> {
    places: BTreeMap<&'a str, u64>,
    in_order: Vec<&'a str>,
}

impl<'a> Symbols<'a> {
    fn reference(&mut self, symbol: &'a str) -> u64 {
        let next = self.in_order.len() as u64;
        let place = *self.places.entry(symbol).or_insert(next);
        if place == next {
            self.in_order.push(symbol);
        }
        place
    }
}

fn put_labels<'a>(out: &mut Vec<u8>, labels: &'a [LabelPair<'_>], symbols: &mut Symbols<'a>) {
    let mut packed = Vec::new();
    for (name, value) in labels {
        put_varint(&mut packed, symbols.reference(name));
        put_varint(&mut packed, symbols.reference(value));
    }
    if !packed.is_empty() {
        put_bytes(out, 1, &packed);
    }
}
