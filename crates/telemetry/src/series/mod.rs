//! Which series there are: their labels, and an inverted index from each label to its series; it knows no samples.

mod find;
mod spellings;
mod symbols;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use roaring::RoaringBitmap;
use tocsin_promql::{Labels, METRIC_NAME};

use spellings::Spellings;
pub(crate) use symbols::short;
use symbols::{Pair, Symbols};

/// Labels of removed series may take this much of the arena before it is written anew.
const DEAD_LABELS_MIN: usize = 1 << 16;

/// All series by number. A number that is no longer used is given out again.
#[derive(Default)]
pub(crate) struct Registry {
    hash: RandomState,
    symbols: Symbols,
    /// The series of a pair, by the pair's number.
    postings: Vec<Posting>,
    /// The pairs of a name, by the name's number.
    pairs_of: BTreeMap<u32, RoaringBitmap>,
    series: Vec<Entry>,
    /// Pairs of all series, one series after the other.
    arena: Vec<u32>,
    dead_labels: usize,
    by_labels: HashTable<u32>,
    live: RoaringBitmap,
    free: Vec<u32>,
    /// By number of a series: which one followed it when it was written last.
    followers: Vec<u32>,
    spellings: Spellings,
    /// By number of a series: the text that is its metric's name.
    names: Vec<u32>,
}

/// A series without a metric's name.
const NAMELESS: u32 = u32::MAX;

/// Where the labels of a series stand.
#[derive(Clone, Copy, Default)]
struct Entry {
    hash: u64,
    labels_at: u32,
    labels: u32,
}

/// The series that have a pair.
#[derive(Default)]
enum Posting {
    #[default]
    Empty,
    /// Most labels that tell series apart are of one series: that costs no bitmap.
    One(u32),
    Many(Box<RoaringBitmap>),
}

impl Posting {
    fn add(&mut self, series: u32) {
        match self {
            Self::Empty => *self = Self::One(series),
            Self::One(first) => {
                let both: RoaringBitmap = [*first, series].into_iter().collect();
                *self = Self::Many(Box::new(both));
            }
            Self::Many(many) => {
                many.insert(series);
            }
        }
    }

    /// Takes a series out; whether none is left.
    fn remove(&mut self, series: u32) -> bool {
        match self {
            Self::Empty => return true,
            Self::One(one) if *one == series => *self = Self::Empty,
            Self::One(_) => {}
            Self::Many(many) => {
                many.remove(series);
                if many.is_empty() {
                    *self = Self::Empty;
                }
            }
        }
        matches!(self, Self::Empty)
    }

    fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }
}

/// Labels in the order of names, as something asks for them.
pub(crate) trait LabelList {
    /// Names and values.
    fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)>;
}

impl LabelList for [(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)] {
    fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl LabelList for Vec<(&str, &str)> {
    fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.iter().copied()
    }
}

impl Registry {
    /// A hash of labels that differs from process to process, so that nobody can send labels that collide.
    pub(crate) fn hash_of<L: LabelList + ?Sized>(&self, labels: &L) -> u64 {
        let mut hasher = self.hash.build_hasher();
        for (name, value) in labels.pairs() {
            hasher.write(name.as_bytes());
            hasher.write(value.as_bytes());
            // Where one ends and the next begins is part of what they are.
            hasher.write_u64(((name.len() as u64) << 32) | value.len() as u64);
        }
        hasher.finish()
    }

    /// The number of a series by the hash that [`Registry::hash_of`] gave.
    pub(crate) fn find<L: LabelList + ?Sized>(&self, hash: u64, labels: &L) -> Option<u32> {
        let found = self.by_labels.find(hash, |number| {
            let entry = self.series[*number as usize];
            entry.hash == hash && self.has_labels(entry, labels)
        });
        found.copied()
    }

    /// The series that followed `before` the last time, if it has these labels. Senders keep an order: that spares the hash.
    pub(crate) fn find_next<L: LabelList + ?Sized>(&self, before: u32, labels: &L) -> Option<u32> {
        let next = *self.followers.get(before as usize)?;
        let entry = *self.series.get(next as usize)?;
        (entry.labels > 0 && self.has_labels(entry, labels)).then_some(next)
    }

    /// The same by the bytes that a sender spelt it with, which spares reading its labels.
    pub(crate) fn find_spelt(&self, before: u32, spelling: &[u8]) -> Option<u32> {
        let next = *self.followers.get(before as usize)?;
        self.spellings.is(next, spelling).then_some(next)
    }

    /// Remembers how a sender spelt a series.
    pub(crate) fn note_spelling(&mut self, series: u32, spelling: &[u8]) {
        self.spellings.note(series, spelling);
    }

    /// The number of the text that is the name of a series' metric, for [`Registry::text`].
    pub(crate) fn metric(&self, series: u32) -> Option<u32> {
        let name = *self.names.get(series as usize)?;
        (name != NAMELESS).then_some(name)
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &Arc<str> {
        self.symbols.text(number)
    }

    /// Remembers that a series followed another.
    pub(crate) fn note_next(&mut self, before: u32, next: u32) {
        let place = before as usize;
        if place >= self.followers.len() {
            self.followers.resize(self.series.len().max(place + 1), 0);
        }
        self.followers[place] = next;
    }

    fn has_labels<L: LabelList + ?Sized>(&self, entry: Entry, labels: &L) -> bool {
        let known = self.pairs(entry);
        let mut asked = labels.pairs();
        known.len() == asked.len()
            && known.iter().all(|pair| {
                let pair = self.symbols.pair(*pair);
                asked.next().is_some_and(|(name, value)| {
                    // Values tell series apart, names hardly ever do.
                    **self.symbols.text(pair.value) == *value
                        && **self.symbols.text(pair.name) == *name
                })
            })
    }

    /// Adds a series that is not there yet.
    pub(crate) fn add<L: LabelList + ?Sized>(&mut self, hash: u64, labels: &L) -> u32 {
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                self.series.push(Entry::default());
                self.names.push(NAMELESS);
                short(self.series.len() - 1)
            }
        };
        let labels_at = short(self.arena.len());
        let count = labels.pairs().len();
        for (name, value) in labels.pairs() {
            let pair = self.symbols.add_pair(name, value);
            if self.symbols.pair_numbers() > self.postings.len() {
                self.postings
                    .resize_with(self.symbols.pair_numbers(), Posting::default);
            }
            let Pair {
                name: key,
                value: text,
            } = self.symbols.pair(pair);
            if name == METRIC_NAME {
                self.names[number as usize] = text;
            }
            self.pairs_of.entry(key).or_default().insert(pair);
            self.postings[pair as usize].add(number);
            self.arena.push(pair);
        }
        self.series[number as usize] = Entry {
            hash,
            labels_at,
            labels: short(count),
        };
        let series = &self.series;
        self.by_labels
            .insert_unique(hash, number, |other| series[*other as usize].hash);
        self.live.insert(number);
        number
    }

    /// The number of a series, which is added if need be; whether it was.
    pub(crate) fn find_or_add<L: LabelList + ?Sized>(&mut self, labels: &L) -> (u32, bool) {
        let hash = self.hash_of(labels);
        match self.find(hash, labels) {
            Some(number) => (number, false),
            None => (self.add(hash, labels), true),
        }
    }

    /// Forgets a series.
    pub(crate) fn remove(&mut self, number: u32) {
        if !self.live.remove(number) {
            return;
        }
        let entry = self.series[number as usize];
        if let Ok(found) = self
            .by_labels
            .find_entry(entry.hash, |other| *other == number)
        {
            found.remove();
        }
        for pair in self.pairs(entry).to_vec() {
            if self.postings[pair as usize].remove(number) {
                let name = self.symbols.pair(pair).name;
                if let Some(pairs) = self.pairs_of.get_mut(&name) {
                    pairs.remove(pair);
                    if pairs.is_empty() {
                        self.pairs_of.remove(&name);
                    }
                }
                self.symbols.remove_pair(pair);
            }
        }
        self.dead_labels += entry.labels as usize;
        self.series[number as usize] = Entry::default();
        self.names[number as usize] = NAMELESS;
        self.spellings.forget(number);
        self.free.push(number);
        if self.dead_labels > DEAD_LABELS_MIN && self.dead_labels > self.arena.len() / 2 {
            self.tidy_arena();
        }
    }

    fn tidy_arena(&mut self) {
        let mut arena = Vec::with_capacity(self.arena.len() - self.dead_labels);
        for number in &self.live {
            let entry = self.series[number as usize];
            let labels_at = short(arena.len());
            arena.extend_from_slice(self.pairs(entry));
            self.series[number as usize].labels_at = labels_at;
        }
        self.arena = arena;
        self.dead_labels = 0;
    }

    fn pairs(&self, entry: Entry) -> &[u32] {
        let first = entry.labels_at as usize;
        &self.arena[first..first + entry.labels as usize]
    }

    /// The labels of a series that is there.
    pub(crate) fn labels(&self, number: u32) -> Labels {
        let pairs = self.pairs(self.series[number as usize]);
        Labels::new(pairs.iter().map(|pair| {
            let pair = self.symbols.pair(*pair);
            (
                Arc::clone(self.symbols.text(pair.name)),
                Arc::clone(self.symbols.text(pair.value)),
            )
        }))
    }

    /// Calls `visit` with each name and value of a series.
    pub(crate) fn each_label(&self, number: u32, visit: &mut dyn FnMut(&Arc<str>, &Arc<str>)) {
        for pair in self.pairs(self.series[number as usize]) {
            let pair = self.symbols.pair(*pair);
            visit(self.symbols.text(pair.name), self.symbols.text(pair.value));
        }
    }

    /// The value of a label of a series.
    pub(crate) fn value(&self, number: u32, name: u32) -> Option<&Arc<str>> {
        let mut pairs = self.pairs(self.series[number as usize]).iter();
        let pair = pairs.find_map(|pair| {
            let pair = self.symbols.pair(*pair);
            (pair.name == name).then_some(pair)
        })?;
        Some(self.symbols.text(pair.value))
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.live.len().try_into().unwrap_or(usize::MAX)
    }

    /// One more than the largest number that was given out.
    pub(crate) fn numbers(&self) -> usize {
        self.series.len()
    }

    /// The numbers of all series.
    pub(crate) fn all(&self) -> &RoaringBitmap {
        &self.live
    }
}

#[cfg(test)]
mod tests;
