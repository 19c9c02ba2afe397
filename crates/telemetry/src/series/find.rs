//! Finds series by matchers, and the names and values that labels have; it changes nothing.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use tocsin_domain::write::Cardinality;
use tocsin_promql::Matcher;

use super::{Posting, Registry};

impl Posting {
    fn add_to(&self, set: &mut RoaringBitmap) {
        match self {
            Self::Empty => {}
            Self::One(series) => {
                set.insert(*series);
            }
            Self::Many(many) => *set |= &**many,
        }
    }
}

impl Registry {
    /// The series that pass every matcher.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> RoaringBitmap {
        let mut found: Option<RoaringBitmap> = None;
        let mut later = Vec::new();
        // Those that name their values cost a look-up each and leave few series for the rest.
        for matcher in matchers {
            match matcher.candidates() {
                Some(values) if !matcher.accepts("") => {
                    let mut union = RoaringBitmap::new();
                    for value in values {
                        if let Some(pair) = self.symbols.pair_number(matcher.name(), value) {
                            self.postings[pair as usize].add_to(&mut union);
                        }
                    }
                    found = Some(match found {
                        None => union,
                        Some(before) => before & union,
                    });
                }
                Some(_) | None => later.push(matcher),
            }
        }
        for matcher in later {
            if found.as_ref().is_some_and(RoaringBitmap::is_empty) {
                break;
            }
            found = Some(self.narrow(found, matcher));
        }
        found.unwrap_or_else(|| self.live.clone())
    }

    fn narrow(&self, found: Option<RoaringBitmap>, matcher: &Matcher) -> RoaringBitmap {
        let takes_none = matcher.accepts("");
        let name = self.symbols.text_number(matcher.name());
        let pairs = name.and_then(|name| self.pairs_of.get(&name));
        let (Some(name), Some(pairs)) = (name, pairs) else {
            // No series has this label.
            return match takes_none {
                true => found.unwrap_or_else(|| self.live.clone()),
                false => RoaringBitmap::new(),
            };
        };
        if let Some(found) = &found
            && found.len() < pairs.len()
        {
            let passes = |series: &u32| {
                let value = self.value(*series, name);
                matcher.accepts(value.map_or("", |value| value))
            };
            return found.iter().filter(passes).collect();
        }
        let mut union = RoaringBitmap::new();
        for pair in pairs {
            let value = self.symbols.text(self.symbols.pair(pair).value);
            // Of a matcher that takes a missing label, those that fail are taken away.
            if matcher.accepts(value) != takes_none {
                self.postings[pair as usize].add_to(&mut union);
            }
        }
        match (found, takes_none) {
            (None, true) => &self.live - &union,
            (None, false) => union,
            (Some(found), true) => found - union,
            (Some(found), false) => found & union,
        }
    }

    /// The number of a label's name, for [`Registry::value`].
    pub(crate) fn name_number(&self, name: &str) -> Option<u32> {
        self.symbols.text_number(name)
    }

    /// How many of what there are; `top` entries in each list.
    pub(crate) fn count(&self, top: usize) -> Cardinality {
        let mut by_metric = Vec::new();
        let mut by_pair = Vec::new();
        let mut values_by_label = Vec::new();
        let mut bytes_by_label = BTreeMap::<String, u64>::new();
        let mut label_pairs = 0;
        for (name, pairs) in &self.pairs_of {
            let label = self.symbols.text(*name);
            values_by_label.push((label.to_string(), pairs.len()));
            label_pairs += pairs.len();
            for pair in pairs {
                let value = self.symbols.text(self.symbols.pair(pair).value);
                let series = self.postings[pair as usize].len();
                *bytes_by_label.entry(label.to_string()).or_default() +=
                    series * value.len() as u64;
                if &**label == tocsin_promql::METRIC_NAME {
                    by_metric.push((value.to_string(), series));
                }
                by_pair.push((pair, series));
            }
        }
        by_pair.sort_by_key(|(pair, series)| (std::cmp::Reverse(*series), *pair));
        by_pair.truncate(top);
        let named = by_pair.into_iter().map(|(pair, series)| {
            let pair = self.symbols.pair(pair);
            let (name, value) = (self.symbols.text(pair.name), self.symbols.text(pair.value));
            (format!("{name}={value}"), series)
        });
        Cardinality {
            series: self.live.len(),
            label_pairs,
            series_by_metric: most(by_metric, top),
            values_by_label: most(values_by_label, top),
            bytes_by_label: most(bytes_by_label.into_iter().collect(), top),
            series_by_pair: named.collect(),
            ..Cardinality::default()
        }
    }
}

fn most(mut counts: Vec<(String, u64)>, top: usize) -> Vec<(String, u64)> {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(top);
    counts
}
