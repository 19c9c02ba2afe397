//! Selectors: samples of a source onto a grid, or into windows; it knows no function over them.

use crate::answer::RangeSeries;
use crate::ast::{At, Selector, Shift, Window};
use crate::error::EvalError;
use crate::is_stale;
use crate::labels::Labels;
use crate::source::{Select, SeriesData};

use super::Evaluator;
use super::columns::{ABSENT, Grid, Row, is_present};

/// The samples that the windows of one series are cut from, staleness markers left out.
pub(super) struct Samples {
    pub(super) labels: Labels,
    pub(super) drop_name: bool,
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<f64>,
}

/// Windows over a grid: each ends at its instant, shifted, and is open on the left.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub(super) range_ms: i64,
    pub(super) view: View,
}

/// The instants at which a selector looks, seen from the instants of the grid.
#[derive(Clone, Copy)]
pub(super) struct View {
    grid: Grid,
    fixed_ms: Option<i64>,
    offset_ms: i64,
}

impl View {
    pub(super) fn time_ms(self, step: usize) -> i64 {
        self.fixed_ms
            .unwrap_or_else(|| self.grid.time_ms(step))
            .saturating_sub(self.offset_ms)
    }

    fn first_ms(self) -> i64 {
        self.time_ms(0)
    }

    fn last_ms(self) -> i64 {
        self.time_ms(self.grid.count.saturating_sub(1))
    }
}

impl Evaluator<'_> {
    /// The newest value of each series at each instant.
    pub(super) fn instant_vector(
        &mut self,
        selector: &Selector,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        self.newest(selector, grid, |_, value| value)
    }

    /// The time, in seconds, of the newest value of each series at each instant.
    pub(super) fn instant_times(
        &mut self,
        selector: &Selector,
        grid: Grid,
    ) -> Result<Vec<Row>, EvalError> {
        self.newest(selector, grid, |time_ms, _| time_ms as f64 / 1e3)
    }

    fn newest(
        &mut self,
        selector: &Selector,
        grid: Grid,
        pick: impl Fn(i64, f64) -> f64,
    ) -> Result<Vec<Row>, EvalError> {
        let view = self.view(selector.shift, grid);
        let lookback_ms = self.limits.lookback_ms;
        let from_ms = view
            .first_ms()
            .saturating_sub(lookback_ms)
            .saturating_add(1);
        let mut rows = Vec::new();
        let (mut times, mut values) = (Vec::new(), Vec::new());
        for series in self.select(selector, from_ms, view.last_ms())? {
            self.read(&series, (from_ms, view.last_ms()), &mut times, &mut values)?;
            self.budget.spend(grid.count)?;
            let mut next = 0;
            let mut row = Vec::with_capacity(grid.count);
            for step in 0..grid.count {
                let at_ms = view.time_ms(step);
                while times.get(next).is_some_and(|time| *time <= at_ms) {
                    next += 1;
                }
                let newest = next.checked_sub(1).map(|at| (times[at], values[at]));
                row.push(match newest {
                    Some((time_ms, value))
                        if time_ms > at_ms.saturating_sub(lookback_ms) && !is_stale(value) =>
                    {
                        pick(time_ms, value)
                    }
                    _ => ABSENT,
                });
            }
            let row = Row {
                labels: series.labels,
                drop_name: false,
                values: row,
            };
            if row.has_any() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// The samples under a window expression, for each series.
    pub(super) fn windows(
        &mut self,
        window: &Window,
        grid: Grid,
    ) -> Result<(Vec<Samples>, Windows), EvalError> {
        match window {
            Window::Range { selector, range_ms } => {
                let view = self.view(selector.shift, grid);
                let windows = Windows {
                    range_ms: *range_ms,
                    view,
                };
                let from_ms = view.first_ms().saturating_sub(*range_ms).saturating_add(1);
                let mut found = Vec::new();
                for series in self.select(selector, from_ms, view.last_ms())? {
                    let (mut times, mut values) = (Vec::new(), Vec::new());
                    self.read(&series, (from_ms, view.last_ms()), &mut times, &mut values)?;
                    remove_stale(&mut times, &mut values);
                    if !times.is_empty() {
                        found.push(Samples {
                            labels: series.labels,
                            drop_name: false,
                            times,
                            values,
                        });
                    }
                }
                Ok((found, windows))
            }
            Window::Subquery {
                expr,
                range_ms,
                step_ms,
                shift,
            } => {
                let view = self.view(*shift, grid);
                let windows = Windows {
                    range_ms: *range_ms,
                    view,
                };
                let step_ms = step_ms.unwrap_or(self.limits.subquery_step_ms).max(1);
                let Some(inner) = subquery_grid(windows, step_ms) else {
                    return Ok((Vec::new(), windows));
                };
                self.budget.spend(inner.count)?;
                let rows = self.vector(expr, inner)?;
                let found = rows.into_iter().map(|row| samples_of(row, inner));
                Ok((found.collect(), windows))
            }
        }
    }

    /// The samples under a window at one instant, as an answer of their own.
    pub(super) fn window_points(
        &mut self,
        window: &Window,
        grid: Grid,
    ) -> Result<Vec<RangeSeries>, EvalError> {
        let (samples, windows) = self.windows(window, grid)?;
        let end_ms = windows.view.time_ms(0);
        let start_ms = end_ms.saturating_sub(windows.range_ms);
        let mut series: Vec<RangeSeries> = samples
            .into_iter()
            .map(|one| RangeSeries {
                labels: if one.drop_name {
                    one.labels.without_name()
                } else {
                    one.labels
                },
                points: one
                    .times
                    .into_iter()
                    .zip(one.values)
                    .filter(|(time, _)| *time > start_ms && *time <= end_ms)
                    .collect(),
            })
            .filter(|one| !one.points.is_empty())
            .collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(series)
    }

    fn view(&self, shift: Shift, grid: Grid) -> View {
        View {
            grid,
            fixed_ms: shift.at.map(|at| match at {
                At::Start => self.bounds.0,
                At::End => self.bounds.1,
                At::Millis(ms) => ms,
            }),
            offset_ms: shift.offset_ms,
        }
    }

    fn select(
        &mut self,
        selector: &Selector,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<SeriesData>, EvalError> {
        self.budget.spend(0)?;
        let select =
            Select::new(&selector.matchers, from_ms, to_ms).with_series_max(self.limits.series_max);
        Ok(self.source.select(&select)?)
    }

    /// Reads the samples of `span` into the emptied columns.
    fn read(
        &mut self,
        series: &SeriesData,
        span: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), EvalError> {
        times.clear();
        values.clear();
        for chunk in &series.chunks {
            let (first_ms, last_ms) = chunk.span_ms();
            if last_ms < span.0 || first_ms > span.1 {
                continue;
            }
            let before = times.len();
            chunk.read(span.0, span.1, times, values)?;
            self.budget.spend(times.len() - before)?;
        }
        Ok(())
    }
}

/// The multiples of the step after the first window's start, up to the last window's end.
fn subquery_grid(windows: Windows, step_ms: i64) -> Option<Grid> {
    let after_ms = windows.view.first_ms().saturating_sub(windows.range_ms);
    let start_ms = after_ms
        .div_euclid(step_ms)
        .saturating_add(1)
        .saturating_mul(step_ms);
    Grid::spanning(start_ms, windows.view.last_ms(), step_ms, usize::MAX).ok()
}

fn samples_of(row: Row, grid: Grid) -> Samples {
    let present = row
        .values
        .iter()
        .enumerate()
        .filter(|(_, v)| is_present(**v));
    let (times, values) = present.map(|(step, v)| (grid.time_ms(step), *v)).unzip();
    Samples {
        labels: row.labels,
        drop_name: row.drop_name,
        times,
        values,
    }
}

fn remove_stale(times: &mut Vec<i64>, values: &mut Vec<f64>) {
    if !values.iter().any(|value| is_stale(*value)) {
        return;
    }
    let mut keep = values.iter().map(|value| !is_stale(*value));
    times.retain(|_| keep.next().unwrap_or(true));
    values.retain(|value| !is_stale(*value));
}
