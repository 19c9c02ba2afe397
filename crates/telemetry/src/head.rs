//! What a store knows without asking the disk: the series, their newest samples, records that are in no block yet, and which
//! blocks there are; it writes nothing.

use std::sync::Arc;

use roaring::RoaringBitmap;
use tocsin_domain::signal::{Fact, LogRecord};
use tocsin_promql::{Chunk, Labels, PlainChunk};

use crate::accept::distinct;
use crate::chunk::{Lent, LentRun, in_order};
use crate::exemplars::Exemplars;
use crate::metadata::KnownMetrics;
use crate::payload::encode_rest;
use crate::record_block::{Block, Group};
use crate::sample_block::SampleBlock;
use crate::series::Registry;
use crate::sources::Sources;
use crate::tails::Tails;

/// The memory of a store.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) registry: Registry,
    pub(crate) tails: Tails,
    /// How many blocks of samples hold a series, by its number.
    in_blocks: Vec<u32>,
    pub(crate) sources: Sources,
    pub(crate) exemplars: Exemplars,
    pub(crate) metadata: KnownMetrics,
    /// Records that are in the write-ahead log alone.
    pub(crate) fresh: Records,
    /// What is being sealed, when something is.
    pub(crate) freezing: Option<Arc<Records>>,
    /// Blocks of samples, in their order.
    pub(crate) sample_blocks: Vec<Arc<SampleBlock>>,
    /// Blocks of records, by number.
    pub(crate) record_blocks: Vec<Arc<Block>>,
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

impl Head {
    /// Takes a block of samples in.
    pub(crate) fn install(&mut self, block: SampleBlock) {
        for (series, newest_ms) in block.newest() {
            self.tails.note_sealed(series, newest_ms);
        }
        self.count_in_blocks(&block, true);
        let at = self
            .sample_blocks
            .partition_point(|other| other.about().order < block.about().order);
        self.sample_blocks.insert(at, Arc::new(block));
    }

    /// Forgets a block of samples. Its series are forgotten by [`Head::forget_unused`].
    pub(crate) fn forget(&mut self, block: &Arc<SampleBlock>) {
        self.sample_blocks
            .retain(|other| !Arc::ptr_eq(other, block));
        self.count_in_blocks(block, false);
    }

    fn count_in_blocks(&mut self, block: &SampleBlock, is_more: bool) {
        if self.in_blocks.len() < self.registry.numbers() {
            self.in_blocks.resize(self.registry.numbers(), 0);
        }
        for series in block.series() {
            let count = &mut self.in_blocks[series as usize];
            *count = if is_more {
                *count + 1
            } else {
                count.saturating_sub(1)
            };
        }
    }

    /// Lets go of what series without recent samples have in memory, and of the series that are in no block either. Gives
    /// the numbers of these.
    pub(crate) fn forget_unused(&mut self, idle_since_ms: i64) -> RoaringBitmap {
        for series in self.tails.drop_idle(idle_since_ms) {
            self.sources.leave(series);
        }
        let unused: RoaringBitmap = self
            .registry
            .all()
            .iter()
            .filter(|series| {
                let in_blocks = self.in_blocks.get(*series as usize);
                in_blocks.is_none_or(|count| *count == 0) && !self.tails.holds(*series)
            })
            .collect();
        self.exemplars.forget(&unused);
        for series in &unused {
            self.sources.leave(series);
            self.tails.forget(series);
            self.registry.remove(series);
        }
        unused
    }

    /// What no block takes, for the next file of the log: exemplars and metadata, and the series that the log must name.
    pub(crate) fn not_in_blocks(&self) -> Option<(Vec<u32>, Vec<u8>)> {
        let exemplars = self.exemplars.all();
        let metadata = self.metadata.all();
        if exemplars.is_empty() && metadata.is_empty() {
            return None;
        }
        let series = exemplars.iter().map(|(series, _)| *series).collect();
        let rest = encode_rest(&[], &exemplars, &metadata, &[], &[]);
        Some((distinct(series), rest))
    }

    /// The runs of a series that reach into a span, in the order of time. Series that share times lend the same column of
    /// `lent`.
    pub(crate) fn runs(
        &self,
        series: u32,
        (from_ms, to_ms): (i64, i64),
        lent: &mut Lent,
    ) -> Vec<Arc<dyn Chunk>> {
        let view = self.tails.view(series, from_ms, to_ms);
        let is_whole = view.as_ref().is_some_and(|view| view.is_whole);
        let tail = view.filter(|view| !view.times.is_empty()).map(|view| {
            Arc::new(LentRun {
                times: lent.column(view.key, view.times),
                values: view.values.into(),
            }) as Arc<dyn Chunk>
        });
        if is_whole {
            return tail.into_iter().collect();
        }
        let mut runs: Vec<Arc<dyn Chunk>> = Vec::new();
        for block in &self.sample_blocks {
            let (first_ms, last_ms) = block.about().span_ms;
            if first_ms <= to_ms && last_ms >= from_ms {
                runs.extend(SampleBlock::chunks(block, series, from_ms, to_ms));
            }
        }
        let late = self.tails.late(series, from_ms, to_ms);
        if !late.is_empty() {
            let (times, values) = late.into_iter().unzip();
            runs.push(Arc::new(PlainChunk::new(times, values)));
        }
        runs.extend(tail);
        in_order(runs)
    }

    /// The labels of a series.
    pub(crate) fn labels(&self, series: u32) -> Labels {
        self.registry.labels(series)
    }

    /// All samples: in blocks and in memory. One that is in two blocks counts twice.
    pub(crate) fn samples(&self) -> u64 {
        let blocks = self.sample_blocks.iter();
        let in_blocks: u64 = blocks.map(|block| block.about().samples).sum();
        in_blocks + self.tails.unsealed()
    }

    /// Oldest and newest sample, milliseconds.
    pub(crate) fn span_ms(&self) -> Option<(i64, i64)> {
        let blocks = self.sample_blocks.iter();
        let spans = blocks.map(|block| block.about().span_ms);
        let spans = spans.chain(self.tails.span_ms());
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The record groups of all blocks.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&Arc<Block>, &Group)> {
        self.record_blocks
            .iter()
            .flat_map(|block| block.groups().iter().map(move |group| (block, group)))
    }
}
