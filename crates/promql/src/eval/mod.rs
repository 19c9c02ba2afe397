//! Evaluation: an expression over a grid of instants gives columns, one value per instant; it knows no text.

mod aggregate;
mod arithmetic;
mod binary;
mod call;
mod choose;
mod columns;
mod date;
mod feed;
mod fold;
mod group;
mod histogram;
mod info;
mod label_fns;
mod matching;
mod notes;
mod over;
mod read;
mod regression;
mod slide;
mod statistics;
mod timeline;

use std::collections::BTreeSet;

use crate::answer::{Answer, InstantSample, Note, RangeSeries, Value};
use crate::ast::{AggregateOp, Expr, Func};
use crate::error::EvalError;
use crate::limits::{Budget, Limits};
use crate::source::Source;

use columns::{Grid, Out, Row, is_present, merge_equal};
use feed::Wanted;

/// One evaluation in progress.
struct Evaluator<'a> {
    source: &'a dyn Source,
    limits: Limits<'a>,
    budget: Budget<'a>,
    /// Start and end of the whole query, for `@ start()` and `@ end()`.
    bounds: (i64, i64),
    /// The step of the whole query; zero at an instant.
    step_ms: i64,
    notes: BTreeSet<Note>,
}

/// Evaluates at one instant.
pub(crate) fn instant(
    expr: &Expr,
    source: &dyn Source,
    at_ms: i64,
    limits: &Limits<'_>,
) -> Result<Answer, EvalError> {
    let mut evaluator = Evaluator::new(source, *limits, (at_ms, at_ms, 0));
    let grid = Grid::instant(at_ms);
    let value = if let Expr::Window(window) = expr {
        Value::Matrix(evaluator.window_points(window, grid)?)
    } else {
        match evaluator.eval(expr, grid)? {
            Out::Scalar(values) => Value::Scalar(values.first().copied().unwrap_or(f64::NAN)),
            Out::Text(text) => Value::Text(text),
            Out::Vector(rows) => {
                let mut rows = finish(rows)?;
                if !keeps_order(expr) {
                    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
                }
                Value::Vector(rows.into_iter().filter_map(instant_sample).collect())
            }
        }
    };
    Ok(evaluator.answer(value))
}

/// Evaluates over `(start, end, step)`.
pub(crate) fn range(
    expr: &Expr,
    source: &dyn Source,
    span: (i64, i64, i64),
    limits: &Limits<'_>,
) -> Result<Answer, EvalError> {
    let grid = Grid::spanning(span.0, span.1, span.2, limits.steps_max)?;
    let mut evaluator = Evaluator::new(source, *limits, span);
    if matches!(expr, Expr::Window(_)) {
        return Err(EvalError::BadRange {
            reason: "the expression is a range of samples: use a function over it".to_owned(),
        });
    }
    let mut rows = match evaluator.eval(expr, grid)? {
        Out::Scalar(values) => vec![Row {
            labels: crate::Labels::default(),
            drop_name: false,
            values,
        }],
        Out::Text(_) => {
            return Err(EvalError::BadRange {
                reason: "a text has no range".to_owned(),
            });
        }
        Out::Vector(rows) => finish(rows)?,
    };
    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    let series = rows.into_iter().map(|row| range_series(row, grid));
    let value = Value::Matrix(series.filter(|one| !one.points.is_empty()).collect());
    Ok(evaluator.answer(value))
}

impl<'a> Evaluator<'a> {
    fn new(source: &'a dyn Source, limits: Limits<'a>, span: (i64, i64, i64)) -> Self {
        let (start_ms, end_ms, step_ms) = span;
        Self {
            source,
            limits,
            budget: Budget::new(limits),
            bounds: (start_ms, end_ms),
            step_ms,
            notes: BTreeSet::new(),
        }
    }

    fn eval(&mut self, expr: &Expr, grid: Grid) -> Result<Out, EvalError> {
        let out = match expr {
            Expr::Number(number) => self.constant(*number, grid)?,
            Expr::Text(text) => Out::Text(text.clone()),
            Expr::Selector(_) => self.gather(expr, grid).map(Out::Vector)?,
            Expr::Window(_) => return Err(EvalError::argument("a range of samples is no value")),
            Expr::Negate(inner) => match self.eval(inner, grid)? {
                Out::Scalar(values) => Out::Scalar(values.into_iter().map(|v| -v).collect()),
                Out::Vector(mut rows) => {
                    rows.iter_mut().for_each(|row| row.map_present(|v| -v));
                    self.without_names(rows).map(Out::Vector)?
                }
                Out::Text(_) => return Err(EvalError::argument("a text has no negative")),
            },
            Expr::Binary(binary) => self.binary(binary, grid)?,
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, grid).map(Out::Vector)?,
            Expr::Call(call) => self.call(call, grid)?,
        };
        // Most operators change columns in place: that takes no memory, but time.
        let columns = match &out {
            Out::Scalar(_) => 1,
            Out::Vector(rows) => rows.len(),
            Out::Text(_) => 0,
        };
        self.budget.work(columns.saturating_mul(grid.count))?;
        Ok(out)
    }

    fn constant(&mut self, number: f64, grid: Grid) -> Result<Out, EvalError> {
        self.budget.spend(grid.count)?;
        Ok(Out::Scalar(vec![number; grid.count]))
    }

    fn vector(&mut self, expr: &Expr, grid: Grid) -> Result<Vec<Row>, EvalError> {
        match self.eval(expr, grid)? {
            Out::Vector(rows) => Ok(rows),
            Out::Scalar(_) | Out::Text(_) => {
                Err(EvalError::argument("an instant vector is expected"))
            }
        }
    }

    /// The rows of an expression that can be fed.
    fn gather(&mut self, expr: &Expr, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let mut rows = Vec::new();
        self.feed(expr, grid, Wanted::default(), &mut |fed, _| {
            rows.push(fed.to_row());
            Ok(())
        })?;
        Ok(rows)
    }

    fn scalar(&mut self, expr: &Expr, grid: Grid) -> Result<Vec<f64>, EvalError> {
        match self.eval(expr, grid)? {
            Out::Scalar(values) => Ok(values),
            Out::Vector(_) | Out::Text(_) => Err(EvalError::argument("a scalar is expected")),
        }
    }

    /// Drops the metric names, now or at the end of the query.
    fn without_names(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
        if self.limits.delayed_name_removal {
            rows.iter_mut().for_each(|row| row.drop_name = true);
            return Ok(rows);
        }
        drop_names(rows)
    }

    fn answer(self, value: Value) -> Answer {
        Answer {
            value,
            notes: self.notes.into_iter().collect(),
        }
    }
}

fn drop_names(mut rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
    let names: BTreeSet<&str> = rows.iter().map(|row| row.labels.metric_name()).collect();
    let may_collide = names.len() > 1;
    for row in &mut rows {
        row.labels = row.labels.without_name();
        row.drop_name = false;
    }
    if may_collide {
        merge_equal(rows)
    } else {
        Ok(rows)
    }
}

/// Carries out what was put off, and sees to it that no two series are the same.
fn finish(rows: Vec<Row>) -> Result<Vec<Row>, EvalError> {
    let rows = rows.into_iter().map(|mut row| {
        if row.drop_name {
            row.labels = row.labels.without_name();
        }
        row
    });
    merge_equal(rows.collect())
}

/// Whether the order of an instant result is part of its meaning.
fn keeps_order(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => matches!(call.func, Func::Sort { .. } | Func::SortByLabel { .. }),
        Expr::Aggregate(aggregate) => {
            matches!(aggregate.op, AggregateOp::TopK | AggregateOp::BottomK)
        }
        Expr::Number(_)
        | Expr::Text(_)
        | Expr::Selector(_)
        | Expr::Window(_)
        | Expr::Negate(_)
        | Expr::Binary(_) => false,
    }
}

fn instant_sample(row: Row) -> Option<InstantSample> {
    let value = row.values.first().copied().filter(|v| is_present(*v))?;
    Some(InstantSample {
        labels: row.labels,
        value,
    })
}

fn range_series(row: Row, grid: Grid) -> RangeSeries {
    let points = row.values.iter().enumerate();
    RangeSeries {
        points: points
            .filter(|(_, value)| is_present(**value))
            .map(|(at, value)| (grid.time_ms(at), *value))
            .collect(),
        labels: row.labels,
    }
}
