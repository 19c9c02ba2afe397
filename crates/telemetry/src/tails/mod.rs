//! The newest samples of each series, uncompressed; it knows no labels and no files.
//!
//! Values of a series lie in its tail; their times lie in a clock, which the series of one scrape share. A sample that is older
//! than the newest of its series stands apart until it is sealed ("late"). What is sealed may stay in the tail for a while, so
//! that questions about the last minutes read no block.

mod clock;
mod room;
mod tail;

use std::collections::BTreeMap;

use clock::Clocks;
use room::Room;
use tail::Tail;

use crate::series::short;

/// Sealed samples that stay in memory are at most this old, compared with the newest of their series.
const KEPT_MS: i64 = 330_000;
/// And at most so many.
const KEPT_MAX: usize = 360;
/// With more series than this, only the newest sample stays.
const KEPT_SERIES_MAX: usize = 250_000;

/// Late samples of series, sorted by time; values as bits.
pub(crate) type Late = BTreeMap<u32, BTreeMap<i64, u64>>;

/// The newest samples of all series, by the series' number.
#[derive(Default)]
pub(crate) struct Tails {
    tails: Vec<Tail>,
    room: Room,
    clocks: Clocks,
    late: Late,
    /// Late samples that are being sealed.
    late_freezing: Late,
    /// The clock that a sample went to last: the next new series is likely of the same scrape.
    last_clock: Option<u32>,
    /// Samples that are in no block.
    unsealed: u64,
    /// Late ones among them that no block is being written for.
    late_samples: u64,
}

/// What became of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is the newest of its series.
    Added,
    /// It is older than the newest.
    Late,
    /// The same sample is there already.
    Known,
    /// Another value is there at the same time.
    Conflicting,
}

/// Samples of one series that are to be sealed.
pub(crate) struct Sealable<'a> {
    /// Tells equal times apart cheaply: two series with the same key have the same times.
    pub(crate) key: (u32, u32, usize),
    pub(crate) times: &'a [i64],
    pub(crate) values: Vec<f64>,
}

/// Samples of one series that are in memory.
pub(crate) struct View<'a> {
    /// Tells equal times apart cheaply: two series with the same key have the same times.
    pub(crate) key: (u32, u32, usize),
    pub(crate) times: &'a [i64],
    pub(crate) values: Vec<f64>,
    /// Nothing of the span is in a block or late: these are all samples there are.
    pub(crate) is_whole: bool,
}

impl Tails {
    /// Time of the newest sample of a series, also when it is only in blocks.
    pub(crate) fn newest_ms(&self, series: u32) -> Option<i64> {
        self.tails.get(series as usize)?.newest_ms()
    }

    /// Says that blocks hold samples of a series up to a time.
    pub(crate) fn note_sealed(&mut self, series: u32, newest_ms: i64) {
        self.tail_mut(series).note_newest(newest_ms);
    }

    fn tail_mut(&mut self, series: u32) -> &mut Tail {
        let place = series as usize;
        if place >= self.tails.len() {
            self.tails.resize_with(place + 1, Tail::default);
        }
        &mut self.tails[place]
    }

    /// Adds a sample.
    pub(crate) fn push(&mut self, series: u32, at_ms: i64, value: f64) -> Pushed {
        let tail = self.tail_mut(series);
        if tail.newest_ms().is_some_and(|newest| at_ms <= newest) {
            return self.push_old(series, at_ms, value);
        }
        tail.note_newest(at_ms);
        if tail.is_empty() {
            self.begin(series, at_ms);
        } else {
            self.follow(series, at_ms);
        }
        let tail = &mut self.tails[series as usize];
        tail.push(value, &mut self.room);
        self.last_clock = Some(tail.clock);
        self.unsealed += 1;
        Pushed::Added
    }

    /// Finds a clock for the first sample of a tail.
    fn begin(&mut self, series: u32, at_ms: i64) {
        let joined = self.last_clock.filter(|number| {
            let clock = self.clocks.get(*number);
            clock.users > 0 && clock.times.last() == Some(&at_ms)
        });
        let (number, first) = match joined {
            Some(number) => {
                let clock = self.clocks.get_mut(number);
                clock.users += 1;
                (number, clock.end() - 1)
            }
            None => (self.clocks.add(vec![at_ms], 0), 0),
        };
        let tail = &mut self.tails[series as usize];
        (tail.clock, tail.first) = (number, first);
    }

    /// Sees to it that the clock of a series has this time next.
    fn follow(&mut self, series: u32, at_ms: i64) {
        let tail = &mut self.tails[series as usize];
        let index = tail.first.wrapping_add(short(tail.len()));
        let clock = self.clocks.get_mut(tail.clock);
        match clock.time(index) {
            Some(time) if time == at_ms => {}
            None if index == clock.end() => clock.times.push(at_ms),
            Some(_) | None => {
                tail.clock = self.clocks.fork(tail.clock, tail.first, index, at_ms);
            }
        }
    }

    /// A sample that is not the newest.
    fn push_old(&mut self, series: u32, at_ms: i64, value: f64) -> Pushed {
        let bits = value.to_bits();
        let tail = &mut self.tails[series as usize];
        if !tail.is_empty() {
            let clock = self.clocks.get(tail.clock);
            let times = clock.slice(tail.first, tail.len());
            if let Ok(at) = times.binary_search(&at_ms) {
                return known(tail.get(at, &self.room).map(f64::to_bits) == Some(bits));
            }
        }
        for late in [&self.late, &self.late_freezing] {
            if let Some(found) = late.get(&series).and_then(|late| late.get(&at_ms)) {
                return known(*found == bits);
            }
        }
        self.late.entry(series).or_default().insert(at_ms, bits);
        self.unsealed += 1;
        self.late_samples += 1;
        // From now on blocks may hold samples between those that stayed: they are no whole answer any more.
        self.drop_kept(series);
        Pushed::Late
    }

    /// Lets go of the sealed samples of a series: its blocks are asked from now on.
    pub(crate) fn drop_kept(&mut self, series: u32) {
        let tail = &mut self.tails[series as usize];
        let kept = tail.sealed as usize;
        if kept == 0 {
            return;
        }
        tail.drop_front(kept, &mut self.room);
        if tail.is_empty() {
            self.clocks.release(tail.clock);
        }
    }

    /// The newest samples of a series within a span, without late ones.
    pub(crate) fn view(&self, series: u32, from_ms: i64, to_ms: i64) -> Option<View<'_>> {
        let tail = self.tails.get(series as usize)?;
        if tail.is_empty() {
            return None;
        }
        let is_late = self.late.contains_key(&series) || self.late_freezing.contains_key(&series);
        let clock = self.clocks.get(tail.clock);
        let all = clock.slice(tail.first, tail.len());
        let is_whole = !is_late && all.first().is_some_and(|first| *first <= from_ms);
        let skipped = if is_whole { 0 } else { tail.sealed as usize };
        let first = all.partition_point(|time| *time < from_ms).max(skipped);
        let end = all.partition_point(|time| *time <= to_ms).max(first);
        let mut values = Vec::new();
        tail.copy(first, end, &self.room, &mut values);
        Some(View {
            key: (tail.clock, tail.first + short(first), end - first),
            times: &all[first..end],
            values,
            is_whole,
        })
    }

    /// Whether a series has samples of a span in memory.
    pub(crate) fn touches(&self, series: u32, from_ms: i64, to_ms: i64) -> bool {
        let in_tail = self.tails.get(series as usize).is_some_and(|tail| {
            let times = match tail.is_empty() {
                true => &[][..],
                false => self.clocks.get(tail.clock).slice(tail.first, tail.len()),
            };
            let next = times.partition_point(|time| *time < from_ms);
            times.get(next).is_some_and(|time| *time <= to_ms)
        });
        in_tail || !self.late(series, from_ms, to_ms).is_empty()
    }

    /// The late samples of a series in a span, as points.
    pub(crate) fn late(&self, series: u32, from_ms: i64, to_ms: i64) -> Vec<(i64, f64)> {
        let mut found: BTreeMap<i64, u64> = BTreeMap::new();
        for late in [&self.late_freezing, &self.late] {
            if let Some(points) = late.get(&series)
                && from_ms <= to_ms
            {
                found.extend(points.range(from_ms..=to_ms).map(|(at, bits)| (*at, *bits)));
            }
        }
        let points = found.into_iter();
        points
            .map(|(at, bits)| (at, f64::from_bits(bits)))
            .collect()
    }

    /// Samples that are in no block.
    pub(crate) fn unsealed(&self) -> u64 {
        self.unsealed
    }

    /// Late samples in memory, which take much more room than others.
    pub(crate) fn late_samples(&self) -> u64 {
        self.late_samples
    }

    /// Whether a series has samples in memory.
    pub(crate) fn holds(&self, series: u32) -> bool {
        let tail = self.tails.get(series as usize);
        tail.is_some_and(|tail| !tail.is_empty())
            || self.late.contains_key(&series)
            || self.late_freezing.contains_key(&series)
    }

    /// Distinct times in memory from `from_ms` on.
    pub(crate) fn times_since(&self, from_ms: i64) -> impl Iterator<Item = i64> {
        let late = self.late.values().chain(self.late_freezing.values());
        let late = late.flat_map(move |points| points.range(from_ms..).map(|(at, _)| *at));
        let clocks = self.clocks.used().flat_map(move |clock| {
            let first = clock.times.partition_point(|time| *time < from_ms);
            clock.times[first..].iter().copied()
        });
        clocks.chain(late)
    }

    /// Oldest and newest sample in memory.
    pub(crate) fn span_ms(&self) -> Option<(i64, i64)> {
        let clocks = self.clocks.used();
        let spans = clocks.filter_map(|clock| Some((*clock.times.first()?, *clock.times.last()?)));
        spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Marks all that is in no block as what the next block takes.
    pub(crate) fn freeze(&mut self) {
        self.tails.iter_mut().for_each(Tail::freeze);
        self.late_freezing = std::mem::take(&mut self.late);
        self.late_samples = 0;
    }

    /// One more than the largest number of a series.
    pub(crate) fn numbers(&self) -> usize {
        self.tails.len()
    }

    /// What the next block takes of a series' tail.
    pub(crate) fn sealable(&self, series: u32) -> Option<Sealable<'_>> {
        let tail = self.tails.get(series as usize)?;
        let values = tail.frozen(&self.room);
        if values.is_empty() {
            return None;
        }
        let first = tail.first + tail.sealed;
        Some(Sealable {
            key: (tail.clock, first, values.len()),
            times: self.clocks.get(tail.clock).slice(first, values.len()),
            values,
        })
    }

    /// What the next block takes of a series' late samples.
    pub(crate) fn sealable_late(&self, series: u32) -> Option<&BTreeMap<i64, u64>> {
        self.late_freezing.get(&series)
    }

    /// Says that the block is written. Some of the newest samples stay for a while.
    pub(crate) fn sealed(&mut self) {
        let late = std::mem::take(&mut self.late_freezing);
        let few = self.tails.len() <= KEPT_SERIES_MAX;
        let mut sealed = late.values().map(|points| points.len() as u64).sum::<u64>();
        for (number, tail) in self.tails.iter_mut().enumerate() {
            if tail.is_empty() {
                continue;
            }
            sealed += tail.seal();
            let number = short(number);
            let is_late = late.contains_key(&number) || self.late.contains_key(&number);
            let kept = match is_late {
                true => 0,
                false if few => {
                    let since = tail.newest_ms().map_or(i64::MIN, |newest| newest - KEPT_MS);
                    let times = self
                        .clocks
                        .get(tail.clock)
                        .slice(tail.first, tail.sealed as usize);
                    let recent = times.len() - times.partition_point(|time| *time < since);
                    recent.min(KEPT_MAX)
                }
                false => 1,
            };
            let dropped = (tail.sealed as usize).saturating_sub(kept);
            tail.drop_front(dropped, &mut self.room);
            if tail.is_empty() {
                self.clocks.release(tail.clock);
            }
        }
        self.unsealed = self.unsealed.saturating_sub(sealed);
        self.trim_clocks();
        self.room.trim();
    }

    /// Lets go of sealed samples of series that got none since `since_ms`. Gives the series that have nothing in memory now.
    pub(crate) fn drop_idle(&mut self, since_ms: i64) -> Vec<u32> {
        let mut idle = Vec::new();
        for (number, tail) in self.tails.iter_mut().enumerate() {
            let number = short(number);
            let is_idle = tail.newest_ms().is_some_and(|newest| newest < since_ms)
                && tail.is_sealed()
                && !self.late.contains_key(&number)
                && !self.late_freezing.contains_key(&number);
            if !is_idle {
                continue;
            }
            if !tail.is_empty() {
                tail.clear(&mut self.room);
                self.clocks.release(tail.clock);
            }
            idle.push(number);
        }
        self.trim_clocks();
        idle
    }

    /// Forgets a series that has nothing in memory.
    pub(crate) fn forget(&mut self, series: u32) {
        if let Some(tail) = self.tails.get_mut(series as usize) {
            *tail = Tail::default();
        }
    }

    fn trim_clocks(&mut self) {
        let mut oldest = vec![u32::MAX; self.clocks.numbers()];
        for tail in self.tails.iter().filter(|tail| !tail.is_empty()) {
            let oldest = &mut oldest[tail.clock as usize];
            *oldest = (*oldest).min(tail.first);
        }
        self.clocks.trim(&oldest);
    }
}

fn known(is_same: bool) -> Pushed {
    if is_same {
        Pushed::Known
    } else {
        Pushed::Conflicting
    }
}

#[cfg(test)]
mod tests;
