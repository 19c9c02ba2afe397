//! Texts of labels, each kept once and named by a number; it knows no series.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

/// Texts, and pairs of a name and a value, by number. A number that is no longer used is given out again.
#[derive(Default)]
pub(crate) struct Symbols {
    hash: RandomState,
    texts: Vec<Arc<str>>,
    /// How many pairs use a text.
    uses: Vec<u32>,
    by_text: HashTable<u32>,
    free_texts: Vec<u32>,
    pairs: Vec<Pair>,
    by_pair: HashTable<u32>,
    free_pairs: Vec<u32>,
}

/// A label as two texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: u32,
    pub(crate) value: u32,
}

impl Symbols {
    /// The number of a text, if it is known.
    pub(crate) fn text_number(&self, text: &str) -> Option<u32> {
        let found = self.by_text.find(self.text_hash(text), |number| {
            &*self.texts[*number as usize] == text
        });
        found.copied()
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &Arc<str> {
        &self.texts[number as usize]
    }

    /// A pair of a number.
    pub(crate) fn pair(&self, number: u32) -> Pair {
        self.pairs[number as usize]
    }

    /// The number of a pair, if it is known.
    pub(crate) fn pair_number(&self, name: &str, value: &str) -> Option<u32> {
        let pair = Pair {
            name: self.text_number(name)?,
            value: self.text_number(value)?,
        };
        let found = self.by_pair.find(self.pair_hash(pair), |number| {
            self.pairs[*number as usize] == pair
        });
        found.copied()
    }

    /// How many numbers of pairs have been given out, those that are free again included.
    pub(crate) fn pair_numbers(&self) -> usize {
        self.pairs.len()
    }

    /// The number of a pair, which is added if need be.
    pub(crate) fn add_pair(&mut self, name: &str, value: &str) -> u32 {
        if let Some(number) = self.pair_number(name, value) {
            return number;
        }
        let pair = Pair {
            name: self.use_text(name),
            value: self.use_text(value),
        };
        let number = match self.free_pairs.pop() {
            Some(number) => {
                self.pairs[number as usize] = pair;
                number
            }
            None => {
                self.pairs.push(pair);
                short(self.pairs.len() - 1)
            }
        };
        let hash = self.pair_hash(pair);
        let Self {
            by_pair,
            pairs,
            hash: state,
            ..
        } = self;
        by_pair.insert_unique(hash, number, |other| {
            hash_pair(state, pairs[*other as usize])
        });
        number
    }

    /// Forgets a pair that no series has any more, and its texts when nothing else uses them.
    pub(crate) fn remove_pair(&mut self, number: u32) {
        let pair = self.pairs[number as usize];
        let hash = self.pair_hash(pair);
        if let Ok(entry) = self.by_pair.find_entry(hash, |other| *other == number) {
            entry.remove();
            self.free_pairs.push(number);
            self.release_text(pair.name);
            self.release_text(pair.value);
        }
    }

    fn use_text(&mut self, text: &str) -> u32 {
        let number = match self.text_number(text) {
            Some(number) => number,
            None => self.add_text(text),
        };
        self.uses[number as usize] += 1;
        number
    }

    fn add_text(&mut self, text: &str) -> u32 {
        let kept: Arc<str> = Arc::from(text);
        let number = match self.free_texts.pop() {
            Some(number) => {
                self.texts[number as usize] = kept;
                self.uses[number as usize] = 0;
                number
            }
            None => {
                self.texts.push(kept);
                self.uses.push(0);
                short(self.texts.len() - 1)
            }
        };
        let hash = self.text_hash(text);
        let Self {
            by_text,
            texts,
            hash: state,
            ..
        } = self;
        by_text.insert_unique(hash, number, |other| {
            hash_text(state, &texts[*other as usize])
        });
        number
    }

    fn release_text(&mut self, number: u32) {
        let uses = &mut self.uses[number as usize];
        *uses = uses.saturating_sub(1);
        if *uses > 0 {
            return;
        }
        let hash = self.text_hash(&Arc::clone(&self.texts[number as usize]));
        if let Ok(entry) = self.by_text.find_entry(hash, |other| *other == number) {
            entry.remove();
            self.texts[number as usize] = Arc::from("");
            self.free_texts.push(number);
        }
    }

    fn text_hash(&self, text: &str) -> u64 {
        hash_text(&self.hash, text)
    }

    fn pair_hash(&self, pair: Pair) -> u64 {
        hash_pair(&self.hash, pair)
    }
}

fn hash_text(state: &RandomState, text: &str) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn hash_pair(state: &RandomState, pair: Pair) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write_u64((u64::from(pair.name) << 32) | u64::from(pair.value));
    hasher.finish()
}

/// A count as a number of 32 bits.
///
/// # Panics
/// Beyond four thousand million: the limit on series stands far below.
pub(crate) fn short(count: usize) -> u32 {
    u32::try_from(count).expect("the limit on series keeps counts below 2^32")
}
