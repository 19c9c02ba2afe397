//! One evaluation: what is asked at which time, and by which limits. It keeps no state.

use tocsin_promql::{
    EvalError, InstantSample, Labels, Limits, Query, Select, Source, Value, is_stale,
};

/// Samples that one question may touch.
const SAMPLES_MAX: usize = 20_000_000;
/// The time one evaluation may take, microseconds, the questions of its templates included: the other rules wait for it.
pub(super) const EVALUATION_US_MAX: u64 = 10_000_000;
/// Series that one answer may have.
pub(crate) const ANSWER_MAX: usize = 10_000;
/// Series that are looked at to tell whether there is data.
const DATA_SERIES_MAX: usize = 10_000;

/// When and over what a rule is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) source: &'a dyn Source,
    /// Whether the evaluation has lasted as long as it may.
    pub(crate) is_over: &'a dyn Fn() -> bool,
    /// The time that states are judged by, milliseconds.
    pub(crate) at_ms: i64,
    /// The time that is asked about and written, milliseconds: earlier by the group's offset.
    pub(crate) query_at_ms: i64,
    /// Whether the whole group is evaluated, by its interval: series of alerts are written then, changed or not.
    pub(crate) whole: bool,
    /// The group's limit; 0 is none.
    pub(crate) limit: usize,
    /// Whether states from before the start may still be found in the store.
    pub(crate) may_restore: bool,
    /// Whether the rule's data arrive again after the start, or had time to.
    pub(crate) heard: bool,
}

impl Moment<'_> {
    /// Asks; the answer is one value per series. A number is an answer without labels.
    pub(crate) fn answer(&self, query: &Query) -> Result<Vec<InstantSample>, String> {
        let limits = Limits {
            samples_max: SAMPLES_MAX,
            cancelled: Some(self.is_over),
            ..Limits::default()
        };
        let answer = query
            .instant(self.source, self.query_at_ms, &limits)
            .map_err(|error| told(&error))?;
        let samples = match answer.value {
            Value::Vector(samples) => samples,
            Value::Scalar(value) => vec![InstantSample {
                labels: Labels::default(),
                value,
            }],
            Value::Text(_) | Value::Matrix(_) => {
                return Err("the answer is neither a number nor one value per series".to_owned());
            }
        };
        if samples.len() > ANSWER_MAX {
            return Err(format!(
                "the answer has {} series, {ANSWER_MAX} are allowed in a rule",
                samples.len()
            ));
        }
        Ok(samples)
    }

    /// Asks for a template.
    pub(crate) fn answer_inside(&self, text: &str) -> Result<Vec<(Labels, f64)>, String> {
        let query = Query::parse(text).map_err(|error| error.to_string())?;
        let samples = self.answer(&query)?;
        Ok(samples
            .into_iter()
            .map(|sample| (sample.labels, sample.value))
            .collect())
    }

    /// Whether any series that the query selects has a sample in the `within_ms` before now. What cannot be read counts as
    /// data: no alarm is made of it.
    pub(crate) fn has_data(&self, query: &Query, within_ms: u64) -> bool {
        let from_ms = self
            .query_at_ms
            .saturating_sub(i64::try_from(within_ms).unwrap_or(i64::MAX))
            .saturating_add(1);
        query.selectors().into_iter().any(|matchers| {
            let select =
                Select::new(matchers, from_ms, self.query_at_ms).with_series_max(DATA_SERIES_MAX);
            let Ok(found) = self.source.select(&select) else {
                return true;
            };
            let (mut times, mut values) = (Vec::new(), Vec::new());
            found.iter().flat_map(|series| &series.chunks).any(|chunk| {
                times.clear();
                values.clear();
                let read = chunk.read(from_ms, self.query_at_ms, &mut times, &mut values);
                read.is_err() || values.iter().any(|value| !is_stale(*value))
            })
        })
    }
}

/// A failure as a rule's error tells it.
fn told(error: &EvalError) -> String {
    if *error == EvalError::Cancelled {
        return format!(
            "the evaluation took longer than {} s and was given up: shorten its ranges or narrow its matchers",
            EVALUATION_US_MAX / 1_000_000
        );
    }
    error.to_string()
}
