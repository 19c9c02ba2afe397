//! Writes a sample block, run after run; only its index and its columns of times are held in memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;
use tocsin_promql::{Labels, is_stale};

use super::index::{self, About, Index, OfSeries, Run, TimeColumn};
use super::{BlockError, HEADER, MARK_LEN, PAGE_BYTES, RUN_SAMPLES_MAX};
use crate::columns::{IntPacker, ValueEncoder};
use crate::disk::Draft;
use crate::series::short;

/// A block on its way to the disk.
pub(crate) struct BlockWriter {
    draft: Box<dyn Draft>,
    packer: IntPacker,
    times_packer: IntPacker,
    encoder: ValueEncoder,
    /// Bytes that do not fill a page yet.
    page: Vec<u8>,
    run: Vec<u8>,
    /// Packed columns of times; they follow the runs.
    times: Vec<u8>,
    known_times: HashMap<[u64; 2], u32>,
    /// The column of each key that a caller gave.
    known_keys: HashMap<(u32, u32, usize), u32>,
    hashes: [RandomState; 2],
    /// Numbers of label texts, in the order they came.
    texts: HashMap<Arc<str>, u32>,
    index: Index,
}

impl BlockWriter {
    pub(crate) fn new(mut draft: Box<dyn Draft>) -> Result<Self, BlockError> {
        let packer = IntPacker::default();
        let packing = packer.header()?;
        let mut header = HEADER.to_vec();
        header.push(u8::try_from(packing.len()).unwrap_or(u8::MAX));
        header.extend_from_slice(&packing);
        draft.append(&header)?;
        Ok(Self {
            draft,
            packer,
            times_packer: IntPacker::default(),
            encoder: ValueEncoder::default(),
            page: Vec::with_capacity(PAGE_BYTES),
            run: Vec::new(),
            times: Vec::new(),
            known_times: HashMap::new(),
            known_keys: HashMap::new(),
            hashes: [RandomState::default(), RandomState::default()],
            texts: HashMap::new(),
            index: Index {
                about: About {
                    span_ms: (i64::MAX, i64::MIN),
                    ..About::default()
                },
                ..Index::default()
            },
        })
    }

    /// Begins a series; runs that follow are its.
    pub(crate) fn begin(&mut self, labels: &Labels) {
        for (name, value) in labels.iter_shared() {
            let pair = (self.text(name), self.text(value));
            self.index.labels.push(pair);
        }
        self.index.series.push(OfSeries {
            labels: short(labels.len()),
            runs: 0,
        });
    }

    /// Adds samples of the series that was begun last, sorted by time. Those with the same key have the same times.
    pub(crate) fn put(
        &mut self,
        times: &[i64],
        values: &[f64],
        key: Option<(u32, u32, usize)>,
    ) -> Result<(), BlockError> {
        let parts = times
            .chunks(RUN_SAMPLES_MAX)
            .zip(values.chunks(RUN_SAMPLES_MAX));
        for (at, (times, values)) in parts.enumerate() {
            let key = key
                .map(|(clock, first, _)| (clock, first + short(at * RUN_SAMPLES_MAX), times.len()));
            self.put_run(times, values, key)?;
        }
        Ok(())
    }

    fn put_run(
        &mut self,
        times: &[i64],
        values: &[f64],
        key: Option<(u32, u32, usize)>,
    ) -> Result<(), BlockError> {
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return Ok(());
        };
        let known = key.and_then(|key| self.known_keys.get(&key).copied());
        let column = match known {
            Some(column) => column,
            None => self.column(times, (*first, *last))?,
        };
        if let Some(key) = key {
            self.known_keys.insert(key, column);
        }
        self.run.clear();
        self.encoder
            .encode(values, &mut self.packer, &mut self.run)?;
        let run = std::mem::take(&mut self.run);
        let put = self.put_bytes(&run);
        let has_stale = values.iter().any(|value| is_stale(*value));
        self.index.runs.push(Run::new(column, run.len(), has_stale));
        self.run = run;
        put?;
        let about = &mut self.index.about;
        about.span_ms = (about.span_ms.0.min(*first), about.span_ms.1.max(*last));
        about.samples += times.len() as u64;
        if let Some(series) = self.index.series.last_mut() {
            series.runs += 1;
        }
        Ok(())
    }

    /// The column of these times, which is added if need be. Two hashes with keys of their own stand for the times.
    fn column(&mut self, times: &[i64], span_ms: (i64, i64)) -> Result<u32, BlockError> {
        let identity = [0, 1].map(|at: usize| {
            let mut hasher = self.hashes[at].build_hasher();
            for time in times {
                hasher.write_i64(*time);
            }
            hasher.finish()
        });
        if let Some(column) = self.known_times.get(&identity) {
            return Ok(*column);
        }
        let before = self.times.len();
        self.times_packer.pack(times, &mut self.times)?;
        let column = short(self.index.columns.len());
        self.index.columns.push(TimeColumn {
            first_ms: span_ms.0,
            last_ms: span_ms.1,
            count: short(times.len()),
            len: short(self.times.len() - before),
        });
        self.known_times.insert(identity, column);
        Ok(column)
    }

    fn put_bytes(&mut self, mut bytes: &[u8]) -> Result<(), BlockError> {
        while !bytes.is_empty() {
            let (fits, rest) = bytes.split_at(bytes.len().min(PAGE_BYTES - self.page.len()));
            self.page.extend_from_slice(fits);
            bytes = rest;
            if self.page.len() == PAGE_BYTES {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), BlockError> {
        self.index.pages.push(crc32fast::hash(&self.page));
        self.draft.append(&self.page)?;
        self.page.clear();
        Ok(())
    }

    /// Samples that were put so far.
    pub(crate) fn samples(&self) -> u64 {
        self.index.about.samples
    }

    /// Ends the block and puts it in place. Span and count of samples are what was put, whatever `about` says.
    pub(crate) fn finish(mut self, about: About) -> Result<(), BlockError> {
        let times = std::mem::take(&mut self.times);
        self.put_bytes(&times)?;
        if !self.page.is_empty() {
            self.end_page()?;
        }
        self.index.about = About {
            span_ms: self.index.about.span_ms,
            samples: self.index.about.samples,
            ..about
        };
        self.name_labels();
        let packed = index::pack(&self.index)?;
        self.draft.append(&packed)?;
        let mut trailer = (packed.len() as u64).to_le_bytes().to_vec();
        trailer.extend_from_slice(&crc32fast::hash(&packed).to_le_bytes());
        trailer.extend_from_slice(&HEADER[..MARK_LEN]);
        self.draft.append(&trailer)?;
        self.draft.publish()?;
        Ok(())
    }

    fn text(&mut self, text: &Arc<str>) -> u32 {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        let number = short(self.texts.len());
        self.texts.insert(Arc::clone(text), number);
        number
    }

    /// Sorts the texts, and names the labels by their places.
    fn name_labels(&mut self) {
        let mut texts: Vec<(Arc<str>, u32)> = self.texts.drain().collect();
        texts.sort();
        let mut places = vec![0; texts.len()];
        for (place, (_, number)) in texts.iter().enumerate() {
            places[*number as usize] = short(place);
        }
        for (name, value) in &mut self.index.labels {
            *name = places[*name as usize];
            *value = places[*value as usize];
        }
        let texts = texts.into_iter();
        self.index.texts = texts.map(|(text, _)| (*text).to_owned()).collect();
    }
}
