//! The index of a sample block as bytes: which series it has, where their runs stand, and the checksums of its pages.

use std::io::Read;

use super::{Damaged, RUN_SAMPLES_MAX};
use crate::varint::{Reader, put_bytes, put_i64, put_len, put_u64};

/// Bytes that an index may unpack to.
const INDEX_BYTES_MAX: usize = 2 << 30;
/// Level of zstd: an index is written once.
const ZSTD_LEVEL: i32 = 9;

/// What a block says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The last frame of the log whose samples are in here.
    pub(crate) sealed_through: u64,
    /// Numbers of the blocks that this one was merged from: they are void once this one is there.
    pub(crate) replaces: Vec<u64>,
    /// Its place among all blocks: of two values at one instant, that of the block with the smaller one counts.
    pub(crate) order: u64,
    /// First and last instant, milliseconds.
    pub(crate) span_ms: (i64, i64),
    pub(crate) samples: u64,
    /// How often its data was merged.
    pub(crate) level: u8,
}

/// A column of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeColumn {
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) count: u32,
    /// Bytes it takes.
    pub(crate) len: u32,
}

/// A run of values of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its column of times.
    pub(crate) column: u32,
    /// Twice its length, and one more when a value is a staleness marker: there are many runs, and all stay in memory.
    told: u32,
}

impl Run {
    /// A run of so many bytes with times of a column.
    pub(crate) fn new(column: u32, len: usize, has_stale: bool) -> Self {
        Self {
            column,
            told: crate::series::short(len << 1 | usize::from(has_stale)),
        }
    }

    /// Bytes it takes.
    pub(crate) fn len(self) -> u32 {
        self.told >> 1
    }

    /// Whether one of its values is a staleness marker.
    pub(crate) fn has_stale(self) -> bool {
        self.told & 1 == 1
    }
}

/// What belongs to one series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfSeries {
    /// How many labels it has.
    pub(crate) labels: u32,
    /// How many runs it has.
    pub(crate) runs: u32,
}

/// The whole index. Series are in the order of their runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) about: About,
    /// Label texts, sorted; series name them by their place.
    pub(crate) texts: Vec<String>,
    /// Names and values of all series, one series after the other.
    pub(crate) labels: Vec<(u32, u32)>,
    pub(crate) series: Vec<OfSeries>,
    pub(crate) columns: Vec<TimeColumn>,
    pub(crate) runs: Vec<Run>,
    /// Checksums of the pages of the data.
    pub(crate) pages: Vec<u32>,
}

/// Packs an index.
pub(crate) fn pack(index: &Index) -> Result<Vec<u8>, Damaged> {
    let mut plain = Vec::new();
    put_about(&mut plain, &index.about);
    put_texts(&mut plain, &index.texts);
    put_len(&mut plain, index.series.len());
    // Like with like: zstd finds what repeats.
    for series in &index.series {
        put_u64(&mut plain, u64::from(series.labels));
    }
    for (name, _) in &index.labels {
        put_u64(&mut plain, u64::from(*name));
    }
    let mut values = index.labels.iter().map(|(_, value)| *value);
    let mut before: Vec<u32> = Vec::new();
    for series in &index.series {
        // At the same place the series before often has the same value.
        let labels = series.labels as usize;
        before.resize(labels.max(before.len()), 0);
        // The places come first: the other way round, a value would be taken and lost at their end.
        for (before, value) in before[..labels].iter_mut().zip(values.by_ref()) {
            put_i64(&mut plain, i64::from(value) - i64::from(*before));
            *before = value;
        }
    }
    for series in &index.series {
        put_u64(&mut plain, u64::from(series.runs));
    }
    put_columns(&mut plain, &index.columns);
    put_len(&mut plain, index.runs.len());
    let mut before = 0;
    for run in &index.runs {
        put_i64(&mut plain, i64::from(run.column) - before);
        before = i64::from(run.column);
    }
    for run in &index.runs {
        put_u64(&mut plain, u64::from(run.told));
    }
    put_len(&mut plain, index.pages.len());
    for page in &index.pages {
        plain.extend_from_slice(&page.to_le_bytes());
    }
    let mut packed = Vec::new();
    put_len(&mut packed, plain.len());
    let zipped = zstd::bulk::compress(&plain, ZSTD_LEVEL);
    packed.extend(zipped.map_err(|error| Damaged(error.to_string()))?);
    Ok(packed)
}

fn put_about(out: &mut Vec<u8>, about: &About) {
    put_u64(out, about.sealed_through);
    put_len(out, about.replaces.len());
    for number in &about.replaces {
        put_u64(out, *number);
    }
    put_u64(out, about.order);
    put_i64(out, about.span_ms.0);
    put_i64(out, about.span_ms.1);
    put_u64(out, about.samples);
    out.push(about.level);
}

/// Sorted texts: how much each shares with the one before, and the rest.
fn put_texts(out: &mut Vec<u8>, texts: &[String]) {
    put_len(out, texts.len());
    let mut before: &[u8] = &[];
    for text in texts {
        let bytes = text.as_bytes();
        let shared = before.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        put_len(out, shared);
        put_bytes(out, &bytes[shared..]);
        before = bytes;
    }
}

fn put_columns(out: &mut Vec<u8>, columns: &[TimeColumn]) {
    put_len(out, columns.len());
    let mut before = 0;
    for column in columns {
        put_i64(out, column.first_ms.wrapping_sub(before));
        put_i64(out, column.last_ms.wrapping_sub(column.first_ms));
        put_u64(out, u64::from(column.count));
        put_u64(out, u64::from(column.len));
        before = column.first_ms;
    }
}

/// Unpacks an index.
pub(crate) fn unpack(packed: &[u8]) -> Result<Index, Damaged> {
    let senseless = || Damaged("its index makes no sense".to_owned());
    let mut reader = Reader(packed);
    let len = reader.len().filter(|len| *len <= INDEX_BYTES_MAX);
    let len = len.ok_or_else(senseless)?;
    // The length is only believed as far as bytes come: a window may be anybody's file.
    let mut plain = Vec::new();
    let unzipped = zstd::Decoder::new(reader.0)
        .and_then(|decoder| decoder.take(len as u64).read_to_end(&mut plain));
    unzipped.map_err(|error| Damaged(error.to_string()))?;
    read(&mut Reader(&plain)).ok_or_else(senseless)
}

fn read(reader: &mut Reader<'_>) -> Option<Index> {
    let about = read_about(reader)?;
    let texts = read_texts(reader)?;
    let count = reader.count()?;
    let mut series = vec![OfSeries::default(); count];
    let mut all_labels = 0_usize;
    for one in &mut series {
        one.labels = u32::try_from(reader.count()?).ok()?;
        all_labels = all_labels.checked_add(one.labels as usize)?;
    }
    if all_labels > reader.0.len() {
        return None;
    }
    let names = (0..all_labels).map(|_| Some((short(reader, texts.len())?, 0)));
    let mut labels: Vec<(u32, u32)> = names.collect::<Option<_>>()?;
    read_values(reader, &series, &mut labels, texts.len())?;
    for one in &mut series {
        one.runs = u32::try_from(reader.u64()?).ok()?;
    }
    let columns = read_columns(reader)?;
    let runs = read_runs(reader, columns.len())?;
    let mut told = 0_u64;
    for one in &series {
        told = told.checked_add(u64::from(one.runs))?;
    }
    let pages = reader.count()?;
    let pages = (0..pages).map(|_| Some(u32::from_le_bytes(reader.fixed()?)));
    let pages = pages.collect::<Option<_>>()?;
    (told == runs.len() as u64 && reader.is_empty()).then_some(Index {
        about,
        texts,
        labels,
        series,
        columns,
        runs,
        pages,
    })
}

/// Reads the values of labels whose names are known.
fn read_values(
    reader: &mut Reader<'_>,
    series: &[OfSeries],
    labels: &mut [(u32, u32)],
    texts: usize,
) -> Option<()> {
    let mut labels = labels.iter_mut();
    let mut before: Vec<i64> = Vec::new();
    for one in series {
        let count = one.labels as usize;
        before.resize(count.max(before.len()), 0);
        for (before, (_, value)) in before[..count].iter_mut().zip(labels.by_ref()) {
            *before = before.checked_add(reader.i64()?)?;
            *value = u32::try_from(*before).ok()?;
            if *value as usize >= texts {
                return None;
            }
        }
    }
    Some(())
}

/// A number below a limit.
fn short(reader: &mut Reader<'_>, below: usize) -> Option<u32> {
    let number = reader.len().filter(|number| *number < below)?;
    u32::try_from(number).ok()
}

fn read_about(reader: &mut Reader<'_>) -> Option<About> {
    let sealed_through = reader.u64()?;
    let replaces = reader.count()?;
    Some(About {
        sealed_through,
        replaces: (0..replaces).map(|_| reader.u64()).collect::<Option<_>>()?,
        order: reader.u64()?,
        span_ms: (reader.i64()?, reader.i64()?),
        samples: reader.u64()?,
        level: reader.u8()?,
    })
}

fn read_texts(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let count = reader.count()?;
    let mut texts: Vec<String> = Vec::with_capacity(count);
    for _ in 0..count {
        let shared = reader.len()?;
        let before = texts.last().map_or(&[][..], |text| text.as_bytes());
        let mut bytes = before.get(..shared)?.to_vec();
        bytes.extend_from_slice(reader.bytes()?);
        texts.push(String::from_utf8(bytes).ok()?);
    }
    Some(texts)
}

fn read_columns(reader: &mut Reader<'_>) -> Option<Vec<TimeColumn>> {
    let count = reader.count()?;
    let mut columns = Vec::with_capacity(count);
    let mut before = 0_i64;
    for _ in 0..count {
        let first_ms = before.wrapping_add(reader.i64()?);
        columns.push(TimeColumn {
            first_ms,
            last_ms: first_ms.wrapping_add(reader.i64()?),
            count: u32::try_from(reader.u64()?)
                .ok()
                .filter(|count| (1..=RUN_SAMPLES_MAX).contains(&(*count as usize)))?,
            len: u32::try_from(reader.u64()?).ok()?,
        });
        before = first_ms;
    }
    Some(columns)
}

fn read_runs(reader: &mut Reader<'_>, columns: usize) -> Option<Vec<Run>> {
    let count = reader.count()?;
    let mut runs = Vec::with_capacity(count);
    let mut column = 0_i64;
    for _ in 0..count {
        column = column.checked_add(reader.i64()?)?;
        let place = usize::try_from(column).ok().filter(|at| *at < columns)?;
        runs.push(Run {
            column: u32::try_from(place).ok()?,
            told: 0,
        });
    }
    for run in &mut runs {
        run.told = u32::try_from(reader.u64()?).ok()?;
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_an_index_or_refused(bytes: Vec<u8>) {
            let _ = read(&mut Reader(&bytes));
            let _ = unpack(&bytes);
        }
    }
}
