//! How senders spelt series the last time, so that the next request's labels need not be read; it knows no format.

use super::short;

/// Bytes of all spellings; series beyond are looked up by their labels, each time.
const BYTES_MAX: usize = 32 << 20;
/// A longer spelling, which hardly any series has, is not remembered: one sender shall not take the room of all.
const SPELLING_BYTES_MAX: usize = 4 << 10;
/// What is forgotten may take this much before all is.
const DEAD_BYTES_MAX: usize = BYTES_MAX / 2;

/// One spelling for each of some series. They lie in the order they were noted, which is the order senders send them in.
#[derive(Default)]
pub(super) struct Spellings {
    bytes: Vec<u8>,
    /// By number of a series; nothing was noted where both are zero.
    places: Vec<Place>,
    dead_bytes: usize,
}

#[derive(Clone, Copy, Default)]
struct Place {
    at: u32,
    len: u32,
}

impl Spellings {
    /// Whether a series is known to be spelt like this.
    pub(super) fn is(&self, series: u32, spelling: &[u8]) -> bool {
        let place = self.places.get(series as usize).copied();
        place.is_some_and(|place| place.len > 0 && self.at(place) == spelling)
    }

    fn at(&self, place: Place) -> &[u8] {
        let at = place.at as usize;
        &self.bytes[at..at + place.len as usize]
    }

    /// Remembers how a series is spelt. The first spelling stays: two senders that differ would take turns for nothing.
    pub(super) fn note(&mut self, series: u32, spelling: &[u8]) {
        let index = series as usize;
        if self.places.get(index).is_some_and(|place| place.len > 0)
            || spelling.len() > SPELLING_BYTES_MAX
            || self.bytes.len() + spelling.len() > BYTES_MAX
        {
            return;
        }
        if index >= self.places.len() {
            self.places.resize(index + 1, Place::default());
        }
        if self.bytes.capacity() - self.bytes.len() < spelling.len() {
            // Doubling would leave a third of it empty.
            let more = (self.bytes.len() / 8).max(spelling.len());
            self.bytes.reserve_exact(more);
        }
        self.places[index] = Place {
            at: short(self.bytes.len()),
            len: short(spelling.len()),
        };
        self.bytes.extend_from_slice(spelling);
    }

    /// Forgets a series.
    pub(super) fn forget(&mut self, series: u32) {
        if let Some(place) = self.places.get_mut(series as usize) {
            self.dead_bytes += place.len as usize;
            *place = Place::default();
        }
        if self.dead_bytes > DEAD_BYTES_MAX {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_spelling_of_a_series_is_known_until_it_is_forgotten() {
        let mut known = Spellings::default();
        assert!(!known.is(3, b"") && !known.is(3, b"a"));
        known.note(3, b"a");
        known.note(3, b"b");
        known.note(1, b"cd");
        assert!(known.is(3, b"a") && !known.is(3, b"b") && known.is(1, b"cd"));
        assert!(!known.is(2, b"") && !known.is(1, b"c"));
        known.forget(3);
        assert!(!known.is(3, b"a") && known.is(1, b"cd"));
        known.note(3, b"b");
        assert!(known.is(3, b"b"));
    }

    #[test]
    fn memory_is_bounded_also_when_series_come_and_go() {
        let mut known = Spellings::default();
        let long = vec![b'x'; SPELLING_BYTES_MAX];
        for series in 0..50_000 {
            known.note(series, &long);
            if series >= 1_000 {
                known.forget(series - 1_000);
            }
            assert!(known.bytes.capacity() <= BYTES_MAX + BYTES_MAX / 8);
        }
        assert!(known.is(49_999, &long));
        known.note(1, &[long, vec![b'x']].concat());
        assert!(!known.is(1, &[b'x'; SPELLING_BYTES_MAX + 1]));
    }
}
