//! Function calls: arguments are evaluated and handed to what computes.

use std::collections::BTreeMap;

use crate::ast::{Call, DatePart, Each, Expr, Func, OfQuery, Over, Selector, Window};
use crate::error::EvalError;
use crate::labels::{Labels, METRIC_NAME};
use crate::matcher::MatchOp;

use super::Evaluator;
use super::columns::{ABSENT, Grid, Out, Row, is_present};
use super::feed::{Name, Wanted, keeps_name};
use super::timeline::seconds;
use super::{arithmetic, date, label_fns, statistics};

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, grid: Grid) -> Result<Out, EvalError> {
        match call.func {
            Func::Scalar => self.only_value(arg(call, 0)?, grid).map(Out::Scalar),
            Func::Time => self.times(grid).map(Out::Scalar),
            Func::Pi => self.constant(std::f64::consts::PI, grid),
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
            Func::HistogramFraction => self.fraction(call, grid).map(Out::Vector),
            Func::Info => {
                let Expr::Selector(infos) = arg(call, 1)? else {
                    return Err(EvalError::argument("info takes a selector"));
                };
                self.info(arg(call, 0)?, infos, grid).map(Out::Vector)
            }
            Func::OfQuery(fact) => self.constant(self.of_query(fact), grid),
            Func::NativeOnly => Ok(Out::Vector(Vec::new())),
            Func::LabelReplace => self.replace(call, grid).map(Out::Vector),
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

    fn fraction(&mut self, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let lower = self.scalar(arg(call, 0)?, grid)?;
        let upper = self.scalar(arg(call, 1)?, grid)?;
        let rows = self.vector(arg(call, 2)?, grid)?;
        self.histogram_fraction(&lower, &upper, &rows, grid)
    }

    fn replace(&mut self, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let rows = self.vector(arg(call, 0)?, grid)?;
        let texts = [
            text(call, 1)?,
            text(call, 2)?,
            text(call, 3)?,
            text(call, 4)?,
        ];
        self.label_replace(rows, texts)
    }

    fn of_query(&self, fact: OfQuery) -> f64 {
        let (start_ms, end_ms) = self.bounds;
        seconds(match fact {
            OfQuery::Start => start_ms,
            OfQuery::End => end_ms,
            OfQuery::Step => self.step_ms,
            OfQuery::Range => end_ms.saturating_sub(start_ms),
        })
    }

    /// The column of the instants themselves.
    fn times(&mut self, grid: Grid) -> Result<Vec<f64>, EvalError> {
        self.budget.spend(grid.count)?;
        let steps = 0..grid.count;
        Ok(steps.map(|step| seconds(grid.time_ms(step))).collect())
    }

    fn scalars(&mut self, args: &[Expr], grid: Grid) -> Result<Vec<Vec<f64>>, EvalError> {
        args.iter().map(|arg| self.scalar(arg, grid)).collect()
    }

    /// `scalar(v)`: the value of the only series, else NaN.
    fn only_value(&mut self, arg: &Expr, grid: Grid) -> Result<Vec<f64>, EvalError> {
        let rows = self.vector(arg, grid)?;
        self.budget.spend(grid.count)?;
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
        let mut rows = Vec::new();
        self.feed_over(func, call, grid, Wanted::default(), &mut |mut fed, _| {
            // The names are dropped from all rows together below, where equal ones are found.
            fed.name = match fed.name {
                Name::Gone => Name::Kept,
                Name::Kept | Name::GoesLast => fed.name,
            };
            rows.push(fed.to_row());
            Ok(())
        })?;
        if keeps_name(func) {
            return Ok(rows);
        }
        self.without_names(rows)
    }

    pub(super) fn check_scalars(
        &mut self,
        func: Over,
        scalars: &[Vec<f64>],
    ) -> Result<(), EvalError> {
        match (func, scalars) {
            (Over::Each(Each::Quantile), [quantiles]) => self.check_quantiles(quantiles),
            (Over::Each(Each::DoubleExponentialSmoothing), factors) => {
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

    fn date(&mut self, part: DatePart, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let mut rows = match call.args.first() {
            None => vec![unlabelled(self.times(grid)?)],
            Some(arg) => self.vector(arg, grid)?,
        };
        rows.iter_mut()
            .for_each(|row| row.map_present(|value| date::part(part, value)));
        self.without_names(rows)
    }

    fn timestamp(&mut self, arg: &Expr, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let mut rows;
        if let Expr::Selector(selector) = arg {
            rows = Vec::new();
            let wanted = Wanted {
                presence_only: true,
                any_order: false,
            };
            let time = |time_ms: i64, _| seconds(time_ms);
            self.feed_newest(selector, grid, wanted, time, &mut |fed, _| {
                rows.push(fed.to_row());
                Ok(())
            })?;
        } else {
            // What was computed has the time of its computation.
            rows = self.vector(arg, grid)?;
            let times = self.times(grid)?;
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
        let labels = if let Expr::Selector(selector) = arg {
            certain_labels(selector)
        } else {
            Labels::default()
        };
        let wanted = Wanted {
            presence_only: true,
            any_order: true,
        };
        self.budget.spend(grid.count)?;
        let mut there = vec![false; grid.count];
        self.feed(arg, grid, wanted, &mut |fed, _| {
            for (there, value) in there.iter_mut().zip(fed.values) {
                *there |= is_present(*value);
            }
            Ok(())
        })?;
        Ok(ones_where(labels, grid, |step| !there[step]))
    }

    fn absent_over(&mut self, call: &Call, grid: Grid) -> Result<Vec<Row>, EvalError> {
        let Some(Expr::Window(window)) = call.args.first() else {
            return Err(EvalError::argument("a range of samples is expected"));
        };
        let labels = match &**window {
            Window::Range { selector, .. } => certain_labels(selector),
            Window::Subquery { .. } => Labels::default(),
        };
        let wanted = Wanted {
            presence_only: true,
            any_order: true,
        };
        self.budget.spend(grid.count)?;
        let mut there = vec![false; grid.count];
        self.each_samples(window, grid, wanted, &mut |samples, _, _| {
            for (there, bounds) in there.iter_mut().zip(&samples.timeline.bounds) {
                *there |= bounds.len() > 0;
            }
            Ok(())
        })?;
        Ok(ones_where(labels, grid, |step| !there[step]))
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
