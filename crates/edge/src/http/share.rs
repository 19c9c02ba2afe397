//! How many places one holder may have of something that all share. It does not know what the places are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::lock::lock;

type Held = Arc<Mutex<BTreeMap<String, usize>>>;

/// Places by holder; cheap to clone.
#[derive(Clone)]
pub(crate) struct Shares {
    most: usize,
    held: Held,
}

/// One place, given back when it is dropped.
pub(crate) struct Share {
    holder: String,
    held: Held,
}

impl Shares {
    /// That many for each holder at the same time.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            held: Held::default(),
        }
    }

    /// Takes a place; none is left when this gives `None`.
    pub(crate) fn take(&self, holder: String) -> Option<Share> {
        let mut held = lock(&self.held);
        let count = held.get(&holder).copied().unwrap_or_default();
        if count >= self.most {
            return None;
        }
        held.insert(holder.clone(), count + 1);
        Some(Share {
            holder,
            held: Arc::clone(&self.held),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        match held.get_mut(&self.holder) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(held.remove(&self.holder)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_cannot_take_all_places_and_gives_them_back() {
        let shares = Shares::new(2);
        let take = |holder: &str| shares.take(holder.to_owned());
        let (first, second) = (take("a").unwrap(), take("a").unwrap());
        assert!(take("a").is_none());
        assert!(take("b").is_some());
        drop(first);
        let third = take("a").unwrap();
        assert!(take("a").is_none());
        drop((second, third));
        assert!(lock(&shares.held).is_empty(), "nothing is kept of holders");
    }
}
