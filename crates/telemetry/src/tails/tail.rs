//! The newest samples of one series as values; it knows no times but the newest.

use super::room::{Piece, Room};
use crate::series::short;

/// Values that lie in the tail itself.
const FRESH: usize = 8;

/// The newest values of one series. The last few lie in the tail itself: those of all series stand close together in memory,
/// so that one sample for each of them touches few pages. Older ones are in pieces of a room that all tails share.
pub(super) struct Tail {
    fresh: [f64; FRESH],
    fresh_len: u8,
    /// Piece with the newest of the old values.
    newest_piece: Piece,
    /// Values before the fresh ones.
    old_len: u32,
    /// Values that fit behind them in the newest piece.
    room_left: u32,
    /// Number of the clock that knows the values' times.
    pub(super) clock: u32,
    /// Index of the first value's time in the clock.
    pub(super) first: u32,
    /// How many values at the front are in a block.
    pub(super) sealed: u32,
    /// How many values at the front are in a block, or in the one that is being written.
    freezing: u32,
    /// Time of the newest sample ever, milliseconds; the least number for none.
    newest_ms: i64,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            fresh: [0.0; FRESH],
            fresh_len: 0,
            newest_piece: Piece::NONE,
            old_len: 0,
            room_left: 0,
            clock: 0,
            first: 0,
            sealed: 0,
            freezing: 0,
            newest_ms: i64::MIN,
        }
    }
}

impl Tail {
    /// Time of the newest sample ever.
    pub(super) fn newest_ms(&self) -> Option<i64> {
        (self.newest_ms > i64::MIN).then_some(self.newest_ms)
    }

    /// Says that there is, or was, a sample at this time.
    pub(super) fn note_newest(&mut self, at_ms: i64) {
        self.newest_ms = self.newest_ms.max(at_ms);
    }

    pub(super) fn len(&self) -> usize {
        self.old_len as usize + usize::from(self.fresh_len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push(&mut self, value: f64, room: &mut Room) {
        if usize::from(self.fresh_len) == FRESH {
            self.settle(room);
        }
        self.fresh[usize::from(self.fresh_len)] = value;
        self.fresh_len += 1;
    }

    /// Moves the fresh values to the old ones.
    fn settle(&mut self, room: &mut Room) {
        let fresh = self.fresh;
        self.put(&fresh[..usize::from(self.fresh_len)], room);
        self.fresh_len = 0;
    }

    /// Puts values behind the old ones.
    fn put(&mut self, mut values: &[f64], room: &mut Room) {
        while !values.is_empty() {
            if self.room_left == 0 {
                self.newest_piece = room.take(self.old_len as usize, self.newest_piece);
                self.room_left = short(self.newest_piece.values());
            }
            let (fits, rest) = values.split_at(values.len().min(self.room_left as usize));
            let at = self.newest_piece.values() - self.room_left as usize;
            room.get_mut(self.newest_piece)[at..at + fits.len()].copy_from_slice(fits);
            self.room_left -= short(fits.len());
            self.old_len += short(fits.len());
            values = rest;
        }
    }

    pub(super) fn get(&self, place: usize, room: &Room) -> Option<f64> {
        let mut one = Vec::new();
        self.copy(place, place + 1, room, &mut one);
        one.pop()
    }

    /// Appends the values at some places.
    pub(super) fn copy(&self, first: usize, end: usize, room: &Room, out: &mut Vec<f64>) {
        let old = self.old_len as usize;
        if first < old {
            let (first, end) = (first, end.min(old));
            let from = out.len();
            out.resize(from + end.saturating_sub(first), 0.0);
            self.copy_old(first, end, room, &mut out[from..]);
        }
        let fresh = first.max(old) - old..end.max(old) - old;
        let fresh = self.fresh[..usize::from(self.fresh_len)].get(fresh);
        out.extend_from_slice(fresh.unwrap_or_default());
    }

    /// Old values at some places, from the newest piece on backwards.
    fn copy_old(&self, first: usize, end: usize, room: &Room, out: &mut [f64]) {
        let mut piece = self.newest_piece;
        // Place of the piece's last value and one more.
        let mut piece_end = self.old_len as usize;
        let mut used = piece.values() - self.room_left as usize;
        while first < piece_end && !piece.is_none() {
            let piece_first = piece_end.saturating_sub(used);
            let (from, to) = (first.max(piece_first), end.min(piece_end));
            if from < to {
                // Values at the front of the oldest piece may have been given up.
                let at = from + used - piece_end;
                let values = &room.get(piece)[at..at + to - from];
                out[from - first..to - first].copy_from_slice(values);
            }
            piece_end = piece_first;
            piece = room.before(piece);
            used = piece.values();
        }
    }

    /// Gives up values at the front, which must be in a block.
    pub(super) fn drop_front(&mut self, count: usize, room: &mut Room) {
        let of_old = count.min(self.old_len as usize);
        let of_fresh = (count - of_old).min(usize::from(self.fresh_len));
        self.fresh.copy_within(of_fresh.., 0);
        self.fresh_len -= u8::try_from(of_fresh).unwrap_or_default();
        self.drop_old(of_old, room);
        let count = short(of_old + of_fresh);
        self.first += count;
        self.sealed = self.sealed.saturating_sub(count);
        self.freezing = self.freezing.saturating_sub(count);
    }

    fn drop_old(&mut self, count: usize, room: &mut Room) {
        let kept = self.old_len as usize - count;
        if count == 0 {
            return;
        }
        let few = self.len() - count <= FRESH;
        let mut piece = self.newest_piece;
        let mut held = piece.values() - self.room_left as usize;
        while held < kept {
            piece = room.before(piece);
            held += piece.values();
        }
        room.cut_before(piece);
        let pieces = held + self.room_left as usize;
        if kept == 0 || few || pieces > 2 * kept + FRESH {
            self.rewrite(kept, few, room);
        } else {
            self.old_len = short(kept);
        }
    }

    /// Puts the newest of the old values into pieces of the right sizes, or with the fresh ones where they fit.
    fn rewrite(&mut self, kept: usize, few: bool, room: &mut Room) {
        let old = self.old_len as usize;
        let mut values = vec![0.0; kept];
        self.copy_old(old - kept, old, room, &mut values);
        room.give_back(self.newest_piece);
        (self.newest_piece, self.room_left, self.old_len) = (Piece::NONE, 0, 0);
        if few {
            self.fresh.copy_within(..usize::from(self.fresh_len), kept);
            self.fresh[..kept].copy_from_slice(&values);
            self.fresh_len += u8::try_from(kept).unwrap_or_default();
        } else {
            self.put(&values, room);
        }
    }

    /// Gives up all values.
    pub(super) fn clear(&mut self, room: &mut Room) {
        self.drop_front(self.len(), room);
        (self.sealed, self.freezing) = (0, 0);
    }

    /// Marks all that is in no block as what the next block takes.
    pub(super) fn freeze(&mut self) {
        self.freezing = short(self.len());
    }

    /// What the next block takes.
    pub(super) fn frozen(&self, room: &Room) -> Vec<f64> {
        let mut values = Vec::new();
        self.copy(
            self.sealed as usize,
            self.freezing as usize,
            room,
            &mut values,
        );
        values
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
