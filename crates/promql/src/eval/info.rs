//! `info(v, {...})`: series get labels from the info series (such as `target_info`) of the same instance and job.

use std::collections::BTreeMap;

use crate::ast::{Expr, Selector};
use crate::error::EvalError;
use crate::labels::{Labels, METRIC_NAME};
use crate::limits::Budget;
use crate::matcher::{MatchOp, Matcher};

use super::Evaluator;
use super::columns::{ABSENT, Grid, Row, is_present, merge_equal};
use super::feed::Wanted;

/// The labels by which an info series belongs to a series.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// The info series under one metric name, with the time of the newest sample at each instant in place of its value.
type ByName<'a> = BTreeMap<&'a str, Vec<&'a Row>>;

impl Evaluator<'_> {
    /// `base` with the labels of the info series that `selector` finds.
    pub(super) fn info(
        &mut self,
        base: &Expr,
        selector: &Selector,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        let rows = self.vector(base, grid)?;
        let mut infos = Vec::new();
        let wanted = Wanted {
            presence_only: true,
            any_order: false,
        };
        let time = |time_ms: i64, _| time_ms as f64;
        self.feed_newest(selector, grid, wanted, time, &mut |fed, _| {
            infos.push(fed.to_row());
            Ok(())
        })?;
        let mut of_target: BTreeMap<[&str; 2], ByName<'_>> = BTreeMap::new();
        for info in &infos {
            let target = IDENTIFYING.map(|name| info.labels.get(name));
            let by_name = of_target.entry(target).or_default();
            by_name
                .entry(info.labels.metric_name())
                .or_default()
                .push(info);
        }
        let data = DataLabels::of(selector);
        let mut enriched = Vec::with_capacity(rows.len());
        for row in rows {
            let target = IDENTIFYING.map(|name| row.labels.get(name));
            if data.is_info(row.labels.metric_name()) {
                enriched.push(row);
                continue;
            }
            let by_name = of_target
                .get(&target)
                .filter(|_| target.iter().any(|value| !value.is_empty()));
            enriched.extend(data.enrich(&row, by_name, &mut self.budget)?);
        }
        merge_equal(enriched)
    }
}

/// Which labels are taken, and which series are info series themselves.
struct DataLabels<'a> {
    names: Vec<&'a Matcher>,
    data: Vec<&'a Matcher>,
}

impl<'a> DataLabels<'a> {
    fn of(selector: &'a Selector) -> Self {
        let matchers = selector.matchers.iter();
        let (names, data) = matchers.partition(|matcher| matcher.name() == METRIC_NAME);
        Self { names, data }
    }

    /// An info series gets no labels of its like.
    fn is_info(&self, name: &str) -> bool {
        let mut names = self.names.iter();
        self.names
            .iter()
            .any(|one| matches!(one.op(), MatchOp::Equal | MatchOp::Matches))
            && names.all(|one| one.accepts(name))
    }

    /// One row for each set of labels that the row gets over time.
    fn enrich(
        &self,
        row: &Row,
        infos: Option<&ByName<'_>>,
        budget: &mut Budget<'_>,
    ) -> Result<Vec<Row>, EvalError> {
        let infos_count: usize = infos
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .sum();
        let needs_info = self.data.iter().any(|matcher| !matcher.accepts(""));
        let mut parts: BTreeMap<Labels, Row> = BTreeMap::new();
        let mut last: Option<(Vec<&Row>, Labels)> = None;
        for (step, value) in row.values.iter().enumerate() {
            if !is_present(*value) {
                continue;
            }
            budget.work(infos_count)?;
            let chosen = newest(infos, step)?;
            if chosen.is_empty() && needs_info {
                continue;
            }
            let is_last = |known: &[&Row]| {
                known.len() == chosen.len()
                    && known.iter().zip(&chosen).all(|(a, b)| std::ptr::eq(*a, *b))
            };
            let labels = match &last {
                Some((known, labels)) if is_last(known) => labels.clone(),
                _ => self.labels(&row.labels, &chosen)?,
            };
            if !parts.contains_key(&labels) {
                budget.spend(row.values.len())?;
            }
            let part = parts.entry(labels.clone()).or_insert_with(|| Row {
                labels: labels.clone(),
                drop_name: row.drop_name,
                values: vec![ABSENT; row.values.len()],
            });
            part.values[step] = *value;
            last = Some((chosen, labels));
        }
        Ok(parts.into_values().collect())
    }

    /// The labels of a series with those of its info series. What the series has itself stays.
    fn labels(&self, base: &Labels, infos: &[&Row]) -> Result<Labels, EvalError> {
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        let is_wanted =
            |name: &str| self.data.is_empty() || self.data.iter().any(|one| one.name() == name);
        for (name, value) in infos.iter().flat_map(|info| info.labels.iter()) {
            if name == METRIC_NAME || !is_wanted(name) {
                continue;
            }
            if taken
                .insert(name, value)
                .is_some_and(|other| other != value)
            {
                return Err(EvalError::Matching {
                    reason: format!("info series of {base} differ in the label {name}"),
                });
            }
        }
        let mut labels = base.clone();
        for (name, value) in taken {
            if base.get(name).is_empty() {
                labels = labels.with(name, value);
            }
        }
        Ok(labels)
    }
}

/// Of each metric the info series with the newest sample at a step.
fn newest<'a>(infos: Option<&ByName<'a>>, step: usize) -> Result<Vec<&'a Row>, EvalError> {
    let mut chosen = Vec::new();
    for rows in infos.into_iter().flat_map(BTreeMap::values) {
        let mut best: Option<(&Row, bool)> = None;
        for row in rows.iter().filter(|row| is_present(row.values[step])) {
            best = match best {
                Some((other, _)) if other.values[step] > row.values[step] => best,
                Some((other, _)) if other.values[step] == row.values[step] => Some((other, true)),
                _ => Some((row, false)),
            };
        }
        match best {
            Some((row, true)) => {
                return Err(EvalError::Matching {
                    reason: format!("two info series are equally new, one is {}", row.labels),
                });
            }
            Some((row, false)) => chosen.push(row),
            None => {}
        }
    }
    Ok(chosen)
}
