//! What is remembered of a target between two scrapes: its series with the labels they are stored with, so that a series is
//! relabelled once, and which of them are alive, so that one that vanishes is ended. It knows neither the network nor the store.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use tocsin_domain::write::{LabelPair, MetricMetadata, Write};
use tocsin_wire::prometheus_scrape::{Job, LabelLimitFault, LabelSet, series_labels};

/// A series that a target exposed.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its labels as exposed.
    raw: Box<[(Box<str>, Box<str>)]>,
    /// The labels it is stored with; none when relabelling drops it.
    pub(super) labels: Option<LabelSet>,
    /// Whether an answer with it was stored: what failing answers bring is not remembered.
    stored: bool,
    /// Whether it was alive at the last scrape, so that it is to be ended when it is gone.
    alive: bool,
}

/// What is remembered of a target.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// In the order of the last answer: exporters rarely change it.
    entries: Vec<Entry>,
    /// Series that lived under another configuration of this target.
    pub(super) orphans: Vec<LabelSet>,
    /// What the target says of its metrics, sorted by name.
    pub(super) metadata: Vec<(String, MetricMetadata)>,
}

/// The series of one answer, in its order, and those of the answer before that are not in it.
#[derive(Debug, Default)]
pub(super) struct Matched {
    pub(super) entries: Vec<Entry>,
    gone: Vec<Entry>,
    /// Series that were not known.
    pub(super) added: usize,
}

impl Memory {
    /// Finds the series of an answer again and labels those that are new. What was remembered is in the result; it comes back
    /// by [`Memory::keep`] or [`Memory::end_all`].
    ///
    /// # Errors
    /// One of them makes the scrape fail.
    pub(super) fn matched(
        &mut self,
        job: &Job,
        target: &LabelSet,
        answer: &Write<'_>,
    ) -> (Matched, Result<(), LabelLimitFault>) {
        let mut before: Vec<Option<Entry>> = self.entries.drain(..).map(Some).collect();
        let mut matched = Matched::default();
        matched.entries.reserve(answer.series.len());
        let mut lookup = Lookup::default();
        let mut next = 0;
        let mut outcome = Ok(());
        for series in &answer.series {
            let raw = answer.labels_of(series);
            let is_next = before.get(next).and_then(Option::as_ref);
            let place = if is_next.is_some_and(|entry| is_same(&entry.raw, raw)) {
                Some(next)
            } else {
                lookup.find(&before, raw)
            };
            if let Some((place, entry)) = place.and_then(|at| Some((at, before[at].take()?))) {
                next = place + 1;
                matched.entries.push(entry);
                continue;
            }
            let exposed = raw.iter().map(|(name, value)| (&**name, &**value));
            match series_labels(job, target, exposed) {
                Ok(labels) => {
                    matched.added += usize::from(labels.is_some());
                    matched.entries.push(Entry {
                        raw: raw
                            .iter()
                            .map(|(name, value)| ((**name).into(), (**value).into()))
                            .collect(),
                        labels,
                        stored: false,
                        alive: false,
                    });
                }
                Err(fault) => {
                    outcome = Err(fault);
                    break;
                }
            }
        }
        matched.gone = before.into_iter().flatten().collect();
        (matched, outcome)
    }

    /// The series that lived until now and are not in the answer.
    pub(super) fn vanished<'a>(&'a self, matched: &'a Matched) -> Vec<&'a LabelSet> {
        let gone = matched.gone.iter().filter(|entry| entry.alive);
        let gone = gone.filter_map(|entry| entry.labels.as_ref());
        let candidates: Vec<&LabelSet> = gone.chain(&self.orphans).collect();
        if candidates.is_empty() {
            return candidates;
        }
        // Relabelling may give two series the same labels: then one of them goes on.
        let current = matched
            .entries
            .iter()
            .filter_map(|entry| entry.labels.as_ref());
        let current: BTreeSet<&LabelSet> = current.collect();
        let gone = candidates.into_iter();
        gone.filter(|labels| !current.contains(labels)).collect()
    }

    /// Remembers the series of an answer that is stored. `is_alive` tells by a series' place whether it ends when it vanishes.
    pub(super) fn keep(&mut self, matched: Matched, is_alive: impl Fn(usize) -> bool) {
        self.entries = matched.entries;
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.stored = true;
            entry.alive = is_alive(place);
        }
        self.orphans.clear();
    }

    /// Takes back what was matched and not stored: everything is as it was before that answer.
    pub(super) fn restore(&mut self, matched: Matched) {
        self.entries = matched.entries;
        self.entries.retain(|entry| entry.stored);
        self.entries.extend(matched.gone);
    }

    /// Everything that is alive, to be ended.
    pub(super) fn alive(&self) -> Vec<&LabelSet> {
        let alive = self.entries.iter().filter(|entry| entry.alive);
        let alive = alive.filter_map(|entry| entry.labels.as_ref());
        let all: BTreeSet<&LabelSet> = alive.chain(&self.orphans).collect();
        all.into_iter().collect()
    }

    /// Remembers that everything has ended; labels stay known.
    pub(super) fn end_all(&mut self) {
        for entry in &mut self.entries {
            entry.alive = false;
        }
        self.orphans.clear();
    }

    /// The series of this target that live, for the one that takes its place.
    pub(super) fn into_orphans(self) -> Vec<LabelSet> {
        let alive = self.entries.into_iter().filter(|entry| entry.alive);
        let alive = alive.filter_map(|entry| entry.labels);
        alive.chain(self.orphans).collect()
    }
}

impl Matched {
    /// Series that are stored.
    pub(super) fn kept(&self) -> usize {
        let kept = self.entries.iter().filter(|entry| entry.labels.is_some());
        kept.count()
    }
}

/// Finds series that are not where they were; built when the first one is not.
#[derive(Default)]
struct Lookup {
    state: RandomState,
    places: Option<HashMap<u64, Vec<usize>>>,
}

impl Lookup {
    fn find(&mut self, before: &[Option<Entry>], raw: &[LabelPair<'_>]) -> Option<usize> {
        if before.is_empty() {
            return None;
        }
        let state = &self.state;
        let places = self.places.get_or_insert_with(|| {
            let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
            for (place, entry) in before.iter().enumerate() {
                if let Some(entry) = entry {
                    let pairs: Vec<(&str, &str)> = entry
                        .raw
                        .iter()
                        .map(|(name, value)| (&**name, &**value))
                        .collect();
                    places.entry(state.hash_one(pairs)).or_default().push(place);
                }
            }
            places
        });
        let pairs: Vec<(&str, &str)> = raw
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let places = places.get(&state.hash_one(pairs))?;
        places.iter().copied().find(|place| {
            before[*place]
                .as_ref()
                .is_some_and(|entry| is_same(&entry.raw, raw))
        })
    }
}

fn is_same(known: &[(Box<str>, Box<str>)], raw: &[LabelPair<'_>]) -> bool {
    known.len() == raw.len()
        && known.iter().zip(raw).all(|(known, raw)| {
            // Values differ more often than names.
            *known.1 == *raw.1 && *known.0 == *raw.0
        })
}
