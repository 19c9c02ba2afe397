//! Room for the older values of all tails, in pieces that never move and are used again; it knows no series and no times.
//!
//! A tail that grows takes one more piece instead of a longer one, so nothing is copied and nothing between the pieces goes to
//! waste. Pieces of one tail are a chain from the newest to the oldest. Later pieces are larger, so chains are short.

/// Values of the smallest pieces; each size is twice the one before.
const SMALLEST: usize = 16;
const SIZES: u32 = 9;
/// Bits of a piece's name that tell its size.
const SIZE_BITS: u32 = 4;
/// A tail's next piece has at least this part of the values that are there: so much may be empty.
const PART: usize = 4;
/// Values that memory is taken for at once: 64 KiB.
const SLAB_VALUES: usize = 8_192;
const NONE: u32 = u32::MAX;

/// The name of a piece, or of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece(u32);

impl Default for Piece {
    fn default() -> Self {
        Self::NONE
    }
}

impl Piece {
    pub(super) const NONE: Self = Self(NONE);

    pub(super) fn is_none(self) -> bool {
        self.0 == NONE
    }

    fn size(self) -> usize {
        (self.0 & ((1 << SIZE_BITS) - 1)) as usize
    }

    /// How many values it has room for.
    pub(super) fn values(self) -> usize {
        SMALLEST << self.size()
    }

    /// Its slab, and its place there.
    fn place(self) -> (usize, usize) {
        let number = (self.0 >> SIZE_BITS) as usize;
        let in_slab = SLAB_VALUES / self.values();
        (number / in_slab, number % in_slab)
    }
}

/// All pieces, by their sizes.
#[derive(Default)]
pub(super) struct Room {
    sizes: [Pieces; SIZES as usize],
}

impl Room {
    /// A piece for the next values of a tail that has `len` of them, the newest in `before`.
    pub(super) fn take(&mut self, len: usize, before: Piece) -> Piece {
        let wanted = (len / PART / SMALLEST).max(1).ilog2().min(SIZES - 1);
        self.sizes[wanted as usize].take(wanted, before)
    }

    /// Gives a piece back, and all that are older than it.
    pub(super) fn give_back(&mut self, newest: Piece) {
        let mut next = newest;
        while !next.is_none() {
            next = self.sizes[next.size()].give_back(next);
        }
    }

    /// The piece that is older than this one.
    pub(super) fn before(&self, piece: Piece) -> Piece {
        let (slab, place) = piece.place();
        Piece(self.slab(piece.size(), slab).links[place])
    }

    /// Gives back all that are older than this piece.
    pub(super) fn cut_before(&mut self, piece: Piece) {
        let (slab, place) = piece.place();
        if let Some(slab) = &mut self.sizes[piece.size()].slabs[slab] {
            let older = std::mem::replace(&mut slab.links[place], NONE);
            self.give_back(Piece(older));
        }
    }

    /// The values of a piece, also those that nobody has written yet.
    pub(super) fn get(&self, piece: Piece) -> &[f64] {
        let (slab, place) = piece.place();
        let from = place * piece.values();
        &self.slab(piece.size(), slab).values[from..from + piece.values()]
    }

    /// The same to write them.
    pub(super) fn get_mut(&mut self, piece: Piece) -> &mut [f64] {
        let (slab, place) = piece.place();
        let from = place * piece.values();
        match &mut self.sizes[piece.size()].slabs[slab] {
            Some(slab) => &mut slab.values[from..from + piece.values()],
            None => &mut [],
        }
    }

    fn slab(&self, size: usize, slab: usize) -> &Slab {
        let slab = self.sizes[size].slabs[slab].as_ref();
        slab.expect("a slab stays while a piece of it is used")
    }

    /// Gives memory back that was not needed since the time before the last. To be called after tails became shorter.
    pub(super) fn trim(&mut self) {
        for (size, pieces) in self.sizes.iter_mut().enumerate() {
            pieces.trim(in_slab(size));
        }
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.sizes.iter().map(|pieces| pieces.used).sum()
    }

    #[cfg(test)]
    pub(super) fn slabs(&self) -> usize {
        let slabs = self.sizes.iter().flat_map(|pieces| &pieces.slabs);
        slabs.flatten().count()
    }
}

/// How many pieces of a size a slab has.
fn in_slab(size: usize) -> usize {
    SLAB_VALUES / (SMALLEST << size)
}

/// All pieces of one size.
#[derive(Default)]
struct Pieces {
    slabs: Vec<Option<Slab>>,
    /// No slab before this one has a free piece.
    open: usize,
    used: usize,
    /// The most that were used, since the last trim and between the two before.
    most: [usize; 2],
}

struct Slab {
    values: Box<[f64]>,
    /// Of a used piece the one that is older; of a free one the place of the next free one.
    links: Box<[u32]>,
    free: u32,
    used: u32,
}

impl Slab {
    fn new(pieces: usize) -> Self {
        let links = (1..pieces).map(crate::series::short);
        Self {
            values: vec![0.0; SLAB_VALUES].into(),
            links: links.chain([NONE]).collect(),
            free: 0,
            used: 0,
        }
    }
}

impl Pieces {
    fn take(&mut self, size: u32, before: Piece) -> Piece {
        let in_slab = in_slab(size as usize);
        let is_full = |slab: &Option<Slab>| slab.as_ref().is_some_and(|slab| slab.free == NONE);
        while self.slabs.get(self.open).is_some_and(is_full) {
            self.open += 1;
        }
        if self.open == self.slabs.len() {
            self.slabs.push(None);
        }
        let slab = self.slabs[self.open].get_or_insert_with(|| Slab::new(in_slab));
        let place = slab.free;
        slab.free = std::mem::replace(&mut slab.links[place as usize], before.0);
        slab.used += 1;
        self.used += 1;
        self.most[0] = self.most[0].max(self.used);
        let number = self.open * in_slab + place as usize;
        assert!(
            number < (NONE >> SIZE_BITS) as usize,
            "tens of gigabytes of values"
        );
        Piece((crate::series::short(number) << SIZE_BITS) | size)
    }

    /// Gives the piece that was older.
    fn give_back(&mut self, piece: Piece) -> Piece {
        let (slab, place) = piece.place();
        self.open = self.open.min(slab);
        let Some(slab) = &mut self.slabs[slab] else {
            return Piece::NONE;
        };
        let older = std::mem::replace(&mut slab.links[place], slab.free);
        slab.free = crate::series::short(place);
        slab.used -= 1;
        self.used -= 1;
        Piece(older)
    }

    fn trim(&mut self, in_slab: usize) {
        let [most, before] = self.most;
        let needed = most.max(before).div_ceil(in_slab);
        let mut there = self.slabs.iter().flatten().count();
        // The last ones are the likeliest to be empty, since those before them are filled first.
        for slab in self.slabs.iter_mut().rev() {
            if there <= needed {
                break;
            }
            if slab.as_ref().is_some_and(|slab| slab.used == 0) {
                *slab = None;
                there -= 1;
            }
        }
        let kept = self.slabs.iter().rposition(Option::is_some);
        self.slabs.truncate(kept.map_or(0, |last| last + 1));
        self.open = self.open.min(self.slabs.len());
        let first_gone = self.slabs.iter().position(Option::is_none);
        self.open = self.open.min(first_gone.unwrap_or(self.open));
        self.most = [self.used, most];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain for `len` values, newest piece first.
    fn chain(room: &mut Room, len: usize) -> Piece {
        let (mut newest, mut held) = (Piece::NONE, 0);
        while held < len {
            newest = room.take(held, newest);
            held += newest.values();
        }
        newest
    }

    #[test]
    fn chains_are_short_and_little_of_them_is_empty() {
        let mut room = Room::default();
        for len in [17, 100, 480, 5_000, 1_000_000] {
            let newest = chain(&mut room, len);
            let (mut pieces, mut values, mut next) = (0, 0, newest);
            while !next.is_none() {
                pieces += 1;
                values += next.values();
                next = room.before(next);
            }
            assert!(
                values <= len + (len / PART).max(SMALLEST),
                "{values} for {len}"
            );
            assert!(pieces <= 40 + len / 4_096, "{pieces} for {len}");
            room.give_back(newest);
        }
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_is_given_back_is_used_again_and_a_peak_is_given_up_later() {
        let mut room = Room::default();
        let few: Vec<Piece> = (0..1_000).map(|_| chain(&mut room, 40)).collect();
        let for_few = room.slabs();
        for _ in 0..10 {
            let more: Vec<Piece> = (0..1_000).map(|_| chain(&mut room, 40)).collect();
            more.into_iter().for_each(|piece| room.give_back(piece));
            room.trim();
        }
        assert!(
            room.slabs() <= 2 * for_few,
            "{} for {for_few}",
            room.slabs()
        );
        let peak: Vec<Piece> = (0..20_000).map(|_| chain(&mut room, 40)).collect();
        peak.into_iter().for_each(|piece| room.give_back(piece));
        room.trim();
        assert!(
            room.slabs() > 10 * for_few,
            "the next peak is likely as high"
        );
        room.trim();
        room.trim();
        assert_eq!(room.slabs(), for_few);
        few.into_iter().for_each(|piece| room.give_back(piece));
        room.trim();
        room.trim();
        room.trim();
        assert_eq!((room.slabs(), room.used()), (0, 0));
    }

    #[test]
    fn a_chain_that_is_cut_keeps_what_is_newer() {
        let mut room = Room::default();
        let newest = chain(&mut room, 60);
        let (second, used) = (room.before(newest), room.used());
        room.get_mut(second)[3] = 7.0;
        room.cut_before(second);
        assert_eq!((room.used(), used), (2, 4));
        assert!(room.before(second).is_none());
        assert_eq!(room.get(second)[3].to_bits(), 7.0_f64.to_bits());
    }
}
