//! Remote write 1.0 (`prometheus.WriteRequest`), read without a copy of any label; it is the hot path of all metrics.
//!
//! Field numbers are those of `prompb/remote.proto` and `prompb/types.proto` of Prometheus 3.

use std::borrow::Cow;

use tocsin_domain::write::{Exemplar, LabelPair, Metadata, MetricKind, Write};

use super::super::labels::{self, LabelFault};
use super::super::protobuf::{Fields, ProtobufError, put_bytes, put_double, put_number};
use super::series::{self, SeriesFault, kind_of, number_of};
use super::{EXEMPLAR_LABELS_MAX, METADATA_MAX, RemoteWriteError, RequestLimit};

/// Bytes of a usual series; what is set aside at the start follows from the size of the request.
const SERIES_BYTES: usize = 96;
/// First bytes of a label in a series, and of a name and a value in a label.
const LABEL_TAG: u8 = 0x0a;
const NAME_TAG: u8 = 0x0a;
const VALUE_TAG: u8 = 0x12;

/// Reads a decompressed request. Labels borrow from it; where they stand together before all else, as every sender writes them,
/// they are not read: the series is spelt ([`Write::spelt`]), and a sender spells a series the same way each time.
///
/// A series without samples and exemplars is left out once its labels are checked. One whose labels break the rules is left
/// out too ([`Write::unreadable`]), or will be when they are read.
///
/// # Errors
/// It is damaged, or above a limit. Nothing of it may be kept then.
pub fn parse(request: &[u8]) -> Result<Write<'_>, RemoteWriteError> {
    let mut write = series::with_room(request.len() / SERIES_BYTES, 0);
    write.spelt = Some(read_spelling);
    let mut series_count = 0;
    let mut fields = Fields::of(request);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let message = field.bytes()?;
                add_series(&mut write, message, series_count)
                    .map_err(|fault| fault.told(series_count))?;
                series_count += 1;
            }
            3 => {
                if write.metadata.len() >= METADATA_MAX {
                    return Err(RequestLimit::Metadata.into());
                }
                write.metadata.extend(read_metadata(field.bytes()?)?);
            }
            _ => {}
        }
    }
    Ok(write)
}

#[inline]
fn add_series<'a>(
    write: &mut Write<'a>,
    message: &'a [u8],
    series_count: usize,
) -> Result<(), SeriesFault> {
    let begun = series::begin(write, series_count)?;
    let (spelling, rest) = message.split_at(spelling_end(message));
    let mut is_scattered = spelling.is_empty();
    let mut fields = Fields::of(rest);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => is_scattered = true,
            2 => series::add_sample(write, field.bytes()?)?,
            3 => {
                let exemplar = read_exemplar(field.bytes()?, write.series.len())?;
                series::add_exemplar(write, exemplar)?;
            }
            4 => series::leave_out_histogram(write, field.bytes()?)?,
            _ => {}
        }
    }
    if !is_scattered && series::end_spelt(write, &begun, spelling) {
        return Ok(());
    }
    let fault = read_labels(message, &mut write.labels)?;
    series::end(write, &begun, fault);
    Ok(())
}

/// Where the labels end that a message begins with.
#[inline]
fn spelling_end(message: &[u8]) -> usize {
    let mut end = 0;
    loop {
        end += match message.get(end..) {
            Some([LABEL_TAG, length @ 0..0x80, ..]) => 2 + usize::from(*length),
            Some([LABEL_TAG, low, high @ 0..0x80, ..]) => {
                3 + usize::from(low & 0x7f) + (usize::from(*high) << 7)
            }
            Some(_) => return end,
            // The last one claims more than is left: who reads the fields will say so.
            None => return 0,
        };
    }
}

fn read_spelling<'a>(spelling: &'a [u8], labels: &mut Vec<LabelPair<'a>>) -> Result<(), String> {
    let first = labels.len();
    let fault = read_labels(spelling, labels)
        .map_err(|problem| format!("the labels of a series are malformed: {problem}"))?;
    match fault.map_or_else(|| labels::settle_series(&mut labels[first..]), Err) {
        Ok(()) => Ok(()),
        Err(fault) => Err(series::fault_in_words(&fault, &labels[first..])),
    }
}

/// Adds the labels among the fields of a series, wherever they stand. Gives the first that breaks a rule by itself.
fn read_labels<'a>(
    message: &'a [u8],
    labels: &mut Vec<LabelPair<'a>>,
) -> Result<Option<LabelFault>, ProtobufError> {
    let first = labels.len();
    let rest = match add_plain_labels(labels, message) {
        Some(rest) => rest,
        None => {
            labels.truncate(first);
            message
        }
    };
    let mut fields = Fields::of(rest);
    let mut fault = None;
    while let Some(field) = fields.next()? {
        if field.number == 1 && fault.is_none() {
            let pair = read_label(field.bytes()?)?;
            fault = labels::add(labels, first, labels::LABELS_MAX, pair).err();
        }
    }
    Ok(fault)
}

/// Adds the labels that a series begins with, if they are written as every sender writes them: name, then value, both there
/// and shorter than 128 bytes. What follows them is returned. Nothing comes back, and some labels may have been added, if
/// one is written otherwise or breaks a rule; the fields are read one by one then, which also tells what is wrong.
///
/// The tags and lengths of such labels are ASCII, so that one check for UTF-8 covers all names and values of a series.
#[inline]
fn add_plain_labels<'a>(labels: &mut Vec<LabelPair<'a>>, message: &'a [u8]) -> Option<&'a [u8]> {
    let (mut end, mut count) = (0, 0);
    while let [LABEL_TAG, length, ..] = message.get(end..)?
        && *length < 0x80
    {
        end += 2 + usize::from(*length);
        count += 1;
    }
    let (plain, rest) = message.split_at_checked(end)?;
    if count > labels::LABELS_MAX {
        return None;
    }
    let plain = std::str::from_utf8(plain).ok()?;
    labels.reserve(count);
    let mut from = 0;
    while from < end {
        let bytes = plain.as_bytes().get(from..)?;
        let [LABEL_TAG, length, NAME_TAG, name_length, ..] = bytes else {
            return None;
        };
        let name_end = 4 + usize::from(*name_length);
        let [VALUE_TAG, value_length, ..] = bytes.get(name_end..)? else {
            return None;
        };
        let value_end = name_end + 2 + usize::from(*value_length);
        if value_end != 2 + usize::from(*length) || *name_length == 0 || *value_length == 0 {
            return None;
        }
        let name = plain.get(from + 4..from + name_end)?;
        let value = plain.get(from + name_end + 2..from + value_end)?;
        // Never so, since room was reserved; without this the compiler builds each pair on the stack for the case that there
        // is none, and copying it from there takes a third of the time.
        if labels.len() == labels.capacity() {
            return None;
        }
        labels.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        from += value_end;
    }
    Some(rest)
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
                labels::add(&mut exemplar.labels, 0, EXEMPLAR_LABELS_MAX, pair)
                    .map_err(SeriesFault::ExemplarLabels)?;
            }
            2 => exemplar.value = field.double()?,
            3 => exemplar.at_ms = field.signed()?,
            _ => {}
        }
    }
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
