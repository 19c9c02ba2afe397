//! What one query may cost; it knows no clock (a time limit is the caller's `cancelled`).

use crate::error::EvalError;

/// Limits and settings of one evaluation.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Samples read plus values computed.
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
    /// Asked every few thousand samples; the query stops when it says true.
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
    next_check: usize,
}

impl<'a> Budget<'a> {
    const CHECK_EVERY: usize = 8_192;

    pub(crate) fn new(limits: Limits<'a>) -> Self {
        Self {
            limits,
            spent: 0,
            next_check: 0,
        }
    }

    /// Accounts for `samples` before they are produced.
    pub(crate) fn spend(&mut self, samples: usize) -> Result<(), EvalError> {
        self.spent = self.spent.saturating_add(samples);
        if self.spent > self.limits.samples_max {
            return Err(EvalError::TooManySamples {
                limit: self.limits.samples_max,
            });
        }
        if self.spent >= self.next_check {
            self.next_check = self.spent.saturating_add(Self::CHECK_EVERY);
            if self.limits.cancelled.is_some_and(|cancelled| cancelled()) {
                return Err(EvalError::Cancelled);
            }
        }
        Ok(())
    }
}
