//! Function calls: arguments are evaluated and handed to what computes.

use std::collections::BTreeMap;

use crate::ast::{Call, DatePart, Expr, Func, Over, Selector, Window};
use crate::error::EvalError;
use crate::labels::{Labels, METRIC_NAME};
use crate::matcher::MatchOp;

use super::Evaluator;
use super::columns::{ABSENT, Grid, Out, Row, is_present};
use super::select::{Samples, Windows};
use super::{arithmetic, date, label_fns, over, statistics};

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, grid: Grid) -> Result<Out, EvalError> {
        match call.func {
            Func::Scalar => self.only_value(arg(call, 0)?, grid).map(Out::Scalar),
            Func::Time => Ok(Out::Scalar(times(grid))),
            Func::Pi => Ok(Out::Scalar(vec![std::f64::consts::PI; grid.count])),
            Func::Over(func) => self.over(func, call, grid).map(Out::Vector),
            Func::Map(func) => {
                let mut rows = self.vector(arg(call, 0)?, grid)?;
                rows.iter_mut()
                    .for_each(|row| row.map_present(|value| arithmetic::map(func, value)));
                self.without_names(rows).map(Out::Vector)
            }
            Func::Bound(func) => {
                let rows = self.vector(arg(call, 0)?, grid)?;
                let scalars = self.scalars(&call.args[1..], grid)?;
                let rows = with_scalars(rows, &scalars, |value, scalars| {
                    arithmetic::bound(func, value, scalars)
                });
                self.without_names(rows).map(Out::Vector)
            }
            Func::Date(part) => self.date(part, call, grid).map(Out::Vector),
            Func::Absent => self.absent(arg(call, 0)?, grid).map(Out::Vector),
            Func::AbsentOverTime => self.absent_over(call, grid).map(Out::Vector),
            Func::HistogramQuantile => {
                let quantiles = self.scalar(arg(call, 0)?, grid)?;
                let rows = self.vector(arg(call, 1)?, grid)?;
                self.histogram_quantile(&quantiles, &rows, grid)
                    .map(Out::Vector)
            }
            Func::NativeOnly => Ok(Out::Vector(Vec::new())),
            Func::LabelReplace => {
                let rows = self.vector(arg(call, 0)?, grid)?;
                let texts = [
                    text(call, 1)?,
                    text(call, 2)?,
                    text(call, 3)?,
                    text(call, 4)?,
                ];
                self.label_replace(rows, texts).map(Out::Vector)
            }
            Func::LabelJoin => {
                let rows = self.vector(arg(call, 0)?, grid)?;
                let sources = texts(call, 3)?;
                self.label_join(rows, text(call, 1)?, text(call, 2)?, &sources)
                    .map(Out::Vector)
            }
            Func::Vector => {
                let values = self.scalar(arg(call, 0)?, grid)?;
                Ok(Out::Vector(vec![unlabelled(values)]))
            }
            Func::Timestamp => self.timestamp(arg(call, 0)?, grid).map(Out::Vector),
            Func::Sort { descending } => {
                let mut rows = self.vector(arg(call, 0)?, grid)?;
                // A range has no one order; its series are sorted by labels in the end.
                if grid.count == 1 {
                    sort(&mut rows, descending);
                }
                Ok(Out::Vector(rows))
            }
            Func::SortByLabel { descending } => {
                let mut rows = self.vector(arg(call, 0)?, grid)?;
                label_fns::sort_by_labels(&mut rows, &texts(call, 1)?, descending);
                Ok(Out::Vector(rows))
            }
        }
    }

    fn scalars(&mut self, args: &[Expr], grid: Grid) -> Result<Vec<Vec<f64>>, EvalError> {
        args.iter().map(|arg| self.scalar(arg, grid)).collect()
    }

    /// `scalar(v)`: the value of the only series, else NaN.
    fn only_value(&mut self, arg: &Expr, grid: Grid) -> Result<Vec<f64>, EvalError> {
        let rows = self.vector(arg, grid)?;
        let value_at = |step: usize| {
            let mut present = rows
                .iter()
                .map(|row| row.values[step])
                .filter(|value| is_present(*value));
            match (present.next(), present.next()) {
                (Some(only), None) => only,
                _ => f64::NAN,
            }
        };
        Ok((0..grid.count).map(value_at).collect())
    }

    fn over(&mut self, func: Over, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let at = call
            .args
            .iter()
            .position(|arg| matches!(arg, Expr::Window(_)))
            .ok_or_else(|| EvalError::argument("a range of samples is expected"))?;
        let others: Vec<&Expr> = call
            .args
            .iter()
            .enumerate()
            .filter_map(|(other, arg)| (other != at).then_some(arg))
            .collect();
        let Expr::Window(window) = &call.args[at] else {
            return Err(EvalError::argument("a range of samples is expected"));
        };
        let mut scalars = Vec::with_capacity(others.len());
        for other in others {
            scalars.push(self.scalar(other, grid)?);
        }
        self.check_scalars(func, &scalars)?;
        let (samples, windows) = self.windows(window, grid)?;
        let mut rows = Vec::with_capacity(samples.len());
        for one in samples {
            self.budget.spend(grid.count)?;
            if let Some(row) = self.slide(func, one, windows, &scalars, grid) {
                rows.push(row);
            }
        }
        if matches!(func, Over::Last | Over::First) {
            return Ok(rows);
        }
        self.without_names(rows)
    }

    fn check_scalars(&mut self, func: Over, scalars: &[Vec<f64>]) -> Result<(), EvalError> {
        match (func, scalars) {
            (Over::Quantile, [quantiles]) => self.check_quantiles(quantiles),
            (Over::DoubleExponentialSmoothing, factors) => {
                let bad = factors
                    .iter()
                    .flatten()
                    .find(|factor| !(**factor > 0.0 && **factor < 1.0));
                if let Some(bad) = bad {
                    return Err(EvalError::argument(format!(
                        "smoothing and trend factors are between 0 and 1, not {bad}"
                    )));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Slides the window over one series.
    fn slide(
        &mut self,
        func: Over,
        samples: Samples,
        windows: Windows,
        scalars: &[Vec<f64>],
        grid: Grid,
    ) -> Option<Row> {
        let mut values = Vec::with_capacity(grid.count);
        let mut arguments = vec![0.0; scalars.len()];
        let (mut first, mut end) = (0, 0);
        let mut any = false;
        for step in 0..grid.count {
            let end_ms = windows.view.time_ms(step);
            let start_ms = end_ms.saturating_sub(windows.range_ms);
            while samples.times.get(end).is_some_and(|time| *time <= end_ms) {
                end += 1;
            }
            while first < end && samples.times[first] <= start_ms {
                first += 1;
            }
            if first == end {
                values.push(ABSENT);
                continue;
            }
            for (argument, column) in arguments.iter_mut().zip(scalars) {
                *argument = column[step];
            }
            let value = over::over(
                func,
                &over::Window {
                    times: &samples.times[first..end],
                    values: &samples.values[first..end],
                    end_ms,
                    range_ms: windows.range_ms,
                    eval_ms: grid.time_ms(step),
                    scalars: &arguments,
                },
            );
            any |= value.is_some();
            values.push(value.unwrap_or(ABSENT));
        }
        if !any {
            return None;
        }
        self.hint_counter(func, samples.labels.metric_name());
        Some(Row {
            labels: samples.labels,
            drop_name: samples.drop_name,
            values,
        })
    }

    /// Tells when a function for counters is used on what is not named like one.
    fn hint_counter(&mut self, func: Over, name: &str) {
        if !matches!(func, Over::Rate | Over::Increase | Over::Irate) || name.is_empty() {
            return;
        }
        let is_counter = ["_total", "_sum", "_count", "_bucket"]
            .iter()
            .any(|ending| name.ends_with(ending));
        if !is_counter {
            self.inform(format!(
                "{name} might not be a counter: its name does not end in _total, _sum, _count or _bucket"
            ));
        }
    }

    fn date(&mut self, part: DatePart, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let mut rows = match call.args.first() {
            None => vec![unlabelled(times(grid))],
            Some(arg) => self.vector(arg, grid)?,
        };
        rows.iter_mut()
            .for_each(|row| row.map_present(|value| date::part(part, value)));
        self.without_names(rows)
    }

    fn timestamp(&mut self, arg: &Expr, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let mut rows;
        if let Expr::Selector(selector) = arg {
            rows = self.instant_times(selector, grid)?;
        } else {
            // What was computed has the time of its computation.
            rows = self.vector(arg, grid)?;
            let times = times(grid);
            for row in &mut rows {
                for (value, time) in row.values.iter_mut().zip(&times) {
                    if is_present(*value) {
                        *value = *time;
                    }
                }
            }
        }
        self.without_names(rows)
    }

    fn absent(&mut self, arg: &Expr, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let rows = self.vector(arg, grid)?;
        let labels = if let Expr::Selector(selector) = arg {
            certain_labels(selector)
        } else {
            Labels::default()
        };
        let missing = |step: usize| !rows.iter().any(|row| is_present(row.values[step]));
        Ok(ones_where(labels, grid, missing))
    }

    fn absent_over(&mut self, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let Some(Expr::Window(window)) = call.args.first() else {
            return Err(EvalError::argument("a range of samples is expected"));
        };
        let (samples, windows) = self.windows(window, grid)?;
        let labels = match &**window {
            Window::Range { selector, .. } => certain_labels(selector),
            Window::Subquery { .. } => Labels::default(),
        };
        let missing = |step: usize| {
            let end_ms = windows.view.time_ms(step);
            let start_ms = end_ms.saturating_sub(windows.range_ms);
            !samples.iter().any(|one| {
                let at = one.times.partition_point(|time| *time <= start_ms);
                one.times.get(at).is_some_and(|time| *time <= end_ms)
            })
        };
        Ok(ones_where(labels, grid, missing))
    }
}

fn arg(call: &Call, at: usize) -> Result<&Expr, EvalError> {
    call.args
        .get(at)
        .ok_or_else(|| EvalError::argument("an argument is missing"))
}

fn text(call: &Call, at: usize) -> Result<&str, EvalError> {
    if let Expr::Text(text) = arg(call, at)? {
        Ok(text)
    } else {
        Err(EvalError::argument("a text is expected"))
    }
}

fn texts(call: &Call, from: usize) -> Result<Vec<&str>, EvalError> {
    (from..call.args.len()).map(|at| text(call, at)).collect()
}

fn times(grid: Grid) -> Vec<f64> {
    (0..grid.count)
        .map(|step| grid.time_ms(step) as f64 / 1e3)
        .collect()
}

fn unlabelled(values: Vec<f64>) -> Row {
    Row {
        labels: Labels::default(),
        drop_name: false,
        values,
    }
}

fn with_scalars(
    mut rows: Vec<Row>,
    scalars: &[Vec<f64>],
    compute: impl Fn(f64, &[f64]) -> Option<f64>,
) -> Vec<Row> {
    let mut arguments = vec![0.0; scalars.len()];
    for row in &mut rows {
        for (step, value) in row.values.iter_mut().enumerate() {
            if !is_present(*value) {
                continue;
            }
            for (argument, column) in arguments.iter_mut().zip(scalars) {
                *argument = column[step];
            }
            *value = compute(*value, &arguments).unwrap_or(ABSENT);
        }
    }
    rows.retain(Row::has_any);
    rows
}

fn sort(rows: &mut [Row], descending: bool) {
    let value = |row: &Row| row.values.first().copied().unwrap_or(f64::NAN);
    // NaN comes last either way.
    rows.sort_by(|a, b| {
        if descending {
            statistics::nan_first(value(b), value(a))
        } else {
            statistics::nan_first(-value(b), -value(a))
        }
    });
}

fn ones_where(labels: Labels, grid: Grid, holds: impl Fn(usize) -> bool) -> Vec<Row> {
    let values = (0..grid.count).map(|step| if holds(step) { 1.0 } else { ABSENT });
    let row = Row {
        labels,
        drop_name: false,
        values: values.collect(),
    };
    if row.has_any() { vec![row] } else { Vec::new() }
}

/// The labels that a series must have to pass: those asked for by one `=` alone.
fn certain_labels(selector: &Selector) -> Labels {
    let mut certain: BTreeMap<&str, &str> = BTreeMap::new();
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for matcher in &selector.matchers {
        *asked.entry(matcher.name()).or_default() += 1;
        if matcher.op() == MatchOp::Equal && matcher.name() != METRIC_NAME {
            certain.insert(matcher.name(), matcher.value());
        }
    }
    certain.retain(|name, _| asked.get(name) == Some(&1));
    certain.into_iter().collect()
}
