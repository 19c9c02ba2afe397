//! The newest samples of one series as values; it knows no times but the newest.

use crate::series::short;

/// Values that lie in the tail itself.
const FRESH: usize = 8;

/// The newest values of one series. The last few lie in the tail itself: those of all series stand close together in memory,
/// so that one sample for each of them touches few pages. Older ones have an allocation of their own.
#[derive(Default)]
pub(super) struct Tail {
    old: Vec<f64>,
    fresh: [f64; FRESH],
    fresh_len: u8,
    /// Number of the clock that knows the values' times.
    pub(super) clock: u32,
    /// Index of the first value's time in the clock.
    pub(super) first: u32,
    /// How many values at the front are in a block.
    pub(super) sealed: u32,
    /// How many values at the front are in a block, or in the one that is being written.
    freezing: u32,
    /// Time of the newest sample ever, milliseconds.
    pub(super) newest_ms: Option<i64>,
}

impl Tail {
    pub(super) fn len(&self) -> usize {
        self.old.len() + usize::from(self.fresh_len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn fresh(&self) -> &[f64] {
        &self.fresh[..usize::from(self.fresh_len)]
    }

    pub(super) fn push(&mut self, value: f64) {
        if usize::from(self.fresh_len) == FRESH {
            self.settle();
        }
        self.fresh[usize::from(self.fresh_len)] = value;
        self.fresh_len += 1;
    }

    /// Moves the fresh values to the old ones.
    fn settle(&mut self) {
        let fresh = usize::from(self.fresh_len);
        if self.old.capacity() - self.old.len() < fresh {
            // Doubling would leave a third of all memory empty.
            self.old.reserve_exact((self.old.len() / 2).max(fresh));
        }
        self.old.extend_from_slice(&self.fresh[..fresh]);
        self.fresh_len = 0;
    }

    pub(super) fn get(&self, place: usize) -> Option<f64> {
        let fresh = || self.fresh().get(place - self.old.len());
        self.old.get(place).or_else(fresh).copied()
    }

    /// The values at some places, in two parts.
    pub(super) fn parts(&self, first: usize, end: usize) -> [&[f64]; 2] {
        let old = self.old.len();
        let of_old = self.old.get(first.min(old)..end.min(old));
        let of_fresh = self
            .fresh()
            .get(first.saturating_sub(old)..end.saturating_sub(old));
        [of_old, of_fresh].map(Option::unwrap_or_default)
    }

    /// Gives up values at the front, which must be in a block.
    pub(super) fn drop_front(&mut self, count: usize) {
        let of_old = count.min(self.old.len());
        self.old.drain(..of_old);
        self.fresh
            .copy_within((count - of_old).min(FRESH)..FRESH, 0);
        self.fresh_len = self
            .fresh_len
            .saturating_sub(u8::try_from(count - of_old).unwrap_or(u8::MAX));
        let count = short(count);
        self.first += count;
        self.sealed = self.sealed.saturating_sub(count);
        self.freezing = self.freezing.saturating_sub(count);
        if self.len() <= FRESH && self.sealed == self.freezing {
            let settled = self.old.len();
            self.fresh
                .copy_within(..usize::from(self.fresh_len), settled);
            self.fresh[..settled].copy_from_slice(&self.old);
            self.fresh_len += u8::try_from(settled).unwrap_or_default();
            self.old = Vec::new();
        } else {
            self.old.shrink_to(self.old.len() + FRESH);
        }
    }

    /// Gives up all values.
    pub(super) fn clear(&mut self) {
        self.old = Vec::new();
        (self.fresh_len, self.sealed, self.freezing) = (0, 0, 0);
    }

    /// Marks all that is in no block as what the next block takes.
    pub(super) fn freeze(&mut self) {
        self.settle();
        self.freezing = short(self.len());
    }

    /// What the next block takes.
    pub(super) fn frozen(&self) -> &[f64] {
        let places = self.sealed as usize..self.freezing as usize;
        self.old.get(places).unwrap_or_default()
    }

    /// Says that what was frozen is in a block; gives how many values that are.
    pub(super) fn seal(&mut self) -> u64 {
        let sealed = u64::from(self.freezing - self.sealed);
        self.sealed = self.freezing;
        sealed
    }

    /// Whether all values are in a block.
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed as usize == self.len()
    }
}
