//! What is in memory: the series, their newest samples, facts and logs that are in no block yet; it writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_domain::signal::{Fact, LogRecord};
use tocsin_promql::{Chunk, Labels, PlainChunk};

use crate::block::{Block, Group};
use crate::index::Index;
use crate::payload::Point;

/// The memory of a store.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) index: Index,
    series: BTreeMap<u32, Series>,
    /// Records that are in the write-ahead log alone.
    pub(crate) fresh: Records,
    /// Records and samples that are being sealed: they are in no block yet, and nothing is added to them.
    pub(crate) frozen: Option<Frozen>,
    /// Blocks, oldest first.
    pub(crate) blocks: Vec<Arc<Block>>,
    /// Samples in tails.
    pub(crate) tail_samples: u64,
}

/// Facts and logs in the order they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) facts: Vec<Fact>,
    pub(crate) logs: Vec<LogRecord>,
}

impl Records {
    pub(crate) fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.logs.is_empty()
    }
}

/// What is being sealed.
#[derive(Clone)]
pub(crate) struct Frozen {
    pub(crate) samples: Arc<Vec<(u32, Labels, Arc<PlainChunk>)>>,
    pub(crate) records: Arc<Records>,
}

/// Samples of one series.
#[derive(Default)]
struct Series {
    sealed: Vec<Arc<dyn Chunk>>,
    frozen: Option<Arc<PlainChunk>>,
    times: Vec<i64>,
    values: Vec<f64>,
    newest_ms: Option<i64>,
}

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Added,
    /// The same sample is there already.
    Known,
    /// Another value is there at the same time.
    Conflicting,
}

impl Head {
    /// The number of a series, which is added if need be.
    pub(crate) fn series_of(&mut self, labels: &Labels) -> u32 {
        match self.index.find(labels.iter()) {
            Some(number) => number,
            None => {
                let number = self.index.add(labels);
                self.series.insert(number, Series::default());
                number
            }
        }
    }

    /// Time of the newest sample of a series.
    pub(crate) fn newest_ms(&self, series: u32) -> Option<i64> {
        self.series.get(&series)?.newest_ms
    }

    /// Adds a sample to the tail of its series.
    pub(crate) fn push(&mut self, point: Point) -> Pushed {
        let series = self.series.entry(point.series).or_default();
        let pushed = series.push(point.at_ms, point.value);
        if pushed == Pushed::Added {
            self.tail_samples += 1;
        }
        pushed
    }

    /// Moves all tails and records to where they wait to be sealed. Not while others wait there.
    pub(crate) fn freeze(&mut self) -> Frozen {
        if let Some(frozen) = &self.frozen {
            return frozen.clone();
        }
        let mut samples = Vec::new();
        for (number, series) in &mut self.series {
            if series.times.is_empty() {
                continue;
            }
            let times = std::mem::take(&mut series.times);
            let values = std::mem::take(&mut series.values);
            let chunk = Arc::new(PlainChunk::new(times, values));
            series.frozen = Some(Arc::clone(&chunk));
            if let Some(labels) = self.index.labels(*number) {
                samples.push((*number, labels.clone(), chunk));
            }
        }
        self.tail_samples = 0;
        let frozen = Frozen {
            samples: Arc::new(samples),
            records: Arc::new(std::mem::take(&mut self.fresh)),
        };
        self.frozen = Some(frozen.clone());
        frozen
    }

    /// Takes a block in: its runs of samples join their series. What was frozen for it is let go.
    pub(crate) fn install(&mut self, block: Arc<Block>, was_frozen: bool) {
        for (labels, chunks) in Block::chunks(&block) {
            let number = self.series_of(&labels);
            let Some(series) = self.series.get_mut(&number) else {
                continue;
            };
            let newest_ms = chunks.iter().map(|chunk| chunk.span_ms().1).max();
            series.newest_ms = series.newest_ms.max(newest_ms);
            series.sealed.extend(chunks);
        }
        if was_frozen {
            self.series
                .values_mut()
                .for_each(|series| series.frozen = None);
            self.frozen = None;
        }
        self.blocks.push(block);
    }

    /// Forgets a block, and the series that have nothing else.
    pub(crate) fn forget(&mut self, block: &Arc<Block>) {
        self.blocks.retain(|other| !Arc::ptr_eq(other, block));
        let blocks = &self.blocks;
        let mut empty = Vec::new();
        for (number, series) in &mut self.series {
            series.sealed.clear();
            if series.times.is_empty() && series.frozen.is_none() {
                empty.push(*number);
            }
        }
        for block in blocks {
            for (labels, chunks) in Block::chunks(block) {
                let number = self.index.find(labels.iter());
                if let Some(series) = number.and_then(|number| self.series.get_mut(&number)) {
                    series.sealed.extend(chunks);
                }
            }
        }
        for number in empty {
            if self.series.get(&number).is_some_and(Series::is_empty) {
                self.series.remove(&number);
                self.index.remove(number);
            }
        }
    }

    /// The runs of a series that reach into a span. The tail is copied, so that nothing is read under the lock.
    pub(crate) fn runs(&self, number: u32, from_ms: i64, to_ms: i64) -> Vec<Arc<dyn Chunk>> {
        let Some(series) = self.series.get(&number) else {
            return Vec::new();
        };
        let touches = |chunk: &dyn Chunk| {
            let (first_ms, last_ms) = chunk.span_ms();
            first_ms <= to_ms && last_ms >= from_ms
        };
        let sealed = series.sealed.iter().filter(|chunk| touches(&***chunk));
        let mut runs: Vec<Arc<dyn Chunk>> = sealed.cloned().collect();
        if let Some(frozen) = series.frozen.as_ref().filter(|chunk| touches(&***chunk)) {
            let frozen: Arc<dyn Chunk> = Arc::<PlainChunk>::clone(frozen);
            runs.push(frozen);
        }
        let first = series.times.partition_point(|time| *time < from_ms);
        let end = series.times.partition_point(|time| *time <= to_ms);
        if first < end {
            let times = series.times[first..end].to_vec();
            let values = series.values[first..end].to_vec();
            runs.push(Arc::new(PlainChunk::new(times, values)));
        }
        runs
    }

    /// The numbers of all series.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.series.keys().copied().collect()
    }

    /// All samples: in blocks, being sealed, and in tails.
    pub(crate) fn samples(&self) -> u64 {
        let blocks: u64 = self.blocks.iter().map(|block| block.samples()).sum();
        blocks + self.unsealed_samples()
    }

    /// Samples in no block yet.
    pub(crate) fn unsealed_samples(&self) -> u64 {
        let frozen = self.frozen.as_ref().map_or(0, |frozen| {
            let lens = frozen
                .samples
                .iter()
                .map(|(_, _, chunk)| chunk.len() as u64);
            lens.sum()
        });
        frozen + self.tail_samples
    }

    /// Newest sample of all series.
    pub(crate) fn newest_of_all_ms(&self) -> Option<i64> {
        self.series.values().filter_map(|one| one.newest_ms).max()
    }

    /// The record groups of all blocks.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&Arc<Block>, &Group)> {
        self.blocks
            .iter()
            .flat_map(|block| block.groups().iter().map(move |group| (block, group)))
    }
}

impl Series {
    fn push(&mut self, at_ms: i64, value: f64) -> Pushed {
        self.newest_ms = self.newest_ms.max(Some(at_ms));
        if self.times.last().is_none_or(|last| *last < at_ms) {
            self.times.push(at_ms);
            self.values.push(value);
            return Pushed::Added;
        }
        match self.times.binary_search(&at_ms) {
            Ok(at) if self.values[at].to_bits() == value.to_bits() => Pushed::Known,
            Ok(_) => Pushed::Conflicting,
            Err(at) => {
                self.times.insert(at, at_ms);
                self.values.insert(at, value);
                Pushed::Added
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.frozen.is_none() && self.times.is_empty()
    }
}
