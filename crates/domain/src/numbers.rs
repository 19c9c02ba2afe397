//! The numbers by which the things of a list are known that have no ids: each keeps its own wherever it stands, and none is given twice.
//! It knows no things.

use serde::{Deserialize, Serialize};

/// The numbers of such things in their order, and last the one that is new next. There are none as long as each has that of its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Numbers(Vec<u32>);

impl Numbers {
    /// Whether each thing has the number of its place.
    #[must_use]
    pub const fn are_places(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of the thing at a place.
    #[must_use]
    pub fn of(&self, place: usize) -> u32 {
        let number = self.0.get(place).copied();
        number.unwrap_or_else(|| u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// Those of the list that follows on one of so many things: at which place of that each stood, if it did.
    #[must_use]
    pub fn after(&self, count: usize, before: impl IntoIterator<Item = Option<usize>>) -> Self {
        let mut next = self.of(count);
        let mut numbers: Vec<u32> = Vec::new();
        for place in before {
            let kept = place.map(|place| self.of(place));
            let kept = kept.filter(|number| !numbers.contains(number));
            numbers.push(kept.unwrap_or(next));
            if kept.is_none() {
                next = next.saturating_add(1);
            }
        }
        numbers.push(next);
        let mut placed = (0_u32..).zip(&numbers);
        if placed.all(|(place, number)| place == *number) {
            Self::default()
        } else {
            Self(numbers)
        }
    }

    /// Those of a list that took the place of another, of which nobody says what became of each thing: what is found again keeps its
    /// own, and what is not is the one that stood there, unless that is found elsewhere.
    #[must_use]
    pub fn following<T: PartialEq>(&self, before: &[T], now: &[T]) -> Self {
        let mut found: Vec<Option<usize>> = Vec::new();
        for thing in now {
            let mut known = before.iter().enumerate();
            let same = known.find(|(place, one)| *one == thing && !found.contains(&Some(*place)));
            found.push(same.map(|(place, _)| place));
        }
        let is_changed = |place: &usize| *place < before.len() && !found.contains(&Some(*place));
        let places = found.iter().enumerate();
        let places = places.map(|(place, same)| same.or(Some(place).filter(is_changed)));
        self.after(before.len(), places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(of: &Numbers, count: usize) -> Vec<u32> {
        (0..count).map(|place| of.of(place)).collect()
    }

    #[test]
    fn a_thing_keeps_its_number_wherever_it_stands_and_none_is_given_twice() {
        let first = Numbers::default();
        let without_first = first.after(3, [Some(1), Some(2)]);
        assert_eq!(numbers(&without_first, 2), [1, 2]);
        let turned = without_first.after(2, [Some(1), None, Some(0)]);
        assert_eq!(numbers(&turned, 3), [2, 3, 1]);
        let without_new = turned.after(3, [Some(0), Some(2)]);
        let with_another = without_new.after(2, [Some(0), Some(1), None]);
        assert_eq!(numbers(&with_another, 3), [2, 1, 4]);
        let twice = first.after(2, [Some(0), Some(0)]);
        assert_eq!(numbers(&twice, 2), [0, 2]);
    }

    #[test]
    fn what_stays_where_it_is_needs_no_numbers() {
        let first = Numbers::default();
        assert!(first.after(2, [Some(0), Some(1)]).are_places());
        assert!(first.following(&["a", "b"], &["a", "c", "d"]).are_places());
        assert!(first.following(&["a", "a"], &["a", "a"]).are_places());
        let shorter = first.following(&["a", "b", "c"], &["a", "b"]);
        let longer = shorter.following(&["a", "b"], &["a", "b", "c"]);
        assert_eq!(numbers(&longer, 3), [0, 1, 3]);
    }

    #[test]
    fn what_is_found_again_keeps_its_number_and_what_is_changed_that_of_its_place() {
        let check = |now: &[&str], expected: &[u32]| {
            let following = Numbers::default().following(&["a", "b", "c"], now);
            assert_eq!(numbers(&following, now.len()), expected, "{now:?}");
        };
        check(&["b", "c"], &[1, 2]);
        check(&["new", "a", "b", "c"], &[3, 0, 1, 2]);
        check(&["c", "a", "b"], &[2, 0, 1]);
        check(&["a", "changed", "c"], &[0, 1, 2]);
        check(&["a", "a"], &[0, 1]);
        check(&["b", "changed", "c"], &[1, 3, 2]);
    }
}
