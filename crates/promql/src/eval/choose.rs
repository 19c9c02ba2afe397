//! Aggregations that keep some series of a group as they are: topk, bottomk, limitk, limit_ratio.

use std::cmp::Ordering;

use crate::ast::{Aggregate, AggregateOp};
use crate::error::EvalError;
use crate::labels::Labels;

use super::Evaluator;
use super::aggregate::number_text;
use super::columns::{ABSENT, Grid, Row, is_present};
use super::feed::{Fed, Name, Wanted};
use super::group::Groups;
use super::statistics::nan_first;

/// A series that may be chosen.
struct Candidate {
    labels: Labels,
    name: Name,
}

impl Evaluator<'_> {
    /// Blanks what is not chosen. The rows of a single instant come in the order of the choice.
    pub(super) fn choose(
        &mut self,
        aggregate: &Aggregate,
        parameter: &[f64],
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        self.budget.spend(parameter.len())?;
        let parameter = self.checked_parameter(aggregate.op, parameter)?;
        let mut groups = Groups::new(&aggregate.grouping);
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut candidates = Vec::new();
        let mut values = Vec::new();
        self.feed(
            &aggregate.expr,
            grid,
            Wanted::default(),
            &mut |fed, budget| {
                budget.hold(grid.count)?;
                let place = groups.place(&fed.labels, fed.name);
                if place == members.len() {
                    members.push(Vec::new());
                }
                members[place].push(candidates.len());
                values.extend_from_slice(fed.values);
                candidates.push(Candidate {
                    labels: fed.labels,
                    name: fed.name,
                });
                Ok(())
            },
        )?;
        let mut kept: Vec<Option<Vec<f64>>> = vec![None; candidates.len()];
        let mut order = Vec::new();
        let mut present = Vec::new();
        for (_, members) in groups.sorted_with(members) {
            for (step, parameter) in parameter.iter().enumerate() {
                self.budget.work(members.len())?;
                present.clear();
                let there = members
                    .iter()
                    .map(|row| (*row, values[row * grid.count + step]));
                present.extend(there.filter(|(_, value)| is_present(*value)));
                for (row, value) in chosen(aggregate.op, *parameter, &mut present, &candidates) {
                    if kept[*row].is_none() {
                        self.budget.spend(grid.count)?;
                        order.push(*row);
                    }
                    kept[*row].get_or_insert_with(|| vec![ABSENT; grid.count])[step] = *value;
                }
            }
        }
        self.budget.give_back(values.len());
        drop(values);
        let rows = order.into_iter().filter_map(|row| {
            let values = kept[row].take()?;
            let Candidate { labels, name } = &candidates[row];
            let fed = Fed {
                labels: labels.clone(),
                name: *name,
                values: &values,
            };
            Some(fed.to_row())
        });
        Ok(rows.collect())
    }

    fn checked_parameter(
        &mut self,
        op: AggregateOp,
        parameter: &[f64],
    ) -> Result<Vec<f64>, EvalError> {
        const COUNT_MAX: f64 = 9.2e18;
        if op != AggregateOp::LimitRatio {
            return match parameter.iter().find(|k| k.is_nan() || k.abs() > COUNT_MAX) {
                Some(bad) => Err(EvalError::argument(format!(
                    "{} is no count of series",
                    number_text(*bad)
                ))),
                None => Ok(parameter.to_vec()),
            };
        }
        if parameter.iter().any(|ratio| ratio.is_nan()) {
            return Err(EvalError::argument("the ratio is not a number"));
        }
        if let Some(bad) = parameter.iter().find(|ratio| ratio.abs() > 1.0) {
            self.warn(format!(
                "the ratio should be between -1 and 1, it is {}",
                number_text(*bad)
            ));
        }
        // One ratio for the whole range, so that a series is in the part at every step or at none.
        let ratio = parameter.first().copied().unwrap_or(0.0);
        Ok(vec![ratio.clamp(-1.0, 1.0); parameter.len()])
    }
}

/// The chosen of one group at one instant, best first; of equals those that came first.
fn chosen<'a>(
    op: AggregateOp,
    parameter: f64,
    present: &'a mut Vec<(usize, f64)>,
    candidates: &[Candidate],
) -> &'a [(usize, f64)] {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float saturates, and a count above the number of series keeps all"
    )]
    let count = (parameter.max(0.0) as usize).min(present.len());
    // NaN is the last choice of both.
    match op {
        AggregateOp::TopK => best(present, count, |a, b| nan_first(b, a)),
        AggregateOp::BottomK => best(present, count, |a, b| nan_first(-b, -a)),
        AggregateOp::LimitRatio => {
            present.retain(|(row, _)| {
                let Candidate { labels, name } = &candidates[*row];
                let hash = match name {
                    Name::Gone => labels.without_name().stable_hash(),
                    Name::Kept | Name::GoesLast => labels.stable_hash(),
                };
                is_in_ratio(hash, parameter)
            });
            present
        }
        AggregateOp::LimitK
        | AggregateOp::Sum
        | AggregateOp::Avg
        | AggregateOp::Min
        | AggregateOp::Max
        | AggregateOp::Count
        | AggregateOp::Group
        | AggregateOp::Stddev
        | AggregateOp::Stdvar
        | AggregateOp::Quantile
        | AggregateOp::CountValues => &present[..count],
    }
}

/// The first `count` in the order of values; only those are sorted.
fn best(
    present: &mut [(usize, f64)],
    count: usize,
    order: impl Fn(f64, f64) -> Ordering,
) -> &[(usize, f64)] {
    let by_value = |a: &(usize, f64), b: &(usize, f64)| order(a.1, b.1).then(a.0.cmp(&b.0));
    if count == 0 {
        return &[];
    }
    if count < present.len() {
        present.select_nth_unstable_by(count - 1, by_value);
    }
    let first = &mut present[..count];
    first.sort_unstable_by(by_value);
    first
}

/// Whether a series belongs to the part: the first `ratio` of all hashes, or the last for a negative one, so that
/// `r` and `r - 1` are complements.
fn is_in_ratio(hash: u64, ratio: f64) -> bool {
    let place = hash as f64 / u64::MAX as f64;
    if ratio >= 0.0 {
        place < ratio || (ratio >= 1.0)
    } else {
        place >= 1.0 + ratio
    }
}
