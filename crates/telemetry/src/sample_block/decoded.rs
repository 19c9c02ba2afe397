//! Values of runs that were read lately, decoded: dashboards ask for the same series again and again. It knows no files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of values that are kept.
const BYTES_MAX: usize = 32 << 20;
/// Bytes that an entry takes beside its values.
const ENTRY_BYTES: usize = 96;

/// A run: the name of its open block, and its place there.
type Key = (u64, usize);

/// Decoded runs. When room is needed any of them goes, whichever: to let the oldest go would keep nothing of use when
/// questions in turn need more than there is room for.
#[derive(Default)]
pub(crate) struct Decoded(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The place of the key in `keys`, and the values.
    runs: BTreeMap<Key, (usize, Arc<[f64]>)>,
    keys: Vec<Key>,
    bytes: usize,
    /// Picks who goes.
    dice: u64,
}

impl Decoded {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, key: Key) -> Option<Arc<[f64]>> {
        self.lock()
            .runs
            .get(&key)
            .map(|(_, values)| Arc::clone(values))
    }

    pub(super) fn keep(&self, key: Key, values: &Arc<[f64]>) {
        let mut kept = self.lock();
        let bytes = bytes_of(values);
        if kept.runs.contains_key(&key) || bytes > BYTES_MAX {
            return;
        }
        while kept.bytes + bytes > BYTES_MAX && !kept.keys.is_empty() {
            // A linear congruential generator, with Knuth's numbers for MMIX: cheap, and even enough.
            kept.dice = kept
                .dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let place = (kept.dice >> 33) % kept.keys.len() as u64;
            // It is less than a length in memory.
            kept.remove(usize::try_from(place).unwrap_or_default());
        }
        kept.bytes += bytes;
        let place = kept.keys.len();
        kept.keys.push(key);
        kept.runs.insert(key, (place, Arc::clone(values)));
    }

    /// Forgets all runs of a block.
    pub(super) fn forget(&self, block: u64) {
        let mut kept = self.lock();
        let of_block = kept.runs.range((block, 0)..=(block, usize::MAX));
        let keys: Vec<Key> = of_block.map(|(key, _)| *key).collect();
        for key in keys {
            if let Some((place, _)) = kept.runs.get(&key) {
                let place = *place;
                kept.remove(place);
            }
        }
    }
}

impl Kept {
    fn remove(&mut self, place: usize) {
        let key = self.keys.swap_remove(place);
        if let Some((_, values)) = self.runs.remove(&key) {
            self.bytes -= bytes_of(&values);
        }
        if let Some(moved) = self.keys.get(place)
            && let Some((at, _)) = self.runs.get_mut(moved)
        {
            *at = place;
        }
    }
}

fn bytes_of(values: &[f64]) -> usize {
    size_of_val(values) + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(value: u32, len: usize) -> Arc<[f64]> {
        vec![f64::from(value); len].into()
    }

    #[test]
    fn what_is_kept_is_found_within_the_bound_until_its_block_goes() {
        let decoded = Decoded::default();
        for number in 0..20_000 {
            let key = (u64::from(number) % 3, number as usize);
            decoded.keep(key, &run(number, 480));
            assert_eq!(decoded.find(key).unwrap()[0], f64::from(number));
            assert!(decoded.lock().bytes <= BYTES_MAX);
        }
        let (kept, bytes) = {
            let kept = decoded.lock();
            (kept.runs.clone(), kept.bytes)
        };
        assert!(kept.len() > 8_000, "{}", kept.len());
        let sum: usize = kept.values().map(|(_, values)| bytes_of(values)).sum();
        assert_eq!(sum, bytes);
        for (key, (place, values)) in &kept {
            assert_eq!(decoded.lock().keys[*place], *key);
            assert_eq!(values[0], f64::from(u32::try_from(key.1).unwrap()));
        }
        decoded.forget(1);
        assert!(
            kept.keys()
                .all(|key| (key.0 == 1) == decoded.find(*key).is_none())
        );
        decoded.forget(0);
        decoded.forget(2);
        let kept = decoded.lock();
        assert_eq!((kept.bytes, kept.keys.len()), (0, 0));
    }

    #[test]
    fn questions_that_need_more_than_there_is_room_for_find_some_of_it() {
        let decoded = Decoded::default();
        let mut found = 0;
        for _ in 0..4 {
            for number in 0..12_000 {
                let key = (0, number as usize);
                match decoded.find(key) {
                    Some(_) => found += 1,
                    None => decoded.keep(key, &run(number, 480)),
                }
            }
        }
        assert!(found > 12_000, "{found}");
    }

    #[test]
    fn a_run_larger_than_all_room_is_not_kept() {
        let decoded = Decoded::default();
        decoded.keep((0, 0), &run(1, BYTES_MAX / 8));
        assert!(decoded.find((0, 0)).is_none());
    }
}
