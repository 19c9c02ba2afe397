//! Which series have which labels: names and values lead to the numbers of series; it knows no samples.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tocsin_promql::{Labels, Matcher, stable_hash};

/// Numbers of series, sorted.
type Postings = Vec<u32>;

/// An inverted index over labels.
#[derive(Default)]
pub(crate) struct Index {
    /// All labels, by number. A number is never used again while the store is open.
    labels: BTreeMap<u32, Labels>,
    by_hash: HashMap<u64, Postings>,
    by_label: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Postings>>,
    strings: HashSet<Arc<str>>,
    next: u32,
}

impl Index {
    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// The number of the series that has exactly these labels, given in the order of names; empty values do not count.
    pub(crate) fn find<'a>(
        &self,
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Option<u32> {
        let pairs = pairs.filter(|(_, value)| !value.is_empty());
        let same_hash = self.by_hash.get(&stable_hash(pairs.clone()))?;
        same_hash.iter().copied().find(|number| {
            self.labels.get(number).is_some_and(|labels| {
                let mut others = pairs.clone();
                labels.iter().all(|label| others.next() == Some(label)) && others.next().is_none()
            })
        })
    }

    /// Adds a series that is not there yet, its texts shared with those of other series.
    pub(crate) fn add(&mut self, labels: &Labels) -> u32 {
        let number = self.next;
        self.next += 1;
        let shared = labels.iter_shared().map(|(name, value)| {
            let name = intern(&mut self.strings, name);
            (name, intern(&mut self.strings, value))
        });
        let labels = Labels::new(shared.collect::<Vec<_>>());
        for (name, value) in labels.iter_shared() {
            let values = self.by_label.entry(Arc::clone(name)).or_default();
            values.entry(Arc::clone(value)).or_default().push(number);
        }
        self.by_hash
            .entry(labels.stable_hash())
            .or_default()
            .push(number);
        self.labels.insert(number, labels);
        number
    }

    /// Removes a series.
    pub(crate) fn remove(&mut self, number: u32) {
        let Some(labels) = self.labels.remove(&number) else {
            return;
        };
        let hash = labels.stable_hash();
        if let Some(same_hash) = self.by_hash.get_mut(&hash) {
            same_hash.retain(|other| *other != number);
            if same_hash.is_empty() {
                self.by_hash.remove(&hash);
            }
        }
        for (name, value) in labels.iter() {
            let Some(values) = self.by_label.get_mut(name) else {
                continue;
            };
            if let Some(postings) = values.get_mut(value) {
                postings.retain(|other| *other != number);
                if postings.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                self.by_label.remove(name);
            }
        }
        drop(labels);
        self.strings.retain(|text| Arc::strong_count(text) > 1);
    }

    pub(crate) fn labels(&self, number: u32) -> Option<&Labels> {
        self.labels.get(&number)
    }

    /// The series that pass every matcher, sorted by labels.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<(u32, &Labels)> {
        let narrow = matchers
            .iter()
            .filter(|matcher| !matcher.accepts(""))
            .map(|matcher| self.postings(matcher))
            .min_by_key(Vec::len);
        let passes = |labels: &Labels| matchers.iter().all(|one| one.accepts_labels(labels));
        let mut found: Vec<(u32, &Labels)> = match narrow {
            Some(numbers) => numbers
                .into_iter()
                .filter_map(|number| Some((number, self.labels.get(&number)?)))
                .filter(|(_, labels)| passes(labels))
                .collect(),
            None => self
                .labels
                .iter()
                .filter(|(_, labels)| passes(labels))
                .map(|(number, labels)| (*number, labels))
                .collect(),
        };
        found.sort_by(|a, b| a.1.cmp(b.1));
        found
    }

    /// The values of a label.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let values = self.by_label.get(name);
        values.map_or_else(Vec::new, |values| {
            values.keys().map(|value| (**value).to_owned()).collect()
        })
    }

    /// The names of labels.
    pub(crate) fn names(&self) -> Vec<String> {
        self.by_label
            .keys()
            .map(|name| (**name).to_owned())
            .collect()
    }

    /// The series that have the label with a value that passes.
    fn postings(&self, matcher: &Matcher) -> Postings {
        let Some(values) = self.by_label.get(matcher.name()) else {
            return Vec::new();
        };
        if let Some(candidates) = matcher.candidates() {
            let lists = candidates.iter().filter_map(|value| values.get(*value));
            return union(lists);
        }
        union(
            values
                .iter()
                .filter(|(value, _)| matcher.accepts(value))
                .map(|(_, numbers)| numbers),
        )
    }
}

fn union<'a>(lists: impl Iterator<Item = &'a Postings>) -> Postings {
    let numbers: BTreeSet<u32> = lists.flatten().copied().collect();
    numbers.into_iter().collect()
}

fn intern(strings: &mut HashSet<Arc<str>>, text: &Arc<str>) -> Arc<str> {
    if let Some(known) = strings.get(text) {
        return Arc::clone(known);
    }
    strings.insert(Arc::clone(text));
    Arc::clone(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_promql::MatchOp;

    fn index() -> Index {
        let mut index = Index::default();
        for (job, class) in [("a", "2xx"), ("a", "5xx"), ("b", "2xx"), ("b", "")] {
            index.add(&[("job", job), ("class", class)].into_iter().collect());
        }
        index
    }

    fn check(matchers: &[(MatchOp, &str, &str)], expected: &[u32]) {
        let matchers: Vec<Matcher> = matchers
            .iter()
            .map(|(op, name, value)| Matcher::new(*op, *name, *value).unwrap())
            .collect();
        let index = index();
        let mut found: Vec<u32> = index
            .select(&matchers)
            .into_iter()
            .map(|(n, _)| n)
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{matchers:?}");
    }

    #[test]
    fn every_kind_of_matcher_finds_its_series() {
        check(&[(MatchOp::Equal, "job", "a")], &[0, 1]);
        check(&[(MatchOp::Matches, "class", "[25]xx")], &[0, 1, 2]);
        check(&[(MatchOp::NotEqual, "class", "2xx")], &[1, 3]);
        check(&[(MatchOp::Equal, "class", "")], &[3]);
        check(&[(MatchOp::Matches, "class", "|5xx")], &[1, 3]);
        check(
            &[
                (MatchOp::Equal, "job", "b"),
                (MatchOp::NotMatches, "class", ".+"),
            ],
            &[3],
        );
        check(&[(MatchOp::Equal, "none", "x")], &[]);
    }

    #[test]
    fn a_removed_series_is_gone_and_its_number_stays_free() {
        let mut index = index();
        index.remove(1);
        assert_eq!(index.len(), 3);
        assert_eq!(index.values("class"), ["2xx"]);
        let labels: Labels = [("job", "a"), ("class", "5xx")].into_iter().collect();
        assert_eq!(index.find(labels.iter()), None);
        assert_eq!(index.add(&labels), 4);
        assert_eq!(index.find(labels.iter()), Some(4));
    }
}
