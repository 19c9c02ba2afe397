//! Aggregations that make one series of a group; it knows no operator between vectors.

use std::collections::BTreeMap;

use crate::ast::{Aggregate, AggregateOp, Expr};
use crate::error::EvalError;
use crate::labels::Labels;

use super::Evaluator;
use super::columns::{ABSENT, Grid, Out, Row, is_present, merge_equal};
use super::feed::Wanted;
use super::fold::{
    CountFold, DeviationFold, Fold, GroupFold, MaxFold, MeanFold, MinFold, SumFold, VarianceFold,
};
use super::group::Groups;
use super::statistics;

/// Steps whose values are gathered at a time: as many as fit the cache line that the first of them fetches.
const TILE: usize = 8;

impl Evaluator<'_> {
    pub(super) fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        let parameter = match &aggregate.parameter {
            None => Vec::new(),
            Some(Expr::Text(label)) => return self.count_values(label, aggregate, grid),
            Some(parameter) => match self.eval(parameter, grid)? {
                Out::Scalar(values) => values,
                Out::Vector(_) | Out::Text(_) => {
                    return Err(EvalError::argument(
                        "an aggregation's parameter is a scalar",
                    ));
                }
            },
        };
        match aggregate.op {
            AggregateOp::Sum => self.fold::<SumFold>(aggregate, grid),
            AggregateOp::Avg => self.fold::<MeanFold>(aggregate, grid),
            AggregateOp::Min => self.fold::<MinFold>(aggregate, grid),
            AggregateOp::Max => self.fold::<MaxFold>(aggregate, grid),
            AggregateOp::Count => self.fold::<CountFold>(aggregate, grid),
            AggregateOp::Group => self.fold::<GroupFold>(aggregate, grid),
            AggregateOp::Stddev => self.fold::<DeviationFold>(aggregate, grid),
            AggregateOp::Stdvar => self.fold::<VarianceFold>(aggregate, grid),
            AggregateOp::Quantile => self.quantiles(aggregate, &parameter, grid),
            AggregateOp::TopK
            | AggregateOp::BottomK
            | AggregateOp::LimitK
            | AggregateOp::LimitRatio => self.choose(aggregate, &parameter, grid),
            // It has a label for its parameter, which was looked at above.
            AggregateOp::CountValues => Err(EvalError::argument("count_values takes a label")),
        }
    }

    /// Adds each series to the column of its group as it comes.
    fn fold<F: Fold>(&mut self, aggregate: &Aggregate, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let mut groups = Groups::new(&aggregate.grouping);
        let mut columns: Vec<Vec<F>> = Vec::new();
        let only_there = matches!(aggregate.op, AggregateOp::Count | AggregateOp::Group);
        let wanted = Wanted {
            any_order: only_there,
            presence_only: only_there,
        };
        // A state may be larger than the value that becomes of it.
        let more = (size_of::<F>() / size_of::<f64>())
            .saturating_sub(1)
            .saturating_mul(grid.count);
        self.feed(&aggregate.expr, grid, wanted, &mut |fed, budget| {
            let place = groups.place(&fed.labels, fed.name);
            if place == columns.len() {
                budget.spend(grid.count)?;
                budget.hold(more)?;
                columns.push(vec![F::START; grid.count]);
            }
            for (state, value) in columns[place].iter_mut().zip(fed.values) {
                if is_present(*value) {
                    state.add(*value);
                }
            }
            Ok(())
        })?;
        self.budget.give_back(more.saturating_mul(columns.len()));
        let rows = groups.sorted_with(columns).into_iter();
        Ok(rows
            .map(|(key, column)| {
                let mut values: Vec<f64> = column.into_iter().map(F::result).collect();
                // They lie where the states were, which took more.
                values.shrink_to_fit();
                Row {
                    labels: key.labels,
                    drop_name: key.drop_name,
                    values,
                }
            })
            .collect())
    }

    fn quantiles(
        &mut self,
        aggregate: &Aggregate,
        quantiles: &[f64],
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        self.check_quantiles(quantiles);
        let mut groups = Groups::new(&aggregate.grouping);
        // The members' values, one after the other.
        let mut members: Vec<Vec<f64>> = Vec::new();
        self.feed(
            &aggregate.expr,
            grid,
            Wanted::default(),
            &mut |fed, budget| {
                budget.hold(grid.count)?;
                let place = groups.place(&fed.labels, fed.name);
                if place == members.len() {
                    budget.spend(grid.count)?;
                    members.push(Vec::new());
                }
                members[place].extend_from_slice(fed.values);
                Ok(())
            },
        )?;
        let groups = groups.sorted_with(members);
        let mut rows = Vec::with_capacity(groups.len());
        for (key, members) in groups {
            self.budget.work(members.len())?;
            self.budget.give_back(members.len());
            rows.push(Row {
                labels: key.labels,
                drop_name: key.drop_name,
                values: quantile_column(&members, quantiles),
            });
        }
        Ok(rows)
    }

    fn count_values(
        &mut self,
        label: &str,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        self.check_label_name(label)?;
        let mut groups = Groups::new(&aggregate.grouping);
        // By the bits of the value, so that its text is made once.
        let mut counts: Vec<BTreeMap<u64, Vec<f64>>> = Vec::new();
        let wanted = Wanted {
            any_order: true,
            presence_only: false,
        };
        self.feed(&aggregate.expr, grid, wanted, &mut |fed, budget| {
            let place = groups.place(&fed.labels, fed.name);
            if place == counts.len() {
                counts.push(BTreeMap::new());
            }
            for (step, value) in fed.values.iter().enumerate() {
                if !is_present(*value) {
                    continue;
                }
                let counts = &mut counts[place];
                if !counts.contains_key(&value.to_bits()) {
                    budget.spend(grid.count)?;
                }
                let column = counts
                    .entry(value.to_bits())
                    .or_insert_with(|| vec![ABSENT; grid.count]);
                let slot = &mut column[step];
                *slot = if is_present(*slot) { *slot + 1.0 } else { 1.0 };
            }
            Ok(())
        })?;
        let mut rows: BTreeMap<Labels, Row> = BTreeMap::new();
        for (key, counts) in groups.sorted_with(counts) {
            for (bits, values) in counts {
                let labels = key.labels.with(label, &number_text(f64::from_bits(bits)));
                add_counts(&mut rows, labels, values);
            }
        }
        merge_equal(rows.into_values().collect())
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

/// Adds counts to those of a value that is written alike (there are many NaN), or of a group that becomes equal by the
/// label that is set.
fn add_counts(rows: &mut BTreeMap<Labels, Row>, labels: Labels, values: Vec<f64>) {
    let Some(row) = rows.get_mut(&labels) else {
        let row = Row {
            labels: labels.clone(),
            drop_name: false,
            values,
        };
        rows.insert(labels, row);
        return;
    };
    for (sum, value) in row.values.iter_mut().zip(values) {
        if is_present(value) {
            *sum = if is_present(*sum) {
                *sum + value
            } else {
                value
            };
        }
    }
}

/// The quantile of what is present at each step, from the members' rows.
fn quantile_column(members: &[f64], quantiles: &[f64]) -> Vec<f64> {
    let steps = quantiles.len();
    let mut column = Vec::with_capacity(steps);
    let mut gathered: [Vec<f64>; TILE] = Default::default();
    for start in (0..steps).step_by(TILE) {
        let width = TILE.min(steps - start);
        for row in members.chunks_exact(steps) {
            for (values, value) in gathered.iter_mut().zip(&row[start..start + width]) {
                if is_present(*value) {
                    values.push(*value);
                }
            }
        }
        for (values, q) in gathered.iter_mut().zip(&quantiles[start..start + width]) {
            column.push(if values.is_empty() {
                ABSENT
            } else {
                statistics::quantile(*q, values)
            });
            values.clear();
        }
    }
    column
}

/// A number as the text of a label: shortest digits, no exponent.
pub(super) fn number_text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    format!("{value}")
}
