//! Groups of series by some of their labels; it knows no aggregation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast::Grouping;
use crate::labels::{Labels, METRIC_NAME, stable_hash};

use super::feed::Name;

/// The groups found so far.
pub(super) struct Groups<'a> {
    grouping: &'a Grouping,
    /// Groups by the hash of their labels.
    places: BTreeMap<u64, Vec<usize>>,
    found: Vec<GroupKey>,
    last: usize,
}

/// What makes a group.
pub(super) struct GroupKey {
    pub(super) labels: Labels,
    /// The grouping kept a metric's name that is to be dropped at the end.
    pub(super) drop_name: bool,
}

impl<'a> Groups<'a> {
    pub(super) fn new(grouping: &'a Grouping) -> Self {
        Self {
            grouping,
            places: BTreeMap::new(),
            found: Vec::new(),
            last: 0,
        }
    }

    /// The place of a series' group; a new one is the count of those before. Series that follow each other are often of
    /// one group, so the last one is tried first; labels are copied only for a new group.
    pub(super) fn place(&mut self, labels: &Labels, name: Name) -> usize {
        let is_whole = matches!(self.grouping, Grouping::Keep(names) if names.is_empty());
        if is_whole && !self.found.is_empty() {
            return 0;
        }
        let kept = kept(labels, self.grouping, name);
        let is_of = |place: usize| {
            let group = self.found.get(place);
            group.is_some_and(|group| are_same(kept.clone(), &group.labels))
        };
        if is_of(self.last) {
            return self.last;
        }
        let places = self.places.entry(stable_hash(kept.clone())).or_default();
        let known = places.iter().copied().find(|place| is_of(*place));
        self.last = match known {
            Some(known) => known,
            None => {
                places.push(self.found.len());
                self.found.push(GroupKey {
                    labels: kept_shared(labels, self.grouping, name),
                    drop_name: name == Name::GoesLast,
                });
                self.found.len() - 1
            }
        };
        self.last
    }

    /// The groups with what was gathered for each, in the order of labels.
    pub(super) fn sorted_with<T>(self, gathered: Vec<T>) -> Vec<(GroupKey, T)> {
        let mut all: Vec<(GroupKey, T)> = self.found.into_iter().zip(gathered).collect();
        all.sort_by(|a, b| a.0.labels.cmp(&b.0.labels));
        all
    }
}

fn are_same<'a>(kept: impl Iterator<Item = (&'a str, &'a str)>, labels: &Labels) -> bool {
    let mut others = labels.iter();
    for one in kept {
        if others.next() != Some(one) {
            return false;
        }
    }
    others.next().is_none()
}

fn is_kept(grouping: &Grouping, name: Name, label: &str) -> bool {
    let is_gone = name == Name::Gone && label == METRIC_NAME;
    match grouping {
        Grouping::Keep(names) => !is_gone && names.iter().any(|keep| keep == label),
        Grouping::Drop(names) => label != METRIC_NAME && !names.iter().any(|drop| drop == label),
    }
}

fn kept<'a>(
    labels: &'a Labels,
    grouping: &'a Grouping,
    name: Name,
) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
    labels
        .iter()
        .filter(move |(label, _)| is_kept(grouping, name, label))
}

fn kept_shared(labels: &Labels, grouping: &Grouping, name: Name) -> Labels {
    let shared = labels
        .iter_shared()
        .filter(|(label, _)| is_kept(grouping, name, label));
    Labels::new(shared.map(|(label, value)| (Arc::clone(label), Arc::clone(value))))
}
