//! Which of several ways took one message that is told past the core, and which wait before they are told it again. It knows no clock:
//! a moment is whatever its caller measures time by.

use std::collections::{BTreeMap, BTreeSet};

use crate::page::Outcome;

/// Takes in how a message went by these ways at one moment; says whether it was taken for the first time.
///
/// That somebody gets it twice is the lesser evil, but not at each look: whoever may have got it waits from `at` on, and so does whoever
/// stands alone in not taking it. What surely came to nobody waits for nothing.
pub fn take_in<W: Clone + Ord, M: Copy>(
    took: &mut BTreeSet<W>,
    tried: &mut BTreeMap<W, M>,
    results: &[(W, Outcome)],
    at: M,
) -> bool {
    let was_taken = !took.is_empty();
    let is_accepted = |outcome: Outcome| outcome == Outcome::Accepted;
    for (way, _) in results.iter().filter(|(_, one)| is_accepted(*one)) {
        tried.remove(way);
        took.insert(way.clone());
    }
    let is_taken = !took.is_empty();
    for (way, outcome) in results.iter().filter(|(_, one)| !is_accepted(*one)) {
        if outcome.is_unsure() || is_taken || tried.contains_key(way) {
            tried.insert(way.clone(), at);
        }
    }
    is_taken && !was_taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_may_have_got_it_or_stands_alone_waits() {
        let (mut took, mut tried) = (BTreeSet::new(), BTreeMap::new());
        let results = [
            ("hangs", Outcome::TimedOut),
            ("fails", Outcome::Failed),
            ("refuses", Outcome::Refused),
        ];
        assert!(!take_in(&mut took, &mut tried, &results, 1));
        assert_eq!(tried, BTreeMap::from([("hangs", 1)]));
        let results = [
            ("hangs", Outcome::Accepted),
            ("fails", Outcome::Failed),
            ("refuses", Outcome::Refused),
        ];
        assert!(take_in(&mut took, &mut tried, &results, 2));
        assert_eq!(took, BTreeSet::from(["hangs"]));
        assert_eq!(tried, BTreeMap::from([("fails", 2), ("refuses", 2)]));
        let results = [("fails", Outcome::Accepted)];
        assert!(!take_in(&mut took, &mut tried, &results, 3));
        assert_eq!(tried, BTreeMap::from([("refuses", 2)]));
    }
}
