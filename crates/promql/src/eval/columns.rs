//! The evaluator's data: grids of instants and rows of values; it knows no function.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::STALE_NAN_BITS;
use crate::error::EvalError;
use crate::labels::Labels;

/// Stands in a row where the series has no value. No computation can give these bits (results are quiet NaNs), and
/// selectors leave the staleness marker out.
pub(super) const ABSENT: f64 = f64::from_bits(STALE_NAN_BITS);

/// Whether a row has a value there.
pub(super) fn is_present(value: f64) -> bool {
    value.to_bits() != STALE_NAN_BITS
}

/// Evenly spaced instants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) start_ms: i64,
    pub(super) step_ms: i64,
    pub(super) count: usize,
}

impl Grid {
    pub(super) fn instant(at_ms: i64) -> Self {
        Self {
            start_ms: at_ms,
            step_ms: 1,
            count: 1,
        }
    }

    /// From `start` to `end`, both included where a step falls on them.
    pub(super) fn spanning(
        start_ms: i64,
        end_ms: i64,
        step_ms: i64,
        steps_max: usize,
    ) -> Result<Self, EvalError> {
        if step_ms <= 0 || end_ms < start_ms {
            let reason = format!("start {start_ms} ms, end {end_ms} ms, step {step_ms} ms");
            return Err(EvalError::BadRange { reason });
        }
        let steps = end_ms.saturating_sub(start_ms) / step_ms;
        let count = usize::try_from(steps).map_or(usize::MAX, |steps| steps.saturating_add(1));
        if count > steps_max {
            return Err(EvalError::TooManySteps {
                found: count,
                limit: steps_max,
            });
        }
        Ok(Self {
            start_ms,
            step_ms,
            count,
        })
    }

    /// The instant of a step.
    pub(super) fn time_ms(self, step: usize) -> i64 {
        let steps = i64::try_from(step).unwrap_or(i64::MAX);
        self.start_ms
            .saturating_add(self.step_ms.saturating_mul(steps))
    }
}

/// A series of a result: one value, or [`ABSENT`], per instant of the grid.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) labels: Labels,
    /// The metric's name goes at the end of the query.
    pub(super) drop_name: bool,
    pub(super) values: Vec<f64>,
}

impl Row {
    pub(super) fn map_present(&mut self, map: impl Fn(f64) -> f64) {
        for value in &mut self.values {
            if is_present(*value) {
                *value = map(*value);
            }
        }
    }

    pub(super) fn has_any(&self) -> bool {
        self.values.iter().any(|value| is_present(*value))
    }
}

/// The result of an expression.
pub(super) enum Out {
    Scalar(Vec<f64>),
    Vector(Vec<Row>),
    Text(String),
}

/// Joins rows of equal labels that never have a value at the same instant; two values at one instant are an error.
pub(super) fn merge_equal(rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
    if rows.is_sorted_by(|a, b| a.labels < b.labels) {
        return Ok(rows);
    }
    let mut places: BTreeMap<Labels, usize> = BTreeMap::new();
    let mut merged: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match places.entry(row.labels.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(merged.len());
                merged.push(row);
            }
            Entry::Occupied(occupied) => merge_into(&mut merged[*occupied.get()], &row)?,
        }
    }
    Ok(merged)
}

fn merge_into(into: &mut Row, from: &Row) -> Result<(), EvalError> {
    for (to, value) in into.values.iter_mut().zip(&from.values) {
        if !is_present(*value) {
            continue;
        }
        if is_present(*to) {
            return Err(EvalError::DuplicateSeries {
                labels: from.labels.to_string(),
            });
        }
        *to = *value;
    }
    Ok(())
}
