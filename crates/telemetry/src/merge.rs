//! Merges blocks of samples: which ones, and how. It knows no log and no head.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_promql::Labels;

use crate::columns::Scratch;
use crate::sample_block::{About, BlockError, BlockWriter, SampleBlock};

/// Blocks of one level that become one of the next.
const FAN_IN: usize = 4;
/// Samples of a merged block at most: a merge is work for minutes, not for hours.
const SAMPLES_MAX: u64 = 500_000_000;
/// A merged block spans at least this, or a tenth of the retention if that is more: what is too old is dropped by the block.
const SPAN_MS_MIN: u64 = 24 * 3_600_000;

/// Chooses blocks to merge; with `all`, whatever may be merged at all.
pub(crate) fn choose(
    blocks: &[Arc<SampleBlock>],
    retention_ms: u64,
    all: bool,
) -> Option<Vec<Arc<SampleBlock>>> {
    let mut sorted = blocks.to_vec();
    // Neighbours in order only: one that is left out between two others would come to count before or after both.
    sorted.sort_by_key(|block| block.about().order);
    let span_max = i64::try_from(SPAN_MS_MIN.max(retention_ms / 10)).unwrap_or(i64::MAX);
    let mut chosen: Vec<Arc<SampleBlock>> = Vec::new();
    let mut samples = 0;
    for block in sorted {
        let about = block.about();
        let fits = chosen.first().is_none_or(|first| {
            let spans = chosen.iter().map(|one| one.about().span_ms);
            let whole = spans.fold(about.span_ms, |a, b| (a.0.min(b.0), a.1.max(b.1)));
            let span = whole.1.saturating_sub(whole.0);
            (all || first.about().level == about.level)
                && span <= span_max
                && samples + about.samples <= SAMPLES_MAX
        });
        if !fits {
            if is_enough(&chosen, all) {
                break;
            }
            chosen.clear();
            samples = 0;
        }
        samples += block.about().samples;
        chosen.push(block);
        if !all && chosen.len() == FAN_IN {
            break;
        }
    }
    is_enough(&chosen, all).then_some(chosen)
}

fn is_enough(chosen: &[Arc<SampleBlock>], all: bool) -> bool {
    chosen.len() >= if all { 2 } else { FAN_IN }
}

/// Writes the samples of blocks as one. Gives the numbers of its series in the order they were written.
pub(crate) fn write(
    mut writer: BlockWriter,
    blocks: &[Arc<SampleBlock>],
    labels_of: &dyn Fn(u32) -> Labels,
) -> Result<Vec<u32>, BlockError> {
    let mut ordered = blocks.to_vec();
    // Of two samples at one instant that of the older block stays.
    ordered.sort_by_key(|block| block.about().order);
    let series: BTreeSet<u32> = ordered.iter().flat_map(|block| block.series()).collect();
    let mut scratch = Scratch::default();
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for number in &series {
        times.clear();
        values.clear();
        for block in &ordered {
            block.read_all(*number, &mut scratch, &mut times, &mut values)?;
        }
        if !times.is_sorted_by(|a, b| a < b) {
            let points = times.drain(..).zip(values.drain(..));
            let mut points: Vec<(i64, f64)> = points.collect();
            points.sort_by_key(|(time, _)| *time);
            points.dedup_by_key(|(time, _)| *time);
            (times, values) = points.into_iter().unzip();
        }
        writer.begin(&labels_of(*number));
        writer.put(&times, &values, None)?;
    }
    let through = ordered.iter().map(|block| block.about().sealed_through);
    let level = ordered.iter().map(|block| block.about().level).max();
    let order = ordered.iter().map(|block| block.about().order).min();
    writer.finish(About {
        sealed_through: through.max().unwrap_or_default(),
        replaces: ordered.iter().map(|block| block.number()).collect(),
        order: order.unwrap_or_default(),
        level: level.unwrap_or_default().saturating_add(1),
        ..About::default()
    })?;
    Ok(series.into_iter().collect())
}
