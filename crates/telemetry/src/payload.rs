//! The body of a frame: one batch, with the labels of series that its log file has not named yet.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tocsin_domain::signal::{Fact, LogRecord};
use tocsin_domain::write::{MetricKind, MetricMetadata};
use tocsin_promql::{Labels, StoredExemplar};

use crate::varint::{Reader, put_bytes, put_i64, put_len, put_u64};

/// Records follow as JSON.
const PLAIN: u8 = 0;
/// Records follow as JSON in zstd, after their length.
const ZSTD: u8 = 1;
/// JSON that is shorter is not compressed.
const ZSTD_FROM_BYTES: usize = 512;
/// Bytes of JSON that one list of records may unpack to.
const RECORDS_BYTES_MAX: usize = 512 << 20;

/// A sample of a series that is named by its number in this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) series: u32,
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
}

/// What a body says.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) series: Vec<(u32, Labels)>,
    pub(crate) points: Vec<Point>,
    pub(crate) exemplars: Vec<(u32, StoredExemplar)>,
    pub(crate) metadata: Vec<(String, MetricMetadata)>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) logs: Vec<LogRecord>,
}

/// Encodes the labels of series that a log file has not named yet: the first part of a body.
pub(crate) fn encode_names(series: &[(u32, Labels)]) -> Vec<u8> {
    let mut out = Vec::new();
    put_len(&mut out, series.len());
    for (number, labels) in series {
        put_u64(&mut out, u64::from(*number));
        put_labels(&mut out, labels);
    }
    out
}

/// Encodes what follows the names: all else of a body. `facts` and `logs` come from [`pack`].
pub(crate) fn encode_rest(
    points: &[Point],
    exemplars: &[(u32, StoredExemplar)],
    metadata: &[(String, MetricMetadata)],
    facts: &[u8],
    logs: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + points.len() * 11 + facts.len() + logs.len());
    put_len(&mut out, points.len());
    let (mut before_ms, mut before) = (0_i64, 0_i64);
    for point in points {
        put_i64(&mut out, i64::from(point.series) - before);
        put_i64(&mut out, point.at_ms.wrapping_sub(before_ms));
        out.extend_from_slice(&point.value.to_bits().to_le_bytes());
        (before_ms, before) = (point.at_ms, i64::from(point.series));
    }
    put_len(&mut out, exemplars.len());
    for (series, exemplar) in exemplars {
        put_u64(&mut out, u64::from(*series));
        put_i64(&mut out, exemplar.at_ms);
        out.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
        put_labels(&mut out, &exemplar.labels);
    }
    put_len(&mut out, metadata.len());
    for (metric, metadata) in metadata {
        put_bytes(&mut out, metric.as_bytes());
        put_bytes(&mut out, metadata.kind.word().as_bytes());
        put_bytes(&mut out, metadata.help.as_bytes());
        put_bytes(&mut out, metadata.unit.as_bytes());
    }
    put_bytes(&mut out, facts);
    put_bytes(&mut out, logs);
    out
}

/// What follows the names in a body that has only those.
pub(crate) fn empty_rest() -> Vec<u8> {
    encode_rest(&[], &[], &[], &[], &[])
}

/// Decodes a body; `None` when it makes no sense.
pub(crate) fn decode(body: &[u8]) -> Option<Payload> {
    let mut reader = Reader(body);
    let mut payload = Payload::default();
    for _ in 0..reader.count()? {
        let number = u32::try_from(reader.u64()?).ok()?;
        payload.series.push((number, read_labels(&mut reader)?));
    }
    let (mut at_ms, mut series) = (0_i64, 0_i64);
    for _ in 0..reader.count()? {
        series = series.checked_add(reader.i64()?)?;
        at_ms = at_ms.wrapping_add(reader.i64()?);
        payload.points.push(Point {
            series: u32::try_from(series).ok()?,
            at_ms,
            value: f64::from_bits(u64::from_le_bytes(reader.fixed()?)),
        });
    }
    for _ in 0..reader.count()? {
        let series = u32::try_from(reader.u64()?).ok()?;
        let exemplar = StoredExemplar {
            at_ms: reader.i64()?,
            value: f64::from_bits(u64::from_le_bytes(reader.fixed()?)),
            labels: read_labels(&mut reader)?,
        };
        payload.exemplars.push((series, exemplar));
    }
    for _ in 0..reader.count()? {
        let metric = reader.text()?.to_owned();
        let metadata = MetricMetadata {
            kind: MetricKind::from_word(reader.text()?)?,
            help: reader.text()?.to_owned(),
            unit: reader.text()?.to_owned(),
        };
        payload.metadata.push((metric, metadata));
    }
    payload.facts = unpack(reader.bytes()?)?;
    payload.logs = unpack(reader.bytes()?)?;
    reader.is_empty().then_some(payload)
}

/// Appends labels.
pub(crate) fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    put_len(out, labels.len());
    for (name, value) in labels.iter() {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

/// Reads labels.
pub(crate) fn read_labels(reader: &mut Reader<'_>) -> Option<Labels> {
    let count = reader.count()?;
    let mut pairs: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(count);
    for _ in 0..count {
        pairs.push((Arc::from(reader.text()?), Arc::from(reader.text()?)));
    }
    Some(Labels::new(pairs))
}

/// Records as JSON, compressed where that pays. An empty list takes no bytes.
pub(crate) fn pack<T: Serialize>(records: &[T]) -> Result<Vec<u8>, serde_json::Error> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let mut json = vec![PLAIN];
    serde_json::to_writer(&mut json, records)?;
    if json.len() < ZSTD_FROM_BYTES {
        return Ok(json);
    }
    let mut out = vec![ZSTD];
    put_len(&mut out, json.len() - 1);
    match zstd::bulk::compress(&json[1..], 1) {
        Ok(packed) => {
            out.extend_from_slice(&packed);
            Ok(out)
        }
        Err(_) => Ok(json),
    }
}

/// Records out of what [`pack`] gave; `None` when that makes no sense.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<Vec<T>> {
    let Some((how, rest)) = bytes.split_first() else {
        return Some(Vec::new());
    };
    match *how {
        PLAIN => serde_json::from_slice(rest).ok(),
        ZSTD => {
            let mut reader = Reader(rest);
            let len = reader.len().filter(|len| *len <= RECORDS_BYTES_MAX)?;
            let json = zstd::bulk::decompress(reader.0, len).ok()?;
            serde_json::from_slice(&json).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
            let _ = decode(&bytes);
            let _ = unpack::<Fact>(&bytes);
        }

        #[test]
        fn points_and_names_come_back(points: Vec<(u32, i64, u64)>, value in "[a-z]{1,9}") {
            let labels: Labels = [("__name__", "m"), ("v", value.as_str())].into_iter().collect();
            let points: Vec<Point> = points
                .into_iter()
                .map(|(series, at_ms, bits)| Point { series, at_ms, value: f64::from_bits(bits) })
                .collect();
            let mut body = encode_names(&[(7, labels.clone())]);
            body.extend(encode_rest(&points, &[], &[], &[], &[]));
            let decoded = decode(&body).unwrap();
            let plain = |points: &[Point]| -> Vec<(u32, i64, u64)> {
                points.iter().map(|p| (p.series, p.at_ms, p.value.to_bits())).collect()
            };
            prop_assert_eq!(decoded.series, vec![(7, labels)]);
            prop_assert_eq!(plain(&decoded.points), plain(&points));
        }
    }
}
