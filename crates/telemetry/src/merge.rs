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
/// Samples that are merged between two pauses.
const SAMPLES_BETWEEN_PAUSES: u64 = 1_000_000;
/// A merged block spans at least this, or a tenth of the retention if that is more: what is too old is dropped by the block.
const SPAN_MS_MIN: u64 = 24 * 3_600_000;

/// Chooses blocks to merge; with `all`, whatever may be merged at all. Those that are known to be damaged are left alone.
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
        let is_damaged = block.damage().is_some();
        if !fits || is_damaged {
            if is_enough(&chosen, all) {
                break;
            }
            chosen.clear();
            samples = 0;
        }
        if is_damaged {
            continue;
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

/// Writes the samples of blocks as one, which also stands for the blocks of `void`. Gives the numbers of its series in the order
/// they were written. `pause` is called at the beginning and whenever some time has passed: others wait for the thread.
pub(crate) fn write(
    mut writer: BlockWriter,
    blocks: &[Arc<SampleBlock>],
    void: &[u64],
    labels_of: &dyn Fn(u32) -> Labels,
    pause: &mut dyn FnMut(),
) -> Result<Vec<u32>, BlockError> {
    let mut ordered = blocks.to_vec();
    // Of two samples at one instant that of the older block stays.
    ordered.sort_by_key(|block| block.about().order);
    let series: BTreeSet<u32> = ordered.iter().flat_map(|block| block.series()).collect();
    let mut scratch = Scratch::default();
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let mut next_pause = 0;
    for number in &series {
        if writer.samples() >= next_pause {
            pause();
            next_pause = writer.samples() + SAMPLES_BETWEEN_PAUSES;
        }
        times.clear();
        values.clear();
        for block in &ordered {
            block.read_all(*number, &mut scratch, &mut times, &mut values)?;
        }
        put_in_order(&mut times, &mut values);
        writer.begin(&labels_of(*number));
        writer.put(&times, &values, None)?;
    }
    let through = ordered.iter().map(|block| block.about().sealed_through);
    let level = ordered.iter().map(|block| block.about().level).max();
    let order = ordered.iter().map(|block| block.about().order).min();
    let numbers = ordered.iter().map(|block| block.number());
    writer.finish(About {
        sealed_through: through.max().unwrap_or_default(),
        replaces: numbers.chain(void.iter().copied()).collect(),
        order: order.unwrap_or_default(),
        level: level.unwrap_or_default().saturating_add(1),
        ..About::default()
    })?;
    Ok(series.into_iter().collect())
}

/// Sorts samples by their times. Of two at one instant the first stays.
pub(crate) fn put_in_order(times: &mut Vec<i64>, values: &mut Vec<f64>) {
    if times.is_sorted_by(|a, b| a < b) {
        return;
    }
    let points = times.drain(..).zip(values.drain(..));
    let mut points: Vec<(i64, f64)> = points.collect();
    points.sort_by_key(|(time, _)| *time);
    points.dedup_by_key(|(time, _)| *time);
    (*times, *values) = points.into_iter().unzip();
}
