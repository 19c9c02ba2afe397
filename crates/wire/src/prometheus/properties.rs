//! What holds for any bytes that a decoder of metrics is given, as functions that tests and fuzz targets share; no program
//! calls them.

use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::{Exemplar, LabelPair, Point, Write};

use super::exposition::{self, Limits};
use super::labels::NAME;
use super::remote_write::{RemoteWriteError, v1, v2};
use super::snappy;

/// A block of any bytes gives no more than this.
const DECOMPRESSED_BYTES_MAX: usize = 1 << 20;
/// The time of samples that have none.
const AT_MS: i64 = 1_700_000_000_000;

/// A request of remote write 1.0 is refused, or what it says can be written and read again to the bit.
///
/// # Errors
/// Says what does not hold.
pub fn remote_write_v1(request: &[u8]) -> Result<(), String> {
    let Ok(write) = read_v1(request) else {
        return Ok(());
    };
    well_formed(&write)?;
    let again = v1::encode(&write);
    let again = read_v1(&again).map_err(|error| format!("refused again: {error}"))?;
    same(&write, &again)?;
    equal("metadata", &write.metadata, &again.metadata)
}

/// Reads a request of remote write 1.0 with all its labels, as the store does: a series whose labels cannot be read is left out.
///
/// # Errors
/// As [`v1::parse`].
pub fn read_v1(request: &[u8]) -> Result<Write<'_>, RemoteWriteError> {
    let spelt = v1::parse(request)?;
    let mut write = Write {
        metadata: spelt.metadata.clone(),
        histograms_left_out: spelt.histograms_left_out,
        unreadable: spelt.unreadable.clone(),
        ..Write::default()
    };
    let (mut places, mut labels) = (Vec::new(), Vec::new());
    for series in &spelt.series {
        let points = spelt.points_of(series);
        match spelt.read_spelling(series, &mut labels) {
            Ok(true) => write.begin(labels.drain(..)),
            Ok(false) => write.begin(spelt.labels_of(series).iter().cloned()),
            Err(why) => {
                write.unreadable.note(points.len() as u64, || why);
                places.push(None);
                continue;
            }
        }
        places.push(Some(write.series.len() - 1));
        for point in points {
            write.push(point.at_ms, point.value);
        }
    }
    for exemplar in spelt.exemplars {
        if let Some(series) = places[exemplar.series] {
            write.exemplars.push(Exemplar { series, ..exemplar });
        }
    }
    Ok(write)
}

/// A request of remote write 2.0 is refused, or what it says can be written and read again to the bit, in both versions.
///
/// # Errors
/// Says what does not hold.
pub fn remote_write_v2(request: &[u8]) -> Result<(), String> {
    let Ok(write) = v2::parse(request) else {
        return Ok(());
    };
    well_formed(&write)?;
    let again = v2::encode(&write);
    same(
        &write,
        &v2::parse(&again).map_err(|error| format!("refused again: {error}"))?,
    )?;
    let older = v1::encode(&write);
    same(
        &write,
        &read_v1(&older).map_err(|error| format!("refused as 1.0: {error}"))?,
    )
}

/// A block is refused, or gives no more than the limit, and what it gives can be compressed and decompressed again.
///
/// # Errors
/// Says what does not hold.
pub fn snappy_block(block: &[u8]) -> Result<(), String> {
    let mut plain = Vec::new();
    if snappy::decompress(block, DECOMPRESSED_BYTES_MAX, &mut plain).is_err() {
        return equal("bytes of a refused block", &plain, &Vec::new());
    }
    if plain.len() > DECOMPRESSED_BYTES_MAX {
        return Err(format!("{} bytes are above the limit", plain.len()));
    }
    let block = snappy::compress(&plain).map_err(|error| error.to_string())?;
    let mut again = Vec::new();
    snappy::decompress(&block, DECOMPRESSED_BYTES_MAX, &mut again)
        .map_err(|error| format!("refused again: {error}"))?;
    equal("bytes", &plain, &again)
}

/// Prometheus' text is refused, or its samples can be written and read again.
///
/// # Errors
/// Says what does not hold.
pub fn exposition_text(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    match exposition::text::parse(&text, AT_MS, Limits::default()) {
        Ok(write) => exposed(&write),
        Err(_) => Ok(()),
    }
}

/// OpenMetrics is refused, or its samples can be written as text and read again.
///
/// # Errors
/// Says what does not hold.
pub fn exposition_openmetrics(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    match exposition::openmetrics::parse(&text, AT_MS, Limits::default()) {
        Ok(write) => exposed(&write),
        Err(_) => Ok(()),
    }
}

/// Messages of protocol buffers are refused, or their samples can be written as text and read again.
///
/// # Errors
/// Says what does not hold.
pub fn exposition_protobuf(bytes: &[u8]) -> Result<(), String> {
    match exposition::protobuf::parse(bytes, AT_MS, Limits::default()) {
        Ok(write) => exposed(&write),
        Err(_) => Ok(()),
    }
}

/// What was read of an exposition can be written as text and read again.
///
/// # Errors
/// Says what does not hold.
pub fn exposed(write: &Write<'_>) -> Result<(), String> {
    well_formed(write)?;
    let text = exposition::text::write(write);
    let again = exposition::text::parse(&text, AT_MS, Limits::default())
        .map_err(|error| format!("refused again: {error}\n{text}"))?;
    equal("samples", &sorted_samples(write), &sorted_samples(&again))
}

/// Labels and samples in one order, without what text cannot say: marks of staleness, and which NaN it is.
fn sorted_samples<'w>(write: &'w Write<'_>) -> Vec<(&'w [LabelPair<'w>], i64, u64)> {
    let mut samples = Vec::new();
    for series in &write.series {
        let points = write.points_of(series).iter();
        for point in points.filter(|point| point.value.to_bits() != STALE_NAN_BITS) {
            let bits = if point.value.is_nan() {
                0
            } else {
                point.value.to_bits()
            };
            samples.push((write.labels_of(series), point.at_ms, bits));
        }
    }
    samples.sort();
    samples
}

/// A write keeps what its type promises: ranges that lie in the lists, labels in order, and a name for every series.
///
/// # Errors
/// Says what does not hold.
pub fn well_formed(write: &Write<'_>) -> Result<(), String> {
    let (mut labels_end, mut points_end) = (0, 0);
    for (index, series) in write.series.iter().enumerate() {
        let follows = series.labels.start == labels_end && series.points.start == points_end;
        labels_end = series.labels.end;
        points_end = series.points.end;
        if !follows || labels_end > write.labels.len() || points_end > write.points.len() {
            return Err(format!("series {index} lies at {series:?}"));
        }
        let labels = write.labels_of(series);
        if !in_order(labels) || labels.iter().all(|(name, _)| name != NAME) {
            return Err(format!("series {index} has the labels {labels:?}"));
        }
    }
    if labels_end != write.labels.len() || points_end != write.points.len() {
        return Err("labels or points belong to no series".to_owned());
    }
    let bad_exemplar = write
        .exemplars
        .iter()
        .find(|exemplar| exemplar.series >= write.series.len() || !in_order(&exemplar.labels));
    let nameless = write.metadata.iter().find(|known| known.metric.is_empty());
    match (bad_exemplar, nameless) {
        (None, None) => Ok(()),
        (exemplar, metadata) => Err(format!("not in order: {exemplar:?} {metadata:?}")),
    }
}

fn in_order(labels: &[LabelPair<'_>]) -> bool {
    labels.is_sorted_by(|one, next| one.0 < next.0)
        && labels
            .iter()
            .all(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// Two writes say the same of series, samples and exemplars, to the bit.
///
/// # Errors
/// Says where they differ.
pub fn same(one: &Write<'_>, other: &Write<'_>) -> Result<(), String> {
    let point = |point: &Point| (point.at_ms, point.value.to_bits());
    let points = |write: &Write<'_>| write.points.iter().map(point).collect::<Vec<_>>();
    equal("series", &one.series, &other.series)?;
    equal("labels", &one.labels, &other.labels)?;
    equal("points", &points(one), &points(other))?;
    equal("exemplars", &exemplars(one), &exemplars(other))
}

fn exemplars<'w>(write: &'w Write<'_>) -> Vec<(usize, &'w [LabelPair<'w>], i64, u64)> {
    write
        .exemplars
        .iter()
        .map(|exemplar| {
            let bits = exemplar.value.to_bits();
            (exemplar.series, &*exemplar.labels, exemplar.at_ms, bits)
        })
        .collect()
}

fn equal<Part: PartialEq + std::fmt::Debug>(
    what: &str,
    one: &Part,
    other: &Part,
) -> Result<(), String> {
    if one == other {
        Ok(())
    } else {
        Err(format!("{what} differ:\n{one:?}\n{other:?}"))
    }
}
