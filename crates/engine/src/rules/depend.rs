//! Which rules need which metrics, and in which order rules feed each other. It knows no time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_promql::{METRIC_NAME, Matcher, Query};

use super::spec::{Kind, RuleSpec};
use super::{ALERTS, ALERTS_FOR_STATE};

/// Names of metrics whose rules are remembered, where patterns have to be tried.
const REMEMBERED_MAX: usize = 100_000;

/// What a rule reads.
pub(crate) enum Needs {
    /// Metrics with these names.
    Named(BTreeSet<String>),
    /// Metrics whose names pass all matchers of one of these lists.
    Passing(Vec<Vec<Matcher>>),
}

impl Needs {
    pub(crate) fn of(rule: &RuleSpec) -> Self {
        let recovery = rule.alert().and_then(|alert| alert.recovery.as_ref());
        let queries: Vec<&Query> = [Some(&rule.query), recovery]
            .into_iter()
            .flatten()
            .collect();
        let named = queries.iter().map(|query| query.metric_names()).try_fold(
            BTreeSet::new(),
            |mut all, names| {
                all.extend(names?);
                Some(all)
            },
        );
        named.map_or_else(
            || {
                let selectors = queries.iter().flat_map(|query| query.selectors());
                let by_name = selectors.map(|matchers| {
                    let on_name = matchers.iter().filter(|one| one.name() == METRIC_NAME);
                    on_name.cloned().collect()
                });
                Self::Passing(by_name.collect())
            },
            Self::Named,
        )
    }

    pub(crate) fn accepts(&self, metric: &str) -> bool {
        match self {
            Self::Named(names) => names.contains(metric),
            Self::Passing(lists) => lists
                .iter()
                .any(|matchers| matchers.iter().all(|one| one.accepts(metric))),
        }
    }
}

/// The metrics that a rule writes.
pub(crate) fn outputs(rule: &RuleSpec) -> Vec<&str> {
    match rule.kind {
        Kind::Record => vec![&rule.name],
        Kind::Alert(_) => vec![ALERTS, ALERTS_FOR_STATE],
    }
}

/// From the name of a metric to the rules that need it.
#[derive(Default)]
pub(crate) struct Index {
    named: BTreeMap<String, Vec<usize>>,
    passing: Vec<usize>,
    /// What was found for names that had to be tried on patterns.
    remembered: BTreeMap<Arc<str>, Vec<usize>>,
}

impl Index {
    pub(crate) fn new(needs: &[Needs]) -> Self {
        let mut index = Self::default();
        for (rule, needs) in needs.iter().enumerate() {
            match needs {
                Needs::Named(names) => {
                    for name in names {
                        index.named.entry(name.clone()).or_default().push(rule);
                    }
                }
                Needs::Passing(_) => index.passing.push(rule),
            }
        }
        index
    }

    /// The rules that need one of these metrics, each once.
    fn readers_of(&self, metrics: &[&str], needs: &[Needs]) -> Vec<usize> {
        let named = metrics.iter().filter_map(|metric| self.named.get(*metric));
        let passing = self.passing.iter().copied();
        let passing =
            passing.filter(|rule| metrics.iter().any(|metric| needs[*rule].accepts(metric)));
        let all: BTreeSet<usize> = named.flatten().copied().chain(passing).collect();
        all.into_iter().collect()
    }

    /// The rules that need a metric.
    pub(crate) fn rules_of(&mut self, metric: &Arc<str>, needs: &[Needs]) -> &[usize] {
        if self.passing.is_empty() {
            return self.named.get(&**metric).map_or(&[], Vec::as_slice);
        }
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered
            .entry(Arc::clone(metric))
            .or_insert_with(|| {
                let mut rules = self.named.get(&**metric).cloned().unwrap_or_default();
                let passing = self.passing.iter().copied();
                rules.extend(passing.filter(|rule| needs[*rule].accepts(metric)));
                rules
            })
    }
}

/// Which rules read what a rule writes. A rule that feeds itself, over others or not, is not woken by itself.
pub(crate) struct Feeds {
    /// By rule, the rules that are woken by it.
    pub(crate) readers: Vec<Vec<usize>>,
    /// By rule, its place in an order in which who writes comes before who reads.
    pub(crate) rank: Vec<usize>,
    /// Whether an alerting rule needs it, over others or not.
    pub(crate) serves_alerts: Vec<bool>,
}

impl Feeds {
    pub(crate) fn new(rules: &[&RuleSpec], needs: &[Needs], index: &Index) -> Self {
        let all: Vec<Vec<usize>> = rules
            .iter()
            .map(|rule| index.readers_of(&outputs(rule), needs))
            .collect();
        let (rank, readers) = ordered(&all);
        let mut serves_alerts: Vec<bool> =
            rules.iter().map(|rule| rule.alert().is_some()).collect();
        let mut latest_first: Vec<usize> = (0..rules.len()).collect();
        latest_first.sort_by_key(|rule| std::cmp::Reverse(rank[*rule]));
        for rule in latest_first {
            let serves = readers[rule].iter().any(|reader| serves_alerts[*reader]);
            serves_alerts[rule] |= serves;
        }
        Self {
            readers,
            rank,
            serves_alerts,
        }
    }
}

/// A depth-first walk: the place of each rule, and the arrows without those that would close a circle.
fn ordered(arrows: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let count = arrows.len();
    let mut done_at: Vec<Option<usize>> = vec![None; count];
    let mut is_open = vec![false; count];
    let mut kept: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut finished = 0;
    // Last first, so that rules without arrows keep the order of the files.
    for root in (0..count).rev() {
        if done_at[root].is_some() {
            continue;
        }
        let mut path = vec![(root, arrows[root].len())];
        is_open[root] = true;
        while let Some((rule, left)) = path.last_mut() {
            let rule = *rule;
            if *left == 0 {
                done_at[rule] = Some(finished);
                finished += 1;
                is_open[rule] = false;
                path.pop();
                continue;
            }
            *left -= 1;
            let reader = arrows[rule][*left];
            if is_open[reader] {
                continue;
            }
            kept[rule].push(reader);
            if done_at[reader].is_none() {
                is_open[reader] = true;
                path.push((reader, arrows[reader].len()));
            }
        }
    }
    let rank = done_at
        .into_iter()
        .map(|at| count - 1 - at.unwrap_or(0))
        .collect();
    (rank, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arrows: &[&[usize]]) -> Vec<usize> {
        let arrows: Vec<Vec<usize>> = arrows.iter().map(|to| to.to_vec()).collect();
        let (rank, kept) = ordered(&arrows);
        for (from, to) in kept.iter().enumerate() {
            for to in to {
                assert!(rank[from] < rank[*to], "{arrows:?} {rank:?}");
            }
        }
        let mut order: Vec<usize> = (0..arrows.len()).collect();
        order.sort_by_key(|rule| rank[*rule]);
        order
    }

    #[test]
    fn who_writes_comes_before_who_reads_and_the_rest_keeps_its_order() {
        assert_eq!(check(&[&[], &[], &[]]), [0, 1, 2]);
        assert_eq!(check(&[&[], &[0], &[]]), [1, 0, 2]);
        assert_eq!(check(&[&[1], &[2], &[]]), [0, 1, 2]);
    }

    #[test]
    fn circles_end() {
        assert_eq!(check(&[&[0]]), [0]);
        check(&[&[1], &[0]]);
        check(&[&[1, 2], &[2, 0], &[0, 1, 2]]);
    }
}
