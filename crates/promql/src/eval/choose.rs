//! Aggregations that keep some series of a group as they are: topk, bottomk, limitk, limit_ratio.

use crate::ast::AggregateOp;
use crate::error::EvalError;

use super::Evaluator;
use super::aggregate::{Group, number_text};
use super::columns::{ABSENT, Row, is_present};
use super::statistics::nan_first;

impl Evaluator<'_> {
    /// Blanks what is not chosen. The rows of a single instant come in the order of the choice.
    pub(super) fn choose(
        &mut self,
        op: AggregateOp,
        parameter: &[f64],
        rows: Vec<Row>,
        groups: &[Group],
    ) -> Result<Vec<Row>, EvalError> {
        let parameter = self.checked_parameter(op, parameter)?;
        let mut kept = vec![vec![ABSENT; parameter.len()]; rows.len()];
        let mut order = Vec::new();
        for group in groups {
            for (step, parameter) in parameter.iter().enumerate() {
                let members = group.members.iter();
                let present = members
                    .map(|row| (*row, rows[*row].values[step]))
                    .filter(|(_, value)| is_present(*value));
                for (row, value) in chosen(op, *parameter, present.collect(), &rows) {
                    kept[row][step] = value;
                    order.push(row);
                }
            }
        }
        let mut rows: Vec<Option<Row>> = rows
            .into_iter()
            .zip(kept)
            .map(|(row, values)| Some(Row { values, ..row }))
            .collect();
        // A row that was chosen at several steps is taken the first time.
        Ok(order
            .into_iter()
            .filter_map(|row| rows[row].take())
            .collect())
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

/// The chosen of one group at one instant, best first.
fn chosen(
    op: AggregateOp,
    parameter: f64,
    mut present: Vec<(usize, f64)>,
    rows: &[Row],
) -> Vec<(usize, f64)> {
    if op == AggregateOp::LimitRatio {
        present.retain(|(row, _)| is_in_ratio(rows[*row].labels.stable_hash(), parameter));
        return present;
    }
    // NaN is the last choice of both.
    match op {
        AggregateOp::TopK => present.sort_by(|a, b| nan_first(b.1, a.1)),
        AggregateOp::BottomK => present.sort_by(|a, b| nan_first(-b.1, -a.1)),
        AggregateOp::LimitK
        | AggregateOp::LimitRatio
        | AggregateOp::Sum
        | AggregateOp::Avg
        | AggregateOp::Min
        | AggregateOp::Max
        | AggregateOp::Count
        | AggregateOp::Group
        | AggregateOp::Stddev
        | AggregateOp::Stdvar
        | AggregateOp::Quantile
        | AggregateOp::CountValues => {}
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float saturates, and a count above the number of series keeps all"
    )]
    present.truncate(parameter.max(0.0) as usize);
    present
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
