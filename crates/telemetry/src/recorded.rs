//! A frozen copy of one target's window: it answers the same queries as the store it came from, for ever.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{Fact, Labels, LogRecord};
use tocsin_domain::time::Timestamp;
use tocsin_promql::{Chunk, Matcher, PlainChunk, Select, SeriesData, Source, SourceError};

use crate::codec::{decode_samples, encode_samples};
use crate::error::ReadError;
use crate::store::Store;
use crate::varint::{Reader, put_len};

/// Version of the file form.
const FILE_VERSION: u8 = 1;
/// Bytes that a file may unpack to.
const FILE_BYTES_MAX: usize = 1 << 30;
/// Samples of one encoded run.
const RUN_SAMPLES: usize = 4_096;

/// Samples, facts and log lines of one target in a window, both ends included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Whose.
    pub target: TargetId,
    /// First instant.
    pub from: Timestamp,
    /// Last instant.
    pub to: Timestamp,
    /// Series sorted by labels.
    pub series: Vec<RecordedSeries>,
    /// Facts in the order of time.
    pub facts: Vec<Fact>,
    /// Log lines in the order of time, the first ones when there were too many.
    pub logs: Vec<LogRecord>,
    /// How many log lines were too many.
    pub logs_left_out: u64,
}

/// One series of a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedSeries {
    /// Its labels.
    pub labels: Labels,
    /// Its samples; as text they are runs of [`encode_samples`] in hexadecimal, lossless to the bit.
    #[serde(serialize_with = "as_hex", deserialize_with = "from_hex")]
    pub samples: Arc<PlainChunk>,
}

/// A file that is no recorded window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// Written by a newer version.
    #[error(
        "the recorded window has format {0}, this version knows {FILE_VERSION}: use the newer version"
    )]
    Newer(u8),
    /// The bytes do not add up.
    #[error("the recorded window is damaged: {0}")]
    Damaged(String),
}

impl Store {
    /// Copies what is stored of a target in `from..=to`: the series that have its id in the label `target`, its facts
    /// and its log lines, of these as many as [`crate::Limits::recorded_logs_max`] allows.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn export_window(
        &self,
        target: TargetId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Recorded, ReadError> {
        let matchers = [Matcher::equal("target", target.as_str())];
        let series = self.samples(&matchers, from, to)?;
        let (mut logs, mut logs_left_out) = (Vec::new(), 0);
        self.each_log(target, from, to, &mut |log| {
            if logs.len() < self.options.limits.recorded_logs_max {
                logs.push(log);
            } else {
                logs_left_out += 1;
            }
            true
        })?;
        Ok(Recorded {
            target,
            from,
            to,
            series: series
                .into_iter()
                .map(|(labels, points)| {
                    let (times, values) = points.into_iter().unzip();
                    RecordedSeries {
                        labels,
                        samples: Arc::new(PlainChunk::new(times, values)),
                    }
                })
                .collect(),
            facts: self.facts(target, from, to)?,
            logs,
            logs_left_out,
        })
    }
}

impl Recorded {
    /// The window as one file: a version byte, a length, and its JSON in zstd. The same window gives the same bytes.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordedError> {
        let damaged = |error: &dyn std::fmt::Display| RecordedError::Damaged(error.to_string());
        let json = serde_json::to_vec(self).map_err(|error| damaged(&error))?;
        let packed = zstd::bulk::compress(&json, 3).map_err(|error| damaged(&error))?;
        let mut bytes = vec![FILE_VERSION];
        put_len(&mut bytes, json.len());
        bytes.extend_from_slice(&packed);
        Ok(bytes)
    }

    /// Reads what [`Recorded::to_bytes`] gave.
    ///
    /// # Errors
    /// When the bytes are no such file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordedError> {
        let damaged = |what: &str| RecordedError::Damaged(what.to_owned());
        let mut reader = Reader(bytes);
        match reader.u8() {
            Some(FILE_VERSION) => {}
            Some(newer) if newer > FILE_VERSION => return Err(RecordedError::Newer(newer)),
            Some(_) | None => return Err(damaged("it does not begin like one")),
        }
        let len = reader.len().filter(|len| *len <= FILE_BYTES_MAX);
        let len = len.ok_or_else(|| damaged("its length is out of range"))?;
        let json = zstd::bulk::decompress(reader.0, len);
        let json = json.map_err(|error| damaged(&error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| damaged(&error.to_string()))
    }

    /// The samples of `from..=to` of the series that pass every matcher, as [`Store::samples`] gives them.
    #[must_use]
    pub fn samples(
        &self,
        matchers: &[Matcher],
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<crate::query::SeriesSamples> {
        let (from_ms, to_ms) = (from.as_millis(), to.as_millis());
        let passing = self.series.iter().filter(|one| one.passes(matchers));
        passing
            .map(|one| {
                let (times, values) = one.samples.columns();
                let points = times.iter().copied().zip(values.iter().copied());
                let points = points.filter(|(time, _)| (from_ms..=to_ms).contains(time));
                (one.labels.clone(), points.collect::<Vec<_>>())
            })
            .filter(|(_, points)| !points.is_empty())
            .collect()
    }
}

impl RecordedSeries {
    fn passes(&self, matchers: &[Matcher]) -> bool {
        matchers.iter().all(|matcher| {
            let value = self.labels.get(matcher.name());
            matcher.accepts(value.map_or("", String::as_str))
        })
    }
}

impl PartialEq for RecordedSeries {
    fn eq(&self, other: &Self) -> bool {
        let bits = |series: &Self| -> Vec<u64> {
            let values = series.samples.columns().1.iter();
            values.map(|value| value.to_bits()).collect()
        };
        self.labels == other.labels
            && self.samples.columns().0 == other.samples.columns().0
            && bits(self) == bits(other)
    }
}

impl Source for Recorded {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        let passing = self.series.iter().filter(|one| one.passes(select.matchers));
        let series: Vec<SeriesData> = passing
            .map(|one| {
                let samples: Arc<dyn Chunk> = Arc::<PlainChunk>::clone(&one.samples);
                SeriesData {
                    labels: tocsin_promql::Labels::from(&one.labels),
                    chunks: vec![samples],
                }
            })
            .collect();
        if series.len() > select.series_max {
            return Err(SourceError::TooManySeries {
                found: series.len(),
                limit: select.series_max,
            });
        }
        Ok(series)
    }
}

fn as_hex<S: Serializer>(samples: &Arc<PlainChunk>, serializer: S) -> Result<S::Ok, S::Error> {
    let (times, values) = samples.columns();
    let runs = times.chunks(RUN_SAMPLES).zip(values.chunks(RUN_SAMPLES));
    let texts = runs.map(|(times, values)| hex(&encode_samples(times, values)));
    serializer.collect_seq(texts)
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<PlainChunk>, D::Error> {
    use serde::de::Error;
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for text in Vec::<String>::deserialize(deserializer)? {
        let bytes = unhex(&text).ok_or_else(|| D::Error::custom("a run is not hexadecimal"))?;
        let (run_times, run_values) = decode_samples(&bytes).map_err(D::Error::custom)?;
        times.extend(run_times);
        values.extend(run_values);
    }
    if !times.is_sorted_by(|a, b| a < b) {
        return Err(D::Error::custom("samples are not in the order of time"));
    }
    Ok(Arc::new(PlainChunk::new(times, values)))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(DIGITS[usize::from(half)]));
    digits.collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}
