//! What one query may cost; it knows no clock (a time limit is the caller's `cancelled`).

use crate::error::EvalError;

/// Limits and settings of one evaluation.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Samples read plus values computed; working memory in use counts apart, up to the same number of values. What is
    /// in memory at a time is thus at most twice this number of values of 8 bytes, the answer included.
    pub samples_max: usize,
    /// Series one selector may find.
    pub series_max: usize,
    /// Steps of a range query.
    pub steps_max: usize,
    /// How old the newest sample may be to count at an instant, milliseconds.
    pub lookback_ms: i64,
    /// Step of a subquery that names none, milliseconds.
    pub subquery_step_ms: i64,
    /// Whether the metric's name is dropped at the end of the query instead of in each function (an experiment of
    /// Prometheus 3, off by default there too).
    pub delayed_name_removal: bool,
    /// Whether label names that a query makes are letters, digits and `_` only, as before Prometheus 3, instead of any text.
    pub legacy_label_names: bool,
    /// Asked at first and then after every few thousand samples that are read or looked at again; the query stops when
    /// it says true.
    pub cancelled: Option<&'a dyn Fn() -> bool>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self {
            samples_max: 50_000_000,
            series_max: 200_000,
            steps_max: 11_000,
            lookback_ms: 300_000,
            subquery_step_ms: 60_000,
            delayed_name_removal: false,
            legacy_label_names: false,
            cancelled: None,
        }
    }
}

/// What is left of the limits while a query runs.
pub(crate) struct Budget<'a> {
    limits: Limits<'a>,
    spent: usize,
    /// Values of working memory that are in use.
    held: usize,
    /// What was worked since `cancelled` was asked.
    unasked: usize,
}

impl<'a> Budget<'a> {
    const ASK_EVERY: usize = 8_192;

    pub(crate) fn new(limits: Limits<'a>) -> Self {
        Self {
            limits,
            spent: 0,
            held: 0,
            unasked: Self::ASK_EVERY,
        }
    }

    /// Accounts for `samples` before they are produced: samples that are read, values of columns.
    pub(crate) fn spend(&mut self, samples: usize) -> Result<(), EvalError> {
        self.spent = self.spent.saturating_add(samples);
        self.within(self.spent)?;
        self.work(samples)
    }

    /// Accounts for working memory of so many values, until it is given back.
    pub(crate) fn hold(&mut self, values: usize) -> Result<(), EvalError> {
        self.held = self.held.saturating_add(values);
        self.within(self.held)
    }

    /// Working memory that was held is free again. A query that fails need not say so.
    pub(crate) fn give_back(&mut self, values: usize) {
        debug_assert!(values <= self.held, "more is given back than was held");
        self.held = self.held.saturating_sub(values);
    }

    /// Accounts for time: `values` are looked at, which were paid for before.
    pub(crate) fn work(&mut self, values: usize) -> Result<(), EvalError> {
        self.unasked = self.unasked.saturating_add(values);
        if self.unasked < Self::ASK_EVERY {
            return Ok(());
        }
        self.unasked = 0;
        if self.limits.cancelled.is_some_and(|cancelled| cancelled()) {
            return Err(EvalError::Cancelled);
        }
        Ok(())
    }

    fn within(&self, values: usize) -> Result<(), EvalError> {
        let limit = self.limits.samples_max;
        if values > limit {
            return Err(EvalError::TooManySamples { limit });
        }
        Ok(())
    }
}
