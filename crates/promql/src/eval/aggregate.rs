//! Aggregations that make one series of a group; it knows no operator between vectors.

use std::collections::BTreeMap;

use crate::ast::{Aggregate, AggregateOp, Expr, Grouping};
use crate::error::EvalError;
use crate::labels::{Labels, METRIC_NAME};

use super::Evaluator;
use super::arithmetic::Sum;
use super::columns::{ABSENT, Grid, Out, Row, is_present, merge_equal};
use super::label_fns::check_label_name;
use super::{over, statistics};

/// The rows of one group.
pub(super) struct Group {
    pub(super) labels: Labels,
    /// The grouping kept a metric's name that is to be dropped at the end.
    drop_name: bool,
    pub(super) members: Vec<usize>,
}

impl Evaluator<'_> {
    pub(super) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        let parameter = match &aggregate.parameter {
            None => Vec::new(),
            Some(Expr::Text(label)) => {
                let rows = self.vector(&aggregate.expr, grid)?;
                return self.count_values(label, &aggregate.grouping, &rows, grid);
            }
            Some(parameter) => match self.eval(parameter, grid)? {
                Out::Scalar(values) => values,
                Out::Vector(_) | Out::Text(_) => {
                    return Err(EvalError::argument(
                        "an aggregation's parameter is a scalar",
                    ));
                }
            },
        };
        let rows = self.vector(&aggregate.expr, grid)?;
        let groups = group(&rows, &aggregate.grouping);
        match aggregate.op {
            AggregateOp::TopK
            | AggregateOp::BottomK
            | AggregateOp::LimitK
            | AggregateOp::LimitRatio => self.choose(aggregate.op, &parameter, rows, &groups),
            AggregateOp::Quantile => {
                self.check_quantiles(&parameter);
                self.fold(&rows, groups, grid, |values, step| {
                    statistics::quantile(parameter[step], values)
                })
            }
            AggregateOp::Sum
            | AggregateOp::Avg
            | AggregateOp::Min
            | AggregateOp::Max
            | AggregateOp::Count
            | AggregateOp::Group
            | AggregateOp::Stddev
            | AggregateOp::Stdvar
            | AggregateOp::CountValues => {
                self.fold(&rows, groups, grid, |values, _| fold(aggregate.op, values))
            }
        }
    }

    fn fold(
        &mut self,
        rows: &[Row],
        groups: Vec<Group>,
        grid: Grid,
        fold: impl Fn(&mut [f64], usize) -> f64,
    ) -> Result<Vec<Row>, EvalError> {
        let mut scratch = Vec::new();
        let mut folded = Vec::with_capacity(groups.len());
        for group in groups {
            self.budget.spend(grid.count)?;
            let mut values = Vec::with_capacity(grid.count);
            for step in 0..grid.count {
                scratch.clear();
                let members = group.members.iter().map(|row| rows[*row].values[step]);
                scratch.extend(members.filter(|value| is_present(*value)));
                values.push(if scratch.is_empty() {
                    ABSENT
                } else {
                    fold(&mut scratch, step)
                });
            }
            folded.push(Row {
                labels: group.labels,
                drop_name: group.drop_name,
                values,
            });
        }
        Ok(folded)
    }

    fn count_values(
        &mut self,
        label: &str,
        grouping: &Grouping,
        rows: &[Row],
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        check_label_name(label)?;
        let mut counts: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
        for group in group(rows, grouping) {
            for member in group.members {
                for (step, value) in rows[member].values.iter().enumerate() {
                    if !is_present(*value) {
                        continue;
                    }
                    let key = group.labels.with(label, &number_text(*value));
                    if !counts.contains_key(&key) {
                        self.budget.spend(grid.count)?;
                    }
                    let column = counts
                        .entry(key)
                        .or_insert_with(|| vec![ABSENT; grid.count]);
                    let slot = &mut column[step];
                    *slot = if is_present(*slot) { *slot + 1.0 } else { 1.0 };
                }
            }
        }
        let rows = counts.into_iter().map(|(labels, values)| Row {
            labels,
            drop_name: false,
            values,
        });
        merge_equal(rows.collect())
    }

    /// Warns about quantiles that are none.
    pub(super) fn check_quantiles(&mut self, quantiles: &[f64]) {
        if let Some(bad) = quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            self.warn(format!(
                "the quantile should be between 0 and 1, it is {}",
                number_text(*bad)
            ));
        }
    }
}

/// The groups of rows, in the order of their labels.
pub(super) fn group(rows: &[Row], grouping: &Grouping) -> Vec<Group> {
    let mut groups: BTreeMap<Labels, Group> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let labels = match grouping {
            Grouping::Keep(names) => row
                .labels
                .filtered(|name| names.iter().any(|keep| keep == name)),
            Grouping::Drop(names) => row
                .labels
                .filtered(|name| name != METRIC_NAME && !names.iter().any(|drop| drop == name)),
        };
        let group = groups.entry(labels.clone()).or_insert_with(|| Group {
            labels,
            drop_name: row.drop_name,
            members: Vec::new(),
        });
        group.members.push(at);
    }
    groups.into_values().collect()
}

fn fold(op: AggregateOp, values: &[f64]) -> f64 {
    match op {
        AggregateOp::Sum => {
            let mut sum = Sum::default();
            values.iter().for_each(|value| sum.add(*value));
            sum.total()
        }
        AggregateOp::Avg => statistics::mean(values),
        AggregateOp::Min => statistics::smallest(values),
        AggregateOp::Max => statistics::largest(values),
        AggregateOp::Count => over::count(values.len()),
        AggregateOp::Group => 1.0,
        AggregateOp::Stddev => statistics::variance(values).sqrt(),
        AggregateOp::Stdvar => statistics::variance(values),
        // These choose, or have a parameter, and are handled where they are told apart.
        AggregateOp::Quantile
        | AggregateOp::TopK
        | AggregateOp::BottomK
        | AggregateOp::CountValues
        | AggregateOp::LimitK
        | AggregateOp::LimitRatio => f64::NAN,
    }
}

/// A number as the text of a label: shortest digits, no exponent.
pub(super) fn number_text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{value}")
}
