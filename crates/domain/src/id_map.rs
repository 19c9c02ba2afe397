//! A map and a set of ids, in their order. Ids are random, so where one of them is follows from its first characters: of a hundred thousand
//! none is searched for down a tree. It knows nothing of what it holds.

use std::fmt;
use std::ops::Index;

/// What such a map is by: keys of which any first few bits are as likely as others.
pub trait Spread: Ord + Copy {
    /// A number in the order of the keys: of two keys the smaller one has no greater number.
    fn spread(&self) -> u32;
}

/// How many there are to a place on average before there are twice as many places.
const FULL: usize = 12;
/// With so many, a hundred million are still found soon, and the places themselves take 400 MB.
const PLACES_MAX: usize = 1 << 24;

/// Values by key, in the order of the keys. Keys that are not spread evenly are found too, but take longer to put in.
#[derive(Clone)]
pub struct IdMap<K, V> {
    /// None, or a power of two. Each is in order, and all of them are one after the other.
    places: Vec<Vec<(K, V)>>,
    len: usize,
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            len: 0,
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IdMap<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for IdMap<K, V> {
    /// Over how many places they are spread is of no account.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K, V> IdMap<K, V> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every key with its value, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let all = self.places.iter().flatten();
        all.map(|(key, value)| (key, value))
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Every value, in the order of the keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Spread, V> IdMap<K, V> {
    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        let place = self.places.get(self.place_of(key))?;
        let at = find(place, key).ok()?;
        place.get(at).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place_of(key);
        let place = self.places.get_mut(at)?;
        let at = find(place, key).ok()?;
        place.get_mut(at).map(|(_, value)| value)
    }

    /// Whether there is one.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Puts in a value, in place of the one that is given back.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.make_room();
        let at = self.place_of(&key);
        let place = &mut self.places[at];
        match find(place, &key) {
            Ok(known) => Some(std::mem::replace(&mut place[known].1, value)),
            Err(before) => {
                place.insert(before, (key, value));
                self.len += 1;
                None
            }
        }
    }

    /// The value of that key, which is the usual one if there was none.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.make_room();
        let at = self.place_of(&key);
        let place = &mut self.places[at];
        let at = match find(place, &key) {
            Ok(known) => known,
            Err(before) => {
                place.insert(before, (key, V::default()));
                self.len += 1;
                before
            }
        };
        &mut place[at].1
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.place_of(key);
        let place = self.places.get_mut(at)?;
        let known = find(place, key).ok()?;
        let (_, value) = place.remove(known);
        if place.is_empty() {
            // Much is in some maps for a moment alone: the memory of it is given back.
            *place = Vec::new();
        }
        self.len -= 1;
        if self.len < self.places.len() {
            self.draw_together();
        }
        Some(value)
    }

    /// Every key behind this one, which need not be there, in order.
    pub fn keys_after(&self, key: &K) -> impl Iterator<Item = &K> {
        let own = self.place_of(key);
        let first = self.places.get(own).map_or(&[][..], |place| {
            let begin = place.partition_point(|(known, _)| known <= key);
            place.get(begin..).unwrap_or_default()
        });
        let rest = self.places.get(own.saturating_add(1)..);
        let rest = rest.unwrap_or_default().iter().flatten();
        first.iter().chain(rest).map(|(key, _)| key)
    }

    fn place_of(&self, key: &K) -> usize {
        place_of(key, self.places.len())
    }

    /// Before one more is put in.
    fn make_room(&mut self) {
        let places = self.places.len();
        if places == 0 {
            self.places.push(Vec::new());
        } else if self.len >= places * FULL && places < PLACES_MAX {
            let all = std::mem::take(&mut self.places);
            self.places.reserve_exact(places * 2);
            for (at, mut lower) in all.into_iter().enumerate() {
                let end = lower.partition_point(|(key, _)| place_of(key, places * 2) == at * 2);
                let upper = lower.split_off(end);
                self.places.extend([lower, upper]);
            }
        }
    }

    /// So that few are not looked for in many places when all are gone through.
    fn draw_together(&mut self) {
        let all = std::mem::take(&mut self.places);
        if self.len == 0 {
            return;
        }
        self.places.reserve_exact(all.len() / 2);
        let mut all = all.into_iter();
        while let (Some(mut lower), Some(upper)) = (all.next(), all.next()) {
            lower.extend(upper);
            self.places.push(lower);
        }
    }
}

/// Which of so many places is that of the key. Where there are none, it is none of them.
fn place_of(key: &impl Spread, places: usize) -> usize {
    let bits = places.trailing_zeros();
    // Nothing is left of the number where there is one place.
    let place = key.spread().checked_shr(u32::BITS.saturating_sub(bits));
    place.unwrap_or(0) as usize
}

/// Where the key is, or before what it would be.
fn find<K: Ord, V>(place: &[(K, V)], key: &K) -> Result<usize, usize> {
    place.binary_search_by(|(known, _)| known.cmp(key))
}

impl<K: Spread, V> Index<&K> for IdMap<K, V> {
    type Output = V;

    /// The value of a key that is known to be there.
    ///
    /// # Panics
    /// There is none.
    fn index(&self, key: &K) -> &V {
        self.get(key).expect("its key is known to be there")
    }
}

/// Keys, in order, kept as [`IdMap`] keeps them.
#[derive(Clone, Debug, PartialEq)]
pub struct IdSet<K>(IdMap<K, ()>);

impl<K> Default for IdSet<K> {
    fn default() -> Self {
        Self(IdMap::default())
    }
}

impl<K> IdSet<K> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }
}

impl<K: Spread> IdSet<K> {
    /// Whether it is one of them.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Those behind this one, which need not be among them, in order.
    pub fn after(&self, key: &K) -> impl Iterator<Item = &K> {
        self.0.keys_after(key)
    }

    /// Puts one in. Whether it was not there.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Takes one out. Whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use super::*;
    use crate::id::{AlertId, Entropy};

    /// A small generator of numbers that look random.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }
    }

    impl Entropy for Numbers {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                [*byte, ..] = self.next().to_be_bytes();
            }
        }
    }

    fn check_same(map: &IdMap<AlertId, u64>, reference: &BTreeMap<AlertId, u64>) {
        assert_eq!(map.len(), reference.len());
        let strange = AlertId::random(&mut Numbers(map.len() as u64 + 1));
        for key in reference.keys().step_by(11).chain([&strange]) {
            let behind = (Bound::Excluded(key), Bound::Unbounded);
            let expected = reference.range(behind).map(|(key, _)| key);
            assert!(map.keys_after(key).eq(expected));
        }
        assert_eq!(map.is_empty(), reference.is_empty());
        assert!(map.iter().eq(reference.iter()));
        assert!(map.keys().rev().eq(reference.keys().rev()));
        assert!(map.values().eq(reference.values()));
    }

    /// Does the same to a map and to a tree, `count` times, with the ids that are made by `id`.
    fn drive(count: usize, seed: u64, mut id: impl FnMut(&mut Numbers) -> AlertId) {
        let mut numbers = Numbers(seed);
        let (mut map, mut reference) = (IdMap::default(), BTreeMap::new());
        let mut known: Vec<AlertId> = Vec::new();
        for step in 0..count {
            // It grows, shrinks to nothing, and grows again.
            let grows = (step / (count / 4)).is_multiple_of(2);
            let key = match usize::try_from(numbers.next() % 8).unwrap() {
                0..2 if grows && !known.is_empty() => {
                    known[usize::try_from(numbers.next()).unwrap_or(0) % known.len()]
                }
                _ if !grows && !known.is_empty() => known.swap_remove(0),
                _ => id(&mut numbers),
            };
            let value = numbers.next();
            match numbers.next() % 4 {
                _ if !grows => assert_eq!(map.remove(&key), reference.remove(&key)),
                0 => {
                    *map.or_default(key) += value % 100;
                    *reference.entry(key).or_default() += value % 100;
                }
                1 => {
                    let both = (map.get_mut(&key), reference.get_mut(&key));
                    if let (Some(one), Some(other)) = both {
                        (*one, *other) = (value, value);
                    }
                }
                _ => assert_eq!(map.insert(key, value), reference.insert(key, value)),
            }
            if grows {
                known.push(key);
            }
            assert_eq!(map.get(&key), reference.get(&key));
            assert_eq!(map.contains_key(&key), reference.contains_key(&key));
            if step % 97 == 0 {
                check_same(&map, &reference);
            }
        }
        check_same(&map, &reference);
        for key in known {
            assert_eq!(map.remove(&key), reference.remove(&key));
        }
        check_same(&map, &reference);
        assert_eq!(map, IdMap::default());
        let last = id(&mut numbers);
        assert_eq!(map.insert(last, 1), None);
        assert_eq!(map.get(&last), Some(&1));
    }

    #[test]
    fn it_is_as_a_tree_whatever_is_done_to_it() {
        for seed in 1..9 {
            drive(8_000, seed, AlertId::random);
        }
    }

    #[test]
    fn ids_that_begin_alike_are_told_apart_too() {
        drive(2_000, 7, |numbers| {
            let text = AlertId::random(numbers).to_string();
            format!("QAAAAAAA{}", &text[8..]).parse().unwrap()
        });
    }

    #[test]
    fn maps_of_the_same_are_the_same_whatever_was_in_them_before() {
        let mut numbers = Numbers(3);
        let ids: Vec<AlertId> = (0..500).map(|_| AlertId::random(&mut numbers)).collect();
        let (mut one, mut other) = (IdMap::default(), IdMap::default());
        for id in &ids {
            one.insert(*id, ());
        }
        for id in &ids[100..] {
            one.remove(id);
        }
        for id in &ids[..100] {
            other.insert(*id, ());
        }
        assert_ne!(one.places.len(), other.places.len());
        assert_eq!(one, other);
        other.remove(&ids[0]);
        assert_ne!(one, other);
    }

    #[test]
    fn a_set_says_what_was_new_and_what_was_there() {
        let mut numbers = Numbers(11);
        let mut ids: Vec<AlertId> = (0..50).map(|_| AlertId::random(&mut numbers)).collect();
        let mut set = IdSet::default();
        assert!(ids.iter().all(|id| set.insert(*id)));
        assert!(!ids.iter().any(|id| set.insert(*id)));
        let gone = ids.swap_remove(7);
        assert!(set.remove(&gone) && !set.remove(&gone) && !set.contains(&gone));
        ids.sort_unstable();
        assert_eq!(set.len(), 49);
        assert!(set.iter().eq(&ids) && set.iter().all(|id| set.contains(id)));
        assert!(ids.iter().all(|id| set.remove(id)) && set.is_empty());
    }

    #[test]
    fn places_hold_few_and_there_are_no_more_than_are_needed() {
        let mut numbers = Numbers(5);
        let mut map = IdMap::default();
        let ids: Vec<AlertId> = (0..100_000)
            .map(|_| AlertId::random(&mut numbers))
            .collect();
        for id in &ids {
            map.insert(*id, ());
        }
        let most = map.places.iter().map(Vec::len).max();
        assert!(most < Some(FULL * 4), "{most:?}");
        assert!(map.places.len() * FULL < ids.len() * 3);
        for id in &ids[10..] {
            map.remove(id);
        }
        assert!(map.places.len() <= 16, "{}", map.places.len());
    }
}
