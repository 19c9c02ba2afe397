//! Operators with a scalar on at least one side; between vectors see `matching`.

use crate::ast::{Binary, BinaryOp};
use crate::error::EvalError;

use super::Evaluator;
use super::arithmetic::{arithmetic, compare, truth};
use super::columns::{ABSENT, Grid, Out, Row, is_present};

impl Evaluator<'_> {
    pub(super) fn binary(&mut self, binary: &Binary, grid: Grid) -> Result<Out, EvalError> {
        let left = self.eval(&binary.left, grid)?;
        let right = self.eval(&binary.right, grid)?;
        match (left, right) {
            (Out::Scalar(mut left), Out::Scalar(right)) => {
                for (left, right) in left.iter_mut().zip(right) {
                    // Between scalars a comparison always gives 0 or 1; a filter would leave nothing to give.
                    *left = apply(binary.op, true, *left, right).unwrap_or(f64::NAN);
                }
                Ok(Out::Scalar(left))
            }
            (Out::Vector(rows), Out::Scalar(scalars)) => {
                self.with_scalar(binary, rows, &scalars, false)
            }
            (Out::Scalar(scalars), Out::Vector(rows)) => {
                self.with_scalar(binary, rows, &scalars, true)
            }
            (Out::Vector(left), Out::Vector(right)) => self
                .between_vectors(binary, left, right, grid)
                .map(Out::Vector),
            (Out::Text(_), _) | (_, Out::Text(_)) => {
                Err(EvalError::argument("an operator takes no text"))
            }
        }
    }

    fn with_scalar(
        &self,
        binary: &Binary,
        mut rows: Vec<Row>,
        scalars: &[f64],
        scalar_is_left: bool,
    ) -> Result<Out, EvalError> {
        for row in &mut rows {
            for (value, scalar) in row.values.iter_mut().zip(scalars) {
                if !is_present(*value) {
                    continue;
                }
                let (left, right) = if scalar_is_left {
                    (*scalar, *value)
                } else {
                    (*value, *scalar)
                };
                *value = match (binary.op, apply(binary.op, binary.as_bool, left, right)) {
                    (_, None) => ABSENT,
                    // A filter keeps the vector's value on whichever side it stands.
                    (BinaryOp::Compare(_), Some(_)) if !binary.as_bool => *value,
                    (_, Some(result)) => result,
                };
            }
        }
        rows.retain(Row::has_any);
        if binary.as_bool || matches!(binary.op, BinaryOp::Arithmetic(_)) {
            return self.without_names(rows).map(Out::Vector);
        }
        Ok(Out::Vector(rows))
    }
}

/// An operator on two values: `None` when a comparison filters the value out.
pub(super) fn apply(op: BinaryOp, as_bool: bool, left: f64, right: f64) -> Option<f64> {
    match op {
        BinaryOp::Arithmetic(op) => Some(arithmetic(op, left, right)),
        BinaryOp::Compare(op) if as_bool => Some(truth(compare(op, left, right))),
        BinaryOp::Compare(op) => compare(op, left, right).then_some(left),
        // Set operators have no values of their own.
        BinaryOp::Set(_) => None,
    }
}
