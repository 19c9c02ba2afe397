//! Series of an expression, handed on one by one instead of gathered: what adds them up needs memory for one at a time. It
//! knows no function's meaning.

use std::rc::Rc;

use crate::answer::RangeSeries;
use crate::ast::{At, Call, Expr, Func, Over, Selector, Shift, Window};
use crate::error::EvalError;
use crate::is_stale;
use crate::labels::{Labels, METRIC_NAME};
use crate::limits::Budget;
use crate::matcher::Matcher;
use crate::source::Select;

use super::Evaluator;
use super::columns::{ABSENT, Grid, Row, is_present};
use super::read::Reader;
use super::slide::{Scratch, Sliding, slide};
use super::timeline::{Timeline, Windows};

/// What becomes of the metric's name in the labels of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Kept,
    /// It is gone already, though the labels still show it.
    Gone,
    /// It goes at the end of the query.
    GoesLast,
}

/// A series on its way: one value, or [`ABSENT`], per instant of the grid; at least one is present.
pub(super) struct Fed<'a> {
    pub(super) labels: Labels,
    pub(super) name: Name,
    pub(super) values: &'a [f64],
}

impl Fed<'_> {
    pub(super) fn to_row(&self) -> Row {
        Row {
            labels: match self.name {
                Name::Gone => self.labels.without_name(),
                Name::Kept | Name::GoesLast => self.labels.clone(),
            },
            drop_name: self.name == Name::GoesLast,
            values: self.values.to_vec(),
        }
    }
}

/// Who takes the series.
pub(super) type Sink<'a> = dyn FnMut(Fed<'_>, &mut Budget<'_>) -> Result<(), EvalError> + 'a;

/// What the sink makes of the series.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted {
    /// Their order does not matter.
    pub(super) any_order: bool,
    /// Only whether there is a value matters, not which.
    pub(super) presence_only: bool,
}

/// The samples of one series under a window, staleness markers left out.
pub(super) struct Samples<'a> {
    pub(super) labels: Labels,
    pub(super) drop_name: bool,
    pub(super) timeline: Rc<Timeline>,
    pub(super) values: &'a [f64],
}

impl Evaluator<'_> {
    /// Hands each series of an expression to `sink`, in the order of labels where the source gives them so.
    pub(super) fn feed(
        &mut self,
        expr: &Expr,
        grid: Grid,
        wanted: Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<(), EvalError> {
        if let Expr::Selector(selector) = expr {
            return self.feed_newest(selector, grid, wanted, |_, value| value, sink);
        }
        if let Expr::Call(call) = expr
            && let Func::Over(func) = call.func
            && self.names_stay_apart(func, call)
        {
            return self.feed_over(func, call, grid, wanted, sink);
        }
        self.feed_rows(expr, grid, sink)
    }

    fn feed_rows(&mut self, expr: &Expr, grid: Grid, sink: &mut Sink<'_>) -> Result<(), EvalError> {
        for row in self.vector(expr, grid)? {
            let fed = Fed {
                labels: row.labels,
                name: if row.drop_name {
                    Name::GoesLast
                } else {
                    Name::Kept
                },
                values: &row.values,
            };
            sink(fed, &mut self.budget)?;
        }
        Ok(())
    }

    /// Whether series cannot become equal by the loss of their names.
    fn names_stay_apart(&self, func: Over, call: &Call) -> bool {
        if self.limits.delayed_name_removal || keeps_name(func) {
            return true;
        }
        call.args.iter().any(|arg| {
            if let Expr::Window(window) = arg
                && let Window::Range { selector, .. } = &**window
            {
                has_one_name(selector)
            } else {
                false
            }
        })
    }

    /// The newest value of each series at each instant, as `pick` makes it from time and value.
    pub(super) fn feed_newest(
        &mut self,
        selector: &Selector,
        grid: Grid,
        wanted: Wanted,
        pick: impl Fn(i64, f64) -> f64,
        sink: &mut Sink<'_>,
    ) -> Result<(), EvalError> {
        let windows = self.windows_of(selector.shift, self.limits.lookback_ms, grid);
        let span_ms = windows.span_ms();
        let mut reader = Reader::new(windows, wanted.presence_only, &mut self.budget)?;
        self.budget.hold(grid.count)?;
        let mut out = Vec::with_capacity(grid.count);
        for series in self.select(selector, span_ms, wanted.any_order)? {
            let timeline = reader.newest_only(&series.chunks, &mut self.budget)?;
            self.budget.spend(grid.count)?;
            out.clear();
            let mut any = false;
            for bounds in &timeline.bounds {
                let value = if bounds.len() == 0 {
                    ABSENT
                } else {
                    reader.values()[bounds.end - 1]
                };
                out.push(if is_stale(value) {
                    ABSENT
                } else {
                    any = true;
                    pick(timeline.times[bounds.end - 1], value)
                });
            }
            if any {
                let fed = Fed {
                    labels: series.labels,
                    name: Name::Kept,
                    values: &out,
                };
                sink(fed, &mut self.budget)?;
            }
        }
        self.budget.give_back(grid.count);
        reader.end(&mut self.budget);
        Ok(())
    }

    /// A function over the ranges of each series. Where the name is dropped, series may become equal: see
    /// `names_stay_apart`.
    pub(super) fn feed_over(
        &mut self,
        func: Over,
        call: &Call,
        grid: Grid,
        wanted: Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<(), EvalError> {
        let mut found = None;
        let mut scalars = Vec::new();
        for arg in &call.args {
            if let Expr::Window(window) = arg {
                found = Some(window);
            } else {
                scalars.push(self.scalar(arg, grid)?);
            }
        }
        let Some(window) = found else {
            return Err(EvalError::argument("a range of samples is expected"));
        };
        self.check_scalars(func, &scalars)?;
        // The instants, and the values of one series after the other.
        let working = grid.count.saturating_mul(2);
        self.budget.hold(working)?;
        let evals_ms: Vec<i64> = (0..grid.count).map(|step| grid.time_ms(step)).collect();
        let name = match (keeps_name(func), self.limits.delayed_name_removal) {
            (true, _) => Name::Kept,
            (false, true) => Name::GoesLast,
            (false, false) => Name::Gone,
        };
        let wanted = Wanted {
            presence_only: matches!(func, Over::Count | Over::Present),
            ..wanted
        };
        let mut scratch = Scratch::default();
        let mut out = Vec::with_capacity(grid.count);
        let mut hinted = Vec::new();
        self.each_samples(window, grid, wanted, &mut |samples, windows, budget| {
            budget.spend(grid.count)?;
            let sliding = Sliding {
                windows,
                evals_ms: &evals_ms,
                scalars: &scalars,
            };
            let read = (&*samples.timeline, samples.values);
            slide(func, read, &sliding, &mut scratch, budget, &mut out)?;
            if !out.iter().any(|value| is_present(*value)) {
                return Ok(());
            }
            super::notes::note_counter(func, samples.labels.metric_name(), &mut hinted);
            let name = if samples.drop_name {
                Name::GoesLast
            } else {
                name
            };
            let fed = Fed {
                labels: samples.labels,
                name,
                values: &out,
            };
            sink(fed, budget)
        })?;
        self.budget.give_back(working);
        for name in hinted {
            self.inform_counter(&name);
        }
        Ok(())
    }

    /// Hands the samples under a window expression to `take`, series by series.
    pub(super) fn each_samples(
        &mut self,
        window: &Window,
        grid: Grid,
        wanted: Wanted,
        take: &mut dyn FnMut(Samples<'_>, &Windows, &mut Budget<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        match window {
            Window::Range { selector, range_ms } => {
                let windows = self.windows_of(selector.shift, *range_ms, grid);
                let span_ms = windows.span_ms();
                let mut reader = Reader::new(windows, wanted.presence_only, &mut self.budget)?;
                for series in self.select(selector, span_ms, wanted.any_order)? {
                    let timeline = reader.without_stale(&series.chunks, &mut self.budget)?;
                    if timeline.times.is_empty() {
                        continue;
                    }
                    let samples = Samples {
                        labels: series.labels,
                        drop_name: false,
                        timeline,
                        values: reader.values(),
                    };
                    take(samples, reader.windows(), &mut self.budget)?;
                }
                reader.end(&mut self.budget);
            }
            Window::Subquery {
                expr,
                range_ms,
                step_ms,
                shift,
            } => {
                let windows = self.windows_of(*shift, *range_ms, grid);
                let step_ms = step_ms.unwrap_or(self.limits.subquery_step_ms).max(1);
                let Some(inner) = subquery_grid(&windows, step_ms) else {
                    return Ok(());
                };
                self.budget.spend(inner.count)?;
                let rows = self.vector(expr, inner)?;
                // The instants, and what is present of one row with its instants.
                let working = inner.count.saturating_mul(2);
                self.budget.hold(working)?;
                let times: Vec<i64> = (0..inner.count).map(|step| inner.time_ms(step)).collect();
                let mut reader = Reader::new(windows, false, &mut self.budget)?;
                for row in rows {
                    let timeline = reader.of_row(&times, &row.values, &mut self.budget)?;
                    let samples = Samples {
                        labels: row.labels,
                        drop_name: row.drop_name,
                        timeline,
                        values: reader.values(),
                    };
                    take(samples, reader.windows(), &mut self.budget)?;
                }
                reader.end(&mut self.budget);
                self.budget.give_back(working);
            }
        }
        Ok(())
    }

    /// The samples under a window at one instant, as an answer of their own.
    pub(super) fn window_points(
        &mut self,
        window: &Window,
        grid: Grid,
    ) -> Result<Vec<RangeSeries>, EvalError> {
        let mut found = Vec::new();
        self.each_samples(window, grid, Wanted::default(), &mut |samples, _, _| {
            let Some(bounds) = samples.timeline.bounds.first().filter(|one| one.len() > 0) else {
                return Ok(());
            };
            let places = bounds.first..bounds.end;
            let times = &samples.timeline.times[places.clone()];
            let values = &samples.values[places];
            found.push(RangeSeries {
                labels: if samples.drop_name {
                    samples.labels.without_name()
                } else {
                    samples.labels
                },
                points: times.iter().copied().zip(values.iter().copied()).collect(),
            });
            Ok(())
        })?;
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(found)
    }

    fn windows_of(&self, shift: Shift, range_ms: i64, grid: Grid) -> Windows {
        let fixed_ms = shift.at.map(|at| match at {
            At::Start => self.bounds.0,
            At::End => self.bounds.1,
            At::Millis(ms) => ms,
        });
        let ends = (0..grid.count).map(|step| {
            fixed_ms
                .unwrap_or_else(|| grid.time_ms(step))
                .saturating_sub(shift.offset_ms)
        });
        Windows {
            range_ms,
            ends_ms: ends.collect(),
        }
    }

    fn select(
        &mut self,
        selector: &Selector,
        (from_ms, to_ms): (i64, i64),
        any_order: bool,
    ) -> Result<Vec<crate::source::SeriesData>, EvalError> {
        self.budget.spend(0)?;
        let select = Select::new(&selector.matchers, from_ms, to_ms)
            .with_series_max(self.limits.series_max)
            .with_any_order(any_order);
        Ok(self.source.select(&select)?)
    }
}

/// Functions that pick a sample of the series leave its name.
pub(super) fn keeps_name(func: Over) -> bool {
    matches!(func, Over::Last | Over::First)
}

fn has_one_name(selector: &Selector) -> bool {
    let mut of_name = selector
        .matchers
        .iter()
        .filter(|matcher| matcher.name() == METRIC_NAME);
    of_name
        .find_map(Matcher::candidates)
        .is_some_and(|names| names.len() == 1)
}

/// The multiples of the step after the first window's start, up to the last window's end.
fn subquery_grid(windows: &Windows, step_ms: i64) -> Option<Grid> {
    let (first_ms, last_ms) = windows.span_ms();
    let start_ms = first_ms
        .saturating_sub(1)
        .div_euclid(step_ms)
        .saturating_add(1)
        .saturating_mul(step_ms);
    Grid::spanning(start_ms, last_ms, step_ms, usize::MAX).ok()
}
